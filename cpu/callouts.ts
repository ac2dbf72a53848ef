import type { Mmu } from "../mmu/mmu.js";
import type { PhysicalMemory } from "../mmu/physical-memory.js";
import type { GuestAccess } from "./guest-access.js";
import type { CpuModel } from "./models.js";
import type { Registers } from "./registers.js";

/**
 * Callouts: instructions too rare or too intricate for a micro-op body of their own. A callout reads its operands'
 * addresses from its record and works on the state in linear memory. It must not change anything before its last
 * possible fault.
 */

/** The callout is done; go on with the next micro-op. */
export const DONE = 0;
/** `cpu.raise…` or a guest access has recorded an exception; nothing was committed. */
export const FAULTED = 1;
/** Not finished (a long `rep`): state is consistent, run the same instruction again. */
export const AGAIN = 2;
export type CalloutStatus = typeof DONE | typeof FAULTED | typeof AGAIN;

/** What a callout may use. */
export interface CalloutContext {
  readonly memory: PhysicalMemory;
  /** Fields of the micro-op's record. */
  a(record: number): number;
  b(record: number): number;
  c(record: number): number;
  d(record: number): number;
  e(record: number): number;
  /** The record's 64-bit immediate as two halves. */
  immediateLow(record: number): number;
  immediateHigh(record: number): number;
  /**
   * Checks a guest access of `length` bytes (at most 4096) at the 64-bit address held in the 8 bytes at linear
   * `addressAt`. @returns false after recording the fault
   */
  probe(addressAt: number, length: number, write: boolean): boolean;
  /** Copies guest bytes at the address held at `addressAt` (+ `offset`) to linear `to`; false after a fault. */
  readGuest(addressAt: number, offset: number, length: number, to: number): boolean;
  /** Copies linear bytes to the guest; false after a fault, in which case nothing was written. */
  writeGuest(addressAt: number, offset: number, length: number, from: number): boolean;
  /** Records exception `vector`; return FAULTED after it. */
  raise(vector: number, errorCode?: number): void;
  /** RIP of the instruction a record belongs to, as a number. */
  ripOf(record: number): number;
  /** Instructions retired before this one. */
  instructionsAt(record: number): number;
  /** Remembers this WRPKRU as the last writer of PKRU. */
  pkruWrittenAt(record: number): void;
  /** Forgets the block that the record stands in. */
  dropBlockOf(record: number): void;
  readonly mmu: Mmu;
  readonly model: CpuModel;
  readonly registers: Registers;
  readonly access: GuestAccess;
}

export type Callout = (context: CalloutContext, record: number) => CalloutStatus;

const table: Callout[] = [];
const numbers = new Map<string, number>();

/** Registers a callout under a name; the decoder emits it with `x.callout(name, fields)`. */
export function defineCallout(name: string, run: Callout): void {
  if (numbers.has(name)) throw new Error(`callout ${name} is defined twice`);
  numbers.set(name, table.length);
  table.push(run);
}

export function calloutNumber(name: string): number {
  const number = numbers.get(name);
  if (number === undefined) throw new Error(`no callout ${name}`);
  return number;
}

export function callouts(): readonly Callout[] {
  return table;
}
