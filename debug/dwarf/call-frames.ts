/** Who called whom: the rules of .eh_frame (LSB 10.6, DWARF 5 6.4), which every compiled file has. */

import { ByteReader } from "./byte-reader.js";
import type { ElfFile } from "./elf-file.js";
import { evaluateExpression, type FrameSource } from "./frame-expression.js";

const RSP = 7;
const RETURN_ADDRESS = 16;

/** Where a register of the caller is. */
type Rule =
  | { readonly kind: "same" | "undefined" }
  | { readonly kind: "at" | "is"; readonly offset: number }
  | { readonly kind: "register"; readonly number: number }
  | { readonly kind: "expression" | "value-expression"; readonly code: Uint8Array };

type Base =
  | { readonly kind: "register"; readonly number: number; readonly offset: number }
  | { readonly kind: "expression"; readonly code: Uint8Array };

interface Entry {
  /** Of the file, half-open. */
  readonly start: number;
  readonly end: number;
  readonly common: Common;
  readonly instructions: Uint8Array;
}

interface Common {
  readonly codeAlignment: number;
  readonly dataAlignment: number;
  readonly returnRegister: number;
  readonly instructions: Uint8Array;
  readonly pointerEncoding: number;
  readonly hasAugmentation: boolean;
  /** A frame that a signal's delivery made: its address is not behind a call. */
  readonly signal: boolean;
}

/** What the caller's registers are. */
export interface CallerFrame {
  /** The stack pointer's value in the caller (CFA). */
  readonly frame: number;
  readonly registers: ReadonlyMap<number, number>;
  /** Addresses of those that are in memory. */
  readonly saved: ReadonlyMap<number, number>;
  /** Those that are as in the callee. */
  readonly kept: ReadonlySet<number>;
  /** The return address stands as it is, not behind a call. */
  readonly signal: boolean;
}

export class CallFrames {
  private readonly entries: readonly Entry[];

  constructor(elf: ElfFile) {
    const section = elf.sections.find(({ name }) => name === ".eh_frame");
    const bytes = section && elf.contentOf(section);
    this.entries =
      section && bytes ? readEntries(bytes, section.address).sort((a, b) => a.start - b.start) : [];
  }

  /**
   * One frame up; null where no rule is known, or there is nobody above.
   * @param address of the file: where it stands, or would go on
   */
  caller(address: number, source: FrameSource): CallerFrame | null {
    const entry = this.at(address);
    if (entry === undefined) return null;
    try {
      return unwind(entry, address, source);
    } catch (error) {
      if (error instanceof RangeError) return null;
      throw error;
    }
  }

  /** Some rule is about this address, if only that nobody is above. */
  covers(address: number): boolean {
    return this.at(address) !== undefined;
  }

  private at(address: number): Entry | undefined {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.entries[middle]!.start <= address) low = middle + 1;
      else high = middle;
    }
    const entry = this.entries[low - 1];
    return entry !== undefined && address < entry.end ? entry : undefined;
  }
}

