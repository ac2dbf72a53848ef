import { PAGE_SIZE } from "../../mmu/layout.js";
import { EFBIG, ENOSPC, EPERM, ETXTBSY } from "../errno.js";
import type { FilePages } from "../mm/file-pages.js";
import type { SwapStore } from "../mm/swap/swap-area.js";
import type { Inode, RegularInode } from "./inode.js";
import { S_ISGID, S_ISUID } from "./mode.js";
import { MAX_FILE_SIZE } from "./open-flags.js";
import { F_SEAL_FUTURE_WRITE, F_SEAL_GROW, F_SEAL_SHRINK, F_SEAL_WRITE } from "./seals.js";
import { OpenFile } from "./open-file.js";
import { CAP_FSETID } from "../capabilities.js";
import type { Actor } from "./permission.js";

export class RegularOpenFile extends OpenFile {
  override get node(): RegularInode {
    return super.node as RegularInode;
  }
  override get pages(): FilePages {
    return this.node.pages;
  }
  override get mmapRefused(): undefined {
    return undefined;
  }
  get unlinkedShmem(): boolean {
    return this.node.links === 0 && this.pages.isMemoryOnly;
  }
  get seals(): number {
    return this.node.seals ?? 0;
  }

  override read(destination: Uint8Array, offset: number): number {
    const count = this.node.read(offset, destination);
    if (count >= 0) this.touchAccess();
    return count;
  }

  override write(source: Uint8Array, offset: number): number {
    const node = this.node;
    if (node.isSwapFile) return -ETXTBSY;
    const seals = this.seals;
    if ((seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) !== 0) return -EPERM;
    if ((seals & F_SEAL_GROW) !== 0 && offset + source.length > node.size) {
      // Page by page (shmem_write_begin): what comes before the page that would grow the file is written.
      const end = node.size - (node.size % PAGE_SIZE);
      if (offset >= end) return -EPERM;
      source = source.subarray(0, end - offset);
    }
    if (offset + source.length > MAX_FILE_SIZE) return -EFBIG;
    const count = node.write(offset, source);
    if (count > 0) {
      node.modified = node.changed = node.fileSystem.now();
    }
    return count;
  }

  /**
   * A write that begins at `offset` of a memory file and finds nothing to copy: there is a page of zeroes, and the file
   * reaches to it (shmem_write_begin, shmem_write_end).
   * @param length bytes that were to be written, of which a page counts
   * @returns 0, or -errno where the write may not even begin: a seal, no room
   */
  writeNothing(offset: number, length: number): number {
    const { node, seals } = this;
    if (!node.pages.isMemoryOnly) return 0;
    const inPage = Math.min(length, PAGE_SIZE - (offset % PAGE_SIZE));
    if ((seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) !== 0) return -EPERM;
    if ((seals & F_SEAL_GROW) !== 0 && offset + inPage > node.size) return -EPERM;
    if (node.pages.frameAt(Math.floor(offset / PAGE_SIZE), true) === -1) return -ENOSPC;
    return offset > node.size ? node.truncate(offset) : 0;
  }

  override swapStore(): SwapStore | number {
    return this.node.fileSystem.swapStore(this.node);
  }

  override sync(): number {
    return this.node.flush();
  }

  protected override close(): void {
    this.node.flush();
  }
}

/**
 * A write or truncation by somebody without CAP_FSETID takes the set-user-id bit away, and set-group-id where it
 * means that (file_remove_privs).
 */
export function dropPrivilegeBits(node: Inode, actor: Actor): void {
  if ((node.mode & (S_ISUID | S_ISGID)) === 0 || actor.capable(CAP_FSETID)) return;
  node.mode &= ~S_ISUID;
  if ((node.mode & 0o010) !== 0) node.mode &= ~S_ISGID;
}

/** Sets a file's size as ftruncate does; 0 or -errno. */
export function setFileSize(node: RegularInode, size: number): number {
  const seals = node.seals ?? 0;
  if (size > MAX_FILE_SIZE) return -EFBIG;
  const unfit = node.checkSize(size);
  if (unfit < 0) return unfit;
  if (size < node.size && (seals & F_SEAL_SHRINK) !== 0) return -EPERM;
  if (size > node.size && (seals & F_SEAL_GROW) !== 0) return -EPERM;
  if (size <= node.size && node.isSwapFile) return -ETXTBSY;
  const result = node.truncate(size);
  if (result < 0) return result;
  node.modified = node.changed = node.fileSystem.now();
  return 0;
}
