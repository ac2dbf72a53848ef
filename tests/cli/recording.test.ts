import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, test } from "vitest";
import { Program, SYS } from "../../userland/index.js";
import { hostRunsPrograms } from "../userland/native.js";
import { PATIENCE_MS } from "../patience.js";
import { cli, scratchDirectory, sealab, startSealab, type Ended } from "./command.js";
import { noPython, session } from "./terminal-session.js";

const OPEN = 2;
const GETRANDOM = 318;

const directory = scratchDirectory();
const at = (name: string): string => join(directory, name);

function program(name: string, write: (program: Program) => void): string {
  const made = new Program().label("_start");
  write(made);
  writeFileSync(at(name), made.build(), { mode: 0o755 });
  return at(name);
}

/** Repeats a record, with nothing of the host's: another directory, no input, no environment. */
function replay(file: string, ...args: string[]): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, "run", "--replay", file, ...args], {
    encoding: "utf8",
    cwd: "/",
    input: "",
    env: {},
  });
  return { status, stdout, stderr };
}

/** Copies input to output until its end, reads a file of the current directory, and writes eight random bytes. */
const taker = program("taker", (p) => {
  p.within(".bss", () => p.label("buffer").reserve(4096));
  p.within(".rodata", () => p.label("name").string("data.txt"));
  const copy = (from: string, label: string): void => {
    p.label(label).code(`mov edi, ${from}\n lea rsi, [buffer]\n mov edx, 4096\n xor eax, eax\n syscall`);
    p.code(`test rax, rax\n jle ${label}_end\n mov rdx, rax\n mov edi, 1\n lea rsi, [buffer]`);
    p.code(`mov eax, ${SYS.write}\n syscall\n jmp ${label}`).label(`${label}_end`);
  };
  copy("0", "input");
  p.syscall(OPEN, "name", 0, 0).code("mov r12, rax");
  copy("r12d", "file");
  p.syscall(GETRANDOM, "buffer", 8, 0).syscall(SYS.write, 1, "buffer", 8).exit(5);
});
const loop = program("loop", (p) => p.code("again: jmp again"));

describe("a record", () => {
  it("is all that a replay needs: program, files, input, randomness", () => {
    writeFileSync(at("data.txt"), "what the file says\n");
    const file = at("taker.record");
    const args = ["run", "--record", file, "--seed", "host", "--stats", taker];
    const first = spawnSync(process.execPath, [cli, ...args], {
      encoding: "latin1",
      cwd: directory,
      input: "one\ntwo\n",
    });
    expect(first.status).toBe(5);
    expect(first.stdout.slice(0, -8)).toBe("one\ntwo\nwhat the file says\n");
    rmSync(at("data.txt"));
    const again = spawnSync(process.execPath, [cli, "run", "--replay", file, "--stats"], {
      encoding: "latin1",
      cwd: "/",
      env: {},
    });
    expect([again.status, again.stdout]).toEqual([5, first.stdout]);
    const instructions = /instructions +[\d,]+/;
    expect(instructions.exec(again.stderr)![0]).toBe(instructions.exec(first.stderr)![0]);
    expect(statSync(file).size).toBeLessThan(10_000);
    // The trace of a replay is that of the run.
    expect(replay(file, "--trace").stderr).toMatch(/^read\(3, "what the file says\\n", 4096\) += 19$/m);
  });

  it("has what was done from outside at its instruction: Ctrl-C", async () => {
    const handled = program("handled", (p) => {
      p.onSignal(2, "handler")
        .syscall(SYS.write, 1, "ready", 6)
        .label("wait")
        .code("inc rbx\n cmp dword ptr [seen], 0\n je wait");
      // How long it ran decides the exit status.
      p.code(`mov rdi, rbx\n and edi, 127\n mov eax, ${SYS.exit}\n syscall`);
      p.label("handler").code("inc dword ptr [seen]\n ret");
      p.within(".bss", () => p.label("seen").reserve(8));
      p.within(".rodata", () => p.label("ready").string("ready\n"));
    });
    const file = at("handled.record");
    const child = startSealab(["run", "--record", file, handled]);
    // It ends by itself where the test does not come to that.
    const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
    child.stdout.once("data", () => setTimeout(() => child.kill("SIGINT"), 50));
    const status = await new Promise((resolve) => child.on("exit", resolve));
    clearTimeout(timer);
    expect(replay(file)).toEqual({ status, stdout: "ready\n", stderr: "" });
  });

  it.skipIf(noPython)("has a terminal's keys, its new size, and Ctrl-C (python3 drives it)", () => {
    const keys = fileURLToPath(new URL("../recorded/tty/keys.elf", import.meta.url));
    const file = at("keys.record");
    const first = session(
      [process.execPath, cli, "run", "--record", file, keys, "lines"],
      [
        ["> ", "keys", "hellp\x7fo\r"],
        ["> ", "window", [30, 100]],
        ["30 rows, 100 columns", "keys", "lost\x03"],
        ["<INT>", "keys", "a\x04b\r"],
        ["> ", "keys", "\x04"],
      ],
    );
    expect(first.problems).toEqual([]);
    expect(first.output).toContain("30 rows, 100 columns");
    // On a terminal of another size, where nobody presses a key; and without any.
    const again = session([process.execPath, cli, "run", "--replay", file], []);
    expect([again.output, again.status]).toEqual([first.output, first.status]);
    expect(replay(file).stdout).toBe(first.output);
  });

  it("of a run that sealab ended says so again", () => {
    const file = at("loop.record");
    const first = sealab(["run", "--record", file, "--max-instructions", "100000", loop]);
    expect(first).toMatchObject({ status: 124, stderr: /stopped after 100000 instructions/ });
    expect(replay(file)).toEqual(first);
  });

  it("is of the options too: seed, kernel, processor, user and environment", () => {
    const file = at("options.record");
    const options = ["--kernel", "6.12", "--no-pku", "--clear-env", "--env", "NAME=value", "--seed", "7"];
    const first = sealab(["run", "--record", file, ...options, "--trace", "--sample", "hello"]);
    expect(first.status).toBe(0);
    expect(replay(file, "--trace")).toEqual(first);
  });
});

