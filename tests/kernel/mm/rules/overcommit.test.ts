import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { BufferHost } from "../../../../debug/buffer-host.js";
import { Machine } from "../../../../debug/machine.js";
import { RELEASE_NAMES } from "../../../../kernel/release.js";
import { checkEachCall } from "../check-each-call.js";
import { readCases, recordedCases, recordedFile } from "./run.js";

/*
 * overcommit.c changes the machine's settings, so it was recorded in a guest alone, on 6.12. No release has changed
 * anything of it.
 */

const MEMORY_BYTES = 512 * 2 ** 20;

describe.each(RELEASE_NAMES)("Linux %s", (release) => {
  const host = new BufferHost();
  const machine = Machine.create({ host, kernel: release, memoryBytes: MEMORY_BYTES });
  machine.load(readFileSync(recordedFile("overcommit.elf")), { argv: ["./overcommit"] });
  const problems = release === "6.18" ? checkEachCall(machine) : [];
  const end = machine.run(50_000_000);
  const cases = readCases(host.text(1));

  it.each([...recordedCases("overcommit", "6.12")])("%s", (name, answer) => {
    expect(cases.get(name)).toBe(answer);
  });
  it("ends, and the machine is well", () => {
    expect(end.reason).toBe("exited");
    expect(problems).toEqual([]);
  });
});
