/**
 * A 64-bit argument as a register held it: an exact number below 2^53, otherwise a bigint.
 *
 * Multiples of the page size below 2^64 have at most 52 significant bits, and so has the sum of two of them:
 * once rounded to pages, every range of the full 64-bit space is exact in plain numbers. So the checks on wrap
 * and overflow need no bigint beyond this file.
 */
export type Word = number | bigint;

export const TWO_64 = 2 ** 64;
const EXACT = 2n ** 53n;

/** An unsigned 64-bit value as a Word. */
export function wordOf(value: bigint): Word {
  const unsigned = BigInt.asUintN(64, value);
  return unsigned < EXACT ? Number(unsigned) : unsigned;
}

/** Bits 11 to 0. */
export function offsetInPage(word: Word): number {
  return typeof word === "number" ? word % 4096 : Number(word & 0xfffn);
}

export function isPageAligned(word: Word): boolean {
  return offsetInPage(word) === 0;
}

/** Rounded down to a page, exact. */
export function pageDown(word: Word): number {
  return typeof word === "number" ? word - (word % 4096) : Number(word & ~0xfffn);
}

/** Rounded up to a page modulo 2^64, exact: the last 4095 values give 0. */
export function pageUp(word: Word): number {
  if (typeof word === "number") return Math.ceil(word / 4096) * 4096;
  const up = Number((word + 0xfffn) & ~0xfffn);
  return up >= TWO_64 ? 0 : up;
}

/** The sum of two page-aligned values modulo 2^64. */
export function addPages(a: number, b: number): number {
  const sum = a + b;
  return sum >= TWO_64 ? sum - TWO_64 : sum;
}

export function isZero(word: Word): boolean {
  return word === 0 || word === 0n;
}
