import { rflagsOf } from "../../cpu/registers.js";
import {
  CPU_STATE_BASE,
  FLAG_AUX,
  FLAG_OTHER,
  FLAG_RESULT,
  FS_BASE,
  GPR,
  MXCSR,
  PKRU,
  RIP,
  SELECTOR,
  STATE_END,
  TEMP,
  TLB_BANK,
  X87,
  X87_END,
  XMM,
  XTEMP,
} from "../../cpu/state.js";
import type { Hasher } from "./hasher.js";

/** Of a saved context, the ranges that an instruction can see; between them lies scratch space. */
const SEEN: readonly (readonly [from: number, to: number])[] = [
  [GPR, TEMP],
  [RIP, FLAG_RESULT],
  [FS_BASE, TLB_BANK],
  [PKRU, MXCSR + 4],
  [XMM, XTEMP],
  [X87, X87_END],
];

/** The selectors of a 64-bit program that never loaded one: nothing of them is hashed. */
const OWN_SELECTORS = [0, 0x33, 0x2b, 0, 0, 0];

function hasOwnSelectors(view: DataView): boolean {
  return OWN_SELECTORS.every((own, i) => view.getUint16(SELECTOR - CPU_STATE_BASE + 2 * i, true) === own);
}

/** What a program can see of its registers. @param context as `Cpu.saveContext` gives it */
export function hashContext(hasher: Hasher, context: Uint8Array): void {
  const view = new DataView(context.buffer, context.byteOffset, context.byteLength);
  const word = (address: number): number => view.getUint32(address - CPU_STATE_BASE, true);
  for (const [from, to] of SEEN) hasher.bytes(context.slice(from - CPU_STATE_BASE, to - CPU_STATE_BASE));
  if (context.length >= STATE_END - CPU_STATE_BASE && !hasOwnSelectors(view))
    hasher.bytes(context.slice(SELECTOR - CPU_STATE_BASE, STATE_END - CPU_STATE_BASE));
  hasher.word(rflagsOf(word(FLAG_RESULT), word(FLAG_RESULT + 4), word(FLAG_AUX), word(FLAG_OTHER)));
}
