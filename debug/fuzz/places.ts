import type { Dice } from "./dice.js";

export const PAGE = 4096;
export const UNIT = 2 ** 21;
/** Where the worlds of large areas have theirs: twelve units of 2 MiB. */
export const WIDE_ARENA = 0x40000000;
export const WIDE_UNITS = 12;
export const WIDE_ARENA_END = WIDE_ARENA + WIDE_UNITS * UNIT;

/** Pages within a unit where something is likely to be decided. */
const OFFSETS = [1, 2, 8, 255, 256, 510, 511];

/** How a world chooses its addresses. */
export interface Grain {
  /** Percent of addresses at the start of a unit of 2 MiB. */
  readonly aligned: number;
  /** Units that are used, from the first on. */
  readonly units: number;
  /** Percent of addresses and lengths that make no sense. */
  readonly strange: number;
}

/** Addresses and lengths of the wide arena. Bytes. */
export class Places {
  constructor(
    readonly dice: Dice,
    private readonly grain: Grain,
  ) {}

  unit(): number {
    return WIDE_ARENA + this.dice.below(this.grain.units) * UNIT;
  }

  page(): number {
    const { dice } = this;
    if (dice.chance(this.grain.aligned)) return this.unit();
    return this.unit() + (dice.chance(80) ? dice.of(OFFSETS) : dice.below(512)) * PAGE;
  }

  /** An address of a byte, near the start of a page. */
  byte(): number {
    return this.page() + this.dice.of([0, 0, 0, 8, 0xff8]);
  }

  address(): number {
    return this.dice.chance(this.grain.strange) ? this.page() + this.dice.of([1, 0x800]) : this.page();
  }

  length(): number {
    const { dice } = this;
    if (dice.chance(this.grain.strange)) return dice.of([0, 1, 4095, UNIT - 1, UNIT + 1]);
    if (dice.chance(this.grain.aligned)) return dice.of([1, 1, 1, 2, 3]) * UNIT;
    return dice.of([1, 1, 2, 5, 8, 255, 256, 257, 510, 511, 513, 600, 1024]) * PAGE;
  }

  /** Of the arena. */
  range(): [address: number, length: number] {
    const address = this.address();
    return [address, Math.min(this.length(), WIDE_ARENA_END - address)];
  }

  /** At the starts and ends of units. */
  units(): [address: number, length: number] {
    const address = this.unit();
    return [address, Math.min(this.dice.of([1, 1, 2, 2, 3, 4]) * UNIT, WIDE_ARENA_END - address)];
  }
}
