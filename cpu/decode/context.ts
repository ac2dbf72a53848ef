import { Code, Instruction, type Mnemonic, MemorySizeExt, OpKind, Register, RegisterExt } from "iced-x86";
import { calloutNumber } from "../callouts.js";
import { accessOf, ADDRESS, emitLinear, emitLinearAsUsed, type Access } from "../compat/addressing.js";
import { LONG_VIEW, type CodeView } from "../compat/code-view.js";
import { opNumber } from "../ir/registry.js";
import type { Width } from "../ir/nodes.js";
import { CALLOUT_BIT, type RecordFields } from "../record.js";
import { FS_BASE, GPR, GS_BASE, TEMP, X87, XMM, XTEMP, ZERO } from "../state.js";

/** As an operand field: "the record's own immediate". */
export const IMMEDIATE = -1;

/** What the decoder has written so far for one block. */
export interface EmittedRecord extends RecordFields {
  op: number;
  instruction: number;
}

/** Families that have a form for an index without a segment base. */
const UNSEGMENTED = new Set(["ld.1", "ld.4", "ld.8", "st.1", "st.4", "st.8", "ldz.1", "ldz.2", "lds.4"]);

interface MemoryForm {
  form: "b" | "x";
  fields: RecordFields;
}

/** One instruction on its way to micro-ops: its operands as addresses of registers, and `emit`. */
export class DecodeContext {
  instruction!: Instruction;
  code: Code = Code.INVALID;
  /** How the code is seen that is being decoded. */
  view: CodeView = LONG_VIEW;
  /** RIP of the instruction, and of the next one. */
  rip = 0;
  next = 0;
  /** Index of the instruction within its block. */
  index = 0;
  readonly records: EmittedRecord[] = [];
  /** Whether it is 64-bit code. */
  get isLong(): boolean {
    return this.view === LONG_VIEW;
  }
  get mnemonic(): Mnemonic {
    return this.instruction.mnemonic;
  }
  /** Kind and register of each operand: every question to iced-x86 crosses into WebAssembly, so each is asked once. */
  private readonly kinds: OpKind[] = [];
  private readonly registers: Register[] = [];
  private temps = 0;
  private vectorTemps = 0;

  /** Starts the next instruction. */
  begin(instruction: Instruction, rip: number, length: number, code: Code, index: number): void {
    this.instruction = instruction;
    this.code = code;
    this.rip = rip;
    this.next = rip + length;
    const operands = operandCount(instruction, code);
    this.kinds.length = operands;
    this.registers.length = operands;
    for (let i = 0; i < operands; i++) {
      const kind = instruction.opKind(i);
      this.kinds[i] = kind;
      this.registers[i] = kind === OpKind.Register ? instruction.opRegister(i) : Register.None;
    }
    this.index = index;
    this.temps = 0;
    this.vectorTemps = 0;
  }

  emit(name: string, fields: RecordFields = {}): void {
    this.records.push({ op: opNumber(name), instruction: this.index, ...fields });
  }

  callout(name: string, fields: RecordFields = {}): void {
    this.records.push({ op: CALLOUT_BIT | calloutNumber(name), instruction: this.index, ...fields });
  }

  /** A scratch register of 8 bytes, dead at the end of the instruction. Seven an instruction; TEMP 7 is `address`'s. */
  temp(): number {
    return TEMP + 8 * this.temps++;
  }

  vectorTemp(): number {
    return XTEMP + 16 * this.vectorTemps++;
  }

  isRegister(i: number): boolean {
    return this.kinds[i] === OpKind.Register;
  }

  isMemory(i: number): boolean {
    return this.kinds[i] === OpKind.Memory;
  }

  /** Bytes of operand i: of its register, of the memory access, or of the immediate's own operand size. */
  size(i: number): Width {
    const kind = this.kinds[i];
    if (kind === OpKind.Register) return registerSize(this.registers[i]) as Width;
    if (kind === OpKind.Memory) return memorySize(this.instruction.memorySize) as Width;
    return i > 0 ? this.size(0) : 8;
  }

  /** The address of register operand i in the CPU state. */
  reg(i: number): number {
    return registerAddress(this.registers[i]);
  }

  immediate(i: number): bigint {
    return BigInt.asIntN(64, this.instruction.immediate(i));
  }

  /** Operand i as a readable address: the register itself, the loaded memory, or IMMEDIATE. */
  read(i: number, width: Width, forWrite = false): number {
    const kind = this.kinds[i];
    if (kind === OpKind.Register) return this.reg(i);
    if (kind !== OpKind.Memory) return IMMEDIATE;
    const to = width === 16 ? this.vectorTemp() : this.temp();
    this.load(width, to, forWrite);
    return to;
  }

  /** Emits the load of the memory operand into the register at `to`. A 4-byte load clears the upper half. */
  load(width: Width, to: number, forWrite = false): void {
    this.loadAs(`${forWrite ? "ldw" : "ld"}.${width}`, to);
  }

  /** Emits a load micro-op of the family `name` (its `.b` or `.x` form). */
  loadAs(name: string, to: number): void {
    this.emitAccess(name, to);
  }

  /** Emits the store of `width` bytes from the register at `from` to the memory operand. */
  store(width: Width, from: number): void {
    this.emitAccess(`st.${width}`, from);
  }

