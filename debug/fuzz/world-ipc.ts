import type { Dice } from "./dice.js";
import type { Operation } from "./operation.js";
import { PAGE, Places } from "./places.js";
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
} from "./wide.js";

const ADVICE = [4, 4, 8, 9, 9, 22, 23, 20, 3, 10, 11, 12, 13, 14, 15, 18, 19, 24, 102, 102, 103, 0, 1, 2];
/** SHM_RDONLY, SHM_RND, SHM_REMAP, SHM_EXEC */
const ATTACHING = [0, 0, 0, 0o10000, 0o20000, 0o40000, 0o40000, 0o40000, 0o100000, 0o50000];

function map(p: Places): Operation {
  const flags = FIXED | ANON | p.dice.of([PRIVATE, PRIVATE, SHARED]);
  return call(MAP, ...p.range(), p.dice.chance(75) ? 3 : protection(p.dice), flags, -1, 0);
}

function place(p: Places): number {
  return p.dice.chance(5) ? 0 : p.page() + (p.dice.chance(8) ? 0x123 : 0);
}

function segment(p: Places): Operation {
  const bytes = (1 + p.dice.below(8)) * PAGE - p.dice.of([0, 0, 0, 1, 0x800]);
  return { kind: "shm", args: [bytes, p.dice.of([0, 0, 0, 0o10000]), place(p), p.dice.of(ATTACHING)] };
}

const CHOICES: readonly Choice[] = [
  [6, map],
  [8, segment],
  [8, (p) => ({ kind: "shmat", args: [place(p), p.dice.of(ATTACHING)] })],
  [6, (p) => call(67, place(p))], // shmdt
  [4, (p) => call(UNMAP, ...p.range())],
  [10, (p) => madvise(p, ADVICE)],
  [8, (p) => remap(p, p.range(), p.range())],
  [1, (p) => call(26, ...p.range(), p.dice.below(8))],
  [1, (p) => call(216, ...p.range(), 0, p.dice.below(8), 0)],
  ...COMMON,
];

/** Segments of System V: attached, cut, moved, sealed, detached. */
export function ipcList(dice: Dice): Operation[] {
  const places = new Places(dice, { aligned: 25, units: dice.of([1, 2]), strange: dice.of([0, 2]) });
  return listOfChoices(places, CHOICES, [segment(places)]);
}
