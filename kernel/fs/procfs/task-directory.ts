import { ENOENT } from "../../errno.js";
import { byteString } from "../bytes.js";
import { RLIM_NLIMITS } from "../../limits.js";
import { UserMemory } from "../../mm/user-memory.js";
import type { Kernel } from "../../kernel.js";
import type { SignalSet } from "../../signals/signal-set.js";
import { SignalSet as Signals } from "../../signals/signal-set.js";
import type { Task } from "../../task.js";
import { pathOf } from "../mount.js";
import type { Location } from "../mount.js";
import { walk } from "../walk.js";
import { directory, file } from "./file-system.js";
import type { Children, Node } from "./file-system.js";
import { MemoryFile } from "./memory-file.js";
import { mountInfo, mountTable } from "./mount-tables.js";

const TICKS_PER_SECOND = 100;
const NANOSECONDS = 1e9;

/** /proc/PID (and, with `threads` false, /proc/PID/task/TID). */
export function taskDirectory(kernel: Kernel, task: Task, threads = true): Node {
  const { fs } = task;
  const nodes: Record<string, Node> = {
    auxv: file(() => byteString(task.auxv), 0o400),
    cgroup: file(() => "0::/\n"),
    cmdline: file(() => stringsAt(task, task.mm.layout.argStart, task.mm.layout.argEnd)),
    comm: {
      kind: "file",
      content: () => `${task.comm}\n`,
      mode: 0o644,
      write: (value) => {
        task.comm = value.replace(/\n$/, "").slice(0, 15);
        return 0;
      },
    },
    cwd: place(task, () => fs.cwd),
    environ: file(() => stringsAt(task, task.mm.layout.envStart, task.mm.layout.envEnd), 0o400),
    exe: place(task, () => executable(task)),
    fd: { kind: "directory", mode: 0o500, children: () => descriptors(task) },
    fdinfo: { kind: "directory", children: () => descriptorInfo(task) },
    limits: file(() => limits(task)),
    maps: file(() => task.mm.formatMaps()),
    mem: { kind: "special", mode: 0o600, open: (location, flags) => new MemoryFile(location, flags, task) },
    mountinfo: file(() => mountInfo(fs)),
    mounts: file(() => mountTable(fs)),
    oom_score: file(() => "666\n"),
    oom_score_adj: { kind: "file", content: () => "0\n", mode: 0o644, write: () => 0 },
    root: place(task, () => fs.root),
    smaps: file(() => task.mm.formatSmaps()),
    stat: file(() => statLine(task)),
    statm: file(() => statm(task)),
    status: file(() => status(task)),
  };
  if (threads)
    nodes.task = {
      kind: "directory",
      children: () =>
        new Map(task.process.tasks.map((each) => [`${each.tid}`, taskDirectory(kernel, each, false)])),
    };
  return directory(() => nodes);
}

/** A link that is a place: followed to where it is, whatever its text says. */
function place(task: Task, where: () => Location | number): Node {
  return {
    kind: "link",
    target: () => {
      const location = where();
      if (typeof location === "number") return location;
      const { path, deleted } = pathOf(location, task.fs.root);
      return deleted ? `${path} (deleted)` : path;
    },
    place: where,
  };
}

function executable(task: Task): Location | number {
  const found = walk(task.fs.namespace.setupStart(), task.executable, true);
  return typeof found === "number" ? -ENOENT : found.location;
}

function descriptors(task: Task): Children {
  const links = new Map<string, Node>();
  for (const [fd, open] of task.files) {
    links.set(`${fd}`, { kind: "link", target: () => open.mapName, place: () => open.location });
  }
  return links;
}

function descriptorInfo(task: Task): Children {
  const files = new Map<string, Node>();
  for (const [fd, open] of task.files) {
    const flags = open.flags | (task.files.closesOnExec(fd) ? 0o2000000 : 0);
    files.set(
      `${fd}`,
      file(
        () =>
          `pos:\t${open.position}\nflags:\t0${flags.toString(8)}\nmnt_id:\t${open.location.mount.id}\nino:\t${open.inode}\n`,
      ),
    );
  }
  return files;
}

/** Memory of the program, as far as it can be read. */
function stringsAt(task: Task, start: number, end: number): string {
  const bytes = new Uint8Array(Math.max(0, end - start));
  const read = new UserMemory(task.mm, { foreign: true, force: true }).copyIn(start, bytes);
  return byteString(bytes.subarray(0, read));
}

const LIMIT_NAMES: readonly (readonly [name: string, unit: string])[] = [
  ["Max cpu time", "seconds"],
  ["Max file size", "bytes"],
  ["Max data size", "bytes"],
  ["Max stack size", "bytes"],
  ["Max core file size", "bytes"],
  ["Max resident set", "bytes"],
  ["Max processes", "processes"],
  ["Max open files", "files"],
  ["Max locked memory", "bytes"],
  ["Max address space", "bytes"],
  ["Max file locks", "locks"],
  ["Max pending signals", "signals"],
  ["Max msgqueue size", "bytes"],
  ["Max nice priority", ""],
  ["Max realtime priority", ""],
  ["Max realtime timeout", "us"],
];

