import type { AddressSpace } from "../../kernel/mm/address-space.js";
import type { Area } from "../../kernel/mm/area.js";
import { VM_EXEC } from "../../kernel/mm/vm-flags.js";
import { PAGE_SIZE } from "../../mmu/layout.js";
import { CallFrames } from "./call-frames.js";
import { ElfFile, type Inflate } from "./elf-file.js";
import { ElfSymbols, type ElfSymbol } from "./elf-symbols.js";
import { LineTable, type LineRange } from "./line-table.js";
import { Variables } from "./variables.js";
import { nearNames } from "./near-names.js";

/** What of the world outside a debugger may look at. */
export interface DebugFiles {
  /** A source file's text by its path as the compiler had it; undefined where there is none. */
  text(path: string): string | undefined;
  /** Undoes zlib's compression, which debug sections may have. */
  readonly inflate?: Inflate;
}

/** A file as it was read once: its symbols and, when first asked for, its lines. */
class Parsed {
  readonly elf: ElfFile;
  readonly symbols: ElfSymbols;
  private table: LineTable | null = null;
  private unwinding: CallFrames | null = null;
  private declared: Variables | null = null;

  constructor(bytes: Uint8Array, inflate: Inflate | undefined) {
    this.elf = new ElfFile(bytes, inflate);
    this.symbols = new ElfSymbols(this.elf);
  }

  get lines(): LineTable {
    return (this.table ??= new LineTable(this.elf));
  }

  get frames(): CallFrames {
    return (this.unwinding ??= new CallFrames(this.elf));
  }

  get variables(): Variables {
    return (this.declared ??= new Variables(this.elf));
  }
}

/** An ELF file in an address space: the program, its interpreter, a shared object, the vDSO. */
export interface Module {
  /** As /proc/pid/maps has it. */
  readonly path: string;
  /** What is added to the file's addresses. */
  readonly bias: number;
  /** The addresses [start, end) in which it lies. */
  readonly start: number;
  readonly end: number;
  readonly elf: ElfFile;
  readonly symbols: ElfSymbols;
  readonly lines: LineTable;
  readonly frames: CallFrames;
  readonly variables: Variables;
}

/** A symbol at its address in memory. */
export interface PlacedSymbol extends Omit<ElfSymbol, "global"> {
  readonly module: Module;
}

/** A row of a line table at its addresses in memory. */
export interface PlacedLine extends LineRange {
  readonly module: Module;
}

const LARGEST_FILE = 1 << 29;
const NOTHING: readonly Module[] = [];

/**
 * The ELF files of an address space with their names and source lines, found by the areas that map them. They are
 * read from the guest's page cache without a trace in it.
 */
export class Modules {
  /** Sources and decompression; without it there is no source text. */
  files: DebugFiles = { text: () => undefined };
  private readonly parsed = new Map<string, Parsed | null>();
  private readonly texts = new Map<string, readonly string[] | null>();
  private known: {
    readonly mm: AddressSpace;
    readonly key: string;
    /** When it was looked at last: where nothing of this has changed, the areas are not gone through again. */
    stamp: Stamp;
    readonly modules: readonly Module[];
  } | null = null;

  /**
   * @param mm the address space that is meant where none is named
   * @param instructions retired so far
   * @param aside looks at the guest's files beside the run, of which nothing is noted
   */
  constructor(
    private readonly mm: () => AddressSpace,
    private readonly instructions: () => number,
    private readonly aside: (look: () => void) => void,
  ) {}

