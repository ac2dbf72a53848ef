/** The two checksums that ext4 has: CRC-32C (metadata_csum) and CRC-16 (uninit_bg). Neither is inverted at its end. */

const CRC32C_POLYNOMIAL = 0x82f6_3b78;
const CRC16_POLYNOMIAL = 0xa001;

function tableOf(polynomial: number): Uint32Array {
  const table = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = (value & 1) !== 0 ? (value >>> 1) ^ polynomial : value >>> 1;
    table[byte] = value >>> 0;
  }
  return table;
}

let crc32cTable: Uint32Array | null = null;
let crc16Table: Uint32Array | null = null;

export function crc32c(seed: number, bytes: Uint8Array, from = 0, to = bytes.length): number {
  const table = (crc32cTable ??= tableOf(CRC32C_POLYNOMIAL));
  let crc = seed;
  for (let at = from; at < to; at++) crc = table[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8);
  return crc >>> 0;
}

/** Of a number's four bytes. */
export function crc32cOf(seed: number, value: number): number {
  const bytes = Uint8Array.of(value, value >>> 8, value >>> 16, value >>> 24);
  return crc32c(seed, bytes);
}

export function crc16(seed: number, bytes: Uint8Array, from = 0, to = bytes.length): number {
  const table = (crc16Table ??= tableOf(CRC16_POLYNOMIAL));
  let crc = seed;
  for (let at = from; at < to; at++) crc = table[(crc ^ bytes[at]!) & 0xff]! ^ (crc >>> 8);
  return crc & 0xffff;
}
