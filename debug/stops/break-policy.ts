import type { StopPoints, Watch } from "../../cpu/stop-points.js";
import type { CpuStop, ForkKind } from "../../kernel/debugger.js";
import type { EntryChange } from "../../kernel/entry-watch.js";
import type { FaultRaised, PkruWritten } from "../../kernel/events.js";
import type { AreaChange } from "../../kernel/mm/environment.js";
import type { Refusal } from "../../kernel/refusal.js";
import { signalName } from "../../kernel/signals/numbers.js";
import type { SignalInfo } from "../../kernel/signals/siginfo.js";
import type { Process, Task } from "../../kernel/task.js";
import { GuestMemory } from "../guest-memory.js";
import type { Machine } from "../machine.js";
import { entryHex } from "../page-table-text.js";
import type { Moment } from "../timeline/moment.js";
import type { Happening } from "./happening.js";
import type { StopEngine } from "./stop-engine.js";
import type { StopPolicy } from "./stop-policy.js";
import { isAreaWanted, isFaultWanted, isRefusalWanted, overlaps, type Hit, type Wanted } from "./wanted.js";

/** RDI, RSI, RDX, R10, R8, R9. */
const ARGUMENTS = [7, 6, 2, 10, 8, 9];
const RAX = 0;

type WatchWanted = Wanted & { readonly what: Extract<Wanted["what"], { kind: "watch" }> };

/** Stops at what is wanted: the breaks of a session, and what its motion looks for. */
export class BreakPolicy implements StopPolicy {
  /** Signals (Linux's numbers) at which the run stops in any case. */
  stopSignals: ReadonlySet<number> = new Set();
  engine!: StopEngine;
  private wanted: readonly Wanted[] = [];
  private hits: Hit[] = [];
  private armed = false;
  /** What the watched bytes were when they were looked at last. */
  private readonly seen = new Map<Wanted, Uint8Array>();
  /** By thread: why its present call was refused. */
  private readonly refusals = new Map<number, Refusal>();
  private readonly listeners: (() => void)[] = [];

  constructor(private readonly machine: Machine) {}

  private get points(): StopPoints {
    return this.engine.points;
  }

  /** From here on these are wanted. */
  begin(wanted: readonly Wanted[]): void {
    this.stopListening();
    this.wanted = wanted;
    this.hits = [];
    this.armed = false;
    this.seen.clear();
    this.refusals.clear();
    for (const each of this.changeWatches()) this.seen.set(each, this.bytesOf(each));
    const { events } = this.machine.kernel;
    if (wanted.some(({ what }) => what.kind === "pkru"))
      this.listeners.push(events.on("pkru", (written) => this.pkruWritten(written)));
    if (wanted.some(({ what }) => what.kind === "entry"))
      this.listeners.push(events.on("pte", (change) => this.entryChanged(change)));
    this.points.passed = -1;
    this.arm(true);
  }

  /** What was met since it was asked last, the first one first. */
  take(): Hit[] {
    const { hits } = this;
    this.hits = [];
    return hits;
  }

  private stopListening(): void {
    for (const off of this.listeners) off();
    this.listeners.length = 0;
  }

  arm(armed: boolean): void {
    if (armed === this.armed) return;
    this.armed = armed;
    const { cpu, kernel } = this.machine;
    const { points } = this;
    const addresses = armed ? this.addresses() : [];
    const watches = armed ? this.cpuWatches() : [];
    points.pages.clear();
    points.breakpoints = new Set();
    points.watches = [];
    points.changed = false;
    const entries = armed && this.wanted.some(({ what }) => what.kind === "entry");
    if (addresses.length === 0 && watches.length === 0 && !entries) return;
    cpu.stopPoints = points;
    cpu.addBoundaries(addresses);
    for (const [, watch] of watches) cpu.addWatch(watch);
    points.breakpoints = new Set(addresses);
    if (kernel.current.state !== "dead") this.switched(kernel.current);
  }

  private addresses(): number[] {
    return this.wanted.flatMap(({ what }) => {
      if (what.kind === "address") return [what.address];
      if (what.kind !== "watch" || what.access !== "fetch") return [];
      return Array.from({ length: what.end - what.start }, (_, at) => what.start + at);
    });
  }

  private watchesWanted(): WatchWanted[] {
    return this.wanted.filter((each): each is WatchWanted => each.what.kind === "watch");
  }

  private cpuWatches(): [WatchWanted, Watch][] {
    return this.watchesWanted().flatMap((wanted) => {
      const { start, end, access } = wanted.what;
      return access === "fetch" ? [] : [[wanted, { start, end, kind: access }]];
    });
  }

  /** Those that are met by other bytes, too, whoever wrote them. */
  private changeWatches(): WatchWanted[] {
    return this.watchesWanted().filter(({ what }) => what.access === "write" || what.access === "access");
  }

