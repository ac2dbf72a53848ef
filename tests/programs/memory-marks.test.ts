import { join } from "node:path";
import { describe, it } from "vitest";
import { expectAnswers } from "./answers.js";
import { compiledWithGlibc } from "./obtain.js";

/** memory-marks.c says in sealab what it says on Debian's Linux 6.12.117. */
const program = compiledWithGlibc(join(import.meta.dirname, "memory-marks.c"));

describe.skipIf(program === undefined)("PR_SET_MM (memory-marks.c, skipped without gcc)", () => {
  it("moves the marks of an address space as Linux", () =>
    expectAnswers(program!, "memory-marks/linux-6.12.txt", ["--user", "0"]));
});
