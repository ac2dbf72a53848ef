import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { EACCES, EEXIST, EFAULT, EINVAL, ENOMEM, EPERM } from "../../../kernel/errno.js";
import { MAP_FIXED, MAP_FIXED_NOREPLACE } from "../../../kernel/mm/uapi.js";
import { ANON, BASE, PG, Space } from "./space.js";

/* Rules of mseal and of every operation on sealed areas, named as in the spec; 6.12 and later. */

let s: Space;
beforeEach(() => {
  s = new Space();
});
afterEach(() => {
  expect(s.mm.checkInvariants()).toEqual([]);
});

const U64 = 2n ** 64n;

describe("mseal's arguments", () => {
  it("M-2 flags before anything else", () => {
    expect(s.mm.mseal(1, 0, 1)).toBe(-EINVAL);
    expect(s.mm.mseal(BASE, PG, 2n ** 63n)).toBe(-EINVAL);
  });
  it("M-3 unaligned, also with length 0", () => expect(s.mm.mseal(BASE + 1, 0, 0)).toBe(-EINVAL));
  it("M-4 a length that rounds to 0", () => {
    expect(s.mm.mseal(BASE, U64 - 1n, 0)).toBe(-EINVAL);
    expect(s.mm.mseal(BASE, U64 - 4095n, 0)).toBe(-EINVAL);
  });
  it("M-5 a range that wraps, and one that ends at 2^64", () => {
    expect(s.mm.mseal(U64 - 4096n, 8192, 0)).toBe(-EINVAL);
    expect(s.mm.mseal(U64 - 4096n, 4096, 0)).toBe(-EINVAL);
    expect(s.mm.mseal(BASE, U64 - 4096n, 0)).toBe(-EINVAL);
  });
  it("M-6 length 0 is success anywhere", () => {
    for (const address of [0, BASE, 0xffff_8000_0000_0000n, 0x1234_5678_9abc_d000n, U64 - 4096n])
      expect(s.mm.mseal(address, 0, 0)).toBe(0);
  });
  it("M-8 holes at the start, in the middle, at the end: ENOMEM, nothing sealed", () => {
    s.map(1, 2);
    s.map(4, 2);
    for (const [page, pages] of [
      [0, 2],
      [1, 5],
      [4, 3],
    ])
      expect(s.seal(page, pages)).toBe(-ENOMEM);
    expect(s.draw()).toBe("[+1+2 rw][+4+2 rw]");
    for (const address of [0xffff_8000_0000_0000n, 0x1234_5678_9abc_d000n, 0x7fff_ffff_f000])
      expect(s.mm.mseal(address, PG, 0)).toBe(-ENOMEM);
  });
});

describe("applying seals", () => {
  it("M-13, M-14 splits at both ends and is idempotent", () => {
    s.map(0, 6);
    expect(s.seal(2, 2)).toBe(0);
    expect(s.draw()).toBe("[+0+2 rw][+2+2 rw sl][+4+2 rw]");
    expect(s.seal(2, 2)).toBe(0);
    expect(s.seal(1, 4)).toBe(0);
    expect(s.draw()).toBe("[+0+1 rw][+1+4 rw sl][+5+1 rw]");
  });
  it("M-15 one byte seals a page", () => {
    s.map(0, 2);
    expect(s.mm.mseal(BASE, 1, 0)).toBe(0);
    expect(s.draw()).toBe("[+0+1 rw sl][+1+1 rw]");
  });
  it("M-16 sealed neighbours merge when a call touches them", () => {
    s.map(0, 4);
    s.seal(2, 2);
    s.seal(0, 2);
    expect(s.draw()).toBe("[+0+4 rw sl]");
  });
  it("M-17 a new mapping beside a sealed one is separate and not sealed", () => {
    s.map(0, 2);
    s.seal(0, 2);
    s.map(2, 2);
    expect(s.draw()).toBe("[+0+2 rw sl][+2+2 rw]");
  });
  it("M-18, M-19 at the map limit the areas before stay sealed", () => {
    s.map(0, 2);
    s.map(2, 4, 1);
    s.env.settings.maxMapCount = s.mm.tree.count;
    expect(s.seal(0, 4)).toBe(-ENOMEM);
    expect(s.draw()).toBe("[+0+2 rw sl][+2+4 r]");
    expect(s.refusals.at(-1)?.applied).toContain("sealed");
  });
});

