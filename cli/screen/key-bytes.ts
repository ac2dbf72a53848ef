/** What a terminal sends for keys, cut so that no piece ends inside a sequence or a character. */

const ESCAPE = 0x1b;

/**
 * How many of the bytes at the end are the beginning of something that is not all there: an escape sequence
 * (ECMA-48's CSI and SS3, Alt with a key) or a character of UTF-8.
 */
export function unfinishedBytes(bytes: Uint8Array): number {
  const last = bytes.lastIndexOf(ESCAPE);
  if (last >= 0 && last >= bytes.length - LONGEST && !isWhole(bytes.subarray(last)))
    return bytes.length - last;
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < characterLength(byte) ? back : 0;
  }
  return 0;
}

/** No sequence that a terminal sends is longer. */
const LONGEST = 32;

const isWhole = (sequence: Uint8Array): boolean => sequence.length >= Math.max(2, sequenceLength(sequence));

/** Of the sequence that begins with these bytes; more than they are where its end is not among them. */
function sequenceLength(bytes: Uint8Array): number {
  const second = bytes[1];
  if (second === undefined) return 1;
  if (second === 0x4f) return 3;
  if (second === ESCAPE) return 1;
  if (second !== 0x5b) return 1 + (second >= 0xc0 ? characterLength(second) : 1);
  // The Linux console's function keys: ESC [ [ A.
  if (bytes[2] === 0x5b) return 4;
  const end = bytes.subarray(2).findIndex((byte) => byte >= 0x40 && byte <= 0x7e);
  return end < 0 ? bytes.length + 1 : end + 3;
}

function characterLength(first: number): number {
  return first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
}

/** The keys one by one: an escape sequence, a character, a control byte. */
export function* keysIn(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at]!;
    const length =
      first === ESCAPE ? sequenceLength(bytes.subarray(at)) : first >= 0xc0 ? characterLength(first) : 1;
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

/** Without what is no UTF-8: terminal-kit never gets past such a byte. */
export function withoutBrokenCharacters(bytes: Uint8Array): Uint8Array {
  if (bytes.every((byte) => byte < 0x80)) return bytes;
  const text = new TextDecoder().decode(bytes).replaceAll("\ufffd", "");
  return new TextEncoder().encode(text);
}

// eslint-disable-next-line no-control-regex
const MOUSE_REPORT = /\x1b\[<\d+;\d+;\d+[Mm]/g;
// eslint-disable-next-line no-control-regex
const CURSOR_KEY = /\x1b\[([A-DHF])/g;

/**
 * Keys as the program's own terminal would send them: without the mouse, which is the debugger's.
 * @param application the program has set cursor keys to application mode (DECCKM)
 */
export function keysForProgram(bytes: Uint8Array, application: boolean): Uint8Array {
  const text = Buffer.from(bytes).toString("latin1").replace(MOUSE_REPORT, "");
  return Buffer.from(application ? text.replace(CURSOR_KEY, "\x1bO$1") : text, "latin1");
}
