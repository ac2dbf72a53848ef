import { EACCES } from "../../errno.js";
import type { Word } from "../word.js";
import {
  addBits,
  bitNames,
  readTodaysCall,
  readTypedCall,
  refuseBits,
  refuseNewBits,
  TODAY,
  UNSEALED,
} from "./parts.js";
import { rulesOf, wholeRule } from "./rules.js";
import type { SealingDesign, SealingModel, SealOrigin } from "./sealing-model.js";

const MSEAL = 1;
const MPROTECT = 2;
const MUNMAP = 4;
const MMAP = 8;
const MREMAP = 0x10;
const NAMES = { MSEAL, MPROTECT, MUNMAP, MMAP, MREMAP };
const ALL = 0x1f;

const SOURCE = "RFC v1, 16 October 2023";
const rule = rulesOf(SOURCE);

const CALL = rule(
  "call",
  "mseal(addr, length, types, flags): types are the bits MSEAL 1, MPROTECT 2, MUNMAP 4, MMAP 8 and MREMAP 0x10; an unknown bit or a flag is EINVAL",
);
const ADD = rule("mseal", "an area with the MSEAL bit takes no bit that it does not have yet");
const PROTECT = rule("mprotect", "an area with the MPROTECT bit keeps its protection and its key");
const UNMAP = rule("munmap", "an area with the MUNMAP bit is not unmapped by munmap(2)");
const REPLACE = rule("mmap", "an area with the MMAP bit is not replaced by mmap(2)");
const REMAP = rule(
  "mremap",
  "an area with the MREMAP bit is neither moved nor resized by mremap(2), nor replaced",
);
const ORIGIN = rule(
  "origin",
  "a bit binds the system call of its name alone: what mmap, mremap, brk or shmdt unmap on their own way ignores MUNMAP",
);
const MERGE = rule("merge", "sealed areas never merge");
const DISCARD = rule("discard", "madvise, mlock and msync are never refused");

/** What RFC v1 and v2 share. */
export function bitPerCall(name: string, today: boolean, word: (register: Word) => Word): SealingModel {
  return {
    ...UNSEALED,
    name,
    timing: "whole-range",
    systemBits: ALL & ~MSEAL,
    readCall(call) {
      if (today) return readTodaysCall(call, ALL);
      return readTypedCall({ ...call, third: word(call.third), fourth: word(call.fourth) }, ALL, SOURCE);
    },
    maySeal: (area, bits) => refuseNewBits(area, MSEAL, bits, ADD, EACCES),
    add: (seal, bits, by) => addBits(seal, bits, by, (all) => bitNames(all, NAMES)),
    mergeable: (a, b) => a === null && b === null,
    mayUnmap(area, origin: SealOrigin) {
      if (origin === "munmap") return refuseBits(area, MUNMAP, UNMAP, EACCES);
      if (origin === "mmap") return refuseBits(area, MMAP, REPLACE, EACCES);
      if (origin === "mremap-destination") return refuseBits(area, MREMAP, REMAP, EACCES);
      return null;
    },
    mayProtect: (area) => refuseBits(area, MPROTECT, PROTECT, EACCES),
    mayRemap: (area) => refuseBits(area, MREMAP, REMAP, EACCES),
  };
}

/** A seal for each system call. */
export const rfcV1: SealingDesign = {
  name: "rfc-v1",
  title: "the first draft: a bit for each system call",
  source: "Jeff Xu, [RFC PATCH v1 0/8] Introduce mseal() syscall, linux-kernel, 16 October 2023",
  options: [TODAY],
  rules: [CALL, ADD, PROTECT, UNMAP, REPLACE, REMAP, ORIGIN, wholeRule(SOURCE), MERGE, DISCARD],
  // The arguments are unsigned int: the registers' upper halves are not looked at.
  create: (name, options) => bitPerCall(name, options.has("today"), low32),
};

function low32(register: Word): Word {
  return Number(BigInt.asUintN(32, BigInt(register)));
}
