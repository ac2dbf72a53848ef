import { RUN_FRAMES } from "../../mmu/frame-allocator.js";
import type { LocalTable } from "../segments/local-table.js";
import { ENOMEM } from "../errno.js";
import type { AreaSnapshot } from "../refusal.js";
import { attachAnon, detachAnon } from "./anon-vma.js";
import type { Area, AreaProperties } from "./area.js";
import { AreaTree } from "./area-tree.js";
import { brk } from "./brk.js";
import { checkInvariants } from "./check-invariants.js";
import type { AreaChange, MmEnvironment } from "./environment.js";
import { countPages, uncommit } from "./accounting.js";
import { handleFault } from "./fault.js";
import type { FaultOutcome } from "./fault-outcome.js";
import type { FilePages } from "./file-pages.js";
import { copyAddressSpace } from "./fork.js";
import type { HugePagesDisabled } from "./huge/eligible.js";
import { isHugetlb } from "./hugetlb/area.js";
import { dropAllLeaves, dropLeaves } from "./hugetlb/leaves.js";
import { closeReserve } from "./hugetlb/reserve.js";
import { DEFAULT_LAYOUT, type MmLayout } from "./layout.js";
import { withdrawPages, type LazyFreePages } from "./lazy-free.js";
import { madvise } from "./madvise.js";
import type { MappableFile } from "./mappable-file.js";
import { mapSpecial, mapStack } from "./map-special.js";
import { mbind, setHomeNode } from "./mbind.js";
import type { MemoryPolicy } from "./memory-policy.js";
import { mincore } from "./mincore.js";
import { mlock, mlockall, munlock, munlockall } from "./mlock.js";
import { mmap } from "./mmap.js";
import { mprotect } from "./mprotect.js";
import { mremap } from "./mremap.js";
import { mseal } from "./mseal.js";
import { msync } from "./msync.js";
import { munmap } from "./munmap.js";
import { pkeyAlloc, pkeyFree } from "./pkey.js";
import { areaName, formatMaps } from "./proc-maps.js";
import { formatSmaps } from "./proc-smaps.js";
import { refusalOf, type RefusalDetails } from "./refusal-of.js";
import { remapFilePages } from "./remap-file-pages.js";
import { ReverseMapping } from "./reverse-mapping.js";
import { Translations } from "./translations.js";
import type { UserMemory } from "./user-memory.js";
import { VM_ACCOUNT, VM_LOCKED, VM_SHARED } from "./vm-flags.js";
import type { Word } from "./word.js";

/** Page counts of an address space, as limits and /proc see them. */
export interface MmStats {
  totalVm: number;
  dataVm: number;
  execVm: number;
  stackVm: number;
  lockedVm: number;
  committed: number;
  /** Faults resolved without and with bringing a page in from a file. */
  minorFaults: number;
  majorFaults: number;
}

/**
 * One address space (`mm_struct`): its areas, its page tables, its keys and totals. The operations are in files of
 * their own, which say what they refuse and in which order; this class holds what they work on.
 *
 * Addresses and lengths are bytes, ranges half-open. Operations return a result >= 0 or a negative errno.
 */
export class AddressSpace {
  readonly tree: AreaTree;
  readonly translations: Translations;
  /** From pages of files to what is mapped of them here. */
  readonly reverse = new ReverseMapping(this);
  readonly layout: MmLayout = { ...DEFAULT_LAYOUT };
  readonly stats: MmStats = {
    totalVm: 0,
    dataVm: 0,
    execVm: 0,
    stackVm: 0,
    lockedVm: 0,
    committed: 0,
    minorFaults: 0,
    majorFaults: 0,
  };
  /** Flags that new areas get besides their own: VM_LOCKED after mlockall(MCL_FUTURE). */
  defaultFlags = 0;
  /** prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN). */
  denyWriteExec = false;
  /** PR_MDWE_NO_INHERIT: neither is handed on. */
  mdweNotInherited = false;
  /** /proc/PID/coredump_filter: MMF_DUMP_* bits; fork and execve hand it on. */
  coredumpFilter = 0x33;
  /** khugepaged looks through it (kernel/mm/huge/khugepaged.ts). */
  collapsible = false;
  /** prctl(PR_SET_THP_DISABLE). */
  hugePagesDisabled: HugePagesDisabled = "no";
  /** Bit k: key k is allocated. Key 0 is from the start, if there are keys. */
  keyMap: number;
  /** The key that hides execute-only memory; -1 until it is needed. */
  executeOnlyKey = -1;
  /** Inode numbers given to shared anonymous memory. */
  anonInodes = 1024;

  /** Its pages that may be taken back; null while there cannot be one. */
  lazyFree: LazyFreePages | null = null;
  /** prctl(PR_SET_MEMORY_MERGE): every area that can be is mergeable (MMF_VM_MERGE_ANY). */
  mergeAny = false;
  /** It is looked through for pages to merge, or will be (MMF_VM_MERGEABLE). */
  scanned = false;
  /** A userfaultfd of it asked for the kernel's own page faults too (no UFFD_USER_MODE_ONLY). */
  kernelWaits = false;

