import { CodeExt, type Code } from "iced-x86";
import { encode, type Encoded, type Prefixes } from "./assembler/encode.js";
import { AssemblerError } from "./assembler/error.js";
import { describeForm, type Form } from "./assembler/forms.js";
import {
  place,
  resolve,
  segmentsOf,
  type Position,
  type ProgramSymbol,
  type Segment,
} from "./assembler/link.js";
import { parseOperand, splitOperands, type Operand } from "./assembler/operands.js";
import { select } from "./assembler/select.js";
import { Section, type SectionOptions } from "./assembler/sections.js";

/** A program with its addresses settled, ready for the ELF writer. */
export interface Image {
  /** Ascending, not overlapping. */
  readonly segments: readonly Segment[];
  readonly symbols: readonly ProgramSymbol[];
  readonly entry: number;
}

export interface LinkOptions {
  /** Where the first section goes (a multiple of 4096). */
  readonly base?: number;
  /** The label execution begins at; `_start` unless told. */
  readonly entry?: string;
  /** False refuses what depends on the load address, as a static-pie must. */
  readonly allowAbsolute?: boolean;
}

const PREFIXES: Readonly<Record<string, Prefixes>> = {
  lock: { lock: true },
  rep: { rep: true },
  repe: { rep: true },
  repz: { rep: true },
  repne: { repne: true },
  repnz: { repne: true },
};

const DATA_BYTES: Readonly<Record<string, 1 | 2 | 4 | 8>> = { db: 1, dw: 2, dd: 4, dq: 8 };

/**
 * An assembler for x86-64 in Intel syntax.
 *
 *     const asm = new Assembler();
 *     asm.code(`
 *       _start:
 *         mov edi, 42
 *         mov eax, ${SYS.exit_group}
 *         syscall
 *     `);
 *
 * `[label]` is RIP-relative, `label` as an immediate is its address, a branch takes the 32-bit distance unless
 * written `jmp short label`. Of the forms that take the operands the shortest is chosen; {@link form} names one.
 * A comment begins with `;`. Data goes to the current section, by methods or `db`/`dw`/`dd`/`dq`.
 * Every mistake is an {@link AssemblerError} that names its line; unknown labels are found by {@link link}.
 */
