/*
 * Page faults of user mode and of the kernel's copies, in the order of do_user_addr_fault:
 *   1. an address outside user space                                        SEGV_MAPERR
 *   2. no area there, after an area that grows down has tried to grow       SEGV_MAPERR
 *   3. data access that the area's key forbids this thread                  SEGV_PKUERR
 *   4. write to an area without VM_WRITE; read of a present page that the
 *      page table forbids; area without any permission                      SEGV_ACCERR
 *   5. bringing the page in: beyond the end of the file                     SIGBUS BUS_ADRERR
 *                            no room in the file system                     SIGBUS BUS_ADRERR
 *                            no page in the pool of huge pages              SIGBUS BUS_ADRERR
 *                            a guard page                                   SEGV_MAPERR
 *                            poisoned                                      SIGBUS BUS_MCEERR_AR
 *                            watched by a userfaultfd: the thread waits for
 *                            its owner, or, if that one asked so             SIGBUS BUS_ADRERR
 *                            no frame left, and this process is the one
 *                            that the OOM killer chose                      SIGKILL
 * Growth of a stack persists even if a later step refuses.
 */
import {
  PF_I,
  PF_P,
  PF_PK,
  PF_U,
  PF_W,
  PTE_ANON,
  PTE_D,
  PTE_GUARD,
  PTE_POISON,
  PTE_PS,
  PTE_RW,
  PTE_SOFT_DIRTY,
  PTE_UFFD_WP,
  PTE_UFFD_WP_MARKER,
  pkruDeniesAccess,
  pkruDeniesWrite,
  pteFrame,
} from "../../mmu/page-table-entry.js";
import { EFAULT } from "../errno.js";
import type { AddressSpace } from "./address-space.js";
import type { Area } from "./area.js";
import type { FilePages } from "./file-pages.js";
import {
  BUS_ADRERR,
  BUS_MCEERR_AR,
  RESOLVED,
  SEGV_ACCERR,
  SEGV_MAPERR,
  SEGV_PKUERR,
  SIGBUS,
  SIGKILL,
  SIGSEGV,
  type FaultForUser,
  type FaultOutcome,
} from "./fault-outcome.js";
import { bringInBlock } from "./huge/block.js";
import { hasSmallOrders } from "./huge/orders.js";
import { mayBeHuge } from "./huge/eligible.js";
import { bringInHuge, makeHugeWritable } from "./huge/fault.js";
import { bringInFileLeaf, enterBlocks } from "./huge/file-leaf.js";
import { isHugetlb } from "./hugetlb/area.js";
import { bringInHugetlb } from "./hugetlb/fault.js";
import { hasInsertedPages } from "./inserted-pages.js";
import { TASK_SIZE } from "./layout.js";
import { prepareAnon } from "./merge.js";
import { readAround } from "./read-around.js";
import { refusalOf, type RefusalDetails } from "./refusal-of.js";
import { isSecret } from "./secret-memory.js";
import { growStack } from "./stack-growth.js";
import { isSwapped } from "./swap/entry.js";
import { swapIn } from "./swap/swap-in.js";
import { entryHigh, entryLow, hasFrame } from "./translations.js";
import {
  entersAlone,
  liftsProtection,
  missingInCache,
  missingIsWatched,
  presentInCache,
  protectNewPage,
} from "./userfault/fault.js";
import {
  UFFD_FEATURE_SIGBUS,
  UFFD_PAGEFAULT_FLAG_MINOR,
  UFFD_PAGEFAULT_FLAG_WP,
  UFFD_PAGEFAULT_FLAG_WRITE,
} from "./userfault/uapi.js";
import { VM_ACCESS_FLAGS, VM_GROWSDOWN, VM_SHARED, VM_WRITE } from "./vm-flags.js";

