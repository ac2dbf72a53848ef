/** Mapping an ELF file's segments (fs/binfmt_elf.c elf_load, elf_map, load_elf_interp). */

import { EFAULT, EINVAL } from "../errno.js";
import type { AddressSpace } from "../mm/address-space.js";
import { TASK_SIZE } from "../mm/layout.js";
import type { MappableFile } from "../mm/mappable-file.js";
import {
  MAP_ANONYMOUS,
  MAP_FIXED,
  MAP_FIXED_NOREPLACE,
  MAP_PRIVATE,
  PROT_EXEC,
  PROT_READ,
  PROT_WRITE,
} from "../mm/uapi.js";
import { wordOf } from "../mm/word.js";
import type { UserMemory } from "../mm/user-memory.js";
import { ET_DYN, ET_EXEC, PF_R, PF_W, PF_X, PT_LOAD, type ElfImage, type ProgramHeader } from "./elf.js";

const PAGE = 4096n;
const TASK_END = BigInt(TASK_SIZE);
const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const pageStart = (address: bigint): bigint => address & ~(PAGE - 1n);
const pageOffset = (address: bigint): bigint => address & (PAGE - 1n);
const pageAlign = (address: bigint): bigint => u64(address + PAGE - 1n) & ~(PAGE - 1n);

/** Where a program with an interpreter goes: two thirds up user space (ELF_ET_DYN_BASE). */
export const DYN_BASE = (TASK_END / 3n) * 2n;

export interface LoadedImage {
  /** What is added to the file's addresses. */
  readonly bias: bigint;
  /** Address of the first segment's page. */
  readonly base: bigint;
  readonly entry: bigint;
  /** Address of the program headers in memory; 0 if no segment holds them. */
  readonly headers: bigint;
  readonly startCode: bigint;
  readonly endCode: bigint;
  readonly startData: bigint;
  readonly endData: bigint;
  /** The end of the highest segment. */
  readonly brk: bigint;
}

/** What is being loaded, which decides where it may go. */
export type LoadKind = "program" | "program-with-interpreter" | "interpreter";

/** Maps all PT_LOAD segments into an address space; a negative errno once something refuses. */
export function loadSegments(
  mm: AddressSpace,
  user: UserMemory,
  file: MappableFile,
  image: ElfImage,
  kind: LoadKind,
): LoadedImage | number {
  const segments = image.programHeaders.filter((header) => header.type === PT_LOAD);
  const total = totalSize(segments);
  let bias = 0n;
  let base: bigint | null = null;
  let headers = 0n;
  let startCode = u64(-1n);
  let endCode = 0n;
  let startData = 0n;
  let endData = 0n;
  let brk = 0n;
  for (const segment of segments) {
    const prot = protectionOf(segment);
    let flags = MAP_PRIVATE | MAP_FIXED;
    let size = 0n;
    if (base === null) {
      flags = MAP_PRIVATE;
      if (image.type === ET_EXEC) flags |= MAP_FIXED_NOREPLACE;
      else {
        if (kind === "program-with-interpreter") {
          bias = DYN_BASE & ~(alignmentOf(segments) - 1n);
          flags |= MAP_FIXED_NOREPLACE;
        } else if (kind === "program" && alignmentOf(segments) > PAGE) {
          const aligned = alignedPlace(mm, total, alignmentOf(segments));
          if (typeof aligned === "number") return aligned;
          bias = aligned;
          flags |= MAP_FIXED_NOREPLACE;
        }
        bias = pageStart(u64(bias - segment.vaddr));
        if (total === 0n) return -EINVAL;
      }
      if (image.type === ET_DYN || kind === "interpreter") size = total;
    }
    const mapped = mapSegment(mm, user, file, segment, u64(bias + segment.vaddr), prot, flags, size);
    if (mapped < 0) return mapped;
    if (base === null) {
      base = BigInt(mapped);
      if (image.type === ET_DYN) {
        bias = u64(bias + base - pageStart(u64(bias + segment.vaddr)));
      }
    }
    const { vaddr, filesz, memsz, offset } = segment;
    if (offset <= image.phoff && image.phoff < u64(offset + filesz))
      headers = u64(image.phoff - offset + vaddr);
    if ((segment.flags & PF_X) !== 0 && vaddr < startCode) startCode = vaddr;
    if (startData < vaddr) startData = vaddr;
    const limit = kind === "interpreter" ? u64(bias + vaddr) : vaddr;
    if (limit >= TASK_END || filesz > memsz || memsz > TASK_END || TASK_END - memsz < limit) return -EINVAL;
    if ((segment.flags & PF_X) !== 0 && endCode < vaddr + filesz) endCode = vaddr + filesz;
    if (endData < vaddr + filesz) endData = vaddr + filesz;
    if (brk < vaddr + memsz) brk = vaddr + memsz;
  }
  return {
    bias,
    base: base ?? 0n,
    entry: u64(image.entry + bias),
    headers: headers === 0n ? 0n : u64(headers + bias),
    startCode: u64(startCode + bias),
    endCode: u64(endCode + bias),
    startData: u64(startData + bias),
    endData: u64(endData + bias),
    brk: u64(brk + bias),
  };
}

