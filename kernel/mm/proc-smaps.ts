import { PTE_ANON, PTE_D, PTE_PS, pteFrame } from "../../mmu/page-table-entry.js";
import type { AddressSpace } from "./address-space.js";
import type { Area } from "./area.js";
import { isEligible } from "./huge/eligible.js";
import { mappers as mappersOf } from "./page-map.js";
import { isHugetlb, pageBytesOf } from "./hugetlb/area.js";
import { forEachLeaf, hasPage, pageOfLeaf } from "./hugetlb/leaves.js";
import { formatMapsLine, NAME_COLUMN } from "./proc-maps.js";
import { isSwapped, slotOf } from "./swap/entry.js";
import { hasFrame } from "./translations.js";
import * as vm from "./vm-flags.js";

/** In the place of VM_MAYBE_GUARD, which is `Area.guarded` here. */
const MAYBE_GUARD = 0;

/** VmFlags mnemonics in the order of the bits (show_smap_vma_flags). */
const MNEMONICS: readonly (readonly [number, string])[] = [
  [vm.VM_READ, "rd"],
  [vm.VM_WRITE, "wr"],
  [vm.VM_EXEC, "ex"],
  [vm.VM_SHARED, "sh"],
  [vm.VM_MAYREAD, "mr"],
  [vm.VM_MAYWRITE, "mw"],
  [vm.VM_MAYEXEC, "me"],
  [vm.VM_MAYSHARE, "ms"],
  [vm.VM_GROWSDOWN, "gd"],
  [vm.VM_UFFD_MISSING, "um"],
  [vm.VM_PFNMAP, "pf"],
  [MAYBE_GUARD, "gu"],
  [vm.VM_UFFD_WP, "uw"],
  [vm.VM_LOCKED, "lo"],
  [vm.VM_IO, "io"],
  [vm.VM_SEQ_READ, "sr"],
  [vm.VM_RAND_READ, "rr"],
  [vm.VM_DONTCOPY, "dc"],
  [vm.VM_DONTEXPAND, "de"],
  [vm.VM_LOCKONFAULT, "lf"],
  [vm.VM_ACCOUNT, "ac"],
  [vm.VM_NORESERVE, "nr"],
  [vm.VM_HUGETLB, "ht"],
  [vm.VM_SYNC, "sf"],
  [vm.VM_WIPEONFORK, "wf"],
  [vm.VM_DONTDUMP, "dd"],
  [vm.VM_SOFTDIRTY, "sd"],
  [vm.VM_MIXEDMAP, "mm"],
  [vm.VM_HUGEPAGE, "hg"],
  [vm.VM_NOHUGEPAGE, "nh"],
  [vm.VM_MERGEABLE, "mg"],
  [vm.VM_DROPPABLE, "dp"],
  [vm.VM_UFFD_MINOR, "ui"],
];

/** Resident pages of one area, by kind. */
interface Residency {
  rss: number;
  /** Share in pages: a frame of n holders counts 1/n. */
  pss: number;
  pssDirty: number;
  sharedClean: number;
  sharedDirty: number;
  privateClean: number;
  privateDirty: number;
  anonymous: number;
  /** Of the anonymous ones, clean since MADV_FREE. */
  lazyFree: number;
  /** Those that share a frame with others of the same content. */
  merged: number;
  /** Share of the anonymous ones. */
  pssAnonymous: number;
  /** Share of those in locked areas. */
  locked: number;
  /** Of the anonymous ones, those in leaves of 2 MiB. */
  anonymousHuge: number;
  /** Of those of shared memory, those in leaves of 2 MiB. */
  sharedHuge: number;
  /** Of the pool of huge pages. */
  sharedHugetlb: number;
  privateHugetlb: number;
  /** In swap areas. */
  swap: number;
  swapPss: number;
}

/** A page's share for one of so many holders, in pages, cut off as Linux does (PSS_SHIFT): to 2^-12 bytes. */
function share(holders: number): number {
  return Math.floor(2 ** 24 / holders) / 2 ** 24;
}

