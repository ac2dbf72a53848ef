import type { PhysicalMemory } from "../mmu/physical-memory.js";
import { FS_BASE, GS_BASE, RSP, SEGMENT_CACHE, SEGMENT_CACHE_BYTES, SELECTOR } from "./state.js";

/** Segment registers in encoding order (SDM vol. 2, B.1.4.2: sreg3). */
export const ES = 0;
export const CS = 1;
export const SS = 2;
export const DS = 3;
export const FS = 4;
export const GS = 5;

/** Where the processor finds segment descriptors: GDT and LDT (SDM vol. 3, 3.5). */
export interface DescriptorTables {
  /** The 8 bytes of a descriptor as two 32-bit halves; undefined where the selector is outside of its table. */
  read(selector: number): readonly [low: number, high: number] | undefined;
}

/** What the load of a segment register raises; the error code is the selector without its RPL, or 0. */
export interface SegmentFault {
  readonly vector: number;
  readonly errorCode: number;
}

const VECTOR_NP = 11;
const VECTOR_SS = 12;
const VECTOR_GP = 13;

/** Attributes of a descriptor cache: bits 8 to 23 of the descriptor's upper half, from bit 0 on (SDM vol. 3, 3.4.5). */
export const ACCESSED = 1;
/** Data: writable. Code: readable. */
export const READ_WRITE = 2;
/** Data: grows down. Code: conforming. */
export const DOWN_CONFORMING = 4;
export const CODE = 8;
export const NOT_SYSTEM = 0x10;
export const PRESENT = 0x80;
/** A code segment of 64-bit mode. */
export const LONG = 0x2000;
/** D of a code segment, B of a stack or expand-down segment: 32 bits. */
export const BIG = 0x4000;
const GRANULARITY = 0x8000;
const dplOf = (attributes: number): number => (attributes >>> 5) & 3;

/** The privilege level of all code that runs here. */
const CPL = 3;
const USER_CS = 0x33;
const USER_DS = 0x2b;

/** Linux's GDT as far as user mode may load it, without a thread's TLS entries; the LDT is empty. */
const LINUX_USER_GDT: ReadonlyMap<number, readonly [number, number]> = new Map([
  [0x20, [0x0000ffff, 0x00cffb00]],
  [0x28, [0x0000ffff, 0x00cff300]],
  [0x30, [0x0000ffff, 0x00affb00]],
  // Its limit is the processor's number.
  [0x78, [0x00000000, 0x0040f500]],
]);
export const LINUX_USER_TABLES: DescriptorTables = {
  read: (selector) => LINUX_USER_GDT.get(selector & 0xfffc),
};

/** A descriptor's parts as its cache holds them: the limit in bytes, inclusive. */
export interface Descriptor {
  readonly base: number;
  readonly limit: number;
  readonly attributes: number;
  /** As LAR gives them: bits 8 to 23 of the upper half, in their places. */
  readonly rights: number;
}

export function descriptorOf([low, high]: readonly [number, number]): Descriptor {
  const attributes = (high >>> 8) & 0xf0ff;
  const limit = (low & 0xffff) | (high & 0xf0000);
  return {
    base: ((low >>> 16) | ((high & 0xff) << 16) | (high & 0xff000000)) >>> 0,
    limit: (attributes & GRANULARITY) !== 0 ? ((limit << 12) | 0xfff) >>> 0 : limit,
    attributes,
    rights: high & 0x00ffff00,
  };
}

const isNull = (selector: number): boolean => (selector & 0xfffc) === 0;
const isCode = (attributes: number): boolean => (attributes & (NOT_SYSTEM | CODE)) === (NOT_SYSTEM | CODE);
const isWritableData = (attributes: number): boolean =>
  (attributes & (NOT_SYSTEM | CODE | READ_WRITE)) === (NOT_SYSTEM | READ_WRITE);

function fault(vector: number, selector: number): SegmentFault {
  return { vector, errorCode: selector & 0xfffc };
}

/** Segment registers: selectors and descriptor caches, which lie in the CPU state. */
export class Segments {
  /** Set by the kernel. */
  tables: DescriptorTables = LINUX_USER_TABLES;
  private readonly u16: Uint16Array;
  private readonly u32: Uint32Array;

  constructor(memory: PhysicalMemory) {
    this.u16 = memory.u16;
    this.u32 = memory.u32;
  }

  /** As Linux starts a 64-bit program: CS and SS flat, the others null. Bases of FS and GS are left alone. */
  reset(): void {
    for (const i of [ES, DS, FS, GS]) this.fill(i, 0, undefined);
    this.fill(CS, USER_CS, descriptorOf(LINUX_USER_GDT.get(USER_CS & 0xfffc)!));
    this.fill(SS, USER_DS, descriptorOf(LINUX_USER_GDT.get(USER_DS & 0xfffc)!));
  }

  selector(i: number): number {
    return this.u16[(SELECTOR >>> 1) + i]!;
  }
  setSelectorOnly(i: number, selector: number): void {
    this.u16[(SELECTOR >>> 1) + i] = selector;
  }
  /** 0 of a segment that cannot be used: a null selector was loaded. */
  attributes(i: number): number {
    return this.u32[cacheOf(i) + 3]!;
  }
  /** Inclusive, in bytes. */
  limit(i: number): number {
    return this.u32[cacheOf(i) + 2]!;
  }
  /** The base's lower 32 bits, which are all that counts outside of 64-bit mode. */
  base(i: number): number {
    return this.u32[i === FS ? FS_BASE >>> 2 : i === GS ? GS_BASE >>> 2 : cacheOf(i)]!;
  }
  /** Which code runs: by L and D of CS. */
  get mode(): 64 | 32 | 16 {
    const attributes = this.attributes(CS);
    return (attributes & LONG) !== 0 ? 64 : (attributes & BIG) !== 0 ? 32 : 16;
  }

