import { EAGAIN, EINVAL } from "../errno.js";
import type { SignalInfo } from "../signals/siginfo.js";
import { SignalSet } from "../signals/signal-set.js";
import { takeSignal, type TimerMachine } from "../signals/take.js";
import type { Task } from "../task.js";
import type { WaitQueue } from "../wait-queue.js";
import { AnonymousFile } from "./anonymous-file.js";
import type { Location } from "./mount.js";
import { O_RDWR, POLLIN } from "./open-flags.js";

/** Bytes of a struct signalfd_siginfo. */
const RECORD_BYTES = 128;

/** A signal as struct signalfd_siginfo tells it (signalfd_copyinfo). */
export function encodeRecord(info: SignalInfo): Uint8Array {
  const bytes = new Uint8Array(RECORD_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, info.signo, true);
  view.setInt32(4, info.errno, true);
  view.setInt32(8, info.code, true);
  const { detail } = info;
  const sender = (pid: number, uid: number): void => {
    view.setInt32(12, pid, true);
    view.setUint32(16, uid, true);
  };
  const value = (given: bigint): void => {
    view.setInt32(44, Number(BigInt.asIntN(32, given)), true);
    view.setBigUint64(48, BigInt.asUintN(64, given), true);
  };
  switch (detail.kind) {
    case "kill":
      sender(detail.pid, detail.uid);
      break;
    case "queue":
      sender(detail.pid, detail.uid);
      value(detail.value);
      break;
    case "timer":
      view.setInt32(24, detail.timer, true);
      view.setInt32(32, detail.overrun, true);
      value(detail.value);
      break;
    case "fault":
      view.setBigUint64(72, BigInt.asUintN(64, detail.address), true);
      break;
    case "child":
      sender(detail.pid, detail.uid);
      view.setInt32(40, detail.status, true);
      view.setBigInt64(56, BigInt(detail.utime), true);
      view.setBigInt64(64, BigInt(detail.stime), true);
      break;
    case "raw": {
      // From offset 12 of the siginfo on: si_pid at 16, si_uid at 20, si_value at 24 (SIL_RT).
      const raw = new DataView(detail.bytes.buffer, detail.bytes.byteOffset, detail.bytes.byteLength);
      sender(raw.getInt32(4, true), raw.getUint32(8, true));
      if (info.code < 0) value(raw.getBigUint64(12, true));
      break;
    }
    default:
      break;
  }
  return bytes;
}

/** signalfd(2): reads the pending signals of whoever reads, blocked or not. */
export class SignalFile extends AnonymousFile {
  constructor(
    location: Location,
    flags: number,
    private readonly running: TimerMachine & { readonly current: Task },
    /** The signals it takes. */
    public signals: SignalSet,
  ) {
    super(location, O_RDWR | flags);
  }

  /** The caller's own; whoever registers there goes on watching that process, not the next one to poll. */
  override get waitQueue(): WaitQueue {
    return this.running.current.process.handlers.signalQueue;
  }

  private get others(): SignalSet {
    const others = new SignalSet();
    others.lo = ~this.signals.lo;
    others.hi = ~this.signals.hi;
    return others;
  }

  override read(destination: Uint8Array): number {
    const room = Math.floor(destination.length / RECORD_BYTES);
    if (room === 0) return -EINVAL;
    const others = this.others;
    let done = 0;
    for (; done < room; done++) {
      const info = takeSignal(this.running, this.running.current, others);
      if (info === null) break;
      destination.set(encodeRecord(info), done * RECORD_BYTES);
    }
    return done === 0 ? -EAGAIN : done * RECORD_BYTES;
  }

  override poll(): number {
    const { signals, process } = this.running.current;
    const others = this.others;
    return signals.pending.set.anyOutside(others) || process.pending.set.anyOutside(others) ? POLLIN : 0;
  }

  override info(): string {
    return `sigmask:\t${this.signals.toBigInt().toString(16).padStart(16, "0")}\n`;
  }
}
