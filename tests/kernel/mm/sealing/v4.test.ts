import { beforeEach, describe, expect, it } from "vitest";
import { EACCES, EINVAL, ENOMEM, EPERM } from "../../../../kernel/errno.js";
import { ANON, BASE, PG } from "../space.js";
import { SealedSpace } from "./sealed-space.js";

const PROT_SEAL = 0x0400_0000;
const MAP_SEALABLE = 0x0800_0000;

describe.each([
  ["v4", EACCES],
  ["v4:eperm", EPERM],
])("%s", (model, errno) => {
  let s: SealedSpace;
  beforeEach(() => {
    s = new SealedSpace(model);
    s.map(0, 4, 3, ANON | MAP_SEALABLE);
    s.store(0, 7);
  });

  it("7.5-1 three arguments, flags 0", () => {
    expect(s.call(0, 1, 1)).toBe(-EINVAL);
    expect(s.call(0, 1, 0, 77)).toBe(0);
    expect(s.seals(0)).toBe("sealed");
  });
  it("address and length are checked as mainline does", () => {
    expect(s.mm.mseal(BASE + 1, PG, 0)).toBe(-EINVAL);
    expect(s.mm.mseal(BASE, 2n ** 64n - 4096n, 0)).toBe(-EINVAL);
    expect(s.mm.mseal(BASE, 0, 0)).toBe(0);
    expect(s.call(0, 5)).toBe(-ENOMEM);
    expect(s.seals(0)).toBe("");
  });
  it("7.5-2 memory that was not mapped for it is not sealed", () => {
    s.map(10, 1);
    expect(s.call(10, 1)).toBe(-errno);
    expect(s.why).toBe("mseal.sealed by sealable");
  });
  it("7.5-2 MAP_SEALABLE alone seals nothing", () => {
    expect(s.munmap(0, 1)).toBe(0);
    expect(s.mm.snapshotArea(s.mm.findArea(s.at(1))!).sealed).toBe(false);
    expect(s.mm.formatSmaps()).not.toMatch(/ sl /);
  });
  it("7.5-2 PROT_SEAL in mmap seals, and the rights are as asked", () => {
    s.map(10, 1, 1 | PROT_SEAL);
    expect(s.draw()).toContain("[+10+1 r sl]");
    expect(s.munmap(10, 1)).toBe(-errno);
    expect(s.call(10, 1)).toBe(0);
  });
  it("mprotect does not take PROT_SEAL", () => {
    expect(s.protect(0, 1, 1 | PROT_SEAL)).toBe(-EINVAL);
  });
  it("7.5-3 munmap: EACCES before v7, EPERM from v7 on", () => {
    s.call(2, 1);
    expect(s.munmap(0, 4)).toBe(-errno);
    expect(s.draw()).toBe("[+0+2 rw sl][+2+1 rw sl][+3+1 rw sl]");
  });
  it("mmap over it", () => {
    s.call(2, 1);
    expect(s.overlay(0, 4)).toBe(-errno);
    expect(s.load(0)).toBe(7);
  });
  it("mremap from it and to it", () => {
    s.map(20, 4);
    s.call(2, 1);
    expect(s.remap(0, 4, 4, 40)).toBe(-errno);
    expect(s.remap(20, 4, 4, 0)).toBe(-errno);
  });
  it("mprotect and pkey_mprotect, of the whole range or not at all", () => {
    s.call(2, 1);
    expect(s.protect(0, 4, 1)).toBe(-errno);
    expect(s.mm.findArea(BASE)!.prot).toBe(3);
    expect(s.protect(2, 1, 3, 0)).toBe(-errno);
  });
  it("3.3 discards of what its caller could not overwrite, of the whole range or not at all", () => {
    s.call(2, 2);
    s.map(0, 4, 3, ANON | MAP_SEALABLE);
    expect(s.advise(2, 1, 4)).toBe(0);
    s.map(10, 2, 3, ANON | MAP_SEALABLE);
    s.store(10, 9);
    s.protect(11, 1, 1);
    s.call(11, 1);
    expect(s.advise(10, 2, 4)).toBe(-errno);
    expect(s.load(10)).toBe(9);
    expect(s.advise(11, 1, 14)).toBe(0);
  });
  it("7.5-1 sealing again changes nothing; equal areas merge", () => {
    expect(s.call(0, 2)).toBe(0);
    expect(s.call(0, 4)).toBe(0);
    expect(s.draw()).toBe("[+0+4 rw sl]");
  });
  it("a child has the seal", () => {
    s.call(0, 4);
    expect(s.fork(2).munmap(BASE, PG)).toBe(-errno);
  });
});

describe("v4:today", () => {
  it("any memory can be sealed", () => {
    const s = new SealedSpace("v4:today:eperm");
    s.map(0, 1);
    expect(s.call(0, 1)).toBe(0);
    expect(s.munmap(0, 1)).toBe(-EPERM);
  });
});

describe("linux, which v9 became", () => {
  it("7.5-4 knows neither PROT_SEAL nor MAP_SEALABLE: what is mapped with them is not sealed, and all can be", () => {
    const s = new SealedSpace("linux");
    expect(s.map(0, 1, 3 | PROT_SEAL, ANON | MAP_SEALABLE)).toBe(BASE);
    expect(s.munmap(0, 1)).toBe(0);
    s.map(0, 1);
    expect(s.call(0, 1)).toBe(0);
    expect(s.munmap(0, 1)).toBe(-EPERM);
  });
});
