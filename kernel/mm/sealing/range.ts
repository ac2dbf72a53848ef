import type { AddressSpace } from "../address-space.js";
import type { RefusalDetails } from "../refusal-of.js";
import type { Area, Seal } from "../area.js";
import type { SealMistake, SealVerdict } from "./sealing-model.js";

/** A refusal of the whole range, before anything of it has changed. */
export interface RangeRefusal {
  /** Null for a hole. */
  readonly area: Area | null;
  /** Where the refused part of the range begins. */
  readonly address: number;
  readonly verdict: SealVerdict;
}

function asksFirst(mm: AddressSpace): boolean {
  const { timing } = mm.env.sealing;
  return (timing === "release" ? mm.env.release.sealCheck : timing) === "whole-range";
}

/**
 * Asks the seals of all areas in [start, end) at once, where the model or the release does so before an operation
 * begins (can_modify_mm). The operations ask area by area on their way too, which then never refuses.
 * @param hole asked once for the first hole; null: holes do not matter to seals
 * @returns null where nothing forbids it, and where areas are asked one by one
 */
export function checkSealsOfRange(
  mm: AddressSpace,
  start: number,
  end: number,
  ask: (area: Area) => SealVerdict | null,
  hole: (() => SealVerdict | null) | null = null,
): RangeRefusal | null {
  if (!asksFirst(mm)) return null;
  const holeVerdict = hole?.() ?? null;
  let refusal: RangeRefusal | null = null;
  let reached = start;
  for (let area = mm.tree.findOverlap(start, end); area !== null && area.start < end; area = area.next) {
    if (holeVerdict !== null && area.start > reached)
      return { area: null, address: reached, verdict: holeVerdict };
    reached = area.end;
    if (refusal !== null) continue;
    const verdict = ask(area);
    if (verdict === null) continue;
    refusal = { area, address: Math.max(area.start, start), verdict };
    // A hole further on comes first.
    if (holeVerdict === null) break;
  }
  if (holeVerdict !== null && reached < end) return { area: null, address: reached, verdict: holeVerdict };
  return refusal;
}

/** Asks one area's seal, where that is done when an operation reaches the area (can_modify_vma). */
export function checkSealOfArea(
  mm: AddressSpace,
  area: Area,
  ask: (area: Area) => SealVerdict | null,
): RangeRefusal | null {
  if (asksFirst(mm)) return null;
  const verdict = ask(area);
  return verdict === null ? null : { area, address: area.start, verdict };
}

/**
 * Says no for the seals.
 * @param call whose rule it is: `munmap` for `munmap.sealed`
 */
export function refuseSealed(
  mm: AddressSpace,
  call: string,
  { rule, errno }: SealVerdict,
  more: () => Omit<RefusalDetails, "text" | "source">,
): number {
  return mm.refuse(`${call}.sealed`, errno, () => ({
    text: rule.text,
    source: rule.source,
    sealing: { model: mm.env.sealing.name, rule: rule.name },
    ...more(),
  }));
}

/** Says no to arguments that the model does not take. */
export function refuseMistake(mm: AddressSpace, call: string, wrong: SealMistake): number {
  const { mistake, errno, text, source } = wrong;
  return mm.refuse(`${call}.${mistake}`, errno, () => ({ text, source }));
}

/** The seal that a new area begins with. */
export function newSeal(mm: AddressSpace, bits: number): Seal | null {
  return bits === 0 ? null : mm.env.sealing.add(null, bits, mm.env.machine.provenance());
}

/** Asks every area of [start, end) whether it takes these bits; ascending, a hole where it lies. */
export function checkSealable(
  mm: AddressSpace,
  start: number,
  end: number,
  bits: number,
): { readonly hole: number } | { readonly area: Area; readonly verdict: SealVerdict } | null {
  const { sealing, machine } = mm.env;
  let reached = start;
  for (let area = mm.tree.findFirst(start); reached < end; area = area.next) {
    if (area === null || area.start > reached) {
      if (sealing.holes === "refused") return { hole: reached };
      if (area === null || area.start >= end) return null;
    }
    const verdict = sealing.maySeal(area, bits, machine);
    if (verdict !== null) return { area, verdict };
    reached = area.end;
  }
  return null;
}
