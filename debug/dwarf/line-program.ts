/** One line-number program of .debug_line, run to the rows it stands for (DWARF 5, 6.2; versions 2 to 5). */

import type { ByteReader } from "./byte-reader.js";
import { readForm, unitLength, type TextSections } from "./forms.js";

export interface LineRow {
  readonly address: number;
  /** Index into the unit's files. */
  readonly file: number;
  readonly line: number;
  /** From 1; 0: the line as a whole. */
  readonly column: number;
  /** A good place for a breakpoint (is_stmt). */
  readonly statement: boolean;
  readonly prologueEnd: boolean;
  /** The first address behind the sequence; the rest says nothing then. */
  readonly last: boolean;
}

export interface LineUnit {
  /** Paths, absolute where the compiler said from where they count. */
  readonly files: readonly string[];
  readonly rows: readonly LineRow[];
}

interface Header {
  readonly end: number;
  readonly version: number;
  readonly offsetSize: 4 | 8;
  readonly minimumLength: number;
  readonly statementDefault: boolean;
  readonly lineBase: number;
  readonly lineRange: number;
  readonly opcodeBase: number;
  readonly opcodeLengths: readonly number[];
  readonly files: string[];
  readonly directories: readonly string[];
}

const CONTENT_PATH = 1;
const CONTENT_DIRECTORY = 2;

/**
 * Reads the program at the reader's place and leaves the reader behind it.
 * @param directory DW_AT_comp_dir of its unit, for versions before 5
 * @returns null for a version that is not known
 * @throws RangeError where it makes no sense; the reader stands behind it then too, if its length is known
 */
export function readLineUnit(reader: ByteReader, texts: TextSections, directory: string): LineUnit | null {
  const { length, offsetSize } = unitLength(reader);
  const end = reader.at + length;
  try {
    const header = readHeader(reader, offsetSize, end, texts, directory);
    return header === null ? null : { files: header.files, rows: execute(reader, header) };
  } finally {
    reader.at = end;
  }
}

function readHeader(
  reader: ByteReader,
  offsetSize: 4 | 8,
  end: number,
  texts: TextSections,
  directory: string,
): Header | null {
  const version = reader.u16();
  if (version < 2 || version > 5) return null;
  let addressSize = 8;
  if (version >= 5) {
    addressSize = reader.u8();
    reader.u8();
  }
  const headerLength = reader.unsigned(offsetSize);
  const program = reader.at + headerLength;
  const minimumLength = reader.u8();
  if (version >= 4) reader.u8();
  const statementDefault = reader.u8() !== 0;
  const lineBase = reader.i8();
  const lineRange = reader.u8();
  const opcodeBase = reader.u8();
  const opcodeLengths = [0];
  for (let i = 1; i < opcodeBase; i++) opcodeLengths.push(reader.u8());
  const tables =
    version >= 5
      ? newTables(reader, texts, { offsetSize, addressSize, version })
      : oldTables(reader, directory);
  reader.at = program;
  return {
    end,
    version,
    offsetSize,
    minimumLength,
    statementDefault,
    lineBase,
    lineRange,
    opcodeBase,
    opcodeLengths,
    ...tables,
  };
}

interface Tables {
  readonly directories: readonly string[];
  readonly files: string[];
}

/** Directories from 1 on, 0 being the unit's own; files from 1 on. */
function oldTables(reader: ByteReader, directory: string): Tables {
  const directories = [directory];
  for (let path = reader.text(); path !== ""; path = reader.text()) directories.push(joined(directory, path));
  const files = [""];
  for (let name = reader.text(); name !== ""; name = reader.text()) {
    files.push(joined(directories[reader.uleb()] ?? "", name));
    reader.uleb();
    reader.uleb();
  }
  return { directories, files };
}

