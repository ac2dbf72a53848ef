import { EPERM } from "../../errno.js";
import type { Area } from "../area.js";
import { addBits, DISCARDS, isAnonymous, readTodaysCall, UNSEALED } from "./parts.js";
import type { SealingDesign, SealingModel, SealRule, SealVerdict } from "./sealing-model.js";

/** VM_SEALED, the only bit Linux has. */
const SEALED = 1;

const MODIFY: SealRule = {
  name: "modify",
  text: "a sealed area may not be unmapped, replaced, moved, resized or given another protection",
  source: "can_modify_vma",
};
const DISCARD: SealRule = {
  name: "discard",
  text: "the content of sealed anonymous memory may be discarded only by who could overwrite it",
  source: "can_madv_modify",
};
const SEAL: SealRule = {
  name: "seal",
  text: "mseal(addr, length, 0) seals mapped memory for good; to seal it again changes nothing",
  source: "do_mseal",
};

const REFUSE_MODIFY: SealVerdict = { rule: MODIFY, errno: EPERM };
const REFUSE_DISCARD: SealVerdict = { rule: DISCARD, errno: EPERM };

function modify(area: Area): SealVerdict | null {
  return area.seal === null ? null : REFUSE_MODIFY;
}

/** mseal(2) as mainline Linux has it: one irreversible bit, looked at when the kernel release does. */
export const linuxSealing: SealingModel = {
  ...UNSEALED,
  name: "linux",
  systemBits: SEALED,
  readCall: (call) => readTodaysCall(call, SEALED),
  add: (seal, bits, by) => addBits(seal, bits, by, () => "sealed"),
  mayUnmap: modify,
  mayProtect: modify,
  mayRemap: modify,
  mayDiscard(area, { advice, release, writable }) {
    if (area.seal === null || !DISCARDS.has(advice)) return null;
    return isAnonymous(area, release) && !writable ? REFUSE_DISCARD : null;
  },
};

export const linux: SealingDesign = {
  name: "linux",
  title: "Linux's mseal, as the chosen kernel release has it (the default)",
  source: "Linux 6.10 and later: mm/mseal.c, Documentation/userspace-api/mseal.rst",
  options: [],
  rules: [SEAL, MODIFY, DISCARD],
  create: () => linuxSealing,
};
