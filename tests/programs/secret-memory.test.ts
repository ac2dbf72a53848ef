import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PATIENCE_MS } from "../patience.js";
import { compiledWithGlibc } from "./obtain.js";

/** secret-memory.c says in sealab what it says, as root, on 6.18.44 and on Debian's 6.12.117. */
const CLI = join(import.meta.dirname, "..", "..", "dist", "cli.js");
const RECORDED = join(import.meta.dirname, "..", "recorded", "secret-memory");
const program = compiledWithGlibc(join(import.meta.dirname, "secret-memory.c"));

function inSealab(...options: readonly string[]): string {
  const ran = spawnSync(process.execPath, [CLI, "run", ...options, "--", program!], {
    encoding: "utf8",
    timeout: PATIENCE_MS,
  });
  expect(ran.stderr).toBe("");
  return ran.stdout;
}

describe.skipIf(program === undefined)("memfd_secret (secret-memory.c, skipped without gcc)", () => {
  it.each(["6.18", "6.12"])("answers as Linux %s does", (release) => {
    const expected = readFileSync(join(RECORDED, `linux-${release}.txt`), "utf8");
    expect(inSealab("--kernel", release)).toBe(expected);
  });

  it("is ENOSYS where secretmem.enable=n", () => {
    expect(inSealab("--param", "secretmem.enable=n")).toBe("no memfd_secret: errno 38\n");
  });
});
