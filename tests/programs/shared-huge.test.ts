import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BufferHost } from "../../debug/buffer-host.js";
import { Machine } from "../../debug/machine.js";
import { loadMachine, saveMachine } from "../../debug/snapshot/machine-file.js";
import { checkMachine } from "../../kernel/mm/check-machine.js";
import { runTo } from "../debug/snapshot/programs.js";
import { expectAnswers } from "./answers.js";
import { compiledWithGlibc } from "./obtain.js";

/**
 * shared-huge.c says in sealab what it says on real Linux: 6.18.44, and Debian's 6.12.117 with `madvise` in
 * transparent_hugepage/enabled.
 */
const program = compiledWithGlibc(join(import.meta.dirname, "shared-huge.c"));
const DEFAULTS = ["kinds", "refused", "changes", "copies", "watched"];
const OLDER = ["--kernel", "6.12", "--user", "0"];

function start(argv: readonly string[]): { machine: Machine; host: BufferHost } {
  const host = new BufferHost("");
  const machine = Machine.create({ host, memoryBytes: 128 * 2 ** 20 });
  machine.load(readFileSync(program!), { argv: ["shared-huge", ...argv], env: [] });
  return { machine, host };
}

describe.skipIf(program === undefined)(
  "huge pages of shared memory (shared-huge.c, skipped without gcc)",
  () => {
    it("MADV_COLLAPSE and what becomes of its leaves, as 6.18", () => {
      expectAnswers(program!, "huge-pages/shared-6.18.txt", [], DEFAULTS);
    });

    it("the same as 6.12", () => {
      expectAnswers(program!, "huge-pages/shared-6.12.txt", OLDER, ["madvise", ...DEFAULTS]);
    });

    it("shmem_enabled, and huge= of tmpfs, as 6.12", () => {
      expectAnswers(program!, "huge-pages/shared-enabled-6.12.txt", OLDER, [
        "madvise",
        "enabled",
        "sizes",
        "mounts",
      ]);
    });

    it("khugepaged as 6.12", () => {
      expectAnswers(program!, "huge-pages/shared-khugepaged-6.12.txt", OLDER, ["madvise", "khugepaged"]);
    });

    it("every reference adds up on the way, and a saved machine goes on the same", () => {
      const argv = ["changes", "copies", "watched"];
      const whole = start(argv);
      runTo(whole.machine, Infinity);
      expect(whole.host.text(1)).toContain("leaves 1024");
      const { instructions } = whole.machine;
      const first = start(argv);
      for (const part of [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7]) {
        runTo(first.machine, Math.floor(instructions * part));
        expect(checkMachine(first.machine.kernel)).toEqual([]);
      }
      const host = new BufferHost();
      const second = loadMachine(saveMachine(first.machine), { host });
      runTo(second, Infinity);
      expect(first.host.text(1) + host.text(1)).toBe(whole.host.text(1));
      expect(second.kernel.vmEvents).toEqual(whole.machine.kernel.vmEvents);
    });
  },
);
