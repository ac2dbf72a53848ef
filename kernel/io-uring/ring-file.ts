import { ECANCELED, EINVAL, ENOMEM } from "../errno.js";
import { AnonymousFile } from "../fs/anonymous-file.js";
import type { EventFile } from "../fs/event-file.js";
import type { Location } from "../fs/mount.js";
import type { OpenFile } from "../fs/open-file.js";
import { O_RDWR, POLLIN, POLLOUT, POLLRDNORM, POLLWRNORM } from "../fs/open-flags.js";
import type { Kernel } from "../kernel.js";
import type { Word } from "../mm/word.js";
import type { Task } from "../task.js";
import { WaitQueue } from "../wait-queue.js";
import { type RegisteredBuffer, unregisterBuffer } from "./buffers.js";
import type { Request } from "./request.js";
import type { RingPages } from "./ring-pages.js";
import {
  CQE_BYTES,
  IORING_CQ_EVENTFD_DISABLED,
  IORING_OFF_CQ_RING,
  IORING_OFF_MMAP_MASK,
  IORING_OFF_SQES,
  IORING_SETUP_DEFER_TASKRUN,
  IORING_SQ_CQ_OVERFLOW,
  IOSQE_CQE_SKIP_SUCCESS,
  IOSQE_IO_DRAIN,
  IOSQE_IO_HARDLINK,
  RINGS,
} from "./uapi.js";

/** Does requests: the system calls' side of a ring. */
export interface Issuer {
  /** Tries a request; one that has to wait is armed, another one completed. */
  issue(request: Request): void;
}

interface Completion {
  readonly userData: bigint;
  readonly result: number;
}

export interface RingShape {
  /** IORING_SETUP_*. */
  readonly flags: number;
  readonly sqEntries: number;
  readonly cqEntries: number;
  /** Where the index array begins in the rings' memory; 0: there is none. */
  readonly array: number;
}

/** io_uring_setup(2): two rings in shared memory, and what is between being submitted and being completed. */
export class RingFile extends AnonymousFile {
  private readonly queue = new WaitQueue();
  /** Requests that were begun and are not complete, and those of chains behind them. */
  private readonly inFlight = new Set<Request>();
  /** Requests that IOSQE_IO_DRAIN holds back, in order. */
  private readonly drained: Request[] = [];
  /** Requests to be tried now. */
  private readonly ready: Request[] = [];
  private busy = false;
  /** With IORING_SETUP_DEFER_TASKRUN: to be tried when the program asks for completions. */
  private readonly deferred: Request[] = [];
  /** Completions that the ring had no room for, the oldest first. */
  private readonly overflow: Completion[] = [];
  /** Submission entries taken so far, modulo 2^32. */
  taken = 0;
  buffers: (RegisteredBuffer | null)[] | null = null;
  files: (OpenFile | null)[] | null = null;
  /** Whom completions are told. */
  eventFile: EventFile | null = null;
  /** IORING_SETUP_R_DISABLED, until it is enabled. */
  disabled = false;
  /** IOSQE_CQE_SKIP_SUCCESS was asked for: IOSQE_IO_DRAIN is refused from then on. */
  drainDisabled = false;
  /** With IORING_SETUP_SINGLE_ISSUER: the only one who may submit. */
  submitter: Task | null = null;

  constructor(
    location: Location,
    private readonly kernel: Kernel,
    private readonly issuer: Issuer,
    readonly shape: RingShape,
    private readonly memory: RingPages,
  ) {
    super(location, O_RDWR);
    memory.setWord(RINGS.sqMask, shape.sqEntries - 1);
    memory.setWord(RINGS.cqMask, shape.cqEntries - 1);
    memory.setWord(RINGS.sqEntries, shape.sqEntries);
    memory.setWord(RINGS.cqEntries, shape.cqEntries);
  }

