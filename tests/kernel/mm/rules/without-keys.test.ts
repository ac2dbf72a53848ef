import { afterEach, describe, expect, it } from "vitest";
import { EINVAL, ENOSPC } from "../../../../kernel/errno.js";
import { RELEASES } from "../../../../kernel/release.js";
import { FETCH, READ } from "../../../../mmu/mmu.js";
import { Space } from "../space.js";

/* Rules of a processor without protection keys: keys.c's cases need one that has them. */

/** pkey_alloc: the first answer of an address space, and every later one. */
const FIRST: Readonly<Record<string, number>> = { "6.12": -ENOSPC, "7.2": -ENOSPC };

describe.each(RELEASES)("Linux $name", ({ name, rules }) => {
  let s: Space;
  const space = (): Space => {
    s = new Space({ pku: false, release: rules });
    s.mmu.setFeatures({ pke: false });
    return s;
  };
  afterEach(() => expect(s.mm.checkInvariants()).toEqual([]));

  it("4.4 pkey_alloc, pkey_free and pkey_mprotect", () => {
    const { mm } = space();
    s.map(0, 1);
    expect(mm.pkeyAlloc(1, 0)).toBe(-EINVAL);
    expect(mm.pkeyAlloc(0, 4)).toBe(-EINVAL);
    expect(mm.pkeyAlloc(0, 0)).toBe(FIRST[name] ?? -EINVAL);
    expect(mm.pkeyAlloc(0, 0)).toBe(-ENOSPC);
    expect(mm.pkeyFree(0)).toBe(-EINVAL);
    expect(s.protect(0, 1, 3, 0)).toBe(-EINVAL);
    expect(s.protect(0, 1, 1, -1)).toBe(0);
    expect(mm.formatSmaps()).not.toContain("ProtectionKey");
  });

  it("A-9 every discard of sealed writable memory is permitted", () => {
    space();
    s.map(0, 1);
    s.seal(0, 1);
    expect(s.advise(0, 1, 4)).toBe(0);
  });

  it("O-10 execute-only memory can be read", () => {
    space();
    s.map(0, 1);
    expect(s.protect(0, 1, 4)).toBe(0);
    expect(s.draw()).toBe("[+0+1 x]");
    expect(s.result(s.at(0), READ)).toBe("ok");
    expect(s.result(s.at(0), FETCH)).toBe("ok");
  });
});
