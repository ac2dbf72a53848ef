import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { platform, release, tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { parseAnswers, type Matrix } from "../../debug/matrix/answers.js";
import { runMatrix } from "../../debug/matrix/ask.js";
import { Comparison } from "../../debug/matrix/comparison.js";
import { STATES, stateText } from "../../debug/matrix/dimensions.js";
import { matrixHtml } from "../../debug/matrix/html.js";
import { matrixJson } from "../../debug/matrix/json.js";
import { JUDGED } from "../../debug/matrix/judged.js";
import { buildMatrixProgram } from "../../debug/matrix/program.js";
import { matrixText } from "../../debug/matrix/text.js";
import { findTopic, TOPICS } from "../../debug/matrix/topics.js";
import type { Topic } from "../../debug/matrix/topics/topic.js";
import { whyText } from "../../debug/matrix/why.js";
import { PLAIN } from "../../debug/explain/style.js";
import { SKIPPED } from "../../userland/program.js";
import { PATIENCE_MS } from "../patience.js";

/*
 * The matrices, whole, as real kernels answered them. tests/recorded/matrix holds what the very same programs printed;
 * docs/matrix.md says how to record again.
 */

interface Recorded {
  readonly kernel: string;
  readonly answers: readonly string[];
}

function recorded(topic: Topic, kernel: string): Recorded {
  const file = new URL(`../recorded/matrix/${topic.name}-${kernel}.json.gz`, import.meta.url);
  return JSON.parse(gunzipSync(readFileSync(file)).toString()) as Recorded;
}

/** Lines with the names of their cells, so that a difference says where it is. */
function named(topic: Topic, lines: readonly string[]): string[] {
  return lines.map((line, i) => {
    const state = STATES[Math.floor(i / topic.operations.length)];
    const operation = topic.operations[i % topic.operations.length];
    return `${state === undefined ? "?" : stateText(state)} ${operation?.name ?? "?"}: ${line}`;
  });
}

const lines = (text: string): string[] => text.trimEnd().split("\n");

for (const [kernel, judge] of Object.entries(JUDGED))
  describe(`the matrices as Linux ${judge} answered them`, () => {
    it.each(TOPICS.map((topic) => [topic.name, topic] as const))("%s", (_, topic) => {
      const { kernel: asked, answers } = recorded(topic, kernel);
      expect(asked).toBe(judge);
      const ours = lines(runMatrix(buildMatrixProgram(topic, STATES), kernel));
      expect(named(topic, ours)).toEqual(named(topic, answers));
    });
  });

/** What this machine prints; null where it cannot be asked. */
function askHost(topic: Topic): string | null {
  if (platform() !== "linux" || !release().startsWith("6.18.") || process.getuid?.() !== 0) return null;
  const path = join(mkdtempSync(join(tmpdir(), "sealab-matrix-")), "matrix");
  writeFileSync(path, buildMatrixProgram(topic, STATES));
  chmodSync(path, 0o755);
  const child = spawnSync("unshare", ["--pid", "--fork", "--kill-child", "--mount-proc", path], {
    maxBuffer: 1 << 26,
    timeout: PATIENCE_MS,
  });
  return child.error !== undefined || child.status === SKIPPED ? null : child.stdout.toString();
}

const host = askHost(TOPICS[4]!);
it.runIf(host !== null)("this machine answers as was recorded: access", () => {
  expect(lines(host!)).toEqual(recorded(TOPICS[4]!, "6.18").answers);
});

function matrixOf(topic: Topic, kernel: string): Matrix {
  return parseAnswers(topic, STATES, topic.operations, recorded(topic, kernel).answers.join("\n"));
}

const discard = findTopic("discard")!;
const side = (kernel: string) => ({ name: kernel, standing: "recorded", matrix: matrixOf(discard, kernel) });

describe("shown", () => {
  it("the discard rule at a glance, within 100 columns", () => {
    const text = matrixText(new Comparison(discard, [side("6.18")]), 100, PLAIN);
    expect(Math.max(...lines(text).map((line) => line.length))).toBeLessThanOrEqual(100);
    const row = lines(text).find((line) => line.includes("rw rwx "))!;
    expect(row).toMatch(/^ {2}rw rwx +unsealed +000 +\.\.\. +III/);
    expect(lines(text)[lines(text).indexOf(row) + 1]).toMatch(/^ +sealed +0PP +\.PP +IPP/);
    expect(text).toMatch(/^shared-anon, memfd, shared-file$/m);
  });

  it.each(TOPICS.map((topic) => [topic.name, topic] as const))(
    "%s in 100 columns, two releases",
    (_, topic) => {
      const sides = ["6.12", "6.18"].map((name) => ({
        name,
        standing: "recorded",
        matrix: matrixOf(topic, name),
      }));
      const text = matrixText(new Comparison(topic, sides), 100, PLAIN);
      expect(Math.max(...lines(text).map((line) => line.length))).toBeLessThanOrEqual(100);
      expect(text).toContain("Where they part: 6.12!6.18");
    },
  );

  it("differences of two releases", () => {
    const text = matrixText(new Comparison(discard, [side("6.12"), side("6.18")]), 100, PLAIN);
    // Guard regions are of 6.13 and later.
    expect(text).toContain("That is in 360 of 4860 cells.");
    expect(text).toContain("III!ggg");
  });

  it("JSON with a cell each", () => {
    const json = JSON.parse(matrixJson(new Comparison(discard, [side("6.18")]))) as {
      cells: { memory: string; operation: string; outcomes: { result: string }[] }[];
    };
    expect(json.cells).toHaveLength(STATES.length * discard.operations.length);
    const refused = json.cells.filter(({ outcomes }) => outcomes[0]!.result === "EPERM");
    expect(new Set(refused.map(({ memory }) => memory))).toEqual(new Set(["private-anon"]));
  });

  it("HTML that needs nothing else", () => {
    const html = matrixHtml(new Comparison(discard, [side("6.12"), side("6.18")]));
    expect(html).not.toMatch(/https?:|src=|@import|url\(/);
    expect(html.match(/<table>/g)).toHaveLength(5);
    expect(html.match(/class="refused differs"/g)?.length).toBeGreaterThan(100);
  });

  it("why a cell is refused", () => {
    const state = { memory: "private-anon", protection: "r", key: "none", sealed: true } as const;
    const text = whyText(discard, state, discard.operations[0]!, "6.18", 100);
    expect(text).toContain("Linux 6.18: EPERM");
    expect(text).toContain("rule     madvise.sealed");
    expect(text).toContain("yes the caller may not write to it: it has no PROT_WRITE");
  });
});
