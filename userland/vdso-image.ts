import { Output, StringTable } from "./elf-output.js";
import { VDSO_FUNCTIONS, VDSO_TEXT, vdsoCode } from "./vdso-code.js";

const SONAME = "linux-vdso.so.1";
const VERSION = "LINUX_2.6";
/** LINUX_VERSION_CODE of 6.18.0. */
const LINUX_VERSION = 0x06_12_00;
const PAGE = 4096;
const EHDR_SIZE = 64;
const PHDR_SIZE = 56;
const SHDR_SIZE = 64;
const SYM_SIZE = 24;

const STB_GLOBAL = 1;
const STB_WEAK = 2;
const STT_FUNC = 2;

type Field = readonly [size: 1 | 2 | 4 | 8, value: number];

interface DynamicSymbol {
  readonly name: string;
  readonly address: number;
  readonly size: number;
  readonly binding: number;
}

interface SectionHeader {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly address: number;
  readonly size: number;
  /** The name of the section it speaks of, or nothing. */
  readonly link?: string;
  readonly info?: number;
  readonly align: number;
  readonly entry?: number;
}

/** ELF's own hash of a name. */
function sysvHash(name: string): number {
  let hash = 0;
  for (const letter of new TextEncoder().encode(name)) {
    hash = ((hash << 4) + letter) >>> 0;
    const high = hash & 0xf000_0000;
    hash = (hash ^ (high >>> 24)) & ~high;
  }
  return hash >>> 0;
}

/** GNU's: 33 * hash + letter from 5381 on. */
function gnuHash(name: string): number {
  let hash = 5381;
  for (const letter of new TextEncoder().encode(name)) hash = (Math.imul(hash, 33) + letter) >>> 0;
  return hash;
}

/** The tables that a loader reads, one after the other on the first page. */
class Headers {
  readonly out = new Output();
  readonly sections: SectionHeader[] = [];
  at = 0;

  /** Begins a section at the next multiple of `align`; its size is what `fields` holds. */
  section(
    header: Omit<SectionHeader, "address" | "size">,
    fields: readonly Field[] | Uint8Array,
  ): SectionHeader {
    const address = Math.ceil(this.at / header.align) * header.align;
    if (fields instanceof Uint8Array) {
      this.out.put(address, fields);
      this.at = address + fields.length;
    } else {
      this.out.fields(address, fields);
      this.at = address + fields.reduce((sum, [size]) => sum + size, 0);
    }
    const section = { ...header, address, size: this.at - address };
    this.sections.push(section);
    return section;
  }
}

const SHT_PROGBITS = 1;
const SHT_STRTAB = 3;
const SHT_HASH = 5;
const SHT_DYNAMIC = 6;
const SHT_NOTE = 7;
const SHT_DYNSYM = 11;
const SHT_GNU_HASH = 0x6fff_fff6;
const SHT_GNU_VERDEF = 0x6fff_fffd;
const SHT_GNU_VERSYM = 0x6fff_ffff;
const ALLOC = 2;
const EXECINSTR = 4;

/**
 * The vDSO: a shared object of two pages that every program finds mapped (linux-vdso.so.1), with the functions of
 * Linux's but getrandom, and the tables that the loaders of glibc, musl and Go, and gdb, look them up with.
 */