/** @param foreign an access from outside the thread (ptrace, /proc/pid/mem): PKRU does not count */
export function handleFault(
  mm: AddressSpace,
  va: number | bigint,
  errorCode: number,
  foreign: boolean,
): FaultOutcome {
  if (va >= TASK_SIZE)
    return signal(mm, SIGSEGV, SEGV_MAPERR, va, errorCode | PF_P, null, "fault.kernel-address", () => ({
      text: "the address lies outside user space",
      source: "do_kern_addr_fault",
    }));
  const address = Number(va);
  const write = (errorCode & PF_W) !== 0;
  const fetch = (errorCode & PF_I) !== 0;
  const counter = foreign ? null : mm.env.machine.perf;
  counter?.pageFault((errorCode & PF_U) !== 0);

  const area = mm.tree.findFirst(address);
  if (area === null || address < area.start) {
    const why = area === null || (area.flags & VM_GROWSDOWN) === 0 ? NOTHING : growStack(mm, area, address);
    if (area === null || why !== null)
      return signal(mm, SIGSEGV, SEGV_MAPERR, va, errorCode, null, "fault.unmapped", () => ({
        text: area === null || !growable(mm, area, address) ? NOTHING : `the stack cannot grow there: ${why}`,
        source: "lock_mm_and_find_vma",
        address,
      }));
  }

  const keyed = (errorCode & PF_PK) !== 0 || (!foreign && !fetch && keyDenies(mm, area, write));
  if (keyed)
    return signal(mm, SIGSEGV, SEGV_PKUERR, va, errorCode, area, "fault.key", () => ({
      text: `PKRU of this thread forbids ${write ? "writing" : "reading"} memory with key ${area.key}`,
      source: "arch_vma_access_permitted",
      area,
      address,
      key: area.key,
      pkru: true,
    }));
  if (
    write ? (area.flags & VM_WRITE) === 0 : (errorCode & PF_P) !== 0 || (area.flags & VM_ACCESS_FLAGS) === 0
  )
    return signal(mm, SIGSEGV, SEGV_ACCERR, va, errorCode, area, "fault.protection", () => ({
      text: `the area does not permit ${write ? "writing" : fetch ? "executing" : "reading"}`,
      source: "access_error",
      area,
      address,
    }));

  const { majorFaults } = mm.stats;
  const outcome = bringInOrKill(mm, area, address, write);
  switch (outcome) {
    case "ok":
      counter?.pageFaultDone(mm.stats.majorFaults !== majorFaults, (errorCode & PF_U) !== 0);
      return RESOLVED;
    case "missing":
    case "minor":
    case "write-protected": {
      const fault = faultForUser(area, address, write, outcome);
      if (fault !== null) return fault;
      // A write to a page that was not there has brought it in, protected, and is a second fault.
      const code = outcome === "write-protected" ? errorCode | PF_P : errorCode;
      return signal(mm, SIGBUS, BUS_ADRERR, va, code, area, "fault.userfault", () => ({
        text: `a userfaultfd with UFFD_FEATURE_SIGBUS watches the page, which is ${outcome}`,
        source: "handle_userfault",
        area,
        address,
      }));
    }
    case "beyond-end":
      return signal(mm, SIGBUS, BUS_ADRERR, va, errorCode, area, "fault.beyond-end", () => ({
        text: "the page lies beyond the end of the file",
        source: "filemap_fault",
        area,
        address,
      }));
    case "no-space":
      return signal(mm, SIGBUS, BUS_ADRERR, va, errorCode, area, "fault.no-space", () => ({
        text: "the file system has no room for the page",
        source: "shmem_fault",
        area,
        address,
      }));
    case "not-inserted":
      return signal(mm, SIGBUS, BUS_ADRERR, va, errorCode, area, "fault.not-inserted", () => ({
        text: "pages of this file are entered when it is mapped, and none comes back by a fault",
        source: "do_fault",
        area,
        address,
      }));
    case "no-huge-page":
      return signal(mm, SIGBUS, BUS_ADRERR, va, errorCode, area, "fault.no-huge-page", () => ({
        text: "the pool of huge pages has none to give",
        source: "hugetlb_fault",
        area,
        address,
      }));
    case "guard":
      return signal(mm, SIGSEGV, SEGV_MAPERR, va, errorCode, area, "fault.guard", () => ({
        text: "MADV_GUARD_INSTALL made this a guard page",
        source: "handle_pte_marker",
        area,
        address,
      }));
    case "poisoned":
      return signal(mm, SIGBUS, BUS_MCEERR_AR, va, errorCode, area, "fault.poisoned", () => ({
        text: "UFFDIO_POISON made this a page with a memory error",
        source: "handle_pte_marker",
        area,
        address,
      }));
    case "no-memory":
      return signal(mm, SIGKILL, 0, va, errorCode, area, "fault.no-memory", () => ({
        text: "the machine's memory is used up",
        source: "out_of_memory",
        area,
        address,
      }));
  }
}

