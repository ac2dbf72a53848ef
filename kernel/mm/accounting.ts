import type { AddressSpace } from "./address-space.js";
import type { MmSettings } from "./environment.js";
import { isDataMapping, VM_EXEC, VM_GROWSDOWN, VM_LOCKED, VM_WRITE } from "./vm-flags.js";

/** Counts pages into (or, negative, out of) the totals that limits and /proc show (vm_stat_account). */
export function countPages(mm: AddressSpace, flags: number, pages: number): void {
  const { stats } = mm;
  stats.totalVm += pages;
  if ((flags & (VM_EXEC | VM_WRITE | VM_GROWSDOWN)) === VM_EXEC) stats.execVm += pages;
  else if ((flags & VM_GROWSDOWN) !== 0) stats.stackVm += pages;
  else if (isDataMapping(flags)) stats.dataVm += pages;
  if ((flags & VM_LOCKED) !== 0) stats.lockedVm += pages;
}

/** RLIMIT_AS and, for private writable memory, RLIMIT_DATA leave room for this many more pages (may_expand_vm). */
export function mayExpand(mm: AddressSpace, flags: number, pages: number): boolean {
  const { limits } = mm.env;
  if (mm.stats.totalVm + pages > Math.floor(limits.as / 4096)) return false;
  if (!isDataMapping(flags)) return true;
  const data = mm.stats.dataVm + pages;
  if (data <= Math.floor(limits.data / 4096)) return true;
  return limits.data === 0 && data <= Math.floor(limits.dataMax / 4096);
}

/** Locked pages may grow by this many (mlock_future_ok): RLIMIT_MEMLOCK, unless CAP_IPC_LOCK. */
export function mayLock(mm: AddressSpace, flags: number, pages: number): boolean {
  if ((flags & VM_LOCKED) === 0 || mm.env.capabilities.ipcLock) return true;
  return mm.stats.lockedVm + pages <= Math.floor(mm.env.limits.memlock / 4096);
}

/** Pages that may be committed in mode 2 (vm_commit_limit). @param total pages of RAM @param swap pages of swap areas */
export function commitLimit(
  { overcommitKbytes, overcommitRatio }: MmSettings,
  total: number,
  swap: number,
): number {
  if (overcommitKbytes > 0) return Math.floor(overcommitKbytes / 4) + swap;
  return Math.floor((total * overcommitRatio) / 100) + swap;
}

/** Commits memory if the overcommit policy allows it (__vm_enough_memory). */
export function commit(mm: AddressSpace, pages: number): boolean {
  const { env } = mm;
  const { settings } = env;
  const total = env.frames.total;
  const swap = env.swap.total;
  if (settings.overcommit === 0 && pages > total + swap) return false;
  if (settings.overcommit === 2) {
    let allowed = commitLimit(settings, total, swap);
    if (!env.capabilities.sysAdmin) allowed -= Math.floor(settings.adminReserveKbytes / 4);
    allowed -= Math.min(Math.floor(mm.stats.totalVm / 32), Math.floor(settings.userReserveKbytes / 4));
    if (env.commit.pages + pages >= allowed) return false;
  }
  env.commit.pages += pages;
  mm.stats.committed += pages;
  return true;
}

export function uncommit(mm: AddressSpace, pages: number): void {
  mm.env.commit.pages -= pages;
  mm.stats.committed -= pages;
}
