import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PATIENCE_MS } from "../patience.js";
import { compiledWithGlibc } from "./obtain.js";

/**
 * kernel-userfaults.c gives every kind of system call buffers that a userfaultfd watches: what the calls give, and which
 * pages they waited for, is what Linux 6.18.44 and Debian's 6.12 say, and no call gives anything else than with its pages
 * there, but for those that do not wait in Linux either ("BUT").
 */
const CLI = join(import.meta.dirname, "..", "..", "dist", "cli.js");
const RECORDED = join(import.meta.dirname, "..", "recorded", "kernel-userfaults");
const program = compiledWithGlibc(join(import.meta.dirname, "kernel-userfaults.c"));

/** The pages that a call waited for, without their order: some calls ask for all they will need beforehand. */
const unordered = (text: string): string =>
  text.replace(/^( {2}\w+:)((?: \d[rwp])*)/gm, (_, name: string, pages: string) =>
    [name, ...pages.split(" ").sort()].join(" "),
  );

describe.skipIf(program === undefined)("the kernel's own userfaults (skipped without gcc)", () => {
  it.each(["6.18", "6.12"])("system calls wait as on Linux %s", (kernel) => {
    const ran = spawnSync(process.execPath, [CLI, "run", "--kernel", kernel, "--", program!], {
      encoding: "utf8",
      timeout: PATIENCE_MS,
    });
    expect(ran.stderr).toBe("");
    expect(unordered(ran.stdout)).toBe(
      unordered(readFileSync(join(RECORDED, `linux-${kernel}.txt`), "utf8")),
    );
  });
});
