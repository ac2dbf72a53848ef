import type { Operation } from "../operation.js";

/** One of the matrices: what is tried, and what is looked at afterwards. */
export interface Topic {
  readonly name: string;
  readonly title: string;
  readonly operations: readonly Operation[];
  /** Pages, counted from the memory's start, of which the content is asked afterwards. */
  readonly windows: readonly number[];
  /** Whether the CPU's three accesses to a page are tried afterwards. */
  readonly probes: boolean;
}
