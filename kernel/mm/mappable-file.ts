import type { FilePages } from "./file-pages.js";
import type { Word } from "./word.js";

/** What mmap needs to know of an open file description (`struct file`). One object per description, not per fd. */
export interface MappableFile {
  /** Opened for reading / writing (O_PATH files never get here). */
  readonly readable: boolean;
  readonly writable: boolean;
  /** Identity of the inode, for /proc/pid/maps. */
  readonly device: { readonly major: number; readonly minor: number };
  readonly inode: number;
  /** Path as /proc/pid/maps shows it, with " (deleted)" when it is gone. */
  readonly mapName: string;
  /** The inode's page cache; two descriptions of one inode share it. `null` where `mmapRefused` is set. */
  readonly pages: FilePages | null;
  /** The mount forbids execution: PROT_EXEC is EPERM and VM_MAYEXEC is cleared. */
  readonly noExec?: boolean;
  /** Append-only inode: a shared writable mapping is EACCES. */
  readonly appendOnly?: boolean;
  /** The file has no mmap operation; this positive errno (ENODEV for pipes, directories, most devices). */
  readonly mmapRefused?: number | undefined;
  /** F_SEAL_* bits of a memfd. */
  readonly seals?: number;
  /** /dev/zero: a private mapping becomes memory without vm_ops, a shared one gets pages of its own. */
  readonly zeroDevice?: boolean;
  /** Its pages are in memory alone, and it has no name (any more), as a memfd's. */
  readonly unlinkedShmem?: boolean;
  /** It counts its areas (its vm_ops have `close`): no area of it is ever merged away. */
  readonly countsAreas?: boolean;
  /**
   * Of System V: it has a say in where it is mapped (get_unmapped_area), so that its areas do not move together with
   * others, and its faults bring no neighbours in (no map_pages).
   */
  readonly isSegment?: boolean;
  /**
   * Mapping it enters all of its pages (vm_insert_pages), and none comes by a fault: an entry that is emptied, by
   * MADV_DONTNEED for instance, is a bus error from then on (inserted-pages.ts).
   */
  readonly insertsPages?: boolean;
  /** Of memfd_secret: its pages are reached through page tables only (secret-memory.ts). */
  readonly secret?: boolean;
  /** It is mapped only at a place and an offset of its choice (get_unmapped_area): a positive errno, or 0. */
  placeRefused?(address: Word, offset: Word): number;
  /** Writes dirty pages back to where the file comes from: 0 or -errno (vfs_fsync). */
  sync?(): number;
  /**
   * For what goes with its last area although somebody is about to map it again (a removed System V segment): has it
   * gone? Asked when the new area's place is free.
   */
  vanished?(): boolean;
  /** The VMA was made (or copied): the description must stay open until as many `unmapped` calls came. */
  mapped?(): void;
  unmapped?(): void;
}
