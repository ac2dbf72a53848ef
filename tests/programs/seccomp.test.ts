import { join } from "node:path";
import { describe, it } from "vitest";
import { expectAnswers } from "./answers.js";
import { compiledWithGlibc } from "./obtain.js";

/** seccomp.c says in sealab what it says on Linux 6.18.44, and the same on Debian's 6.12.117. */
const program = compiledWithGlibc(join(import.meta.dirname, "seccomp.c"));
const RECORDED = "seccomp/linux-6.18.txt";

describe.skipIf(program === undefined)("seccomp (seccomp.c, skipped without gcc)", () => {
  it.each(["6.12", "6.18"])("as on Linux %s", (release) =>
    expectAnswers(program!, RECORDED, ["--kernel", release, "--user", "0"]),
  );
});