  override get pages(): RingPages {
    return this.memory;
  }
  override get mmapRefused(): number | undefined {
    return undefined;
  }
  readonly insertsPages = true;
  /** There is no fsync operation (vfs_fsync_range). */
  override sync(): number {
    return -EINVAL;
  }
  override get noExec(): boolean {
    return true;
  }
  /** io_uring_get_unmapped_area: no address may be asked for, and there is something at three offsets. */
  placeRefused(address: Word, offset: Word): number {
    if (BigInt(address) !== 0n) return EINVAL;
    const region = Number(BigInt(offset) & BigInt(IORING_OFF_MMAP_MASK));
    return region === 0 || region === IORING_OFF_CQ_RING || region === IORING_OFF_SQES ? 0 : ENOMEM;
  }

  override get waitQueue(): WaitQueue {
    return this.queue;
  }

  /** Completions in the ring that the program has not taken. */
  get completions(): number {
    return (this.pages.word(RINGS.cqTail) - this.pages.word(RINGS.cqHead)) >>> 0;
  }

  /** Submission entries that the program has put in and that were not taken; at most as many as there are. */
  get submitted(): number {
    return Math.min((this.pages.word(RINGS.sqTail) - this.taken) >>> 0, this.shape.sqEntries);
  }

  override poll(): number {
    let events = 0;
    if (this.submitted < this.shape.sqEntries) events |= POLLOUT | POLLWRNORM;
    if (this.completions > 0 || this.overflow.length > 0) events |= POLLIN | POLLRDNORM;
    return events;
  }

  /** The head of the submission ring moves to what was taken (io_commit_sqring). */
  commit(): void {
    this.pages.setWord(RINGS.sqHead, this.taken);
  }

  /** Begins a request, or the chain that it heads. */
  begin(head: Request): void {
    const held = head.flags & IOSQE_IO_DRAIN ? this.inFlight.size > 0 : false;
    if (held || this.drained.length > 0) this.drained.push(head);
    else this.start(head);
    this.work();
  }

  private start(head: Request): void {
    for (let each: Request | null = head; each !== null; each = each.next) this.inFlight.add(each);
    this.ready.push(head);
  }

  /** Tries what can be tried, one after the other, however one leads to the next. */
  private work(): void {
    if (this.busy) return;
    this.busy = true;
    for (let next = this.ready.shift(); next !== undefined; next = this.ready.shift())
      if (this.inFlight.has(next)) this.issuer.issue(next);
    this.busy = false;
  }

  issue(request: Request): void {
    this.ready.push(request);
    this.work();
  }

  /** A request is to be tried again, in its task's name. */
  putOff(request: Request): void {
    if ((this.shape.flags & IORING_SETUP_DEFER_TASKRUN) !== 0) {
      this.deferred.push(request);
      this.queue.wake();
    } else {
      request.task.work.push(request);
      request.task.wake();
    }
  }

  /** The program asks for completions: what was put off until then is tried. */
  getEvents(): void {
    for (let next = this.deferred.shift(); next !== undefined; next = this.deferred.shift()) this.issue(next);
    this.flushOverflow();
  }

  /**
   * A request is done.
   * @param result what its completion says
   * @param whole false breaks its chain: it failed, or did less than was asked
   */
  complete(request: Request, result: number, whole = result >= 0): void {
    if (!this.inFlight.delete(request)) return;
    request.finish();
    if (result < 0 || (request.flags & IOSQE_CQE_SKIP_SUCCESS) === 0 || !whole)
      this.post(request.userData, result);
    const { next } = request;
    request.next = null;
    if (next !== null) {
      if (whole || (request.flags & IOSQE_IO_HARDLINK) !== 0) this.ready.push(next);
      else this.cancelChain(next);
    }
    this.undrain();
    this.work();
  }

  /** What comes behind a failure in a chain: each completes with its own failure or as cancelled (io_fail_links). */
  cancelChain(head: Request): void {
    for (let each: Request | null = head; each !== null;) {
      const { next }: Request = each;
      each.next = null;
      this.inFlight.delete(each);
      each.finish();
      this.post(each.userData, each.failed === 0 ? -ECANCELED : each.failed);
      each = next;
    }
  }

