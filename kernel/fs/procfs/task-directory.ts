import { EACCES, EINVAL, ENOENT, EPERM, ESRCH, ERANGE } from "../../errno.js";
import { CAP_SYS_RESOURCE } from "../../capabilities.js";
import { hasCapability } from "../../credentials.js";
import { byteString } from "../bytes.js";
import { formatSmapsRollup } from "../../mm/proc-smaps.js";
import { OOM_SCORE_ADJ_MAX, OOM_SCORE_ADJ_MIN, oomScore } from "../../mm/oom.js";
import type { AddressSpace } from "../../mm/address-space.js";
import { clearSoftDirty } from "../../mm/soft-dirty.js";
import { UserMemory } from "../../mm/user-memory.js";
import type { Kernel } from "../../kernel.js";
import { mayAccess } from "../../ptrace-access.js";
import type { Task } from "../../task.js";
import { pathOf } from "../mount.js";
import type { Location } from "../mount.js";
import { walk } from "../walk.js";
import { file } from "./file-system.js";
import type { Children, Node, Owner } from "./file-system.js";
import { mapFiles } from "./map-files.js";
import { MapsFile } from "./maps-file.js";
import { MemoryFile } from "./memory-file.js";
import { mountInfo, mountStatistics, mountTable } from "./mount-tables.js";
import { PageMapFile } from "./page-map-file.js";
import { mergingPagesText, mergingText } from "./same-page-files.js";
import { limitsText } from "./task-limits.js";
import { memoryOf, statmText, statText, statusText } from "./task-status.js";
import { currentCall } from "./task-syscall.js";
import { vsyscallSmaps } from "../../vsyscall.js";

/** The user's part of an unset audit identity. */
const CORE_FILTER_BITS = 0x1ff;
const NO_AUDIT = "4294967295";
const COMM_BYTES = 15;
/** CLEAR_REFS_SOFT_DIRTY. */
const CLEAR_SOFT_DIRTY = 4;

/** /proc/PID (and, with `threads` false, /proc/PID/task/TID). Names in the order in which Linux lists them. */
export function taskDirectory(kernel: Kernel, task: Task, threads = true): Node {
  const owner = { uid: task.credentials.euid, gid: task.credentials.egid };
  const all = (): Record<string, Node> => nodes(kernel, task, threads);
  return {
    kind: "directory",
    owner,
    children: () => (isThere(kernel, task) ? new Map(Object.entries(all())) : -ENOENT),
    child: (name) => (isThere(kernel, task) ? new Map(Object.entries(all())).get(name) : -ESRCH),
  };
}

/** Not yet forgotten: alive, or waiting to be waited for. */
function isThere(kernel: Kernel, task: Task): boolean {
  return kernel.tasks.get(task.tid) === task;
}

/** Files of a task that may be looked into are its user's, others root's (task_dump_owner). */
function ownerOf(task: Task): Owner {
  const { euid, egid } = task.credentials;
  return task.process.dumpable === 1 ? { uid: euid, gid: egid } : { uid: 0, gid: 0 };
}

