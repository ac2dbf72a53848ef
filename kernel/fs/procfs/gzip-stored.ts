/** Bytes in one stored block (RFC 1951, 3.2.4). */
const BLOCK = 0xffff;

/** Byte strings as gzip files (RFC 1952) whose blocks are stored, not compressed: any gunzip reads them. */
export function gzipStored(content: string): string {
  let text = "\x1f\x8b\x08\0\0\0\0\0\0\x03";
  for (let at = 0; at === 0 || at < content.length; at += BLOCK) {
    const part = content.slice(at, at + BLOCK);
    text += String.fromCharCode(at + BLOCK >= content.length ? 1 : 0);
    text += little(part.length, 2) + little(~part.length, 2) + part;
  }
  return text + little(crc32(content), 4) + little(content.length, 4);
}

function little(value: number, bytes: number): string {
  let text = "";
  for (let i = 0; i < bytes; i++) text += String.fromCharCode((value >>> (8 * i)) & 0xff);
  return text;
}

function crc32(content: string): number {
  let crc = -1;
  for (let i = 0; i < content.length; i++) {
    crc ^= content.charCodeAt(i);
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb8_8320 & -(crc & 1));
  }
  return ~crc;
}
