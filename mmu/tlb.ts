import { TLB_BANKS, TLB_BANK_BYTES, TLB_BASE, TLB_ENTRIES, TLB_ENTRY_BYTES } from "./layout.js";
import type { PhysicalMemory } from "./physical-memory.js";

/*
 * The data TLB: banks of direct-mapped entries in linear memory, where generated code looks.
 *
 *   +0  i64 read tag    the page's virtual address when reads are permitted
 *   +8  i64 write tag   the same for writes (page table, PKRU, dirty bit already set, no decoded code in the page)
 *   +16 i32 addend      linear address of the page's first byte
 *
 * A hit is: d = va - tag; d <= 4096 - size (unsigned); host = addend + d. The tag of an invalid entry is a page
 * address of the neighbouring slot, so that no address that maps to this slot can be within a page of it.
 *
 * A bank belongs to one (address space, PKRU) pair: permissions are folded into the tags, and a WRPKRU selects
 * another bank instead of flushing.
 */

const ENTRY_WORDS = TLB_ENTRY_BYTES >>> 2;
const SLOT_MASK = TLB_ENTRIES - 1;
/** Above this many pages a range is dropped by clearing whole banks. */
const RANGE_LIMIT = TLB_ENTRIES / 2;

export class Tlb {
  private readonly words: Int32Array;
  private readonly bankAsid = new Int32Array(TLB_BANKS).fill(-1);
  private readonly bankPkru = new Int32Array(TLB_BANKS);
  private readonly bankUsed = new Float64Array(TLB_BANKS);
  /** A bank of invalid entries. */
  private readonly empty = new Int32Array(TLB_ENTRIES * ENTRY_WORDS);
  private clock = 0;
  /** How often a bank was given to a pair: who remembers a bank's address asks whether this has grown. */
  assignments = 0;
  /** Linear address of the current bank: what generated code adds its slot offset to. */
  base = TLB_BASE;

  constructor(memory: PhysicalMemory) {
    this.words = memory.i32;
    for (let slot = 0; slot < TLB_ENTRIES; slot++) writeInvalid(this.empty, slot * ENTRY_WORDS, slot);
  }

  /** Makes the pair's bank current, taking the least recently used one when it has none. */
  select(asid: number, pkru: number): void {
    const pkruWord = pkru | 0;
    const { bankAsid, bankPkru, bankUsed } = this;
    let oldest = 0;
    for (let bank = 0; bank < TLB_BANKS; bank++) {
      if (bankPkru[bank] === pkruWord && bankAsid[bank] === asid) {
        bankUsed[bank] = ++this.clock;
        this.base = TLB_BASE + bank * TLB_BANK_BYTES;
        return;
      }
      if (bankUsed[bank] < bankUsed[oldest]) oldest = bank;
    }
    this.clearBank(oldest);
    this.assignments++;
    bankAsid[oldest] = asid;
    bankPkru[oldest] = pkruWord;
    bankUsed[oldest] = ++this.clock;
    this.base = TLB_BASE + oldest * TLB_BANK_BYTES;
  }

  /** Enters a page into the current bank; replaces whatever the slot held. */
  fill(page: number, readable: boolean, writable: boolean, linearPage: number): void {
    const slot = (page >>> 12) & SLOT_MASK;
    const at = (this.base >>> 2) + slot * ENTRY_WORDS;
    const { words } = this;
    const low = page | 0;
    const high = (page / 0x1_0000_0000) | 0;
    const invalid = (slot ^ 1) << 12;
    words[at] = readable ? low : invalid;
    words[at + 1] = readable ? high : 0;
    words[at + 2] = writable ? low : invalid;
    words[at + 3] = writable ? high : 0;
    words[at + 4] = linearPage | 0;
  }

