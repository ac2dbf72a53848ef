/** Where each compile unit was compiled: DW_AT_comp_dir, which names of files before DWARF 5 count from. */

import { ByteReader } from "./byte-reader.js";
import type { ElfFile } from "./elf-file.js";
import { FORM_IMPLICIT_CONST, readForm, unitLength, type TextSections } from "./forms.js";

const AT_NAME = 0x03;
const AT_STMT_LIST = 0x10;
const AT_COMP_DIR = 0x1b;
/** DW_UT_*: a compile unit and a partial one have nothing more in their headers. */
const UT_COMPILE = 1;
const UT_PARTIAL = 3;

/** Directories by the offset of the unit's program in .debug_line. */
export function compileDirectories(elf: ElfFile, texts: TextSections): Map<number, string> {
  const directories = new Map<number, string>();
  const info = elf.content(".debug_info");
  const abbreviations = elf.content(".debug_abbrev");
  if (info === null || abbreviations === null) return directories;
  for (let at = 0; at < info.length;) {
    const reader = new ByteReader(info, at);
    try {
      const { length, offsetSize } = unitLength(reader);
      at = reader.at + length;
      const unit = firstEntry(reader, offsetSize, abbreviations, texts);
      if (unit !== undefined) directories.set(unit.lines, unit.directory);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      // A unit that makes no sense: the names of its files stay relative.
      if (at <= reader.at) break;
    }
  }
  return directories;
}

/** The attributes of a unit's first entry, which is the unit itself. */
function firstEntry(
  reader: ByteReader,
  offsetSize: 4 | 8,
  abbreviations: Uint8Array,
  texts: TextSections,
): { lines: number; directory: string } | undefined {
  const version = reader.u16();
  if (version < 2 || version > 5) return undefined;
  let type = UT_COMPILE;
  let addressSize: number;
  let table: number;
  if (version === 5) {
    type = reader.u8();
    addressSize = reader.u8();
    table = reader.unsigned(offsetSize);
  } else {
    table = reader.unsigned(offsetSize);
    addressSize = reader.u8();
  }
  if (type !== UT_COMPILE && type !== UT_PARTIAL) return undefined;
  const specs = attributesOf(new ByteReader(abbreviations, table), reader.uleb());
  let lines: number | undefined;
  let directory: string | undefined;
  const unit = { offsetSize, addressSize, version };
  for (const { attribute, form } of specs) {
    if (form === FORM_IMPLICIT_CONST) continue;
    const value = readForm(reader, form, unit, texts);
    if (attribute === AT_STMT_LIST && typeof value === "number") lines = value;
    if (attribute === AT_COMP_DIR && typeof value === "string") directory = value;
    if (attribute === AT_NAME && typeof value === "string" && value.startsWith("/")) directory ??= "/";
  }
  return lines === undefined || directory === undefined ? undefined : { lines, directory };
}

function attributesOf(reader: ByteReader, wanted: number): { attribute: number; form: number }[] {
  for (;;) {
    const code = reader.uleb();
    if (code === 0) return [];
    reader.uleb();
    reader.u8();
    const specs: { attribute: number; form: number }[] = [];
    for (;;) {
      const attribute = reader.uleb();
      const form = reader.uleb();
      if (form === FORM_IMPLICIT_CONST) reader.sleb();
      if (attribute === 0 && form === 0) break;
      specs.push({ attribute, form });
    }
    if (code === wanted) return specs;
  }
}
