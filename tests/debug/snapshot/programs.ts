import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BufferHost } from "../../../debug/buffer-host.js";
import { Machine } from "../../../debug/machine.js";
import { SeededRandom } from "../../../debug/seeded-random.js";
import { machineDigest } from "../../../debug/snapshot/digest.js";
import { samples } from "../../../userland/index.js";
import { compiledWithGlibc } from "../../programs/obtain.js";

const RECORDED = join(import.meta.dirname, "..", "..", "recorded");
const SOURCES = join(import.meta.dirname, "..", "..", "programs");

/** Programs of the recorded answers: files, processes, tracers, signals, sockets, terminals, readiness. */
const RECORDED_PROGRAMS = [
  "files/files",
  "files/shared-files",
  "loops/loops",
  "mounts/mounts",
  "processes/parting",
  "processes/tracing",
  "readiness/pipes",
  "readiness/readiness",
  "readiness/waiters",
  "rings/rings",
  "signals/signals",
  "sockets/sockets-inet",
  "sockets/sockets-unix",
  "sockets/sockets-processes",
  "tty/jobs",
] as const;

/** C programs with threads, futexes, timers, secret memory and userfaultfd, swap areas, seccomp and netlink. */
const THREADED = [
  "local-tables",
  "compat-code",
  "pthreads",
  "futexes",
  "clocks",
  "secret-memory",
  "userfaults",
  "kernel-userfaults",
  "swapping",
  "userfault-events",
  "seccomp",
  "netlink",
] as const;

export interface TestProgram {
  readonly name: string;
  /** Undefined where it cannot be had. */
  elf(): Uint8Array | undefined;
}

export const recordedPrograms: readonly TestProgram[] = RECORDED_PROGRAMS.map((name) => ({
  name,
  elf: () => new Uint8Array(readFileSync(join(RECORDED, `${name}.elf`))),
}));

export const samplePrograms: readonly TestProgram[] = samples.map((sample) => ({
  name: sample.name,
  elf: () => sample.build(),
}));

export const threadedPrograms: readonly TestProgram[] = THREADED.map((name) => ({
  name,
  elf: () => {
    const file = compiledWithGlibc(join(SOURCES, `${name}.c`));
    return file === undefined ? undefined : new Uint8Array(readFileSync(file));
  },
}));

export interface Started {
  readonly machine: Machine;
  readonly host: BufferHost;
}

export function start(elf: Uint8Array, sealing?: string): Started {
  const host = new BufferHost("one\ntwo\n");
  const machine = Machine.create({
    host,
    memoryBytes: 64 * 2 ** 20,
    ...(sealing === undefined ? {} : { sealing }),
  });
  machine.load(elf, { argv: ["program"], env: ["PATH=/bin"] });
  return { machine, host };
}

/** Runs to an instruction or to where the machine stands still, carrying its clock over what it sleeps. */
export function runTo(machine: Machine, instructions: number): void {
  while (machine.instructions < instructions) {
    const result = machine.run(instructions - machine.instructions);
    if (result.reason === "budget" || result.reason === "stopped") continue;
    if (result.reason !== "blocked" || result.deadline === null) return;
    machine.advanceClock(result.deadline);
  }
}

/** What a run came to. */
export interface Outcome {
  readonly instructions: number;
  readonly digest: string;
  readonly output: string;
}

export function outcomeOf({ machine, host }: Started): Outcome {
  return {
    instructions: machine.instructions,
    digest: machineDigest(machine),
    output: host.text(1) + host.text(2),
  };
}

/** So many different moments of a run, in no order. */
export function moments(seed: number, count: number, instructions: number): number[] {
  const random = new SeededRandom(seed);
  return Array.from({ length: count }, () => random.next() % Math.max(1, instructions));
}
