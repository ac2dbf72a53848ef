import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BufferHost } from "../../debug/buffer-host.js";
import { Machine } from "../../debug/machine.js";
import { loadMachine, saveMachine } from "../../debug/snapshot/machine-file.js";
import { checkMachine } from "../../kernel/mm/check-machine.js";

const RECORDED = join(import.meta.dirname, "..", "recorded", "perf");
const answers = (name: string): string => readFileSync(join(RECORDED, `${name}.txt`), "utf8");

function started(name: string): { machine: Machine; host: BufferHost } {
  const host = new BufferHost();
  const machine = Machine.create({ host });
  machine.load(new Uint8Array(readFileSync(join(RECORDED, `${name}.elf`))));
  return { machine, host };
}

/** Runs to the end; every few steps what is there adds up. */
function finish(machine: Machine, step: number): void {
  for (let i = 0; i < 20_000; i++) {
    const { reason } = machine.run(step);
    expect(checkMachine(machine.kernel, [machine.kernel.init.leader.mm])).toEqual([]);
    if (reason === "exited") return;
  }
  throw new Error("it has no end");
}

describe.each(["uprobes", "perf-events", "debug-registers", "uprobe-steps"])(
  "%s.c, as on Linux 6.18",
  (name) => {
    it("says what it says there, and every reference adds up on the way", () => {
      const { machine, host } = started(name);
      finish(machine, 20_000);
      expect(host.text(1)).toBe(answers(name));
    });

    it("goes on the same in a machine that was saved", () => {
      const whole = started(name);
      finish(whole.machine, 1_000_000);
      const { instructions } = whole.machine;
      for (const part of [0.3, 0.5, 0.7, 0.9]) {
        const first = started(name);
        first.machine.run(Math.floor(instructions * part));
        const host = new BufferHost();
        const second = loadMachine(saveMachine(first.machine), { host });
        finish(second, 1_000_000);
        expect(first.host.text(1) + host.text(1)).toBe(answers(name));
      }
    });
  },
);
