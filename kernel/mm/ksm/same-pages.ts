import type { FrameAllocator, FrameHolder } from "../../../mmu/frame-allocator.js";
import type { PageFrame } from "../../../mmu/types.js";
import type { AddressSpace } from "../address-space.js";
import type { RmapItem, ScanSlot, StableNode } from "./records.js";
import { scan } from "./scan.js";
import { unmergeEverything } from "./unmerge.js";
import { isMergedZero } from "./zero-page.js";

/** /sys/kernel/mm/ksm, as far as it can be written. */
export interface MergeSettings {
  /** 0: the scanner stands still. 1: it works. 2: it stands still, and nothing is merged. */
  run: number;
  pagesToScan: number;
  sleepMilliseconds: number;
  useZeroPages: boolean;
  /** Pages that may have one frame. */
  maxPageSharing: number;
  /** Pages that never merge are looked at less often. */
  smartScan: boolean;
}

/** Bytes of a struct ksm_rmap_item, which the profits are reckoned with. */
const RMAP_ITEM_BYTES = 64;
const PAGE_BYTES = 4096;

/** Told when there is something to scan, or the pace has changed. */
export interface ScanDaemon {
  wake(): void;
  paceChanged(): void;
}

/**
 * Pages of the same content in one frame (kernel same-page merging, mm/ksm.c): the address spaces to be scanned, the
 * frames that are merged, and the pages that may be soon. A merged frame is held by its node besides by the entries
 * that map it: so no entry ever is its only holder, and each write copies.
 */
export class SamePages implements FrameHolder {
  readonly settings: MergeSettings = {
    run: 0,
    pagesToScan: 100,
    sleepMilliseconds: 20,
    useZeroPages: false,
    maxPageSharing: 256,
    smartScan: true,
  };
  /** In the order in which they are scanned. */
  readonly slots: ScanSlot[] = [];
  /** The one that is scanned now, and the address to go on at; null between two passes. */
  cursor: ScanSlot | null = null;
  cursorAddress = 0;
  fullScans = 0;
  pagesScanned = 0;
  pagesSkipped = 0;
  /** Pages that did not change since the last pass, by checksum: new in each pass. */
  unstable = new Map<number, RmapItem[]>();
  readonly byFrame = new Map<PageFrame, StableNode>();
  readonly byChecksum = new Map<number, StableNode[]>();
  /** Every node that pages are counted for, those without a frame too. */
  readonly nodes = new Set<StableNode>();
  daemon: ScanDaemon | null = null;
  /** At once. */
  get startMilliseconds(): number {
    return 0;
  }

  constructor(readonly frames: FrameAllocator) {}

  isMerged(frame: PageFrame): boolean {
    return this.byFrame.has(frame);
  }

  /** The scanner has work (ksmd_should_run). */
  get active(): boolean {
    return this.settings.run === 1 && this.slots.length > 0;
  }

  /** Scans as many pages as are set. @returns how many were looked at, and how long to sleep */
  turn(): { pages: number; milliseconds: number } {
    const { pagesToScan, sleepMilliseconds } = this.settings;
    return { pages: scan(this, pagesToScan), milliseconds: sleepMilliseconds };
  }

  /** Has an address space scanned from now on (__ksm_enter). */
  enter(mm: AddressSpace): void {
    if (mm.scanned) return;
    mm.scanned = true;
    const slot: ScanSlot = { mm, items: new Map() };
    const behind = this.settings.run === 2 || this.cursor === null;
    this.slots.splice(behind ? this.slots.length : this.slots.indexOf(this.cursor!), 0, slot);
    if (this.slots.length === 1) this.daemon?.wake();
  }

  /** An address space has been given back (__ksm_exit): what is known of its pages goes when the scanner comes by. */
  exit(mm: AddressSpace): void {
    const at = this.slots.findIndex((slot) => slot.mm === mm);
    const slot = this.slots[at];
    if (slot !== undefined && slot !== this.cursor) {
      this.slots.splice(at, 1);
      if (slot.items.size > 0)
        this.slots.splice(this.cursor === null ? 0 : this.slots.indexOf(this.cursor) + 1, 0, slot);
    }
    this.dropUnmapped();
  }

  /** Sets `run`. @returns 0 or a negative errno */
  setRun(run: number): number {
    if (this.settings.run !== run) {
      this.settings.run = run;
      if (run === 2) {
        const error = unmergeEverything(this);
        if (error !== 0) {
          this.settings.run = 0;
          return error;
        }
      }
    }
    if (run === 1) this.daemon?.wake();
    return 0;
  }

