import { beforeEach, describe, expect, it } from "vitest";
import { EACCES, EFAULT, EINVAL, EPERM } from "../../../../kernel/errno.js";
import { BASE, PG } from "../space.js";
import { SealedSpace } from "./sealed-space.js";

const [DONTNEED, FREE, WIPEONFORK] = [4, 8, 18];
const [RANDOM, SEQUENTIAL, WILLNEED, NORMAL] = [1, 2, 3, 0];
const MS_INVALIDATE = 2;

describe.each(["mimmutable", "mimmutable-2022"])("%s", (model) => {
  let s: SealedSpace;
  beforeEach(() => {
    s = new SealedSpace(model);
    s.map(0, 4);
    s.store(0, 7);
    s.store(1, 8);
  });

  it("ob-1 an address and a length that are not whole pages are no mistake", () => {
    expect(s.mm.mseal(BASE + PG + 5, 10, 0)).toBe(0);
    expect(s.draw()).toBe("[+0+1 rw][+1+1 rw sl][+2+2 rw]");
    expect(s.mm.mseal(BASE + 3 * PG - 1, 2, 99, 99)).toBe(0);
    expect(s.draw()).toBe("[+0+1 rw][+1+3 rw sl]");
  });
  it("ob-1 a range that wraps is EINVAL", () => {
    expect(s.mm.mseal(BASE, 2n ** 64n - 1n, 0)).toBe(-EINVAL);
    expect(s.mm.mseal(2n ** 64n - 4096n, 4096, 0)).toBe(-EINVAL);
  });
  it("ob-1 holes are passed over", () => {
    s.map(6, 1);
    expect(s.call(0, 10)).toBe(0);
    expect(s.draw()).toBe("[+0+4 rw sl][+6+1 rw sl]");
    expect(s.call(50, 4)).toBe(0);
  });
  it("ob-1 memory that a child gets as zeroes is EPERM, and nothing is made immutable", () => {
    s.advise(2, 1, WIPEONFORK);
    expect(s.call(0, 4)).toBe(-EPERM);
    expect(s.why).toBe("mseal.sealed by inherit-zero");
    expect(s.seals(0)).toBe("");
  });
  it("ob-1 again, and for good", () => {
    s.call(0, 4);
    expect(s.call(0, 4)).toBe(0);
    expect(s.seals(0)).toBe("immutable");
  });
  it("ob-2 munmap: arguments, then holes, then immutable entries; nothing goes", () => {
    s.call(1, 1);
    expect(s.mm.munmap(BASE + 1, PG)).toBe(-EINVAL);
    expect(s.munmap(0, 5)).toBe(-EINVAL);
    expect(s.why).toBe("munmap.sealed by munmap-hole");
    expect(s.munmap(40, 1)).toBe(-EINVAL);
    expect(s.munmap(0, 4)).toBe(-EPERM);
    expect(s.draw()).toBe("[+0+1 rw][+1+1 rw sl][+2+2 rw]");
    expect(s.munmap(2, 2)).toBe(0);
  });
  it("ob-3 mprotect: nothing has changed when it is refused", () => {
    s.call(2, 1);
    expect(s.protect(0, 4, 5)).toBe(-EPERM);
    expect(s.draw()).toBe("[+0+2 rw][+2+1 rw sl][+3+1 rw]");
  });
  it("ob-3 mprotect to what it has is refused too", () => {
    s.call(0, 4);
    expect(s.protect(0, 4, 3)).toBe(-EPERM);
    expect(s.why).toBe("mprotect.sealed by mprotect");
  });
  it("ob-3 what a mapping may never have is EACCES, whichever entry comes first", () => {
    const file = s.file(1, { writable: false });
    s.mapFile(4, 1, 1, 1, file);
    s.call(2, 1);
    expect(s.protect(0, 5, 2)).toBe(-EPERM);
    expect(s.protect(3, 2, 2)).toBe(-EACCES);
    expect(s.mm.findArea(s.at(3))!.prot).toBe(3);
    s.call(6, 1);
    s.map(5, 1);
    s.call(5, 1);
    expect(s.protect(4, 2, 2)).toBe(-EACCES);
  });
  it("ob-4 MAP_FIXED over it is EPERM", () => {
    s.call(1, 1);
    expect(s.overlay(0, 4)).toBe(-EPERM);
    expect(s.why).toBe("mmap.sealed by munmap");
    expect(s.load(0)).toBe(7);
  });
  it("ob-5 advice that changes nothing is allowed", () => {
    s.call(0, 4);
    for (const advice of [NORMAL, RANDOM, SEQUENTIAL, WILLNEED]) expect(s.advise(0, 4, advice)).toBe(0);
  });
  it("ob-6 mlock and msync are allowed", () => {
    s.call(0, 4);
    expect(s.mm.mlock(BASE, PG)).toBe(0);
    expect(s.mm.msync(BASE, PG, 4)).toBe(0);
  });
  it("ob-6 a child's memory is immutable, and an end takes it away", () => {
    s.call(0, 4);
    const child = s.fork(2);
    expect(child.munmap(BASE, PG)).toBe(-EPERM);
    child.release();
    s.mm.release();
    expect([...s.mm.areas()]).toEqual([]);
  });
  it("7.1 mremap does not exist there; here it is refused like an unmapping", () => {
    s.call(0, 4);
    expect(s.remap(0, 4, 4, 20)).toBe(-EPERM);
    expect(s.remap(0, 4, 2)).toBe(-EPERM);
  });
  it("ob-9 mseal(addr, length, 0) is mimmutable(addr, length)", () => {
    expect(s.mm.mseal(BASE, 4 * PG, 0)).toBe(0);
    expect(s.munmap(0, 1)).toBe(-EPERM);
  });
});

