import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AddressSpace } from "../../../kernel/mm/address-space.js";
import { checkMachine } from "../../../kernel/mm/check-machine.js";
import { DEFAULT_SETTINGS } from "../../../kernel/mm/environment.js";
import { READ, WRITE } from "../../../mmu/mmu.js";
import { PG, Space } from "./space.js";
import { THOROUGH } from "../../thorough.js";

const HUGE = 512;
/** Units of 2 MiB that are mapped, and where their pages are moved to. */
const UNITS = 4;
const MOVED = 8 * HUGE;

const MADV_DONTNEED = 4;
const MADV_FREE = 8;
const MADV_HUGEPAGE = 14;
const MADV_NOHUGEPAGE = 15;

interface Page {
  readonly prot: number;
  readonly value: number;
}

const huge = (): Space =>
  new Space({ ramMiB: 96, settings: { ...DEFAULT_SETTINGS, hugePages: "always" }, onRefusal: null });

/** What an operation meets: whole units, or pages about their borders. */
const page = fc.oneof(
  fc.integer({ min: 0, max: UNITS - 1 }).map((unit) => unit * HUGE),
  fc.integer({ min: 0, max: UNITS * HUGE - 1 }),
  fc
    .tuple(fc.integer({ min: 1, max: UNITS - 1 }), fc.integer({ min: -2, max: 2 }))
    .map(([unit, by]) => unit * HUGE + by),
);
const pages = fc.constantFrom(1, 3, 200, HUGE, HUGE, 2 * HUGE, 2 * HUGE, HUGE + 7);
const operation = fc.record({
  what: fc.constantFrom(
    ...["map", "map", "unmap", "protect", "key", "discard", "free", "store", "store", "store", "load"],
    ...["move", "fork", "switch", "nohuge", "huge", "clean"],
  ),
  page,
  pages,
  prot: fc.constantFrom(0, 1, 3, 3),
  value: fc.integer({ min: 1, max: 255 }),
});

class Run {
  private readonly machine = huge();
  private current = this.machine;
  private model = new Map<number, Page>();
  private readonly others: { space: Space; model: Map<number, Page> }[] = [];

  private range(first: number, count: number): number[] {
    return Array.from({ length: Math.min(count, UNITS * HUGE - first) }, (_, i) => first + i);
  }

  step({ what, page, pages, prot, value }: typeof operation extends fc.Arbitrary<infer T> ? T : never): void {
    const { current: space, model } = this;
    const range = this.range(page, pages);
    const count = range.length;
    const advise = (advice: number): unknown => space.advise(page, count, advice);
    switch (what) {
      case "map":
        space.map(page, count, 3);
        for (const p of range) model.set(p, { prot: 3, value: 0 });
        break;
      case "unmap":
        space.munmap(page, count);
        for (const p of range) model.delete(p);
        break;
      case "protect":
      case "key": {
        space.protect(page, count, prot, what === "key" ? 0 : -1);
        for (const p of range) {
          const old = model.get(p);
          if (old === undefined) break;
          model.set(p, { ...old, prot });
        }
        break;
      }
      case "discard":
        advise(MADV_DONTNEED);
        for (const p of range) {
          const old = model.get(p);
          if (old !== undefined) model.set(p, { ...old, value: 0 });
        }
        break;
      case "free":
        advise(MADV_FREE);
        break;
      case "nohuge":
      case "huge":
        advise(what === "huge" ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
        break;
      case "clean":
        for (const area of space.mm.tree) space.mm.translations.clearSoftDirty(area.start, area.end);
        space.mmu.dropAddressSpace(space.mm.asid);
        break;
      case "store": {
        const old = model.get(page);
        const failed = space.access(space.at(page), WRITE);
        expect(failed === null).toBe(old !== undefined && (old.prot & 2) !== 0);
        if (old === undefined || failed !== null) break;
        space.store(page, value);
        model.set(page, { ...old, value });
        break;
      }
      case "load":
        this.compare(page);
        break;
      case "move": {
        // Within one area only: across several 6.18 moves none.
        const area = space.mm.findArea(space.at(page));
        if (area === null) break;
        const length = Math.min(count, (area.end - space.at(page)) / PG);
        const result = space.mm.mremap(space.at(page), length * PG, length * PG, 3, space.at(page + MOVED));
        expect(result).toBe(space.at(page + MOVED));
        for (const p of this.range(page, length)) {
          model.set(p + MOVED, model.get(p)!);
          model.delete(p);
        }
        break;
      }
      case "fork": {
        if (this.others.length > 1) break;
        const child = space.fork(2 + this.others.length, space.mm);
        this.others.push({ space: this.as(child), model: new Map(model) });
        break;
      }
      case "switch": {
        const other = this.others.shift();
        if (other === undefined) break;
        this.others.push({ space, model });
        this.current = other.space;
        this.model = other.model;
        this.current.mm.activate();
        break;
      }
    }
  }

  private as(mm: AddressSpace): Space {
    mm.users = 1;
    return Object.assign(Object.create(Space.prototype), this.machine, { mm }) as Space;
  }

  private compare(page: number): void {
    const { current: space, model } = this;
    const old = model.get(page);
    const failed = space.access(space.at(page), READ);
    expect(failed === null).toBe(old !== undefined && (old.prot & 1) !== 0);
    if (old !== undefined && failed === null) expect([page, space.load(page)]).toEqual([page, old.value]);
  }

  check(): void {
    const spaces = [this.current, ...this.others.map(({ space }) => space)].map(({ mm }) => mm);
    const tasks = new Map(spaces.map((mm, i) => [i, { mm }]));
    for (const mm of spaces) mm.users = 1;
    expect(checkMachine({ frames: this.machine.frames, tasks })).toEqual([]);
  }

  get hugeLeaves(): number {
    return this.current.mm.tables.large.anonCount;
  }

  compareAll(): void {
    for (let turn = 0; turn <= this.others.length; turn++) {
      for (const [page] of this.model) if (page % 31 < 3 || page % HUGE < 3) this.compare(page);
      this.step({ what: "switch", page: 0, pages: 0, prot: 0, value: 0 });
    }
  }
}

describe("huge pages", () => {
  it("any sequence of operations on whole and parted 2 MiB keeps tables, references and content right", () => {
    let leaves = 0;
    fc.assert(
      fc.property(fc.array(operation, { minLength: 5, maxLength: 30 }), (operations) => {
        const run = new Run();
        run.step({ what: "map", page: 0, pages: UNITS * HUGE, prot: 3, value: 0 });
        for (const each of operations) {
          run.step(each);
          run.check();
        }
        leaves += run.hugeLeaves;
        run.compareAll();
        run.check();
      }),
      { numRuns: THOROUGH ? 60 : 20 },
    );
    expect(leaves).toBeGreaterThan(0);
  });
});
