import { beforeEach, describe, expect, it } from "vitest";
import { EINVAL, ENOMEM, ENOSYS, EPERM } from "../../../../kernel/errno.js";
import { BASE, PG } from "../space.js";
import { SealedSpace } from "./sealed-space.js";

const IMMUTABLE = 0x0400_0000;
const DOWNGRADABLE = 0x0800_0000;
const [R, W, RW, RX, RWX] = [1, 2, 3, 5, 7];

describe("prot-immutable", () => {
  let s: SealedSpace;
  beforeEach(() => {
    s = new SealedSpace("prot-immutable");
    s.map(0, 4);
    s.store(0, 7);
  });

  it("has no call of its own", () => {
    expect(s.call(0, 4)).toBe(-ENOSYS);
  });
  it("7.8-1 mprotect sets the protection and freezes it", () => {
    expect(s.protect(0, 2, R | IMMUTABLE)).toBe(0);
    expect(s.draw()).toBe("[+0+2 r sl][+2+2 rw]");
    expect(s.seals(0)).toBe("IMMUTABLE");
  });
  it("also where the protection stays as it is", () => {
    expect(s.protect(0, 4, RW | IMMUTABLE)).toBe(0);
    expect(s.seals(0)).toBe("IMMUTABLE");
  });
  it("7.8-2 a later mprotect is refused, the same protection included", () => {
    s.protect(0, 4, R | IMMUTABLE);
    for (const prot of [0, R, RW, RX, R | IMMUTABLE]) expect(s.protect(0, 4, prot)).toBe(-EPERM);
    expect(s.why).toBe("mprotect.sealed by immutable");
  });
  it("7.8-2 so is pkey_mprotect", () => {
    s.protect(0, 4, R | IMMUTABLE);
    expect(s.protect(0, 4, R, s.mm.pkeyAlloc(0, 0))).toBe(-EPERM);
  });
  it("7.8-2 and munmap", () => {
    s.protect(1, 1, R | IMMUTABLE);
    expect(s.munmap(0, 4)).toBe(-EPERM);
    expect(s.why).toBe("munmap.sealed by mapping");
  });
  it("7.8-2 and a mapping over it", () => {
    s.protect(0, 4, R | IMMUTABLE);
    expect(s.overlay(0, 4)).toBe(-EPERM);
    expect(s.load(0)).toBe(7);
  });
  it("7.8-2 and mremap, of both sides", () => {
    s.protect(0, 4, R | IMMUTABLE);
    s.map(20, 4);
    expect(s.remap(0, 4, 4, 40)).toBe(-EPERM);
    expect(s.remap(20, 4, 4, 0)).toBe(-EPERM);
  });
  it.each([
    [RW, R],
    [RX, R],
    [RX, 0],
    [RW, 0],
    [RWX, RX],
    [RW, RW],
  ])("7.8-3 PROT_DOWNGRADABLE: %i may become %i", (before, after) => {
    s.protect(0, 4, before | DOWNGRADABLE);
    expect(s.protect(0, 4, after)).toBe(0);
    expect(s.mm.findArea(BASE)!.prot).toBe(after);
  });
  it("7.8-3 PROT_DOWNGRADABLE: for all pairs, permitted is new within old", () => {
    for (let before = 0; before < 8; before++)
      for (let after = 0; after < 8; after++) {
        const one = new SealedSpace("prot-immutable");
        one.map(0, 1);
        one.protect(0, 1, before | DOWNGRADABLE);
        expect([before, after, one.protect(0, 1, after)]).toEqual([
          before,
          after,
          (after & ~before) === 0 ? 0 : -EPERM,
        ]);
      }
  });
  it("7.8-3 PROT_DOWNGRADABLE: what was given up does not come back", () => {
    s.protect(0, 4, RW | DOWNGRADABLE);
    s.protect(0, 4, R);
    expect(s.protect(0, 4, RW)).toBe(-EPERM);
    expect(s.why).toBe("mprotect.sealed by downgrade");
  });
  it("PROT_DOWNGRADABLE: the key stays", () => {
    const key = s.mm.pkeyAlloc(0, 0);
    s.protect(0, 4, RW | DOWNGRADABLE, key);
    expect(s.protect(0, 4, R, 0)).toBe(-EPERM);
    expect(s.protect(0, 4, R, key)).toBe(0);
  });
  it("PROT_DOWNGRADABLE: the mapping is frozen as an immutable one's", () => {
    s.protect(0, 4, RW | DOWNGRADABLE);
    expect(s.munmap(0, 1)).toBe(-EPERM);
    expect(s.overlay(0, 1)).toBe(-EPERM);
    expect(s.remap(0, 4, 2)).toBe(-EPERM);
  });
  it("downgradable may become immutable", () => {
    s.protect(0, 4, RW | DOWNGRADABLE);
    expect(s.protect(0, 4, R | IMMUTABLE)).toBe(0);
    expect(s.protect(0, 4, 0)).toBe(-EPERM);
  });
  it("7.8-4 the errno, which the idea leaves open, is EPERM for all of them", () => {
    s.protect(0, 4, R | IMMUTABLE);
    s.map(20, 1);
    const answers = [
      s.munmap(0, 1),
      s.overlay(0, 1),
      s.remap(0, 4, 8),
      s.remap(20, 1, 1, 0),
      s.protect(0, 1, 0),
    ];
    expect(new Set(answers)).toEqual(new Set([-EPERM]));
  });
  it("mistakes are mprotect's own, and freeze nothing", () => {
    expect(s.protect(0, 4, 0x100 | IMMUTABLE)).toBe(-EINVAL);
    expect(s.protect(9, 1, W | IMMUTABLE)).toBe(-ENOMEM);
    expect(s.mm.mprotect(BASE + 1, PG, R | IMMUTABLE)).toBe(-EINVAL);
    expect(s.seals(0)).toBe("");
  });
  it("madvise is not refused; a child is frozen too", () => {
    s.protect(0, 4, R | IMMUTABLE);
    expect(s.advise(0, 4, 4)).toBe(0);
    expect(s.fork(2).munmap(BASE, PG)).toBe(-EPERM);
  });
  it("today: mseal freezes", () => {
    s = new SealedSpace("prot-immutable:today");
    s.map(0, 4);
    expect(s.call(0, 4)).toBe(0);
    expect(s.seals(0)).toBe("IMMUTABLE");
  });
});
