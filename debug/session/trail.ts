import type { Moment } from "../timeline/moment.js";
import type { LineRange } from "./debug-session.js";

/** One instruction of a thread, before it was executed. */
export interface Step {
  readonly moment: Moment;
  readonly rip: number;
  readonly rsp: number;
  readonly flow: "call" | "return" | "other";
}

type LineAt = (address: number) => LineRange | null;

/**
 * The index of the CALL of the function that the last step is in; -1: not in the trail. Functions that were called and
 * have returned on the way are passed over.
 */
export function callOf(trail: readonly Step[]): number {
  for (let at = trail.length - 2; at >= 0; at--) {
    const step = trail[at]!;
    if (step.flow === "call") return at;
    if (step.flow === "return") {
      at = callReturnedFrom(trail, at);
      if (at < 0) return -1;
    }
  }
  return -1;
}

/** Of a RET at `at`: the index of its CALL; -1: not in the trail. */
function callReturnedFrom(trail: readonly Step[], at: number): number {
  const top = trail[at + 1]!.rsp;
  for (let from = at - 1; from >= 0; from--) {
    const step = trail[from]!;
    if (step.flow === "call" && step.rsp === top) return from;
    // Frames below are the called function's; one above means that it was never called in this trail.
    if (step.rsp > top) return -1;
  }
  return -1;
}

const same = (a: LineRange | null, b: LineRange | null): boolean =>
  a !== null && b !== null && a.file === b.file && a.line === b.line;

/**
 * Where a step back by source line leads from the last step: the beginning of its line, or, from there, that of the
 * line before. -1: the trail does not reach so far. `over`: called functions are not gone into; those that have no
 * lines never are.
 */
export function lineBefore(trail: readonly Step[], lineAt: LineAt, over: boolean): number {
  const last = trail.length - 1;
  let line = lineAt(trail[last]!.rip);
  let first = last;
  for (let at = last - 1; at >= 0; at--) {
    const step = trail[at]!;
    const range = lineAt(step.rip);
    if (step.flow === "return" && (over || range === null)) {
      at = callReturnedFrom(trail, at);
      if (at < 0) return -1;
      // The CALL is looked at as any instruction.
      at++;
      continue;
    }
    if (range === null) continue;
    if (same(range, line)) {
      first = at;
      continue;
    }
    if (first !== last) return first;
    line = range;
    first = at;
  }
  return -1;
}
