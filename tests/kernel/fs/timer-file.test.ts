import { beforeEach, expect, test } from "vitest";
import { VirtualClock } from "../../../kernel/clock.js";
import { ECANCELED, EAGAIN } from "../../../kernel/errno.js";
import { POLLIN } from "../../../kernel/fs/open-flags.js";
import { TFD_TIMER_ABSTIME, TFD_TIMER_CANCEL_ON_SET, TimerFile } from "../../../kernel/fs/timer-file.js";
import { TimerQueue } from "../../../kernel/timer-queue.js";
import { makeTree } from "./tree.js";

const REALTIME = 0;
const CANCEL = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
const ORIGIN = 1000n;
let clock: VirtualClock;
let timerQueue: TimerQueue;
let timer: TimerFile;

beforeEach(() => {
  clock = new VirtualClock({ instructions: 0 }, ORIGIN);
  timerQueue = new TimerQueue();
  timer = new TimerFile(makeTree().fs.root, 0, REALTIME, { clock, timerQueue });
});

function read(): bigint | number {
  const bytes = new Uint8Array(8);
  const result = timer.read(bytes);
  return result < 0 ? result : new DataView(bytes.buffer).getBigUint64(0, true);
}

function pass(nanoseconds: number): void {
  clock.advanceTo(clock.monotonic() + nanoseconds);
  timerQueue.fire(clock.monotonic());
}

// What timerfd_create(2) says of clocks that are set; nobody sets the clock of the machine that runs the tests.
test("setting the clock cancels a timer that asks for it, once", () => {
  expect(timer.set(CANCEL, { value: 5000n, interval: 0n })).toBe(0);
  expect(timer.poll()).toBe(0);
  clock.realtimeOrigin = 2000n;
  expect(timer.poll()).toBe(POLLIN);
  expect(read()).toBe(-ECANCELED);
  expect(read()).toBe(-EAGAIN);
  pass(3000);
  expect(read()).toBe(1n);
});

test("a cancelled timer that is set again says so, and is set", () => {
  timer.set(CANCEL, { value: 5000n, interval: 0n });
  clock.realtimeOrigin = 2000n;
  expect(timer.set(CANCEL, { value: 6000n, interval: 0n })).toBe(-ECANCELED);
  expect(timer.get().value).toBe(4000n);
  pass(4000);
  expect(read()).toBe(1n);
});

test("an absolute time moves with the clock, a relative one does not", () => {
  timer.set(TFD_TIMER_ABSTIME, { value: 5000n, interval: 0n });
  clock.realtimeOrigin = 4500n;
  expect(read()).toBe(-EAGAIN);
  pass(500);
  expect(read()).toBe(1n);
  timer.set(0, { value: 700n, interval: 0n });
  clock.realtimeOrigin = 9000n;
  expect(timer.get().value).toBe(700n);
});

test("an interval is counted when it is read", () => {
  timer.set(0, { value: 10n, interval: 100n });
  pass(10);
  pass(350);
  expect(timerQueue.size).toBe(0);
  expect(read()).toBe(4n);
  expect(timer.get()).toEqual({ value: 50n, interval: 100n });
});
