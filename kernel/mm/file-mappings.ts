import type { AddressSpace } from "./address-space.js";
import type { Area } from "./area.js";
import type { FilePages } from "./file-pages.js";

/** An address space that maps pages of a file and must unmap them when the file loses them. */
export interface FileMapper {
  readonly mm: AddressSpace;
  /** Pages [first, end) of the file are gone: drop translations to them; private copies too after a truncation. */
  drop(pages: FilePages, first: number, end: number, privateCopies: boolean): void;
  /** The page was written back: make the next store to it fault, so that it is marked dirty again. */
  writeProtect(pages: FilePages, index: number): void;
  /** The page lies in a locked area (mlock): it must stay in memory. */
  locks(pages: FilePages, index: number): boolean;
  /** How many of its entries have a page of the file among [first, end). */
  entries(pages: FilePages, first: number, end: number): number;
  /** A block of 2 MiB has come in the place of pages that nobody maps any more: page tables that are empty go. */
  retractTables(pages: FilePages, first: number): void;
  /** Calls back for what each of its areas maps of pages [first, end): [start, end) bytes of addresses. */
  forEach(
    pages: FilePages,
    first: number,
    end: number,
    visit: (start: number, end: number, area: Area) => void,
  ): void;
}

/** Who maps a file: what Linux finds by the file's interval tree of areas (i_mmap). */
export class FileMappings {
  /** With how many areas each. */
  private readonly mappers = new Map<FileMapper, number>();

  constructor(private readonly pages: FilePages) {}

  /** An area of `mapper` maps the file; counted, so called once for each area. */
  add(mapper: FileMapper): void {
    this.mappers.set(mapper, (this.mappers.get(mapper) ?? 0) + 1);
  }

  remove(mapper: FileMapper): void {
    const count = this.mappers.get(mapper) ?? 0;
    if (count <= 1) this.mappers.delete(mapper);
    else this.mappers.set(mapper, count - 1);
  }

  all(): FileMapper[] {
    return [...this.mappers.keys()];
  }

  /** How many areas map it. */
  get areas(): number {
    let count = 0;
    for (const areas of this.mappers.values()) count += areas;
    return count;
  }

  /** The page lies in somebody's locked area. */
  locks(index: number): boolean {
    for (const mapper of this.mappers.keys()) if (mapper.locks(this.pages, index)) return true;
    return false;
  }

  /** How many page-table entries have a page among [first, end). */
  entries(first: number, end: number): number {
    let count = 0;
    for (const mapper of this.mappers.keys()) count += mapper.entries(this.pages, first, end);
    return count;
  }

  /** Makes the next store through a mapping fault, whether or not the page is dirty. */
  writeProtect(index: number): void {
    for (const mapper of this.mappers.keys()) mapper.writeProtect(this.pages, index);
  }

  /** Takes the pages [first, end) from all who map them; private copies too after a truncation. */
  drop(first: number, end: number, privateCopies: boolean): void {
    for (const mapper of this.mappers.keys()) mapper.drop(this.pages, first, end, privateCopies);
  }
}
