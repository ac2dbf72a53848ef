import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect, createServer, type AddressInfo } from "node:net";
import { afterAll, describe, expect, it } from "vitest";
import { findSample } from "../../userland/index.js";
import { PATIENCE_MS } from "../patience.js";
import { hostRunsPrograms } from "../userland/native.js";
import { compileOnce } from "../programs/compile-once.js";
import { debug, findGdb } from "./gdb/gdb.js";

/** An unmodified gdb debugs programs in sealab. */
const CLI = join(import.meta.dirname, "..", "..", "dist", "cli.js");
const SOURCE = join(import.meta.dirname, "gdb", "debugged.c");
const LIBRARIES = ["lib", "lib64", "usr/lib"].flatMap((folder) => ["--mount", `/${folder}:/${folder}`]);

const gdb = findGdb();
if (gdb === undefined) console.log("skipped: gdb's sessions: there is no gdb, and Debian's cannot be had");
const work = mkdtempSync(join(tmpdir(), "sealab-gdb-"));
afterAll(() => rmSync(work, { recursive: true, force: true }));

function compiled(name: string, ...options: string[]): string | undefined {
  if (!hostRunsPrograms) return undefined;
  return compileOnce(SOURCE, name, "gcc", ["-g", "-O0", "-w", "-pthread", ...options]);
}

const dynamic = compiled("dynamic");
const fixed = compiled("static", "-static");
if (dynamic === undefined) console.log("skipped: gdb with C programs: no gcc");

describe.skipIf(gdb === undefined)("gdb and a sample", () => {
  it("sees registers, keys, areas, and why munmap is refused", async () => {
    const sample = join(work, "refused-munmap");
    writeFileSync(sample, findSample("refused-munmap")!.build(), { mode: 0o755 });
    const ran = await debug(
      gdb!,
      [sample],
      [
        "info registers pkru rip",
        "catch syscall 462",
        "condition 1 $rdi != 0",
        "continue",
        "continue",
        "print $rax",
        "delete",
        "catch syscall munmap",
        "condition 2 (long) $rax == -1",
        "continue",
        "print (long) $rax",
        "monitor seals",
        "monitor explain",
        "info proc mappings",
        "detach",
      ],
    );
    expect(ran.gdb).toMatch(/pkru +0x55555554/);
    expect(ran.gdb).toContain("(call to syscall 462)");
    expect(ran.gdb).toContain("(returned from syscall 462)");
    expect(ran.gdb).toContain("$1 = 0");
    expect(ran.gdb).toContain("$2 = -1");
    expect(ran.gdb).toContain("munmap.sealed");
    expect(ran.gdb).toMatch(/sealed: at 0x/);
    expect(ran.gdb).toContain("[stack]");
    expect(ran.status).toBe(0);
  });
});