describe("munmap of sealed areas", () => {
  beforeEach(() => {
    s.map(0, 6);
    s.store(2, 7);
    s.seal(4, 2);
  });
  it("U-1 refuses whole and part; U-5 argument errors come first", () => {
    expect(s.munmap(4, 2)).toBe(-EPERM);
    expect(s.munmap(5, 1)).toBe(-EPERM);
    expect(s.mm.munmap(s.at(4), 0)).toBe(-EINVAL);
    expect(s.mm.munmap(s.at(4) + 1, PG)).toBe(-EINVAL);
    expect(s.mm.munmap(s.at(4), 0x8000_0000_0000)).toBe(-EINVAL);
  });
  it("U-2 leaves the unsealed area split at addr, with its pages", () => {
    expect(s.munmap(2, 4)).toBe(-EPERM);
    expect(s.draw()).toBe("[+0+2 rw][+2+2 rw][+4+2 rw sl]");
    expect(s.load(2)).toBe(7);
  });
  it("U-3 leaves no split when it begins in the sealed area", () => {
    expect(s.munmap(5, 2)).toBe(-EPERM);
    expect(s.draw()).toBe("[+0+4 rw][+4+2 rw sl]");
  });
  it("U-4 at the map limit, strictly inside is ENOMEM, head and tail EPERM", () => {
    s.seal(0, 6);
    s.env.settings.maxMapCount = s.mm.tree.count;
    expect(s.munmap(2, 1)).toBe(-ENOMEM);
    expect(s.munmap(0, 1)).toBe(-EPERM);
    expect(s.munmap(5, 1)).toBe(-EPERM);
  });
  it("U-6 up to the end of user space", () => {
    expect(s.mm.munmap(s.at(4), 0x7fff_ffff_f000 - s.at(4))).toBe(-EPERM);
  });
  it("says how many pages stay", () => {
    s.munmap(4, 1);
    expect(s.refusals.at(-1)?.applied).toBe("the page stays mapped");
    s.munmap(4, 2);
    expect(s.refusals.at(-1)?.applied).toBe("all 2 pages stay mapped");
  });
  it("says why: rule, area, who sealed it, the path", () => {
    s.munmap(4, 1);
    expect(s.refusals.at(-1)).toMatchObject({
      rule: "munmap.sealed",
      errno: EPERM,
      area: {
        start: s.at(4),
        end: s.at(6),
        sealed: true,
        sealedBy: { instruction: 1234, rip: 0x401000, tid: 1 },
      },
      address: s.at(4),
      source: "can_modify_vma",
    });
  });
});

describe("mmap over sealed areas", () => {
  beforeEach(() => {
    s.map(0, 6);
    s.store(1, 9);
    s.seal(4, 2);
  });
  it("P-1 MAP_FIXED is refused even when nothing would change", () => {
    expect(s.map(4, 2)).toBe(-EPERM);
    expect(s.map(5, 2)).toBe(-EPERM);
  });
  it("P-2 MAP_FIXED_NOREPLACE says EEXIST", () => {
    expect(s.map(4, 2, 3, ANON | MAP_FIXED_NOREPLACE)).toBe(-EEXIST);
  });
  it("P-3 a hint goes elsewhere", () => {
    expect(s.mm.mmap(s.at(4), PG, 3, ANON, null, 0)).toBeGreaterThan(0x7fff_0000_0000);
  });
  it("P-4, P-5 argument errors and MDWE come first", () => {
    expect(s.mm.mmap(s.at(4), 0, 3, ANON | MAP_FIXED, null, 0)).toBe(-EINVAL);
    expect(s.map(4, 2, 3, 0x20)).toBe(-EINVAL);
    s.mm.denyWriteExec = true;
    expect(s.map(4, 2, 7)).toBe(-EACCES);
  });
  it("P-6 limits come after", () => {
    s.env.limits.as = 0;
    expect(s.map(4, 2)).toBe(-EPERM);
    expect(s.map(8, 2)).toBe(-ENOMEM);
  });
  it("P-7 what lies before stays mapped, split at addr", () => {
    expect(s.map(1, 4)).toBe(-EPERM);
    expect(s.draw()).toBe("[+0+1 rw][+1+3 rw][+4+2 rw sl]");
    expect(s.load(1)).toBe(9);
  });
  it("P-8 at the map limit strictly inside is ENOMEM", () => {
    s.seal(0, 6);
    s.env.settings.maxMapCount = s.mm.tree.count;
    expect(s.map(2, 1)).toBe(-ENOMEM);
  });
});

