import type { OpenFile } from "../fs/open-file.js";
import type { Kernel } from "../kernel.js";
import type { Task, TaskWork } from "../task.js";
import type { WaitRecord } from "../wait.js";
import type { WaitQueue, Waiter } from "../wait-queue.js";
import type { RingFile } from "./ring-file.js";
import { IOSQE_IO_HARDLINK, IOSQE_IO_LINK } from "./uapi.js";

/** A piece of user memory, or of a registered buffer. */
export interface RequestSegment {
  readonly address: number;
  readonly length: number;
}

/** A submission entry that was taken from the ring (struct io_kiocb). */
export class Request implements Waiter, TaskWork {
  readonly opcode: number;
  readonly flags: number;
  readonly fd: number;
  /** Where it works, once it was looked up; held. */
  file: OpenFile | null = null;
  /** The buffers, copied from the program when it was submitted. */
  segments: readonly RequestSegment[] = [];
  /** The errno with which its submission failed, negative; 0: none. */
  failed = 0;
  /** The next one of its chain. */
  next: Request | null = null;
  /** What its last try waits for, as a blocked call would; null before and after. */
  wait: WaitRecord | null = null;
  private queues: readonly WaitQueue[] = [];

  constructor(
    readonly kernel: Kernel,
    readonly ring: RingFile,
    /** Who submitted it, and in whose name it is done. */
    readonly task: Task,
    /** The entry's 64 bytes. */
    readonly entry: Uint8Array,
  ) {
    this.opcode = entry[0]!;
    this.flags = entry[1]!;
    this.fd = this.i32(4);
  }

  private get view(): DataView {
    return new DataView(this.entry.buffer, this.entry.byteOffset);
  }
  u16(at: number): number {
    return this.view.getUint16(at, true);
  }
  u32(at: number): number {
    return this.view.getUint32(at, true);
  }
  i32(at: number): number {
    return this.view.getInt32(at, true);
  }
  u64(at: number): bigint {
    return this.view.getBigUint64(at, true);
  }
  get userData(): bigint {
    return this.u64(32);
  }
  get linked(): boolean {
    return (this.flags & (IOSQE_IO_LINK | IOSQE_IO_HARDLINK)) !== 0;
  }

  /** Waits as the record says: tried again when one of its queues is woken (io_arm_poll_handler). */
  arm(wait: WaitRecord): void {
    this.wait = wait;
    this.queues = wait.queues ?? [];
    for (const queue of this.queues) queue.add(this);
    if (wait.kind === "file" && wait.host) this.kernel.hostWaiters.add(this);
  }

  private disarm(): void {
    for (const queue of this.queues) queue.remove(this);
    this.queues = [];
    this.kernel.hostWaiters.delete(this);
  }

  /** What it waits for may have come: its task tries it again. */
  wake(): void {
    this.disarm();
    this.ring.putOff(this);
  }

  /** Its task has come to it (task_work). */
  run(): void {
    this.ring.issue(this);
  }

  /** Gives up what it holds: it is done, or will not be. */
  finish(): void {
    this.disarm();
    if (this.wait?.kind === "file") for (const file of this.wait.files?.values() ?? []) file.release();
    this.wait = null;
    this.file?.release();
    this.file = null;
  }
}
