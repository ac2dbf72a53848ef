import type { Dice } from "./dice.js";
import type { Operation } from "./operation.js";
import { Places } from "./places.js";
import {
  ADVISE,
  ANON,
  call,
  type Choice,
  COMMON,
  FIXED,
  listOfChoices,
  madvise,
  MAP,
  PRIVATE,
  protection,
  remap,
  UNMAP,
  value,
} from "./wide.js";

const HUGEPAGE = 14;
const COLLAPSE = 25;
/**
 * Not COLD, FREE and PAGEOUT, which split what is still one page of 2 MiB to Linux after its leaf was split, nor what KSM
 * makes of pages.
 */
const ADVICE = [
  HUGEPAGE,
  HUGEPAGE,
  HUGEPAGE,
  15,
  15,
  COLLAPSE,
  COLLAPSE,
  COLLAPSE,
  ...[4, 4, 4, 22, 22, 23, 23, 23, 102, 102, 103, 3, 9, 10, 11, 18, 19, 24],
];

function map(p: Places): Operation {
  const { dice } = p;
  let flags = PRIVATE | FIXED | ANON;
  if (dice.chance(8)) flags |= 0x8000; // POPULATE
  if (dice.chance(4)) flags |= 0x2000; // LOCKED
  if (dice.chance(4)) flags |= 0x4000; // NORESERVE
  return call(
    MAP,
    ...(dice.chance(70) ? p.units() : p.range()),
    dice.chance(70) ? 3 : protection(dice),
    flags,
    -1,
    0,
  );
}

/** An area that has huge pages at once. */
function whole(p: Places): Operation[] {
  const range = p.units();
  return [
    call(MAP, ...range, 3, PRIVATE | FIXED | ANON, -1, 0),
    call(ADVISE, ...range, HUGEPAGE),
    { kind: p.dice.chance(80) ? "store" : "load", args: [range[0], value(p.dice)] },
  ];
}

const CHOICES: readonly Choice[] = [
  [5, map],
  [5, whole],
  [4, (p) => call(UNMAP, ...p.range())],
  [26, (p) => madvise(p, ADVICE)],
  [8, (p) => remap(p, p.range(), p.range())],
  [0.4, (p) => call(157, 41, p.dice.below(2), 0, 0, 0)], // PR_SET_THP_DISABLE
  ...COMMON,
];

/** Transparent huge pages of private memory: how they come, are split, moved, shared and given back. */
export function hugeList(dice: Dice): Operation[] {
  const grain = { aligned: dice.of([40, 60, 80]), units: dice.of([3, 4, 6]), strange: dice.of([0, 0, 3]) };
  const places = new Places(dice, grain);
  return listOfChoices(places, CHOICES, [...whole(places), ...whole(places)]);
}
