/*
 * mincore(addr, length, vec)
 *   EINVAL  addr not page aligned
 *   ENOMEM  the range does not lie in user space
 *   EFAULT  the vector does not lie in user space
 *   ENOMEM  a page is not mapped (what was found before, in chunks of 4096 pages, has been written)
 *   EFAULT  the vector cannot be written
 */
import { EFAULT, EINVAL, ENOMEM } from "../errno.js";
import type { AddressSpace } from "./address-space.js";
import type { Area } from "./area.js";
import { isHugetlb } from "./hugetlb/area.js";
import { hasPage, leafEntry, leafLow } from "./hugetlb/leaves.js";
import { hasInsertedPages } from "./inserted-pages.js";
import { TASK_SIZE } from "./layout.js";
import { isSwapped, slotOf } from "./swap/entry.js";
import { hasFrame } from "./translations.js";
import type { UserMemory } from "./user-memory.js";
import { isPageAligned, pageUp, type Word } from "./word.js";

const CHUNK_PAGES = 4096;

export function mincore(
  mm: AddressSpace,
  address: Word,
  length: Word,
  vector: Word,
  user: UserMemory,
): number {
  const refuse = (rule: string, errno: number, text: string) =>
    mm.refuse(`mincore.${rule}`, errno, () => ({ text, source: "mincore" }));
  if (!isPageAligned(address))
    return refuse("unaligned", EINVAL, "the address is not a multiple of the page size");
  if (!user.accessOk(address, length)) return refuse("range", ENOMEM, "the range does not lie in user space");
  const pages = pageUp(length) / 4096;
  if (!user.accessOk(vector, pages)) return refuse("vector", EFAULT, "the vector does not lie in user space");
  const start = Number(address);
  const end = Math.min(start + pages * 4096, TASK_SIZE);
  for (let at = start; at < end;) {
    const stop = Math.min(end, at + CHUNK_PAGES * 4096);
    const found: number[] = [];
    let area = mm.tree.find(at);
    let page = at;
    for (; page < stop && area !== null; page += 4096) {
      if (page >= area.end) {
        area = area.next?.start === page ? area.next : null;
        if (area === null) break;
      }
      found.push(isResident(mm, area, page) ? 1 : 0);
    }
    if (found.length === 0) return refuse("hole", ENOMEM, "a page of the range is not mapped");
    const bytes = Uint8Array.from(found);
    if (user.copyOut(Number(vector) + (at - start) / 4096, bytes) !== bytes.length)
      return refuse("vector", EFAULT, "the vector cannot be written");
    at += found.length * 4096;
  }
  return 0;
}

function isResident(mm: AddressSpace, area: Area, page: number): boolean {
  if (isHugetlb(area) && leafEntry(mm, area, page) !== 0) return hasPage(leafLow(mm, area, page));
  if (area.file !== null && mm.env.machine.ownsOrMayWrite?.(area.file) === false) return true;
  const low = mm.translations.low(page);
  if (hasFrame(low)) return true;
  if (isSwapped(low)) return mm.env.swap.frameIn(slotOf(low)) !== -1;
  if (hasInsertedPages(area)) return false;
  return area.pages !== null && area.pages.frameAt(area.fileIndex(page), false) !== -1;
}