export class Assembler {
  readonly #sections: Section[] = [
    new Section(".rodata", {}),
    new Section(".text", { execute: true }),
    new Section(".data", { write: true }),
    new Section(".bss", { write: true }),
  ];
  readonly #labels = new Map<string, Position>();
  readonly #constants = new Map<string, bigint>();
  readonly #forms = new Map<Code, Form>();
  #current = this.#sections[1]!;
  #names = 0;

  /** Goes on in the section of that name, made with these options where it is new. `.text` is where it begins. */
  section(name: string, options: SectionOptions = {}): this {
    let section = this.#sections.find((one) => one.name === name);
    if (!section) this.#sections.push((section = new Section(name, options)));
    this.#current = section;
    return this;
  }

  /** Runs `body` with `name` as the current section, then goes back. */
  within(name: string, body: () => void): this {
    const before = this.#current;
    this.section(name);
    body();
    this.#current = before;
    return this;
  }

  /** Bytes in the current section so far. */
  get position(): number {
    return this.#current.size;
  }

  /** A label here. */
  label(name: string): this {
    if (this.#labels.has(name)) throw new AssemblerError(`label "${name}" is there twice`);
    this.#labels.set(name, { section: this.#current, offset: this.#current.size });
    return this;
  }

  hasLabel(name: string): boolean {
    return this.#labels.has(name);
  }

  /** A label name that nothing else uses; it is left out of the symbol table. */
  unique(hint: string): string {
    return `.${hint}_${String(++this.#names)}`;
  }

  /** A name for a number, usable wherever a number is. */
  define(name: string, value: number | bigint): this {
    this.#constants.set(name, BigInt(value));
    return this;
  }

  /** Lines of assembly. */
  code(text: string): this {
    for (const line of text.split("\n")) this.#line(line);
    return this;
  }

  /** One instruction in exactly that form: `form(Code.Add_rm8_r8, ["al", "bh"])`. */
  form(code: Code, operands: readonly string[], prefixes: Prefixes = {}): this {
    let form = this.#forms.get(code);
    if (!form) {
      const info = CodeExt.opCode(code);
      form = describeForm(info);
      info.free();
      this.#forms.set(code, form);
    }
    this.#append(
      encode(
        form,
        operands.map((text) => parseOperand(text, this.#constants)),
        prefixes,
      ),
    );
    return this;
  }

  bytes(bytes: ArrayLike<number>): this {
    this.#current.append(bytes);
    return this;
  }

  u8(...values: readonly (number | bigint)[]): this {
    return this.#integers(1, values);
  }

  u16(...values: readonly (number | bigint)[]): this {
    return this.#integers(2, values);
  }

  u32(...values: readonly (number | bigint)[]): this {
    return this.#integers(4, values);
  }

  /** 64-bit numbers, or addresses of labels. */
  u64(...values: readonly (number | bigint | string)[]): this {
    return this.#integers(8, values);
  }

  /** UTF-8, with no NUL after it unless the text has one. */
  string(text: string): this {
    return this.bytes(new TextEncoder().encode(text));
  }

  /** Zeroes; at a section's end they take no room in the file. */
  reserve(bytes: number): this {
    this.#current.reserve(bytes);
    return this;
  }

  /** Fills up to a multiple of `boundary` bytes from the section's start: with NOPs where code is, else zeroes. */
  align(boundary: number): this {
    const missing = -this.#current.size & (boundary - 1);
    if (this.#current.options.execute) return this.bytes(new Uint8Array(missing).fill(0x90));
    return this.reserve(missing);
  }

  /** Settles every address and fills every reference. The assembler is used up by it. */
  link(options: LinkOptions = {}): Image {
    place(this.#sections, options.base ?? 0x400000 + 0x1000);
    resolve(this.#sections, this.#labels, options.allowAbsolute ?? true);
    const entry = this.#labels.get(options.entry ?? "_start");
    if (!entry) throw new AssemblerError(`no label "${options.entry ?? "_start"}" to begin at`);
    return {
      segments: segmentsOf(this.#sections),
      symbols: this.#symbols(),
      entry: entry.section.address + entry.offset,
    };
  }

  #symbols(): ProgramSymbol[] {
    const named = [...this.#labels].filter(([name]) => !name.startsWith("."));
    const symbols = named.map(([name, { section, offset }]) => {
      const later = named.map(([, other]) => other).filter((other) => other.section === section);
      const end = Math.min(
        section.size,
        ...later.map((other) => other.offset).filter((next) => next > offset),
      );
      const isFunction = section.options.execute === true;
      return { name, address: section.address + offset, size: end - offset, isFunction };
    });
    return symbols.sort((a, b) => a.address - b.address);
  }

  #integers(size: 1 | 2 | 4 | 8, values: readonly (number | bigint | string)[]): this {
    for (const value of values) {
      const bytes = new Uint8Array(8);
      if (typeof value === "string") {
        if (size !== 8) throw new AssemblerError(`the address of "${value}" needs 64 bits`);
        const offset = this.#current.size;
        this.#current.append(bytes);
        this.#current.fixups.push({ offset, kind: "abs64", label: value, addend: 0n, from: 0 });
        continue;
      }
      new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, BigInt(value)), true);
      this.bytes(bytes.subarray(0, size));
    }
    return this;
  }

  #line(line: string): void {
    const text = line.replace(/;.*$/, "").trim();
    if (text === "") return;
    try {
      this.#statement(text);
    } catch (error) {
      if (error instanceof AssemblerError) throw new AssemblerError(`"${text}": ${error.message}`);
      throw error;
    }
  }

  #statement(text: string): void {
    const label = /^([A-Za-z_.$][\w.$]*)\s*:(?!\s*\[)\s*(.*)$/.exec(text);
    if (label) {
      this.label(label[1]!);
      if (label[2] !== "") this.#statement(label[2]!);
      return;
    }
    const [, first, rest] = /^(\S+)\s*(.*)$/.exec(text) as unknown as [string, string, string];
    const mnemonic = first.toLowerCase();
    const size = DATA_BYTES[mnemonic];
    if (size !== undefined) {
      this.#data(size, rest);
      return;
    }
    const prefixes = PREFIXES[mnemonic];
    if (prefixes && rest !== "") {
      const [, inner, operands] = /^(\S+)\s*(.*)$/.exec(rest) as unknown as [string, string, string];
      this.#instruction(inner.toLowerCase(), operands, prefixes);
    } else {
      this.#instruction(mnemonic, rest, {});
    }
  }

  #instruction(mnemonic: string, text: string, prefixes: Prefixes): void {
    const short = /^short\s+/i.exec(text);
    const operands: Operand[] = splitOperands(short ? text.slice(short[0].length) : text).map((operand) =>
      parseOperand(operand, this.#constants),
    );
    this.#append(select(mnemonic, operands, prefixes, short !== null));
  }

  #data(size: 1 | 2 | 4 | 8, text: string): void {
    for (const item of splitOperands(text)) {
      const operand = parseOperand(item, this.#constants);
      if (operand.type !== "immediate") throw new AssemblerError(`"${item}" is no number`);
      this.#integers(size, [operand.label ?? operand.value]);
    }
  }

  #append(encoded: Encoded): void {
    const start = this.#current.size;
    this.#current.append(encoded.bytes);
    for (const { offset, kind, label, addend } of encoded.holes) {
      this.#current.fixups.push({ offset: start + offset, kind, label, addend, from: this.#current.size });
    }
  }
}
