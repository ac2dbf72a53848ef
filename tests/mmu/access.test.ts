import { describe, expect, it } from "vitest";
import { RAM_BASE } from "../../mmu/layout.js";
import { FETCH, Mmu, READ, WRITE, type AccessKind } from "../../mmu/mmu.js";
import { PhysicalMemory } from "../../mmu/physical-memory.js";
import { walk } from "../../mmu/walk.js";
import { THOROUGH } from "../thorough.js";

/*
 * Every combination of the bits of an upper entry, the bits of a leaf, PKRU and the kind of access, against a
 * predictor that knows no entries, only the facts they stand for (SDM vol. 3A, 4.5 to 4.8, spec K-1 to K-4). The
 * upper entry under test stands at each of the three upper levels in turn; with PS set it is the leaf itself.
 */

const VA = 0x0000_1234_5678_9000 + 0x123;
const HIGH = Math.floor(VA / 2 ** 32);
const LOW = VA >>> 0;
const INDEX = [
  0,
  (LOW >>> 12) & 511,
  (LOW >>> 21) & 511,
  ((HIGH << 2) | (LOW >>> 30)) & 511,
  (HIGH >>> 7) & 511,
];
const KEY = 5;
const TABLES = [0, 1, 2, 3, 4]; // frame of the table of each level
const DATA_FRAME = 0x600; // a multiple of 512: also the start of a 2 MiB page

interface Facts {
  present: boolean;
  writable: boolean;
  user: boolean;
  accessed: boolean;
  dirty: boolean;
  large: boolean;
  noExecute: boolean;
  reserved: boolean;
}

interface Access {
  kind: AccessKind;
  user: boolean;
  wp: boolean;
  pke: boolean;
  nxe: boolean;
  accessDisable: boolean;
  writeDisable: boolean;
}

/** What the architecture says must happen. */
function predict(upperLevel: number, upper: Facts, leaf: Facts, access: Access) {
  const writing = access.kind === WRITE;
  const fetching = access.kind === FETCH;
  const base = (writing ? 2 : 0) + (access.user ? 4 : 0) + (fetching && access.nxe ? 16 : 0);
  const untouched = { upperAccessed: upper.accessed, leafAccessed: leaf.accessed, leafDirty: leaf.dirty };
  const broken = (entry: Facts, level: number) =>
    entry.reserved || (entry.noExecute && !access.nxe) || (entry.large && level === 4);
  if (!upper.present) return { fault: base, ...untouched };
  if (broken(upper, upperLevel)) return { fault: base + 1 + 8, ...untouched };
  const upperIsLeaf = upper.large;
  const upperAccessed = upper.accessed || !upperIsLeaf;
  const last = upperIsLeaf ? upper : leaf;
  if (!upperIsLeaf) {
    if (!leaf.present) return { fault: base, ...untouched, upperAccessed };
    if (broken(leaf, 1)) return { fault: base + 1 + 8, ...untouched, upperAccessed };
  }
  const userPage = upper.user && (upperIsLeaf || leaf.user);
  const writable = upper.writable && (upperIsLeaf || leaf.writable);
  const executable = !upper.noExecute && (upperIsLeaf || !leaf.noExecute);
  let refused = false;
  let keyRefused = false;
  if (access.user && !userPage) refused = true;
  else {
    if (fetching && !executable) refused = true;
    if (writing && !writable && (access.user || access.wp)) refused = true;
    if (!fetching && access.pke && userPage) {
      if (access.accessDisable) keyRefused = true;
      if (writing && access.writeDisable && (access.user || access.wp)) keyRefused = true;
    }
  }
  if (refused || keyRefused) return { fault: base + 1 + (keyRefused ? 32 : 0), ...untouched, upperAccessed };
  return {
    fault: -1,
    upperAccessed: true,
    leafAccessed: upperIsLeaf ? leaf.accessed : true,
    leafDirty: upperIsLeaf ? leaf.dirty : leaf.dirty || writing,
    lastDirty: last.dirty || writing,
  };
}

