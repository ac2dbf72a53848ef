import { join } from "node:path";
import { describe, it } from "vitest";
import { expectAnswers } from "./answers.js";
import { compiledWithGlibc } from "./obtain.js";

/** anonymous-names.c says in sealab what it says on Linux 6.12.117 built with CONFIG_ANON_VMA_NAME and booted with norandmaps. */
const program = compiledWithGlibc(join(import.meta.dirname, "anonymous-names.c"));

describe.skipIf(program === undefined)(
  "names of anonymous memory (anonymous-names.c, skipped without gcc)",
  () => {
    it.each(["6.12", "6.18"])("as on Linux %s", (release) =>
      expectAnswers(program!, "anonymous-names/linux-6.12-anon-vma-name.txt", [
        ...["--kernel", release, "--param", "CONFIG_ANON_VMA_NAME=y"],
      ]),
    );
  },
);
