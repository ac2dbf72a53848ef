import { PTE_ANON, PTE_D, PTE_SOFT_DIRTY, pteFrame } from "../../../mmu/page-table-entry.js";
import type { PageFrame } from "../../../mmu/types.js";
import type { Area } from "../area.js";
import { entryHigh, entryLow, hasFrame } from "../translations.js";
import { VM_MERGEABLE } from "../vm-flags.js";
import { checksum, sameContent } from "./frame-content.js";
import { isHeldElsewhere, type HeldElsewhere } from "./held-elsewhere.js";
import type { RmapItem, StableNode } from "./records.js";
import type { SamePages } from "./same-pages.js";

interface Page {
  readonly area: Area;
  readonly low: number;
  readonly frame: PageFrame;
}

/** The private page that stands there now, in a mergeable area (get_mergeable_page). */
function pageOf({ slot: { mm }, address }: RmapItem): Page | null {
  const area = mm.released ? null : mm.tree.find(address);
  if (area === null || (area.flags & VM_MERGEABLE) === 0) return null;
  const low = mm.translations.low(address);
  if (!hasFrame(low) || (low & PTE_ANON) === 0) return null;
  return { area, low, frame: pteFrame(low) };
}

/** Looks whether a page's content has a frame already, or a page that it could share one with (cmp_and_merge_page). */
export function compareAndMerge(samePages: SamePages, item: RmapItem, held: HeldElsewhere): void {
  const page = pageOf(item);
  if (page === null) return;
  const { memory } = samePages.frames;
  // A forked page is merged already: it only has to be counted, however many there are.
  const own = samePages.byFrame.get(page.frame);
  if (own !== undefined) {
    if (item.node === own) return;
    samePages.detach(item);
    samePages.attach(item, own);
    return;
  }

  samePages.detach(item);
  const sum = checksum(memory, page.frame);
  const { mergingLooksAtChangesFirst } = item.slot.mm.env.release;
  if (mergingLooksAtChangesFirst && changedSince(item, sum)) return;
  if (mergingLooksAtChangesFirst && becomesZeroPage(samePages, item, page, sum, held)) return;
  const node = stableNode(samePages, page.frame, sum);
  if (node !== null) {
    if (replace(samePages, item, page, node.frame, held)) samePages.attach(item, node);
    return;
  }
  if (!mergingLooksAtChangesFirst && changedSince(item, sum)) return;
  if (!mergingLooksAtChangesFirst && becomesZeroPage(samePages, item, page, sum, held)) return;

  const same = samePages.unstable.get(sum) ?? [];
  for (const other of same) {
    const found = other.unstable ? pageOf(other) : null;
    if (found === null || !sameContent(memory, found.frame, page.frame)) continue;
    // A page that a fork shares is not merged with itself.
    if (found.frame !== page.frame) mergeTwo(samePages, item, page, other, found, sum, held);
    return;
  }
  if (same.length === 0) samePages.unstable.set(sum, same);
  same.push(item);
  item.unstable = true;
}

function changedSince(item: RmapItem, sum: number): boolean {
  if (item.checksum === sum) return false;
  item.checksum = sum;
  return true;
}

/** A merged frame of that content that may have one page more. */
function stableNode(samePages: SamePages, frame: PageFrame, sum: number): StableNode | null {
  if (samePages.byChecksum.has(sum)) samePages.dropUnmapped(sum);
  let best: StableNode | null = null;
  for (const node of samePages.byChecksum.get(sum) ?? []) {
    const { size } = node.items;
    if (size >= samePages.settings.maxPageSharing || size <= (best?.items.size ?? -1)) continue;
    if (sameContent(samePages.frames.memory, node.frame, frame)) best = node;
  }
  return best;
}

/** use_zero_pages: a page of zeroes becomes the page of zeroes (try_to_merge_with_zero_page). */
function becomesZeroPage(
  samePages: SamePages,
  item: RmapItem,
  page: Page,
  sum: number,
  held: HeldElsewhere,
): boolean {
  const { memory, zeroFrame } = samePages.frames;
  if (!samePages.settings.useZeroPages || sum !== checksum(memory, zeroFrame)) return false;
  if (!sameContent(memory, page.frame, zeroFrame)) return false;
  if (isHeldElsewhere(held, page.frame, samePages.frames, samePages)) return false;
  const { mm } = item.slot;
  const low = entryLow(page.area) | PTE_D | PTE_SOFT_DIRTY;
  mm.translations.install(item.address, zeroFrame, low, entryHigh(page.area));
  return true;
}

/** Two pages become one: the frame of the one found last stays (try_to_merge_two_pages). */
function mergeTwo(
  samePages: SamePages,
  item: RmapItem,
  page: Page,
  other: RmapItem,
  found: Page,
  sum: number,
  held: HeldElsewhere,
): void {
  if (
    isHeldElsewhere(held, page.frame, samePages.frames, samePages) ||
    isHeldElsewhere(held, found.frame, samePages.frames, samePages)
  )
    return;
  const node = samePages.addNode(page.frame, sum);
  // The entry again, read-only. Dirty, as all of them: an anonymous one that is clean could be taken back.
  samePages.frames.hold(page.frame);
  const low = entryLow(page.area) | PTE_ANON | PTE_D | (page.low & PTE_SOFT_DIRTY);
  item.slot.mm.translations.install(item.address, page.frame, low, entryHigh(page.area));
  replace(samePages, other, found, page.frame, held);
  samePages.detach(other);
  samePages.attach(other, node);
  samePages.attach(item, node);
}

/** Gives a page another frame of the same content, not soft-dirty (replace_page). False where others hold it. */
function replace(
  samePages: SamePages,
  item: RmapItem,
  page: Page,
  frame: PageFrame,
  held: HeldElsewhere,
): boolean {
  if (isHeldElsewhere(held, page.frame, samePages.frames, samePages)) return false;
  samePages.frames.hold(frame);
  const { mm } = item.slot;
  mm.translations.install(item.address, frame, entryLow(page.area) | PTE_ANON | PTE_D, entryHigh(page.area));
  return true;
}
