/**
 * What an ELF file says about sealing its memory, and what a loader still has to write to it. Read from the file as
 * Linux and OpenBSD read it at execve, by program headers; section headers are not looked at.
 */

import { PF_W, PF_X, PT_LOAD, type ElfImage, type ProgramHeader, type ReadAt } from "./elf.js";

const PT_DYNAMIC = 2;
const PT_NOTE = 4;
const PT_GNU_RELRO = 0x6474_e552;
const PT_GNU_PROPERTY = 0x6474_e553;
/** `.openbsd.mutable`: whole pages that stay as they are until the program asks. */
export const PT_OPENBSD_MUTABLE = 0x65a3_dbe5;
/** The same of a single segment. */
const PF_OPENBSD_MUTABLE = 0x0800_0000;
const DT_NULL = 0n;
const DT_TEXTREL = 22n;
const DT_FLAGS = 30n;
const DF_TEXTREL = 4n;
const DT_FLAGS_1 = 0x6fff_fffbn;
const DF_1_NODELETE = 8n;
const NT_GNU_PROPERTY_TYPE_0 = 5;
/** What `ld -z memory-seal` writes (binutils 2.44). */
const GNU_PROPERTY_MEMORY_SEAL = 3;

const PAGE = 4096n;
/** Longer tables and notes are not read: no linker makes such. */
const LARGEST_TABLE = 65536n;

/** Addresses in memory: bytes, half-open, whole pages. */
export interface PageRange {
  readonly start: number;
  readonly end: number;
}

export interface ElfMarks {
  /** GNU_PROPERTY_MEMORY_SEAL. */
  readonly memorySeal: boolean;
  /** Its code is written to before it runs (DT_TEXTREL). */
  readonly textRelocations: boolean;
  /** It is never unloaded (DF_1_NODELETE). */
  readonly noDelete: boolean;
}

/** An ELF file in memory. */
export interface LoadedElf {
  readonly image: ElfImage;
  readonly read: ReadAt;
  /** What is added to the file's addresses. */
  readonly bias: bigint;
}

/** Reads the marks; those of a file that breaks off are as if it had none. */
export function readMarks({ programHeaders }: ElfImage, read: ReadAt): ElfMarks {
  const marks = { memorySeal: false, textRelocations: false, noDelete: false };
  for (const header of programHeaders) {
    if (header.type === PT_NOTE || header.type === PT_GNU_PROPERTY)
      marks.memorySeal ||= hasProperty(contentOf(header, read), GNU_PROPERTY_MEMORY_SEAL);
    else if (header.type === PT_DYNAMIC) readDynamic(contentOf(header, read), marks);
  }
  return marks;
}

function contentOf({ offset, filesz }: ProgramHeader, read: ReadAt): DataView {
  const readable = filesz <= LARGEST_TABLE && offset < 1n << 53n;
  const bytes = readable ? read(Number(offset), Number(filesz)) : new Uint8Array();
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

function readDynamic(view: DataView, marks: { textRelocations: boolean; noDelete: boolean }): void {
  for (let at = 0; at + 16 <= view.byteLength; at += 16) {
    const tag = view.getBigUint64(at, true);
    const value = view.getBigUint64(at + 8, true);
    if (tag === DT_NULL) return;
    marks.textRelocations ||= tag === DT_TEXTREL || (tag === DT_FLAGS && (value & DF_TEXTREL) !== 0n);
    marks.noDelete ||= tag === DT_FLAGS_1 && (value & DF_1_NODELETE) !== 0n;
  }
}

const up = (value: number, to: number): number => Math.ceil(value / to) * to;

/** Whether one of the notes is a GNU property note that has the property; notes here are aligned to 8 bytes. */
function hasProperty(view: DataView, wanted: number): boolean {
  for (let at = 0; at + 12 <= view.byteLength;) {
    const nameSize = view.getUint32(at, true);
    const size = view.getUint32(at + 4, true);
    const isProperty =
      view.getUint32(at + 8, true) === NT_GNU_PROPERTY_TYPE_0 &&
      nameSize === 4 &&
      at + 16 <= view.byteLength &&
      view.getUint32(at + 12, false) === 0x474e_5500; // "GNU\0"
    const content = at + 12 + up(nameSize, 4);
    const end = Math.min(content + size, view.byteLength);
    for (let property = content; isProperty && property + 8 <= end;) {
      if (view.getUint32(property, true) === wanted) return true;
      property += 8 + up(view.getUint32(property + 4, true), 8);
    }
    at = content + up(size, isProperty ? 8 : 4);
  }
  return false;
}

// A bias may be negative, and a file may name any address.
const pageDown = (address: bigint): number => Number(BigInt.asUintN(64, address) & ~(PAGE - 1n));
const pageUp = (address: bigint): number => pageDown(address + PAGE - 1n);

function outward(bias: bigint, { vaddr, memsz }: ProgramHeader): PageRange {
  return { start: pageDown(bias + vaddr), end: pageUp(bias + vaddr + memsz) };
}

function headersOf({ image, bias }: LoadedElf, type: number): PageRange[] {
  return image.programHeaders
    .filter((header) => header.type === type && header.memsz > 0n)
    .map((header) => outward(bias, header));
}

/** What a loader makes read-only when all is relocated: a page that holds other data too stays writable. */
export function relroOf({ image, bias }: LoadedElf): PageRange[] {
  return image.programHeaders
    .filter((header) => header.type === PT_GNU_RELRO)
    .map(({ vaddr, memsz }) => ({ start: pageDown(bias + vaddr), end: pageDown(bias + vaddr + memsz) }))
    .filter(({ start, end }) => start < end);
}

/** The pages that PT_OPENBSD_MUTABLE keeps open. */
export function mutableOf(elf: LoadedElf): PageRange[] {
  return headersOf(elf, PT_OPENBSD_MUTABLE);
}

/** The segments that nobody writes to, less what is to stay open. */
export function readOnlySegments(elf: LoadedElf): PageRange[] {
  const { image, bias } = elf;
  const segments = image.programHeaders.filter((h) => h.type === PT_LOAD && (h.flags & PF_W) === 0);
  return without(
    segments.map((segment) => outward(bias, segment)),
    mutableOf(elf),
  );
}

/**
 * What OpenBSD's execve makes immutable of a file: every segment but those that are writable and executable or marked
 * as mutable, and but the text of a file with text relocations; less relro and PT_OPENBSD_MUTABLE.
 */
export function immutableSegments(elf: LoadedElf, { textRelocations }: ElfMarks): PageRange[] {
  const { image, bias } = elf;
  const segments = image.programHeaders.filter(
    ({ type, flags }) =>
      type === PT_LOAD &&
      (flags & (PF_W | PF_X)) !== (PF_W | PF_X) &&
      (flags & PF_OPENBSD_MUTABLE) === 0 &&
      !(textRelocations && (flags & PF_W) === 0),
  );
  return without(
    segments.map((segment) => outward(bias, segment)),
    [...mutableOf(elf), ...headersOf(elf, PT_GNU_RELRO)],
  );
}

/** The ranges less the holes. */
export function without(ranges: readonly PageRange[], holes: readonly PageRange[]): PageRange[] {
  let left = [...ranges];
  for (const hole of holes)
    left = left.flatMap(({ start, end }) =>
      [
        { start, end: Math.min(end, hole.start) },
        { start: Math.max(start, hole.end), end },
      ].filter((piece) => piece.start < piece.end),
    );
  return left;
}
