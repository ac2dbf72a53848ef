import { EIO } from "../errno.js";

/** Bytes that lie somewhere and are read a region at a time: a file of the host, an array, a range of a URL. */
export interface ByteSource {
  /** Bytes. */
  readonly size: number;
  /** Fills `destination` with the bytes from `offset` on; the bytes read, fewer only at the end, or -errno. */
  read(offset: number, destination: Uint8Array): number;
}

/** The bytes of an array. */
export class ArraySource implements ByteSource {
  constructor(private readonly bytes: Uint8Array) {}

  get size(): number {
    return this.bytes.length;
  }

  read(offset: number, destination: Uint8Array): number {
    const part = this.bytes.subarray(offset, offset + destination.length);
    destination.set(part);
    return part.length;
  }
}

const WINDOW_BYTES = 16384;

/** Small reads that go forward, answered from a window of the source. */
export class SourceWindow {
  private readonly window = new Uint8Array(WINDOW_BYTES);
  private start = 0;
  private length = 0;

  constructor(private readonly source: ByteSource) {}

  /** Bytes [offset, offset + count), which must lie in the source; valid until the next call. -EIO when it fails. */
  bytes(offset: number, count: number): Uint8Array | number {
    if (count > WINDOW_BYTES) {
      const whole = new Uint8Array(count);
      return this.source.read(offset, whole) === count ? whole : -EIO;
    }
    if (offset < this.start || offset + count > this.start + this.length) {
      const got = this.source.read(offset, this.window);
      if (got < count) return -EIO;
      this.start = offset;
      this.length = got;
    }
    return this.window.subarray(offset - this.start, offset - this.start + count);
  }
}
