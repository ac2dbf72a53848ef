import type { FrameAllocator } from "./frame-allocator.js";
import { PAGE_SIZE, RAM_BASE } from "./layout.js";
import { PTE_P, PTE_PROT_NONE, PTE_RW, PTE_US, pteFrame } from "./page-table-entry.js";
import type { PageFrame } from "./types.js";

const ENTRIES = 512;
/** Upper entries permit everything; the leaf decides. Linux does the same for user tables. */
const TABLE_FLAGS = PTE_P | PTE_RW | PTE_US;
/** Bytes that one entry of a level covers; index 1 is the page table, 4 the PML4. */
const SPAN = [0, 2 ** 12, 2 ** 21, 2 ** 30, 2 ** 39];

/** What a visitor does with a non-empty leaf entry. `entry` is the index of its low half in `memory.u32`. */
export type EntryVisitor = (va: number, low: number, high: number, entry: number) => void;

/** One address space's page-table tree, in frames of guest RAM. Only 4 KiB leaves are made here. */
export class PageTables {
  readonly root: PageFrame;
  /** Frames that the tables themselves take, the root included. */
  tableFrames = 1;

  /** @throws Error when not even the root can be had */
  constructor(private readonly frames: FrameAllocator) {
    this.root = frames.allocate();
    if (this.root === -1) throw new Error("no frame left for a page-table root");
  }

  private wordOf(table: PageFrame, index: number): number {
    return (RAM_BASE >>> 2) + table * (PAGE_SIZE / 4) + index * 2;
  }

  /**
   * Linear address of the 8-byte leaf entry for an address.
   * @param create makes the missing tables
   * @returns 0 when a table is missing (or, with `create`, when no frame is left for it)
   */
  entryAddress(va: number, create: boolean): number {
    const words = this.frames.memory.u32;
    const low = va >>> 0;
    const high = (va / 0x1_0000_0000) | 0;
    let table = this.root;
    for (let level = 4; level > 1; level--) {
      const index =
        level === 4 ? high >>> 7 : level === 3 ? ((high & 0x7f) << 2) | (low >>> 30) : (low >>> 21) & 511;
      const at = this.wordOf(table, index);
      if ((words[at] & PTE_P) === 0) {
        if (!create) return 0;
        const frame = this.frames.allocate();
        if (frame === -1) return 0;
        this.tableFrames++;
        words[at] = (frame << 12) | TABLE_FLAGS;
        words[at + 1] = 0;
        this.frames.memory.entryWritten(at);
      }
      table = pteFrame(words[at]);
    }
    return this.wordOf(table, (low >>> 12) & 511) * 4;
  }

  /**
   * Writes a leaf entry; the caller invalidates the TLB and accounts for the frame.
   * @returns false when no frame is left for a table
   */
  set(va: number, frame: PageFrame, flagsLow: number, flagsHigh: number): boolean {
    const address = this.entryAddress(va, true);
    if (address === 0) return false;
    const words = this.frames.memory.u32;
    words[address >>> 2] = (frame << 12) | flagsLow;
    words[(address >>> 2) + 1] = flagsHigh;
    this.frames.memory.entryWritten(address >>> 2);
    return true;
  }

  /** Empties a leaf entry; the caller has taken care of its frame and invalidates the TLB. */
  clear(va: number): void {
    const address = this.entryAddress(va, false);
    if (address === 0) return;
    const words = this.frames.memory.u32;
    words[address >>> 2] = 0;
    words[(address >>> 2) + 1] = 0;
    this.frames.memory.entryWritten(address >>> 2);
  }

  /** Calls back for every non-empty leaf entry (present or not) of [start, end) bytes, ascending. */
  forEachPresentOrSwap(start: number, end: number, visit: EntryVisitor): void {
    this.visitTable(this.root, 4, 0, start, end, visit);
  }

  private visitTable(
    table: PageFrame,
    level: number,
    tableStart: number,
    start: number,
    end: number,
    visit: EntryVisitor,
  ): void {
    const words = this.frames.memory.u32;
    const span = SPAN[level];
    const first = Math.max(0, Math.floor((start - tableStart) / span));
    const last = Math.min(ENTRIES, Math.ceil((end - tableStart) / span));
    let at = this.wordOf(table, first);
    for (let index = first; index < last; index++, at += 2) {
      const low = words[at];
      if (level === 1) {
        if (low !== 0 || words[at + 1] !== 0) visit(tableStart + index * span, low, words[at + 1], at);
      } else if ((low & PTE_P) !== 0) {
        this.visitTable(pteFrame(low), level - 1, tableStart + index * span, start, end, visit);
      }
    }
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
        words[at] = 0;
        words[at + 1] = 0;
        this.frames.memory.entryWritten(at);
        this.destroyTable(child, level - 1);
      } else if (level > 2) this.pruneTable(child, level - 1, childStart, start, end, floor, ceiling);
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
      if ((low & PTE_P) !== 0) this.visitTables(pteFrame(low), level - 1, visit);
    }
  }

  private freeTable(table: PageFrame): void {
    this.tableFrames--;
    this.frames.release(table);
  }

  /** Gives back every table and every frame that a leaf points to. */
  destroy(): void {
    this.destroyTree(this.root, 4);
  }

  private destroyTree(table: PageFrame, level: number): void {
    const { frames } = this;
    const words = frames.memory.u32;
    let at = this.wordOf(table, 0);
    for (const end = at + ENTRIES * 2; at < end; at += 2) {
      const low = words[at];
      if (low === 0) continue;
      if (level === 1) {
        if ((low & (PTE_P | PTE_PROT_NONE)) !== 0) frames.release(pteFrame(low));
      } else if ((low & PTE_P) !== 0) this.destroyTree(pteFrame(low), level - 1);
    }
    this.freeTable(table);
  }

  private destroyTable(table: PageFrame, level: number): void {
    const words = this.frames.memory.u32;
    if (level > 1) {
      for (let index = 0; index < ENTRIES; index++) {
        const low = words[this.wordOf(table, index)];
        if ((low & PTE_P) !== 0) this.destroyTable(pteFrame(low), level - 1);
      }
    }
    this.freeTable(table);
  }
}
