/** The CPU's face as the kernel uses it; cpu/cpu.ts is the one, tests may have another. */

import type { DescriptorTables, SegmentFault } from "../cpu/segments.js";

import type { HardwareBreakpoints } from "../cpu/hardware-breakpoints.js";

export const RAX = 0;
export const RCX = 1;
export const RDX = 2;
export const RBX = 3;
export const RSP = 4;
export const RBP = 5;
export const RSI = 6;
export const RDI = 7;

export interface ProcessorRegisters {
  /** General register `i`, in encoding order, unsigned 64 bits. */
  get(i: number): bigint;
  set(i: number, value: bigint): void;
  /** The unsigned value; rounded from 2^53 on. */
  number(i: number): number;
  low(i: number): number;
  high(i: number): number;
  /** Writes an integer within 2^53 of zero, sign-extended to 64 bits. */
  setNumber(i: number, value: number): void;
  rip: number;
  ripBig: bigint;
  rflags: number;
  fsBase: number;
  gsBase: number;
  pkru: number;
  mxcsr: number;
  /** A segment register's selector, in encoding order (cpu/segments.ts). */
  selector(i: number): number;
  /** The base of the segment, as code outside of 64-bit mode sees it. */
  segmentBase(i: number): number;
  /** Shows a selector without loading what it names. */
  setSelectorOnly(i: number, selector: number): void;
}

export type ExitReason =
  "budget" | "syscall" | "interrupt" | "exception" | "breakpoint" | "watchpoint" | "pkru";

export interface ProcessorExit {
  vector: number;
  errorCode: number;
  /** CR2 of a page fault; from 2^53 on only `addressBig` is exact. */
  address: number;
  addressBig: bigint;
}

export interface Processor {
  readonly model: { cpuid(leaf: number, subleaf: number): { readonly edx: number } };
  readonly registers: ProcessorRegisters;
  readonly exit: ProcessorExit;
  /** Instructions retired since the machine started. */
  readonly instructions: number;
  /** Runs at most `maxInstructions`. */
  run(maxInstructions: number): ExitReason;
  /** The debug registers of whoever runs; null: none is in use. */
  hardwareBreakpoints: HardwareBreakpoints | null;
  /** Executes one instruction, at RIP, whose bytes do not stand there. */
  runInstruction(bytes: Uint8Array): ExitReason;
  /** The XSAVE area in standard form: x87, SSE and PKRU, all marked as in use. */
  xsaveArea(): Uint8Array;
  loadXsaveArea(bytes: Uint8Array): void;
  /** x87 and SSE as after FNINIT with MXCSR 0x1f80; PKRU is left alone. */
  resetXstate(): void;
  /** The whole of a task's register state; in the bytes of an earlier one, if given. */
  saveContext(into?: Uint8Array): Uint8Array;
  loadContext(bytes: Uint8Array): void;
  /** Whether a run ends, as "pkru", behind each instruction that writes PKRU, for whoever listens. */
  listenToPkru(on: boolean): void;
  /** The last WRPKRU; instruction 0 before there was one. */
  readonly pkruWriter: { instruction: number; rip: number };
  /** Whether INT 0x80 ends a run as "interrupt"; without it the gate is closed. */
  opensInt80: boolean;
  /** Where segment descriptors are. */
  descriptorTables: DescriptorTables;
  /** What code runs: of 64-bit mode, or 32-bit or 16-bit code of compatibility mode. */
  readonly mode: 64 | 32 | 16;
  /** Linear address of the code at an instruction pointer: outside of 64-bit mode that is an offset in CS. */
  codeAddress(rip: number): number;
  /** MOV to a data segment register; the fault of one that cannot be loaded, which then is as it was. */
  loadSegment(i: number, selector: number): SegmentFault | undefined;
  /** IRET's checks and loads of CS and SS. */
  returnTo(cs: number, ss: number): SegmentFault | undefined;
  /** The address space's number: whose jumps are cached. */
  asid: number;
}