describe("a file that is no good record", () => {
  const file = at("good.record");
  sealab(["run", "--record", file, "--sample", "hello"]);
  const bytes = readFileSync(file);
  const line = bytes.subarray(0, bytes.indexOf("\n")).toString();

  const damaged = (at: number): Buffer => {
    const copy = Buffer.from(bytes);
    copy[at]! ^= 0x10;
    return copy;
  };
  const withLine = (text: string): Buffer => Buffer.concat([Buffer.from(text), bytes.subarray(line.length)]);
  test.each<readonly [string, Buffer, RegExp]>([
    ["something else", Buffer.from("#!/bin/sh\n"), /not a record of sealab/],
    ["nothing", Buffer.alloc(0), /not a record of sealab/],
    ["cut short", bytes.subarray(0, bytes.length - 100), /damaged: /],
    ["a byte changed in the middle", damaged(bytes.length >> 1), /damaged: /],
    ["a byte changed near the end", damaged(bytes.length - 20), /damaged: /],
    ["of another format", withLine(line.replace("record 1", "record 2")), /of format 2.*this one reads 1/],
    ["with half a first line", withLine("sealab record 1 0.1.0 12"), /damaged: its first line/],
  ])("%s", (name, content, message) => {
    const bad = at(`${name.replaceAll(" ", "-")}.record`);
    writeFileSync(bad, content);
    const { status, stdout, stderr } = replay(bad);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  });

  test("is not there, or cannot be written", () => {
    expect(replay(at("none"))).toMatchObject({ status: 2, stderr: /no such file/ });
    expect(sealab(["run", "--record", join(directory, "none", "x"), loop])).toMatchObject({ status: 2 });
  });

  test("options of a run are the record's", () => {
    expect(replay(file, "--seed", "1")).toMatchObject({
      status: 2,
      stderr: /--seed: the record of --replay/,
    });
    expect(replay(file, "prog")).toMatchObject({ status: 2, stderr: /prog: the record of --replay/ });
  });
});

/** A Debian program, with more than ten million instructions. */
const LIVE = {
  bash: ["/bin/bash", "-c", "for ((i = 0; i < 1000; i++)); do s+=$i; done; echo ${#s} $HOME; ls / | head -2"],
  python3: ["/usr/bin/python3", "-S", "-c", "print(sum(i * i for i in range(5000)))"],
} as const;

describe("programs of this host, recorded and repeated", () => {
  it.skipIf(!hostRunsPrograms).for(Object.keys(LIVE) as (keyof typeof LIVE)[])(
    "%s, over --root / (skipped where it is not)",
    (name, { skip }) => {
      const command = LIVE[name];
      if (!existsSync(command[0])) skip(`no ${command[0]}`);
      const file = at(`${name}.record`);
      const first = sealab(["run", "--record", file, "--root", "/", "--stats", ...command]);
      expect(first.status).toBe(0);
      const instructions = Number(/instructions +([\d,]+)/.exec(first.stderr)![1]!.replaceAll(",", ""));
      expect(instructions).toBeGreaterThan(10_000_000);
      const again = replay(file, "--stats");
      expect([again.status, again.stdout]).toEqual([0, first.stdout]);
      expect(again.stderr).toContain(first.stderr.split("\n")[0]);
    },
  );
});

describe("the record that ships", () => {
  const shipped = fileURLToPath(new URL("../recorded/runs/python.record", import.meta.url));

  it("of python, made on another machine, is repeated to its end", () => {
    const { status, stdout, stderr } = replay(shipped, "--stats");
    expect(stderr).toMatch(/^2026-11-21 \d\d:\d\d:\d\d\n/);
    expect(stdout).toBe(readFileSync(`${shipped}.output`, "utf8"));
    expect(status).toBe(7);
    const instructions = Number(/instructions +([\d,]+)/.exec(stderr)![1]!.replaceAll(",", ""));
    expect(instructions).toBeGreaterThan(10_000_000);
  });
});
