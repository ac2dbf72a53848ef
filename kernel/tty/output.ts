import { isContinuation, isControl, toUpper } from "./character-class.js";
import { IUTF8, OCRNL, OLCUC, ONLCR, ONLRET, ONOCR, OPOST, XTABS } from "./termios.js";
import type { Termios } from "./termios.js";

/** Where a terminal's output goes: a pty's master, the user's terminal. */
export interface OutputPort {
  /** Bytes that can go out now. */
  readonly room: number;
  /** Takes bytes, at most `room`; copied if kept. */
  send(bytes: Uint8Array): void;
  /** Throws away what was sent and is still on its way (tty_driver_flush_buffer). */
  discard(): void;
}

const TAB = 0x09;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const BACKSPACE = 0x08;
const SPACE = 0x20;
const CHUNK = 4096;

/**
 * Output processing of the line discipline (n_tty.c: do_output_char): it knows the cursor's column, turns newlines
 * into carriage return and newline, and sends nothing that does not fit whole.
 */
export class OutputProcessor {
  /** Of the cursor, as far as what was written tells. */
  column = 0;
  /** Where the line being typed begins. */
  canonicalColumn = 0;
  /** TCOOFF, or VSTOP: nothing goes out. */
  stopped = false;
  /** Stopped by TCOOFF: only TCOON starts it again. */
  stoppedByCall = false;
  private readonly chunk = new Uint8Array(CHUNK);
  private used = 0;

  constructor(
    readonly port: OutputPort,
    private readonly settings: { readonly termios: Termios },
  ) {}

  get room(): number {
    return this.stopped ? 0 : this.port.room - this.used;
  }

  /** A byte as it is; to be called only with room. */
  raw(byte: number): void {
    if (this.used === CHUNK) this.flush();
    this.chunk[this.used++] = byte;
  }

  /** Sends what `raw` and `process` have gathered. */
  flush(): void {
    if (this.used === 0) return;
    this.port.send(this.chunk.subarray(0, this.used));
    this.used = 0;
  }

  /** A byte through OPOST's rules; false where there is no room for all that it becomes. */
  process(byte: number): boolean {
    const { output, input } = this.settings.termios;
    let room = this.room;
    if (room <= 0) return false;
    let sent = byte;
    switch (byte) {
      case NEWLINE:
        if ((output & ONLRET) !== 0) this.column = 0;
        if ((output & ONLCR) !== 0) {
          if (room < 2) return false;
          this.canonicalColumn = this.column = 0;
          this.raw(RETURN);
          this.raw(NEWLINE);
          return true;
        }
        this.canonicalColumn = this.column;
        break;
      case RETURN:
        if ((output & ONOCR) !== 0 && this.column === 0) return true;
        if ((output & OCRNL) !== 0) {
          sent = NEWLINE;
          if ((output & ONLRET) !== 0) this.canonicalColumn = this.column = 0;
        } else this.canonicalColumn = this.column = 0;
        break;
      case TAB: {
        const spaces = 8 - (this.column & 7);
        if ((output & XTABS) === XTABS) {
          if (room < spaces) return false;
          this.column += spaces;
          for (room = spaces; room > 0; room--) this.raw(SPACE);
          return true;
        }
        this.column += spaces;
        break;
      }
      case BACKSPACE:
        if (this.column > 0) this.column--;
        break;
      default:
        if (!isControl(byte)) {
          if ((output & OLCUC) !== 0) sent = toUpper(byte);
          if ((input & IUTF8) === 0 || !isContinuation(byte)) this.column++;
        }
    }
    this.raw(sent);
    return true;
  }

  /** As a write goes out: bytes taken, 0 where there is no room (n_tty_write's inner loops). */
  write(source: Uint8Array): number {
    let done = 0;
    if ((this.settings.termios.output & OPOST) === 0) {
      done = Math.min(source.length, Math.max(0, this.room));
      if (done > 0) {
        this.flush();
        this.port.send(source.subarray(0, done));
      }
      return done;
    }
    while (done < source.length && this.process(source[done])) done++;
    this.flush();
    return done;
  }
}
