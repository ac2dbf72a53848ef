import { crc32c } from "./checksums.js";
import { COMPAT_ORPHAN_FILE, RO_COMPAT_ORPHAN_PRESENT } from "./features.js";
import type { Ext4FileSystem } from "./file-system.js";
import type { Ext4Inode } from "./inode-table.js";
import { get32, put32, HIGH } from "./little-endian.js";

/** Inodes without a name that somebody still uses: a chain from the superblock on, so that they go after a crash. */
export class Orphans {
  /** The newest first. */
  private readonly chain: number[] = [];

  constructor(private readonly fileSystem: Ext4FileSystem) {}

  add(inode: Ext4Inode): void {
    inode.storage.record.deletion = this.chain[0] ?? 0;
    this.chain.unshift(inode.number);
    this.fileSystem.superblock.setLastOrphan(inode.number);
    this.fileSystem.touched(inode.number);
  }

  remove(number: number): void {
    const index = this.chain.indexOf(number);
    if (index < 0) return;
    const next = this.chain[index + 1] ?? 0;
    this.chain.splice(index, 1);
    const known = this.fileSystem.inodes.get(number);
    if (known) known.storage.record.deletion = 0;
    if (index === 0) {
      this.fileSystem.superblock.setLastOrphan(next);
      return;
    }
    const before = this.chain[index - 1]!;
    const inode = this.fileSystem.inodes.get(before);
    if (inode) inode.storage.record.deletion = next;
    this.fileSystem.touched(before);
  }

  /** What a crash left: files without a name go, those that were being cut are (ext4_orphan_cleanup). */
  cleanUp(): void {
    const { superblock } = this.fileSystem;
    for (let number = superblock.lastOrphan; number !== 0;) {
      const inode = this.fileSystem.load(number);
      if (typeof inode === "number") break;
      const next = inode.storage.record.deletion;
      this.finish(inode);
      number = next;
    }
    superblock.setLastOrphan(0);
    if ((superblock.roCompat & RO_COMPAT_ORPHAN_PRESENT) === 0) return;
    if ((superblock.compat & COMPAT_ORPHAN_FILE) !== 0) this.emptyFile();
    superblock.setRoCompat((superblock.roCompat & ~RO_COMPAT_ORPHAN_PRESENT) >>> 0);
  }

  private finish(inode: Ext4Inode): void {
    inode.storage.record.deletion = 0;
    if (inode.links === 0) {
      this.fileSystem.evicted(inode);
      return;
    }
    inode.storage.cut(Math.ceil(inode.storage.record.size / inode.storage.blockSize));
    this.fileSystem.touched(inode.number);
  }

  /** The orphan file: a list of numbers in blocks with a checksum at their end. */
  private emptyFile(): void {
    const { superblock } = this.fileSystem;
    const file = this.fileSystem.load(superblock.orphanFileInode);
    if (typeof file === "number") return;
    const { map, blockSize, record } = file.storage;
    const list = blockSize - 8;
    for (let logical = 0; map !== null && logical < record.size / blockSize; logical++) {
      const { physical } = map.find(logical, 1);
      const block = physical === 0 ? null : this.fileSystem.readBlock(physical);
      if (block === null) continue;
      for (let at = 0; at < list; at += 4) {
        const number = get32(block, at);
        const inode = number === 0 ? 0 : this.fileSystem.load(number);
        if (typeof inode === "object") this.finish(inode);
        put32(block, at, 0);
      }
      if (superblock.hasChecksums) {
        const place = new Uint8Array(8);
        put32(place, 0, physical % HIGH);
        put32(place, 4, Math.floor(physical / HIGH));
        put32(block, list + 4, crc32c(crc32c(record.checksumSeed, place), block, 0, list));
      }
      this.fileSystem.writeBlock(physical, block);
    }
  }
}
