/** What a call of 32-bit programs has to have changed before and after the 64-bit call that does its work. */

import type { Argument } from "../argument.js";
import type { SyscallCall } from "../call.js";
import type { Handler, HandlerResult } from "../table.js";
import { Ia32Call } from "./call.js";
import { SCRATCH, ScratchMemory } from "./scratch-memory.js";

export interface Converter {
  readonly number: number;
  readonly name: string;
  /** The 64-bit call; null: none. */
  readonly native: string | null;
  readonly args: readonly Argument[];
  readonly convert: (call: SyscallCall, native: Handler) => HandlerResult;
}

export function converter(
  number: number,
  name: string,
  native: string | null,
  args: readonly Argument[],
  convert: (call: Ia32Call, native: Handler) => HandlerResult,
): Converter {
  return {
    number,
    name,
    native,
    args,
    convert: (call, handler) => convert(call as Ia32Call, handler),
  };
}

/** Executes a handler that finds, and leaves, structures in the scratch bytes at SCRATCH. */
export function withScratch(call: Ia32Call, scratch: Uint8Array, act: () => HandlerResult): HandlerResult {
  const { task } = call;
  const own = task.user;
  const memory = new ScratchMemory(task.mm, scratch);
  task.user = memory;
  try {
    return act();
  } finally {
    // execve gives a memory of its own.
    if (task.user === memory) task.user = own;
  }
}

/** A pair of words, the lower one first, as one of 64 bits. */
export const pair = (call: Ia32Call, low: number): bigint =>
  call.values[low]! | (call.values[low + 1]! << 32n);

/** A word as a signed one. */
export const signed = (call: Ia32Call, i: number): bigint => BigInt.asIntN(32, call.values[i]!);

/** SCRATCH, or 0 for a null pointer. */
export const scratchFor = (call: Ia32Call, i: number, offset = 0): number =>
  call.values[i] === 0n ? 0 : SCRATCH + offset;

export const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