const NOTHING = "nothing is mapped there";

/** What a userfaultfd is told of the outcomes that it has to do with. */
const KINDS: Readonly<Partial<Record<PageOutcome, number>>> = {
  missing: 0,
  "write-protected": UFFD_PAGEFAULT_FLAG_WP,
  minor: UFFD_PAGEFAULT_FLAG_MINOR,
};

/** The fault as the area's userfaultfd is asked about it; null where that one asked for SIGBUS, or for other outcomes. */
export function faultForUser(
  area: Area,
  address: number,
  write: boolean,
  outcome: PageOutcome,
): FaultForUser | null {
  const context = area.userfault;
  if (context === null || context.has(UFFD_FEATURE_SIGBUS)) return null;
  const kind = KINDS[outcome];
  if (kind === undefined) return null;
  return { kind: "userfault", context, address, flags: kind | (write ? UFFD_PAGEFAULT_FLAG_WRITE : 0) };
}

/** Near enough below an area that grows down for somebody to have meant it as stack. */
function growable(mm: AddressSpace, area: Area, address: number): boolean {
  return (area.flags & VM_GROWSDOWN) !== 0 && area.start - address <= mm.env.limits.stack;
}

/** The calling thread's PKRU forbids this data access to the area (arch_vma_access_permitted). */
export function keyDenies(mm: AddressSpace, area: Area, write: boolean): boolean {
  if (!mm.env.pku) return false;
  const pkru = mm.env.machine.pkru();
  return write ? pkruDeniesWrite(pkru, area.key) : pkruDeniesAccess(pkru, area.key);
}

function signal(
  mm: AddressSpace,
  number: number,
  code: number,
  address: number | bigint,
  errorCode: number,
  area: Area | null,
  rule: string,
  details: () => RefusalDetails,
): FaultOutcome {
  const { onRefusal } = mm.env;
  const refusal = onRefusal === null ? null : refusalOf(mm, rule, EFAULT, details());
  if (refusal !== null) onRefusal?.(refusal);
  const key = area === null ? 0 : area.key;
  return { kind: "signal", signal: number, code, address, key, errorCode: errorCode | PF_U, refusal };
}

/** "missing", "write-protected" and "minor": for the area's userfaultfd to see to. */
export type PageOutcome =
  | "ok"
  | "missing"
  | "minor"
  | "write-protected"
  | "beyond-end"
  | "no-space"
  | "not-inserted"
  | "no-huge-page"
  | "guard"
  | "poisoned"
  | "no-memory";

/** As `bringIn`, for an access that can only be repeated: where no frame is left, another process may have to die. */
export function bringInOrKill(mm: AddressSpace, area: Area, va: number, write: boolean): PageOutcome {
  for (;;) {
    const outcome = bringIn(mm, area, va, write);
    if (outcome === "ok" && mm.env.frames.charging.by?.isOver === true)
      return mm.env.outOfMemory?.(mm) === false ? "no-memory" : "ok";
    if (outcome !== "no-memory" || mm.env.outOfMemory?.(mm) !== true) return outcome;
  }
}

/**
 * Makes a page of an area ready for a read or a write that the area permits (handle_mm_fault): zero page, zeroed
 * page, page of the file, or a private copy.
 */
