/*
 * UFFDIO_MOVE, after the arguments were found well-formed (move_pages): pages of private anonymous memory go to another
 * place of it, without a copy.
 *
 * Refuses, in this order:
 *   ENOENT  nothing is mapped at the target, or at the source
 *   EINVAL  a range is shared or does not lie in one area
 *   EINVAL  the two differ in their rights, key or lock; the source is not writable; the target is not registered with
 *           this userfaultfd; one is a file's
 *   for each page, ascending (what was moved before counts):
 *   EEXIST  there is a page at the target
 *   ENOENT  none at the source, unless holes are allowed
 *   EBUSY   others have the page too, or it is pinned
 *   EFAULT  the source is a marker
 *   ENOMEM  no frame is left for a page table
 */
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
import { isSwapped, slotOf } from "../swap/entry.js";
import { swapIn } from "../swap/swap-in.js";
import { entryHigh, entryLow, hasFrame } from "../translations.js";
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
  for (; moved < length; moved += 4096) {
    const error = movePage(mm, source, target, from + moved, to + moved, holes);
    if (error === 0) continue;
    if (moved > 0) break;
    return refuse("page", error, "the first page cannot be moved", source, from);
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

/** @returns 0 or a positive errno */
function movePage(
  mm: AddressSpace,
  source: Area,
  target: Area,
  from: number,
  to: number,
  holes: boolean,
): number {
  const { translations } = mm;
  const { frames, pins, samePages } = mm.env;
  if (translations.low(to) !== 0) return EEXIST;
  const found = translations.low(from);
  if (found === 0) return holes ? 0 : ENOENT;
  if ((found & PTE_PS) !== 0) {
    if (pteFrame(found) !== frames.zeroFrame && !isExclusive(mm, found)) return EBUSY;
    mm.tables.large.splitRange(from, from + 4096);
  }
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
