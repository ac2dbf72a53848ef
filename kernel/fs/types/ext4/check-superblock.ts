import type { BlockDevice } from "../../../block/block-device.js";
import { EBADMSG, EINVAL } from "../../../errno.js";
import { refusedFeatures } from "./features.js";
import { EXT4_MAGIC, Superblock, SUPERBLOCK_BYTES, SUPERBLOCK_OFFSET } from "./superblock.js";

/** Why a device cannot be mounted. */
export interface MountRefusal {
  readonly errno: number;
  readonly text: string;
}

/** Null where it cannot be read. */
export function readSuperblock(device: BlockDevice): Superblock | null {
  const bytes = new Uint8Array(SUPERBLOCK_BYTES);
  return device.read(SUPERBLOCK_OFFSET, bytes) === bytes.length ? new Superblock(bytes) : null;
}

/** Why a file system with this superblock cannot be mounted as `typeName`; null where all is well (ext4_fill_super). */
export function refusedSuperblock(
  superblock: Superblock,
  typeName: string,
  device: BlockDevice,
  readOnly: boolean,
): MountRefusal | null {
  const refuse = (errno: number, text: string): MountRefusal => ({ errno, text });
  if (superblock.magic !== EXT4_MAGIC) return refuse(EINVAL, "there is no ext2, ext3 or ext4 on the device");
  if (!superblock.checksumHolds) return refuse(EBADMSG, "the superblock's checksum is wrong");
  const features = refusedFeatures(typeName, superblock.incompat, superblock.roCompat, readOnly);
  if (features !== null) return refuse(EINVAL, features);
  if (typeName === "ext3" && !superblock.hasJournal)
    return refuse(EINVAL, "ext3 has a journal, this has none");
  const shape = refusedShape(superblock, device);
  return shape === null ? null : refuse(EINVAL, shape);
}

/** What the numbers in a superblock cannot be; null where all is well. */
function refusedShape(s: Superblock, device: BlockDevice): string | null {
  if (s.logBlockSize > 2) return `blocks of ${1024 * 2 ** s.logBlockSize} bytes`;
  if (s.revision > 1) return `revision ${s.revision}`;
  if (s.inodeSize < 128 || s.inodeSize > s.blockSize || (s.inodeSize & (s.inodeSize - 1)) !== 0)
    return `inodes of ${s.inodeSize} bytes`;
  if (s.blocksPerGroup === 0 || s.blocksPerGroup > s.blockSize * 8)
    return `${s.blocksPerGroup} blocks a group`;
  if (s.inodesPerGroup === 0 || s.inodesPerGroup > s.blockSize * 8)
    return `${s.inodesPerGroup} inodes a group`;
  if (s.blocks * s.blockSize > device.size) return "the device is smaller than the file system";
  if (s.firstDataBlock >= s.blocks) return "no blocks";
  if (s.hasChecksums && s.checksumType !== 1) return `checksums of kind ${s.checksumType}`;
  return null;
}
