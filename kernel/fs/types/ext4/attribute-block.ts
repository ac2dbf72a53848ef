import { crc32c } from "./checksums.js";
import type { Ext4FileSystem } from "./file-system.js";
import { get32, HIGH, put32 } from "./little-endian.js";
import type { Ext4Storage } from "./storage.js";

const MAGIC = 0xea02_0000;
const REFERENCES = 4;
const CHECKSUM = 16;

/** The block with an inode's extended attributes, which others may share, has one user less. */
export function releaseAttributes(fileSystem: Ext4FileSystem, storage: Ext4Storage): void {
  const { record } = storage;
  const place = record.attributeBlock;
  if (place === 0) return;
  const block = fileSystem.readBlock(place);
  if (block === null || get32(block, 0) !== MAGIC) return;
  record.attributeBlock = 0;
  const references = get32(block, REFERENCES);
  if (references <= 1) {
    storage.giveBlocks(place, 1);
    return;
  }
  record.sectors -= fileSystem.superblock.blockSize / 512;
  put32(block, REFERENCES, references - 1);
  sealAttributes(fileSystem, place, block);
  fileSystem.writeBlock(place, block);
}

function sealAttributes(fileSystem: Ext4FileSystem, place: number, block: Uint8Array): void {
  const { superblock } = fileSystem;
  if (!superblock.hasChecksums) return;
  const number = new Uint8Array(8);
  put32(number, 0, place % HIGH);
  put32(number, 4, Math.floor(place / HIGH));
  put32(block, CHECKSUM, 0);
  put32(block, CHECKSUM, crc32c(crc32c(superblock.checksumSeed, number), block));
}
