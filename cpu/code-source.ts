import { PAGE_SIZE } from "../mmu/layout.js";
import { FETCH, type Mmu } from "../mmu/mmu.js";
import type { PhysicalMemory } from "../mmu/physical-memory.js";
import type { Block } from "./block.js";
import { physicalOf, type BlockCache } from "./block-cache.js";
import type { StopPoints } from "./stop-points.js";
import { MAX_INSTRUCTION_BYTES, type BlockDecoder } from "./decode/block-decoder.js";

/** Bytes given to the decoder at once: it copies them, and most blocks are short. */
const WINDOW_BYTES = 192;

/** From an instruction pointer to a decoded block: translates, reads the bytes, decodes what is not in the cache. */
export class CodeSource {
  /** The page fault that the last fetch ended in, if it returned undefined. */
  readonly fault = { address: 0, errorCode: 0 };

  /** Where a debugger wants blocks to end; null: there is none. */
  stopPoints: StopPoints | null = null;

  /** Where the program's own debug registers want blocks to end; null: nowhere. */
  hardwareBoundaries: ReadonlySet<number> | null = null;

  /** What `stepBlock` takes for the bytes at its address; null: those that stand there. */
  instead: Uint8Array | null = null;

  constructor(
    private readonly memory: PhysicalMemory,
    private readonly mmu: Mmu,
    private readonly blocks: BlockCache,
    private readonly decoder: BlockDecoder,
  ) {}

  /** The block at `rip`, decoded if need be; undefined after a fetch fault, which is recorded in `fault`. */
  blockAt(rip: number): Block | undefined {
    const linear = this.mmu.access(rip, FETCH);
    if (linear < 0) return this.fetchFault(rip);
    const physical = physicalOf(linear);
    const found = this.blocks.find(physical, rip);
    if (found !== undefined) return found;
    return this.decode(rip, linear, physical);
  }

  private get boundaries(): { has(address: number): boolean } | undefined {
    const outside = this.stopPoints?.boundaries;
    const own = this.hardwareBoundaries;
    if (own === null || outside === undefined) return own ?? outside;
    return { has: (address) => outside.has(address) || own.has(address) };
  }

  private decode(rip: number, linear: number, physical: number): Block | undefined {
    const inPage = PAGE_SIZE - (rip % PAGE_SIZE);
    const window = Math.min(inPage, WINDOW_BYTES);
    const bytes = this.memory.u8.subarray(linear, linear + window);
    let source = bytes;
    let decoded = this.decoder.decode(bytes, rip, undefined, this.boundaries);
    let secondFrame = -1;
    if (decoded.incomplete) {
      const whole = this.fetch(rip, MAX_INSTRUCTION_BYTES);
      if (whole === undefined) return undefined;
      source = whole;
      decoded = this.decoder.decode(whole, rip, 1);
      const end = decoded.rips[decoded.rips.length - 1];
      if (end - rip > inPage) {
        const second = this.mmu.access(rip + inPage, FETCH);
        secondFrame = Math.floor(physicalOf(second) / PAGE_SIZE);
        decoded = this.decoder.withPageCheck(decoded, rip + inPage, second);
      }
    }
    if (
      this.stopPoints?.endsAtPkru === true &&
      this.endsBehindWrpkru(decoded.rips, rip, source, this.stopPoints)
    )
      return this.decode(rip, linear, physical);
    if (this.blocks.isFull(decoded.records.length)) this.blocks.dropAll();
    return this.blocks.add(decoded, rip, physical, secondFrame);
  }

  /** The address behind a WRPKRU becomes a boundary. @returns whether one in the block was not yet */
  private endsBehindWrpkru(
    rips: ArrayLike<number>,
    rip: number,
    bytes: Uint8Array,
    { boundaries }: StopPoints,
  ): boolean {
    const before = boundaries.size;
    for (let i = 1; i < rips.length; i++) {
      const end = rips[i]! - rip;
      if (bytes[end - 3] === 0x0f && bytes[end - 2] === 0x01 && bytes[end - 1] === 0xef)
        boundaries.add(rips[i]!);
    }
    return boundaries.size !== before;
  }

  /** Up to `length` instruction bytes at `rip`; undefined after a fault of the first page, fewer bytes at the second's. */
  fetch(rip: number, length: number): Uint8Array | undefined {
    const linear = this.mmu.access(rip, FETCH);
    if (linear < 0) return this.fetchFault(rip);
    const inPage = Math.min(length, PAGE_SIZE - (rip % PAGE_SIZE));
    if (inPage === length) return this.memory.u8.slice(linear, linear + length);
    const second = this.mmu.access(rip + inPage, FETCH);
    if (second < 0) return this.fetchFault(rip + inPage);
    const bytes = new Uint8Array(length);
    bytes.set(this.memory.u8.subarray(linear, linear + inPage));
    bytes.set(this.memory.u8.subarray(second, second + length - inPage), inPage);
    return bytes;
  }

  private fetchFault(address: number): undefined {
    this.fault.address = address;
    this.fault.errorCode = this.mmu.fault.errorCode;
    return undefined;
  }

  /** The one instruction at `rip` as a block that is not registered; undefined after a fetch fault. */
  stepBlock(rip: number): Block | undefined {
    const linear = this.mmu.access(rip, FETCH);
    if (linear < 0) return this.fetchFault(rip);
    if (this.instead !== null)
      return this.blocks.addStep(this.decoder.decode(this.instead, rip, 1), rip, physicalOf(linear));
    const inPage = PAGE_SIZE - (rip % PAGE_SIZE);
    const window = Math.min(inPage, MAX_INSTRUCTION_BYTES);
    let decoded = this.decoder.decode(this.memory.u8.subarray(linear, linear + window), rip, 1);
    if (decoded.incomplete) {
      const bytes = this.fetch(rip, MAX_INSTRUCTION_BYTES);
      if (bytes === undefined) return undefined;
      decoded = this.decoder.decode(bytes, rip, 1);
    }
    return this.blocks.addStep(decoded, rip, physicalOf(linear));
  }
}
