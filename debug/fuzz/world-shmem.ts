import type { Dice } from "./dice.js";
import type { Operation } from "./operation.js";
import { PAGE, Places, UNIT } from "./places.js";
import {
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
  SHARED,
  UNMAP,
  value,
} from "./wide.js";

/** A memfd of four units and some pages. */
const FILE = 20;
const FILE_UNITS = 4;
const FILE_BYTES = FILE_UNITS * UNIT + 3 * PAGE;
const COLLAPSE = 25;
const ADVICE = [
  ...Array<number>(12).fill(COLLAPSE),
  ...[14, 15, 4, 4, 4, 9, 9, 22, 22, 23, 23, 3, 8, 10, 11, 18, 19, 24, 102, 102, 103],
];

/** Of the file; at a unit, as huge pages are, or not. */
function offset(p: Places): number {
  const { dice } = p;
  return dice.below(FILE_UNITS) * UNIT + (dice.chance(85) ? 0 : dice.of([1, 8, 511]) * PAGE);
}

function map(p: Places): Operation {
  const { dice } = p;
  const ofFile = dice.chance(70);
  let flags = FIXED | (ofFile ? dice.of([SHARED, SHARED, PRIVATE]) : SHARED | ANON);
  if (dice.chance(8)) flags |= 0x8000; // POPULATE
  if (dice.chance(4)) flags |= 0x2000; // LOCKED
  const range = dice.chance(80) ? p.units() : p.range();
  return call(
    MAP,
    ...range,
    dice.chance(75) ? 3 : protection(dice),
    flags,
    ofFile ? FILE : -1,
    ofFile ? offset(p) : 0,
  );
}

/** Memory that may become huge pages at once. */
function whole(p: Places): Operation[] {
  const [start, length] = p.units();
  return [
    call(MAP, start, length, 3, FIXED | SHARED, FILE, p.dice.below(FILE_UNITS) * UNIT),
    { kind: "store", args: [start, value(p.dice)] },
    call(28, start, length, COLLAPSE),
  ];
}

/** fallocate(2): a hole, room, room behind the end. */
function allocate(p: Places): Operation {
  const length = p.dice.of([1, 1, 8, 256, 512, 513]) * PAGE;
  return call(285, FILE, p.dice.of([3, 3, 3, 0, 1]), offset(p), length, 0, 0);
}

const CHOICES: readonly Choice[] = [
  [8, map],
  [4, whole],
  [4, (p) => call(UNMAP, ...p.range())],
  [24, (p) => madvise(p, ADVICE)],
  [6, (p) => remap(p, p.range(), p.range())],
  [3, allocate],
  [1.5, (p) => call(77, FILE, p.dice.chance(50) ? FILE_BYTES : offset(p) + p.dice.of([0, 1, 0x800]))],
  [2, (p) => call(17, FILE, p.page(), p.dice.of([1, PAGE, 3 * PAGE + 5]), offset(p))],
  [2, (p) => call(18, FILE, p.page(), p.dice.of([1, PAGE, 3 * PAGE + 5]), offset(p))],
  [1, (p) => call(26, ...p.range(), p.dice.below(8))],
  ...COMMON,
];

/** Huge pages of shared memory, which MADV_COLLAPSE makes: mapped here and there, cut, holed, truncated, copied privately. */
export function shmemList(dice: Dice): Operation[] {
  const grain = { aligned: dice.of([40, 60, 80]), units: dice.of([3, 4, 6]), strange: dice.of([0, 0, 3]) };
  const places = new Places(dice, grain);
  return listOfChoices(places, CHOICES, [
    { kind: "memfd", args: [0, FILE_BYTES, FILE] },
    ...whole(places),
    map(places),
  ]);
}
