import { PAGE_SIZE, RAM_BASE } from "../mmu/layout.js";
import { PTE_A, PTE_D, PTE_P, PTE_PS, pteFrame } from "../mmu/page-table-entry.js";
import type { PhysicalMemory } from "../mmu/physical-memory.js";
import type { PageFrame } from "../mmu/types.js";
import type { AddressSpace } from "./mm/address-space.js";

/** The two halves of a page-table entry; both 0 where there is none. */
export interface EntryHalves {
  readonly low: number;
  readonly high: number;
}

/**
 * A leaf page-table entry became another one. Where a leaf of 2 MiB is split, `after` is the first of the 512 in its
 * place; the others are told no more.
 */
export interface EntryChange {
  readonly mm: AddressSpace;
  /** Of the page, in bytes. */
  readonly address: number;
  /** What the entry covers: 4096, or 2 MiB. */
  readonly bytes: number;
  readonly before: EntryHalves;
  readonly after: EntryHalves;
  /** The processor sets the accessed and the dirty bit, whoever's access it is; all else the kernel does. */
  readonly by: "processor" | "kernel";
}

/** A page table: which entries it has, and what they were when they were looked at last. */
interface Table {
  readonly mm: AddressSpace;
  /** Address of the first page, in bytes. */
  readonly start: number;
  /** 1: of leaf entries; 2: of leaves of 2 MiB and of tables; more: of tables. */
  readonly level: number;
  /** Leaf entries; one that leads to a table is kept as 0. */
  readonly words: Uint32Array;
}

const WORDS = PAGE_SIZE / 4;
const FIRST_WORD = RAM_BASE >>> 2;
/** Bytes that one entry of a level covers, from the page tables' on. */
const SPAN = [0, 2 ** 12, 2 ** 21, 2 ** 30, 2 ** 39];
const TOP = 4;
const NONE: EntryHalves = { low: 0, high: 0 };

/**
 * Tells of every change of a leaf entry, while somebody listens. An address space is followed from its first turn on:
 * what fork copies into it before is not told, nor what goes with it when it ends.
 */
export class EntryWatch {
  private readonly followed = new Set<AddressSpace>();
  private readonly tables = new Map<PageFrame, Table>();

  constructor(
    private readonly memory: PhysicalMemory,
    private readonly tell: (change: EntryChange) => void,
  ) {
    memory.entryWatcher = (entry) => this.written(entry);
  }

  end(): void {
    this.memory.entryWatcher = null;
  }

  /** The entries of an address space are as they are. */
  follow(mm: AddressSpace): void {
    if (this.followed.has(mm)) return;
    this.followed.add(mm);
    this.learn(mm, mm.tables.root, TOP, 0, false);
  }

  /** Memory has been put back to another moment: all entries are as they are now. */
  reset(current: AddressSpace): void {
    this.followed.clear();
    this.tables.clear();
    this.follow(current);
  }

  private written(entry: number): void {
    const frame = Math.floor((entry - FIRST_WORD) / WORDS);
    const table = this.tableIn(frame);
    if (table === null || table.level > 2) return;
    const first = FIRST_WORD + frame * WORDS;
    const index = ((entry - first) >>> 1) * 2;
    const bytes = SPAN[table.level]!;
    const address = table.start + (index / 2) * bytes;
    const before = { low: table.words[index]!, high: table.words[index + 1]! };
    let after = this.leafAt(first + index, table.level);
    table.words[index] = after.low;
    table.words[index + 1] = after.high;
    const lower = before.low === 0 ? 0 : this.tableBelow(first + index, table.level);
    if (lower !== 0) {
      this.learn(table.mm, lower, 1, address, false);
      after = this.leafAt(FIRST_WORD + lower * WORDS, 1);
    }
    if (before.low === after.low && before.high === after.high) return;
    const set = (before.low ^ after.low) & ~before.low;
    const onlySet = (before.low | set) >>> 0 === after.low && before.high === after.high;
    const byProcessor = before.low !== 0 && onlySet && (set & ~(PTE_A | PTE_D)) === 0;
    this.tell({
      mm: table.mm,
      address,
      bytes,
      before,
      after,
      by: byProcessor ? "processor" : "kernel",
    });
  }

  /** An entry, as far as it is a leaf. @param entry its index in `memory.u32` */
  private leafAt(entry: number, level: number): EntryHalves {
    if (this.tableBelow(entry, level) !== 0) return NONE;
    const { u32 } = this.memory;
    return { low: u32[entry]!, high: u32[entry + 1]! };
  }

  /** The table that an entry leads to, or 0. */
  private tableBelow(entry: number, level: number): PageFrame {
    const low = this.memory.u32[entry]!;
    return level > 1 && (low & PTE_P) !== 0 && (low & PTE_PS) === 0 ? pteFrame(low) : 0;
  }

  /** The table that a frame holds; null: of an address space that is not followed. */
  private tableIn(frame: PageFrame): Table | null {
    const known = this.tables.get(frame);
    if (known !== undefined) {
      if (this.isStill(known, frame)) return known;
      this.tables.delete(frame);
    }
    // A new table: it was empty before this entry.
    for (const mm of this.followed) this.learn(mm, mm.tables.root, TOP, 0, true);
    return this.tables.get(frame) ?? null;
  }

  private isStill({ mm, start, level }: Table, frame: PageFrame): boolean {
    if (!this.followed.has(mm)) return false;
    if (level > 1) return this.leadsTo(mm, start, level, frame);
    return mm.tables.entryAddress(start, false) >>> 2 === FIRST_WORD + frame * WORDS;
  }

  /** Whether the table of that level that covers an address is in that frame. */
  private leadsTo(mm: AddressSpace, address: number, level: number, frame: PageFrame): boolean {
    const { u32 } = this.memory;
    let table = mm.tables.root;
    for (let at = TOP; at > level; at--) {
      const low = u32[FIRST_WORD + table * WORDS + 2 * (Math.floor(address / SPAN[at]!) % 512)]!;
      if ((low & PTE_P) === 0) return false;
      table = pteFrame(low);
    }
    return table === frame;
  }

  private learn(mm: AddressSpace, frame: PageFrame, level: number, start: number, empty: boolean): void {
    const first = FIRST_WORD + frame * WORDS;
    const known = this.tables.get(frame);
    if (known?.mm !== mm || known.start !== start || known.level !== level || !empty) {
      const words = new Uint32Array(level > 2 ? 0 : WORDS);
      if (!empty)
        for (let at = 0; at < words.length; at += 2) {
          const { low, high } = this.leafAt(first + at, level);
          words[at] = low;
          words[at + 1] = high;
        }
      this.tables.set(frame, { mm, start, level, words });
    }
    if (level === 1) return;
    for (let index = 0; index < WORDS / 2; index++) {
      const below = this.tableBelow(first + 2 * index, level);
      if (below !== 0) this.learn(mm, below, level - 1, start + index * SPAN[level]!, empty);
    }
  }
}
