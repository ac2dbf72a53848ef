import type { Image } from "./assembler.js";
import type { ProgramSymbol, Segment } from "./assembler/link.js";
import { Output, StringTable } from "./elf-output.js";

const PAGE = 4096;
const EHDR_SIZE = 64;
const PHDR_SIZE = 56;
const SHDR_SIZE = 64;
const SYM_SIZE = 24;

const PT_LOAD = 1;
const PT_INTERP = 3;
const PT_GNU_STACK = 0x6474e551;
const PT_GNU_PROPERTY = 0x6474e553;
/** Sections that a program header of their own tells of, with the whole pages that they lie on. */
const MARKED_SECTIONS: Readonly<Record<string, number>> = {
  // PT_DYNAMIC.
  ".dynamic": 2,
  // PT_GNU_RELRO: whoever loads the program makes it read-only once all is relocated.
  ".data.rel.ro": 0x6474e552,
  // PT_OPENBSD_MUTABLE: OpenBSD leaves it as it is until the program asks.
  ".openbsd.mutable": 0x65a3dbe5,
};
/** A GNU property note with GNU_PROPERTY_MEMORY_SEAL (type 3, no data), as `ld -z memory-seal` writes it. */
const MEMORY_SEAL_NOTE = Uint8Array.of(
  ...[4, 0, 0, 0, 8, 0, 0, 0, 5, 0, 0, 0, 0x47, 0x4e, 0x55, 0],
  ...[3, 0, 0, 0, 0, 0, 0, 0],
);
const PF_X = 1;
const PF_W = 2;
const PF_R = 4;

const SHT_PROGBITS = 1;
const SHT_SYMTAB = 2;
const SHT_STRTAB = 3;
const SHT_NOBITS = 8;
const SHF_WRITE = 1;
const SHF_ALLOC = 2;
const SHF_EXECINSTR = 4;

export interface ElfOptions {
  /** `exec` (ET_EXEC) unless told; `static-pie` is ET_DYN without an interpreter: link it with base 4096. */
  readonly type?: "exec" | "static-pie";
  /** PF_X in PT_GNU_STACK. */
  readonly executableStack?: boolean;
  /** Path of the program that is to load it (PT_INTERP). */
  readonly interpreter?: string;
  /** A note that asks loaders to seal it (GNU_PROPERTY_MEMORY_SEAL). */
  readonly memorySeal?: boolean;
  /** Whether symbols are written, so that debuggers show names; true unless told. */
  readonly symbols?: boolean;
}

interface Placed extends Segment {
  /** Bytes from the file's start; congruent to the address modulo a page. */
  readonly offset: number;
}

const up = (value: number, to: number): number => Math.ceil(value / to) * to;

function flagsOf(segment: Segment): number {
  return (segment.read ? PF_R : 0) | (segment.write ? PF_W : 0) | (segment.execute ? PF_X : 0);
}

function writeProgramHeader(
  out: Output,
  index: number,
  type: number,
  flags: number,
  at: Placed | undefined,
): void {
  out.fields(EHDR_SIZE + index * PHDR_SIZE, [
    [4, type],
    [4, flags],
    [8, at?.offset ?? 0],
    [8, at?.address ?? 0],
    [8, at?.address ?? 0],
    [8, at?.bytes.length ?? 0],
    [8, at?.memorySize ?? 0],
    [8, at ? PAGE : 16],
  ]);
}

/** The section headers, symbols and names, after everything else. Returns where they are and how many. */
function writeSections(
  out: Output,
  placed: readonly Placed[],
  symbols: readonly ProgramSymbol[],
): [number, number] {
  const names = new StringTable();
  const strings = new StringTable();
  const count = placed.length + 4;
  const headers: (readonly [size: 4 | 8, value: number])[][] = [];
  const header = (
    name: string,
    type: number,
    flags: number,
    [address, offset, size]: readonly [number, number, number],
    [link, info, align, entry]: readonly [number, number, number, number],
  ): void => {
    headers.push([
      [4, name === "" ? 0 : names.add(name)],
      [4, type],
      [8, flags],
      [8, address],
      [8, offset],
      [8, size],
      [4, link],
      [4, info],
      [8, align],
      [8, entry],
    ]);
  };
  header("", 0, 0, [0, 0, 0], [0, 0, 0, 0]);
  for (const one of placed) {
    const flags = SHF_ALLOC | (one.write ? SHF_WRITE : 0) | (one.execute ? SHF_EXECINSTR : 0);
    const type = one.bytes.length === 0 ? SHT_NOBITS : SHT_PROGBITS;
    const size = type === SHT_NOBITS ? one.memorySize : one.bytes.length;
    header(one.name, type, flags, [one.address, one.offset, size], [0, 0, 16, 0]);
  }
  const symbolsAt = up(out.length, 8);
  out.put(symbolsAt, new Uint8Array(SYM_SIZE));
  symbols.forEach((symbol, i) => {
    const section = placed.findIndex(
      ({ address, memorySize }) => symbol.address >= address && symbol.address <= address + memorySize,
    );
    out.fields(symbolsAt + (i + 1) * SYM_SIZE, [
      [4, strings.add(symbol.name)],
      [1, symbol.isFunction ? 2 : 1], // STB_LOCAL; STT_FUNC or STT_OBJECT
      [1, 0],
      [2, section + 1],
      [8, symbol.address],
      [8, symbol.size],
    ]);
  });
  const symbolBytes = (symbols.length + 1) * SYM_SIZE;
  header(".symtab", SHT_SYMTAB, 0, [0, symbolsAt, symbolBytes], [count - 2, symbols.length + 1, 8, SYM_SIZE]);
  const stringsAt = out.length;
  out.put(stringsAt, strings.bytes());
  header(".strtab", SHT_STRTAB, 0, [0, stringsAt, out.length - stringsAt], [0, 0, 1, 0]);
  const namesAt = out.length;
  const nameSize = names.bytes().length + ".shstrtab".length + 1;
  header(".shstrtab", SHT_STRTAB, 0, [0, namesAt, nameSize], [0, 0, 1, 0]);
  out.put(namesAt, names.bytes());
  const headersAt = up(out.length, 8);
  headers.forEach((fields, i) => {
    out.fields(headersAt + i * SHDR_SIZE, fields);
  });
  return [headersAt, count];
}

