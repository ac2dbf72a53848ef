import type { BlockMap, BlockMapSpace, MappedRun } from "./block-map.js";
import type { InodeRecord } from "./inode-record.js";
import { get32, put32 } from "./little-endian.js";

const DIRECT = 12;
const LEVELS = 3;

/** A map by block numbers: twelve in the inode, the others in blocks of numbers, up to three deep (ext2, ext3). */
export class IndirectMap implements BlockMap {
  /** Numbers in a block. */
  private readonly per: number;

  constructor(
    private readonly space: BlockMapSpace,
    private readonly record: InodeRecord,
  ) {
    this.per = space.blockSize / 4;
  }

  /** Blocks that a file can have. */
  get most(): number {
    const { per } = this;
    return DIRECT + per + per ** 2 + per ** 3;
  }

  /** Which of the inode's numbers leads to a block, and the index to take at each level below it. */
  private path(logical: number): number[] {
    if (logical < DIRECT) return [logical];
    let rest = logical - DIRECT;
    for (let level = 1; level <= LEVELS; level++) {
      const reach = this.per ** level;
      if (rest < reach) {
        const path = [DIRECT + level - 1];
        for (let below = level - 1; below >= 0; below--) {
          const unit = this.per ** below;
          path.push(Math.floor(rest / unit));
          rest %= unit;
        }
        return path;
      }
      rest -= reach;
    }
    return [];
  }

  find(logical: number, most: number): MappedRun {
    const path = this.path(logical);
    let node: Uint8Array = this.record.map;
    let entries = DIRECT;
    for (let i = 0; i < path.length - 1; i++) {
      const block = get32(node, path[i]! * 4);
      const child = block === 0 ? null : this.space.readBlock(block);
      if (child === null) {
        // All of what this number would lead to is a hole; its end is far enough away at the next one.
        const inLast = this.per - path.at(-1)!;
        return { physical: 0, count: Math.min(most, inLast), unwritten: false };
      }
      node = child;
      entries = this.per;
    }
    const at = path.at(-1);
    if (at === undefined) return { physical: 0, count: most, unwritten: false };
    const physical = get32(node, at * 4);
    let count = 1;
    while (count < most && at + count < entries) {
      const next = get32(node, (at + count) * 4);
      if (next !== (physical === 0 ? 0 : physical + count)) break;
      count++;
    }
    return { physical, count, unwritten: false };
  }

  goal(logical: number): number {
    for (let back = 1; back <= Math.min(logical, 64); back++) {
      const { physical } = this.find(logical - back, 1);
      if (physical !== 0) return physical + back;
    }
    return 0;
  }

  insert(logical: number, physical: number, count: number): number {
    for (let done = 0; done < count; done++) if (!this.enter(logical + done, physical + done)) return done;
    return count;
  }

  private enter(logical: number, physical: number): boolean {
    const path = this.path(logical);
    if (path.length === 0) return false;
    if (path.length === 1) {
      put32(this.record.map, path[0]! * 4, physical);
      return true;
    }
    // New blocks of numbers are hung in only when all are there.
    const made: number[] = [];
    let node: Uint8Array = this.record.map;
    let nodeBlock = 0;
    let hang: (() => void) | null = null;
    for (let i = 0; i < path.length - 1; i++) {
      const at = path[i]! * 4;
      let block = get32(node, at);
      let child: Uint8Array | null;
      if (block === 0) {
        block = this.space.takeMapBlock(physical);
        if (block === 0) {
          for (const each of made) this.space.giveBlocks(each, 1);
          return false;
        }
        made.push(block);
        child = new Uint8Array(this.space.blockSize);
        const [parent, parentBlock, entry] = [node, nodeBlock, block];
        const before: (() => void) | null = hang;
        hang = () => {
          before?.();
          put32(parent, at, entry);
          if (parentBlock !== 0) this.space.writeBlock(parentBlock, parent);
        };
      } else child = this.space.readBlock(block);
      if (child === null) return false;
      node = child;
      nodeBlock = block;
    }
    put32(node, path.at(-1)! * 4, physical);
    hang?.();
    return this.space.writeBlock(nodeBlock, node) >= 0;
  }

  markWritten(): boolean {
    return true;
  }

  remove(from: number, to: number): boolean {
    const { map } = this.record;
    for (let i = 0; i < DIRECT; i++) if (i >= from && i < to) this.clear(map, i, 0, 0, 0, 1);
    let base = DIRECT;
    for (let level = 1; level <= LEVELS; level++) {
      const reach = this.per ** level;
      if (base < to && from < base + reach) this.clear(map, DIRECT + level - 1, level, base, from, to);
      base += reach;
    }
    return true;
  }

  /** Clears what of [from, to) a number leads to, and the number itself where nothing is left below it. */
  private clear(
    node: Uint8Array,
    index: number,
    level: number,
    base: number,
    from: number,
    to: number,
  ): void {
    const block = get32(node, index * 4);
    if (block === 0) return;
    if (level > 0) {
      const child = this.space.readBlock(block);
      if (child === null) return;
      const unit = this.per ** (level - 1);
      const first = Math.max(0, Math.floor((from - base) / unit));
      const last = Math.min(this.per, Math.ceil((to - base) / unit));
      for (let i = first; i < last; i++) this.clear(child, i, level - 1, base + i * unit, from, to);
      if (child.some((byte) => byte !== 0)) {
        this.space.writeBlock(block, child);
        return;
      }
    }
    this.space.giveBlocks(block, 1);
    put32(node, index * 4, 0);
  }

  store(): number {
    return 0;
  }
}
