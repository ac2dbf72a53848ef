/*
 * pkey_alloc(flags, access_rights)
 *   EINVAL  flags not 0; rights other than PKEY_DISABLE_ACCESS | PKEY_DISABLE_WRITE
 *   ENOSPC  all 16 keys are taken, or the CPU has no keys
 *   EINVAL  the CPU has no keys (some releases, the first time)
 * Gives the lowest free key; sets the calling thread's PKRU bits for it. A failing call leaves PKRU alone.
 *
 * pkey_free(key)
 *   EINVAL  not a key, not allocated, or the execute-only key
 * Touches neither PKRU nor areas nor page tables: memory keeps the key.
 */
import { EINVAL, ENOSPC } from "../errno.js";
import type { AddressSpace } from "./address-space.js";
import { PKEY_DISABLE_ACCESS, PKEY_DISABLE_WRITE } from "./uapi.js";
import { isZero, type Word } from "./word.js";

const KEYS = 16;
const ALL_KEYS = 0xffff;

export function pkeyAlloc(mm: AddressSpace, flags: Word, rights: Word): number {
  if (!isZero(flags))
    return mm.refuse("pkey_alloc.flags", EINVAL, () => ({
      text: "no flags are defined",
      source: "pkey_alloc",
    }));
  if (rights > (PKEY_DISABLE_ACCESS | PKEY_DISABLE_WRITE))
    return mm.refuse("pkey_alloc.rights", EINVAL, () => ({
      text: "the initial rights have bits other than PKEY_DISABLE_ACCESS and PKEY_DISABLE_WRITE",
      source: "pkey_alloc",
    }));
  if (!mm.env.pku) return allocWithoutKeys(mm);
  const key = takeKey(mm);
  if (key === -1)
    return mm.refuse("pkey_alloc.none-left", ENOSPC, () => ({
      text: "all 16 protection keys of this address space are taken",
      source: "mm_pkey_alloc",
    }));
  setRights(mm, key, Number(rights));
  return key;
}

function allocWithoutKeys(mm: AddressSpace): number {
  // Releases differ by accident: with an empty map the first call takes "key 0" before it finds no PKRU to set.
  const firstCall = mm.keyMap === 0 && mm.env.release.pkeyAllocWithoutKeys === "einval-once";
  mm.keyMap = 1;
  return mm.refuse("pkey_alloc.no-keys", firstCall ? EINVAL : ENOSPC, () => ({
    text: "this CPU has no protection keys",
    source: "arch_set_user_pkey_access",
  }));
}

export function pkeyFree(mm: AddressSpace, key: number): number {
  if (!isAllocated(mm, key))
    return mm.refuse("pkey_free.not-allocated", EINVAL, () => ({
      text:
        key === mm.executeOnlyKey && key > 0
          ? `key ${key} hides execute-only memory and is not the program's`
          : `key ${key} is not allocated`,
      source: "mm_pkey_is_allocated",
    }));
  mm.keyMap &= ~(1 << key);
  return 0;
}

/** A key that pkey_mprotect and pkey_free accept. */
export function isAllocated(mm: AddressSpace, key: number): boolean {
  if (!mm.env.pku || !(key >= 0 && key < KEYS) || key === mm.executeOnlyKey) return false;
  return (mm.keyMap & (1 << key)) !== 0;
}

function takeKey(mm: AddressSpace): number {
  if (mm.keyMap === ALL_KEYS) return -1;
  let key = 0;
  while ((mm.keyMap & (1 << key)) !== 0) key++;
  mm.keyMap |= 1 << key;
  return key;
}

/** Sets the calling thread's two PKRU bits of a key. */
function setRights(mm: AddressSpace, key: number, rights: number): void {
  const { machine } = mm.env;
  machine.setPkru(((machine.pkru() & ~(3 << (2 * key))) | (rights << (2 * key))) >>> 0);
}

/**
 * The key for memory that may only be executed (__execute_only_pkey): taken at first use, and denied to the
 * calling thread now if it was not.
 * @returns -1 when no key is left or the CPU has none
 */
export function executeOnlyKey(mm: AddressSpace): number {
  if (!mm.env.pku) return -1;
  const fresh = mm.executeOnlyKey === -1;
  const key = fresh ? takeKey(mm) : mm.executeOnlyKey;
  if (key === -1) return -1;
  mm.executeOnlyKey = key;
  const denied = ((mm.env.machine.pkru() >>> (2 * key)) & PKEY_DISABLE_ACCESS) !== 0;
  if (fresh || !denied) setRights(mm, key, PKEY_DISABLE_ACCESS);
  return key;
}
