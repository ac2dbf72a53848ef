/** What mmap does differently for files of huge pages (ksys_mmap_pgoff, hugetlbfs_file_mmap). */
import { EINVAL, ENOMEM } from "../../errno.js";
import type { AddressSpace } from "../address-space.js";
import type { MappableFile } from "../mappable-file.js";
import { MAP_ANONYMOUS, MAP_HUGETLB } from "../uapi.js";
import { VM_DONTEXPAND, VM_HUGETLB, VM_LOCKED_MASK, VM_WRITE, withFlags } from "../vm-flags.js";
import { pageUp, type Word } from "../word.js";
import { isHugetlbFile, type HugetlbState } from "./area.js";
import { HugeAnonymousFile } from "./file.js";
import { HugeFilePages } from "./file-pages.js";
import type { HugePagePool } from "./pool.js";
import { reserveForMapping } from "./reserve.js";

/** A length rounded up to a pool's pages; 0 where it was 0 or overflows. */
export function hugeUp(length: Word, { bytes }: HugePagePool): number {
  const rounded = Math.ceil(Number(length) / bytes) * bytes;
  return rounded < 2 ** 64 ? rounded : 0;
}

/**
 * The file and the length that a call really maps: of MAP_ANONYMOUS | MAP_HUGETLB a file without a name.
 * @returns -EINVAL where MAP_HUGETLB fits neither the file nor a pool
 */
export function hugetlbSource(
  mm: AddressSpace,
  flags: number,
  file: MappableFile | null,
  length: Word,
): { readonly file: MappableFile | null; readonly length: number } | number {
  if ((flags & MAP_ANONYMOUS) === 0) {
    const pages = file?.pages;
    if (pages instanceof HugeFilePages) return { file, length: hugeUp(length, pages.pool) };
    return (flags & MAP_HUGETLB) === 0 ? { file, length: pageUp(length) } : -EINVAL;
  }
  if ((flags & MAP_HUGETLB) === 0) return { file: null, length: pageUp(length) };
  const { frames, hugePages } = mm.env;
  const pool = hugePages.named(flags);
  if (pool === undefined) return -EINVAL;
  const bytes = hugeUp(length, pool);
  return { file: new HugeAnonymousFile(frames, pool, bytes, ++mm.anonInodes), length: bytes };
}

/** The files of huge pages that are mapped in [start, end). */
export function hugeFilesIn(mm: AddressSpace, start: number, end: number): MappableFile[] {
  const files: MappableFile[] = [];
  for (let area = mm.tree.findOverlap(start, end); area !== null && area.start < end; area = area.next)
    if (area.file !== null && isHugetlbFile(area.file)) files.push(area.file);
  return files;
}

/**
 * Its mmap operation, when the place is free (hugetlbfs_file_mmap): pages are promised, and a file that may be written
 * grows to the mapping's end.
 * @returns the area's flags and what it has of the promise; -EINVAL for an offset inside of a page; -ENOMEM
 */
export function mapHugetlb(
  file: MappableFile | null,
  offset: number,
  length: number,
  flags: number,
): { readonly flags: number; readonly hugetlb: HugetlbState | null } | number {
  const pages = file?.pages;
  if (!(pages instanceof HugeFilePages)) return { flags, hugetlb: null };
  const { bytes } = pages.pool;
  if (offset % bytes !== 0) return -EINVAL;
  const first = offset / bytes;
  const hugetlb = reserveForMapping(pages, first, first + length / bytes, flags);
  if (typeof hugetlb === "number") return -ENOMEM;
  if ((flags & VM_WRITE) !== 0) pages.growTo(offset + length);
  return { flags: withFlags(flags, VM_HUGETLB | VM_DONTEXPAND, VM_LOCKED_MASK), hugetlb };
}

/** Bytes of the pages that a file is mapped by. */
export function filePageBytes(file: MappableFile | null): number {
  return file?.pages instanceof HugeFilePages ? file.pages.pool.bytes : 4096;
}
