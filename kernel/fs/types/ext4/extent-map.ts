import { crc32c } from "./checksums.js";
import type { BlockMap, BlockMapSpace, MappedRun } from "./block-map.js";
import type { InodeRecord } from "./inode-record.js";
import { get16, get32, HIGH, put16, put32 } from "./little-endian.js";

const MAGIC = 0xf30a;
const HEADER_BYTES = 12;
const ENTRY_BYTES = 12;
/** Entries in the inode itself. */
const ROOT_ENTRIES = 4;
const LONGEST = 32768;
const LONGEST_UNWRITTEN = 32767;
const DEEPEST = 5;

interface Extent {
  logical: number;
  count: number;
  physical: number;
  unwritten: boolean;
}

/**
 * A map by extents. All of them are in memory, in order; their tree is laid out anew from them: leaves filled one after the
 * other, the levels above likewise, so that a change in one place leaves what is before it alone.
 */
export class ExtentMap implements BlockMap {
  private readonly extents: Extent[] = [];
  /** The blocks of the tree by level, leaves first; none where all fits the inode. */
  private levels: number[][] = [];
  /** Extents from this one on are not on disk as they are here. */
  private firstChanged = Infinity;

  constructor(
    private readonly space: BlockMapSpace,
    private readonly record: InodeRecord,
    private readonly checksums: boolean,
  ) {}

  /** An empty map, in a new inode. */
  static clear(record: InodeRecord): void {
    record.map.fill(0);
    putHeader(record.map, 0, ROOT_ENTRIES, 0);
  }

  /** Reads the tree; false where it is damaged. */
  load(): boolean {
    const root = this.record.map;
    const depth = get16(root, 6);
    if (depth > DEEPEST) return false;
    this.levels = Array.from({ length: depth }, () => []);
    return this.loadNode(root, depth);
  }

  private loadNode(node: Uint8Array, depth: number): boolean {
    if (get16(node, 0) !== MAGIC || get16(node, 6) !== depth) return false;
    const entries = get16(node, 2);
    if (HEADER_BYTES + entries * ENTRY_BYTES > node.length) return false;
    for (let i = 0; i < entries; i++) {
      const at = HEADER_BYTES + i * ENTRY_BYTES;
      if (depth === 0) {
        const length = get16(node, at + 4);
        const unwritten = length > LONGEST;
        const logical = get32(node, at);
        const last = this.extents.at(-1);
        if (length === 0 || (last !== undefined && logical < last.logical + last.count)) return false;
        this.extents.push({
          logical,
          count: unwritten ? length - LONGEST : length,
          physical: get32(node, at + 8) + get16(node, at + 6) * HIGH,
          unwritten,
        });
        continue;
      }
      const block = get32(node, at + 4) + get16(node, at + 8) * HIGH;
      const child = this.space.readBlock(block);
      if (child === null || !this.sumHolds(child)) return false;
      this.levels[depth - 1]!.push(block);
      if (!this.loadNode(child, depth - 1)) return false;
    }
    return true;
  }

  private sumHolds(node: Uint8Array): boolean {
    if (!this.checksums) return true;
    const tail = HEADER_BYTES + get16(node, 4) * ENTRY_BYTES;
    return tail + 4 <= node.length && get32(node, tail) === crc32c(this.record.checksumSeed, node, 0, tail);
  }

  /** Index of the last extent that begins at or before a block; -1 where none does. */
  private indexOf(logical: number): number {
    let low = 0;
    let high = this.extents.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.extents[middle]!.logical <= logical) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  find(logical: number, most: number): MappedRun {
    const index = this.indexOf(logical);
    const extent = index < 0 ? undefined : this.extents[index];
    if (extent !== undefined && logical < extent.logical + extent.count) {
      const into = logical - extent.logical;
      const count = Math.min(most, extent.count - into);
      return { physical: extent.physical + into, count, unwritten: extent.unwritten };
    }
    const next = this.extents[index + 1];
    const hole = next === undefined ? most : Math.min(most, next.logical - logical);
    return { physical: 0, count: hole, unwritten: false };
  }