function factsOf(bits: number): Facts {
  return {
    present: (bits & 1) !== 0,
    writable: (bits & 2) !== 0,
    user: (bits & 4) !== 0,
    accessed: (bits & 8) !== 0,
    dirty: (bits & 16) !== 0,
    noExecute: (bits & 32) !== 0,
    reserved: (bits & 64) !== 0,
    large: (bits & 128) !== 0,
  };
}

function lowHalf(facts: Facts, frame: number): number {
  return (
    ((frame << 12) |
      (facts.present ? 1 : 0) |
      (facts.writable ? 2 : 0) |
      (facts.user ? 4 : 0) |
      (facts.accessed ? 0x20 : 0) |
      (facts.dirty ? 0x40 : 0) |
      (facts.large ? 0x80 : 0)) >>>
    0
  );
}

function highHalf(facts: Facts): number {
  return ((facts.noExecute ? 0x8000_0000 : 0) | (KEY << 27) | (facts.reserved ? 1 << 7 : 0)) >>> 0;
}

const FACTS = Array.from({ length: 256 }, (_, bits) => factsOf(bits));

const memory = new PhysicalMemory(16 * 2 ** 20);

function entryWord(level: number): number {
  return (RAM_BASE + TABLES[level] * 4096 + INDEX[level] * 8) >>> 2;
}

function put(level: number, low: number, high: number): void {
  memory.u32[entryWord(level)] = low;
  memory.u32[entryWord(level) + 1] = high;
}

function get(level: number): number {
  return memory.u32[entryWord(level)];
}