function limits(task: Task): string {
  const column = (value: number): string => (value === Infinity ? "unlimited" : `${value}`).padEnd(20);
  let out = `${"Limit".padEnd(25)} ${"Soft Limit".padEnd(20)} ${"Hard Limit".padEnd(20)} ${"Units".padEnd(10)}\n`;
  for (let i = 0; i < RLIM_NLIMITS; i++) {
    const { soft, hard } = task.limits.get(i);
    const [name, unit] = LIMIT_NAMES[i];
    out += `${name.padEnd(25)} ${column(soft)} ${column(hard)} ${unit === "" ? "" : unit.padEnd(10)}\n`;
  }
  return out;
}

function stateOf(task: Task): string {
  if (task.process.stopped !== 0) return "T";
  return task.waiting === null ? "R" : "S";
}

const STATE_NAMES: Record<string, string> = { R: "R (running)", S: "S (sleeping)", T: "T (stopped)" };

/** What is in memory, in pages: counted where smaps counts it. */
function residentPages(task: Task): { all: number; anonymous: number; file: number } {
  const smaps = task.mm.formatSmaps();
  const sum = (field: string): number => {
    let kib = 0;
    for (const match of smaps.matchAll(new RegExp(`^${field}: +(\\d+) kB$`, "gm"))) kib += Number(match[1]);
    return kib / 4;
  };
  const all = sum("Rss");
  const anonymous = sum("Anonymous");
  return { all, anonymous, file: all - anonymous };
}

function statm(task: Task): string {
  const { totalVm, dataVm, stackVm } = task.mm.stats;
  const { startCode, endCode } = task.mm.layout;
  const { all, file: shared } = residentPages(task);
  const code = Math.ceil(endCode / 4096) - Math.floor(startCode / 4096);
  return `${totalVm} ${all} ${shared} ${code} 0 ${dataVm + stackVm} 0\n`;
}

function statLine(task: Task): string {
  const { layout, stats } = task.mm;
  const ticks = Math.floor((task.instructions / NANOSECONDS) * TICKS_PER_SECOND);
  const { ignored, caught } = dispositions(task);
  const low31 = (set: SignalSet): bigint => set.toBigInt() & 0x7fff_ffffn;
  const terminal = task.fs.namespace.terminal;
  const fields: (number | bigint | string)[] = [
    stateOf(task),
    task.process.parentPid,
    task.process.processGroup,
    task.process.session,
    terminal ? 34816 : 0,
    terminal ? terminal.foreground || task.process.processGroup : -1,
    0x400000,
    stats.minorFaults,
    0,
    stats.majorFaults,
    0,
    ticks,
    0,
    0,
    0,
    20 + task.nice,
    task.nice,
    task.process.tasks.length,
    0,
    0,
    stats.totalVm * 4096,
    residentPages(task).all,
    "18446744073709551615",
    layout.startCode,
    layout.endCode,
    layout.startStack,
    0,
    0,
    low31(task.signals.pending.set),
    low31(task.signals.blocked),
    low31(ignored),
    low31(caught),
    0,
    0,
    0,
    17,
    0,
    0,
    0,
    0,
    0,
    0,
    layout.startData,
    layout.endData,
    layout.startBrk,
    layout.argStart,
    layout.argEnd,
    layout.envStart,
    layout.envEnd,
    0,
  ];
  return `${task.tid} (${task.comm}) ${fields.join(" ")}\n`;
}

function dispositions(task: Task): { ignored: SignalSet; caught: SignalSet } {
  const ignored = new Signals();
  const caught = new Signals();
  for (let signal = 1; signal <= 64; signal++) {
    const { handler } = task.process.handlers.of(signal);
    if (handler === 1n) ignored.add(signal);
    else if (handler !== 0n) caught.add(signal);
  }
  return { ignored, caught };
}

function status(task: Task): string {
  const { credentials: c, mm, process, signals } = task;
  const { stats, layout } = mm;
  const pages = residentPages(task);
  const kib = (pages: number): string => `${`${pages * 4}`.padStart(8)} kB`;
  const mask = (set: bigint): string => set.toString(16).padStart(16, "0");
  const { ignored, caught } = dispositions(task);
  const code = Math.ceil(layout.endCode / 4096) - Math.floor(layout.startCode / 4096);
  const lines: (readonly [string, string])[] = [
    ["Name", task.comm],
    ["Umask", `0${task.fs.umask.toString(8).padStart(3, "0")}`],
    ["State", STATE_NAMES[stateOf(task)]],
    ["Tgid", `${process.pid}`],
    ["Ngid", "0"],
    ["Pid", `${task.tid}`],
    ["PPid", `${process.parentPid}`],
    ["TracerPid", "0"],
    ["Uid", [c.uid, c.euid, c.suid, c.fsuid].join("\t")],
    ["Gid", [c.gid, c.egid, c.sgid, c.fsgid].join("\t")],
    ["FDSize", `${Math.max(64, Math.ceil(task.files.end / 64) * 64)}`],
    ["Groups", `${c.groups.join(" ")} `],
    ["NStgid", `${process.pid}`],
    ["NSpid", `${task.tid}`],
    ["NSpgid", `${process.processGroup}`],
    ["NSsid", `${process.session}`],
    ["Kthread", "0"],
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
    ["VmPTE", kib(0)],
    ["VmSwap", kib(0)],
    ["CoreDumping", "0"],
    ["THP_enabled", "1"],
    ["untag_mask", "0xffffffffffffffff"],
    ["Threads", `${process.tasks.length}`],
    ["SigQ", `0/${task.limits.soft(11)}`],
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
    ["Seccomp", "0"],
    ["Seccomp_filters", "0"],
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
