import { EEXIST, ENOMEM } from "../errno.js";
import { commit, countPages, mayExpand } from "./accounting.js";
import type { AddressSpace } from "./address-space.js";
import type { FilePages } from "./file-pages.js";
import { addOrMerge, newProperties } from "./merge.js";
import { sealBySystem } from "./seal-by-system.js";
import * as vm from "./vm-flags.js";

/**
 * A mapping the kernel makes of its own pages, as [vdso] and [vvar] (_install_special_mapping).
 * @param flags VM_* bits besides the protection: VM_MAY_ALL for [vdso], what only the kernel writes has VM_MAYREAD
 * @param sealedBy whoever has it sealed from the beginning (VM_SEALED_SYSMAP), or null
 * @returns 0, -EEXIST when something is there, -ENOMEM over RLIMIT_AS
 */
export function mapSpecial(
  mm: AddressSpace,
  start: number,
  length: number,
  prot: number,
  name: string,
  pages: FilePages,
  flags: number,
  sealedBy: string | null = null,
): number {
  if (mm.tree.findOverlap(start, start + length) !== null) return -EEXIST;
  const vmFlags = vm.protFlags(prot) | vm.VM_DONTEXPAND | vm.VM_SOFTDIRTY | mm.defaultFlags | flags;
  if (!mayExpand(mm, vmFlags, length / 4096)) return -ENOMEM;
  addOrMerge(mm, start, start + length, newProperties({ flags: vmFlags, name, pages, unsplittable: true }));
  countPages(mm, vmFlags, length / 4096);
  mm.changed("map", start, start + length);
  if (sealedBy !== null) sealBySystem(mm, start, start + length, sealedBy);
  return 0;
}

/**
 * The main stack, [top - size, top) (setup_arg_pages). /proc/pid/maps calls the area that holds
 * `layout.startStack` "[stack]".
 */
export function mapStack(mm: AddressSpace, top: number, size: number, prot: number): number {
  const start = top - size;
  if (mm.tree.findOverlap(start, top) !== null) return -EEXIST;
  const flags =
    vm.protFlags(prot) | vm.VM_MAY_ALL | vm.VM_GROWSDOWN | vm.VM_ACCOUNT | vm.VM_SOFTDIRTY | mm.defaultFlags;
  if (!mayExpand(mm, flags, size / 4096) || !commit(mm, size / 4096)) return -ENOMEM;
  addOrMerge(mm, start, top, newProperties({ flags, pageOffset: start / 4096 }));
  countPages(mm, flags, size / 4096);
  mm.changed("map", start, top);
  return 0;
}
