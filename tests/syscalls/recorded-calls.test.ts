import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { syscallTable } from "../../syscalls/index.js";
import { SyscallTable, define } from "../../syscalls/table.js";
import { bareKernel } from "../kernel/bare-kernel.js";

/** A program and its answers on Linux 6.18.44, as root: tests/programs/README.md. */
const recorded = (name: string): URL => new URL(`../recorded/calls/${name}`, import.meta.url);

describe("system calls of one process", () => {
  const machine = bareKernel();
  machine.add("/calls", readFileSync(recorded("calls.elf")));
  machine.start("/calls");
  const end = machine.kernel.run(10_000_000);
  const ours = machine.output().split(/^-- /m);
  const theirs = readFileSync(recorded("calls.txt"), "latin1").split(/^-- /m);

  it("ends", () => {
    expect(end).toMatchObject({ reason: "exited", status: { code: 0, signal: null } });
    expect(ours.length).toBe(theirs.length);
  });

  theirs.slice(1).forEach((section, i) => {
    it(`results and errors as Linux 6.18 gives them: ${section.slice(0, section.indexOf("\n"))}`, () => {
      expect(ours[i + 1]!.split(/\s+/)).toEqual(section.split(/\s+/));
    });
  });
});

describe("SyscallTable", () => {
  it("has no call twice", () => {
    const getpid = define({ number: 39, name: "getpid", args: [], handler: () => 1 });
    expect(() => new SyscallTable([getpid, { ...getpid, name: "other" }])).toThrow("other (39)");
    expect(() => new SyscallTable([getpid, { ...getpid, number: 40 }])).toThrow("getpid (40)");
  });

  it("has every call by number and by name", () => {
    for (const definition of syscallTable) {
      expect(syscallTable.get(definition.number)).toBe(definition);
      expect(definition.args.length).toBeLessThanOrEqual(6);
    }
    expect(syscallTable.named("mseal")?.number).toBe(462);
  });
});
