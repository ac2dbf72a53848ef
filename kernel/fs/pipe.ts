import { PAGE_SIZE } from "../../mmu/layout.js";
import { EAGAIN, EPIPE } from "../errno.js";
import { WaitQueue } from "../wait-queue.js";
import type { Location } from "./mount.js";
import { OpenFile } from "./open-file.js";
import { POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "./open-flags.js";

export const PIPE_CAPACITY = 65536;

interface PipeBuffer {
  readonly bytes: Uint8Array;
  /** Bytes [start, end) of it are still to be read. */
  start: number;
  end: number;
}

/**
 * The bytes between two ends; a fifo's are shared by everybody who opens it. As in Linux they lie in buffers of a
 * page, and the pipe is full when it has no free buffer, however little is in them.
 */
export class Pipe {
  /** Bytes, a multiple of the page size: what F_GETPIPE_SZ gives. */
  capacity = PIPE_CAPACITY;
  readers = 0;
  writers = 0;
  /** How often an end was opened: a fifo's open(2) waits for the other side to come, even if it goes again. */
  readerOpens = 0;
  writerOpens = 0;
  /** Of both ends. */
  readonly queue = new WaitQueue();
  private readonly buffers: PipeBuffer[] = [];

  /** Bytes to be read. */
  get length(): number {
    return this.buffers.reduce((sum, { start, end }) => sum + end - start, 0);
  }
  get slotsUsed(): number {
    return this.buffers.length;
  }
  get isFull(): boolean {
    return this.buffers.length >= this.capacity / PAGE_SIZE;
  }

  /** Appends as much as there are free buffers for; the odd bytes go into the last buffer if they fit (pipe_write). */
  push(bytes: Uint8Array): number {
    let done = 0;
    const odd = bytes.length % PAGE_SIZE;
    const last = this.buffers[this.buffers.length - 1];
    if (odd > 0 && last && last.end + odd <= PAGE_SIZE) {
      last.bytes.set(bytes.subarray(0, odd), last.end);
      last.end += odd;
      done = odd;
    }
    while (done < bytes.length && !this.isFull) {
      const part = bytes.subarray(done, done + PAGE_SIZE);
      const page = new Uint8Array(PAGE_SIZE);
      page.set(part);
      this.buffers.push({ bytes: page, start: 0, end: part.length });
      done += part.length;
    }
    return done;
  }

  /** Moves bytes out of the first buffer: at most what it holds. */
  take(destination: Uint8Array): number {
    const first = this.buffers[0];
    if (!first) return 0;
    const count = Math.min(destination.length, first.end - first.start);
    destination.set(first.bytes.subarray(first.start, first.start + count));
    first.start += count;
    if (first.start === first.end) this.buffers.shift();
    return count;
  }

  /** Undoes a `take`. */
  putBack(bytes: Uint8Array): void {
    const first = this.buffers[0];
    if (first && first.start >= bytes.length) {
      first.start -= bytes.length;
      first.bytes.set(bytes, first.start);
      return;
    }
    const page = new Uint8Array(PAGE_SIZE);
    page.set(bytes, PAGE_SIZE - bytes.length);
    this.buffers.unshift({ bytes: page, start: PAGE_SIZE - bytes.length, end: PAGE_SIZE });
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
    pipe.queue.wake();
  }

  override get waitQueue(): WaitQueue {
    return this.pipe.queue;
  }

  override get seekable(): boolean {
    return false;
  }
  override get mapName(): string {
    return this.location.dentry.name;
  }

  override read(destination: Uint8Array): number {
    if (this.pipe.length > 0) {
      const count = this.pipe.take(destination);
      this.pipe.queue.wake();
      return count;
    }
    if (destination.length === 0) return 0;
    return this.pipe.writers === 0 ? 0 : -EAGAIN;
  }

  override unread(bytes: Uint8Array): void {
    this.pipe.putBack(bytes);
  }

  /** Up to PIPE_BUF bytes go in whole or not at all (pipe(7)): they need at most one buffer. */
  override write(source: Uint8Array): number {
    if (source.length === 0) return 0;
    if (this.pipe.readers === 0) return -EPIPE;
    const count = this.pipe.push(source);
    if (count === 0) return -EAGAIN;
    this.pipe.queue.wake();
    return count;
  }

  override poll(): number {
    let events = 0;
    if (this.readable) {
      if (this.pipe.length > 0) events |= POLLIN | POLLRDNORM;
      if (this.pipe.writers === 0 && this.pipe.writerOpens > 0) events |= POLLHUP;
    }
    if (this.writable) {
      if (!this.pipe.isFull) events |= POLLOUT | POLLWRNORM;
      if (this.pipe.readers === 0) events |= POLLERR;
    }
    return events;
  }

  protected override close(): void {
    if (this.readable) this.pipe.readers--;
    if (this.writable) this.pipe.writers--;
    this.pipe.queue.wake();
  }
}
