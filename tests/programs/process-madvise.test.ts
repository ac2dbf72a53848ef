import { join } from "node:path";
import { describe, it } from "vitest";
import { expectAnswers } from "./answers.js";
import { compiledWithGlibc } from "./obtain.js";

/** process-madvise.c says in sealab what it says on Linux 6.18.44 and on Debian's 6.12.117. */
const program = compiledWithGlibc(join(import.meta.dirname, "process-madvise.c"));

describe.skipIf(program === undefined)("process_madvise (process-madvise.c, skipped without gcc)", () => {
  it.each(["6.12", "6.18"])("of empty buffers, as on Linux %s", (release) =>
    expectAnswers(program!, `process-madvise/linux-${release}.txt`, ["--kernel", release]),
  );
});
