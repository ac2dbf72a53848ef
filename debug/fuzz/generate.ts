import { Dice } from "./dice.js";
import { withForks } from "./forks.js";
import { FD } from "./interpreter.js";
import type { Operation } from "./operation.js";

/** Everything that programs map at an address of their choice lies in [ARENA, ARENA_END). */
export const ARENA = 0x10000000;
export const ARENA_END = ARENA + 4096 * 4096;
const PAGE = 4096;
/** Of two groups of pages that are further apart than the stack guard's 256 pages. */
const GROUPS = [0, 400];
const GROUP_PAGES = 28;

const PROT = [0, 1, 1, 3, 3, 3, 3, 7, 5, 2, 4, 6];
const SHARED = 1;
const PRIVATE = 2;
const FIXED = 0x10;
const ANON = 0x20;
const GROWSDOWN = 0x100;
const STRANGE_LENGTHS = [
  0,
  1,
  4095,
  4097,
  -1n,
  -4096n,
  -4095n,
  1n << 63n,
  0x7ffffffff000n,
  0x7fffffffe000n,
  0x800000000000n,
  1n << 44n,
];
const STRANGE_ADDRESSES = [0, 0x1000, 0x7ffffffff000n, 0x800000000000n, -4096n, -1n, 1n << 62n];
/** All but MADV_PAGEOUT (reclaim takes clean pages of files at its leisure), MADV_HWPOISON and MADV_SOFT_OFFLINE, which would harm the host, and MADV_COLLAPSE (huge pages). */
const ADVICE = [
  0, 1, 2, 3, 4, 4, 4, 8, 8, 9, 10, 11, 14, 15, 16, 17, 18, 18, 19, 20, 20, 22, 23, 24, 102, 102, 103, 5, 99,
];

/** A program of 30 to 200 operations on memory, the same for the same seed, with looks at the maps in between. */
export function generate(seed: number): Operation[] {
  const dice = new Dice(seed);
  const operations: Operation[] = [];
  const length = 30 + dice.below(dice.chance(30) ? 171 : 60);
  // A seed stresses some of the calls.
  const weights = CHOICES.map(([weight]) => (dice.chance(25) ? weight * 4 : weight));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const strange = dice.of([0, 2, 6]);
  const spread = dice.of([6, 10, GROUP_PAGES]);
  for (let i = dice.below(5) + 2; i > 0; i--) operations.push(map(new Arguments(dice, 0, spread)));
  while (operations.length < length) {
    let left = dice.below(total);
    const choice = CHOICES.findIndex((_, i) => (left -= weights[i]!) < 0);
    operations.push(CHOICES[choice]![1](new Arguments(dice, strange, spread)));
    if (dice.chance(4)) operations.push({ kind: "maps", args: [] });
  }
  operations.push({ kind: "maps", args: [] });
  return operations;
}

/** As `generate`, in up to three processes. */
export function generateForks(seed: number): Operation[] {
  return withForks(generate(seed), new Dice(seed ^ 0x5eed), [{ kind: "maps", args: [] }]);
}

class Arguments {
  constructor(
    readonly dice: Dice,
    /** Percent of arguments that make no sense. */
    private readonly strange: number,
    private readonly spread: number,
  ) {}

  page(): number {
    const group = this.dice.chance(88) ? GROUPS[0]! : GROUPS[1]!;
    return ARENA + (group + this.dice.below(this.spread)) * PAGE;
  }

  address(): number | bigint {
    if (this.dice.chance(this.strange)) return this.dice.of(STRANGE_ADDRESSES);
    if (this.dice.chance(this.strange)) return this.page() + this.dice.of([1, 0x800, 0xfff]);
    return this.page();
  }

  pages(): number {
    return this.dice.chance(8) ? this.dice.below(40) + 1 : this.dice.below(5) + 1;
  }

  length(): number | bigint {
    if (this.dice.chance(this.strange)) return this.dice.of(STRANGE_LENGTHS);
    if (this.dice.chance(this.strange)) return this.pages() * PAGE - this.dice.of([1, 0x800, 0xfff]);
    return this.pages() * PAGE;
  }

  prot(): number {
    if (this.dice.chance(this.strange)) return this.dice.of(PROT) | this.dice.of([8, 0x10, 0x80000000]);
    return this.dice.of(PROT);
  }

  key(): number {
    return this.dice.chance(80) ? this.dice.below(4) : this.dice.of([-1, 15, 16, 7, 5]);
  }

  odd(flags: number): number {
    return this.dice.chance(this.strange) ? flags ^ (1 << this.dice.below(23)) : flags;
  }
}

function call(number: number, ...args: (number | bigint)[]): Operation {
  return { kind: "call", args: [number, ...args] };
}