  /** Makes a frame one that is merged; the node holds it from now on. */
  addNode(frame: PageFrame, sum: number): StableNode {
    const node: StableNode = { frame, checksum: sum, items: new Set() };
    if (this.byFrame.size === 0) this.frames.holders.add(this);
    this.frames.hold(frame);
    this.byFrame.set(frame, node);
    this.nodes.add(node);
    const same = this.byChecksum.get(sum);
    if (same === undefined) this.byChecksum.set(sum, [node]);
    else same.push(node);
    return node;
  }

  /** Gives frames back that no page has any more: all, or those of one checksum. @returns how many */
  dropUnmapped(sum?: number): number {
    const nodes = sum === undefined ? this.byFrame.values() : (this.byChecksum.get(sum) ?? []);
    let dropped = 0;
    for (const node of [...nodes]) if (this.frames.references(node.frame) === 1) dropped += this.drop(node);
    return dropped;
  }

  private drop(node: StableNode): number {
    const { frame } = node;
    this.byFrame.delete(frame);
    if (this.byFrame.size === 0) this.frames.holders.delete(this);
    const same = this.byChecksum.get(node.checksum)!;
    if (same.length === 1) this.byChecksum.delete(node.checksum);
    else same.splice(same.indexOf(node), 1);
    node.frame = -1;
    if (node.items.size === 0) this.nodes.delete(node);
    this.frames.release(frame);
    return 1;
  }

  /** Takes a page out of both trees (remove_rmap_item_from_tree). */
  detach(item: RmapItem): void {
    item.unstable = false;
    const { node } = item;
    if (node === null) return;
    item.node = null;
    node.items.delete(item);
    if (node.items.size === 0 && node.frame === -1) this.nodes.delete(node);
  }

  attach(item: RmapItem, node: StableNode): void {
    item.node = node;
    node.items.add(item);
  }

  /** Forgets a page. */
  forget(item: RmapItem): void {
    this.detach(item);
    item.slot.items.delete(item.address);
  }

  removeSlot(slot: ScanSlot): void {
    this.slots.splice(this.slots.indexOf(slot), 1);
    slot.mm.scanned = false;
  }

  // FrameHolder

  reclaim(): number {
    return this.dropUnmapped();
  }

  heldFrames(): Iterable<PageFrame> {
    return this.byFrame.keys();
  }

  // What is counted.

  /** Frames that pages were merged into. */
  get pagesShared(): number {
    let count = 0;
    for (const { items } of this.nodes) if (items.size > 0) count++;
    return count;
  }

  /** Pages saved by that: beyond the first of each frame. */
  get pagesSharing(): number {
    let count = 0;
    for (const { items } of this.nodes) count += Math.max(0, items.size - 1);
    return count;
  }

  /** Pages looked at that have no equal. */
  get pagesUnshared(): number {
    let count = 0;
    for (const { items } of this.slots) for (const { unstable } of items.values()) if (unstable) count++;
    return count;
  }

  private get known(): number {
    let count = 0;
    for (const { items } of this.slots) count += items.size;
    return count;
  }

  /** Pages that change too often. */
  get pagesVolatile(): number {
    return Math.max(0, this.known - this.pagesShared - this.pagesSharing - this.pagesUnshared);
  }

  /** Pages that became the page of zeroes. */
  get zeroPages(): number {
    let count = 0;
    for (const { mm } of this.slots) count += mergedZeroPages(mm);
    return count;
  }

  /** Bytes saved, less those of the scanner's own records. */
  get generalProfit(): number {
    return (this.pagesSharing + this.zeroPages) * PAGE_BYTES - this.known * RMAP_ITEM_BYTES;
  }

  /** Contents that have more than one frame, and their frames. */
  get chains(): { readonly chains: number; readonly frames: number } {
    let chains = 0;
    let frames = 0;
    for (const { length } of this.byChecksum.values())
      if (length > 1) {
        chains++;
        frames += length;
      }
    return { chains, frames };
  }

  /** What is known of one address space. */
  statisticsOf(mm: AddressSpace): { items: number; zeroPages: number; merging: number; profit: number } {
    const slot = this.slots.find((each) => each.mm === mm);
    let merging = 0;
    if (slot !== undefined) for (const { node } of slot.items.values()) if (node !== null) merging++;
    const items = slot?.items.size ?? 0;
    const zeroPages = slot === undefined ? 0 : mergedZeroPages(mm);
    const profit = (merging + zeroPages) * PAGE_BYTES - items * RMAP_ITEM_BYTES;
    return { items, zeroPages, merging, profit };
  }
}

function mergedZeroPages(mm: AddressSpace): number {
  if (mm.released) return 0;
  let count = 0;
  mm.tables.forEachPresentOrSwap(0, 2 ** 47, (_va, low) => {
    if (isMergedZero(mm.env.frames, low)) count++;
  });
  return count;
}
