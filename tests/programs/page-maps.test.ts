import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PATIENCE_MS } from "../patience.js";
import { compiledWithGlibc } from "./obtain.js";

/**
 * page-maps.c says in sealab what it says on real Linux: the answers of 6.18.44 and, for soft-dirty bits, which that
 * kernel was built without, of Debian's 6.12.
 */
const CLI = join(import.meta.dirname, "..", "..", "dist", "cli.js");
const RECORDED = join(import.meta.dirname, "..", "recorded", "page-maps");
const program = compiledWithGlibc(join(import.meta.dirname, "page-maps.c"));
const merging = compiledWithGlibc(join(import.meta.dirname, "soft-dirty-merge.c"));

function inSealab(options: readonly string[], ...args: readonly string[]): string {
  return run(program!, options, args);
}

function run(path: string, options: readonly string[], args: readonly string[] = []): string {
  const ran = spawnSync(process.execPath, [CLI, "run", ...options, "--", path, ...args], {
    encoding: "utf8",
    timeout: PATIENCE_MS,
  });
  expect(ran.stderr).toBe("");
  return ran.stdout;
}

describe.skipIf(program === undefined)("page maps (page-maps.c, skipped without gcc)", () => {
  it("pagemap, PAGEMAP_SCAN, PROCMAP_QUERY and clear_refs answer as Linux 6.18 does", () => {
    expect(inSealab([])).toBe(readFileSync(join(RECORDED, "linux-6.18.txt"), "utf8"));
  });

  it("soft-dirty bits are as on Linux 6.12", () => {
    const expected = readFileSync(join(RECORDED, "soft-dirty-linux-6.12.txt"), "utf8");
    expect(inSealab(["--kernel", "6.12"], "soft-dirty")).toBe(expected);
    expect(inSealab([], "soft-dirty")).toBe(expected);
  });

  it.skipIf(merging === undefined)("areas that merge are soft-dirty as on Linux 6.12", () => {
    const expected = readFileSync(join(RECORDED, "soft-dirty-merge-linux-6.12.txt"), "utf8");
    expect(run(merging!, ["--kernel", "6.12"])).toBe(expected);
  });

  it("before 6.15 guard pages are like any that is swapped out, and asking for them is refused", () => {
    const lines = inSealab(["--kernel", "6.14"]).split("\n");
    expect(lines.find((line) => line.startsWith("private:"))).toContain(" 400000000000009f ");
    expect(lines.find((line) => line.startsWith("guards:"))).toBe("guards: -1 errno 22, to -1;");
  });
});
