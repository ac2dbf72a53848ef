import { caseBytes, count, type Closeness, type Printed } from "./layout.js";

/** Shapes of which some case came out otherwise; each as a text with its first such cases. */
export interface Comparison {
  readonly shapes: number;
  readonly cases: number;
  readonly wrongCases: number;
  readonly messages: readonly string[];
}

/** Cases that a message shows of one shape. */
const SHOWN = 2;

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))
    .reverse()
    .join("");
}

function closeFloat(expected: number, actual: number): boolean {
  if (Object.is(expected, actual) || (Number.isNaN(expected) && Number.isNaN(actual))) return true;
  if (!Number.isFinite(expected) || expected === 0) return false;
  return Math.abs(actual - expected) <= Math.abs(expected) * 2 ** -11;
}

function isReciprocal(expected: DataView, actual: DataView): boolean {
  for (let at = 0; at < 16; at += 4) {
    if (expected.getUint32(at, true) === actual.getUint32(at, true)) continue;
    if (!closeFloat(expected.getFloat32(at, true), actual.getFloat32(at, true))) return false;
  }
  return true;
}

/** Units in the last place of a 64-bit mantissa that a transcendental may be off by. */
const TRANSCENDENTAL_ULPS = 4n;

function isTranscendental(expected: DataView, actual: DataView): boolean {
  const order = (view: DataView): bigint =>
    (BigInt(view.getUint16(8, true) & 0x7fff) << 63n) | (view.getBigUint64(0, true) & ((1n << 63n) - 1n));
  if (expected.getUint16(8, true) >> 15 !== actual.getUint16(8, true) >> 15) return false;
  const distance = order(expected) - order(actual);
  return distance >= -TRANSCENDENTAL_ULPS && distance <= TRANSCENDENTAL_ULPS;
}

function agree(closeness: Closeness, expected: Uint8Array, actual: Uint8Array): boolean {
  if (expected.every((byte, i) => byte === actual[i])) return true;
  if (closeness === "exact" || actual.length < expected.length) return false;
  const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const close = closeness === "reciprocal" ? isReciprocal : isTranscendental;
  return close(view(expected), view(actual));
}

/** Compares two runs of one program, field by field. A run that printed too little is wrong from there on. */
export function compare(printed: readonly Printed[], expected: Uint8Array, actual: Uint8Array): Comparison {
  const { shapes, cases, bytes } = count(printed);
  const messages: string[] = [];
  let wrongCases = 0;
  let at = 0;
  if (expected.length !== bytes)
    throw new RangeError(`expected ${bytes} bytes to compare with, not ${expected.length}`);
  if (actual.length !== bytes) messages.push(`printed ${actual.length} bytes, not ${bytes}`);
  for (const shape of printed) {
    let wrong = 0;
    const shown: string[] = [];
    for (let i = 0; i < shape.cases; i++) {
      const differing: string[] = [];
      for (const field of shape.fields) {
        const want = expected.subarray(at, at + field.bytes);
        const got = actual.subarray(at, at + field.bytes);
        at += field.bytes;
        if (!agree(field.closeness, want, got))
          differing.push(`${field.name} is ${hex(got)}, not ${hex(want)}`);
      }
      if (differing.length === 0) continue;
      wrong++;
      if (shown.length < SHOWN) shown.push(`    ${shape.describe(i)}: ${differing.join("; ")}`);
    }
    if (wrong > 0) messages.push(`${shape.title}: ${wrong} of ${shape.cases} cases\n${shown.join("\n")}`);
    wrongCases += wrong;
  }
  return { shapes, cases, wrongCases, messages };
}

/** The shape and case that byte number `offset` of the output belongs to. */
export function locate(printed: readonly Printed[], offset: number): string {
  let at = 0;
  for (const shape of printed) {
    const size = caseBytes(shape) * shape.cases;
    if (offset < at + size) {
      const index = Math.floor((offset - at) / caseBytes(shape));
      return `${shape.title}, ${shape.describe(index)}`;
    }
    at += size;
  }
  return "after the last case";
}
