import { RUN_FRAMES } from "../../mmu/frame-allocator.js";
import { PTE_ANON } from "../../mmu/page-table-entry.js";
import type { AddressSpace } from "./address-space.js";
import type { Area } from "./area.js";
import type { FileMapper } from "./file-mappings.js";
import type { FilePages } from "./file-pages.js";
import { coversBlock, retractTable } from "./huge/file-leaf.js";
import { isHugetlb } from "./hugetlb/area.js";
import { dropLeaves } from "./hugetlb/leaves.js";
import { hasFrame } from "./translations.js";
import { VM_LOCKED, VM_SHARED } from "./vm-flags.js";

/** From pages of files to what one address space maps of them (mm/rmap.c). */
export class ReverseMapping implements FileMapper {
  constructor(readonly mm: AddressSpace) {}

  drop(pages: FilePages, first: number, end: number, privateCopies: boolean): void {
    const { mm } = this;
    this.forEach(pages, first, end, (start, stop, area) => {
      if (isHugetlb(area)) dropLeaves(mm, area, start, stop, true);
      else mm.translations.drop(start, stop, privateCopies ? "pages" : "file-pages", true);
    });
  }

  writeProtect(pages: FilePages, index: number): void {
    this.forEach(pages, index, index + 1, (start, _end, area) => {
      if ((area.flags & VM_SHARED) !== 0) this.mm.translations.writeProtect(start);
    });
  }

  locks(pages: FilePages, index: number): boolean {
    let locked = false;
    this.forEach(pages, index, index + 1, (_start, _end, area) => {
      locked ||= (area.flags & VM_LOCKED) !== 0;
    });
    return locked;
  }

  entries(pages: FilePages, first: number, end: number): number {
    let count = 0;
    this.forEach(pages, first, end, (start, stop) => {
      this.mm.tables.forEachPresentOrSwap(start, stop, (_va, low) => {
        if (hasFrame(low) && (low & PTE_ANON) === 0) count++;
      });
    });
    return count;
  }

  retractTables(pages: FilePages, first: number): void {
    this.forEach(pages, first, first + RUN_FRAMES, (start, _end, area) => {
      if (area.anon === null && coversBlock(area, start)) retractTable(this.mm, area, start);
    });
  }

  forEach(
    pages: FilePages,
    first: number,
    end: number,
    visit: (start: number, end: number, area: Area) => void,
  ): void {
    for (const area of this.mm.tree) {
      if (area.pages !== pages) continue;
      const from = Math.max(first, area.pageOffset);
      const to = Math.min(end, area.pageOffset + area.pageCount);
      if (from < to)
        visit(area.start + (from - area.pageOffset) * 4096, area.start + (to - area.pageOffset) * 4096, area);
    }
  }
}