function map(a: Arguments): Operation {
  const { dice } = a;
  let flags = dice.of([PRIVATE, PRIVATE, PRIVATE, SHARED, 3]);
  let fd = -1;
  let offset = 0;
  if (dice.chance(65)) {
    if (flags === 3) flags = PRIVATE;
    flags |= ANON;
    if (flags & PRIVATE && dice.chance(12)) flags |= GROWSDOWN;
  } else {
    fd = dice.of([FD.file, FD.file, FD.file, FD.odd, FD.readOnly, FD.zero, FD.source, 55]);
    offset = dice.below(6) * PAGE;
    if (dice.chance(3)) offset += 0x200;
  }
  flags |= dice.chance(90) ? FIXED : dice.of([0, 0x100000, 0x100000]);
  if (dice.chance(8)) flags |= 0x4000; // NORESERVE
  if (dice.chance(10)) flags |= 0x8000; // POPULATE
  if (dice.chance(4)) flags |= 0x2000; // LOCKED
  if (dice.chance(3)) flags |= dice.of([0x20000, 0x10000, 0x1000, 0x800]); // STACK NONBLOCK EXECUTABLE DENYWRITE
  flags = a.odd(flags) & ~0x40000; // never HUGETLB, which depends on the host
  // An address that is no arena's would replace the program: only as a hint.
  const address = a.address();
  const inside = typeof address === "number" && address >= ARENA;
  let length = a.length();
  // What would cover the program's own memory when wrapped or huge is refused for its length alone.
  if (!inside) flags &= ~FIXED;
  if (BigInt(length) > 0x1000000n && BigInt(length) < 0x7fff00000000n) length = PAGE;
  return call(9, address, length, a.prot(), flags, fd, offset);
}

/** A range whose change cannot touch the program's own memory, even where a call goes on after a hole. */
function range(a: Arguments, throughHoles = false): [number | bigint, number | bigint] {
  const address = a.address();
  let length = a.length();
  const end = BigInt.asUintN(64, BigInt(address)) + BigInt.asUintN(64, BigInt(length));
  const passes = throughHoles ? end < 1n << 64n : end <= 0x7ffffffff000n;
  if (end > BigInt(ARENA_END) && passes) length = PAGE;
  if (BigInt(address) < BigInt(ARENA) && BigInt(length) > 0x1000n) length = PAGE;
  return [address, length];
}

function remap(a: Arguments): Operation {
  const { dice } = a;
  let flags = dice.of([0, 1, 1, 3, 3, 3, 5, 7, 2, 4]);
  flags = a.odd(flags);
  const [old, oldLength] = range(a);
  const [target, targetLength] = range(a);
  const length = dice.chance(40) ? oldLength : targetLength;
  // Not page 0: what the kernel may read there depends on what is in it (fault_in_readable stops at address 0).
  return call(25, old, dice.chance(6) ? 0 : oldLength, length, flags, target === 0 ? PAGE : target);
}

const CHOICES: readonly (readonly [number, (a: Arguments) => Operation])[] = [
  [14, map],
  [6, (a) => call(11, ...range(a))],
  [
    12,
    (a) =>
      call(10, ...range(a), a.prot() | (a.dice.chance(5) ? a.dice.of([0x1000000, 0x2000000, 0x3000000]) : 0)),
  ],
  [6, (a) => call(329, ...range(a), a.prot(), a.key())],
  [3, (a) => call(330, a.odd(0), a.dice.below(a.dice.chance(95) ? 4 : 9))],
  [1, (a) => call(331, a.key() || 1)], // never key 0: the program's own memory has it
  [
    3,
    (a) => ({
      kind: "pkru",
      args: [a.dice.chance(30) ? 0 : a.dice.below(256) * 4 + (a.dice.chance(50) ? 0x55555400 : 0)],
    }),
  ],
  [1, (a) => call(462, ...range(a), a.odd(0))],
  [14, (a) => call(28, ...range(a, true), a.dice.of(ADVICE))],
  [10, remap],
  [4, (a) => (a.dice.chance(70) ? call(149, ...range(a)) : call(325, ...range(a), a.odd(a.dice.below(2))))],
  [3, (a) => call(150, ...range(a))],
  [4, (a) => ({ kind: "mincore", args: [a.page(), Math.min(48, a.pages()) * PAGE] })],
  [2, (a) => call(26, ...range(a), a.odd(a.dice.below(8)))],
  [
    3,
    (a) => ({
      kind: "brk",
      args: [a.dice.of([-1, 0, 0, 1, 2, 3, 5, 8]) * PAGE + a.dice.of([0, 0, 1, 0xff])],
    }),
  ],
  [12, (a) => ({ kind: "load", args: [a.page() + a.dice.of([0, 0, 0, 8, 0xffc])] })],
  [14, (a) => ({ kind: "store", args: [a.page() + a.dice.of([0, 0, 0, 8, 0xffc]), storedValue(a.dice)] })],
  [4, (a) => ({ kind: "fetch", args: [a.page()] })],
  [4, (a) => ({ kind: "pipe", args: [a.page(), a.dice.of([1, 8, PAGE, 2 * PAGE, 3 * PAGE + 5])] })],
  [3, (a) => call(18, FD.sink, a.address(), a.dice.of([1, 100, PAGE, 2 * PAGE, 3 * PAGE + 5]), 0)],
  [4, (a) => call(17, FD.source, a.address(), a.dice.of([1, 100, PAGE, 2 * PAGE, 3 * PAGE + 5]), 0)],
  [1, (a) => call(77, a.dice.of([FD.file, FD.odd]), a.dice.below(20) * PAGE + a.dice.of([0, 0, 100]))],
  [1, (a) => call(216, ...range(a), 0, a.dice.below(8), 0)],
  [1, (a) => (a.dice.chance(70) ? call(152) : call(151, a.odd(a.dice.of([2, 2, 6, 4, 0]))))],
];

function storedValue(dice: Dice): bigint {
  const tag = BigInt(dice.below(256));
  return 0xc3c3c3c3c3c300c3n | (tag << 8n);
}
