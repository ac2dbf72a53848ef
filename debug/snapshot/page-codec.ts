import { PAGE_SIZE } from "../../mmu/layout.js";
import { CodecError, type ValueReader, type ValueWriter } from "../recording/value-codec.js";

const WORDS = PAGE_SIZE / 4;

/** Writes a page as runs: so many words of zero, so many words as they are, in turn. */
export function writePage(writer: ValueWriter, page: Uint8Array): void {
  const words = new Uint32Array(page.buffer, page.byteOffset, WORDS);
  for (let at = 0; at < WORDS;) {
    const start = at;
    while (at < WORDS && words[at] === 0) at++;
    writer.whole(at - start);
    const first = at;
    // A run of bytes ends at two words of zero.
    while (at < WORDS && !(words[at] === 0 && (at + 1 === WORDS || words[at + 1] === 0))) at++;
    writer.whole(at - first);
    writer.raw(page.subarray(4 * first, 4 * at));
  }
}

/** Fills a page of zeroes. @throws CodecError */
export function readPage(reader: ValueReader, page: Uint8Array): void {
  for (let at = 0; at < WORDS;) {
    const zeroes = reader.whole();
    const count = reader.whole();
    if (zeroes + count === 0 || at + zeroes + count > WORDS) throw new CodecError("a page is too long");
    at += zeroes;
    page.set(reader.raw(4 * count), 4 * at);
    at += count;
  }
}
