/** System V shared memory (ipc/shm.c): segments, and the attachments that address spaces map. */

import type { FrameAllocator } from "../../mmu/frame-allocator.js";
import type { Credentials } from "../credentials.js";
import { EINVAL, ENOMEM, ENOSPC, EPERM } from "../errno.js";
import { FilePages } from "../mm/file-pages.js";
import type { SharedMount } from "../mm/huge/shared-mount.js";
import { HugeFilePages } from "../mm/hugetlb/file-pages.js";
import type { HugePagePools } from "../mm/hugetlb/pools.js";
import type { MappableFile } from "../mm/mappable-file.js";
import { IpcIds, type IpcObject } from "./ids.js";
import { IPC_PRIVATE, type IpcPermissions } from "./permissions.js";

export const SHM_HUGETLB = 0o4000;
const SHM_NORESERVE = 0o10000;
/** Removed: goes with the last attachment. */
const SHM_DEST = 0o1000;
export const SHM_LOCKED = 0o2000;
const SHMMNI = 4096;
/** SHMMAX and SHMALL: ULONG_MAX - 2^24. */
const LARGEST = 2n ** 64n - 1n - 2n ** 24n;

/** What the segments need of the machine. */
export interface IpcMachine {
  readonly frames: FrameAllocator;
  /** Seconds since 1970. */
  time(): number;
  /** The running process's number. */
  pid(): number;
  /** Pages that overcommit would let anybody have. */
  mayCommit(pages: number): boolean;
  readonly hugePages: HugePagePools;
  /** What is said of huge pages of ordinary segments. */
  sharedMemory(): SharedMount;
  /** The caller may have huge pages (can_do_hugetlb_shm). */
  mayUseHugePages(): boolean;
}

export class SharedMemorySegment implements IpcObject {
  readonly pages: FilePages;
  attachedAt = 0;
  detachedAt = 0;
  changedAt: number;
  readonly creatorPid: number;
  /** What maps calls it: by the key it was made with. */
  readonly name: string;
  lastPid = 0;
  /** Areas that map it, of all processes (shm_nattch). */
  attachments = 0;

  /**
   * @param size bytes
   * @param pages of huge pages; null: it gets ordinary ones
   */
  constructor(
    private readonly owner: SharedMemory,
    readonly permissions: IpcPermissions,
    readonly size: number,
    pages: HugeFilePages | null,
  ) {
    const { machine } = owner;
    this.pages = pages ?? new FilePages(machine.frames, size);
    this.pages.swappable = pages === null;
    if (pages === null) this.pages.belongTo(machine.sharedMemory());
    this.changedAt = machine.time();
    this.creatorPid = machine.pid();
    this.name = `/SYSV${(permissions.key >>> 0).toString(16).padStart(8, "0")} (deleted)`;
  }

  /** Of huge pages (is_file_hugepages). */
  get isHuge(): boolean {
    return this.pages instanceof HugeFilePages;
  }

  /** An area came (shm_open). */
  attached(): void {
    const { machine } = this.owner;
    this.attachments++;
    this.attachedAt = machine.time();
    this.lastPid = machine.pid();
  }

  /** An area went (shm_close). */
  detached(): void {
    const { machine } = this.owner;
    this.attachments--;
    this.detachedAt = machine.time();
    this.lastPid = machine.pid();
    this.destroyIfUnused();
  }

  /** It has been destroyed. */
  get gone(): boolean {
    return this.owner.ids.get(this.permissions.id) !== this;
  }

  /** One more user while it is being attached (shm_nattch in do_shmat). */
  beginAttaching(): void {
    this.attachments++;
  }

  endAttaching(): void {
    this.attachments--;
    this.destroyIfUnused();
  }

  destroyIfUnused(): void {
    if (this.attachments === 0 && (this.permissions.mode & SHM_DEST) !== 0) this.owner.destroy(this);
  }
}

