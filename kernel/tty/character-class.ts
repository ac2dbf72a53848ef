/** Kinds of bytes as the kernel's own table has them (lib/ctype.c): ISO 8859-1. */

/** iscntrl(): 0x80 to 0x9f are not. */
export function isControl(byte: number): boolean {
  return byte < 0x20 || byte === 0x7f;
}

/** isalnum() */
export function isAlphanumeric(byte: number): boolean {
  if (byte >= 0x30 && byte <= 0x39) return true;
  if (byte >= 0xc0) return byte !== 0xd7 && byte !== 0xf7;
  const letter = byte & ~0x20;
  return letter >= 0x41 && letter <= 0x5a && byte < 0x80;
}

/** toupper() */
export function toUpper(byte: number): number {
  if (byte >= 0x61 && byte <= 0x7a) return byte - 0x20;
  return byte >= 0xdf && byte !== 0xf7 ? byte - 0x20 : byte;
}

/** tolower() */
export function toLower(byte: number): number {
  if (byte >= 0x41 && byte <= 0x5a) return byte + 0x20;
  return byte >= 0xc0 && byte <= 0xde && byte !== 0xd7 ? byte + 0x20 : byte;
}

/** A byte of a UTF-8 character that is not its first. */
export function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}
