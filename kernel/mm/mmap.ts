/*
 * mmap(addr, length, prot, flags, fd, offset); the caller has turned fd into a file (EBADF comes before all but
 * the first of these).
 *
 * Refuses, in this order (ksys_mmap_pgoff, do_mmap, mmap_region):
 *   EINVAL      offset not page aligned; MAP_HUGETLB with an ordinary file or an unknown page size
 *   EINVAL      length 0
 *   ENOMEM      length rounds to 0; map count above its limit; longer than user space; no room; fixed range
 *               beyond user space
 *   EINVAL      MAP_FIXED address not page aligned, or of huge pages not aligned to theirs
 *   EPERM       below vm.mmap_min_addr
 *   EEXIST      MAP_FIXED_NOREPLACE and something is mapped there
 *   EPERM       MAP_LOCKED and no right to lock
 *   EAGAIN      over RLIMIT_MEMLOCK
 *   file        EOVERFLOW offset too large; EOPNOTSUPP unknown flag with MAP_SHARED_VALIDATE; EACCES shared and
 *               writable without a writable descriptor, or append-only; EACCES not readable; EPERM noexec mount;
 *               ENODEV (or the file's own errno) cannot be mapped; EINVAL MAP_GROWSDOWN; EINVAL type; EPERM memfd seal;
 *               of memfd_secret: EINVAL private, EAGAIN over RLIMIT_MEMLOCK
 *   anonymous   EINVAL type, shared MAP_GROWSDOWN
 *   EACCES      MDWE: writable and executable
 *   ENOMEM, EPERM   what MAP_FIXED replaces: map count, a sealed area (see munmap.ts)
 *   ENOMEM      RLIMIT_AS, RLIMIT_DATA, overcommit
 *   huge pages  EINVAL offset inside of one; ENOMEM too few in the pool; what MAP_FIXED replaces has gone by then
 *   (6.10: RLIMIT_AS, RLIMIT_DATA; a sealed area; then, with the old mapping gone, overcommit and MDWE)
 *
 * Stays applied: a call with prot exactly PROT_EXEC may have taken the execute-only key though it then fails; a
 * refused MAP_FIXED unmaps nothing but may leave an area split. Failures of MAP_POPULATE are silent.
 */
import { EACCES, EAGAIN, EEXIST, EINVAL, ENODEV, ENOMEM, EOPNOTSUPP, EOVERFLOW, EPERM } from "../errno.js";
import { countPages, mayLock } from "./accounting.js";
import type { AddressSpace } from "./address-space.js";
import { offerPages } from "./lazy-free.js";
import { makeRoom } from "./make-room.js";
import { placeShared } from "./huge/shared-place.js";
import { isHugetlbFile } from "./hugetlb/area.js";
import { filePageBytes, hugeFilesIn, hugetlbSource, mapHugetlb } from "./hugetlb/mmap.js";
import { hasInsertedPages, INSERTED_FLAGS, insertPages } from "./inserted-pages.js";
import type { MappableFile } from "./mappable-file.js";
import { mergeableWhenMade, mergeableOnceMade } from "./ksm/mergeable.js";
import { addOrMerge, newProperties } from "./merge.js";
import { unmapRange } from "./munmap.js";
import { executeOnlyKey } from "./pkey.js";
import { populateLocked } from "./populate.js";
import { SharedAnonymousFile } from "./shared-anonymous.js";
import * as uapi from "./uapi.js";
import { checkSealsOfRange, newSeal, refuseMistake, refuseSealed } from "./sealing/range.js";
import { secretFlags } from "./secret-memory.js";
import { findUnmappedArea, findUnmappedHuge } from "./unmapped-area.js";
import { TASK_SIZE } from "./layout.js";
import * as vm from "./vm-flags.js";
import { isPageAligned, isZero, pageDown, pageUp, type Word } from "./word.js";

/** Flags that MAP_SHARED_VALIDATE accepts (LEGACY_MAP_MASK); MAP_FIXED_NOREPLACE is not among them. */
const LEGACY_FLAGS =
  uapi.MAP_SHARED |
  uapi.MAP_PRIVATE |
  uapi.MAP_FIXED |
  uapi.MAP_ANONYMOUS |
  uapi.MAP_DENYWRITE |
  uapi.MAP_EXECUTABLE |
  uapi.MAP_UNINITIALIZED |
  uapi.MAP_GROWSDOWN |
  uapi.MAP_LOCKED |
  uapi.MAP_NORESERVE |
  uapi.MAP_POPULATE |
  uapi.MAP_NONBLOCK |
  uapi.MAP_STACK |
  uapi.MAP_HUGETLB |
  uapi.MAP_32BIT |
  uapi.MAP_ABOVE4G |
  // MAP_HUGE_2MB and MAP_HUGE_1GB; not the size field's highest bit.
  ((21 | 30) << 26);
