import { EPERM } from "../../errno.js";
import type { Area } from "../area.js";
import { protFlags } from "../vm-flags.js";
import { addBits, bitNames, bitsOf, readTodaysCall, TODAY, UNSEALED } from "./parts.js";
import { rulesOf } from "./rules.js";
import type { SealingDesign, SealingModel, SealVerdict } from "./sealing-model.js";

const IMMUTABLE = 1;
const DOWNGRADABLE = 2;
const NAMES = { IMMUTABLE, DOWNGRADABLE };

/** Ours: the idea names no numbers. */
export const PROT_IMMUTABLE = 0x0400_0000;
export const PROT_DOWNGRADABLE = 0x0800_0000;

const SOURCE = "Matthew Wilcox, linux-mm, October 2023";
const rule = rulesOf(SOURCE);

const CALL = rule(
  "call",
  "no call of its own: mprotect(addr, length, prot | PROT_IMMUTABLE) sets the protection and freezes it; PROT_DOWNGRADABLE lets rights be given up later (here 0x4000000 and 0x8000000)",
);
const MAPPING = rule("mapping", "a frozen area is not unmapped, replaced, moved or resized");
const IMMUTABLE_RULE = rule("immutable", "an immutable area keeps its protection and its key");
const DOWNGRADE = rule(
  "downgrade",
  "the protection of a downgradable area may only lose rights, and its key stays",
);
const DISCARD = rule("discard", "madvise is not refused");
const ERRNO = rule("errno", "the idea leaves the errno open; here it is EPERM");

function frozen(area: Area): SealVerdict | null {
  return bitsOf(area) === 0 ? null : { rule: MAPPING, errno: EPERM };
}

function model(name: string, today: boolean): SealingModel {
  return {
    ...UNSEALED,
    name,
    systemBits: IMMUTABLE,
    readCall: (call) => (today ? readTodaysCall(call, IMMUTABLE) : UNSEALED.readCall(call)),
    readMprotect: (prot) => ({
      prot: prot - (prot & (PROT_IMMUTABLE | PROT_DOWNGRADABLE)),
      flags: 0,
      bits:
        ((prot & PROT_IMMUTABLE) === 0 ? 0 : IMMUTABLE) |
        ((prot & PROT_DOWNGRADABLE) === 0 ? 0 : DOWNGRADABLE),
    }),
    add: (seal, bits, by) => addBits(seal, bits, by, (all) => bitNames(all, NAMES)),
    mayUnmap: frozen,
    mayRemap: frozen,
    mayProtect(area, { prot, key }) {
      const bits = bitsOf(area);
      if ((bits & IMMUTABLE) !== 0) return { rule: IMMUTABLE_RULE, errno: EPERM };
      const gains = (protFlags(prot) & ~area.prot) !== 0 || (key !== -1 && key !== area.key);
      return (bits & DOWNGRADABLE) !== 0 && gains ? { rule: DOWNGRADE, errno: EPERM } : null;
    },
  };
}

/** Two flags for mprotect. */
export const protImmutable: SealingDesign = {
  name: "prot-immutable",
  title: "two flags for mprotect: PROT_IMMUTABLE and PROT_DOWNGRADABLE",
  source: "Matthew Wilcox in the threads on mseal's first drafts, linux-mm, October 2023; never implemented",
  options: [TODAY],
  rules: [CALL, MAPPING, IMMUTABLE_RULE, DOWNGRADE, DISCARD, ERRNO],
  create: (name, options) => model(name, options.has("today")),
};
