import { EAGAIN, EPIPE } from "../errno.js";
import type { Location } from "./mount.js";
import { OpenFile } from "./open-file.js";
import { PIPE_BUF, POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "./open-flags.js";

export const PIPE_CAPACITY = 65536;

/** The bytes between two ends; a fifo's are shared by everybody who opens it. */
export class Pipe {
  capacity = PIPE_CAPACITY;
  readers = 0;
  writers = 0;
  /** How often an end was opened: a fifo's open(2) waits for the other side to come, even if it goes again. */
  readerOpens = 0;
  writerOpens = 0;
  private data = new Uint8Array(4096);
  private head = 0;
  private count = 0;

  get length(): number {
    return this.count;
  }
  get room(): number {
    return this.capacity - this.count;
  }

  push(bytes: Uint8Array): void {
    this.reserve(this.count + bytes.length);
    const tail = (this.head + this.count) % this.data.length;
    const first = Math.min(bytes.length, this.data.length - tail);
    this.data.set(bytes.subarray(0, first), tail);
    this.data.set(bytes.subarray(first), 0);
    this.count += bytes.length;
  }

  /** Moves bytes out; as many as there are. */
  take(destination: Uint8Array): number {
    const count = Math.min(destination.length, this.count);
    const first = Math.min(count, this.data.length - this.head);
    destination.set(this.data.subarray(this.head, this.head + first));
    destination.set(this.data.subarray(0, count - first), first);
    this.head = (this.head + count) % this.data.length;
    this.count -= count;
    return count;
  }

  putBack(bytes: Uint8Array): void {
    this.reserve(this.count + bytes.length);
    this.head = (this.head - bytes.length + this.data.length) % this.data.length;
    const first = Math.min(bytes.length, this.data.length - this.head);
    this.data.set(bytes.subarray(0, first), this.head);
    this.data.set(bytes.subarray(first), 0);
    this.count += bytes.length;
  }

  private reserve(size: number): void {
    if (size <= this.data.length) return;
    let length = this.data.length;
    while (length < size) length *= 2;
    const larger = new Uint8Array(length);
    const count = this.count;
    this.take(larger);
    this.data = larger;
    this.head = 0;
    this.count = count;
  }
}

/** One end (or, for a fifo opened for both, both ends) of a pipe. */
export class PipeFile extends OpenFile {
  constructor(
    location: Location,
    flags: number,
    readonly pipe: Pipe,
  ) {
    super(location, flags);
    if (this.readable) {
      pipe.readers++;
      pipe.readerOpens++;
    }
    if (this.writable) {
      pipe.writers++;
      pipe.writerOpens++;
    }
  }

  override get seekable(): boolean {
    return false;
  }
  override get mapName(): string {
    return this.location.dentry.name;
  }

  override read(destination: Uint8Array): number {
    if (this.pipe.length > 0) return this.pipe.take(destination);
    if (destination.length === 0) return 0;
    return this.pipe.writers === 0 ? 0 : -EAGAIN;
  }

  override unread(bytes: Uint8Array): void {
    this.pipe.putBack(bytes);
  }

  /** Up to PIPE_BUF bytes go in whole or not at all (pipe(7)). */
  override write(source: Uint8Array): number {
    if (this.pipe.readers === 0) return -EPIPE;
    const room = this.pipe.room;
    if (source.length === 0) return 0;
    if (room === 0 || (source.length <= PIPE_BUF && room < source.length)) return -EAGAIN;
    const count = Math.min(room, source.length);
    this.pipe.push(source.subarray(0, count));
    return count;
  }

  override poll(): number {
    let events = 0;
    if (this.readable) {
      if (this.pipe.length > 0) events |= POLLIN | POLLRDNORM;
      if (this.pipe.writers === 0 && this.pipe.writerOpens > 0) events |= POLLHUP;
    }
    if (this.writable) {
      if (this.pipe.room >= PIPE_BUF) events |= POLLOUT | POLLWRNORM;
      if (this.pipe.readers === 0) events |= POLLERR;
    }
    return events;
  }

  protected override close(): void {
    if (this.readable) this.pipe.readers--;
    if (this.writable) this.pipe.writers--;
  }
}
