import { beforeEach, describe, expect, it } from "vitest";
import { EACCES, EINVAL, ENOMEM } from "../../../../kernel/errno.js";
import { BASE, PG } from "../space.js";
import { SealedSpace } from "./sealed-space.js";

const [MSEAL, MPROTECT, MUNMAP, MMAP, MREMAP, ALL] = [1, 2, 4, 8, 0x10, 0x1f];
const DONTNEED = 4;

describe.each(["rfc-v1", "rfc-v2"])("%s", (model) => {
  let s: SealedSpace;
  beforeEach(() => {
    s = new SealedSpace(model);
    s.map(0, 4);
    s.store(0, 7);
  });

  it("v1-1 an unknown type or a flag is EINVAL", () => {
    expect(s.call(0, 4, 0x20)).toBe(-EINVAL);
    expect(s.call(0, 4, ALL | 0x40)).toBe(-EINVAL);
    expect(s.call(0, 4, MUNMAP, 1)).toBe(-EINVAL);
    expect(s.seals(0)).toBe("");
  });
  it("v1-1 address, length and holes are checked as mainline does", () => {
    expect(s.mm.mseal(BASE + 1, PG, MUNMAP)).toBe(-EINVAL);
    expect(s.mm.mseal(BASE, 2n ** 64n - 1n, MUNMAP)).toBe(-EINVAL);
    expect(s.mm.mseal(BASE + 2 ** 40, 0, MUNMAP)).toBe(0);
    expect(s.call(3, 2, MUNMAP)).toBe(-ENOMEM);
    expect(s.seals(3)).toBe("");
  });
  it("v1-2 with MSEAL no new bit is added, to any area, and what it has can be asked for again", () => {
    expect(s.call(1, 1, MSEAL | MUNMAP)).toBe(0);
    expect(s.call(1, 1, MUNMAP)).toBe(0);
    expect(s.call(0, 4, MPROTECT)).toBe(-EACCES);
    expect(s.why).toBe("mseal.sealed by mseal");
    expect(s.seals(0)).toBe("");
    expect(s.seals(1)).toBe("MSEAL, MUNMAP");
  });
  it("v1-2 without MSEAL bits add up", () => {
    s.call(0, 4, MUNMAP);
    expect(s.call(0, 4, MMAP)).toBe(0);
    expect(s.seals(0)).toBe("MUNMAP, MMAP");
  });
  it("v1-3 a check covers the range before anything changes", () => {
    s.call(2, 1, MPROTECT | MUNMAP);
    expect(s.protect(0, 4, 1)).toBe(-EACCES);
    expect(s.munmap(0, 4)).toBe(-EACCES);
    expect(s.draw()).toBe("[+0+2 rw][+2+1 rw sl][+3+1 rw]");
  });
  it("v1-4 MPROTECT refuses mprotect and pkey_mprotect", () => {
    s.call(0, 4, MPROTECT);
    const key = s.mm.pkeyAlloc(0, 0);
    expect(s.protect(0, 1, 1)).toBe(-EACCES);
    expect(s.why).toBe("mprotect.sealed by mprotect");
    expect(s.protect(0, 1, 3, key)).toBe(-EACCES);
  });
  it("v1-4 nothing else refuses mprotect", () => {
    s.call(0, 4, ALL & ~MPROTECT);
    expect(s.protect(0, 4, 1)).toBe(0);
  });
  it("v1-5 MUNMAP refuses munmap", () => {
    s.call(0, 4, MUNMAP);
    expect(s.munmap(1, 1)).toBe(-EACCES);
    expect(s.why).toBe("munmap.sealed by munmap");
    expect(s.draw()).toBe("[+0+4 rw sl]");
  });
  it("v1-6 MMAP refuses a mapping over it, after all checks of arguments", () => {
    s.call(0, 4, MMAP);
    expect(s.overlay(1, 1)).toBe(-EACCES);
    expect(s.why).toBe("mmap.sealed by mmap");
    expect(s.mm.mmap(BASE, PG, 3, 0x30, null, 0)).toBe(-EINVAL);
    expect(s.munmap(1, 1)).toBe(0);
  });
  it("v1-7 MREMAP refuses a move, a shrink and a growth of it", () => {
    s.call(0, 4, MREMAP);
    expect(s.remap(0, 4, 4, 20)).toBe(-EACCES);
    expect(s.remap(0, 4, 2)).toBe(-EACCES);
    expect(s.remap(0, 4, 8)).toBe(-EACCES);
    expect(s.why).toBe("mremap.sealed by mremap");
  });
  it("v1-7 and to be replaced by MREMAP_FIXED", () => {
    s.map(20, 4);
    s.call(21, 1, MREMAP);
    expect(s.remap(0, 4, 4, 20)).toBe(-EACCES);
    expect(s.load(0)).toBe(7);
    expect(s.draw()).toBe("[+0+4 rw][+20+1 rw][+21+1 rw sl][+22+2 rw]");
  });
  it("v1-8 a seal against munmap alone: MAP_FIXED replaces it (the hole that was criticised)", () => {
    s.call(0, 4, MUNMAP);
    expect(s.munmap(0, 4)).toBe(-EACCES);
    expect(s.overlay(0, 4)).toBe(BASE);
    expect(s.load(0)).toBe(0);
    expect(s.munmap(0, 4)).toBe(0);
  });
  it("v1-8 what mremap unmaps of its own ignores MUNMAP: a tail, the old place, the destination", () => {
    s.map(20, 4);
    s.call(20, 4, MUNMAP);
    s.call(0, 4, MUNMAP);
    expect(s.remap(0, 4, 3)).toBe(BASE);
    expect(s.remap(0, 3, 3, 20)).toBe(s.at(20));
    expect(s.load(20)).toBe(7);
  });
  it("v1-8 brk ignores every bit", () => {
    s.mm.setLayout({ startBrk: s.at(100), brk: s.at(100) });
    s.mm.brk(s.at(104));
    s.call(100, 4, ALL);
    expect(s.mm.brk(s.at(101))).toBe(s.at(101));
  });
  it("v1-9 madvise, mlock and msync are never refused", () => {
    s.protect(0, 4, 1);
    s.call(0, 4, ALL);
    expect(s.advise(0, 4, DONTNEED)).toBe(0);
    expect(s.load(0)).toBe(0);
    expect(s.mm.mlock(BASE, PG)).toBe(0);
    expect(s.mm.msync(BASE, 4 * PG, 4)).toBe(0);
  });
  it("v1-10 sealed areas merge with nothing, equal seals included", () => {
    s.call(0, 2, MUNMAP);
    s.call(2, 2, MUNMAP);
    expect(s.draw()).toBe("[+0+2 rw sl][+2+2 rw sl]");
  });
  it("v1-10 so they do not grow where they are, but may move to grow", () => {
    s.call(0, 4, MPROTECT);
    expect(s.remap(0, 4, 5)).toBe(-ENOMEM);
    expect(s.mm.mremap(BASE, 4 * PG, 5 * PG, 1, 0)).toBeGreaterThan(0);
  });
  it("a child has the seals", () => {
    s.call(0, 4, MUNMAP);
    expect(s.fork(2).munmap(BASE, PG)).toBe(-EACCES);
  });
});

