import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PATIENCE_MS } from "../patience.js";
import { compiledWithGlibc } from "./obtain.js";

/** userfault-events.c says in sealab what it says on real Linux: the answers of 6.18.44 and of Debian's 6.12. */
const CLI = join(import.meta.dirname, "..", "..", "dist", "cli.js");
const RECORDED = join(import.meta.dirname, "..", "recorded", "userfault-events");
const program = compiledWithGlibc(join(import.meta.dirname, "userfault-events.c"));

/** The 6.18 that answered has no CONFIG_MEMORY_FAILURE: there poison is a SIGBUS like any other. */
const withoutMemoryFailure = (text: string): string =>
  text.replaceAll(/(signal 7 code )4( at page \d+), 12 bits/g, "$12$2, 0 bits");

describe.skipIf(program === undefined)("userfaultfd (userfault-events.c, skipped without gcc)", () => {
  it.each([
    ["6.18", withoutMemoryFailure],
    ["6.12", (text: string) => text],
  ] as const)("minor faults, poison, moves and events are as on Linux %s", (kernel, shown) => {
    const ran = spawnSync(process.execPath, [CLI, "run", "--kernel", kernel, "--", program!], {
      encoding: "utf8",
      timeout: PATIENCE_MS,
    });
    expect(ran.stderr).toBe("");
    expect(shown(ran.stdout)).toBe(readFileSync(join(RECORDED, `linux-${kernel}.txt`), "utf8"));
  });
});
