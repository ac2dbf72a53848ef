/** A new task or process as a copy of another (kernel/fork.c copy_process, kernel_clone). */

import {
  CLONE_VM,
  CLONE_FS,
  CLONE_FILES,
  CLONE_SIGHAND,
  CLONE_PTRACE,
  CLONE_VFORK,
  CLONE_PARENT,
  CLONE_THREAD,
  CLONE_NEWNS,
  CLONE_SETTLS,
  CLONE_CHILD_CLEARTID,
  CLONE_UNTRACED,
  CLONE_CHILD_SETTID,
  CLONE_NEWCGROUP,
  CLONE_NEWUTS,
  CLONE_NEWIPC,
  CLONE_NEWUSER,
  CLONE_NEWPID,
  CLONE_NEWNET,
} from "./clone-flags.js";
import { EINVAL, ENOMEM, EPERM } from "./errno.js";
import { FS, GS } from "../cpu/segments.js";
import { CAP_SYS_ADMIN } from "./capabilities.js";
import { hasCapability } from "./credentials.js";
import type { ControlGroup } from "./cgroup/control-group.js";
import type { ForkKind } from "./debugger.js";
import type { Kernel } from "./kernel.js";
import { UserMemory } from "./mm/user-memory.js";
import { mayFork } from "./process-limit.js";
import { attachChild } from "./ptrace/attach.js";
import { stopForEvent } from "./ptrace/stop.js";
import {
  PTRACE_EVENT_CLONE,
  PTRACE_EVENT_FORK,
  PTRACE_EVENT_VFORK,
  PTRACE_O_TRACECLONE,
  PTRACE_O_TRACEFORK,
  PTRACE_O_TRACEVFORK,
} from "./ptrace/tracing.js";
import { RAX, RSP } from "./processor.js";
import { rseqFork } from "./rseq.js";
import { inheritScheduling } from "./scheduling.js";
import { setBase } from "./segments/base.js";
import { setThreadEntry } from "./segments/thread-area.js";
import type { UserDesc } from "./segments/user-desc.js";
import { SIGCHLD } from "./signals/numbers.js";
import { Process, Task } from "./task.js";
import { IntervalTimers } from "./timers.js";
import { inheritReturns } from "./uprobes/hit.js";

const NAMESPACES =
  CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

export interface CloneArguments {
  /** CLONE_* of the low 32 bits, without the exit signal. */
  readonly flags: number;
  /** CLONE_CLEAR_SIGHAND: handlers go back to their defaults. */
  readonly clearHandlers: boolean;
  /** What the parent is sent at its end; 0: nothing. */
  readonly exitSignal: number;
  /** The child's stack pointer; 0: its parent's. Unsigned. */
  readonly stack: bigint;
  /** FS base for CLONE_SETTLS, unsigned. */
  readonly tls: bigint;
  /** Of a 32-bit program's CLONE_SETTLS instead: an entry of the GDT. */
  readonly thread?: UserDesc;
  /** Addresses for CLONE_PARENT_SETTID and for CLONE_CHILD_SETTID and CLONE_CHILD_CLEARTID, bytes. */
  readonly parentTid: number;
  readonly childTid: number;
  /** CLONE_INTO_CGROUP: the group that the child begins in; null: its parent's. */
  readonly group: ControlGroup | null;
}

/** 0, or what clone(2) says to these flags: -EINVAL, -EPERM. */
function checkCloneFlags(parent: Task, { flags, clearHandlers }: CloneArguments): number {
  const has = (flag: number): boolean => (flags & flag) !== 0;
  if (has(CLONE_FS) && has(CLONE_NEWNS | CLONE_NEWUSER)) return -EINVAL;
  if (has(CLONE_THREAD) && !has(CLONE_SIGHAND)) return -EINVAL;
  if (has(CLONE_SIGHAND) && !has(CLONE_VM)) return -EINVAL;
  if (has(CLONE_THREAD) && has(CLONE_NEWUSER | CLONE_NEWPID)) return -EINVAL;
  // init's siblings could not be waited for.
  if (has(CLONE_PARENT) && parent.process.parent === null) return -EINVAL;
  if (has(CLONE_SIGHAND) && clearHandlers) return -EINVAL;
  if (has(NAMESPACES) && !hasCapability(parent.credentials, CAP_SYS_ADMIN)) return -EPERM;
  // A kernel built without namespaces.
  return has(NAMESPACES) ? -EINVAL : 0;
}

/**
 * Makes a task that will return 0 from the parent's present system call, ready to run. Its number, or -EINVAL, -EPERM
 * (see checkCloneFlags), -EAGAIN (RLIMIT_NPROC, the machine's limit of tasks), -ENOMEM.
 */
