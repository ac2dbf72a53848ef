import { RUN_FRAMES, type FrameAllocator } from "../../mmu/frame-allocator.js";
import { PAGE_SIZE, RAM_BASE } from "../../mmu/layout.js";
import type { Mmu } from "../../mmu/mmu.js";
import {
  PTE_A,
  PTE_ANON,
  PTE_D,
  PTE_FRAME_MASK,
  PTE_GUARD,
  PTE_KEY_SHIFT,
  PTE_NX,
  PTE_P,
  PTE_POISON,
  PTE_PROT_NONE,
  PTE_PS,
  PTE_RW,
  PTE_SOFT_DIRTY,
  PTE_UFFD_WP,
  PTE_UFFD_WP_MARKER,
  PTE_US,
  pteFrame,
} from "../../mmu/page-table-entry.js";
import type { LeafOwner } from "../../mmu/large-leaves.js";
import { PageTables, type EntryVisitor } from "../../mmu/page-tables.js";
import type { PageFrame } from "../../mmu/types.js";
import type { Area } from "./area.js";
import { isSwapped, slotOf, swapEntry, type SwapSlot } from "./swap/entry.js";
import type { SwapSpace } from "./swap/swap-space.js";
import { VM_EXEC, VM_SHARED, VM_SOFTDIRTY, VM_WRITE } from "./vm-flags.js";

/** Low half of an entry of this area, read-only, without frame, A already set (the kernel's protection map). */
export function entryLow(area: Area): number {
  return area.prot === 0 ? PTE_PROT_NONE | PTE_A | PTE_US : PTE_P | PTE_US | PTE_A;
}

/** High half: the key, and NX unless the area may be executed. */
export function entryHigh(area: Area): number {
  return ((area.key << PTE_KEY_SHIFT) | ((area.flags & VM_EXEC) === 0 ? PTE_NX : 0)) >>> 0;
}

/** A leaf entry that has a frame, present or PROT_NONE. */
export function hasFrame(low: number): boolean {
  return (low & (PTE_P | PTE_PROT_NONE)) !== 0;
}

/** Write-protected through userfaultfd, whether the page is there or not. */
export function isUserfaultProtected(low: number): boolean {
  return (low & PTE_UFFD_WP) !== 0 && low !== PTE_GUARD && low !== PTE_POISON;
}

/** Nothing but a note about a page that is not there (is_pte_marker). */
export function isMarker(low: number): boolean {
  return low === PTE_GUARD || low === PTE_UFFD_WP_MARKER || low === PTE_POISON;
}

/** What one leaf of level 2 covers. */
export const HUGE_BYTES = RUN_FRAMES * PAGE_SIZE;

/** What `drop` takes away. */
export type DropMode =
  /** Everything, guard markers too (munmap). */
  | "all"
  /** Pages; guard markers stay (MADV_DONTNEED). */
  | "pages"
  /** Pages of the page cache; private copies stay (a hole punched in the file). */
  | "file-pages";

/** What becomes of an entry's low half in another place. @param protection userfaultfd's stays */
function movedEntry(low: number, protection: boolean): number {
  if (hasFrame(low) || isSwapped(low))
    return ((low | PTE_SOFT_DIRTY) & (protection ? ~0 : ~PTE_UFFD_WP)) >>> 0;
  return low === PTE_UFFD_WP_MARKER && !protection ? 0 : low;
}

/**
 * The page tables of one address space with the frames they hold: every entry made or removed in kernel/mm goes
 * through here, so that references, counters and the TLB stay right.
 */
export class Translations implements LeafOwner {
  readonly tables: PageTables;
  /** Pages of anonymous memory (private copies too) and of files that are mapped now (RSS). */
  anonPages = 0;
  /** Those with an entry of their own; {@link LargeLeaves.fileCount} map more. */
  filePages = 0;
  /** Pages of it that are in swap areas (MM_SWAPENTS). */
  swapPages = 0;

  constructor(
    readonly frames: FrameAllocator,
    private readonly mmu: Mmu,
    private readonly asid: number,
    private readonly swap: SwapSpace,
  ) {
    this.tables = new PageTables(frames, this);
  }

  private get words(): Uint32Array {
    return this.frames.memory.u32;
  }

  private written(entry: number): void {
    this.frames.memory.entryWritten(entry);
  }

  /** Index of an address's entry in `memory.u32`, or 0 when there is no table. */
  entryIndex(va: number): number {
    return this.tables.entryAddress(va, false) >>> 2;
  }

  /** Low half of an address's entry; 0 when empty. Of a page in a leaf of 2 MiB it has PS set. */
  low(va: number): number {
    return this.tables.low(va);
  }

