import { describe, expect, it } from "vitest";
import { EACCES, EPERM } from "../../../../kernel/errno.js";
import { HookedModel } from "../../../../kernel/mm/sealing/hooked-model.js";
import { sealingModel } from "../../../../kernel/mm/sealing/models.js";
import { ScriptJudge } from "../../../../kernel/mm/sealing/script-judge.js";
import { RELEASES } from "../../../../kernel/release.js";
import { ANON, PG } from "../space.js";
import { SealedSpace } from "./sealed-space.js";

/** Three pages, the middle one sealed; read-only, so that a discard is not its caller's right. */
type Seal = (s: SealedSpace, page: number) => number;

const MAP_SEALABLE = 0x0800_0000;
const MAP_PERMANENT = 0x0100_0000;
const PROT_IMMUTABLE = 0x0400_0000;
const PROT_DOWNGRADABLE = 0x0800_0000;
const MS_INVALIDATE = 2;

/** What a call over all three pages comes to. "before": refused, and what lies before the seal has changed. */
type Outcome = "done" | "refused" | "before" | "inaccessible";

interface Row {
  readonly model: string;
  readonly release?: string;
  readonly flags?: number;
  readonly seal: Seal;
  readonly errno: number;
  readonly munmap: Outcome;
  readonly overlay: Outcome;
  readonly mremap: Outcome;
  readonly mprotect: Outcome;
  readonly discard: Outcome;
  /** Equal seals, made one after the other, become one area. */
  readonly merges: boolean;
}

const typed =
  (types: number): Seal =>
  (s, page) =>
    s.call(page, 1, types);
const plain: Seal = (s, page) => s.call(page, 1);
const free = { munmap: "done", overlay: "done", mremap: "done", mprotect: "done", discard: "done" } as const;
const all = {
  munmap: "refused",
  overlay: "refused",
  mremap: "refused",
  mprotect: "refused",
  discard: "refused",
} as const;

const bitPerCall = (model: string): Row[] => [
  { model, seal: typed(4), errno: EACCES, ...free, munmap: "refused", merges: false },
  { model, seal: typed(8), errno: EACCES, ...free, overlay: "refused", merges: false },
  { model, seal: typed(16), errno: EACCES, ...free, mremap: "refused", merges: false },
  { model, seal: typed(2), errno: EACCES, ...free, mprotect: "refused", merges: false },
  { model, seal: typed(1), errno: EACCES, ...free, merges: false },
];

const v3 = { model: "rfc-v3", flags: MAP_SEALABLE, errno: EACCES, merges: true };
const base = { munmap: "refused", overlay: "refused", mremap: "refused" } as const;

const ROWS: Row[] = [
  ...bitPerCall("rfc-v1"),
  ...bitPerCall("rfc-v2"),
  { ...v3, seal: typed(2), ...free, ...base },
  { ...v3, seal: typed(4), ...free, ...base, mprotect: "refused" },
  { ...v3, seal: typed(8), ...free, ...base, discard: "refused" },
  { ...v3, seal: typed(1), ...free },
  { model: "v4", flags: MAP_SEALABLE, seal: plain, errno: EACCES, ...all, merges: true },
  { model: "v4:eperm", flags: MAP_SEALABLE, seal: plain, errno: EPERM, ...all, merges: true },
  // Up front in 6.10 and 6.11; from 6.12 on area by area, so that what lies before has changed.
  { model: "linux", release: "6.10", seal: plain, errno: EPERM, ...all, merges: true },
  {
    model: "linux",
    release: "6.12",
    ...{ seal: plain, errno: EPERM, ...all, mprotect: "before", discard: "before", merges: true },
  },
  { model: "mimmutable", seal: plain, errno: EPERM, ...all, merges: true },
  { model: "mimmutable-2022", seal: plain, errno: EPERM, ...all, discard: "done", merges: true },
  {
    model: "xnu-permanent",
    flags: MAP_PERMANENT,
    seal: () => 0,
    ...{
      errno: EACCES,
      ...free,
      munmap: "inaccessible",
      overlay: "refused",
      mremap: "refused",
      merges: true,
    },
  },
  {
    model: "prot-immutable",
    seal: (s, page) => s.protect(page, 1, 1 | PROT_IMMUTABLE),
    ...{ errno: EPERM, ...all, mprotect: "before", discard: "done", merges: true },
  },
  {
    model: "prot-immutable",
    seal: (s, page) => s.protect(page, 1, 1 | PROT_DOWNGRADABLE),
    ...{ errno: EPERM, ...all, mprotect: "before", discard: "done", merges: true },
  },
  {
    model: "guidelines",
    seal: plain,
    errno: EPERM,
    ...all,
    mprotect: "before",
    discard: "before",
    merges: true,
  },
];