/** One shmat: what its areas have as their file. */
export class SharedMemoryAttachment implements MappableFile {
  readonly readable = true;
  readonly device: { readonly major: number; readonly minor: number };
  readonly inode: number;
  readonly mapName: string;
  readonly pages: FilePages;
  readonly countsAreas = true;
  readonly isSegment = true;

  constructor(
    readonly segment: SharedMemorySegment,
    readonly writable: boolean,
  ) {
    this.inode = segment.permissions.id;
    this.mapName = segment.name;
    this.pages = segment.pages;
    const { pages } = segment;
    this.device = pages instanceof HugeFilePages ? pages.pool.device : { major: 0, minor: 1 };
  }

  vanished(): boolean {
    return this.segment.gone;
  }

  mapped(): void {
    this.segment.attached();
  }

  unmapped(): void {
    this.segment.detached();
  }
}

export class SharedMemory {
  readonly ids = new IpcIds<SharedMemorySegment>(SHMMNI);
  /** Pages of all segments' sizes. */
  totalPages = 0;
  /** kernel/shmmax: the most bytes that a segment may have. */
  largestSegment = LARGEST;
  /** kernel/shmall: the most pages of all segments together. */
  mostPages = LARGEST;

  constructor(readonly machine: IpcMachine) {}

  /** shmget(2). @param size bytes, exact below 2^53 */
  get(key: number, size: number, flags: number, who: Credentials): number {
    return this.ids.find(
      key,
      flags,
      who,
      (segment) => (segment.size < size ? -EINVAL : 0),
      (place) => this.make(size, flags, place),
    );
  }

  private make(
    size: number,
    flags: number,
    place: () => IpcPermissions | number,
  ): SharedMemorySegment | number {
    if (size < 1 || size > Number(this.largestSegment)) return -EINVAL;
    const pages = Math.ceil(size / 4096);
    if (this.totalPages + pages > Number(this.mostPages)) return -ENOSPC;
    if (size >= 2 ** 63) return -EINVAL;
    const huge = (flags & SHM_HUGETLB) !== 0 ? this.hugePagesFor(size, flags) : null;
    if (typeof huge === "number") return huge;
    if (huge === null && !this.machine.mayCommit(pages)) return -ENOMEM;
    const permissions = place();
    if (typeof permissions === "number") {
      huge?.destroy();
      return permissions;
    }
    this.totalPages += pages;
    return new SharedMemorySegment(this, permissions, size, huge);
  }

  /** EINVAL no pool of that size; EPERM; ENOMEM: all pages are promised from the start (hugetlb_file_setup). */
  private hugePagesFor(size: number, flags: number): HugeFilePages | number {
    const { frames, hugePages } = this.machine;
    const pool = hugePages.named(flags);
    if (pool === undefined) return -EINVAL;
    if (!this.machine.mayUseHugePages()) return -EPERM;
    const count = Math.ceil(size / pool.bytes);
    const pages = new HugeFilePages(frames, pool, count * pool.bytes);
    const error = (flags & SHM_NORESERVE) === 0 ? pages.promiseRange(0, count) : 0;
    return error === 0 ? pages : error;
  }

  /** IPC_RMID: at once, or with the last attachment; nobody finds it by its key any more. */
  remove(segment: SharedMemorySegment): void {
    segment.permissions.mode |= SHM_DEST;
    segment.permissions.key = IPC_PRIVATE;
    segment.destroyIfUnused();
  }

  destroy(segment: SharedMemorySegment): void {
    this.ids.remove(segment);
    this.totalPages -= Math.ceil(segment.size / 4096);
    segment.pages.destroy();
  }

  /** Pages that are in swap areas. */
  get swappedPages(): number {
    let pages = 0;
    for (const segment of this.ids) pages += segment.pages.swappedCount;
    return pages;
  }

  /** Pages that are in memory. */
  get residentPages(): number {
    let pages = 0;
    for (const segment of this.ids) pages += segment.pages.resident;
    return pages;
  }
}
