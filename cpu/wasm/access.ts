import type { ValueType } from "../ir/ops.js";
import type { ByteWriter } from "./encoder.js";
import { emitLoad } from "./expression.js";

/** Locals that an access through the TLB works with. */
export interface AccessLocals {
  readonly address: number;
  readonly entry: number;
  readonly distance: number;
}
export const ACCESS_LOCALS: readonly ValueType[] = ["i64", "i32", "i64"];

/**
 * Looks the address that is on the stack up in the TLB bank that `bank` leaves there. Sets the three locals and
 * leaves "misses" on the stack: another page, no permission, or bytes beyond the page.
 */
export function emitProbe(
  w: ByteWriter,
  locals: AccessLocals,
  bank: () => void,
  width: number,
  write: boolean,
): void {
  w.tee(locals.address);
  w.get(locals.address);
  w.raw([0xa7, 0x41, 7, 0x76]); // wrap, const 7, shr_u
  w.i32(0x7fe0);
  w.byte(0x71);
  bank();
  w.byte(0x6a);
  w.tee(locals.entry);
  emitLoad(w, "i64", 8, false, write ? 8 : 0);
  w.byte(0x7d); // i64.sub
  w.tee(locals.distance);
  w.i64(BigInt(4096 - width));
  w.byte(0x56); // i64.gt_u
}

/** After a probe that did not miss: leaves where the bytes lie on the stack. */
export function emitHost(w: ByteWriter, locals: AccessLocals): void {
  w.get(locals.distance);
  w.byte(0xa7);
  w.get(locals.entry);
  emitLoad(w, "i32", 4, false, 16);
  w.byte(0x6a);
}
