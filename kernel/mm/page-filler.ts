/** Where the bytes of a file are that have no page yet. */
export interface PageFiller {
  /** Fills `page` (4096 zeroed bytes) with the bytes of page `index`. */
  fillPage(index: number, page: Uint8Array): void;
  /** A page is to be stored to through a mapping: has it room where it will be kept? Without it there always is. */
  makeRoom?(index: number): boolean;
  /** Pages of [offset, offset + length) bytes left the cache for good: what is kept of them is to go; 0 or -errno. */
  punched?(offset: number, length: number): number;
}
