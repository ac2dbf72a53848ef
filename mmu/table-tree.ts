import type { FrameAllocator } from "./frame-allocator.js";
import { PAGE_SIZE, RAM_BASE } from "./layout.js";
import { PTE_P, PTE_PS, PTE_RW, PTE_US, pteFrame } from "./page-table-entry.js";
import type { PageFrame } from "./types.js";

/** Entries of a table. */
export const ENTRIES = 512;
/** Upper entries permit everything; the leaf decides. Linux does the same for user tables. */
const TABLE_FLAGS = PTE_P | PTE_RW | PTE_US;
/** Bytes that one entry of a level covers; index 1 is the page table, 4 the PML4. */
export const SPAN = [0, 2 ** 12, 2 ** 21, 2 ** 30, 2 ** 39];

/**
 * The tables of one address space, in frames of guest RAM: how they come, are found and are given back. Which entries
 * are leaves and what they stand for is {@link PageTables}' and {@link LargeLeaves}'.
 */
export class TableTree {
  readonly root: PageFrame;
  /** Frames that the tables themselves take, the root and those laid by for a split included. */
  tableFrames = 1;

  /** @throws Error when not even the root can be had */
  constructor(readonly frames: FrameAllocator) {
    this.root = frames.allocate();
    if (this.root === -1) throw new Error("no frame left for a page-table root");
  }

  /** Index in `memory.u32` of an entry of a table. */
  wordOf(table: PageFrame, index: number): number {
    return (RAM_BASE >>> 2) + table * (PAGE_SIZE / 4) + index * 2;
  }

  /** A table without entries, of nobody yet; -1 when no frame is left. */
  allocateTable(): PageFrame {
    const table = this.frames.allocate();
    if (table !== -1) this.tableFrames++;
    return table;
  }

  freeTable(table: PageFrame): void {
    this.tableFrames--;
    this.frames.release(table);
  }

  /** Makes an upper entry refer to a table. */
  enterTable(entry: number, table: PageFrame): void {
    const { memory } = this.frames;
    memory.u32[entry] = (table << 12) | TABLE_FLAGS;
    memory.u32[entry + 1] = 0;
    memory.entryWritten(entry);
  }

  /** Empties an entry, whatever it is. */
  clearEntry(entry: number): void {
    const { memory } = this.frames;
    memory.u32[entry] = 0;
    memory.u32[entry + 1] = 0;
    memory.entryWritten(entry);
  }

  /**
   * The table of a level that covers an address, or -1, as under a leaf of 1 GiB; none of 2 MiB may stand above it.
   * @param create makes the missing tables; -1 when no frame is left
   */
  tableOf(va: number, bottom: 1 | 2 | 3, create: boolean): PageFrame {
    const words = this.frames.memory.u32;
    const low = va >>> 0;
    const high = (va / 0x1_0000_0000) | 0;
    let table = this.root;
    for (let level = 4; level > bottom; level--) {
      const index =
        level === 4 ? high >>> 7 : level === 3 ? ((high & 0x7f) << 2) | (low >>> 30) : (low >>> 21) & 511;
      const at = this.wordOf(table, index);
      if ((words[at] & PTE_P) === 0) {
        if (!create) return -1;
        const frame = this.allocateTable();
        if (frame === -1) return -1;
        this.enterTable(at, frame);
      } else if ((words[at] & PTE_PS) !== 0) return -1;
      table = pteFrame(words[at]);
    }
    return table;
  }

  /**
   * Index in `memory.u32` of the entry of level 2 that covers an address, or 0 where that table is missing.
   * @param create makes it; 0 when no frame is left
   */
  directoryEntry(va: number, create = false): number {
    const table = this.tableOf(va, 2, create);
    return table === -1 ? 0 : this.wordOf(table, (va >>> 21) & 511);
  }

  /** As {@link directoryEntry}, of level 2 or 3. */
  upperEntry(va: number, level: 2 | 3, create = false): number {
    if (level === 2) return this.directoryEntry(va, create);
    const table = this.tableOf(va, 3, create);
    return table === -1 ? 0 : this.wordOf(table, Math.floor(va / SPAN[3]) % ENTRIES);
  }

  /**
   * Moves the table of level 1 that covers an address, with all its entries, to another place where there is none. Both
   * are multiples of 2 MiB.
   * @returns false where there is no such table, the place is taken, or no frame is left
   */
  moveTable(from: number, to: number): boolean {
    const { memory } = this.frames;
    const source = this.directoryEntry(from);
    if (source === 0 || (memory.u32[source] & (PTE_P | PTE_PS)) !== PTE_P) return false;
    const target = this.directoryEntry(to, true);
    if (target === 0 || memory.u32[target] !== 0) return false;
    memory.u32[target] = memory.u32[source];
    memory.u32[target + 1] = memory.u32[source + 1];
    memory.entryWritten(target);
    this.clearEntry(source);
    return true;
  }

