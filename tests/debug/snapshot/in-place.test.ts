import { describe, expect, it } from "vitest";
import { Machine } from "../../../debug/machine.js";
import { restoreSnapshot, takeSnapshot, type Snapshot } from "../../../debug/snapshot/snapshot.js";
import { machineDigest } from "../../../debug/snapshot/digest.js";
import {
  moments,
  outcomeOf,
  recordedPrograms,
  runTo,
  samplePrograms,
  start,
  threadedPrograms,
  type TestProgram,
} from "./programs.js";

const END = 150_000;
const MOMENTS = 3;

/** Snapshots along a run, restored in another order: each time the run goes on as the first time. */
function goesOnTheSame(program: TestProgram, seed: number): void {
  const elf = program.elf()!;
  const plain = start(elf);
  runTo(plain.machine, END);
  const expected = outcomeOf(plain);

  const again = start(elf);
  const { machine } = again;
  const taken: { snapshot: Snapshot; digest: string }[] = [];
  for (const moment of moments(seed, MOMENTS, expected.instructions).sort((a, b) => a - b)) {
    runTo(machine, moment);
    taken.push({ snapshot: takeSnapshot(machine), digest: machineDigest(machine) });
  }
  runTo(machine, END);
  expect(outcomeOf(again)).toEqual(expected);

  const order = moments(seed + 1, MOMENTS, MOMENTS);
  for (const index of order) {
    const { snapshot, digest } = taken[index]!;
    restoreSnapshot(machine, snapshot);
    expect(machine.instructions).toBe(snapshot.instructions);
    expect(machineDigest(machine)).toBe(digest);
    runTo(machine, END);
    expect(outcomeOf(again)).toEqual(expected);
  }
}

describe("a machine that was put back goes on as it did", () => {
  it.each(samplePrograms)("$name", (program) => goesOnTheSame(program, 1));
  it.each(recordedPrograms)("$name", (program) => goesOnTheSame(program, 2));
  for (const program of threadedPrograms) {
    it(program.name, (context) => {
      if (program.elf() === undefined) context.skip("no gcc");
      goesOnTheSame(program, 3);
    });
  }
});

describe("a snapshot", () => {
  const elf = (): Uint8Array => recordedPrograms.find(({ name }) => name === "files/files")!.elf()!;

  it("has the bytes of every frame that is in use", () => {
    const { machine } = start(elf());
    const { frames, memory } = machine.kernel;
    for (let at = 5_000; at < 150_000; at += 10_000) {
      runTo(machine, at);
      const { pages } = takeSnapshot(machine).parts.frames;
      for (let frame = 2; frame < frames.touched; frame++) {
        if (frames.references(frame) === 0) continue;
        expect(pages[frame], `frame ${frame} at ${at}`).toEqual(memory.frameBytes(frame).slice());
      }
    }
  });

  it("shares what did not change with the one before", () => {
    const { machine } = start(elf());
    runTo(machine, 100_000);
    const first = takeSnapshot(machine);
    expect(first.bytes).toBeGreaterThan(100_000);
    expect(takeSnapshot(machine).bytes).toBe(0);
    machine.run(100);
    expect(takeSnapshot(machine).bytes).toBeLessThan(first.bytes / 4);
  });

  it("leaves who has a task or a file with the same one", () => {
    const { machine } = start(elf());
    runTo(machine, 20_000);
    const { task } = machine;
    const before = task.comm;
    const snapshot = machine.snapshot();
    task.comm = "another";
    runTo(machine, 40_000);
    machine.restore(snapshot);
    expect(machine.task).toBe(task);
    expect(task.comm).toBe(before);
  });

  it("can be taken back after the end", () => {
    const started = start(elf());
    const { machine } = started;
    runTo(machine, 30_000);
    const snapshot = machine.snapshot();
    const digest = machineDigest(machine);
    runTo(machine, Infinity);
    expect(machine.exit).not.toBeNull();
    const end = outcomeOf(started);
    machine.restore(snapshot);
    expect(machine.exit).toBeNull();
    expect(machineDigest(machine)).toBe(digest);
    runTo(machine, Infinity);
    expect(outcomeOf(started)).toEqual(end);
  });

  it("is of one machine, and between runs", () => {
    const { machine } = start(elf());
    const other = Machine.create({ memoryBytes: 2 ** 20 });
    expect(() => restoreSnapshot(other, takeSnapshot(machine))).toThrow("of another machine");
    const off = machine.on("syscallEnter", () => takeSnapshot(machine));
    expect(() => machine.run()).toThrow("between runs");
    off();
  });
});

describe("machineDigest", () => {
  const elf = (): Uint8Array => recordedPrograms.find(({ name }) => name === "signals/signals")!.elf()!;

  it("does not see how a run is cut, watched or kept", () => {
    const [plain, cut, watched, kept] = [start(elf()), start(elf()), start(elf()), start(elf())];
    runTo(plain.machine, 40_000);
    for (let at = 0; at < 40_000; at += 500) runTo(cut.machine, at + 500);
    watched.machine.trace(() => {});
    runTo(watched.machine, 40_000);
    for (let at = 0; at < 40_000; at += 4_000) {
      runTo(kept.machine, at + 4_000);
      kept.machine.snapshot();
    }
    const digest = machineDigest(plain.machine);
    for (const { machine } of [cut, watched, kept]) expect(machineDigest(machine)).toBe(digest);
  });

  it("sees a byte, a register and a field", () => {
    const { machine } = start(elf());
    runTo(machine, 10_000);
    const digests = new Set([machineDigest(machine)]);
    machine.kernel.memory.frameBytes(machine.task.mm.tables.root)[2049]! ^= 1;
    digests.add(machineDigest(machine));
    machine.registers.set("rbx", machine.registers.get("rbx") ^ 1n);
    digests.add(machineDigest(machine));
    machine.task.process.oomScoreAdj = 7;
    digests.add(machineDigest(machine));
    expect(digests.size).toBe(4);
  });
});
