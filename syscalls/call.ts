/** One system call in progress, as its handler sees it. One object serves every call of a machine. */

import type { OpenFile } from "../kernel/fs/open-file.js";
import type { ProcessorRegisters } from "../kernel/processor.js";
import type { AddressSpace } from "../kernel/mm/address-space.js";
import type { Word } from "../kernel/mm/word.js";
import type { UserMemory } from "../kernel/mm/user-memory.js";
import type { Kernel } from "../kernel/kernel.js";
import type { Task } from "../kernel/task.js";
import type { WaitRecord } from "../kernel/wait.js";

/** RDI, RSI, RDX, R10, R8, R9 as encoding numbers. */
export const ARGUMENT_REGISTERS: readonly number[] = [7, 6, 2, 10, 8, 9];

export class SyscallCall {
  readonly kernel: Kernel;
  private readonly registers: ProcessorRegisters;
  /** The caller. */
  task!: Task;
  number = 0;
  /** The record of the wait that this execution ends or goes on with; null at the first execution. */
  resumed: WaitRecord | null = null;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
    this.registers = kernel.cpu.registers;
  }

  get mm(): AddressSpace {
    return this.task.mm;
  }

  /** User memory as the caller may touch it: through its page tables and PKRU. */
  get user(): UserMemory {
    return this.task.user;
  }

  /** Argument `i` on all 64 bits, unsigned. */
  u64(i: number): bigint {
    return BigInt.asUintN(64, this.registers.get(ARGUMENT_REGISTERS[i]!));
  }

  /** Argument `i` on all 64 bits, signed. */
  i64(i: number): bigint {
    return BigInt.asIntN(64, this.registers.get(ARGUMENT_REGISTERS[i]!));
  }

  /** Argument `i` as the mm takes 64-bit values: a number below 2^53, else a bigint. */
  word(i: number): Word {
    const high = this.registers.high(ARGUMENT_REGISTERS[i]!) >>> 0;
    return high >= 0x20_0000
      ? this.u64(i)
      : high * 0x1_0000_0000 + (this.registers.low(ARGUMENT_REGISTERS[i]!) >>> 0);
  }

  /** Arguments that have no meaning yet are all 0, on all 64 bits. */
  allZero(...positions: number[]): boolean {
    return positions.every((i) => this.n(i) === 0);
  }

  /** Argument `i` as an unsigned number: exact below 2^53, Infinity from there on. */
  n(i: number): number {
    const high = this.registers.high(ARGUMENT_REGISTERS[i]!) >>> 0;
    return high >= 0x20_0000
      ? Infinity
      : high * 0x1_0000_0000 + (this.registers.low(ARGUMENT_REGISTERS[i]!) >>> 0);
  }

  /** Argument `i` as a signed number: exact within 2^53 of zero, beyond it infinite of that sign. */
  s(i: number): number {
    const high = this.registers.high(ARGUMENT_REGISTERS[i]!) | 0;
    if (high >= 0x20_0000) return Infinity;
    if (high < -0x20_0000) return -Infinity;
    return high * 0x1_0000_0000 + (this.registers.low(ARGUMENT_REGISTERS[i]!) >>> 0);
  }

  /** The low 32 bits of argument `i`, signed. */
  i32(i: number): number {
    return this.registers.low(ARGUMENT_REGISTERS[i]!) | 0;
  }

  /** The low 32 bits of argument `i`, unsigned. */
  u32(i: number): number {
    return this.registers.low(ARGUMENT_REGISTERS[i]!) >>> 0;
  }

  /** The high 32 bits of argument `i`, unsigned. */
  high(i: number): number {
    return this.registers.high(ARGUMENT_REGISTERS[i]!) >>> 0;
  }

  /** What a descriptor names. */
  fileAt(fd: number): OpenFile | undefined {
    return this.task.files.get(fd);
  }

  /** A file descriptor: the kernel takes an unsigned int, so -1 and friends are just not open. */
  fd(i: number): number {
    return this.i32(i);
  }
}
