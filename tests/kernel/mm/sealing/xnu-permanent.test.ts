import { beforeEach, describe, expect, it } from "vitest";
import { EACCES, ENOSYS } from "../../../../kernel/errno.js";
import { ANON, BASE, PG } from "../space.js";
import { SealedSpace } from "./sealed-space.js";

const PERMANENT = 0x0100_0000;

describe("xnu-permanent", () => {
  let s: SealedSpace;
  beforeEach(() => {
    s = new SealedSpace("xnu-permanent");
    s.map(0, 4, 3, ANON | PERMANENT);
    s.store(0, 7);
    s.store(1, 8);
  });

  it("xnu-1 it is asked for when the memory is mapped", () => {
    expect(s.seals(0)).toBe("permanent");
    s.map(10, 1);
    expect(s.seals(10)).toBe("");
  });
  it("xnu-1 and not afterwards", () => {
    s.map(10, 1);
    expect(s.call(10, 1)).toBe(-ENOSYS);
    expect(s.munmap(10, 1)).toBe(0);
    expect(s.seals(10)).toBe("unmapped");
  });
  it("xnu-2 munmap says yes and leaves memory without rights", () => {
    expect(s.munmap(1, 1)).toBe(0);
    expect(s.draw()).toBe("[+0+1 rw sl][+1+1 - sl][+2+2 rw sl]");
    expect(s.result(s.at(1), 0)).not.toBe("ok");
    expect(s.load(0)).toBe(7);
  });
  it("xnu-2 the rights are not to be had again", () => {
    s.munmap(1, 1);
    expect(s.protect(1, 1, 1)).toBe(-EACCES);
    expect(s.why).toBe("mprotect.may-never");
  });
  it("xnu-2 the addresses are not used again", () => {
    s.munmap(0, 4);
    expect(s.overlay(0, 4)).toBe(-EACCES);
    expect(s.mm.mmap(BASE, 4 * PG, 3, ANON, null, 0)).not.toBe(BASE);
    expect(s.draw()).toBe("[+0+4 - sl]");
  });
  it("xnu-2 again and across pieces: they become one, and counters stay right", () => {
    for (const page of [0, 2, 1, 1, 3]) expect(s.munmap(page, 1)).toBe(0);
    expect(s.munmap(0, 6)).toBe(0);
    expect(s.draw()).toBe("[+0+4 - sl]");
    expect(s.mm.checkInvariants()).toEqual([]);
  });
  it("xnu-2 what is not permanent in the range goes", () => {
    s.map(4, 2);
    expect(s.munmap(3, 3)).toBe(0);
    expect(s.draw()).toBe("[+0+3 rw sl][+3+1 - sl]");
  });
  it("xnu-3 a mapping over it is EACCES and changes nothing, neighbours included", () => {
    s.map(4, 1);
    s.store(4, 9);
    expect(s.overlay(3, 2)).toBe(-EACCES);
    expect(s.why).toBe("mmap.sealed by overwrite");
    expect(s.load(4)).toBe(9);
  });
  it("xnu-3 neither does MREMAP_FIXED replace it", () => {
    s.map(20, 4);
    expect(s.remap(20, 4, 4, 0)).toBe(-EACCES);
    expect(s.load(0)).toBe(7);
  });
  it("7.1 mremap of it (XNU has none) is refused as a way around", () => {
    expect(s.remap(0, 4, 4, 20)).toBe(-EACCES);
    expect(s.remap(0, 4, 2)).toBe(-EACCES);
  });
  it("xnu-4 mprotect works within what the mapping may have", () => {
    expect(s.protect(0, 4, 5)).toBe(0);
    expect(s.protect(0, 4, 3)).toBe(0);
    s.mapFile(10, 1, 1, 1 | PERMANENT, s.file(1, { writable: false }));
    expect(s.protect(10, 1, 3)).toBe(-EACCES);
  });
  it("xnu-5 a copy is not permanent", () => {
    const child = s.fork(2);
    expect(child.munmap(BASE, 4 * PG)).toBe(0);
    expect(child.findArea(BASE)).toBeNull();
    expect(s.seals(0)).toBe("permanent");
  });
  it("xnu-5 the end of the address space takes it away", () => {
    s.munmap(0, 1);
    s.mm.release();
    expect([...s.mm.areas()]).toEqual([]);
  });
  it("madvise is not refused", () => {
    s.protect(0, 4, 1);
    expect(s.advise(0, 4, 4)).toBe(0);
    expect(s.load(0)).toBe(0);
  });
  it("brk leaves what it gives up", () => {
    s = new SealedSpace("xnu-permanent:today");
    s.mm.setLayout({ startBrk: BASE, brk: BASE });
    s.mm.brk(s.at(4));
    expect(s.call(2, 2)).toBe(0);
    expect(s.mm.brk(s.at(1))).toBe(s.at(1));
    expect(s.draw()).toBe("[+0+1 rw][+2+2 - sl]");
    expect(s.mm.brk(s.at(4))).toBe(s.at(1));
  });
});
