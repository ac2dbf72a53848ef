/** FXSAVE, FXRSTOR, XSAVE and XRSTOR. The components are those of XCR0: x87, SSE and, with keys, PKRU. */

import { Mnemonic } from "iced-x86";
import { DONE, FAULTED, defineCallout, type CalloutContext, type CalloutStatus } from "../callouts.js";
import { lower } from "../decode/context.js";
import { XCR0_LEGACY, XCR0_PKRU, XSAVE_PKRU_OFFSET } from "../models.js";
import { MXCSR, X87, X87_CONTROL, XMM } from "../state.js";
import { readLegacyX87, readLegacyXmm, writeLegacy } from "../xstate.js";
import { BUFFER } from "./callout.js";
import { initialize, setControl } from "./control.js";
import { updateSummary } from "./unit.js";

const GENERAL_PROTECTION = 13;
const RAX = 0;
const X87_COMPONENT = 1;
const SSE_COMPONENT = 2;
/** The legacy region up to the end of the vector registers; its last 96 bytes are the program's. */
const LEGACY_USED = 416;
/** Outside of 64-bit mode there are eight vector registers: what is behind them stays as it is. */
const COMPAT_USED = 288;
/** Between the tags and FOP. */
const RESERVED_BYTE = 5;
const XMM_OFFSET = 160;
const HEADER = 512;
const HEADER_END = 576;
const MXCSR_OFFSET = 24;
const MXCSR_RESERVED = 0xffff0000;
/** Of the component's 8 bytes, the processor touches 4. */
const PKRU_BYTES = 4;

function generalProtection(context: CalloutContext): CalloutStatus {
  context.raise(GENERAL_PROTECTION, 0);
  return FAULTED;
}

function isMisaligned(context: CalloutContext, pointer: number, mask: number): boolean {
  return (context.memory.u32[pointer >>> 2]! & mask) !== 0;
}

function area(context: CalloutContext, bytes: number): Uint8Array {
  return context.memory.u8.subarray(BUFFER, BUFFER + bytes);
}

function legacyUsed(context: CalloutContext): number {
  return context.registers.segments.mode === 64 ? LEGACY_USED : COMPAT_USED;
}

/** Loads the vector registers that the mode has, and leaves the others. */
function loadXmm({ memory, registers }: CalloutContext, legacy: Uint8Array): void {
  if (registers.segments.mode === 64) readLegacyXmm(memory, legacy);
  else memory.u8.set(legacy.subarray(XMM_OFFSET, COMPAT_USED), XMM);
}

/** Without REX.W the pointers are 32 bits and selectors, which are 0. */
function narrowPointers(legacy: Uint8Array): void {
  legacy.fill(0, 12, 16);
  legacy.fill(0, 20, 24);
}

defineCallout("fxsave", (context, record) => {
  const pointer = context.e(record);
  if (isMisaligned(context, pointer, 15)) return generalProtection(context);
  const legacy = area(context, 512);
  writeLegacy(context.memory, legacy);
  legacy[RESERVED_BYTE] = 0;
  if (context.a(record) === 0) narrowPointers(legacy);
  return context.writeGuest(pointer, 0, legacyUsed(context), BUFFER) ? DONE : FAULTED;
});

defineCallout("fxrstor", (context, record) => {
  const pointer = context.e(record);
  const { memory } = context;
  if (isMisaligned(context, pointer, 15)) return generalProtection(context);
  if (!context.readGuest(pointer, 0, 512, BUFFER)) return FAULTED;
  const legacy = area(context, 512);
  if ((memory.u32[(BUFFER + MXCSR_OFFSET) >>> 2]! & MXCSR_RESERVED) !== 0) return generalProtection(context);
  if (context.a(record) === 0) narrowPointers(legacy);
  loadX87(context, legacy);
  loadXmm(context, legacy);
  memory.u32[MXCSR >>> 2] = memory.u32[(BUFFER + MXCSR_OFFSET) >>> 2]!;
  return DONE;
});

function loadX87(context: CalloutContext, legacy: Uint8Array): void {
  readLegacyX87(context.memory, legacy);
  setControl(context.memory, context.memory.u16[X87_CONTROL >>> 1]!);
  updateSummary(context.memory);
}

/** The components that EDX:EAX asks for and XCR0 has. */
function requested(context: CalloutContext): number {
  return context.registers.low(RAX) & (XCR0_LEGACY | (context.model.pku ? XCR0_PKRU : 0));
}

/**
 * XSAVE in the standard format. Every component counts as in use (no init optimization) but a PKRU of 0, which is
 * its initial value.
 */
