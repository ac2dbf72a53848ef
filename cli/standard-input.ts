import * as fs from "node:fs";
import type { HostInput } from "../kernel/host.js";
import { isatty } from "./node-modules.js";

/** Milliseconds between two looks at a descriptor that has nothing yet. */
const FIRST_PAUSE = 1;
const LONGEST_PAUSE = 20;

/**
 * The process's standard input, or its terminal's keys, read no further than the guest asks, so that what it leaves is
 * there for the next program. A pipe or terminal is opened a second time without blocking where the host allows that;
 * elsewhere a terminal's keys come as Node's events, and of a pipe a read waits in the host.
 */
export class StandardInput implements HostInput {
  /** Sees each byte once, as it comes. */
  watch: ((bytes: Uint8Array) => void) | null = null;
  private fd: number | null = null;
  private opened = false;
  private ended = false;
  private ahead: Uint8Array = new Uint8Array(0);
  private closed = false;
  private waiting: Promise<void> | null = null;
  /** Keys come as events. */
  private streaming = false;

  /** @param open gives a descriptor to read instead of standard input, or null: then nothing ever comes */
  constructor(private readonly open: (() => number | null) | null = null) {}

  read(max: number): Uint8Array | "again" {
    if (this.ahead.length > 0) {
      const bytes = this.ahead.subarray(0, max);
      this.ahead = this.ahead.subarray(bytes.length);
      return bytes;
    }
    if (this.ended) {
      // A terminal goes on after its end-of-file key; everything else stays at its end.
      this.ended = false;
      return new Uint8Array(0);
    }
    return this.fetch(max);
  }

  ready(): boolean {
    if (this.ahead.length > 0 || this.ended) return true;
    // One byte tells; it is kept for the next read.
    const bytes = this.fetch(1);
    if (bytes === "again") return false;
    if (bytes.length === 0) this.ended = true;
    else this.ahead = bytes;
    return true;
  }

  /** Resolves when `ready` would be true. */
  wait(): Promise<void> {
    this.waiting ??= this.poll().finally(() => (this.waiting = null));
    return this.waiting;
  }

  private async poll(): Promise<void> {
    for (let pause = FIRST_PAUSE; !this.closed && !this.ready(); pause = Math.min(2 * pause, LONGEST_PAUSE))
      await new Promise((resolve) => setTimeout(resolve, pause));
  }

  close(): void {
    this.closed = true;
    if (this.streaming) process.stdin.off("data", this.arrived).pause();
    if (this.fd !== null && this.fd !== 0) fs.closeSync(this.fd);
    this.fd = null;
  }

  private fetch(max: number): Uint8Array | "again" {
    const fd = this.descriptor();
    if (this.streaming) return "again";
    if (fd === null) return this.open === null ? new Uint8Array(0) : "again";
    const bytes = new Uint8Array(max);
    try {
      const read = bytes.subarray(0, fs.readSync(fd, bytes, 0, max, null));
      this.watch?.(read);
      return read;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EAGAIN") return "again";
      // Windows says EOF for a pipe's end; EIO is a terminal that went away.
      if (code === "EOF" || code === "EIO" || code === "EBADF" || code === "EISDIR") return new Uint8Array(0);
      throw error;
    }
  }

  private readonly arrived = (bytes: Uint8Array): void => {
    this.watch?.(bytes);
    this.ahead = Uint8Array.from([...this.ahead, ...bytes]);
  };

  private descriptor(): number | null {
    if (this.opened) return this.fd;
    this.opened = true;
    if (this.open !== null) return (this.fd = this.open());
    this.fd = 0;
    try {
      const stat = fs.fstatSync(0);
      if (stat.isFIFO() || stat.isCharacterDevice()) {
        const again = reopen();
        this.fd = again ?? 0;
        this.streaming = again === null && isatty(0);
        if (this.streaming) process.stdin.on("data", this.arrived);
      }
    } catch {
      this.fd = null;
    }
    return this.fd;
  }
}

/** Descriptor 0 opened again without blocking: another description, so the caller's own stays as it was. */
function reopen(): number | null {
  const path =
    process.platform === "linux"
      ? "/proc/self/fd/0"
      : process.platform === "darwin" && isatty(0)
        ? "/dev/tty"
        : null;
  if (path === null) return null;
  try {
    return fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK | fs.constants.O_NOCTTY);
  } catch {
    return null;
  }
}
