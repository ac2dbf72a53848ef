import { AnonymousFile } from "../fs/anonymous-file.js";
import type { Location } from "../fs/mount.js";
import { O_RDWR } from "../fs/open-flags.js";
import type { WaitQueue } from "../wait-queue.js";
import type { SeccompListener } from "./listener.js";

/** What SECCOMP_FILTER_FLAG_NEW_LISTENER gives: ioctl and poll (syscalls/seccomp-listener.ts). */
export class SeccompListenerFile extends AnonymousFile {
  constructor(
    location: Location,
    readonly listener: SeccompListener,
  ) {
    super(location, O_RDWR);
  }

  override get waitQueue(): WaitQueue {
    return this.listener.queue;
  }

  override poll(): number {
    return this.listener.poll();
  }

  protected override close(): void {
    this.listener.close();
  }
}
