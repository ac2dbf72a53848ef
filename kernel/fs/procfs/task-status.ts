/** The three files about a task's state: stat, statm and status (fs/proc/array.c, fs/proc/task_mmu.c). */

import type { Kernel } from "../../kernel.js";
import { RLIMIT_RSS, RLIMIT_SIGPENDING } from "../../limits.js";
import type { AddressSpace } from "../../mm/address-space.js";
import { mayAccess } from "../../ptrace-access.js";
import { SIG_DFL, SIG_IGN, SIGNAL_MAX } from "../../signals/numbers.js";
import { modeNumber } from "../../seccomp/filter.js";
import { SignalSet } from "../../signals/signal-set.js";
import { waitsForEvent } from "../../userfault-wait.js";
import type { Process, Task } from "../../task.js";

/** USER_HZ: 10 ms, at an instruction a nanosecond. */
const TICK = 10_000_000;
const PAGE = 4096;
/** What 6.18 shows of a task that has ended (PF_EXITING among them), PF_FORKNOEXEC, PF_RANDOMIZE. */
const EXITING = 0x800c;
const NOT_EXECUTED = 0x40;
const RANDOMIZED = 0x40_0000;
const INFINITE = "18446744073709551615";
/** FDSize is never less: the table in files_struct itself. */
const SMALLEST_TABLE = 64;

/** Its memory; null for a task that has ended. */
export function memoryOf(task: Task): AddressSpace | null {
  return task.state === "dead" ? null : task.mm;
}

function stateOf(task: Task): string {
  if (task.state === "dead") return "Z";
  if (task.tracing !== null && task.tracing.stop !== null) return "t";
  if (task.process.stopped !== 0) return "T";
  if (task.state === "ready") return "R";
  // Only a signal that ends it takes it out of such a wait (TASK_KILLABLE).
  return task.waiting?.interrupted === 0 || waitsForEvent(task.userfault) ? "D" : "S";
}

const STATE_NAMES: Record<string, string> = {
  R: "R (running)",
  S: "S (sleeping)",
  D: "D (disk sleep)",
  T: "T (stopped)",
  t: "t (tracing stop)",
  Z: "Z (zombie)",
};

/** What is in memory, in pages. */
function resident(mm: AddressSpace): { all: number; anonymous: number; file: number } {
  const { anonPages, filePages } = mm;
  return { all: anonPages + filePages, anonymous: anonPages, file: filePages };
}

function codePages({ layout }: AddressSpace): number {
  return Math.ceil(layout.endCode / PAGE) - Math.floor(layout.startCode / PAGE);
}

export function statmText(task: Task): string {
  const mm = memoryOf(task);
  if (mm === null) return "0 0 0 0 0 0 0\n";
  const { totalVm, dataVm, stackVm } = mm.stats;
  const { all, file } = resident(mm);
  return `${totalVm} ${all} ${file} ${codePages(mm)} 0 ${dataVm + stackVm} 0\n`;
}

/** The wait status as wait(2) gives it. */
function exitCode(process: Process): number {
  if (process.exit === null) return 0;
  const { code, signal, core } = process.exit;
  return signal === null ? code << 8 : signal | (core ? 0x80 : 0);
}

/** @param whole the process's sums (/proc/pid/stat), not the task's own (/proc/pid/task/tid/stat) */
export function statText(kernel: Kernel, task: Task, whole: boolean): string {
  const { process } = task;
  const mm = memoryOf(task);
  // Where the program lies is nobody's business who may not look into it.
  const open = mayAccess(kernel.current, task, "file-system");
  const layout = mm !== null && open ? mm.layout : null;
  const { ignored, caught } = dispositions(process);
  const low31 = (set: SignalSet): bigint => set.toBigInt() & 0x7fff_ffffn;
  const ticks = (instructions: number): number => Math.floor(instructions / TICK);
  const terminal = process.controllingTerminal;
  const rss = process.limits.soft(RLIMIT_RSS);
  const children = process.childrenUsage;
  const fields: (number | bigint | string)[] = [
    stateOf(task),
    process.parentPid,
    process.processGroup,
    process.session,
    terminal === null ? 0 : deviceNumber(terminal.device),
    terminal === null ? -1 : terminal.foreground || -1,
    RANDOMIZED | (process.executed ? 0 : NOT_EXECUTED) | (mm === null ? EXITING : 0),
    mm?.stats.minorFaults ?? process.usage.minorFaults,
    children.minorFaults,
    mm?.stats.majorFaults ?? process.usage.majorFaults,
    children.majorFaults,
    ticks(whole ? process.usage.instructions : task.instructions),
    0,
    ticks(children.instructions),
    0,
    task.realtimePriority > 0 ? -1 - task.realtimePriority : 20 + task.nice,
    task.nice,
    Math.max(1, process.tasks.length),
    0,
    ticks(process.startTime),
    (mm?.stats.totalVm ?? 0) * PAGE,
    mm === null ? 0 : resident(mm).all,
    rss === Infinity ? INFINITE : rss,
    mm === null ? 0 : (layout?.startCode ?? 1),
    mm === null ? 0 : (layout?.endCode ?? 1),
    layout?.startStack ?? 0,
    0,
    0,
    low31(task.signals.pending.set),
    low31(task.signals.blocked),
    low31(ignored),
    low31(caught),
    task.state !== "ready" && open ? 1 : 0,
    0,
    0,
    task === process.leader ? process.exitSignal : -1,
    0,
    task.realtimePriority,
    task.policy,
    0,
    0,
    0,
    layout?.startData ?? 0,
    layout?.endData ?? 0,
    layout?.startBrk ?? 0,
    layout?.argStart ?? 0,
    layout?.argEnd ?? 0,
    layout?.envStart ?? 0,
    layout?.envEnd ?? 0,
    open ? exitCode(process) : 0,
  ];
  return `${task.tid} (${task.comm}) ${fields.join(" ")}\n`;
}

