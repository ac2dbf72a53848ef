import { beforeEach, describe, expect, it } from "vitest";
import { EACCES, EEXIST, EINVAL, ENOMEM, ENOSYS, EPERM } from "../../../../kernel/errno.js";
import { ANON, BASE, PG } from "../space.js";
import { SealedSpace } from "./sealed-space.js";

const [SEAL, SEAL_BASE, PROT_PKEY, DISCARD] = [1, 2, 4, 8];
const MAP_SEALABLE = 0x0800_0000;
const PROT_SEAL_SEAL = 0x0400_0000;
const PROT_SEAL_BASE = 0x0800_0000;
const PROT_SEAL_PROT_PKEY = 0x1000_0000;
const PROT_SEAL_DISCARD = 0x2000_0000;

describe("rfc-v3", () => {
  let s: SealedSpace;
  beforeEach(() => {
    s = new SealedSpace("rfc-v3");
    s.map(0, 4, 3, ANON | MAP_SEALABLE);
    s.store(0, 7);
  });

  it("v3-1 PROT_PKEY and DISCARD_RO_ANON bring BASE", () => {
    s.call(0, 1, PROT_PKEY);
    s.call(1, 1, DISCARD);
    expect(s.seals(0)).toBe("BASE, PROT_PKEY");
    expect(s.seals(1)).toBe("BASE, DISCARD_RO_ANON");
  });
  it("v3-2 types and flags come first, then address and length", () => {
    expect(s.mm.mseal(1, 0, 0x10)).toBe(-EINVAL);
    expect(s.why).toBe("mseal.types");
    expect(s.mm.mseal(1, 0, SEAL_BASE, 1)).toBe(-EINVAL);
    expect(s.why).toBe("mseal.flags");
    expect(s.mm.mseal(BASE + 1, 0, SEAL_BASE)).toBe(-EINVAL);
    expect(s.mm.mseal(BASE, 2n ** 64n - 1n, SEAL_BASE)).toBe(-EINVAL);
    expect(s.mm.mseal(BASE, 2n ** 64n - 4096n, SEAL_BASE)).toBe(-EINVAL);
    expect(s.mm.mseal(2 ** 40 * 3, 0, SEAL_BASE)).toBe(0);
  });
  it("v3-2 one walk: what comes first in the range decides", () => {
    s.map(6, 1);
    expect(s.call(3, 4, SEAL_BASE)).toBe(-ENOMEM);
    s.map(4, 1);
    expect(s.call(3, 4, SEAL_BASE)).toBe(-EACCES);
    expect(s.why).toBe("mseal.sealed by sealable");
  });
  it("v3-2 no type changes nothing, but the range is checked", () => {
    expect(s.call(0, 4, 0)).toBe(0);
    expect(s.seals(0)).toBe("");
    expect(s.call(3, 2, 0)).toBe(-ENOMEM);
  });
  it("v3-2 SEAL: nothing new is added", () => {
    s.call(0, 4, SEAL | SEAL_BASE);
    expect(s.call(0, 4, SEAL_BASE)).toBe(0);
    expect(s.call(0, 4, PROT_PKEY)).toBe(-EACCES);
    expect(s.why).toBe("mseal.sealed by seal");
  });
  it("v3-3 a failed walk has sealed nothing; a failed split leaves the areas before it sealed", () => {
    s.call(2, 1, SEAL);
    expect(s.call(0, 3, SEAL_BASE)).toBe(-EACCES);
    expect(s.seals(0)).toBe("");
    s.env.settings.maxMapCount = s.mm.tree.count;
    expect(s.call(0, 3, SEAL)).toBe(0);
    s.map(10, 1, 1, ANON | MAP_SEALABLE);
    s.map(11, 4, 3, ANON | MAP_SEALABLE);
    s.env.settings.maxMapCount = s.mm.tree.count;
    expect(s.call(10, 2, SEAL)).toBe(-ENOMEM);
    expect([s.seals(10), s.seals(11)]).toEqual(["SEAL", ""]);
  });
  it("v3-4 only memory that was mapped to be sealed is", () => {
    s.map(10, 1);
    expect(s.call(10, 1, SEAL_BASE)).toBe(-EACCES);
    expect(s.call(0, 1, SEAL_BASE)).toBe(0);
  });
  it("v3-5 BASE refuses munmap, brk, shmat's and mmap's replacing, mremap of both sides", () => {
    s.call(0, 4, SEAL_BASE);
    s.map(20, 4);
    expect(s.munmap(0, 1)).toBe(-EACCES);
    expect(s.overlay(0, 1)).toBe(-EACCES);
    expect(s.why).toBe("mmap.sealed by base");
    expect(s.remap(0, 4, 4, 40)).toBe(-EACCES);
    expect(s.remap(0, 4, 2)).toBe(-EACCES);
    expect(s.remap(0, 4, 8)).toBe(-EACCES);
    expect(s.remap(20, 4, 4, 0)).toBe(-EACCES);
    expect(s.load(0)).toBe(7);
  });
  it("v3-5 the heap does not shrink over it", () => {
    s.mm.setLayout({ startBrk: s.at(100), brk: s.at(100) });
    s.map(100, 4, 3 | PROT_SEAL_BASE);
    s.mm.setLayout({ brk: s.at(104) });
    expect(s.mm.brk(s.at(101))).toBe(s.at(104));
  });
  it("v3-5 mmap asks after EEXIST and before it looks at the rest", () => {
    s.call(0, 4, SEAL_BASE);
    expect(s.mm.mmap(BASE, PG, 3, 0x2 | 0x20 | 0x10_0000, null, 0)).toBe(-EEXIST);
    expect(s.mm.mmap(BASE, PG, 3, 0x30, null, 0)).toBe(-EACCES);
  });
  it("v3-6 PROT_PKEY refuses mprotect of the whole range first", () => {
    s.call(2, 1, PROT_PKEY);
    expect(s.protect(0, 4, 1)).toBe(-EACCES);
    expect(s.why).toBe("mprotect.sealed by prot-pkey");
    expect(s.draw()).toBe("[+0+2 rw sl][+2+1 rw sl][+3+1 rw sl]");
    expect(s.protect(0, 4, 0x100)).toBe(-EINVAL);
    expect(s.protect(9, 4, 1)).toBe(-ENOMEM);
    expect(s.protect(2, 1, 3, 0)).toBe(-EACCES);
  });
  it("v3-6 BASE alone does not", () => {
    s.call(0, 4, SEAL_BASE);
    expect(s.protect(0, 4, 1)).toBe(0);
  });
  it("v3-7 DISCARD_RO_ANON: a discard of anonymous memory needs the right to write", () => {
    s.call(0, 4, DISCARD);
    expect(s.advise(0, 1, 4)).toBe(0);
    s.protect(0, 4, 1);
    expect(s.advise(0, 1, 4)).toBe(-EACCES);
    expect(s.why).toBe("madvise.sealed by discard-ro-anon");
    expect(s.advise(0, 1, 14)).toBe(0);
    expect(s.advise(0, 1, 102)).toBe(0);
  });
  it("v3-7 PKRU counts", () => {
    const key = s.mm.pkeyAlloc(0, 0);
    s.protect(0, 4, 3, key);
    s.call(0, 4, DISCARD);
    s.setPkru(key, 2);
    expect(s.advise(0, 1, 4)).toBe(-EACCES);
    s.setPkru(key, 0);
    expect(s.advise(0, 1, 4)).toBe(0);
  });
  it("v3-7 as posted, harmless advice counts too", () => {
    s = new SealedSpace("rfc-v3:exact");
    s.map(0, 1, 1 | PROT_SEAL_DISCARD);
    expect(s.advise(0, 1, 14)).toBe(-EACCES);
    expect(s.advise(0, 1, 0)).toBe(0);
  });
  it("v3-8 PROT_SEAL_* in mmap seals from the beginning, and makes it sealable", () => {
    s.map(10, 1, 3 | PROT_SEAL_PROT_PKEY);
    expect(s.seals(10)).toBe("BASE, PROT_PKEY");
    expect(s.protect(10, 1, 1)).toBe(-EACCES);
    expect(s.call(10, 1, DISCARD)).toBe(0);
    s.map(12, 1, 3 | PROT_SEAL_SEAL);
    expect(s.call(12, 1, SEAL_BASE)).toBe(-EACCES);
  });
  it("v3-8 mprotect and remap_file_pages do not take it", () => {
    expect(s.protect(0, 1, 1 | PROT_SEAL_BASE)).toBe(-EINVAL);
    expect(s.mm.remapFilePages(BASE, PG, PROT_SEAL_BASE, 0, 0)).toBe(-EINVAL);
  });
  it("v3-9 areas merge when seals and being sealable are equal", () => {
    s.call(0, 2, SEAL_BASE);
    expect(s.draw()).toBe("[+0+2 rw sl][+2+2 rw sl]");
    s.call(2, 2, SEAL_BASE);
    expect(s.draw()).toBe("[+0+4 rw sl]");
    s.map(4, 1);
    expect(s.draw()).toBe("[+0+4 rw sl][+4+1 rw]");
  });
  it("v3-10 what the thread came to is mainline's: one bit, any memory, EPERM, a discard needs the right to write", () => {
    s = new SealedSpace("linux");
    s.map(0, 4);
    expect(s.call(0, 4, SEAL_BASE)).toBe(-EINVAL);
    expect(s.call(0, 4)).toBe(0);
    expect(s.munmap(0, 1)).toBe(-EPERM);
    expect(s.advise(0, 1, 4)).toBe(0);
    s.map(10, 1, 1);
    s.call(10, 1);
    expect(s.advise(10, 1, 4)).toBe(-EPERM);
  });
  it("7.4 without its configuration: ENOSYS, and PROT_SEAL_* is EINVAL", () => {
    s = new SealedSpace("rfc-v3:unconfigured");
    s.map(0, 1);
    expect(s.call(0, 1, SEAL_BASE)).toBe(-ENOSYS);
    expect(s.map(2, 1, 3 | PROT_SEAL_BASE)).toBe(-EINVAL);
    expect(s.munmap(0, 1)).toBe(0);
  });
  it("today: any memory, every seal", () => {
    s = new SealedSpace("rfc-v3:today");
    s.map(0, 1);
    expect(s.call(0, 1)).toBe(0);
    expect(s.seals(0)).toBe("SEAL, BASE, PROT_PKEY, DISCARD_RO_ANON");
  });
});
