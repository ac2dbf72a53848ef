import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FETCH, READ, WRITE } from "../../../mmu/mmu.js";
import { EINVAL, ENOMEM, ENOSPC, EPERM } from "../../../kernel/errno.js";
import { BASE, PG, Space, ANON } from "./space.js";

/* Section 4 of the spec: protection keys, execute-only memory, faults with keys, kernel accesses. */

let s: Space;
beforeEach(() => {
  s = new Space();
});
afterEach(() => {
  expect(s.mm.checkInvariants()).toEqual([]);
});

const AD = 1;
const WD = 2;

describe("pkey_alloc and pkey_free", () => {
  it("L-1 gives 1 to 15, then ENOSPC; L-2 a failure leaves PKRU alone", () => {
    for (let key = 1; key < 16; key++) expect(s.mm.pkeyAlloc(0, 0)).toBe(key);
    const { pkru } = s.mmu;
    expect(pkru).toBe(0);
    expect(s.mm.pkeyAlloc(0, 1)).toBe(-ENOSPC);
    expect(s.mm.pkeyAlloc(1, 0)).toBe(-EINVAL);
    expect(s.mm.pkeyAlloc(0, 4)).toBe(-EINVAL);
    expect(s.mm.pkeyAlloc(0, 2n ** 63n)).toBe(-EINVAL);
    expect(s.mmu.pkru).toBe(pkru);
  });
  it("sets the caller's two bits to the initial rights", () => {
    s.mm.pkeyAlloc(0, WD);
    expect(s.mmu.pkru).toBe(0x5555_5558);
  });
  it("L-3 key 0 can be freed and comes back", () => {
    expect(s.mm.pkeyFree(0)).toBe(0);
    s.map(0, 1);
    expect(s.protect(0, 1, 1, 0)).toBe(-EINVAL);
    expect(s.protect(0, 1, 1)).toBe(0);
    expect(s.mm.pkeyAlloc(0, 0)).toBe(0);
  });
  it("L-4, L-5 a freed key stays on its memory, sealed or not", () => {
    s.map(0, 1);
    s.mm.pkeyAlloc(0, 0);
    s.protect(0, 1, 3, 1);
    s.seal(0, 1);
    const before = s.mmu.pkru;
    expect(s.mm.pkeyFree(1)).toBe(0);
    expect(s.mm.pkeyFree(1)).toBe(-EINVAL);
    expect(s.mmu.pkru).toBe(before);
    expect(s.draw()).toBe("[+0+1 rw k1 sl]");
    expect(s.mm.formatSmaps()).toContain("ProtectionKey:         1\n");
    expect(s.mm.pkeyAlloc(0, AD)).toBe(1);
    expect(s.result(s.at(0), READ)).toBe("4 0x4");
  });
  it("L-6 a key splits, setting it back merges", () => {
    s.map(0, 3);
    s.mm.pkeyAlloc(0, 0);
    s.protect(1, 1, 3, 1);
    expect(s.draw()).toBe("[+0+1 rw][+1+1 rw k1][+2+1 rw]");
    s.protect(1, 1, 3, 0);
    expect(s.draw()).toBe("[+0+3 rw]");
  });
  it("L-7 mprotect and mremap keep the key, a new mapping has none", () => {
    s.map(0, 2);
    s.mm.pkeyAlloc(0, 0);
    s.protect(0, 2, 3, 1);
    s.protect(0, 1, 1);
    expect(s.draw()).toBe("[+0+1 r k1][+1+1 rw k1]");
    s.mm.mremap(s.at(1), PG, PG, 3, s.at(9));
    s.map(0, 1);
    expect(s.draw()).toBe("[+0+1 rw][+9+1 rw k1]");
  });
  it("key arguments that are none", () => {
    s.map(0, 1);
    for (const key of [-2, 1, 15, 16, 1 << 20]) expect(s.protect(0, 1, 1, key)).toBe(-EINVAL);
    for (const key of [-1, 1, 16]) expect(s.mm.pkeyFree(key)).toBe(-EINVAL);
  });
});

describe("4.4 without keys in the CPU", () => {
  beforeEach(() => {
    s = new Space({ pku: false });
    s.mmu.setFeatures({ pke: false });
  });
  it("6.18: the first pkey_alloc is EINVAL, later ones ENOSPC; bad arguments EINVAL", () => {
    expect(s.mm.pkeyAlloc(1, 0)).toBe(-EINVAL);
    expect(s.mm.pkeyAlloc(0, 0)).toBe(-EINVAL);
    expect(s.mm.pkeyAlloc(0, 0)).toBe(-ENOSPC);
    expect(s.mm.pkeyFree(0)).toBe(-EINVAL);
  });
  it("pkey_mprotect takes -1 only; O-10 execute-only memory is readable; smaps has no key line", () => {
    s.map(0, 1);
    expect(s.protect(0, 1, 3, 0)).toBe(-EINVAL);
    expect(s.protect(0, 1, 4, -1)).toBe(0);
    expect(s.result(s.at(0), READ)).toBe("ok");
    expect(s.mm.formatSmaps()).not.toContain("ProtectionKey");
  });
});

