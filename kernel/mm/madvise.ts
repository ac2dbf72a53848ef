/*
 * madvise(addr, length, advice)
 *
 * Refuses, in this order (do_madvise):
 *   EINVAL  unknown advice
 *   EINVAL  addr not page aligned
 *   EINVAL  length not 0 but rounds to 0; the range wraps
 *   (0      length 0)
 *   MADV_POPULATE_*: EINVAL, ENOMEM, EFAULT, EHWPOISON (populate.ts); seals do not matter
 *   EPERM   (6.10) an area in the range is sealed against this advice
 * then, area by area, ascending; a hole is remembered and passed over:
 *   EPERM   discarding advice on a sealed area that the caller could not overwrite; stops there
 *   EINVAL, EACCES   the advice does not fit the area; stops there
 *   ENODEV  MADV_REMOVE of a file that is no regular one; stops there
 *   EPERM   MADV_REMOVE of a memfd with F_SEAL_WRITE or F_SEAL_FUTURE_WRITE; stops there
 *   EAGAIN  a split would pass vm.max_map_count
 * and at the end
 *   ENOMEM  there was a hole
 *
 * Stays applied: everything done to areas before the refusal, and around holes.
 *
 * MADV_FREE offers pages to whoever runs short of frames (lazy-free.ts); PAGEOUT takes them, and those of droppable memory,
 * at once, and sends others to a swap area, if there is one, or back to their file (swap/). COLD lets pages go sooner,
 * WILLNEED brings swapped ones back into memory.
 * MADV_COLLAPSE (huge/collapse.ts) is for private anonymous memory. HWPOISON and SOFT_OFFLINE are unknown, as without
 * CONFIG_MEMORY_FAILURE.
 */
import { EACCES, EAGAIN, EINVAL, ENODEV, ENOMEM, EOPNOTSUPP, EPERM } from "../errno.js";
import type { AddressSpace } from "./address-space.js";
import type { Area } from "./area.js";
import { keyDenies } from "./fault.js";
import { holdsHuge } from "./huge/eligible.js";
import { collapseRange } from "./huge/collapse.js";
import { splitEnds } from "./huge/split.js";
import { isHugetlb } from "./hugetlb/area.js";
import { discardHuge } from "./hugetlb/discard.js";
import { hasInsertedPages } from "./inserted-pages.js";
import { TASK_SIZE } from "./layout.js";
import { freeLazily } from "./lazy-free.js";
import { mayMerge } from "./ksm/mergeable.js";
import { unmergeRange } from "./ksm/unmerge.js";
import { modify, prepareAnon, whyWhole } from "./merge.js";
import { populateAccess } from "./populate.js";
import { checkSealsOfRange, refuseSealed as refuseForSeal } from "./sealing/range.js";
import type { SealVerdict } from "./sealing/sealing-model.js";
import * as uapi from "./uapi.js";
import { isSecret } from "./secret-memory.js";
import { coolRange, pageOutRange } from "./swap/page-out.js";
import { readAhead } from "./swap/swap-in.js";
import * as vm from "./vm-flags.js";
import { pageRange } from "./page-range.js";
import { HOLE, walkParts } from "./walk-parts.js";
import { tellRemoved } from "./userfault/events.js";
import { type Word } from "./word.js";

const KNOWN: ReadonlySet<number> = new Set([
  uapi.MADV_NORMAL,
  uapi.MADV_RANDOM,
  uapi.MADV_SEQUENTIAL,
  uapi.MADV_WILLNEED,
  uapi.MADV_DONTNEED,
  uapi.MADV_FREE,
  uapi.MADV_REMOVE,
  uapi.MADV_DONTFORK,
  uapi.MADV_DOFORK,
  uapi.MADV_MERGEABLE,
  uapi.MADV_UNMERGEABLE,
  uapi.MADV_HUGEPAGE,
  uapi.MADV_NOHUGEPAGE,
  uapi.MADV_DONTDUMP,
  uapi.MADV_DODUMP,
  uapi.MADV_WIPEONFORK,
  uapi.MADV_KEEPONFORK,
  uapi.MADV_COLD,
  uapi.MADV_PAGEOUT,
  uapi.MADV_POPULATE_READ,
  uapi.MADV_POPULATE_WRITE,
  uapi.MADV_DONTNEED_LOCKED,
  uapi.MADV_COLLAPSE,
]);

