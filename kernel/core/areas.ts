/** How much of an area a core file holds (core(5), /proc/PID/coredump_filter; fs/coredump.c vma_dump_size). */

import { UserMemory } from "../mm/user-memory.js";
import type { AddressSpace } from "../mm/address-space.js";
import type { Area } from "../mm/area.js";
import { isHugetlb } from "../mm/hugetlb/area.js";
import type { MappableFile } from "../mm/mappable-file.js";
import { VM_DONTDUMP, VM_IO, VM_READ, VM_SHARED } from "../mm/vm-flags.js";

const ANONYMOUS_PRIVATE = 0x1;
const ANONYMOUS_SHARED = 0x2;
const MAPPED_PRIVATE = 0x4;
const MAPPED_SHARED = 0x8;
const ELF_HEADERS = 0x10;
const HUGE_PRIVATE = 0x20;
const HUGE_SHARED = 0x40;
const ELF_MAGIC = 0x464c_457f;

/** The inode behind it has no links (i_nlink): it has no name any more, or never had one. */
function isUnnamed(file: MappableFile): boolean {
  return file.secret !== true && file.mapName.endsWith(" (deleted)");
}

/** Bytes from the area's start that go into the file. */
export function dumpedBytes(mm: AddressSpace, area: Area): number {
  const { flags, file } = area;
  const whole = area.end - area.start;
  const wants = (bit: number): boolean => (mm.coredumpFilter & bit) !== 0;
  // [vdso] and its like, whatever else is said of them (always_dump_vma).
  if (area.unsplittable) return whole;
  if ((flags & (VM_DONTDUMP | VM_IO)) !== 0) return 0;
  if (isHugetlb(area)) return wants((flags & VM_SHARED) !== 0 ? HUGE_SHARED : HUGE_PRIVATE) ? whole : 0;
  if ((flags & VM_SHARED) !== 0)
    return wants(file === null || isUnnamed(file) ? ANONYMOUS_SHARED : MAPPED_SHARED) ? whole : 0;
  if (area.anon !== null && wants(ANONYMOUS_PRIVATE)) return whole;
  if (file === null) return 0;
  if (wants(MAPPED_PRIVATE)) return whole;
  if (!wants(ELF_HEADERS) || area.pageOffset !== 0 || (flags & VM_READ) === 0) return 0;
  const magic = new UserMemory(mm, { foreign: true, force: true }).readU32(area.start);
  return magic === ELF_MAGIC ? 4096 : 0;
}