const MAX_FILE_BYTES = 2 ** 63;
export function mmap(
  mm: AddressSpace,
  address: Word,
  lengthWord: Word,
  protection: number,
  flagBits: number,
  file: MappableFile | null,
  offset: Word,
): number {
  const { env, tree } = mm;
  const refuse = (rule: string, errno: number, text: string, source = "do_mmap") =>
    mm.refuse(`mmap.${rule}`, errno, () => ({ text, source }));
  const asked = env.sealing.readMmap(protection, flagBits);
  if ("mistake" in asked) return refuseMistake(mm, "mmap", asked);
  let { flags, prot } = asked;

  if (!isPageAligned(offset))
    return refuse("offset", EINVAL, "the offset is not a multiple of the page size");
  const mapped = hugetlbSource(mm, flags, file, lengthWord);
  if (typeof mapped === "number")
    return refuse("hugetlb", -mapped, "no such huge pages for this mapping", "ksys_mmap_pgoff");
  const { file: source, length } = mapped;
  if (isZero(lengthWord)) return refuse("empty", EINVAL, "the length is 0");
  if (env.readImpliesExec && (prot & uapi.PROT_READ) !== 0 && !source?.noExec) prot |= uapi.PROT_EXEC;
  if ((flags & uapi.MAP_FIXED_NOREPLACE) !== 0) flags |= uapi.MAP_FIXED;
  const fixed = (flags & uapi.MAP_FIXED) !== 0;
  if (length === 0) return refuse("length", ENOMEM, "the length rounded to pages overflows");
  const pages = length / 4096;
  if (tree.count > env.settings.maxMapCount)
    return refuse("map-count", ENOMEM, "the address space has more areas than vm.max_map_count");
  let key = 0;
  if (prot === uapi.PROT_EXEC) key = Math.max(0, executeOnlyKey(mm));

  if (length > TASK_SIZE) return refuse("length", ENOMEM, "longer than user space", "get_unmapped_area");
  const misplaced = source?.placeRefused?.(address, offset) ?? 0;
  if (misplaced !== 0)
    return refuse("place", misplaced, "this file chooses where it is mapped", "get_unmapped_area");
  let start: number;
  if (fixed) {
    // A fixed address that looks like an error is taken for one (IS_ERR_VALUE in __get_unmapped_area).
    const asErrno = Number(BigInt.asIntN(64, BigInt(address)));
    if (asErrno < 0 && asErrno > -4096)
      return refuse("range", -asErrno, "the fixed address is taken for an errno", "__get_unmapped_area");
    if (address > TASK_SIZE - length)
      return refuse("range", ENOMEM, "the range does not lie in user space", "get_unmapped_area");
    if (!isPageAligned(address))
      return refuse("unaligned", EINVAL, "a fixed address must be a multiple of the page size");
    start = Number(address);
    if (start % filePageBytes(source) !== 0)
      return refuse("unaligned", EINVAL, "a fixed address of huge pages must be a multiple of their size");
  } else {
    let hint = pageDown(address);
    if (hint !== 0 && hint < env.settings.mmapMinAddr) hint = pageUp(env.settings.mmapMinAddr);
    start = isHugetlbFile(source)
      ? findUnmappedHuge(mm, hint, length, flags, filePageBytes(source))
      : findUnmappedArea(mm, hint, length, flags, source === null && (flags & 0xf) === uapi.MAP_PRIVATE);
    if (start !== -1) start = placeShared(mm, source, start, hint, length, Number(offset), flags);
    if (start === -1) return refuse("no-room", ENOMEM, "no free range is long enough", "get_unmapped_area");
  }
  if (start < env.settings.mmapMinAddr && !env.capabilities.rawIo)
    return refuse("min-addr", EPERM, "below vm.mmap_min_addr", "cap_mmap_addr");
  const end = start + length;
  const occupant = tree.findOverlap(start, end);
  if ((flags & uapi.MAP_FIXED_NOREPLACE) !== 0 && occupant !== null)
    return mm.refuse("mmap.occupied", EEXIST, () => ({
      text: "MAP_FIXED_NOREPLACE does not replace what is mapped",
      source: "do_mmap",
      area: occupant,
    }));
  if (fixed && env.sealing.overlay === "with-place") {
    const sealed = checkSealsOfRange(mm, start, end, (area) =>
      env.sealing.mayUnmap(area, "mmap", env.machine),
    );
    if (sealed !== null)
      return refuseSealed(mm, "mmap", sealed.verdict, () => ({ area: sealed.area, address: sealed.address }));
  }
  if ((flags & uapi.MAP_LOCKED) !== 0 && env.limits.memlock === 0 && !env.capabilities.ipcLock)
    return refuse("may-not-lock", EPERM, "RLIMIT_MEMLOCK is 0", "can_do_mlock");

  let vmFlags =
    (vm.protFlags(prot) |
      vm.VM_MAY_ALL |
      vm.VM_SOFTDIRTY |
      mm.defaultFlags |
      ((flags & uapi.MAP_GROWSDOWN) !== 0 ? vm.VM_GROWSDOWN : 0) |
      ((flags & uapi.MAP_LOCKED) !== 0 ? vm.VM_LOCKED : 0) |
      ((flags & uapi.MAP_STACK) !== 0 ? vm.VM_NOHUGEPAGE : 0) |
      ((flags & uapi.MAP_SYNC) !== 0 ? vm.VM_SYNC : 0)) >>>
    0;
  // Also where the area itself is not locked in the end (droppable memory after MCL_FUTURE).
  const asksToLock = (vmFlags & vm.VM_LOCKED) !== 0;
  if (!mayLock(mm, vmFlags, pages))
    return refuse("memlock", EAGAIN, "over RLIMIT_MEMLOCK", "mlock_future_ok");

  let kind =
    source === null
      ? anonymousKind(mm, flags, vmFlags)
      : fileKind(source, prot, flags, vmFlags, length, offset);
  if (source?.secret && "vmFlags" in kind) kind = secretFlags(mm, kind.vmFlags, pages);
  if ("errno" in kind) return refuse(kind.rule, kind.errno, kind.text, kind.source);
  ({ vmFlags } = kind);
  if ((flags & uapi.MAP_NORESERVE) !== 0 && (env.settings.overcommit !== 2 || isHugetlbFile(source)))
    vmFlags = vm.withFlags(vmFlags, vm.VM_NORESERVE, 0);
  if (isHugetlbFile(source)) vmFlags = vm.withFlags(vmFlags, vm.VM_HUGETLB, 0);
  const ownPages = (vmFlags & vm.VM_SHARED) !== 0 && (source === null || source.zeroDevice === true);
  // A file's end waits for the call's (fput): what it promised or has counts until then, for populating too.
  const replaced = isHugetlbFile(source) ? hugeFilesIn(mm, start, end) : [];
  for (const each of replaced) each.mapped?.();
  const letGo = (): void => {
    for (const each of replaced) each.unmapped?.();
  };
  const room = makeRoom(mm, start, end, vmFlags, ownPages);
  if (room < 0) {
    letGo();
    return room;
  }
  if (source?.vanished?.() === true) {
    letGo();
    return refuse("vanished", EINVAL, "the removed segment went with the area that was replaced", "shm_mmap");
  }
  if (vm.isAccountable(vmFlags)) vmFlags = vm.withFlags(vmFlags, vm.VM_ACCOUNT, 0);
  const locked = asksToLock || (vmFlags & vm.VM_LOCKED) !== 0;
  const promise = mapHugetlb(source, Number(offset), length, vmFlags);
  if (typeof promise === "number") {
    letGo();
    const text =
      promise === -ENOMEM
        ? "the pool of huge pages has too few free"
        : "the offset lies inside of a huge page";
    return refuse("hugetlb", -promise, text, "hugetlbfs_file_mmap");
  }
  vmFlags = promise.flags;

  const backing: MappableFile | null = ownPages
    ? new SharedAnonymousFile(env.frames, length, ++mm.anonInodes, env.settings.sharedMemory)
    : source;
  const area = addOrMerge(
    mm,
    start,
    end,
    newProperties({
      flags: mergeableWhenMade(mm, vmFlags, backing === null),
      key,
      seal: newSeal(mm, asked.bits),
      file: backing,
      anonShmem: ownPages || source?.unlinkedShmem === true,
      pages: backing === null || backing.zeroDevice ? null : backing.pages,
      // A shared /dev/zero keeps the offset, though its object is only as long as the mapping.
      pageOffset: source !== null ? Number(offset) / 4096 : ownPages ? 0 : start / 4096,
      hugetlb: promise.hugetlb,
    }),
  );
  // What it became part of counts as written with it.
  area.flags = mergeableOnceMade(mm, area, start, vm.withFlags(area.flags, vm.VM_SOFTDIRTY, 0));
  countPages(mm, vmFlags, pages);
  env.uprobes?.mapped(mm, area);
  if (area.pages !== null) env.khugepaged?.consider(mm, area);
  mm.changed("map", start, end);
  if (hasInsertedPages(area) && !insertPages(mm, area)) {
    unmapRange(mm, start, end, "munmap");
    return refuse("no-memory", ENOMEM, "no frame is left for a page table", "vm_insert_pages");
  }
  const populate = flags & (uapi.MAP_POPULATE | uapi.MAP_NONBLOCK);
  if (locked || populate === uapi.MAP_POPULATE) populateLocked(mm, start, end);
  letGo();
  return start;
}

