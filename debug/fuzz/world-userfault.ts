import type { Dice } from "./dice.js";
import type { Operation } from "./operation.js";
import { PAGE, Places } from "./places.js";
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
  SHARED,
  UNMAP,
} from "./wide.js";

const UFFD = 22;
const FILE = 23;
const FILE_PAGES = 64;
const UFFDIO = {
  register: 0xc020aa00,
  unregister: 0x8010aa01,
  copy: 0xc028aa03,
  zeropage: 0xc020aa04,
  move: 0xc028aa05,
  writeprotect: 0xc018aa06,
  continue: 0xc020aa07,
  poison: 0xc020aa08,
} as const;
/** Faults are SIGBUS, so that nobody has to answer them. */
const SIGBUS = 1 << 7;
const WP_UNPOPULATED = 1 << 13;
const WP_ASYNC = 1 << 15;
const FEATURES = [SIGBUS, SIGBUS, SIGBUS | WP_UNPOPULATED, SIGBUS | WP_ASYNC, SIGBUS | (1 << 11)];
/** No guard regions: MADV_GUARD_INSTALL over a marker of write protection does not end on Linux 6.18. */
const ADVICE = [4, 4, 4, 9, 22, 23, 3, 10, 11, 18, 19, 15];
/** HUGEPAGE, COLLAPSE */
const HUGE_ADVICE = [14, 14, 25];

function map(p: Places): Operation {
  const { dice } = p;
  const ofFile = dice.chance(25);
  const flags = FIXED | dice.of([PRIVATE, PRIVATE, SHARED]) | (ofFile ? 0 : ANON);
  const prot = dice.chance(80) ? 3 : protection(dice);
  return call(MAP, ...p.range(), prot, flags, ofFile ? FILE : -1, ofFile ? dice.below(8) * PAGE : 0);
}

/** Private memory with a huge page. */
function whole(p: Places): Operation[] {
  const range = p.units();
  return [
    call(MAP, ...range, 3, PRIVATE | FIXED | ANON, -1, 0),
    call(ADVISE, ...range, 14),
    { kind: "store", args: [range[0], 0x11c3] },
  ];
}

function ask(request: number, ...words: number[]): Operation {
  return { kind: "ioctl", args: [UFFD, request, ...words, ...Array<number>(5 - words.length).fill(0)] };
}

/** Few pages, or a range as others have it. */
function few(p: Places): [number, number] {
  return p.dice.chance(60) ? [p.page(), (1 + p.dice.below(4)) * PAGE] : p.range();
}

/**
 * Modes of one list: with write protection each time or never. Where an area is registered anew without it, Linux leaves
 * the marks of protection in the page tables.
 */
const MODES: readonly (readonly number[])[] = [[1], [1, 4, 5], [2], [3], [2, 3], [2, 2, 3, 6, 7]];

/**
 * @param modes of registering
 * @param moves with UFFDIO_MOVE, and then without transparent huge pages, which that parts (deviations.md, huge-pages)
 */
const choices = (modes: readonly number[], moves: boolean): readonly Choice[] => [
  [12, (p) => ask(UFFDIO.register, ...p.range(), p.dice.chance(4) ? p.dice.of([0, 8]) : p.dice.of(modes))],
  [8, map],
  [moves ? 0 : 2, whole],
  [2, (p) => ask(UFFDIO.unregister, ...p.range())],
  [
    10,
    (p) => {
      const [address, length] = few(p);
      return ask(UFFDIO.copy, address, p.page(), length, p.dice.of([0, 0, 1, 2, 2, 3, 4]));
    },
  ],
  [5, (p) => ask(UFFDIO.zeropage, ...few(p), p.dice.of([0, 0, 1, 2]))],
  [10, (p) => ask(UFFDIO.writeprotect, ...p.range(), p.dice.of([1, 1, 1, 0, 0, 2, 3]))],
  [3, (p) => ask(UFFDIO.continue, ...few(p), p.dice.of([0, 0, 1, 2]))],
  [3, (p) => ask(UFFDIO.poison, ...few(p), p.dice.of([0, 0, 1]))],
  [
    moves ? 8 : 0,
    (p) => {
      const [address, length] = few(p);
      return ask(UFFDIO.move, address, p.page(), length, p.dice.of([0, 0, 1, 2, 2]));
    },
  ],
  [4, (p) => call(UNMAP, ...p.range())],
  [10, (p) => madvise(p, moves ? ADVICE : [...ADVICE, ...HUGE_ADVICE])],
  [6, (p) => remap(p, p.range(), p.range())],
  [1, (p) => call(77, FILE, p.dice.below(FILE_PAGES) * PAGE)],
  [
    1,
    (p) => call(285, FILE, p.dice.of([0, 3, 3]), p.dice.below(16) * PAGE, (1 + p.dice.below(8)) * PAGE, 0, 0),
  ],
  ...COMMON,
];

/** userfaultfd without a handler: registered, filled, protected, moved; faults that are SIGBUS. */
export function userfaultList(dice: Dice): Operation[] {
  const grain = { aligned: dice.of([10, 30, 60]), units: dice.of([1, 2, 3]), strange: dice.of([0, 0, 2]) };
  const places = new Places(dice, grain);
  return listOfChoices(places, choices(dice.of(MODES), dice.chance(50)), [
    { kind: "memfd", args: [0, FILE_PAGES * PAGE, FILE] },
    { kind: "uffd", args: [dice.of([0, 1]), dice.of(FEATURES), UFFD] },
    map(places),
    map(places),
  ]);
}
