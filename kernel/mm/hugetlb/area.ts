import type { Area } from "../area.js";
import type { MappableFile } from "../mappable-file.js";
import { VM_HUGETLB } from "../vm-flags.js";
import { HugeFilePages } from "./file-pages.js";
import type { HugePagePool } from "./pool.js";
import type { RegionMap } from "./region-map.js";

/** What the areas of one private mapping share: which of the pages promised to it are used up (struct resv_map). */
export interface PrivateReserve {
  /** By index in the file. */
  readonly used: RegionMap;
}

/** What an area of huge pages has besides (vm_private_data). A value: areas may share it. */
export interface HugetlbState {
  /** It is of the process that mapped it, privately and not with MAP_NORESERVE (HPAGE_RESV_OWNER). */
  readonly reserve: PrivateReserve | null;
  /** The process that it was copied from took a page away from it: no more are had (HPAGE_RESV_UNMAPPED). */
  readonly robbed: boolean;
}

export const NO_RESERVE: HugetlbState = { reserve: null, robbed: false };

/** is_vm_hugetlb_page */
export function isHugetlb(area: Area): boolean {
  return (area.flags & VM_HUGETLB) !== 0;
}

/** Bytes of the pages that an area's faults bring in (vma_kernel_pagesize). */
export function pageBytesOf(area: Area): number {
  return isHugetlb(area) ? poolOf(area).bytes : 4096;
}

/** An area of huge pages can be cut there; any other everywhere (hugetlb_vm_op_split). */
export function maySplitAt(area: Area, at: number): boolean {
  return !isHugetlb(area) || at % pageBytesOf(area) === 0;
}

/** The page cache of huge pages that an area maps. @throws Error for an area of other memory */
export function hugePagesOf(area: Area): HugeFilePages {
  if (!(area.pages instanceof HugeFilePages)) throw new Error("not an area of huge pages");
  return area.pages;
}

/** The pool that an area of huge pages has them from (hstate_vma). */
export function poolOf(area: Area): HugePagePool {
  return hugePagesOf(area).pool;
}

/** is_file_hugepages */
export function isHugetlbFile(file: MappableFile | null): boolean {
  return file?.pages instanceof HugeFilePages;
}

/** The huge page's index in the file that an address of the area maps (vma_hugecache_offset). */
export function hugeIndex(area: Area, va: number): number {
  return Math.floor(area.fileIndex(va) / poolOf(area).pageFrames);
}
