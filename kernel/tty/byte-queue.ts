const FIRST_CAPACITY = 256;

/** Bytes on their way: first in, first out. It grows as it must; who fills it keeps the bound. */
export class ByteQueue {
  private bytes = new Uint8Array(FIRST_CAPACITY);
  private start = 0;
  private used = 0;

  get length(): number {
    return this.used;
  }

  push(source: Uint8Array): void {
    if (this.start + this.used + source.length > this.bytes.length) this.makeRoom(source.length);
    this.bytes.set(source, this.start + this.used);
    this.used += source.length;
  }

  /** Moves bytes out; as many as there are, and as fit. */
  take(destination: Uint8Array): number {
    const count = Math.min(destination.length, this.used);
    destination.set(this.bytes.subarray(this.start, this.start + count));
    this.drop(count);
    return count;
  }

  /** The first bytes, at most `count`, without taking them; good until the next change. */
  peek(count: number): Uint8Array {
    return this.bytes.subarray(this.start, this.start + Math.min(count, this.used));
  }

  drop(count: number): void {
    this.used -= count;
    this.start = this.used === 0 ? 0 : this.start + count;
  }

  /** Puts bytes back in front. */
  unread(source: Uint8Array): void {
    const rest = this.peek(this.used).slice();
    this.start = 0;
    this.used = 0;
    this.push(source);
    this.push(rest);
  }

  /** Forgets all but the first `count` bytes. */
  truncate(count: number): void {
    this.used = Math.min(this.used, count);
  }

  private makeRoom(count: number): void {
    const needed = this.used + count;
    const old = this.bytes.subarray(this.start, this.start + this.used);
    const target =
      needed <= this.bytes.length / 2 ? this.bytes : new Uint8Array(Math.max(2 * this.bytes.length, needed));
    target.set(old);
    this.bytes = target;
    this.start = 0;
  }
}
