import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { findRelease } from "../../../../kernel/release.js";
import { syscallTable } from "../../../../syscalls/index.js";
import { DIFFERENCES } from "./differences.js";
import { NOT_TESTED, RULES } from "./list.js";
import { allCases } from "./run.js";

const cases = allCases();
const OTHERS = ["without-keys.test.ts", "without.test.ts"];
const others = OTHERS.map((name) => readFileSync(new URL(name, import.meta.url), "utf8")).join("");
const tested = new Set([
  ...cases.map((name) => name.slice(0, name.indexOf(" "))),
  ...[...others.matchAll(/it\("([A-Z]-\d+) /g)].map(([, rule]) => rule!),
]);

it("every rule has a test that carries its number", () => {
  expect(RULES.filter((rule) => !tested.has(rule) && !NOT_TESTED.has(rule))).toEqual([]);
});

it("every number that a test carries is a rule's", () => {
  expect([...tested].filter((name) => /^[A-Z]-/.test(name) && !RULES.includes(name))).toEqual([]);
});

it("every difference between releases is of a case that there is", () => {
  const names = new Set(cases);
  const unknown = Object.values(DIFFERENCES).flatMap(({ answers }) => Object.keys(answers));
  expect(unknown.filter((name) => !names.has(name))).toEqual([]);
});

it("the table has one call that came after 6.10, which is ENOSYS there", () => {
  const newest = 462;
  const later = [...syscallTable].filter(({ number, name }) => number > newest || name === "uretprobe");
  expect(later.map(({ name }) => name)).toEqual(["uretprobe"]);
  expect(findRelease("6.10")?.rules.returnsByCall).toBe(false);
});
