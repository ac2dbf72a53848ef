import { swapSlot, type SwapSlot } from "./entry.js";

/** Where the pages of a swap area are kept; numbers are pages from the area's beginning. */
export interface SwapStore {
  /** Fills 4096 bytes. */
  readPage(page: number, into: Uint8Array): void;
  /** @returns false where it cannot be written: the page stays in memory */
  writePage(page: number, from: Uint8Array): boolean;
  /** Nobody will read the page again before it is written. */
  forgetPage(page: number): void;
}

/** A store outside of guest RAM: what a disk would be. A page takes room once it is written. */
export class SwapMemory implements SwapStore {
  /** One character for each byte: texts never change, so that snapshots of a machine share them. */
  private readonly pages = new Map<number, string>();

  readPage(page: number, into: Uint8Array): void {
    const bytes = this.pages.get(page);
    if (bytes === undefined) into.fill(0);
    else for (let i = 0; i < bytes.length; i++) into[i] = bytes.charCodeAt(i);
  }

  writePage(page: number, from: Uint8Array): boolean {
    // An argument list made of a typed array is much quicker than one spread out.
    this.pages.set(page, String.fromCharCode.apply(null, from as unknown as number[]));
    return true;
  }

  forgetPage(page: number): void {
    this.pages.delete(page);
  }
}

/** Who lends the area its place: the inode that swapon(2) was given. */
export interface SwapHost {
  /** Shown in /proc/swaps as "partition", else "file". */
  readonly isBlockDevice: boolean;
  /** Its path now. */
  path(): string;
  /** swapoff(2) of that inode means this one. */
  isOf(inode: object): boolean;
  /** The file is a swap area no more: gives up what swapon took. */
  released(): void;
}

/** What a swap header and swapon's flags make of an area. */
export interface SwapAreaParts {
  readonly type: number;
  /** Pages, the header's included. */
  readonly pages: number;
  readonly bad: readonly number[];
  readonly priority: number;
  readonly store: SwapStore;
  readonly host: SwapHost;
}

/** One swap area in force (struct swap_info_struct). */
export class SwapArea {
  readonly type: number;
  readonly store: SwapStore;
  readonly host: SwapHost;
  /** The higher, the sooner it is filled; negative: by the order in which areas came. */
  priority: number;
  /** Pages that can hold something. */
  readonly usable: number;
  /** Pages that hold something. */
  used = 0;
  /** New pages may go there: not once swapoff has begun. */
  writable = true;
  /** How many entries, or page caches, each page stands in (swap_map). */
  private readonly counts: Uint32Array;
  /** 1: the page is given out, or cannot be used. */
  private readonly taken: Uint8Array;
  /** Where the search for a free page goes on (cluster_next). */
  private next = 1;

  constructor(parts: SwapAreaParts) {
    this.type = parts.type;
    this.store = parts.store;
    this.host = parts.host;
    this.priority = parts.priority;
    this.counts = new Uint32Array(parts.pages);
    this.taken = new Uint8Array(parts.pages);
    this.taken[0] = 1;
    let usable = parts.pages - 1;
    for (const page of parts.bad) {
      if (page >= parts.pages || this.taken[page] === 1) continue;
      this.taken[page] = 1;
      usable--;
    }
    this.usable = usable;
  }

  /** Pages that could be given out. */
  get free(): number {
    return this.usable - this.used;
  }

  /** Takes a free page, which nobody counts yet; -1 when there is none. */
  take(): SwapSlot | -1 {
    if (!this.writable || this.used === this.usable) return -1;
    let page = this.taken.indexOf(0, this.next);
    if (page === -1) page = this.taken.indexOf(0);
    this.taken[page] = 1;
    this.next = page + 1;
    this.used++;
    return swapSlot(this.type, page);
  }

  /** Gives a page back that nobody counts any more. */
  give(page: number): void {
    this.taken[page] = 0;
    this.used--;
    this.store.forgetPage(page);
  }

  /** Entries and page caches that have it. */
  count(page: number): number {
    return this.counts[page];
  }

  /** One user more, or fewer. @returns how many there are now */
  addCount(page: number, by: 1 | -1): number {
    return (this.counts[page] += by);
  }

  /** Pages given out, ascending. */
  *usedPages(): Generator<number> {
    const bad = this.counts.length - 1 - this.usable;
    let left = this.used + bad;
    for (let page = 1; page < this.taken.length && left > 0; page++) {
      if (this.taken[page] === 0) continue;
      left--;
      yield page;
    }
  }
}
