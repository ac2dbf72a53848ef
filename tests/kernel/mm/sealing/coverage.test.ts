import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { STATEMENTS } from "./statements.js";

const TESTS = join(import.meta.dirname, "..", "..", "..");
/** A test's name that begins with a statement's number: `it("ob-3 …`, `it.each(…)("7.8-3 …`. */
const NAMED = /["'`]((?:v[13]|ob|xnu|gl|sm)-\d+|7\.\d+(?:-\d+)?) /g;

const numbers = readdirSync(TESTS, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".test.ts"))
  .flatMap((file) => [...readFileSync(join(TESTS, file), "utf8").matchAll(NAMED)].map(([, id]) => id!));
const tested = new Set(numbers);

describe("statements on models of sealing", () => {
  it.each(Object.entries(STATEMENTS))("%s has a test (%s)", (id) => {
    expect([...tested]).toContain(id);
  });
  it("and no test has the number of none", () => {
    // The section's own number stands for what has none in it.
    const sections = new Set(Object.keys(STATEMENTS).map((id) => id.split("-")[0]));
    expect([...tested].filter((id) => !(id in STATEMENTS) && !sections.has(id) && id !== "7.4")).toEqual([]);
  });
});
