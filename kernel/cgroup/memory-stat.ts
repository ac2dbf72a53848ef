/* memory.stat: counted when it is read, by looking through the page tables and the page caches. */

import { PAGE_SIZE } from "../../mmu/layout.js";
import { PTE_ANON, PTE_PS, pteFrame } from "../../mmu/page-table-entry.js";
import type { PageFrame } from "../../mmu/types.js";
import type { Kernel } from "../kernel.js";
import type { AddressSpace } from "../mm/address-space.js";
import { FilePages } from "../mm/file-pages.js";
import { isLazyFree } from "../mm/lazy-free.js";
import { hasFrame } from "../mm/translations.js";
import { VM_LOCKED } from "../mm/vm-flags.js";
import type { ControlGroup } from "./control-group.js";
import { flatKeys } from "./file-rules.js";

/** Pages of each kind that are charged to a group or below it. */
interface PageCounts {
  anon: number;
  file: number;
  shmem: number;
  /** Of `shmem`: in blocks of 2 MiB. */
  shmemHuge: number;
  mapped: number;
  dirty: number;
  tables: number;
  /** Of `anon`: MADV_FREE has them. */
  lazyFree: number;
  /** Of `anon`: in leaves of 2 MiB. */
  huge: number;
  lockedAnon: number;
  lockedFile: number;
}

function countPages(kernel: Kernel, group: ControlGroup): PageCounts {
  const { charges } = kernel.cgroups;
  const { zeroFrame } = kernel.frames;
  const charged = (frame: PageFrame): boolean =>
    frame !== zeroFrame && (group.parent === null || (charges?.isWithin(frame, group) ?? false));
  const seen = { anon: new Set<PageFrame>(), mapped: new Set<PageFrame>() };
  const counts = { anon: 0, file: 0, shmem: 0, shmemHuge: 0, mapped: 0, dirty: 0, tables: 0 };
  const more = { lazyFree: 0, huge: 0, lockedAnon: 0, lockedFile: 0 };
  const spaces = new Set<AddressSpace>();
  for (const { mm } of kernel.tasks.values()) if (!mm.released) spaces.add(mm);
  for (const { tables, tree } of spaces) {
    tables.forEachTable((frame) => {
      if (charged(frame)) counts.tables++;
    });
    for (let area = tree.findFirst(0); area !== null; area = area.next) {
      const locked = (area.flags & VM_LOCKED) !== 0;
      tables.forEachPresentOrSwap(area.start, area.end, (_va, low) => {
        const frame = pteFrame(low);
        if (!hasFrame(low) || !charged(frame)) return;
        const anonymous = (low & PTE_ANON) !== 0;
        const set = anonymous ? seen.anon : seen.mapped;
        if (set.has(frame)) return;
        set.add(frame);
        if (anonymous && (low & PTE_PS) !== 0) more.huge++;
        if (anonymous && isLazyFree(low)) more.lazyFree++;
        else if (locked) more[anonymous ? "lockedAnon" : "lockedFile"]++;
      });
    }
  }
  counts.anon = seen.anon.size;
  for (const holder of kernel.frames.holders) {
    if (!(holder instanceof FilePages)) continue;
    const { isMemoryOnly, dirty } = holder;
    for (const index of holder.residentIndexes()) {
      const frame = holder.frameAt(index, false);
      if (!charged(frame)) continue;
      counts.file++;
      if (seen.mapped.has(frame)) counts.mapped++;
      if (holder.blocks?.has(index) === true) counts.shmemHuge++;
      if (isMemoryOnly) counts.shmem++;
      else if (dirty.has(index)) counts.dirty++;
    }
  }
  return { ...counts, ...more };
}

/** Lines in bytes. What sealab never has is always 0. */
function sizes(kernel: Kernel, group: ControlGroup): (readonly [string, number])[] {
  const counts = countPages(kernel, group);
  const { anon, file, shmem, tables, lazyFree, lockedAnon, lockedFile } = counts;
  const pages: (readonly [string, number])[] = [
    ["anon", anon],
    ["file", file],
    ["kernel", tables],
    ["kernel_stack", 0],
    ["pagetables", tables],
    ["sec_pagetables", 0],
    ["percpu", 0],
    ["sock", 0],
    ["vmalloc", 0],
    ["shmem", shmem],
    ["file_mapped", counts.mapped],
    ["file_dirty", counts.dirty],
    ["file_writeback", 0],
    ["swapcached", 0],
    ["anon_thp", counts.huge],
    ["file_thp", 0],
    ["shmem_thp", counts.shmemHuge],
    ["inactive_anon", 0],
    ["active_anon", anon - lazyFree - lockedAnon + shmem],
    ["inactive_file", lazyFree],
    ["active_file", file - shmem - lockedFile],
    ["unevictable", lockedAnon + lockedFile],
    ["slab_reclaimable", 0],
    ["slab_unreclaimable", 0],
    ["slab", 0],
  ];
  return pages.map(([name, count]) => [name, Math.max(0, count) * PAGE_SIZE]);
}

const REFAULTS = [
  "workingset_refault_anon",
  "workingset_refault_file",
  "workingset_activate_anon",
  "workingset_activate_file",
  "workingset_restore_anon",
  "workingset_restore_file",
  "workingset_nodereclaim",
  "pgdemote_kswapd",
  "pgdemote_direct",
  "pgdemote_khugepaged",
  "pgpromote_success",
] as const;

const zeroes = (names: readonly string[]): (readonly [string, number])[] => names.map((name) => [name, 0]);

export function memoryStat(kernel: Kernel, group: ControlGroup): string {
  const { pgscan, pgsteal, pgfault, pglazyfreed } = group.counters;
  return flatKeys([
    ...sizes(kernel, group),
    ...zeroes(REFAULTS),
    ["pgscan", pgscan],
    ["pgsteal", pgsteal],
    ...zeroes(["pgscan_kswapd"]),
    ["pgscan_direct", pgscan],
    ...zeroes(["pgscan_khugepaged", "pgsteal_kswapd"]),
    ["pgsteal_direct", pgsteal],
    ...zeroes(["pgsteal_khugepaged"]),
    ["pgfault", pgfault],
    ...zeroes(["pgmajfault", "pgrefill", "pgactivate", "pgdeactivate", "pglazyfree"]),
    ["pglazyfreed", pglazyfreed],
    ...zeroes(["swpin_zero", "swpout_zero"]),
    ...zeroes(["thp_fault_alloc", "thp_collapse_alloc", "thp_swpout", "thp_swpout_fallback"]),
    ...zeroes(["numa_pages_migrated", "numa_pte_updates", "numa_hint_faults"]),
  ]);
}

/** Of these memory.numa_stat does not tell. */
const WITHOUT_NODE = new Set(["kernel", "percpu", "sock", "vmalloc", "slab"]);

/** All memory lies on node 0. */
export function memoryNumaStat(kernel: Kernel, group: ControlGroup): string {
  return [...sizes(kernel, group), ...zeroes(REFAULTS)]
    .filter(([name]) => !WITHOUT_NODE.has(name))
    .map(([name, value]) => `${name} N0=${value}\n`)
    .join("");
}