function nodes(kernel: Kernel, task: Task, threads: boolean): Record<string, Node> {
  const owner = ownerOf(task);
  const permitted = (): number => (mayAccess(kernel.current, task, "file-system") ? 0 : -EACCES);
  const withMemory = (): number => (memoryOf(task) === null ? -ESRCH : permitted());
  /** Text about a task, as long as the task is known. */
  const about = (content: () => string | number, mode = 0o444): Node => ({
    ...file(() => (isThere(kernel, task) ? content() : -ESRCH), mode),
    owner,
  });
  /** Text about its memory, for who may look into it; asked when the file is opened. Nothing once the memory is gone. */
  const ofMemory = (content: (mm: AddressSpace) => string, mode = 0o444, check = permitted): Node => ({
    kind: "file",
    mode,
    owner,
    check,
    content: () => {
      const mm = memoryOf(task);
      return mm !== null ? content(mm) : isThere(kernel, task) ? "" : -ESRCH;
    },
  });
  /** Text about where it stands; a task that has ended stands nowhere. */
  const ofPlace = (content: () => string): Node => ({
    kind: "file",
    owner,
    check: () => (task.state === "dead" ? -EINVAL : 0),
    content,
  });
  const place = (where: () => Location | number): Node => ({
    kind: "link",
    owner,
    ...placeLink(task, () => (task.state === "dead" ? -ENOENT : permitted() || where())),
  });
  const { process } = task;
  return {
    ...(threads ? { task: threadDirectory(kernel, task, owner) } : {}),
    fd: {
      kind: "directory",
      mode: 0o500,
      owner,
      children: () => descriptors(task, owner, permitted),
    },
    ...(threads ? { map_files: mapFiles(task, owner, permitted) } : {}),
    fdinfo: {
      kind: "directory",
      owner,
      check: permitted,
      children: () => descriptorInfo(kernel, task, owner, permitted),
    },
    environ: ofMemory((mm) => stringsAt(mm, mm.layout.envStart, mm.layout.envEnd), 0o400, withMemory),
    auxv: ofMemory(() => byteString(task.auxv), 0o400, withMemory),
    status: about(() => statusText(kernel, task)),
    personality: about(
      () => (permitted() < 0 ? -EPERM : `${(task.personality >>> 0).toString(16).padStart(8, "0")}\n`),
      0o400,
    ),
    limits: about(() => limitsText(task.limits)),
    comm: {
      kind: "file",
      owner,
      mode: 0o644,
      content: () => (isThere(kernel, task) ? `${task.comm}\n` : -ESRCH),
      write: (value) => rename(kernel, task, value),
    },
    cmdline: about(() => {
      const mm = memoryOf(task);
      return mm === null ? "" : commandLine(mm);
    }),
    stat: about(() => statText(kernel, task, threads)),
    statm: about(() => statmText(task)),
    maps: {
      kind: "special",
      owner,
      open: (location, flags) => permitted() || new MapsFile(location, flags, kernel, task),
    },
    ...(threads ? {} : { children: about(() => childrenText(task)) }),
    mem: {
      kind: "special",
      mode: 0o600,
      owner,
      open: (location, flags) => withMemory() || new MemoryFile(location, flags, kernel, task),
    },
    cwd: place(() => task.fs.cwd),
    root: place(() => task.fs.root),
    exe: place(() => executable(task)),
    mounts: ofPlace(() => mountTable(task.fs)),
    mountinfo: ofPlace(() => mountInfo(task.fs)),
    mountstats: ofPlace(() => mountStatistics(task.fs)),
    smaps: ofMemory((mm) => mm.formatSmaps() + vsyscallSmaps(kernel)),
    pagemap: {
      kind: "special",
      mode: 0o400,
      owner,
      open: (location, flags) => withMemory() || new PageMapFile(location, flags, task, kernel.current),
    },
    clear_refs: {
      kind: "file",
      mode: 0o200,
      owner,
      content: () => -EINVAL,
      write: (value) => clearReferences(kernel, task, value),
    },
    smaps_rollup: ofMemory((mm) => formatSmapsRollup(mm)),
    ksm_merging_pages: ofMemory((mm) => mergingPagesText(kernel, mm), 0o400),
    ksm_stat: ofMemory((mm) => mergingText(kernel, mm), 0o400),
    wchan: about(() => "0"),
    // A kernel stack is what a kernel in TypeScript does not have.
    stack: about(() => -EPERM, 0o400),
    syscall: about(() => (permitted() < 0 ? -EPERM : currentCall(kernel, task)), 0o400),
    cgroup: about(() => cgroupLine(kernel, task)),
    oom_score: about(() => `${scoreOf(kernel, task)}\n`),
    oom_score_adj: {
      kind: "file",
      owner,
      mode: 0o644,
      content: () => (isThere(kernel, task) ? `${process.oomScoreAdj}\n` : -ESRCH),
      write: (value) => adjustScore(kernel, task, value),
    },
    coredump_filter: {
      kind: "file",
      owner,
      mode: 0o644,
      content: () => {
        const mm = memoryOf(task);
        if (mm === null) return isThere(kernel, task) ? "" : -ESRCH;
        return `${mm.coredumpFilter.toString(16).padStart(8, "0")}\n`;
      },
      write: (value) => setCoreFilter(task, value),
    },
    loginuid: { ...about(() => NO_AUDIT), mode: 0o644 } as Node,
    sessionid: about(() => NO_AUDIT),
  };
}

/**
 * What 1 to 5 in clear_refs do (clear_refs_write). 1 to 3 make pages count as not looked at and 5 sets the peak of
 * the resident pages down: neither is kept here.
 */
function clearReferences(kernel: Kernel, task: Task, value: string): number {
  const kind = value.trim();
  if (!/^[-+]?\d+$/.test(kind) || Number(kind) < 1 || Number(kind) > 5) return -EINVAL;
  if (!isThere(kernel, task)) return -ESRCH;
  const mm = memoryOf(task);
  if (mm !== null && Number(kind) === CLEAR_SOFT_DIRTY) clearSoftDirty(mm);
  return 0;
}

function threadDirectory(kernel: Kernel, task: Task, owner: Owner): Node {
  const { process } = task;
  const all = (): Task[] => {
    const { leader, tasks } = process;
    const here = tasks.includes(leader) || !isThere(kernel, leader) ? tasks : [leader, ...tasks];
    return [...here].sort((a, b) => a.tid - b.tid);
  };
  const node = (each: Task): Node => taskDirectory(kernel, each, false);
  return {
    kind: "directory",
    owner,
    // Programs count their threads by it (proc_task_getattr).
    links: () => 2 + process.tasks.length,
    children: () => new Map(all().map((each) => [`${each.tid}`, node(each)])),
    child: (name) => {
      const found = all().find((each) => `${each.tid}` === name);
      return found && node(found);
    },
  };
}