function runLevel(upperLevel: number): { cases: number; wrong: string[] } {
  const mmu = new Mmu(memory);
  mmu.setAddressSpace(TABLES[4], 1);
  const wrong: string[] = [];
  let cases = 0;
  for (let level = 4; level > 1; level--) put(level, ((TABLES[level - 1] << 12) | 0x27) >>> 0, 0);
  // The dirty bit means nothing in an entry that points to a table; the other bits all run.
  for (let control = 0; control < 8; control++) {
    const wp = (control & 1) !== 0;
    const pke = (control & 2) !== 0;
    const nxe = (control & 4) !== 0;
    mmu.setFeatures({ wp, pke, nxe });
    for (let upperBits = 0; upperBits < 256; upperBits++) {
      const upper = FACTS[upperBits];
      if (upper.dirty && !upper.large) continue;
      for (let leafBits = 0; leafBits < 128; leafBits++) {
        // Below a large page no leaf is reached; one is enough to see that.
        if (upper.large && leafBits > 0) break;
        const leaf = FACTS[leafBits];
        const upperFrame = upper.large ? (upperLevel === 3 ? 0 : DATA_FRAME) : TABLES[upperLevel - 1];
        const upperLow = lowHalf(upper, upperFrame);
        const upperHigh = highHalf(upper);
        const leafLow = lowHalf(leaf, DATA_FRAME);
        const leafHigh = highHalf(leaf);
        for (let who = 0; who < 24; who++) {
          const kind = (who % 3) as AccessKind;
          const user = who % 6 < 3;
          const rights = who < 6 ? 0 : who < 12 ? 1 : who < 18 ? 2 : 3;
          if (rights !== 0 && !pke && rights !== 3) continue;
          put(upperLevel, upperLow, upperHigh);
          put(1, leafLow, leafHigh);
          const pkru = (rights << (2 * KEY)) >>> 0;
          mmu.setPkru(pkru);
          mmu.invalidatePage(VA);
          const access: Access = {
            kind,
            user,
            wp,
            pke,
            nxe,
            accessDisable: (rights & 1) !== 0,
            writeDisable: (rights & 2) !== 0,
          };
          const expected = predict(upperLevel, upper, leaf, access);
          // A 1 GiB page from frame 0 reaches beyond this machine's RAM: the bus answers as a broken entry.
          const beyond = upper.large && upperLevel === 3 && expected.fault === -1;
          const pure = walk(memory, TABLES[4], HIGH, LOW, kind, user, mmu.features, pkru);
          const linear = mmu.access(VA, kind, user);
          const fault = linear === -1 ? mmu.fault.errorCode : -1;
          cases++;
          const say = (what: string) => {
            if (wrong.length < 10)
              wrong.push(`${what}: ${JSON.stringify({ upperLevel, upper, leaf, access, expected })}`);
          };
          if (beyond) {
            if ((fault & 9) !== 9 || pure.outcome !== "page-fault") say("beyond RAM");
            continue;
          }
          if (fault !== expected.fault) say(`access gave ${fault}`);
          if ((pure.outcome === "ok" ? -1 : pure.errorCode) !== expected.fault)
            say(`walk gave ${pure.errorCode}`);
          if (linear !== pure.linear) say("access and walk differ in the place");
          if (linear !== -1) {
            const frame = upper.large ? DATA_FRAME + ((LOW >>> 12) & 511) : DATA_FRAME;
            if (linear !== RAM_BASE + frame * 4096 + (VA % 4096)) say("wrong place");
          }
          const upperNow = get(upperLevel);
          if (((upperNow & 0x20) !== 0) !== expected.upperAccessed) say("upper A");
          if (!upper.large) {
            const leafNow = get(1);
            if (((leafNow & 0x20) !== 0) !== expected.leafAccessed) say("leaf A");
            if (((leafNow & 0x40) !== 0) !== expected.leafDirty) say("leaf D");
          } else if (expected.fault === -1 && ((upperNow & 0x40) !== 0) !== expected.lastDirty)
            say("large D");
          const last = pure.levels.at(-1);
          if (pure.outcome === "ok" && last && memory.u32[last.entryAddress >>> 2] !== last.newLow)
            say("walk's A/D");
          // Through the TLB: the same question again gets the same answer.
          const again = mmu.access(VA, kind, user);
          if (again !== linear || (again === -1 && mmu.fault.errorCode !== fault)) say("TLB");
          // What the TLB now holds for others is what a fresh walk permits.
          for (const other of [READ, WRITE] as const) {
            const hit = mmu.tlb.lookup(VA, other === WRITE);
            if (hit === 0) continue;
            const permitted = walk(memory, TABLES[4], HIGH, LOW, other, true, mmu.features, pkru);
            if (permitted.linear !== hit) say("the TLB permits what the walk does not");
            if (other === WRITE && ((upper.large ? get(upperLevel) : get(1)) & 0x40) === 0)
              say("write tag on a clean page");
          }
        }
      }
    }
  }
  return { cases, wrong };
}

describe("Mmu.access against the predictor (K-1 to K-4, spec 6.3)", () => {
  const levels = [
    [2, "page directory"],
    [3, "page-directory-pointer table"],
    [4, "PML4"],
  ] as const;
  for (const [level, name] of THOROUGH ? levels : levels.slice(1, 2)) {
    it(`every entry of the ${name} with every leaf, PKRU and access`, () => {
      const { cases, wrong } = runLevel(level);
      expect(wrong).toEqual([]);
      expect(cases).toBeGreaterThan(100_000);
    });
  }
});

