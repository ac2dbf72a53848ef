import type { FrameAllocator } from "./frame-allocator.js";
import { PAGE_SIZE, RAM_BASE } from "./layout.js";
import {
  PTE_ANON,
  PTE_D,
  PTE_FRAME_MASK,
  PTE_P,
  PTE_PROT_NONE,
  PTE_PS,
  PTE_RW,
  PTE_SOFT_DIRTY,
  PTE_UFFD_WP,
  PTE_US,
  PTE_WHOLE,
  pteFrame,
} from "./page-table-entry.js";
import type { PageFrame } from "./types.js";

const ENTRIES = 512;
/** Upper entries permit everything; the leaf decides. Linux does the same for user tables. */
const TABLE_FLAGS = PTE_P | PTE_RW | PTE_US;
/** Bytes that one entry of a level covers; index 1 is the page table, 4 the PML4. */
const SPAN = [0, 2 ** 12, 2 ** 21, 2 ** 30, 2 ** 39];

const ignore = (): void => undefined;

/** What a visitor does with a non-empty leaf entry. `entry` is the index of its low half in `memory.u32`. */
export type EntryVisitor = (va: number, low: number, high: number, entry: number) => void;

/** Who is told of leaves of 2 MiB that a split has emptied, to give their frames back. */
export interface LeafOwner {
  /** @param va where the leaf began @param low its low half */
  leafEmptied(va: number, low: number): void;
}

/**
 * One address space's page-table tree, in frames of guest RAM. Leaves are of 4 KiB or, as an entry of level 2 or 3 with
 * PS, of 2 MiB or 1 GiB; a large one stands for all the frames from its own on. With each of anonymous memory there is a
 * page table laid by, so that it can always be split (pgtable_trans_huge_deposit), but for those that never are
 * (PTE_WHOLE), as all of 1 GiB; one of a file is emptied in the place of a split: its pages are to be had again from the
 * page cache.
 */
export class PageTables {
  readonly root: PageFrame;
  /** Frames that the tables themselves take, the root and those laid by included. */
  tableFrames = 1;
  /** Page tables laid by: as many as there are leaves of 2 MiB that can be split, and whichever is last serves next. */
  private readonly deposited: PageFrame[] = [];
  /** Leaves of 2 MiB or 1 GiB that are never split (PTE_WHOLE). */
  private wholeLeaves = 0;
  /** Leaves of 2 MiB of pages of files. */
  private filesLeaves = 0;

  /** @throws Error when not even the root can be had */
  constructor(
    private readonly frames: FrameAllocator,
    private readonly owner: LeafOwner | null = null,
  ) {
    this.root = frames.allocate();
    if (this.root === -1) throw new Error("no frame left for a page-table root");
  }

  private wordOf(table: PageFrame, index: number): number {
    return (RAM_BASE >>> 2) + table * (PAGE_SIZE / 4) + index * 2;
  }

  /**
   * Linear address of the 8-byte leaf entry of 4 KiB for an address.
   * @param create makes the missing tables and splits a leaf of 2 MiB
   * @returns 0 when a table is missing (or, with `create`, when no frame is left for it), as it is in a large leaf
   */
  entryAddress(va: number, create: boolean): number {
    if (this.deposited.length + this.wholeLeaves + this.filesLeaves > 0) {
      const huge = this.hugeEntry(va);
      if (huge !== 0) {
        if (!create || this.isWhole(huge)) return 0;
        this.split(huge, va);
      }
    }
    const table = this.tableOf(va, 1, create);
    return table === -1 ? 0 : this.wordOf(table, (va >>> 12) & 511) * 4;
  }