function sealed({ model, release, flags = 0, seal }: Row): SealedSpace {
  const rules = RELEASES.find(({ name }) => name === (release ?? "6.18"))!.rules;
  const s = new SealedSpace(model, { release: rules });
  s.map(0, 3, 3, ANON | flags);
  for (const page of [0, 1, 2]) s.store(page, 10 + page);
  s.protect(0, 3, 1);
  expect(seal(s, 1)).toBe(0);
  return s;
}

function outcome(
  row: Row,
  ask: (s: SealedSpace) => number,
  changed: (s: SealedSpace, page: number) => boolean,
): Outcome {
  const s = sealed(row);
  const result = ask(s);
  if (result >= 0)
    return s.seals(1) !== "unmapped" && s.mm.findArea(s.at(1))!.prot === 0 ? "inaccessible" : "done";
  expect(result).toBe(-row.errno);
  expect(changed(s, 1)).toBe(false);
  return changed(s, 0) ? "before" : "refused";
}

const gone = (s: SealedSpace, page: number): boolean => s.mm.findArea(s.at(page)) === null;

describe("7.1 the table of models", () => {
  const named = ROWS.map((row, i) => [
    `${row.model}${row.release === undefined ? "" : ` ${row.release}`} (${i})`,
    row,
  ]);
  it.each(named as [string, Row][])("7.1 %s", (_, row) => {
    const content = (s: SealedSpace, page: number): boolean => s.load(page) !== 10 + page;
    expect({
      munmap: outcome(row, (s) => s.munmap(0, 3), gone),
      overlay: outcome(row, (s) => s.overlay(0, 3), content),
      mremap: outcome(row, (s) => s.remap(1, 1, 1, 20), gone),
      mprotect: outcome(
        row,
        (s) => s.protect(0, 3, 5),
        (s, page) => s.mm.findArea(s.at(page))!.prot !== 1,
      ),
      discard: outcome(row, (s) => s.advise(0, 3, 4), content),
    }).toEqual({
      munmap: row.munmap,
      overlay: row.overlay,
      mremap: row.mremap,
      mprotect: row.mprotect,
      discard: row.discard,
    });
  });
  it.each(named as [string, Row][])("7.1 %s: merges", (_, row) => {
    const s = sealed(row);
    row.seal(s, 2);
    expect(s.mm.findArea(s.at(2)) === s.mm.findArea(s.at(1))).toBe(row.merges);
  });
  it("7.1 OpenBSD since 2024: MADV_FREE, MADV_DONTNEED and MS_INVALIDATE", () => {
    const row = ROWS.find(({ model }) => model === "mimmutable")!;
    for (const advice of [4, 8]) expect(sealed(row).advise(1, 1, advice)).toBe(-EPERM);
    const s = sealed(row);
    expect(s.mm.msync(s.at(1), PG, MS_INVALIDATE)).toBe(-EPERM);
  });
  it("7.1 a hook upon any of them decides instead", () => {
    for (const permits of [true, false]) {
      const judge = new ScriptJudge(() => permits);
      const s = new SealedSpace("linux", { sealing: new HookedModel("x", sealingModel("v4:today"), judge) });
      s.map(0, 1);
      s.call(0, 1);
      expect(s.munmap(0, 1)).toBe(permits ? 0 : -EACCES);
    }
  });
});
