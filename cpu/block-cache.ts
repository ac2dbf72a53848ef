import {
  JUMP_CACHE_BASE,
  JUMP_CACHE_ENTRIES,
  JUMP_CACHE_ENTRY_BYTES,
  PAGE_SIZE,
  RAM_BASE,
  RECORDS_BASE,
  RECORDS_END,
} from "../mmu/layout.js";
import type { Mmu } from "../mmu/mmu.js";
import type { PhysicalMemory } from "../mmu/physical-memory.js";
import type { Block } from "./block.js";
import { LONG_VIEW, type CodeView } from "./compat/code-view.js";
import type { DecodedBlock } from "./decode/block-decoder.js";
import { IMMEDIATE } from "./decode/context.js";
import { opNumber } from "./ir/registry.js";
import {
  HEADER_BLOCK,
  HEADER_COUNT,
  RECORD_A,
  RECORD_B,
  RECORD_BYTES,
  RECORD_C,
  RECORD_D,
  RECORD_E,
  RECORD_IMMEDIATE,
  RECORD_POSITION,
} from "./record.js";
import { ZERO } from "./state.js";

/** Bytes of a page that share one "has code" bit: a store beside code need not drop it. */
const GRANULE_SHIFT = 6;
const FOUND_BITS = 12;
const FOUND_SLOTS = 1 << FOUND_BITS;
/** Room at the arena's start for the one-instruction block that stepping runs. */
const STEP_RECORDS = 64;

/** Decoded blocks: their records in linear memory, found by physical address, dropped when their bytes change. */
export class BlockCache {
  private blocks: Block[] = [];
  private readonly byAddress = new Map<number, Block>();
  /** What `find` answered last, by low bits of the address: the map is slower by far. */
  private readonly found: (Block | undefined)[] = new Array<Block | undefined>(FOUND_SLOTS).fill(undefined);
  /** Blocks with bytes in a frame, and which granules of it they cover (64 bits as two halves). */
  private readonly byFrame = new Map<number, { blocks: Block[]; low: number; high: number }>();
  private next = RECORDS_BASE + STEP_RECORDS * RECORD_BYTES;
  private readonly jumpFar = opNumber("jmp.far");
  /** Virtual pages that have entries in the jump cache. */
  private readonly jumpPages = new Set<number>();
  private readonly view: DataView;
  /** Called while records and blocks can still be looked up. */
  beforeDropAll: () => void = () => {};
  /** Called behind it, and behind the drop of a frame's blocks: for what was made of blocks. */
  onDropAll: () => void = () => {};
  onDropFrame: (frame: number) => void = () => {};
  /** Blocks decoded so far. */
  decoded = 0;

  constructor(
    private readonly memory: PhysicalMemory,
    private readonly mmu: Mmu,
  ) {
    this.view = new DataView(memory.memory.buffer);
    this.emptyJumpCache();
  }

  find(physical: number, rip: number, view: CodeView = LONG_VIEW): Block | undefined {
    const slot = (physical ^ (physical >>> FOUND_BITS)) & (FOUND_SLOTS - 1);
    const recent = this.found[slot];
    if (
      recent !== undefined &&
      recent.physical === physical &&
      recent.rip === rip &&
      recent.view === view &&
      !recent.dropped
    )
      return recent;
    let block = this.byAddress.get(physical);
    while (block !== undefined && (block.rip !== rip || block.view !== view)) block = block.alias;
    this.found[slot] = block;
    return block;
  }

  byId(id: number): Block {
    return this.blocks[id];
  }

  /** The block a record stands in. */
  ofRecord(record: number): Block {
    const position = this.view.getUint16(record + RECORD_POSITION, true);
    return this.blocks[this.view.getUint32(record - position * RECORD_BYTES + HEADER_BLOCK, true)];
  }

  instructionOf(record: number, block: Block): number {
    return block.recordInstruction[this.view.getUint16(record + RECORD_POSITION, true) - 1];
  }

  /** True if a block of so many records needs the whole arena to be emptied first. */
  isFull(records: number): boolean {
    return this.next + (records + 8) * RECORD_BYTES > RECORDS_END;
  }

