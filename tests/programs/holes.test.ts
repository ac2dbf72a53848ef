import { join } from "node:path";
import { it } from "vitest";
import { expectAnswers } from "./answers.js";
import { compiledWithGlibc } from "./obtain.js";

/** holes.c says in sealab what it says on Linux 6.18.44 and Debian's 6.12. */
const program = compiledWithGlibc(join(import.meta.dirname, "holes.c"));

it.skipIf(program === undefined)(
  "SEEK_DATA and SEEK_HOLE find pages that are there (without gcc: skipped)",
  () => expectAnswers(program!, "caches/holes-linux-6.18.txt"),
);
