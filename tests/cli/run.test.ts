import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Program, SYS } from "../../userland/index.js";
import { cli, scratchDirectory, sealab, startSealab } from "./command.js";

const directory = scratchDirectory();

/** Writes a program and gives its path. */
function program(name: string, write: (program: Program) => void): string {
  const made = new Program().label("_start");
  write(made);
  const path = join(directory, name);
  writeFileSync(path, made.build(), { mode: 0o755 });
  return path;
}

const cat = program("cat", (p) => {
  p.within(".bss", () => p.label("buffer").reserve(4096));
  p.label("again").syscall(SYS.read, 0, "buffer", 4096).code(`
    test rax, rax
    jle end
    mov rdx, rax
    mov edi, 1
    lea rsi, [buffer]
    mov eax, ${SYS.write}
    syscall
    jmp again
  `);
  p.label("end").exit(0);
});
const loop = program("loop", (p) => p.code("again: jmp again"));
/** Prints argv[1] to argv[argc-1] and the environment, a line each. */
const show = program("show", (p) => {
  p.code(
    `
      lea rbx, [rsp+16]
      mov r12d, 2
    next:
      mov rsi, [rbx]
      test rsi, rsi
      jz part
      xor edx, edx
    length:
      cmp byte ptr [rsi+rdx], 0
      je write
      inc rdx
      jmp length
    write:
      mov edi, 1
      mov eax, ${SYS.write}
      syscall
  `,
  ).line("");
  p.code(`
      add rbx, 8
      jmp next
    part:
      add rbx, 8
      dec r12
      jnz next
  `);
  p.exit(0);
});

describe("a program", () => {
  it("has its own output, input and status", () => {
    expect(sealab(["run", cat], { input: "one\ntwo\n" })).toEqual({
      status: 0,
      stdout: "one\ntwo\n",
      stderr: "",
    });
    const failing = program("failing", (p) => p.line("said").exit(42));
    expect(sealab(["run", failing])).toEqual({ status: 42, stdout: "said\n", stderr: "" });
    const crash = program("crash", (p) => p.code("ud2"));
    expect(sealab(["run", crash])).toEqual({ status: 132, stdout: "", stderr: "" });
  });

  it("gets its arguments and its environment, byte for byte", () => {
    const { stdout } = sealab(["run", "--clear-env", "--env", "A=é", "--env", "B=", show, "--trace", "ü x"]);
    expect(stdout).toBe("--trace\nü x\nA=é\nB=\n");
    expect(sealab(["run", show], { env: { SEEN: "yes" } }).stdout).toContain("SEEN=yes\n");
  });
});

describe.skipIf(!existsSync("/dev/full"))("a full disk", () => {
  const full = openSync("/dev/full", "w");
  const into = (args: readonly string[], stdio: ["ignore", number | "pipe", number | "pipe"]) => {
    const { status, stderr } = spawnSync(process.execPath, [cli, ...args], { stdio, encoding: "utf8" });
    return { status, stderr };
  };

  it("is the program's ENOSPC, and one line and status 2 for what sealab itself cannot write", () => {
    const program = into(["run", "--trace", "--sample", "hello"], ["ignore", full, "pipe"]);
    expect(program.status).toBe(0);
    expect(program.stderr).toContain("58) = -1 ENOSPC (No space left on device)\n");
    expect(into(["--version"], ["ignore", full, "pipe"])).toEqual({
      status: 2,
      stderr: "sealab: standard output: cannot be written: no space left on device\n",
    });
    expect(into(["run", "--record", "/dev/full", "--sample", "hello"], ["ignore", "pipe", "pipe"])).toEqual({
      status: 2,
      stderr: "sealab: --record /dev/full: cannot be written: no space left on device\n",
    });
    expect(into(["run", "nowhere"], ["ignore", "pipe", full]).status).toBe(127);
  });
});

