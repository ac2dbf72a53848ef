/** The forms in which DWARF writes a value (DWARF 5, 7.5.6). */

import { ByteReader, textAt } from "./byte-reader.js";

/** Where texts are that a form only points to. */
export interface TextSections {
  /** .debug_str */
  readonly strings: Uint8Array | null;
  /** .debug_line_str */
  readonly lineStrings: Uint8Array | null;
}

/** What of a unit a value's size depends on. */
export interface UnitSizes {
  /** 8 in 64-bit DWARF, otherwise 4. */
  readonly offsetSize: number;
  readonly addressSize: number;
  readonly version: number;
}

export const FORM_IMPLICIT_CONST = 0x21;
const FORM_INDIRECT = 0x16;

const FIXED: Readonly<Record<number, number>> = {
  0x0b: 1, // data1
  0x05: 2, // data2
  0x06: 4, // data4
  0x07: 8, // data8
  0x0c: 1, // flag
  0x11: 1, // ref1
  0x12: 2, // ref2
  0x13: 4, // ref4
  0x14: 8, // ref8
  0x20: 8, // ref_sig8
  0x1c: 4, // ref_sup4
  0x24: 8, // ref_sup8
  0x25: 1, // strx1
  0x26: 2, // strx2
  0x28: 4, // strx4
  0x29: 1, // addrx1
  0x2a: 2, // addrx2
  0x2c: 4, // addrx4
};

/**
 * Reads a value: a number, a text, or undefined for what is skipped (blocks, indexes into tables that are not read).
 * @throws RangeError for a form that is not known
 */
export function readForm(
  reader: ByteReader,
  form: number,
  unit: UnitSizes,
  texts: TextSections,
): number | string | undefined {
  const fixed = FIXED[form];
  if (fixed !== undefined) {
    const value = reader.unsigned(fixed);
    return form >= 0x25 && form <= 0x2c ? undefined : value;
  }
  switch (form) {
    case 0x01: // addr
      return reader.unsigned(unit.addressSize);
    case 0x08: // string
      return reader.text();
    case 0x0e: // strp
      return textAt(texts.strings, reader.unsigned(unit.offsetSize));
    case 0x1f: // line_strp
      return textAt(texts.lineStrings, reader.unsigned(unit.offsetSize));
    case 0x0d: // sdata
      return reader.sleb();
    case 0x0f: // udata
    case 0x15: // ref_udata
      return reader.uleb();
    case 0x17: // sec_offset
      return reader.unsigned(unit.offsetSize);
    case 0x10: // ref_addr: of an address's size in DWARF 2
      return reader.unsigned(unit.version === 2 ? unit.addressSize : unit.offsetSize);
    case 0x19: // flag_present
      return 1;
    case FORM_INDIRECT:
      return readForm(reader, reader.uleb(), unit, texts);
    case 0x1a: // strx
    case 0x1b: // addrx
    case 0x22: // loclistx
    case 0x23: // rnglistx
      reader.uleb();
      return undefined;
    case 0x1d: // strp_sup
      reader.skip(unit.offsetSize);
      return undefined;
    case 0x1e: // data16
      reader.skip(16);
      return undefined;
    case 0x27: // strx3
    case 0x2b: // addrx3
      reader.skip(3);
      return undefined;
    case 0x0a: // block1
      reader.skip(reader.u8());
      return undefined;
    case 0x03: // block2
      reader.skip(reader.u16());
      return undefined;
    case 0x04: // block4
      reader.skip(reader.u32());
      return undefined;
    case 0x09: // block
    case 0x18: // exprloc
      reader.skip(reader.uleb());
      return undefined;
    default:
      throw new RangeError(`no DWARF form 0x${form.toString(16)}`);
  }
}

/** A unit's length and the size of offsets in it. */
export function unitLength(reader: ByteReader): { length: number; offsetSize: 4 | 8 } {
  const length = reader.u32();
  return length === 0xffff_ffff ? { length: reader.u64(), offsetSize: 8 } : { length, offsetSize: 4 };
}