  private count(low: number, by: 1 | -1): void {
    if ((low & PTE_ANON) !== 0) this.anonPages += by;
    else if (pteFrame(low) !== this.frames.zeroFrame) this.filePages += by;
  }

  /**
   * Makes an entry for a page, taking over one reference to the frame and giving back what was there.
   * @param low flags of the low half
   * @returns false when no frame is left for a page table; the reference stays the caller's
   */
  install(va: number, frame: PageFrame, low: number, high: number): boolean {
    const address = this.tables.entryAddress(va, true);
    if (address === 0) return false;
    const entry = address >>> 2;
    const old = this.words[entry];
    const fresh = ((frame << 12) | low) >>> 0;
    this.words[entry] = fresh;
    this.words[entry + 1] = high;
    this.written(entry);
    this.count(fresh, 1);
    this.giveUp(old);
    if (old !== 0) this.mmu.invalidatePage(va, this.asid);
    return true;
  }

  /**
   * Makes a leaf of 2 MiB where nothing is, taking over one reference to each of 512 frames.
   * @param frame the first of them, or that of the run of zeroes
   * @returns false when no frame is left for a page table; the references stay the caller's
   */
  installHuge(va: number, frame: PageFrame, low: number, high: number): boolean {
    if (!this.tables.large.set(va, frame, low, high)) return false;
    this.countHuge(low, 1);
    return true;
  }

  private countHuge(low: number, by: 1 | -1): void {
    if ((low & PTE_ANON) !== 0) this.anonPages += by * RUN_FRAMES;
  }

  /** The frames of a leaf of 2 MiB are this address space's own. */
  isSoleHuge(low: number): boolean {
    return (low & PTE_ANON) !== 0 && this.frames.isSoleRun(pteFrame(low));
  }

  /** Lets a leaf of 2 MiB be written whose frames nobody else has. @returns false where somebody has one */
  makeHugeWritable(entry: number): boolean {
    const low = this.words[entry];
    if (!this.isSoleHuge(low)) return false;
    this.words[entry] = (low | PTE_RW | PTE_D | PTE_SOFT_DIRTY) >>> 0;
    this.written(entry);
    return true;
  }

  /** Puts another frame and flags in the place of the run of zeroes; the reference to the frames is taken over. */
  replaceHuge(va: number, entry: number, low: number): void {
    this.words[entry] = (low | PTE_PS) >>> 0;
    this.written(entry);
    this.countHuge(low, 1);
    this.mmu.invalidateRange(va, va + HUGE_BYTES, this.asid);
  }

  /**
   * Makes one leaf of 2 MiB of a whole page table: the pages in it go, and the table is laid by.
   * @param va a multiple of 2 MiB, under which there is a page table
   * @param frame the first of 512, one reference to each of which is taken over
   */
  collapse(va: number, frame: PageFrame, low: number, high: number): void {
    this.drop(va, va + HUGE_BYTES, "all");
    this.tables.large.collapse(va, frame, low, high);
    this.countHuge(low, 1);
  }

  /** A leaf of a file's pages has gone in the place of a split (LeafOwner). */
  leafEmptied(va: number, low: number): void {
    this.frames.releaseRun(pteFrame(low));
    this.mmu.invalidateRange(va, va + HUGE_BYTES, this.asid);
  }

  private dropHuge(entry: number, low: number): void {
    this.tables.large.clear(entry);
    this.countHuge(low, -1);
    this.frames.releaseRun(pteFrame(low));
  }

  /** What an entry had has gone from it: a frame, or a page of a swap area. */
  private giveUp(old: number): void {
    if (hasFrame(old)) {
      this.count(old, -1);
      const frame = pteFrame(old);
      this.frames.release(frame);
      if (this.swap.isCached(frame)) this.swap.dropUnused(frame);
    } else if (isSwapped(old)) {
      this.swapPages--;
      this.swap.release(slotOf(old));
    }
  }

  /** The page of an anonymous entry with a frame is in `slot` now; its frame is given back. */
  swapOut(va: number, slot: SwapSlot): void {
    // What stood in a leaf of 2 MiB gets an entry of its own; the table for that is laid by.
    const entry = this.tables.entryAddress(va, true) >>> 2;
    const old = this.words[entry];
    this.swap.duplicate(slot);
    this.swapPages++;
    this.count(old, -1);
    this.words[entry] = swapEntry(slot, old);
    this.words[entry + 1] = 0;
    this.written(entry);
    this.mmu.invalidatePage(va, this.asid);
    this.frames.release(pteFrame(old));
  }

