import { DISABLED } from "./termios.js";

/** N_TTY_BUF_SIZE, bytes. */
export const INPUT_BYTES = 4096;
const MASK = INPUT_BYTES - 1;

/**
 * The characters typed and not read yet. Positions only grow: [tail, lineHead) are whole lines, [lineHead, head) is
 * the line being typed. A mark on a character says that a line ends there; a marked 0 is an end of file.
 */
export class InputBuffer {
  head = 0;
  lineHead = 0;
  tail = 0;
  private readonly bytes = new Uint8Array(INPUT_BYTES);
  private readonly ends = new Uint8Array(INPUT_BYTES);

  get length(): number {
    return this.head - this.tail;
  }

  at(position: number): number {
    return this.bytes[position & MASK];
  }

  put(byte: number): void {
    this.bytes[this.head++ & MASK] = byte;
  }

  /** The last character of a line. */
  putEnd(byte: number): void {
    this.ends[this.head & MASK] = 1;
    this.put(byte);
    this.lineHead = this.head;
  }

  clear(): void {
    this.head = this.lineHead = this.tail = 0;
    this.ends.fill(0);
  }

  /** ICANON changed: in canonical mode what is there now counts as one line. */
  changeMode(canonical: boolean): void {
    this.ends.fill(0);
    if (!canonical || this.length === 0) this.lineHead = this.tail;
    else {
      this.ends[(this.head - 1) & MASK] = 1;
      this.lineHead = this.head;
    }
  }

  /** Bytes of whole lines, those not counted that stand for an end of file. */
  lineBytes(): number {
    let count = this.lineHead - this.tail;
    for (let at = this.tail; at < this.lineHead; at++) if (this.isEndOfFile(at)) count--;
    return count;
  }

  private isEndOfFile(position: number): boolean {
    return this.ends[position & MASK] === 1 && this.at(position) === DISABLED;
  }

  take(destination: Uint8Array): number {
    const count = Math.min(destination.length, this.length);
    for (let i = 0; i < count; i++) destination[i] = this.at(this.tail + i);
    this.tail += count;
    if (this.lineHead < this.tail) this.lineHead = this.tail;
    return count;
  }

  /**
   * Of the first line, what fits. An end of file is taken and gives nothing; also one that comes right after the
   * last byte that fits, so that it does not end the next read (canon_copy_from_read_buf, canon_skip_eof).
   */
  takeLine(destination: Uint8Array): number {
    let count = 0;
    while (this.tail < this.lineHead && count < destination.length) {
      const at = this.tail++ & MASK;
      const ends = this.ends[at] === 1;
      this.ends[at] = 0;
      if (!ends || this.bytes[at] !== DISABLED) destination[count++] = this.bytes[at];
      if (ends) return count;
    }
    if (count > 0 && this.tail < this.lineHead && this.isEndOfFile(this.tail)) {
      this.ends[this.tail & MASK] = 0;
      this.tail++;
    }
    return count;
  }

  /** Puts back what a reader could not take: the bytes just taken, in front. */
  untake(bytes: Uint8Array): void {
    this.tail -= bytes.length;
    for (let i = 0; i < bytes.length; i++) this.bytes[(this.tail + i) & MASK] = bytes[i];
  }
}