describe("looking on", () => {
  it("traces to stderr, to a file and as JSON", () => {
    const plain = sealab(["run", "--trace", "--sample", "hello"]);
    expect(plain.stderr).toContain('write(1, "hello from a program that an ass"..., 58) = 58\n');
    expect(plain.stderr).toMatch(
      /^execve\("\/hello", \["hello"\], 0x7ff[0-9a-f]+ \/\* \d+ vars \*\/\) = 0\n/,
    );
    expect(plain.stderr).toMatch(/\+\+\+ exited with 0 \+\+\+\n$/);

    const file = join(directory, "trace.txt");
    const traced = sealab(["run", `--trace=${file}`, "--sample", "hello"]);
    expect(traced.stderr).toBe("");
    const withoutEnvironment = (text: string): string => text.replace(/0x7ff.*vars? \*\//, "");
    expect(withoutEnvironment(readFileSync(file, "utf8"))).toBe(withoutEnvironment(plain.stderr));

    const records = sealab(["run", "--trace=json", "--sample", "refused-munmap"])
      .stderr.trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { type: string; errno?: string; refusal?: { rule: string } });
    expect(records[0]!.type).toBe("exec");
    expect(records.find((record) => record.errno === "EPERM")).toMatchObject({
      name: "munmap",
      refusal: { rule: "munmap.sealed", area: { sealed: true } },
    });
  });

  it("says why", () => {
    const { stderr } = sealab(["run", "--explain", "--sample", "refused-munmap"]);
    expect(stderr).toMatch(/^munmap\(.*\) += -1 EPERM \(Operation not permitted\)\n {4}why +A sealed area/);
    expect(stderr).toMatch(/ {4}rule +munmap\.sealed → EPERM \(can_modify_vma\)\n/);
    expect(stderr).toMatch(
      / {4}sealed +at instruction \d+, RIP 0x40[0-9a-f]+ <_start\+0x[0-9a-f]+>, thread 1000\n/,
    );
    expect(stderr).toMatch(/PT\[16\] = 0x[0-9a-f]{16}: frame 0x[0-9a-f]+, P RW US A D/);
  });

  it("adds areas and numbers at the end", () => {
    const { stderr } = sealab(["run", "--maps", "--stats", "--sample", "jit-heap"]);
    expect(stderr).toMatch(/^5ea10000-5ea14000 rwx +4 pages, key 1, sealed$/m);
    expect(stderr).toMatch(/^instructions +2,729$/m);
    expect(stderr).toMatch(/^TLB misses +\d+$/m);
  });
});

describe("bounds", () => {
  it("stop a program that does not end, with status 124 and one line", () => {
    expect(sealab(["run", "--max-instructions", "1000", loop])).toEqual({
      status: 124,
      stdout: "",
      stderr: `sealab: ${loop}: stopped after 1000 instructions\n`,
    });
    const timed = sealab(["run", "--timeout", "0.2", loop]);
    expect(timed).toEqual({
      status: 124,
      stdout: "",
      stderr: `sealab: ${loop}: stopped after 0.2 seconds\n`,
    });
  });

  it.skipIf(process.platform === "win32")(
    "let Ctrl-C through: once to the program, twice to sealab",
    async () => {
      const started = program("started", (p) => p.line("started").code("again: jmp again"));
      const interrupted = startSealab(["run", started]);
      interrupted.stdout.once("data", () => interrupted.kill("SIGINT"));
      expect(await new Promise((resolve) => interrupted.on("exit", resolve))).toBe(130);

      const deaf = program("deaf", (p) => {
        p.onSignal(2, "handler").line("ready").code("again: jmp again");
        p.label("handler").line("heard").code("ret");
      });
      const stubborn = startSealab(["run", deaf]);
      let output = "";
      stubborn.stdout.on("data", (text: Buffer) => {
        output += String(text);
        stubborn.kill("SIGINT");
      });
      expect(await new Promise((resolve) => stubborn.on("exit", resolve))).toBe(130);
      expect(output).toBe("ready\nheard\n");
    },
  );

  it("waits for input without using the processor, and goes on when it comes", async () => {
    const waiting = startSealab(["run", cat]);
    setTimeout(() => waiting.stdin.end("late\n"), 700);
    let output = "";
    waiting.stdout.on("data", (text: Buffer) => (output += String(text)));
    expect(await new Promise((resolve) => waiting.on("exit", resolve))).toBe(0);
    expect(output).toBe("late\n");
  });
});