/** What a link that is a place says and where it leads. */
function placeLink(
  task: Task,
  where: () => Location | number,
): { target: () => string | number; place: () => Location | number } {
  return {
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

function descriptors(task: Task, owner: Owner, permitted: () => number): Children {
  const links = new Map<string, Node>();
  if (task.state === "dead") return links;
  for (const [fd, open] of task.files) {
    const mode = (open.readable ? 0o500 : 0) | (open.writable ? 0o300 : 0);
    links.set(`${fd}`, {
      kind: "link",
      mode,
      owner,
      target: () => permitted() || open.mapName,
      place: () => permitted() || open.location,
    });
  }
  return links;
}

function descriptorInfo(kernel: Kernel, task: Task, owner: Owner, permitted: () => number): Children {
  const files = new Map<string, Node>();
  if (task.state === "dead" || permitted() < 0) return files;
  for (const [fd, open] of task.files) {
    const flags = open.flags | (task.files.closesOnExec(fd) ? 0o2000000 : 0);
    const content = (): string | number =>
      isThere(kernel, task)
        ? `pos:\t${open.position}\nflags:\t0${flags.toString(8)}\nmnt_id:\t${open.location.mount.id}\nino:\t${open.inode}\n${open.info()}`
        : -ESRCH;
    files.set(`${fd}`, { kind: "file", owner, mode: 0o444, check: permitted, content });
  }
  return files;
}

/** More than arguments and environment can be, unless PR_SET_MM says otherwise. */
const MOST_SHOWN = 8 << 20;

/** Memory of a program, as far as it can be read. */
function stringsAt(mm: AddressSpace, start: number, end: number): string {
  const bytes = new Uint8Array(Math.max(0, Math.min(end - start, MOST_SHOWN)));
  const read = new UserMemory(mm, { foreign: true, force: true }).copyIn(start, bytes);
  return byteString(bytes.subarray(0, read));
}

/**
 * The arguments; of a program that wrote over their end, what it wrote, into the environment if it is long
 * (get_mm_cmdline, get_mm_proctitle).
 */
function commandLine(mm: AddressSpace): string {
  const { argStart, argEnd, envStart, envEnd } = mm.layout;
  const text = stringsAt(mm, argStart, argEnd);
  if (text === "" || text.endsWith("\0")) return text;
  const title = stringsAt(mm, argStart, Math.min(argStart + 4096, envStart === argEnd ? envEnd : argEnd));
  const end = title.indexOf("\0");
  return end < 0 ? title : title.slice(0, end + 1);
}

/** Only a thread of the same process may change a name (comm_write). */
function rename(kernel: Kernel, task: Task, value: string): number {
  if (!isThere(kernel, task)) return -ESRCH;
  if (kernel.current.process !== task.process) return -EINVAL;
  task.comm = value.split(/[\0]/)[0]!.slice(0, COMM_BYTES);
  return 0;
}

/** A number in any of C's notations; bits that nobody knows are dropped (proc_coredump_filter_write). */
function setCoreFilter(task: Task, value: string): number {
  const text = value.replace(/\n$/, "");
  const octal = /^\+?0([0-7]+)$/.exec(text);
  if (octal === null && !/^\+?(0[xX][0-9a-fA-F]+|[1-9]\d*|0)$/.test(text)) return -EINVAL;
  const number = octal === null ? Number(text) : parseInt(octal[1]!, 8);
  if (number > 0xffff_ffff) return -ERANGE;
  const mm = memoryOf(task);
  if (mm === null) return -ESRCH;
  mm.coredumpFilter = number & CORE_FILTER_BITS;
  return 0;
}

/** Processes that this very thread has made, or was given. */
function childrenText(task: Task): string {
  const own = [...task.process.children].filter((child) => child.parentTask === task);
  return own.map(({ pid }) => `${pid} `).join("");
}

function scoreOf(kernel: Kernel, task: Task): number {
  const { process } = task;
  const { pid, oomScoreAdj } = process;
  const { uid } = task.credentials;
  const candidate = {
    pid,
    name: task.comm,
    uid,
    mm: memoryOf(task),
    oomScoreAdj,
    dying: process.exit !== null,
  };
  return oomScore(candidate, kernel.frames.total);
}

function adjustScore(kernel: Kernel, task: Task, value: string): number {
  if (!isThere(kernel, task)) return -ESRCH;
  const text = value.trim();
  if (!/^[-+]?\d+$/.test(text)) return -EINVAL;
  const score = Number(text);
  if (score < OOM_SCORE_ADJ_MIN || score > OOM_SCORE_ADJ_MAX) return -EINVAL;
  const { process } = task;
  const privileged = hasCapability(kernel.current.credentials, CAP_SYS_RESOURCE);
  if (score < process.oomScoreAdjMin && !privileged) return -EACCES;
  if (privileged) process.oomScoreAdjMin = score;
  process.oomScoreAdj = score;
  return 0;
}

/** /proc/PID/cgroup: the one hierarchy there is. */
function cgroupLine(kernel: Kernel, task: Task): string {
  const { path, removed } = kernel.cgroups.groupOf(task);
  return `0::${path}${removed ? " (deleted)" : ""}\n`;
}
