import { ENOSPC } from "../errno.js";
import type { Kernel } from "../kernel.js";
import type { PerfEvent } from "../perf/event.js";
import {
  PERF_FORMAT_GROUP,
  PERF_FORMAT_ID,
  PERF_FORMAT_LOST,
  PERF_FORMAT_TOTAL_TIME_ENABLED,
  PERF_FORMAT_TOTAL_TIME_RUNNING,
} from "../perf/uapi.js";
import { AnonymousFile } from "./anonymous-file.js";
import type { Location } from "./mount.js";
import { O_RDWR, POLLHUP } from "./open-flags.js";

/** perf_event_open(2): reads tell an event's count, or those of its group. */
export class PerfFile extends AnonymousFile {
  constructor(
    location: Location,
    private readonly kernel: Kernel,
    readonly event: PerfEvent,
  ) {
    super(location, O_RDWR);
  }

  /** Bytes that a read takes: as if the group were what it is now (perf_event__read_size). */
  private words(): number[] {
    const { event } = this;
    const { readFormat } = event.attributes;
    const has = (bit: number): boolean => (readFormat & bit) !== 0;
    const one = (each: PerfEvent): number[] => [
      each.value,
      ...(has(PERF_FORMAT_ID) ? [(each.parent ?? each).id] : []),
      ...(has(PERF_FORMAT_LOST) ? [0] : []),
    ];
    const enabled = has(PERF_FORMAT_TOTAL_TIME_ENABLED) ? [event.timeEnabled] : [];
    const running = has(PERF_FORMAT_TOTAL_TIME_RUNNING) ? [event.timeEnabled] : [];
    if (!has(PERF_FORMAT_GROUP)) {
      const [value, ...rest] = one(event);
      return [value!, ...enabled, ...running, ...rest];
    }
    const group = [event.leader, ...event.leader.siblings];
    return [group.length, ...enabled, ...running, ...group.flatMap(one)];
  }

  /** ENOSPC for less than all of it. */
  override read(destination: Uint8Array): number {
    const words = this.words();
    if (destination.length < words.length * 8) return -ENOSPC;
    const view = new DataView(destination.buffer, destination.byteOffset, destination.length);
    words.forEach((word, i) => view.setBigUint64(8 * i, BigInt(word), true));
    return words.length * 8;
  }

  override get ignoresSeeks(): boolean {
    return false;
  }

  /** Without a ring buffer there is nothing to wait for. */
  override poll(): number {
    return POLLHUP;
  }

  protected override close(): void {
    this.kernel.perf?.close(this.event);
  }
}
