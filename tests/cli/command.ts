import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

/** The built command line. */
export const cli = fileURLToPath(new URL("../../dist/cli.js", import.meta.url));
if (!existsSync(cli)) throw new Error("dist/ is not built: run the tests with npm test");

export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built command line to its end. */
export function sealab(
  args: readonly string[],
  options: { input?: string; env?: NodeJS.ProcessEnv } = {},
): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    encoding: "utf8",
    input: options.input ?? "",
    env: { ...process.env, ...options.env },
  });
  return { status, stdout, stderr };
}

/** Starts it and leaves it running. */
export function startSealab(args: readonly string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [cli, ...args]);
}

/** A directory that is gone after the test file. */
export function scratchDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "sealab-test-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
