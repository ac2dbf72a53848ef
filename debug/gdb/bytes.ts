/** Bytes as gdb's remote protocol writes them: hexadecimal, or raw with escapes. Strings are latin-1. */

/** What a packet says cannot be understood. */
export class BadPacket extends Error {
  override readonly name = "BadPacket";
}

const ESCAPE = 0x7d;
/** `}` `$` `#` `*` are written as an escape and themselves with bit 5 turned. */
const ESCAPED = new Set([ESCAPE, 0x24, 0x23, 0x2a]);

export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

/** @throws BadPacket for an odd number of digits, or something that is none */
export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) throw new BadPacket();
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

/** An unsigned number in hexadecimal. @throws BadPacket */
export function hexNumber(text: string | undefined): number {
  if (text === undefined || !/^[0-9a-f]{1,16}$/i.test(text)) throw new BadPacket();
  return parseInt(text, 16);
}

export function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

export function latin1Text(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192)
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return text;
}

/** Raw bytes with what would end or cut a packet escaped. */
export function escapeBytes(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes)
    text += ESCAPED.has(byte) ? String.fromCharCode(ESCAPE, byte ^ 0x20) : String.fromCharCode(byte);
  return text;
}

export function unescapeBytes(text: string): Uint8Array {
  const bytes: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const byte = text.charCodeAt(i);
    bytes.push(byte === ESCAPE ? text.charCodeAt(++i) ^ 0x20 : byte);
  }
  return Uint8Array.from(bytes);
}
