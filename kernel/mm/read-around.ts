import type { Area } from "./area.js";
import type { FilePages } from "./file-pages.js";
import { VM_RAND_READ, VM_SEQ_READ } from "./vm-flags.js";

/** Pages that one fault reads from a disk (128 KiB: read_ahead_kb). */
const WINDOW = 32;

/**
 * A fault on a page of a file that lies on a disk brings its neighbours into memory too (do_sync_mmap_readahead): half of
 * the window before the page, or all of it behind where MADV_SEQUENTIAL said so; nothing after MADV_RANDOM. Only blocks
 * that fallocate made are read ahead: what a host stores is read page by page.
 */
export function readAround(area: Area, pages: FilePages, index: number): void {
  if (!pages.onDisk || pages.room.reservedCount === 0 || (area.flags & VM_RAND_READ) !== 0) return;
  if (pages.frameAt(index, false) !== -1) return;
  const first = (area.flags & VM_SEQ_READ) !== 0 ? index : Math.max(0, index - WINDOW / 2);
  const end = Math.min(first + WINDOW, Math.ceil(pages.size / 4096));
  for (let other = first; other < end; other++)
    if (pages.room.isReserved(other) && pages.frameAt(other, true) === -1) return;
}
