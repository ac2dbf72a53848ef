import type { Dice } from "./dice.js";
import type { Operation } from "./operation.js";
import { Places, UNIT } from "./places.js";
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

/** Descriptors of the two files of the pool. */
const FILES = [20, 21];
const FILE_UNITS = 4;
const MAP_HUGETLB = 0x40000;
const MFD_HUGETLB = 4;
const MFD_ALLOW_SEALING = 2;
const SHM_HUGETLB = 0o4000;
/** The pool's pages are not merged, sent away or collapsed; guards are refused. */
const ADVICE = [
  4, 4, 4, 4, 9, 9, 22, 22, 23, 23, 24, 8, 3, 10, 11, 18, 19, 14, 15, 20, 21, 12, 102, 103, 25, 16, 17,
];

function map(p: Places): Operation {
  const { dice } = p;
  let flags = FIXED;
  let fd = -1;
  let offset = 0;
  if (dice.chance(10)) flags |= PRIVATE | ANON;
  else if (dice.chance(50)) flags |= ANON | MAP_HUGETLB | dice.of([PRIVATE, PRIVATE, SHARED]);
  else {
    fd = dice.of(FILES);
    flags |= dice.of([PRIVATE, SHARED, SHARED]) | (dice.chance(10) ? MAP_HUGETLB : 0);
    offset = dice.below(FILE_UNITS + 1) * UNIT;
    if (dice.chance(3)) offset += 0x1000;
  }
  if (dice.chance(12)) flags |= 0x4000; // NORESERVE
  if (dice.chance(8)) flags |= 0x8000; // POPULATE
  if (dice.chance(4)) flags |= 0x2000; // LOCKED
  const range = dice.chance(90) ? p.units() : p.range();
  return call(MAP, ...range, dice.chance(75) ? 3 : protection(dice), flags, fd, offset);
}

/** fallocate(2) of a file of the pool: room, room behind its end, a hole. */
function allocate({ dice }: Places): Operation {
  const at = dice.below(FILE_UNITS + 1) * UNIT + (dice.chance(15) ? dice.of([1, 0x1000, 0x100000]) : 0);
  const length = dice.below(3) * UNIT + (dice.chance(15) ? dice.of([1, 0x1000, 0x100000]) : 0);
  return call(285, dice.of(FILES), dice.of([0, 0, 1, 3, 3, 3]), at, length, 0, 0);
}

function segment(p: Places): Operation {
  const flags = p.dice.of([0, 0, 0, 0o10000, 0o40000]); // SHM_RDONLY, SHM_REMAP
  return { kind: "shm", args: [p.dice.of([1, 2, 3]) * UNIT, SHM_HUGETLB, p.unit(), flags] };
}

const CHOICES: readonly Choice[] = [
  [14, map],
  [5, (p) => call(UNMAP, ...(p.dice.chance(80) ? p.units() : p.range()))],
  [14, (p) => madvise(p, ADVICE)],
  [5, allocate],
  [
    2,
    ({ dice }) => call(77, dice.of(FILES), dice.below(FILE_UNITS + 2) * UNIT + (dice.chance(8) ? 0x1000 : 0)),
  ],
  [
    2,
    (p) =>
      call(17, p.dice.of(FILES), p.page(), p.dice.of([1, 100, 4096, 8193]), p.dice.below(FILE_UNITS) * UNIT),
  ],
  [0.5, (p) => call(18, p.dice.of(FILES), p.page(), 8, 0)],
  [1, segment],
  [0.7, (p) => ({ kind: "shmat", args: [p.unit(), p.dice.of([0, 0o40000])] })],
  [1, (p) => call(67, p.unit())], // shmdt
  [5, () => ({ kind: "meminfo", args: [] })],
  [1, (p) => call(26, ...p.range(), p.dice.below(8))],
  ...COMMON,
];

const REMAPS: readonly Choice[] = [
  [10, (p) => remap(p, p.units(), p.units())],
  [2, (p) => remap(p, p.range(), p.range())],
];

/** The pool of huge pages: areas and files of it, what is promised, given and given back. */
export function hugetlbList(dice: Dice, { remaps }: { readonly remaps: boolean }): Operation[] {
  const grain = { aligned: dice.of([70, 85, 95]), units: dice.of([4, 6, 8]), strange: dice.of([0, 0, 3]) };
  const places = new Places(dice, grain);
  return listOfChoices(places, remaps ? [...CHOICES, ...REMAPS] : CHOICES, [
    { kind: "meminfo", args: [] },
    { kind: "memfd", args: [MFD_HUGETLB, FILE_UNITS * UNIT, FILES[0]!] },
    { kind: "memfd", args: [MFD_HUGETLB | MFD_ALLOW_SEALING, 2 * UNIT, FILES[1]!] },
    map(places),
    map(places),
  ]);
}
