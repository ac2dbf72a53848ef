/** The entries of .debug_info (DWARF 2 to 5), as far as variables and types need them. */

import { ByteReader } from "./byte-reader.js";
import { FORM_IMPLICIT_CONST, readForm, type TextSections, type UnitSizes } from "./forms.js";

export interface Entry {
  readonly tag: number;
  readonly name: string;
  readonly low: number | undefined;
  readonly high: number | undefined;
  readonly location: Uint8Array | undefined;
  readonly frameBase: Uint8Array | undefined;
  /** Offset of its type in .debug_info. */
  readonly type: number | undefined;
  /** In bytes. */
  readonly size: number | undefined;
  readonly encoding: number;
  /** Of a member: bytes from the structure's start. */
  readonly memberAt: number;
  readonly bitSize: number | undefined;
  /** Of a bit field: bits from the structure's start (DWARF 4), or from the top of its type (DWARF 2). */
  readonly dataBitOffset: number | undefined;
  readonly bitOffset: number | undefined;
  /** Of an enumerator. */
  readonly value: number | undefined;
  /** Of an array's dimension: the last index, or how many. */
  readonly upperBound: number | undefined;
  readonly count: number | undefined;
  /** Its members are told elsewhere. */
  readonly declaration: boolean;
  /** Members, enumerators, dimensions. */
  readonly parts: Entry[];
}

export const TAG = {
  array: 0x01,
  class: 0x02,
  enumeration: 0x04,
  parameter: 0x05,
  block: 0x0b,
  member: 0x0d,
  pointer: 0x0f,
  reference: 0x10,
  structure: 0x13,
  subroutine: 0x15,
  typedef: 0x16,
  union: 0x17,
  inheritance: 0x1c,
  subrange: 0x21,
  base: 0x24,
  constant: 0x26,
  enumerator: 0x28,
  subprogram: 0x2e,
  variable: 0x34,
  volatile: 0x35,
  restrict: 0x37,
  rvalueReference: 0x42,
  atomic: 0x47,
} as const;

/** What belongs to the type around it. */
export const PARTS: ReadonlySet<number> = new Set([
  TAG.member,
  TAG.inheritance,
  TAG.subrange,
  TAG.enumerator,
]);

const FORM_EXPRLOC = 0x18;
const FORM_BLOCK1 = 0x0a;
const FORM_ADDR = 0x01;
const FORM_REF_ADDR = 0x10;
/** DW_OP_plus_uconst: how DWARF 2 says where a member is. */
const OP_PLUS_UCONST = 0x23;

/** DW_AT_*. */
const AT = {
  location: 0x02,
  name: 0x03,
  byteSize: 0x0b,
  bitOffset: 0x0c,
  bitSize: 0x0d,
  low: 0x11,
  high: 0x12,
  constValue: 0x1c,
  upperBound: 0x2f,
  count: 0x37,
  memberLocation: 0x38,
  declaration: 0x3c,
  encoding: 0x3e,
  frameBase: 0x40,
  type: 0x49,
  dataBitOffset: 0x6b,
} as const;

export interface Abbreviation {
  readonly tag: number;
  readonly children: boolean;
  readonly specs: readonly (readonly [attribute: number, form: number, constant: number])[];
}

/** @throws RangeError */
export function abbreviationsAt(bytes: Uint8Array, offset: number): Map<number, Abbreviation> {
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

/** @param start of the unit, from which references count @throws RangeError */
export function readEntry(
  reader: ByteReader,
  { tag, specs }: Abbreviation,
  unit: UnitSizes,
  start: number,
  texts: TextSections,
): Entry {
  const numbers = new Map<number, number>();
  let name = "";
  let high: number | undefined;
  let type: number | undefined;
  let location: Uint8Array | undefined;
  let frameBase: Uint8Array | undefined;
  for (const [attribute, form, constant] of specs) {
    if (form === FORM_EXPRLOC || form === FORM_BLOCK1) {
      const bytes = reader.take(form === FORM_BLOCK1 ? reader.u8() : reader.uleb());
      if (attribute === AT.location) location = bytes;
      if (attribute === AT.frameBase) frameBase = bytes;
      if (attribute === AT.memberLocation && bytes[0] === OP_PLUS_UCONST)
        numbers.set(attribute, new ByteReader(bytes, 1).uleb());
      continue;
    }
    const value = form === FORM_IMPLICIT_CONST ? constant : readForm(reader, form, unit, texts);
    if (attribute === AT.name && typeof value === "string") name = value;
    if (typeof value !== "number") continue;
    numbers.set(attribute, value);
    // Since DWARF 4 it may be a length.
    if (attribute === AT.high) high = form === FORM_ADDR ? value : (numbers.get(AT.low) ?? 0) + value;
    if (attribute === AT.type) type = form === FORM_REF_ADDR ? value : start + value;
  }
  return {
    tag,
    name,
    low: numbers.get(AT.low),
    high,
    location,
    frameBase,
    type,
    size: numbers.get(AT.byteSize),
    encoding: numbers.get(AT.encoding) ?? 0,
    memberAt: numbers.get(AT.memberLocation) ?? 0,
    bitSize: numbers.get(AT.bitSize),
    dataBitOffset: numbers.get(AT.dataBitOffset),
    bitOffset: numbers.get(AT.bitOffset),
    value: numbers.get(AT.constValue),
    upperBound: numbers.get(AT.upperBound),
    count: numbers.get(AT.count),
    declaration: numbers.has(AT.declaration),
    parts: [],
  };
}
