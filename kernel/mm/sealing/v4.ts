import { EACCES, EPERM } from "../../errno.js";
import type { Area } from "../area.js";
import {
  addBits,
  bitsOf,
  DISCARDS_BEFORE_GUARDS,
  discardsAnonymous,
  readTodaysCall,
  refuseBits,
  TODAY,
  UNSEALED,
} from "./parts.js";
import { discardRule, modifyRule, rulesOf, wholeRule } from "./rules.js";
import type { SealingDesign, SealingModel, SealVerdict } from "./sealing-model.js";

const SEALED = 1;
/** Kept with the seal: the area was made to be sealed. */
const SEALABLE = 2;

export const PROT_SEAL = 0x0400_0000;
export const MAP_SEALABLE = 0x0800_0000;

const SOURCE = "v4 to v8, January and February 2024";
const rule = rulesOf(SOURCE);

const CALL = rule("call", "mseal(addr, length, flags): one irreversible bit; flags must be 0");
const SEALABLE_RULE = rule(
  "sealable",
  "only memory mapped with MAP_SEALABLE (0x8000000) or PROT_SEAL can be sealed",
);
const MMAP = rule(
  "prot-seal",
  "PROT_SEAL (0x4000000) in mmap seals from the beginning; mprotect does not take it",
);
const MODIFY = modifyRule(SOURCE);
const DISCARD = discardRule(SOURCE);
const MERGE = rule("merge", "areas merge when both are sealed or neither is, and both sealable or neither");
const ERRNO = rule("errno", "a refusal is EACCES before v7, and EPERM from v7 on, as OpenBSD has it", "v7");

function model(name: string, errno: number, today: boolean): SealingModel {
  const modify = (area: Area): SealVerdict | null => refuseBits(area, SEALED, MODIFY, errno);
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
    mayDiscard: (area, request) =>
      discardsAnonymous(area, request, DISCARDS_BEFORE_GUARDS)
        ? refuseBits(area, SEALED, DISCARD, errno)
        : null,
  };
}

/** One bit, on memory that was mapped for it. */
export const v4: SealingDesign = {
  name: "v4",
  title: "the one-bit drafts, v4 to v8: memory must be mapped to be sealed",
  source:
    "Jeff Xu, [PATCH v4 0/4] Introduce mseal() to [PATCH v8 0/4], linux-kernel, January and February 2024",
  options: [TODAY, { name: "eperm", text: "v7 and v8: refusals are EPERM, no longer EACCES" }],
  rules: [CALL, SEALABLE_RULE, MMAP, MODIFY, DISCARD, wholeRule(SOURCE), MERGE, ERRNO],
  create: (name, options) => model(name, options.has("eperm") ? EPERM : EACCES, options.has("today")),
};