/** As stat(2)'s st_rdev would be, in 32 bits (new_encode_dev). */
function deviceNumber({ major, minor }: { major: number; minor: number }): number {
  return (minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12);
}

function dispositions(process: Process): { ignored: SignalSet; caught: SignalSet } {
  const ignored = new SignalSet();
  const caught = new SignalSet();
  for (let signal = 1; signal <= SIGNAL_MAX; signal++) {
    const { handler } = process.handlers.of(signal);
    if (handler === SIG_IGN) ignored.add(signal);
    else if (handler !== SIG_DFL) caught.add(signal);
  }
  return { ignored, caught };
}

/** Signals queued for tasks of a real user id. */
function queuedSignals(kernel: Kernel, uid: number): number {
  let count = 0;
  for (const process of kernel.processes.values()) {
    if (process.leader.credentials.uid !== uid) continue;
    count += process.pending.queue.length;
    for (const task of process.tasks) count += task.signals.pending.queue.length;
  }
  return count;
}

const kib = (pages: number): string => `${`${pages * 4}`.padStart(8)} kB`;

function memoryLines(mm: AddressSpace): (readonly [string, string])[] {
  const { stats } = mm;
  const pages = resident(mm);
  const code = codePages(mm);
  return [
    ["VmPeak", kib(stats.totalVm)],
    ["VmSize", kib(stats.totalVm)],
    ["VmLck", kib(stats.lockedVm)],
    ["VmPin", kib(0)],
    ["VmHWM", kib(pages.all)],
    ["VmRSS", kib(pages.all)],
    ["RssAnon", kib(pages.anonymous)],
    ["RssFile", kib(pages.file)],
    ["RssShmem", kib(0)],
    ["VmData", kib(stats.dataVm)],
    ["VmStk", kib(stats.stackVm)],
    ["VmExe", kib(code)],
    ["VmLib", kib(Math.max(0, stats.execVm - code))],
    ["VmPTE", kib(mm.tables.tableFrames)],
    ["VmSwap", kib(mm.swapPages)],
    ["HugetlbPages", kib(mm.hugetlbPages)],
    ["CoreDumping", "0"],
    ["THP_enabled", mm.hugePagesDisabled === "all" ? "0" : "1"],
    ["untag_mask", "0xffffffffffffffff"],
  ];
}

export function statusText(kernel: Kernel, task: Task): string {
  const { credentials: c, process, signals } = task;
  const mm = memoryOf(task);
  const mask = (set: bigint): string => set.toString(16).padStart(16, "0");
  const { ignored, caught } = dispositions(process);
  const lines: (readonly [string, string])[] = [
    ["Name", task.comm.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")],
    ...(mm === null ? [] : [["Umask", `0${task.fs.umask.toString(8).padStart(3, "0")}`] as const]),
    ["State", STATE_NAMES[stateOf(task)]!],
    ["Tgid", `${process.pid}`],
    ["Ngid", "0"],
    ["Pid", `${task.tid}`],
    ["PPid", `${process.parentPid}`],
    ["TracerPid", `${task.tracing?.tracer.pid ?? 0}`],
    ["Uid", [c.uid, c.euid, c.suid, c.fsuid].join("\t")],
    ["Gid", [c.gid, c.egid, c.sgid, c.fsgid].join("\t")],
    ["FDSize", `${mm === null ? 0 : tableSize(task.files.end)}`],
    ["Groups", `${c.groups.join(" ")} `],
    ["NStgid", `${process.pid}`],
    ["NSpid", `${task.tid}`],
    ["NSpgid", `${process.processGroup}`],
    ["NSsid", `${process.session}`],
    ["Kthread", "0"],
    ...(mm === null ? [] : memoryLines(mm)),
    ["Threads", `${Math.max(1, process.tasks.length)}`],
    ["SigQ", `${queuedSignals(kernel, c.uid)}/${task.limits.soft(RLIMIT_SIGPENDING)}`],
    ["SigPnd", mask(signals.pending.set.toBigInt())],
    ["ShdPnd", mask(process.pending.set.toBigInt())],
    ["SigBlk", mask(signals.blocked.toBigInt())],
    ["SigIgn", mask(ignored.toBigInt())],
    ["SigCgt", mask(caught.toBigInt())],
    ["CapInh", mask(c.inheritable)],
    ["CapPrm", mask(c.permitted)],
    ["CapEff", mask(c.effective)],
    ["CapBnd", mask(c.bounding)],
    ["CapAmb", mask(c.ambient)],
    ["NoNewPrivs", task.noNewPrivileges ? "1" : "0"],
    ["Seccomp", `${modeNumber(task.seccomp)}`],
    ["Seccomp_filters", `${task.seccomp?.mode === "filter" ? task.seccomp.count : 0}`],
    ["Speculation_Store_Bypass", "not vulnerable"],
    ["SpeculationIndirectBranch", "not affected"],
    ["Cpus_allowed", "1"],
    ["Cpus_allowed_list", "0"],
    ["Mems_allowed", "1"],
    ["Mems_allowed_list", "0"],
    ["voluntary_ctxt_switches", "0"],
    ["nonvoluntary_ctxt_switches", "0"],
  ];
  return lines.map(([name, value]) => `${name}:\t${value}\n`).join("");
}

/** Descriptor tables grow by powers of two, from 256 on once the first 64 do not do (alloc_fdtable). */
function tableSize(used: number): number {
  let size = used <= SMALLEST_TABLE ? SMALLEST_TABLE : 256;
  while (size < used) size *= 2;
  return size;
}
