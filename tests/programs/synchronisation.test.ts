import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { hostRunsPrograms } from "../userland/native.js";
import { compiledWithGlibc, compiledWithMusl } from "./obtain.js";

/**
 * Programs whose threads and processes wait for each other print in sealab what they print on the host, whatever
 * interleaving the seed makes. Skipped by name where there is no compiler for them.
 */
const CLI = join(import.meta.dirname, "..", "..", "dist", "cli.js");
const ISOLATION = ["--pid", "--fork", "--kill-child", "--mount-proc"];
const TIMEOUT = 60_000;

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(command: string, args: readonly string[]): Ran {
  // unshare does not listen to SIGTERM.
  const ran = spawnSync(command, args, { timeout: TIMEOUT / 2, killSignal: "SIGKILL" });
  return { status: ran.status, stdout: ran.stdout.toString(), stderr: ran.stderr.toString() };
}

/** The programs give threads 30 ms to go to sleep: a busy host may need another try. */
function onHost(program: string, expected: Ran): Ran {
  let there = run("unshare", [...ISOLATION, program]);
  for (let tries = 1; tries < 4 && there.stdout !== expected.stdout; tries++)
    there = run("unshare", [...ISOLATION, program]);
  return there;
}

const SOURCES = ["pthreads.c", "futexes.c", "sequences.c", "sigwait.c"] as const;
const COMPILERS = [
  ["glibc", compiledWithGlibc],
  ["musl", compiledWithMusl],
] as const;

describe.each(SOURCES)("%s", (source) => {
  for (const [library, compile] of COMPILERS) {
    const program = hostRunsPrograms ? compile(join(import.meta.dirname, source)) : undefined;
    if (program === undefined) console.log(`skipped: ${source} with ${library}: there is no compiler for it`);
    it.skipIf(program === undefined)(
      `static, ${library} (skipped without a compiler for it)`,
      () => {
        const here = run(process.execPath, [CLI, "run", "--", program!]);
        const there = onHost(program!, here);
        expect(there.status).toBe(0);
        expect(here).toEqual(there);
        const hasty = ["--seed", "7", "--quantum", "400"];
        expect(run(process.execPath, [CLI, "run", ...hasty, "--", program!])).toEqual(there);
      },
      TIMEOUT * 2,
    );
  }
});