export function vdsoImage(): Uint8Array {
  const code = vdsoCode();
  const text = code.segments[0]!;
  const functions = VDSO_FUNCTIONS.map((name) => code.symbols.find((symbol) => symbol.name === name)!);
  const symbols: DynamicSymbol[] = functions.flatMap(({ name, address, size }) => [
    { name, address, size, binding: STB_GLOBAL },
    { name: name.replace("__vdso_", ""), address, size, binding: STB_WEAK },
  ]);

  const headers = new Headers();
  const programHeaders = 4;
  headers.at = EHDR_SIZE + programHeaders * PHDR_SIZE;
  const strings = new StringTable();
  const soname = strings.add(SONAME);
  const version = strings.add(VERSION);
  const names = symbols.map((symbol) => strings.add(symbol.name));

  const hash = headers.section(
    { name: ".hash", type: SHT_HASH, flags: ALLOC, link: ".dynsym", align: 8, entry: 4 },
    sysvTable(symbols),
  );
  const gnu = headers.section(
    { name: ".gnu.hash", type: SHT_GNU_HASH, flags: ALLOC, link: ".dynsym", align: 8 },
    gnuTable(symbols),
  );
  const dynsym = headers.section(
    { name: ".dynsym", type: SHT_DYNSYM, flags: ALLOC, link: ".dynstr", info: 1, align: 8, entry: SYM_SIZE },
    symbolTable(symbols, names),
  );
  const dynstr = headers.section(
    { name: ".dynstr", type: SHT_STRTAB, flags: ALLOC, align: 1 },
    strings.bytes(),
  );
  const versym = headers.section(
    { name: ".gnu.version", type: SHT_GNU_VERSYM, flags: ALLOC, link: ".dynsym", align: 2, entry: 2 },
    [[2, 0], ...symbols.map((): Field => [2, 2])],
  );
  const verdef = headers.section(
    { name: ".gnu.version_d", type: SHT_GNU_VERDEF, flags: ALLOC, link: ".dynstr", info: 2, align: 8 },
    versionDefinitions(soname, version),
  );
  const dynamic = headers.section(
    { name: ".dynamic", type: SHT_DYNAMIC, flags: ALLOC, link: ".dynstr", align: 8, entry: 16 },
    (
      [
        [14, soname],
        [16, 0], // DT_SYMBOLIC
        [4, hash.address],
        [0x6fff_fef5, gnu.address],
        [5, dynstr.address],
        [6, dynsym.address],
        [10, dynstr.size],
        [11, SYM_SIZE],
        [0x6fff_fffc, verdef.address],
        [0x6fff_fffd, 2],
        [30, 2 | 8], // DT_FLAGS: DF_SYMBOLIC, DF_BIND_NOW
        [0x6fff_fffb, 1], // DT_FLAGS_1: DF_1_NOW
        [0x6fff_fff0, versym.address],
        [0, 0],
      ] as const
    ).flatMap(([tag, value]): Field[] => [
      [8, tag],
      [8, value],
    ]),
  );
  const note = headers.section({ name: ".note", type: SHT_NOTE, flags: ALLOC, align: 4 }, [
    [4, 6],
    [4, 4],
    [4, 0],
    ...[..."Linux\0\0\0"].map((letter): Field => [1, letter.charCodeAt(0)]),
    [4, LINUX_VERSION],
  ]);
  const [frameHeader, frame] = unwindTables(headers, text.bytes.length);
  headers.sections.push({
    name: ".text",
    type: SHT_PROGBITS,
    flags: ALLOC | EXECINSTR,
    address: VDSO_TEXT,
    size: text.bytes.length,
    align: 16,
  });
  if (headers.at > VDSO_TEXT || frame.address < frameHeader.address)
    throw new RangeError("the vDSO's tables do not fit on a page");

  const { out } = headers;
  out.put(VDSO_TEXT, text.bytes);
  const loaded = VDSO_TEXT + text.bytes.length;
  const sectionsAt = writeSectionHeaders(headers, loaded);
  const segments = [
    [1, 5, 0, loaded, PAGE], // PT_LOAD
    [2, 4, dynamic.address, dynamic.size, 8], // PT_DYNAMIC
    [4, 4, note.address, note.size, 4], // PT_NOTE
    [0x6474_e550, 4, frameHeader.address, frameHeader.size, 4], // PT_GNU_EH_FRAME
  ] as const;
  segments.forEach(([type, flags, at, size, align], i) => {
    out.fields(EHDR_SIZE + i * PHDR_SIZE, [
      [4, type],
      [4, flags],
      [8, at],
      [8, at],
      [8, at],
      [8, size],
      [8, size],
      [8, align],
    ]);
  });
  // e_ident: magic, ELFCLASS64, ELFDATA2LSB, EV_CURRENT, ELFOSABI_SYSV
  out.put(0, Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0));
  out.fields(16, [
    [2, 3], // ET_DYN
    [2, 62], // EM_X86_64
    [4, 1],
    [8, 0],
    [8, EHDR_SIZE],
    [8, sectionsAt],
    [4, 0],
    [2, EHDR_SIZE],
    [2, PHDR_SIZE],
    [2, programHeaders],
    [2, SHDR_SIZE],
    [2, headers.sections.length + 2],
    [2, headers.sections.length + 1],
  ]);
  const bytes = new Uint8Array(2 * PAGE);
  bytes.set(out.take());
  return bytes;
}

function symbolTable(symbols: readonly DynamicSymbol[], names: readonly number[]): Field[] {
  const TEXT_SECTION = 11;
  const none: Field[] = [
    [8, 0],
    [8, 0],
    [8, 0],
  ];
  return none.concat(
    symbols.flatMap(({ address, size, binding }, i): Field[] => [
      [4, names[i]!],
      [1, (binding << 4) | STT_FUNC],
      [1, 0],
      [2, TEXT_SECTION],
      [8, address],
      [8, size],
    ]),
  );
}