  /** Writes a decoded block into the arena and registers it. */
  add(decoded: DecodedBlock, rip: number, view: CodeView, physical: number, secondFrame: number): Block {
    const block = this.write(decoded, rip, view, physical, secondFrame, this.next);
    this.next = block.record + decoded.records.length * RECORD_BYTES;
    this.decoded++;
    block.alias = this.byAddress.get(physical);
    this.byAddress.set(physical, block);
    const end = decoded.rips[decoded.rips.length - 1];
    const offset = physical & (PAGE_SIZE - 1);
    const frame = Math.floor(physical / PAGE_SIZE);
    this.cover(frame, block, offset, Math.min(PAGE_SIZE, offset + end - rip));
    if (secondFrame >= 0) this.cover(secondFrame, block, 0, offset + end - rip - PAGE_SIZE);
    return block;
  }

  /** A block of one instruction that is not registered: it is overwritten by the next. */
  addStep(decoded: DecodedBlock, rip: number, view: CodeView, physical: number): Block {
    return this.write(decoded, rip, view, physical, -1, RECORDS_BASE);
  }

  private write(
    decoded: DecodedBlock,
    rip: number,
    seen: CodeView,
    physical: number,
    secondFrame: number,
    at: number,
  ): Block {
    const { view } = this;
    const isStep = at === RECORDS_BASE;
    const id = isStep ? 0 : Math.max(1, this.blocks.length);
    view.setUint32(at + HEADER_BLOCK, id, true);
    view.setUint32(at + HEADER_COUNT, decoded.rips.length - 1, true);
    const record = at + RECORD_BYTES;
    const recordInstruction = new Uint8Array(decoded.records.length);
    decoded.records.forEach((r, i) => {
      const to = record + i * RECORD_BYTES;
      const address = (field: number | undefined): number =>
        field === IMMEDIATE ? to + RECORD_IMMEDIATE : (field ?? ZERO);
      view.setUint16(to, r.op, true);
      view.setUint16(to + RECORD_POSITION, i + 1, true);
      view.setUint32(to + RECORD_A, address(r.a), true);
      view.setUint32(to + RECORD_B, address(r.b), true);
      view.setUint32(to + RECORD_C, address(r.c), true);
      const immediate = r.immediate ?? 0;
      if (typeof immediate === "bigint") view.setBigInt64(to + RECORD_IMMEDIATE, immediate, true);
      else {
        view.setUint32(to + RECORD_IMMEDIATE, immediate >>> 0, true);
        view.setInt32(to + RECORD_IMMEDIATE + 4, Math.floor(immediate / 0x1_0000_0000), true);
      }
      view.setInt32(to + RECORD_D, r.d ?? 0, true);
      view.setUint32(to + RECORD_E, r.e === undefined ? 0 : r.e, true);
      recordInstruction[i] = r.instruction;
    });
    const block: Block = {
      id,
      rip,
      view: seen,
      physical,
      secondFrame,
      record,
      rips: decoded.rips,
      recordInstruction,
      taken: decoded.taken,
      notTaken: decoded.notTaken,
      alias: undefined,
      dropped: false,
      heat: 0,
    };
    this.blocks[id] = block;
    return block;
  }

  private cover(frame: number, block: Block, from: number, to: number): void {
    let entry = this.byFrame.get(frame);
    if (entry === undefined) {
      entry = { blocks: [], low: 0, high: 0 };
      this.byFrame.set(frame, entry);
      this.mmu.protectCode(frame);
    }
    entry.blocks.push(block);
    for (let g = from >>> GRANULE_SHIFT; g <= (to - 1) >>> GRANULE_SHIFT; g++)
      if (g < 32) entry.low |= 1 << g;
      else entry.high |= 1 << (g - 32);
  }

  /** Does code stand in bytes [offset, offset + length) of the frame? */
  hasCode(frame: number, offset: number, length: number): boolean {
    const entry = this.byFrame.get(frame);
    if (entry === undefined) return false;
    for (let g = offset >>> GRANULE_SHIFT; g <= (offset + length - 1) >>> GRANULE_SHIFT; g++)
      if (((g < 32 ? entry.low >>> g : entry.high >>> (g - 32)) & 1) !== 0) return true;
    return false;
  }

  /** Forgets every block with bytes in the frame. */
  dropFrame(frame: number): void {
    const entry = this.byFrame.get(frame);
    if (entry === undefined) return;
    this.byFrame.delete(frame);
    this.mmu.unprotectCode(frame);
    for (const block of entry.blocks) this.drop(block);
    this.onDropFrame(frame);
    this.clearJumps();
  }