  /** Puts a guard marker; the page must have been dropped. */
  installGuard(va: number): boolean {
    return this.tables.set(va, 0, PTE_GUARD, 0);
  }

  /** Takes guard markers out of [start, end). */
  removeGuards(start: number, end: number): void {
    // A leaf of 2 MiB has none.
    this.tables.forEachPresentOrSwap(start, end, (_va, low, _high, entry) => {
      if (low !== PTE_GUARD) return;
      this.words[entry] = 0;
      this.written(entry);
    });
  }

  /**
   * Empties entries of [start, end) and gives their frames back.
   * @param protectionStays what was write-protected through userfaultfd stays so without its page, as a file's does
   *   (pte_install_uffd_wp_if_needed)
   */
  drop(start: number, end: number, mode: DropMode, protectionStays = false): void {
    let dropped = false;
    const dropPage: EntryVisitor = (_va, low, _high, entry) => {
      if (
        low === PTE_GUARD
          ? mode !== "all"
          : mode === "file-pages" && ((low & PTE_ANON) !== 0 || low === PTE_POISON)
      )
        return;
      this.words[entry] = protectionStays && isUserfaultProtected(low) ? PTE_UFFD_WP_MARKER : 0;
      this.words[entry + 1] = 0;
      this.written(entry);
      dropped = true;
      this.giveUp(low);
    };
    this.tables.forEachPresentOrSwap(start, end, dropPage, (_va, low, _high, entry) => {
      if (mode === "file-pages" && (low & PTE_ANON) !== 0) return;
      this.dropHuge(entry, low);
      dropped = true;
    });
    if (dropped) this.mmu.invalidateRange(start, end, this.asid);
  }

  /** Gives back page tables that [start, end) no longer needs; in [floor, ceiling) around it nothing is mapped. */
  prune(start: number, end: number, floor: number, ceiling: number): void {
    this.tables.prune(start, end, floor, ceiling);
  }

  /**
   * Rewrites entries of [start, end) for the area's present protection and key. A page stays writable only where
   * a write needs no further care: it is dirty, counts as written since soft-dirty bits were cleared and, if private, nobody shares it.
   */
  protect(area: Area, start: number, end: number): void {
    const low = entryLow(area);
    const high = entryHigh(area);
    const writable = (area.flags & VM_WRITE) !== 0;
    const shared = (area.flags & VM_SHARED) !== 0;
    // A page whose soft-dirty bit was cleared has to fault to get it back (pte_needs_soft_dirty_wp).
    const written = (area.flags & VM_SOFTDIRTY) !== 0 ? PTE_D : PTE_D | PTE_SOFT_DIRTY;
    let changed = false;
    const protectHuge: EntryVisitor = (_va, old, _high, entry) => {
      const keep = old & (PTE_FRAME_MASK | PTE_D | PTE_ANON | PTE_SOFT_DIRTY | PTE_UFFD_WP | PTE_PS);
      const sole = shared || this.isSoleHuge(old);
      const own = sole && (old & PTE_UFFD_WP) === 0;
      const rw = writable && own && (old & written) === written ? PTE_RW : 0;
      this.words[entry] = (keep | low | rw) >>> 0;
      this.words[entry + 1] = high;
      this.written(entry);
      changed = true;
    };
    const protectPage: EntryVisitor = (_va, old, _high, entry) => {
      if (!hasFrame(old)) return;
      const keep = old & (PTE_FRAME_MASK | PTE_D | PTE_ANON | PTE_SOFT_DIRTY | PTE_UFFD_WP);
      const sole = shared || ((old & PTE_ANON) !== 0 && this.frames.references(pteFrame(old)) === 1);
      const own = sole && (old & PTE_UFFD_WP) === 0;
      const rw = writable && own && (old & written) === written ? PTE_RW : 0;
      this.words[entry] = (keep | low | rw) >>> 0;
      this.words[entry + 1] = high;
      this.written(entry);
      changed = true;
    };
    this.tables.forEachPresentOrSwap(start, end, protectPage, protectHuge);
    if (changed) this.mmu.invalidateRange(start, end, this.asid);
  }

  /** Takes write permission and the dirty mark from the entry of one page (the file's page was cleaned). */
  writeProtect(va: number): void {
    const entry = this.entryIndex(va);
    if (entry === 0 || (this.words[entry] & (PTE_RW | PTE_D)) === 0) return;
    this.words[entry] = (this.words[entry] & ~(PTE_RW | PTE_D)) >>> 0;
    this.written(entry);
    this.mmu.invalidatePage(va, this.asid);
  }

