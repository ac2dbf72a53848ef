/*
 * mseal(addr, length, flags)
 *
 * Refuses, in this order (do_mseal):
 *   EINVAL  flags not 0
 *   EINVAL  addr not page aligned
 *   EINVAL  length not 0 but rounds to 0; the range wraps
 *   (0      length 0, wherever addr points)
 *   ENOMEM  a byte of the range is not mapped: nothing is sealed
 *   EINVAL  part of a special mapping, which cannot be split
 *   ENOMEM  a split would pass vm.max_map_count
 *
 * Stays applied: the last two come while sealing; the areas before keep their new seals.
 */
import { EINVAL, ENOMEM } from "../errno.js";
import type { AddressSpace } from "./address-space.js";
import type { Area } from "./area.js";
import { modify } from "./merge.js";
import { addPages, isPageAligned, isZero, pageUp, type Word } from "./word.js";

export function mseal(mm: AddressSpace, address: Word, lengthWord: Word, flags: Word): number {
  const refuse = (rule: string, errno: number, text: string) =>
    mm.refuse(`mseal.${rule}`, errno, () => ({ text, source: "do_mseal" }));
  if (!isZero(flags)) return refuse("flags", EINVAL, "no flags are defined");
  if (!isPageAligned(address))
    return refuse("unaligned", EINVAL, "the address is not a multiple of the page size");
  const length = pageUp(lengthWord);
  if (!isZero(lengthWord) && length === 0)
    return refuse("length", EINVAL, "the length rounded to pages overflows");
  const start = Number(address);
  const end = addPages(start, length);
  if (end < start) return refuse("wraps", EINVAL, "the range wraps around the address space");
  if (end === start) return 0;

  const hole = firstHole(mm, start, end);
  if (hole !== null)
    return mm.refuse("mseal.hole", ENOMEM, () => ({
      text: "part of the range is not mapped; nothing is sealed",
      source: "range_contains_unmapped",
      ...(hole < 2 ** 47 ? { address: hole } : {}),
    }));

  const by = mm.env.machine.provenance();
  for (let from = start; from < end;) {
    const area = mm.tree.find(from);
    if (area === null) break;
    const to = Math.min(area.end, end);
    const seal = mm.env.sealing.sealed(area, by);
    if (seal !== area.seal) {
      const sealed: Area | number = modify(mm, area, from, to, { seal });
      if (typeof sealed === "number") {
        const whole = area;
        return mm.refuse("mseal.split", -sealed, () => ({
          text: "the area cannot be split at the end of the range",
          source: "vma_modify_flags",
          area: whole,
          ...(from > start ? { applied: "the areas before it are sealed and stay so" } : {}),
        }));
      }
      mm.changed("seal", from, to);
    }
    from = to;
  }
  return 0;
}

/** The first unmapped address of [start, end), or null. */
function firstHole(mm: AddressSpace, start: number, end: number): number | null {
  let reached = start;
  for (let area = mm.tree.findFirst(start); area !== null && area.start <= reached; area = area.next) {
    reached = area.end;
    if (reached >= end) return null;
  }
  return reached;
}
