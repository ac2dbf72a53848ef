import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { runTo, start } from "../debug/snapshot/programs.js";
import { expectGoesOn } from "./saved-runs.js";
import { PATIENCE_MS } from "../patience.js";

const RECORDED = join(import.meta.dirname, "..", "recorded", "caches");
const CLI = join(import.meta.dirname, "..", "..", "dist", "cli.js");
const elf = new Uint8Array(readFileSync(join(RECORDED, "caches.elf")));
const theirs = readFileSync(join(RECORDED, "caches.txt"), "utf8");

/** caches.c, as Linux 6.18 and 6.12 answer. */
it("cachestat, sync_file_range, shared memory's settings and the memory node answer as Linux's do", () => {
  const { machine, host } = start(elf);
  runTo(machine, Infinity);
  expect(host.text(1)).toBe(theirs);
});

it("they go on the same in a machine that was saved", () => {
  expect(expectGoesOn(() => start(elf), [0.3, 0.7, 0.9]).host.text(1)).toBe(theirs);
});

it("a fault brings in what lies around it where the file is on a disk, as on ext4 with 128 KiB of read-ahead", () => {
  const directory = mkdtempSync(join(tmpdir(), "sealab-caches-"));
  const ran = spawnSync(process.execPath, [CLI, "run", "--", join(RECORDED, "caches.elf"), "disk"], {
    cwd: directory,
    encoding: "utf8",
    timeout: PATIENCE_MS,
  });
  rmSync(directory, { recursive: true });
  expect(ran.stderr).toBe("");
  expect(ran.stdout).toBe(readFileSync(join(RECORDED, "disk.txt"), "utf8"));
});