describe("what changed on 20 January 2024", () => {
  const of = (model: string): SealedSpace => {
    const s = new SealedSpace(model);
    s.map(0, 4);
    s.store(1, 8);
    s.call(1, 1);
    return s;
  };
  it("ob-5 MADV_DONTNEED, MADV_FREE and MS_INVALIDATE are EPERM now, before anything", () => {
    const s = of("mimmutable");
    s.store(0, 7);
    for (const advice of [DONTNEED, FREE]) expect(s.advise(0, 4, advice)).toBe(-EPERM);
    expect(s.load(0)).toBe(7);
    expect(s.mm.msync(BASE, 4 * PG, MS_INVALIDATE)).toBe(-EPERM);
    expect(s.why).toBe("msync.sealed by discard");
  });
  it("ob-5 also for who may write", () => {
    expect(of("mimmutable").advise(1, 1, DONTNEED)).toBe(-EPERM);
  });
  it("ob-5 a hole comes first, with EFAULT", () => {
    const s = of("mimmutable");
    expect(s.advise(0, 6, DONTNEED)).toBe(-EFAULT);
    expect(s.why).toBe("madvise.sealed by discard-hole");
  });
  it("ob-5 an entry without anonymous memory does not count", () => {
    const s = of("mimmutable");
    s.mapFile(10, 1, 1, 1, s.file(1));
    s.call(10, 1);
    expect(s.advise(10, 1, DONTNEED)).toBe(0);
    expect(s.mm.msync(s.at(10), PG, MS_INVALIDATE)).toBe(0);
  });
  it("ob-7 none of that was refused before", () => {
    const s = of("mimmutable-2022");
    expect(s.advise(0, 4, DONTNEED)).toBe(0);
    expect(s.load(1)).toBe(0);
    expect(s.mm.msync(BASE, 4 * PG, MS_INVALIDATE)).toBe(0);
  });
  it("ob-7 read-write could become read-only, and nothing else", () => {
    const s = of("mimmutable-2022");
    for (const prot of [0, 2, 3, 5, 7]) expect(s.protect(1, 1, prot)).toBe(-EPERM);
    expect(s.protect(1, 1, 1)).toBe(0);
    expect(s.protect(1, 1, 1)).toBe(-EPERM);
    expect(s.protect(1, 1, 3)).toBe(-EPERM);
  });
  it("ob-7 now it cannot", () => {
    expect(of("mimmutable").protect(1, 1, 1)).toBe(-EPERM);
  });
});
