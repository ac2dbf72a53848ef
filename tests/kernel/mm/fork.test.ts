import { beforeEach, describe, expect, it } from "vitest";
import type { AddressSpace } from "../../../kernel/mm/address-space.js";
import { checkMachine } from "../../../kernel/mm/check-machine.js";
import { EACCES, ENOMEM } from "../../../kernel/errno.js";
import { MAP_FIXED, MAP_PRIVATE, MAP_SHARED } from "../../../kernel/mm/uapi.js";
import { VM_LOCKED } from "../../../kernel/mm/vm-flags.js";
import { READ, WRITE } from "../../../mmu/mmu.js";
import { pteFrame } from "../../../mmu/page-table-entry.js";
import { ANON, PG, Space } from "./space.js";

const MADV_DONTFORK = 10;
const MADV_WIPEONFORK = 18;
const MADV_GUARD_INSTALL = 102;

let s: Space;
beforeEach(() => {
  s = new Space();
});

/** The same machine seen from another address space. */
function as(mm: AddressSpace): Space {
  mm.activate();
  return Object.assign(Object.create(Space.prototype), s, { mm }) as Space;
}

function frameAt(mm: AddressSpace, va: number): number {
  return pteFrame(mm.translations.low(va));
}

/** All address spaces there are, and nothing beside them, hold the frames. */
function consistent(...spaces: AddressSpace[]): void {
  const tasks = new Map(spaces.map((mm, i) => [i, { mm }]));
  for (const mm of spaces) mm.users = Math.max(mm.users, 1);
  expect(checkMachine({ frames: s.frames, tasks })).toEqual([]);
}