describe.skipIf(gdb === undefined || dynamic === undefined)("gdb and a C program", () => {
  it("breaks, steps, shows its source and its callers, watches, and follows threads", async () => {
    const ran = await debug(
      gdb!,
      [...LIBRARIES, dynamic!],
      [
        "break square if n == 3",
        "continue",
        "backtrace",
        "next",
        "print result",
        "finish",
        "info breakpoints",
        "delete",
        "watch counter",
        "continue",
        "info threads",
        "backtrace 1",
        "stepi",
        "delete",
        "tbreak munmap",
        "continue",
        "finish",
        "monitor explain",
        "print square(9)",
        "continue",
        "print $_siginfo.si_signo",
        "continue",
      ],
    );
    expect(ran.gdb).toMatch(/Breakpoint 1, square \(n=3\) at .*debugged.c:\d+\n.*int result = n \* n;/);
    expect(ran.gdb).toMatch(/#1 .* in sum \(n=4\).*\n#2 .* in main \(count=1,/);
    expect(ran.gdb).toContain("$1 = 9");
    expect(ran.gdb).toContain("Value returned is $2 = 9");
    expect(ran.gdb).toContain("breakpoint already hit 1 time");
    expect(ran.gdb).toMatch(/hit Hardware watchpoint 2: counter\n\nOld value = 0\nNew value = 42\nwork/);
    expect(ran.gdb).toMatch(/^\* 2 +Thread 1000\.1001 .* work /m);
    expect(ran.gdb).toContain("munmap.sealed");
    expect(ran.gdb).toContain("$3 = 81");
    expect(ran.gdb).toContain("received signal SIGUSR1");
    expect(ran.gdb).toContain("$4 = 10");
    expect(ran.gdb).toContain("exited with code 07");
    expect(ran).toMatchObject({ output: "sum 30\nmseal 0 munmap -1\n", status: 7 });
  });

  it.skipIf(fixed === undefined).each(["static", "dynamic"])(
    "goes back: to the write that changed a watched byte, by line, out of a function, to the beginning (%s)",
    async (kind) => {
      const program = kind === "static" ? [fixed!] : [...LIBRARIES, dynamic!];
      const ran = await debug(gdb!, program, [
        "tbreak munmap",
        "continue",
        "watch counter",
        "reverse-continue",
        "backtrace 1",
        "continue",
        "delete",
        "tbreak square",
        "reverse-continue",
        "print n",
        "reverse-finish",
        "reverse-next",
        "reverse-next",
        "reverse-stepi",
        "reverse-continue",
        "print $pc",
        "handle SIGUSR1 nostop noprint pass",
        "continue",
      ]);
      expect(ran.gdb).toMatch(/Old value = 42\nNew value = 0\n(?:0x\w+ in )?work \(.*\n24\t/);
      expect(ran.gdb).toMatch(/#0 .*work \(argument=0x0\)/);
      expect(ran.gdb).toMatch(/Old value = 0\nNew value = 42\nwork/);
      // The last call of square.
      expect(ran.gdb).toContain("$1 = 4");
      expect(ran.gdb).toMatch(/in sum \(n=4\).*\n19\t.*\n/);
      expect(ran.gdb).toContain("No more reverse-execution history.");
      expect(ran.gdb).toMatch(/\$2 = .*<_start>/);
      expect(ran.gdb).toContain("exited with code 07");
      // What was printed is not printed again.
      expect(ran).toMatchObject({ output: "sum 30\nmseal 0 munmap -1\n", status: 7 });
    },
  );

  it.skipIf(fixed === undefined)("follows a child of fork, and comes back to its parent", async () => {
    const ran = await debug(
      gdb!,
      [fixed!],
      [
        "handle SIGUSR1 nostop noprint pass",
        "set follow-fork-mode child",
        "set detach-on-fork off",
        "catch fork",
        "continue",
        "continue",
        "inferior 1",
        "continue",
      ],
    );
    expect(ran.gdb).toMatch(/Catchpoint 1 \(forked process \d+\)/);
    expect(ran.gdb).toMatch(/Inferior 2 \(process \d+\) exited with code 07/);
    expect(ran.gdb).toMatch(/Inferior 1 \(process 1000\) exited with code 07/);
    expect(ran.status).toBe(7);
  });

  it.skipIf(fixed === undefined)("is interrupted, loses one gdb and is killed by the next", async () => {
    const ran = await debug(
      gdb!,
      [fixed!, "spin"],
      [
        "handle SIGUSR1 nostop noprint pass",
        "continue",
        "echo interrupted\\n",
        "print counter >= 42",
        "disconnect",
      ],
      ["backtrace", "kill"],
    );
    expect(ran.gdb).toContain("received signal SIGINT");
    expect(ran.gdb).toContain("$1 = 1");
    expect(ran.log).toContain("gdb has gone; the program stands still");
    expect(ran.gdb).toMatch(/#0 .* main \(count=2/);
    expect(ran.status).toBe(137);
  });
});

describe("the server", () => {
  const run = (...args: string[]): { status: number | null; stderr: string } => {
    const { status, stderr } = spawnSync(process.execPath, [CLI, "gdb", ...args], {
      timeout: PATIENCE_MS,
      encoding: "utf8",
    });
    return { status, stderr };
  };

  it("says what is wrong with its options, and that a port is in use", async () => {
    expect(run()).toMatchObject({ status: 2, stderr: expect.stringContaining("which program?") as string });
    expect(run("--port", "x", "y")).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("not a port") as string,
    });
    expect(run("--port", "0", "/absent").status).toBe(127);
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as AddressInfo;
    const busy = run("--port", String(port), "--sample", "hello");
    other.close();
    expect(busy).toEqual({ status: 2, stderr: `sealab: --port ${port}: in use already\n` });
  });

  it("turns a second client away, takes nonsense, and waits for the next", async () => {
    const server = spawn(process.execPath, [CLI, "gdb", "--port", "0", "--sample", "hello"], {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: PATIENCE_MS,
      killSignal: "SIGKILL",
    });
    let log = "";
    const ended = new Promise<number | null>((resolve) => server.on("close", resolve));
    const port = await new Promise<number>((resolve) => {
      server.stderr.on("data", (text: Buffer) => {
        log += text.toString();
        const found = /target remote 127\.0\.0\.1:(\d+)\n/.exec(log);
        if (found !== null) resolve(Number(found[1]));
      });
    });
    const talk = (text: string, until: RegExp): Promise<{ end: () => Promise<void>; said: string }> =>
      new Promise((resolve, reject) => {
        const socket = connect(port, "127.0.0.1", () => socket.write(text, "latin1"));
        let said = "";
        socket.on("error", reject);
        socket.on("data", (bytes) => {
          said += bytes.toString("latin1");
          const closed = (): Promise<void> =>
            new Promise((done) => void socket.on("close", () => done()).end());
          if (until.test(said)) resolve({ end: closed, said });
        });
      });
    const first = await talk("\xff\x00garbage$#00$nonsense$qC#b4", /\$QC/);
    const second = await talk("$qC#b4", /another gdb/);
    await second.end();
    await first.end();
    const third = await talk("$D#44", /OK/);
    await third.end();
    expect(await ended).toBe(0);
    expect(log).toContain("a second gdb was turned away");
    expect(log).toContain("gdb has gone");
  });
});
