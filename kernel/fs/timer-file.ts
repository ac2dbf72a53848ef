import type { Clock } from "../clock.js";
import { EAGAIN, ECANCELED, EINVAL } from "../errno.js";
import type { TimerEntry, TimerQueue, TimerTarget } from "../timer-queue.js";
import { WaitQueue, type Waiter } from "../wait-queue.js";
import { AnonymousFile } from "./anonymous-file.js";
import type { Location } from "./mount.js";
import { O_RDWR, POLLIN } from "./open-flags.js";

export const TFD_TIMER_ABSTIME = 1;
export const TFD_TIMER_CANCEL_ON_SET = 2;
const CLOCK_REALTIME = 0;
const CLOCK_REALTIME_ALARM = 8;
const SECOND = 1_000_000_000n;

/** Nanoseconds. */
export interface TimerSetting {
  readonly value: bigint;
  readonly interval: bigint;
}

/**
 * timerfd_create(2): counts how often a timer has expired. Like Linux it fires once, and reckons what an interval has
 * added only when somebody reads or asks.
 */
export class TimerFile extends AnonymousFile implements TimerTarget, Waiter {
  private readonly queue = new WaitQueue();
  /** When it expires next or did last: monotonic nanoseconds, or real time where `real`. */
  private expires = 0n;
  private period = 0n;
  /** Absolute, on a clock that can be set. */
  private real = false;
  private entry: TimerEntry | null = null;
  /** It fired, and its interval has not been reckoned since. */
  private expirations = false;
  private ticks = 0n;
  /** The flags of timerfd_settime. */
  private settings = 0;
  /** TFD_TIMER_CANCEL_ON_SET is on, and the clock has been set since that was last told. */
  private cancelled = false;

  constructor(
    location: Location,
    flags: number,
    readonly clockId: number,
    private readonly kernel: { readonly clock: Clock; readonly timerQueue: TimerQueue },
  ) {
    super(location, O_RDWR | flags);
  }

  override get waitQueue(): WaitQueue {
    return this.queue;
  }

  private get onRealTime(): boolean {
    return this.clockId === CLOCK_REALTIME || this.clockId === CLOCK_REALTIME_ALARM;
  }

  private get cancels(): boolean {
    const both = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
    return this.onRealTime && (this.settings & both) === both;
  }

  private monotonic(): bigint {
    return BigInt(Math.floor(this.kernel.clock.monotonic()));
  }

  /** Now, in the time that `expires` is in. */
  private now(): bigint {
    return this.real ? this.kernel.clock.realtimeOrigin + this.monotonic() : this.monotonic();
  }

  private start(): void {
    const { clock, timerQueue } = this.kernel;
    const at = this.real ? this.expires - clock.realtimeOrigin : this.expires;
    this.entry = timerQueue.add(Number(at), this);
    if (this.real) clock.wasSet.add(this);
  }

  private stop(): void {
    if (this.entry !== null) this.kernel.timerQueue.cancel(this.entry);
    this.entry = null;
    this.kernel.clock.wasSet.remove(this);
  }

  /** Its time has come (timerfd_tmrproc). */
  expired(): void {
    this.entry = null;
    this.expirations = true;
    this.ticks++;
    this.queue.wake(POLLIN);
  }

  /** The real time was set: what is due by it is due at another moment (timerfd_clock_was_set). */
  wake(): void {
    if (this.entry !== null) {
      this.kernel.timerQueue.cancel(this.entry);
      this.start();
    }
    if (!this.cancels || this.cancelled) return;
    this.cancelled = true;
    this.ticks++;
    this.queue.wake(POLLIN);
  }

  /** Sets the timer (timerfd_setup): 0, or -ECANCELED when the clock was set before somebody noticed. */
  set(flags: number, { value, interval }: TimerSetting): number {
    this.stop();
    const absolute = (flags & TFD_TIMER_ABSTIME) !== 0;
    this.settings = flags;
    this.expirations = false;
    this.ticks = 0n;
    this.period = interval;
    this.real = absolute && this.onRealTime;
    this.expires = absolute || value === 0n ? value : this.monotonic() + value;
    if (value !== 0n) this.start();
    if (this.cancels) this.kernel.clock.wasSet.add(this);
    if (value === 0n || !this.cancels || !this.cancelled) return 0;
    this.cancelled = false;
    return -ECANCELED;
  }

  /** Moves an expired interval timer past now (hrtimer_forward_now) and starts it; the expiries that passed. */
  private forward(): bigint {
    const late = this.now() - this.expires;
    const times = late < 0n ? 0n : late / this.period + 1n;
    this.expires += times * this.period;
    this.expirations = false;
    this.start();
    return times;
  }

  /** What timerfd_gettime gives: the time left, 0 when disarmed or over. */
  get(): TimerSetting {
    if (this.expirations && this.period !== 0n) this.ticks += this.forward() - 1n;
    const left = this.entry === null ? 0n : this.expires - this.now();
    return { value: left < 0n ? 0n : left, interval: this.period };
  }

  override read(destination: Uint8Array): number {
    if (destination.length < 8) return -EINVAL;
    if (this.ticks === 0n) return -EAGAIN;
    if (this.cancels && this.cancelled) {
      this.cancelled = false;
      this.ticks = 0n;
      return -ECANCELED;
    }
    let ticks = this.ticks;
    if (this.expirations && this.period !== 0n) ticks += this.forward() - 1n;
    this.expirations = false;
    this.ticks = 0n;
    new DataView(destination.buffer, destination.byteOffset).setBigUint64(0, ticks, true);
    return 8;
  }

  override poll(): number {
    return this.ticks === 0n ? 0 : POLLIN;
  }

  override info(): string {
    const left = this.entry === null ? 0n : this.expires - this.now();
    const pair = (time: bigint): string => `(${time / SECOND}, ${time % SECOND})`;
    return (
      `clockid: ${this.clockId}\nticks: ${this.ticks}\nsettime flags: 0${this.settings.toString(8)}\n` +
      `it_value: ${pair(left < 0n ? 0n : left)}\nit_interval: ${pair(this.period)}\n`
    );
  }

  protected override close(): void {
    this.stop();
  }
}
