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
  if (closeness === "exact") return false;
  const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const close = closeness === "reciprocal" ? isReciprocal : isTranscendental;
  return close(view(expected), view(actual));
}

/**
 * Compares two runs of one program, field by field. Where a run printed too little, one message says where it ended,
 * and all cases from there on are wrong.
 */
export function compare(printed: readonly Printed[], expected: Uint8Array, actual: Uint8Array): Comparison {
  const { shapes, cases, bytes } = count(printed);
  const messages: string[] = [];
  let compared = 0;
  let wrongCases = 0;
  let at = 0;
  if (expected.length !== bytes) {
    throw new RangeError(`expected ${bytes} bytes to compare with, not ${expected.length}`);
  }
  for (const shape of printed) {
    const size = caseBytes(shape);
    let wrong = 0;
    const shown: string[] = [];
    let done = 0;
    for (; done < shape.cases && at + size <= actual.length; done++) {
      const differing: string[] = [];
      for (const field of shape.fields) {
        const want = expected.subarray(at, at + field.bytes);
        const got = actual.subarray(at, at + field.bytes);
        at += field.bytes;
        if (!agree(field.closeness, want, got))
          differing.push(`${field.name} is ${hex(got)}, not ${hex(want)}`);
      }
      compared++;
      if (differing.length === 0) continue;
      wrong++;
      if (shown.length < SHOWN) shown.push(`    ${shape.describe(done)}: ${differing.join("; ")}`);
    }
    if (wrong > 0) messages.push(`${shape.title}: ${wrong} of ${shape.cases} cases\n${shown.join("\n")}`);
    wrongCases += wrong;
    if (done < shape.cases) break;
  }
  if (actual.length !== bytes) {
    messages.push(`printed ${actual.length} bytes, not ${bytes}: ended at ${locate(printed, actual.length)}`);
  }
  return { shapes, cases, wrongCases: wrongCases + cases - compared, messages };
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
