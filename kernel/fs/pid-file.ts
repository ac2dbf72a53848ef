import type { Process, Task } from "../task.js";
import type { WaitQueue } from "../wait-queue.js";
import type { Location } from "./mount.js";
import { OpenFile } from "./open-file.js";
import { O_NONBLOCK, O_RDWR, POLLHUP, POLLIN, POLLRDNORM } from "./open-flags.js";

/** PIDFD_THREAD */
const O_EXCL = 0o200;

/** A pidfd (pidfd_open(2)): a process, or one thread of it, that its number going to another does not confuse. */
export class PidFile extends OpenFile {
  readonly process: Process;

  /** @param flags O_NONBLOCK; O_EXCL where it is about the thread alone */
  constructor(
    location: Location,
    flags: number,
    private readonly kernel: { readonly processes: ReadonlyMap<number, Process> },
    readonly task: Task,
  ) {
    super(location, O_RDWR | (flags & (O_NONBLOCK | O_EXCL)));
    this.process = task.process;
  }

  override get seekable(): boolean {
    return false;
  }
  override get mapName(): string {
    return this.location.dentry.name;
  }
  override get waitQueue(): WaitQueue {
    return this.process.exitQueue;
  }
  get isThread(): boolean {
    return (this.flags & O_EXCL) !== 0;
  }

  /** It has ended and has been waited for. */
  get reaped(): boolean {
    if (this.isThread && this.task !== this.process.leader) return this.task.state === "dead";
    return this.kernel.processes.get(this.process.pid) !== this.process;
  }

  /** Readable when it has ended; hung up when nothing of it is left (pidfd_poll). */
  override poll(): number {
    if (this.reaped) return POLLIN | POLLRDNORM | POLLHUP;
    const ended = this.process.zombie || (this.isThread && this.task.state === "dead");
    return ended ? POLLIN | POLLRDNORM : 0;
  }

  override info(): string {
    const number = this.reaped ? -1 : this.task.tid;
    return `Pid:\t${number}\nNSpid:\t${number}\n`;
  }
}
