import {
  PTE_ANON,
  PTE_D,
  PTE_NX,
  PTE_P,
  PTE_POISON,
  PTE_PS,
  PTE_RW,
  PTE_UFFD_WP,
  PTE_UFFD_WP_MARKER,
  pteFrame,
  pteKey,
} from "../../../mmu/page-table-entry.js";
import type { AddressSpace } from "../address-space.js";
import type { Area } from "../area.js";
import { VM_ACCESS_FLAGS, VM_EXEC, VM_SHARED, VM_WRITE } from "../vm-flags.js";
import { hugeIndex, hugePagesOf, isHugetlb, pageBytesOf } from "./area.js";
import type { HugePage } from "./huge-page.js";
import { forEachLeaf, hasPage } from "./leaves.js";
import type { HugePagePool } from "./pool.js";

/** The areas of huge pages of an address space against its leaves, as check-invariants.ts does for others. */
export function checkHugeAreas(mm: AddressSpace, wrong: string[]): void {
  let mapped = 0;
  for (const area of mm.tree) {
    const name = `area ${area.start.toString(16)}`;
    if (isHugetlb(area) !== (area.hugetlb !== null)) wrong.push(`${name}: flags and huge pages disagree`);
    if (!isHugetlb(area)) continue;
    const bytes = pageBytesOf(area);
    if (area.start % bytes !== 0 || area.end % bytes !== 0) wrong.push(`${name} is not of whole huge pages`);
    forEachLeaf(mm, area, area.start, area.end, (va, low, entry) => {
      if (!hasPage(low)) {
        if (low !== PTE_UFFD_WP_MARKER && low !== PTE_POISON)
          wrong.push(`huge page ${va.toString(16)}: an entry without a page`);
        return;
      }
      mapped += bytes / 4096;
      checkLeaf(mm, area, va, low, mm.env.frames.memory.u32[entry + 1], wrong);
    });
  }
  if (mapped !== mm.hugetlbPages)
    wrong.push(`${mapped} pages of huge ones are mapped, but ${mm.hugetlbPages} counted`);
}

function checkLeaf(
  mm: AddressSpace,
  area: Area,
  va: number,
  low: number,
  high: number,
  wrong: string[],
): void {
  const name = `huge page ${va.toString(16)}`;
  const page = mm.env.hugePages.pageAt(pteFrame(low));
  if (page?.pool !== hugePagesOf(area).pool || (low & PTE_PS) === 0) {
    wrong.push(`${name} is none of the pool's`);
    return;
  }
  const anonymous = (low & PTE_ANON) !== 0;
  if (!anonymous && hugePagesOf(area).hugeAt(hugeIndex(area, va)) !== page)
    wrong.push(`${name} is not its file's`);
  if (anonymous && page.cached) wrong.push(`${name} is private, but a file's`);
  if (((low & PTE_P) !== 0) !== ((area.flags & VM_ACCESS_FLAGS) !== 0))
    wrong.push(`${name}: present and protection disagree`);
  if (((high & PTE_NX) === 0) !== ((area.flags & VM_EXEC) !== 0))
    wrong.push(`${name}: NX and protection disagree`);
  if (pteKey(high) !== area.key) wrong.push(`${name} has key ${pteKey(high)} in an area of key ${area.key}`);
  if ((low & PTE_RW) === 0) return;
  if ((low & PTE_D) === 0) wrong.push(`${name} is writable but clean`);
  if ((area.flags & VM_WRITE) === 0) wrong.push(`${name} is writable in an area that is not`);
  if ((low & PTE_UFFD_WP) !== 0) wrong.push(`${name} is writable but protected through userfaultfd`);
  if ((area.flags & VM_SHARED) === 0 && !(anonymous && page.mappers === 1))
    wrong.push(`${name} is writable but not this address space's own`);
}

/** A pool's counts against its pages, who maps them, and what was promised to whom. */
export function checkHugePages(pool: HugePagePool, spaces: Iterable<AddressSpace>): string[] {
  const wrong: string[] = [];
  const leaves = new Map<HugePage, number>();
  let promised = 0;
  for (const mm of spaces)
    for (const area of mm.tree) {
      if (!isHugetlb(area) || hugePagesOf(area).pool !== pool) continue;
      forEachLeaf(mm, area, area.start, area.end, (_va, low) => {
        const page = hasPage(low) ? pool.pageAt(pteFrame(low)) : undefined;
        if (page !== undefined) leaves.set(page, (leaves.get(page) ?? 0) + 1);
      });
      promised +=
        area.hugetlb?.reserve?.used.missing(hugeIndex(area, area.start), hugeIndex(area, area.end)) ?? 0;
    }
  const cached = new Set<HugePage>();
  for (const file of pool.files) {
    promised += file.promised;
    for (const page of file.hugePages()) cached.add(page);
  }
  for (const subpool of pool.subpools) promised += subpool.kept;
  let free = 0;
  for (const page of pool.all()) {
    const name = `huge page of frame ${page.frame}`;
    const mappers = leaves.get(page) ?? 0;
    if (page.mappers !== mappers) wrong.push(`${name} has ${mappers} leaves, but ${page.mappers} counted`);
    if (page.cached !== cached.has(page)) wrong.push(`${name}: its file and its mark disagree`);
    const used = page.mappers > 0 || page.cached || pool.isLingering(page);
    if (!used) free++;
    if (used === pool.isFree(page))
      wrong.push(`${name} is ${used ? "" : "not "}in use, but ${used ? "" : "not "}free`);
    // What it gives back when it becomes free is counted as promised already.
    if (used && page.restoresReserve) promised--;
  }
  if (free !== pool.free) wrong.push(`${free} huge pages are free, but ${pool.free} counted`);
  if (promised !== pool.reserved)
    wrong.push(`${promised} huge pages are promised, but ${pool.reserved} counted`);
  return wrong;
}
