/** What a watchpoint waits for. */
export type WatchKind = "write" | "read" | "access";

/** Bytes [start, end) that a debugger watches. */
export interface Watch {
  readonly start: number;
  readonly end: number;
  readonly kind: WatchKind;
}

const PAGE_SIZE = 4096;
const NO_ADDRESSES: ReadonlySet<number> = new Set();

/**
 * Where a debugger wants the CPU to stop. Nothing of it is in the guest's memory: a block ends before such an address
 * and nothing is linked to it, and a page with watched bytes is kept out of the TLB, so that its accesses are seen.
 */
export class StopPoints {
  /** Of all processes: where blocks begin, and what no block is linked to. It only grows while a debugger is there. */
  readonly boundaries = new Set<number>();
  /** Of all processes: addresses of the pages that stay out of the TLB. */
  readonly pages = new Set<number>();
  /** The running process's: before an instruction here the CPU stops. */
  breakpoints: ReadonlySet<number> = NO_ADDRESSES;
  /** The running process's. */
  watches: readonly Watch[] = [];
  /** The watch that the last instruction met, and where; null: none. `rip`: the instruction's. */
  hit: { readonly watch: Watch; readonly address: number; rip: number } | null = null;
  /** A run ends behind each instruction that wrote PKRU; set by {@link Cpu.stopAtPkru}. */
  pkru = false;
  /** The same, for listeners; set by {@link Cpu.listenToPkru}. */
  listened = false;
  /** The instruction that is next at this count is executed though a breakpoint is there; -1: none. */
  passed = -1;
  /** Something was changed by an access of the instruction that is being executed: the run ends behind it. */
  changed = false;
  /** One instruction is executed by itself: what it meets is noted, and does not end it. */
  noting = false;

  get endsAtPkru(): boolean {
    return this.pkru || this.listened;
  }

  /** The watch that an access of `size` bytes at `va` meets; undefined: none. */
  meets(va: number, size: number, read: boolean, write: boolean): Watch | undefined {
    return this.watches.find(
      ({ start, end, kind }) =>
        va < end &&
        start < va + size &&
        (kind === "access" || (kind === "write" && write) || (kind === "read" && read)),
    );
  }

  /** Keeps the pages of a watch out of the TLB. @returns whether one of them was not yet */
  withhold({ start, end }: Watch): boolean {
    const before = this.pages.size;
    for (let page = start - (start % PAGE_SIZE); page < end; page += PAGE_SIZE) this.pages.add(page);
    return this.pages.size !== before;
  }
}
