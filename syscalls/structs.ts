/** The structures that several calls share, in user memory; sizes and offsets are x86-64's. */

import { EFAULT, EINVAL } from "../kernel/errno.js";
import type { UserMemory } from "../kernel/mm/user-memory.js";
import type { Word } from "../kernel/mm/word.js";

export const NANOSECONDS = 1_000_000_000;
const TIMESPEC_BYTES = 16;

/** A view over `length` bytes of user memory, or -EFAULT. */
export function readView(user: UserMemory, address: Word, length: number): DataView | number {
  const bytes = user.read(address, length);
  return typeof bytes === "number" ? -EFAULT : new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Copies out; 0 or -EFAULT. */
export function writeBytes(user: UserMemory, address: Word, bytes: Uint8Array): number {
  return user.copyOut(address, bytes) === bytes.length ? 0 : -EFAULT;
}

/** A struct timespec as nanoseconds, which may be rounded beyond 2^53; -EFAULT, or -EINVAL as timespec64_valid. */
export function readTimespec(user: UserMemory, address: Word): { nanoseconds: number } | number {
  const view = readView(user, address, TIMESPEC_BYTES);
  if (typeof view === "number") return view;
  const seconds = view.getBigInt64(0, true);
  const nanoseconds = view.getBigInt64(8, true);
  if (seconds < 0n || nanoseconds < 0n || nanoseconds >= BigInt(NANOSECONDS)) return -EINVAL;
  return { nanoseconds: Number(seconds * BigInt(NANOSECONDS) + nanoseconds) };
}

/** The same, exact. */
export function readTimespecExact(user: UserMemory, address: Word): bigint | number {
  const view = readView(user, address, TIMESPEC_BYTES);
  if (typeof view === "number") return view;
  const seconds = view.getBigInt64(0, true);
  const nanoseconds = view.getBigInt64(8, true);
  if (seconds < 0n || nanoseconds < 0n || nanoseconds >= BigInt(NANOSECONDS)) return -EINVAL;
  return seconds * BigInt(NANOSECONDS) + nanoseconds;
}

/** Nanoseconds as a struct timespec. */
export function timespecBytes(nanoseconds: bigint | number): Uint8Array {
  return pair(BigInt(nanoseconds), BigInt(NANOSECONDS), 1n);
}

/** Nanoseconds as a struct timeval. */
export function timevalBytes(nanoseconds: bigint | number): Uint8Array {
  return pair(BigInt(nanoseconds), BigInt(NANOSECONDS), 1000n);
}

function pair(total: bigint, perSecond: bigint, unit: bigint): Uint8Array {
  const bytes = new Uint8Array(TIMESPEC_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigInt64(0, total / perSecond, true);
  view.setBigInt64(8, (total % perSecond) / unit, true);
  return bytes;
}
