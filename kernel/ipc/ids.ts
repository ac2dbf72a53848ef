/** The numbers and keys of one kind of System V object (ipc/util.c: struct ipc_ids). */

import type { Credentials } from "../credentials.js";
import { EEXIST, EINVAL, ENOENT, ENOSPC } from "../errno.js";
import { checkPermissions, IPC_CREAT, IPC_EXCL, IPC_PRIVATE, type IpcPermissions } from "./permissions.js";

/** An id is a sequence number times this, and an index (IPCMNI_SEQ_SHIFT). */
const INDEXES = 0x8000;
const MAX_SEQUENCE = 0x7fff_ffff / INDEXES;
/** Indexes are used in turn, at least so many before the first comes again (ipc_min_cycle). */
const MIN_CYCLE = 64;

export interface IpcObject {
  readonly permissions: IpcPermissions;
}

export class IpcIds<T extends IpcObject> {
  private readonly objects = new Map<number, T>();
  private sequence = 0;
  private last = -1;
  private next = 0;
  /** The id that the next object is to have (kernel/shm_next_id and its like), where it is free; -1: any. */
  nextId = -1;

  /** @param limit how many there may be at a time */
  constructor(public limit: number) {}

  get count(): number {
    return this.objects.size;
  }

  /** By index. */
  [Symbol.iterator](): Iterator<T> {
    const ordered = [...this.objects].sort(([a], [b]) => a - b);
    return ordered.map(([, object]) => object).values();
  }

  /** The highest index in use, or 0: what IPC_INFO and its like return. */
  get highest(): number {
    return Math.max(0, ...this.objects.keys());
  }

  /** The object with this id; undefined where there is none (any more). */
  get(id: number): T | undefined {
    const object = this.objects.get(id % INDEXES);
    return object?.permissions.id === id ? object : undefined;
  }

  /** The object in this place, for SHM_STAT and its like. */
  at(index: number): T | undefined {
    return this.objects.get(index % INDEXES);
  }

  /**
   * shmget, semget and msgget: an object by its key, or a new one (ipcget).
   * @param check what is asked of one that is there: 0 or -errno
   * @param make makes a new one with these permissions, or says -errno; the number of objects has been checked
   * @returns its id, -ENOENT, -EEXIST, -EACCES, or what `check` or `make` say
   */
  find(
    key: number,
    flags: number,
    who: Credentials,
    check: (object: T) => number,
    make: (place: () => IpcPermissions | number) => T | number,
  ): number {
    if (key !== IPC_PRIVATE) {
      for (const object of this.objects.values()) {
        if (object.permissions.key !== key) continue;
        if ((flags & IPC_CREAT) !== 0 && (flags & IPC_EXCL) !== 0) return -EEXIST;
        const error = check(object) || checkPermissions(object.permissions, flags, who);
        return error === 0 ? object.permissions.id : error;
      }
      if ((flags & IPC_CREAT) === 0) return -ENOENT;
    }
    const made = make(() => this.place(key, flags, who));
    if (typeof made === "number") return made;
    const { id } = made.permissions;
    this.objects.set(id % INDEXES, made);
    return id;
  }

  /** A number for a new object (ipc_addid). */
  private place(key: number, flags: number, who: Credentials): IpcPermissions | number {
    if (this.count >= this.limit) return -ENOSPC;
    if (this.nextId >= 0) return this.permissionsFor(this.wantedId(), key, flags, who);
    const end = Math.min(Math.max(Math.floor((this.count * 3) / 2), MIN_CYCLE), this.limit);
    let index = this.next < end ? this.next : 0;
    while (this.objects.has(index)) index = (index + 1) % end;
    this.next = index + 1;
    if (index <= this.last) this.sequence = this.sequence >= MAX_SEQUENCE ? 0 : this.sequence + 1;
    this.last = index;
    return this.permissionsFor(this.sequence * INDEXES + index, key, flags, who);
  }

  /** What was asked for, once: its sequence number, and its index or the first free one behind it. */
  private wantedId(): number {
    let id = this.nextId;
    this.nextId = -1;
    while (this.objects.has(id % INDEXES)) id++;
    return id;
  }

  private permissionsFor(id: number, key: number, flags: number, who: Credentials): IpcPermissions {
    return {
      id,
      key,
      uid: who.euid,
      gid: who.egid,
      creatorUid: who.euid,
      creatorGid: who.egid,
      mode: flags & 0o777,
      sequence: Math.floor(id / INDEXES),
    };
  }

  remove(object: T): void {
    this.objects.delete(object.permissions.id % INDEXES);
  }

  /** The object that a call names by its id: -EINVAL where there is none. */
  obtain(id: number): T | number {
    return (id >= 0 ? this.get(id) : undefined) ?? -EINVAL;
  }
}
