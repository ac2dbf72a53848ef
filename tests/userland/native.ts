import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { join } from "node:path";
import { PATIENCE_MS } from "../patience.js";

export interface NativeRun {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

function kernelIsAtLeast(major: number, minor: number): boolean {
  const [a = 0, b = 0] = release().split(".").map(Number);
  return a > major || (a === major && b >= minor);
}

function hasProtectionKeys(): boolean {
  try {
    return /\bospke\b/.test(readFileSync("/proc/cpuinfo", "utf8"));
  } catch {
    return false;
  }
}

/** Whether this host runs x86-64 Linux programs itself. */
export const hostRunsPrograms = process.platform === "linux" && process.arch === "x64";

/** Whether its kernel has mseal as 6.12 and later have it. */
export const hostHasMseal = hostRunsPrograms && kernelIsAtLeast(6, 12);

export const hostHasKeys = hostRunsPrograms && hasProtectionKeys();

/** In a PID namespace of its own where that is allowed, so that nothing it starts outlives it. */
const ISOLATION = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];
let isolates: boolean | undefined;

/** Runs an ELF file on the host, for at most `timeout` milliseconds. */
export function runNative(elf: Uint8Array, timeout = PATIENCE_MS): NativeRun {
  const folder = mkdtempSync(join(tmpdir(), "sealab-"));
  try {
    const file = join(folder, "program");
    writeFileSync(file, elf, { mode: 0o755 });
    isolates ??= spawnSync(ISOLATION[0]!, [...ISOLATION.slice(1), "true"]).status === 0;
    const [command, ...args] = isolates ? [...ISOLATION, file] : [file];
    const run = spawnSync(command!, args, { timeout, maxBuffer: 1 << 28 });
    if (run.error) throw run.error;
    return { stdout: run.stdout, stderr: run.stderr, status: run.status, signal: run.signal };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
