import { closeForks } from "./forks.js";
import type { Operation } from "./operation.js";

type List = readonly Operation[];

/** The first line in which two machines part. */
export interface Difference {
  readonly index: number;
  readonly ours: string;
  readonly theirs: string;
}

/** Null where both answered alike. */
export function firstDifference(ours: readonly string[], theirs: readonly string[]): Difference | null {
  for (let index = 0; index < Math.max(ours.length, theirs.length); index++) {
    if (ours[index] !== theirs[index]) {
      return { index, ours: ours[index] ?? "nothing", theirs: theirs[index] ?? "nothing" };
    }
  }
  return null;
}

/** Compares lists on both machines: for each the first difference. */
export type Compare = (lists: readonly List[]) => Promise<(Difference | null)[]>;

/** Lists that are tried at one time, each with another part left out. */
const TRIED_AT_ONCE = 96;

/**
 * Leaves out what is not needed for a difference in the same kind of operation.
 * @param stopped asked between tries: true ends it with what has been reached
 */
export async function shrink(
  list: List,
  difference: Difference,
  compare: Compare,
  stopped: () => boolean,
): Promise<{ readonly list: List; readonly difference: Difference }> {
  const kind = kindOf(list, difference);
  let smallest = upTo(list, difference);
  let at = difference;
  let step = Math.max(1, smallest.length >> 1);
  while (step >= 1 && !stopped()) {
    let position = smallest.length - 1 - step;
    let shorter = false;
    while (position >= 0 && !stopped()) {
      const tried: { list: List; position: number }[] = [];
      for (; position >= 0 && tried.length < TRIED_AT_ONCE; position -= step) {
        const without = closeForks(
          openEnd([...smallest.slice(0, position), ...smallest.slice(position + step)]),
        );
        if (without !== null) tried.push({ list: without, position });
      }
      if (tried.length === 0) continue;
      const found = await compare(tried.map((one) => one.list));
      const first = found.findIndex((one, i) => one !== null && kindOf(tried[i]!.list, one) === kind);
      if (first < 0) continue;
      at = found[first]!;
      smallest = upTo(tried[first]!.list, at);
      position = Math.min(tried[first]!.position, smallest.length) - step;
      shorter = true;
    }
    // What could be left out may let others be left out too.
    if (step === 1 && shorter) continue;
    step >>= 1;
  }
  return { list: smallest, difference: at };
}

/** Without the ends of processes at its end, which closeForks makes anew as they are needed. */
function openEnd(list: List): List {
  const last = list.findLastIndex(({ kind }) => kind !== "exit" && kind !== "turn");
  return list.slice(0, last + 1);
}

/** What tells one difference from another: the operation that answers otherwise. */
function kindOf(list: List, difference: Difference): string {
  if (isWhole(difference)) return difference.ours.slice(0, 12);
  const operation = list[difference.index];
  if (operation === undefined) return "";
  return operation.kind + (operation.kind === "call" ? String(operation.args[0]) : "");
}

/** It is no operation's: a machine gave up. */
function isWhole({ ours, theirs }: Difference): boolean {
  return ours.startsWith("sealab:") || ours.startsWith("no answer") || theirs.startsWith("no answer");
}

function upTo(list: List, difference: Difference): List {
  return isWhole(difference) ? list : (closeForks(list.slice(0, difference.index + 1)) ?? list);
}