defineCallout("xsave", (context, record) => {
  const pointer = context.e(record);
  const { memory } = context;
  if (isMisaligned(context, pointer, 63)) return generalProtection(context);
  const components = requested(context);
  const end = (components & XCR0_PKRU) !== 0 ? XSAVE_PKRU_OFFSET + PKRU_BYTES : HEADER_END;
  if (!context.probe(pointer, end, true)) return FAULTED;
  if (!context.readGuest(pointer, 0, HEADER_END, BUFFER)) return FAULTED;
  const legacy = area(context, 512);
  const old = legacy.slice();
  writeLegacy(memory, legacy);
  legacy[RESERVED_BYTE] = 0;
  if (context.a(record) === 0) narrowPointers(legacy);
  if ((components & X87_COMPONENT) === 0) {
    legacy.set(old.subarray(0, 24), 0);
    legacy.set(old.subarray(32, 160), 32);
  }
  if ((components & SSE_COMPONENT) === 0) {
    legacy.set(old.subarray(24, 32), 24);
    legacy.set(old.subarray(XMM_OFFSET, LEGACY_USED), XMM_OFFSET);
  }
  const used = legacyUsed(context);
  legacy.set(old.subarray(used), used);
  const inUse = XCR0_LEGACY | (context.registers.pkru !== 0 ? XCR0_PKRU : 0);
  const header = (BUFFER + HEADER) >>> 2;
  memory.u32[header] = (memory.u32[header]! & ~components) | (components & inUse);
  if (!context.writeGuest(pointer, 0, HEADER + 8, BUFFER)) return FAULTED;
  if ((components & XCR0_PKRU) !== 0) {
    memory.u32[BUFFER >>> 2] = context.registers.pkru;
    if (!context.writeGuest(pointer, XSAVE_PKRU_OFFSET, PKRU_BYTES, BUFFER)) return FAULTED;
  }
  return DONE;
});

/** XRSTOR: the standard format only, for XSAVEC is not announced; a compacted area is #GP (SDM vol. 1, 13.8). */
defineCallout("xrstor", (context, record) => {
  const pointer = context.e(record);
  const { memory, registers } = context;
  if (isMisaligned(context, pointer, 63)) return generalProtection(context);
  const components = requested(context);
  if (!context.readGuest(pointer, 0, HEADER_END, BUFFER)) return FAULTED;
  const header = (BUFFER + HEADER) >>> 2;
  const supported = XCR0_LEGACY | (context.model.pku ? XCR0_PKRU : 0);
  if ((memory.u32[header]! & ~supported) !== 0) return generalProtection(context);
  // XSTATE_BV's upper half, then bytes 8 to 23: XCOMP_BV and what must be 0 with it.
  for (let i = 1; i < 6; i++) if (memory.u32[header + i] !== 0) return generalProtection(context);
  const present = memory.u32[header]!;
  const mxcsr = memory.u32[(BUFFER + MXCSR_OFFSET) >>> 2]!;
  // MXCSR comes from memory whenever SSE is asked for, even if XSTATE_BV says that SSE is in its initial state.
  if ((components & SSE_COMPONENT) !== 0 && (mxcsr & MXCSR_RESERVED) !== 0) return generalProtection(context);
  let pkru = 0;
  if ((components & present & XCR0_PKRU) !== 0) {
    const at = BUFFER + HEADER_END;
    if (!context.readGuest(pointer, XSAVE_PKRU_OFFSET, PKRU_BYTES, at)) return FAULTED;
    pkru = memory.u32[at >>> 2]!;
  }
  const legacy = area(context, 512);
  if (context.a(record) === 0) narrowPointers(legacy);
  if ((components & X87_COMPONENT) !== 0) {
    if ((present & X87_COMPONENT) !== 0) loadX87(context, legacy);
    else {
      initialize(memory);
      memory.u8.fill(0, X87, X87 + 128);
    }
  }
  if ((components & SSE_COMPONENT) !== 0) {
    memory.u32[MXCSR >>> 2] = mxcsr;
    loadXmm(context, (present & SSE_COMPONENT) !== 0 ? legacy : new Uint8Array(512));
  }
  if ((components & XCR0_PKRU) !== 0) {
    context.pkruWrittenAt(record);
    registers.pkru = pkru;
  }
  return DONE;
});

for (const [mnemonic, name, wide] of [
  [Mnemonic.Fxsave, "fxsave", 0],
  [Mnemonic.Fxsave64, "fxsave", 1],
  [Mnemonic.Fxrstor, "fxrstor", 0],
  [Mnemonic.Fxrstor64, "fxrstor", 1],
  [Mnemonic.Xsave, "xsave", 0],
  [Mnemonic.Xsave64, "xsave", 1],
  [Mnemonic.Xrstor, "xrstor", 0],
  [Mnemonic.Xrstor64, "xrstor", 1],
] as const)
  lower(mnemonic, (x) => x.callout(name, { a: wide, e: x.address() }));
