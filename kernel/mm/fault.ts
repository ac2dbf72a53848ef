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
  pkruDeniesAccess,
  pkruDeniesWrite,
} from "../../mmu/page-table-entry.js";
import { EFAULT } from "../errno.js";
import type { AddressSpace } from "./address-space.js";
import type { Area } from "./area.js";
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
import { bringInOrKill, type PageOutcome } from "./bring-in.js";
import { TASK_SIZE } from "./layout.js";
import { refusalOf, type RefusalDetails } from "./refusal-of.js";
import { growStack } from "./stack-growth.js";
import {
  UFFD_FEATURE_SIGBUS,
  UFFD_PAGEFAULT_FLAG_MINOR,
  UFFD_PAGEFAULT_FLAG_WP,
  UFFD_PAGEFAULT_FLAG_WRITE,
} from "./userfault/uapi.js";
import { VM_ACCESS_FLAGS, VM_GROWSDOWN, VM_WRITE } from "./vm-flags.js";

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
