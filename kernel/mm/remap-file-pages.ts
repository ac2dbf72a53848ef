/*
 * remap_file_pages(start, size, prot, pgoff, flags), which Linux has emulated by mmap since 4.0
 *   EINVAL  prot not 0; size 0 after rounding down; the range or the file offset wraps
 *   EINVAL  start not in a shared mapping; the range leaves contiguous areas of the same file and flags
 *   EINVAL  the area is the last of a System V segment that was removed; the area is gone then
 *   then whatever mmap with MAP_FIXED | MAP_SHARED | MAP_POPULATE says, a seal's EPERM too
 */
import { EINVAL } from "../errno.js";
import type { AddressSpace } from "./address-space.js";
import type { Area } from "./area.js";
import { mmap } from "./mmap.js";
import { MAP_FIXED, MAP_LOCKED, MAP_NONBLOCK, MAP_POPULATE, MAP_SHARED } from "./uapi.js";
import { VM_LOCKED, VM_SHARED } from "./vm-flags.js";
import { addPages, isZero, pageDown, type Word } from "./word.js";

export function remapFilePages(
  mm: AddressSpace,
  startWord: Word,
  sizeWord: Word,
  prot: Word,
  pageOffset: Word,
  flags: number,
): number {
  const refuse = (rule: string, text: string) =>
    mm.refuse(`remap_file_pages.${rule}`, EINVAL, () => ({ text, source: "remap_file_pages" }));
  if (!isZero(prot)) return refuse("prot", "prot must be 0");
  const start = pageDown(startWord);
  const size = pageDown(sizeWord);
  const end = addPages(start, size);
  if (end <= start) return refuse("range", "the range is empty or wraps");
  if (BigInt(pageOffset) + BigInt(size / 4096) >= 2n ** 64n) return refuse("offset", "the file offset wraps");
  const area = mm.tree.find(start);
  if (area === null || (area.flags & VM_SHARED) === 0)
    return refuse("not-shared", "no shared mapping lies there");
  for (let piece = area; piece.end < end;) {
    const { next } = piece;
    if (next === null || next.start !== piece.end || next.file !== area.file || !sameFlags(mm, next, area))
      return refuse("mixed", "the range leaves the mapping of one file");
    piece = next;
  }
  const mapFlags =
    MAP_SHARED |
    MAP_FIXED |
    MAP_POPULATE |
    (flags & MAP_NONBLOCK) |
    ((area.flags & VM_LOCKED) !== 0 ? MAP_LOCKED : 0);
  // Held meanwhile: the area replaced may be the last that keeps the file. Nobody holds a segment so.
  const { file } = area;
  const held = file?.vanished === undefined ? file : null;
  held?.mapped?.();
  const result = mmap(mm, start, size, area.prot, mapFlags, file, BigInt(pageOffset) * 4096n);
  held?.unmapped?.();
  return result < 0 ? result : 0;
}

/** Equal `vm_flags`, in which Linux keeps the key, the seal and the guard mark too. */
function sameFlags(mm: AddressSpace, a: Area, b: Area): boolean {
  return (
    a.flags === b.flags &&
    a.key === b.key &&
    a.guarded === b.guarded &&
    mm.env.sealing.mergeable(a.seal, b.seal)
  );
}
