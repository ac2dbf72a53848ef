/** The notes of a core file: what each thread and the process were (fs/binfmt_elf.c fill_note_info; elf(5)). */

import type { Kernel } from "../kernel.js";
import type { AddressSpace } from "../mm/address-space.js";
import { UserMemory } from "../mm/user-memory.js";
import { readUserRegs, readXstateSet } from "../ptrace/registers.js";
import { encodeSiginfo, type SignalInfo } from "../signals/siginfo.js";
import type { Task } from "../task.js";

const NT_PRSTATUS = 1;
const NT_PRFPREG = 2;
const NT_PRPSINFO = 3;
const NT_AUXV = 6;
const NT_X86_XSTATE = 0x202;
const NT_SIGINFO = 0x5349_4749;
const NT_FILE = 0x4649_4c45;
/** Bytes of struct elf_prstatus and elf_prpsinfo, and of the part of the XSAVE area that FXSAVE writes. */
const PRSTATUS_BYTES = 336;
const PRPSINFO_BYTES = 136;
const FPREGS_BYTES = 512;
/** ELF_PRARGSZ */
const ARGUMENT_BYTES = 80;
/** PF_DUMPCORE and PF_SIGNALED */
const TASK_FLAGS = 0x600;

/** One note: a name with its NUL and a body, each padded to 4 bytes. */
function note(name: "CORE" | "LINUX", type: number, body: Uint8Array): Uint8Array {
  const padded = name.length + 1 + 3 - ((name.length + 4) % 4);
  const bytes = new Uint8Array(12 + padded + body.length + ((4 - (body.length % 4)) % 4));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, name.length + 1, true);
  view.setUint32(4, body.length, true);
  view.setUint32(8, type, true);
  for (let i = 0; i < name.length; i++) bytes[12 + i] = name.charCodeAt(i);
  bytes.set(body, 12 + padded);
  return bytes;
}

function status(kernel: Kernel, task: Task, signal: SignalInfo): Uint8Array {
  const bytes = new Uint8Array(PRSTATUS_BYTES);
  const view = new DataView(bytes.buffer);
  const { process } = task;
  view.setInt32(0, signal.signo, true);
  view.setInt16(12, signal.signo, true);
  bytes.set(task.signals.blocked.toBytes(), 24);
  view.setInt32(32, task.tid, true);
  view.setInt32(36, process.parentPid, true);
  view.setInt32(40, process.processGroup, true);
  view.setInt32(44, process.session, true);
  // Nanoseconds of user time: one an instruction. The process's for its leader, as Linux has it.
  const time = task === process.leader ? process.usage.instructions : task.instructions;
  view.setBigInt64(48, BigInt(Math.floor(time / 1e9)), true);
  view.setBigInt64(56, BigInt(Math.floor((time % 1e9) / 1e3)), true);
  bytes.set(readUserRegs(kernel, task), 112);
  view.setInt32(328, 1, true);
  return bytes;
}

function processInfo(task: Task): Uint8Array {
  const bytes = new Uint8Array(PRPSINFO_BYTES);
  const view = new DataView(bytes.buffer);
  const { process, credentials, mm } = task;
  bytes[1] = "R".charCodeAt(0);
  view.setInt8(3, task.nice);
  view.setBigUint64(8, BigInt(TASK_FLAGS), true);
  view.setUint32(16, credentials.uid, true);
  view.setUint32(20, credentials.gid, true);
  view.setInt32(24, task.pid, true);
  view.setInt32(28, process.parentPid, true);
  view.setInt32(32, process.processGroup, true);
  view.setInt32(36, process.session, true);
  for (let i = 0; i < task.comm.length; i++) bytes[40 + i] = task.comm.charCodeAt(i);
  const { argStart, argEnd } = mm.layout;
  const words = new Uint8Array(Math.max(0, Math.min(argEnd - argStart, ARGUMENT_BYTES - 1)));
  const read = new UserMemory(mm, { foreign: true, force: true }).copyIn(argStart, words);
  bytes.set(
    words.subarray(0, read).map((byte) => (byte === 0 ? 0x20 : byte)),
    56,
  );
  return bytes;
}

/** NT_FILE: which file lies where. */
function files(mm: AddressSpace): Uint8Array {
  const mapped = [...mm.areas()].flatMap(({ start, end, pageOffset, file }) =>
    file === null ? [] : [{ words: [start, end, pageOffset], name: file.mapName }],
  );
  const names = new TextEncoder().encode(mapped.map(({ name }) => `${name}\0`).join(""));
  const bytes = new Uint8Array(16 + 24 * mapped.length + names.length);
  const view = new DataView(bytes.buffer);
  [mapped.length, 4096, ...mapped.flatMap(({ words }) => words)].forEach((word, i) =>
    view.setBigUint64(8 * i, BigInt(word), true),
  );
  bytes.set(names, 16 + 24 * mapped.length);
  return bytes;
}

function floatingPoint(kernel: Kernel, task: Task): Uint8Array[] {
  const area = readXstateSet(kernel, task);
  return [note("CORE", NT_PRFPREG, area.slice(0, FPREGS_BYTES)), note("LINUX", NT_X86_XSTATE, area)];
}

/** All of them: the thread that the signal was for comes first. */
export function coreNotes(kernel: Kernel, task: Task, signal: SignalInfo): Uint8Array[] {
  const others = task.process.tasks.filter((other) => other !== task);
  return [
    note("CORE", NT_PRSTATUS, status(kernel, task, signal)),
    note("CORE", NT_PRPSINFO, processInfo(task)),
    note("CORE", NT_SIGINFO, encodeSiginfo(signal)),
    note("CORE", NT_AUXV, task.auxv),
    note("CORE", NT_FILE, files(task.mm)),
    ...floatingPoint(kernel, task),
    ...others.flatMap((other) => [
      note("CORE", NT_PRSTATUS, status(kernel, other, signal)),
      ...floatingPoint(kernel, other),
    ]),
  ];
}