export function bringIn(mm: AddressSpace, area: Area, va: number, write: boolean): PageOutcome {
  if (isHugetlb(area)) return bringInHugetlb(mm, area, va, write);
  const page = va - (va % 4096);
  const low = mm.translations.low(page);
  if (hasFrame(low)) {
    if (!write || (low & PTE_RW) !== 0) return "ok";
    const outcome = permitWrite(mm, area, page, low);
    if (outcome === "ok") countFault(mm);
    return outcome;
  }
  if (low === PTE_GUARD) return "guard";
  if (low === PTE_POISON) return "poisoned";
  if (isSwapped(low)) {
    if (!swapIn(mm, area, page, low)) return "no-memory";
    return write ? permitWrite(mm, area, page, mm.translations.low(page)) : "ok";
  }
  countFault(mm);
  if (low === 0 && mayBeHuge(mm, area) && bringInHuge(mm, area, page, write)) return "ok";
  const come = area.pages === null ? bringInAnonymous : bringInFile;
  const outcome = come(mm, area, page, write);
  if (low !== PTE_UFFD_WP_MARKER || outcome !== "ok") return outcome;
  protectNewPage(mm, page);
  return write ? permitWrite(mm, area, page, mm.translations.low(page)) : "ok";
}

/** mm_account_fault */
function countFault(mm: AddressSpace): void {
  mm.stats.minorFaults++;
  mm.env.frames.charging.by?.fault();
}

/** A write to a page that is there, by an entry that does not permit it (do_wp_page). */
function permitWrite(mm: AddressSpace, area: Area, page: number, low: number): PageOutcome {
  if ((low & PTE_UFFD_WP) === 0) return makeWritable(mm, area, page, low);
  if (!liftsProtection(mm, area, page)) return "write-protected";
  return makeWritable(mm, area, page, low & ~(PTE_UFFD_WP | PTE_PS));
}

function bringInAnonymous(mm: AddressSpace, area: Area, page: number, write: boolean): PageOutcome {
  const { translations } = mm;
  const { frames } = translations;
  if (!write) {
    if (missingIsWatched(area)) return "missing";
    const done = translations.install(page, frames.zeroFrame, entryLow(area), entryHigh(area));
    return done ? "ok" : "no-memory";
  }
  prepareAnon(mm, area);
  if (missingIsWatched(area)) return "missing";
  if (hasSmallOrders(mm.env.settings) && bringInBlock(mm, area, page)) return "ok";
  return installPrivate(mm, area, page, frames.allocate());
}

/** What a write leaves in an entry (pte_mkdirty). */
const WRITTEN = PTE_D | PTE_SOFT_DIRTY;

/** Enters a private page, dirty and, if the area permits writing, writable. Takes over the frame's reference. */
function installPrivate(mm: AddressSpace, area: Area, page: number, frame: number): PageOutcome {
  if (frame === -1) return "no-memory";
  const rw = (area.flags & VM_WRITE) !== 0 ? PTE_RW : 0;
  if (mm.translations.install(page, frame, entryLow(area) | PTE_ANON | WRITTEN | rw, entryHigh(area)))
    return "ok";
  mm.translations.frames.release(frame);
  return "no-memory";
}

function bringInFile(mm: AddressSpace, area: Area, page: number, write: boolean): PageOutcome {
  const { translations } = mm;
  const { frames } = translations;
  const { pages } = area;
  if (pages === null) return "ok";
  if (hasInsertedPages(area)) return "not-inserted";
  const privateWrite = write && (area.flags & VM_SHARED) === 0;
  // Also where no page comes of it (do_cow_fault).
  if (privateWrite) prepareAnon(mm, area);
  const index = area.fileIndex(page);
  const inside = index * 4096 < pages.size;
  if (inside && pages.sharedMemory !== null && bringInFileLeaf(mm, area, pages, page, write)) return "ok";
  // The page table first: to make room for it, the page might have to go again.
  if (translations.tables.entryAddress(page, true) === 0) return "no-memory";
  if (!inside) {
    if (!write) faultAround(mm, area, pages, page);
    return "beyond-end";
  }
  if (missingInCache(area, index)) {
    // The neighbours are entered first (do_read_fault).
    if (!write) faultAround(mm, area, pages, page);
    return "missing";
  }
  if (presentInCache(area, index)) return "minor";
  readAround(area, pages, index);
  const frame = pages.frameAt(index, true);
  if (frame === -1) return pages.full ? "no-space" : "no-memory";
  if (privateWrite) return copyPrivate(mm, area, page, frame);
  let low = entryLow(area);
  if (write) {
    if (!pages.makeWritable(index)) return "no-space";
    low |= PTE_RW | WRITTEN;
  }
  frames.hold(frame);
  translations.install(page, frame, low, entryHigh(area));
  if (!write && !area.unsplittable && !isSecret(area)) faultAround(mm, area, pages, page);
  return "ok";
}

