import type { Credentials } from "../credentials.js";
import { EINVAL, ENODEV } from "../errno.js";
import type { Location } from "../fs/mount.js";
import { POLLERR, POLLIN, POLLOUT, POLLPRI, POLLRDNORM, POLLWRNORM } from "../fs/open-flags.js";
import { GeneratedFile } from "../fs/procfs/file-system.js";
import type { Kernel } from "../kernel.js";
import type { WaitQueue } from "../wait-queue.js";
import type { ControlGroup } from "./control-group.js";
import { fileRules } from "./files.js";

const ALWAYS = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
/** Its text comes from the group. */
const NO_SOURCE = null;

/** A file of a control group that somebody has open. */
export class GroupFile extends GeneratedFile {
  /** Who opened it: what is written is done in his name. */
  readonly opener: Credentials;
  /** The change that was read last; 0: it was never read. */
  private seen = 0;
  /** memory.peak, begun anew by a write through this file; null: it was not. */
  ownPeak: { pages: number } | null = null;

  constructor(
    location: Location,
    flags: number,
    readonly kernel: Kernel,
    readonly group: ControlGroup,
    readonly name: string,
  ) {
    super(location, flags, NO_SOURCE);
    this.opener = kernel.current.credentials;
  }

  protected override text(): string | number {
    if (this.group.removed) return -ENODEV;
    const text = fileRules(this.group, this.name)?.read?.(this) ?? -EINVAL;
    if (typeof text === "string") this.seen = this.group.noticeOf(this.name).event;
    return text;
  }

  override write(source: Uint8Array): number {
    if (this.group.removed) return -ENODEV;
    const text = String.fromCharCode(...source.subarray(0, 4096));
    const result = fileRules(this.group, this.name)?.write?.(this, text) ?? -EINVAL;
    return result < 0 ? result : source.length;
  }

  /** Its EAGAIN (memory.reclaim) is an answer, not something to wait for. */
  override get nonBlocking(): boolean {
    return true;
  }

  override get waitQueue(): WaitQueue {
    return this.group.noticeOf(this.name).queue;
  }

  /** Always readable; POLLPRI and POLLERR until a change has been read (kernfs_generic_poll). */
  override poll(): number {
    return this.seen === this.group.noticeOf(this.name).event ? ALWAYS : ALWAYS | POLLERR | POLLPRI;
  }

  protected override close(): void {
    if (this.ownPeak === null) return;
    this.group.peaks.delete(this.ownPeak);
    this.group.swapPeaks.delete(this.ownPeak);
  }
}
