import type { AddressSpace } from "./address-space.js";
import type { Area } from "./area.js";
import { entryHigh, entryLow } from "./translations.js";
import { VM_DONTEXPAND, VM_MIXEDMAP } from "./vm-flags.js";

/** What the area of a file that inserts its pages has besides (vm_insert_pages). */
export const INSERTED_FLAGS = VM_DONTEXPAND | VM_MIXEDMAP;

/** Its pages were entered when it was mapped, and no fault brings one back (`MappableFile.insertsPages`). */
export function hasInsertedPages(area: Area): boolean {
  return (area.flags & VM_MIXEDMAP) !== 0 && area.file?.insertsPages === true;
}

/**
 * Enters the pages that the file has, from the area's beginning on; what lies behind them stays empty. The first write
 * marks its entry dirty, and is a fault for that (on Linux the processor marks it).
 * @returns false where no frame is left for a page table
 */
export function insertPages(mm: AddressSpace, area: Area): boolean {
  const { translations } = mm;
  for (let page = area.start; page < area.end; page += 4096) {
    const frame = area.pages?.frameAt(area.fileIndex(page), false) ?? -1;
    if (frame === -1) break;
    if (translations.tables.entryAddress(page, true) === 0) return false;
    translations.frames.hold(frame);
    translations.install(page, frame, entryLow(area), entryHigh(area));
  }
  return true;
}
