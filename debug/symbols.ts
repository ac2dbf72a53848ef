/** Names of code addresses, from an ELF file's symbol table. */

interface Symbol {
  readonly address: number;
  readonly size: number;
  readonly name: string;
}

const SHT_SYMTAB = 2;
const STT_FUNC = 2;
const STT_NOTYPE = 0;

export class SymbolTable {
  private readonly symbols: readonly Symbol[];
  /** Its addresses count from where it is loaded (ET_DYN). */
  readonly positionIndependent: boolean;

  /** Reads `.symtab`; a file without one, or with a broken one, has no names. */
  constructor(elf: Uint8Array) {
    this.positionIndependent = elf.length > 18 && elf[16] === 3;
    this.symbols = readSymbols(elf).sort((a, b) => a.address - b.address);
  }

  /**
   * The symbol that holds an address, as `name` or `name+0x1f`.
   * @param address as in the file: less the load bias where the program was moved
   */
  at(address: number): string | undefined {
    let low = 0;
    let high = this.symbols.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.symbols[middle]!.address <= address) low = middle + 1;
      else high = middle;
    }
    const symbol = this.symbols[low - 1];
    if (symbol === undefined || (address >= symbol.address + symbol.size && address !== symbol.address))
      return undefined;
    const offset = address - symbol.address;
    return offset === 0 ? symbol.name : `${symbol.name}+0x${offset.toString(16)}`;
  }
}

function readSymbols(elf: Uint8Array): Symbol[] {
  const view = new DataView(elf.buffer, elf.byteOffset, elf.byteLength);
  const symbols: Symbol[] = [];
  try {
    const sections = Number(view.getBigUint64(40, true));
    const entrySize = view.getUint16(58, true);
    const count = view.getUint16(60, true);
    for (let i = 0; i < count; i++) {
      const section = sections + i * entrySize;
      if (view.getUint32(section + 4, true) !== SHT_SYMTAB) continue;
      const strings = sections + view.getUint32(section + 40, true) * entrySize;
      const names = Number(view.getBigUint64(strings + 24, true));
      const start = Number(view.getBigUint64(section + 24, true));
      const size = Number(view.getBigUint64(section + 32, true));
      for (let at = start; at + 24 <= start + size; at += 24) {
        const type = view.getUint8(at + 4) & 0xf;
        if ((type !== STT_FUNC && type !== STT_NOTYPE) || view.getUint16(at + 6, true) === 0) continue;
        const name = nameAt(elf, names + view.getUint32(at, true));
        if (name === "") continue;
        symbols.push({
          address: Number(view.getBigUint64(at + 8, true)),
          size: Number(view.getBigUint64(at + 16, true)),
          name,
        });
      }
    }
  } catch (error) {
    // Offsets that lead out of the file: no names then.
    if (!(error instanceof RangeError)) throw error;
  }
  return symbols;
}

function nameAt(elf: Uint8Array, start: number): string {
  const end = elf.indexOf(0, start);
  let name = "";
  for (let i = start; i < end; i++) name += String.fromCharCode(elf[i]!);
  return name;
}
