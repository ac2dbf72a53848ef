import { EAGAIN, EINVAL } from "../errno.js";
import { WaitQueue } from "../wait-queue.js";
import { AnonymousFile } from "./anonymous-file.js";
import type { Location } from "./mount.js";
import { POLLERR, POLLIN, POLLOUT } from "./open-flags.js";

const MAXIMUM = 0xffff_ffff_ffff_fffen;

/** eventfd(2): a 64-bit counter. */
export class EventFile extends AnonymousFile {
  private readonly queue = new WaitQueue();

  constructor(
    location: Location,
    flags: number,
    private counter: bigint,
    private readonly semaphore: boolean,
  ) {
    super(location, flags);
  }

  override get waitQueue(): WaitQueue {
    return this.queue;
  }

  override read(destination: Uint8Array): number {
    if (destination.length < 8) return -EINVAL;
    if (this.counter === 0n) return -EAGAIN;
    const value = this.semaphore ? 1n : this.counter;
    this.counter -= value;
    this.queue.wake(POLLOUT);
    new DataView(destination.buffer, destination.byteOffset).setBigUint64(0, value, true);
    return 8;
  }

  override write(source: Uint8Array): number {
    if (source.length < 8) return -EINVAL;
    const value = new DataView(source.buffer, source.byteOffset).getBigUint64(0, true);
    if (value > MAXIMUM) return -EINVAL;
    if (this.counter + value > MAXIMUM) return -EAGAIN;
    this.counter += value;
    this.queue.wake(POLLIN);
    return 8;
  }

  override poll(): number {
    let events = 0;
    if (this.counter > 0n) events |= POLLIN;
    if (this.counter > MAXIMUM) events |= POLLERR;
    if (this.counter < MAXIMUM) events |= POLLOUT;
    return events;
  }
  override info(): string {
    const count = this.counter.toString(16).padStart(16);
    return `eventfd-count: ${count}\neventfd-id: ${this.identity}\neventfd-semaphore: ${this.semaphore ? 1 : 0}\n`;
  }
}
