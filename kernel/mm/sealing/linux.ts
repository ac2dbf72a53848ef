import { EPERM } from "../../errno.js";
import type { Area, Seal } from "../area.js";
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
import type { DiscardRequest, SealingModel, SealVerdict } from "./sealing-model.js";

/** VM_SEALED, the only bit Linux has. */
const SEALED = 1;

/** Advice that may lose content (mm/madvise.c, is_discard). */
const DISCARDS: ReadonlySet<number> = new Set([
  MADV_DONTNEED,
  MADV_FREE,
  MADV_REMOVE,
  MADV_DONTFORK,
  MADV_WIPEONFORK,
  MADV_DONTNEED_LOCKED,
  MADV_GUARD_INSTALL,
]);

const MODIFY: SealVerdict = {
  reason: "a sealed area may not be unmapped, replaced, moved, resized or given another protection",
  source: "can_modify_vma",
};
const DISCARD: SealVerdict = {
  reason: "the content of sealed anonymous memory may be discarded only by who could overwrite it",
  source: "can_madv_modify",
};

function modify(area: Area): SealVerdict | null {
  return area.seal === null ? null : MODIFY;
}

function isAnonymous(area: Area, request: DiscardRequest): boolean {
  return request.release.anonymousMeans === "no-vm-ops"
    ? area.isAnonymous
    : area.file === null && (area.flags & VM_SHARED) === 0;
}

/** mseal(2) as mainline Linux has it since 6.12: one irreversible bit, tested area by area. */
export const linuxSealing: SealingModel = {
  name: "linux",
  errno: EPERM,
  sealed(area, by): Seal {
    return area.seal ?? { bits: SEALED, by };
  },
  mayUnmap: modify,
  mayProtect: modify,
  mayRemap: modify,
  mayDiscard(area, request) {
    if (area.seal === null || !DISCARDS.has(request.advice)) return null;
    return isAnonymous(area, request) && !request.writable ? DISCARD : null;
  },
  mergeable(a, b) {
    return (a?.bits ?? 0) === (b?.bits ?? 0);
  },
  smapsFlag(area) {
    return area.seal === null ? "" : "sl";
  },
};
