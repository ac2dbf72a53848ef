import { expect, it } from "vitest";
import { EACCES, EINVAL, EPERM } from "../../../kernel/errno.js";
import { MAP_ANONYMOUS, MAP_FIXED, MAP_PRIVATE, MAP_SHARED } from "../../../kernel/mm/uapi.js";
import { PG, Space } from "./space.js";

/* Spec 3.4: which advice answers what, by kind of mapping, permission and seal (6.17 and later). */

const ADVICES = [
  0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 102, 103,
];

type State = "open" | "w" | "ro" | "no";
type Rows = Record<State, readonly [unsealed: string, sealed: string]>;

const same = (open: string, w: string, ro: string, no: string): Rows => ({
  open: [open, open],
  w: [w, w],
  ro: [ro, ro],
  no: [no, no],
});

const FILE = same(
  "00000IA00000000I000000I00",
  "00000IA00000000I000I00I00",
  "00000IA00000000I0000I0I00",
  "00000IA00000000I000II0I00",
);
const SHARED = same(
  "00000I000000000I000000I00",
  "00000I000000000I000I00I00",
  "00000I000000000I0000I0I00",
  "00000I000000000I000II0I00",
);
const EXPECTED: Record<string, Rows> = {
  anonymous: {
    open: ["000000I000000000000000I00", "000000I000000000000000I00"],
    w: ["000000I000000000000I00I00", "000000I000000000000I00I00"],
    ro: ["000000I0000000000000I0I00", "0000PPPP0000000P0000IPIP0"],
    no: ["000000I000000000000II0I00", "0000PPPP0000000P000IIPIP0"],
  },
  "/dev/zero": {
    open: ["000000A00000000I000000I00", "000000A00000000I000000I00"],
    w: ["000000A00000000I000I00I00", "000000A00000000I000I00I00"],
    ro: ["000000A00000000I0000I0I00", "0000PPPP0000000P0000IPIP0"],
    no: ["000000A00000000I000II0I00", "0000PPPP0000000P000IIPIP0"],
  },
  "private file": FILE,
  "shared file by a read-only descriptor": FILE,
  "shared file": SHARED,
  "shared anonymous": SHARED,
  "anonymous, locked": {
    open: ["0000III0000000000II000II0", "0000III0000000000II000II0"],
    w: ["0000III0000000000III00II0", "0000III0000000000III00II0"],
    ro: ["0000III0000000000II0I0II0", "0000PPPP0000000P0II0IPIP0"],
    no: ["0000III0000000000IIII0II0", "0000PPPP0000000P0IIIIPIP0"],
  },
};

const AD = 1;
const WD = 2;

function stateOf(prot: number, rights: number): State {
  const read = (prot & 1) !== 0 && (rights & AD) === 0;
  const write = (prot & 2) !== 0 && rights === 0;
  return write ? (read ? "open" : "w") : read ? "ro" : "no";
}

function prepare(s: Space, kind: string, prot: number, base: number): void {
  const length = 2 * PG;
  const fixed = MAP_FIXED;
  const file = s.file(2, kind.includes("read-only") ? { writable: false } : {});
  const zero = { ...file, zeroDevice: true };
  const initial = kind.includes("read-only") ? prot & ~2 : prot;
  const result =
    kind === "/dev/zero"
      ? s.mm.mmap(base, length, initial, MAP_PRIVATE | fixed, zero, 0)
      : kind === "private file"
        ? s.mm.mmap(base, length, initial, MAP_PRIVATE | fixed, file, 0)
        : kind.startsWith("shared file")
          ? s.mm.mmap(base, length, initial, MAP_SHARED | fixed, file, 0)
          : s.mm.mmap(
              base,
              length,
              initial,
              (kind === "shared anonymous" ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS | fixed,
              null,
              0,
            );
  expect(result).toBe(base);
  if (kind.endsWith("locked")) s.mm.mlock(base, length);
}

const LETTERS = new Map([
  [0, "0"],
  [-EINVAL, "I"],
  [-EPERM, "P"],
  [-EACCES, "A"],
]);

for (const [kind, rows] of Object.entries(EXPECTED))
  it(`A-1 to A-12: ${kind}`, () => {
    for (const prot of [0, 1, 2, 3, 4, 5, 7])
      for (const rights of [0, AD, WD])
        for (const sealed of [false, true]) {
          if (kind.includes("read-only") && (prot & 2) !== 0) continue;
          let answers = "";
          const s = new Space({ ramMiB: 1 });
          s.mm.pkeyAlloc(0, 0);
          // Each advice has pages of its own, with a hole between.
          ADVICES.forEach((advice, index) => {
            const page = index * 4;
            s.setPkru(1, 0);
            prepare(s, kind, prot, s.at(page));
            s.protect(page, 2, prot, 1);
            s.setPkru(1, rights);
            if (sealed) s.seal(page, 2);
            answers += LETTERS.get(s.advise(page, 2, advice)) ?? "?";
          });
          expect(s.mm.checkInvariants()).toEqual([]);
          // Execute-only memory is "no" in the table's sense, and here has an ordinary key.
          const state = prot === 4 ? "no" : stateOf(prot, rights);
          expect(answers, `prot ${prot} rights ${rights} sealed ${sealed}`).toBe(rows[state][sealed ? 1 : 0]);
        }
  });
