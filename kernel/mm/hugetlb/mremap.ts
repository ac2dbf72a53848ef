import { EINVAL } from "../../errno.js";
import type { AddressSpace } from "../address-space.js";
import type { Area } from "../area.js";
import type { Word } from "../word.js";
import { isHugetlb, poolOf } from "./area.js";
import { hugeUp } from "./mmap.js";

/**
 * The lengths of an mremap of an area in its pages (align_hugetlb).
 * @returns -EINVAL where an address lies inside of a huge page, or the area would grow
 */
export function alignForHugetlb(
  mm: AddressSpace,
  area: Area,
  old: number,
  newAddress: Word,
  oldLength: number,
  newLength: number,
): { readonly oldLength: number; readonly newLength: number } | number {
  if (!isHugetlb(area)) return { oldLength, newLength };
  const pool = poolOf(area);
  const aligned = { oldLength: hugeUp(oldLength, pool), newLength: hugeUp(newLength, pool) };
  const inside = old % pool.bytes !== 0 || BigInt(newAddress) % BigInt(pool.bytes) !== 0n;
  if (!inside && aligned.newLength <= aligned.oldLength) return aligned;
  return mm.refuse("mremap.hugetlb", EINVAL, () => ({
    text: inside ? "an address lies inside of a huge page" : "memory of huge pages does not grow",
    source: "align_hugetlb",
    area,
    address: old,
  }));
}