/** Advice that only changes an area's flags: which bits it sets and clears. */
const FLAG_CHANGES: Readonly<Record<number, readonly [set: number, clear: number]>> = {
  [uapi.MADV_NORMAL]: [0, vm.VM_RAND_READ | vm.VM_SEQ_READ],
  [uapi.MADV_SEQUENTIAL]: [vm.VM_SEQ_READ, vm.VM_RAND_READ],
  [uapi.MADV_RANDOM]: [vm.VM_RAND_READ, vm.VM_SEQ_READ],
  [uapi.MADV_DONTFORK]: [vm.VM_DONTCOPY, 0],
  [uapi.MADV_DOFORK]: [0, vm.VM_DONTCOPY],
  [uapi.MADV_WIPEONFORK]: [vm.VM_WIPEONFORK, 0],
  [uapi.MADV_KEEPONFORK]: [0, vm.VM_WIPEONFORK],
  [uapi.MADV_DONTDUMP]: [vm.VM_DONTDUMP, 0],
  [uapi.MADV_DODUMP]: [0, vm.VM_DONTDUMP],
  [uapi.MADV_MERGEABLE]: [vm.VM_MERGEABLE, 0],
  [uapi.MADV_UNMERGEABLE]: [0, vm.VM_MERGEABLE],
  [uapi.MADV_HUGEPAGE]: [vm.VM_HUGEPAGE, vm.VM_NOHUGEPAGE],
  [uapi.MADV_NOHUGEPAGE]: [vm.VM_NOHUGEPAGE, vm.VM_HUGEPAGE],
};

function isKnown(mm: AddressSpace, advice: number): boolean {
  if (advice === uapi.MADV_GUARD_INSTALL || advice === uapi.MADV_GUARD_REMOVE)
    return mm.env.release.guardRegions !== "none";
  return KNOWN.has(advice);
}

/** @param advice a signed 32-bit int, as the system call takes it */
export function madvise(mm: AddressSpace, address: Word, lengthWord: Word, advice: number): number {
  const refuse = (rule: string, errno: number, text: string) =>
    mm.refuse(`madvise.${rule}`, errno, () => ({ text, source: "do_madvise" }));
  if (!isKnown(mm, advice)) return refuse("advice", EINVAL, `advice ${advice} is not known`);
  const range = pageRange(address, lengthWord);
  if ("rule" in range) return refuse(range.rule, EINVAL, range.text);
  const { start, end } = range;
  if (end === start) return 0;
  if (advice === uapi.MADV_POPULATE_READ || advice === uapi.MADV_POPULATE_WRITE) {
    const error = populateAccess(mm, start, end, advice === uapi.MADV_POPULATE_WRITE);
    return error === 0 ? 0 : refuse("populate", -error, "not every page could be brought in");
  }

  const sealed = checkSealsOfRange(
    mm,
    start,
    end,
    (area) => discardVerdict(mm, area, advice),
    () => mm.env.sealing.mayPassHole("discard", { advice }),
  );
  if (sealed !== null) return refuseSealed(mm, sealed.area, sealed.address, sealed.verdict);
  const walked = walkParts(mm, start, end, (area, from, to) =>
    adviseArea(mm, area, from, to, advice, from > start),
  );
  return walked === HOLE
    ? refuse("hole", ENOMEM, "part of the range is not mapped; the rest took the advice")
    : walked;
}

/** What the seal says of this advice from the calling thread. */
function discardVerdict(mm: AddressSpace, area: Area, advice: number): SealVerdict | null {
  const writable = (area.flags & vm.VM_WRITE) !== 0 && !keyDenies(mm, area, true);
  return mm.env.sealing.mayDiscard(area, { advice, writable, release: mm.env.release }, mm.env.machine);
}

