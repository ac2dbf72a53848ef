import type { PageFrame } from "../../../mmu/types.js";
import type { AddressSpace } from "../address-space.js";
import type { Area } from "../area.js";
import { entryHigh } from "../translations.js";
import { VM_UFFD_FLAGS } from "../vm-flags.js";
import { allowsHuge } from "./eligible.js";
import { privateLow } from "./fault.js";
import { LEAST_ORDER, orderEnabled, PMD_ORDER } from "./orders.js";

const PAGE = 4096;

/**
 * A write fault brings in all pages of the largest block that may be: of an order that is turned on, aligned to its
 * size, in the area, and with no page of it there (alloc_anon_folio).
 * @param page address of a page that has no entry
 * @returns false, with nothing done, where there is no such block or memory is short
 */
export function bringInBlock(mm: AddressSpace, area: Area, page: number): boolean {
  if ((area.flags & VM_UFFD_FLAGS) !== 0 || !allowsHuge(mm, area)) return false;
  const { settings } = mm.env;
  if (mm.tables.entryAddress(page, true) === 0) return false;
  for (let order = PMD_ORDER - 1; order >= LEAST_ORDER; order--) {
    const bytes = PAGE * 2 ** order;
    const start = page - (page % bytes);
    if (!orderEnabled(settings, order, area.flags) || start < area.start || start + bytes > area.end)
      continue;
    if (isEmpty(mm, start, 2 ** order) && fill(mm, area, start, 2 ** order)) return true;
  }
  return false;
}

/** @param start in a page table that is there, as all the pages are */
function isEmpty(mm: AddressSpace, start: number, pages: number): boolean {
  const first = mm.translations.entryIndex(start);
  const words = mm.env.frames.memory.u32;
  for (let n = 0; n < pages; n++) if (words[first + 2 * n] !== 0) return false;
  return true;
}

function fill(mm: AddressSpace, area: Area, start: number, pages: number): boolean {
  const { frames } = mm.env;
  if (frames.charging.by?.makeRoom(pages) === false) return false;
  const got: PageFrame[] = [];
  while (got.length < pages) {
    const frame = frames.allocate();
    if (frame === -1) {
      for (const each of got) frames.release(each);
      return false;
    }
    got.push(frame);
  }
  got.forEach((frame, n) => {
    mm.translations.install(start + n * PAGE, frame, privateLow(area), entryHigh(area));
  });
  return true;
}
