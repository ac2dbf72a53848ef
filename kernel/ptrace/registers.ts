/**
 * A task's registers as user_regs_struct and the XSAVE area (arch/x86/include/asm/user_64.h,
 * arch/x86/kernel/ptrace.c getreg, putreg).
 */

import { CS, DS, ES, FS, GS, SS } from "../../cpu/segments.js";
import { EIO } from "../errno.js";
import type { Kernel } from "../kernel.js";
import { TASK_SIZE } from "../mm/layout.js";
import { FLAG_RF, FLAG_TF } from "../signals/frame.js";
import type { Task } from "../task.js";

/** Bytes of user_regs_struct: 27 words. */
export const USER_REGS_BYTES = 216;
/** Words of it as encoding numbers of general registers; the others by name. */
const ORDER = [
  15,
  14,
  13,
  12,
  5,
  3,
  11,
  10,
  9,
  8,
  0,
  1,
  2,
  6,
  7,
  "orig_rax",
  "rip",
  "cs",
  "eflags",
  4,
  "ss",
  "fs_base",
  "gs_base",
  "ds",
  "es",
  "fs",
  "gs",
] as const;
const TASK_LIMIT = BigInt(TASK_SIZE);
/** Flags that a tracer may write (FLAG_MASK): CF PF AF ZF SF TF DF OF RF AC NT. */
const WRITABLE_FLAGS = 0x1 | 0x4 | 0x10 | 0x40 | 0x80 | FLAG_TF | 0x400 | 0x800 | 0x4000 | FLAG_RF | 0x4_0000;

const SEGMENTS = { cs: CS, ss: SS, ds: DS, es: ES, fs: FS, gs: GS };

type Word = (typeof ORDER)[number];

/** Runs something while the task's registers are in the CPU. */
export function withRegisters<T>(kernel: Kernel, task: Task, act: () => T): T {
  const { cpu } = kernel;
  if (task.context === null) return act();
  const own = cpu.saveContext();
  cpu.loadContext(task.context);
  const result = act();
  task.context = cpu.saveContext();
  cpu.loadContext(own);
  return result;
}

function read(kernel: Kernel, task: Task, word: Word): bigint {
  const { registers } = kernel.cpu;
  if (typeof word === "number") return BigInt.asUintN(64, registers.get(word));
  switch (word) {
    case "orig_rax":
      return BigInt.asUintN(64, originalRax(task));
    case "rip":
      return BigInt.asUintN(64, registers.ripBig);
    case "eflags":
      return BigInt(registers.rflags >>> 0);
    case "fs_base":
      return BigInt(registers.fsBase);
    case "gs_base":
      return BigInt(registers.gsBase);
    default:
      return BigInt(registers.selector(SEGMENTS[word]));
  }
}

/** orig_rax: the call's number during one, -1 otherwise. */
function originalRax(task: Task): bigint {
  return task.noSyscall ? -1n : rawOriginalRax(task);
}

/** RAX at the task's last SYSCALL, unsigned. */
export function rawOriginalRax(task: Task): bigint {
  return (BigInt(task.originalRaxHigh >>> 0) << 32n) | BigInt(task.originalRaxLow >>> 0);
}

/** 0, or -EIO for a value that no user program may have. */
function write(kernel: Kernel, task: Task, word: Word, value: bigint): number {
  const { registers } = kernel.cpu;
  if (typeof word === "number") {
    registers.set(word, value);
    return 0;
  }
  switch (word) {
    case "orig_rax":
      task.originalRaxLow = Number(value & 0xffff_ffffn) | 0;
      task.originalRaxHigh = Number(value >> 32n) | 0;
      // Only the low half is the call's number (syscall_get_nr).
      task.noSyscall = task.originalRaxLow === -1;
      if (task.noSyscall) task.interruptedBy = 0;
      return 0;
    case "rip":
      registers.ripBig = value;
      return 0;
    case "eflags":
      registers.rflags =
        (registers.rflags & ~WRITABLE_FLAGS) | (Number(value & 0xffff_ffffn) & WRITABLE_FLAGS);
      return 0;
    case "fs_base":
    case "gs_base":
      if (value >= TASK_LIMIT) return -EIO;
      registers[word === "fs_base" ? "fsBase" : "gsBase"] = Number(value);
      return 0;
    default:
      return writeSelector(kernel, task, word, Number(value & 0xffffn));
  }
}

/** A selector is loaded when the task goes on; here it only has to be of privilege level 3 (set_segment_reg). */
function writeSelector(kernel: Kernel, task: Task, word: keyof typeof SEGMENTS, selector: number): number {
  const { registers } = kernel.cpu;
  const mayBeNull = word !== "cs" && word !== "ss";
  if (selector === 0 ? !mayBeNull : (selector & 3) !== 3) return -EIO;
  if (registers.selector(SEGMENTS[word]) === selector) return 0;
  registers.setSelectorOnly(SEGMENTS[word], selector);
  task.selectorsChanged = true;
  return 0;
}

/** All of user_regs_struct. */
export function readUserRegs(kernel: Kernel, task: Task): Uint8Array {
  return withRegisters(kernel, task, () => {
    const bytes = new Uint8Array(USER_REGS_BYTES);
    const view = new DataView(bytes.buffer);
    ORDER.forEach((word, i) => view.setBigUint64(8 * i, read(kernel, task, word), true));
    return bytes;
  });
}

/** Writes the first words of user_regs_struct; 0, or -EIO at the first bad one, with those before it written. */
export function writeUserRegs(kernel: Kernel, task: Task, bytes: Uint8Array): number {
  return withRegisters(kernel, task, () => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let i = 0; 8 * i + 8 <= bytes.length; i++) {
      const result = write(kernel, task, ORDER[i]!, view.getBigUint64(8 * i, true));
      if (result < 0) return result;
    }
    return 0;
  });
}

/** Writes the word at an offset of user_regs_struct; 0 or -EIO. */
export function writeUserWord(kernel: Kernel, task: Task, offset: number, value: bigint): number {
  return withRegisters(kernel, task, () => write(kernel, task, ORDER[offset / 8]!, value));
}

/** The XSAVE area, in standard form. */
export function readXstate(kernel: Kernel, task: Task): Uint8Array {
  return withRegisters(kernel, task, () => kernel.cpu.xsaveArea().slice(0, kernel.xsaveBytes));
}

/** Where the XSAVE area's legacy region tells the enabled components (XSAVE_SW_BYTES), and their bits. */
export const XSAVE_FEATURES = 464;
const FEATURES_LEGACY = 3;
const FEATURE_PKRU = 0x200;

/** The same as NT_X86_XSTATE has it, which says what is in it. */
export function readXstateSet(kernel: Kernel, task: Task): Uint8Array {
  const area = readXstate(kernel, task);
  const features = FEATURES_LEGACY | (kernel.pku ? FEATURE_PKRU : 0);
  new DataView(area.buffer).setUint32(XSAVE_FEATURES, features, true);
  return area;
}

export function writeXstate(kernel: Kernel, task: Task, bytes: Uint8Array): void {
  withRegisters(kernel, task, () => kernel.cpu.loadXsaveArea(bytes));
}
