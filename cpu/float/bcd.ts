/** The x87's 80-bit packed decimal: 18 digits, two a byte, least significant first, and a sign byte. */

import { IE, type FloatEnv } from "./env.js";
import { fromInt64, toInteger } from "./integer.js";
import type { Unpacked } from "./unpacked.js";

const LIMIT = 10n ** 18n;
const integer = { lo: 0, hi: 0 };

/** Reads 10 bytes at `offset`. Nibbles above 9 count as their value, as on hardware (architecturally undefined). */
export function unpackBcd(z: Unpacked, bytes: Uint8Array, offset: number): void {
  let value = 0n;
  for (let i = 8; i >= 0; i--) {
    const byte = bytes[offset + i]!;
    value = value * 100n + BigInt((byte >>> 4) * 10 + (byte & 15));
  }
  fromInt64(z, Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
  z.sign = bytes[offset + 9]! >>> 7;
}

/** Writes a, rounded to an integer, into 10 bytes at `offset`; the packed indefinite and IE if it has no place. */
export function packBcd(bytes: Uint8Array, offset: number, a: Unpacked, env: FloatEnv): void {
  const flags = env.flags;
  toInteger(integer, a, 64, false, env);
  let value = (BigInt(integer.hi) << 32n) | BigInt(integer.lo >>> 0);
  if (value < 0n) value = -value;
  if (value >= LIMIT) {
    env.flags = flags | IE;
    env.roundedUp = false;
    bytes.fill(0, offset, offset + 7);
    bytes[offset + 7] = 0xc0;
    bytes[offset + 8] = 0xff;
    bytes[offset + 9] = 0xff;
    return;
  }
  for (let i = 0; i < 9; i++) {
    const pair = Number(value % 100n);
    value /= 100n;
    bytes[offset + i] = (Math.floor(pair / 10) << 4) | (pair % 10);
  }
  bytes[offset + 9] = a.sign << 7;
}
