/** What models have in common. */

import { EINVAL, ENOSYS } from "../../errno.js";
import type { Provenance } from "../../refusal.js";
import type { Area, Seal } from "../area.js";
import type { ReleaseRules } from "../release.js";
import {
  MADV_DONTFORK,
  MADV_DONTNEED,
  MADV_DONTNEED_LOCKED,
  MADV_FREE,
  MADV_GUARD_INSTALL,
  MADV_REMOVE,
  MADV_WIPEONFORK,
} from "../uapi.js";
import { VM_SHARED } from "../vm-flags.js";
import { pageRange } from "../page-range.js";
import { isZero } from "../word.js";
import type {
  DiscardRequest,
  SealArguments,
  SealCall,
  SealingModel,
  SealingOption,
  SealMistake,
  SealRule,
  SealVerdict,
} from "./sealing-model.js";

/** Advice that may lose content (mm/madvise.c, is_discard), as it was before guard pages. */
export const DISCARDS_BEFORE_GUARDS: ReadonlySet<number> = new Set([
  MADV_DONTNEED,
  MADV_FREE,
  MADV_REMOVE,
  MADV_DONTFORK,
  MADV_WIPEONFORK,
  MADV_DONTNEED_LOCKED,
]);

export const DISCARDS: ReadonlySet<number> = new Set([...DISCARDS_BEFORE_GUARDS, MADV_GUARD_INSTALL]);

/** For models whose call differs from today's. */
export const TODAY: SealingOption = {
  name: "today",
  text: "mseal(addr, length, 0) of any memory asks for all that the model can seal, so that programs of today meet its rules",
};

/** Permits everything and has no sealing call: what a model builds upon. */
export const UNSEALED: Omit<SealingModel, "name"> = {
  timing: "release",
  overlay: "last",
  holes: "refused",
  systemBits: 0,
  atExec: "nothing",
  readCall: () => mistake("unknown", ENOSYS, "this model has no call that seals", "the model"),
  readMmap: (prot, flags) => ({ prot, flags, bits: 0 }),
  readMprotect: (prot) => ({ prot, flags: 0, bits: 0 }),
  maySeal: () => null,
  add: (seal) => seal,
  inherited: (seal) => seal,
  mergeable: (a, b) => (a?.bits ?? 0) === (b?.bits ?? 0),
  mayUnmap: () => null,
  leaves: () => "nothing",
  mayProtect: () => null,
  mayRemap: () => null,
  mayDiscard: () => null,
  mayInvalidate: () => null,
  mayForce: () => null,
  mayPassHole: () => null,
  smapsFlag: (area) => (area.seal === null || area.seal.names === "" ? "" : "sl"),
};

/** The bits an area's seal has. */
export function bitsOf(area: Area): number {
  return area.seal?.bits ?? 0;
}

export function mistake(name: string, errno: number, text: string, source: string): SealMistake {
  return { mistake: name, errno, text, source };
}

/** The range of an mseal: mainline's checks, which every draft had. */
function readRange({ address, length: word }: SealArguments, bits: number): SealCall | SealMistake {
  const range = pageRange(address, word);
  return "rule" in range
    ? mistake(range.rule, EINVAL, range.text, "do_mseal")
    : { start: range.start, end: range.end, bits };
}

/** Today's call: three arguments, of which the last is 0. */
export function readTodaysCall(call: SealArguments, bits: number): SealCall | SealMistake {
  if (!isZero(call.third)) return mistake("flags", EINVAL, "no flags are defined", "do_mseal");
  return readRange(call, bits);
}

/** The drafts' call of four arguments: which seals, of all that there are, and flags. */
export function readTypedCall(
  call: SealArguments,
  all: number,
  source: string,
  withImplied: (types: number) => number = (types) => types,
): SealCall | SealMistake {
  const types = Number(call.third);
  if (!(types <= all) || (types & ~all) !== 0)
    return mistake("types", EINVAL, "an unknown type of seal", source);
  if (Number(call.fourth) !== 0) return mistake("flags", EINVAL, "no flags are defined", source);
  return readRange(call, withImplied(types));
}

/** Bits that are never cleared. @param names what the bits are called; empty: they are not called a seal */
export function addBits(
  seal: Seal | null,
  bits: number,
  by: Provenance,
  names: (bits: number) => string,
): Seal | null {
  const all = (seal?.bits ?? 0) | bits;
  if (all === (seal?.bits ?? 0)) return seal;
  return { bits: all, names: names(all), by };
}

/** `BASE, PROT_PKEY`. */
export function bitNames(bits: number, names: Readonly<Record<string, number>>): string {
  return Object.keys(names)
    .filter((name) => (bits & names[name]!) !== 0)
    .join(", ");
}

/** A refusal where an area has one of these bits. */
export function refuseBits(area: Area, bits: number, rule: SealRule, errno: number): SealVerdict | null {
  return (bitsOf(area) & bits) === 0 ? null : { rule, errno };
}

/** A refusal of bits that an area does not have yet, where it has the bit that closes the list. */
export function refuseNewBits(
  area: Area,
  closing: number,
  bits: number,
  rule: SealRule,
  errno: number,
): SealVerdict | null {
  return (bits & ~bitsOf(area)) === 0 ? null : refuseBits(area, closing, rule, errno);
}

/** A refusal where an area is sealed in whatever way. */
export function refuseSealedArea(area: Area, rule: SealRule, errno: number): SealVerdict | null {
  return area.seal === null ? null : { rule, errno };
}

/** Whether content that nobody could bring back goes without a right to write it: the discard that seals are about. */
export function discardsAnonymous(
  area: Area,
  { advice, writable, release }: DiscardRequest,
  discards: ReadonlySet<number> = DISCARDS,
): boolean {
  return discards.has(advice) && !writable && isAnonymous(area, release);
}

/** What a discard treats as anonymous, as the release has it. */
export function isAnonymous(area: Area, release: ReleaseRules): boolean {
  return release.anonymousMeans === "no-vm-ops"
    ? area.isAnonymous
    : area.file === null && (area.flags & VM_SHARED) === 0;
}