  /** The table of a level that covers an address, or -1, as under a leaf of 1 GiB; none of 2 MiB may stand above it. */
  private tableOf(va: number, bottom: 1 | 2 | 3, create: boolean): PageFrame {
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
        const frame = this.frames.allocate();
        if (frame === -1) return -1;
        this.tableFrames++;
        words[at] = (frame << 12) | TABLE_FLAGS;
        words[at + 1] = 0;
        this.frames.memory.entryWritten(at);
      } else if ((words[at] & PTE_PS) !== 0) return -1;
      table = pteFrame(words[at]);
    }
    return table;
  }

  /** Leaves of 2 MiB of anonymous memory that there are now, those of zeroes too. */
  get hugeLeaves(): number {
    return this.deposited.length;
  }

  /** Leaves of 2 MiB of pages of files, not of the pools of huge pages. */
  get fileLeaves(): number {
    return this.filesLeaves;
  }

  /** Index in `memory.u32` of the leaf of 2 MiB or 1 GiB that covers an address, or 0 where there is none. */
  hugeEntry(va: number): number {
    if (this.deposited.length + this.wholeLeaves + this.filesLeaves === 0) return 0;
    return this.leafAt(va, 2) || (this.wholeLeaves === 0 ? 0 : this.leafAt(va, 3));
  }

  private leafAt(va: number, level: 2 | 3): number {
    const entry = this.upperEntry(va, level);
    return entry !== 0 && (this.frames.memory.u32[entry] & PTE_PS) !== 0 ? entry : 0;
  }

  private isWhole(entry: number): boolean {
    return (this.frames.memory.u32[entry + 1] & PTE_WHOLE) !== 0;
  }

  /** A leaf of 2 MiB is one of a file's pages. */
  isFiles(low: number, high: number): boolean {
    return (low & PTE_ANON) === 0 && (high & PTE_WHOLE) === 0 && pteFrame(low) !== this.frames.hugeZeroFrame;
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

  /** Low half of the leaf for an address, 0 when empty; in a large one as {@link forEachPresentOrSwap} tells it. */
  low(va: number): number {
    const words = this.frames.memory.u32;
    const entry = this.entryAddress(va, false) >>> 2;
    if (entry !== 0) return words[entry];
    const huge = this.hugeEntry(va);
    if (huge === 0) return 0;
    const inside = va % (this.directoryEntry(va) === huge ? SPAN[2] : SPAN[3]);
    return this.pageOf(words[huge], Math.floor(inside / PAGE_SIZE));
  }

  /** A large leaf as that of its n-th page; the page of zeroes in place of the 2 MiB of them. */
  private pageOf(low: number, n: number): number {
    if (pteFrame(low) === this.frames.hugeZeroFrame)
      return ((low & ~PTE_FRAME_MASK) | (this.frames.zeroFrame << 12)) >>> 0;
    return (low + n * PAGE_SIZE) >>> 0;
  }

  /**
   * Makes a large leaf where neither a page nor a table is, and lays a table by unless it is never to be split
   * (PTE_WHOLE) or a file's. The caller accounts for the frames.
   * @param frame the first of 512, or of 2^18
   * @param level of its entry: 2 for 2 MiB, 3 for 1 GiB, which is never split
   * @returns false when no frame is left for a table
   */
  setHuge(va: number, frame: PageFrame, flagsLow: number, flagsHigh: number, level: 2 | 3 = 2): boolean {
    const entry = this.upperEntry(va, level, true);
    if (entry === 0) return false;
    if ((flagsHigh & PTE_WHOLE) !== 0) this.wholeLeaves++;
    else if (this.isFiles((frame << 12) | flagsLow, flagsHigh)) this.filesLeaves++;
    else {
      const table = this.frames.allocate();
      if (table === -1) return false;
      this.tableFrames++;
      this.deposited.push(table);
    }
    const { memory } = this.frames;
    memory.u32[entry] = (frame << 12) | flagsLow | PTE_PS;
    memory.u32[entry + 1] = flagsHigh;
    memory.entryWritten(entry);
    return true;
  }

  /** Makes a leaf of 2 MiB in the place of a page table without entries, which is laid by. */
  collapse(va: number, frame: PageFrame, flagsLow: number, flagsHigh: number): void {
    const { memory } = this.frames;
    const entry = this.directoryEntry(va);
    this.deposited.push(pteFrame(memory.u32[entry]));
    memory.u32[entry] = (frame << 12) | flagsLow | PTE_PS;
    memory.u32[entry + 1] = flagsHigh;
    memory.entryWritten(entry);
  }

  /** Empties a large leaf and gives the table laid by back; the caller has taken care of the frames. */
  clearHuge(entry: number): void {
    const { u32: words } = this.frames.memory;
    const files = this.isFiles(words[entry], words[entry + 1]);
    const whole = this.isWhole(entry);
    words[entry] = 0;
    words[entry + 1] = 0;
    this.frames.memory.entryWritten(entry);
    if (whole) this.wholeLeaves--;
    else if (files) this.filesLeaves--;
    else this.freeTable(this.deposited.pop()!);
  }

  /**
   * Moves a leaf of 2 MiB to another address where nothing is, as written and no longer write-protected through
   * userfaultfd (move_huge_pmd).
   * @param va a multiple of 2 MiB
   * @returns false, with nothing done, when no frame is left for a table or a page table is there already
   */
  moveHuge(entry: number, va: number): boolean {
    const directory = this.tableOf(va, 2, true);
    if (directory === -1) return false;
    const { memory } = this.frames;
    const target = this.wordOf(directory, (va >>> 21) & 511);
    if (memory.u32[target] !== 0) return false;
    memory.u32[target] = ((memory.u32[entry] | PTE_SOFT_DIRTY) & ~PTE_UFFD_WP) >>> 0;
    memory.u32[target + 1] = memory.u32[entry + 1];
    memory.entryWritten(target);
    memory.u32[entry] = 0;
    memory.u32[entry + 1] = 0;
    memory.entryWritten(entry);
    return true;
  }

  /**
   * Puts 512 leaves in the place of one, unless it is never split; no translation changes by it, but all count as
   * written. One of a file's pages is emptied (__split_huge_pmd).
   * @param va an address in it
   */
  split(entry: number, va: number): void {
    if (this.isWhole(entry)) return;
    const { memory } = this.frames;
    const words = memory.u32;
    if (this.isFiles(words[entry], words[entry + 1])) {
      const low = words[entry];
      this.clearHuge(entry);
      this.owner?.leafEmptied(va - (va % SPAN[2]), low);
      return;
    }
    // A page that is made dirty counts as written too (pte_mkdirty).
    const low = (words[entry] & PTE_D) !== 0 ? (words[entry] | PTE_SOFT_DIRTY) >>> 0 : words[entry];
    const high = words[entry + 1];
    const table = this.deposited.pop()!;
    let at = this.wordOf(table, 0);
    for (let n = 0; n < ENTRIES; n++, at += 2) {
      words[at] = (this.pageOf(low, n) & ~PTE_PS) >>> 0;
      words[at + 1] = high;
    }
    memory.entryWritten(this.wordOf(table, 0));
    words[entry] = (table << 12) | TABLE_FLAGS;
    words[entry + 1] = 0;
    memory.entryWritten(entry);
  }

  /** Splits the leaf of 2 MiB that reaches across an address (vma_adjust_trans_huge). */
  splitAcross(va: number): void {
    if (va % SPAN[2] === 0) return;
    const entry = this.hugeEntry(va);
    if (entry !== 0) this.split(entry, va);
  }

  /** Splits every leaf of 2 MiB that has a page in [start, end). */
  splitRange(start: number, end: number): void {
    if (this.deposited.length + this.filesLeaves === 0) return;
    for (let at = start - (start % SPAN[2]); at < end; at += SPAN[2]) {
      const entry = this.hugeEntry(at);
      if (entry !== 0) this.split(entry, at);
    }
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

  /**
   * Calls back for every non-empty leaf entry (present or not) of [start, end) bytes, ascending. Without `visitHuge` a
   * large leaf is told page by page, as that many of 4 KiB with PS set; who changes entries through `entry` splits
   * before ({@link splitRange}) or gives a `visitHuge`.
   * @param visitHuge called for a leaf of 2 MiB that lies in the range; one that lies there in part is split
   */
  forEachPresentOrSwap(start: number, end: number, visit: EntryVisitor, visitHuge?: EntryVisitor): void {
    if (visitHuge !== undefined) {
      this.splitAcross(start);
      this.splitAcross(end);
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
    for (let n = first; n < last; n++) visit(leafStart + n * PAGE_SIZE, this.pageOf(low, n), high, entry);
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
      words[entry] = 0;
      this.frames.memory.entryWritten(entry);
      this.freeTable(table);
    }
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
    memory.u32[source] = 0;
    memory.u32[source + 1] = 0;
    memory.entryWritten(source);
    return true;
  }

  /** Calls back for the frame of every table, the root's first. */
  forEachTable(visit: (table: PageFrame) => void): void {
    this.visitTables(this.root, 4, visit);
    for (const table of this.deposited) visit(table);
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

  private freeTable(table: PageFrame): void {
    this.tableFrames--;
    this.frames.release(table);
  }

  /** Gives back every table and every frame that a leaf points to. */
  destroy(): void {
    this.destroyTree(this.root, 4);
    this.filesLeaves = 0;
    for (let table = this.deposited.pop(); table !== undefined; table = this.deposited.pop())
      this.freeTable(table);
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