function readEntries(bytes: Uint8Array, base: number): Entry[] {
  const commons = new Map<number, Common>();
  const entries: Entry[] = [];
  for (let at = 0; at + 4 <= bytes.length;) {
    const head = new ByteReader(bytes, at);
    const length = head.u32();
    if (length === 0 || length === 0xffff_ffff) break;
    const end = head.at + length;
    const reader = new ByteReader(bytes, head.at, Math.min(end, bytes.length));
    try {
      const place = reader.at;
      const pointer = reader.u32();
      if (pointer === 0) commons.set(at, readCommon(reader, bytes));
      else {
        const common = commons.get(place - pointer);
        if (common !== undefined) entries.push(readEntry(reader, bytes, common, base));
      }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
    at = end;
  }
  return entries;
}

function readCommon(reader: ByteReader, bytes: Uint8Array): Common {
  const version = reader.u8();
  const augmentation = reader.text();
  const codeAlignment = reader.uleb();
  const dataAlignment = reader.sleb();
  const returnRegister = version === 1 ? reader.u8() : reader.uleb();
  let pointerEncoding = 0;
  if (augmentation.startsWith("z")) {
    const end = reader.uleb() + reader.at;
    for (const letter of augmentation.slice(1)) {
      if (letter === "R") pointerEncoding = reader.u8();
      else if (letter === "L") reader.u8();
      else if (letter === "P") encoded(reader, reader.u8(), 0);
      else if (letter !== "S") break;
    }
    reader.at = end;
  }
  return {
    codeAlignment,
    dataAlignment,
    returnRegister,
    pointerEncoding,
    hasAugmentation: augmentation.startsWith("z"),
    signal: augmentation.includes("S"),
    instructions: bytes.subarray(reader.at, reader.end),
  };
}

function readEntry(reader: ByteReader, bytes: Uint8Array, common: Common, base: number): Entry {
  const start = encoded(reader, common.pointerEncoding, base);
  const length = encoded(reader, common.pointerEncoding & 0xf, base);
  if (common.hasAugmentation) reader.skip(reader.uleb());
  return { start, end: start + length, common, instructions: bytes.subarray(reader.at, reader.end) };
}

/** A pointer in one of the encodings of .eh_frame (DW_EH_PE_*). */
function encoded(reader: ByteReader, encoding: number, base: number): number {
  const place = base + reader.at;
  const value = ((): number => {
    switch (encoding & 0xf) {
      case 0x1:
        return reader.uleb();
      case 0x2:
        return reader.u16();
      case 0x3:
        return reader.u32();
      case 0x9:
        return reader.sleb();
      case 0xa:
        return (reader.u16() << 16) >> 16;
      case 0xb:
        return reader.i32();
      case 0xc:
        return reader.i64();
      default:
        return reader.u64();
    }
  })();
  return (encoding & 0x70) === 0x10 ? value + place : value;
}

interface State {
  base: Base;
  rules: Map<number, Rule>;
}

function unwind(
  { start, common, instructions }: Entry,
  address: number,
  source: FrameSource,
): CallerFrame | null {
  const state: State = { base: { kind: "register", number: RSP, offset: 8 }, rules: new Map() };
  execute(common.instructions, state, common, Infinity, 0, state.rules);
  const initial = new Map(state.rules);
  execute(instructions, state, common, address, start, initial);
  const { base } = state;
  const frame =
    base.kind === "expression"
      ? evaluateExpression(base.code, source)
      : add(source.register(base.number), base.offset);
  if (frame === undefined) return null;
  const registers = new Map<number, number>();
  const saved = new Map<number, number>();
  const kept = new Set<number>();
  for (let number = 0; number <= RETURN_ADDRESS; number++) {
    const rule = state.rules.get(number);
    if (rule === undefined || rule.kind === "same") kept.add(number);
    if (rule?.kind === "at") saved.set(number, frame + rule.offset);
    const value = valueOf(number, rule, frame, source);
    if (value !== undefined) registers.set(number, value);
  }
  registers.set(RSP, frame);
  const back = state.rules.get(common.returnRegister);
  if (back === undefined || back.kind === "undefined") return null;
  kept.delete(RSP);
  return { frame, registers, saved, kept, signal: common.signal };
}

function add(value: number | undefined, offset: number): number | undefined {
  return value === undefined ? undefined : value + offset;
}

function valueOf(
  number: number,
  rule: Rule | undefined,
  frame: number,
  source: FrameSource,
): number | undefined {
  switch (rule?.kind) {
    case undefined:
    case "same":
      return source.register(number);
    case "undefined":
      return undefined;
    case "at":
      return source.word(frame + rule.offset);
    case "is":
      return frame + rule.offset;
    case "register":
      return source.register(rule.number);
    case "expression": {
      const place = evaluateExpression(rule.code, source, frame);
      return place === undefined ? undefined : source.word(place);
    }
    case "value-expression":
      return evaluateExpression(rule.code, source, frame);
  }
}

/** Runs DW_CFA_* until the row that an address is in. */
function execute(
  code: Uint8Array,
  state: State,
  { codeAlignment, dataAlignment, pointerEncoding }: Common,
  until: number,
  start: number,
  initial: ReadonlyMap<number, Rule>,
): void {
  const reader = new ByteReader(code);
  const saved: State[] = [];
  let location = start;
  const block = (): Uint8Array => reader.take(reader.uleb());
  const at = (number: number, offset: number): void =>
    void state.rules.set(number, { kind: "at", offset: offset * dataAlignment });
  const restore = (number: number): void => {
    const rule = initial.get(number);
    if (rule === undefined) state.rules.delete(number);
    else state.rules.set(number, rule);
  };
  const based = (number: number, offset: number): void =>
    void (state.base = { kind: "register", number, offset });
  while (!reader.done) {
    const byte = reader.u8();
    const low = byte & 0x3f;
    if (byte >>> 6 === 1) location += low * codeAlignment;
    else if (byte >>> 6 === 2) at(low, reader.uleb());
    else if (byte >>> 6 === 3) restore(low);
    else {
      const { base } = state;
      switch (byte) {
        case 0x00:
          break;
        case 0x01:
          location = encoded(reader, pointerEncoding & 0xf, 0);
          break;
        case 0x02:
          location += reader.u8() * codeAlignment;
          break;
        case 0x03:
          location += reader.u16() * codeAlignment;
          break;
        case 0x04:
          location += reader.u32() * codeAlignment;
          break;
        case 0x05:
          at(reader.uleb(), reader.uleb());
          break;
        case 0x06:
          restore(reader.uleb());
          break;
        case 0x07:
          state.rules.set(reader.uleb(), { kind: "undefined" });
          break;
        case 0x08:
          state.rules.set(reader.uleb(), { kind: "same" });
          break;
        case 0x09:
          state.rules.set(reader.uleb(), { kind: "register", number: reader.uleb() });
          break;
        case 0x0a:
          saved.push({ base: state.base, rules: new Map(state.rules) });
          break;
        case 0x0b:
          Object.assign(state, saved.pop());
          break;
        case 0x0c:
          based(reader.uleb(), reader.uleb());
          break;
        case 0x0d:
          if (base.kind === "register") based(reader.uleb(), base.offset);
          break;
        case 0x0e:
          if (base.kind === "register") based(base.number, reader.uleb());
          break;
        case 0x0f:
          state.base = { kind: "expression", code: block() };
          break;
        case 0x10:
          state.rules.set(reader.uleb(), { kind: "expression", code: block() });
          break;
        case 0x11:
          at(reader.uleb(), reader.sleb());
          break;
        case 0x12:
          based(reader.uleb(), reader.sleb() * dataAlignment);
          break;
        case 0x13:
          if (base.kind === "register") based(base.number, reader.sleb() * dataAlignment);
          break;
        case 0x14:
          state.rules.set(reader.uleb(), { kind: "is", offset: reader.uleb() * dataAlignment });
          break;
        case 0x15:
          state.rules.set(reader.uleb(), { kind: "is", offset: reader.sleb() * dataAlignment });
          break;
        case 0x16:
          state.rules.set(reader.uleb(), { kind: "value-expression", code: block() });
          break;
        case 0x2e:
          // GNU's args_size.
          reader.uleb();
          break;
        default:
          throw new RangeError(`no DW_CFA 0x${byte.toString(16)}`);
      }
    }
    if (location > until) return;
  }
}
