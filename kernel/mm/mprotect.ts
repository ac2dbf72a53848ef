/*
 * mprotect(addr, length, prot); pkey_mprotect(addr, length, prot, key) with a key of -1 is the same
 *
 * Refuses, in this order (do_mprotect_pkey):
 *   EINVAL  PROT_GROWSDOWN and PROT_GROWSUP together
 *   EINVAL  addr not page aligned
 *   (0      length 0)
 *   ENOMEM  the range wraps or is empty after rounding
 *   EINVAL  unknown prot bit
 *   EINVAL  the key is not allocated
 *   ENOMEM  nothing mapped at addr
 *   EINVAL  PROT_GROWSDOWN on an area that does not, PROT_GROWSUP
 *   EPERM   (6.10) an area in the range is sealed
 * then, area by area, ascending:
 *   ENOMEM  a hole before it
 *   EACCES  the mapping may never have that permission (VM_MAY*); MDWE
 *   EPERM   it is sealed, even if nothing would change
 *   ENOMEM  RLIMIT_DATA or overcommit when it becomes writable; a split would pass vm.max_map_count
 *   EINVAL  a huge page would have to be split
 *
 * Stays applied: the areas before the one that is refused keep their new protection. PROT_EXEC alone takes the
 * execute-only key when it reaches an area, also if that area then refuses.
 */
import { EACCES, EINVAL, ENOMEM } from "../errno.js";
import { commit, countPages, mayExpand, uncommit } from "./accounting.js";
import type { AddressSpace } from "./address-space.js";
import type { Area } from "./area.js";
import { protectEntries } from "./hugetlb/entries.js";
import { modify, whyWhole } from "./merge.js";
import { executeOnlyKey, isAllocated } from "./pkey.js";
import { populateLocked } from "./populate.js";
import { checkSealsOfRange, refuseMistake, refuseSealed } from "./sealing/range.js";
import { PROT_EXEC, PROT_GROWSDOWN, PROT_GROWSUP, PROT_READ, PROT_SEM, PROT_WRITE } from "./uapi.js";
import * as vm from "./vm-flags.js";
import { addPages, isPageAligned, isZero, pageUp, type Word } from "./word.js";

const KNOWN = PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM;

export function mprotect(
  mm: AddressSpace,
  address: Word,
  lengthWord: Word,
  protection: number,
  key: number,
): number {
  const refuse = (rule: string, errno: number, text: string) =>
    mm.refuse(`mprotect.${rule}`, errno, () => ({ text, source: "do_mprotect_pkey" }));
  const asked = mm.env.sealing.readMprotect(protection);
  if ("mistake" in asked) return refuseMistake(mm, "mprotect", asked);
  const grows = asked.prot & (PROT_GROWSDOWN | PROT_GROWSUP);
  if (grows === (PROT_GROWSDOWN | PROT_GROWSUP))
    return refuse("grows", EINVAL, "both PROT_GROWSDOWN and PROT_GROWSUP");
  if (!isPageAligned(address))
    return refuse("unaligned", EINVAL, "the address is not a multiple of the page size");
  if (isZero(lengthWord)) return 0;
  let start = Number(address);
  const end = addPages(start, pageUp(lengthWord));
  if (end <= start) return refuse("wraps", ENOMEM, "the range wraps around the address space");
  const requested = asked.prot - grows;
  if (!(requested <= 0xffff_ffff) || (requested & ~KNOWN) !== 0)
    return refuse("prot", EINVAL, "unknown protection bits");
  if (key !== -1 && !isAllocated(mm, key)) return refuse("key", EINVAL, `key ${key} is not allocated`);

  const first = mm.tree.findFirst(start);
  if (first === null || first.start >= end)
    return refuse("unmapped", ENOMEM, "nothing is mapped in the range");
  if ((grows & PROT_GROWSDOWN) !== 0) {
    if ((first.flags & vm.VM_GROWSDOWN) === 0) return refuse("grows", EINVAL, "the area does not grow down");
    start = first.start;
  } else {
    if (first.start > start) return refuse("unmapped", ENOMEM, "nothing is mapped at the start of the range");
    if (grows !== 0) return refuse("grows", EINVAL, "no area grows up on x86");
  }

  const sealed = checkSealsOfRange(mm, start, end, (area) =>
    mm.env.sealing.mayProtect(area, { prot: requested, key }, mm.env.machine),
  );
  if (sealed !== null)
    return refuseSealed(mm, "mprotect", sealed.verdict, () => ({
      area: sealed.area,
      address: sealed.address,
      applied: "nothing has changed",
    }));
  const begin = start;
  const impliesExec = mm.env.readImpliesExec && (requested & PROT_READ) !== 0;
  let prot = requested;
  for (let area: Area | null = first; start < end;) {
    if (area === null || area.start > start)
      return mm.refuse("mprotect.hole", ENOMEM, () => ({
        text: "part of the range is not mapped",
        source: "do_mprotect_pkey",
        applied: "the areas before the hole have the new protection",
      }));
    if (impliesExec && (area.flags & vm.VM_MAYEXEC) !== 0) prot |= PROT_EXEC;
    const to = Math.min(area.end, end);
    const error = protectArea(mm, area, start, to, { prot, key, bits: asked.bits }, start > begin);
    if (error !== 0) return error;
    start = to;
    area = mm.tree.findFirst(start);
  }
  return 0;
}