type Kind =
  | { readonly vmFlags: number }
  | { readonly rule: string; readonly errno: number; readonly text: string; readonly source: string };

function no(rule: string, errno: number, text: string, source = "do_mmap"): Kind {
  return { rule, errno, text, source };
}

function anonymousKind(mm: AddressSpace, flags: number, vmFlags: number): Kind {
  const growsDown = (vmFlags & vm.VM_GROWSDOWN) !== 0;
  switch (flags & uapi.MAP_TYPE) {
    case uapi.MAP_SHARED:
      if (growsDown) return no("growsdown", EINVAL, "shared memory does not grow down");
      return { vmFlags: vm.withFlags(vmFlags, vm.VM_SHARED | vm.VM_MAYSHARE, 0) };
    case uapi.MAP_DROPPABLE:
      if (!mm.env.release.droppable) return no("type", EINVAL, "neither MAP_SHARED nor MAP_PRIVATE");
      if ((flags & uapi.MAP_LOCKED) !== 0 || growsDown)
        return no("droppable", EINVAL, "droppable memory is neither locked nor a stack");
      offerPages(mm);
      return {
        vmFlags: vm.withFlags(
          vmFlags,
          vm.VM_DROPPABLE | vm.VM_NORESERVE | vm.VM_WIPEONFORK | vm.VM_DONTDUMP,
          vm.VM_LOCKED | vm.VM_LOCKONFAULT,
        ),
      };
    case uapi.MAP_PRIVATE:
      return { vmFlags };
    default:
      return no("type", EINVAL, "neither MAP_SHARED nor MAP_PRIVATE");
  }
}

