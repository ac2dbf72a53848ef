/**
 * Memory of memfd_secret(2). No part of the kernel reaches such a page but by the owner's own page tables: what looks
 * a page up to use it itself (get_user_pages) is refused. That is ptrace, /proc/PID/mem, process_vm_readv on the far
 * side, vmsplice, a shared futex, bringing in ahead of use. read(2) and write(2) into and out of it do copy.
 */
import { VM_DONTDUMP, VM_LOCKED, VM_MAYSHARE, withFlags } from "./vm-flags.js";
import type { AddressSpace } from "./address-space.js";
import { mayLock } from "./accounting.js";
import type { Area } from "./area.js";
import { EAGAIN, EINVAL } from "../errno.js";

/** vma_is_secretmem */
export function isSecret(area: Area): boolean {
  return area.file?.secret === true;
}

/** What its mmap operation says: the area's flags, or a refusal (secretmem_mmap). */
export function secretFlags(
  mm: AddressSpace,
  flags: number,
  pages: number,
):
  | { readonly vmFlags: number }
  | { readonly rule: string; readonly errno: number; readonly text: string; readonly source: string } {
  const source = "secretmem_mmap";
  if ((flags & VM_MAYSHARE) === 0)
    return { rule: "secret-private", errno: EINVAL, text: "secret memory is mapped shared only", source };
  const locked = mm.env.release.secretMemoryLocked ? VM_LOCKED : 0;
  const vmFlags = withFlags(flags, locked | VM_DONTDUMP, 0);
  if (!mayLock(mm, vmFlags, pages))
    return { rule: "memlock", errno: EAGAIN, text: "secret memory is locked: over RLIMIT_MEMLOCK", source };
  return { vmFlags };
}
