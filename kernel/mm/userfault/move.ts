/*
 * UFFDIO_MOVE, after the arguments were found well-formed (move_pages): pages of private anonymous memory go to another
 * place of it, without a copy.
 *
 * Refuses, in this order:
 *   ENOENT  nothing is mapped at the target, or at the source
 *   EINVAL  a range is shared or does not lie in one area
 *   EINVAL  the two differ in their rights, key or lock; the source is not writable; the target is not registered with
 *           this userfaultfd; one is a file's
 *   for each page or 2 MiB, ascending (what was moved before counts):
 *   ENOENT  the source has no table of levels above, unless holes are allowed
 *   EEXIST  there are 2 MiB at the target
 *   EBUSY   others have the 2 MiB at the source too, or they are pinned
 *   ENOENT  the source has no page table, unless holes are allowed
 *   EEXIST  there is a page at the target
 *   ENOENT  none at the source, unless holes are allowed
 *   EBUSY   others have the page too, or it is pinned
 *   EFAULT  the source is a marker
 *   ENOMEM  no frame is left for a page table
 */
import { RUN_FRAMES } from "../../../mmu/frame-allocator.js";
import {
  PTE_ANON,
  PTE_D,
  PTE_PS,
  PTE_RW,
  PTE_SOFT_DIRTY,
  PTE_UFFD_WP,
  pteFrame,
} from "../../../mmu/page-table-entry.js";
import { EBUSY, EEXIST, EFAULT, EINVAL, ENOENT, ENOMEM } from "../../errno.js";
import type { AddressSpace } from "../address-space.js";
import type { Area } from "../area.js";
import { prepareAnon } from "../merge.js";
import { shareZeroes } from "../huge/split.js";
import { isSwapped, slotOf } from "../swap/entry.js";
import { swapIn } from "../swap/swap-in.js";
import { entryHigh, entryLow, hasFrame, HUGE_BYTES } from "../translations.js";
import {
  VM_ACCESS_FLAGS,
  VM_IO,
  VM_LOCKED,
  VM_MIXEDMAP,
  VM_PFNMAP,
  VM_SHARED,
  VM_WRITE,
} from "../vm-flags.js";
import type { UserfaultContext } from "./context.js";

export interface Moving {
  /** Bytes of whole pages. */
  readonly from: number;
  readonly to: number;
  readonly length: number;
  /** UFFDIO_MOVE_MODE_ALLOW_SRC_HOLES. */
  readonly holes: boolean;
}

/** @returns bytes moved, or a negative errno where that is none */
export function movePages(context: UserfaultContext, { from, to, length, holes }: Moving): number {
  const { mm } = context;
  const refuse = (rule: string, errno: number, text: string, area: Area | null, address: number): number =>
    mm.refuse(`userfaultfd.move.${rule}`, errno, () => ({ text, source: "move_pages", area, address }));
  const target = mm.tree.find(to);
  if (target !== null && (target.flags & VM_SHARED) === 0) prepareAnon(mm, target);
  const source = target === null ? null : mm.tree.find(from);
  if (target === null || source === null)
    return refuse("unmapped", ENOENT, "nothing is mapped there", null, target === null ? to : from);
  for (const [area, start] of [
    [source, from],
    [target, to],
  ] as const) {
    if ((area.flags & VM_SHARED) !== 0) return refuse("shared", EINVAL, "the memory is shared", area, start);
    if (start + length > area.end) return refuse("range", EINVAL, "the range leaves its area", area, start);
  }
  const why = unfit(context, source, target);
  if (why !== null) return refuse("unfit", EINVAL, why, target, to);
  let moved = 0;
  while (moved < length) {
    const done = moveNext(mm, source, target, from + moved, to + moved, { left: length - moved, holes });
    if (done < 0 && moved > 0) break;
    if (done < 0) return refuse("page", -done, "the first page cannot be moved", source, from);
    moved += done;
  }
  return moved;
}

/** Null where pages may go from one area to the other (validate_move_areas). */
function unfit(context: UserfaultContext, source: Area, target: Area): string | null {
  const differs = (bits: number): boolean => ((source.flags ^ target.flags) & bits) !== 0;
  if (differs(VM_ACCESS_FLAGS) || source.key !== target.key) return "the two differ in their rights";
  if (differs(VM_LOCKED)) return "one of the two is locked";
  if ((source.flags & VM_WRITE) === 0) return "the memory is not writable";
  if (((source.flags | target.flags) & (VM_PFNMAP | VM_IO | VM_MIXEDMAP)) !== 0) return "it is no memory";
  if (target.userfault !== context) return "the target is not registered with this userfaultfd";
  return source.isAnonymous && target.isAnonymous ? null : "one of the two is a file's";
}

/**
 * Moves what is at one place, a page or 2 MiB.
 * @param rest bytes that are left to move; holes are passed over
 * @returns bytes moved, or a negative errno
 */