describe("mprotect of sealed areas", () => {
  it("R-1 the same protection is refused too", () => {
    s.map(0, 2);
    s.seal(0, 2);
    expect(s.protect(0, 2, 3)).toBe(-EPERM);
  });
  it("R-2 areas before keep the new protection", () => {
    s.map(0, 8);
    s.seal(4, 2);
    expect(s.protect(2, 4, 1)).toBe(-EPERM);
    expect(s.draw()).toBe("[+0+2 rw][+2+2 r][+4+2 rw sl][+6+2 rw]");
    expect(s.refusals.at(-1)?.applied).toContain("before");
  });
  it("R-3 a hole before the sealed area wins; after it the seal wins", () => {
    s.map(0, 2);
    s.map(3, 2);
    s.seal(3, 2);
    expect(s.protect(0, 5, 1)).toBe(-ENOMEM);
    expect(s.draw()).toBe("[+0+2 r][+3+2 rw sl]");
    s.map(6, 1);
    expect(s.protect(3, 4, 1)).toBe(-EPERM);
  });
  it("R-4 EACCES of the same area wins", () => {
    s.mapFile(0, 2, 1, 1, s.file(2, { writable: false }));
    s.seal(0, 2);
    expect(s.protect(0, 2, 3)).toBe(-EACCES);
    expect(s.protect(0, 2, 0)).toBe(-EPERM);
  });
  it("R-5, R-7 argument errors win; length 0 is success", () => {
    s.map(0, 2);
    s.seal(0, 2);
    expect(s.mm.mprotect(BASE + 1, PG, 1)).toBe(-EINVAL);
    expect(s.protect(0, 1, 0x10)).toBe(-EINVAL);
    expect(s.protect(0, 1, 0x300_0000)).toBe(-EINVAL);
    expect(s.protect(0, 1, 0x100_0001)).toBe(-EINVAL);
    expect(s.protect(0, 1, 1, 3)).toBe(-EINVAL);
    expect(s.protect(0, 0, 1)).toBe(0);
    expect(s.mm.mprotect(BASE, U64 - 1n, 1)).toBe(-ENOMEM);
  });
  it("R-6 with any key", () => {
    s.map(0, 2);
    s.mm.pkeyAlloc(0, 0);
    s.protect(0, 2, 3, 1);
    s.seal(0, 2);
    for (const key of [-1, 0, 1]) expect(s.protect(0, 2, 3, key)).toBe(-EPERM);
  });
  it("R-9 PROT_EXEC that fails on the seal has taken the execute-only key", () => {
    s.map(0, 2);
    s.seal(0, 2);
    expect(s.protect(0, 2, 4)).toBe(-EPERM);
    expect(s.mm.pkeyAlloc(0, 0)).toBe(2);
  });
});

describe("mremap of sealed areas (6.17 and later)", () => {
  const T = 20;
  beforeEach(() => {
    s.map(0, 4);
    s.store(0, 5);
  });
  it("refuses whatever would change the area, and what would not", () => {
    s.seal(0, 4);
    const { mm } = s;
    expect(mm.mremap(s.at(0), 4 * PG, 4 * PG, 0, 0)).toBe(-EPERM);
    expect(mm.mremap(s.at(0), 4 * PG, 2 * PG, 0, 0)).toBe(-EPERM);
    expect(mm.mremap(s.at(0), 4 * PG, 8 * PG, 1, 0)).toBe(-EPERM);
    expect(mm.mremap(s.at(0), 4 * PG, 4 * PG, 3, s.at(T))).toBe(-EPERM);
    expect(mm.mremap(s.at(0), 4 * PG, 4 * PG, 5, s.at(T))).toBe(-EPERM);
    expect(mm.mremap(s.at(0), 0, PG, 1, 0)).toBe(-EPERM);
  });
  it("parameter errors win", () => {
    s.seal(0, 4);
    const { mm } = s;
    expect(mm.mremap(s.at(0), 4 * PG, 0, 0, 0)).toBe(-EINVAL);
    expect(mm.mremap(s.at(0), 4 * PG, PG, 8, 0)).toBe(-EINVAL);
    expect(mm.mremap(s.at(0), 4 * PG, PG, 2, s.at(T))).toBe(-EINVAL);
    expect(mm.mremap(s.at(0), 4 * PG, 2 * PG, 5, 0)).toBe(-EINVAL);
    expect(mm.mremap(s.at(0) + 1, PG, PG, 0, 0)).toBe(-EINVAL);
    expect(mm.mremap(s.at(0), PG, PG, 3, s.at(T) + 1)).toBe(-EINVAL);
    expect(mm.mremap(s.at(0), 2 * PG, 2 * PG, 3, s.at(1))).toBe(-EINVAL);
    expect(mm.mremap(s.at(0), PG, PG, 3, 0x7fff_ffff_f000)).toBe(-EINVAL);
    expect(mm.mremap(s.at(0), PG, 0x8000_0000_0000, 0, 0)).toBe(-EINVAL);
    expect(mm.mremap(s.at(T), PG, PG, 0, 0)).toBe(-EFAULT);
  });
  it("X-1 a sealed destination: both sides untouched", () => {
    s.map(T, 4);
    s.seal(T + 1, 1);
    expect(s.mm.mremap(s.at(0), 4 * PG, 2 * PG, 3, s.at(T))).toBe(-EPERM);
    expect(s.draw()).toBe("[+0+4 rw][+20+1 rw][+21+1 rw sl][+22+2 rw]");
    expect(s.load(0)).toBe(5);
  });
  it("X-2 a shrink whose tail is sealed cuts nothing; an unsealed tail goes", () => {
    s.seal(3, 1);
    expect(s.mm.mremap(s.at(0), 4 * PG, PG, 0, 0)).toBe(-EPERM);
    expect(s.mm.mremap(s.at(0), 3 * PG, PG, 0, 0)).toBe(s.at(0));
    expect(s.draw()).toBe("[+0+1 rw][+3+1 rw sl]");
  });
  it("X-3 one size without a new place looks at the first area only", () => {
    s.seal(2, 2);
    expect(s.mm.mremap(s.at(0), 4 * PG, 4 * PG, 0, 0)).toBe(s.at(0));
  });
  it("X-4, X-9 a move of several areas stops at the sealed one, those before have moved", () => {
    s.seal(2, 2);
    expect(s.mm.mremap(s.at(0), 4 * PG, 4 * PG, 3, s.at(T))).toBe(-EPERM);
    expect(s.draw()).toBe("[+2+2 rw sl][+20+2 rw]");
    expect(s.load(T)).toBe(5);
  });
  it("X-5 growth blocked by a sealed neighbour: ENOMEM, or a move", () => {
    s.map(4, 1);
    s.seal(4, 1);
    expect(s.mm.mremap(s.at(0), 4 * PG, 5 * PG, 0, 0)).toBe(-ENOMEM);
    const moved = s.mm.mremap(s.at(0), 4 * PG, 5 * PG, 1, 0);
    expect(moved).toBeGreaterThan(BASE);
    expect(s.draw()).toBe("[+4+1 rw sl]");
  });
  it("X-7, X-8 holes keep their places; one at the start is EFAULT", () => {
    s.munmap(1, 1);
    s.map(T, 4, 1);
    expect(s.mm.mremap(s.at(0), 4 * PG, 4 * PG, 3, s.at(T))).toBe(s.at(T));
    expect(s.draw()).toBe("[+20+1 rw][+21+1 r][+22+2 rw]");
    expect(s.mm.mremap(s.at(T - 1), 2 * PG, 2 * PG, 3, s.at(40))).toBe(-EFAULT);
  });
});

