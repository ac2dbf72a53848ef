import { ByteReader } from "./byte-reader.js";
import { compileDirectories } from "./compile-units.js";
import type { ElfFile } from "./elf-file.js";
import { readLineUnit, type LineRow } from "./line-program.js";

/** A place in a source file. */
export interface SourcePlace {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

/** The code [start, end) of one row of the table; empty where optimising left nothing of a line but its place. */
export interface LineRange extends SourcePlace {
  readonly start: number;
  readonly end: number;
  readonly statement: boolean;
  readonly prologueEnd: boolean;
}

/** Which source line each instruction of a file comes from. Addresses are the file's, before it is loaded. */
export class LineTable {
  /** By address; they do not overlap but where the compiler says so. */
  private readonly ranges: readonly LineRange[];
  private readonly paths = new Set<string>();

  constructor(elf: ElfFile) {
    const ranges: LineRange[] = [];
    const bytes = elf.content(".debug_line");
    if (bytes !== null) {
      const texts = { strings: elf.content(".debug_str"), lineStrings: elf.content(".debug_line_str") };
      const directories = compileDirectories(elf, texts);
      // Code that the linker threw away keeps its rows, at address 0 or so.
      const loaded = (address: number): boolean =>
        elf.segments.some(
          (segment) =>
            segment.executable &&
            segment.address <= address &&
            address < segment.address + segment.memorySize,
        );
      const reader = new ByteReader(bytes);
      while (!reader.done) {
        const { at } = reader;
        try {
          const unit = readLineUnit(reader, texts, directories.get(at) ?? "");
          if (unit !== null) addRanges(ranges, unit.files, unit.rows, loaded);
        } catch (error) {
          if (!(error instanceof RangeError)) throw error;
          if (reader.at <= at) break;
        }
      }
    }
    this.ranges = ranges.sort((a, b) => a.start - b.start);
    for (const { file } of this.ranges) this.paths.add(file);
  }

  get empty(): boolean {
    return this.ranges.length === 0;
  }

  /** Paths of the sources, as the compiler had them. */
  get files(): ReadonlySet<string> {
    return this.paths;
  }

  /** The range that an address lies in; of several that begin at one place, the last that is a statement. */
  at(address: number): LineRange | undefined {
    const { ranges } = this;
    const last = this.firstAbove(address) - 1;
    const range = ranges[last];
    if (range === undefined || address >= range.end) return undefined;
    for (let i = last; ranges[i]?.start === range.start; i--)
      if (ranges[i]!.statement) return { ...ranges[i]!, end: range.end };
    return range;
  }

  /** All ranges that begin in [start, end), by address. */
  within(start: number, end: number): LineRange[] {
    const found: LineRange[] = [];
    for (let i = this.firstAbove(start - 1); i < this.ranges.length && this.ranges[i]!.start < end; i++)
      found.push(this.ranges[i]!);
    return found;
  }

  /** Files whose path ends with these components: `b.c` and `a/b.c` for `/src/a/b.c`. */
  matching(path: string): string[] {
    return [...this.paths].filter((file) => file === path || file.endsWith(`/${path}`));
  }

  /**
   * Where a line's code begins: each range that control enters it by. A line without code stands for the next one
   * that has some, as in gdb.
   * @returns the line that was meant and its ranges by address; null where the file ends before
   */
  find(file: string, line: number): { line: number; ranges: LineRange[] } | null {
    let actual = Infinity;
    for (const range of this.ranges)
      if (range.file === file && range.statement && range.line >= line && range.line < actual)
        actual = range.line;
    if (actual === Infinity) return null;
    const ranges: LineRange[] = [];
    let previous: LineRange | undefined;
    for (const range of this.ranges) {
      const here = range.file === file && range.line === actual;
      const follows = previous?.file === file && previous.line === actual && previous.end === range.start;
      if (here && range.statement && !follows && ranges.at(-1)?.start !== range.start) ranges.push(range);
      previous = range;
    }
    return { line: actual, ranges };
  }

  /** Index of the first range that begins above an address. */
  private firstAbove(address: number): number {
    let low = 0;
    let high = this.ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.ranges[middle]!.start <= address) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function addRanges(
  ranges: LineRange[],
  files: readonly string[],
  rows: readonly LineRow[],
  loaded: (address: number) => boolean,
): void {
  let usable = false;
  let starts = true;
  for (let i = 0; i + 1 < rows.length; i++) {
    const row = rows[i]!;
    if (starts) usable = loaded(row.address);
    starts = row.last;
    // Line 0: the compiler made it, and no line stands for it.
    if (row.last || !usable || row.line === 0) continue;
    const { address: start, line, column, statement, prologueEnd } = row;
    const end = Math.max(start, rows[i + 1]!.address);
    ranges.push({ start, end, file: files[row.file] ?? "", line, column, statement, prologueEnd });
  }
}
