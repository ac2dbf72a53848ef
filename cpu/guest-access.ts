import { PAGE_SIZE, RAM_BASE } from "../mmu/layout.js";
import { READ, WRITE, type Mmu } from "../mmu/mmu.js";
import type { PhysicalMemory } from "../mmu/physical-memory.js";
import type { BlockCache } from "./block-cache.js";
import { EXIT_CODE_WRITE, EXIT_EXCEPTION, EXIT_WATCH } from "./exit-codes.js";
import { ACCESS_ADDRESS, BOUNCE, EXIT_CODE, EXIT_ERROR, EXIT_VECTOR, PKRU } from "./state.js";
import { SLOW_STORE, SLOW_WRITE_INTENT } from "./slow-path.js";
import type { HardwareBreakpoints } from "./hardware-breakpoints.js";
import type { StopPoints } from "./stop-points.js";

const TWO32 = 0x1_0000_0000;
const CANONICAL_HIGH = 0x8000;
export const VECTOR_GP = 13;
export const VECTOR_PF = 14;
/** Not a vector: a non-canonical address, which is #SS or #GP by the segment the access goes through. */
export const NON_CANONICAL = 0x100;

/** Guest accesses that the inline TLB check does not settle: misses, page crossings, stores to code, faults. */
export class GuestAccess {
  /** While one instruction is stepped, its store may change code: nothing decoded outlives it. */
  mayWriteCode = false;
  /** What a debugger watches; null: there is none. */
  stopPoints: StopPoints | null = null;
  /** The debug registers; null: none is in use. */
  hardware: HardwareBreakpoints | null = null;
  /** One instruction is executed by itself: what it meets of `hardware` is noted, and does not end it. */
  notingHardware = false;
  private readonly u32: Uint32Array;
  private readonly u8: Uint8Array;

  constructor(
    memory: PhysicalMemory,
    private readonly mmu: Mmu,
    private readonly blocks: BlockCache,
  ) {
    this.u32 = memory.u32;
    this.u8 = memory.u8;
  }

  /**
   * The interpreter's slow path for the address at ACCESS_ADDRESS.
   * @returns where the bytes lie (a store is already done, from BOUNCE), or 0 with EXIT_CODE set
   */
  slow(argument: number): number {
    const size = argument & 0xff;
    const store = (argument & SLOW_STORE) !== 0;
    const write = store || (argument & SLOW_WRITE_INTENT) !== 0;
    const va = this.userAddress(
      this.u32[ACCESS_ADDRESS >>> 2],
      this.u32[(ACCESS_ADDRESS >>> 2) + 1],
      size,
      write,
    );
    if (va < 0) return 0;
    if (this.watches && this.isWatched(va, size, !store, write)) return 0;
    const first = this.translate(va, write);
    if (first < 0) return 0;
    const inPage = PAGE_SIZE - (va % PAGE_SIZE);
    if (size <= inPage) {
      if (write && !this.codeGiveWay(first, size)) return 0;
      if (store) this.u8.copyWithin(first, BOUNCE, BOUNCE + size);
      return first;
    }
    const second = this.translate(va + inPage, write);
    if (second < 0) return 0;
    if (write && !(this.codeGiveWay(first, inPage) && this.codeGiveWay(second, size - inPage))) return 0;
    if (store) {
      this.u8.copyWithin(first, BOUNCE, BOUNCE + inPage);
      this.u8.copyWithin(second, BOUNCE + inPage, BOUNCE + size);
    } else {
      this.u8.copyWithin(BOUNCE, first, first + inPage);
      this.u8.copyWithin(BOUNCE + inPage, second, second + size - inPage);
    }
    return BOUNCE;
  }

  /**
   * Linear address of byte `va`, or -1 after recording the fault.
   * @param va below 2^47
   */
  translate(va: number, write: boolean): number {
    // WRPKRU may have changed the value without leaving WebAssembly.
    this.mmu.setPkru(this.u32[PKRU >>> 2]);
    const linear = this.mmu.access(va, write ? WRITE : READ);
    if (this.stopPoints?.changed === true && !this.stopPoints.noting) {
      this.u32[EXIT_CODE >>> 2] = EXIT_WATCH;
      return -1;
    }
    if (linear < 0) this.pageFault(va >>> 0, Math.floor(va / TWO32), this.mmu.fault.errorCode);
    return linear;
  }

  /** As translate, for a load of `length` bytes that stays in the page. */
  translateForLoad(va: number, length: number): number {
    if (this.watches && this.isWatched(va, length, true, false)) return -1;
    return this.translate(va, false);
  }