/** What is told in the headers' page, behind the program headers. */
function extraContents({ interpreter, memorySeal }: ElfOptions): { type: number; bytes: Uint8Array }[] {
  return [
    ...(interpreter === undefined
      ? []
      : [{ type: PT_INTERP, bytes: new TextEncoder().encode(`${interpreter}\0`) }]),
    ...(memorySeal ? [{ type: PT_GNU_PROPERTY, bytes: MEMORY_SEAL_NOTE }] : []),
  ];
}

/**
 * Writes an ELF64 executable for x86-64: a PT_LOAD each for the headers and for every segment, PT_GNU_STACK, a header
 * for sections that loaders treat in a way of their own (`.data.rel.ro`, `.openbsd.mutable`), and
 * section headers with a symbol table. The headers are mapped on the page before the first segment.
 * Throws RangeError where there is no room for them there.
 */
export function writeElf(image: Image, options: ElfOptions = {}): Uint8Array {
  const out = new Output();
  const marked = image.segments.filter(({ name }) => MARKED_SECTIONS[name] !== undefined).length;
  const extras = extraContents(options);
  const programHeaders = image.segments.length + 2 + marked + extras.length;
  let headerSize = EHDR_SIZE + programHeaders * PHDR_SIZE;
  const extraOffsets = extras.map(({ bytes }) => {
    const offset = up(headerSize, 8);
    headerSize = offset + bytes.length;
    return offset;
  });
  const first = image.segments[0]?.address ?? PAGE;
  if (first < PAGE || first % PAGE !== 0 || headerSize > PAGE) {
    throw new RangeError("no page before the first segment for the ELF headers");
  }
  let end = headerSize;
  const placed = image.segments.map((segment): Placed => {
    const offset = up(end, PAGE);
    if (segment.bytes.length > 0) end = offset + segment.bytes.length;
    return { ...segment, offset };
  });
  const headers: Placed = {
    name: "headers",
    address: first - PAGE,
    bytes: new Uint8Array(headerSize),
    memorySize: headerSize,
    read: true,
    write: false,
    execute: false,
    offset: 0,
  };
  [headers, ...placed].forEach((segment, i) => {
    writeProgramHeader(out, i, PT_LOAD, flagsOf(segment), segment);
  });
  let next = placed.length + 1;
  for (const segment of placed) {
    const type = MARKED_SECTIONS[segment.name];
    if (type === undefined) continue;
    const pages = { ...segment, memorySize: up(segment.memorySize, PAGE) };
    writeProgramHeader(out, next++, type, flagsOf(segment), pages);
  }
  extras.forEach(({ type, bytes }, i) => {
    const offset = extraOffsets[i]!;
    const extra = { ...headers, offset, address: headers.address + offset, bytes, memorySize: bytes.length };
    writeProgramHeader(out, next++, type, PF_R, extra);
    out.put(offset, bytes);
  });
  const stackFlags = PF_R | PF_W | (options.executableStack ? PF_X : 0);
  writeProgramHeader(out, programHeaders - 1, PT_GNU_STACK, stackFlags, undefined);
  for (const segment of placed) if (segment.bytes.length > 0) out.put(segment.offset, segment.bytes);
  const [sectionsAt, sectionCount] =
    options.symbols === false ? [0, 0] : writeSections(out, placed, image.symbols);
  // e_ident: magic, ELFCLASS64, ELFDATA2LSB, EV_CURRENT, ELFOSABI_SYSV
  out.put(0, Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0));
  out.fields(16, [
    [2, options.type === "static-pie" ? 3 : 2],
    [2, 62], // EM_X86_64
    [4, 1],
    [8, image.entry],
    [8, EHDR_SIZE],
    [8, sectionsAt],
    [4, 0],
    [2, EHDR_SIZE],
    [2, PHDR_SIZE],
    [2, programHeaders],
    [2, sectionCount === 0 ? 0 : SHDR_SIZE],
    [2, sectionCount],
    [2, sectionCount === 0 ? 0 : sectionCount - 1],
  ]);
  return out.take();
}