function fileKind(
  file: MappableFile,
  prot: number,
  flags: number,
  initial: number,
  length: number,
  offset: Word,
): Kind {
  let vmFlags = initial;
  if (Number(offset) + length >= MAX_FILE_BYTES)
    return no("offset", EOVERFLOW, "the mapping ends beyond the largest file", "file_mmap_ok");
  const type = flags & uapi.MAP_TYPE;
  const shared = type === uapi.MAP_SHARED || type === uapi.MAP_SHARED_VALIDATE;
  if (!shared && type !== uapi.MAP_PRIVATE) return no("type", EINVAL, "neither MAP_SHARED nor MAP_PRIVATE");
  if (type === uapi.MAP_SHARED_VALIDATE && (flags & ~LEGACY_FLAGS) !== 0)
    return no("unknown-flag", EOPNOTSUPP, "MAP_SHARED_VALIDATE with a flag this file does not know");
  if (shared) {
    if ((prot & uapi.PROT_WRITE) !== 0 && !file.writable)
      return no("not-writable", EACCES, "a shared writable mapping needs a writable descriptor");
    if (file.appendOnly && file.writable)
      return no("append-only", EACCES, "an append-only file is not mapped shared from a writable descriptor");
    vmFlags = file.writable
      ? vm.withFlags(vmFlags, vm.VM_SHARED | vm.VM_MAYSHARE, 0)
      : vm.withFlags(vmFlags, vm.VM_MAYSHARE, vm.VM_MAYWRITE);
  }
  if (!file.readable) return no("not-readable", EACCES, "the descriptor is not open for reading");
  if (file.noExec) {
    if ((vmFlags & vm.VM_EXEC) !== 0)
      return no("noexec", EPERM, "the mount forbids execution", "path_noexec");
    vmFlags = vm.withFlags(vmFlags, 0, vm.VM_MAYEXEC);
  }
  if (file.mmapRefused) return no("not-mappable", file.mmapRefused, "this kind of file cannot be mapped");
  if (file.pages === null && !file.zeroDevice)
    return no("not-mappable", ENODEV, "this file cannot be mapped");
  if ((vmFlags & vm.VM_GROWSDOWN) !== 0) return no("growsdown", EINVAL, "a file mapping does not grow down");
  if (shared && ((file.seals ?? 0) & (uapi.F_SEAL_WRITE | uapi.F_SEAL_FUTURE_WRITE)) !== 0) {
    if ((vmFlags & vm.VM_WRITE) !== 0 && file.writable)
      return no("memfd-sealed", EPERM, "the memfd is sealed against writing", "memfd_check_seals_mmap");
    vmFlags = vm.withFlags(vmFlags, 0, vm.VM_MAYWRITE);
  }
  if (file.insertsPages) vmFlags = vm.withFlags(vmFlags, INSERTED_FLAGS, vm.VM_LOCKED_MASK);
  return { vmFlags };
}
