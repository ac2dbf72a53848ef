/**
 * What makes two futex words the same futex (kernel/futex/core.c get_futex_key). A private one is known by its
 * address space and address; a shared one by the file page that it lies in, or, in anonymous memory, by address
 * space and address again, yet apart from the private futex there.
 */

import { PTE_ANON } from "../../mmu/page-table-entry.js";
import { EFAULT, EINVAL } from "../errno.js";
import type { AddressSpace } from "../mm/address-space.js";
import type { FilePages } from "../mm/file-pages.js";
import { TASK_SIZE } from "../mm/layout.js";
import type { UserMemory } from "../mm/user-memory.js";
import { FUTEX_NO_NODE } from "./uapi.js";

export interface FutexKey {
  readonly owner: AddressSpace | FilePages;
  /** Bytes from the owner's start. The word is aligned, so its lowest bits are free to tell the kinds apart. */
  readonly offset: number;
}

const IN_SHARED_ANONYMOUS = 2;
const IN_FILE = 1;

export interface FutexFlags {
  /** Without FUTEX_PRIVATE_FLAG. */
  readonly shared: boolean;
  /** FUTEX2_NUMA: a word with the node's number follows. */
  readonly numa: boolean;
}

export function sameFutex(a: FutexKey, b: FutexKey): boolean {
  return a.owner === b.owner && a.offset === b.offset;
}

/**
 * The key of the word at an address.
 * @param address bytes; Infinity where it is no user address, with `low` its lowest 32 bits
 * @param writes the operation changes the word: memory that can only be read will not do
 * @returns -EINVAL: not aligned, or a node that there is not. -EFAULT: outside user space, or a shared futex in
 *   memory that is not there, or anonymous and not writable
 */
export function findFutexKey(
  user: UserMemory,
  address: number,
  low: number,
  { shared, numa }: FutexFlags,
  writes: boolean,
): FutexKey | number {
  const size = numa ? 8 : 4;
  if ((low & (size - 1)) !== 0) return -EINVAL;
  // A word right at the end passes here (valid_user_address), and is missed only when it is read.
  if (!(address <= TASK_SIZE)) return -EFAULT;
  if (numa) {
    const error = settleNode(user, address + 4);
    if (error !== 0) return error;
  }
  return shared ? sharedKey(user, address, writes) : { owner: user.mm, offset: address };
}

/** The word for the node: 0, the only one there is, or "any", which becomes 0. */
function settleNode(user: UserMemory, address: number): number {
  user.awaitWritable(address, 4);
  const node = user.readU32(address);
  if (node === null) return -EFAULT;
  if (node === 0) return 0;
  if (node !== FUTEX_NO_NODE) return -EINVAL;
  return user.writeU32(address, 0) ? 0 : -EFAULT;
}

function sharedKey(user: UserMemory, address: number, writes: boolean): FutexKey | number {
  const { mm } = user;
  // Looking for a page lets no stack grow.
  if (mm.findArea(address) === null || user.isSecret(address)) return -EFAULT;
  user.awaitWritable(address, 4);
  const value = user.readU32(address);
  if (value === null) return -EFAULT;
  // Writing what is there gives the address a page of its own, where it can have one.
  const writable = user.writeU32(address, value);
  if (!writable && writes) return -EFAULT;
  const area = mm.findArea(address)!;
  const anonymous = (mm.translations.low(address - (address % 4096)) & PTE_ANON) !== 0;
  if (anonymous) return writable ? { owner: mm, offset: address + IN_SHARED_ANONYMOUS } : -EFAULT;
  if (area.pages === null) return -EFAULT;
  const offset = area.fileIndex(address) * 4096 + (address % 4096);
  return { owner: area.pages, offset: offset + IN_FILE };
}
