import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { campaign, type Finding, type Judge } from "../../debug/fuzz/campaign.js";
import { digest } from "../../debug/fuzz/digest.js";
import { EmulatedLists } from "../../debug/fuzz/emulated.js";
import { findingLines } from "../../debug/fuzz/listing.js";
import { scenarioOf } from "../../debug/fuzz/scenario.js";
import { SMALL, WORLDS, type World } from "../../debug/fuzz/worlds.js";
import { describe as inWords, type Operation } from "../../debug/fuzz/operation.js";
import { THOROUGH } from "../thorough.js";

/*
 * Random programs of memory calls, accesses, keys, seals, forks and copies by the kernel: every result, signal and line
 * of /proc/self/smaps as Linux had it. docs/fuzz.md tells of longer campaigns and of recording.
 */

interface Recorded {
  readonly kernel: string;
  readonly digests: readonly string[];
}

function readRecorded(name: string): Recorded {
  const bytes = readFileSync(new URL(`../recorded/mm/${name}.json.gz`, import.meta.url));
  return JSON.parse(gunzipSync(bytes).toString()) as Recorded;
}

const recorded = readRecorded("fuzz-6.18");
const BATCH = 100;

describe(`a thousand scenarios as ${recorded.kernel} answered them`, () => {
  const sealab = new EmulatedLists({ kernel: "6.18" });
  const batches = Array.from({ length: recorded.digests.length / BATCH }, (_, i) => i * BATCH);
  it.each(batches)("seeds from %i on", (first) => {
    const seeds = Array.from({ length: BATCH }, (_, i) => first + i);
    const answers = sealab.answer(seeds.map(SMALL.list));
    const wrong = seeds.flatMap((seed, i) => partsAt(SMALL, seed, answers[i]!, recorded.digests[seed]!));
    expect(wrong).toEqual([]);
  });
});

it.each(["huge", "hugetlb", "shmem", "userfault", "ipc"])(
  "the first scenarios of the world %s as Linux answered them",
  (name) => {
    const world = WORLDS.get(name)!;
    const { digests } = readRecorded(`fuzz-${name}-6.18`);
    const lists = digests.map((_, seed) => world.list(seed));
    const answers = new EmulatedLists({ world, kernel: "6.18" }).answer(lists);
    expect(digests.flatMap((digest, seed) => partsAt(world, seed, answers[seed]!, digest))).toEqual([]);
  },
);

it("areas, page tables, frames and counters agree after every call of some scenarios", () => {
  const lists = Array.from({ length: THOROUGH ? 30 : 10 }, (_, i) => SMALL.list(5000 + i));
  const checked = new EmulatedLists({ checksEachCall: true });
  const troubled = checked.answer(lists).filter(([first]) => first?.startsWith("sealab:") === true);
  expect(troubled).toEqual([]);
});

it("the reference evaluator answers as the interpreter does", () => {
  const lists = [3, 11, 16].map(SMALL.list);
  const [ours, reference] = [false, true].map((slow) => new EmulatedLists({ reference: slow }).answer(lists));
  expect(reference).toEqual(ours);
});

/** Where our answers leave the recorded ones; empty when they do not. */
function partsAt(world: World, seed: number, ours: readonly string[], expected: string): string[] {
  const got = digest(ours);
  if (got === expected) return [];
  const at = [...got.slice(8)].findIndex((letter, i) => letter !== expected[i + 8]);
  const operation = world.list(seed)[at];
  const what = operation === undefined ? "" : `${inWords(operation)} = ${ours[at] ?? ""}`;
  return [
    `seed ${String(seed)}, operation ${String(at)}: ${what} (sealab fuzz --about ${world.name} --seed ${String(seed)} --runs 1)`,
  ];
}

describe("the search", () => {
  /** Answers everything alike, at once. */
  const ours: Judge = {
    name: "sealab",
    answer: (lists) => Promise.resolve(lists.map((list) => list.map(() => "0x1"))),
  };
  const search = async (theirs: Judge, runs: number): Promise<Finding[]> => {
    const found: Finding[] = [];
    const stopped = (): boolean => false;
    const progress = (): void => {};
    await campaign(ours, theirs, {
      world: SMALL,
      seed: 7000,
      runs,
      batch: 10,
      most: 1,
      stopped,
      progress,
      found: (one) => found.push(one),
    });
    return found;
  };

  it("finds nothing where nothing differs", async () => {
    expect(await search(ours, 30)).toEqual([]);
  });

  it("makes a difference small: somebody for whom every mremap that shrinks fails", async () => {
    const shrinks = ({ kind, args }: Operation): boolean =>
      kind === "call" && args[0] === 25 && Number(args[2]) > Number(args[3]) && Number(args[3]) > 0;
    const theirs: Judge = {
      name: "other",
      answer: (lists) =>
        Promise.resolve(
          lists.map((list) => list.map((operation) => (shrinks(operation) ? "ENOMEM" : "0x1"))),
        ),
    };
    const [finding] = await search(theirs, 100);
    expect(finding!.list.length).toBe(1);
    const text = findingLines(finding!, "sealab", "other").join("\n");
    expect(text).toMatch(/mremap\(.*\)\n +sealab: +0x1\n +other: +ENOMEM/);
  });

  it("tells a machine that breaks down from one that answers", async () => {
    const theirs: Judge = {
      name: "other",
      answer: (lists) => Promise.resolve(lists.map(() => ["no answer: signal 11"])),
    };
    const [finding] = await search(theirs, 1);
    expect(findingLines(finding!, "sealab", "other").join("\n")).toMatch(/other: +no answer: signal 11$/);
  });
});

it("a scenario for sealab check, where its language has the words", () => {
  const operations: Operation[] = [
    { kind: "call", args: [9, 0x10006000, 0x4000, 3, 0x12, 3, 0x1000] },
    { kind: "store", args: [0x10006000, 5] },
    { kind: "call", args: [462, 0x10006000, 0x4000, 0] },
    { kind: "maps", args: [] },
  ];
  const lines = scenarioOf(operations, ["seed 1"])!.trimEnd().split("\n");
  expect(lines).toContain("f3 = memfd 16");
  expect(lines).toContain("syscall mmap 0x10006000 0x4000 0x3 0x12 f3 0x1000");
  expect(lines).toContain("syscall mseal 0x10006000 0x4000 0x0");
  expect(scenarioOf([...operations, { kind: "brk", args: [0] }], [])).toBeNull();
});
