import { addPages, isPageAligned, isZero, pageUp, type Word } from "./word.js";

/** [start, end) bytes of whole pages. */
export interface PageRange {
  readonly start: number;
  readonly end: number;
}

/** Why an address and a length are none; EINVAL. */
export interface NoPageRange {
  /** The last word of the rule that refuses it. */
  readonly rule: "unaligned" | "length" | "wraps";
  readonly text: string;
}

const UNALIGNED: NoPageRange = {
  rule: "unaligned",
  text: "the address is not a multiple of the page size",
};
const TOO_LONG: NoPageRange = { rule: "length", text: "the length rounded to pages overflows" };
const WRAPS: NoPageRange = { rule: "wraps", text: "the range wraps around the address space" };

/** The pages of a range as madvise(2), mseal(2) and others take it: from a page's start, the length rounded up, perhaps 0. */
export function pageRange(address: Word, lengthWord: Word): PageRange | NoPageRange {
  if (!isPageAligned(address)) return UNALIGNED;
  const length = pageUp(lengthWord);
  if (!isZero(lengthWord) && length === 0) return TOO_LONG;
  const start = Number(address);
  const end = addPages(start, length);
  return end < start ? WRAPS : { start, end };
}