  goal(logical: number): number {
    const before = this.extents[this.indexOf(logical)];
    return before === undefined ? 0 : before.physical + (logical - before.logical);
  }

  insert(logical: number, physical: number, count: number, unwritten: boolean): number {
    const longest = unwritten ? LONGEST_UNWRITTEN : LONGEST;
    if (count > longest) {
      const first = this.insert(logical, physical, longest, unwritten);
      if (first < longest) return first;
      return first + this.insert(logical + longest, physical + longest, count - longest, unwritten);
    }
    const index = this.indexOf(logical) + 1;
    const before = this.extents[index - 1];
    if (before && follows(before, { logical, physical, count, unwritten })) {
      before.count += count;
      this.changed(index - 1);
      this.join(index - 1);
      return count;
    }
    if (!this.reserve(this.extents.length + 1)) return 0;
    this.extents.splice(index, 0, { logical, count, physical, unwritten });
    this.changed(index);
    this.join(index);
    return count;
  }

  /** Makes one of an extent and its successor, where they go on. */
  private join(index: number): void {
    const one = this.extents[index];
    const next = this.extents[index + 1];
    if (!one || !next || !follows(one, next)) return;
    one.count += next.count;
    this.extents.splice(index + 1, 1);
    this.changed(index);
  }

  markWritten(logical: number, count: number): boolean {
    for (let at = logical; at < logical + count;) {
      const run = this.find(at, logical + count - at);
      if (run.unwritten) {
        // At most two extents more.
        if (!this.reserve(this.extents.length + 2)) return false;
        const index = this.splitAt(at);
        this.splitAt(at + run.count);
        this.extents[index]!.unwritten = false;
        this.changed(index);
        this.join(index);
        this.join(index - 1);
      }
      at += run.count;
    }
    return true;
  }

  /** Has an extent begin at a block that is mapped, or where one ends. @returns its index, or that of the next */
  private splitAt(logical: number): number {
    const index = this.indexOf(logical);
    const extent = this.extents[index];
    if (extent === undefined) return 0;
    if (extent.logical === logical) return index;
    const into = logical - extent.logical;
    if (into >= extent.count) return index + 1;
    this.extents.splice(index + 1, 0, {
      ...extent,
      logical,
      physical: extent.physical + into,
      count: extent.count - into,
    });
    extent.count = into;
    this.changed(index);
    return index + 1;
  }

  remove(from: number, to: number): boolean {
    const cut = this.extents[this.indexOf(from)];
    const splits = cut !== undefined && cut.logical < from && to < cut.logical + cut.count;
    if (splits && !this.reserve(this.extents.length + 1)) return false;
    const first = this.splitAt(from);
    let end = first;
    while (end < this.extents.length && this.extents[end]!.logical < to) {
      const extent = this.extents[end]!;
      if (extent.logical + extent.count > to) this.splitAt(to);
      const { physical, count } = this.extents[end]!;
      this.space.giveBlocks(physical, count);
      end++;
    }
    if (end === first) return true;
    this.extents.splice(first, end - first);
    this.changed(first);
    this.reserve(this.extents.length);
    return true;
  }

  private changed(index: number): void {
    this.firstChanged = Math.min(this.firstChanged, Math.max(0, index));
  }

  private get nodeEntries(): number {
    return Math.floor((this.space.blockSize - HEADER_BYTES) / ENTRY_BYTES);
  }

  /** Blocks of each level of a tree of so many extents. */
  private shape(extents: number): number[] {
    const shape: number[] = [];
    for (let nodes = extents; nodes > ROOT_ENTRIES;) {
      nodes = Math.ceil(nodes / this.nodeEntries);
      shape.push(nodes);
    }
    return shape;
  }

