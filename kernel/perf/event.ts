import type { Kernel } from "../kernel.js";
import type { Task } from "../task.js";
import type { EventAttributes } from "./attributes.js";
import { PERF_COUNT_SW_CPU_CLOCK, PERF_COUNT_SW_TASK_CLOCK, PERF_TYPE_SOFTWARE } from "./uapi.js";

/** What an event counts besides what the kernel tells every event (a PMU that has to be set up). */
export interface EventSource {
  /** It is there while the event is; -errno where that cannot be. */
  begin(event: PerfEvent): number;
  end(event: PerfEvent): void;
  /** The same for the event of a child task. */
  forChild(): EventSource;
}

/** "exit": the task it counts for has ended. */
export type EventState = "off" | "on" | "exit";

/** One counter (struct perf_event). */
export class PerfEvent {
  state: EventState;
  /** Its group: the leader's has the siblings in order. */
  leader: PerfEvent = this;
  readonly siblings: PerfEvent[] = [];
  /** Of which this one is the copy that a child task got. */
  parent: PerfEvent | null = null;
  readonly children = new Set<PerfEvent>();
  /** Events in all, and those of children that have ended. */
  private own = 0;
  private childrens = 0;
  /** Nanoseconds for which it was enabled, and so counted. */
  private enabled = 0;
  private childrensEnabled = 0;
  /** The clock of its task or processor when it was last looked at. */
  private since: number;
  private enablesOnExec: boolean;
  /** Nobody has it open any more. */
  closed = false;

  constructor(
    private readonly kernel: Kernel,
    readonly id: number,
    readonly attributes: EventAttributes,
    /** Whom it counts for; null: a processor. */
    readonly task: Task | null,
    readonly cpu: number,
    /** Who opened it: prctl(PR_TASK_PERF_EVENTS_DISABLE) of that one turns it off. */
    readonly owner: Task | null,
    readonly source: EventSource | null,
  ) {
    this.state = attributes.disabled ? "off" : "on";
    this.enablesOnExec = attributes.enableOnExec;
    this.since = this.now;
  }

  /** Nanoseconds that pass where it counts: a task's processor time, or a processor's. */
  private get now(): number {
    return this.task === null ? this.kernel.clock.monotonic() : this.task.instructions;
  }

  /** It counts: a group does while its leader does. */
  get counts(): boolean {
    return this.state === "on" && this.leader.state === "on";
  }

  private get isClock(): boolean {
    const { type, config } = this.attributes;
    if (type !== PERF_TYPE_SOFTWARE) return false;
    return config === BigInt(PERF_COUNT_SW_CPU_CLOCK) || config === BigInt(PERF_COUNT_SW_TASK_CLOCK);
  }

  /** Brings its times up to now (perf_event_update_time). */
  private update(): void {
    const { now } = this;
    if (this.counts) {
      this.enabled += now - this.since;
      if (this.isClock) this.own += now - this.since;
    }
    this.since = now;
  }

  private updateGroup(): void {
    for (const each of [this.leader, ...this.leader.siblings]) each.update();
  }

  /** Something happened that it counts. */
  add(count: number): void {
    if (this.counts) this.own += count;
  }

  setState(state: EventState): void {
    if (this.state === "exit") return;
    this.updateGroup();
    this.state = state;
  }

  /** As ENABLE and DISABLE: with the copies that children have. */
  switchAll(on: boolean): void {
    for (const each of [this, ...this.children]) each.setState(on ? "on" : "off");
  }

  reset(): void {
    this.update();
    this.own = 0;
  }

  resetAll(): void {
    for (const each of [this, ...this.children]) each.reset();
    this.childrens = 0;
  }

  get value(): number {
    let sum = this.childrens;
    for (const each of [this, ...this.children]) {
      each.update();
      sum += each.own;
    }
    return sum;
  }

  get timeEnabled(): number {
    let sum = this.childrensEnabled;
    for (const each of [this, ...this.children]) {
      each.update();
      sum += each.enabled;
    }
    return sum;
  }

  /** execve: events that waited for it begin, and some end (perf_event_exec). */
  executed(): void {
    if (!this.enablesOnExec) return;
    this.enablesOnExec = false;
    this.setState("on");
  }

  /** It becomes part of a leader's group. */
  join(leader: PerfEvent): void {
    this.update();
    this.leader = leader;
    leader.siblings.push(this);
  }

  /** The leader goes: its siblings stand for themselves (perf_group_detach). */
  leaveGroup(): void {
    this.updateGroup();
    if (this.leader !== this) {
      const { siblings } = this.leader;
      siblings.splice(siblings.indexOf(this), 1);
      this.leader = this;
      return;
    }
    for (const sibling of this.siblings.splice(0)) {
      sibling.leader = sibling;
      if (this.state === "off") sibling.state = "off";
    }
  }

  /** A copy for a child task; what it counts is the first one's too. */
  copyFor(child: Task, id: number): PerfEvent {
    const first = this.parent ?? this;
    const source = this.source === null ? null : this.source.forChild();
    const copy = new PerfEvent(this.kernel, id, this.attributes, child, this.cpu, null, source);
    copy.state = this.state === "exit" ? "off" : this.state;
    copy.parent = first;
    first.children.add(copy);
    return copy;
  }

  /** A copy's task has ended: what it counted stays (sync_child_event). */
  returnToParent(parent: PerfEvent): void {
    this.update();
    parent.childrens += this.own;
    parent.childrensEnabled += this.enabled;
    parent.children.delete(this);
  }
}
