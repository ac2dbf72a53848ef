import { Dice } from "./dice.js";
import { withForks } from "./forks.js";
import { generate, generateForks } from "./generate.js";
import { hugeList } from "./world-huge.js";
import { hugetlbList } from "./world-hugetlb.js";
import { ipcList } from "./world-ipc.js";
import { shmemList } from "./world-shmem.js";
import { userfaultList } from "./world-userfault.js";
import { wideEnd } from "./wide.js";
import type { Operation } from "./operation.js";

/** What scenarios are about, and what a machine needs for them. */
export interface World {
  readonly name: string;
  /** For the help text. */
  readonly about: string;
  /** Pages of 2 MiB in the pool. */
  readonly hugePages: number;
  /** The list of a seed; every fourth one in up to three processes. */
  list(seed: number): Operation[];
}

const LATER = 0x51de;

function wide(
  name: string,
  about: string,
  plain: (dice: Dice) => Operation[],
  needs: { readonly hugePages?: number } = {},
): World {
  return {
    name,
    about,
    hugePages: needs.hugePages ?? 0,
    list(seed) {
      const operations = plain(new Dice(seed));
      if (seed % 4 !== 3) return [...operations, ...wideEnd()];
      return withForks(operations, new Dice(seed ^ LATER), wideEnd());
    },
  };
}

/** Pages of 2 MiB that lists of the pool count on. */
export const POOL = 8;

const ALL: readonly World[] = [
  {
    name: "small",
    about: "areas of a few pages (unless told)",
    hugePages: 0,
    list: (seed) => (seed % 4 === 3 ? generateForks(seed) : generate(seed)),
  },
  wide("huge", "transparent huge pages", (dice) => hugeList(dice)),
  wide("hugetlb", "the pool of huge pages", (dice) => hugetlbList(dice, { remaps: false }), {
    hugePages: POOL,
  }),
  wide(
    "hugetlb-remap",
    "the pool with mremap, which loses promises of some kernels for good: not on a host that matters",
    (dice) => hugetlbList(dice, { remaps: true }),
    { hugePages: POOL },
  ),
  wide("shmem", "huge pages of shared memory, by MADV_COLLAPSE", (dice) => shmemList(dice)),
  wide("userfault", "userfaultfd", (dice) => userfaultList(dice)),
  wide("ipc", "shared memory of System V", (dice) => ipcList(dice)),
];

export const WORLDS: ReadonlyMap<string, World> = new Map(ALL.map((world) => [world.name, world]));

export const SMALL: World = ALL[0]!;
