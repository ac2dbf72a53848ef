import { EACCES, EINVAL, ENOSYS } from "../../errno.js";
import {
  addBits,
  bitNames,
  bitsOf,
  DISCARDS_BEFORE_GUARDS,
  isAnonymous,
  mistake,
  readTodaysCall,
  readTypedCall,
  refuseBits,
  refuseNewBits,
  TODAY,
  UNSEALED,
} from "./parts.js";
import { rulesOf, wholeRule } from "./rules.js";
import type { SealingDesign, SealingModel } from "./sealing-model.js";

const SEAL = 1;
const BASE = 2;
const PROT_PKEY = 4;
const DISCARD_RO_ANON = 8;
const NAMES = { SEAL, BASE, PROT_PKEY, DISCARD_RO_ANON };
const TYPES = 0xf;
/** Kept with the seals: the area was made to be sealed. */
const SEALABLE = 0x100;

export const MAP_SEALABLE = 0x0800_0000;
/** PROT_SEAL_SEAL to PROT_SEAL_DISCARD_RO_ANON, in the order of the types. */
const PROT_SEAL_SHIFT = 26;
const PROT_SEALS = TYPES << PROT_SEAL_SHIFT;

const SOURCE = "v3, 12 December 2023";
const rule = rulesOf(SOURCE);

const CALL = rule(
  "call",
  "mseal(addr, length, types, flags): types are SEAL 1, BASE 2, PROT_PKEY 4 and DISCARD_RO_ANON 8; an unknown type or a flag is EINVAL; no type at all is checked and changes nothing",
);
const IMPLIED = rule("implied-base", "PROT_PKEY and DISCARD_RO_ANON bring BASE with them");
const SEALABLE_RULE = rule(
  "sealable",
  "only memory mapped with MAP_SEALABLE (0x8000000) or a PROT_SEAL_* bit can be sealed",
);
const ADD = rule("seal", "an area with SEAL takes no seal that it does not have yet");
const BASE_RULE = rule(
  "base",
  "an area with BASE is not unmapped, replaced, moved or resized, whoever asks: munmap, brk, shmdt, mmap, mremap",
);
const PROTECT = rule("prot-pkey", "an area with PROT_PKEY keeps its protection and its key");
const DISCARD = rule(
  "discard-ro-anon",
  "the content of anonymous memory with DISCARD_RO_ANON is discarded only by who could overwrite it",
);
const MMAP = rule(
  "prot-seal",
  "PROT_SEAL_* in mmap (bits 26 to 29, in the order of the types) seals from the beginning; mprotect does not take them",
);
const MERGE = rule("merge", "areas merge when their seals and their being sealable are equal");

function withBase(types: number): number {
  return (types & (PROT_PKEY | DISCARD_RO_ANON)) === 0 ? types : types | BASE;
}

function model(name: string, options: ReadonlySet<string>): SealingModel {
  const today = options.has("today");
  // As posted, the number of the advice is compared bit by bit with all the discards' numbers together.
  const posted = [...DISCARDS_BEFORE_GUARDS].reduce((all, advice) => all | advice, 0);
  const discards = options.has("exact")
    ? (advice: number) => (advice & posted) !== 0
    : (advice: number) => DISCARDS_BEFORE_GUARDS.has(advice);
  return {
    ...UNSEALED,
    name,
    timing: "whole-range",
    systemBits: TYPES & ~SEAL,
    overlay: "with-place",
    readCall(call) {
      if (today) return readTodaysCall(call, TYPES);
      return readTypedCall(call, TYPES, SOURCE, withBase);
    },
    readMmap(prot, flags) {
      const types = (prot & PROT_SEALS) >>> PROT_SEAL_SHIFT;
      const sealable = types !== 0 || (flags & MAP_SEALABLE) !== 0;
      return {
        prot: prot - (prot & PROT_SEALS),
        flags: flags - (flags & MAP_SEALABLE),
        bits: withBase(types) | (sealable ? SEALABLE : 0),
      };
    },
    maySeal(area, bits) {
      if ((bitsOf(area) & SEALABLE) === 0 && !today) return { rule: SEALABLE_RULE, errno: EACCES };
      return refuseNewBits(area, SEAL, bits, ADD, EACCES);
    },
    add: (seal, bits, by) => addBits(seal, bits, by, (all) => bitNames(all, NAMES)),
    mayUnmap: (area) => refuseBits(area, BASE, BASE_RULE, EACCES),
    mayRemap: (area) => refuseBits(area, BASE, BASE_RULE, EACCES),
    mayProtect: (area) => refuseBits(area, PROT_PKEY, PROTECT, EACCES),
    mayDiscard(area, { advice, release, writable }) {
      if (!discards(advice) || writable || !isAnonymous(area, release)) return null;
      return refuseBits(area, DISCARD_RO_ANON, DISCARD, EACCES);
    },
  };
}

/** As a kernel without CONFIG_MSEAL. */
function unconfigured(name: string): SealingModel {
  return {
    ...UNSEALED,
    name,
    readCall: () => mistake("unconfigured", ENOSYS, "the kernel is built without CONFIG_MSEAL", SOURCE),
    readMmap: (prot, flags) =>
      (prot & PROT_SEALS) === 0
        ? { prot, flags, bits: 0 }
        : mistake("unconfigured", EINVAL, "PROT_SEAL_* without CONFIG_MSEAL", SOURCE),
  };
}

/** Typed seals. */
export const rfcV3: SealingDesign = {
  name: "rfc-v3",
  title: "the third draft: typed seals, and memory that is mapped to be sealed",
  source: "Jeff Xu, [RFC PATCH v3 00/11] Introduce mseal(), linux-kernel, 12 December 2023",
  options: [
    TODAY,
    {
      name: "exact",
      text: "as posted, where nearly every advice of madvise counts as a discard by mistake",
    },
    {
      name: "unconfigured",
      text: "a kernel built without CONFIG_MSEAL: mseal is ENOSYS, PROT_SEAL_* in mmap EINVAL",
    },
  ],
  rules: [CALL, IMPLIED, SEALABLE_RULE, ADD, BASE_RULE, PROTECT, DISCARD, MMAP, wholeRule(SOURCE), MERGE],
  create: (name, options) => (options.has("unconfigured") ? unconfigured(name) : model(name, options)),
};
