import { PAGE_SIZE, RAM_BASE } from "../../mmu/layout.js";
import type { Mmu } from "../../mmu/mmu.js";
import type { PhysicalMemory } from "../../mmu/physical-memory.js";
import type { Block } from "../block.js";
import { physicalOf, type BlockCache } from "../block-cache.js";
import { LONG_VIEW } from "../compat/code-view.js";
import { opNumber } from "../ir/registry.js";
import { HEADER_KEY, HEADER_KEY_MASK, HEADER_REGION, RECORD_BYTES } from "../record.js";
import { Uncompilable } from "./cells.js";
import { planRegion, type BlockLookup, type PlanNode } from "./plan.js";
import { RegionEmitter } from "./region-emitter.js";

/** Code that runs as one WebAssembly function. */
interface Region {
  readonly number: number;
  /** The block that it begins with, whose first record is the `region` micro-op meanwhile. */
  readonly entry: Block;
  /** That block's records as they were decoded, and the micro-op that the first one was. */
  readonly records: number;
  readonly firstOp: number;
  /** Frames that its code lies in. */
  readonly frames: ReadonlySet<number>;
  /** Addresses of its pages, if there are several, and the frame that each must be: what its jumps take for granted. */
  readonly pages: ReadonlyMap<number, number>;
}

/** Instructions of the run that a block must have stood for, see `Block.heat`. */
export const HOT = 1_000_000;
/** Instructions that code without a loop must have to be worth the way in and out. */
const SHORT = 8;
/** Times the threshold until a block that was not worth it is looked at again. */
const RETRY = 8;
const MOST_REGIONS = 4096;
/** The key of no address space. */
const UNVERIFIED = 0xffffffff;
const REGION = opNumber("region");

/** Compiled code: what is hot becomes a region, which is forgotten when its bytes or its pages' places change. */
export class Regions implements BlockLookup {
  /** Micro-ops that reach the state in a way that no local has. */
  readonly refused = new Set<number>();
  /** Regions made so far. */
  made = 0;
  private readonly regions: (Region | undefined)[] = [];
  private readonly free: number[] = [];
  private readonly byEntry = new Map<Block, Region>();
  private readonly byFrame = new Map<number, Set<Region>>();
  private readonly byPage = new Map<number, Set<Region>>();
  private lowestPage = Infinity;
  private highestPage = -1;

  constructor(
    private readonly memory: PhysicalMemory,
    private readonly mmu: Mmu,
    private readonly blocks: BlockCache,
    private readonly table: WebAssembly.Table,
    private readonly isBoundary: (rip: number) => boolean,
    private readonly threshold: number,
  ) {
    blocks.onDropFrame = (frame) => this.dropFrame(frame);
    blocks.onDropAll = () => this.clear();
  }

  /** A slice that began with the block executed so many instructions. */
  sampled(block: Block, instructions: number): void {
    block.heat += instructions;
    if (block.heat < this.threshold || block.view !== LONG_VIEW) return;
    if (block.dropped || this.byEntry.has(block)) return;
    block.heat = this.compile(block) ? 0 : -RETRY * this.threshold;
  }

  at(rip: number): Block | undefined {
    if (rip < 0 || rip >= 2 ** 47 || this.isBoundary(rip)) return undefined;
    // Only code that was fetched in this address space: compiling it must not set an accessed bit.
    const linear = this.mmu.fetchedBefore(rip);
    return linear < 0 ? undefined : this.blocks.find(physicalOf(linear), rip);
  }

  recordsOf(block: Block): number {
    return this.byEntry.get(block)?.records ?? block.record;
  }

  /** The micro-op that a record was decoded to. */
  opAt(record: number): number {
    const op = this.memory.u16[record >>> 1]!;
    return op === REGION ? this.byEntry.get(this.blocks.ofRecord(record))!.firstOp : op;
  }

  /**
   * The region that begins with the block was entered in another address space, or after translations changed. It
   * counts again if its pages are where they were and have been fetched from, and else is forgotten.
   */
  verify(entry: Block, asid: number): void {
    const region = this.byEntry.get(entry)!;
    for (const [page, frame] of region.pages) {
      const linear = this.mmu.fetchedBefore(page);
      if (linear < 0 || Math.floor(physicalOf(linear) / PAGE_SIZE) !== frame) return this.drop(region);
    }
    this.setKey(region, asid);
  }