  /** MOV to ES, SS, DS, FS or GS (SDM vol. 2, MOV): loads it, or changes nothing. A null FS or GS has base 0. */
  load(i: number, selector: number): SegmentFault | undefined {
    if (i !== SS && isNull(selector)) {
      this.fill(i, selector, undefined);
      this.setBase(i, 0);
      return undefined;
    }
    const found = this.find(selector);
    if (found === undefined) return fault(VECTOR_GP, selector);
    const refused = i === SS ? stackFault(selector, found.attributes) : dataFault(selector, found.attributes);
    if (refused !== undefined) return refused;
    this.fill(i, selector, found);
    this.setBase(i, found.base);
    return undefined;
  }

  /**
   * What a far JMP or CALL to this privilege level checks of its target (SDM vol. 2, JMP): the descriptor, or the
   * fault. A system descriptor is refused: Linux gives user mode no call gates.
   */
  codeFor(selector: number, isReturn: boolean): Descriptor | SegmentFault {
    if (isNull(selector)) return fault(VECTOR_GP, 0);
    const found = this.find(selector);
    if (found === undefined) return fault(VECTOR_GP, selector);
    const { attributes } = found;
    const rpl = selector & 3;
    const dpl = dplOf(attributes);
    const conforming = (attributes & DOWN_CONFORMING) !== 0;
    const refused =
      !isCode(attributes) ||
      (isReturn ? rpl < CPL : !conforming && rpl > CPL) ||
      (conforming ? dpl > CPL : dpl !== CPL) ||
      (attributes & (LONG | BIG)) === (LONG | BIG);
    if (refused) return fault(VECTOR_GP, selector);
    return (attributes & PRESENT) === 0 ? fault(VECTOR_NP, selector) : found;
  }

  /** What IRET to user mode checks of the stack segment. */
  stackFor(selector: number): Descriptor | SegmentFault {
    const found = isNull(selector) ? undefined : this.find(selector);
    if (found === undefined) return fault(VECTOR_GP, selector);
    return stackFault(selector, found.attributes) ?? found;
  }

  /** IRET to user mode (SDM vol. 2, IRET): loads CS and SS, or neither. */
  returnTo(cs: number, ss: number): SegmentFault | undefined {
    const code = this.codeFor(cs, true);
    if ("vector" in code) return code;
    const stack = this.stackFor(ss);
    if ("vector" in stack) return stack;
    this.loadCode(cs, code);
    this.loadStack(ss, stack);
    return undefined;
  }

  /** Loads CS with what `codeFor` found. Outside of 64-bit mode RSP has 32 bits. */
  loadCode(selector: number, found: Descriptor): void {
    if ((found.attributes & LONG) === 0) this.u32[(RSP >>> 2) + 1] = 0;
    this.fill(CS, (selector & 0xfffc) | CPL, found);
  }
  /** Loads SS with what `stackFor` found. */
  loadStack(selector: number, found: Descriptor): void {
    this.fill(SS, selector, found);
  }

  /** The descriptor if user mode may ask about it by LAR, LSL, VERR or VERW. */
  visible(selector: number): Descriptor | undefined {
    const found = isNull(selector) ? undefined : this.find(selector);
    if (found === undefined || (found.attributes & NOT_SYSTEM) === 0) return undefined;
    const { attributes } = found;
    const conforming = (attributes & (CODE | DOWN_CONFORMING)) === (CODE | DOWN_CONFORMING);
    return conforming || dplOf(attributes) === CPL ? found : undefined;
  }

  private find(selector: number): Descriptor | undefined {
    const halves = this.tables.read(selector & 0xffff);
    return halves === undefined ? undefined : descriptorOf(halves);
  }

  private fill(i: number, selector: number, found: Descriptor | undefined): void {
    this.setSelectorOnly(i, selector);
    const at = cacheOf(i);
    this.u32[at] = found?.base ?? 0;
    this.u32[at + 1] = 0;
    this.u32[at + 2] = found?.limit ?? 0;
    this.u32[at + 3] = found?.attributes ?? 0;
  }

  /** FS and GS have a base of 64 bits of their own. */
  private setBase(i: number, base: number): void {
    if (i !== FS && i !== GS) return;
    const at = (i === FS ? FS_BASE : GS_BASE) >>> 2;
    this.u32[at] = base;
    this.u32[at + 1] = 0;
  }
}

const cacheOf = (i: number): number => (SEGMENT_CACHE + SEGMENT_CACHE_BYTES * i) >>> 2;

function stackFault(selector: number, attributes: number): SegmentFault | undefined {
  if ((selector & 3) !== CPL || !isWritableData(attributes) || dplOf(attributes) !== CPL)
    return fault(VECTOR_GP, selector);
  return (attributes & PRESENT) === 0 ? fault(VECTOR_SS, selector) : undefined;
}

function dataFault(selector: number, attributes: number): SegmentFault | undefined {
  const code = isCode(attributes);
  const readable = !code || (attributes & READ_WRITE) !== 0;
  const conforming = code && (attributes & DOWN_CONFORMING) !== 0;
  if ((attributes & NOT_SYSTEM) === 0 || !readable || (!conforming && dplOf(attributes) !== CPL))
    return fault(VECTOR_GP, selector);
  return (attributes & PRESENT) === 0 ? fault(VECTOR_NP, selector) : undefined;
}
