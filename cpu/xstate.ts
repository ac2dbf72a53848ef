import type { PhysicalMemory } from "../mmu/physical-memory.js";
import {
  XCR0_LEGACY,
  XCR0_PKRU,
  XSAVE_BYTES_LEGACY,
  XSAVE_BYTES_WITH_PKRU,
  XSAVE_PKRU_OFFSET,
  type CpuModel,
} from "./models.js";
import type { Registers } from "./registers.js";
import {
  MXCSR,
  X87,
  X87_CONTROL,
  X87_DP,
  X87_END,
  X87_IP,
  X87_OPCODE,
  X87_STATUS,
  X87_TAGS,
  X87_TOP,
  XMM,
} from "./state.js";

/** The XSAVE area in its standard format (SDM vol. 1, 13.4): legacy region, header, PKRU. */
export const XSTATE_BV_OFFSET = 512;
const MXCSR_MASK = 0xffff;

/** x87 and SSE registers as after FNINIT; MXCSR is the caller's. */
export function resetXstate(memory: PhysicalMemory): void {
  memory.u8.fill(0, XMM, X87_END);
  memory.u16[X87_CONTROL >>> 1] = 0x37f;
}

/** The legacy region of 512 bytes, as FXSAVE64 writes it. */
export function writeLegacy(memory: PhysicalMemory, out: Uint8Array): void {
  const { u8, u16, u32 } = memory;
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  const top = u8[X87_TOP];
  view.setUint16(0, u16[X87_CONTROL >>> 1], true);
  view.setUint16(2, (u16[X87_STATUS >>> 1] & ~0x3800) | (top << 11), true);
  view.setUint8(4, u8[X87_TAGS]);
  view.setUint16(6, u16[X87_OPCODE >>> 1], true);
  out.set(u8.subarray(X87_IP, X87_IP + 8), 8);
  out.set(u8.subarray(X87_DP, X87_DP + 8), 16);
  view.setUint32(24, u32[MXCSR >>> 2], true);
  view.setUint32(28, MXCSR_MASK, true);
  for (let i = 0; i < 8; i++) {
    const from = X87 + 16 * ((top + i) & 7);
    out.set(u8.subarray(from, from + 10), 32 + 16 * i);
    out.fill(0, 32 + 16 * i + 10, 48 + 16 * i);
  }
  out.set(u8.subarray(XMM, XMM + 256), 160);
}

/** Loads x87 (not MXCSR, not XMM) from a legacy region. */
export function readLegacyX87(memory: PhysicalMemory, area: Uint8Array): void {
  const { u8, u16 } = memory;
  const view = new DataView(area.buffer, area.byteOffset, area.byteLength);
  const top = (view.getUint16(2, true) >>> 11) & 7;
  u16[X87_CONTROL >>> 1] = view.getUint16(0, true);
  u16[X87_STATUS >>> 1] = view.getUint16(2, true) & ~0x3800;
  u8[X87_TOP] = top;
  u8[X87_TAGS] = view.getUint8(4);
  u16[X87_OPCODE >>> 1] = view.getUint16(6, true) & 0x7ff;
  u8.set(area.subarray(8, 16), X87_IP);
  u8.set(area.subarray(16, 24), X87_DP);
  for (let i = 0; i < 8; i++) u8.set(area.subarray(32 + 16 * i, 42 + 16 * i), X87 + 16 * ((top + i) & 7));
}

export function readLegacyXmm(memory: PhysicalMemory, area: Uint8Array): void {
  memory.u8.set(area.subarray(160, 416), XMM);
}

/** All components present: XSTATE_BV says x87, SSE and, with keys, PKRU. */
export function writeXsave(memory: PhysicalMemory, model: CpuModel, registers: Registers): Uint8Array {
  const out = new Uint8Array(model.pku ? XSAVE_BYTES_WITH_PKRU : XSAVE_BYTES_LEGACY);
  writeLegacy(memory, out);
  const view = new DataView(out.buffer);
  view.setUint32(XSTATE_BV_OFFSET, XCR0_LEGACY | (model.pku ? XCR0_PKRU : 0), true);
  if (model.pku) view.setUint32(XSAVE_PKRU_OFFSET, registers.pkru, true);
  return out;
}

/** XRSTOR of all components: one whose XSTATE_BV bit is clear gets its initial value (PKRU: 0). */
export function readXsave(
  memory: PhysicalMemory,
  model: CpuModel,
  registers: Registers,
  area: Uint8Array,
): void {
  const view = new DataView(area.buffer, area.byteOffset, area.byteLength);
  const present = view.getUint32(XSTATE_BV_OFFSET, true);
  const legacy = new Uint8Array(512);
  new DataView(legacy.buffer).setUint16(0, 0x37f, true);
  readLegacyX87(memory, (present & 1) !== 0 ? area : legacy);
  readLegacyXmm(memory, (present & 2) !== 0 ? area : legacy);
  // XRSTOR of the SSE component takes MXCSR from memory whatever XSTATE_BV says (SDM vol. 1, 13.8.1).
  registers.mxcsr = view.getUint32(24, true) & MXCSR_MASK;
  if (model.pku) registers.pkru = (present & XCR0_PKRU) !== 0 ? view.getUint32(XSAVE_PKRU_OFFSET, true) : 0;
}
