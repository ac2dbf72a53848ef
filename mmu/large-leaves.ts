import { PAGE_SIZE } from "./layout.js";
import {
  PTE_ANON,
  PTE_D,
  PTE_FRAME_MASK,
  PTE_PS,
  PTE_SOFT_DIRTY,
  PTE_UFFD_WP,
  PTE_WHOLE,
  pteFrame,
} from "./page-table-entry.js";
import { ENTRIES, SPAN, type TableTree } from "./table-tree.js";
import type { PageFrame } from "./types.js";

/** Who is told of leaves of 2 MiB that a split has emptied, to give their frames back. */
export interface LeafOwner {
  /** @param va where the leaf began @param low its low half */
  leafEmptied(va: number, low: number): void;
}

/**
 * The leaves of 2 MiB and 1 GiB of one address space: entries of level 2 or 3 with PS, each of which stands for all the
 * frames from its own on. With each of anonymous memory there is a page table laid by, so that it can always be split
 * (pgtable_trans_huge_deposit), but for those that never are (PTE_WHOLE), as all of 1 GiB; one of a file is emptied in
 * the place of a split: its pages are to be had again from the page cache.
 */
export class LargeLeaves {
  /** Page tables laid by: as many as there are leaves of 2 MiB that can be split, and whichever is last serves next. */
  private readonly deposited: PageFrame[] = [];
  /** Leaves of 2 MiB or 1 GiB that are never split (PTE_WHOLE). */
  private whole = 0;
  /** Leaves of 2 MiB of pages of files. */
  private files = 0;

  constructor(
    private readonly tree: TableTree,
    private readonly owner: LeafOwner | null,
  ) {}

  /** There is not one. */
  get none(): boolean {
    return this.deposited.length + this.whole + this.files === 0;
  }

  /** Leaves of 2 MiB of anonymous memory that there are now, those of zeroes too. */
  get anonCount(): number {
    return this.deposited.length;
  }

  /** Leaves of 2 MiB of pages of files, not of the pools of huge pages. */
  get fileCount(): number {
    return this.files;
  }

  /** The tables laid by. */
  get spareTables(): readonly PageFrame[] {
    return this.deposited;
  }

  /** Index in `memory.u32` of the leaf of 2 MiB or 1 GiB that covers an address, or 0 where there is none. */
  entryOf(va: number): number {
    if (this.none) return 0;
    return this.leafAt(va, 2) || (this.whole === 0 ? 0 : this.leafAt(va, 3));
  }

  private leafAt(va: number, level: 2 | 3): number {
    const entry = this.tree.upperEntry(va, level);
    return entry !== 0 && (this.tree.frames.memory.u32[entry] & PTE_PS) !== 0 ? entry : 0;
  }

  /** It is never split. */
  isWhole(entry: number): boolean {
    return (this.tree.frames.memory.u32[entry + 1] & PTE_WHOLE) !== 0;
  }

  /** A leaf of 2 MiB is one of a file's pages. */
  isFiles(low: number, high: number): boolean {
    const { hugeZeroFrame } = this.tree.frames;
    return (low & PTE_ANON) === 0 && (high & PTE_WHOLE) === 0 && pteFrame(low) !== hugeZeroFrame;
  }

  /** The low half that the leaf of an address's own page would have; 0 where no large one covers it. */
  lowOf(va: number): number {
    const entry = this.entryOf(va);
    if (entry === 0) return 0;
    const inside = va % (this.tree.directoryEntry(va) === entry ? SPAN[2] : SPAN[3]);
    return this.pageOf(this.tree.frames.memory.u32[entry], Math.floor(inside / PAGE_SIZE));
  }

  /** A large leaf as that of its n-th page; the page of zeroes in place of the 2 MiB of them. */
  pageOf(low: number, n: number): number {
    const { frames } = this.tree;
    if (pteFrame(low) === frames.hugeZeroFrame)
      return ((low & ~PTE_FRAME_MASK) | (frames.zeroFrame << 12)) >>> 0;
    return (low + n * PAGE_SIZE) >>> 0;
  }

