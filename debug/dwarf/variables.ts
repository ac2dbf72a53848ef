/** Parameters and local variables of unoptimised code: what of .debug_info (DWARF 2 to 5) tells where they are. */

import { ByteReader } from "./byte-reader.js";
import type { ElfFile } from "./elf-file.js";
import { abbreviationsAt, PARTS, readEntry, TAG, type Entry } from "./entries.js";
import { unitLength, type TextSections } from "./forms.js";
import { TypeTable, type Type } from "./types.js";

export interface Variable {
  readonly name: string;
  /** Null where it is not told. */
  readonly type: Type | null;
  /** Counted from the frame (CFA), or an address of the file; null where it is kept is not told so simply. */
  readonly place: { readonly kind: "frame" | "frame-pointer" | "address"; readonly offset: number } | null;
}

/** A function or a block of one, with what is declared in it. */
interface Block {
  readonly start: number;
  readonly end: number;
  readonly frameBase: Uint8Array | undefined;
  readonly variables: Entry[];
}

/** .debug_info beyond this is not read: it would take seconds. */
const LARGEST = 1 << 24;

export class Variables {
  private readonly blocks: Block[] = [];
  readonly types = new TypeTable();
  private readonly outside = new Map<string, Entry>();

  constructor(elf: ElfFile) {
    const info = elf.content(".debug_info");
    const abbreviations = elf.content(".debug_abbrev");
    if (info === null || abbreviations === null || info.length > LARGEST) return;
    const texts = { strings: elf.content(".debug_str"), lineStrings: elf.content(".debug_line_str") };
    for (let at = 0; at < info.length;) {
      const reader = new ByteReader(info, at);
      const start = at;
      try {
        const { length, offsetSize } = unitLength(reader);
        at = reader.at + length;
        this.unit(
          new ByteReader(info, reader.at, Math.min(at, info.length)),
          start,
          offsetSize,
          abbreviations,
          texts,
        );
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        if (at <= start) break;
      }
    }
  }

  /** What is declared around an address of the file, the innermost last. */
  at(address: number): Variable[] {
    const around = this.blocks.filter(({ start, end }) => start <= address && address < end);
    around.sort((a, b) => b.end - b.start - (a.end - a.start));
    const base = around.find(({ frameBase }) => frameBase !== undefined)?.frameBase;
    return around.flatMap(({ variables }) => variables.map((entry) => this.described(entry, base)));
  }

  /** A variable outside of functions. */
  global(name: string): Variable | undefined {
    const entry = this.outside.get(name);
    return entry && this.described(entry, undefined);
  }

  private described({ name, location, type }: Entry, base: Uint8Array | undefined): Variable {
    return {
      name,
      type: this.types.at(type),
      place: location === undefined ? null : placeOf(location, base),
    };
  }

  private unit(
    reader: ByteReader,
    start: number,
    offsetSize: 4 | 8,
    abbreviations: Uint8Array,
    texts: TextSections,
  ): void {
    const version = reader.u16();
    if (version < 2 || version > 5) return;
    if (version === 5 && reader.u8() !== 1) return;
    const early = version === 5 ? reader.u8() : 0;
    const table = abbreviationsAt(abbreviations, reader.unsigned(offsetSize));
    const addressSize = version === 5 ? early : reader.u8();
    const unit = { offsetSize, addressSize, version };
    const open: { readonly block: Block | null; readonly entry: Entry }[] = [];
    while (!reader.done) {
      const { at } = reader;
      const code = reader.uleb();
      if (code === 0) {
        open.pop();
        continue;
      }
      const abbreviation = table.get(code);
      if (abbreviation === undefined) return;
      const entry = readEntry(reader, abbreviation, unit, start, texts);
      const { tag, low, high } = entry;
      const around = open.at(-1);
      const inside = around?.block ?? null;
      let block: Block | null = null;
      if (tag === TAG.subprogram || tag === TAG.block) {
        // A block without an address of its own declares for the one around it.
        if (low === undefined) block = tag === TAG.block ? inside : null;
        else {
          block = { start: low, end: high ?? low, frameBase: entry.frameBase, variables: [] };
          this.blocks.push(block);
        }
      } else if (tag === TAG.parameter || tag === TAG.variable) {
        const outside = open.length === 1 && entry.location !== undefined;
        if (outside) this.outside.set(entry.name, entry);
        else if (entry.name !== "") inside?.variables.push(entry);
      } else if (PARTS.has(tag)) around?.entry.parts.push(entry);
      else this.types.add(at, entry);
      if (abbreviation.children) open.push({ block, entry });
    }
  }
}

const OP_ADDR = 0x03;
const OP_BREG_RBP = 0x76;
const OP_FBREG = 0x91;
const OP_CALL_FRAME_CFA = 0x9c;

function placeOf(location: Uint8Array, base: Uint8Array | undefined): Variable["place"] {
  try {
    return readPlace(location, base);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function readPlace(location: Uint8Array, base: Uint8Array | undefined): Variable["place"] {
  const reader = new ByteReader(location);
  if (reader.done) return null;
  const operation = reader.u8();
  if (operation === OP_ADDR) return { kind: "address", offset: reader.u64() };
  if (operation === OP_BREG_RBP) return { kind: "frame-pointer", offset: reader.sleb() };
  if (operation !== OP_FBREG || base === undefined) return null;
  const offset = reader.sleb();
  if (!reader.done) return null;
  if (base.length === 1 && base[0] === OP_CALL_FRAME_CFA) return { kind: "frame", offset };
  const from = new ByteReader(base);
  return from.u8() === OP_BREG_RBP ? { kind: "frame-pointer", offset: offset + from.sleb() } : null;
}
