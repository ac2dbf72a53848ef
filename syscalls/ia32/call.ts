/** A call of 32-bit programs in progress: its arguments are the low halves of other registers. */

import { IA32_ARGUMENTS } from "../../kernel/call-arguments.js";
import type { Word } from "../../kernel/mm/word.js";
import { SyscallCall } from "../call.js";

const EXACT = 2n ** 53n;

export class Ia32Call extends SyscallCall {
  /** The six arguments as a handler of 64-bit programs is to see them, unsigned 64 bits. */
  readonly values: bigint[] = [0n, 0n, 0n, 0n, 0n, 0n];

  /** Takes the arguments from EBX, ECX, EDX, ESI, EDI and EBP, zero-extended. */
  begin(): void {
    const { registers } = this.kernel.cpu;
    for (let i = 0; i < 6; i++) this.values[i] = BigInt(registers.low(IA32_ARGUMENTS[i]!) >>> 0);
  }

  /** Gives the handler other arguments; those beyond are 0. */
  pass(...values: readonly (bigint | number)[]): void {
    for (let i = 0; i < 6; i++) this.values[i] = BigInt.asUintN(64, BigInt(values[i] ?? 0));
  }

  override u64(i: number): bigint {
    return this.values[i]!;
  }
  override i64(i: number): bigint {
    return BigInt.asIntN(64, this.values[i]!);
  }
  override word(i: number): Word {
    const value = this.values[i]!;
    return value < EXACT ? Number(value) : value;
  }
  override n(i: number): number {
    const value = this.values[i]!;
    return value < EXACT ? Number(value) : Infinity;
  }
  override s(i: number): number {
    const value = this.i64(i);
    return value >= EXACT ? Infinity : value < -EXACT ? -Infinity : Number(value);
  }
  override i32(i: number): number {
    return Number(BigInt.asIntN(32, this.values[i]!));
  }
  override u32(i: number): number {
    return Number(BigInt.asUintN(32, this.values[i]!));
  }
  override high(i: number): number {
    return Number(this.values[i]! >> 32n);
  }
}
