import { crc32c } from "./checksums.js";
import { INCOMPAT_RECOVER } from "./features.js";
import type { Ext4FileSystem } from "./file-system.js";
import { get32be, HIGH, put32be } from "./little-endian.js";
import type { Ext4Storage } from "./storage.js";
import { SUPERBLOCK_OFFSET } from "./superblock.js";

/*
 * The journal (jbd2; Documentation/filesystems/ext4/journal.rst). All numbers are big-endian. A log of transactions goes
 * round in the journal's blocks: each has descriptor blocks, that say where the blocks that follow belong, revoke blocks,
 * that say which earlier ones count no more, and one commit block, without which it does not count.
 */
const MAGIC = 0xc03b_3998;
const DESCRIPTOR = 1;
const COMMIT = 2;
const REVOKE = 5;

/** Byte offsets in the journal's superblock. */
const SUPER = {
  length: 0x10,
  first: 0x14,
  sequence: 0x18,
  start: 0x1c,
  incompat: 0x28,
  uuid: 0x30,
  sum: 0xfc,
};
const SUPER_BYTES = 1024;

const FEATURE_REVOKE = 1;
const FEATURE_64BIT = 2;
const FEATURE_ASYNC_COMMIT = 4;
const FEATURE_CSUM_V2 = 8;
const FEATURE_CSUM_V3 = 0x10;
const KNOWN = FEATURE_REVOKE | FEATURE_64BIT | FEATURE_ASYNC_COMMIT | FEATURE_CSUM_V2 | FEATURE_CSUM_V3;

const TAG_ESCAPE = 1;
const TAG_SAME_UUID = 2;
const TAG_LAST = 8;
const COMMIT_SUM = 16;

interface Tag {
  /** Where the block belongs. */
  readonly block: number;
  readonly escaped: boolean;
}

/** One pass over the log: what to do with what is found. */
interface Visitor {
  /** @param at the block's place in the journal */
  block(tag: Tag, at: number, sequence: number): void;
  revoked(block: number, sequence: number): void;
}

/** Puts what a crash left in the journal where it belongs; null, or why it cannot be done. */
export function replayJournal(fileSystem: Ext4FileSystem): string | null {
  const inode = fileSystem.load(fileSystem.superblock.journalInode);
  if (typeof inode === "number") return "the journal is on another device, or damaged";
  const journal = new Journal(fileSystem, inode.storage);
  return journal.replay();
}

class Journal {
  private readonly head: Uint8Array;
  private readonly features: number;

  constructor(
    private readonly fileSystem: Ext4FileSystem,
    private readonly storage: Ext4Storage,
  ) {
    this.head = this.read(0) ?? new Uint8Array(storage.blockSize);
    this.features = get32be(this.head, 4) === 4 ? get32be(this.head, SUPER.incompat) : 0;
  }

  replay(): string | null {
    const { head } = this;
    if (get32be(head, 0) !== MAGIC) return "the journal has no superblock";
    if ((this.features & ~KNOWN) !== 0) return `the journal has features 0x${this.features.toString(16)}`;
    const start = get32be(head, SUPER.start);
    let next = get32be(head, SUPER.sequence);
    if (start !== 0) {
      const revoked = new Map<number, number>();
      const ended = this.walk(start, next, {
        block: () => undefined,
        revoked: (block, sequence) => revoked.set(block, Math.max(sequence, revoked.get(block) ?? 0)),
      });
      this.walk(
        start,
        next,
        {
          block: (tag, at, sequence) => {
            if ((revoked.get(tag.block) ?? -1) < sequence) this.putBack(tag, at);
          },
          revoked: () => undefined,
        },
        ended,
      );
      next = ended;
    }
    this.finish(next);
    return null;
  }

  private read(at: number): Uint8Array | null {
    const run = this.storage.map?.find(at, 1);
    return run === undefined || run.physical === 0 ? null : this.fileSystem.readBlock(run.physical);
  }

  /** The block after one, where the log goes round. */
  private after(at: number, by = 1): number {
    const first = get32be(this.head, SUPER.first);
    const length = get32be(this.head, SUPER.length);
    return at + by < length ? at + by : at + by - length + first;
  }

