import { EACCES, EPERM } from "../../errno.js";
import type { Area } from "../area.js";
import {
  addBits,
  bitsOf,
  DISCARDS_BEFORE_GUARDS,
  isAnonymous,
  readTodaysCall,
  TODAY,
  UNSEALED,
} from "./parts.js";
import type { SealingDesign, SealingModel, SealRule, SealVerdict } from "./sealing-model.js";

const SEALED = 1;
/** Kept with the seal: the area was made to be sealed. */
const SEALABLE = 2;

export const PROT_SEAL = 0x0400_0000;
export const MAP_SEALABLE = 0x0800_0000;

const SOURCE = "v4 to v8, January and February 2024";
const rule = (name: string, text: string, source = SOURCE): SealRule => ({ name, text, source });

const CALL = rule("call", "mseal(addr, length, flags): one irreversible bit; flags must be 0");
const SEALABLE_RULE = rule(
  "sealable",
  "only memory mapped with MAP_SEALABLE (0x8000000) or PROT_SEAL can be sealed",
);
const MMAP = rule(
  "prot-seal",
  "PROT_SEAL (0x4000000) in mmap seals from the beginning; mprotect does not take it",
);
const MODIFY = rule(
  "modify",
  "a sealed area may not be unmapped, replaced, moved, resized or given another protection",
);
const DISCARD = rule(
  "discard",
  "the content of sealed anonymous memory may be discarded only by who could overwrite it",
);
const WHOLE = rule("all-or-nothing", "all areas of the range are asked before anything changes");
const MERGE = rule("merge", "areas merge when both are sealed or neither is, and both sealable or neither");
const ERRNO = rule("errno", "a refusal is EACCES before v7, and EPERM from v7 on, as OpenBSD has it", "v7");

function model(name: string, errno: number, today: boolean): SealingModel {
  const sealed = (of: SealRule) => {
    const verdict: SealVerdict = { rule: of, errno };
    return (area: Area): SealVerdict | null => ((bitsOf(area) & SEALED) === 0 ? null : verdict);
  };
  const modify = sealed(MODIFY);
  const discard = sealed(DISCARD);
  return {
    ...UNSEALED,
    name,
    timing: "whole-range",
    systemBits: SEALED,
    readCall: (call) => readTodaysCall(call, SEALED),
    readMmap(prot, flags) {
      const seal = (prot & PROT_SEAL) !== 0;
      const sealable = seal || (flags & MAP_SEALABLE) !== 0;
      return {
        prot: prot - (prot & PROT_SEAL),
        flags: flags - (flags & MAP_SEALABLE),
        bits: (seal ? SEALED : 0) | (sealable ? SEALABLE : 0),
      };
    },
    maySeal: (area) => (today || (bitsOf(area) & SEALABLE) !== 0 ? null : { rule: SEALABLE_RULE, errno }),
    add: (seal, bits, by) => addBits(seal, bits, by, (all) => ((all & SEALED) === 0 ? "" : "sealed")),
    mayUnmap: modify,
    mayProtect: modify,
    mayRemap: modify,
    mayDiscard(area, { advice, release, writable }) {
      if (!DISCARDS_BEFORE_GUARDS.has(advice) || writable || !isAnonymous(area, release)) return null;
      return discard(area);
    },
  };
}

/** One bit, on memory that was mapped for it. */
export const v4: SealingDesign = {
  name: "v4",
  title: "the one-bit drafts, v4 to v8: memory must be mapped to be sealed",
  source:
    "Jeff Xu, [PATCH v4 0/4] Introduce mseal() to [PATCH v8 0/4], linux-kernel, January and February 2024",
  options: [TODAY, { name: "eperm", text: "v7 and v8: refusals are EPERM, no longer EACCES" }],
  rules: [CALL, SEALABLE_RULE, MMAP, MODIFY, DISCARD, WHOLE, MERGE, ERRNO],
  create: (name, options) => model(name, options.has("eperm") ? EPERM : EACCES, options.has("today")),
};
