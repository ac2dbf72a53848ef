import { PAGE_SIZE } from "../../mmu/layout.js";
import type { FrameAllocator, FrameHolder } from "../../mmu/frame-allocator.js";
import type { PageFrame } from "../../mmu/types.js";
import { EAGAIN, EPIPE } from "../errno.js";
import { WaitQueue } from "../wait-queue.js";
import type { Location } from "./mount.js";
import { OpenFile } from "./open-file.js";
import { O_DIRECT, POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "./open-flags.js";

const PIPE_CAPACITY = 65536;

/** What one slot of a pipe holds (struct pipe_buffer). */
export interface PipeBuffer {
  /** Of one page: the pipe's own, or the bytes of a frame that somebody else may still write to. */
  readonly bytes: Uint8Array;
  /** Bytes [start, end) of it are still to be read. */
  start: number;
  end: number;
  /** Later small writes may be put behind these bytes. */
  readonly canMerge: boolean;
  /** O_DIRECT: one read takes it whole, and drops what it has no room for. */
  readonly packet: boolean;
  /** The frame that `bytes` is, held as long as the buffer is there; null for the pipe's own page. */
  readonly frame: { readonly frames: FrameAllocator; readonly number: PageFrame } | null;
  /** Another buffer has the same page (tee). */
  shared: boolean;
}

/** Pages that a pipe keeps for its next writes: making one takes longer than filling it. */
const SPARE_PAGES = 16;

function drop({ frame }: PipeBuffer): void {
  frame?.frames.release(frame.number);
}

/**
 * The bytes between two ends; a fifo's are shared by everybody who opens it. As in Linux they lie in buffers of a
 * page, and the pipe is full when it has no free buffer, however little is in them.
 */
export class Pipe implements FrameHolder {
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
  private readonly spare: Uint8Array[] = [];

  /** Bytes to be read. */
  get length(): number {
    return this.buffers.reduce((sum, { start, end }) => sum + end - start, 0);
  }
  get isEmpty(): boolean {
    return this.buffers.length === 0;
  }
  get slotsUsed(): number {
    return this.buffers.length;
  }
  get freeSlots(): number {
    return Math.max(0, this.capacity / PAGE_SIZE - this.buffers.length);
  }
  get isFull(): boolean {
    return this.freeSlots === 0;
  }

  /** Room behind the last bytes, in bytes, for a write that may be put there; 0 if there is none. */
  get mergeRoom(): number {
    const last = this.buffers[this.buffers.length - 1];
    return last?.canMerge === true ? PAGE_SIZE - last.end : 0;
  }

  /** Puts bytes into that room. */
  merge(bytes: Uint8Array): void {
    const last = this.buffers[this.buffers.length - 1]!;
    last.bytes.set(bytes, last.end);
    last.end += bytes.length;
  }

  /** A page to be filled and appended; what is in it does not matter. */
  emptyPage(): Uint8Array {
    return this.spare.pop() ?? new Uint8Array(PAGE_SIZE);
  }

  /** Fills a free slot with a page that becomes the pipe's own, and of which `end` bytes count. */
  appendPage(page: Uint8Array, end: number, packet = false): void {
    const canMerge = !packet;
    this.buffers.push({ bytes: page, start: 0, end, canMerge, packet, frame: null, shared: false });
  }

  /** Fills a free slot with a copy of bytes, at most a page of them. */
  append(bytes: Uint8Array, packet = false, canMerge = !packet): void {
    const page = canMerge ? new Uint8Array(PAGE_SIZE) : new Uint8Array(bytes.length);
    page.set(bytes);
    this.buffers.push({
      bytes: page,
      start: 0,
      end: bytes.length,
      canMerge,
      packet,
      frame: null,
      shared: false,
    });
  }

  /** Fills a free slot with bytes [start, end) of a frame, which is held until they are read. */
  appendFrame(frames: FrameAllocator, number: PageFrame, start: number, end: number): void {
    frames.hold(number);
    const bytes = frames.memory.frameBytes(number);
    const frame = { frames, number };
    this.buffers.push({ bytes, start, end, canMerge: false, packet: false, frame, shared: false });
    this.noteFrames(frames);
  }

  /** What it holds is for others to read: nothing can be had back. */
  reclaim(): number {
    return 0;
  }

  *heldFrames(): Iterable<PageFrame> {
    for (const { frame } of this.buffers) if (frame !== null) yield frame.number;
  }

  /** Whoever counts frames finds those that lie here. */
  private noteFrames(frames: FrameAllocator): void {
    if (this.buffers.some(({ frame }) => frame !== null)) frames.holders.add(this);
    else frames.holders.delete(this);
  }

  /** Up to `count` bytes of the first buffer, where they lie; null when the pipe is empty. */
  peek(count: number): Uint8Array | null {
    const first = this.buffers[0];
    return first ? first.bytes.subarray(first.start, Math.min(first.end, first.start + count)) : null;
  }

  /** Takes `count` bytes out of the first buffer; of a packet, all. Returns whether it was a packet. */
  consume(count: number): boolean {
    const first = this.buffers[0]!;
    first.start += count;
    if (first.packet || first.start === first.end) {
      this.buffers.shift();
      if (first.frame !== null) {
        drop(first);
        this.noteFrames(first.frame.frames);
      } else if (!first.shared && first.canMerge && this.spare.length < SPARE_PAGES)
        this.spare.push(first.bytes);
    }
    return first.packet;
  }

  /** Moves the first buffer's first `count` bytes to a free slot of another pipe (splice_pipe_to_pipe). */
  moveTo(other: Pipe, count: number): number {
    const first = this.buffers[0]!;
    if (count >= first.end - first.start) {
      this.buffers.shift();
      other.buffers.push(first);
      if (first.frame !== null) {
        this.noteFrames(first.frame.frames);
        other.noteFrames(first.frame.frames);
      }
      return first.end - first.start;
    }
    other.copyOf(first, count);
    first.start += count;
    return count;
  }

  /** Duplicates buffer `index`, up to `count` bytes of it, into a free slot of another pipe (link_pipe). */
  copyTo(other: Pipe, index: number, count: number): number {
    const buffer = this.buffers[index]!;
    const part = Math.min(count, buffer.end - buffer.start);
    other.copyOf(buffer, part);
    return part;
  }

  private copyOf(buffer: PipeBuffer, count: number): void {
    const { frame, start } = buffer;
    if (frame) frame.frames.hold(frame.number);
    buffer.shared = true;
    this.buffers.push({ ...buffer, end: start + count, canMerge: false });
    if (frame) this.noteFrames(frame.frames);
  }

  /** Both ends are closed: what was not read is lost. */
  clear(): void {
    for (const buffer of this.buffers.splice(0)) {
      drop(buffer);
      buffer.frame?.frames.holders.delete(this);
    }
    this.spare.length = 0;
  }
}

const READABLE = POLLIN | POLLRDNORM;
const WRITABLE = POLLOUT | POLLWRNORM;

/** One end (or, for a fifo opened for both, both ends) of a pipe. */
export class PipeFile extends OpenFile {
  /** Writers that had come and gone when a reader opened a fifo without waiting: their end is no hang-up for it. */
  private readonly pastWriters: number;

  constructor(
    location: Location,
    flags: number,
    readonly pipe: Pipe,
  ) {
    super(location, flags);
    this.pastWriters = !this.writable && this.nonBlocking && pipe.writers === 0 ? pipe.writerOpens : 0;
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
  /** Each write is a packet of its own, up to a page (pipe2 with O_DIRECT). */
  get packets(): boolean {
    return (this.flags & O_DIRECT) !== 0;
  }

  /** Takes bytes of the first buffer out; writers are told if there was no room before. Returns whether a packet. */
  consume(count: number): boolean {
    const { pipe } = this;
    const wasFull = pipe.isFull;
    const packet = pipe.consume(count);
    if (wasFull && !pipe.isFull) this.madeRoom();
    return packet;
  }

  /** Tells writers that a full pipe is full no more. */
  madeRoom(): void {
    this.pipe.queue.wake(WRITABLE);
  }

  /** Tells readers that there are bytes. */
  wrote(): void {
    this.pipe.queue.wake(READABLE);
  }

  override read(destination: Uint8Array): number {
    if (destination.length === 0) return 0;
    const bytes = this.pipe.peek(destination.length);
    if (bytes === null) return this.pipe.writers === 0 ? 0 : -EAGAIN;
    destination.set(bytes);
    this.consume(bytes.length);
    return bytes.length;
  }

  /** As many bytes as there is room for. Up to PIPE_BUF bytes go in whole or not at all (pipe(7)). */
  override write(source: Uint8Array): number {
    const { pipe } = this;
    if (source.length === 0) return 0;
    if (pipe.readers === 0) return -EPIPE;
    let done = 0;
    const odd = source.length % PAGE_SIZE;
    if (odd > 0 && odd <= pipe.mergeRoom) {
      pipe.merge(source.subarray(0, odd));
      done = odd;
    }
    for (; done < source.length && !pipe.isFull; done += PAGE_SIZE)
      pipe.append(source.subarray(done, done + PAGE_SIZE), this.packets);
    if (done === 0) return -EAGAIN;
    this.wrote();
    return Math.min(done, source.length);
  }

  override poll(): number {
    const { pipe } = this;
    let events = 0;
    if (this.readable) {
      if (!pipe.isEmpty) events |= READABLE;
      if (pipe.writers === 0 && pipe.writerOpens !== this.pastWriters) events |= POLLHUP;
    }
    if (this.writable) {
      if (!pipe.isFull) events |= WRITABLE;
      if (pipe.readers === 0) events |= POLLERR;
    }
    return events;
  }

  protected override close(): void {
    const { pipe } = this;
    if (this.readable) pipe.readers--;
    if (this.writable) pipe.writers--;
    if (pipe.readers === 0 && pipe.writers === 0) pipe.clear();
    else pipe.queue.wake();
  }
}
