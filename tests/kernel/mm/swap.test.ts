import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GuestMemory } from "../../../debug/guest-memory.js";
import { ENOMEM } from "../../../kernel/errno.js";
import { mincore } from "../../../kernel/mm/mincore.js";
import { pageMapEntries } from "../../../kernel/mm/page-map.js";
import { formatSmaps } from "../../../kernel/mm/proc-smaps.js";
import { readSwapHeader } from "../../../kernel/mm/swap/header.js";
import {
  MADV_COLD,
  MADV_DONTNEED,
  MADV_FREE,
  MADV_PAGEOUT,
  MADV_WILLNEED,
  MAP_ANONYMOUS,
  MAP_DROPPABLE,
  MREMAP_FIXED,
  MREMAP_MAYMOVE,
} from "../../../kernel/mm/uapi.js";
import { PG } from "./space.js";
import { SwapMachine } from "./swap-machine.js";

function machine(pages = 256, ramMiB = 4): SwapMachine {
  const made = new SwapMachine(ramMiB);
  made.swapOn(pages);
  return made;
}

describe("pages that MADV_PAGEOUT sends to a swap area", () => {
  it("give their frames back and come back with their bytes", () => {
    const m = machine();
    const s = m.first;
    s.map(0, 8);
    m.fill(0, 8);
    const before = s.frames.inUse;
    expect(s.advise(0, 8, MADV_PAGEOUT)).toBe(0);
    expect(m.where(0, 8)).toBe("SSSSSSSS");
    expect(before - s.frames.inUse).toBe(8);
    expect([s.mm.anonPages, s.mm.swapPages]).toEqual([0, 8]);
    expect(formatSmaps(s.mm)).toMatch(/Swap: +32 kB\nSwapPss: +32 kB/);
    expect(pageMapEntries(s.mm, s.at(0) / PG, 1, true)[1]! >>> 30).toBe(1);
    m.consistent();
    expect(m.loadAll(0, 8)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(m.swap.events).toEqual({ pswpin: 8, pswpout: 8 });
    expect(s.mm.stats.majorFaults).toBe(8);
    // Nobody has written them: they need not be written to go again.
    expect(m.swap.cachedPages).toBe(8);
    s.advise(0, 8, MADV_PAGEOUT);
    expect(m.swap.events).toEqual({ pswpin: 8, pswpout: 8 });
    s.store(3, 99);
    expect(m.loadAll(0, 8)).toEqual([1, 2, 3, 99, 5, 6, 7, 8]);
    m.consistent();
    s.munmap(0, 8);
    expect([m.swap.free, m.swap.cachedPages]).toEqual([255, 0]);
    m.consistent();
  });

  it("stay without a swap area, where locked, droppable or pinned, and where two have them", () => {
    const none = new SwapMachine();
    none.first.map(0, 2);
    none.fill(0, 2);
    none.first.advise(0, 2, MADV_PAGEOUT);
    expect(none.where(0, 2)).toBe("PP");

    const m = machine();
    const s = m.first;
    s.map(0, 4);
    m.fill(0, 4);
    s.mm.mlock(s.at(0), 2 * PG);
    s.advise(0, 4, MADV_PAGEOUT);
    s.advise(2, 2, MADV_PAGEOUT);
    expect(m.where(0, 4)).toBe("PPSS");
    s.map(10, 2, 3, MAP_DROPPABLE | MAP_ANONYMOUS);
    m.fill(10, 2);
    s.advise(10, 2, MADV_PAGEOUT);
    expect(m.where(10, 2)).toBe("..");
    s.map(20, 2);
    m.fill(20, 2);
    s.env.pins.pin(s.mm.translations.low(s.at(20)) >>> 12);
    m.fork();
    s.advise(20, 2, MADV_PAGEOUT);
    expect(m.where(20, 2)).toBe("PP");
    m.consistent();
  });

  it("stay where the areas are full", () => {
    const m = machine(4);
    m.first.map(0, 8);
    m.fill(0, 8);
    m.first.advise(0, 8, MADV_PAGEOUT);
    expect(m.where(0, 8)).toBe("SSSPPPPP");
    expect(m.swap.isFull).toBe(true);
    // A page that comes back leaves the swap cache at once then, so that others can go.
    expect(m.first.load(0)).toBe(1);
    expect([m.swap.cachedPages, m.swap.free]).toEqual([0, 1]);
    m.consistent();
  });

  it("go with munmap, MADV_DONTNEED and MADV_FREE, and move with mremap", () => {
    const m = machine();
    const s = m.first;
    s.map(0, 8);
    m.fill(0, 8);
    s.advise(0, 8, MADV_PAGEOUT);
    s.advise(0, 2, MADV_DONTNEED);
    s.advise(2, 2, MADV_FREE);
    expect(m.where(0, 8)).toBe("....SSSS");
    expect(m.swap.free).toBe(255 - 4);
    s.mm.mremap(s.at(4), 4 * PG, 4 * PG, MREMAP_MAYMOVE | MREMAP_FIXED, s.at(104));
    expect(m.where(104, 4)).toBe("SSSS");
    expect(m.loadAll(104, 4)).toEqual([5, 6, 7, 8]);
    m.consistent();
  });

  it("are counted for a child, and copied by whoever writes first", () => {
    const m = machine();
    const s = m.first;
    s.map(0, 4);
    m.fill(0, 4);
    s.advise(0, 4, MADV_PAGEOUT);
    const child = m.fork();
    expect(m.swap.free).toBe(255 - 4);
    expect(formatSmaps(s.mm)).toMatch(/Swap: +16 kB\nSwapPss: +8 kB/);
    m.run(child);
    m.now.store(0, 70);
    expect(m.now.load(1)).toBe(2);
    m.consistent();
    m.run(0);
    m.now.store(1, 80);
    expect(m.loadAll(0, 4)).toEqual([1, 80, 3, 4]);
    m.run(child);
    expect(m.loadAll(0, 4)).toEqual([70, 2, 3, 4]);
    m.consistent();
    m.exit(child);
    m.consistent();
    expect(m.loadAll(0, 4)).toEqual([1, 80, 3, 4]);
  });

  it("of shared memory go from everybody who maps them", () => {
    const m = machine();
    const s = m.first;
    m.mapShared(0, 4);
    m.fill(0, 4);
    s.advise(0, 4, MADV_PAGEOUT);
    expect(m.where(0, 4)).toBe("....");
    expect([s.frames.holders.size, m.swap.free]).toEqual([1, 255 - 4]);
    const child = m.fork();
    m.run(child);
    m.now.store(2, 9);
    m.run(0);
    expect(m.loadAll(0, 4)).toEqual([1, 2, 9, 4]);
    s.advise(0, 4, MADV_PAGEOUT);
    // Page 2 is mapped twice.
    expect(m.where(0, 4)).toBe("..P.");
    m.consistent();
    expect(m.swapOff(m.areas[0]!)).toBe(0);
    expect(m.loadAll(0, 4)).toEqual([1, 2, 9, 4]);
    m.consistent();
  });

  it("can be looked at by a debugger, and stay where they are", () => {
    const m = machine();
    const s = m.first;
    s.map(0, 2);
    m.fill(0, 2);
    m.mapShared(10, 1);
    m.fill(10, 1);
    s.advise(0, 11, MADV_PAGEOUT);
    const look = new GuestMemory(s.memory, () => s.mm);
    expect([...look.read(s.at(1), 1), ...look.read(s.at(10), 1)]).toEqual([2, 11]);
    expect(m.where(0, 2)).toBe("SS");
    expect(m.swap.events.pswpin).toBe(0);
  });

  it("come back to the cache with MADV_WILLNEED, which mincore shows", () => {
    const m = machine();
    const s = m.first;
    s.map(0, 4);
    s.map(50, 1);
    m.fill(0, 4);
    s.advise(0, 4, MADV_PAGEOUT);
    s.advise(1, 2, MADV_WILLNEED);
    expect(mincore(s.mm, s.at(0), 4 * PG, s.at(50), s.user)).toBe(0);
    expect([...(s.user.read(s.at(50), 4) as Uint8Array)]).toEqual([0, 1, 1, 0]);
    expect(m.where(0, 4)).toBe("SSSS");
    m.consistent();
  });
});

describe("a leaf of 2 MiB", () => {
  const PAGES = 512;
  function withLeaf(): SwapMachine {
    const m = new SwapMachine(32, "always");
    m.swapOn(2000);
    m.first.map(0, PAGES);
    m.fill(0, PAGES);
    expect(m.first.mm.tables.large.anonCount).toBe(1);
    return m;
  }

  it("goes in part or as a whole", () => {
    const m = withLeaf();
    m.first.advise(10, 5, MADV_PAGEOUT);
    expect(m.where(8, 10)).toBe("PPSSSSSPPP");
    m.consistent();
    const whole = withLeaf();
    whole.first.advise(0, PAGES, MADV_PAGEOUT);
    expect(whole.first.mm.swapPages).toBe(PAGES);
    for (const each of [m, whole]) {
      expect(each.loadAll(0, PAGES)).toEqual(Array.from({ length: PAGES }, (_, at) => 1 + (at % 250)));
      each.consistent();
    }
  });

  it("that two have stays with MADV_PAGEOUT; frames that run short take it from both", () => {
    const m = withLeaf();
    const child = m.fork();
    m.first.advise(0, PAGES, MADV_PAGEOUT);
    expect(m.where(0, PAGES)).toBe("P".repeat(PAGES));
    expect(m.swap.reclaim(20)).toBe(20);
    expect(m.first.mm.swapPages).toBe(20);
    m.consistent();
    m.run(child);
    expect(m.now.mm.swapPages).toBe(20);
    m.now.store(3, 77);
    m.run(0);
    expect(m.loadAll(0, PAGES)).toEqual(Array.from({ length: PAGES }, (_, at) => 1 + (at % 250)));
    m.consistent();
  });
});

describe("when frames run short", () => {
  it("pages go to swap, those not accessed lately first, and nobody is refused", () => {
    const m = machine(1024, 1);
    const s = m.first;
    s.map(0, 600);
    m.fill(0, 100);
    s.advise(0, 50, MADV_COLD);
    for (let page = 100; page < 600; page++) {
      s.store(page, 1 + (page % 250));
      s.load(60);
    }
    expect(m.where(60, 1)).toBe("P");
    expect(s.mm.swapPages).toBeGreaterThan(300);
    m.consistent();
    expect(m.loadAll(0, 600)).toEqual(Array.from({ length: 600 }, (_, at) => 1 + (at % 250)));
    m.consistent();
  });

  it("shared memory and families go too; what is locked stays", () => {
    const m = machine(1024, 1);
    const s = m.first;
    s.map(0, 40);
    m.fill(0, 40);
    s.map(50, 20);
    m.fill(50, 20);
    s.mm.mlock(s.at(50), 20 * PG);
    m.mapShared(100, 40);
    m.fill(100, 40);
    m.fork();
    s.map(1000, 400);
    m.fill(1000, 400);
    expect(m.where(50, 20)).toBe("P".repeat(20));
    expect(m.where(0, 40)).toContain("S");
    m.consistent();
    expect(m.loadAll(100, 40)).toEqual(Array.from({ length: 40 }, (_, at) => 101 + at));
    expect(m.loadAll(0, 40)).toEqual(Array.from({ length: 40 }, (_, at) => 1 + at));
    m.run(1);
    expect(m.loadAll(0, 40)).toEqual(Array.from({ length: 40 }, (_, at) => 1 + at));
    m.consistent();
  });

  it("memory is used up only when swap is", () => {
    const m = machine(101, 1);
    const s = m.first;
    for (let page = 0; page < 1000; page += 200) s.map(page, 200);
    let page = 0;
    for (; page < 1000; page++) if (s.access(s.at(page), 1) !== null) break;
    expect(page).toBeGreaterThan(320);
    expect(page).toBeLessThan(360);
    m.consistent();
    // Neither is there room to give the area up.
    expect(m.swapOff(m.areas[0]!)).toBe(-ENOMEM);
    m.consistent();
    s.munmap(0, 200);
    expect(m.swapOff(m.areas[0]!)).toBe(0);
    expect(s.mm.swapPages).toBe(0);
    m.consistent();
  });
});

describe("areas", () => {
  it("fill by priority, share where it is equal, and give way in order", () => {
    const m = new SwapMachine();
    const low = m.swapOn(10);
    const high = m.swapOn(10, 5);
    const also = m.swapOn(10, 5);
    m.first.map(0, 30);
    m.fill(0, 30);
    m.first.advise(0, 10, MADV_PAGEOUT);
    expect([low.used, high.used, also.used]).toEqual([0, 5, 5]);
    m.first.advise(0, 30, MADV_PAGEOUT);
    expect([low.used, high.used, also.used]).toEqual([9, 9, 9]);
    const lower = m.swapOn(50);
    expect([low.priority, lower.priority]).toEqual([-2, -3]);
    expect(m.swapOff(low)).toBe(0);
    expect(lower.priority).toBe(-2);
    expect(m.where(0, 30).replaceAll("S", "").length).toBe(12);
    m.consistent();
  });

  it("are described by a header", () => {
    const page = new Uint8Array(PG);
    const view = new DataView(page.buffer);
    page.set(new TextEncoder().encode("SWAPSPACE2"), PG - 10);
    view.setUint32(1024, 1, true);
    view.setUint32(1028, 9, true);
    expect(readSwapHeader(page, 10 * PG, true)).toEqual({ pages: 10, bad: [] });
    expect(readSwapHeader(page, 9 * PG, true)).toMatch(/shorter/);
    view.setUint32(1032, 2, true);
    view.setUint32(1536, 3, true);
    view.setUint32(1540, 9, true);
    expect(readSwapHeader(page, 10 * PG, true)).toMatch(/bad pages/);
    expect(readSwapHeader(page, 10 * PG, false)).toEqual({ pages: 10, bad: [3, 9] });
    view.setUint32(1540, 10, true);
    expect(readSwapHeader(page, 10 * PG, false)).toMatch(/does not have/);
    view.setUint32(1032, 638, true);
    expect(readSwapHeader(page, 10 * PG, false)).toMatch(/more bad pages/);
  });
});

describe("a machine that swaps", () => {
  const PAGES = 16;
  const operation = fc.record({
    what: fc.constantFrom(
      ...(["store", "store", "load", "fork", "run", "exit", "protect", "unmap", "map", "move"] as const),
      ...(["discard", "lock", "unlock", "out", "out", "out", "cold", "need", "reclaim", "areas"] as const),
    ),
    page: fc.integer({ min: 0, max: PAGES - 1 }),
    pages: fc.integer({ min: 1, max: 6 }),
    value: fc.integer({ min: 0, max: 255 }),
  });

  /** Does what a program does. @returns what it sees */
  function act(
    m: SwapMachine,
    { what, page, pages, value }: { what: string; page: number; pages: number; value: number },
  ): unknown {
    const { now } = m;
    const writable = (at: number): boolean => ((now.mm.findArea(now.at(at))?.prot ?? 0) & 2) !== 0;
    switch (what) {
      case "store":
        if (writable(page)) now.store(page, value);
        return null;
      case "load":
        return now.mm.findArea(now.at(page)) === null ? null : now.load(page);
      case "fork":
        return m.spaces.length < 4 ? m.fork() : null;
      case "run":
        return m.run(value % m.spaces.length);
      case "exit":
        return m.spaces.length > 1 ? m.exit(1 + (value % (m.spaces.length - 1))) : null;
      case "protect":
        return now.protect(page, pages, value % 2 === 0 ? 1 : 3);
      case "unmap":
        return now.munmap(page, pages);
      case "map":
        return value % 3 === 0 ? m.mapShared(page, pages) : now.map(page, pages);
      case "move":
        return now.mm.mremap(now.at(page), PG, PG, MREMAP_MAYMOVE | MREMAP_FIXED, now.at((page + 7) % PAGES));
      case "discard":
        return now.advise(page, pages, MADV_DONTNEED);
      case "lock":
        return now.mm.mlock(now.at(page), pages * PG);
      case "unlock":
        return now.mm.munlock(now.at(page), pages * PG);
      default:
        return null;
    }
  }

  /** Moves pages about, which no program sees. */
  function shift(
    m: SwapMachine,
    { what, page, pages, value }: { what: string; page: number; pages: number; value: number },
  ): void {
    if (what === "out") m.now.advise(page, pages, MADV_PAGEOUT);
    else if (what === "cold") m.now.advise(page, pages, MADV_COLD);
    else if (what === "need") m.now.advise(page, pages, MADV_WILLNEED);
    else if (what === "reclaim") m.swap.reclaim(1 + (value % 8));
    else if (what === "areas") {
      if (value % 2 === 0 && m.areas.length < 3) m.swapOn(8 + (value % 16), value % 4 === 0 ? value : null);
      else if (m.areas.length > 0) expect(m.swapOff(m.areas[value % m.areas.length]!)).toBe(0);
    }
  }

  it("shows programs what one without swap shows them", () => {
    fc.assert(
      fc.property(fc.array(operation, { minLength: 10, maxLength: 80 }), (operations) => {
        const swapping = machine(20, 2);
        const plain = new SwapMachine(2);
        for (const m of [swapping, plain]) m.first.map(0, PAGES);
        for (const each of operations) {
          expect([each, act(swapping, each)]).toEqual([each, act(plain, each)]);
          shift(swapping, each);
          swapping.consistent();
        }
        for (let which = 0; which < plain.spaces.length; which++) {
          for (const m of [swapping, plain]) m.run(which);
          expect(swapping.now.draw()).toBe(plain.now.draw());
          for (let page = 0; page < PAGES; page++) {
            if (plain.now.mm.findArea(plain.now.at(page)) === null) continue;
            expect(swapping.now.load(page)).toBe(plain.now.load(page));
          }
        }
        swapping.consistent();
      }),
      { numRuns: 60, seed: 6 },
    );
  });
});
