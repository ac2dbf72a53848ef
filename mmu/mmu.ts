import { FETCH, READ, WRITE, type AccessKind } from "./access-kind.js";
import { PAGE_SIZE, RAM_BASE, TLB_ENTRIES } from "./layout.js";
import {
  LEAF_1G_RESERVED_LOW,
  LEAF_2M_RESERVED_LOW,
  PF_I,
  PF_P,
  PF_PK,
  PF_RSVD,
  PF_U,
  PF_W,
  PTE_A,
  PTE_D,
  PTE_NX,
  PTE_P,
  PTE_PS,
  PTE_RESERVED_HIGH,
  PTE_RW,
  PTE_US,
  pteKey,
} from "./page-table-entry.js";
import type { PhysicalMemory } from "./physical-memory.js";
import { Tlb } from "./tlb.js";
import type { PageFrame } from "./types.js";
import { leafDenial, type PagingControls } from "./walk.js";

export { FETCH, READ, WRITE, type AccessKind } from "./access-kind.js";

const FETCH_MASK = TLB_ENTRIES - 1;
const NO_PAGE = -1;

/** Why the last `access` returned -1. One object, overwritten: `access` must not allocate. */
export interface PageFault {
  /** #PF error code, SDM vol. 3A 4.7. */
  errorCode: number;
  /** CR2: the address that was asked for. */
  address: number;
}

const SEEN_BY_USER = PTE_P | PTE_US | PTE_A;

/** What must be kept to put an MMU together again. */
export interface MmuState {
  readonly controls: PagingControls;
  readonly root: PageFrame;
  readonly asid: number;
  readonly pkru: number;
}

/** Translates virtual addresses for the CPU and for the kernel's copies, checks permissions, fills the TLB. */
export class Mmu {
  readonly tlb: Tlb;
  readonly fault: PageFault = { errorCode: 0, address: 0 };
  /** Called after translations of [start, end) bytes changed; the CPU drops jumps and blocks found there. */
  onTranslationChange: (start: number, end: number) => void = () => {};
  /** Addresses of pages that never enter the data TLB, so that every access to them comes through `access`. */
  withheld: ReadonlySet<number> | null = null;
  /** The same, for the program's own debug registers. */
  watched: ReadonlySet<number> | null = null;
  /** Slow translations so far (TLB misses of data and fetches). */
  walks = 0;

  private controls: PagingControls = { pke: true, nxe: true, wp: true };
  private root: PageFrame = 0;
  private asid = 0;
  private currentPkru = 0;
  private readonly fetchPages = new Float64Array(TLB_ENTRIES).fill(NO_PAGE);
  private readonly fetchLinear = new Float64Array(TLB_ENTRIES);
  private readonly fetchAsid = new Float64Array(TLB_ENTRIES);

  constructor(readonly memory: PhysicalMemory) {
    this.tlb = new Tlb(memory);
    this.tlb.select(this.asid, this.currentPkru);
  }

  /** CR4.PKE, EFER.NXE, CR0.WP. */
  get features(): Readonly<PagingControls> {
    return this.controls;
  }

  /** Changes control bits; everything cached under the old ones is forgotten. */
  setFeatures(features: Partial<PagingControls>): void {
    this.controls = { ...this.controls, ...features };
    this.flush();
  }

  get pkru(): number {
    return this.currentPkru;
  }

  /** WRPKRU: selects the TLB bank of that value; nothing is flushed. */
  setPkru(pkru: number): void {
    const value = pkru >>> 0;
    if (value === this.currentPkru) return;
    this.currentPkru = value;
    this.tlb.select(this.asid, value);
  }

  /** Linear address of the current TLB bank. */
  get tlbBase(): number {
    return this.tlb.base;
  }

  get addressSpaceRoot(): PageFrame {
    return this.root;
  }

  /**
   * CR3: whose page tables to walk.
   * @param root frame of the PML4
   * @param asid the address space's number, never used again for another: TLB banks are kept under it
   */
  setAddressSpace(root: PageFrame, asid: number): void {
    if (root === this.root && asid === this.asid) return;
    this.root = root;
    this.asid = asid;
    this.tlb.select(asid, this.currentPkru);
  }

  /** One byte a frame, 1 = decoded code in it: writes to it never enter the TLB. */
  get codePages(): Uint8Array {
    return this.memory.codePages;
  }

  /** The frame now has decoded code: from here on every write to it comes through `access`. */
  protectCode(frame: PageFrame): void {
    if (this.memory.codePages[frame] !== 0) return;
    this.memory.codePages[frame] = 1;
    this.tlb.dropWriteTags(this.memory.linearOf(frame));
  }

