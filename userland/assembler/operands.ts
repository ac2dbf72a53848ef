import { Register } from "iced-x86";
import { AssemblerError } from "./error.js";
import { findRegister, type RegisterInfo } from "./registers.js";

export interface RegisterOperand extends RegisterInfo {
  readonly type: "register";
}

/** A number, or a label's address plus a number. */
export interface ImmediateOperand {
  readonly type: "immediate";
  readonly value: bigint;
  readonly label?: string;
}

export interface MemoryOperand {
  readonly type: "memory";
  readonly base: Register;
  readonly index: Register;
  readonly scale: number;
  readonly displacement: bigint;
  /** Alone it is reached relative to RIP; beside a register it is an absolute 32-bit displacement. */
  readonly label?: string;
  /** Bytes, from `dword ptr` and the like; undefined where the text does not say. */
  readonly size?: number;
  readonly segment: Register;
}

export type Operand = RegisterOperand | ImmediateOperand | MemoryOperand;

/** Names with a constant value, looked up before a name is taken for a label. */
export type Constants = ReadonlyMap<string, bigint>;

const SIZES: Readonly<Record<string, number>> = {
  byte: 1,
  word: 2,
  dword: 4,
  fword: 6,
  qword: 8,
  tbyte: 10,
  oword: 16,
  xmmword: 16,
};

const SIZED = /^(byte|word|dword|fword|qword|tbyte|oword|xmmword)(?:\s+ptr)?\s*(?=[[a-z])/i;
const NUMBER = /^(0x[0-9a-f_]+|0b[01_]+|[0-9][0-9_]*|'(?:[^'\\]|\\.)')$/i;
const NAME = /^[A-Za-z_.$][\w.$]*$/;

function parseNumber(text: string): bigint | undefined {
  if (!NUMBER.test(text)) return undefined;
  if (text.startsWith("'")) return BigInt(text === "'\\n'" ? 10 : text.charCodeAt(text.length - 2));
  return BigInt(text.replaceAll("_", ""));
}

/** `a - b + 4*c` as [sign, term] pairs. */
function terms(expression: string): [bigint, string][] {
  const found: [bigint, string][] = [];
  for (const match of expression.matchAll(/([+-]?)\s*('(?:[^'\\]|\\.)'|[^+\-\s][^+-]*)/g)) {
    found.push([match[1] === "-" ? -1n : 1n, match[2]!.trim()]);
  }
  if (found.length === 0) throw new AssemblerError(`empty expression "${expression}"`);
  return found;
}

interface Sum {
  value: bigint;
  label?: string;
  registers: { register: RegisterInfo; scale: number }[];
}

function evaluate(expression: string, constants: Constants): Sum {
  const sum: Sum = { value: 0n, registers: [] };
  for (const [sign, term] of terms(expression)) {
    let product = 1n;
    let register: RegisterInfo | undefined;
    let label: string | undefined;
    for (const factor of term.split("*").map((part) => part.trim())) {
      const number = parseNumber(factor) ?? constants.get(factor);
      const found = number === undefined ? findRegister(factor.toLowerCase()) : undefined;
      if (number !== undefined) product *= number;
      else if (found && !register) register = found;
      else if (NAME.test(factor) && !label && !found) label = factor;
      else throw new AssemblerError(`cannot read "${factor}" in "${expression}"`);
    }
    if (register) {
      if (sign < 0n || label) throw new AssemblerError(`bad use of a register in "${expression}"`);
      sum.registers.push({ register, scale: Number(product) });
    } else if (label) {
      if (sign < 0n || product !== 1n || sum.label)
        throw new AssemblerError(`bad use of a label in "${expression}"`);
      sum.label = label;
    } else {
      sum.value += sign * product;
    }
  }
  return sum;
}

function parseMemory(
  inner: string,
  segment: Register,
  size: number | undefined,
  constants: Constants,
): MemoryOperand {
  const prefix = /^\s*([c-gs]s)\s*:(.*)$/i.exec(inner);
  if (prefix)
    return parseMemory(prefix[2]!, findRegister(prefix[1]!.toLowerCase())!.register, size, constants);
  const sum = evaluate(inner, constants);
  let base: Register = Register.None;
  let index: Register = Register.None;
  let scale = 1;
  for (const part of sum.registers) {
    const { register } = part.register;
    if (part.scale === 1 && base === Register.None) base = register;
    else if (index === Register.None) [index, scale] = [register, part.scale];
    else throw new AssemblerError(`too many registers in "[${inner}]"`);
  }
  // RSP cannot be an index; with scale 1 the two may be swapped.
  if (index === Register.RSP && scale === 1) [base, index] = [index, base];
  if (sum.label && base === Register.None && index === Register.None) base = Register.RIP;
  return {
    type: "memory",
    base,
    index,
    scale,
    displacement: sum.value,
    segment,
    ...(sum.label !== undefined && { label: sum.label }),
    ...(size !== undefined && { size }),
  };
}

/**
 * Reads one operand in Intel syntax: a register, a number or label with additions, or memory such as
 * `dword ptr [rax+rcx*4+8]`, `[message]` (RIP-relative), `fs:[0]`.
 */
export function parseOperand(text: string, constants: Constants): Operand {
  let rest = text.trim();
  let size: number | undefined;
  const sized = SIZED.exec(rest);
  if (sized) {
    size = SIZES[sized[1]!.toLowerCase()];
    rest = rest.slice(sized[0].length).trim();
  }
  const memory = /^(?:([c-gs]s)\s*:\s*)?\[(.*)\]$/i.exec(rest);
  if (memory) {
    const segment = memory[1] ? findRegister(memory[1].toLowerCase())!.register : Register.None;
    return parseMemory(memory[2]!, segment, size, constants);
  }
  const register = findRegister(rest.toLowerCase());
  if (register) return { type: "register", ...register };
  const sum = evaluate(rest, constants);
  if (sum.registers.length > 0) throw new AssemblerError(`"${text}" is no operand (memory wants brackets)`);
  return { type: "immediate", value: sum.value, ...(sum.label !== undefined && { label: sum.label }) };
}

/** Splits at the commas outside brackets and quotes. */
export function splitOperands(text: string): string[] {
  return text.trim() === ""
    ? []
    : text.match(/(?:'(?:[^'\\]|\\.)'|\[[^\]]*\]|[^,[])+/g)!.map((part) => part.trim());
}
