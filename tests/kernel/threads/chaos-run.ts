import { BufferHost } from "../../../debug/buffer-host.js";
import { Machine } from "../../../debug/machine.js";
import { OpenFile } from "../../../kernel/fs/open-file.js";
import { checkMachine } from "../../../kernel/mm/check-machine.js";
import { RegularInode } from "../../../kernel/fs/inode.js";
import { startOf } from "../../../kernel/fs/namespace.js";
import { walk } from "../../../kernel/fs/walk.js";
import { SIGKILL } from "../../../kernel/signals/numbers.js";
import { kernelSignal, sendSignal } from "../../../kernel/signals/send.js";
import type { Task } from "../../../kernel/task.js";
import { waitReasons } from "../../../kernel/wait-reason.js";
import { chaos } from "./chaos.js";

const MEBIBYTE = 2 ** 20;
const QUANTA = [400, 50, 3000, 100] as const;
const MAX_TASKS = 40;
/** Instructions that the killed may need to end. */
const LAST_WORDS = 10_000_000;

const elf = chaos();
const openFiles = new Set<OpenFile>();

/** Keeps account of who is open, from outside: the counting itself is what is put to the test. */
function watchOpenFiles(): void {
  const { hold, release } = OpenFile.prototype;
  OpenFile.prototype.hold = function (this: OpenFile): OpenFile {
    openFiles.add(this);
    return hold.call(this);
  } as typeof hold;
  OpenFile.prototype.release = function (this: OpenFile): void {
    release.call(this);
    if ((this as unknown as { readonly references: number }).references <= 0) openFiles.delete(this);
  };
}
watchOpenFiles();

export interface ChaosRun {
  /** What went wrong; empty when all is well. */
  readonly problems: readonly string[];
  readonly instructions: number;
  readonly syscalls: number;
  /** Tasks made. */
  readonly tasks: number;
}

/**
 * Runs the chaos of a seed for so many instructions, looks at the machine after each slice, then kills everybody, and
 * looks at what is left.
 */
export function runChaos(seed: number, instructions: number, slice: number): ChaosRun {
  openFiles.clear();
  const problems: string[] = [];
  const machine = Machine.create({
    host: new BufferHost(),
    seed,
    quantum: QUANTA[seed % QUANTA.length]!,
    // In a third of the runs memory is short: the OOM killer has its part.
    memoryBytes: (seed % 3 === 0 ? 2 : 32) * MEBIBYTE,
    maxTasks: MAX_TASKS,
  });
  const { kernel } = machine;
  machine.load(elf, { argv: ["/program", String(seed), "9"] });
  const before = { holders: new Set(kernel.frames.holders), files: new Set(openFiles) };
  while (machine.instructions < instructions && problems.length === 0) {
    const result = machine.run(Math.min(slice, instructions - machine.instructions));
    problems.push(...checkMachine(kernel, [kernel.init.leader.mm]));
    if (result.reason === "exited") break;
    if (result.reason !== "budget")
      problems.push(
        `${result.reason}: ${waitReasons(kernel)
          .map(({ tid, text }) => `${tid} ${text}`)
          .join("; ")}`,
      );
  }
  const done = machine.instructions;
  killEverybody(machine, problems);
  problems.push(...whatIsLeft(machine, before));
  return {
    problems: problems.map((problem) => `seed ${seed}, instruction ${done}: ${problem}`),
    instructions: done,
    syscalls: kernel.syscalls,
    tasks: kernel.pids.last,
  };
}

function killEverybody(machine: Machine, problems: string[]): void {
  const { kernel } = machine;
  for (const process of [...kernel.processes.values()])
    sendSignal(process.tasks[0] ?? process.leader, kernelSignal(SIGKILL), true);
  const end = machine.run(LAST_WORDS);
  if (end.reason === "exited") return;
  const left = waitReasons(kernel).map(({ tid, text }) => `${tid} ${text}`);
  problems.push(`killed, but ${end.reason}: ${left.join("; ")}`);
}

interface Before {
  readonly holders: ReadonlySet<unknown>;
  readonly files: ReadonlySet<OpenFile>;
}

/** A line for each thing that the processes have left behind. */
function whatIsLeft({ kernel }: Machine, before: Before): string[] {
  const { init } = kernel;
  const { mm } = init.leader;
  kernel.reap(init.leader);
  removeIpc(kernel);
  const counts: Readonly<Record<string, number>> = {
    tasks: kernel.tasks.size,
    processes: kernel.processes.size,
    timers: kernel.timerQueue.size,
    "waiters for the host": kernel.hostWaiters.size,
    futexes: kernel.futexes.size,
    "ready tasks": kernel.scheduler.waiting + (kernel.scheduler.running === null ? 0 : 1),
    "open sockets": kernel.network.files.size,
    "files in messages": kernel.network.inFlight,
    "socket names": kernel.network.abstractNames.size + kernel.network.pathNames.size,
    "waiters for the clock": kernel.clock.wasSet.size,
    "committed pages": mm.env.commit.pages,
  };
  const left = Object.entries(counts).filter(([, count]) => count !== 0);
  const lines = left.map(([what, count]) => `${count} ${what} left`);
  if (!mm.released) lines.push("the first process's memory is left");
  for (const file of openFiles)
    if (!before.files.has(file)) lines.push(`${file.constructor.name} ${file.mapName} is open`);
  // What stays: page caches that were there before, that of a file with a name, and what can be had again (the vDSO).
  const named = namedFile(init.leader);
  const kept = new Set<number>();
  for (const holder of kernel.frames.holders) holder.reclaim(kernel.frames.total);
  for (const holder of kernel.frames.holders) {
    if (!before.holders.has(holder) && holder !== named)
      lines.push(`${holder.constructor.name} keeps frames`);
    for (const frame of holder.heldFrames()) kept.add(frame);
  }
  if (kept.size !== kernel.frames.inUse)
    lines.push(`${kernel.frames.inUse} frames in use, but ${kept.size} in page caches`);
  return lines;
}

/** The page cache of the one file that the processes make and unlink, while it has its name. */
function namedFile(task: Task): unknown {
  const { fs, credentials } = task;
  const found = walk(startOf(fs, credentials, fs.root), "/tmp/chaos", true);
  const inode = typeof found === "number" ? null : found.location.dentry.inode;
  return inode instanceof RegularInode ? inode.pages : null;
}

/** System V objects outlive processes. */
function removeIpc({ ipc }: Machine["kernel"]): void {
  for (const segment of [...ipc.sharedMemory.ids]) ipc.sharedMemory.remove(segment);
  for (const set of [...ipc.semaphores.ids]) ipc.semaphores.remove(set);
  for (const queue of [...ipc.messageQueues.ids]) ipc.messageQueues.remove(queue);
}
