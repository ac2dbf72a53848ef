import type { PageFrame, ProtectionKey, VirtualAddress } from "../mmu/types.js";

/** Where in the run something was done: enough to say "at instruction N, at this RIP, by this thread". */
export interface Provenance {
  /** Instructions retired by the machine before it. */
  readonly instruction: number;
  readonly rip: number;
  readonly tid: number;
  /** Where the kernel itself did it: in which call, or at "signal delivery". */
  readonly by?: string;
}

/** An area as it was when something was refused. */
export interface AreaSnapshot {
  /** Half-open range in bytes. */
  readonly start: VirtualAddress;
  readonly end: VirtualAddress;
  /** PROT_READ | PROT_WRITE | PROT_EXEC. */
  readonly prot: number;
  /** VM_* bits (kernel/mm/vm-flags.ts). */
  readonly flags: number;
  readonly key: ProtectionKey;
  readonly sealed: boolean;
  /** Which seals, where the model of sealing has more than one. */
  readonly seals?: string;
  readonly sealedBy?: Provenance;
  /** What /proc/pid/maps calls it: a path, "[heap]", "[stack]" or nothing. */
  readonly name: string;
}

/** One entry of the page-table path, top down; the last is the leaf or the first entry that is missing. */
export interface PathEntry {
  readonly level: 1 | 2 | 3 | 4;
  readonly index: number;
  readonly low: number;
  readonly high: number;
  /** The frame it points to, when present. */
  readonly frame: PageFrame;
}

/** Why the kernel said no: the same object for the trace, the debugger, the test API and the page. */
export interface Refusal {
  /** The rule's name, as "munmap.sealed". */
  readonly rule: string;
  readonly errno: number;
  readonly syscall?: string;
  readonly area?: AreaSnapshot;
  readonly address?: VirtualAddress;
  /** The protection key that mattered. */
  readonly key?: ProtectionKey;
  readonly pkru?: number;
  readonly pkruWrittenBy?: Provenance;
  readonly path?: readonly PathEntry[];
  /** The model of sealing that refused, and its rule (`sealab models NAME`). */
  readonly sealing?: { readonly model: string; readonly rule: string };
  /** What had already been done and stays done. */
  readonly applied?: string;
  /** One plain sentence. */
  readonly text: string;
  /** Where the rule comes from: a kernel function's name, a man page. */
  readonly source: string;
}

/** Takes refusals while somebody listens; `null` means nobody does and no object is built. */
export type RefusalSink = (refusal: Refusal) => void;
