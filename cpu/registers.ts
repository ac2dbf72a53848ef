import type { PhysicalMemory } from "../mmu/physical-memory.js";
import type { Mmu } from "../mmu/mmu.js";
import { Segments } from "./segments.js";
import {
  CPU_STATE_BASE,
  FLAG_AUX,
  FLAG_OTHER,
  FLAG_RESULT,
  FS_BASE,
  GPR,
  GS_BASE,
  MXCSR,
  PKRU,
  PKRU_RECENT,
  PKRU_RECENT_ENTRIES,
  RIP,
  STATE_BYTES,
  TLB_BANK,
} from "./state.js";

export const RFLAGS_CF = 1;
export const RFLAGS_PF = 4;
export const RFLAGS_AF = 0x10;
export const RFLAGS_ZF = 0x40;
export const RFLAGS_SF = 0x80;
export const RFLAGS_TF = 0x100;
export const RFLAGS_IF = 0x200;
export const RFLAGS_DF = 0x400;
export const RFLAGS_OF = 0x800;
/** What POPF of a user program may change beside the arithmetic flags: TF, DF, NT, AC, ID. */
export const RFLAGS_OTHER = RFLAGS_TF | RFLAGS_DF | 0x4000 | 0x40000 | 0x200000;
const RFLAGS_RF = 0x10000;
const TWO32 = 0x1_0000_0000;

/** RFLAGS as PUSHF shows it, of the halves of FLAG_RESULT, and of FLAG_AUX and FLAG_OTHER. */
export function rflagsOf(low: number, high: number, aux: number, other: number): number {
  let parity = (low ^ (aux >>> 8)) & 0xff;
  parity ^= parity >>> 4;
  parity ^= parity >>> 2;
  parity ^= parity >>> 1;
  return (
    2 |
    RFLAGS_IF |
    other |
    (aux >>> 31) |
    ((parity & 1) === 0 ? RFLAGS_PF : 0) |
    ((aux & 8) << 1) |
    (low === 0 && high === 0 ? RFLAGS_ZF : 0) |
    ((((high >>> 31) ^ aux) & 1) << 7) |
    (((aux >>> 31) ^ ((aux >>> 30) & 1)) << 11)
  );
}

/** The register file, seen from TypeScript. General registers are numbered in encoding order. */
export class Registers {
  readonly segments: Segments;
  private readonly u32: Uint32Array;
  private readonly view: DataView;
  /** The bytes that a context switch keeps. */
  private readonly state: Uint8Array;
  private recentAge = -1;
  private recentAsid = -1;
  private nextRecent = 0;

  constructor(
    private readonly memory: PhysicalMemory,
    private readonly mmu: Mmu,
  ) {
    this.segments = new Segments(memory);
    this.u32 = memory.u32;
    this.view = new DataView(memory.memory.buffer);
    this.state = memory.u8.subarray(CPU_STATE_BASE, CPU_STATE_BASE + STATE_BYTES);
  }

  get(i: number): bigint {
    return this.view.getBigUint64(GPR + 8 * i, true);
  }
  set(i: number, value: bigint): void {
    this.view.setBigUint64(GPR + 8 * i, BigInt.asUintN(64, value), true);
  }
  low(i: number): number {
    return this.u32[(GPR >>> 2) + 2 * i];
  }
  high(i: number): number {
    return this.u32[(GPR >>> 2) + 2 * i + 1];
  }
  /** The unsigned 64-bit value as a number: exact below 2^53. */
  number(i: number): number {
    return this.high(i) * TWO32 + this.low(i);
  }
  /** Sets a register from an integer between -2^53 and 2^53, sign-extended to 64 bits. */
  setNumber(i: number, value: number): void {
    this.u32[(GPR >>> 2) + 2 * i] = value;
    this.u32[(GPR >>> 2) + 2 * i + 1] = Math.floor(value / TWO32);
  }
  /** Writes a 64-bit field of the state from a non-negative number below 2^53. */
  setNumberAt(address: number, value: number): void {
    this.setPair(address, value);
  }
  private pair(address: number): number {
    return this.u32[(address >>> 2) + 1] * TWO32 + this.u32[address >>> 2];
  }
  private setPair(address: number, value: number): void {
    this.u32[address >>> 2] = value;
    this.u32[(address >>> 2) + 1] = Math.floor(value / TWO32);
  }