  /** Linear address for a permitted access that the current bank knows, else 0. */
  lookup(va: number, write: boolean): number {
    const at = (this.base >>> 2) + ((va >>> 12) & SLOT_MASK) * ENTRY_WORDS;
    const { words } = this;
    const tag = write ? at + 2 : at;
    if (words[tag] !== (va & ~0xfff) || words[tag + 1] !== ((va / 0x1_0000_0000) | 0)) return 0;
    return (words[at + 4] >>> 0) + (va & 0xfff);
  }

  /** Forgets a page in every bank of an address space. */
  dropPage(va: number, asid: number): void {
    const slot = (va >>> 12) & SLOT_MASK;
    let at = (TLB_BASE >>> 2) + slot * ENTRY_WORDS;
    for (let bank = 0; bank < TLB_BANKS; bank++, at += TLB_BANK_BYTES >>> 2)
      if (this.bankAsid[bank] === asid) writeInvalid(this.words, at, slot);
  }

  /** Forgets the pages of [start, end) bytes in every bank of an address space. */
  dropRange(start: number, end: number, asid: number): void {
    const first = Math.floor(start / 4096);
    const pages = Math.ceil(end / 4096) - first;
    if (pages > RANGE_LIMIT) this.dropAddressSpace(asid);
    else for (let i = 0; i < pages; i++) this.dropPage((first + i) * 4096, asid);
  }

  /** Takes the write permission for a physical page out of every bank, whatever address it is mapped at. */
  dropWriteTags(linearPage: number): void {
    const wanted = linearPage | 0;
    const { words } = this;
    for (let bank = 0; bank < TLB_BANKS; bank++) {
      if (this.bankAsid[bank] === -1) continue;
      let at = (TLB_BASE + bank * TLB_BANK_BYTES) >>> 2;
      for (let slot = 0; slot < TLB_ENTRIES; slot++, at += ENTRY_WORDS) {
        if (words[at + 4] !== wanted) continue;
        words[at + 2] = (slot ^ 1) << 12;
        words[at + 3] = 0;
      }
    }
  }

  /** Takes every write permission out of every bank. */
  dropAllWriteTags(): void {
    const { words } = this;
    for (let bank = 0; bank < TLB_BANKS; bank++) {
      if (this.bankAsid[bank] === -1) continue;
      let at = (TLB_BASE + bank * TLB_BANK_BYTES) >>> 2;
      for (let slot = 0; slot < TLB_ENTRIES; slot++, at += ENTRY_WORDS) {
        words[at + 2] = (slot ^ 1) << 12;
        words[at + 3] = 0;
      }
    }
  }

  /** No bank belongs to anybody: numbers of address spaces may stand for others from now on. */
  disown(): void {
    this.bankAsid.fill(-1);
    this.bankUsed.fill(0);
  }

  /** Forgets what the banks of an address space hold. */
  dropAddressSpace(asid: number): void {
    for (let bank = 0; bank < TLB_BANKS; bank++) if (this.bankAsid[bank] === asid) this.clearBank(bank);
  }

  /** The address space has ended: its banks are the first to be taken for others. */
  endAddressSpace(asid: number): void {
    for (let bank = 0; bank < TLB_BANKS; bank++) {
      if (this.bankAsid[bank] !== asid) continue;
      // Whoever takes a bank clears it; the current one might be looked into before.
      if (this.base === TLB_BASE + bank * TLB_BANK_BYTES) this.clearBank(bank);
      this.bankAsid[bank] = -1;
      this.bankUsed[bank] = 0;
    }
  }

  /** Forgets everything; banks keep their owners. */
  flush(): void {
    for (let bank = 0; bank < TLB_BANKS; bank++) if (this.bankAsid[bank] !== -1) this.clearBank(bank);
  }

  private clearBank(bank: number): void {
    this.words.set(this.empty, (TLB_BASE + bank * TLB_BANK_BYTES) >>> 2);
  }
}

function writeInvalid(words: Int32Array, at: number, slot: number): void {
  const invalid = (slot ^ 1) << 12;
  words[at] = invalid;
  words[at + 1] = 0;
  words[at + 2] = invalid;
  words[at + 3] = 0;
  words[at + 4] = 0;
}
