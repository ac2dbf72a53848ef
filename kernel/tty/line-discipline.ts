import { isContinuation, toLower } from "./character-class.js";
import { EchoBuffer } from "./echo.js";
import { eraseInput } from "./erase.js";
import { InputBuffer, INPUT_BYTES } from "./input-buffer.js";
import type { OutputProcessor } from "./output.js";
import {
  DISABLED,
  ECHO,
  ECHOCTL,
  ECHONL,
  EXTPROC,
  ICANON,
  ICRNL,
  IEXTEN,
  IGNCR,
  INLCR,
  ISIG,
  ISTRIP,
  IUCLC,
  IUTF8,
  IXANY,
  IXON,
  NOFLSH,
  PARMRK,
  VEOF,
  VEOL,
  VEOL2,
  VERASE,
  VINTR,
  VKILL,
  VLNEXT,
  VMIN,
  VQUIT,
  VREPRINT,
  VSTART,
  VSTOP,
  VSUSP,
  VTIME,
  VWERASE,
} from "./termios.js";
import type { Termios } from "./termios.js";

const SIGINT = 2;
const SIGQUIT = 3;
const SIGTSTP = 20;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const BACKSPACE = 0x08;
const CARET = 0x5e;
const SLASH = 0x2f;
const MARK = 0xff;

/** What the line discipline asks of its terminal. */
export interface DisciplineOwner {
  readonly termios: Termios;
  readonly output: OutputProcessor;
  /** Output goes on, or stops, as ^Q and ^S say. */
  start(): void;
  stop(): void;
  /** ^C, ^\ or ^Z: to the foreground group. */
  signal(signal: number): void;
  /** Input came that a reader may take. */
  inputReady(): void;
  /** Input was thrown away: a packet-mode master is told. */
  inputFlushed(): void;
}

/**
 * N_TTY, Linux's line discipline (drivers/tty/n_tty.c): what is typed becomes lines that can be edited, signals,
 * echo; what is read is a line, or as many bytes as VMIN asks for.
 */
export class LineDiscipline {
  readonly echo: EchoBuffer;
  readonly input = new InputBuffer();
  /** The last erased character was shown between slashes (ECHOPRT). */
  private erasing = false;
  /** The next character is taken as it is (VLNEXT). */
  private literal = false;

  /** 1 for each byte that may mean something. */
  private meanings: Uint8Array;

  constructor(private readonly owner: DisciplineOwner) {
    this.meanings = meaningsOf(owner.termios);
    this.echo = new EchoBuffer(owner.output, owner);
  }

  private has(flag: number): boolean {
    return (this.owner.termios.local & flag) !== 0;
  }
  private key(index: number): number {
    return this.owner.termios.characters[index];
  }
  get canonical(): boolean {
    return this.has(ICANON);
  }

  /** Input from the other side; how much was taken: the rest must wait for a reader. */
  receive(bytes: Uint8Array): number {
    let taken = 0;
    while (taken < bytes.length) {
      const room = this.room();
      if (room === 0) break;
      const part = Math.min(room, bytes.length - taken);
      for (let i = 0; i < part; i++) this.receiveByte(bytes[taken + i]);
      if (this.has(ECHO) || this.has(ECHONL)) this.echo.flush();
      taken += part;
      if (!this.canonical && this.input.length > 0) this.owner.inputReady();
    }
    return taken;
  }

  /**
   * How many bytes may come. A line without end that fills the buffer keeps its first 4095 bytes, and its last is
   * replaced by each that comes, so that a newline can still end it (n_tty_receive_buf_common).
   */
  private room(): number {
    const { input } = this;
    let room = INPUT_BYTES - input.length;
    if ((this.owner.termios.input & PARMRK) !== 0) room = Math.ceil(room / 3);
    room--;
    if (room > 0) return room;
    const overflow = this.canonical && input.lineHead === input.tail;
    if (overflow && room < 0) input.head--;
    return overflow ? 1 : 0;
  }

