import { spawn } from "node:child_process";
import { PATIENCE_MS } from "../../patience.js";

/** What a program did. Text is latin-1: one character, one byte. */
export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Job {
  /** The program's path below the root, and its arguments. */
  readonly argv: readonly string[];
  readonly input?: string;
  /** The directory that is the program's /; "/" for the host's own. */
  readonly root: string;
  /** The directory where it runs, which it sees as /work; on the host's own root under its own name. */
  readonly work: string;
}

const ENVIRONMENT = ["PATH=/bin:/usr/bin:/sbin:/usr/sbin", "HOME=/root", "LC_ALL=C", "TZ=UTC", "TERM=dumb"];

function run(command: string, args: readonly string[], input: string, milliseconds: number): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin" } });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (bytes: Buffer) => out.push(bytes));
    child.stderr.on("data", (bytes: Buffer) => err.push(bytes));
    child.stdin.on("error", () => {
      // It ended without reading all of its input.
    });
    child.stdin.end(Buffer.from(input, "latin1"));
    const timer = setTimeout(() => child.kill("SIGKILL"), milliseconds);
    child.on("error", reject);
    child.on("close", (status) => {
      clearTimeout(timer);
      const text = (parts: readonly Buffer[]): string => Buffer.concat(parts).toString("latin1");
      resolve({ status, stdout: text(out), stderr: text(err) });
    });
  });
}

/**
 * On the host: with the root as its own (chroot), in namespaces of its own, as somebody's child, so that signals do
 * to it what they do to others than process 1.
 */
export function natively({ argv, input = "", root, work }: Job): Promise<Ran> {
  const user = process.getuid?.() === 0 ? [] : ["--map-root-user"];
  if (root === "/") {
    const isolation = [...user, "--pid", "--fork", "--kill-child", "--mount-proc"];
    const command = [
      "timeout",
      "--foreground",
      `${PATIENCE_MS / 1000}`,
      "env",
      "-i",
      "-C",
      work,
      ...ENVIRONMENT,
      ...argv,
    ];
    return run("unshare", [...isolation, ...command], input, 2 * PATIENCE_MS);
  }
  const script = `mount --rbind /dev "$0/dev" && mount -t proc proc "$0/proc" && mount --bind "$1" "$0/work" || exit 125
    shift
    exec timeout --foreground ${PATIENCE_MS / 1000} chroot "$0" /usr/bin/env -i -C /work "$@"`;
  const isolation = [...user, "--pid", "--fork", "--kill-child", "--mount"];
  return run(
    "unshare",
    [...isolation, "sh", "-c", script, root, work, ...ENVIRONMENT, ...argv],
    input,
    2 * PATIENCE_MS,
  );
}

/**
 * In sealab: the same tree, copy-on-write.
 * @param cli the command line's file
 * @param options more of `sealab run`'s
 */
export function inSealab(
  cli: string,
  { argv, input = "", root, work }: Job,
  milliseconds: number,
  options: readonly string[] = [],
): Promise<Ran> {
  const environment = ENVIRONMENT.flatMap((setting) => ["--env", setting]);
  const places =
    root === "/"
      ? ["--root", "/", "--cwd", work]
      : ["--root", root, "--mount", `${work}:/work`, "--cwd", "/work"];
  return run(
    process.execPath,
    [cli, "run", ...options, ...places, "--clear-env", ...environment, "--", ...argv],
    input,
    milliseconds,
  );
}