describe("the one difference that can be seen", () => {
  const high = 2n ** 32n;
  it("v1's arguments are unsigned int", () => {
    const s = new SealedSpace("rfc-v1");
    s.map(0, 1);
    expect(s.mm.mseal(BASE, PG, high | 4n, high)).toBe(0);
    expect(s.seals(0)).toBe("MUNMAP");
  });
  it("7.3-1 v2's are unsigned long", () => {
    const s = new SealedSpace("rfc-v2");
    s.map(0, 1);
    expect(s.mm.mseal(BASE, PG, high | 4n)).toBe(-EINVAL);
    expect(s.mm.mseal(BASE, PG, 4, high)).toBe(-EINVAL);
  });
});

describe.each(["6.10", "6.12"])("under the rules of Linux %s", (name) => {
  it("a move of areas is refused before the first moves", async () => {
    const { RELEASES } = await import("../../../../kernel/release.js");
    const s = new SealedSpace("rfc-v1", { release: RELEASES.find((one) => one.name === name)!.rules });
    s.map(0, 4);
    s.call(2, 2, MREMAP);
    expect(s.remap(0, 4, 4, 20)).toBe(-EACCES);
    expect(s.draw()).toBe("[+0+2 rw][+2+2 rw sl]");
  });
});

describe("rfc-v1:today", () => {
  it("takes today's call and puts on every bit", () => {
    const s = new SealedSpace("rfc-v1:today");
    s.map(0, 1);
    expect(s.call(0, 1, 4)).toBe(-EINVAL);
    expect(s.call(0, 1, 0, 99)).toBe(0);
    expect(s.seals(0)).toBe("MSEAL, MPROTECT, MUNMAP, MMAP, MREMAP");
  });
});

describe("rfc-v2's mask", () => {
  const masks: [string, number, (s: SealedSpace) => number][] = [
    ["munmap", MUNMAP, (s) => s.munmap(0, 4)],
    ["mmap", MMAP, (s) => s.overlay(0, 4)],
    ["mremap", MREMAP, (s) => s.remap(0, 4, 4, 20)],
    ["mprotect", MPROTECT, (s) => s.protect(0, 4, 1)],
  ];
  it.each(masks)("7.3-2 %s passes its own bit and no other", (_, own, ask) => {
    for (const bit of [MSEAL, MPROTECT, MUNMAP, MMAP, MREMAP]) {
      const s = new SealedSpace("rfc-v2");
      s.map(0, 4);
      s.call(0, 4, bit);
      expect([bit, ask(s) < 0]).toEqual([bit, bit === own]);
    }
  });
  it("7.3-3 for every set of bits and every call v1 and v2 answer the same", () => {
    for (let bits = 0; bits <= ALL; bits++)
      for (const [name, , ask] of masks) {
        const answers = ["rfc-v1", "rfc-v2"].map((model) => {
          const s = new SealedSpace(model);
          s.map(0, 4);
          return [s.call(1, 2, bits), ask(s), s.draw()];
        });
        expect([name, bits, answers[1]]).toEqual([name, bits, answers[0]]);
      }
  });
});