export function copyTask(kernel: Kernel, parent: Task, args: CloneArguments): Task | number {
  const { flags } = args;
  const has = (flag: number): boolean => (flags & flag) !== 0;
  const checked = checkCloneFlags(parent, args);
  if (checked < 0) return checked;
  const allowed =
    mayFork(kernel, parent) || kernel.cgroups.mayFork(args.group ?? kernel.cgroups.groupOf(parent));
  if (allowed < 0) return allowed;
  const tid = kernel.pids.allocate();
  const process = has(CLONE_THREAD) ? parent.process : copyProcess(kernel, parent, tid, args);
  const mm = has(CLONE_VM) ? parent.mm : kernel.copyAddressSpace(parent, process.limits);
  if (mm === null) return -ENOMEM;
  mm.hold();
  const child = new Task({
    tid,
    process,
    mm,
    user: new UserMemory(mm),
    files: has(CLONE_FILES) ? parent.files : parent.files.copy(),
    fs: has(CLONE_FS) ? parent.fs : { ...parent.fs },
    credentials: parent.credentials,
    scheduler: kernel.scheduler,
  });
  if (has(CLONE_FILES)) child.files.users++;
  inherit(parent, child, has(CLONE_VM) && !has(CLONE_VFORK));
  rseqFork(parent, child, flags);
  inheritReturns(kernel, parent, child, has(CLONE_VFORK));
  const forgets = args.clearHandlers;
  kernel.perf?.inherit(parent, child, has(CLONE_THREAD), forgets);
  child.context = childContext(kernel, args);
  if (args.thread !== undefined) {
    setThreadEntry(child, args.thread.entryNumber, args.thread);
    child.selectorsChanged = true;
  }
  if (has(CLONE_CHILD_SETTID)) child.setChildTid = args.childTid;
  if (has(CLONE_CHILD_CLEARTID)) child.clearChildTid = args.childTid;
  process.tasks.push(child);
  kernel.tasks.set(tid, child);
  if (!has(CLONE_THREAD)) {
    process.leader = child;
    process.vforked = has(CLONE_VFORK);
    kernel.processes.set(process.pid, process);
    process.parent?.children.add(process);
  }
  kernel.cgroups.forked(child, args.group ?? parent.group);
  traceChild(kernel, parent, child, args);
  kernel.debugger?.forked(parent, child, forkKind(args));
  child.wake();
  kernel.userfaults?.holdChild(child);
  return child;
}

function copyProcess(kernel: Kernel, parent: Task, pid: number, args: CloneArguments): Process {
  const { flags } = args;
  const from = parent.process;
  const sibling = (flags & CLONE_PARENT) !== 0;
  const handlers = (flags & CLONE_SIGHAND) !== 0 ? from.handlers : from.handlers.copy();
  if (args.clearHandlers) handlers.reset();
  const process = new Process({
    pid,
    population: kernel.processes,
    parent: sibling ? from.parent : from,
    limits: from.limits.copy(),
    timers: new IntervalTimers(),
    handlers,
  });
  process.parentTask = sibling ? from.parentTask : parent;
  process.processGroup = from.processGroup;
  process.session = from.session;
  process.controllingTerminal = from.controllingTerminal;
  process.exitSignal = sibling ? from.exitSignal : args.exitSignal;
  process.dumpable = from.dumpable;
  process.sealsSpecialMappings = from.sealsSpecialMappings;
  process.sealing = from.sealing;
  process.oomScoreAdj = from.oomScoreAdj;
  process.oomScoreAdjMin = from.oomScoreAdjMin;
  process.startTime = kernel.clock.monotonic();
  return process;
}

/** The rest of what a task takes over; pending signals, timers and robust futexes it does not. */
function inherit(parent: Task, child: Task, newStack: boolean): void {
  child.comm = parent.comm;
  child.executable = parent.executable;
  child.auxv = parent.auxv;
  child.noNewPrivileges = parent.noNewPrivileges;
  child.seccomp = parent.seccomp;
  child.timerSlackNanoseconds = parent.timerSlackNanoseconds;
  child.defaultTimerSlackNanoseconds = parent.timerSlackNanoseconds;
  child.personality = parent.personality;
  inheritScheduling(parent, child);
  child.memoryPolicy = parent.memoryPolicy;
  child.signals.blocked.assign(parent.signals.blocked);
  child.trapNumber = parent.trapNumber;
  child.trapErrorCode = parent.trapErrorCode;
  child.faultAddress = parent.faultAddress;
  child.tls = parent.tls?.slice() ?? null;
  child.selectorsChanged = parent.selectorsChanged;
  // A thread's alternate stack would be its maker's; a process has a copy of its own (sas_ss_reset).
  if (!newStack) Object.assign(child.signals.alternate, parent.signals.alternate);
}

function forkKind({ flags, exitSignal }: CloneArguments): ForkKind {
  if ((flags & CLONE_VFORK) !== 0) return "vfork";
  return exitSignal === SIGCHLD && (flags & CLONE_THREAD) === 0 ? "fork" : "clone";
}

/** The parent's registers as they are, with the child's own stack, TLS and result. */
function childContext(kernel: Kernel, args: CloneArguments): Uint8Array {
  const { cpu } = kernel;
  const { registers } = cpu;
  const saved = cpu.saveContext();
  registers.setNumber(RAX, 0);
  if (args.stack !== 0n) registers.set(RSP, args.stack);
  if ((args.flags & CLONE_SETTLS) !== 0 && args.thread === undefined) setBase(cpu, FS, Number(args.tls));
  if (args.thread !== undefined) {
    const { entryNumber, base } = args.thread;
    const selector = (entryNumber << 3) | 3;
    if (registers.selector(FS) === selector) registers.fsBase = base;
    if (registers.selector(GS) === selector) registers.gsBase = base;
  }
  const context = cpu.saveContext();
  cpu.loadContext(saved);
  return context;
}

/** A traced parent's child: its tracer is told, and traces it too, where its options say so (ptrace_event_enabled). */
function traceChild(kernel: Kernel, parent: Task, child: Task, { flags, exitSignal }: CloneArguments): void {
  const { tracing } = parent;
  if (tracing === null || (flags & CLONE_UNTRACED) !== 0) return;
  const vfork = (flags & CLONE_VFORK) !== 0;
  const fork = exitSignal === SIGCHLD;
  const event = vfork ? PTRACE_EVENT_VFORK : fork ? PTRACE_EVENT_FORK : PTRACE_EVENT_CLONE;
  const option = vfork ? PTRACE_O_TRACEVFORK : fork ? PTRACE_O_TRACEFORK : PTRACE_O_TRACECLONE;
  if (!tracing.has(option) && (flags & CLONE_PTRACE) === 0) return;
  attachChild(parent, child);
  stopForEvent(kernel, parent, event, option, child.tid);
}
