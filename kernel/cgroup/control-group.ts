import { PAGE_SIZE } from "../../mmu/layout.js";

/** The controllers there are, in the order in which Linux names them. */
export const CONTROLLERS = ["memory", "pids"] as const;
export type Controller = (typeof CONTROLLERS)[number];

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

  /** Pages charged to it and to what is below. */
  usage = 0;
  /** The most that `usage` was. */
  peak = 0;
  /** Pages; Infinity is "max". */
  max = Infinity;
  high = Infinity;
  min = 0;
  low = 0;
  swapMax = Infinity;
  swapHigh = Infinity;
  /** memory.oom.group: the group is killed whole. */
  oomGroup = false;
  readonly events = noEvents();
  readonly localEvents = noEvents();

  pidsMax = Infinity;
  pidsPeak = 0;
  /** Forks that pids.max refused, here or below. */
  pidsRefused = 0;

  /** @param number above 0, and no other group's of this machine; the root's is 0 */
  constructor(
    readonly number: number,
    readonly name: string,
    readonly parent: ControlGroup | null,
  ) {}

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

  /** Its parent gives it the controller; the root has them all. */
  has(controller: Controller): boolean {
    return this.parent === null || this.parent.subtree.has(controller);
  }

  /** The nearest group, itself included, that has the controller. */
  owner(controller: Controller): ControlGroup {
    return this.parent === null || this.has(controller) ? this : this.parent.owner(controller);
  }

  /** Counts an event here and in every group around. */
  count(event: keyof MemoryEvents): void {
    this.localEvents[event]++;
    this.countHierarchical(event);
  }

  private countHierarchical(event: keyof MemoryEvents): void {
    if (this.parent === null) return;
    this.events[event]++;
    this.parent.countHierarchical(event);
  }

  /** Pages charged (or, below 0, given back) here and in every group around. */
  charge(pages: number): void {
    this.usage += pages;
    // What passes the limit is made room for at once, or somebody goes for it.
    this.peak = Math.max(this.peak, Math.min(this.usage, this.max));
    this.parent?.charge(pages);
  }
}
