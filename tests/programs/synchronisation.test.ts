import { basename, join } from "node:path";
import { describe, it } from "vitest";
import { hostRunsPrograms } from "../userland/native.js";
import { expectAnswers } from "./answers.js";
import { compiledWithGlibc, compiledWithMusl } from "./obtain.js";

/**
 * Programs whose threads and processes wait for each other print in sealab what they printed on Linux 6.18, whatever
 * interleaving the seed makes. They give each other 30 ms to go to sleep, which is enough only on an idle host: so
 * Linux's answers are recorded, and the clock here is the machine's own. Skipped by name where there is no compiler.
 */
const SOURCES = ["pthreads.c", "futexes.c", "sequences.c", "sigwait.c"] as const;
const COMPILERS = [
  ["glibc", compiledWithGlibc],
  ["musl", compiledWithMusl],
] as const;

describe.each(SOURCES)("%s", (source) => {
  for (const [library, compile] of COMPILERS) {
    const program = hostRunsPrograms ? compile(join(import.meta.dirname, source)) : undefined;
    if (program === undefined) console.log(`skipped: ${source} with ${library}: there is no compiler for it`);
    it.skipIf(program === undefined)(`static, ${library} (skipped without a compiler for it)`, () => {
      const recorded = `synchronisation/${basename(source, ".c")}-${library}.txt`;
      for (const turns of [[], ["--seed", "7", "--quantum", "400"]])
        expectAnswers(program!, recorded, ["--clock", "virtual", ...turns]);
    });
  }
});