/** Every name in one chain. */
function sysvTable(symbols: readonly DynamicSymbol[]): Field[] {
  const BUCKETS = 3;
  const buckets = new Array<number>(BUCKETS).fill(0);
  const chains = new Array<number>(symbols.length + 1).fill(0);
  symbols.forEach(({ name }, i) => {
    const bucket = sysvHash(name) % BUCKETS;
    chains[i + 1] = buckets[bucket]!;
    buckets[bucket] = i + 1;
  });
  return [BUCKETS, chains.length, ...buckets, ...chains].map((value): Field => [4, value]);
}

/** One bucket, so that the symbols may stand in any order; the filter has one word. */
function gnuTable(symbols: readonly DynamicSymbol[]): Field[] {
  const SHIFT = 6;
  const hashes = symbols.map(({ name }) => gnuHash(name));
  const filter = [0, 0];
  for (const hash of hashes) {
    for (const bit of [hash & 63, (hash >>> SHIFT) & 63]) filter[bit >>> 5]! |= 1 << (bit & 31);
  }
  const chain = hashes.map((hash, i) => (hash & ~1) | (i === hashes.length - 1 ? 1 : 0));
  return [1, 1, 1, SHIFT, ...filter, 1, ...chain].map((value): Field => [4, value >>> 0]);
}

function versionDefinitions(soname: number, version: number): Field[] {
  const SIZE = 28;
  const AUXILIARY = 20;
  return [
    [SONAME, soname, 1, 1, SIZE],
    [VERSION, version, 0, 2, 0],
  ].flatMap(([name, at, flags, index, next]): Field[] => [
    [2, 1],
    [2, Number(flags)],
    [2, Number(index)],
    [2, 1],
    [4, sysvHash(String(name))],
    [4, AUXILIARY],
    [4, Number(next)],
    [4, Number(at)],
    [4, 0],
  ]);
}

/** One rule for all the code: the return address lies on top of the stack. */
function unwindTables(headers: Headers, codeBytes: number): [SectionHeader, SectionHeader] {
  const HEADER_BYTES = 20;
  const CIE_BYTES = 24;
  const headerAt = Math.ceil(headers.at / 4) * 4;
  const frameAt = Math.ceil((headerAt + HEADER_BYTES) / 8) * 8;
  const fdeAt = frameAt + CIE_BYTES;
  const signed = (value: number): number => value >>> 0;
  const header = headers.section({ name: ".eh_frame_hdr", type: SHT_PROGBITS, flags: ALLOC, align: 4 }, [
    [1, 1],
    [1, 0x1b], // relative to here, signed 32 bits
    [1, 0x03],
    [1, 0x3b], // relative to this section, signed 32 bits
    [4, signed(frameAt - (headerAt + 4))],
    [4, 1],
    [4, signed(VDSO_TEXT - headerAt)],
    [4, signed(fdeAt - headerAt)],
  ]);
  // Augmentation "zR"; code in bytes, data in -8; the return address is column 16; CFA is RSP + 8, column 16 below it.
  const cie = [1, 0x7a, 0x52, 0, 1, 0x78, 16, 1, 0x1b, 0x0c, 7, 8, 0x90, 1, 0, 0];
  const frame = headers.section({ name: ".eh_frame", type: SHT_PROGBITS, flags: ALLOC, align: 8 }, [
    [4, CIE_BYTES - 4],
    [4, 0],
    ...cie.map((byte): Field => [1, byte]),
    [4, 20],
    [4, fdeAt + 4 - frameAt],
    [4, signed(VDSO_TEXT - (fdeAt + 8))],
    [4, codeBytes],
    [8, 0],
    [4, 0],
  ]);
  return [header, frame];
}

/** Names and headers of all sections, at `at`; returns where the headers are. */
function writeSectionHeaders({ out, sections }: Headers, at: number): number {
  const names = new StringTable();
  const all: SectionHeader[] = [
    ...sections,
    { name: ".shstrtab", type: SHT_STRTAB, flags: 0, address: at, size: 0, align: 1 },
  ];
  const nameOffsets = all.map(({ name }) => names.add(name));
  const bytes = names.bytes();
  out.put(at, bytes);
  const headersAt = Math.ceil((at + bytes.length) / 8) * 8;
  all.forEach((section, i) => {
    const { type, flags, address, size, link, info, align, entry } = section;
    const last = i === all.length - 1;
    out.fields(headersAt + (i + 1) * SHDR_SIZE, [
      [4, nameOffsets[i]!],
      [4, type],
      [8, flags],
      [8, last ? 0 : address],
      [8, address],
      [8, last ? bytes.length : size],
      [4, link === undefined ? 0 : 1 + all.findIndex(({ name }) => name === link)],
      [4, info ?? 0],
      [8, align],
      [8, entry ?? 0],
    ]);
  });
  return headersAt;
}
