import { PAGE_SIZE } from "../../mmu/layout.js";
import { WaitQueue } from "../wait-queue.js";

/** The controllers there are, in the order in which Linux names them. */
export const CONTROLLERS = ["memory", "pids"] as const;
export type Controller = (typeof CONTROLLERS)[number];

/** A controller whose groups may part the threads of a process. */
export function isThreaded(controller: Controller): boolean {
  return controller === "pids";
}

/** memory.events: how often each happened here or below. */
export interface MemoryEvents {
  low: number;
  high: number;
  max: number;
  oom: number;
  oom_kill: number;
  oom_group_kill: number;
}

const noEvents = (): MemoryEvents => ({ low: 0, high: 0, max: 0, oom: 0, oom_kill: 0, oom_group_kill: 0 });

/** What memory.stat counts as it happens, here and below. */
export interface MemoryCounters {
  pgscan: number;
  pgsteal: number;
  pgfault: number;
  pglazyfreed: number;
}

/** A file that tells of its changes: poll(2) finds POLLPRI until it is read again (kernfs_notify). */
export interface Notice {
  event: number;
  readonly queue: WaitQueue;
}

export interface Ownership {
  uid: number;
  gid: number;
  /** Permission bits; null: as the file has them from the start. */
  mode: number | null;
}

/** A limit in pages as its file shows it: bytes, or "max". */
export function limitText(pages: number): string {
  return pages === Infinity ? "max\n" : `${pages * PAGE_SIZE}\n`;
}

/** One control group of the unified hierarchy (cgroups(7), Documentation/admin-guide/cgroup-v2.rst). */
export class ControlGroup {
  readonly children = new Map<string, ControlGroup>();
  /** cgroup.subtree_control: what the children have. */
  readonly subtree = new Set<Controller>();
  /** rmdir has taken its name; pages may be charged to it still. */
  removed = false;
  /** Whose its directory ("") and files are, where not the maker's. */
  readonly owners = new Map<string, Ownership>();
  /** By file: who waits for a change. */
  readonly notices = new Map<string, Notice>();

  /** cgroup.type has made it a part of its parent's threaded domain. */
  threaded = false;
  /** Tasks that have not ended, here and below; the root does not count. */
  live = 0;
  /** Of these, in the group itself. */
  ownLive = 0;
  /** Of those here and below: stopped by the freezer. */
  frozenTasks = 0;
  /** cgroup.freeze, as it was written here. */
  freeze = false;
  /** It, or a group around it, is to be frozen. */
  freezing = false;
  /** Everything in it is (cgroup.events). */
  frozen = false;
  maxDepth = Infinity;
  maxDescendants = Infinity;

  /** Pages charged to it and to what is below. */
  usage = 0;
  /** The most that `usage` was. */
  peak = 0;
  /** The same since a reader of memory.peak began it anew, by open file. */
  readonly peaks = new Set<{ pages: number }>();
  /** Pages; Infinity is "max". */
  max = Infinity;
  high = Infinity;
  min = 0;
  low = 0;
  /** How often in a row next to nothing could be taken back at `max`. */
  meagre = 0;
  swapMax = Infinity;
  swapHigh = Infinity;
  /** Pages in swap areas, charged to it and to what is below; and the most that there were. */
  swapUsage = 0;
  swapPeak = 0;
  readonly swapPeaks = new Set<{ pages: number }>();
  readonly swapEvents = { high: 0, max: 0, fail: 0 };
  /** memory.oom.group: the group is killed whole. */
  oomGroup = false;
  readonly events = noEvents();
  readonly localEvents = noEvents();
  readonly counters: MemoryCounters = { pgscan: 0, pgsteal: 0, pgfault: 0, pglazyfreed: 0 };

  pidsMax = Infinity;
  pidsPeak = 0;
  /** Forks that a limit refused, here or below; and the limit of this group itself. */
  pidsRefused = 0;
  pidsRefusedHere = 0;

  /**
   * @param number above 0, and no other group's of this machine; the root's is 0
   * @param owner who made it
   */
  constructor(
    readonly number: number,
    readonly name: string,
    readonly parent: ControlGroup | null,
    readonly owner: { readonly uid: number; readonly gid: number },
  ) {
    this.freezing = this.frozen = parent?.freezing ?? false;
  }

  /** From the root, as /proc/PID/cgroup has it. */
  get path(): string {
    if (this.parent === null) return "/";
    const above = this.parent.path;
    return above === "/" ? `/${this.name}` : `${above}/${this.name}`;
  }

  /** It or a group around it is `other`. */
  isWithin(other: ControlGroup): boolean {
    return this === other || (this.parent?.isWithin(other) ?? false);
  }

  /** It and all below, those above first. */
  *withDescendants(): Iterable<ControlGroup> {
    yield this;
    for (const child of this.children.values()) yield* child.withDescendants();
  }

  /** It and all around it but the root, the nearest first. */
  *withAncestors(): Iterable<ControlGroup> {
    if (this.parent === null) return;
    yield this;
    yield* this.parent.withAncestors();
  }

  /** The nearest group that both are in. */
  common(other: ControlGroup): ControlGroup {
    return this.parent === null || other.isWithin(this) ? this : this.parent.common(other);
  }

  /** Its parent gives it the controller; the root has them all. A threaded group has threaded ones only. */
  has(controller: Controller): boolean {
    if (this.parent === null) return true;
    return this.parent.subtree.has(controller) && (!this.threaded || isThreaded(controller));
  }

  /** The nearest group, itself included, that has the controller. */
  ownerOf(controller: Controller): ControlGroup {
    return this.parent === null || this.has(controller) ? this : this.parent.ownerOf(controller);
  }

  /** The group of the whole process, where threads of it are here (dom_cgrp). */
  get domain(): ControlGroup {
    return this.threaded && this.parent !== null ? this.parent.domain : this;
  }

  /** Counts an event here and in every group around. */
  count(event: keyof MemoryEvents): void {
    this.localEvents[event]++;
    this.notify("memory.events.local");
    for (const at of this.withAncestors()) {
      at.events[event]++;
      at.notify("memory.events");
    }
  }

  /** Pages charged (or, below 0, given back) here and in every group around. */
  charge(pages: number): void {
    this.usage += pages;
    // What passes the limit is made room for at once, or somebody goes for it.
    const seen = Math.min(this.usage, this.max);
    if (seen > this.peak) this.peak = seen;
    for (const each of this.peaks) each.pages = Math.max(each.pages, seen);
    this.parent?.charge(pages);
  }

  /** The same for pages in swap areas. */
  chargeSwap(pages: number): void {
    this.swapUsage += pages;
    this.swapPeak = Math.max(this.swapPeak, this.swapUsage);
    for (const each of this.swapPeaks) each.pages = Math.max(each.pages, this.swapUsage);
    this.parent?.chargeSwap(pages);
  }

  countSwap(event: "high" | "max" | "fail"): void {
    this.swapEvents[event]++;
    this.notify("memory.swap.events");
  }

  /** A file's content has changed: whoever polls it hears of that. */
  notify(file: string): void {
    const notice = this.notices.get(file);
    if (notice === undefined) return;
    notice.event++;
    notice.queue.wake();
  }

  /** What tells of a file's changes. */
  noticeOf(file: string): Notice {
    let notice = this.notices.get(file);
    if (notice === undefined) this.notices.set(file, (notice = { event: 1, queue: new WaitQueue() }));
    return notice;
  }
}
