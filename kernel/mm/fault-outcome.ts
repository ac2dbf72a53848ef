import type { ProtectionKey } from "../../mmu/types.js";
import type { Refusal } from "../refusal.js";
import type { UserfaultContext } from "./userfault/context.js";

export const SIGKILL = 9;
export const SIGBUS = 7;
export const SIGSEGV = 11;
/** si_code values (asm-generic/siginfo.h). */
export const SEGV_MAPERR = 1;
export const SEGV_ACCERR = 2;
export const SEGV_PKUERR = 4;
export const BUS_ADRERR = 2;
export const BUS_MCEERR_AR = 4;

/** What became of a page fault: the access can be repeated, it ends in a signal, or a userfaultfd has to answer it. */
export type FaultOutcome = { readonly kind: "resolved" } | FaultSignal | FaultForUser;

/** The thread is to wait, and then to try again. The kernel's own accesses wait by UserfaultDoor, or are refused. */
export interface FaultForUser {
  readonly kind: "userfault";
  readonly context: UserfaultContext;
  /** The byte touched. */
  readonly address: number;
  /** UFFD_PAGEFAULT_FLAG_*. */
  readonly flags: number;
}

export interface FaultSignal {
  readonly kind: "signal";
  /** SIGSEGV or SIGBUS; SIGKILL when RAM is used up. */
  readonly signal: number;
  /** si_code. */
  readonly code: number;
  /** si_addr, exact: a bigint above 2^53. */
  readonly address: number | bigint;
  /** si_pkey of a SEGV_PKUERR. */
  readonly key: ProtectionKey;
  /** As the signal frame shows it: U set, P set for addresses of the kernel's half. */
  readonly errorCode: number;
  /** Why, when somebody listens. */
  readonly refusal: Refusal | null;
}

export const RESOLVED: FaultOutcome = { kind: "resolved" };
