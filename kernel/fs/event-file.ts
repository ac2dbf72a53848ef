import { EAGAIN, EINVAL } from "../errno.js";
import { WaitQueue } from "../wait-queue.js";
import type { Location } from "./mount.js";
import { OpenFile } from "./open-file.js";
import { POLLERR, POLLIN, POLLOUT } from "./open-flags.js";

const MAXIMUM = 0xffff_ffff_ffff_fffen;

/** eventfd(2): a 64-bit counter. */
export class EventFile extends OpenFile {
  readonly #queue = new WaitQueue();

  constructor(
    location: Location,
    flags: number,
    private counter: bigint,
    private readonly semaphore: boolean,
  ) {
    super(location, flags);
  }

  override get seekable(): boolean {
    return false;
  }
  override get waitQueue(): WaitQueue {
    return this.#queue;
  }
  override get mapName(): string {
    return this.location.dentry.name;
  }

  override read(destination: Uint8Array): number {
    if (destination.length < 8) return -EINVAL;
    if (this.counter === 0n) return -EAGAIN;
    const value = this.semaphore ? 1n : this.counter;
    this.counter -= value;
    this.#queue.wake();
    new DataView(destination.buffer, destination.byteOffset).setBigUint64(0, value, true);
    return 8;
  }

  override write(source: Uint8Array): number {
    if (source.length < 8) return -EINVAL;
    const value = new DataView(source.buffer, source.byteOffset).getBigUint64(0, true);
    if (value > MAXIMUM) return -EINVAL;
    if (this.counter + value > MAXIMUM) return -EAGAIN;
    this.counter += value;
    this.#queue.wake();
    return 8;
  }

  override poll(): number {
    let events = 0;
    if (this.counter > 0n) events |= POLLIN;
    if (this.counter > MAXIMUM) events |= POLLERR;
    if (this.counter < MAXIMUM) events |= POLLOUT;
    return events;
  }
}
