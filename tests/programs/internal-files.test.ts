import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { compiledWithGlibc } from "./obtain.js";

/** internal-files.c says in sealab what it says on Linux 6.18.44 (and on Debian's 6.12.117). */
const CLI = join(import.meta.dirname, "..", "..", "dist", "cli.js");
const RECORDED = join(import.meta.dirname, "..", "recorded", "internal-files");
const program = compiledWithGlibc(join(import.meta.dirname, "internal-files.c"));

describe.skipIf(program === undefined)(
  "files in no directory (internal-files.c, skipped without gcc)",
  () => {
    it.each(["6.12", "6.18"])("as on Linux %s", (release) => {
      const ran = spawnSync(process.execPath, [CLI, "run", "--kernel", release, "--", program!], {
        encoding: "utf8",
        timeout: 60_000,
      });
      expect(ran.stderr).toBe("");
      expect(ran.stdout).toBe(readFileSync(join(RECORDED, "linux-6.18.txt"), "utf8"));
    });
  },
);
