import { beforeEach, describe, expect, it } from "vitest";
import { UserMemory } from "../../../../kernel/mm/user-memory.js";
import { EINVAL, ENOMEM, EPERM } from "../../../../kernel/errno.js";
import { BASE, PG } from "../space.js";
import { SealedSpace } from "./sealed-space.js";

const DONTNEED = 4;
const [PRIVATE, SHARED] = [2, 1];

describe("guidelines", () => {
  let s: SealedSpace;
  beforeEach(() => {
    s = new SealedSpace("guidelines");
    s.map(0, 4);
    s.store(0, 7);
  });

  it("7.10-1 mprotect is refused", () => {
    s.call(0, 4);
    expect(s.protect(0, 4, 1)).toBe(-EPERM);
    expect(s.why).toBe("mprotect.sealed by modify");
  });
  it("7.10-1 munmap is refused, never in part", () => {
    s.call(2, 1);
    expect(s.munmap(0, 4)).toBe(-EPERM);
    expect(s.load(0)).toBe(7);
    expect(s.draw()).toBe("[+0+2 rw][+2+1 rw sl][+3+1 rw]");
  });
  it("7.10-1 MAP_FIXED counts as an unmapping", () => {
    s.call(2, 1);
    expect(s.overlay(0, 4)).toBe(-EPERM);
    expect(s.load(0)).toBe(7);
  });
  it("7.10-2 advice that destroys nothing is allowed", () => {
    s.protect(0, 4, 1);
    s.call(0, 4);
    for (const advice of [0, 1, 2, 3, 14, 16]) expect(s.advise(0, 4, advice)).toBe(0);
  });
  it("7.10-2 destructive advice is refused on read-only anonymous memory", () => {
    s.protect(0, 4, 1);
    s.call(0, 4);
    for (const advice of [4, 8, 9, 10, 18, 24, 102]) expect(s.advise(0, 4, advice)).toBe(-EPERM);
    expect(s.why).toBe("madvise.sealed by discard");
  });
  it("7.10-2 who may write may discard", () => {
    s.call(0, 4);
    expect(s.advise(0, 4, DONTNEED)).toBe(0);
    expect(s.load(0)).toBe(0);
  });
  it("7.10-2 keys count", () => {
    const key = s.mm.pkeyAlloc(0, 0);
    s.protect(0, 4, 3, key);
    s.call(0, 4);
    s.setPkru(key, 2);
    expect(s.advise(0, 4, DONTNEED)).toBe(-EPERM);
  });
  it("7.10-2 a changed page of a private file mapping keeps its content; Linux lets it go (A-6)", () => {
    for (const [model, result] of [
      ["guidelines", -EPERM],
      ["linux", 0],
    ] as const) {
      const one = new SealedSpace(model);
      one.mapFile(0, 1, 3, PRIVATE, one.file(1));
      one.store(0, 99);
      one.protect(0, 1, 1);
      one.call(0, 1);
      expect(one.advise(0, 1, DONTNEED)).toBe(result);
      expect(one.load(0)).toBe(result === 0 ? 0x40 : 99);
    }
  });
  it("7.10-2 a shared file mapping may be dropped: nothing is lost", () => {
    s.mapFile(10, 1, 1, SHARED, s.file(1));
    s.call(10, 1);
    expect(s.advise(10, 1, DONTNEED)).toBe(0);
  });
  it("7.10-3 mremap is refused", () => {
    s.call(0, 4);
    expect(s.remap(0, 4, 4, 20)).toBe(-EPERM);
    expect(s.remap(0, 4, 2)).toBe(-EPERM);
    expect(s.remap(0, 4, 8)).toBe(-EPERM);
    expect(s.why).toBe("mremap.sealed by mremap");
  });
  it("7.10-6 advice that changes neither content nor mapping is allowed on writable memory too", () => {
    s.call(0, 4);
    for (const advice of [0, 1, 2, 3, 12, 13, 14, 15, 16, 17, 20, 21]) expect(s.advise(0, 4, advice)).toBe(0);
    expect(s.load(0)).toBe(7);
  });
  it("7.10-4 mlock and msync are allowed", () => {
    s.call(0, 4);
    expect(s.mm.mlock(BASE, PG)).toBe(0);
    expect(s.mm.munlock(BASE, PG)).toBe(0);
    expect(s.mm.msync(BASE, PG, 2)).toBe(0);
  });
  it("7.10-5 sealing again is a success that changes nothing", () => {
    s.call(0, 4);
    const { seal } = s.mm.findArea(BASE)!;
    expect(s.call(0, 4)).toBe(0);
    expect(s.mm.findArea(BASE)!.seal).toBe(seal);
  });
  it("7.10-7 FOLL_FORCE does not write sealed read-only memory; Linux's does (W-1)", () => {
    for (const [model, written] of [
      ["guidelines", 0],
      ["linux", 1],
    ] as const) {
      const one = new SealedSpace(model);
      one.map(0, 1);
      one.store(0, 7);
      one.protect(0, 1, 1);
      const force = new UserMemory(one.mm, { foreign: true, force: true });
      expect(force.copyOut(BASE, Uint8Array.of(6))).toBe(1);
      one.call(0, 1);
      expect(force.copyOut(BASE, Uint8Array.of(5))).toBe(written);
      expect(one.load(0)).toBe(written === 0 ? 6 : 5);
    }
  });
  it("7.10-7 what its area permits to write it writes", () => {
    s.call(0, 4);
    const force = new UserMemory(s.mm, { foreign: true, force: true });
    expect(force.copyOut(BASE, Uint8Array.of(5))).toBe(1);
  });
  it("the call is mainline's", () => {
    expect(s.call(0, 4, 1)).toBe(-EINVAL);
    expect(s.mm.mseal(BASE + 1, PG, 0)).toBe(-EINVAL);
    expect(s.call(3, 2)).toBe(-ENOMEM);
    expect(s.mm.mseal(BASE, 0, 0)).toBe(0);
  });
});
