/* The first page of a swap area, as mkswap(8) writes it (union swap_header; mm/swapfile.c read_swap_header). */
import { MAX_AREA_PAGES } from "./entry.js";

const PAGE = 4096;
const MAGIC = "SWAPSPACE2";
const MAGIC_AT = PAGE - MAGIC.length;
const VERSION_AT = 1024;
const LAST_PAGE_AT = 1028;
const BAD_COUNT_AT = 1032;
const BAD_PAGES_AT = 1536;
/** As many bad pages as fit before the magic (MAX_SWAP_BADPAGES). */
const MAX_BAD_PAGES = Math.floor((MAGIC_AT - BAD_PAGES_AT) / 4);

export interface SwapHeader {
  /** Pages of the area, this one included. */
  readonly pages: number;
  readonly bad: readonly number[];
}

/**
 * Reads a header, in either byte order. The label and UUID do not matter.
 * @param bytes the first page
 * @param length of the file or device, in bytes
 * @param isRegular a file's area has no bad pages
 * @returns what swapon refuses with EINVAL: the reason
 */
export function readSwapHeader(bytes: Uint8Array, length: number, isRegular: boolean): SwapHeader | string {
  const magic = String.fromCharCode(...bytes.subarray(MAGIC_AT, PAGE));
  if (magic !== MAGIC) return "it has no swap-space signature";
  const view = new DataView(bytes.buffer, bytes.byteOffset, PAGE);
  const littleEndian = view.getUint32(VERSION_AT, false) !== 1;
  const word = (at: number): number => view.getUint32(at, littleEndian);
  if (word(VERSION_AT) !== 1) return `its header is of version ${word(VERSION_AT)}`;
  const last = word(LAST_PAGE_AT);
  if (last === 0) return "it has no page";
  const pages = Math.min(last + 1, MAX_AREA_PAGES);
  const has = Math.floor(length / PAGE);
  if (has > 0 && pages > has) return "it is shorter than its header says";
  const badCount = word(BAD_COUNT_AT);
  if (badCount > 0 && isRegular) return "a file's header names bad pages";
  if (badCount > MAX_BAD_PAGES) return "its header names more bad pages than it can";
  const bad = Array.from({ length: badCount }, (_, i) => word(BAD_PAGES_AT + 4 * i));
  if (bad.some((page) => page === 0 || page > last))
    return "its header names a bad page that it does not have";
  return { pages, bad };
}
