import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { SchedulerOptions } from "../../../kernel/scheduler.js";
import { bareKernel } from "../bare-kernel.js";

/** Programs and their answers on Linux 6.18.44, as root: tests/programs/README.md. */
const recorded = (name: string): URL => new URL(`../../recorded/processes/${name}`, import.meta.url);
const INSTRUCTIONS = 300_000_000;
/** No interleaving may change an answer. */
const SCHEDULES: readonly SchedulerOptions[] = [{ seed: 0 }, { seed: 3, quantum: 500 }];

const sections = (text: string): string[] => text.split(/^-- /m).slice(1);

/** Runs a recorded program under each schedule; a test for each section of its answers. */
export function compareWithRecorded(name: string): void {
  const theirs = sections(gunzipSync(readFileSync(recorded(`${name}.txt.gz`))).toString("latin1"));
  describe.each(SCHEDULES)("as on Linux 6.18: %j", (schedule) => {
    const machine = bareKernel({ schedule });
    machine.add(`/${name}`, readFileSync(recorded(`${name}.elf`)));
    const started = machine.start(`/${name}`, [`./${name}.elf`]);
    const end = started ?? machine.kernel.run(INSTRUCTIONS);
    const ours = sections(machine.output());

    it("ends", () => {
      expect(end).toMatchObject({ reason: "exited", status: { code: 0, signal: null } });
    });
    theirs.forEach((section, i) => {
      it(section.slice(0, section.indexOf("\n")), () => {
        expect((ours[i] ?? "").split("\n")).toEqual(section.split("\n"));
      });
    });
  });
}
