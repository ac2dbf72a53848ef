import { WaitQueue } from "../wait-queue.js";
import type { Watcher } from "../wait-queue.js";
import { AnonymousFile } from "./anonymous-file.js";
import type { Location } from "./mount.js";
import type { FileWatcher, OpenFile } from "./open-file.js";
import { O_RDWR, POLLIN, POLLOUT, POLLRDNORM } from "./open-flags.js";

export const EPOLLEXCLUSIVE = 1 << 28;
export const EPOLLWAKEUP = 1 << 29;
export const EPOLLONESHOT = 1 << 30;
export const EPOLLET = 1 << 31;
/** Bits that say how to watch, not for what (EP_PRIVATE_BITS). */
const PRIVATE_BITS = EPOLLEXCLUSIVE | EPOLLWAKEUP | EPOLLONESHOT | EPOLLET;

/** What an event says: the program's own 64 bits, in two halves. */
export interface EpollEvent {
  /** POLL* and EPOLL* bits, as a signed 32-bit number. */
  readonly events: number;
  readonly dataLow: number;
  readonly dataHigh: number;
}

/** One watched descriptor (struct epitem): an open file and the number under which it was added. */
export class EpollItem implements Watcher, FileWatcher {
  /** The queue in which it stands; signalfd's differs from task to task. */
  readonly queue: WaitQueue | null;

  constructor(
    readonly epoll: EpollFile,
    readonly file: OpenFile,
    readonly fd: number,
    public event: EpollEvent,
  ) {
    this.queue = file.waitQueue;
  }

  /** What holds now of what was asked for. */
  poll(): number {
    return this.event.events & ~PRIVATE_BITS & this.file.poll();
  }

  /** It may become ready by what the host brings: input, where that is asked for. */
  get waitsOnHost(): boolean {
    return (this.event.events & (POLLIN | POLLRDNORM)) !== 0 && this.file.waitsOnHost;
  }

  /** ep_poll_callback: the file may be ready. An exclusive item is done with a wake that its epoll's waiters got. */
  wake(events: number): boolean {
    const asked = this.event.events;
    if ((asked & ~PRIVATE_BITS) === 0) return false;
    if (events !== 0 && (events & asked) === 0) return false;
    const waited = this.epoll.itemWoken(this, events);
    if ((asked & EPOLLEXCLUSIVE) === 0) return true;
    const direction = events & (POLLIN | POLLOUT);
    return waited && (direction === 0 || (direction & asked) !== 0);
  }

  fileClosed(): void {
    this.epoll.remove(this);
  }
}

/**
 * epoll(7) (struct eventpoll): the items watched, and of these, in order, those that may be ready. An item enters the
 * list when its file's queue is woken, and is looked at when somebody waits; a level-triggered one that is ready goes
 * back to the end of the list, so that all get their turn.
 */
export class EpollFile extends AnonymousFile {
  private readonly queue = new WaitQueue();
  private readonly itemsOf = new Map<OpenFile, Map<number, EpollItem>>();
  private readonly ready = new Set<EpollItem>();
  /** Items whose readiness may come from the host, which wakes nobody: looked at on every wait. */
  private readonly polled = new Set<EpollItem>();

  constructor(location: Location) {
    super(location, O_RDWR);
  }

  override get waitQueue(): WaitQueue {
    return this.queue;
  }
  override get waitsOnHost(): boolean {
    for (const item of this.polled) if (item.waitsOnHost) return true;
    return false;
  }

  *items(): Generator<EpollItem> {
    for (const byNumber of this.itemsOf.values()) yield* byNumber.values();
  }

  find(file: OpenFile, fd: number): EpollItem | undefined {
    return this.itemsOf.get(file)?.get(fd);
  }

  /** Begins to watch (ep_insert). */
  insert(file: OpenFile, fd: number, event: EpollEvent): EpollItem {
    const item = new EpollItem(this, file, fd, event);
    let byNumber = this.itemsOf.get(file);
    if (byNumber === undefined) this.itemsOf.set(file, (byNumber = new Map<number, EpollItem>()));
    byNumber.set(fd, item);
    (file.watchers ??= new Set()).add(item);
    item.queue?.addWatcher(item, (event.events & EPOLLEXCLUSIVE) !== 0);
    if (file.waitsOnHost || file instanceof EpollFile) this.polled.add(item);
    this.enlistIfReady(item);
    return item;
  }

  /** Watches for something else from now on (ep_modify). */
  modify(item: EpollItem, event: EpollEvent): void {
    item.event = event;
    this.enlistIfReady(item);
  }

  remove(item: EpollItem): void {
    const { file, fd, queue } = item;
    queue?.removeWatcher(item);
    file.watchers?.delete(item);
    this.ready.delete(item);
    this.polled.delete(item);
    const byNumber = this.itemsOf.get(file);
    byNumber?.delete(fd);
    if (byNumber?.size === 0) this.itemsOf.delete(file);
  }

  private enlistIfReady(item: EpollItem): void {
    if (item.poll() === 0) return;
    this.ready.add(item);
    this.queue.wake(POLLIN);
  }

  /** An item's file was woken for something that it watches. Returns whether anybody waits here. */
  itemWoken(item: EpollItem, events: number): boolean {
    this.ready.add(item);
    const waited = this.queue.size > 0;
    this.queue.wake(POLLIN | events);
    return waited;
  }

  /**
   * Takes up to `max` events (ep_send_events).
   * @param put false when user memory refuses it: the event stays
   * @returns how many; -1 if the first one was refused
   */
  take(max: number, put: (index: number, events: number, event: EpollEvent) => boolean): number {
    this.lookAtHost();
    const again: EpollItem[] = [];
    let taken = 0;
    for (const item of this.ready) {
      if (taken >= max) break;
      const events = item.poll();
      if (events !== 0 && !put(taken, events, item.event)) {
        if (taken === 0) taken = -1;
        break;
      }
      this.ready.delete(item);
      if (events === 0) continue;
      taken++;
      const asked = item.event.events;
      if ((asked & EPOLLONESHOT) !== 0) item.event = { ...item.event, events: asked & PRIVATE_BITS };
      else if ((asked & EPOLLET) === 0) again.push(item);
    }
    for (const item of again) this.ready.add(item);
    return taken;
  }

  private lookAtHost(): void {
    for (const item of this.polled) if (item.waitsOnHost && item.poll() !== 0) this.ready.add(item);
  }

  /** Readable when an item is ready; those that turn out not to be leave the list (__ep_eventpoll_poll). */
  override poll(): number {
    this.lookAtHost();
    for (const item of this.ready) {
      if (item.poll() !== 0) return POLLIN | POLLRDNORM;
      this.ready.delete(item);
    }
    return 0;
  }

  override info(): string {
    let lines = "";
    for (const { fd, file, event } of this.items()) {
      const { major, minor } = file.node.fileSystem.device;
      const data = (BigInt(event.dataHigh >>> 0) << 32n) | BigInt(event.dataLow >>> 0);
      const events = (event.events >>> 0).toString(16).padStart(8);
      lines += `tfd: ${`${fd}`.padStart(8)} events: ${events} data: ${data.toString(16).padStart(16)} `;
      lines += ` pos:${file.position} ino:${file.inode.toString(16)} sdev:${((major << 20) | minor).toString(16)}\n`;
    }
    return lines;
  }

  protected override close(): void {
    for (const item of [...this.items()]) this.remove(item);
  }
}