function newTables(
  reader: ByteReader,
  texts: TextSections,
  unit: { offsetSize: 4 | 8; addressSize: number; version: number },
): Tables {
  const table = (): { path: string; directory: number }[] => {
    const formats = Array.from({ length: reader.u8() }, () => [reader.uleb(), reader.uleb()] as const);
    return Array.from({ length: reader.uleb() }, () => {
      let path = "";
      let directory = 0;
      for (const [content, form] of formats) {
        const value = readForm(reader, form, unit, texts);
        if (content === CONTENT_PATH && typeof value === "string") path = value;
        if (content === CONTENT_DIRECTORY && typeof value === "number") directory = value;
      }
      return { path, directory };
    });
  };
  const listed = table();
  const own = listed[0]?.path ?? "";
  const directories = listed.map(({ path }) => joined(own, path));
  const files = table().map(({ path, directory }) => joined(directories[directory] ?? own, path));
  return { directories, files };
}

/** A path as seen from a directory, without `.` and `..`. */
export function joined(directory: string, path: string): string {
  const whole = path.startsWith("/") || directory === "" ? path : `${directory}/${path}`;
  if (!whole.startsWith("/")) return whole;
  const parts: string[] = [];
  for (const part of whole.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return `/${parts.join("/")}`;
}

/** The standard opcodes (DW_LNS_*) and the extended ones (DW_LNE_*) that say something here. */
const COPY = 1;
const ADVANCE_PC = 2;
const ADVANCE_LINE = 3;
const SET_FILE = 4;
const SET_COLUMN = 5;
const NEGATE_STATEMENT = 6;
const CONST_ADD_PC = 8;
const FIXED_ADVANCE_PC = 9;
const SET_PROLOGUE_END = 10;
const END_SEQUENCE = 1;
const SET_ADDRESS = 2;
const DEFINE_FILE = 3;

function execute(reader: ByteReader, header: Header): LineRow[] {
  const rows: LineRow[] = [];
  const { opcodeBase, lineBase, lineRange, minimumLength } = header;
  let address = 0;
  let file = 1;
  let line = 1;
  let column = 0;
  let statement = header.statementDefault;
  let prologueEnd = false;
  const emit = (last: boolean): void => {
    rows.push({ address, file, line, column, statement, prologueEnd, last });
    prologueEnd = false;
  };
  const reset = (): void => {
    address = 0;
    file = 1;
    line = 1;
    column = 0;
    statement = header.statementDefault;
  };
  while (reader.at < header.end) {
    const opcode = reader.u8();
    if (opcode >= opcodeBase) {
      const adjusted = opcode - opcodeBase;
      address += minimumLength * Math.floor(adjusted / lineRange);
      line += lineBase + (adjusted % lineRange);
      emit(false);
      continue;
    }
    switch (opcode) {
      case 0: {
        const length = reader.uleb();
        const next = reader.at + length;
        const extended = length === 0 ? 0 : reader.u8();
        if (extended === END_SEQUENCE) {
          emit(true);
          reset();
        } else if (extended === SET_ADDRESS) address = reader.unsigned(length - 1);
        else if (extended === DEFINE_FILE) {
          const name = reader.text();
          header.files.push(joined(header.directories[reader.uleb()] ?? "", name));
        }
        reader.at = next;
        break;
      }
      case COPY:
        emit(false);
        break;
      case ADVANCE_PC:
        address += minimumLength * reader.uleb();
        break;
      case ADVANCE_LINE:
        line += reader.sleb();
        break;
      case SET_FILE:
        file = reader.uleb();
        break;
      case SET_COLUMN:
        column = reader.uleb();
        break;
      case NEGATE_STATEMENT:
        statement = !statement;
        break;
      case CONST_ADD_PC:
        address += minimumLength * Math.floor((255 - opcodeBase) / lineRange);
        break;
      case FIXED_ADVANCE_PC:
        address += reader.u16();
        break;
      case SET_PROLOGUE_END:
        prologueEnd = true;
        break;
      default:
        // What is not known is skipped by the lengths in the header (basic block, epilogue, ISA among them).
        for (let i = 0; i < (header.opcodeLengths[opcode] ?? 0); i++) reader.uleb();
    }
  }
  return rows;
}