  /** The program first, then by address. */
  of(mm: AddressSpace = this.mm()): readonly Module[] {
    const stamp = { instructions: this.instructions(), areas: mm.tree.count, pages: mm.stats.totalVm };
    if (this.known?.mm === mm && sameStamp(this.known.stamp, stamp)) return this.known.modules;
    const areas = mappedFiles(mm);
    // Of a program that has ended, the names stay.
    if (areas.length === 0) return this.known?.mm === mm ? this.known.modules : NOTHING;
    const key = areas.map(({ identity, area }) => `${identity}@${area.start}`).join();
    if (this.known?.mm === mm && this.known.key === key) {
      this.known.stamp = stamp;
      return this.known.modules;
    }
    const modules: Module[] = [];
    for (const { area, identity, end } of areas) {
      const parsed = this.parse(area, identity);
      if (parsed === null) continue;
      const bias = biasOf(parsed.elf, area);
      if (bias === null) continue;
      modules.push({
        path: area.file?.mapName ?? area.name,
        bias,
        start: area.start,
        // What lies behind the file's own bytes (.bss) is of no file, and has names all the same.
        end: parsed.elf.segments.reduce(
          (last, one) => Math.max(last, bias + one.address + one.memorySize),
          end,
        ),
        elf: parsed.elf,
        symbols: parsed.symbols,
        get lines() {
          return parsed.lines;
        },
        get frames() {
          return parsed.frames;
        },
        get variables() {
          return parsed.variables;
        },
      });
    }
    const { startCode } = mm.layout;
    modules.sort((a, b) => Number(holds(b, startCode)) - Number(holds(a, startCode)) || a.start - b.start);
    this.known = { mm, key, stamp, modules };
    return modules;
  }

  moduleAt(address: number, mm = this.mm()): Module | undefined {
    return this.of(mm).find((module) => holds(module, address));
  }

  /** The symbol that holds an address. */
  symbolAt(address: number, mm = this.mm()): PlacedSymbol | undefined {
    const module = this.moduleAt(address, mm);
    const symbol = module?.symbols.at(address - module.bias);
    return module && symbol && placed(symbol, module);
  }

  /** `main+0x1f`; undefined where there is no name. */
  nameAt(address: number, mm = this.mm()): string | undefined {
    const symbol = this.symbolAt(address, mm);
    if (symbol === undefined) return undefined;
    const offset = address - symbol.address;
    return offset === 0 ? symbol.name : `${symbol.name}+0x${offset.toString(16)}`;
  }

  /** The symbols of that name: the program's first. */
  find(name: string, mm = this.mm()): PlacedSymbol[] {
    return this.of(mm).flatMap((module) => {
      const symbol = module.symbols.find(name);
      return symbol === undefined ? [] : [placed(symbol, module)];
    });
  }

  /** Names that may have been meant by one that is none. */
  near(name: string, mm = this.mm()): string[] {
    const names = new Set<string>();
    for (const { symbols } of this.of(mm)) for (const known of symbols.names()) names.add(known);
    return nearNames(name, names);
  }

  /** The source line that an address comes from. */
  lineAt(address: number, mm = this.mm()): PlacedLine | undefined {
    const module = this.moduleAt(address, mm);
    const range = module?.lines.at(address - module.bias);
    return module && range && moved(range, module);
  }

  /** The rows of the line tables that begin in [start, end). */
  linesWithin(start: number, end: number, mm = this.mm()): PlacedLine[] {
    const module = this.moduleAt(start, mm);
    if (module === undefined) return [];
    return module.lines.within(start - module.bias, end - module.bias).map((range) => moved(range, module));
  }

  /** Source files whose path ends so, with the modules that were made of them. */
  sourceFiles(path: string, mm = this.mm()): { file: string; module: Module }[] {
    return this.of(mm).flatMap((module) => module.lines.matching(path).map((file) => ({ file, module })));
  }

  /** Every source file's path. */
  allSourceFiles(mm = this.mm()): string[] {
    return [...new Set(this.of(mm).flatMap(({ lines }) => [...lines.files]))].sort();
  }

  /** Where the code of FILE:LINE begins; null where no code is from that line or one below it. */
  findLine(path: string, line: number, mm = this.mm()): PlacedLine[] | null {
    for (const { file, module } of this.sourceFiles(path, mm)) {
      const found = module.lines.find(file, line);
      if (found === null) continue;
      return onePerFunction(found.ranges, module).map((range) => moved(range, module));
    }
    return null;
  }

