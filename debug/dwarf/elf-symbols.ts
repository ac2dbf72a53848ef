import { ByteReader, textAt } from "./byte-reader.js";
import type { ElfFile } from "./elf-file.js";

/** A name of an ELF file for bytes [address, address + size), before it is loaded. */
export interface ElfSymbol {
  readonly name: string;
  readonly address: number;
  readonly size: number;
  readonly kind: "function" | "object" | "label";
  readonly global: boolean;
}

const SHT_SYMTAB = 2;
const SHT_DYNSYM = 11;
const SYMBOL_BYTES = 24;
const SHN_ABS = 0xfff1;
const STB_LOCAL = 0;
const KINDS: Readonly<Record<number, ElfSymbol["kind"]>> = {
  0: "label",
  1: "object",
  2: "function",
  // GNU's indirect functions: the name is the resolver's.
  10: "function",
};

/** The names of a file's code and data: .symtab, and .dynsym where a stripped file has no other. */
export class ElfSymbols {
  /** By address; of several at one address the best name comes last. */
  private readonly sorted: readonly ElfSymbol[];
  private readonly byName = new Map<string, ElfSymbol>();

  constructor(elf: ElfFile) {
    const all = [...readTable(elf, SHT_DYNSYM), ...readTable(elf, SHT_SYMTAB), ...stubs(elf)];
    this.sorted = all.sort((a, b) => a.address - b.address || worth(a) - worth(b));
    for (const symbol of this.sorted) {
      const known = this.byName.get(symbol.name);
      if (known === undefined || (!known.global && symbol.global)) this.byName.set(symbol.name, symbol);
    }
  }

  get count(): number {
    return this.byName.size;
  }

  names(): Iterable<string> {
    return this.byName.keys();
  }

  find(name: string): ElfSymbol | undefined {
    return this.byName.get(name);
  }

  /** The symbol that holds an address of the file. */
  at(address: number): ElfSymbol | undefined {
    const { sorted } = this;
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sorted[middle]!.address <= address) low = middle + 1;
      else high = middle;
    }
    const last = sorted[low - 1];
    if (last === undefined) return undefined;
    if (holds(last, address)) return last;
    // A label without a size lies inside of what holds the address.
    for (let i = low - 2; i >= 0 && i > low - 16; i--) if (holds(sorted[i]!, address)) return sorted[i];
    // Hand-written assembly gives its functions no size: such a name counts up to the next one.
    return last.size === 0 && last.kind !== "object" && address - last.address < LONGEST_LABEL
      ? last
      : undefined;
  }
}

/** Bytes behind a label without a size that are still called by it. */
const LONGEST_LABEL = 4096;

function holds({ address, size }: ElfSymbol, at: number): boolean {
  return at === address || (at > address && at < address + size);
}

/** Which of two names of one address is shown: a function's rather than a label's, a global, one without underscores. */
function worth({ kind, global, name }: ElfSymbol): number {
  return (kind === "label" ? 0 : 8) + (global ? 4 : 0) + (name.startsWith("_") ? 0 : 2);
}

function readTable(elf: ElfFile, type: number): ElfSymbol[] {
  const section = elf.sections.find((one) => one.type === type);
  const bytes = section && elf.contentOf(section);
  const strings = section && elf.sections[section.link];
  if (!section || !bytes || !strings) return [];
  const names = elf.contentOf(strings);
  const symbols: ElfSymbol[] = [];
  for (let at = 0; at + SYMBOL_BYTES <= bytes.length; at += SYMBOL_BYTES) {
    const reader = new ByteReader(bytes, at);
    const name = textAt(names, reader.u32());
    const info = reader.u8();
    reader.skip(1);
    const index = reader.u16();
    const kind = KINDS[info & 0xf];
    if (kind === undefined || index === 0 || index === SHN_ABS || name === "") continue;
    symbols.push({ name, kind, global: info >>> 4 !== STB_LOCAL, address: reader.u64(), size: reader.u64() });
  }
  return symbols;
}

/** R_X86_64_JUMP_SLOT and R_X86_64_GLOB_DAT: a slot that gets a function's address. */
const FILLS_SLOT: ReadonlySet<number> = new Set([6, 7]);
const RELOCATION_BYTES = 24;
const STUB_BYTES = 16;

/** `puts@plt`: the stubs through which a file calls other files' functions, each found by the slot that it jumps to. */
function stubs(elf: ElfFile): ElfSymbol[] {
  const dynamic = elf.sections.find(({ type }) => type === SHT_DYNSYM);
  const table = dynamic && elf.contentOf(dynamic);
  const strings = dynamic && elf.sections[dynamic.link];
  const names = strings && elf.contentOf(strings);
  if (!table || !names) return [];
  const slots = new Map<number, string>();
  for (const name of [".rela.plt", ".rela.dyn"]) {
    const bytes = elf.content(name);
    for (let at = 0; bytes && at + RELOCATION_BYTES <= bytes.length; at += RELOCATION_BYTES) {
      const reader = new ByteReader(bytes, at);
      const slot = reader.u64();
      if (!FILLS_SLOT.has(reader.u32())) continue;
      const symbol = reader.u32() * SYMBOL_BYTES;
      if (symbol + 4 <= table.length) slots.set(slot, textAt(names, new ByteReader(table, symbol).u32()));
    }
  }
  const found: ElfSymbol[] = [];
  for (const section of elf.sections) {
    if (!section.name.startsWith(".plt")) continue;
    const code = elf.contentOf(section);
    for (let at = 0; code && at + 6 <= code.length; at += section.name === ".plt.got" ? 8 : STUB_BYTES) {
      const jump = jumpTarget(code, at, section.address);
      const name = jump === undefined ? undefined : slots.get(jump);
      if (name === undefined || name === "") continue;
      const address = section.address + at;
      found.push({ name: `${name}@plt`, kind: "function", global: false, address, size: STUB_BYTES });
    }
  }
  return found;
}

/** Where `jmp [rip+x]` at the start of a stub, behind ENDBR64 and BND, finds its target's address. */
function jumpTarget(code: Uint8Array, at: number, address: number): number | undefined {
  let i = at;
  if (code[i] === 0xf3 && code[i + 1] === 0x0f) i += 4;
  if (code[i] === 0xf2) i++;
  if (code[i] !== 0xff || code[i + 1] !== 0x25 || i + 6 > code.length) return undefined;
  return address + i + 6 + new ByteReader(code, i + 2).i32();
}
