import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BufferHost } from "../../debug/buffer-host.js";
import { Machine } from "../../debug/machine.js";
import { checkMachine } from "../../kernel/mm/check-machine.js";
import { type Started } from "../debug/snapshot/programs.js";
import { PATIENCE_MS } from "../patience.js";
import { compiledWithGlibc } from "./obtain.js";
import { expectGoesOn } from "./saved-runs.js";

/**
 * collapse.c says in sealab what it says on real Linux: 6.18.44, and Debian's 6.12.117 (which has soft-dirty bits), with
 * `madvise` in transparent_hugepage/enabled.
 */
const CLI = join(import.meta.dirname, "..", "..", "dist", "cli.js");
const RECORDED = join(import.meta.dirname, "..", "recorded", "huge-pages");
const program = compiledWithGlibc(join(import.meta.dirname, "collapse.c"));

function answers(kernel: string, ...args: string[]): string {
  const ran = spawnSync(process.execPath, [CLI, "run", "--kernel", kernel, "--", program!, ...args], {
    encoding: "utf8",
    timeout: PATIENCE_MS,
  });
  expect(ran.stderr).toBe("");
  return ran.stdout;
}

function start(elf: Uint8Array): Started {
  const host = new BufferHost("");
  const machine = Machine.create({ host, memoryBytes: 64 * 2 ** 20 });
  machine.load(elf, { argv: ["collapse", "khugepaged"], env: [] });
  return { machine, host };
}

const recorded = (name: string): string => readFileSync(join(RECORDED, `${name}.txt`), "utf8");

describe.skipIf(program === undefined)("pages that become huge (collapse.c, skipped without gcc)", () => {
  it("MADV_COLLAPSE as 6.18 and 6.12", () => {
    expect(answers("6.18", "advised")).toBe(recorded("collapse-6.18"));
    expect(answers("6.12", "advised", "madvise")).toBe(recorded("collapse-6.12"));
  });

  it("khugepaged as 6.12", () => {
    expect(answers("6.12", "khugepaged", "madvise")).toBe(recorded("khugepaged-6.12"));
  });

  it("soft-dirty bits as 6.12", () => {
    expect(answers("6.12", "soft-dirty", "madvise")).toBe(recorded("soft-dirty-6.12"));
  });

  it("khugepaged goes on the same in a machine that was saved, and every reference adds up", () => {
    const elf = readFileSync(program!);
    const whole = expectGoesOn(
      () => start(elf),
      [0.3, 0.7],
      (ended, { kernel }) => {
        expect(ended.kernel.vmEvents).toEqual(kernel.vmEvents);
        expect(ended.kernel.khugepaged.pagesCollapsed).toBe(kernel.khugepaged.pagesCollapsed);
      },
      ({ kernel }) => expect(checkMachine(kernel)).toEqual([]),
    );
    expect(whole.machine.kernel.khugepaged.pagesCollapsed).toBeGreaterThan(3);
  });
});