  private receiveByte(byte: number): void {
    const literal = this.literal;
    this.literal = false;
    const { input } = this.owner.termios;
    if ((input & ISTRIP) !== 0) byte &= 0x7f;
    if ((input & IUCLC) !== 0 && this.has(IEXTEN)) byte = toLower(byte);
    if (literal) this.ordinary(byte);
    else if (this.has(EXTPROC)) this.input.put(byte);
    else if (this.meanings[byte] === 1) this.special(byte);
    else this.ordinary(byte);
  }

  /** A character without meaning to the terminal. */
  private ordinary(byte: number): void {
    this.restart();
    if (this.has(ECHO)) {
      this.finishErasing();
      this.echoInLine(byte);
      this.echo.commit();
    }
    this.put(byte);
  }

  private echoInLine(byte: number): void {
    if (this.input.lineHead === this.input.head) this.echo.setCanonicalColumn();
    this.echo.character(byte);
  }

  private put(byte: number): void {
    if (byte === MARK && (this.owner.termios.input & PARMRK) !== 0) this.input.put(MARK);
    this.input.put(byte);
  }

  /** Any character starts stopped output again, with IXANY. */
  private restart(): void {
    const { output, termios } = this.owner;
    if ((termios.input & (IXON | IXANY)) !== (IXON | IXANY)) return;
    if (!output.stopped || output.stoppedByCall) return;
    this.owner.start();
    this.echo.process();
  }

  /** A character that means something with the present settings, in the order in which n_tty asks. */
  private special(byte: number): void {
    const { input } = this.owner.termios;
    if ((input & IXON) !== 0 && this.flowControl(byte)) return;
    if (this.has(ISIG)) {
      const signal = this.signalOf(byte);
      if (signal !== 0) {
        this.signal(signal, byte);
        return;
      }
    }
    this.restart();
    if (byte === RETURN) {
      if ((input & IGNCR) !== 0) return;
      if ((input & ICRNL) !== 0) byte = NEWLINE;
    } else if (byte === NEWLINE && (input & INLCR) !== 0) byte = RETURN;
    if (this.canonical && this.edit(byte)) return;
    if (this.has(ECHO)) {
      this.finishErasing();
      if (byte === NEWLINE) this.echo.raw(NEWLINE);
      else this.echoInLine(byte);
      this.echo.commit();
    }
    this.put(byte);
  }

  private signalOf(byte: number): number {
    if (byte === this.key(VINTR)) return SIGINT;
    if (byte === this.key(VQUIT)) return SIGQUIT;
    return byte === this.key(VSUSP) ? SIGTSTP : 0;
  }

  private flowControl(byte: number): boolean {
    if (byte === this.key(VSTART)) {
      this.owner.start();
      this.echo.process();
      return true;
    }
    if (byte !== this.key(VSTOP)) return false;
    this.owner.stop();
    return true;
  }

  private signal(signal: number, byte: number): void {
    this.owner.signal(signal);
    if (!this.has(NOFLSH)) {
      this.echo.clear();
      this.owner.output.port.discard();
      this.flushInput();
    }
    if ((this.owner.termios.input & IXON) !== 0) this.owner.start();
    if (this.has(ECHO)) {
      this.echo.character(byte);
      this.echo.commit();
    } else this.echo.process();
  }

  /** The keys of canonical mode; false for a character that is none of them. */
  private edit(byte: number): boolean {
    const { echo, input } = this;
    const extended = this.has(IEXTEN);
    if (byte === this.key(VERASE) || byte === this.key(VKILL) || (extended && byte === this.key(VWERASE))) {
      eraseInput(this, this.owner.termios, byte);
      echo.commit();
    } else if (extended && byte === this.key(VLNEXT)) {
      this.literal = true;
      if (this.has(ECHO)) {
        this.finishErasing();
        if (this.has(ECHOCTL)) {
          echo.raw(CARET);
          echo.raw(BACKSPACE);
          echo.commit();
        }
      }
    } else if (extended && this.has(ECHO) && byte === this.key(VREPRINT)) {
      this.finishErasing();
      echo.character(byte);
      echo.raw(NEWLINE);
      for (let at = input.lineHead; at !== input.head; at++) echo.character(input.at(at));
      echo.commit();
    } else if (byte === NEWLINE) {
      if (this.has(ECHO) || this.has(ECHONL)) {
        echo.raw(NEWLINE);
        echo.commit();
      }
      this.endLine(NEWLINE);
    } else if (byte === this.key(VEOF)) this.endLine(DISABLED);
    else if (byte === this.key(VEOL) || (extended && byte === this.key(VEOL2))) {
      if (this.has(ECHO)) {
        this.echoInLine(byte);
        echo.commit();
      }
      if (byte === MARK && (this.owner.termios.input & PARMRK) !== 0) input.put(MARK);
      this.endLine(byte);
    } else return false;
    return true;
  }