  get rip(): number {
    return this.pair(RIP);
  }
  set rip(value: number) {
    this.setPair(RIP, value);
  }
  get ripBig(): bigint {
    return this.view.getBigUint64(RIP, true);
  }
  set ripBig(value: bigint) {
    this.view.setBigUint64(RIP, BigInt.asUintN(64, value), true);
  }
  get fsBase(): number {
    return this.pair(FS_BASE);
  }
  set fsBase(value: number) {
    this.setPair(FS_BASE, value);
  }
  get gsBase(): number {
    return this.pair(GS_BASE);
  }
  set gsBase(value: number) {
    this.setPair(GS_BASE, value);
  }
  /** The selector of a segment register, by its number in cpu/segments.ts. */
  selector(i: number): number {
    return this.segments.selector(i);
  }
  /** The base of a segment register, as code outside of 64-bit mode sees it. */
  segmentBase(i: number): number {
    return this.segments.base(i);
  }
  /** What is shown as a segment register's selector; its descriptor cache stays as it is. */
  setSelectorOnly(i: number, selector: number): void {
    this.segments.setSelectorOnly(i, selector);
  }
  get pkru(): number {
    return this.u32[PKRU >>> 2];
  }
  set pkru(value: number) {
    this.u32[PKRU >>> 2] = value;
    this.mmu.setPkru(value);
    this.u32[TLB_BANK >>> 2] = this.mmu.tlbBase;
  }
  /** Lets WRPKRU find the current value's TLB bank without leaving WebAssembly, until banks change owners. */
  rememberPkru(): void {
    if (this.recentAge !== this.mmu.tlb.assignments) this.forgetRecentPkru();
    const at = (PKRU_RECENT >>> 2) + 2 * this.nextRecent;
    this.u32[at] = this.pkru;
    this.u32[at + 1] = this.mmu.tlbBase;
    this.nextRecent = (this.nextRecent + 1) % PKRU_RECENT_ENTRIES;
  }
  /** Before a run: another address space, or a bank that went to another value, ends what WRPKRU knew. */
  refreshPkru(asid: number): void {
    if (this.recentAge !== this.mmu.tlb.assignments || this.recentAsid !== asid) this.forgetRecentPkru();
    this.recentAsid = asid;
    this.u32[TLB_BANK >>> 2] = this.mmu.tlbBase;
  }
  private forgetRecentPkru(): void {
    this.recentAge = this.mmu.tlb.assignments;
    this.u32.fill(0, PKRU_RECENT >>> 2, (PKRU_RECENT >>> 2) + 2 * PKRU_RECENT_ENTRIES);
  }
  get mxcsr(): number {
    return this.u32[MXCSR >>> 2];
  }
  set mxcsr(value: number) {
    this.u32[MXCSR >>> 2] = value;
  }

  /** RFLAGS as PUSHF shows it. */
  get rflags(): number {
    return rflagsOf(
      this.u32[FLAG_RESULT >>> 2],
      this.u32[(FLAG_RESULT >>> 2) + 1],
      this.u32[FLAG_AUX >>> 2],
      this.u32[FLAG_OTHER >>> 2],
    );
  }
  /** Loads the arithmetic flags and those a user program may change; the rest is as Linux keeps it. */
  set rflags(value: number) {
    const cf = value & 1;
    const pf = (value >>> 2) & 1;
    const zf = (value >>> 6) & 1;
    const of = (value >>> 11) & 1;
    this.u32[FLAG_RESULT >>> 2] = zf ^ 1;
    this.u32[(FLAG_RESULT >>> 2) + 1] = 0;
    this.u32[FLAG_AUX >>> 2] =
      (cf << 31) | ((cf ^ of) << 30) | ((pf ^ zf) << 8) | ((value & RFLAGS_AF) >>> 1) | ((value >>> 7) & 1);
    this.u32[FLAG_OTHER >>> 2] = value & (RFLAGS_OTHER | RFLAGS_RF);
  }

  /** Everything a context switch has to keep, as bytes; in a buffer that an earlier `save` made, if one is given. */
  save(into?: Uint8Array): Uint8Array {
    if (into === undefined) return this.memory.u8.slice(CPU_STATE_BASE, CPU_STATE_BASE + STATE_BYTES);
    into.set(this.state);
    return into;
  }
  /** @param context without segments, if a machine that knew only Linux's own made it */
  load(context: Uint8Array): void {
    this.state.set(context);
    if (context.length < STATE_BYTES) this.segments.reset();
    this.pkru = this.u32[PKRU >>> 2];
  }
}
