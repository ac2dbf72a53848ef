import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import {
  FIRST_TRANSCENDENTAL,
  LAST_TRANSCENDENTAL,
  SSE_OPS,
  SSE_RECORD,
  X87_OPS,
  X87_RECORD,
  compareSse,
  compareX87,
  type Difference,
} from "./float-records.js";

const FYL2XP1 = 26;

function recorded(name: string): Uint8Array {
  return new Uint8Array(gunzipSync(readFileSync(new URL(`../recorded/float/${name}`, import.meta.url))));
}

function recordsOf(data: Uint8Array, size: number, op: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let at = 0; at < data.length; at += size)
    if (data[at] === op) found.push(data.subarray(at, at + size));
  return found;
}

function differences(
  records: Uint8Array[],
  compare: (record: Uint8Array) => Difference | null,
): Difference[] {
  return records.map(compare).filter((d) => d !== null);
}

/** FYL2XP1 is defined for |x| < 1 - sqrt(1/2) only: exponents below -2, and what is between there and the limit. */
function isInDomain(record: Uint8Array): boolean {
  const exponent = new DataView(record.buffer, record.byteOffset).getUint16(12, true) & 0x7fff;
  return exponent < 16383 - 2 || exponent === 0x7fff;
}

const { cpu } = JSON.parse(
  readFileSync(new URL("../recorded/float/source.json", import.meta.url), "utf8"),
) as { cpu: string };

describe(`x87, as recorded on ${cpu}`, () => {
  const data = recorded("x87.bin.gz");
  for (const [op, [name]] of X87_OPS.entries()) {
    const records = recordsOf(data, X87_RECORD, op);
    if (op < FIRST_TRANSCENDENTAL || op > LAST_TRANSCENDENTAL) {
      it(`${name}: result, flags and stack in all ${records.length} cases`, () => {
        expect(records.length).toBeGreaterThan(50);
        expect(differences(records, compareX87).map((d) => d.text)).toEqual([]);
      });
      continue;
    }
    it(`${name}: within 1 ulp, flags exact, in all ${records.length} cases`, () => {
      const inDomain = op === FYL2XP1 ? records.filter(isInDomain) : records;
      const found = differences(inDomain, compareX87);
      const exact = ((1 - found.length / inDomain.length) * 100).toFixed(1);
      console.log(`${name}: ${exact} % of ${inDomain.length} results are the processor's to the last bit`);
      expect(found.filter((d) => d.ulps > 1 || d.ulps === 0).map((d) => d.text)).toEqual([]);
    });
  }
});

describe(`SSE, as recorded on ${cpu}`, () => {
  const data = recorded("sse.bin.gz");
  for (const [op, [name]] of SSE_OPS.entries()) {
    const records = recordsOf(data, SSE_RECORD, op);
    it(`${name}: result, MXCSR and traps in all ${records.length} cases`, () => {
      expect(records.length).toBeGreaterThan(50);
      expect(differences(records, compareSse).map((d) => d.text)).toEqual([]);
    });
  }
});
