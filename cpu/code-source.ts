import { PAGE_SIZE } from "../mmu/layout.js";
import { FETCH, type Mmu } from "../mmu/mmu.js";
import type { PhysicalMemory } from "../mmu/physical-memory.js";
import type { Block } from "./block.js";
import { physicalOf, type BlockCache } from "./block-cache.js";
import { linearOfCode, LONG_VIEW, type CodeView } from "./compat/code-view.js";
import { VECTOR_GP, VECTOR_PF } from "./guest-access.js";
import type { StopPoints } from "./stop-points.js";
import { MAX_INSTRUCTION_BYTES, type BlockDecoder } from "./decode/block-decoder.js";

/** Bytes given to the decoder at once: it copies them, and most blocks are short. */
const WINDOW_BYTES = 192;

/** From an instruction pointer to a decoded block: translates, reads the bytes, decodes what is not in the cache. */
export class CodeSource {
  /** What the last fetch ended in, if it returned undefined: a #PF at the address, or #GP(0) beyond the limit of CS. */
  readonly fault = { vector: VECTOR_PF, address: 0, errorCode: 0 };

  /** Where a debugger wants blocks to end; null: there is none. */
  stopPoints: StopPoints | null = null;

  /** Where the program's own debug registers want blocks to end; null: nowhere. */
  hardwareBoundaries: ReadonlySet<number> | null = null;

  /** What `stepBlock` takes for the bytes at its address; null: those that stand there. */
  instead: Uint8Array | null = null;

  /** How the code that runs is seen. */
  view: CodeView = LONG_VIEW;

  constructor(
    private readonly memory: PhysicalMemory,
    private readonly mmu: Mmu,
    private readonly blocks: BlockCache,
    private readonly decoder: BlockDecoder,
  ) {}

  /** Linear address of the code at `rip`. */
  linear(rip: number): number {
    return linearOfCode(this.view, rip);
  }

  private get boundaries(): { has(address: number): boolean } | undefined {
    const outside = this.stopPoints?.boundaries;
    const own = this.hardwareBoundaries;
    if (own === null || outside === undefined) return own ?? outside;
    return { has: (address) => outside.has(address) || own.has(address) };
  }

  /** The block at `rip`, decoded if need be; undefined after a fetch fault, which is recorded in `fault`. */
  blockAt(rip: number): Block | undefined {
    const { view } = this;
    if (rip > view.limit) return this.limitFault();
    const at = linearOfCode(view, rip);
    const linear = this.mmu.access(at, FETCH);
    if (linear < 0) return this.fetchFault(at);
    const physical = physicalOf(linear);
    const found = this.blocks.find(physical, rip, view);
    if (found !== undefined) return found;
    return this.decode(rip, at, linear, physical);
  }

  private decode(rip: number, at: number, linear: number, physical: number): Block | undefined {
    const { view } = this;
    const inPage = PAGE_SIZE - (at % PAGE_SIZE);
    const window = Math.min(inPage, WINDOW_BYTES, view.limit - rip + 1);
    const bytes = this.memory.u8.subarray(linear, linear + window);
    let source = bytes;
    let decoded = this.decoder.decode(bytes, rip, undefined, this.boundaries, view);
    let secondFrame = -1;
    if (decoded.incomplete) {
      const whole = this.fetch(rip, MAX_INSTRUCTION_BYTES);
      if (whole === undefined) return undefined;
      source = whole;
      decoded = this.decoder.decode(whole, rip, 1, undefined, view);
      if (decoded.incomplete) return this.limitFault();
      const end = decoded.rips[decoded.rips.length - 1];
      if (end - rip > inPage) {
        const second = this.mmu.access(at + inPage, FETCH);
        secondFrame = Math.floor(physicalOf(second) / PAGE_SIZE);
        decoded = this.decoder.withPageCheck(decoded, at + inPage, second);
      }
    }
    if (
      this.stopPoints?.endsAtPkru === true &&
      this.endsBehindWrpkru(decoded.rips, rip, source, this.stopPoints)
    )
      return this.decode(rip, at, linear, physical);
    if (this.blocks.isFull(decoded.records.length)) this.blocks.dropAll();
    return this.blocks.add(decoded, rip, view, physical, secondFrame);
  }

  /** The address behind a WRPKRU becomes a boundary. @returns whether one in the block was not yet */
  private endsBehindWrpkru(
    rips: ArrayLike<number>,
    rip: number,
    bytes: Uint8Array,
    { boundaries }: StopPoints,
  ): boolean {
    const before = boundaries.size;
    const { base } = this.view;
    for (let i = 1; i < rips.length; i++) {
      const end = rips[i]! - rip;
      if (bytes[end - 3] === 0x0f && bytes[end - 2] === 0x01 && bytes[end - 1] === 0xef)
        boundaries.add(rips[i]! + base);
    }
    return boundaries.size !== before;
  }

  /**
   * Up to `length` instruction bytes at `rip`: fewer at the limit of CS. Undefined after a fault of a page.
   */
  fetch(rip: number, length: number): Uint8Array | undefined {
    const at = this.linear(rip);
    const linear = this.mmu.access(at, FETCH);
    if (linear < 0) return this.fetchFault(at);
    const wanted = Math.min(length, this.view.limit - rip + 1);
    const inPage = Math.min(wanted, PAGE_SIZE - (at % PAGE_SIZE));
    if (inPage === wanted) return this.memory.u8.slice(linear, linear + wanted);
    const second = this.mmu.access(at + inPage, FETCH);
    if (second < 0) return this.fetchFault(at + inPage);
    const bytes = new Uint8Array(wanted);
    bytes.set(this.memory.u8.subarray(linear, linear + inPage));
    bytes.set(this.memory.u8.subarray(second, second + wanted - inPage), inPage);
    return bytes;
  }

  private fetchFault(address: number): undefined {
    this.fault.vector = VECTOR_PF;
    this.fault.address = address;
    this.fault.errorCode = this.mmu.fault.errorCode;
    return undefined;
  }

  private limitFault(): undefined {
    this.fault.vector = VECTOR_GP;
    this.fault.address = 0;
    this.fault.errorCode = 0;
    return undefined;
  }

  /** The one instruction at `rip` as a block that is not registered; undefined after a fetch fault. */
  stepBlock(rip: number): Block | undefined {
    const { view } = this;
    if (rip > view.limit) return this.limitFault();
    const at = linearOfCode(view, rip);
    const linear = this.mmu.access(at, FETCH);
    if (linear < 0) return this.fetchFault(at);
    if (this.instead !== null) {
      const decoded = this.decoder.decode(this.instead, rip, 1, undefined, view);
      return this.blocks.addStep(decoded, rip, view, physicalOf(linear));
    }
    const inPage = PAGE_SIZE - (at % PAGE_SIZE);
    const window = Math.min(inPage, MAX_INSTRUCTION_BYTES, view.limit - rip + 1);
    const bytes = this.memory.u8.subarray(linear, linear + window);
    let decoded = this.decoder.decode(bytes, rip, 1, undefined, view);
    if (decoded.incomplete) {
      const whole = this.fetch(rip, MAX_INSTRUCTION_BYTES);
      if (whole === undefined) return undefined;
      decoded = this.decoder.decode(whole, rip, 1, undefined, view);
      if (decoded.incomplete) return this.limitFault();
    }
    return this.blocks.addStep(decoded, rip, view, physicalOf(linear));
  }
}
