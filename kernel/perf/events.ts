import type { Kernel } from "../kernel.js";
import type { Task } from "../task.js";
import { PerfEvent } from "./event.js";
import {
  PERF_COUNT_SW_CONTEXT_SWITCHES,
  PERF_COUNT_SW_PAGE_FAULTS,
  PERF_COUNT_SW_PAGE_FAULTS_MAJ,
  PERF_COUNT_SW_PAGE_FAULTS_MIN,
  PERF_TYPE_SOFTWARE,
} from "./uapi.js";

/** What there is to count for everybody: the events of the machine, and of its tasks (kernel/events/core.c). */
export class PerfEvents {
  /** Those of the processor. */
  private readonly ofProcessor: PerfEvent[] = [];
  private readonly ofTasks = new Map<Task, PerfEvent[]>();
  /** The task that has the processor now; null: it idles. */
  private running: Task | null;
  private nextId = 1;

  constructor(private readonly kernel: Kernel) {
    this.running = kernel.current;
  }

  newId(): number {
    return this.nextId++;
  }

  of(task: Task | null): readonly PerfEvent[] {
    return this.listOf(task) ?? [];
  }

  private listOf(task: Task | null): PerfEvent[] | undefined {
    return task === null ? this.ofProcessor : this.ofTasks.get(task);
  }

  /** From now on it counts, if it is on. */
  install(event: PerfEvent): void {
    const { task } = event;
    const list = this.listOf(task);
    if (list !== undefined) list.push(event);
    else if (task !== null) this.ofTasks.set(task, [event]);
  }

  /** It counts no more. */
  remove(event: PerfEvent): void {
    const list = this.listOf(event.task);
    const at = list?.indexOf(event) ?? -1;
    if (list === undefined || at < 0) return;
    list.splice(at, 1);
    if (list.length === 0 && event.task !== null) this.ofTasks.delete(event.task);
  }

  /** Nobody can read it any more: it goes, with its copies (perf_event_release_kernel). */
  close(event: PerfEvent): void {
    event.closed = true;
    for (const each of [event, ...event.children]) {
      each.leaveGroup();
      this.remove(each);
      each.source?.end(each);
    }
    event.children.clear();
  }

  *all(): IterableIterator<PerfEvent> {
    yield* this.ofProcessor;
    for (const events of this.ofTasks.values()) yield* events;
  }

  /** @param inUser it happened in the program itself, and not in the kernel on its behalf */
  count(task: Task, config: number, inUser: boolean): void {
    for (const list of [this.ofProcessor, this.ofTasks.get(task)])
      for (const event of list ?? []) {
        const { type, config: counted, excludeUser, excludeKernel } = event.attributes;
        if (type !== PERF_TYPE_SOFTWARE || counted !== BigInt(config)) continue;
        if (inUser ? !excludeUser : !excludeKernel) event.add(1);
      }
  }

  pageFault(inUser: boolean): void {
    this.count(this.kernel.current, PERF_COUNT_SW_PAGE_FAULTS, inUser);
  }

  pageFaultDone(major: boolean, inUser: boolean): void {
    const config = major ? PERF_COUNT_SW_PAGE_FAULTS_MAJ : PERF_COUNT_SW_PAGE_FAULTS_MIN;
    this.count(this.kernel.current, config, inUser);
  }

  /** The processor goes to a task, or to nobody. */
  switchedTo(task: Task | null): void {
    if (this.running !== null && this.running !== task)
      this.count(this.running, PERF_COUNT_SW_CONTEXT_SWITCHES, false);
    this.running = task;
  }

  /**
   * A child of a task gets copies of what is to be inherited (perf_event_init_task).
   * @param thread of the same process
   * @param forgetsHandlers CLONE_CLEAR_SIGHAND: what sends signals is not for it
   */
  inherit(parent: Task, child: Task, thread: boolean, forgetsHandlers: boolean): void {
    for (const event of [...this.of(parent)]) {
      if (event.leader !== event || !this.isInherited(event, thread, forgetsHandlers)) continue;
      const leader = this.copy(event, child);
      for (const sibling of event.siblings)
        if (this.isInherited(sibling, thread, forgetsHandlers)) this.copy(sibling, child).join(leader);
    }
  }

  private isInherited(event: PerfEvent, thread: boolean, forgetsHandlers: boolean): boolean {
    const { inherit, inheritThread, sigtrap } = event.attributes;
    return inherit && (thread || !inheritThread) && !(sigtrap && forgetsHandlers) && event.state !== "exit";
  }

  private copy(event: PerfEvent, child: Task): PerfEvent {
    const copy = event.copyFor(child, this.newId());
    copy.source?.begin(copy);
    this.install(copy);
    return copy;
  }

  /** A task has ended, or may no longer be watched (perf_event_exit_task). */
  ended(task: Task): void {
    for (const event of [...this.of(task)]) {
      const { parent } = event;
      if (parent !== null) {
        event.returnToParent(parent);
        event.leaveGroup();
      }
      event.setState("exit");
      event.source?.end(event);
      this.remove(event);
    }
    if (this.running === task) this.running = null;
  }

  executed(task: Task): void {
    for (const event of [...this.of(task)]) {
      if (event.attributes.removeOnExec) {
        if (event.parent !== null) event.returnToParent(event.parent);
        event.leaveGroup();
        event.setState("exit");
        event.source?.end(event);
        this.remove(event);
      } else event.executed();
    }
  }
}