function refuseSealed(
  mm: AddressSpace,
  area: Area | null,
  address: number,
  verdict: SealVerdict,
  applied: { readonly applied?: string } = { applied: "nothing has been discarded" },
): number {
  return refuseForSeal(mm, "madvise", verdict, () => ({
    area,
    ...(address < TASK_SIZE ? { address } : {}),
    ...(mm.env.pku && area !== null ? { key: area.key, pkru: true } : {}),
    ...applied,
  }));
}

function adviseArea(
  mm: AddressSpace,
  area: Area,
  start: number,
  end: number,
  advice: number,
  partial: boolean,
): number {
  const applied = partial ? { applied: "the areas before it have taken the advice" } : {};
  const refuse = (rule: string, errno: number, text: string, source = "madvise_vma_behavior") =>
    mm.refuse(`madvise.${rule}`, errno, () => ({ text, source, area, address: start, ...applied }));
  const verdict = discardVerdict(mm, area, advice);
  if (verdict !== null) return refuseSealed(mm, area, start, verdict, applied);

  const locked = (area.flags & vm.VM_LOCKED) !== 0;
  const notPages = (area.flags & vm.VM_PFNMAP) !== 0;
  const huge = isHugetlb(area);
  const unfit = (text: string) => refuse("unfit", EINVAL, text);
  switch (advice) {
    case uapi.MADV_WILLNEED:
      readAhead(mm, area, start, end);
      return 0;
    case uapi.MADV_COLD:
    case uapi.MADV_PAGEOUT:
      if (locked || notPages || huge) return unfit("locked memory and huge pages are not paged out");
      ({ start, end } = splitEnds(mm, area, start, end));
      if (advice === uapi.MADV_COLD) coolRange(mm, start, end);
      else pageOutArea(mm, area, start, end);
      return 0;
    case uapi.MADV_FREE:
      if (!area.isAnonymous) return unfit("only anonymous memory can be freed lazily");
      if (locked) return unfit("the memory is locked");
      ({ start, end } = splitEnds(mm, area, start, end));
      tellRemoved(area, start, end);
      freeLazily(mm, start, end);
      return 0;
    case uapi.MADV_DONTNEED:
    case uapi.MADV_DONTNEED_LOCKED:
      if (huge) return discardHuge(mm, area, start, end) ? 0 : unfit("it begins inside of a huge page");
      if (notPages || (locked && advice === uapi.MADV_DONTNEED)) return unfit("the memory is locked");
      tellRemoved(area, start, end);
      mm.translations.drop(start, end, "pages", !area.isAnonymous);
      if (mm.env.release.discardFreesTables) mm.tables.reclaimEmpty(start, end);
      return 0;
    case uapi.MADV_REMOVE:
      return removePages(area, start, end, refuse);
    case uapi.MADV_COLLAPSE:
      return collapseRange(mm, area, start, end, (errno, text) =>
        refuse("collapse", errno, text, "madvise_collapse"),
      );
    case uapi.MADV_GUARD_INSTALL:
    case uapi.MADV_GUARD_REMOVE:
      if ((area.flags & vm.VM_SPECIAL) !== 0 || huge || (locked && advice === uapi.MADV_GUARD_INSTALL))
        return unfit("this area cannot have guard pages");
      if (!area.isAnonymous && mm.env.release.guardRegions !== "all")
        return unfit("this release has guard pages in anonymous memory only");
      return advice === uapi.MADV_GUARD_INSTALL
        ? installGuards(mm, area, start, end)
        : removeGuards(mm, start, end);
    case uapi.MADV_WIPEONFORK:
      if (area.file !== null || (area.flags & vm.VM_SHARED) !== 0)
        return unfit("only private anonymous memory can be wiped on fork");
      break;
    case uapi.MADV_KEEPONFORK:
      if ((area.flags & vm.VM_DROPPABLE) !== 0) return unfit("droppable memory is wiped on fork");
      break;
    case uapi.MADV_DOFORK:
      if ((area.flags & vm.VM_IO) !== 0) return unfit("device memory is never copied");
      break;
    case uapi.MADV_DODUMP:
      if (!huge && (area.flags & (vm.VM_SPECIAL | vm.VM_DROPPABLE)) !== 0)
        return unfit("a special mapping, or droppable memory, is never dumped");
      break;
    case uapi.MADV_HUGEPAGE:
      if (area.anon !== null && holdsHuge(area)) mm.env.khugepaged?.enter(mm);
      break;
    case uapi.MADV_MERGEABLE:
      if (!mayMerge(area.flags)) return 0;
      mm.env.samePages?.enter(mm);
      break;
    case uapi.MADV_UNMERGEABLE:
      if ((area.flags & vm.VM_MERGEABLE) === 0) return 0;
      if (unmergeRange(mm, area, start, end) !== 0)
        return refuse("unmerge", EAGAIN, "no frame is left to give each page its own", "ksm_madvise");
      break;
  }
  const [set, clear] = FLAG_CHANGES[advice];
  const flags = vm.withFlags(area.flags, set, clear);
  const result = flags === area.flags ? area : modify(mm, area, start, end, { flags });
  if (typeof result !== "number") {
    if (advice === uapi.MADV_HUGEPAGE && result.pages !== null) mm.env.khugepaged?.consider(mm, result);
    return 0;
  }
  return refuse("split", result === -ENOMEM ? EAGAIN : -result, whyWhole(area, result));
}