describe("4.6 execute-only memory", () => {
  it("O-1, O-2 takes the lowest key, hides it and denies it to the caller", () => {
    s.mmu.setPkru(0);
    s.map(0, 1);
    expect(s.protect(0, 1, 4)).toBe(0);
    expect(s.draw()).toBe("[+0+1 x k1]");
    expect(s.mmu.pkru).toBe(4);
    expect(s.mm.pkeyFree(1)).toBe(-EINVAL);
    expect(s.protect(0, 1, 4, 1)).toBe(-EINVAL);
    expect(s.result(s.at(0), READ)).toBe("4 0x4");
    expect(s.result(s.at(0), FETCH)).toBe("ok");
    expect(s.result(s.at(0), READ)).toBe("4 0x25");
  });
  it("O-3 another protection gives key 0; PROT_EXEC overrides the program's key", () => {
    s.map(0, 1);
    s.mm.pkeyAlloc(0, 0);
    s.protect(0, 1, 3, 1);
    s.protect(0, 1, 4);
    expect(s.draw()).toBe("[+0+1 x k2]");
    s.protect(0, 1, 1);
    expect(s.draw()).toBe("[+0+1 r]");
  });
  it("O-4 an explicit key is taken as it is", () => {
    s.map(0, 1);
    s.mm.pkeyAlloc(0, 0);
    s.protect(0, 1, 4, 1);
    expect(s.draw()).toBe("[+0+1 x k1]");
    expect(s.mm.executeOnlyKey).toBe(-1);
  });
  it("O-5 with all keys taken the memory stays readable", () => {
    for (let i = 0; i < 15; i++) s.mm.pkeyAlloc(0, 0);
    s.map(0, 1, 4);
    expect(s.draw()).toBe("[+0+1 x]");
    expect(s.result(s.at(0), READ)).toBe("ok");
  });
  it("O-6 every later PROT_EXEC denies it again", () => {
    s.map(0, 1, 4);
    s.setPkru(1, 0);
    s.protect(0, 1, 4);
    expect(s.mmu.pkru & 0xc).toBe(4);
  });
  it("O-8 MAP_POPULATE succeeds and brings nothing in", () => {
    expect(s.map(0, 2, 4, ANON | 0x8000)).toBe(BASE);
    expect(s.mm.anonPages).toBe(0);
  });
  it("O-9 which failing mmap takes the key", () => {
    expect(s.mm.mmap(0, 0, 4, ANON, null, 0)).toBe(-EINVAL);
    expect(s.mm.executeOnlyKey).toBe(-1);
    expect(s.mm.mmap(BASE, PG, 4, 0x30, null, 0)).toBe(-EINVAL);
    expect(s.mm.executeOnlyKey).toBe(1);
    s = new Space();
    expect(s.protect(0, 1, 4)).toBe(-ENOMEM);
    expect(s.mm.executeOnlyKey).toBe(-1);
  });
});