function protectionOf(segment: ProgramHeader): number {
  return (
    ((segment.flags & PF_R) !== 0 ? PROT_READ : 0) |
    ((segment.flags & PF_W) !== 0 ? PROT_WRITE : 0) |
    ((segment.flags & PF_X) !== 0 ? PROT_EXEC : 0)
  );
}

/** Bytes from the lowest segment's page to the highest one's end. */
function totalSize(segments: readonly ProgramHeader[]): bigint {
  let low = u64(-1n);
  let high = 0n;
  for (const { vaddr, memsz } of segments) {
    if (pageStart(vaddr) < low) low = pageStart(vaddr);
    if (u64(vaddr + memsz) > high) high = u64(vaddr + memsz);
  }
  return segments.length === 0 ? 0n : u64(high - low);
}

/** The largest p_align that is a power of two, at least a page. */
function alignmentOf(segments: readonly ProgramHeader[]): bigint {
  let alignment = 0n;
  for (const { align } of segments) {
    if (align !== 0n && (align & (align - 1n)) === 0n && align > alignment) alignment = align;
  }
  return pageAlign(alignment) || PAGE;
}

/** A free place of `size` bytes at a multiple of `alignment`. */
function alignedPlace(mm: AddressSpace, size: bigint, alignment: bigint): bigint | number {
  const room = pageAlign(size + alignment);
  const place = mm.mmap(0, wordOf(room), 0, MAP_PRIVATE | MAP_ANONYMOUS, null, 0);
  if (place < 0) return place;
  mm.munmap(place, wordOf(room));
  return (BigInt(place) + alignment - 1n) & ~(alignment - 1n);
}

/**
 * Maps one segment and clears what follows its file part. `total`: bytes to reserve, when it is the first of several
 * that must lie together.
 */
function mapSegment(
  mm: AddressSpace,
  user: UserMemory,
  file: MappableFile,
  segment: ProgramHeader,
  address: bigint,
  prot: number,
  flags: number,
  total: bigint,
): number {
  const { vaddr, filesz, memsz } = segment;
  let mapped = Number(pageStart(address));
  let zeroStart: bigint;
  let zeroEnd: bigint;
  if (filesz !== 0n) {
    mapped = mapFile(mm, file, segment, address, prot, flags, total);
    if (mapped < 0) return mapped;
    if (mapped >= TASK_SIZE) return -EINVAL;
    zeroStart = u64(BigInt(mapped) + pageOffset(vaddr) + filesz);
    zeroEnd = u64(BigInt(mapped) + pageOffset(vaddr) + memsz);
    // A file part of absurd length was refused by mmap; what is left of its last page is cleared.
    if (memsz > filesz && pageOffset(zeroStart) !== 0n) {
      const rest = Number(PAGE - pageOffset(zeroStart));
      const cleared = user.copyOut(Number(zeroStart), new Uint8Array(rest));
      if (cleared !== rest && (prot & PROT_WRITE) !== 0) return -EFAULT;
    }
  } else {
    zeroStart = pageStart(address);
    zeroEnd = u64(zeroStart + pageOffset(vaddr) + memsz);
  }
  if (memsz > filesz) {
    const start = pageAlign(zeroStart);
    const end = pageAlign(zeroEnd);
    if (end !== start) {
      const protection = PROT_READ | PROT_WRITE | (prot & PROT_EXEC);
      const length = wordOf(u64(end - start));
      const made = mm.mmap(
        wordOf(start),
        length,
        protection,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
        null,
        0,
      );
      if (made < 0) return made;
    }
  }
  return mapped;
}

function mapFile(
  mm: AddressSpace,
  file: MappableFile,
  segment: ProgramHeader,
  address: bigint,
  prot: number,
  flags: number,
  total: bigint,
): number {
  const size = pageAlign(u64(segment.filesz + pageOffset(segment.vaddr)));
  const offset = u64(segment.offset - pageOffset(segment.vaddr));
  if (size === 0n) return Number(pageStart(address));
  const at = wordOf(pageStart(address));
  if (total === 0n) return mm.mmap(at, wordOf(size), prot, flags, file, wordOf(offset));
  const whole = pageAlign(total);
  const mapped = mm.mmap(at, wordOf(whole), prot, flags, file, wordOf(offset));
  if (mapped >= 0 && whole > size) mm.munmap(wordOf(BigInt(mapped) + size), wordOf(whole - size));
  return mapped;
}