describe("Mmu", () => {
  function mapped(flagsLow: number, flagsHigh = 0): Mmu {
    for (let level = 4; level > 1; level--) put(level, ((TABLES[level - 1] << 12) | 0x27) >>> 0, 0);
    put(1, ((DATA_FRAME << 12) | flagsLow) >>> 0, flagsHigh);
    const mmu = new Mmu(memory);
    mmu.setAddressSpace(TABLES[4], 7);
    return mmu;
  }

  it("gives no write tag to a clean page on a read, so that the first store sets the dirty bit", () => {
    const mmu = mapped(0x27);
    mmu.access(VA, READ);
    expect(mmu.tlb.lookup(VA, false)).toBeGreaterThan(0);
    expect(mmu.tlb.lookup(VA, true)).toBe(0);
    mmu.access(VA, WRITE);
    expect(mmu.tlb.lookup(VA, true)).toBeGreaterThan(0);
    expect(get(1) & 0x40).toBe(0x40);
  });

  it("never gives a write tag to a page with decoded code, and takes back the one it has", () => {
    const mmu = mapped(0x67);
    mmu.access(VA, WRITE);
    mmu.protectCode(DATA_FRAME);
    expect(mmu.tlb.lookup(VA, true)).toBe(0);
    expect(mmu.tlb.lookup(VA, false)).toBeGreaterThan(0);
    expect(mmu.access(VA, WRITE)).toBeGreaterThan(0);
    expect(mmu.tlb.lookup(VA, true)).toBe(0);
    mmu.unprotectCode(DATA_FRAME);
    mmu.access(VA, WRITE);
    expect(mmu.tlb.lookup(VA, true)).toBeGreaterThan(0);
  });

  it("keeps a bank for each PKRU and forgets the least recently used of seventeen", () => {
    const mmu = mapped(0x67, KEY << 27);
    for (let value = 0; value < 16; value++) {
      mmu.setPkru(value << 16);
      mmu.access(VA, READ);
    }
    const walks = mmu.walks;
    for (let value = 0; value < 16; value++) {
      mmu.setPkru(value << 16);
      mmu.access(VA, READ);
    }
    expect(mmu.walks).toBe(walks);
    mmu.setPkru(16 << 16);
    mmu.setPkru(0);
    mmu.access(VA, READ);
    expect(mmu.walks).toBe(walks + 1);
  });

  it("checks all sixteen keys", () => {
    for (let key = 0; key < 16; key++) {
      const mmu = mapped(0x67, key << 27);
      mmu.setPkru(1 << (2 * key));
      expect(mmu.access(VA, READ)).toBe(-1);
      expect(mmu.fault.errorCode).toBe(0x25);
      mmu.setPkru(2 << (2 * key));
      expect(mmu.access(VA, READ)).toBeGreaterThan(0);
      expect(mmu.access(VA, WRITE)).toBe(-1);
      expect(mmu.fault.errorCode).toBe(0x27);
      mmu.setPkru(~(3 << (2 * key)));
      expect(mmu.access(VA, WRITE)).toBeGreaterThan(0);
      expect(mmu.access(VA, FETCH)).toBeGreaterThan(0);
    }
  });

  it("forgets an invalidated page in every bank and tells the CPU", () => {
    const mmu = mapped(0x67);
    const told: number[] = [];
    for (const pkru of [0, 4]) {
      mmu.setPkru(pkru);
      mmu.access(VA, WRITE);
    }
    mmu.access(VA, FETCH);
    mmu.onTranslationChange = (start, end) => told.push(start, end);
    put(1, 0, 0);
    mmu.invalidatePage(VA);
    expect(told).toEqual([VA - 0x123, VA - 0x123 + 4096]);
    for (const pkru of [0, 4]) {
      mmu.setPkru(pkru);
      expect(mmu.access(VA, READ)).toBe(-1);
      expect(mmu.access(VA, FETCH)).toBe(-1);
    }
  });

  it("calls a non-canonical address one", () => {
    const controls = { pke: true, nxe: true, wp: true };
    expect(walk(memory, 4, 0x0000_8000, 0, READ, true, controls, 0).outcome).toBe("gp");
    expect(walk(memory, 4, 0xffff_7fff, 0, READ, true, controls, 0).outcome).toBe("gp");
    expect(walk(memory, 4, 0xffff_8000, 0, READ, true, controls, 0).outcome).toBe("page-fault");
  });
});
