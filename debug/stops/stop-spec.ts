/** What one may want to stop at. Plain records: a command line, a screen and gdb make them. */

import type { AreaChange } from "../../kernel/mm/environment.js";

export type StopSpec =
  /** Before the instruction at an address is executed. */
  | { readonly kind: "address"; readonly address: number }
  /** System calls; all of them where no numbers are given. */
  | { readonly kind: "syscall"; readonly numbers?: readonly number[]; readonly at: "entry" | "exit" | "both" }
  /** A signal (Linux's numbers) is about to be delivered; any where none are given. */
  | { readonly kind: "signal"; readonly signals?: readonly number[] }
  /**
   * An exception of the program, before its signal is delivered. Those that the kernel mends (a page comes in, is
   * copied) count only where `mended` says so. `vectors`: Intel's numbers, 14 for a page fault.
   */
  | { readonly kind: "fault"; readonly vectors?: readonly number[]; readonly mended?: boolean }
  /** The kernel says no. `rule`: a refusal's rule, as "munmap.sealed", or the part before a dot; any unless told. */
  | { readonly kind: "refusal"; readonly rule?: string }
  /**
   * Bytes [start, end) are touched by an instruction, which has then been executed; of "fetch", which has not. "write"
   * also where the kernel changed them (read(2) into them), or somebody else through another mapping.
   */
  | {
      readonly kind: "watch";
      readonly start: number;
      readonly end: number;
      readonly access: "write" | "read" | "access" | "fetch";
    }
  /** PKRU was written, by WRPKRU or by the kernel. */
  | { readonly kind: "pkru" }
  /** An area in [start, end) was changed; anywhere unless told. */
  | {
      readonly kind: "area";
      readonly start?: number;
      readonly end?: number;
      readonly changes?: readonly AreaChange["kind"][];
    }
  /** The page-table entry of a page in [start, end) was changed, by the kernel or (A, D) by the processor. */
  | { readonly kind: "entry"; readonly start?: number; readonly end?: number }
  /** A process or thread was made, a program executed, a process ended. */
  | { readonly kind: "process"; readonly events: readonly ProcessEventKind[] };

export type ProcessEventKind = "fork" | "vfork" | "clone" | "exec" | "exit";

/** Bytes that can be watched for fetches. */
export const MAX_FETCH_WATCH = 65536;
