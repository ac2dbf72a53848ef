import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Program, SYS } from "../../userland/index.js";
import { scratchDirectory, sealab } from "./command.js";

const OPEN = 2;
const GETRANDOM = 318;

const directory = scratchDirectory();
const at = (name: string): string => join(directory, name);

/** Writes "begin", eight random bytes, what a file of its directory says, "end"; ends with 7. */
const talker = ((): string => {
  const p = new Program().label("_start");
  p.within(".bss", () => p.label("buffer").reserve(64));
  p.within(".rodata", () => p.label("name").string("data.txt\0"));
  const say = (text: string): void => {
    p.within(".rodata", () => p.label(text).string(`${text}\n`));
    p.syscall(SYS.write, 1, text, text.length + 1);
  };
  say("begin");
  p.syscall(GETRANDOM, "buffer", 8, 0).syscall(SYS.write, 1, "buffer", 8);
  p.code("mov ecx, 100000\n again: dec ecx\n jnz again");
  p.syscall(OPEN, "name", 0, 0).code(
    "mov edi, eax\n lea rsi, [buffer]\n mov edx, 64\n xor eax, eax\n syscall",
  );
  p.code(`mov edx, eax\n mov edi, 1\n lea rsi, [buffer]\n mov eax, ${SYS.write}\n syscall`);
  say("end");
  p.exit(7);
  writeFileSync(at("talker"), p.build(), { mode: 0o755 });
  return at("talker");
})();
writeFileSync(at("data.txt"), "of the file\n");

const run = (...args: string[]): ReturnType<typeof sealab> => sealab(args);

describe("sealab snapshot", () => {
  it("saves a machine that goes on in another process", () => {
    const whole = run("run", "--mount", `${directory}:/d`, "--cwd", "/d", talker);
    expect(whole.status).toBe(7);
    const file = at("talker.snap");
    const saved = run(
      ...[
        "snapshot",
        "save",
        "--at",
        "50000",
        "-o",
        file,
        "--mount",
        `${directory}:/d`,
        "--cwd",
        "/d",
        talker,
      ],
    );
    expect(saved).toMatchObject({ status: 0, stderr: "" });
    const loaded = run("snapshot", "load", "--stats", file);
    expect(loaded.status).toBe(7);
    expect(saved.stdout + loaded.stdout).toBe(whole.stdout);
    expect(loaded.stdout).toBe("of the file\nend\n");
    expect(loaded.stderr).toMatch(/instructions/);
  });

  it("saves behind a system call", () => {
    const file = at("call.snap");
    const saved = run("snapshot", "save", "--at-syscall", "open", "-o", file, talker);
    expect(saved.status).toBe(0);
    const { stdout, status } = run("snapshot", "info", file);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^program +\S*talker\ninstructions +2000\d\d\nmachine +x86-64-v2, Linux 6\.18/);
    expect(stdout).toMatch(/^digest +[0-9a-f]{32}$/m);
  });

  it("says what a machine needs that is not there", () => {
    const file = at("needs.snap");
    const gone = scratchDirectory();
    writeFileSync(join(gone, "data.txt"), "first\n");
    run(
      "snapshot",
      "save",
      "--at-syscall",
      "open",
      "-o",
      file,
      "--mount",
      `${gone}:/d`,
      "--cwd",
      "/d",
      talker,
    );
    writeFileSync(join(gone, "data.txt"), "");
    const { status, stderr } = run("snapshot", "load", file);
    expect(status).toBe(2);
    expect(stderr).toBe(`sealab: ${file}: needs the files that it was saved with: data.txt is shorter\n`);
  });

  it("says in one line what is wrong with a file", () => {
    const file = at("good.snap");
    run("snapshot", "save", "--at", "100", "-o", file, talker);
    const bytes = readFileSync(file);
    const bad = at("bad.snap");
    const reasonOf = (content: Uint8Array): string => {
      writeFileSync(bad, content);
      const { status, stderr, stdout } = run("snapshot", "load", bad);
      expect(status).toBe(2);
      expect(stdout).toBe("");
      return stderr.replace(`sealab: ${bad}: `, "");
    };
    expect(reasonOf(bytes.subarray(0, 5000))).toMatch(/^cut: it has \d+ of its \d+ bytes\n$/);
    const damaged = Uint8Array.from(bytes);
    damaged[6000]! ^= 1;
    expect(reasonOf(damaged)).toBe("damaged: its digest is another one\n");
    expect(reasonOf(Buffer.from("hello"))).toBe("not a snapshot of sealab\n");
    expect(reasonOf(Buffer.concat([Buffer.from("sealab snapshot 99 9.9.9 1 x\n"), bytes]))).toBe(
      "of format 99, by sealab 9.9.9; this one reads format 2\n",
    );
    const nowhere = run("snapshot", "load", at("nowhere"));
    expect(nowhere).toMatchObject({
      status: 2,
      stderr: `sealab: ${at("nowhere")}: no such file or directory\n`,
    });
  });

  it("says what was wrong with the command", () => {
    const wrong = (...args: string[]): string => {
      const { status, stderr } = run("snapshot", ...args);
      expect(status).toBe(2);
      return stderr;
    };
    expect(wrong()).toMatch("save, load or info?");
    expect(wrong("save", "--at", "5", talker)).toMatch("where to?");
    expect(wrong("save", "-o", at("x"), talker)).toMatch("when?");
    expect(wrong("save", "--at", "many", "-o", at("x"), talker)).toMatch("not a number of instructions");
    expect(wrong("save", "--at-syscall", "opne", "-o", at("x"), talker)).toMatch("no such system call");
    expect(wrong("load")).toMatch("which file?");
    const early = run("snapshot", "save", "--at", "1000000000", "-o", at("x"), talker);
    expect(early.status).toBe(124);
    expect(early.stderr).toMatch(/ended after \d+ instructions, before instruction 1000000000/);
  });
});