  private endLine(byte: number): void {
    this.input.putEnd(byte);
    this.owner.inputReady();
  }

  /** Shows that erasing is over (ECHOPRT). */
  finishErasing(): void {
    if (!this.erasing) return;
    this.echo.raw(SLASH);
    this.erasing = false;
  }

  /** Shows that erasing begins; false where it had begun. */
  startErasing(): void {
    if (this.erasing) return;
    this.echo.raw(0x5c);
    this.erasing = true;
  }

  isContinuation(byte: number): boolean {
    return (this.owner.termios.input & IUTF8) !== 0 && isContinuation(byte);
  }

  /** Forgets all input (n_tty_flush_buffer). */
  flushInput(): void {
    this.input.clear();
    this.erasing = false;
    this.owner.inputFlushed();
  }

  /** After the terminal's settings changed (n_tty_set_termios). */
  settingsChanged(old: Termios): void {
    const now = this.owner.termios;
    this.meanings = meaningsOf(now);
    if (((old.local ^ now.local) & (ICANON | EXTPROC)) !== 0) {
      this.input.changeMode(this.canonical);
      this.erasing = false;
      this.literal = false;
    }
    const { output } = this.owner;
    if ((now.input & IXON) === 0 && (old.input & IXON) !== 0 && !output.stoppedByCall) {
      this.owner.start();
      this.echo.process();
    }
  }

  /** Whether a read would find something; for poll, VMIN without VTIME is the least (input_available_p). */
  available(forPoll: boolean): boolean {
    const { input } = this;
    if (this.canonical && !this.has(EXTPROC)) return input.lineHead !== input.tail;
    const least = forPoll && this.key(VTIME) === 0 && this.key(VMIN) > 0 ? this.key(VMIN) : 1;
    return input.length >= least;
  }

  /** What FIONREAD says: of whole lines, without what ends of file left (inq_canon). */
  get waiting(): number {
    return this.canonical && !this.has(EXTPROC) ? this.input.lineBytes() : this.input.length;
  }

  /**
   * Moves bytes to a reader: in canonical mode of one line at most. Call only when `available`.
   * @returns bytes moved; 0 in canonical mode at an end of file
   */
  take(destination: Uint8Array): number {
    if (this.canonical && !this.has(EXTPROC)) return this.input.takeLine(destination);
    return this.input.take(destination);
  }
}

/** The characters that are looked at closer (n_tty's char_map); 0, a key switched off, never is. */
function meaningsOf(termios: Termios): Uint8Array {
  const { input, local, characters } = termios;
  const map = new Uint8Array(256);
  const keys = (...indices: number[]): void => {
    for (const index of indices) map[characters[index]] = 1;
  };
  if ((input & (IGNCR | ICRNL)) !== 0) map[RETURN] = 1;
  if ((input & INLCR) !== 0) map[NEWLINE] = 1;
  if ((local & ICANON) !== 0) {
    map[NEWLINE] = 1;
    keys(VERASE, VKILL, VEOF, VEOL);
    if ((local & IEXTEN) !== 0) {
      keys(VWERASE, VLNEXT, VEOL2);
      if ((local & ECHO) !== 0) keys(VREPRINT);
    }
  }
  if ((input & IXON) !== 0) keys(VSTART, VSTOP);
  if ((local & ISIG) !== 0) keys(VINTR, VQUIT, VSUSP);
  map[DISABLED] = 0;
  return map;
}
