import type { Operation } from "./operation.js";
import type { World } from "./worlds.js";
import { firstDifference, shrink, type Compare, type Difference } from "./shrink.js";

/** Somebody who carries out lists of operations: a machine of ours, the host, another kernel. */
export interface Judge {
  /** `Linux 6.18.44`, for reports. */
  readonly name: string;
  /** An answer for each list, in its order: a line an operation. */
  answer(lists: readonly (readonly Operation[])[]): Promise<string[][]>;
}

export interface Finding {
  readonly seed: number;
  /** As small as it came. */
  readonly list: readonly Operation[];
  readonly difference: Difference;
  readonly ours: readonly string[];
  readonly theirs: readonly string[];
}

export interface CampaignOptions {
  readonly world: World;
  readonly seed: number;
  readonly runs: number;
  /** Runs that are asked at one time. */
  readonly batch: number;
  /** Ends after so many differences. */
  readonly most: number;
  /** Asked between batches and while a difference is made small. */
  stopped(): boolean;
  progress(done: number, found: number): void;
  found(finding: Finding): void;
}

/** How often another machine is asked again before a difference counts: a busy one may answer late. */
const ASKED_AGAIN = 2;

/** Runs the lists of many seeds here and there. @returns runs done */
export async function campaign(ours: Judge, theirs: Judge, options: CampaignOptions): Promise<number> {
  const compare: Compare = async (lists) => {
    const [there, here] = await Promise.all([theirs.answer(lists), ours.answer(lists)]);
    return lists.map((_, i) => firstDifference(here[i] ?? [], there[i] ?? []));
  };
  let done = 0;
  let found = 0;
  while (done < options.runs && found < options.most && !options.stopped()) {
    const seeds = Array.from(
      { length: Math.min(options.batch, options.runs - done) },
      (_, i) => options.seed + done + i,
    );
    const lists = seeds.map((seed) => options.world.list(seed));
    const differences = await compare(lists);
    for (const [i, difference] of differences.entries()) {
      if (difference === null || found >= options.most) continue;
      const list = lists[i]!;
      const again = await confirmed(list, compare);
      if (again === null) continue;
      const small = await shrink(list, again, compare, () => options.stopped());
      const [there, here] = await Promise.all([theirs.answer([small.list]), ours.answer([small.list])]);
      found++;
      options.found({ seed: seeds[i]!, ...small, ours: here[0]!, theirs: there[0]! });
    }
    done += seeds.length;
    options.progress(done, found);
  }
  return done;
}

async function confirmed(list: readonly Operation[], compare: Compare): Promise<Difference | null> {
  let difference: Difference | null = null;
  for (let time = 0; time < ASKED_AGAIN; time++) {
    [difference = null] = await compare([list]);
    if (difference === null) return null;
  }
  return difference;
}
