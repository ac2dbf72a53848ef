import type { FrameAllocator } from "./frame-allocator.js";
import { LargeLeaves, type LeafOwner } from "./large-leaves.js";
import { PAGE_SIZE } from "./layout.js";
import { PTE_P, PTE_PROT_NONE, PTE_PS, pteFrame } from "./page-table-entry.js";
import { ENTRIES, SPAN, TableTree } from "./table-tree.js";
import type { PageFrame } from "./types.js";

const ignore = (): void => undefined;

/** What a visitor does with a non-empty leaf entry. `entry` is the index of its low half in `memory.u32`. */
export type EntryVisitor = (va: number, low: number, high: number, entry: number) => void;

/**
 * One address space's page tables with their leaves, of 4 KiB here and of 2 MiB or 1 GiB in `large`.
 */
export class PageTables extends TableTree {
  readonly large: LargeLeaves;

  /** @throws Error when not even the root can be had */
  constructor(frames: FrameAllocator, owner: LeafOwner | null = null) {
    super(frames);
    this.large = new LargeLeaves(this, owner);
  }

  /**
   * Linear address of the 8-byte leaf entry of 4 KiB for an address.
   * @param create makes the missing tables and splits a leaf of 2 MiB
   * @returns 0 when a table is missing (or, with `create`, when no frame is left for it), as it is in a large leaf
   */
  entryAddress(va: number, create: boolean): number {
    const { large } = this;
    if (!large.none) {
      const huge = large.entryOf(va);
      if (huge !== 0) {
        if (!create || large.isWhole(huge)) return 0;
        large.split(huge, va);
      }
    }
    const table = this.tableOf(va, 1, create);
    return table === -1 ? 0 : this.wordOf(table, (va >>> 12) & 511) * 4;
  }

  /** Low half of the leaf for an address, 0 when empty; in a large one as {@link forEachPresentOrSwap} tells it. */
  low(va: number): number {
    const entry = this.entryAddress(va, false) >>> 2;
    return entry !== 0 ? this.frames.memory.u32[entry] : this.large.lowOf(va);
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
    if (address !== 0) this.clearEntry(address >>> 2);
  }

  /**
   * Calls back for every non-empty leaf entry (present or not) of [start, end) bytes, ascending. Without `visitHuge` a
   * large leaf is told page by page, as that many of 4 KiB with PS set; who changes entries through `entry` splits
   * before ({@link LargeLeaves.splitRange}) or gives a `visitHuge`.
   * @param visitHuge called for a leaf of 2 MiB that lies in the range; one that lies there in part is split
   */
  forEachPresentOrSwap(start: number, end: number, visit: EntryVisitor, visitHuge?: EntryVisitor): void {
    if (visitHuge !== undefined) {
      this.large.splitAcross(start);
      this.large.splitAcross(end);
    }
    this.visitTable(this.root, 4, 0, start, end, visit, visitHuge);
  }

  /** Calls back for every large leaf; it is left as it is. */
  forEachHuge(visit: EntryVisitor): void {
    this.visitTable(this.root, 4, 0, 0, SPAN[4] * (ENTRIES / 2), ignore, visit);
  }

  private visitTable(
    table: PageFrame,
    level: number,
    tableStart: number,
    start: number,
    end: number,
    visit: EntryVisitor,
    visitHuge: EntryVisitor | undefined,
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
      } else if ((low & PTE_PS) !== 0) {
        const leafStart = tableStart + index * span;
        if (visitHuge !== undefined) visitHuge(leafStart, low, words[at + 1], at);
        else this.visitPages(leafStart, span / PAGE_SIZE, at, start, end, visit);
      } else if ((low & PTE_P) !== 0) {
        this.visitTable(pteFrame(low), level - 1, tableStart + index * span, start, end, visit, visitHuge);
      }
    }
  }

  private visitPages(
    leafStart: number,
    pages: number,
    entry: number,
    start: number,
    end: number,
    visit: EntryVisitor,
  ): void {
    const low = this.frames.memory.u32[entry];
    const high = this.frames.memory.u32[entry + 1];
    const first = Math.max(0, Math.floor((start - leafStart) / PAGE_SIZE));
    const last = Math.min(pages, Math.ceil((end - leafStart) / PAGE_SIZE));
    for (let n = first; n < last; n++)
      visit(leafStart + n * PAGE_SIZE, this.large.pageOf(low, n), high, entry);
  }

  /** Calls back for the frame of every table, the root's first, and of those laid by. */
  override forEachTable(visit: (table: PageFrame) => void): void {
    super.forEachTable(visit);
    for (const table of this.large.spareTables) visit(table);
  }

  /** Gives back every table and every frame that a leaf points to. */
  destroy(): void {
    this.destroyTree(this.root, 4);
    this.large.destroy();
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
      } else if ((low & PTE_PS) !== 0) {
        frames.releaseRun(pteFrame(low));
      } else if ((low & PTE_P) !== 0) this.destroyTree(pteFrame(low), level - 1);
    }
    this.freeTable(table);
  }
}
