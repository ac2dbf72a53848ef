import type { AddressSpace } from "./address-space.js";
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

/** Commits memory if the overcommit policy allows it (__vm_enough_memory). */
export function commit(mm: AddressSpace, pages: number): boolean {
  const { env } = mm;
  const total = env.frames.total;
  if (env.settings.overcommit === 0 && pages > total) return false;
  // Mode 2: half of RAM, less 3% of it kept for an administrator (overcommit_ratio, admin_reserve).
  if (env.settings.overcommit === 2 && env.commit.pages + pages > Math.floor(total / 2) * 0.97) return false;
  env.commit.pages += pages;
  mm.stats.committed += pages;
  return true;
}

export function uncommit(mm: AddressSpace, pages: number): void {
  mm.env.commit.pages -= pages;
  mm.stats.committed -= pages;
}
