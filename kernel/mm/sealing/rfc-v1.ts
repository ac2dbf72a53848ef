import { EACCES, EINVAL } from "../../errno.js";
import type { Area } from "../area.js";
import type { Word } from "../word.js";
import { addBits, bitNames, bitsOf, mistake, readRange, readTodaysCall, TODAY, UNSEALED } from "./parts.js";
import type { SealingDesign, SealingModel, SealOrigin, SealRule, SealVerdict } from "./sealing-model.js";

const MSEAL = 1;
const MPROTECT = 2;
const MUNMAP = 4;
const MMAP = 8;
const MREMAP = 0x10;
const NAMES = { MSEAL, MPROTECT, MUNMAP, MMAP, MREMAP };
const ALL = 0x1f;

const SOURCE = "RFC v1, 16 October 2023";
const rule = (name: string, text: string, source = SOURCE): SealRule => ({ name, text, source });

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
const WHOLE = rule("all-or-nothing", "all areas of the range are asked before anything changes");
const MERGE = rule("merge", "sealed areas never merge");
const DISCARD = rule("discard", "madvise, mlock and msync are never refused");

function verdict(area: Area, bit: number, of: SealRule): SealVerdict | null {
  return (bitsOf(area) & bit) === 0 ? null : { rule: of, errno: EACCES };
}

/** The bits as a caller of these two drafts passes them. */
export function readTypedCall(
  types: Word,
  flags: Word,
  all: number,
): { readonly bits: number } | { readonly mistake: string; readonly text: string } {
  const bits = Number(types);
  if (!(bits <= all) || (bits & ~all) !== 0) return { mistake: "types", text: "an unknown type of seal" };
  if (Number(flags) !== 0) return { mistake: "flags", text: "no flags are defined" };
  return { bits };
}

/** What RFC v1 and v2 share. */
export function bitPerCall(name: string, today: boolean, word: (register: Word) => Word): SealingModel {
  return {
    ...UNSEALED,
    name,
    timing: "whole-range",
    systemBits: ALL & ~MSEAL,
    readCall(call) {
      if (today) return readTodaysCall(call, ALL);
      const typed = readTypedCall(word(call.third), word(call.fourth), ALL);
      if ("mistake" in typed) return mistake(typed.mistake, EINVAL, typed.text, SOURCE);
      return readRange(call, typed.bits);
    },
    maySeal(area, bits) {
      const has = bitsOf(area);
      return (has & MSEAL) !== 0 && (bits & ~has) !== 0 ? { rule: ADD, errno: EACCES } : null;
    },
    add: (seal, bits, by) => addBits(seal, bits, by, (all) => bitNames(all, NAMES)),
    mergeable: (a, b) => a === null && b === null,
    mayUnmap(area, origin: SealOrigin) {
      if (origin === "munmap") return verdict(area, MUNMAP, UNMAP);
      if (origin === "mmap") return verdict(area, MMAP, REPLACE);
      if (origin === "mremap-destination") return verdict(area, MREMAP, REMAP);
      return null;
    },
    mayProtect: (area) => verdict(area, MPROTECT, PROTECT),
    mayRemap: (area) => verdict(area, MREMAP, REMAP),
  };
}

/** A seal for each system call. */
export const rfcV1: SealingDesign = {
  name: "rfc-v1",
  title: "the first draft: a bit for each system call",
  source: "Jeff Xu, [RFC PATCH v1 0/8] Introduce mseal() syscall, linux-kernel, 16 October 2023",
  options: [TODAY],
  rules: [CALL, ADD, PROTECT, UNMAP, REPLACE, REMAP, ORIGIN, WHOLE, MERGE, DISCARD],
  // The arguments are unsigned int: the registers' upper halves are not looked at.
  create: (name, options) => bitPerCall(name, options.has("today"), low32),
};

function low32(register: Word): Word {
  return Number(BigInt.asUintN(32, BigInt(register)));
}