  private bytesOf({ what, pid }: WatchWanted): Uint8Array {
    const { kernel } = this.machine;
    const process = kernel.processes.get(pid) ?? kernel.init;
    const { mm } = process.tasks[0] ?? process.leader;
    return new GuestMemory(kernel.memory, () => mm, true).read(what.start, what.end - what.start);
  }

  private meet(wanted: Wanted, task: Task, happening: Happening, before: Moment | null = null): boolean {
    if (wanted.thread !== null && wanted.thread !== task.tid) return false;
    if (!wanted.holds(happening)) return false;
    this.hits.push({ id: wanted.id, tid: task.tid, happening, before });
    return true;
  }

  private meetAll(
    task: Task,
    happening: Happening,
    isWanted: (wanted: Wanted) => boolean,
    before: Moment | null = null,
  ): boolean {
    let met = false;
    for (const each of this.wanted)
      if (isWanted(each) && this.meet(each, task, happening, before)) met = true;
    return met;
  }

  // The engine's questions.

  switched(task: Task): void {
    const watches = this.cpuWatches().filter(([{ pid }]) => pid === task.process.pid);
    this.points.watches = this.armed ? watches.map(([, watch]) => watch) : [];
  }

  stopsBefore(task: Task): boolean {
    return this.hits.length > 0 || this.lookForWrites(task, null);
  }

  allowance(): number {
    return Infinity;
  }

  stoppedAt(task: Task, reason: CpuStop): boolean {
    if (reason === "breakpoint") return this.atAddress(task);
    if (reason === "watchpoint") return this.entrySet() || this.touched(task);
    return this.hits.length > 0;
  }

  private atAddress(task: Task): boolean {
    const { rip } = this.machine.kernel.cpu.registers;
    let met = this.meetAll(
      task,
      { kind: "address", address: rip },
      ({ what }) => what.kind === "address" && what.address === rip,
    );
    for (const each of this.watchesWanted()) {
      const { what } = each;
      if (what.access !== "fetch" || each.pid !== task.process.pid) continue;
      if (rip < what.start || rip >= what.end) continue;
      const bytes = this.bytesOf(each);
      const happening: Happening = {
        kind: "watch",
        address: rip,
        access: "fetch",
        before: bytes,
        after: bytes,
        rip,
        by: "instruction",
      };
      if (this.meet(each, task, happening)) met = true;
    }
    return met;
  }

  /** The processor set a bit of an entry for the instruction that has just been executed. */
  private entrySet(): boolean {
    if (!this.points.changed) return false;
    this.points.changed = false;
    const before = this.engine.beforeInstruction;
    this.hits = this.hits.map((hit) => (hit.happening.kind === "entry" ? { ...hit, before } : hit));
    return this.hits.length > 0;
  }

  private touched(task: Task): boolean {
    const { hit } = this.points;
    if (hit === null) return false;
    let met = false;
    for (const each of this.watchesWanted()) {
      const { what } = each;
      if (each.pid !== task.process.pid || what.access === "fetch") continue;
      const isRead = hit.watch.kind === "read";
      if (what.access !== "access" && (what.access === "read") !== isRead) continue;
      if (hit.address < what.start || hit.address >= what.end) continue;
      const after = this.bytesOf(each);
      const before = this.seen.get(each) ?? null;
      if (before !== null) this.seen.set(each, after);
      const happening: Happening = {
        kind: "watch",
        address: hit.address,
        access: what.access,
        before: before ?? after,
        after,
        rip: hit.rip,
        by: "instruction",
      };
      if (this.meet(each, task, happening, this.engine.beforeInstruction)) met = true;
    }
    return met;
  }

  /** Watched bytes that no watched instruction has changed: the kernel did, or somebody through another mapping. */
  private lookForWrites(task: Task, before: Moment | null): boolean {
    if (this.seen.size === 0) return false;
    let met = false;
    for (const each of this.changeWatches()) {
      const was = this.seen.get(each)!;
      const is = this.bytesOf(each);
      const first = is.findIndex((byte, at) => byte !== was[at]);
      if (first < 0 && is.length === was.length) continue;
      this.seen.set(each, is);
      const happening: Happening = {
        kind: "watch",
        address: each.what.start + Math.max(0, first),
        access: each.what.access,
        before: was,
        after: is,
        rip: this.machine.kernel.cpu.registers.rip,
        by: "kernel",
      };
      if (this.meet(each, task, happening, before)) met = true;
    }
    return met;
  }

  stopsAtSignal(task: Task, info: SignalInfo): boolean {
    const { signo } = info;
    const happening: Happening = { kind: "signal", signal: signo, name: signalName(signo), info };
    const met = this.meetAll(
      task,
      happening,
      ({ what }) => what.kind === "signal" && (what.signals === undefined || what.signals.includes(signo)),
    );
    if (met || !this.stopSignals.has(signo)) return met;
    this.hits.push({ id: 0, tid: task.tid, happening, before: null });
    return true;
  }

  enteredHandler(task: Task): void {
    // The frame on the stack is a write of the kernel's; the boundary that follows tells it.
    void task;
  }