  /** Nothing decoded is left in the frame. */
  unprotectCode(frame: PageFrame): void {
    this.memory.codePages[frame] = 0;
  }

  /**
   * Translates one byte's address for an access of this kind, checks that it is permitted, sets accessed and
   * dirty bits and fills the TLB.
   * @param va below 2^47; an access that crosses into another page asks for each page
   * @param user false for the kernel's own copies, which obey PKRU but not the U/S bit
   * @returns the byte's linear address; or -1 with `fault` filled. Before writing to a page of `codePages` the
   *   caller must see that its code is forgotten.
   */
  access(va: number, kind: AccessKind, user = true): number {
    if (kind === FETCH) {
      const slot = (va >>> 12) & FETCH_MASK;
      if (user && this.fetchPages[slot] === va - (va & 0xfff) && this.fetchAsid[slot] === this.asid)
        return this.fetchLinear[slot] + (va & 0xfff);
    } else {
      const linear = this.tlb.lookup(va, kind === WRITE);
      if (linear !== 0) return linear;
    }
    return this.walkAndFill(va, kind, user);
  }

  /**
   * Where a user's fetch at `va` goes, if it would find all accessed bits set, so that asking changes nothing.
   * @returns the byte's linear address, or -1
   */
  fetchedBefore(va: number): number {
    const slot = (va >>> 12) & FETCH_MASK;
    const offset = va & 0xfff;
    if (this.fetchPages[slot] === va - offset && this.fetchAsid[slot] === this.asid)
      return this.fetchLinear[slot]! + offset;
    const words = this.memory.u32;
    const page = va / PAGE_SIZE;
    let table = this.root;
    for (let level = 4; ; level--) {
      const pages = 512 ** (level - 1);
      const at = (RAM_BASE >>> 2) + table * (PAGE_SIZE / 4) + (Math.floor(page / pages) & 511) * 2;
      const low = words[at]!;
      if ((low & SEEN_BY_USER) !== SEEN_BY_USER) return -1;
      if (this.controls.nxe && (words[at + 1]! & PTE_NX) !== 0) return -1;
      const frame = low >>> 12;
      if (level === 1) return RAM_BASE + frame * PAGE_SIZE + offset;
      // Bit 12 of a large leaf is PAT, not address.
      if ((low & PTE_PS) !== 0)
        return RAM_BASE + ((frame & ~1) + (Math.floor(page) % pages)) * PAGE_SIZE + offset;
      table = frame;
    }
  }

  private walkAndFill(va: number, kind: AccessKind, user: boolean): number {
    this.walks++;
    const { controls, memory } = this;
    const words = memory.u32;
    const high32 = (va / 0x1_0000_0000) | 0;
    const low32 = va >>> 0;
    const reservedHigh = PTE_RESERVED_HIGH | (controls.nxe ? 0 : PTE_NX);
    let table = this.root;
    let permissions = PTE_US | PTE_RW;
    let anyHigh = 0;
    let at: number;
    let low: number;
    let high: number;
    let physicalPage: number;
    for (let level = 4; ; level--) {
      if (table >= memory.frameCount) return this.refuse(va, kind, user, PF_P | PF_RSVD);
      const index =
        level === 4
          ? high32 >>> 7
          : level === 3
            ? ((high32 & 0x7f) << 2) | (low32 >>> 30)
            : level === 2
              ? low32 >>> 21
              : low32 >>> 12;
      at = (RAM_BASE >>> 2) + table * (PAGE_SIZE / 4) + (index & 511) * 2;
      low = words[at];
      high = words[at + 1];
      if ((low & PTE_P) === 0) return this.refuse(va, kind, user, 0);
      if ((high & reservedHigh) !== 0) return this.refuse(va, kind, user, PF_P | PF_RSVD);
      permissions &= low;
      anyHigh |= high;
      if (level === 1) {
        physicalPage = low >>> 12;
        break;
      }
      if ((low & PTE_PS) !== 0) {
        if (level === 4) return this.refuse(va, kind, user, PF_P | PF_RSVD);
        const reserved = level === 3 ? LEAF_1G_RESERVED_LOW : LEAF_2M_RESERVED_LOW;
        if ((low & reserved) !== 0) return this.refuse(va, kind, user, PF_P | PF_RSVD);
        const inside = (low32 >>> 12) & (level === 3 ? 0x3ffff : 0x1ff);
        // Bit 12 of a large leaf is PAT, not address.
        physicalPage = ((low >>> 13) << 1) | inside;
        break;
      }
      if ((low & PTE_A) === 0) {
        words[at] = low | PTE_A;
        memory.entryWritten(at);
      }
      table = low >>> 12;
    }

    const userPage = (permissions & PTE_US) !== 0;
    const writable = (permissions & PTE_RW) !== 0;
    const noExecute = (anyHigh & PTE_NX) !== 0;
    const key = pteKey(high);
    const denial = leafDenial(kind, user, userPage, writable, noExecute, key, controls, this.currentPkru);
    if (denial !== 0) return this.refuse(va, kind, user, PF_P | (denial & PF_PK));
    if (physicalPage >= memory.frameCount) return this.refuse(va, kind, user, PF_P | PF_RSVD);

    const newLow = low | PTE_A | (kind === WRITE ? PTE_D : 0);
    if (newLow !== (low | 0)) {
      words[at] = newLow;
      memory.entryWritten(at);
    }
    if (kind === WRITE) memory.unchanged[physicalPage] = 0;
    const offset = va & 0xfff;
    const linearPage = RAM_BASE + physicalPage * PAGE_SIZE;
    if (user) {
      if (kind === FETCH) {
        const slot = (va >>> 12) & FETCH_MASK;
        this.fetchPages[slot] = va - offset;
        this.fetchLinear[slot] = linearPage;
        this.fetchAsid[slot] = this.asid;
      } else if (this.withheld?.has(va - offset) !== true && this.watched?.has(va - offset) !== true) {
        // A write tag only where a store has nothing left to record: dirty is set, no code is cached, no snapshot
        // counts on the bytes.
        const storable =
          (newLow & PTE_D) !== 0 &&
          memory.codePages[physicalPage] === 0 &&
          memory.unchanged[physicalPage] === 0 &&
          leafDenial(WRITE, true, userPage, writable, noExecute, key, controls, this.currentPkru) === 0;
        const readable =
          kind === READ ||
          leafDenial(READ, true, userPage, writable, noExecute, key, controls, this.currentPkru) === 0;
        this.tlb.fill(va - offset, readable, storable, linearPage);
      }
    }
    return linearPage + offset;
  }

