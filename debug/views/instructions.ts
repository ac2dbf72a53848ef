import { Register, ConditionCode } from "iced-x86";
import { decodeInstructions, memoryUses, type Decoded, type MemoryUse } from "../disassemble.js";
import { REGISTER_NAMES } from "../registers.js";
import type { InstructionRow } from "./rows.js";
import { hex, type View } from "./view.js";

const LONGEST = 15;
/** Bytes before an address that are decoded at most, to find where the instructions above it begin. */
const LOOK_BACK = 2048;
const ROWS_ABOVE = 3;

export interface InstructionOptions {
  /** Address of the first row; unless told, some rows above RIP. */
  readonly from?: number;
  readonly count: number;
  /** Addresses of enabled breaks. */
  readonly breaks?: ReadonlySet<number>;
}

/** The instructions from an address on, or around RIP. */
export function instructionRows(view: View, options: InstructionOptions): InstructionRow[] {
  const { count, breaks } = options;
  const from = options.from ?? above(view, view.rip, Math.min(ROWS_ABOVE, count - 1));
  const decoded = decodeInstructions(view.memory.read(from, count * LONGEST), from, count, view.code.bits);
  const symbols = decoded.map(({ address }) => view.nameAt(address));
  const column = Math.min(28, Math.max(0, ...symbols.map((symbol) => symbol?.length ?? 0)));
  const width = Math.max(8, ...decoded.map(({ address }) => address.toString(16).length));
  return decoded.map((one, i) => {
    const { address, length } = one;
    const symbol = symbols[i];
    const current = address === view.rip;
    const breakpoint = breaks?.has(address) ?? false;
    const instruction = one.text ?? "(bad)";
    const note = noteOf(view, one, current);
    const mark = `${breakpoint ? "●" : " "}${current ? "►" : " "}`;
    const name = (symbol ?? "").padEnd(column);
    const place = `0x${address.toString(16).padStart(width, "0")}`;
    const text = `${mark} ${place} ${column === 0 ? "" : `${name} `} ${instruction}`;
    const line = view.modules.lineAt(address, view.task.mm);
    return {
      address,
      bytes: view.memory.read(address, length),
      instruction,
      symbol,
      label: symbol?.includes("+0x") === false ? symbol : undefined,
      current,
      breakpoint,
      source: line?.start === address && line.statement ? { file: line.file, line: line.line } : undefined,
      note,
      text: note === undefined ? text : `${text.padEnd(52 + column)}  ${note}`,
    };
  });
}

/** Where the instruction `rows` above an address begins. */
export function above(view: View, address: number, rows: number): number {
  if (rows <= 0) return address;
  const starts = new Set<number>();
  const symbol = view.modules.symbolAt(address, view.task.mm);
  if (symbol !== undefined && symbol.address < address) {
    // Of a long function its nearest line will do.
    const lines = view.modules.linesWithin(Math.max(symbol.address, address - LOOK_BACK), address);
    if (address - symbol.address <= LOOK_BACK) starts.add(symbol.address);
    else for (const { start } of lines.slice(0, 1)) starts.add(start);
  }
  // Without names: instructions find their rhythm again after a few wrong ones.
  if (symbol === undefined) for (let back = 64; back > 0; back--) starts.add(address - back);
  for (const start of starts) {
    const decoded = decodeInstructions(
      view.memory.read(start, address - start),
      start,
      LOOK_BACK,
      view.code.bits,
    );
    const last = decoded.at(-1);
    if (last === undefined || last.address + last.length !== address) continue;
    if (symbol === undefined && decoded.some(({ text }) => text === undefined)) continue;
    return decoded.at(-rows)?.address ?? decoded[0]!.address;
  }
  return address;
}

function noteOf(view: View, one: Decoded, current: boolean): string | undefined {
  const notes: string[] = [];
  const { target } = one;
  if (target !== undefined) {
    const name = view.nameAt(target);
    if (name !== undefined) notes.push(`<${name}>`);
  }
  if (current && one.flow === "branch") notes.push(isTaken(view, one.condition) ? "taken" : "not taken");
  if (current) {
    for (const use of usesOf(view)) {
      // What is said already: a call's push, and its target.
      if (use.address === Number(view.registers.rsp) - 8) continue;
      notes.push(useText(view, use));
    }
  }
  return notes.length === 0 ? undefined : notes.join("  ");
}

/** The memory that the thread's next instruction would use. */
export function usesOf(view: View): MemoryUse[] {
  const { registers, code } = view;
  const value = (register: Register): bigint => {
    if (code.bits !== 64 && register >= Register.ES && register <= Register.GS)
      return BigInt(code.bases[register - Register.ES]!);
    if (register === Register.FS) return registers.fs_base;
    if (register === Register.GS) return registers.gs_base;
    if (register >= Register.RAX && register <= Register.R15)
      return registers[REGISTER_NAMES[register - Register.RAX]!];
    if (register >= Register.EAX && register <= Register.R15D)
      return BigInt.asUintN(32, registers[REGISTER_NAMES[register - Register.EAX]!]);
    if (register >= Register.AX && register <= Register.DI)
      return BigInt.asUintN(16, registers[REGISTER_NAMES[register - Register.AX]!]);
    return 0n;
  };
  return memoryUses(view.memory.read(view.rip, LONGEST), view.rip, value, code.bits);
}

function useText(view: View, { address, size, reads }: MemoryUse): string {
  const name = view.nameAt(address);
  const place = `[${name ?? hex(address)}]`;
  if (!reads || size === 0 || size > 8) return place;
  const value = view.number(address, size);
  return value === null ? `${place} not mapped` : `${place}=${hex(value)}`;
}

const CARRY = 1;
const PARITY = 4;
const ZERO = 0x40;
const SIGN = 0x80;
const OVERFLOW = 0x800;

/** Whether a branch on this condition is taken (SDM vol. 1 appendix B). */
function isTaken(view: View, condition: ConditionCode): boolean {
  const flags = Number(view.registers.rflags);
  const has = (mask: number): boolean => (flags & mask) !== 0;
  const less = has(SIGN) !== has(OVERFLOW);
  const truths: Readonly<Partial<Record<ConditionCode, boolean>>> = {
    [ConditionCode.o]: has(OVERFLOW),
    [ConditionCode.b]: has(CARRY),
    [ConditionCode.e]: has(ZERO),
    [ConditionCode.be]: has(CARRY | ZERO),
    [ConditionCode.s]: has(SIGN),
    [ConditionCode.p]: has(PARITY),
    [ConditionCode.l]: less,
    [ConditionCode.le]: less || has(ZERO),
  };
  // The others are these, the other way round, and follow them in the encoding.
  return truths[condition] ?? !truths[(condition - 1) as ConditionCode];
}
