import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { findSample } from "../../userland/index.js";
import { PATIENCE_MS } from "../patience.js";
import { hostRunsPrograms } from "../userland/native.js";
import { debianRoot } from "./ladder/debian-root.js";
import { inSealab, natively, type Ran } from "./ladder/run.js";

/** Debian's strace and gdb trace sample programs inside sealab, and say what they say on the host. */
const REPOSITORY = join(import.meta.dirname, "..", "..");
const CLI = join(REPOSITORY, "dist", "cli.js");
const NETWORK_MS = 60_000;

/** Both, and whatever they depend on. */
function debuggers(): { name: string; packages: string[] } | undefined {
  const only = ["recommends", "suggests", "conflicts", "breaks", "replaces", "enhances"].map(
    (kind) => `--no-${kind}`,
  );
  try {
    const args = ["depends", "--recurse", ...only, "strace", "gdb-minimal"];
    const text = execFileSync("apt-cache", args, {
      timeout: NETWORK_MS,
      stdio: ["ignore", "pipe", "ignore"],
    });
    const packages = text
      .toString()
      .split("\n")
      .filter((line) => /^\w/.test(line) && !line.includes(":"));
    return { name: "debian-debuggers", packages: [...new Set(packages)] };
  } catch {
    return undefined;
  }
}

const wanted = hostRunsPrograms ? debuggers() : undefined;
const root = wanted && debianRoot(join(REPOSITORY, ".cache", "programs"), wanted);
if (root === undefined)
  console.log("skipped: strace and gdb: Debian's packages cannot be had (apt-get download)");
const work = mkdtempSync(join(tmpdir(), "debuggers-"));
afterAll(() => rmSync(work, { recursive: true, force: true }));

/** Process numbers by the order in which they come up; addresses that the host randomises by nothing. */
function plain({ stdout, stderr, status }: Ran): { text: string; status: number | null } {
  const numbers = new Map<string, string>();
  const name = (number: string): string => {
    if (!numbers.has(number)) numbers.set(number, `P${numbers.size}`);
    return numbers.get(number)!;
  };
  const text = (stdout + stderr)
    .replace(
      /(?<=process |LWP |si_pid=|wait4\(|^(?:fork|clone|wait4|gettid|getpid)\(.*= |FUTEX_WAIT, |parent_tid=\[)\d+\b/gm,
      name,
    )
    .replace(/0x7ff[0-9a-f]{9}/g, "STACK")
    .replace(/0x7f[0-9a-f]{10}/g, "MAPPED");
  return { text, status };
}

/**
 * What it does on the host and here. Who of two processes is seen first is chance on the host: where the answers
 * differ, it is asked again.
 */
async function both<T>(
  argv: readonly string[],
  told: (ran: Ran) => T,
): Promise<{ host: Ran; there: T; here: T }> {
  const job = { argv, root: root!, work };
  const here = told(await inSealab(CLI, job, PATIENCE_MS));
  let host = await natively(job);
  for (let tries = 1; tries < 8 && JSON.stringify(told(host)) !== JSON.stringify(here); tries++)
    host = await natively(job);
  return { host, there: told(host), here };
}

function install(sample: string): string {
  writeFileSync(join(work, sample), findSample(sample)!.build(), { mode: 0o755 });
  return `/work/${sample}`;
}

describe.skipIf(root === undefined)("debuggers (skipped where Debian's packages cannot be had)", () => {
  it.each([["refused-munmap"], ["jit-heap"], ["fork-seals"], ["exec-seals"], ["thread-keys"]])(
    "strace -ff %s",
    async (sample) => {
      // A file for each process: how their lines mix is chance.
      const strace = "strace -ff -o /tmp/trace -e trace='!execve,futex'";
      const script = `rm -f /tmp/trace.*; ${strace} ${install(sample)}; echo $?; cat $(ls -v /tmp/trace.*)`;
      const { host, there, here } = await both(["/bin/sh", "-c", script], plain);
      expect(host.stdout).toContain("exited with 0");
      expect(here).toEqual(there);
    },
  );

  it("strace -c counts the calls of a thread and its maker", async () => {
    // A futex wait may find the thread gone already.
    const counts = (ran: Ran): string => ran.stderr.replace(/^ +\d+ (futex|total)\n|^.* attached\n/gm, "");
    const argv = ["/usr/bin/strace", "-f", "-c", "-U", "calls,name", install("thread-keys")];
    const { host, there, here } = await both(argv, counts);
    expect(host.status).toBe(0);
    expect(here).toBe(there);
  });

  it("gdb steps, stops at a system call, changes a register, and sees the end", async () => {
    const commands = [
      "starti",
      "p/x $rip",
      "stepi 2",
      "p/x $rip",
      "catch syscall munmap",
      "continue",
      "p/x $rdi",
      "p $rsi",
      "continue",
      "p (long) $rax",
      "x/2i $rip",
      "p/x *(long *) $rsp",
      "delete",
      "break *$rip+3",
      "set $r15 = 42",
      "continue",
      "p $r15",
      "info breakpoints",
      "delete",
      "continue",
    ].flatMap((command) => ["-ex", command]);
    const argv = ["/usr/bin/gdb", "-q", "-nx", "-batch", ...commands, install("refused-munmap")];
    const { host, there, here } = await both(argv, plain);
    expect(host.stdout).toContain("exited normally");
    expect(here).toEqual(there);
  });

  it("gdb follows a fault into a handler and a thread from its start to its end", async () => {
    const commands = [
      "set pagination off",
      "handle SIGSEGV nostop noprint pass",
      "run",
      "info inferiors",
    ].flatMap((command) => ["-ex", command]);
    const argv = ["/usr/bin/gdb", "-q", "-nx", "-batch", ...commands, install("thread-keys")];
    // When gdb hears of the thread beside what the program prints is chance.
    const told = (ran: Ran): { news: string[]; output: string[]; status: number | null } => {
      const { text, status } = plain(ran);
      const isNews = (line: string): boolean => /^\[|^ /.test(line);
      const lines = text.split("\n");
      return { news: lines.filter(isNews), output: lines.filter((line) => !isNews(line)), status };
    };
    const { host, there, here } = await both(argv, told);
    expect(host.stdout).toContain("second thread");
    expect(here).toEqual(there);
  });
});