  private refuse(va: number, kind: AccessKind, user: boolean, bits: number): -1 {
    this.fault.errorCode =
      bits | (kind === WRITE ? PF_W : kind === FETCH && this.controls.nxe ? PF_I : 0) | (user ? PF_U : 0);
    this.fault.address = va;
    return -1;
  }

  /** INVLPG: the page's translation changed, in the current address space or in another. */
  invalidatePage(va: number, asid = this.asid): void {
    const page = va - (va & 0xfff);
    this.tlb.dropPage(page, asid);
    this.dropFetch(page);
    this.onTranslationChange(page, page + PAGE_SIZE);
  }

  /** The translations of [start, end) bytes changed, in the current address space or in another. */
  invalidateRange(start: number, end: number, asid = this.asid): void {
    if (end <= start) return;
    this.tlb.dropRange(start, end, asid);
    if (end - start > TLB_ENTRIES * PAGE_SIZE) this.fetchPages.fill(NO_PAGE);
    else for (let page = start; page < end; page += PAGE_SIZE) this.dropFetch(page);
    this.onTranslationChange(start, end);
  }

  /** Pages of an address space lost their write permission, and nothing else changed: code found there stays. */
  dropAddressSpace(asid: number): void {
    this.tlb.dropAddressSpace(asid);
  }

  /** An address space has ended; its number is never used again, so fetches and jumps kept under it stay unused. */
  endAddressSpace(asid: number): void {
    this.tlb.endAddressSpace(asid);
  }

  /** From here on the first store to each page comes through `access`, which notes it in `PhysicalMemory.unchanged`. */
  dropWriteTags(): void {
    this.tlb.dropAllWriteTags();
  }

  saveState(): MmuState {
    return { controls: this.controls, root: this.root, asid: this.asid, pkru: this.currentPkru };
  }

  /** Takes a state over; nothing that was cached before counts any more. */
  loadState(state: MmuState): void {
    this.controls = state.controls;
    this.root = state.root;
    this.asid = state.asid;
    this.currentPkru = state.pkru;
    this.tlb.disown();
    this.tlb.select(state.asid, state.pkru);
    this.flush();
  }

  /** Every translation may have changed. */
  flush(): void {
    this.tlb.flush();
    this.fetchPages.fill(NO_PAGE);
    this.onTranslationChange(0, 2 ** 47);
  }

  private dropFetch(page: number): void {
    const slot = (page >>> 12) & FETCH_MASK;
    if (this.fetchPages[slot] === page) this.fetchPages[slot] = NO_PAGE;
  }
}