describe("brk over sealed pages", () => {
  beforeEach(() => {
    s.mm.setLayout({ startBrk: BASE, brk: BASE });
    s.mm.brk(s.at(4));
  });
  it("B-1 a shrink over one gives the old break", () => {
    s.seal(2, 1);
    expect(s.mm.brk(s.at(1))).toBe(s.at(4));
    expect(s.mm.findArea(s.at(3))).not.toBeNull();
  });
  it("B-2 a shrink above it works; B-3 growth makes a new area", () => {
    s.seal(3, 1);
    expect(s.mm.brk(s.at(6))).toBe(s.at(6));
    expect(s.draw()).toBe("[+0+3 rw][+3+1 rw sl][+4+2 rw]");
    expect(s.mm.brk(s.at(5))).toBe(s.at(5));
    expect(s.mm.brk(s.at(4) + 5)).toBe(s.at(4) + 5);
    expect(s.draw()).toBe("[+0+3 rw][+3+1 rw sl][+4+1 rw]");
  });
});

describe("what seals do not touch", () => {
  it("2.7 locking, 2.8 msync and mincore", () => {
    s.map(0, 4);
    s.seal(0, 4);
    expect(s.mm.mlock(s.at(1), PG)).toBe(0);
    expect(s.draw()).toBe("[+0+1 rw sl][+1+1 rw lo sl][+2+2 rw sl]");
    expect(s.mm.munlock(s.at(0), 4 * PG)).toBe(0);
    expect(s.draw()).toBe("[+0+4 rw sl]");
    expect(s.mm.msync(s.at(0), 4 * PG, 4)).toBe(0);
  });
  it("M-21 smaps shows sl", () => {
    s.map(0, 1);
    s.seal(0, 1);
    expect(s.mm.formatSmaps()).toMatch(/VmFlags: rd wr mr mw me ac sd sl \n/);
  });
  it("G-1 a sealed stack grows, and the grown part is sealed", () => {
    s.map(300, 2, 3, ANON | 0x100);
    s.seal(300, 2);
    expect(s.result(s.at(298), 1)).toBe("ok");
    expect(s.draw()).toBe("[+298+4 rw gd sl]");
    expect(s.munmap(298, 1)).toBe(-EPERM);
  });
  it("E-1 fork copies the seal", () => {
    s.map(0, 2);
    s.store(0, 3);
    s.seal(0, 2);
    const child = s.fork(2);
    expect(child.munmap(BASE, PG)).toBe(-EPERM);
    expect(s.mm.checkInvariants()).toEqual([]);
    expect(child.checkInvariants()).toEqual([]);
    child.release();
  });
});
