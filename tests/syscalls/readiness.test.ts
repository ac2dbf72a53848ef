import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { bareKernel } from "../kernel/bare-kernel.js";

/** Programs and their answers on Linux 6.18.44, as root: tests/programs/README.md. */
const recorded = (name: string): URL => new URL(`../recorded/readiness/${name}`, import.meta.url);

describe.each([
  ["readiness", "poll, select, epoll, signalfd, timerfd, eventfd"],
  ["pipes", "pipes, splice, tee, vmsplice"],
  ["waiters", "several tasks that wait for one another"],
])("%s: %s", (name) => {
  const machine = bareKernel();
  machine.add(`/${name}`, readFileSync(recorded(`${name}.elf`)));
  machine.start(`/${name}`);
  const end = machine.kernel.run(50_000_000);
  const ours = machine.output().split(/^-- /m);
  const theirs = readFileSync(recorded(`${name}.txt`), "latin1").split(/^-- /m);

  it("ends", () => {
    expect(end).toMatchObject({ reason: "exited", status: { code: 0, signal: null } });
    expect(ours.length).toBe(theirs.length);
  });

  theirs.slice(1).forEach((section, i) => {
    it(`as Linux 6.18: ${section.slice(0, section.indexOf("\n"))}`, () => {
      expect(ours[i + 1]!.split("\n")).toEqual(section.split("\n"));
    });
  });
});

describe("tasks that wait, in other interleavings", () => {
  const elf = readFileSync(recorded("waiters.elf"));
  const theirs = readFileSync(recorded("waiters.txt"), "latin1");
  const counts = new Set<number>();

  it.each([1, 2, 3, 4, 5, 6])("nothing is lost (seed %i)", (seed) => {
    const machine = bareKernel({ schedule: { seed, quantum: seed % 2 === 0 ? 150 : 2000 } });
    machine.add("/waiters", elf);
    machine.start("/waiters");
    machine.kernel.run(50_000_000);
    expect(machine.output().split("\n")).toEqual(theirs.split("\n"));
    counts.add(machine.kernel.cpu.instructions);
  });

  it("the interleavings differ", () => {
    expect(counts.size).toBeGreaterThan(3);
  });
});
