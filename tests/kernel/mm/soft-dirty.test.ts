import { describe, expect, it } from "vitest";
import { MADV_DONTNEED, MREMAP_FIXED, MREMAP_MAYMOVE } from "../../../kernel/mm/uapi.js";
import { pageMapEntries } from "../../../kernel/mm/page-map.js";
import { RULES_6_18, RULES_7_2 } from "../../../kernel/mm/release.js";
import { clearSoftDirty } from "../../../kernel/mm/soft-dirty.js";
import { PG, Space } from "./space.js";

/** Documentation/admin-guide/mm/soft-dirty.rst; the 6.12 answers of tests/programs/page-maps.c. */
const SOFT_DIRTY = 1 << 23;

function dirty(space: Space, page: number, mm = space.mm): boolean {
  return (pageMapEntries(mm, space.at(page) / PG, 1, false)[1] & SOFT_DIRTY) !== 0;
}

function write(space: Space, page: number): void {
  expect(space.user.copyOut(space.at(page), Uint8Array.of(1))).toBe(1);
}

describe("soft-dirty bits", () => {
  it("new memory is dirty, touched or not, until the bits are cleared; then what is written", () => {
    const space = new Space();
    space.map(0, 3);
    write(space, 0);
    expect([0, 1, 2].map((page) => dirty(space, page))).toEqual([true, true, true]);
    clearSoftDirty(space.mm);
    expect([0, 1, 2].map((page) => dirty(space, page))).toEqual([false, false, false]);
    write(space, 0);
    write(space, 1);
    expect([0, 1, 2].map((page) => dirty(space, page))).toEqual([true, true, false]);
    expect(space.mm.checkInvariants()).toEqual([]);
  });

  it("a permission taken and given back leaves the bit clear, and the next write sets it", () => {
    const space = new Space();
    space.map(0, 1);
    write(space, 0);
    clearSoftDirty(space.mm);
    space.mm.mprotect(space.at(0), PG, 1);
    space.mm.mprotect(space.at(0), PG, 3);
    expect(dirty(space, 0)).toBe(false);
    write(space, 0);
    expect(dirty(space, 0)).toBe(true);
  });

  it("what is moved is dirty, what is discarded is not", () => {
    const space = new Space();
    space.map(0, 2);
    write(space, 0);
    write(space, 1);
    clearSoftDirty(space.mm);
    space.mm.mremap(space.at(0), PG, PG, MREMAP_MAYMOVE | MREMAP_FIXED, space.at(8));
    space.mm.madvise(space.at(1), PG, MADV_DONTNEED);
    expect(dirty(space, 8)).toBe(true);
    expect(dirty(space, 1)).toBe(false);
  });

  it("a child keeps its own: clearing the parent's bits leaves them", () => {
    const space = new Space();
    space.map(0, 1);
    write(space, 0);
    const child = space.fork(2);
    clearSoftDirty(space.mm);
    expect(dirty(space, 0)).toBe(false);
    expect(dirty(space, 0, child)).toBe(true);
    write(space, 0);
    expect(dirty(space, 0)).toBe(true);
  });

  it("new memory makes what it becomes part of dirty; what is changed has the say where areas merge, before 6.19", () => {
    for (const [release, kept] of [
      [RULES_6_18, false],
      [RULES_7_2, true],
    ] as const) {
      const space = new Space({ release });
      space.map(0, 1);
      clearSoftDirty(space.mm);
      space.map(1, 1);
      expect(dirty(space, 0), "extended").toBe(true);
      clearSoftDirty(space.mm);
      // Executable, it stays apart until the one before it is, too (the kernel's selftest soft-dirty, test_merge).
      space.map(2, 1, 7);
      space.mm.mprotect(space.at(0), 2 * PG, 7);
      expect(
        [0, 1, 2].map((page) => dirty(space, page)),
        release.name,
      ).toEqual([kept, kept, kept]);
    }
  });
});