  /** Where [uprobes] is, or was before somebody unmapped it; -1: it was never needed. */
  uprobesArea = -1;

  /** Pages of the huge ones that are mapped, of 4 KiB (hugetlb_usage). */
  hugetlbPages = 0;

  /** Segment descriptors that modify_ldt(2) wrote (kernel/segments/local-table.ts); null: none ever. */
  ldt: LocalTable | null = null;
  /** MEMBARRIER_CMD_REGISTER_* that were given. */
  membarriers = 0;
  /** Tasks that have this address space, as CLONE_VM makes them share it (`mm_users`). */
  users = 0;

  /**
   * @param asid a number that no other address space of this machine has had
   * @throws Error when RAM has no frame left for the page-table root
   */
  constructor(
    readonly env: MmEnvironment,
    readonly asid: number,
  ) {
    this.tree = new AreaTree(env.settings.stackGuardPages * 4096);
    this.translations = new Translations(env.frames, env.mmu, asid, env.swap);
    env.swap.spaces.add(this);
    this.keyMap = env.pku ? 1 : 0;
  }

  /** As the constructor; null when RAM has no frame left for the page-table root. */
  static create(env: MmEnvironment, asid: number): AddressSpace | null {
    const probe = env.frames.allocate();
    if (probe === -1) return null;
    env.frames.release(probe);
    return new AddressSpace(env, asid);
  }

  /** Nothing is left of it. */
  released = false;
  /** Its last users were dropped all at once, at the end of the machine. */
  reaped = false;

  /** One more user. */
  hold(): this {
    this.users++;
    return this;
  }

  /** One user fewer: the last one releases it (mmput). */
  drop(): void {
    if (--this.users === 0) this.release();
  }

  /** What fork and exec take over from the old address space (mmf_init_flags). */
  inheritFlags(from: AddressSpace): void {
    this.coredumpFilter = from.coredumpFilter;
    this.denyWriteExec = from.denyWriteExec && !from.mdweNotInherited;
    this.mergeAny = from.mergeAny;
    if (this.mergeAny) this.env.samePages?.enter(this);
    this.hugePagesDisabled = from.hugePagesDisabled;
  }

  get tables(): Translations["tables"] {
    return this.translations.tables;
  }

  /** Resident pages. */
  get anonPages(): number {
    return this.translations.anonPages;
  }

  get filePages(): number {
    return this.translations.filePages + this.tables.large.fileCount * RUN_FRAMES;
  }

  /** Pages in swap areas. */
  get swapPages(): number {
    return this.translations.swapPages;
  }

  /** Makes the MMU walk this address space. */
  activate(): void {
    this.env.mmu.setAddressSpace(this.tables.root, this.asid);
  }

  setLayout(layout: Partial<MmLayout>): void {
    Object.assign(this.layout, layout);
  }

  // Operations, each in the file of its name.

  mmap(
    address: Word,
    length: Word,
    prot: number,
    flags: number,
    file: MappableFile | null,
    offset: Word,
  ): number {
    return mmap(this, address, length, prot, flags, file, offset);
  }

  munmap(address: Word, length: Word): number {
    return munmap(this, address, length);
  }

  /** @param pkey -1 for mprotect(2) */
  mprotect(address: Word, length: Word, prot: number, pkey = -1): number {
    return mprotect(this, address, length, prot, pkey);
  }

  mremap(oldAddress: Word, oldLength: Word, newLength: Word, flags: number, newAddress: Word): number {
    return mremap(this, oldAddress, oldLength, newLength, flags, newAddress);
  }

  brk(address: Word): number {
    return brk(this, address);
  }

  madvise(address: Word, length: Word, advice: number): number {
    return madvise(this, address, length, advice);
  }

  mincore(address: Word, length: Word, vector: Word, user: UserMemory): number {
    return mincore(this, address, length, vector, user);
  }

  msync(address: Word, length: Word, flags: number): number {
    return msync(this, address, length, flags);
  }

  mlock(address: Word, length: Word, onFault = false): number {
    return mlock(this, address, length, onFault);
  }

  munlock(address: Word, length: Word): number {
    return munlock(this, address, length);
  }

  mlockall(flags: number): number {
    return mlockall(this, flags);
  }

  munlockall(): number {
    return munlockall(this);
  }

  pkeyAlloc(flags: Word, initialRights: Word): number {
    return pkeyAlloc(this, flags, initialRights);
  }

  pkeyFree(key: number): number {
    return pkeyFree(this, key);
  }

  /** The call that seals; what `third` and `fourth` are is the sealing model's to say (mainline: flags, and nothing). */
  mseal(address: Word, length: Word, third: Word, fourth: Word = 0): number {
    return mseal(this, { address, length, third, fourth });
  }

