import type { AddressSpace } from "../address-space.js";
import type { Area } from "../area.js";
import type { SealVerdict } from "./sealing-model.js";

/** A refusal of the whole range, before anything of it has changed. */
export interface RangeRefusal {
  readonly area: Area;
  readonly verdict: SealVerdict;
}

/**
 * Asks the seals of all areas in [start, end) at once, in the releases that do so before an operation begins
 * (can_modify_mm). The operations ask area by area on their way too, which in these releases never refuses.
 * @returns null where nothing forbids it, and in releases that ask by area alone
 */
export function checkSealsOfRange(
  mm: AddressSpace,
  start: number,
  end: number,
  ask: (area: Area) => SealVerdict | null,
): RangeRefusal | null {
  if (mm.env.release.sealCheck !== "whole-range") return null;
  for (let area = mm.tree.findOverlap(start, end); area !== null && area.start < end; area = area.next) {
    const verdict = ask(area);
    if (verdict !== null) return { area, verdict };
  }
  return null;
}

/** Asks one area's seal, in the releases that do so when an operation reaches the area (can_modify_vma). */
export function checkSealOfArea(
  mm: AddressSpace,
  area: Area,
  ask: (area: Area) => SealVerdict | null,
): RangeRefusal | null {
  if (mm.env.release.sealCheck !== "by-area") return null;
  const verdict = ask(area);
  return verdict === null ? null : { area, verdict };
}
