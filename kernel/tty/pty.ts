/** Pseudoterminals (drivers/tty/pty.c, pty(7)). */

import { EAGAIN, EIO, ENOSPC } from "../errno.js";
import type { DeviceNumber } from "../fs/inode.js";
import type { Location } from "../fs/mount.js";
import { OpenFile } from "../fs/open-file.js";
import { POLLHUP, POLLIN, POLLOUT, POLLPRI, POLLRDNORM, POLLWRNORM } from "../fs/open-flags.js";
import { WaitQueue } from "../wait-queue.js";
import { ByteQueue } from "./byte-queue.js";
import { hangUp } from "./job-control.js";
import type { OutputPort } from "./output.js";
import { Terminal, TIOCPKT_FLUSHWRITE } from "./terminal.js";
import type { OtherSide } from "./terminal.js";
import type { Terminals } from "./terminals.js";
import { standardTermios } from "./termios.js";

/** Bytes that fit between a terminal and its master's reader. */
const CAPACITY = 19_600;
/** Of them those that a flush of the output does not reach: the master's line discipline has them. */
const DELIVERED = 4095;
/** pty.max: how many there may be. */
const PTY_MAX = 4096;
export const PTS_MAJOR = 136;

/** A pair: the terminal, and its master. */
export class Pty implements OutputPort, OtherSide {
  readonly terminal: Terminal;
  /** Until TIOCSPTLCK the terminal cannot be opened. */
  locked = true;
  /** TIOCPKT: each read of the master begins with a byte that says what follows. */
  packet = false;
  /** TIOCPKT_* not told yet. */
  packetStatus = 0;
  /** The terminal was open, and is not: the master reads what is left, then EIO. */
  terminalClosed = false;
  /** Woken for the master. */
  readonly queue = new WaitQueue();
  private readonly written = new ByteQueue();
  /** While input comes in: how much had been written before. The rest is on its way, and a flush reaches it. */
  private writtenBefore: number | null = null;

  constructor(
    terminals: Terminals,
    readonly number: number,
  ) {
    const device: DeviceNumber = { major: PTS_MAJOR, minor: number };
    this.terminal = new Terminal(terminals, device, this);
    this.terminal.termios = standardTermios();
    this.terminal.otherSide = this;
  }

  // What the terminal writes.
  get room(): number {
    return Math.max(0, CAPACITY - this.written.length);
  }
  send(bytes: Uint8Array): void {
    this.written.push(bytes);
    this.queue.wake(POLLIN | POLLRDNORM);
  }
  discard(): void {
    this.written.truncate(Math.min(DELIVERED, this.writtenBefore ?? DELIVERED));
    this.packetEvent(TIOCPKT_FLUSHWRITE, 0);
  }

  /** A write of the master: how many bytes there was room for. */
  input(bytes: Uint8Array): number {
    this.writtenBefore = this.written.length;
    const count = this.terminal.receive(bytes);
    this.writtenBefore = null;
    return count;
  }

  // What the terminal tells.
  packetEvent(set: number, clear: number): void {
    if (!this.packet) return;
    this.packetStatus = (this.packetStatus & ~clear) | set;
    this.queue.wake(POLLPRI | POLLIN | POLLRDNORM);
  }
  roomForInput(): void {
    this.queue.wake(POLLOUT | POLLWRNORM);
  }
  opened(): void {
    this.terminalClosed = false;
  }
  lastClosed(): void {
    this.terminalClosed = true;
    this.queue.wake();
  }

  /** Bytes the master can read: FIONREAD. */
  get waiting(): number {
    return Math.min(this.written.length, DELIVERED);
  }

  /** A read of the master. */
  take(destination: Uint8Array): number {
    if (destination.length === 0) return 0;
    if (this.packet && this.packetStatus !== 0) {
      destination[0] = this.packetStatus;
      this.packetStatus = 0;
      return 1;
    }
    if (this.written.length === 0) return this.terminalClosed ? -EIO : -EAGAIN;
    const header = this.packet ? 1 : 0;
    if (header === 1) destination[0] = 0;
    // Its line discipline holds so much and no more.
    const count = this.written.take(destination.subarray(header, header + DELIVERED));
    if (count > 0) this.terminal.waitQueue.wake(POLLOUT | POLLWRNORM);
    return header + count;
  }

  /** TCIFLUSH of the master. */
  flushWritten(): void {
    this.written.truncate(0);
    this.terminal.waitQueue.wake(POLLOUT | POLLWRNORM);
  }

  get events(): number {
    let events = 0;
    if (this.written.length > 0) events |= POLLIN | POLLRDNORM;
    if (this.packet && this.packetStatus !== 0) events |= POLLPRI | POLLIN | POLLRDNORM;
    if (this.terminalClosed) events |= POLLHUP;
    if (this.terminal.receptive) events |= POLLOUT | POLLWRNORM;
    return events;
  }
}

/** The master's open file. Its end is the end of the pair. */
export class PtyMasterFile extends OpenFile {
  constructor(
    location: Location,
    flags: number,
    readonly pty: Pty,
  ) {
    super(location, flags);
  }

  override get seekable(): boolean {
    return false;
  }
  override get waitQueue(): WaitQueue {
    return this.pty.queue;
  }

  override read(destination: Uint8Array): number {
    return this.pty.take(destination);
  }

  override write(source: Uint8Array): number {
    if (source.length === 0) return 0;
    const count = this.pty.input(source);
    return count === 0 ? -EAGAIN : count;
  }

  override poll(): number {
    return this.pty.events;
  }

  protected override close(): void {
    const { terminal, number } = this.pty;
    const { terminals } = terminal;
    terminal.dead = true;
    terminals.ptys.delete(number);
    terminals.fileSystem?.remove(number);
    hangUp(terminals.kernel, terminal);
  }
}

/** Makes a pair, and its node in /dev/pts: what opening ptmx does. The node belongs to whoever opens. */
export function createPty(terminals: Terminals, uid: number): Pty | number {
  const number = terminals.freeNumber();
  if (number >= PTY_MAX) return -ENOSPC;
  const pty = new Pty(terminals, number);
  terminals.ptys.set(number, pty);
  terminals.fileSystem?.add(number, uid);
  return pty;
}
