import { CS, DS, ES, FS, GS, SS } from "../../cpu/segments.js";
import { withRegisters } from "../../kernel/ptrace/registers.js";
import type { Task } from "../../kernel/task.js";
import { GuestMemory, type MemoryView } from "../guest-memory.js";
import type { Machine } from "../machine.js";
import type { Modules } from "../dwarf/modules.js";
import type { CodeBits } from "../disassemble.js";
import { REGISTER_NAMES, type RegisterName } from "../registers.js";

/** The general registers and what else an address is made of. */
export interface RegisterValues extends Readonly<Record<RegisterName, bigint>> {
  readonly rip: bigint;
  readonly rflags: bigint;
  readonly pkru: bigint;
  readonly fs_base: bigint;
  readonly gs_base: bigint;
}

export interface CodeState {
  readonly address: number;
  readonly bits: CodeBits;
  readonly bases: readonly number[];
}

/** A caller's frame: its registers as far as they are known, and where it goes on. */
export interface SelectedFrame {
  /** 1 for the innermost function's caller. */
  readonly level: number;
  readonly registers: RegisterValues;
  readonly rip: number;
  /** RIP is behind a call. */
  readonly called: boolean;
}

/** What the views look at: a machine that stands, and one of its threads. Nothing of it is changed by looking. */
export class View {
  readonly memory: MemoryView;
  private values: RegisterValues | null = null;
  private codeState: CodeState | null = null;

  constructor(
    readonly machine: Machine,
    readonly task: Task,
    /** Null: the thread's own, the innermost. */
    readonly frame: SelectedFrame | null = null,
  ) {
    // As ptrace looks: also into areas without the right to read.
    this.memory = new GuestMemory(
      machine.kernel.memory,
      () => task.mm,
      true,
      (look) => machine.aside(look),
    );
  }

  get modules(): Modules {
    return this.machine.modules;
  }

  /** As they are when first asked for: a view is for one stop. */
  get registers(): RegisterValues {
    return (this.values ??= this.frame?.registers ?? readRegisters(this.machine, this.task));
  }

  /** Linear address of the next instruction. */
  get rip(): number {
    return this.code.address;
  }

  /** Where the next instruction is, how its code is written, and the bases of ES, CS, SS, DS, FS and GS. */
  get code(): CodeState {
    return (this.codeState ??= {
      ...readCode(this.machine, this.task),
      ...(this.frame === null ? {} : { address: this.frame.rip }),
    });
  }

  /** Whose line and variables count: behind a call those of the call. */
  get place(): number {
    return this.frame?.called === true ? this.rip - 1 : this.rip;
  }

  nameAt(address: number): string | undefined {
    return this.modules.nameAt(address, this.task.mm);
  }

  /** An unsigned number of 1 to 8 bytes; null where memory cannot be read. */
  number(address: number, size: number): bigint | null {
    const bytes = this.memory.read(address, size);
    if (bytes.length < size) return null;
    let value = 0n;
    for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i]!);
    return value;
  }
}

function readRegisters({ kernel }: Machine, task: Task): RegisterValues {
  return withRegisters(kernel, task, () => {
    const { registers } = kernel.cpu;
    const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value);
    const general = Object.fromEntries(
      REGISTER_NAMES.map((name, i) => [name, unsigned(registers.get(i))] as const),
    ) as Record<RegisterName, bigint>;
    return {
      ...general,
      rip: unsigned(registers.ripBig),
      rflags: BigInt(registers.rflags >>> 0),
      pkru: BigInt(registers.pkru >>> 0),
      fs_base: BigInt(registers.fsBase),
      gs_base: BigInt(registers.gsBase),
    };
  });
}

function readCode({ kernel }: Machine, task: Task): CodeState {
  return withRegisters(kernel, task, () => {
    const { cpu } = kernel;
    return {
      address: cpu.codeAddress(cpu.registers.rip),
      bits: cpu.mode,
      bases: SEGMENTS.map((i) => cpu.registers.segmentBase(i)),
    };
  });
}
const SEGMENTS = [ES, CS, SS, DS, FS, GS];

export function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}
