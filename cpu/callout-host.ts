import type { Mmu } from "../mmu/mmu.js";
import type { PhysicalMemory } from "../mmu/physical-memory.js";
import type { CalloutContext } from "./callouts.js";
import type { GuestAccess } from "./guest-access.js";
import type { CpuModel } from "./models.js";
import { RECORD_A, RECORD_B, RECORD_C, RECORD_D, RECORD_E, RECORD_IMMEDIATE } from "./record.js";
import type { Registers } from "./registers.js";
import { PKRU_WRITER_RECORD } from "./state.js";

/** The last WRPKRU: instructions retired before it, and its address in the program. */
export interface PkruWriter {
  instruction: number;
  rip: number;
}

interface Owner {
  readonly memory: PhysicalMemory;
  readonly mmu: Mmu;
  readonly model: CpuModel;
  readonly registers: Registers;
  instructionsAt(record: number): number;
  ripOf(record: number): number;
  readonly pkruWriter: PkruWriter;
  dropBlockOf(record: number): void;
}

/** What callouts see of the CPU. */
export class CalloutHost implements CalloutContext {
  readonly memory: PhysicalMemory;
  readonly mmu: Mmu;
  readonly model: CpuModel;
  readonly registers: Registers;
  private readonly u32: Uint32Array;

  constructor(
    private readonly cpu: Owner,
    readonly access: GuestAccess,
  ) {
    this.memory = cpu.memory;
    this.mmu = cpu.mmu;
    this.model = cpu.model;
    this.registers = cpu.registers;
    this.u32 = cpu.memory.u32;
  }

  a(record: number): number {
    return this.u32[(record + RECORD_A) >>> 2];
  }
  b(record: number): number {
    return this.u32[(record + RECORD_B) >>> 2];
  }
  c(record: number): number {
    return this.u32[(record + RECORD_C) >>> 2];
  }
  d(record: number): number {
    return this.u32[(record + RECORD_D) >>> 2] | 0;
  }
  e(record: number): number {
    return this.u32[(record + RECORD_E) >>> 2];
  }
  immediateLow(record: number): number {
    return this.u32[(record + RECORD_IMMEDIATE) >>> 2];
  }
  immediateHigh(record: number): number {
    return this.u32[(record + RECORD_IMMEDIATE + 4) >>> 2];
  }
  probe(addressAt: number, length: number, write: boolean): boolean {
    return this.access.probe(this.u32[addressAt >>> 2], this.u32[(addressAt >>> 2) + 1], length, write);
  }
  readGuest(addressAt: number, offset: number, length: number, to: number): boolean {
    const [low, high] = this.addressPlus(addressAt, offset);
    return this.access.read(low, high, length, to);
  }
  writeGuest(addressAt: number, offset: number, length: number, from: number): boolean {
    const [low, high] = this.addressPlus(addressAt, offset);
    return this.access.write(low, high, length, from);
  }
  private addressPlus(addressAt: number, offset: number): [number, number] {
    const sum = this.u32[addressAt >>> 2] + offset;
    return [sum >>> 0, (this.u32[(addressAt >>> 2) + 1] + Math.floor(sum / 0x1_0000_0000)) >>> 0];
  }
  raise(vector: number, errorCode = 0): void {
    this.access.raise(vector, errorCode);
  }
  ripOf(record: number): number {
    return this.cpu.ripOf(record);
  }
  instructionsAt(record: number): number {
    return this.cpu.instructionsAt(record);
  }
  pkruWrittenAt(record: number): void {
    this.u32[PKRU_WRITER_RECORD >>> 2] = 0;
    this.cpu.pkruWriter.instruction = this.cpu.instructionsAt(record);
    this.cpu.pkruWriter.rip = this.cpu.ripOf(record);
  }
  dropBlockOf(record: number): void {
    this.cpu.dropBlockOf(record);
  }
}
