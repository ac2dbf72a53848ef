import { EIO, EPERM } from "../../errno.js";
import type { Area } from "../area.js";
import { VM_SHARED } from "../vm-flags.js";
import { addBits, DISCARDS, discardsAnonymous, readTodaysCall, refuseSealedArea, UNSEALED } from "./parts.js";
import { rulesOf } from "./rules.js";
import type { SealingDesign, SealingModel, SealRule, SealVerdict } from "./sealing-model.js";

const SEALED = 1;

const SOURCE = "Pedro Falcato, linux-mm, September 2024";
const rule = rulesOf(SOURCE);

const MODIFY = rule(
  "modify",
  "mprotect and munmap of sealed memory are refused, and MAP_FIXED over it counts as an unmapping; munmap is never partial",
);
const REMAP = rule("mremap", "sealed memory is neither moved nor resized");
const DISCARD = rule(
  "discard",
  "advice that destroys content is refused on sealed anonymous memory that its caller cannot overwrite; keys count",
);
const PRIVATE_FILE = rule(
  "discard-private-file",
  "such advice is refused on sealed private mappings of files too, whose changed pages would be lost",
);
const FORCE = rule(
  "force",
  "ptrace and /proc/PID/mem do not write to sealed memory that its area does not permit to write",
);
const ALLOWED = rule("allowed", "mlock, msync, mbind and swapping are not a seal's business");
const AGAIN = rule("again", "sealing what is sealed changes nothing and succeeds");

const refuse = (area: Area, of: SealRule): SealVerdict | null => refuseSealedArea(area, of, EPERM);

function model(name: string): SealingModel {
  return {
    ...UNSEALED,
    name,
    systemBits: SEALED,
    readCall: (call) => readTodaysCall(call, SEALED),
    add: (seal, bits, by) => addBits(seal, bits, by, () => "sealed"),
    mayUnmap: (area) => refuse(area, MODIFY),
    mayProtect: (area) => refuse(area, MODIFY),
    mayRemap: (area) => refuse(area, REMAP),
    mayDiscard(area, request) {
      if (discardsAnonymous(area, request)) return refuse(area, DISCARD);
      const losesPages = (area.flags & VM_SHARED) === 0 && DISCARDS.has(request.advice);
      return losesPages && !request.writable ? refuse(area, PRIVATE_FILE) : null;
    },
    // As for all that ptrace and /proc/PID/mem may not touch.
    mayForce: (area) => refuseSealedArea(area, FORCE, EIO),
  };
}

/** Mainline's rules, with two holes closed. */
export const guidelines: SealingDesign = {
  name: "guidelines",
  title: "the unofficial list of September 2024: mainline with two holes closed",
  source: "Pedro Falcato's list of what mseal should do, linux-mm, September 2024",
  options: [],
  rules: [MODIFY, REMAP, DISCARD, PRIVATE_FILE, FORCE, ALLOWED, AGAIN],
  create: model,
};