  /**
   * Makes tables of level 1 wherever another tree has one along [start, end) bytes, also one without entries.
   * @returns false when no frame is left for one
   */
  makeTablesAs(other: TableTree, start: number, end: number): boolean {
    return this.makeTablesBelow(other.root, 4, 0, start, end);
  }

  /** @param table the other tree's */
  private makeTablesBelow(
    table: PageFrame,
    level: number,
    tableStart: number,
    start: number,
    end: number,
  ): boolean {
    const words = this.frames.memory.u32;
    const span = SPAN[level];
    const first = Math.max(0, Math.floor((start - tableStart) / span));
    const last = Math.min(ENTRIES, Math.ceil((end - tableStart) / span));
    let at = this.wordOf(table, first);
    for (let index = first; index < last; index++, at += 2) {
      if ((words[at] & PTE_P) === 0 || (words[at] & PTE_PS) !== 0) continue;
      const childStart = tableStart + index * span;
      const made =
        level === 2
          ? this.tableOf(childStart, 1, true) !== -1
          : this.makeTablesBelow(pteFrame(words[at]), level - 1, childStart, start, end);
      if (!made) return false;
    }
    return true;
  }

  /**
   * Gives back the tables along [start, end) bytes that lie wholly in [floor, ceiling), where no entry is left. No
   * table is searched for entries: the caller knows what is mapped beside the range (free_pgtables).
   */
  prune(start: number, end: number, floor: number, ceiling: number): void {
    this.pruneTable(this.root, 4, 0, start, end, floor, ceiling);
  }

  private pruneTable(
    table: PageFrame,
    level: number,
    tableStart: number,
    start: number,
    end: number,
    floor: number,
    ceiling: number,
  ): void {
    const words = this.frames.memory.u32;
    const span = SPAN[level];
    const first = Math.max(0, Math.floor((start - tableStart) / span));
    const last = Math.min(ENTRIES, Math.ceil((end - tableStart) / span));
    let at = this.wordOf(table, first);
    for (let index = first; index < last; index++, at += 2) {
      if ((words[at] & PTE_P) === 0) continue;
      const child = pteFrame(words[at]);
      const childStart = tableStart + index * span;
      if (childStart >= floor && childStart + span <= ceiling) {
        this.clearEntry(at);
        this.freeTables(child, level - 1);
      } else if (level > 2) this.pruneTable(child, level - 1, childStart, start, end, floor, ceiling);
    }
  }

  /** Gives back a table and all below it, where there is no leaf. */
  private freeTables(table: PageFrame, level: number): void {
    const words = this.frames.memory.u32;
    if (level > 1) {
      for (let index = 0; index < ENTRIES; index++) {
        const low = words[this.wordOf(table, index)];
        if ((low & PTE_P) !== 0) this.freeTables(pteFrame(low), level - 1);
      }
    }
    this.freeTable(table);
  }

  /** Gives back each page table without an entry whose 2 MiB lie in [start, end) (try_to_free_pte). */
  reclaimEmpty(start: number, end: number): void {
    const words = this.frames.memory.u32;
    for (let at = Math.ceil(start / SPAN[2]) * SPAN[2]; at + SPAN[2] <= end; at += SPAN[2]) {
      const entry = this.directoryEntry(at);
      if (entry === 0 || (words[entry] & (PTE_P | PTE_PS)) !== PTE_P) continue;
      const table = pteFrame(words[entry]);
      const first = this.wordOf(table, 0);
      let word = first;
      while (word < first + ENTRIES * 2 && words[word] === 0) word++;
      if (word < first + ENTRIES * 2) continue;
      this.clearEntry(entry);
      this.freeTable(table);
    }
  }

  /** Calls back for the frame of every table, the root's first. */
  forEachTable(visit: (table: PageFrame) => void): void {
    this.visitTables(this.root, 4, visit);
  }

  private visitTables(table: PageFrame, level: number, visit: (table: PageFrame) => void): void {
    visit(table);
    if (level === 1) return;
    const words = this.frames.memory.u32;
    for (let index = 0; index < ENTRIES; index++) {
      const low = words[this.wordOf(table, index)];
      if ((low & PTE_P) !== 0 && (low & PTE_PS) === 0) this.visitTables(pteFrame(low), level - 1, visit);
    }
  }
}
