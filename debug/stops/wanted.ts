import type { FaultRaised } from "../../kernel/events.js";
import type { AreaChange } from "../../kernel/mm/environment.js";
import type { Refusal } from "../../kernel/refusal.js";
import type { Moment } from "../timeline/moment.js";
import type { Happening } from "./happening.js";
import type { StopSpec } from "./stop-spec.js";

/** A stop that counts now: a break of the user's that is enabled, or what a motion looks for. */
export interface Wanted {
  /** The break's; 0: what a motion looks for. */
  readonly id: number;
  readonly what: StopSpec;
  /** Of watched memory and entries: whose. */
  readonly pid: number;
  /** Only this thread's; null: anybody's. */
  readonly thread: number | null;
  /** Asked where it is met; null: always. */
  holds(happening: Happening): boolean;
}

/** A stop that was met. */
export interface Hit {
  readonly id: number;
  readonly tid: number;
  readonly happening: Happening;
  /** Where going back ends: before the instruction that did it. Null: at the very moment. */
  readonly before: Moment | null;
}

export function overlaps(a: { start?: number; end?: number }, start: number, end: number): boolean {
  return (a.start ?? 0) < end && start < (a.end ?? Infinity);
}

export function isFaultWanted(what: StopSpec, { vector, signal }: FaultRaised): boolean {
  if (what.kind !== "fault" || (signal === null && what.mended !== true)) return false;
  return what.vectors === undefined || what.vectors.includes(vector);
}

export function isRefusalWanted(what: StopSpec, { rule }: Refusal): boolean {
  if (what.kind !== "refusal") return false;
  return what.rule === undefined || rule === what.rule || rule.startsWith(`${what.rule}.`);
}

export function isAreaWanted(what: StopSpec, { kind, start, end }: AreaChange): boolean {
  if (what.kind !== "area" || !overlaps(what, start, end)) return false;
  return what.changes === undefined || what.changes.includes(kind);
}
