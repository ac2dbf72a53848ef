import { describe, expect, it } from "vitest";
import { ENOMEM } from "../../../kernel/errno.js";
import { checkMachine } from "../../../kernel/mm/check-machine.js";
import { FilePages } from "../../../kernel/mm/file-pages.js";
import type { MappableFile } from "../../../kernel/mm/mappable-file.js";
import { MAP_PRIVATE, MAP_SHARED } from "../../../kernel/mm/uapi.js";
import { READ, WRITE } from "../../../mmu/mmu.js";
import { PG, Space } from "./space.js";

/** A megabyte of RAM: 254 frames. */
const space = (): Space => new Space({ ramMiB: 1 });

/** A file that the host has: byte 0 of each page is its number. */
function hostFile(s: Space, pages: number, filled: number[] = []): MappableFile & { pages: FilePages } {
  const fillPage = (index: number, page: Uint8Array): void => {
    filled.push(index);
    page[0] = index & 0xff;
  };
  const content = new FilePages(s.frames, pages * PG, { fillPage });
  return { ...s.file(1), pages: content };
}

function consistent(s: Space): void {
  s.mm.users = 1;
  expect(checkMachine({ frames: s.frames, tasks: new Map([[1, { mm: s.mm }]]) })).toEqual([]);
}

describe("page cache when RAM is used up", () => {
  it("a file larger than RAM is read through mappings, shared or private, again and again", () => {
    for (const flags of [MAP_SHARED, MAP_PRIVATE]) {
      const s = space();
      const filled: number[] = [];
      const file = hostFile(s, 600, filled);
      s.mapFile(0, 600, 1, flags, file);
      for (let round = 0; round < 3; round++)
        for (let page = 0; page < 600; page += 1 + round) expect(s.load(page)).toBe(page & 0xff);
      expect(filled.length).toBeGreaterThan(600);
      consistent(s);
    }
  });

  it("a program's own pages push clean file pages out, and get none that is dirty", () => {
    const s = space();
    const file = hostFile(s, 100);
    s.mapFile(0, 100, 3, MAP_SHARED, file);
    for (let page = 0; page < 100; page++) s.load(page);
    s.store(7, 0x77);
    s.map(1000, 230);
    for (let page = 0; page < 230; page++) s.store(1000 + page, page & 0xff);
    expect(file.pages.resident).toBeLessThan(30);
    expect(file.pages.frameAt(7, false)).not.toBe(-1);
    expect(s.load(7)).toBe(0x77);
    for (let page = 0; page < 230; page++) expect(s.load(1000 + page)).toBe(page & 0xff);
    consistent(s);
  });

  it("locked pages of a file stay", () => {
    const s = space();
    const filled: number[] = [];
    const file = hostFile(s, 100, filled);
    s.mapFile(0, 100, 1, MAP_SHARED, file);
    expect(s.mm.mlock(s.at(10), 20 * PG)).toBe(0);
    s.map(1000, 200);
    for (let page = 0; page < 200; page++) s.store(1000 + page, 1);
    for (let page = 10; page < 30; page++) expect(file.pages.frameAt(page, false)).not.toBe(-1);
    expect(filled.filter((index) => index === 10)).toHaveLength(1);
    consistent(s);
  });

  it("a private copy is made of the page though it is the first that would go for the copy", () => {
    const s = space();
    const file = hostFile(s, 4);
    s.mapFile(0, 4, 3, MAP_PRIVATE, file);
    s.load(2);
    s.load(3);
    // Everything else is taken.
    const taken: number[] = [];
    while (s.frames.free > 0) taken.push(s.frames.allocate());
    s.store(2, 0x55);
    expect(s.load(2)).toBe(0x55);
    for (const frame of taken) s.frames.release(frame);
    expect(s.mm.madvise(s.at(2), PG, 4)).toBe(0);
    expect(s.load(2)).toBe(2);
    consistent(s);
  });

  it("fork finds frames for its tables, and children read the file again", () => {
    const s = space();
    const file = hostFile(s, 64);
    s.mapFile(0, 64, 3, MAP_PRIVATE, file);
    s.store(0, 0x11);
    for (let page = 1; page < 64; page++) s.load(page);
    const taken: number[] = [];
    while (s.frames.free > 0) taken.push(s.frames.allocate());
    const child = s.fork(2);
    expect(s.mm.checkInvariants()).toEqual([]);
    expect(child.checkInvariants()).toEqual([]);
    child.activate();
    const c = Object.assign(Object.create(Space.prototype), s, { mm: child }) as Space;
    for (let page = 1; page < 64; page++) expect(c.load(page)).toBe(page);
    expect(c.load(0)).toBe(0x11);
    child.release();
    s.mm.activate();
    for (const frame of taken) s.frames.release(frame);
    consistent(s);
  });

  it("memory that nothing else holds runs out: no access succeeds, calls are ENOMEM, nothing throws", () => {
    const s = space();
    s.map(0, 254);
    let page = 0;
    while (s.access(s.at(page), WRITE) === null) page++;
    expect(s.access(s.at(page), WRITE)?.outcome).toMatchObject({ kind: "signal", signal: 9 });
    expect(s.frames.free).toBe(0);
    expect(s.mm.mlock(s.at(0), 254 * PG)).toBe(-11);
    expect(s.mm.madvise(s.at(0), 254 * PG, 23)).toBe(-ENOMEM);
    expect(s.mm.fork(s.env, 2)).toBe(-ENOMEM);
    // Moving to a place that needs page tables.
    const far = s.at(0) + 2 ** 40;
    expect(s.mm.mremap(s.at(0), PG, PG, 3, far)).toBe(-ENOMEM);
    expect(s.access(s.at(0), READ)).toBe(null);
    // A mapping is made without a frame; only touching it fails.
    expect(s.mm.mmap(far, PG, 3, 0x32, null, 0)).toBe(far);
    expect(s.access(far, WRITE)?.outcome).toMatchObject({ kind: "signal", signal: 9 });
    consistent(s);
  });
});