/** Pages of do_fault_around's window (fault_around_bytes, 64 KiB), and of one page table. */
const AROUND_PAGES = 16;
const TABLE_PAGES = 512;

/**
 * A read fault enters the neighbours too that the page cache holds, as far as their entries are empty
 * (do_fault_around): a later fault there finds its page present.
 */
function faultAround(mm: AddressSpace, area: Area, pages: FilePages, page: number): void {
  if (entersAlone(area)) return;
  const { translations } = mm;
  const { frames } = translations;
  const number = page / 4096;
  const table = number - (number % TABLE_PAGES);
  const from = Math.max(number - (number % AROUND_PAGES), area.start / 4096);
  const to = Math.min(from + AROUND_PAGES, table + TABLE_PAGES, area.end / 4096);
  const first = translations.entryIndex(from * 4096);
  const words = frames.memory.u32;
  for (let other = from; other < to; other++) {
    if (words[first + (other - from) * 2] !== 0) continue;
    const index = area.fileIndex(other * 4096);
    if (index * 4096 >= pages.size) break;
    const frame = pages.frameAt(index, false);
    if (frame === -1) continue;
    frames.hold(frame);
    translations.install(other * 4096, frame, entryLow(area), entryHigh(area));
  }
  if (pages.blocks?.none === false && mm.env.release.faultAroundEntersBlocks)
    enterBlocks(mm, area, pages, from, to);
}

function makeWritable(mm: AddressSpace, area: Area, page: number, low: number): PageOutcome {
  const { translations } = mm;
  const { frames } = translations;
  if ((low & PTE_PS) !== 0 && makeHugeWritable(mm, area, page)) return "ok";
  const frame = pteFrame(low);
  if ((area.flags & VM_SHARED) !== 0) {
    if (area.pages?.makeWritable(area.fileIndex(page)) === false) return "no-space";
    setWritable(mm, page);
    return "ok";
  }
  // Whoever has it alone takes it out of the swap cache (wp_can_reuse_anon_folio).
  if (mm.env.swap.isCached(frame) && frames.references(frame) === 2) mm.env.swap.forget(frame);
  if ((low & PTE_ANON) !== 0 && frames.references(frame) - mm.env.pins.of(frame) === 1) {
    if ((area.flags & VM_WRITE) !== 0) setWritable(mm, page);
    return "ok";
  }
  return copyPrivate(mm, area, page, frame);
}

/** The entry has its frame already and no TLB holds a write tag for it: only the permission changes. */
function setWritable(mm: AddressSpace, page: number): void {
  const { memory } = mm.translations.frames;
  const entry = mm.translations.entryIndex(page);
  memory.u32[entry] |= PTE_RW | WRITTEN;
  memory.entryWritten(entry);
}

function copyPrivate(mm: AddressSpace, area: Area, page: number, from: number): PageOutcome {
  const { translations } = mm;
  const { frames } = translations;
  // Held: to make room for the copy, the page might have to go from the page cache.
  frames.hold(from);
  const copy = frames.allocate();
  if (copy !== -1 && from !== frames.zeroFrame) translations.copyFrame(from, copy);
  frames.release(from);
  if (copy === -1) return "no-memory";
  prepareAnon(mm, area);
  return installPrivate(mm, area, page, copy);
}