describe("4.7 faults with keys (F-1 to F-3)", () => {
  const KEY = 1;
  /** [what] [rights] [kind] -> code and error code. */
  function page(prot: number, rights: number, touched: "written" | "read" | "no"): void {
    s.map(0, 1, 3);
    s.mm.pkeyAlloc(0, 0);
    if (touched === "written") s.store(0, 1);
    if (touched === "read") s.load(0);
    s.protect(0, 1, prot, KEY);
    s.setPkru(KEY, rights);
  }
  const table: [string, number, number, "written" | "read" | "no", [kind: 0 | 1 | 2, answer: string][]][] = [
    [
      "RW present, AD",
      3,
      AD,
      "written",
      [
        [READ, "4 0x25"],
        [WRITE, "4 0x27"],
      ],
    ],
    [
      "RW not present, AD",
      3,
      AD,
      "no",
      [
        [READ, "4 0x4"],
        [WRITE, "4 0x6"],
      ],
    ],
    [
      "RW present, WD",
      3,
      WD,
      "written",
      [
        [READ, "ok"],
        [WRITE, "4 0x27"],
      ],
    ],
    ["RW with the zero page, WD", 3, WD, "read", [[WRITE, "4 0x27"]]],
    ["RW not present, WD", 3, WD, "no", [[WRITE, "4 0x6"]]],
    ["RO present, open", 1, 0, "written", [[WRITE, "2 0x7"]]],
    ["RO present, AD", 1, AD, "written", [[WRITE, "4 0x27"]]],
    ["RO present, WD", 1, WD, "written", [[WRITE, "4 0x27"]]],
    [
      "NONE, open",
      0,
      0,
      "written",
      [
        [READ, "2 0x4"],
        [WRITE, "2 0x6"],
        [FETCH, "2 0x14"],
      ],
    ],
    [
      "NONE, AD",
      0,
      AD,
      "written",
      [
        [READ, "4 0x4"],
        [WRITE, "4 0x6"],
      ],
    ],
    [
      "NONE, WD",
      0,
      WD,
      "written",
      [
        [READ, "2 0x4"],
        [WRITE, "4 0x6"],
      ],
    ],
    ["RX, AD", 5, AD, "no", [[FETCH, "ok"]]],
    ["RW, AD, executed", 3, AD, "no", [[FETCH, "2 0x15"]]],
    ["R, AD, executed", 1, AD, "no", [[FETCH, "2 0x15"]]],
  ];
  for (const [name, prot, rights, touched, answers] of table)
    for (const [kind, answer] of answers)
      it(`${name}, ${["read", "write", "exec"][kind]}: ${answer}`, () => {
        page(prot, rights, touched);
        expect(s.result(s.at(0), kind)).toBe(answer);
      });

  it("unmapped memory is MAPERR whatever PKRU says", () => {
    s.mmu.setPkru(0xffff_ffff);
    expect(([READ, WRITE, FETCH] as const).map((kind) => s.result(s.at(5), kind))).toEqual([
      "1 0x4",
      "1 0x6",
      "1 0x14",
    ]);
  });
  it("beyond the end of a file: the key first, then SIGBUS", () => {
    s.mapFile(0, 4, 3, 1, s.file(2));
    s.mm.pkeyAlloc(0, 0);
    expect(s.result(s.at(3), READ)).toBe("BUS 2 0x4");
    s.protect(0, 4, 3, 1);
    s.setPkru(1, AD);
    expect(s.result(s.at(3), READ)).toBe("4 0x4");
  });
  it("a stack has grown although its key then refuses", () => {
    s.map(300, 2, 3, ANON | 0x100);
    s.mm.pkeyAlloc(0, 0);
    s.protect(300, 2, 3, 1);
    s.setPkru(1, AD);
    expect(s.result(s.at(299), WRITE)).toBe("4 0x6");
    expect(s.draw()).toBe("[+299+3 rw k1 gd]");
  });
  it("names the key, PKRU and who wrote it", () => {
    page(3, WD, "written");
    s.access(s.at(0), WRITE);
    expect(s.refusals.at(-1)).toMatchObject({
      rule: "fault.key",
      key: 1,
      pkru: 0x5555_5558,
      pkruWrittenBy: { instruction: 1000, rip: 0x400f00 },
    });
    expect(s.refusals.at(-1)?.path).toHaveLength(4);
  });
});

describe("4.8 kernel accesses", () => {
  beforeEach(() => {
    s.map(0, 2);
    s.mm.pkeyAlloc(0, 0);
    s.store(0, 65);
    s.store(1, 66);
    s.protect(1, 1, 3, 1);
  });
  it("N-1 copies honour PKRU and count the bytes before the refusal", () => {
    s.setPkru(1, AD);
    expect(s.user.copyOut(s.at(1) - 10, new Uint8Array(20))).toBe(10);
    expect(s.user.copyIn(s.at(1) - 10, new Uint8Array(20))).toBe(10);
    s.setPkru(1, WD);
    expect(s.user.copyIn(s.at(1), new Uint8Array(20))).toBe(20);
    expect(s.user.copyOut(s.at(1), new Uint8Array(20))).toBe(0);
    expect(s.user.lastFault).toMatchObject({ signal: 11, code: 4, key: 1 });
  });
  it("N-3 mlock of a denied key is ENOMEM with the lock kept", () => {
    s.setPkru(1, WD);
    expect(s.mm.mlock(s.at(1), PG)).toBe(-ENOMEM);
    expect(s.draw()).toBe("[+0+1 rw][+1+1 rw k1 lo]");
    expect(s.advise(1, 1, 23)).toBe(-EINVAL);
  });
  it("N-4 changing the map does not ask PKRU", () => {
    s.setPkru(1, AD);
    expect(s.advise(1, 1, 4)).toBe(0);
    expect(s.protect(1, 1, 1)).toBe(0);
    expect(s.munmap(1, 1)).toBe(0);
  });
  it("A-8, A-12 a discard of sealed memory asks the caller's PKRU, area by area", () => {
    s.map(2, 1);
    s.store(2, 67);
    s.seal(0, 3);
    s.setPkru(1, WD);
    expect(s.advise(0, 3, 4)).toBe(-EPERM);
    s.setPkru(1, 0);
    expect([0, 1, 2].map((page) => s.load(page))).toEqual([0, 66, 67]);
    expect(s.advise(0, 3, 4)).toBe(0);
    expect(s.load(1)).toBe(0);
    s.setPkru(0, WD);
    expect(s.advise(0, 1, 4)).toBe(-EPERM);
  });
});