  /** Makes the pages of [start, end) count as not written, and every write fault again to say so (clear_soft_dirty). */
  clearSoftDirty(start: number, end: number): void {
    const clear: EntryVisitor = (_va, low, _high, entry) => {
      if (!hasFrame(low) && !isSwapped(low)) return;
      this.words[entry] = (low & ~(PTE_RW | PTE_SOFT_DIRTY)) >>> 0;
      this.written(entry);
    };
    this.tables.forEachPresentOrSwap(start, end, clear, clear);
  }

  /**
   * Moves the entries of [from, from + length) to `to`; the ranges do not overlap and the target is empty. What is
   * moved counts as written (move_soft_dirty_pte).
   * @param protection what is write-protected through userfaultfd stays so
   * @param byTable page tables of which all moves go as they are, from one multiple of 2 MiB to another (move_normal_pmd)
   * @returns bytes moved: fewer when no frame is left for a page table
   */
  move(from: number, to: number, length: number, protection = false, byTable = true): number {
    if (length === 0) return 0;
    let moved = length;
    if (byTable) this.moveTables(from, to, length, protection);
    const movePage: EntryVisitor = (va, _low, _high, entry) => {
      if (moved < length) return;
      const target = this.tables.entryAddress(va - from + to, true);
      if (target === 0) {
        moved = va - from;
        return;
      }
      // Read only now: room for a table may have been made by unmapping a page of a file.
      const low = this.words[entry];
      this.words[target >>> 2] = movedEntry(low, protection);
      this.words[(target >>> 2) + 1] = this.words[entry + 1];
      this.written(target >>> 2);
      this.words[entry] = 0;
      this.words[entry + 1] = 0;
      this.written(entry);
    };
    const moveHuge: EntryVisitor = (va, low, _high, entry) => {
      if (moved < length) return;
      // Held: to make room for a table, droppable memory might go.
      this.frames.holdRun(pteFrame(low));
      const whole = this.tables.large.move(entry, va - from + to);
      this.frames.releaseRun(pteFrame(low));
      if (whole) return;
      this.tables.large.split(entry, va);
      this.tables.forEachPresentOrSwap(va, va + HUGE_BYTES, movePage);
    };
    // Only from one multiple of 2 MiB to another a leaf stays in one piece.
    if ((to - from) % HUGE_BYTES !== 0) this.tables.large.splitRange(from, from + length);
    this.makeTables(from, to, length);
    this.tables.forEachPresentOrSwap(from, from + length, movePage, moveHuge);
    this.mmu.invalidateRange(from, from + length, this.asid);
    return moved;
  }

  private moveTables(from: number, to: number, length: number, protection: boolean): void {
    if ((to - from) % HUGE_BYTES !== 0) return;
    const first = Math.ceil(from / HUGE_BYTES) * HUGE_BYTES;
    for (let va = first; va + HUGE_BYTES <= from + length; va += HUGE_BYTES) {
      const target = va - from + to;
      if (!this.tables.moveTable(va, target)) continue;
      this.tables.forEachPresentOrSwap(target, target + HUGE_BYTES, (_va, low, _high, entry) => {
        this.words[entry] = movedEntry(low, protection);
        this.written(entry);
      });
    }
  }

  /** What moves entry by entry has page tables at its new place also where the old ones are empty (move_page_tables). */
  private makeTables(from: number, to: number, length: number): void {
    this.tables.large.splitAcross(from);
    this.tables.large.splitAcross(from + length);
    const left = (va: number): number => HUGE_BYTES - (va % HUGE_BYTES);
    for (let va = from; va < from + length; va += Math.min(left(va), left(va - from + to))) {
      const directory = this.tables.directoryEntry(va);
      // Where no frame is left for one, the entries say so.
      if (directory !== 0 && (this.words[directory] & (PTE_P | PTE_PS)) === PTE_P)
        this.tables.entryAddress(va - from + to, true);
    }
  }

  /** Copies 4096 bytes from one frame to another. */
  copyFrame(from: PageFrame, to: PageFrame): void {
    const { u8 } = this.frames.memory;
    const source = RAM_BASE + from * PAGE_SIZE;
    u8.copyWithin(RAM_BASE + to * PAGE_SIZE, source, source + PAGE_SIZE);
  }

  /** Gives everything back; nobody runs in this address space any more. */
  destroy(): void {
    if (this.swapPages > 0) this.drop(0, 2 ** 47, "all");
    this.tables.destroy();
    if (this.swap.cachedPages > 0) this.swap.dropAllUnused();
    this.anonPages = 0;
    this.filePages = 0;
    this.mmu.endAddressSpace(this.asid);
  }
}