  private drop(block: Block): void {
    if (block.dropped) return;
    block.dropped = true;
    let at = this.byAddress.get(block.physical);
    if (at === block) {
      if (block.alias === undefined) this.byAddress.delete(block.physical);
      else this.byAddress.set(block.physical, block.alias);
    } else for (; at !== undefined; at = at.alias) if (at.alias === block) at.alias = block.alias;
    // Links lead to blocks of the same page only, so a block that reaches into a second page and is dropped for
    // that one takes its first page's links along.
    const first = Math.floor(block.physical / PAGE_SIZE);
    if (block.secondFrame >= 0 && this.byFrame.has(first)) this.dropFrame(first);
  }

  dropAll(): void {
    this.beforeDropAll();
    for (const frame of this.byFrame.keys()) this.mmu.unprotectCode(frame);
    this.byFrame.clear();
    this.byAddress.clear();
    this.found.fill(undefined);
    this.blocks = [];
    this.next = RECORDS_BASE + STEP_RECORDS * RECORD_BYTES;
    this.clearJumps();
    this.onDropAll();
  }

  /** Writes a block's records into the arena a second time. @returns the address of the first */
  copyRecords(block: Block): number {
    const from = block.record - RECORD_BYTES;
    const to = this.next;
    this.memory.u8.copyWithin(to, from, block.record + block.recordInstruction.length * RECORD_BYTES);
    this.next += (block.recordInstruction.length + 1) * RECORD_BYTES;
    return to + RECORD_BYTES;
  }

  /** Fills slot d or e of a branch's record. A target on another page is reached through the jump cache. */
  link(
    record: number,
    slot: typeof RECORD_D | typeof RECORD_E,
    from: Block,
    target: Block | undefined,
    rip: number,
  ): void {
    if (target !== undefined) return this.view.setUint32(record + slot, target.record, true);
    const at = this.next;
    const { view } = this;
    view.setUint32(at + HEADER_BLOCK, from.id, true);
    view.setUint32(at + HEADER_COUNT, 0, true);
    const to = at + RECORD_BYTES;
    view.setUint16(to, this.jumpFar, true);
    view.setUint16(to + RECORD_POSITION, 1, true);
    view.setBigInt64(to + RECORD_IMMEDIATE, BigInt(rip), true);
    this.next = to + RECORD_BYTES;
    view.setUint32(record + slot, to, true);
  }

  /** Enters a block into the jump cache under its RIP and the address space's tag. */
  cacheJump(block: Block, asid: number): void {
    const low = block.rip >>> 0;
    const entry =
      JUMP_CACHE_BASE + ((low ^ (low >>> 12)) & (JUMP_CACHE_ENTRIES - 1)) * JUMP_CACHE_ENTRY_BYTES;
    const { u32 } = this.memory;
    u32[entry >>> 2] = low;
    u32[(entry >>> 2) + 1] = Math.floor(block.rip / 0x1_0000_0000);
    u32[(entry >>> 2) + 2] = block.record;
    u32[(entry >>> 2) + 3] = asid;
    this.jumpPages.add(Math.floor(block.rip / PAGE_SIZE));
  }

  clearJumps(): void {
    if (this.jumpPages.size === 0) return;
    this.emptyJumpCache();
    this.jumpPages.clear();
  }

  private emptyJumpCache(): void {
    const from = JUMP_CACHE_BASE >>> 2;
    // All ones is the number of no address space.
    this.memory.u32.fill(0xffffffff, from, from + (JUMP_CACHE_ENTRIES * JUMP_CACHE_ENTRY_BYTES) / 4);
  }

  /** Translations of [start, end) changed: jumps into it are looked up anew. */
  translationChanged(start: number, end: number): void {
    if (this.jumpPages.size === 0) return;
    const first = Math.floor(start / PAGE_SIZE);
    const last = Math.ceil(end / PAGE_SIZE);
    if (last - first < this.jumpPages.size) {
      for (let page = first; page < last; page++) if (this.jumpPages.has(page)) return this.clearJumps();
    } else for (const page of this.jumpPages) if (page >= first && page < last) return this.clearJumps();
  }
}

/** Physical address of a linear one. */
export const physicalOf = (linear: number): number => linear - RAM_BASE;