function nothingResident(): Residency {
  return {
    rss: 0,
    pss: 0,
    pssDirty: 0,
    sharedClean: 0,
    sharedDirty: 0,
    privateClean: 0,
    privateDirty: 0,
    anonymous: 0,
    lazyFree: 0,
    merged: 0,
    pssAnonymous: 0,
    locked: 0,
    anonymousHuge: 0,
    sharedHuge: 0,
    sharedHugetlb: 0,
    privateHugetlb: 0,
    swap: 0,
    swapPss: 0,
  };
}

/** Adds an area's pages to a sum. */
function addResidency(mm: AddressSpace, area: Area, sum: Residency): Residency {
  const { frames, swap } = mm.env;
  // Nobody counts the pages of such an area (vm_normal_page).
  if ((area.flags & vm.VM_PFNMAP) !== 0) return sum;
  if (isHugetlb(area)) return addHugePages(mm, area, sum);
  if (area.pages !== null)
    sum.swap += area.pages.swappedIn(area.pageOffset, area.pageOffset + area.pageCount);
  mm.tables.forEachPresentOrSwap(area.start, area.end, (_va, low) => {
    if (isSwapped(low)) {
      sum.swap++;
      sum.swapPss += share(swap.count(slotOf(low)));
    }
    const frame = pteFrame(low);
    if (!hasFrame(low) || frame === frames.zeroFrame) return;
    const anonymous = (low & PTE_ANON) !== 0;
    const mappers = Math.max(1, mappersOf(mm, low));
    const merged = mm.env.samePages?.isMerged(frame) === true;
    if (merged) sum.merged++;
    // A page in the swap cache has not been written since it was read.
    const dirty = merged || ((low & PTE_D) !== 0 && !swap.isCached(frame));
    const lazyFree = anonymous && (low & PTE_D) === 0 && !merged;
    sum.rss++;
    sum.pss += share(mappers);
    if (dirty) sum.pssDirty += share(mappers);
    if ((area.flags & vm.VM_LOCKED) !== 0) sum.locked += share(mappers);
    if (anonymous) {
      sum.anonymous++;
      if (lazyFree) sum.lazyFree++;
      if ((low & PTE_PS) !== 0) sum.anonymousHuge++;
      sum.pssAnonymous += share(mappers);
    } else if ((low & PTE_PS) !== 0) sum.sharedHuge++;
    if (mappers > 1) sum[dirty ? "sharedDirty" : "sharedClean"]++;
    else sum[dirty ? "privateDirty" : "privateClean"]++;
  });
  return sum;
}

/** Huge pages count nowhere else (smaps_hugetlb_range). */
function addHugePages(mm: AddressSpace, area: Area, sum: Residency): Residency {
  forEachLeaf(mm, area, area.start, area.end, (_va, low) => {
    if (!hasPage(low)) return;
    const pages = pageBytesOf(area) / 4096;
    if (pageOfLeaf(mm, low).mappers > 1) sum.sharedHugetlb += pages;
    else sum.privateHugetlb += pages;
  });
  return sum;
}

function kilobytes(label: string, amount: number): string {
  return `${`${label}:`.padEnd(16)}${String(amount).padStart(8)} kB\n`;
}

function vmFlags(mm: AddressSpace, area: Area): string {
  const guarded = area.guarded && mm.env.release.smapsShowsGuards;
  const has = (bit: number): boolean => (bit === MAYBE_GUARD ? guarded : (area.flags & bit) !== 0);
  const words = MNEMONICS.filter(([bit]) => has(bit)).map(([, word]) => word);
  const seal = mm.env.sealing.smapsFlag(area);
  if (seal !== "") words.push(seal);
  return `VmFlags: ${words.map((word) => `${word} `).join("")}\n`;
}

