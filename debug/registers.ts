import type { ProcessorRegisters } from "../kernel/processor.js";

/** General registers by name, in encoding order. */
export const REGISTER_NAMES = [
  "rax",
  "rcx",
  "rdx",
  "rbx",
  "rsp",
  "rbp",
  "rsi",
  "rdi",
  "r8",
  "r9",
  "r10",
  "r11",
  "r12",
  "r13",
  "r14",
  "r15",
] as const;

export type RegisterName = (typeof REGISTER_NAMES)[number];

/** The running thread's registers, read and written by name. */
export class Registers {
  constructor(private readonly registers: ProcessorRegisters) {}

  /** All 64 bits, unsigned. */
  get(name: RegisterName): bigint {
    return BigInt.asUintN(64, this.registers.get(REGISTER_NAMES.indexOf(name)));
  }

  set(name: RegisterName, value: bigint | number): void {
    this.registers.set(REGISTER_NAMES.indexOf(name), BigInt.asUintN(64, BigInt(value)));
  }

  get rip(): number {
    return this.registers.rip;
  }

  set rip(address: number) {
    this.registers.rip = address;
  }

  /** RFLAGS with every status flag worked out. */
  get rflags(): number {
    return this.registers.rflags;
  }

  get pkru(): number {
    return this.registers.pkru;
  }

  get fsBase(): number {
    return this.registers.fsBase;
  }

  get gsBase(): number {
    return this.registers.gsBase;
  }

  /** Every general register, RIP, RFLAGS and PKRU. */
  all(): Record<RegisterName | "rip" | "rflags" | "pkru", bigint> {
    const general = REGISTER_NAMES.map((name) => [name, this.get(name)] as const);
    const others = [
      ["rip", BigInt(this.rip)],
      ["rflags", BigInt(this.rflags)],
      ["pkru", BigInt(this.pkru >>> 0)],
    ] as const;
    return Object.fromEntries([...general, ...others]) as Record<
      RegisterName | "rip" | "rflags" | "pkru",
      bigint
    >;
  }
}