  /** Has as many blocks for the tree as so many extents need; false where there are none, and nothing has changed. */
  private reserve(extents: number): boolean {
    const shape = this.shape(extents);
    const taken: [number[], number][] = [];
    for (let level = 0; level < shape.length; level++) {
      const blocks = (this.levels[level] ??= []);
      while (blocks.length < shape[level]!) {
        const block = this.space.takeMapBlock(this.extents[0]?.physical ?? 0);
        if (block === 0) {
          for (const [from, each] of taken) {
            from.pop();
            this.space.giveBlocks(each, 1);
          }
          this.levels = this.levels.filter((each) => each.length > 0);
          return false;
        }
        blocks.push(block);
        taken.push([blocks, block]);
        this.firstChanged = 0;
      }
    }
    for (let level = 0; level < this.levels.length; level++) {
      const blocks = this.levels[level]!;
      while (blocks.length > (shape[level] ?? 0)) {
        this.space.giveBlocks(blocks.pop()!, 1);
        this.firstChanged = 0;
      }
    }
    this.levels.length = shape.length;
    return true;
  }

  store(): number {
    // What was reserved for splits that joined again.
    this.reserve(this.extents.length);
    if (this.firstChanged === Infinity) return 0;
    const per = this.nodeEntries;
    let keys = this.extents.map(({ logical }) => logical);
    let below: number[] | null = null;
    for (let level = 0; level < this.levels.length; level++) {
      const blocks = this.levels[level]!;
      const nodeKeys: number[] = [];
      for (let i = 0; i < blocks.length; i++) {
        nodeKeys.push(keys[i * per]!);
        if (level === 0 && (i + 1) * per <= this.firstChanged) continue;
        const node = new Uint8Array(this.space.blockSize);
        const end = Math.min(keys.length, (i + 1) * per);
        this.fillNode(node, per, level, i * per, end, keys, below);
        if (this.checksums) {
          const tail = HEADER_BYTES + per * ENTRY_BYTES;
          put32(node, tail, crc32c(this.record.checksumSeed, node, 0, tail));
        }
        const result = this.space.writeBlock(blocks[i]!, node);
        if (result < 0) return result;
      }
      keys = nodeKeys;
      below = blocks;
    }
    const root = this.record.map;
    root.fill(0);
    this.fillNode(root, ROOT_ENTRIES, this.levels.length, 0, keys.length, keys, below);
    this.firstChanged = Infinity;
    return 0;
  }

  private fillNode(
    node: Uint8Array,
    most: number,
    depth: number,
    from: number,
    to: number,
    keys: readonly number[],
    below: readonly number[] | null,
  ): void {
    putHeader(node, to - from, most, depth);
    for (let i = from; i < to; i++) {
      const at = HEADER_BYTES + (i - from) * ENTRY_BYTES;
      if (below !== null) {
        put32(node, at, keys[i]!);
        put32(node, at + 4, below[i]! % HIGH);
        put16(node, at + 8, Math.floor(below[i]! / HIGH));
        continue;
      }
      const { logical, count, physical, unwritten } = this.extents[i]!;
      put32(node, at, logical);
      put16(node, at + 4, unwritten ? count + LONGEST : count);
      put16(node, at + 6, Math.floor(physical / HIGH));
      put32(node, at + 8, physical % HIGH);
    }
  }
}

function putHeader(node: Uint8Array, entries: number, most: number, depth: number): void {
  put16(node, 0, MAGIC);
  put16(node, 2, entries);
  put16(node, 4, most);
  put16(node, 6, depth);
}

/** `next` goes on where `one` ends, in the file and on disk, and both fit one extent. */
function follows(one: Extent, next: Extent): boolean {
  return (
    one.logical + one.count === next.logical &&
    one.physical + one.count === next.physical &&
    one.unwritten === next.unwritten &&
    one.count + next.count <= (one.unwritten ? LONGEST_UNWRITTEN : LONGEST)
  );
}
