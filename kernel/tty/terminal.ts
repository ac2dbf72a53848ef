import type { WaitQueue } from "../wait-queue.js";
import { WaitQueue as Queue } from "../wait-queue.js";
import { POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "../fs/open-flags.js";
import type { DeviceNumber } from "../fs/inode.js";
import { ByteQueue } from "./byte-queue.js";
import { LineDiscipline } from "./line-discipline.js";
import type { DisciplineOwner } from "./line-discipline.js";
import { OutputProcessor } from "./output.js";
import type { OutputPort } from "./output.js";
import type { TerminalFile } from "./terminal-file.js";
import { IXON, standardTermios, VSTART, VSTOP } from "./termios.js";
import type { Termios } from "./termios.js";
import type { Terminals } from "./terminals.js";

/** struct winsize. */
export interface WindowSize {
  readonly rows: number;
  readonly columns: number;
  readonly xPixels: number;
  readonly yPixels: number;
}

const TIOCPKT_FLUSHREAD = 1;
export const TIOCPKT_FLUSHWRITE = 2;
const TIOCPKT_STOP = 4;
const TIOCPKT_START = 8;
const TIOCPKT_NOSTOP = 16;
const TIOCPKT_DOSTOP = 32;

/** Bytes that may wait before the line discipline takes them, as of a pty's flip buffer. */
const PENDING_BYTES = 16384;
const CONTROL_S = 0x13;
const CONTROL_Q = 0x11;

/** What the other side wants to hear: a pty's master does. */
export interface OtherSide {
  /** TIOCPKT_* to be told in packet mode. */
  packetEvent(set: number, clear: number): void;
  /** There is room for input again. */
  roomForInput(): void;
  opened(): void;
  /** The last open file of it has gone. */
  lastClosed(): void;
}

/**
 * A terminal: what programs open as /dev/pts/N (tty_struct). Its other side, a pty's master or the user's own
 * terminal, gives it input through `receive` and is its output port.
 */
export class Terminal implements DisciplineOwner {
  termios: Termios = standardTermios();
  window: WindowSize = { rows: 0, columns: 0, xPixels: 0, yPixels: 0 };
  /** The session whose controlling terminal it is, as a number; 0: none. */
  session = 0;
  /** The foreground process group; 0: none. */
  foreground = 0;
  /** TIOCEXCL. */
  exclusive = false;
  /** Hung up: its other side is gone for good. */
  dead = false;
  readonly output: OutputProcessor;
  readonly discipline: LineDiscipline;
  /** Of readers and writers both. */
  readonly waitQueue: WaitQueue = new Queue();
  readonly files = new Set<TerminalFile>();
  otherSide: OtherSide | null = null;
  private readonly pending = new ByteQueue();

  constructor(
    readonly terminals: Terminals,
    readonly device: DeviceNumber,
    port: OutputPort,
  ) {
    this.output = new OutputProcessor(port, this);
    this.discipline = new LineDiscipline(this);
  }

  /** Input from the other side: how many bytes there is room for. */
  receive(bytes: Uint8Array): number {
    const count = Math.min(bytes.length, Math.max(0, PENDING_BYTES - this.pending.length));
    const part = bytes.subarray(0, count);
    if (this.pending.length > 0) {
      this.pending.push(part);
      this.takePending();
    } else {
      const taken = this.discipline.receive(part);
      if (taken < count) this.pending.push(part.subarray(taken));
    }
    return count;
  }

  /** True while `receive` has room. */
  get receptive(): boolean {
    return this.pending.length < PENDING_BYTES;
  }

  /** A reader made room. */
  takePending(): void {
    if (this.pending.length === 0) return;
    const taken = this.discipline.receive(this.pending.peek(this.pending.length));
    this.pending.drop(taken);
    if (taken > 0) this.otherSide?.roomForInput();
  }

  /** tcflush of what has not been read (TCIFLUSH). */
  flushInput(): void {
    this.pending.truncate(0);
    this.discipline.flushInput();
    this.otherSide?.roomForInput();
  }

  /** Input on its way that the line discipline has not taken is thrown away. */
  discardPending(): void {
    this.pending.truncate(0);
  }

  /** tcflush of what was written (TCOFLUSH). */
  flushOutput(): void {
    this.output.port.discard();
    this.otherSide?.packetEvent(TIOCPKT_FLUSHWRITE, 0);
  }

  setTermios(termios: Termios): void {
    const old = this.termios;
    this.termios = termios;
    const flow = flowControlled(termios);
    if (flow !== flowControlled(old))
      this.otherSide?.packetEvent(flow ? TIOCPKT_DOSTOP : TIOCPKT_NOSTOP, TIOCPKT_DOSTOP | TIOCPKT_NOSTOP);
    this.discipline.settingsChanged(old);
    this.waitQueue.wake();
  }

  /** True where it changed; the foreground group is to be told. */
  setWindow(window: WindowSize): boolean {
    const old = this.window;
    const same =
      old.rows === window.rows &&
      old.columns === window.columns &&
      old.xPixels === window.xPixels &&
      old.yPixels === window.yPixels;
    this.window = window;
    return !same;
  }

  // What the line discipline asks for.
  stop(): void {
    if (this.output.stopped) return;
    this.output.stopped = true;
    this.otherSide?.packetEvent(TIOCPKT_STOP, TIOCPKT_START);
  }

  start(): void {
    if (!this.output.stopped || this.output.stoppedByCall) return;
    this.output.stopped = false;
    this.otherSide?.packetEvent(TIOCPKT_START, TIOCPKT_STOP);
    this.waitQueue.wake(POLLOUT | POLLWRNORM);
  }

  signal(signal: number): void {
    this.terminals.signalGroup(this.foreground, signal);
  }

  inputReady(): void {
    this.waitQueue.wake(POLLIN | POLLRDNORM);
  }

  inputFlushed(): void {
    this.otherSide?.packetEvent(TIOCPKT_FLUSHREAD, 0);
  }
}

/** ^S and ^Q have their usual meaning. */
function flowControlled({ input, characters }: Termios): boolean {
  return (input & IXON) !== 0 && characters[VSTOP] === CONTROL_S && characters[VSTART] === CONTROL_Q;
}
