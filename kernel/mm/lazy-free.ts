/*
 * Anonymous pages that may be taken back when frames run short, without asking anybody:
 *
 *   lazy-free  MADV_FREE took the dirty bit from their entries. Until the next write they can go (and then read as zero);
 *              that write sets the bit, and the page stays.
 *   droppable  pages of MAP_DROPPABLE areas, written or not.
 *
 * An anonymous entry without the dirty bit is a lazy-free one: nothing else makes such entries. A page in a locked area
 * stays, and so does one that somebody holds besides the page tables (try_to_unmap_one, 6.11 and later).
 */
import { RUN_FRAMES, type FrameHolder } from "../../mmu/frame-allocator.js";
import { PTE_ANON, PTE_D, PTE_PS, PTE_RW, pteFrame } from "../../mmu/page-table-entry.js";
import type { PageFrame } from "../../mmu/types.js";
import type { AddressSpace } from "./address-space.js";
import type { Area } from "./area.js";
import { isSwapped } from "./swap/entry.js";
import { hasFrame } from "./translations.js";
import { VM_DROPPABLE, VM_LOCKED } from "./vm-flags.js";

/** How much is looked through at once: what one page table covers. */
const WINDOW = 2 ** 21;

/** An entry that MADV_FREE has left, not written since. */
export function isLazyFree(low: number): boolean {
  return (low & (PTE_ANON | PTE_D)) === PTE_ANON && hasFrame(low);
}

/** The pages of one address space that can be taken back; made when the first such page may come to be. */
export class LazyFreePages implements FrameHolder {
  /** Where the next search begins: behind what the last one took. */
  private cursor = 0;

  constructor(readonly mm: AddressSpace) {}

  /** It keeps no frame of its own: the page tables do. */
  heldFrames(): Iterable<PageFrame> {
    return [];
  }

  reclaim(most: number, mayGo?: (frame: PageFrame) => boolean): number {
    const from = this.cursor;
    const freed = this.search(from, Infinity, most, null, mayGo);
    return freed >= most ? freed : freed + this.search(0, from, most - freed, null, mayGo);
  }

  /**
   * Takes back what lies in [start, end) and nobody else has, as MADV_PAGEOUT does.
   * @param only an area to which the search is limited
   * @returns frames that became free
   */
  reclaimRange(start: number, end: number, only: Area): number {
    return this.search(start, end, Infinity, only);
  }

  private search(
    start: number,
    end: number,
    most: number,
    only: Area | null,
    mayGo?: (frame: PageFrame) => boolean,
  ): number {
    const { tree, tables } = this.mm;
    let freed = 0;
    for (let area = only ?? tree.findFirst(start); area !== null && area.start < end; area = area.next) {
      if (area.isAnonymous && (area.flags & VM_LOCKED) === 0) {
        const droppable = (area.flags & VM_DROPPABLE) !== 0;
        const stop = Math.min(area.end, end);
        for (let at = Math.max(area.start, start); at < stop;) {
          const to = Math.min(stop, at - (at % WINDOW) + WINDOW);
          tables.forEachPresentOrSwap(at, to, (va, low) => {
            if (freed >= most || mayGo?.(pteFrame(low)) === false) return;
            if (!(droppable || isLazyFree(low))) return;
            const huge = (low & PTE_PS) !== 0;
            if (huge ? va % WINDOW !== 0 || !this.takeHuge(va, low) : !this.take(va, low, only === null))
              return;
            freed += huge ? RUN_FRAMES : 1;
            this.cursor = va + 4096;
          });
          if (freed >= most) return freed;
          at = to;
        }
      }
      if (area === only) break;
    }
    return freed;
  }

  /**
   * Drops a page from every address space that has it.
   * @param fromFamilies also one that several have
   * @returns whether its frame became free
   */
  private take(va: number, low: number, fromFamilies: boolean): boolean {
    const { env, translations } = this.mm;
    const frame = pteFrame(low);
    if (frame === env.frames.zeroFrame || !hasFrame(low)) return false;
    const references = env.frames.references(frame);
    if (references > 1) {
      if (!fromFamilies) return false;
      // Families have it at the same address, all of them as MADV_FREE left it before they forked.
      const sharers = [...env.frames.holders].filter(
        (holder): holder is LazyFreePages => holder instanceof LazyFreePages && holder.mayLose(va, frame),
      );
      if (sharers.length !== references) return false;
      for (const { mm } of sharers) mm.translations.drop(va, va + 4096, "pages");
    } else translations.drop(va, va + 4096, "pages");
    env.vmEvents.pglazyfreed++;
    return true;
  }

  /** Drops the 2 MiB of a leaf, where this address space alone has them. @param va a multiple of 2 MiB */
  private takeHuge(va: number, low: number): boolean {
    const { env, translations } = this.mm;
    if ((low & PTE_ANON) === 0 || !env.frames.isSoleRun(pteFrame(low))) return false;
    translations.drop(va, va + WINDOW, "pages");
    env.vmEvents.pglazyfreed += RUN_FRAMES;
    return true;
  }

  private mayLose(va: number, frame: PageFrame): boolean {
    const low = this.mm.translations.low(va);
    const area = this.mm.findArea(va);
    return (
      isLazyFree(low) &&
      pteFrame(low) === frame &&
      area !== null &&
      area.isAnonymous &&
      (area.flags & VM_LOCKED) === 0
    );
  }
}

/** From now on the allocator asks this address space too when frames run short. */
export function offerPages(mm: AddressSpace): LazyFreePages {
  mm.lazyFree ??= new LazyFreePages(mm);
  mm.env.frames.holders.add(mm.lazyFree);
  return mm.lazyFree;
}

/** Nothing is left to be had from it. */
export function withdrawPages(mm: AddressSpace): void {
  if (mm.lazyFree !== null) mm.env.frames.holders.delete(mm.lazyFree);
  mm.lazyFree = null;
}

/** MADV_FREE: the pages of [start, end) count as not written; swapped ones go at once (madvise_free_pte_range). */
export function freeLazily(mm: AddressSpace, start: number, end: number): void {
  const { frames, mmu, swap, vmEvents } = mm.env;
  const { memory } = frames;
  let changed = false;
  const free = (entry: number, low: number, pages: number): void => {
    if (!hasFrame(low) || (low & (PTE_ANON | PTE_D)) !== (PTE_ANON | PTE_D)) return;
    swap.forget(pteFrame(low));
    if (swap.isCached(pteFrame(low))) return;
    memory.u32[entry] = (low & ~(PTE_D | PTE_RW)) >>> 0;
    memory.entryWritten(entry);
    vmEvents.pglazyfree += pages;
    changed = true;
  };
  mm.tables.forEachPresentOrSwap(
    start,
    end,
    (va, low, _high, entry) => {
      if (isSwapped(low)) mm.translations.drop(va, va + 4096, "pages");
      else free(entry, low, 1);
    },
    // 2 MiB that others have too stay as they are (madvise_free_huge_pmd).
    (_va, low, _high, entry) => {
      if (frames.isSoleRun(pteFrame(low))) free(entry, low, RUN_FRAMES);
    },
  );
  if (!changed) return;
  offerPages(mm);
  mmu.invalidateRange(start, end, mm.asid);
}
