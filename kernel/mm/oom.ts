/*
 * What happens when a fault finds no frame (mm/oom_kill.c): the process whose end frees most is killed, and its private
 * pages go at once, before it has got round to dying, so that the access can be repeated.
 */
import type { AddressSpace } from "./address-space.js";
import { isHugetlb } from "./hugetlb/area.js";
import { VM_SHARED } from "./vm-flags.js";

/** Never to be killed (OOM_SCORE_ADJ_MIN). */
export const OOM_SCORE_ADJ_MIN = -1000;
export const OOM_SCORE_ADJ_MAX = 1000;

/** A process as the OOM killer sees it. */
export interface OomProcess {
  readonly pid: number;
  /** `comm` of its first task. */
  readonly name: string;
  readonly uid: number;
  /** Null once it has given its memory back. */
  readonly mm: AddressSpace | null;
  /** -1000 to 1000, /proc/PID/oom_score_adj. */
  readonly oomScoreAdj: number;
  /** It ends already: SIGKILL is pending or it has begun to exit. */
  readonly dying: boolean;
}

/** One process killed, for whoever prints the line. */
export interface OomKill {
  readonly pid: number;
  readonly name: string;
  readonly uid: number;
  /** KiB. */
  readonly totalVm: number;
  readonly anonymous: number;
  readonly file: number;
  readonly pageTables: number;
  readonly oomScoreAdj: number;
  /** A control group was beyond its limit, not the machine. */
  readonly inGroup: boolean;
}

/** The machine's side: kernel/mm knows no tasks. */
export interface OomMachine {
  /** Who may be killed are those of a control group. */
  readonly inGroup: boolean;
  /** All processes, the oldest first. */
  processes(): Iterable<OomProcess>;
  /** Sends SIGKILL to the process, so that it never runs another instruction of its program. */
  kill(process: OomProcess): void;
  /** Who goes with it: its control group, where that is to be killed whole (memory.oom.group). */
  companions(victim: OomProcess): Iterable<OomProcess>;
  /** Tells the user. */
  report(kill: OomKill): void;
}

/**
 * How much killing a process would free, in pages, moved by its oom_score_adj in thousandths of all memory
 * (oom_badness); null when it must not be killed.
 */
function badness(process: OomProcess, totalPages: number): number | null {
  const { mm, oomScoreAdj } = process;
  if (mm === null || process.dying || oomScoreAdj === OOM_SCORE_ADJ_MIN) return null;
  const pages = mm.anonPages + mm.filePages + mm.swapPages + mm.tables.tableFrames;
  return pages + oomScoreAdj * Math.trunc(totalPages / 1000);
}

/** /proc/PID/oom_score: 0 to 2000, 1000 for a process without memory of its own and without adjustment. */
export function oomScore(process: OomProcess, totalPages: number): number {
  const points = badness(process, totalPages);
  if (points === null) return 0;
  return Math.trunc(((1000 + Math.trunc((points * 1000) / totalPages)) * 2) / 3);
}

/** The process that the OOM killer would take (select_bad_process): of equals, the youngest. */
export function selectVictim(processes: Iterable<OomProcess>, totalPages: number): OomProcess | null {
  let chosen: OomProcess | null = null;
  let most = -Infinity;
  for (const process of processes) {
    const points = badness(process, totalPages);
    if (points === null || points < most) continue;
    chosen = process;
    most = points;
  }
  return chosen;
}

/** What counts as memory, and when there is enough of it again: the machine's, unless a control group's is meant. */
export interface OomMeasure {
  readonly totalPages: number;
  enough(): boolean;
}

/**
 * Kills until a frame is free, for an access to `mm` that found none; null where it is nobody's.
 * @returns true when the access can be repeated; false when a process of `mm` itself was the one to go, or when nobody
 *   may be killed
 */
export function outOfMemory(machine: OomMachine, mm: AddressSpace | null, measure: OomMeasure): boolean {
  for (;;) {
    const victim = selectVictim(machine.processes(), measure.totalPages);
    if (victim === null || victim.mm === null) return false;
    const memory = victim.mm;
    machine.report(told(machine, victim, memory));
    // Whoever shares its memory goes with it.
    for (const process of [...machine.processes()])
      if (process.mm === memory && !process.dying) machine.kill(process);
    let own = memory === mm;
    if (!own) reapPages(memory);
    for (const other of machine.companions(victim)) {
      if (other.dying || other.oomScoreAdj === OOM_SCORE_ADJ_MIN) continue;
      if (other.mm !== null) machine.report(told(machine, other, other.mm));
      machine.kill(other);
      if (other.mm === mm) own = true;
      else if (other.mm !== null) reapPages(other.mm);
    }
    if (own) return false;
    if (measure.enough()) return true;
  }
}

function told({ inGroup }: OomMachine, victim: OomProcess, memory: AddressSpace): OomKill {
  const kib = (pages: number): number => pages * 4;
  return {
    pid: victim.pid,
    name: victim.name,
    uid: victim.uid,
    totalVm: kib(memory.stats.totalVm),
    anonymous: kib(memory.anonPages),
    file: kib(memory.filePages),
    pageTables: kib(memory.tables.tableFrames),
    oomScoreAdj: victim.oomScoreAdj,
    inGroup,
  };
}

/** Gives back the private pages of an address space that no program will touch again (__oom_reap_task_mm). */
function reapPages(mm: AddressSpace): void {
  for (const area of mm.tree)
    if (!isHugetlb(area) && (area.isAnonymous || (area.flags & VM_SHARED) === 0))
      mm.translations.drop(area.start, area.end, "pages");
}

/** The line that Linux logs, without the time before it. */
export function formatOomKill(kill: OomKill): string {
  return (
    `${kill.inGroup ? "Memory cgroup out" : "Out"} of memory: Killed process ${kill.pid} (${kill.name}) total-vm:${kill.totalVm}kB, ` +
    `anon-rss:${kill.anonymous}kB, file-rss:${kill.file}kB, UID:${kill.uid} ` +
    `pgtables:${kill.pageTables}kB oom_score_adj:${kill.oomScoreAdj}`
  );
}