  stopsAtCall(task: Task, at: "entry" | "exit"): boolean {
    const number = this.engine.callOf(task);
    const wants = ({ what }: Wanted): boolean =>
      what.kind === "syscall" &&
      (what.at === "both" || what.at === at) &&
      (what.numbers === undefined || what.numbers.includes(number));
    const refusal = this.refusals.get(task.tid);
    this.refusals.delete(task.tid);
    const wrote =
      at === "exit" && this.lookForWrites(task, this.engine.entered.get(task.tid)?.moment ?? null);
    if (!this.wanted.some(wants)) return wrote || this.hits.length > 0;
    const { registers } = this.machine.kernel.cpu;
    const name = this.machine.kernel.syscallName(number);
    const happening: Happening =
      at === "entry"
        ? {
            kind: "syscall-entry",
            number,
            name,
            args: ARGUMENTS.map((register) => BigInt.asUintN(64, registers.get(register))),
          }
        : {
            kind: "syscall-exit",
            number,
            name,
            result: BigInt.asIntN(64, registers.get(RAX)),
            ...(refusal === undefined ? {} : { refusal }),
          };
    return this.meetAll(task, happening, wants) || wrote || this.hits.length > 0;
  }

  stopsAtFault(fault: FaultRaised): boolean {
    const { task, vector, errorCode, address, rip, signal, refusal } = fault;
    const happening: Happening = {
      kind: "fault",
      vector,
      errorCode,
      address,
      rip,
      signal,
      ...(refusal === undefined ? {} : { refusal }),
    };
    return this.meetAll(task, happening, ({ what }) => isFaultWanted(what, fault));
  }

  stopsAtRefusal(refusal: Refusal): boolean {
    const { current } = this.machine.kernel;
    this.refusals.set(current.tid, refusal);
    return this.meetAll(current, { kind: "refusal", refusal }, ({ what }) => isRefusalWanted(what, refusal));
  }

  stopsAtArea(change: AreaChange): boolean {
    const { current } = this.machine.kernel;
    return this.meetAll(current, { kind: "area", change }, ({ what }) => isAreaWanted(what, change));
  }

  forked(parent: Task, child: Task, kind: ForkKind): boolean {
    const happening: Happening = { kind, child: { pid: child.pid, tid: child.tid } };
    return this.meetAll(
      parent,
      happening,
      ({ what }) => what.kind === "process" && what.events.includes(kind),
    );
  }

  vforkDone(): boolean {
    return false;
  }

  executed(task: Task, path: string): boolean {
    return this.meetAll(
      task,
      { kind: "exec", path },
      ({ what }) => what.kind === "process" && what.events.includes("exec"),
    );
  }

  ended(process: Process): boolean {
    const { code, signal } = process.exit!;
    return this.meetAll(
      process.leader,
      { kind: "exit", pid: process.pid, code, signal },
      ({ what }) => what.kind === "process" && what.events.includes("exit"),
    );
  }

  exited(task: Task): void {
    this.refusals.delete(task.tid);
  }

  private pkruWritten({ task, before, after, by }: PkruWritten): void {
    if (this.engine.quiet) return;
    const happening: Happening = {
      kind: "pkru",
      before,
      after,
      by: by === undefined ? "instruction" : "kernel",
    };
    const where = by === undefined ? this.engine.beforeInstruction : null;
    // On its way to a handler the kernel opens all keys for a moment: nobody sees it.
    const open = this.hits.find((hit) => hit.happening.kind === "pkru" && hit.tid === task.tid);
    if (open?.happening.kind === "pkru" && open.happening.by === "kernel") {
      const whole = { ...happening, before: open.happening.before };
      this.hits = this.hits.map((hit) =>
        hit.happening.kind === "pkru" ? { ...hit, happening: whole } : hit,
      );
      return;
    }
    if (this.meetAll(task, happening, ({ what }) => what.kind === "pkru", where)) this.engine.request();
  }

  private entryChanged({ mm, address, bytes, before, after, by }: EntryChange): void {
    if (this.engine.quiet) return;
    const { kernel } = this.machine;
    const { current } = kernel;
    if (mm !== current.mm) return;
    const happening: Happening = {
      kind: "entry",
      address,
      before: entryHex(before.low, before.high),
      after: entryHex(after.low, after.high),
      by,
    };
    const wants = ({ what, pid }: Wanted): boolean =>
      what.kind === "entry" && pid === current.process.pid && overlaps(what, address, address + bytes);
    if (!this.meetAll(current, happening, wants, this.beforeChange(current, by))) return;
    this.engine.request();
    // The processor does it in the middle of a run: that ends behind the instruction.
    if (by === "processor" && kernel.runningCall() === undefined) this.points.changed = true;
  }

  /** Null where the processor did it: known when its instruction has been executed. */
  private beforeChange(task: Task, by: EntryChange["by"]): Moment | null {
    if (this.machine.kernel.runningCall() !== undefined)
      return this.engine.entered.get(task.tid)?.moment ?? this.engine.position;
    return by === "processor" ? null : this.engine.position;
  }
}
