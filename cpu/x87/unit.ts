/** The x87's registers in the machine's memory: stack, tags, status, and what every instruction begins and ends with. */

import { IE, PRE_COMPUTATION, SF, createFloatEnv, isSuppressed, setControlWord } from "../float/env.js";
import { pack80, unpack80 } from "../float/formats.js";
import { createUnpacked, setIndefinite, type Unpacked } from "../float/unpacked.js";
import { X87, X87_CONTROL, X87_STATUS, X87_TAGS, X87_TOP } from "../state.js";

/** Views over the machine's memory; `PhysicalMemory` is one. */
export interface X87Memory {
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly i32: Int32Array;
}

export const STATUS_C0 = 0x100;
export const STATUS_C1 = 0x200;
export const STATUS_C2 = 0x400;
export const STATUS_C3 = 0x4000;
export const STATUS_CONDITIONS = STATUS_C0 | STATUS_C1 | STATUS_C2 | STATUS_C3;
/** Error summary: an unmasked exception is pending. B (bit 15) always equals it. */
export const STATUS_ES = 0x80;
const STATUS_ES_B = 0x8080;
const EXCEPTIONS = 0x3f;

/** The operation under way. */
export const env = createFloatEnv(true);
const indefinite = createUnpacked();
setIndefinite(indefinite);

/** Whether an unmasked exception waits for the next waiting x87 or MMX instruction, which then raises #MF. */
export function isPending(m: X87Memory): boolean {
  return (m.u8[X87_STATUS]! & STATUS_ES) !== 0;
}

/** Begins an instruction under the current control word. */
export function begin(m: X87Memory): void {
  setControlWord(env, m.u16[X87_CONTROL >> 1]!);
}

/**
 * Ends an instruction: its exceptions become sticky, C1 says whether the result was rounded up (or, with SF, which
 * way the stack failed), and an unmasked exception becomes pending.
 * @returns whether an unmasked exception was raised.
 */
export function end(m: X87Memory): boolean {
  if (isSuppressed(env)) {
    env.flags &= PRE_COMPUTATION | SF;
    if ((env.flags & SF) === 0) env.roundedUp = false;
  }
  const status = (m.u16[X87_STATUS >> 1]! & ~STATUS_C1) | env.flags | (env.roundedUp ? STATUS_C1 : 0);
  m.u16[X87_STATUS >> 1] = status;
  if ((env.flags & ~env.masks & EXCEPTIONS) === 0) return false;
  m.u16[X87_STATUS >> 1] = status | STATUS_ES_B;
  return true;
}

/** Recomputes ES and B after the control or the status word was loaded. */
export function updateSummary(m: X87Memory): void {
  const status = m.u16[X87_STATUS >> 1]! & ~STATUS_ES_B;
  const unmasked = status & ~m.u16[X87_CONTROL >> 1]! & EXCEPTIONS;
  m.u16[X87_STATUS >> 1] = unmasked !== 0 ? status | STATUS_ES_B : status;
}

/** Sets C3, C2 and C0 to `conditions`; C1 is `end`'s. */
export function setConditions(m: X87Memory, conditions: number): void {
  m.u16[X87_STATUS >> 1] = (m.u16[X87_STATUS >> 1]! & ~(STATUS_C0 | STATUS_C2 | STATUS_C3)) | conditions;
}

/** Physical register number of ST(i). */
export function physical(m: X87Memory, i: number): number {
  return (m.u8[X87_TOP]! + i) & 7;
}

export function isEmpty(m: X87Memory, i: number): boolean {
  return (m.u8[X87_TAGS]! & (1 << physical(m, i))) === 0;
}

export function loadRegister(u: Unpacked, m: X87Memory, i: number): void {
  const at = (X87 + 16 * physical(m, i)) >> 2;
  unpack80(u, m.i32[at]!, m.i32[at + 1]!, m.i32[at + 2]!);
}

/** Writes ST(i) and marks it full. */
export function storeRegister(m: X87Memory, i: number, u: Unpacked): void {
  const register = physical(m, i);
  pack80(u, m.i32, (X87 + 16 * register) >> 2);
  m.u8[X87_TAGS] = m.u8[X87_TAGS]! | (1 << register);
}

export function pop(m: X87Memory): void {
  const top = m.u8[X87_TOP]!;
  m.u8[X87_TAGS] = m.u8[X87_TAGS]! & ~(1 << top);
  m.u8[X87_TOP] = (top + 1) & 7;
}

/** Moves TOP down for a new ST(0), whose tag and contents the caller then sets. */
export function push(m: X87Memory): void {
  m.u8[X87_TOP] = (m.u8[X87_TOP]! - 1) & 7;
}

/** Raises stack underflow. @returns whether it is masked, so that the indefinite is to be delivered */
export function stackUnderflow(): boolean {
  env.flags |= IE | SF;
  env.roundedUp = false;
  return (env.masks & IE) !== 0;
}

/**
 * Makes room for a push.
 * @returns false on stack overflow: IE, SF, C1 = 1, and when masked the indefinite has been pushed.
 */
export function canPush(m: X87Memory): boolean {
  if (isEmpty(m, 7)) return true;
  env.flags |= IE | SF;
  if ((env.masks & IE) !== 0) pushValue(m, indefinite);
  env.roundedUp = true;
  return false;
}

export function pushValue(m: X87Memory, u: Unpacked): void {
  push(m);
  storeRegister(m, 0, u);
}

/** Delivers `u` to ST(i) and pops `pops` times, unless an unmasked pre-computation exception forbids both. */
export function deliver(m: X87Memory, i: number, u: Unpacked, pops: number): void {
  if (isSuppressed(env)) return;
  storeRegister(m, i, u);
  for (; pops > 0; pops--) pop(m);
}

/** The response to an empty source register: the indefinite to ST(i) and the pops, if masked. */
export function deliverUnderflow(m: X87Memory, i: number, pops: number): void {
  if (!stackUnderflow()) return;
  storeRegister(m, i, indefinite);
  for (; pops > 0; pops--) pop(m);
}

export function loadIndefinite(u: Unpacked): void {
  setIndefinite(u);
}
