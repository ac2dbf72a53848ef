import { readXstate } from "../../kernel/ptrace/registers.js";
import type { VectorRow } from "./rows.js";
import { hex, type View } from "./view.js";

/** Offsets in the XSAVE area (SDM vol. 1 13.4). */
const CONTROL = 0;
const STATUS = 2;
const TAGS = 4;
const MXCSR = 24;
const ST = 32;
const XMM = 160;

/** x87's stack and words, then SSE's registers and MXCSR. */
export function vectorRows(view: View): VectorRow[] {
  const area = readXstate(view.machine.kernel, view.task);
  const data = new DataView(area.buffer, area.byteOffset, area.byteLength);
  const top = (data.getUint16(STATUS, true) >>> 11) & 7;
  const rows: VectorRow[] = [];
  const add = (name: string, offset: number, length: number, text: string): void => {
    rows.push({ name, bytes: area.slice(offset, offset + length), text: `${name.padEnd(6)} ${text}` });
  };
  for (let i = 0; i < 8; i++) {
    const used = (area[TAGS]! & (1 << ((top + i) & 7))) !== 0;
    add(`st${i}`, ST + 16 * i, 10, used ? extendedText(data, ST + 16 * i) : "empty");
  }
  const word = (offset: number): string => hex(data.getUint16(offset, true));
  add("fctrl", CONTROL, 2, word(CONTROL));
  add("fstat", STATUS, 2, `${word(STATUS)} top ${top}`);
  for (let i = 0; i < 16; i++) {
    const at = XMM + 16 * i;
    const high = data.getBigUint64(at + 8, true);
    const low = data.getBigUint64(at, true);
    const halves = `0x${high.toString(16).padStart(16, "0")}_${low.toString(16).padStart(16, "0")}`;
    add(`xmm${i}`, at, 16, `${halves}${high === 0n && low === 0n ? "" : ` ${lanes(data, at)}`}`);
  }
  add("mxcsr", MXCSR, 4, `${hex(data.getUint32(MXCSR, true))} ${mxcsrText(data.getUint32(MXCSR, true))}`);
  return rows;
}

/** An 80-bit number as the nearest double, with its bits. */
function extendedText(data: DataView, at: number): string {
  const mantissa = data.getBigUint64(at, true);
  const word = data.getUint16(at + 8, true);
  const exponent = word & 0x7fff;
  const bits = `0x${word.toString(16).padStart(4, "0")}${mantissa.toString(16).padStart(16, "0")}`;
  const sign = (word & 0x8000) !== 0 ? "-" : "";
  if (exponent === 0x7fff) return `${sign}${(mantissa << 1n) % (1n << 64n) === 0n ? "inf" : "nan"} ${bits}`;
  const value = mantissa === 0n ? 0 : Number(mantissa) * 2 ** (exponent - 16383 - 63);
  return `${sign}${value} ${bits}`;
}

function lanes(data: DataView, at: number): string {
  const doubles = [0, 8].map((offset) => short(data.getFloat64(at + offset, true)));
  const floats = [0, 4, 8, 12].map((offset) => short(data.getFloat32(at + offset, true)));
  return `2d {${doubles.join(", ")}} 4f {${floats.join(", ")}}`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(6)));
}

const MXCSR_NAMES = "IE DE ZE OE UE PE DAZ IM DM ZM OM UM PM".split(" ");
const ROUNDING = ["nearest", "down", "up", "to zero"];

function mxcsrText(value: number): string {
  const names = MXCSR_NAMES.filter((_, bit) => ((value >>> bit) & 1) !== 0);
  if ((value & 0x8000) !== 0) names.push("FZ");
  return `[ ${names.join(" ")} ] rounds ${ROUNDING[(value >>> 13) & 3]}`;
}
