import { EACCES, EFAULT, EINVAL, EPERM } from "../../errno.js";
import type { Area } from "../area.js";
import { MADV_DONTNEED, MADV_FREE } from "../uapi.js";
import { protFlags, VM_ACCESS_FLAGS, VM_READ, VM_WIPEONFORK, VM_WRITE } from "../vm-flags.js";
import { pageDown, pageUp, TWO_64, wordOf } from "../word.js";
import { addBits, mistake, refuseSealedArea, UNSEALED } from "./parts.js";
import { rulesOf } from "./rules.js";
import type { SealingDesign, SealingModel, SealingOption, SealRule, SealVerdict } from "./sealing-model.js";

const IMMUTABLE = 1;

const MAN = "OpenBSD mimmutable(2)";
const rule = rulesOf(MAN);

const CALL = rule(
  "call",
  "mimmutable(addr, length), in mseal's place: addr is rounded down and the end up, a range that wraps is EINVAL, holes are passed over; for good, and again changes nothing",
);
const INHERIT = rule(
  "inherit-zero",
  "memory that a child gets as zeroes (MAP_INHERIT_ZERO; here MADV_WIPEONFORK) cannot be made immutable",
  "uvm_map_immutable",
);
const UNMAP = rule("munmap", "an immutable area is not unmapped, replaced or moved", "uvm_map_isunmappable");
const UNMAP_HOLE = rule(
  "munmap-hole",
  "munmap of a range with a hole is refused before anything",
  "sys_munmap",
);
const PROTECT = rule(
  "mprotect",
  "an immutable area keeps its protection; mprotect to the one it has is refused too",
  "uvm_map_protect",
);
const MAXIMUM = rule(
  "mprotect-maximum",
  "the first pass of mprotect finds what the mapping may never have as well, area by area: nothing has changed then",
  "uvm_map_protect",
);
const DISCARD = rule(
  "discard",
  "MADV_FREE, MADV_DONTNEED and msync(MS_INVALIDATE) do not touch the anonymous pages of immutable memory",
  "uvm_map_clean, January 2024",
);
const DISCARD_HOLE = rule(
  "discard-hole",
  "a hole in the range of such a discard comes first",
  "uvm_map_clean",
);
const DEMOTE = rule(
  "demote",
  "an immutable area that is readable and writable may become read-only once more",
  "uvm_map_protect, OpenBSD 7.3",
);
const FORK = rule("fork", "a child's memory is immutable too; exec and exit take it away");
const EXEC = rule(
  "exec",
  "execve makes the segments of the program and of its interpreter immutable, and the stack; not relro, nor segments that are writable and executable, nor the text of a program with text relocations",
  "elf_load_psection, exec_setup_stack",
);
const LOADER = rule(
  "loader",
  "what was left open, and each library that is loaded at the start, is immutable once its relro is read-only (ld.so and crt0 do it there; here the kernel, for loaders that know nothing of it)",
  "OpenBSD ld.so(1), crt0",
);
const MUTABLE = rule(
  "mutable",
  "the whole pages of PT_OPENBSD_MUTABLE (the section .openbsd.mutable) stay as they are until the program asks",
  "vmcmd_mutable",
);

/** For programs that are to meet the calls' rules alone. */
export const ASKED: SealingOption = {
  name: "asked",
  text: "immutable is only what the program asks for: execve and the loader make nothing so",
};

const verdict = (area: Area, of: SealRule): SealVerdict | null => refuseSealedArea(area, of, EPERM);

/** OpenBSD's, as it is since January 2024, or as it was before. */
export function immutable(name: string, older: boolean, options: ReadonlySet<string>): SealingModel {
  const unmap = (area: Area): SealVerdict | null => verdict(area, UNMAP);
  // An area of anonymous memory, or one with private pages of its own (an amap).
  const discard = (area: Area): SealVerdict | null =>
    older || (area.file !== null && area.anon === null) ? null : verdict(area, DISCARD);
  const discards = (advice: number): boolean => advice === MADV_FREE || advice === MADV_DONTNEED;
  return {
    ...UNSEALED,
    name,
    timing: "whole-range",
    holes: "skipped",
    systemBits: IMMUTABLE,
    atExec: options.has("asked") ? "nothing" : "program",
    readCall({ address, length }) {
      const end = BigInt(address) + BigInt(length);
      const up = end >= TWO_64 ? 0 : pageUp(wordOf(end));
      if (end >= TWO_64 || (end > 0n && up === 0))
        return mistake("wraps", EINVAL, "the range wraps around the address space", "sys_mimmutable");
      return { start: pageDown(address), end: up, bits: IMMUTABLE };
    },
    maySeal: (area) => ((area.flags & VM_WIPEONFORK) === 0 ? null : { rule: INHERIT, errno: EPERM }),
    add: (seal, bits, by) => addBits(seal, bits, by, () => "immutable"),
    mayUnmap: unmap,
    mayRemap: unmap,
    mayProtect(area, { prot }) {
      const now = area.flags & VM_ACCESS_FLAGS;
      const demoted = older && now === (VM_READ | VM_WRITE) && protFlags(prot) === VM_READ;
      if (area.seal !== null && !demoted) return { rule: PROTECT, errno: EPERM };
      const maximum = (area.flags >>> 4) & VM_ACCESS_FLAGS;
      return (protFlags(prot) & ~maximum) === 0 ? null : { rule: MAXIMUM, errno: EACCES };
    },
    mayDiscard: (area, { advice }) => (discards(advice) ? discard(area) : null),
    mayInvalidate: discard,
    mayPassHole(operation, { advice }) {
      if (operation === "munmap") return { rule: UNMAP_HOLE, errno: EINVAL };
      return discards(advice) && !older ? { rule: DISCARD_HOLE, errno: EFAULT } : null;
    },
  };
}

/** OpenBSD since January 2024. */
export const mimmutable: SealingDesign = {
  name: "mimmutable",
  title: "OpenBSD's mimmutable as it is since January 2024",
  source: "OpenBSD: mimmutable(2), sys/uvm/uvm_map.c",
  options: [ASKED],
  rules: [
    CALL,
    INHERIT,
    UNMAP,
    UNMAP_HOLE,
    PROTECT,
    MAXIMUM,
    DISCARD,
    DISCARD_HOLE,
    FORK,
    EXEC,
    LOADER,
    MUTABLE,
  ],
  create: (name, options) => immutable(name, false, options),
};

/** The rules of the releases before, which `mimmutable-2022` is. */
export const OLDER_RULES: readonly SealRule[] = [
  CALL,
  INHERIT,
  UNMAP,
  UNMAP_HOLE,
  PROTECT,
  DEMOTE,
  MAXIMUM,
  FORK,
  EXEC,
  LOADER,
  MUTABLE,
];
