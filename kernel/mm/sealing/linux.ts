import { EPERM } from "../../errno.js";
import type { Area } from "../area.js";
import { addBits, discardsAnonymous, readTodaysCall, refuseSealedArea, UNSEALED } from "./parts.js";
import { discardRule, modifyRule } from "./rules.js";
import type { SealingDesign, SealingModel, SealRule, SealVerdict } from "./sealing-model.js";

/** VM_SEALED, the only bit Linux has. */
const SEALED = 1;

const MODIFY = modifyRule("can_modify_vma");
const DISCARD = discardRule("can_madv_modify");
const SEAL: SealRule = {
  name: "seal",
  text: "mseal(addr, length, 0) seals mapped memory for good; to seal it again changes nothing",
  source: "do_mseal",
};

const modify = (area: Area): SealVerdict | null => refuseSealedArea(area, MODIFY, EPERM);

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
  mayDiscard: (area, request) =>
    discardsAnonymous(area, request) ? refuseSealedArea(area, DISCARD, EPERM) : null,
};

export const linux: SealingDesign = {
  name: "linux",
  title: "Linux's mseal, as the chosen kernel release has it (the default)",
  source: "Linux 6.10 and later: mm/mseal.c, Documentation/userspace-api/mseal.rst",
  options: [],
  rules: [SEAL, MODIFY, DISCARD],
  create: () => linuxSealing,
};
