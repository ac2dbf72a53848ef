import type { Dice } from "./dice.js";
import type { Operation } from "./operation.js";
import { PAGE, Places } from "./places.js";
import {
  ACCESSES,
  ADVISE,
  ANON,
  call,
  type Choice,
  FIXED,
  listOfChoices,
  LOOKS,
  madvise,
  MAP,
  PERMISSIONS,
  PRIVATE,
  protection,
  remap,
  SHARED,
  UNMAP,
} from "./wide.js";

const FILE = 23;
const FILE_PAGES = 64;
const PAGEOUT = 21;
const ADVICE = [4, 4, 8, 8, 9, 22, 23, 3, 3, 10, 11, 18, 19, 14, 15, 25, 102, 103];

function map(p: Places): Operation {
  const { dice } = p;
  const ofFile = dice.chance(25);
  const flags = FIXED | dice.of([PRIVATE, PRIVATE, PRIVATE, SHARED]) | (ofFile ? 0 : ANON);
  const prot = dice.chance(80) ? 3 : protection(dice);
  return call(MAP, ...p.range(), prot, flags, ofFile ? FILE : -1, ofFile ? dice.below(8) * PAGE : 0);
}

const CHOICES: readonly Choice[] = [
  [8, map],
  [14, (p) => call(ADVISE, ...p.range(), PAGEOUT)],
  [4, (p) => call(UNMAP, ...p.range())],
  [10, (p) => madvise(p, ADVICE)],
  [8, (p) => remap(p, p.range(), p.range())],
  [1, (p) => call(77, FILE, p.dice.below(FILE_PAGES) * PAGE)],
  [
    1,
    (p) => call(285, FILE, p.dice.of([0, 3, 3]), p.dice.below(16) * PAGE, (1 + p.dice.below(8)) * PAGE, 0, 0),
  ],
  ...ACCESSES,
  ...LOOKS,
  ...PERMISSIONS,
];

/** Pages that are sent away and come back. */
export function swapList(dice: Dice): Operation[] {
  const grain = { aligned: dice.of([10, 30]), units: dice.of([1, 2, 3]), strange: dice.of([0, 0, 2]) };
  const places = new Places(dice, grain);
  return listOfChoices(places, CHOICES, [
    { kind: "memfd", args: [0, FILE_PAGES * PAGE, FILE] },
    map(places),
    map(places),
  ]);
}
