/**
 * Names and paths inside the kernel are byte strings: JS strings whose every char code is one byte (0 to 255).
 * So any name that Linux allows survives, valid UTF-8 or not.
 */

const encoder = new TextEncoder();

export function bytesOf(byteString: string): Uint8Array {
  const bytes = new Uint8Array(byteString.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = byteString.charCodeAt(i);
  return bytes;
}

export function byteString(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 4096)
    text += String.fromCharCode(...bytes.subarray(at, Math.min(bytes.length, at + 4096)));
  return text;
}

/** Ordinary text as UTF-8 bytes. */
export function encodeName(text: string): string {
  return byteString(encoder.encode(text));
}
