import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BufferHost } from "../../../debug/buffer-host.js";
import { Machine } from "../../../debug/machine.js";
import { isRegistered } from "../../../debug/snapshot/class-registry.js";
import { machineDigest } from "../../../debug/snapshot/digest.js";
import { SnapshotError } from "../../../debug/snapshot/file-error.js";
import { loadMachine, saveMachine, snapshotInfo } from "../../../debug/snapshot/machine-file.js";
import { sealingModel } from "../../../kernel/mm/sealing/models.js";
import {
  moments,
  outcomeOf,
  recordedPrograms,
  runTo,
  samplePrograms,
  start,
  threadedPrograms,
  type Started,
  type TestProgram,
} from "./programs.js";

const END = 200_000;

/** The machine of a file, on a host that goes on where the other one is. */
function loaded(file: Uint8Array, { host: before }: Started): Started {
  const host = new BufferHost();
  host.loadState({ ...before.saveState(), written: [0, 0] });
  return { machine: loadMachine(file, { host }), host };
}

function goesOnTheSame(program: TestProgram, seed: number, count: number, sealing?: string): void {
  const elf = program.elf()!;
  const plain = start(elf, sealing);
  runTo(plain.machine, END);
  const expected = outcomeOf(plain);
  for (const moment of moments(seed, count, expected.instructions)) {
    const first = start(elf, sealing);
    runTo(first.machine, moment);
    const file = saveMachine(first.machine);
    const digest = machineDigest(first.machine);
    const second = loaded(file, first);
    expect(machineDigest(second.machine)).toBe(digest);
    runTo(second.machine, END);
    const { output, ...rest } = outcomeOf(second);
    const text = first.host.text(1) + second.host.text(1) + first.host.text(2) + second.host.text(2);
    expect({ ...rest, output: text }).toEqual(expected);
    expect(expected.output).toContain(output);
  }
}

describe("a machine that was saved goes on as it did", () => {
  it.each(samplePrograms)("$name", (program) => goesOnTheSame(program, 1, 1));
  it.each(recordedPrograms)("$name", (program) => goesOnTheSame(program, 2, 1));
  for (const program of threadedPrograms) {
    it(program.name, (context) => {
      if (program.elf() === undefined) context.skip("no gcc");
      goesOnTheSame(program, 3, 1);
    });
  }
  it.each(["mimmutable", "v4:eperm", "hook"])("under the model %s", (model) => {
    goesOnTheSame(
      samplePrograms.find(({ name }) => name === "jit-heap")!,
      4,
      1,
      model,
    );
  });
});

describe("what a file says", () => {
  const saved = (): { file: Uint8Array; machine: Machine } => {
    const { machine } = start(samplePrograms.find(({ name }) => name === "hello")!.elf()!);
    machine.run(5);
    return { file: saveMachine(machine, { version: "1.2.3", notes: { why: "a test" } }), machine };
  };
  const reasonOf = (file: Uint8Array): string => {
    try {
      loadMachine(file, { host: new BufferHost() });
    } catch (error) {
      if (error instanceof SnapshotError) return error.message;
      throw error;
    }
    return "none";
  };
  const withLine = (file: Uint8Array, change: (line: string) => string): Uint8Array => {
    const end = file.indexOf(0x0a);
    const line = new TextEncoder().encode(change(new TextDecoder().decode(file.subarray(0, end))));
    return Uint8Array.of(...line, ...file.subarray(end));
  };

  it("is there without a machine", () => {
    const { file, machine } = saved();
    expect(snapshotInfo(file)).toMatchObject({
      version: "1.2.3",
      instructions: 5,
      notes: { why: "a test" },
      digest: machineDigest(machine),
      terminal: false,
    });
  });

  it("can be written of a machine that was loaded", () => {
    const first = start(recordedPrograms.find(({ name }) => name === "files/files")!.elf()!);
    runTo(first.machine, 50_000);
    const second = loaded(saveMachine(first.machine), first);
    const third = loaded(saveMachine(second.machine), second);
    for (const { machine } of [first, third]) runTo(machine, END);
    expect(machineDigest(third.machine)).toBe(machineDigest(first.machine));
  });

  it("is one clear line where it is no snapshot, cut, damaged or of another version", () => {
    const { file } = saved();
    expect(reasonOf(file)).toBe("none");
    expect(reasonOf(new Uint8Array())).toBe("not a snapshot of sealab");
    expect(reasonOf(new TextEncoder().encode("#!/bin/sh\n"))).toBe("not a snapshot of sealab");
    expect(reasonOf(file.subarray(0, 30))).toBe("not a snapshot of sealab");
    expect(reasonOf(file.subarray(0, file.length - 1))).toMatch(/^cut: it has \d+ of its \d+ bytes$/);
    expect(reasonOf(Uint8Array.of(...file, 0))).toBe("damaged: its digest is another one");
    expect(reasonOf(withLine(file, (line) => line.replace("snapshot 2", "snapshot 9")))).toBe(
      "of format 9, by sealab 1.2.3; this one reads format 2",
    );
    for (const at of moments(5, 40, file.length)) {
      const damaged = file.slice();
      damaged[at]! ^= 0x10;
      expect(reasonOf(damaged), `byte ${at}`).toMatch(/^(damaged|cut|not a snapshot|of format)/);
    }
  });

  it("names what a machine needs", () => {
    const model = sealingModel("linux");
    const own = Machine.create({ memoryBytes: 2 ** 24, sealing: { ...model, name: "mine" } });
    own.load(samplePrograms[0]!.elf()!);
    expect(reasonOf(saveMachine(own))).toBe("needs the model of sealing that it was made with");
    expect(() => saveMachine(own)).not.toThrow();
  });
});

/** Classes of the kernel whose objects are no part of a machine's state, and why. */
const NO_STATE = new Map([
  ["HostClosed", "an error"],
  ["HostRefused", "an error"],
  ["TarError", "an error"],
  ["UpperError", "an error"],
  ["SegmentTables", "a view of the running task and its memory"],
  ["KernelEvents", "who listens"],
  ["EntryWatch", "learnt for who listens"],
  ["TarFiles", "the host's side of a tree"],
  ["TarImage", "the host's side of a tree"],
  ["ArraySource", "the host's side of a tree"],
  ["SourceWindow", "the host's side of a tree"],
  ["UpperJournal", "a machine with an upper layer is not saved"],
  ["UpperTree", "a machine with an upper layer is not saved"],
]);

describe("the register of classes", () => {
  it("has every class of the kernel that can hold state", () => {
    const root = join(import.meta.dirname, "..", "..", "..", "kernel");
    const missing: string[] = [];
    for (const path of readdirSync(root, { recursive: true, encoding: "utf8" })) {
      if (!path.endsWith(".ts")) continue;
      for (const [, abstract, name] of readFileSync(join(root, path), "utf8").matchAll(
        /^export (abstract )?class (\w+)/gm,
      ))
        if (abstract === undefined && !NO_STATE.has(name!) && !isRegistered(name!))
          missing.push(`${path}: ${name!}`);
    }
    expect(missing, "add them to debug/snapshot/class-registry.ts, or say here why not").toEqual([]);
  });
});
