import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { debianRoot } from "../../programs/ladder/debian-root.js";
import { PATIENCE_MS } from "../../patience.js";
import { hostRunsPrograms } from "../../userland/native.js";

const REPOSITORY = join(import.meta.dirname, "..", "..", "..");
const CLI = join(REPOSITORY, "dist", "cli.js");
const NETWORK_MS = 60_000;
/** A second after the program has printed this, commands with `echo interrupted` are interrupted. */
const INTERRUPT_AFTER = "munmap";

function works(command: readonly string[]): boolean {
  try {
    execFileSync(command[0]!, [...command.slice(1), "--version"], { stdio: "ignore", timeout: PATIENCE_MS });
    return true;
  } catch {
    return false;
  }
}

/** Debian's gdb out of its packages, with the loader and the libraries that it was made for. */
function unpackedGdb(): readonly string[] | undefined {
  let packages: string[];
  try {
    const only = ["recommends", "suggests", "conflicts", "breaks", "replaces", "enhances"];
    const text = execFileSync(
      "apt-cache",
      ["depends", "--recurse", ...only.map((kind) => `--no-${kind}`), "gdb"],
      {
        timeout: NETWORK_MS,
        stdio: ["ignore", "pipe", "ignore"],
      },
    );
    packages = text
      .toString()
      .split("\n")
      .filter((line) => /^\w/.test(line) && !line.includes(":"));
  } catch {
    return undefined;
  }
  const cache = join(REPOSITORY, ".cache", "programs");
  const root = debianRoot(cache, { name: "debian-gdb", packages: [...new Set(packages)] });
  if (root === undefined) return undefined;
  const folders = ["lib", "usr/lib"].map((folder) => join(root, folder, "x86_64-linux-gnu"));
  const loader = join(root, "lib64", "ld-linux-x86-64.so.2");
  const command = [
    loader,
    "--library-path",
    folders.join(":"),
    join(root, "usr", "bin", "gdb"),
    "--data-directory",
    join(root, "usr", "share", "gdb"),
  ];
  return existsSync(loader) && works(command) ? command : undefined;
}

/** How gdb is started: the host's own, else Debian's; undefined where there is none to be had. */
export function findGdb(): readonly string[] | undefined {
  if (!hostRunsPrograms) return undefined;
  return works(["gdb"]) ? ["gdb"] : unpackedGdb();
}

export interface Debugged {
  /** What gdb printed. */
  readonly gdb: string;
  /** Of the program. */
  readonly output: string;
  /** sealab's own lines. */
  readonly log: string;
  readonly status: number | null;
}

/** Runs a program under sealab gdb, and gdb's commands on it; `more` are the commands of gdbs that come later. */
export async function debug(
  gdb: readonly string[],
  program: readonly string[],
  commands: readonly string[],
  ...more: readonly (readonly string[])[]
): Promise<Debugged> {
  const server = spawn(process.execPath, [CLI, "gdb", "--port", "0", ...program], {
    // Where the program is: it is in the guest's tree with its own time, which gdb compares with the source's.
    cwd: dirname(program.at(-1)!.startsWith("/") ? program.at(-1)! : program.at(-2)!),
    stdio: ["ignore", "pipe", "pipe"],
    timeout: PATIENCE_MS,
    killSignal: "SIGKILL",
  });
  let output = "";
  let log = "";
  server.stdout.on("data", (text: Buffer) => (output += text.toString()));
  const ended = new Promise<number | null>((resolve) => server.on("close", resolve));
  const address = await new Promise<string>((resolve, reject) => {
    server.stderr.on("data", (text: Buffer) => {
      log += text.toString();
      const found = /target remote (\S+)\n/.exec(log);
      if (found !== null) resolve(found[1]!);
    });
    server.on("close", () => reject(new Error(log)));
  });
  let said = "";
  for (const session of [commands, ...more])
    said += await runGdb(gdb, address, session, () => output.includes(INTERRUPT_AFTER));
  const status = await ended;
  return { gdb: said, output, log, status };
}

async function runGdb(
  gdb: readonly string[],
  address: string,
  commands: readonly string[],
  interrupted: () => boolean,
): Promise<string> {
  const script = ["set pagination off", "set remotetimeout 200", `target remote ${address}`, ...commands];
  const args = [...gdb.slice(1), "-q", "-nx", "-batch", ...script.flatMap((command) => ["-ex", command])];
  const child = spawn(gdb[0]!, args, {
    stdio: ["ignore", "pipe", "pipe"],
    timeout: PATIENCE_MS,
    killSignal: "SIGKILL",
  });
  let said = "";
  child.stdout.on("data", (text: Buffer) => (said += text.toString()));
  child.stderr.on("data", (text: Buffer) => (said += text.toString()));
  // As the user's Ctrl-C.
  let waited = 0;
  const timer = setInterval(() => {
    if (commands.includes("echo interrupted\\n") && interrupted() && ++waited === 10) child.kill("SIGINT");
  }, 100);
  await new Promise((resolve) => child.on("close", resolve));
  clearInterval(timer);
  return said;
}
