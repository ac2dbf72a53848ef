/** madvise(2): every advice over the whole memory. */

import { SYS } from "../../../userland/linux.js";
import { at, LENGTH, PAGE } from "../operation.js";
import { call, NEIGHBOUR_BELOW } from "./calls.js";
import type { Topic } from "./topic.js";

const ADVICES: readonly (readonly [number: number, name: string, short: string])[] = [
  [4, "DONTNEED", "DNEED"],
  [24, "DONTNEED_LOCKED", "DN_LOCK"],
  [8, "FREE", "FREE"],
  [9, "REMOVE", "REMOVE"],
  [10, "DONTFORK", "DFORK"],
  [18, "WIPEONFORK", "WFORK"],
  [102, "GUARD_INSTALL", "GUARD+"],
  [22, "POPULATE_READ", "POP_R"],
  [23, "POPULATE_WRITE", "POP_W"],
  [25, "COLLAPSE", "COLLAPS"],
  [0, "NORMAL", "NORMAL"],
  [1, "RANDOM", "RANDOM"],
  [2, "SEQUENTIAL", "SEQ"],
  [3, "WILLNEED", "WILLN"],
  [11, "DOFORK", "DOFORK"],
  [12, "MERGEABLE", "MERGE"],
  [13, "UNMERGEABLE", "UNMERGE"],
  [14, "HUGEPAGE", "HUGE"],
  [15, "NOHUGEPAGE", "NOHUGE"],
  [16, "DONTDUMP", "DDUMP"],
  [17, "DODUMP", "DODUMP"],
  [19, "KEEPONFORK", "KFORK"],
  [103, "GUARD_REMOVE", "GUARD-"],
  [20, "COLD", "COLD"],
  [21, "PAGEOUT", "PAGEOUT"],
  [5, "5 (no advice)", "unknown"],
];

export const discard: Topic = {
  name: "discard",
  title: "madvise of the whole memory",
  windows: [-1, 0, 3],
  probes: false,
  operations: [
    ...ADVICES.map(([number, name, short]) => ({
      name: name.replace(/ .*/, ""),
      short,
      text: `madvise(p, 4 pages, ${/^\d/.test(name) ? name : `MADV_${name}`})`,
      call: call(SYS.madvise, at(), LENGTH, number),
    })),
    {
      name: "DONTNEED-from-below",
      short: "below+p",
      text: "madvise(p - 2 pages, 6 pages, MADV_DONTNEED); the two below are rw",
      before: NEIGHBOUR_BELOW,
      neighbour: "below",
      call: call(SYS.madvise, at(-2), LENGTH + 2 * PAGE, 4),
    },
  ],
};
