import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeCase, type Case } from "./layout.js";

const LONGEST_MS = 600_000;

/**
 * What the processor of this machine answers to the cases, one answer behind the other; fewer where the program ends
 * before. Throws where there is no compiler.
 */
export function runOnHost(cases: readonly Case[]): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "compat-"));
  try {
    const host = join(folder, "host");
    const options = ["-O1", "-static-pie", "-fno-stack-protector", "-mno-red-zone"];
    const made = spawnSync("gcc", [...options, "-o", host, "tests/cpu/compat/host.c"]);
    if (made.status !== 0) throw new Error(`gcc: ${String(made.error ?? made.stderr)}`);
    const input = Buffer.concat(cases.map(encodeCase));
    return spawnSync(host, { input, maxBuffer: 2 ** 30, timeout: LONGEST_MS }).stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