  /** Translations of [start, end) bytes changed. */
  translationChanged(start: number, end: number): void {
    if (end <= this.lowestPage || start > this.highestPage) return;
    const affected = (regions: Iterable<Region>): void => {
      for (const region of regions) this.setKey(region, UNVERIFIED);
    };
    if ((end - start) / PAGE_SIZE > this.byPage.size) {
      for (const [page, regions] of this.byPage) if (page >= start && page < end) affected(regions);
    } else
      for (let page = start - (start % PAGE_SIZE); page < end; page += PAGE_SIZE)
        affected(this.byPage.get(page) ?? []);
  }

  private setKey({ entry }: Region, key: number): void {
    this.memory.u32[(entry.record - RECORD_BYTES + HEADER_KEY) >>> 2] = key;
  }

  /** @returns false if the block is not worth it, or not possible */
  private compile(entry: Block): boolean {
    const count = entry.recordInstruction.length;
    if (this.blocks.isFull(count + 1) || this.regions.length - this.free.length >= MOST_REGIONS) return false;
    for (;;) {
      const plan = planRegion(this.memory, entry, this);
      if (plan.length === 0) return false;
      const firstOp = this.memory.u16[entry.record >>> 1]!;
      const records = this.blocks.copyRecords(entry);
      const nodes = plan.map((node, i) => (i === 0 ? { ...node, records } : node));
      const emitter = new RegionEmitter(this.memory, nodes, RAM_BASE / 65536);
      const reached = emitter.reached;
      const instructions = reached.reduce((sum, { block }) => sum + block.rips.length - 1, 0);
      if (!emitter.hasLoops && instructions < SHORT && this.threshold > 0) return false;
      let bytes: Uint8Array;
      try {
        bytes = emitter.generate();
      } catch (error) {
        if (!(error instanceof Uncompilable)) throw error;
        this.refused.add(emitter.failedAt);
        continue;
      }
      const module = new WebAssembly.Module(bytes);
      const instance = new WebAssembly.Instance(module, { m: { memory: this.memory.memory } });
      this.enter(entry, records, firstOp, reached, instance);
      return true;
    }
  }

  private enter(
    entry: Block,
    records: number,
    firstOp: number,
    reached: readonly PlanNode[],
    { exports }: WebAssembly.Instance,
  ): void {
    const number = this.free.pop() ?? this.regions.length;
    const frames = new Set(reached.map(({ block }) => Math.floor(block.physical / PAGE_SIZE)));
    const places = new Map(
      reached.map(({ block }) => [
        block.rip - (block.rip % PAGE_SIZE),
        Math.floor(block.physical / PAGE_SIZE),
      ]),
    );
    const pages = places.size > 1 ? places : new Map<number, number>();
    const region: Region = { number, entry, records, firstOp, frames, pages };
    this.regions[number] = region;
    this.made++;
    this.byEntry.set(entry, region);
    for (const frame of frames) add(this.byFrame, frame, region);
    for (const page of pages.keys()) {
      add(this.byPage, page, region);
      this.lowestPage = Math.min(this.lowestPage, page);
      this.highestPage = Math.max(this.highestPage, page);
    }
    if (number >= this.table.length) this.table.grow(Math.max(64, this.table.length));
    this.table.set(number, exports["run"]);
    const header = (entry.record - RECORD_BYTES) >>> 2;
    this.memory.u32[header + HEADER_REGION / 4] = number;
    this.memory.u32[header + HEADER_KEY / 4] = UNVERIFIED;
    this.memory.u32[header + HEADER_KEY_MASK / 4] = pages.size === 0 ? 0 : 0xffffffff;
    this.memory.u16[entry.record >>> 1] = REGION;
  }

  private drop(region: Region): void {
    const { number, entry } = region;
    this.regions[number] = undefined;
    this.free.push(number);
    this.table.set(number, null);
    this.byEntry.delete(entry);
    for (const frame of region.frames) this.byFrame.get(frame)?.delete(region);
    for (const page of region.pages.keys()) this.byPage.get(page)?.delete(region);
    if (!entry.dropped) this.memory.u16[entry.record >>> 1] = region.firstOp;
  }

  private dropFrame(frame: number): void {
    const regions = this.byFrame.get(frame);
    if (regions === undefined) return;
    this.byFrame.delete(frame);
    for (const region of regions) this.drop(region);
  }

  /** The arena is emptied, with all records in it. */
  private clear(): void {
    for (const region of this.byEntry.values()) this.table.set(region.number, null);
    this.regions.length = 0;
    this.free.length = 0;
    this.byEntry.clear();
    this.byFrame.clear();
    this.byPage.clear();
    this.lowestPage = Infinity;
    this.highestPage = -1;
  }
}

function add(map: Map<number, Set<Region>>, key: number, region: Region): void {
  let set = map.get(key);
  if (set === undefined) map.set(key, (set = new Set()));
  set.add(region);
}
