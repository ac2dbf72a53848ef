import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { start } from "../debug/snapshot/programs.js";
import { PATIENCE_MS } from "../patience.js";
import { compiledWithGlibc } from "./obtain.js";
import { expectGoesOn } from "./saved-runs.js";

/** swapping.c says in sealab what it says on Debian's 6.12, in an ext4 on a loop device. */
const CLI = join(import.meta.dirname, "..", "..", "dist", "cli.js");
const RECORDED = join(import.meta.dirname, "..", "recorded", "swapping", "linux-6.12.txt");
const program = compiledWithGlibc(join(import.meta.dirname, "swapping.c"));

describe.skipIf(program === undefined)("swapping (swapping.c, skipped without gcc)", () => {
  it("swapon, swapoff and pages in a swap area are as on Linux", () => {
    const ran = spawnSync(process.execPath, [CLI, "run", "--kernel", "6.12", "--", program!], {
      encoding: "utf8",
      timeout: PATIENCE_MS,
    });
    expect(ran.stderr).toBe("");
    expect(ran.stdout).toBe(readFileSync(RECORDED, "utf8"));
  });

  it("a loop device is a swap area as on Linux (swap-disk.c)", () => {
    const disk = compiledWithGlibc(join(import.meta.dirname, "swap-disk.c"));
    const args = [CLI, "run", "--kernel", "6.12", "--", disk!, "/dev/loop1", "/tmp/backing"];
    const ran = spawnSync(process.execPath, args, { encoding: "utf8", timeout: PATIENCE_MS });
    expect(ran.stderr).toBe("");
    expect(ran.stdout).toBe(readFileSync(RECORDED.replace("linux-", "disk-linux-"), "utf8"));
  });

  it("--swap gives the machine an area that takes what memory cannot", () => {
    const args = [CLI, "run", "--swap", "16M", "--", program!, "/dev/shm"];
    const ran = spawnSync(process.execPath, args, { encoding: "utf8", timeout: PATIENCE_MS });
    expect(ran.stdout).toContain("one: [vda partition 16380 -2] [odd file 28 -3]");
  });

  it("goes on the same in a machine that was saved", () => {
    const elf = readFileSync(program!);
    const whole = expectGoesOn(
      () => start(elf),
      [0.3, 0.6, 0.9],
      (ended, { kernel }) => expect(ended.kernel.swap.events).toEqual(kernel.swap.events),
    );
    expect(whole.machine.kernel.swap.events.pswpin).toBeGreaterThan(10);
  });
});