describe("bad input", () => {
  const file = (name: string, bytes: Uint8Array | string): string => {
    const path = join(directory, name);
    writeFileSync(path, bytes);
    return path;
  };
  const elf = (change: (bytes: Uint8Array) => void): Uint8Array => {
    const bytes = new Program().label("_start").exit(0).build();
    change(bytes);
    return bytes;
  };
  mkdirSync(join(directory, "folder"));

  it.each([
    ["no such file", "/nowhere/at/all", 127, "no such file or directory"],
    ["a directory", join(directory, "folder"), 126, "is a directory"],
    ["text", file("text", "just text, no program\n"), 126, ""],
    ["nothing", file("empty", ""), 126, ""],
    [
      "32-bit",
      file(
        "elf32",
        elf((bytes) => (bytes[4] = 1)),
      ),
      126,
      "32",
    ],
    [
      "another machine",
      file(
        "arm",
        elf((bytes) => (bytes[18] = 183)),
      ),
      126,
      "",
    ],
    ["truncated", file("short", elf(() => {}).slice(0, 100)), 126, ""],
  ])("%s is named in one line", (_, path, status, reason) => {
    const ended = sealab(["run", path]);
    expect(ended).toMatchObject({ status, stdout: "" });
    expect(ended.stderr.startsWith(`sealab: ${path}: `)).toBe(true);
    expect(ended.stderr).toContain(reason);
    expect(ended.stderr.split("\n")).toHaveLength(2);
  });

  it.each([
    [["run"], "which program?"],
    [["run", "--bogus", "x"], "unknown option --bogus"],
    [["run", "--mount", "/nowhere/at/all:/x", "y"], "--mount: /nowhere/at/all: no such file or directory"],
    [["run", "--memory", "1", "y"], "--memory 1: not a size"],
    [["fly"], "unknown command fly"],
    [[], "what shall it do?"],
  ])("wrong usage is answered in one line: %j", (args, reason) => {
    const ended = sealab(args);
    expect(ended).toMatchObject({ status: 2, stdout: "" });
    expect(ended.stderr).toContain(reason);
    expect(ended.stderr.split("\n")).toHaveLength(2);
  });
});

describe("the rest of the command", () => {
  it("tells the demo's story", () => {
    const { status, stdout } = sealab(["demo"]);
    expect(status).toBe(0);
    expect(stdout).toContain(
      "✗ madvise(0x5ea10000, 4096, MADV_DONTNEED) = -1 EPERM (Operation not permitted)",
    );
    expect(stdout).toContain("│ owner: square(7) gives 49 (ok)");
    expect(stdout).not.toContain("\u001b[");
  });

  it("lists samples and writes them", () => {
    expect(sealab(["samples"]).stdout).toContain("jit-heap ");
    const path = join(directory, "jit-heap");
    expect(sealab(["samples", "jit-heap", "-o", path])).toEqual({ status: 0, stdout: "", stderr: "" });
    expect(sealab(["run", path]).stdout).toBe(sealab(["run", "--sample", "jit-heap"]).stdout);
    expect(sealab(["samples", "nothing", "-o", "x"])).toMatchObject({ status: 127 });
  });

  it("helps and gives its version", () => {
    expect(sealab(["--help"])).toMatchObject({ status: 0, stderr: "" });
    for (const line of sealab(["--help"]).stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
    expect(sealab(["run", "--help"]).stdout).toContain("--explain");
    expect(sealab(["--version"]).stdout).toMatch(/^sealab \d+\.\d+\.\d+\n$/);
  });
});
