import type { Area, Seal } from "../area.js";
import type { ReleaseRules } from "../release.js";
import type { Provenance } from "../../refusal.js";

/** Which operation asks; a model may bind some callers and not others. */
export type SealOrigin = "munmap" | "mmap" | "mremap" | "brk" | "shmdt";

/** A refusal by a sealing model: what forbids it, in words, and where the rule comes from. */
export interface SealVerdict {
  readonly reason: string;
  readonly source: string;
}

/** What a discard is judged by. */
export interface DiscardRequest {
  readonly advice: number;
  /** The area permits writes and so does the caller's PKRU for its key. */
  readonly writable: boolean;
  readonly release: ReleaseRules;
}

/**
 * A policy of sealing. The operations in kernel/mm ask it what may be done to an area and look at no seal
 * themselves. Every question is answered null (permitted) or with a verdict.
 */
export interface SealingModel {
  readonly name: string;
  /** The errno of a refusal, positive. */
  readonly errno: number;
  /** The seal an area has after mseal with these flags; the same object when nothing changes. */
  sealed(area: Area, by: Provenance): Seal;
  mayUnmap(area: Area, origin: SealOrigin): SealVerdict | null;
  mayProtect(area: Area): SealVerdict | null;
  mayRemap(area: Area): SealVerdict | null;
  mayDiscard(area: Area, request: DiscardRequest): SealVerdict | null;
  /** Two areas' seals allow them to become one. */
  mergeable(a: Seal | null, b: Seal | null): boolean;
  /** How smaps' VmFlags line shows the seal; empty for none. */
  smapsFlag(area: Area): string;
}
