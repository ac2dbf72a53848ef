import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { PATIENCE_MS } from "../patience.js";

const CLI = join(import.meta.dirname, "..", "..", "dist", "cli.js");
const RECORDED = join(import.meta.dirname, "..", "recorded");

/** A program says in sealab what real Linux said: the text of a file in tests/recorded, and nothing on stderr. */
export function expectAnswers(
  program: string,
  recorded: string,
  options: readonly string[] = [],
  argv: readonly string[] = [],
): void {
  const ran = spawnSync(process.execPath, [CLI, "run", ...options, "--", program, ...argv], {
    encoding: "utf8",
    timeout: PATIENCE_MS,
  });
  expect(ran.stderr).toBe("");
  expect(ran.stdout).toBe(readFileSync(join(RECORDED, recorded), "utf8"));
}