/** MADV_PAGEOUT (madvise_pageout): of a file's memory nothing but private copies, unless the file is the caller's. */
function pageOutArea(mm: AddressSpace, area: Area, start: number, end: number): void {
  const files = area.file !== null && !isSecret(area) && mm.env.machine.ownsOrMayWrite?.(area.file) !== false;
  if (!area.isAnonymous && !files && (area.flags & vm.VM_MAYSHARE) !== 0) return;
  mm.lazyFree?.reclaimRange(start, end, area);
  pageOutRange(mm, area, start, end, files);
}

/** MADV_REMOVE: a hole in the file, for everybody who maps it (madvise_remove). */
function removePages(
  area: Area,
  start: number,
  end: number,
  refuse: (rule: string, errno: number, text: string, source?: string) => number,
): number {
  if ((area.flags & vm.VM_LOCKED) !== 0) return refuse("unfit", EINVAL, "the memory is locked");
  if (area.file === null) return refuse("unfit", EINVAL, "no file is mapped");
  const needed = vm.VM_SHARED | vm.VM_MAYWRITE;
  if ((area.flags & needed) !== needed || area.pages === null)
    return refuse(
      "not-shared",
      EACCES,
      "only a shared mapping that may be writable can lose pages of its file",
    );
  if (hasInsertedPages(area)) return refuse("unfit", ENODEV, "the file is no regular one", "vfs_fallocate");
  if (isSecret(area)) return refuse("unfit", EOPNOTSUPP, "secret memory has no holes punched");
  if (((area.file.seals ?? 0) & (uapi.F_SEAL_WRITE | uapi.F_SEAL_FUTURE_WRITE)) !== 0)
    return refuse("file-seal", EPERM, "the file is sealed against writing (F_ADD_SEALS)", "shmem_fallocate");
  tellRemoved(area, start, end);
  area.pages.punchHole(area.fileIndex(start) * 4096, end - start);
  return 0;
}

function installGuards(mm: AddressSpace, area: Area, start: number, end: number): number {
  // A file's guard pages are not private pages: 6.18 merges such areas as if nothing of them were (differential test).
  if (area.isAnonymous) prepareAnon(mm, area);
  area.guarded = true;
  mm.translations.drop(start, end, "pages");
  for (let page = start; page < end; page += 4096) if (!mm.translations.installGuard(page)) return -ENOMEM;
  return 0;
}

function removeGuards(mm: AddressSpace, start: number, end: number): number {
  mm.translations.removeGuards(start, end);
  return 0;
}