  /**
   * Emits `name.m.b` or `name.m.i`, an operation on register `a` whose second source is the memory operand.
   * @returns false if the address goes through a segment, and nothing is emitted
   */
  emitWithMemory(name: string, a: number): boolean {
    if (!this.isLong) return false;
    if (this.instruction.segmentPrefix === Register.FS || this.instruction.segmentPrefix === Register.GS)
      return false;
    const { form, fields } = this.memory();
    this.emit(`${name}.m.${form === "b" ? "b" : "i"}`, { ...fields, a });
    return true;
  }

  private emitAccess(name: string, a: number): void {
    const { form, fields } = this.isLong ? this.memory() : this.segmented(accessOf(name));
    const unsegmented = form === "x" && fields.e === ZERO && UNSEGMENTED.has(name);
    this.emit(`${name}.${unsegmented ? "i" : form}`, { ...fields, a });
  }

  /** Emits the effective address (with segment base) into a scratch register. @returns the scratch's address */
  address(): number {
    const to = ADDRESS;
    if (!this.isLong) {
      emitLinearAsUsed(this);
      return to;
    }
    const { fields } = this.memory();
    this.emit("ea", { c: ZERO, d: 0, e: ZERO, ...fields, a: to });
    return to;
  }

  /** The memory operand outside of 64-bit mode: its linear address in a scratch register. */
  segmented(access: Access): MemoryForm {
    emitLinear(this, access);
    return { form: "b", fields: { b: ADDRESS, immediate: 0 } };
  }

  /** Segment base + base + index << shift + displacement, of the memory operand of 64-bit code. */
  memory(): MemoryForm {
    const ins = this.instruction;
    const base = ins.memoryBase;
    const segment = ins.segmentPrefix;
    const segmentBase = segment === Register.FS ? FS_BASE : segment === Register.GS ? GS_BASE : ZERO;
    if (base === Register.RIP || base === Register.EIP) {
      const fields: RecordFields = { b: ZERO, immediate: BigInt.asIntN(64, ins.memoryDisplacement) };
      return segmentBase === ZERO
        ? { form: "b", fields }
        : { form: "x", fields: { ...fields, c: ZERO, d: 0, e: segmentBase } };
    }
    const index = ins.memoryIndex;
    const narrow = addressSize(ins, base, index) === 4;
    const displacement = BigInt.asIntN(64, ins.memoryDisplacement);
    const b = base === Register.None ? ZERO : registerAddress(base);
    const c = index === Register.None ? ZERO : registerAddress(index);
    const d = Math.log2(ins.memoryIndexScale);
    if (narrow) {
      const to = ADDRESS;
      this.emit("ea32", { a: to, b, c, d, immediate: displacement });
      return segmentBase === ZERO
        ? { form: "b", fields: { b: to, immediate: 0 } }
        : { form: "x", fields: { b: to, c: ZERO, d: 0, e: segmentBase, immediate: 0 } };
    }
    if (c === ZERO && segmentBase === ZERO) return { form: "b", fields: { b, immediate: displacement } };
    return { form: "x", fields: { b, c, d, e: segmentBase, immediate: displacement } };
  }
}

function addressSize(ins: Instruction, base: Register, index: Register): number {
  const register = base !== Register.None ? base : index;
  if (register !== Register.None) return registerSize(register);
  return ins.memoryDisplSize === 4 ? 4 : 8;
}

/** What iced-x86 says of registers, sizes and codes, asked once each. */
const operandCounts: number[] = [];
const registerSizes: number[] = [];
const memorySizes: number[] = [];
const registerAddresses: number[] = [];

function operandCount(instruction: Instruction, code: number): number {
  return (operandCounts[code] ??= instruction.opCount);
}
function registerSize(register: Register): number {
  return (registerSizes[register] ??= RegisterExt.size(register));
}
function memorySize(size: number): number {
  return (memorySizes[size] ??= MemorySizeExt.size(size));
}

/** Where a register lies in the CPU state: AH, CH, DH and BH are the bytes behind AL, CL, DL and BL. */
export function registerAddress(register: Register): number {
  return (registerAddresses[register] ??= findRegister(register));
}

function findRegister(register: Register): number {
  if (register >= Register.AH && register <= Register.BH) return GPR + 8 * (register - Register.AH) + 1;
  if (RegisterExt.isGPR(register)) return GPR + 8 * RegisterExt.number(RegisterExt.fullRegister(register));
  if (RegisterExt.isXMM(register)) return XMM + 16 * RegisterExt.number(register);
  if (RegisterExt.isMM(register)) return X87 + 16 * RegisterExt.number(register);
  throw new Error(`register ${Register[register]} has no place in the state`);
}

/** Lowers one instruction to micro-ops. @returns false when it is not announced by the CPU model: #UD */
export type Lower = (x: DecodeContext) => void;

const lowerings = new Map<number, Lower>();

/** Says how the instructions of a mnemonic become micro-ops. */
export function lower(mnemonics: number | readonly number[], how: Lower): void {
  for (const m of typeof mnemonics === "number" ? [mnemonics] : mnemonics) {
    if (lowerings.has(m)) throw new Error(`mnemonic ${m} is lowered twice`);
    lowerings.set(m, how);
  }
}

export function loweringOf(mnemonic: number): Lower | undefined {
  return lowerings.get(mnemonic);
}