/** The key an area gets (__arch_override_mprotect_pkey). */
function keyFor(mm: AddressSpace, area: Area, prot: number, key: number): number {
  if (!mm.env.pku) return 0;
  if (key !== -1) return key;
  if (prot === PROT_EXEC) {
    const hidden = executeOnlyKey(mm);
    if (hidden > 0) return hidden;
  } else if (area.prot === vm.VM_EXEC && area.key === mm.executeOnlyKey) return 0;
  return area.key;
}

interface Protection {
  readonly prot: number;
  /** -1: the area keeps the one it has. */
  readonly key: number;
  /** The sealing model's bits that it gets besides. */
  readonly bits: number;
}

function protectArea(
  mm: AddressSpace,
  area: Area,
  start: number,
  end: number,
  { prot, key: requestedKey, bits }: Protection,
  partial: boolean,
): number {
  const applied = partial ? { applied: "the areas before it have the new protection" } : {};
  const refuse = (rule: string, errno: number, text: string, source: string) =>
    mm.refuse(`mprotect.${rule}`, errno, () => ({ text, source, area, address: start, ...applied }));
  const key = keyFor(mm, area, prot, requestedKey);
  const old = area.flags;
  let flags = vm.withFlags(old, vm.protFlags(prot), vm.VM_ACCESS_FLAGS);
  if ((flags & ~(flags >>> 4) & vm.VM_ACCESS_FLAGS) !== 0)
    return refuse("may-never", EACCES, "this mapping may never have that permission", "do_mprotect_pkey");
  if (
    mm.denyWriteExec &&
    (flags & vm.VM_EXEC) !== 0 &&
    ((flags & vm.VM_WRITE) !== 0 || (old & vm.VM_EXEC) === 0)
  )
    return refuse("mdwe", EACCES, "PR_SET_MDWE forbids gaining execution", "map_deny_write_exec");
  const { sealing } = mm.env;
  const verdict = sealing.mayProtect(area, { prot, key: requestedKey }, mm.env.machine);
  if (verdict !== null)
    return refuseSealed(mm, "mprotect", verdict, () => ({ area, address: start, ...applied }));
  const seal = bits === 0 ? area.seal : sealing.add(area.seal, bits, mm.env.machine.provenance());
  if (flags === old && key === area.key && seal === area.seal) return 0;

  const pages = (end - start) / 4096;
  let charged = 0;
  if ((flags & vm.VM_WRITE) !== 0) {
    if (!mayExpand(mm, flags, pages) && mayExpand(mm, old, pages))
      return refuse("limit", ENOMEM, "over RLIMIT_DATA", "may_expand_vm");
    if ((old & (vm.VM_ACCOUNT | vm.VM_WRITE | vm.VM_HUGETLB | vm.VM_SHARED | vm.VM_NORESERVE)) === 0) {
      if (!commit(mm, pages))
        return refuse("overcommit", ENOMEM, "more than can be committed", "vm_enough_memory");
      charged = pages;
      flags = vm.withFlags(flags, vm.VM_ACCOUNT, 0);
    }
  } else if ((old & vm.VM_ACCOUNT) !== 0 && area.isAnonymous && area.anon === null) {
    // Never touched: nothing is owed for it while it is read-only.
    flags = vm.withFlags(flags, 0, vm.VM_ACCOUNT);
  }
  const result = modify(mm, area, start, end, { flags, key, seal });
  if (typeof result === "number") {
    uncommit(mm, charged);
    return refuse("split", -result, whyWhole(area, result), "vma_modify_flags");
  }
  if ((old & vm.VM_ACCOUNT) !== 0 && (flags & vm.VM_ACCOUNT) === 0) uncommit(mm, pages);
  countPages(mm, old, -pages);
  countPages(mm, flags, pages);
  protectEntries(mm, result, start, end);
  if ((old & (vm.VM_WRITE | vm.VM_SHARED | vm.VM_LOCKED)) === vm.VM_LOCKED && (flags & vm.VM_WRITE) !== 0)
    populateLocked(mm, start, end);
  mm.changed("protect", start, end);
  return 0;
}
