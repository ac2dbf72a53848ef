import { EACCES } from "../../errno.js";
import { addBits, readTodaysCall, TODAY, UNSEALED } from "./parts.js";
import { rulesOf } from "./rules.js";
import type { SealingDesign, SealingModel, SealVerdict } from "./sealing-model.js";

const PERMANENT = 1;
/** Ours: Linux leaves this bit of mmap's flags free, and XNU's own number means something else there. */
export const MAP_PERMANENT = 0x0100_0000;

const rule = rulesOf("vm_map.c");

const CREATED = rule(
  "created",
  "memory is permanent from its mapping on (VM_FLAGS_PERMANENT; here 0x1000000 in mmap's flags); no call makes it so later",
  "vm_map_enter",
);
const UNMAP = rule(
  "munmap",
  "munmap says yes and leaves memory that nobody can use, with no rights and none to be had; its addresses are never used again",
  "vm_map_delete",
);
const REPLACE = rule(
  "overwrite",
  "permanent memory is not replaced by a mapping at a fixed address, nor moved (KERN_PROTECTION_FAILURE)",
  "vm_map_enter",
);
const PROTECT = rule("mprotect", "the protection changes within what the mapping may have", "vm_map_protect");
const COPY = rule("copy", "a child's copy is not permanent", "vm_map_fork");
const DISCARD = rule("discard", "madvise is not refused", "vm_map_behavior_set");

const REFUSED: SealVerdict = { rule: REPLACE, errno: EACCES };

function model(name: string, today: boolean): SealingModel {
  return {
    ...UNSEALED,
    name,
    timing: "whole-range",
    systemBits: PERMANENT,
    readCall: (call) => (today ? readTodaysCall(call, PERMANENT) : UNSEALED.readCall(call)),
    readMmap: (prot, flags) => ({
      prot,
      flags: flags - (flags & MAP_PERMANENT),
      bits: (flags & MAP_PERMANENT) === 0 ? 0 : PERMANENT,
    }),
    add: (seal, bits, by) => addBits(seal, bits, by, () => "permanent"),
    inherited: () => null,
    mayUnmap: (area, origin) =>
      area.seal !== null && (origin === "mmap" || origin === "mremap-destination") ? REFUSED : null,
    leaves: (area) => (area.seal === null ? "nothing" : "inaccessible"),
    mayRemap: (area) => (area.seal === null ? null : REFUSED),
  };
}

/** Memory whose addresses are never used for anything else. */
export const xnuPermanent: SealingDesign = {
  name: "xnu-permanent",
  title: "XNU's VM_FLAGS_PERMANENT: an address is never used for anything else",
  source: "XNU: osfmk/vm/vm_map.c",
  options: [TODAY],
  rules: [CREATED, UNMAP, REPLACE, PROTECT, COPY, DISCARD],
  create: (name, options) => model(name, options.has("today")),
};
