import { ByteReader, textAt } from "./byte-reader.js";

export interface ElfSection {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  /** As in the file, before it is loaded. */
  readonly address: number;
  /** In bytes from the file's start. */
  readonly offset: number;
  readonly size: number;
  /** The section that this one's names or symbols are in. */
  readonly link: number;
}

/** A PT_LOAD: bytes of the file, and the addresses where they are to be. */
export interface ElfSegment {
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
  readonly executable: boolean;
}

/** Undoes zlib's compression (RFC 1950). */
export type Inflate = (bytes: Uint8Array) => Uint8Array;

const ET_DYN = 3;
const PT_LOAD = 1;
const PF_X = 1;
const SHT_NOBITS = 8;
const SHF_COMPRESSED = 0x800;
const ELFCOMPRESS_ZLIB = 1;
/** Elf64_Chdr: type, reserved, size, alignment. */
const COMPRESSION_HEADER = 24;

/** A 64-bit ELF file of x86, for what a debugger wants of it: sections by name, and where it is loaded. */
export class ElfFile {
  readonly sections: readonly ElfSection[];
  readonly segments: readonly ElfSegment[];
  /** Its addresses count from where it is loaded (ET_DYN). */
  readonly positionIndependent: boolean;

  /**
   * Headers that lead out of the file are left out.
   * @param inflate for compressed debug sections; without it they are as good as absent
   */
  constructor(
    readonly bytes: Uint8Array,
    private readonly inflate?: Inflate,
  ) {
    const isElf = bytes.length > 64 && bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[4] === 2;
    this.positionIndependent = isElf && bytes[16] === ET_DYN;
    this.segments = isElf ? withinBounds(() => readSegments(bytes)) : [];
    this.sections = isElf ? withinBounds(() => readSections(bytes)) : [];
  }

  /** The content of a section; null where there is none, or it is compressed in a way that is not known. */
  content(name: string): Uint8Array | null {
    const section = this.sections.find((one) => one.name === name);
    return section === undefined ? null : this.contentOf(section);
  }

  contentOf({ type, offset, size, flags }: ElfSection): Uint8Array | null {
    if (type === SHT_NOBITS || offset + size > this.bytes.length) return null;
    const bytes = this.bytes.subarray(offset, offset + size);
    if ((flags & SHF_COMPRESSED) === 0) return bytes;
    if (this.inflate === undefined || bytes.length < COMPRESSION_HEADER) return null;
    if (new ByteReader(bytes).u32() !== ELFCOMPRESS_ZLIB) return null;
    try {
      return this.inflate(bytes.subarray(COMPRESSION_HEADER));
    } catch {
      // Damaged: as if it were not there.
      return null;
    }
  }
}

function withinBounds<T>(read: () => T[]): T[] {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError) return [];
    throw error;
  }
}

function readSegments(bytes: Uint8Array): ElfSegment[] {
  const start = new ByteReader(bytes, 32).u64();
  const header = new ByteReader(bytes, 54);
  const entrySize = header.u16();
  const count = header.u16();
  const segments: ElfSegment[] = [];
  for (let i = 0; i < count; i++) {
    const reader = new ByteReader(bytes, start + i * entrySize);
    if (reader.u32() !== PT_LOAD) continue;
    const executable = (reader.u32() & PF_X) !== 0;
    const offset = reader.u64();
    const address = reader.u64();
    reader.skip(8);
    segments.push({ offset, address, fileSize: reader.u64(), memorySize: reader.u64(), executable });
  }
  return segments;
}

function readSections(bytes: Uint8Array): ElfSection[] {
  const start = new ByteReader(bytes, 40).u64();
  if (start === 0) return [];
  const header = new ByteReader(bytes, 58);
  const entrySize = header.u16();
  const count = header.u16();
  const names = header.u16();
  const raw = Array.from({ length: count }, (_, i) => {
    const reader = new ByteReader(bytes, start + i * entrySize);
    const name = reader.u32();
    const type = reader.u32();
    const flags = reader.u64();
    const address = reader.u64();
    const offset = reader.u64();
    const size = reader.u64();
    return { name, type, flags, address, offset, size, link: reader.u32() };
  });
  const strings = raw[names];
  const table = strings ? bytes.subarray(strings.offset, strings.offset + strings.size) : null;
  return raw.map((section) => ({ ...section, name: textAt(table, section.name) }));
}
