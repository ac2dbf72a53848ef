import { spawn } from "node:child_process";
import { casesOf } from "./outcome.js";
import type { Outcome } from "./outcome.js";

/** Bytes of output that are kept. */
const MOST_OUTPUT = 16 * 1024 * 1024;

/** A run and all that it printed. */
export interface Ran {
  readonly outcome: Outcome;
  readonly output: string;
}

/**
 * Runs a command to its end, or kills it with all that it started.
 * @param directory its working directory
 */
export function run(
  command: string,
  args: readonly string[],
  directory: string,
  milliseconds: number,
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: directory, detached: true, stdio: ["ignore", "pipe", "pipe"] });
    const parts: Buffer[] = [];
    let size = 0;
    let late = false;
    const keep = (bytes: Buffer): void => {
      if (size < MOST_OUTPUT) parts.push(bytes);
      size += bytes.length;
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    const timer = setTimeout(() => {
      late = true;
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    }, milliseconds);
    child.on("error", reject);
    child.on("close", (status, signal) => {
      clearTimeout(timer);
      const output = Buffer.concat(parts).toString("latin1");
      const end = late ? "timeout" : signal !== null ? `signal ${signal}` : `exit ${status}`;
      resolve({ outcome: { end, cases: casesOf(output) }, output });
    });
  });
}

/** The command that runs a program on the host, in a process namespace of its own. */
export function onHost(program: string): readonly [string, readonly string[]] {
  const user = process.getuid?.() === 0 ? [] : ["--map-root-user"];
  // Behind a shell: as process 1 of its namespace it would be spared the signals whose action is the default one.
  const script = 'mount --make-rprivate / && "$0"; exit $?';
  const isolation = [...user, "--pid", "--ipc", "--fork", "--kill-child", "--mount-proc"];
  return ["unshare", [...isolation, "sh", "-c", script, program]];
}

/** The command that runs it in sealab. */
export function inSealab(
  cli: string,
  options: readonly string[],
  program: string,
): readonly [string, readonly string[]] {
  return [
    process.execPath,
    [cli, "run", "--env", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", ...options, "--", program],
  ];
}