describe("fork", () => {
  it("costs page tables alone; each first write one frame, the last sharer none", () => {
    s.map(0, 8);
    for (let page = 0; page < 8; page++) s.store(page, page + 1);
    const before = s.frames.inUse;
    const child = s.fork(2);
    expect(s.frames.inUse - before).toBe(child.tables.tableFrames);
    expect(child.anonPages).toBe(8);
    consistent(s.mm, child);
    const forked = s.frames.inUse;
    const shared = frameAt(s.mm, s.at(3));

    const inChild = as(child);
    inChild.store(3, 0x77);
    expect(s.frames.inUse).toBe(forked + 1);
    expect(frameAt(child, s.at(3))).not.toBe(shared);
    const inParent = as(s.mm);
    inParent.store(3, 0x55);
    expect(s.frames.inUse).toBe(forked + 1);
    expect(frameAt(s.mm, s.at(3))).toBe(shared);
    consistent(s.mm, child);
    expect(as(child).load(3)).toBe(0x77);
    expect(as(child).load(4)).toBe(5);

    as(s.mm);
    child.release();
    expect(s.frames.inUse).toBe(before);
    for (let page = 0; page < 8; page++) inParent.store(page, 0x11);
    expect(s.frames.inUse).toBe(before);
    consistent(s.mm);
  });

  it("a parent whose child is gone writes its pages without a copy, and so does the last of three", () => {
    s.map(0, 1);
    s.store(0, 1);
    const frame = frameAt(s.mm, s.at(0));
    const child = s.fork(2);
    const grandchild = s.fork(3, child);
    expect(s.frames.references(frame)).toBe(3);
    s.mm.munmap(s.at(0), PG);
    child.release();
    const inUse = s.frames.inUse;
    as(grandchild).store(0, 9);
    expect(frameAt(grandchild, s.at(0))).toBe(frame);
    expect(s.frames.inUse).toBe(inUse);
  });

  it("no TLB entry lets the parent write a shared page", () => {
    s.map(0, 1);
    s.store(0, 1);
    const child = s.fork(2);
    expect(s.mmu.access(s.at(0), WRITE)).toBe(-1);
    expect(s.mmu.access(s.at(0), READ)).not.toBe(-1);
    s.store(0, 2);
    expect(as(child).load(0)).toBe(1);
  });

  it("copies pages without permission, guards, keys and seals; not locks, not what is marked so", () => {
    s.map(0, 12);
    for (let page = 0; page < 12; page++) s.store(page, page + 1);
    s.protect(1, 1, 0);
    s.advise(2, 1, MADV_GUARD_INSTALL);
    s.mm.pkeyAlloc(0, 0);
    s.protect(3, 1, 3, 1);
    s.seal(4, 1);
    s.advise(5, 1, MADV_DONTFORK);
    s.advise(6, 1, MADV_WIPEONFORK);
    s.mm.mlock(s.at(7), PG);
    const child = s.fork(2);
    consistent(s.mm, child);
    expect(child.stats.lockedVm).toBe(0);
    expect(child.tree.find(s.at(7))!.flags & VM_LOCKED).toBe(0);
    expect(child.stats.totalVm).toBe(s.mm.stats.totalVm - 1);
    expect(child.stats.committed).toBe(11);
    const c = as(child);
    expect(c.result(s.at(1), READ)).toBe("2 0x4");
    expect(c.protect(1, 1, 1)).toBe(0);
    expect(c.load(1)).toBe(2);
    expect(c.result(s.at(2), READ)).toBe("1 0x4");
    expect(child.tree.find(s.at(3))!.key).toBe(1);
    expect(c.mm.pkeyFree(1)).toBe(0);
    expect(c.munmap(4, 1)).toBe(-1);
    expect(child.tree.find(s.at(5))).toBe(null);
    expect(c.load(6)).toBe(0);
    expect(as(s.mm).load(6)).toBe(7);
    consistent(s.mm, child);
  });

  it("shared memory stays shared, whoever touches it first", () => {
    const file = s.file(4);
    s.map(0, 2, 3, MAP_SHARED | 0x20);
    s.mapFile(8, 4, 3, MAP_SHARED, file);
    s.mapFile(16, 4, 3, MAP_PRIVATE, file);
    s.store(16, 0xee);
    const child = s.fork(2);
    as(child).store(0, 0x21);
    as(child).store(9, 0x22);
    const p = as(s.mm);
    expect(p.load(0)).toBe(0x21);
    expect(p.load(9)).toBe(0x22);
    expect(p.load(17)).toBe(0x22);
    expect(as(child).load(16)).toBe(0xee);
    consistent(s.mm, child);
    // A hole punched by one is a hole for all; private copies stay.
    as(s.mm);
    s.mm.madvise(s.at(8), 2 * PG, 9);
    expect(as(child).load(9)).toBe(0);
    expect(as(child).load(16)).toBe(0xee);
    file.pages.truncate(PG);
    expect(as(child).result(s.at(9), READ)).toMatch(/^BUS/);
    expect(as(child).result(s.at(17), READ)).toMatch(/^BUS/);
    consistent(s.mm, child);
    child.release();
    as(s.mm);
    expect(s.load(0)).toBe(0x21);
    consistent(s.mm);
  });

  it("shared anonymous memory lives as long as its last process", () => {
    const before = s.frames.inUse;
    s.map(0, 2, 3, MAP_SHARED | 0x20);
    s.store(0, 1);
    const child = s.fork(2);
    s.munmap(0, 2);
    expect(as(child).load(0)).toBe(1);
    as(s.mm);
    child.release();
    expect(s.frames.inUse).toBe(before);
  });

  it("is ENOMEM at whatever frame is missing, and leaves nothing behind", () => {
    let failures = 0;
    for (let spare = 0; ; spare++) {
      s = new Space({ ramMiB: 1 });
      // Four page tables, far from each other.
      for (let i = 0; i < 4; i++) {
        s.mm.mmap(s.at(0) + i * 2 ** 31, 2 * PG, 3, ANON | MAP_FIXED, null, 0);
        s.user.writeBytes(s.at(0) + i * 2 ** 31, Uint8Array.of(i + 1));
      }
      const taken: number[] = [];
      while (s.frames.free > spare) taken.push(s.frames.allocate());
      const { inUse } = s.frames;
      const committed = s.env.commit.pages;
      const child = s.mm.fork(s.env, 2);
      expect(s.mm.checkInvariants()).toEqual([]);
      for (let i = 0; i < 4; i++) expect(s.user.readU8(s.at(0) + i * 2 ** 31)).toBe(i + 1);
      if (typeof child !== "number") {
        expect(spare).toBe(child.tables.tableFrames);
        expect(failures).toBe(spare);
        break;
      }
      failures++;
      expect(child).toBe(-ENOMEM);
      expect(s.frames.inUse).toBe(inUse);
      expect(s.env.commit.pages).toBe(committed);
      for (let i = 0; i < 4; i++)
        expect(s.user.writeBytes(s.at(0) + i * 2 ** 31, Uint8Array.of(i + 2))).toBe(true);
      expect(s.frames.inUse).toBe(inUse);
    }
  });

  it("is ENOMEM when strict accounting has no room for the copy", () => {
    s = new Space({
      settings: { ...s.env.settings, overcommit: 2, adminReserveKbytes: 0, userReserveKbytes: 0 },
    });
    const pages = Math.floor(s.frames.total * 0.3);
    s.map(0, pages);
    expect(s.mm.fork(s.env, 2)).toBe(-ENOMEM);
    expect(s.env.commit.pages).toBe(pages);
    s.munmap(0, pages - 10);
    const child = s.fork(3);
    expect(s.env.commit.pages).toBe(20);
    child.release();
    expect(s.env.commit.pages).toBe(10);
  });

  it("hands MDWE on, unless PR_MDWE_NO_INHERIT was given", () => {
    s.mm.denyWriteExec = true;
    const child = s.fork(2);
    expect(child.mmap(s.at(0), PG, 7, ANON | MAP_FIXED, null, 0)).toBe(-EACCES);
    s.mm.mdweNotInherited = true;
    const free = s.fork(3);
    expect(free.mmap(s.at(0), PG, 7, ANON | MAP_FIXED, null, 0)).toBe(s.at(0));
    expect(free.mdweNotInherited).toBe(false);
  });

  it("areas of a forked child do not grow together with what was never touched, nor with each other", () => {
    // Linux 6.18 says so too: tests/recorded/mm/fuzz-6.18.json.gz.
    s.map(0, 2);
    s.store(0, 1);
    s.map(4, 2);
    s.store(4, 1);
    const child = as(s.fork(2));
    child.map(2, 1);
    expect(child.draw()).toBe("[+0+2 rw][+2+1 rw][+4+2 rw]");
    // Its own halves come together again.
    child.protect(0, 1, 1);
    child.protect(0, 1, 3);
    expect(child.draw()).toBe("[+0+2 rw][+2+1 rw][+4+2 rw]");
    // The parent's are as ever: two sets of pages keep apart, what was never touched joins.
    const parent = as(s.mm);
    parent.map(2, 2);
    expect(parent.draw()).toBe("[+0+4 rw][+4+2 rw]");
  });

  it("the last of several users releases it", () => {
    s.map(0, 1);
    s.store(0, 1);
    const before = s.frames.inUse;
    const child = s.fork(2).hold().hold();
    child.drop();
    expect(child.anonPages).toBe(1);
    child.drop();
    expect(s.frames.inUse).toBe(before);
  });
});
