import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { align } from "../../../debug/models/align.js";
import { compareRuns, type Comparison } from "../../../debug/models/comparison.js";
import { gainOf } from "../../../debug/models/gain.js";
import { comparisonHtml } from "../../../debug/models/html.js";
import { ModelRunner, type Step } from "../../../debug/models/run.js";
import { stopMarkdown, stopTable } from "../../../debug/models/table.js";
import { comparisonText } from "../../../debug/models/text.js";
import { TODAYS_MODELS } from "../../../debug/models/today.js";
import { PLAIN } from "../../../debug/explain/style.js";
import { SEALING_NAMES, sealingModel } from "../../../kernel/mm/sealing/models.js";
import { findSample } from "../../../userland/index.js";

const runner = new ModelRunner({ maxInstructions: 1e6 });

function compared(name: string, models: readonly string[]): Comparison {
  const program = { name, elf: findSample(name)!.build(), args: [] };
  return compareRuns(
    name,
    models.map((model) => runner.run(sealingModel(model), program)),
  );
}

describe("align", () => {
  const step = (key: string): Step => ({
    key,
    text: key,
    call: key,
    outcome: "ok",
    refusal: null,
    place: null,
  });
  const drawn = (...sequences: string[]): string[] =>
    align(sequences.map((keys) => [...keys].map(step))).map((row) =>
      row.map((one) => one?.key ?? ".").join(""),
    );
  it("puts equal steps in one row", () => {
    expect(drawn("abc", "abc")).toEqual(["aa", "bb", "cc"]);
  });
  it("leaves gaps where one has more, at the start, in the middle and at the end", () => {
    expect(drawn("abcd", "xabyd", "bcdz")).toEqual([".x.", "aa.", "bbb", "c.c", ".y.", "ddd", "..z"]);
  });
  it("takes sequences that have nothing in common, and empty ones", () => {
    expect(drawn("ab", "xy")).toHaveLength(4);
    expect(drawn("", "a")).toEqual([".a"]);
    expect(drawn("", "")).toEqual([]);
  });
});

describe("the JIT heap under two models", () => {
  const comparison = compared("jit-heap", ["linux", "mimmutable"]);
  it("parts where the owner frees a page, and only there", () => {
    expect(
      comparison.partings.map(({ text, steps }) => [text, ...steps.map((step) => step?.outcome)]),
    ).toEqual([["madvise(0x5ea11000, 4096, MADV_DONTNEED)", "ok", "EPERM"]]);
  });
  it("says whose rule it was, and what is gained", () => {
    const text = comparisonText(comparison, 100, PLAIN);
    expect(text).toContain("EPERM by discard: MADV_FREE, MADV_DONTNEED and msync(MS_INVALIDATE)");
    expect(text).toContain("gained where it is permitted: zeroes in the place of writable code");
    expect(text).toContain("  owner: free page 1: EPERM\n      mimmutable\n");
    expect(text.split("\n").every((line) => line.length <= 100)).toBe(true);
  });
  it("as a page", () => {
    const page = comparisonHtml([comparison]);
    expect(page).toContain('<td class="done">ok</td><td class="refused" title="MADV_FREE');
    expect(page).not.toMatch(/https?:/);
  });
});

describe("who stops what", () => {
  const cells = (name: string, models: readonly string[]): string[][] =>
    stopTable([compared(name, models)]).rows.map((row) => [...row.cells]);
  it("the discarded second page", () => {
    expect(cells("page-crossing-jump", ["linux", "rfc-v1:today", "v4:today", "xnu-permanent:today"])).toEqual(
      [["EPERM", "ok", "EACCES", "ok"]],
    );
  });
  it("XNU's munmap says yes and leaves what cannot be used", () => {
    expect(cells("jit-heap", ["linux", "xnu-permanent:today"])).toContainEqual(["EPERM", "ok, inaccessible"]);
  });
  it("programs that no model touches do not part", () => {
    const comparison = compared("hello", TODAYS_MODELS);
    expect(comparisonText(comparison, 100, PLAIN)).toContain("They do not part.");
    expect(stopTable([comparison]).rows).toEqual([]);
  });
  it("a program that was not written for a model gets nothing of it", () => {
    const { runs } = compared("jit-heap", ["rfc-v3", "v4"]);
    for (const run of runs) expect(run.output).toContain("attacker: munmap: ok");
  });
  it("unless told, every model is compared", () => {
    expect(TODAYS_MODELS.map((model) => model.split(":")[0])).toEqual(SEALING_NAMES);
  });
  it("docs/models.md has what npm run models makes", () => {
    const samples = ["jit-heap", "loader", "page-crossing-jump"];
    const table = stopMarkdown(samples.map((name) => compared(name, TODAYS_MODELS)));
    expect(readFileSync(new URL("../../../docs/models.md", import.meta.url), "utf8")).toContain(
      `<!-- npm run models -->\n\n${table}\n<!-- end -->`,
    );
  });
});

describe("the hook", () => {
  it("permits the discards that its program permits, of what was sealed after it", () => {
    const { partings } = compared("seal-hook", ["linux", "hook"]);
    const prctls = partings.filter(({ call }) => call === "prctl");
    const others = partings.filter(({ call }) => call !== "prctl");
    expect(prctls.map(({ steps }) => steps.map((step) => step?.outcome))).toEqual([
      ["EINVAL", "ok"],
      ["EINVAL", "EPERM"],
    ]);
    expect(others.map(({ text, steps }) => [text, ...steps.map((step) => step?.outcome)])).toEqual([
      ["madvise(0x5ea12000, 4096, MADV_DONTNEED)", "EPERM", "ok"],
    ]);
  });
});

describe("what is gained", () => {
  const gains = compared("loader", ["linux", "rfc-v1", "guidelines"])
    .partings.map((parting): [string | null, string | null] => [parting.call, gainOf(parting)])
    .filter(([, gain]) => gain !== null);
  it("is said of each call that a seal refuses somewhere, by what the memory is", () => {
    expect(gains).toEqual([
      ["mprotect", "writes to code"],
      ["munmap", "a hole in the place of code, to be filled with memory of one's own"],
      ["pwrite64", "code of one's own, whatever its protection"],
      ["mmap", "memory of one's own in the place of read-only data"],
      ["mprotect", "writes to read-only data"],
      ["madvise", "read-only data as its file has it: what was changed since, relocations too, is undone"],
      ["mremap", "read-only data is moved away or cut, and its place is free"],
    ]);
  });
  it("nothing where no seal refuses", () => {
    const { partings } = compared("loader", ["linux", "rfc-v1"]);
    expect(gainOf(partings.find(({ call }) => call === "mseal")!)).toBeNull();
    expect(gainOf(partings.find(({ call }) => call === null)!)).toBeNull();
  });
});

describe("ends", () => {
  it("a bound that is reached is how it ends", () => {
    const program = { name: "hello", elf: findSample("hello")!.build(), args: [] };
    const run = new ModelRunner({ maxInstructions: 3 }).run(sealingModel("linux"), program);
    expect(run.end).toBe("stopped after 3 instructions");
  });
});
