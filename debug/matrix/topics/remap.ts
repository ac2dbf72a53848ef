/** mremap(2) in all its forms. */

import { MREMAP, SYS } from "../../../userland/linux.js";
import { at, byte, ELSEWHERE, LENGTH, PAGE, type Argument, type Operation } from "../operation.js";
import { call, NEIGHBOUR_BELOW, NEIGHBOUR_ABOVE } from "./calls.js";
import type { Topic } from "./topic.js";

const TASK_SIZE = 0x7ffffffff000;

const mremap = (
  name: string,
  short: string,
  text: string,
  args: readonly Argument[],
  neighbour?: "below" | "above",
): Operation => ({
  name,
  short,
  text,
  call: call(SYS.mremap, ...args),
  ...(neighbour === undefined
    ? {}
    : { neighbour, before: neighbour === "below" ? NEIGHBOUR_BELOW : NEIGHBOUR_ABOVE }),
});

const { MAYMOVE, FIXED, DONTUNMAP } = MREMAP;
const away = at(ELSEWHERE);

export const remap: Topic = {
  name: "remap",
  title: "mremap in all its forms",
  windows: [-1, 0, 1, 2, 4, ELSEWHERE, ELSEWHERE + 2],
  probes: false,
  operations: [
    mremap("same", "same", "4 → 4 pages, no flags", [at(), LENGTH, LENGTH, 0]),
    mremap("same-maymove", "sm MAYM", "4 → 4 pages, MAYMOVE", [at(), LENGTH, LENGTH, MAYMOVE]),
    mremap("shrink", "shrink", "4 → 2 pages", [at(), LENGTH, 2 * PAGE, 0]),
    mremap("grow", "grow", "4 → 6 pages, with room", [at(), LENGTH, 6 * PAGE, 0]),
    mremap("grow-blocked", "gr blck", "4 → 6 pages, no room", [at(), LENGTH, 6 * PAGE, 0], "above"),
    mremap(
      "grow-moving",
      "gr MAYM",
      "4 → 6 pages, no room, MAYMOVE",
      [at(), LENGTH, 6 * PAGE, MAYMOVE],
      "above",
    ),
    mremap("fixed", "FIXED", "to a fixed place", [at(), LENGTH, LENGTH, MAYMOVE | FIXED, away]),
    mremap("fixed-shrink", "F shrnk", "to a fixed place, 4 → 2 pages", [
      at(),
      LENGTH,
      2 * PAGE,
      MAYMOVE | FIXED,
      away,
    ]),
    mremap("fixed-grow", "F grow", "to a fixed place, 4 → 6 pages", [
      at(),
      LENGTH,
      6 * PAGE,
      MAYMOVE | FIXED,
      away,
    ]),
    mremap("fixed-part", "F part", "the second page alone, to a fixed place", [
      at(1),
      PAGE,
      PAGE,
      MAYMOVE | FIXED,
      away,
    ]),
    mremap(
      "fixed-from-below",
      "F below",
      "a writable page below and the four pages, to a fixed place",
      [at(-1), LENGTH + PAGE, LENGTH + PAGE, MAYMOVE | FIXED, at(ELSEWHERE - 1)],
      "below",
    ),
    mremap("fixed-over-itself", "F over", "FIXED, one page further up", [
      at(),
      LENGTH,
      LENGTH,
      MAYMOVE | FIXED,
      at(1),
    ]),
    mremap("fixed-unaligned", "F unal", "FIXED, to an unaligned place", [
      at(),
      LENGTH,
      LENGTH,
      MAYMOVE | FIXED,
      byte(ELSEWHERE * PAGE + 1),
    ]),
    mremap("fixed-beyond", "F beynd", "FIXED, beyond the end of user space", [
      at(),
      LENGTH,
      LENGTH,
      MAYMOVE | FIXED,
      TASK_SIZE,
    ]),
    mremap("fixed-alone", "F alone", "FIXED without MAYMOVE", [at(), LENGTH, LENGTH, FIXED, away]),
    mremap("dontunmap", "DONTUNM", "DONTUNMAP", [at(), LENGTH, LENGTH, MAYMOVE | DONTUNMAP, 0]),
    mremap("dontunmap-fixed", "DU FIX", "DONTUNMAP to a fixed place", [
      at(),
      LENGTH,
      LENGTH,
      MAYMOVE | FIXED | DONTUNMAP,
      away,
    ]),
    mremap("dontunmap-resize", "DU size", "DONTUNMAP, 4 → 2 pages", [
      at(),
      LENGTH,
      2 * PAGE,
      MAYMOVE | DONTUNMAP,
      0,
    ]),
    mremap("duplicate", "old 0", "0 → 4 pages, MAYMOVE", [at(), 0, LENGTH, MAYMOVE]),
    mremap("duplicate-fixed", "old 0 F", "0 → 4 pages, to a fixed place", [
      at(),
      0,
      LENGTH,
      MAYMOVE | FIXED,
      away,
    ]),
    mremap("duplicate-in-place", "old 0 -", "0 → 4 pages, no flags", [at(), 0, LENGTH, 0]),
    mremap("to-nothing", "new 0", "4 → 0 pages, MAYMOVE", [at(), LENGTH, 0, MAYMOVE]),
    mremap("to-huge", "huge", "4 pages → 2^47 bytes, MAYMOVE", [at(), LENGTH, 2n ** 47n, MAYMOVE]),
    mremap("beyond-end", "past", "6 → 6 pages of which four are there, no flags", [
      at(),
      6 * PAGE,
      6 * PAGE,
      0,
    ]),
    mremap("beyond-end-grow", "past gr", "6 → 7 pages of which four are there, MAYMOVE", [
      at(),
      6 * PAGE,
      7 * PAGE,
      MAYMOVE,
    ]),
    mremap("bad-flag", "flag 8", "an unknown flag", [at(), LENGTH, LENGTH, 8]),
    mremap("unaligned", "unalign", "p + 1 byte", [byte(1), LENGTH, LENGTH, MAYMOVE]),
  ],
};