  /**
   * Goes over whole transactions.
   * @param end the first sequence number that is not to be visited
   * @returns the sequence number after the last whole transaction
   */
  private walk(start: number, sequence: number, visitor: Visitor, end = Infinity): number {
    let at = start;
    let pending: (() => void)[] = [];
    while (sequence < end) {
      const block = this.read(at);
      if (block === null || get32be(block, 0) !== MAGIC || get32be(block, 8) !== sequence) break;
      const type = get32be(block, 4);
      if (type === DESCRIPTOR) {
        const tags = this.tags(block);
        if (tags === null) break;
        let place = at;
        for (const tag of tags) {
          place = this.after(place);
          const [here, now] = [place, sequence];
          pending.push(() => visitor.block(tag, here, now));
        }
        at = this.after(place);
      } else if (type === REVOKE) {
        for (const each of this.revocations(block)) {
          const now = sequence;
          pending.push(() => visitor.revoked(each, now));
        }
        at = this.after(at);
      } else if (type === COMMIT) {
        if (!this.commitHolds(block)) break;
        for (const visit of pending) visit();
        pending = [];
        sequence++;
        at = this.after(at);
      } else break;
    }
    return sequence;
  }

  private get sums(): boolean {
    return (this.features & (FEATURE_CSUM_V2 | FEATURE_CSUM_V3)) !== 0;
  }

  private get seed(): number {
    return crc32c(0xffff_ffff, this.head, SUPER.uuid, SUPER.uuid + 16);
  }

  private commitHolds(block: Uint8Array): boolean {
    if (!this.sums) return true;
    const sum = get32be(block, COMMIT_SUM);
    const copy = block.slice();
    put32be(copy, COMMIT_SUM, 0);
    return crc32c(this.seed, copy) === sum;
  }

  /** A descriptor's tags; null where its checksum is wrong. */
  private tags(block: Uint8Array): Tag[] | null {
    const wide = (this.features & FEATURE_64BIT) !== 0;
    const third = (this.features & FEATURE_CSUM_V3) !== 0;
    const second = (this.features & FEATURE_CSUM_V2) !== 0;
    const bytes = third ? 16 : 8 + (wide ? 4 : 0) + (second ? 2 : 0);
    const end = block.length - (this.sums ? 4 : 0);
    if (this.sums) {
      const copy = block.slice();
      put32be(copy, end, 0);
      if (crc32c(this.seed, copy) !== get32be(block, end)) return null;
    }
    const tags: Tag[] = [];
    for (let at = 12; at + bytes <= end;) {
      const flags = third ? get32be(block, at + 4) : get32be(block, at + 4) & 0xffff;
      const high = wide ? get32be(block, at + 8) : 0;
      tags.push({ block: get32be(block, at) + high * HIGH, escaped: (flags & TAG_ESCAPE) !== 0 });
      at += bytes + ((flags & TAG_SAME_UUID) === 0 ? 16 : 0);
      if ((flags & TAG_LAST) !== 0) break;
    }
    return tags;
  }

  private revocations(block: Uint8Array): number[] {
    const wide = (this.features & FEATURE_64BIT) !== 0;
    const end = Math.min(get32be(block, 12), block.length);
    const blocks: number[] = [];
    for (let at = 16; at + (wide ? 8 : 4) <= end; at += wide ? 8 : 4)
      blocks.push(wide ? get32be(block, at) * HIGH + get32be(block, at + 4) : get32be(block, at));
    return blocks;
  }

  private putBack(tag: Tag, at: number): void {
    const block = this.read(at);
    if (block === null) return;
    // A block that begins as the journal's own do was written without its first bytes.
    if (tag.escaped) put32be(block, 0, MAGIC);
    this.fileSystem.writeBlock(tag.block, block);
  }

  /** The log is empty, and the file system does not ask for it any more. */
  private finish(sequence: number): void {
    const { head, fileSystem } = this;
    put32be(head, SUPER.start, 0);
    put32be(head, SUPER.sequence, sequence);
    if (this.sums) {
      put32be(head, SUPER.sum, 0);
      put32be(head, SUPER.sum, crc32c(0xffff_ffff, head, 0, SUPER_BYTES));
    }
    const place = this.storage.map?.find(0, 1).physical ?? 0;
    if (place !== 0) fileSystem.writeBlock(place, head);
    // The superblock itself may have been among the blocks.
    const { superblock, disk } = fileSystem;
    disk.read(SUPERBLOCK_OFFSET, superblock.bytes);
    superblock.setIncompat((superblock.incompat & ~INCOMPAT_RECOVER) >>> 0);
    superblock.seal();
    disk.write(SUPERBLOCK_OFFSET, superblock.bytes);
  }
}