  /** As translate, for a store of `length` bytes that stays in the page: code in the way is dropped or refused. */
  translateForStore(va: number, length: number): number {
    if (this.watches && this.isWatched(va, length, false, true)) return -1;
    const linear = this.translate(va, true);
    return linear >= 0 && this.codeGiveWay(linear, length) ? linear : -1;
  }

  /** A 64-bit address as a number if all of the access lies in the user half; -1 after recording the fault. */
  userAddress(low: number, high: number, size: number, write: boolean): number {
    const va = high * TWO32 + low;
    if (high < CANONICAL_HIGH && va + size <= CANONICAL_HIGH * TWO32) return va;
    if (high >>> 15 === 0x1ffff) this.pageFault(low, high, write ? 6 : 4);
    else this.raise(NON_CANONICAL, 0);
    return -1;
  }

  private get watches(): boolean {
    return this.stopPoints !== null || this.hardware !== null;
  }

  /** True where the instruction has to be left, to be executed by itself: then what it meets is only noted. */
  private isWatched(va: number, size: number, read: boolean, write: boolean): boolean {
    const met = this.hardware === null ? 0 : this.hardware.meets(va, size, write);
    if (met !== 0) {
      if (!this.notingHardware) {
        this.u32[EXIT_CODE >>> 2] = EXIT_WATCH;
        return true;
      }
      this.hardware!.hits |= met;
    }
    const stops = this.stopPoints;
    const watch = stops?.meets(va, size, read, write);
    if (stops === null || watch === undefined) return false;
    if (stops.noting) {
      stops.hit ??= { watch, address: Math.max(va, watch.start), rip: 0 };
      return false;
    }
    this.u32[EXIT_CODE >>> 2] = EXIT_WATCH;
    return true;
  }

  private codeGiveWay(linear: number, length: number): boolean {
    const frame = Math.floor((linear - RAM_BASE) / PAGE_SIZE);
    if (this.mmu.codePages[frame] === 0) return true;
    if (!this.blocks.hasCode(frame, linear % PAGE_SIZE, length)) return true;
    if (this.mayWriteCode) {
      this.blocks.dropFrame(frame);
      return true;
    }
    this.u32[EXIT_CODE >>> 2] = EXIT_CODE_WRITE;
    return false;
  }

  private pageFault(low: number, high: number, errorCode: number): void {
    this.u32[ACCESS_ADDRESS >>> 2] = low;
    this.u32[(ACCESS_ADDRESS >>> 2) + 1] = high;
    this.raise(VECTOR_PF, errorCode);
  }

  fetchFault(va: number, errorCode: number): void {
    this.pageFault(va >>> 0, Math.floor(va / TWO32), errorCode);
  }

  raise(vector: number, errorCode: number): void {
    this.u32[EXIT_VECTOR >>> 2] = vector;
    this.u32[EXIT_ERROR >>> 2] = errorCode;
    this.u32[EXIT_CODE >>> 2] = EXIT_EXCEPTION;
  }

  /** Copies guest bytes at `va` to linear `to`; false after a fault. */
  read(low: number, high: number, length: number, to: number): boolean {
    const va = this.userAddress(low, high, length, false);
    if (va < 0) return false;
    if (this.watches && this.isWatched(va, length, true, false)) return false;
    for (let done = 0; done < length;) {
      const chunk = Math.min(length - done, PAGE_SIZE - ((va + done) % PAGE_SIZE));
      const from = this.translate(va + done, false);
      if (from < 0) return false;
      this.u8.copyWithin(to + done, from, from + chunk);
      done += chunk;
    }
    return true;
  }

  /** Checks [va, va + length); false after a fault. */
  probe(low: number, high: number, length: number, write: boolean): boolean {
    const va = this.userAddress(low, high, length, write);
    if (va < 0) return false;
    if (this.watches && this.isWatched(va, length, !write, write)) return false;
    for (let done = 0; done < length;) {
      const chunk = Math.min(length - done, PAGE_SIZE - ((va + done) % PAGE_SIZE));
      const linear = this.translate(va + done, write);
      if (linear < 0 || (write && !this.codeGiveWay(linear, chunk))) return false;
      done += chunk;
    }
    return true;
  }

  /** Copies linear bytes to the guest; false after a fault, with nothing written. */
  write(low: number, high: number, length: number, from: number): boolean {
    if (!this.probe(low, high, length, true)) return false;
    const va = high * TWO32 + low;
    for (let done = 0; done < length;) {
      const chunk = Math.min(length - done, PAGE_SIZE - ((va + done) % PAGE_SIZE));
      const to = this.translate(va + done, true);
      this.u8.copyWithin(to, from + done, from + done + chunk);
      done += chunk;
    }
    return true;
  }
}
