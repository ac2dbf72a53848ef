import { PTE_ANON, pteFrame } from "../../../mmu/page-table-entry.js";
import type { AddressSpace } from "../address-space.js";
import { hasFrame } from "../translations.js";
import { VM_MERGEABLE } from "../vm-flags.js";
import { compareAndMerge } from "./merge-page.js";
import type { HeldElsewhere } from "./held-elsewhere.js";
import type { RmapItem, ScanSlot } from "./records.js";
import type { SamePages } from "./same-pages.js";

/**
 * Looks at up to `pages` pages, in the order of address spaces and addresses (ksm_do_scan). A pass over all of them
 * ends the work of this time.
 * @returns how many were looked at
 */
export function scan(samePages: SamePages, pages: number): number {
  const held: HeldElsewhere = { frames: null };
  let scanned = 0;
  while (scanned < pages) {
    const item = nextItem(samePages);
    if (item === null) break;
    compareAndMerge(samePages, item, held);
    scanned++;
    samePages.pagesScanned++;
  }
  return scanned;
}

/** The next page to look at; null at the end of a pass (scan_get_next_rmap_item). */
function nextItem(samePages: SamePages): RmapItem | null {
  if (samePages.slots.length === 0) return null;
  if (samePages.cursor === null) {
    samePages.dropUnmapped();
    samePages.unstable = new Map();
    samePages.cursor = samePages.slots[0];
    samePages.cursorAddress = 0;
  }
  for (;;) {
    const slot: ScanSlot = samePages.cursor;
    const found = slot.mm.released ? "gone" : nextOfSlot(samePages, slot);
    if (typeof found === "object") return found;
    for (const item of [...slot.items.values()])
      if (found === "gone" || item.pass !== samePages.fullScans) samePages.forget(item);
    const next: ScanSlot | undefined = samePages.slots[samePages.slots.indexOf(slot) + 1];
    if (found !== "end") samePages.removeSlot(slot);
    samePages.cursor = next ?? null;
    samePages.cursorAddress = 0;
    if (next === undefined) {
      samePages.fullScans++;
      return null;
    }
  }
}

/** @returns "end" after the last page; "none" where no area is mergeable any more */
function nextOfSlot(samePages: SamePages, slot: ScanSlot): RmapItem | "end" | "none" {
  const { mm } = slot;
  let area = mm.tree.findFirst(samePages.cursorAddress);
  for (; area !== null; area = area.next) {
    if ((area.flags & VM_MERGEABLE) === 0) continue;
    let from = Math.max(area.start, samePages.cursorAddress);
    samePages.cursorAddress = area.end;
    while (area.anon !== null && from < area.end) {
      const address = nextPrivatePage(mm, from, area.end);
      if (address === -1) break;
      from = address + 4096;
      const item = itemOf(samePages, slot, address);
      if (!passOver(samePages, item)) {
        samePages.cursorAddress = from;
        return item;
      }
    }
  }
  return samePages.cursorAddress === 0 ? "none" : "end";
}

const WINDOW = 64 * 4096;

/** Address of the first private page in [start, end), or -1. */
function nextPrivatePage(mm: AddressSpace, start: number, end: number): number {
  const { zeroFrame } = mm.env.frames;
  let found = -1;
  // In pieces: the walk cannot be stopped, but passes over missing tables.
  for (let from = start; from < end && found === -1;) {
    const size = mm.translations.entryIndex(from) === 0 ? 2 ** 21 - (from % 2 ** 21) : WINDOW;
    const to = Math.min(end, from + size);
    mm.tables.forEachPresentOrSwap(from, to, (va, low) => {
      if (found === -1 && hasFrame(low) && (low & PTE_ANON) !== 0 && pteFrame(low) !== zeroFrame) found = va;
    });
    from = to;
  }
  return found;
}

function itemOf(samePages: SamePages, slot: ScanSlot, address: number): RmapItem {
  const pass = samePages.fullScans;
  let item = slot.items.get(address);
  if (item === undefined) {
    item = { slot, address, checksum: 0, age: 0, skips: 0, pass, unstable: false, node: null };
    slot.items.set(address, item);
  }
  item.pass = pass;
  return item;
}

/** Pages that did not merge in many passes are passed over ever more often (should_skip_rmap_item, skip_age). */
function passOver(samePages: SamePages, item: RmapItem): boolean {
  const { mm } = item.slot;
  if (!samePages.settings.smartScan || samePages.isMerged(pteFrame(mm.translations.low(item.address))))
    return false;
  const { age } = item;
  if (age < 255) item.age++;
  if (age < 3) return false;
  if (item.skips === 0) {
    item.skips = age <= 3 ? 1 : age <= 5 ? 2 : age <= 8 ? 4 : 8;
    return false;
  }
  samePages.pagesSkipped++;
  item.skips--;
  samePages.detach(item);
  return true;
}
