/** Parameters and local variables of unoptimised code: what of .debug_info (DWARF 2 to 5) tells where they are. */

import { ByteReader } from "./byte-reader.js";
import type { ElfFile } from "./elf-file.js";
import { FORM_IMPLICIT_CONST, readForm, unitLength, type TextSections, type UnitSizes } from "./forms.js";

export interface Variable {
  readonly name: string;
  /** In bytes; 0 where it is not known. */
  readonly size: number;
  readonly signed: boolean;
  /** Neither an array nor a structure. */
  readonly scalar: boolean;
  /** What a pointer points to, or an array consists of, where that is a number. */
  readonly element: { readonly size: number; readonly signed: boolean } | null;
  /** Counted from the frame (CFA), or an address of the file; null where it is kept is not told so simply. */
  readonly place: { readonly kind: "frame" | "frame-pointer" | "address"; readonly offset: number } | null;
}

interface Entry {
  readonly tag: number;
  readonly name: string;
  readonly low: number | undefined;
  readonly high: number | undefined;
  readonly location: Uint8Array | undefined;
  readonly frameBase: Uint8Array | undefined;
  readonly type: number | undefined;
  readonly size: number | undefined;
  readonly encoding: number;
}

/** A function or a block of one, with what is declared in it. */
interface Block {
  readonly start: number;
  readonly end: number;
  readonly frameBase: Uint8Array | undefined;
  readonly variables: Entry[];
}

const TAG = {
  array: 0x01,
  parameter: 0x05,
  block: 0x0b,
  pointer: 0x0f,
  structure: 0x13,
  union: 0x17,
} as const;
const TAG_SUBPROGRAM = 0x2e;
const TAG_VARIABLE = 0x34;
/** Types that stand for another one: typedef, const, volatile, restrict. */
const ALIASES: ReadonlySet<number> = new Set([0x16, 0x26, 0x35, 0x37]);
const AGGREGATES: ReadonlySet<number> = new Set([TAG.array, TAG.structure, TAG.union]);
/** DW_ATE_signed and DW_ATE_signed_char. */
const SIGNED: ReadonlySet<number> = new Set([5, 6]);
const FORM_EXPRLOC = 0x18;
const FORM_BLOCK1 = 0x0a;
const FORM_ADDR = 0x01;
const FORM_REF_ADDR = 0x10;
/** .debug_info beyond this is not read: it would take seconds. */
const LARGEST = 1 << 24;

interface Abbreviation {
  readonly tag: number;
  readonly children: boolean;
  readonly specs: readonly (readonly [attribute: number, form: number, constant: number])[];
}

export class Variables {
  private readonly blocks: Block[] = [];
  private readonly types = new Map<number, Entry>();
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
    const found = this.typeOf(type);
    const refers = found?.tag === TAG.pointer || found?.tag === TAG.array;
    const element = refers ? this.typeOf(found.type) : undefined;
    const size = element === undefined ? 0 : sizeOf(element);
    return {
      name,
      size: found === undefined ? 0 : sizeOf(found),
      signed: found !== undefined && SIGNED.has(found.encoding),
      scalar: found !== undefined && !AGGREGATES.has(found.tag),
      element:
        element === undefined || AGGREGATES.has(element.tag) || ![1, 2, 4, 8].includes(size)
          ? null
          : { size, signed: SIGNED.has(element.encoding) },
      place: location === undefined ? null : placeOf(location, base),
    };
  }

  /** A type, what only stands for another one looked through. */
  private typeOf(offset: number | undefined): Entry | undefined {
    let found = offset === undefined ? undefined : this.types.get(offset);
    for (let depth = 0; found !== undefined && ALIASES.has(found.tag) && depth < 16; depth++)
      found = found.type === undefined ? undefined : this.types.get(found.type);
    return found;
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
    const open: (Block | null)[] = [];
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
      const inside = open.at(-1) ?? null;
      let block: Block | null = null;
      if (tag === TAG_SUBPROGRAM || tag === TAG.block) {
        // A block without an address of its own declares for the one around it.
        if (low === undefined) block = tag === TAG.block ? inside : null;
        else {
          block = { start: low, end: high ?? low, frameBase: entry.frameBase, variables: [] };
          this.blocks.push(block);
        }
      } else if (tag === TAG.parameter || tag === TAG_VARIABLE) {
        const outside = open.length === 1 && entry.location !== undefined;
        if (outside) this.outside.set(entry.name, entry);
        else if (entry.name !== "") inside?.variables.push(entry);
      } else this.types.set(at, entry);
      if (abbreviation.children) open.push(block);
    }
  }
}

function sizeOf({ tag, size }: Entry): number {
  return size ?? (tag === TAG.pointer ? 8 : 0);
}

function abbreviationsAt(bytes: Uint8Array, offset: number): Map<number, Abbreviation> {
  const table = new Map<number, Abbreviation>();
  const reader = new ByteReader(bytes, offset);
  for (let code = reader.uleb(); code !== 0; code = reader.uleb()) {
    const tag = reader.uleb();
    const children = reader.u8() !== 0;
    const specs: (readonly [number, number, number])[] = [];
    for (;;) {
      const attribute = reader.uleb();
      const form = reader.uleb();
      const constant = form === FORM_IMPLICIT_CONST ? reader.sleb() : 0;
      if (attribute === 0 && form === 0) break;
      specs.push([attribute, form, constant]);
    }
    table.set(code, { tag, children, specs });
  }
  return table;
}

function readEntry(
  reader: ByteReader,
  { tag, specs }: Abbreviation,
  unit: UnitSizes,
  start: number,
  texts: TextSections,
): Entry {
  let name = "";
  let low: number | undefined;
  let high: number | undefined;
  let location: Uint8Array | undefined;
  let frameBase: Uint8Array | undefined;
  let type: number | undefined;
  let size: number | undefined;
  let encoding = 0;
  for (const [attribute, form, constant] of specs) {
    if (form === FORM_EXPRLOC || form === FORM_BLOCK1) {
      const bytes = reader.take(form === FORM_BLOCK1 ? reader.u8() : reader.uleb());
      if (attribute === 0x02) location = bytes;
      if (attribute === 0x40) frameBase = bytes;
      continue;
    }
    const value = form === FORM_IMPLICIT_CONST ? constant : readForm(reader, form, unit, texts);
    if (attribute === 0x03 && typeof value === "string") name = value;
    if (typeof value !== "number") continue;
    if (attribute === 0x11) low = value;
    // Since DWARF 4 it may be a length.
    if (attribute === 0x12) high = form === FORM_ADDR ? value : (low ?? 0) + value;
    if (attribute === 0x49) type = form === FORM_REF_ADDR ? value : start + value;
    if (attribute === 0x0b) size = value;
    if (attribute === 0x3e) encoding = value;
  }
  return { tag, name, low, high, location, frameBase, type, size, encoding };
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