  private undrain(): void {
    for (let next = this.drained[0]; next !== undefined; next = this.drained[0]) {
      const waits =
        (next.flags & IOSQE_IO_DRAIN) !== 0
          ? this.inFlight.size > 0
          : [...this.inFlight].some(({ flags }) => (flags & IOSQE_IO_DRAIN) !== 0);
      if (waits) return;
      this.drained.shift();
      this.start(next);
    }
  }

  private post(userData: bigint, result: number): void {
    if (this.overflow.length > 0 || this.completions >= this.shape.cqEntries) {
      this.overflow.push({ userData, result });
      this.pages.setWord(RINGS.sqFlags, this.pages.word(RINGS.sqFlags) | IORING_SQ_CQ_OVERFLOW);
    } else this.put({ userData, result });
    this.queue.wake(POLLIN);
    if (this.eventFile !== null && (this.pages.word(RINGS.cqFlags) & IORING_CQ_EVENTFD_DISABLED) === 0)
      this.eventFile.write(Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0));
  }

  private put({ userData, result }: Completion): void {
    const { pages } = this;
    const tail = pages.word(RINGS.cqTail);
    const at = RINGS.cqes + CQE_BYTES * (tail & (this.shape.cqEntries - 1));
    pages.setWord(at, Number(userData & 0xffff_ffffn));
    pages.setWord(at + 4, Number(userData >> 32n));
    pages.setWord(at + 8, result);
    pages.setWord(at + 12, 0);
    pages.setWord(RINGS.cqTail, tail + 1);
  }

  /** Completions that had no room get it (io_cqring_overflow_flush). */
  private flushOverflow(): void {
    if (this.overflow.length === 0) return;
    while (this.overflow.length > 0 && this.completions < this.shape.cqEntries)
      this.put(this.overflow.shift()!);
    if (this.overflow.length === 0)
      this.pages.setWord(RINGS.sqFlags, this.pages.word(RINGS.sqFlags) & ~IORING_SQ_CQ_OVERFLOW);
  }

  /** What a task has submitted ends without being done. */
  cancelOf(task: Task): void {
    for (const held of this.drained.filter((request) => request.task === task)) {
      this.drained.splice(this.drained.indexOf(held), 1);
      this.cancelChain(held);
    }
    for (const request of [...this.inFlight])
      if (request.task === task && this.inFlight.has(request)) this.cancelChain(request);
    for (const list of [this.deferred, this.ready])
      list.splice(0, list.length, ...list.filter((request) => this.inFlight.has(request)));
    if (this.submitter === task) this.submitter = null;
  }

  dropBuffers(): void {
    for (const buffer of this.buffers ?? []) if (buffer !== null) unregisterBuffer(this.kernel.pins, buffer);
    this.buffers = null;
  }

  dropFiles(): void {
    for (const file of this.files ?? []) file?.release();
    this.files = null;
  }

  override info(): string {
    const { pages, shape } = this;
    const hex = (value: number): string => `0x${value.toString(16)}`;
    const users = (count: number | undefined): number => count ?? 0;
    return [
      `SqMask:\t${hex(shape.sqEntries - 1)}`,
      `SqHead:\t${pages.word(RINGS.sqHead)}`,
      `SqTail:\t${pages.word(RINGS.sqTail)}`,
      `CachedSqHead:\t${this.taken}`,
      `CqMask:\t${hex(shape.cqEntries - 1)}`,
      `CqHead:\t${pages.word(RINGS.cqHead)}`,
      `CqTail:\t${pages.word(RINGS.cqTail)}`,
      `CachedCqTail:\t${pages.word(RINGS.cqTail)}`,
      `UserFiles:\t${users(this.files?.length)}`,
      `UserBufs:\t${users(this.buffers?.length)}`,
      "",
    ].join("\n");
  }

  protected override close(): void {
    for (const request of [...this.drained, ...this.inFlight]) {
      request.finish();
      const { work } = request.task;
      if (work.includes(request)) work.splice(work.indexOf(request), 1);
      request.task.rings?.delete(this);
    }
    this.drained.length = this.deferred.length = this.ready.length = 0;
    this.inFlight.clear();
    this.dropBuffers();
    this.dropFiles();
    this.eventFile?.release();
    this.eventFile = null;
    this.pages.destroy();
  }
}