/** One area's paragraph of /proc/pid/smaps (show_smap). */
function formatSmapsArea(mm: AddressSpace, area: Area): string {
  const pages = addResidency(mm, area, nothingResident());
  let text = `${formatMapsLine(mm, area)}\n`;
  text +=
    kilobytes("Size", area.length / 1024) +
    kilobytes("KernelPageSize", pageBytesOf(area) / 1024) +
    kilobytes("MMUPageSize", pageBytesOf(area) / 1024);
  text += formatResidency(pages, "");
  text += `THPeligible:           ${isEligible(mm, area) ? 1 : 0}\n`;
  if (mm.env.pku) text += `ProtectionKey:  ${String(area.key).padStart(8)}\n`;
  return text + vmFlags(mm, area);
}

/** The paragraph of a page that has no area, the gate area: nothing in it is resident. `line`: of maps, with its newline. */
export function formatSpecialArea(line: string, flags: readonly string[], pku: boolean): string {
  const size = kilobytes("Size", 4) + kilobytes("KernelPageSize", 4) + kilobytes("MMUPageSize", 4);
  const text = `${line}${size}${formatResidency(nothingResident(), "")}THPeligible:           0\n`;
  const key = pku ? `ProtectionKey:  ${"0".padStart(8)}\n` : "";
  return `${text}${key}VmFlags: ${flags.map((word) => `${word} `).join("")}\n`;
}

const kb = (pages: number): number => Math.floor(pages * 4);

/** @param kinds lines that smaps_rollup has beside the total share */
function formatResidency(pages: Residency, kinds: string): string {
  let text =
    kilobytes("Rss", kb(pages.rss)) +
    kilobytes("Pss", kb(pages.pss)) +
    kilobytes("Pss_Dirty", kb(pages.pssDirty)) +
    kinds;
  text += kilobytes("Shared_Clean", kb(pages.sharedClean)) + kilobytes("Shared_Dirty", kb(pages.sharedDirty));
  text +=
    kilobytes("Private_Clean", kb(pages.privateClean)) + kilobytes("Private_Dirty", kb(pages.privateDirty));
  text += kilobytes("Referenced", kb(pages.rss)) + kilobytes("Anonymous", kb(pages.anonymous));
  text += kilobytes("KSM", kb(pages.merged)) + kilobytes("LazyFree", kb(pages.lazyFree));
  text += kilobytes("AnonHugePages", kb(pages.anonymousHuge));
  text += kilobytes("ShmemPmdMapped", kb(pages.sharedHuge)) + kilobytes("FilePmdMapped", 0);
  text +=
    kilobytes("Shared_Hugetlb", kb(pages.sharedHugetlb)) +
    kilobytes("Private_Hugetlb", kb(pages.privateHugetlb));
  text += kilobytes("Swap", kb(pages.swap)) + kilobytes("SwapPss", kb(pages.swapPss));
  return text + kilobytes("Locked", kb(pages.locked));
}

/** The text of /proc/pid/smaps_rollup: all areas as one. */
export function formatSmapsRollup(mm: AddressSpace): string {
  const { first, last } = mm.tree;
  const all = nothingResident();
  let sharedMemory = 0;
  for (const area of mm.tree) {
    const before = all.pss - all.pssAnonymous;
    addResidency(mm, area, all);
    const { file } = area;
    if (file !== null && file.device.major === 0 && file.device.minor === SHMEM_MINOR)
      sharedMemory += all.pss - all.pssAnonymous - before;
  }
  const hex = (address: number): string => address.toString(16).padStart(8, "0");
  const head = `${hex(first?.start ?? 0)}-${hex(last?.end ?? 0)} ---p 00000000 00:00 0`.padEnd(NAME_COLUMN);
  const kinds =
    kilobytes("Pss_Anon", kb(all.pssAnonymous)) +
    kilobytes("Pss_File", kb(all.pss - all.pssAnonymous - sharedMemory)) +
    kilobytes("Pss_Shmem", kb(sharedMemory));
  return `${head}[rollup]\n${formatResidency(all, kinds)}`;
}

/** Device 0:1: memfds, shared anonymous and System V memory. */
const SHMEM_MINOR = 1;

/** The text of /proc/pid/smaps. */
export function formatSmaps(mm: AddressSpace): string {
  let text = "";
  for (const area of mm.tree) text += formatSmapsArea(mm, area);
  return text;
}