function moveNext(
  mm: AddressSpace,
  source: Area,
  target: Area,
  from: number,
  to: number,
  { left, holes }: { readonly left: number; readonly holes: boolean },
): number {
  const { tables } = mm;
  const words = mm.env.frames.memory.u32;
  const here = tables.directoryEntry(from, holes);
  if (here === 0) return holes ? -ENOMEM : -ENOENT;
  const place = tables.directoryEntry(to, true);
  if (place === 0) return -ENOMEM;
  if ((words[place] & PTE_PS) !== 0) return -EEXIST;
  const inOnePiece = from % HUGE_BYTES === 0 && to % HUGE_BYTES === 0 && left >= HUGE_BYTES;
  let parted = false;
  if ((words[here] & PTE_PS) !== 0) {
    const zeroes = pteFrame(words[here]) === mm.env.frames.hugeZeroFrame;
    if (!zeroes && !isExclusive(mm, words[here])) return -EBUSY;
    if (inOnePiece && words[place] === 0) return moveLeaf(mm, target, from, to);
    tables.large.split(here, from);
    parted = !zeroes;
  }
  if (words[here] === 0 && !holes) return -ENOENT;
  if (tables.entryAddress(from, true) === 0 || tables.entryAddress(to, true) === 0) return -ENOMEM;
  const error = movePage(mm, source, target, from, to, { holes, parted });
  return error === 0 ? 4096 : -error;
}

/** 2 MiB go with their leaf, written as those of mremap (move_pages_huge_pmd). */
function moveLeaf(mm: AddressSpace, target: Area, from: number, to: number): number {
  const { tables } = mm;
  const { frames, pins, mmu } = mm.env;
  const { memory } = frames;
  const leaf = tables.large.entryOf(from);
  const first = pteFrame(memory.u32[leaf]);
  const own = first === frames.hugeZeroFrame ? 0 : PTE_ANON | PTE_D | PTE_SOFT_DIRTY | PTE_RW;
  if (own !== 0 && pins.anyOf(first, RUN_FRAMES)) return -EBUSY;
  tables.large.move(leaf, to);
  const entry = tables.large.entryOf(to);
  memory.u32[entry] = ((first << 12) | entryLow(target) | own | PTE_PS) >>> 0;
  memory.u32[entry + 1] = entryHigh(target);
  memory.entryWritten(entry);
  mmu.invalidateRange(from, from + HUGE_BYTES, mm.asid);
  return HUGE_BYTES;
}

/**
 * @param how `parted`: the page was in 2 MiB, whose frames part before it moves
 * @returns 0 or a positive errno
 */
function movePage(
  mm: AddressSpace,
  source: Area,
  target: Area,
  from: number,
  to: number,
  { holes, parted }: { readonly holes: boolean; readonly parted: boolean },
): number {
  const { translations } = mm;
  const { frames, pins, samePages } = mm.env;
  if (translations.low(to) !== 0) return EEXIST;
  if (parted) shareZeroes(mm, source, from - (from % HUGE_BYTES));
  const found = translations.low(from);
  if (found === 0) return holes ? 0 : ENOENT;
  const swapped = isSwapped(found);
  if (swapped) {
    const error = takeBack(mm, source, from, found);
    if (error !== 0) return error;
  } else if (!hasFrame(found)) return EFAULT;
  const low = translations.low(from);
  const frame = pteFrame(low);
  const zero = frame === frames.zeroFrame;
  if (!zero && !swapped) {
    if (!isExclusive(mm, low) || pins.of(frame) > 0 || samePages?.isMerged(frame) === true) return EBUSY;
  }
  const own = zero ? 0 : PTE_ANON | PTE_SOFT_DIRTY | (low & PTE_D) | ((low & PTE_D) === 0 ? 0 : PTE_RW);
  frames.hold(frame);
  if (!translations.install(to, frame, entryLow(target) | own, entryHigh(target))) {
    frames.release(frame);
    return ENOMEM;
  }
  translations.drop(from, from + 4096, "all");
  return 0;
}

/**
 * The page was never shared with a child since it was last written (PageAnonExclusive): then a write would not fault, or
 * faults for another reason.
 */
function isExclusive(mm: AddressSpace, low: number): boolean {
  if ((low & PTE_ANON) === 0 || mm.env.frames.references(pteFrame(low)) !== 1) return false;
  return (low & (PTE_RW | PTE_UFFD_WP)) !== 0 || (low & PTE_SOFT_DIRTY) === 0;
}

/** Brings a page back from a swap area, for this address space alone. @returns 0 or a positive errno */
function takeBack(mm: AddressSpace, source: Area, page: number, low: number): number {
  const { swap } = mm.env;
  if (swap.count(slotOf(low)) !== 1) return EBUSY;
  if (!swapIn(mm, source, page, low)) return ENOMEM;
  swap.forget(pteFrame(mm.translations.low(page)));
  return 0;
}