  /** As mbind(2); `policyOf` makes the policy where Linux does. */
  mbind(
    address: Word,
    length: Word,
    flags: number,
    mayMoveAll: boolean,
    policyOf: () => MemoryPolicy | null | number,
  ): number {
    return mbind(this, address, length, flags, mayMoveAll, policyOf);
  }

  setHomeNode(address: Word, length: Word, node: number, flags: number): number {
    return setHomeNode(this, address, length, node, flags);
  }

  remapFilePages(start: Word, size: Word, prot: Word, pageOffset: Word, flags: number): number {
    return remapFilePages(this, start, size, prot, pageOffset, flags);
  }

  /**
   * A page fault of the running thread.
   * @param va the address asked for (CR2)
   * @param errorCode as the CPU pushed it
   */
  handleFault(va: number | bigint, errorCode: number): FaultOutcome {
    return handleFault(this, va, errorCode, false);
  }

  /** A special mapping such as [vdso]: its pages come from `pages`, it cannot be split. `flags`: VM_* bits. */
  mapSpecial(
    start: number,
    length: number,
    prot: number,
    name: string,
    pages: FilePages,
    flags: number,
    sealedBy: string | null = null,
  ): number {
    return mapSpecial(this, start, length, prot, name, pages, flags, sealedBy);
  }

  /** The main stack: a private area of `size` bytes that ends at `top` and grows down. */
  mapStack(top: number, size: number, prot: number): number {
    return mapStack(this, top, size, prot);
  }

  /**
   * A copy for fork(2): areas and keys are copied, private pages shared until someone writes (fork.ts).
   * @returns the copy, or -ENOMEM with nothing changed
   */
  fork(env: MmEnvironment, asid: number): AddressSpace | number {
    const child = AddressSpace.create(env, asid);
    if (child === null) return -ENOMEM;
    const error = copyAddressSpace(this, child);
    if (error === 0) return child;
    child.release();
    return error;
  }

  areas(): IterableIterator<Area> {
    return this.tree[Symbol.iterator]();
  }

  findArea(va: number): Area | null {
    return this.tree.find(va);
  }

  formatMaps(): string {
    return formatMaps(this);
  }

  formatSmaps(): string {
    return formatSmaps(this);
  }

  /** Compares areas with page tables and counters; each line names a contradiction. */
  checkInvariants(): string[] {
    return checkInvariants(this);
  }

  /** Exit or exec: everything goes, sealed or not. */
  release(): void {
    if (this.released) return;
    this.released = true;
    dropAllLeaves(this);
    for (const area of this.tree) this.forgetArea(area);
    this.tree.clear();
    this.env.swap.spaces.delete(this);
    this.env.uprobes?.released(this);
    this.translations.destroy();
    withdrawPages(this);
    if (this.scanned) this.env.samePages?.exit(this);
    if (this.collapsible) this.env.khugepaged?.exit(this);
    uncommit(this, this.stats.committed);
  }

  // What the operations share.

  /** Puts an area, which overlaps none, into the tree. */
  link(area: Area): void {
    this.tree.insert(area);
    attachAnon(area);
    area.pages?.mappings.add(this.reverse);
    area.file?.mapped?.();
  }

  /** Takes an area out of the tree; its pages and totals are the caller's. */
  unlink(area: Area): void {
    this.tree.remove(area);
    this.forgetArea(area);
  }

  private forgetArea(area: Area): void {
    detachAnon(area);
    if (isHugetlb(area)) closeReserve(area);
    area.pages?.mappings.remove(this.reverse);
    area.file?.unmapped?.();
  }

  /** Drops an area with its pages and takes it out of every total. */
  removeArea(area: Area): void {
    countPages(this, area.flags, -area.pageCount);
    if ((area.flags & VM_ACCOUNT) !== 0) uncommit(this, area.pageCount);
    if (isHugetlb(area)) dropLeaves(this, area, area.start, area.end);
    else this.translations.drop(area.start, area.end, "all");
    this.unlink(area);
  }

  /** Writes what shared mappings have changed back to the files. Errors have nobody to go to. */
  syncFiles(): void {
    for (const area of this.tree) if ((area.flags & VM_SHARED) !== 0) area.file?.sync?.();
  }

  /** Tells whoever watches the map. */
  changed(kind: AreaChange["kind"], start: number, end: number): void {
    this.env.onAreaChange?.({ kind, start, end });
  }

  /**
   * Says no: builds the refusal if somebody listens.
   * @param rule the rule's name, as "munmap.sealed"
   * @returns the negative errno
   */
  refuse(rule: string, errno: number, details: () => RefusalDetails): number {
    if (this.env.onRefusal !== null) this.env.onRefusal(refusalOf(this, rule, errno, details()));
    return -errno;
  }

  /** An area as it is now, under the name that maps shows. */
  snapshotArea(area: Area): AreaSnapshot {
    return area.snapshot(areaName(this, area));
  }

  /** Flags of every area made without asking for more: reading, writing and executing may be permitted later. */
  lockedByDefault(): boolean {
    return (this.defaultFlags & VM_LOCKED) !== 0;
  }
}

export type { Area, AreaProperties };
