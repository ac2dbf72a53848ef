import type { Dice } from "./dice.js";
import { FD } from "./interpreter.js";
import type { Operation } from "./operation.js";
import { PAGE, type Places, UNIT, WIDE_ARENA, WIDE_UNITS } from "./places.js";

/** Operations of which most worlds of the wide arena have some, and how lists are made of them. */

export const PRIVATE = 2;
export const SHARED = 1;
export const FIXED = 0x10;
export const ANON = 0x20;
export const MAP = 9;
export const PROTECT = 10;
export const UNMAP = 11;
export const REMAP = 25;
export const ADVISE = 28;

/** A weight, and what makes an operation. */
export type Choice = readonly [weight: number, make: (places: Places) => Operation | Operation[]];

export function call(number: number, ...args: (number | bigint)[]): Operation {
  return { kind: "call", args: [number, ...args] };
}

export const FIGURES: Operation = { kind: "figures", args: [] };

/** What every process shows before it ends. */
export function wideEnd(): Operation[] {
  return [FIGURES, { kind: "pagemap", args: [WIDE_ARENA, WIDE_UNITS * UNIT] }];
}

/** A list of operations, some of which a seed stresses. @param first what comes before */
export function listOfChoices(
  places: Places,
  choices: readonly Choice[],
  first: readonly Operation[],
): Operation[] {
  const { dice } = places;
  const operations: Operation[] = [...first];
  const length = 20 + dice.below(dice.chance(30) ? 100 : 40);
  const weights = choices.map(([weight]) => (dice.chance(25) ? weight * 4 : weight));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  while (operations.length < length) {
    let left = dice.below(total);
    const choice = choices.findIndex((_, i) => (left -= weights[i]!) < 0);
    const made = choices[choice]![1](places);
    operations.push(...(Array.isArray(made) ? made : [made]));
  }
  return operations;
}

const PROT = [0, 1, 1, 3, 3, 3, 3, 3, 7, 5];

export function protection(dice: Dice): number {
  return dice.of(PROT);
}

export function key(dice: Dice): number {
  return dice.chance(80) ? dice.below(4) : dice.of([-1, 15, 16]);
}

export function value(dice: Dice): bigint {
  return 0xc3c3c3c3c3c300c3n | (BigInt(dice.below(256)) << 8n);
}

/** Loads, stores, fetches, copies by the kernel and for debuggers. */
const ACCESSES: readonly Choice[] = [
  [12, (p) => ({ kind: "load", args: [p.byte()] })],
  [16, (p) => ({ kind: "store", args: [p.byte(), value(p.dice)] })],
  [1, (p) => ({ kind: "fetch", args: [p.page()] })],
  [2, (p) => ({ kind: "pipe", args: [p.page(), p.dice.of([1, 8, PAGE, 3 * PAGE + 5])] })],
  [2, (p) => call(18, FD.sink, p.page(), p.dice.of([1, PAGE, 3 * PAGE + 5]), 0)],
  [2, (p) => call(17, FD.source, p.page(), p.dice.of([1, PAGE, 3 * PAGE + 5]), 0)],
  [2, (p) => ({ kind: "mem", args: [p.dice.below(2), p.byte(), value(p.dice)] })],
  [2, (p) => ({ kind: "vm", args: [0, p.dice.below(2), p.page(), p.dice.of([1, PAGE, 3 * PAGE + 5])] })],
];

/** What is seen of pages. */
const LOOKS: readonly Choice[] = [
  [3, () => FIGURES],
  [4, (p) => ({ kind: "pagemap", args: [p.unit(), UNIT] })],
  [1, (p) => ({ kind: "mincore", args: [p.page(), (1 + p.dice.below(40)) * PAGE] })],
];

/** Protections, keys, seals and locks. */
const PERMISSIONS: readonly Choice[] = [
  [7, (p) => call(PROTECT, ...p.range(), protection(p.dice))],
  [3, (p) => call(329, ...p.range(), protection(p.dice), key(p.dice))],
  [2, (p) => call(330, 0, p.dice.below(4))],
  [2, (p) => ({ kind: "pkru", args: [p.dice.chance(40) ? 0 : p.dice.below(256) * 4] })],
  [0.4, (p) => call(462, ...p.range(), 0)],
  [2, (p) => call(149, ...p.range())],
  [1, (p) => call(325, ...p.range(), p.dice.below(2))],
  [2, (p) => call(150, ...p.range())],
  [0.3, (p) => (p.dice.chance(60) ? call(152) : call(151, p.dice.of([1, 2, 2, 3, 6, 4])))],
];

/** What every wide world has besides its own. */
export const COMMON: readonly Choice[] = [...ACCESSES, ...LOOKS, ...PERMISSIONS];

export const madvise = (p: Places, advice: readonly number[]): Operation => {
  const [address, length] = p.range();
  if (!p.dice.chance(10)) return call(ADVISE, address, length, p.dice.of(advice));
  const second = p.range();
  return { kind: "advise", args: [0, p.dice.of(advice), address, length, ...second, p.dice.of([1, 2, 2])] };
};

/** An mremap in one of its forms. */
export function remap(p: Places, [old, oldLength]: [number, number], target: [number, number]): Operation {
  const flags = p.dice.of([0, 1, 1, 3, 3, 3, 3, 5, 7]);
  const length = p.dice.chance(60) ? oldLength : target[1];
  return call(REMAP, old, p.dice.chance(2) ? 0 : oldLength, length, flags, target[0]);
}
