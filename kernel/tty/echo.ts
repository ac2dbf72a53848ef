import { isControl } from "./character-class.js";
import type { OutputProcessor } from "./output.js";
import { ECHOCTL, OPOST } from "./termios.js";
import type { Termios } from "./termios.js";

/** Begins an operation in the echo buffer; twice, it stands for itself. */
const OPERATION = 0xff;
const MOVE_BACK_COLUMN = 0x80;
const SET_CANONICAL_COLUMN = 0x81;
const ERASE_TAB = 0x82;
const TAB = 0x09;
const BACKSPACE = 0x08;
const AFTER_TAB = 0x80;
/** From so many bytes on an echo goes out before the input is through (ECHO_COMMIT_WATERMARK, ECHO_BLOCK). */
const WATERMARK = 256;
/** ECHO_DISCARD_WATERMARK: N_TTY_BUF_SIZE less ECHO_BLOCK and 32. */
const DISCARD_WATERMARK = 4096 - (256 + 32);

/**
 * What is to be echoed and has not gone out (n_tty.c's echo buffer): bytes, and operations that need to know the
 * column when their turn comes. Echo goes out when the input it belongs to has been looked at; until then a signal
 * key can take it back.
 */
export class EchoBuffer {
  private bytes: number[] = [];
  /** Bytes that may go out. */
  private committed = 0;
  /** Bytes that a `process` lets out. */
  private marked = 0;

  constructor(
    private readonly output: OutputProcessor,
    private readonly settings: { readonly termios: Termios },
  ) {}

  get length(): number {
    return this.bytes.length;
  }

  clear(): void {
    this.bytes = [];
    this.committed = this.marked = 0;
  }

  /** A byte without its control form. */
  raw(byte: number): void {
    if (byte === OPERATION) this.bytes.push(OPERATION, OPERATION);
    else this.bytes.push(byte);
  }

  /** A byte; a control one as ^X where ECHOCTL says so. */
  character(byte: number): void {
    if (
      byte !== OPERATION &&
      (this.settings.termios.local & ECHOCTL) !== 0 &&
      isControl(byte) &&
      byte !== TAB
    )
      this.bytes.push(OPERATION, byte);
    else this.raw(byte);
  }

  setCanonicalColumn(): void {
    this.bytes.push(OPERATION, SET_CANONICAL_COLUMN);
  }

  moveBackColumn(): void {
    this.bytes.push(OPERATION, MOVE_BACK_COLUMN);
  }

  /**
   * Goes back over a tab.
   * @param characters columns used since the tab before it or since the line began
   */
  eraseTab(characters: number, afterTab: boolean): void {
    this.bytes.push(OPERATION, ERASE_TAB, (characters & 7) | (afterTab ? AFTER_TAB : 0));
  }

  /** The input so far may be echoed; much of it goes out at once. */
  commit(): void {
    const pending = this.bytes.length;
    this.marked = pending;
    const old = this.committed;
    if (pending < WATERMARK || pending % WATERMARK > old % WATERMARK) return;
    this.committed = pending;
    this.send();
  }

  /** Lets out what was committed to (process_echoes). */
  process(): void {
    if (this.marked === 0) return;
    this.committed = this.marked;
    this.send();
  }

  /** Lets out all (flush_echoes). */
  flush(): void {
    if (this.committed === this.bytes.length) return;
    this.committed = this.bytes.length;
    this.send();
  }

  private send(): void {
    const { output } = this;
    const bytes = this.bytes;
    const post = (this.settings.termios.output & OPOST) !== 0;
    let at = 0;
    while (at < this.committed) {
      const byte = bytes[at];
      if (byte === OPERATION) {
        const length = this.operation(at);
        if (length === 0) break;
        at += length;
      } else if (post) {
        if (!output.process(byte)) break;
        at++;
      } else {
        if (output.room <= 0) break;
        output.raw(byte);
        at++;
      }
    }
    // A stopped terminal's echo does not grow without bound: the oldest is lost.
    while (this.committed > at && this.committed - at >= DISCARD_WATERMARK)
      at += bytes[at] === OPERATION ? (bytes[at + 1] === ERASE_TAB ? 3 : 2) : 1;
    this.bytes = bytes.slice(at);
    this.committed = Math.max(0, this.committed - at);
    this.marked = Math.max(0, this.marked - at);
    output.flush();
  }

  /** Carries out the operation at an index; its length, or 0 where there is no room for it. */
  private operation(at: number): number {
    const { output } = this;
    const operation = this.bytes[at + 1];
    switch (operation) {
      case ERASE_TAB: {
        let characters = this.bytes[at + 2];
        // Without a tab before it, the line's own start counts.
        if ((characters & AFTER_TAB) === 0) characters += output.canonicalColumn;
        const back = 8 - (characters & 7);
        if (back > output.room) return 0;
        for (let i = 0; i < back; i++) {
          output.raw(BACKSPACE);
          if (output.column > 0) output.column--;
        }
        return 3;
      }
      case SET_CANONICAL_COLUMN:
        output.canonicalColumn = output.column;
        return 2;
      case MOVE_BACK_COLUMN:
        if (output.column > 0) output.column--;
        return 2;
      case OPERATION:
        if (output.room <= 0) return 0;
        output.raw(OPERATION);
        output.column++;
        return 2;
      default:
        if (output.room < 2) return 0;
        output.raw(0x5e);
        output.raw(operation ^ 0x40);
        output.column += 2;
        return 2;
    }
  }
}
