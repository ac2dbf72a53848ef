import { join } from "node:path";
import { it } from "vitest";
import { expectAnswers } from "./answers.js";
import { compiledWithGlibc } from "./obtain.js";

/** droppable-locks.c says in sealab what it says on Debian's 6.12 (and on 6.18.44, which marks no soft-dirty areas). */
const program = compiledWithGlibc(join(import.meta.dirname, "droppable-locks.c"));

it.skipIf(program === undefined)(
  "droppable memory is brought in by MCL_FUTURE and never locked (without gcc: skipped)",
  () => expectAnswers(program!, "lazy-free/droppable-locks-linux-6.12.txt"),
);
