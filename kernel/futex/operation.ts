/** FUTEX_WAKE_OP's change of a word (FUTEX_OP in linux/futex.h; futex_atomic_op_inuser). */

import { EFAULT, ENOSYS } from "../errno.js";
import type { UserMemory } from "../mm/user-memory.js";

const CHANGES: readonly ((old: number, operand: number) => number)[] = [
  (_old, operand) => operand,
  (old, operand) => old + operand,
  (old, operand) => old | operand,
  (old, operand) => old & ~operand,
  (old, operand) => old ^ operand,
];

const COMPARISONS: readonly ((old: number, operand: number) => boolean)[] = [
  (old, operand) => old === operand,
  (old, operand) => old !== operand,
  (old, operand) => old < operand,
  (old, operand) => old <= operand,
  (old, operand) => old > operand,
  (old, operand) => old >= operand,
];

/**
 * Changes the word as the encoded operation says, and tells whether the comparison holds of its old, signed value.
 * @returns -ENOSYS for an unknown change, and, with the word changed, for an unknown comparison; -EFAULT
 */
export function changeWord(user: UserMemory, address: number, encoded: number): boolean | number {
  const change = CHANGES[(encoded >>> 28) & 7];
  const comparison = COMPARISONS[(encoded >>> 24) & 15];
  // Two numbers of 12 bits, sign-extended; bit 31: the first is a bit's number.
  const number = (encoded << 8) >> 20;
  const operand = encoded >>> 31 === 0 ? number : 1 << (number & 31);
  const compared = (encoded << 20) >> 20;
  if (change === undefined) return -ENOSYS;
  const word = user.withoutWaiting();
  const old = word.readI32(address);
  if (old === null || !word.writeU32(address, change(old, operand) >>> 0)) return -EFAULT;
  return comparison === undefined ? -ENOSYS : comparison(old, compared);
}
