import { describe, expect, it } from "vitest";
import { checkMachine } from "../../../kernel/mm/check-machine.js";
import { formatSmaps } from "../../../kernel/mm/proc-smaps.js";
import { MADV_FREE, MADV_PAGEOUT, MAP_ANONYMOUS, MAP_DROPPABLE } from "../../../kernel/mm/uapi.js";
import { PG, Space } from "./space.js";

/** A megabyte of RAM: 254 frames. */
const space = (): Space => new Space({ ramMiB: 1 });
const DROPPABLE = MAP_DROPPABLE | MAP_ANONYMOUS;

function consistent(s: Space, ...others: Space["mm"][]): void {
  const tasks = [s.mm, ...others].map((mm, at) => [at, { mm }] as const);
  for (const [, { mm }] of tasks) mm.users = 1;
  expect(checkMachine({ frames: s.frames, tasks: new Map(tasks) })).toEqual([]);
}

/** Maps and writes pages, each with a byte of its own that is not 0. */
function fill(s: Space, page: number, pages: number, flags?: number): void {
  s.map(page, pages, 3, flags);
  for (let at = page; at < page + pages; at++) s.store(at, 1 + (at & 0x7f));
}

/** Uses memory up, to the last frame but a few. */
function press(s: Space, page = 10_000): void {
  s.map(page, 240);
  for (let at = page; s.frames.free > 2; at++) s.store(at, 0xff);
}

/** Stores that find no free frame. */
function pressOn(s: Space, pages: number, page = 20_000): void {
  s.map(page, pages);
  for (let at = page; at < page + pages; at++) s.store(at, 0xee);
}

const loadAll = (s: Space, page: number, pages: number): number[] =>
  Array.from({ length: pages }, (_, at) => s.load(page + at));

describe("pages that MADV_FREE has offered", () => {
  it("keep their bytes while there is room, and say LazyFree in smaps", () => {
    const s = space();
    fill(s, 0, 8);
    expect(s.advise(0, 8, MADV_FREE)).toBe(0);
    s.store(3, 0x33);
    expect(s.load(5)).toBe(6);
    expect(formatSmaps(s.mm)).toMatch(/LazyFree: +28 kB/);
    expect(formatSmaps(s.mm)).toMatch(/Private_Clean: +28 kB\nPrivate_Dirty: +4 kB/);
    expect(s.env.vmEvents).toMatchObject({ pglazyfree: 8, pglazyfreed: 0 });
    consistent(s);
  });

  it("are zero after they were taken back, unless written since", () => {
    const s = space();
    fill(s, 0, 100);
    s.advise(0, 100, MADV_FREE);
    s.store(0, 0x77);
    s.store(42, 0x78);
    press(s);
    pressOn(s, 90);
    const bytes = loadAll(s, 0, 100);
    expect([bytes[0], bytes[42]]).toEqual([0x77, 0x78]);
    expect(bytes.filter((byte) => byte === 0).length).toBe(s.env.vmEvents.pglazyfreed);
    expect(s.env.vmEvents.pglazyfreed).toBeGreaterThan(85);
    for (const [at, byte] of bytes.entries())
      if (at !== 0 && at !== 42) expect([0, 1 + (at & 0x7f)]).toContain(byte);
    consistent(s);
  });

  it("stay in locked memory", () => {
    const s = space();
    fill(s, 0, 60);
    s.advise(0, 60, MADV_FREE);
    s.mm.mlock(s.at(0), 30 * PG);
    press(s);
    pressOn(s, 25);
    expect(loadAll(s, 0, 30)).toEqual(Array.from({ length: 30 }, (_, at) => 1 + at));
    expect(loadAll(s, 30, 30).some((byte) => byte === 0)).toBe(true);
    consistent(s);
  });

  it("go from a whole family, where none has written", () => {
    const s = space();
    fill(s, 0, 60);
    s.advise(0, 60, MADV_FREE);
    const child = s.fork(2);
    child.activate();
    expect(s.mmu.access(s.at(7), 1, true)).toBe(-1);
    child.handleFault(s.at(7), 7);
    s.mm.activate();
    press(s);
    pressOn(s, 50);
    expect(loadAll(s, 0, 60).filter((byte) => byte === 0).length).toBeGreaterThan(45);
    consistent(s, child);
    child.release();
    consistent(s);
  });

  it("stay where a relative has them written", () => {
    const s = space();
    fill(s, 0, 20);
    const child = s.fork(2);
    s.advise(0, 20, MADV_FREE);
    press(s);
    s.map(20_000, 30);
    expect(() => {
      for (let at = 0; at < 30; at++) s.store(20_000 + at, 1);
    }).toThrow();
    expect(loadAll(s, 0, 20)).toEqual(Array.from({ length: 20 }, (_, at) => 1 + at));
    consistent(s, child);
  });

  it("go at once with MADV_PAGEOUT, and others do not", () => {
    const s = space();
    fill(s, 0, 10);
    s.advise(0, 5, MADV_FREE);
    s.store(2, 0x22);
    expect(s.advise(0, 10, MADV_PAGEOUT)).toBe(0);
    expect(loadAll(s, 0, 10)).toEqual([0, 0, 0x22, 0, 0, 6, 7, 8, 9, 10]);
    consistent(s);
  });
});

describe("droppable pages", () => {
  it("go when frames run short, written or not", () => {
    const s = space();
    fill(s, 0, 100, DROPPABLE);
    expect(formatSmaps(s.mm)).toMatch(/LazyFree: +0 kB/);
    press(s);
    pressOn(s, 95);
    expect(s.env.vmEvents.pglazyfreed).toBeGreaterThan(90);
    expect(loadAll(s, 0, 90).filter((byte) => byte === 0).length).toBeGreaterThan(80);
    consistent(s);
  });
});
