/** struct termios as Linux's terminals keep it (termios(3), asm-generic/termbits.h). */

// c_iflag
export const IGNBRK = 0o1;
export const BRKINT = 0o2;
export const PARMRK = 0o10;
export const ISTRIP = 0o40;
export const INLCR = 0o100;
export const IGNCR = 0o200;
export const ICRNL = 0o400;
export const IUCLC = 0o1000;
export const IXON = 0o2000;
export const IXANY = 0o4000;
export const IUTF8 = 0o40000;
// c_oflag
export const OPOST = 0o1;
export const OLCUC = 0o2;
export const ONLCR = 0o4;
export const OCRNL = 0o10;
export const ONOCR = 0o20;
export const ONLRET = 0o40;
/** TABDLY whole: tabs become spaces (XTABS). */
export const XTABS = 0o14000;
// c_cflag
export const CSIZE = 0o60;
export const CS8 = 0o60;
export const CREAD = 0o200;
export const PARENB = 0o400;
const B38400 = 0o17;
// c_lflag
export const ISIG = 0o1;
export const ICANON = 0o2;
export const ECHO = 0o10;
export const ECHOE = 0o20;
export const ECHOK = 0o40;
export const ECHONL = 0o100;
export const NOFLSH = 0o200;
export const TOSTOP = 0o400;
export const ECHOCTL = 0o1000;
export const ECHOPRT = 0o2000;
export const ECHOKE = 0o4000;
export const IEXTEN = 0o100000;
export const EXTPROC = 0o200000;

// Places in c_cc.
export const VINTR = 0;
export const VQUIT = 1;
export const VERASE = 2;
export const VKILL = 3;
export const VEOF = 4;
export const VTIME = 5;
export const VMIN = 6;
export const VSTART = 8;
export const VSTOP = 9;
export const VSUSP = 10;
export const VEOL = 11;
export const VREPRINT = 12;
export const VWERASE = 14;
export const VLNEXT = 15;
export const VEOL2 = 16;
const NCCS = 19;
/** Control characters that struct termio has room for. */
const NCC = 8;

/** Bytes of struct termios, termios2 and termio. */
export const TERMIOS_BYTES = 36;
export const TERMIOS2_BYTES = 44;
export const TERMIO_BYTES = 18;

/** A control character that is switched off (_POSIX_VDISABLE); also what an end of file leaves in the buffer. */
export const DISABLED = 0;

/** Settings of a terminal. A record is never changed: setting makes another. */
export interface Termios {
  readonly input: number;
  readonly output: number;
  readonly control: number;
  readonly local: number;
  /** c_line. */
  readonly line: number;
  /** c_cc, 19 bytes. */
  readonly characters: Uint8Array;
  /** Bits a second. */
  readonly inputSpeed: number;
  readonly outputSpeed: number;
}

/** What a terminal starts with (tty_std_termios); `utf8` as every terminal program sets it on ptys. */
export function standardTermios(utf8 = false): Termios {
  return {
    input: ICRNL | IXON | (utf8 ? IUTF8 : 0),
    output: OPOST | ONLCR,
    control: B38400 | CS8 | CREAD,
    local: ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
    line: 0,
    // ^C ^\ DEL ^U ^D, VTIME 0, VMIN 1, VSWTC, ^Q ^S ^Z, VEOL, ^R ^O ^W ^V, VEOL2
    characters: Uint8Array.of(3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0),
    inputSpeed: 38400,
    outputSpeed: 38400,
  };
}

/** As TCGETS (36 bytes) or TCGETS2 (44) gives it. */
export function encodeTermios(termios: Termios, bytes: number): Uint8Array {
  const out = new Uint8Array(bytes);
  const view = new DataView(out.buffer);
  view.setUint32(0, termios.input, true);
  view.setUint32(4, termios.output, true);
  view.setUint32(8, termios.control, true);
  view.setUint32(12, termios.local, true);
  out[16] = termios.line;
  out.set(termios.characters, 17);
  if (bytes === TERMIOS2_BYTES) {
    view.setUint32(36, termios.inputSpeed, true);
    view.setUint32(40, termios.outputSpeed, true);
  }
  return out;
}

/** Settings as TCSETS or TCSETS2 passes them, by their length; without speeds the old ones follow c_cflag. */
export function decodeTermios(bytes: Uint8Array, old: Termios): Termios {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const control = view.getUint32(8, true);
  const whole = bytes.length === TERMIOS2_BYTES;
  const speeds = whole
    ? { inputSpeed: view.getUint32(36, true), outputSpeed: view.getUint32(40, true) }
    : speedsOf(control, old);
  return {
    input: view.getUint32(0, true),
    output: view.getUint32(4, true),
    control,
    local: view.getUint32(12, true),
    line: bytes[16],
    characters: bytes.slice(17, 17 + NCCS),
    ...speeds,
  };
}

const CBAUD = 0o10017;
const BOTHER = 0o10000;
const SPEEDS = [0, 50, 75, 110, 134, 150, 200, 300, 600, 1200, 1800, 2400, 4800, 9600, 19200, 38400];
const HIGH_SPEEDS = [
  0, 57600, 115200, 230400, 460800, 500000, 576000, 921600, 1000000, 1152000, 1500000, 2000000, 2500000,
  3000000, 3500000, 4000000,
];

function speedsOf(control: number, old: Termios): { inputSpeed: number; outputSpeed: number } {
  const speed = (code: number, known: number): number => {
    if ((code & CBAUD) === BOTHER) return known;
    return (code & BOTHER) === 0 ? SPEEDS[code & 15] : HIGH_SPEEDS[code & 15];
  };
  const output = speed(control & CBAUD, old.outputSpeed);
  const inputCode = (control >>> 16) & CBAUD;
  return { outputSpeed: output, inputSpeed: inputCode === 0 ? output : speed(inputCode, old.inputSpeed) };
}

/** The old struct termio: 16-bit flags, eight control characters (TCGETA). */
export function encodeTermio(termios: Termios): Uint8Array {
  const out = new Uint8Array(TERMIO_BYTES);
  const view = new DataView(out.buffer);
  view.setUint16(0, termios.input & 0xffff, true);
  view.setUint16(2, termios.output & 0xffff, true);
  view.setUint16(4, termios.control & 0xffff, true);
  view.setUint16(6, termios.local & 0xffff, true);
  out[8] = termios.line;
  out.set(termios.characters.subarray(0, NCC), 9);
  return out;
}

/** TCSETA: what a termio has no room for stays. */
export function decodeTermio(bytes: Uint8Array, old: Termios): Termios {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const low = (at: number, before: number): number =>
    ((before & 0xffff_0000) | view.getUint16(at, true)) >>> 0;
  const characters = old.characters.slice();
  characters.set(bytes.subarray(9, 9 + NCC));
  const control = low(4, old.control);
  return {
    ...old,
    input: low(0, old.input),
    output: low(2, old.output),
    control,
    local: low(6, old.local),
    line: bytes[8],
    characters,
    ...speedsOf(control, old),
  };
}