  /**
   * Makes a leaf where neither a page nor a table is, and lays a table by unless it is never to be split (PTE_WHOLE) or
   * a file's. The caller accounts for the frames.
   * @param frame the first of 512, or of 2^18
   * @param level of its entry: 2 for 2 MiB, 3 for 1 GiB, which is never split
   * @returns false when no frame is left for a table
   */
  set(va: number, frame: PageFrame, flagsLow: number, flagsHigh: number, level: 2 | 3 = 2): boolean {
    const entry = this.tree.upperEntry(va, level, true);
    if (entry === 0) return false;
    if ((flagsHigh & PTE_WHOLE) !== 0) this.whole++;
    else if (this.isFiles((frame << 12) | flagsLow, flagsHigh)) this.files++;
    else {
      const table = this.tree.allocateTable();
      if (table === -1) return false;
      this.deposited.push(table);
    }
    this.write(entry, frame, flagsLow, flagsHigh);
    return true;
  }

  /** Makes a leaf of 2 MiB in the place of a page table without entries, which is laid by. */
  collapse(va: number, frame: PageFrame, flagsLow: number, flagsHigh: number): void {
    const entry = this.tree.directoryEntry(va);
    this.deposited.push(pteFrame(this.tree.frames.memory.u32[entry]));
    this.write(entry, frame, flagsLow, flagsHigh);
  }

  private write(entry: number, frame: PageFrame, flagsLow: number, flagsHigh: number): void {
    const { memory } = this.tree.frames;
    memory.u32[entry] = (frame << 12) | flagsLow | PTE_PS;
    memory.u32[entry + 1] = flagsHigh;
    memory.entryWritten(entry);
  }

  /** Empties a leaf and gives the table laid by back; the caller has taken care of the frames. */
  clear(entry: number): void {
    const { u32: words } = this.tree.frames.memory;
    const files = this.isFiles(words[entry], words[entry + 1]);
    const whole = this.isWhole(entry);
    this.tree.clearEntry(entry);
    if (whole) this.whole--;
    else if (files) this.files--;
    else this.tree.freeTable(this.deposited.pop()!);
  }

  /**
   * Moves a leaf of 2 MiB to another address where nothing is, as written and no longer write-protected through
   * userfaultfd (move_huge_pmd).
   * @param va a multiple of 2 MiB
   * @returns false, with nothing done, when no frame is left for a table or a page table is there already
   */
  move(entry: number, va: number): boolean {
    const target = this.tree.directoryEntry(va, true);
    const { memory } = this.tree.frames;
    if (target === 0 || memory.u32[target] !== 0) return false;
    memory.u32[target] = ((memory.u32[entry] | PTE_SOFT_DIRTY) & ~PTE_UFFD_WP) >>> 0;
    memory.u32[target + 1] = memory.u32[entry + 1];
    memory.entryWritten(target);
    this.tree.clearEntry(entry);
    return true;
  }

  /**
   * Puts 512 leaves in the place of one, unless it is never split; no translation changes by it, but all count as
   * written. One of a file's pages is emptied (__split_huge_pmd).
   * @param va an address in it
   */
  split(entry: number, va: number): void {
    if (this.isWhole(entry)) return;
    const { memory } = this.tree.frames;
    const words = memory.u32;
    if (this.isFiles(words[entry], words[entry + 1])) {
      const low = words[entry];
      this.clear(entry);
      this.owner?.leafEmptied(va - (va % SPAN[2]), low);
      return;
    }
    // A page that is made dirty counts as written too (pte_mkdirty).
    const low = (words[entry] & PTE_D) !== 0 ? (words[entry] | PTE_SOFT_DIRTY) >>> 0 : words[entry];
    const high = words[entry + 1];
    const table = this.deposited.pop()!;
    const first = this.tree.wordOf(table, 0);
    for (let n = 0, at = first; n < ENTRIES; n++, at += 2) {
      words[at] = (this.pageOf(low, n) & ~PTE_PS) >>> 0;
      words[at + 1] = high;
    }
    memory.entryWritten(first);
    this.tree.enterTable(entry, table);
  }

  /** Splits the leaf of 2 MiB that reaches across an address (vma_adjust_trans_huge). */
  splitAcross(va: number): void {
    if (va % SPAN[2] === 0) return;
    const entry = this.entryOf(va);
    if (entry !== 0) this.split(entry, va);
  }

  /** Splits every leaf of 2 MiB that has a page in [start, end). */
  splitRange(start: number, end: number): void {
    if (this.deposited.length + this.files === 0) return;
    for (let at = start - (start % SPAN[2]); at < end; at += SPAN[2]) {
      const entry = this.entryOf(at);
      if (entry !== 0) this.split(entry, at);
    }
  }

  /** All leaves are gone with their address space: the tables laid by go too. */
  destroy(): void {
    this.files = 0;
    for (let table = this.deposited.pop(); table !== undefined; table = this.deposited.pop())
      this.tree.freeTable(table);
  }
}