  /**
   * Where a function's own code begins, behind what sets up its frame: the address of its second line, or where the
   * compiler said that the prologue ends. Without lines, the function's address.
   */
  bodyOf(symbol: PlacedSymbol): number {
    const { module, address, size } = symbol;
    const start = address - module.bias;
    const rows = module.lines.within(start, start + Math.max(size, 1)).filter((row) => row.end > row.start);
    const [first, ...others] = rows;
    if (first === undefined || first.start !== start) return address;
    const told = rows.find((row) => row.prologueEnd);
    const second = others.find((row) => row.statement);
    return module.bias + (told ?? second ?? first).start;
  }

  /** The lines of a source file, the first at index 0; null where its text is not to be had. */
  source(path: string): readonly string[] | null {
    let lines = this.texts.get(path);
    if (lines === undefined) {
      const text = this.files.text(path);
      lines = text === undefined ? null : text.replace(/\r?\n$/, "").split(/\r?\n/);
      this.texts.set(path, lines);
    }
    return lines;
  }

  private parse(area: Area, identity: string): Parsed | null {
    let parsed = this.parsed.get(identity);
    if (parsed === undefined) {
      const pages = area.pages!;
      const bytes = new Uint8Array(pages.size > LARGEST_FILE ? 0 : pages.size);
      this.aside(() => pages.peek(0, bytes));
      const isElf = bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
      parsed = isElf ? new Parsed(bytes, this.files.inflate) : null;
      this.parsed.set(identity, parsed);
    }
    return parsed;
  }
}

interface Stamp {
  readonly instructions: number;
  readonly areas: number;
  readonly pages: number;
}

function sameStamp(a: Stamp, b: Stamp): boolean {
  return a.instructions === b.instructions && a.areas === b.areas && a.pages === b.pages;
}

function holds({ start, end }: { start: number; end: number }, address: number): boolean {
  return start <= address && address < end;
}

function placed({ name, address, size, kind }: ElfSymbol, module: Module): PlacedSymbol {
  return { name, size, kind, address: address + module.bias, module };
}

function moved(range: LineRange, module: Module): PlacedLine {
  return { ...range, start: range.start + module.bias, end: range.end + module.bias, module };
}

/** Of a line's ranges the first in each function: a loop's head is entered in two places, and meant once. */
function onePerFunction(ranges: readonly LineRange[], { symbols }: Module): LineRange[] {
  const seen = new Set<number>();
  return ranges.filter(({ start }) => {
    const place = symbols.at(start)?.address ?? start;
    if (seen.has(place)) return false;
    seen.add(place);
    return true;
  });
}

/** Of each mapped file with executable code, its lowest area, which begins it, and where its areas end. */
function mappedFiles(mm: AddressSpace): { area: Area; identity: string; end: number }[] {
  const found = new Map<string, { area: Area; identity: string; end: number; executable: boolean }>();
  for (const area of mm.areas()) {
    const { file, pages } = area;
    if (pages === null || (file === null && area.name !== "[vdso]")) continue;
    const identity =
      file === null ? area.name : `${file.device.major}:${file.device.minor}:${file.inode}:${pages.size}`;
    const executable = (area.flags & VM_EXEC) !== 0;
    const known = found.get(identity);
    if (known === undefined) found.set(identity, { area, identity, end: area.end, executable });
    else {
      known.end = area.end;
      known.executable ||= executable;
    }
  }
  return [...found.values()].filter(({ executable }) => executable);
}

/** What is added to a file's addresses, by where one of its pages was mapped; null where no segment has that page. */
function biasOf(elf: ElfFile, area: Area): number | null {
  const offset = area.file === null ? 0 : area.pageOffset * PAGE_SIZE;
  const down = (value: number): number => value - (value % PAGE_SIZE);
  for (const segment of elf.segments) {
    const first = down(segment.offset);
    if (offset < first || offset >= segment.offset + segment.fileSize) continue;
    return area.start - (down(segment.address) + (offset - first));
  }
  return null;
}
