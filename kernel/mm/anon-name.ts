/*
 * prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, addr, length, name), once the name has been read and found printable
 *
 * Refuses, in this order (madvise_set_anon_name):
 *   EINVAL  addr not page aligned
 *   EINVAL  length not 0 but rounds to 0; the range wraps
 *   (0      length 0)
 * then, area by area, ascending; a hole is remembered and passed over:
 *   EBADF   a file's memory, but that of a file of tmpfs that had no name when it was mapped; stops there
 *   EAGAIN  a split would pass vm.max_map_count
 *   EINVAL  a part of a special mapping
 * and at the end
 *   ENOMEM  there was a hole
 *
 * Stays applied: every name given before the refusal, and around holes. Seals do not matter. Neighbours merge only
 * where their names are equal: giving one may split and merge areas, as a change of protection does. A forked
 * area, and one that mremap moves or lets grow, keep it; new memory has none, so that it never merges with named memory.
 */
import { EAGAIN, EBADF, EINVAL, ENOMEM } from "../errno.js";
import type { AddressSpace } from "./address-space.js";
import type { Area } from "./area.js";
import { modify, whyWhole } from "./merge.js";
import { pageRange } from "./page-range.js";
import { HOLE, walkParts } from "./walk-parts.js";
import { type Word } from "./word.js";

/** @param name latin-1; null takes names away */
export function setAnonName(mm: AddressSpace, address: Word, lengthWord: Word, name: string | null): number {
  const refuse = (rule: string, errno: number, text: string, area?: Area) =>
    mm.refuse(`prctl.${rule}`, errno, () => ({
      text,
      source: "madvise_set_anon_name",
      ...(area === undefined ? {} : { area }),
    }));
  const range = pageRange(address, lengthWord);
  if ("rule" in range) return refuse(range.rule, EINVAL, range.text);
  const { start, end } = range;
  const walked = walkParts(mm, start, end, (area, from, to) => {
    if (area.file !== null && !area.anonShmem)
      return refuse("file", EBADF, "only anonymous memory can be named", area);
    if (area.anonName === name) return 0;
    const result = modify(mm, area, from, to, { flags: area.flags, anonName: name });
    if (typeof result === "number")
      return refuse("split", result === -ENOMEM ? EAGAIN : -result, whyWhole(area, result), area);
    mm.changed("name", from, to);
    return 0;
  });
  return walked === HOLE
    ? refuse("hole", ENOMEM, "part of the range is not mapped; the rest has the name")
    : walked;
}
