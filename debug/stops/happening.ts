/** What happened at a stop: plain records, that a command line prints, a screen shows and a test compares. */

import type { AreaChange } from "../../kernel/mm/environment.js";
import type { Refusal } from "../../kernel/refusal.js";
import type { SignalInfo } from "../../kernel/signals/siginfo.js";

export type Happening =
  | { readonly kind: "address"; readonly address: number }
  | {
      readonly kind: "syscall-entry";
      readonly number: number;
      readonly name: string;
      /** RDI, RSI, RDX, R10, R8, R9, unsigned. */
      readonly args: readonly bigint[];
    }
  | {
      readonly kind: "syscall-exit";
      readonly number: number;
      readonly name: string;
      /** RAX, signed: -errno where it failed. */
      readonly result: bigint;
      readonly refusal?: Refusal;
    }
  | { readonly kind: "signal"; readonly signal: number; readonly name: string; readonly info: SignalInfo }
  | {
      readonly kind: "fault";
      readonly vector: number;
      readonly errorCode: number;
      readonly address: number;
      /** Of the instruction that could not be executed. */
      readonly rip: number;
      /** The signal it becomes; null where the kernel mended it. */
      readonly signal: number | null;
      readonly refusal?: Refusal;
    }
  | { readonly kind: "refusal"; readonly refusal: Refusal }
  | {
      readonly kind: "watch";
      /** The first watched byte that was touched. */
      readonly address: number;
      readonly access: "write" | "read" | "access" | "fetch";
      /** The watched bytes before and after; before is null where it is not known. */
      readonly before: Uint8Array | null;
      readonly after: Uint8Array;
      /** RIP of the instruction; that of the next one where the kernel did it. */
      readonly rip: number;
      readonly by: "instruction" | "kernel";
    }
  | {
      readonly kind: "pkru";
      readonly before: number;
      readonly after: number;
      readonly by: "instruction" | "kernel";
    }
  | { readonly kind: "area"; readonly change: AreaChange }
  | {
      readonly kind: "entry";
      /** Of the page, in bytes. */
      readonly address: number;
      /** All 64 bits, as `0x8800000012345067`; `0x0` where there is none. */
      readonly before: string;
      readonly after: string;
      readonly by: "processor" | "kernel";
    }
  | { readonly kind: "fork" | "vfork" | "clone"; readonly child: ThreadName }
  | { readonly kind: "exec"; readonly path: string }
  | { readonly kind: "exit"; readonly pid: number; readonly code: number; readonly signal: number | null };

export interface ThreadName {
  readonly pid: number;
  readonly tid: number;
}
