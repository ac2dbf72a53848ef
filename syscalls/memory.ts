/**
 * The calls on the address space. What they refuse, and in which order, is written in kernel/mm, a file for each;
 * here arguments are decoded, and what needs descriptors is checked.
 */

import { EBADF, EINVAL } from "../kernel/errno.js";
import { sealAfterProtect } from "../kernel/exec/seal-program.js";
import type { MappableFile } from "../kernel/mm/mappable-file.js";
import { MAP_ANONYMOUS, MAP_TYPE, MLOCK_ONFAULT } from "../kernel/mm/uapi.js";
import { isPageAligned } from "../kernel/mm/word.js";
import {
  address,
  choice,
  choiceAndFlags,
  fd,
  flags,
  hex,
  int,
  length,
  structOut,
  unsignedLong,
  type Argument,
} from "./argument.js";
import type { SyscallCall } from "./call.js";
import {
  ADVICE,
  MAP_FLAGS,
  MAP_TYPES,
  MLOCK2_FLAGS,
  MLOCKALL_FLAGS,
  MREMAP_FLAGS,
  MSYNC_FLAGS,
  PKEY_RIGHTS,
  PROTECTION,
} from "./memory-names.js";
import { define, type Definition } from "./table.js";

const protection: Argument = flags("prot", PROTECTION, "PROT_NONE");

function mmap(call: SyscallCall): number {
  const offset = call.word(5);
  if (!isPageAligned(offset)) return -EINVAL;
  // Type and flags are an unsigned long, but no flag lies above bit 31.
  const flagBits = call.u32(3);
  let file: MappableFile | null = null;
  if ((flagBits & MAP_ANONYMOUS) === 0) {
    const open = call.task.files.get(call.fd(4));
    if (open === undefined || open.isPath) return -EBADF;
    file = open;
  }
  // Unknown protection bits mean nothing to mmap, but with one set PROT_EXEC is not alone.
  const prot = call.n(2) === Infinity ? call.u32(2) : call.n(2);
  return call.mm.mmap(call.word(0), call.word(1), prot, flagBits, file, offset);
}

/** Stands for all bits of a protection above 2^53: none of them is known. */
const UNKNOWN_BIT = 2 ** 52;

function mprotect(call: SyscallCall, key: number): number {
  const [start, bytes] = [call.word(0), call.word(1)];
  // However large, its low half is looked at too (PROT_GROWSDOWN and PROT_GROWSUP).
  const prot = call.n(2) === Infinity ? UNKNOWN_BIT + call.u32(2) : call.n(2);
  const result = call.mm.mprotect(start, bytes, prot, key);
  if (result === 0) sealAfterProtect(call.task, start, bytes, prot);
  return result;
}

export const memorySyscalls: readonly Definition[] = [
  define({
    number: 9,
    name: "mmap",
    args: [
      address("addr"),
      length("length"),
      protection,
      choiceAndFlags("flags", MAP_TYPE, MAP_TYPES, MAP_FLAGS),
      fd("fd"),
      hex("offset"),
    ],
    returns: "address",
    handler: mmap,
  }),
  define({
    number: 10,
    name: "mprotect",
    args: [address("addr"), length("length"), protection],
    handler: (call) => mprotect(call, -1),
  }),
  define({
    number: 11,
    name: "munmap",
    args: [address("addr"), length("length")],
    handler: (call) => call.mm.munmap(call.word(0), call.word(1)),
  }),
  define({
    number: 12,
    name: "brk",
    args: [address("addr")],
    returns: "address",
    handler: (call) => call.mm.brk(call.word(0)),
  }),
  define({
    number: 25,
    name: "mremap",
    args: [
      address("old_address"),
      length("old_size"),
      length("new_size"),
      flags("flags", MREMAP_FLAGS),
      address("new_address"),
    ],
    returns: "address",
    handler: (call) => call.mm.mremap(call.word(0), call.word(1), call.word(2), call.n(3), call.word(4)),
  }),
  define({
    number: 26,
    name: "msync",
    args: [address("addr"), length("length"), flags("flags", MSYNC_FLAGS)],
    handler: (call) => call.mm.msync(call.word(0), call.word(1), call.i32(2)),
  }),
  define({
    number: 27,
    name: "mincore",
    args: [address("addr"), length("length"), structOut("vec", "mincore")],
    handler: (call) => call.mm.mincore(call.word(0), call.word(1), call.word(2), call.user),
  }),
  define({
    number: 28,
    name: "madvise",
    args: [address("addr"), length("length"), choice("advice", ADVICE)],
    handler: (call) => call.mm.madvise(call.word(0), call.word(1), call.i32(2)),
  }),
  define({
    number: 149,
    name: "mlock",
    args: [address("addr"), length("length")],
    handler: (call) => call.mm.mlock(call.word(0), call.word(1)),
  }),
  define({
    number: 150,
    name: "munlock",
    args: [address("addr"), length("length")],
    handler: (call) => call.mm.munlock(call.word(0), call.word(1)),
  }),
  define({
    number: 151,
    name: "mlockall",
    args: [flags("flags", MLOCKALL_FLAGS)],
    handler: (call) => call.mm.mlockall(call.i32(0)),
  }),
  define({
    number: 152,
    name: "munlockall",
    args: [],
    handler: (call) => call.mm.munlockall(),
  }),
  define({
    number: 216,
    name: "remap_file_pages",
    args: [address("addr"), length("size"), protection, unsignedLong("pgoff"), flags("flags", MAP_FLAGS)],
    handler: (call) =>
      call.mm.remapFilePages(call.word(0), call.word(1), call.word(2), call.word(3), call.u32(4)),
  }),
  define({
    number: 325,
    name: "mlock2",
    args: [address("addr"), length("length"), flags("flags", MLOCK2_FLAGS)],
    handler(call) {
      const bits = call.i32(2);
      if ((bits & ~MLOCK_ONFAULT) !== 0) return -EINVAL;
      return call.mm.mlock(call.word(0), call.word(1), bits === MLOCK_ONFAULT);
    },
  }),
  define({
    number: 329,
    name: "pkey_mprotect",
    args: [address("addr"), length("length"), protection, int("pkey")],
    handler: (call) => mprotect(call, call.i32(3)),
  }),
  define({
    number: 330,
    name: "pkey_alloc",
    args: [unsignedLong("flags"), flags("access_rights", PKEY_RIGHTS)],
    handler: (call) => call.mm.pkeyAlloc(call.word(0), call.word(1)),
  }),
  define({
    number: 331,
    name: "pkey_free",
    args: [int("pkey")],
    handler: (call) => call.mm.pkeyFree(call.i32(0)),
  }),
  define({
    number: 462,
    name: "mseal",
    args: [address("addr"), length("length"), unsignedLong("flags")],
    handler: (call) => call.mm.mseal(call.word(0), call.word(1), call.word(2), call.word(3)),
  }),
];
