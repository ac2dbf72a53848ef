import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Program } from "../../userland/index.js";
import { scratchDirectory, sealab, type Ended } from "./command.js";
import { forgeEnd } from "./forged-record.js";

/** `sealab debug` as scripts and CI use it. */
const directory = scratchDirectory();
const COMMANDS = join(import.meta.dirname, "..", "debug", "commands");
const KEEPER = join(COMMANDS, "keeper.elf");
const SOURCES = ["-d", COMMANDS];

const debug = (...args: readonly string[]): Ended => sealab(["debug", ...args]);
/** A program that runs for ever. */
const endless = join(directory, "endless");
writeFileSync(endless, new Program().label("_start").code("again: jmp again").build(), { mode: 0o755 });

function script(name: string, ...lines: readonly string[]): string {
  const path = join(directory, name);
  writeFileSync(path, `${lines.join("\n")}\n`);
  return path;
}

describe("sealab debug --batch", () => {
  it("does the commands of files and of the command line, in order, without colour", () => {
    const file = script("one", "# to the function", "break square", "continue", "", "p $edi");
    const ran = debug("--batch", ...SOURCES, "-x", file, "-e", "bt", "-e", "c", "-e", "p $edi", KEEPER);
    expect(ran.stderr).toBe("");
    expect(ran.stdout).toMatch(/^break 1 at 0x\w+ <square\+0x7> keeper\.c:35\nbreak 1: square\n/);
    expect(ran.stdout).toMatch(
      /\n35\t {2}int result = n \* n;\n1\n#0 .* square.*\n#1 .* sum.*\n#2 .* main.*\n#3 .* _start/,
    );
    expect(ran.stdout).toMatch(/\n2\n$/);
    expect(ran.stdout).not.toContain("\u001b");
    expect(ran.status).toBe(0);
  });

  it("leads from EPERM to the seal in two commands", () => {
    const ran = debug(
      "--batch",
      "-e",
      "to refusal",
      "-e",
      "who-sealed",
      "-e",
      "goto",
      "--sample",
      "refused-munmap",
    );
    expect(ran.stdout).toMatch(/refused: munmap\.sealed, EPERM\n/);
    expect(ran.stdout).toMatch(/: sealed at 0x\w+/);
    expect(ran.stdout).toMatch(/=> 0x\w+ .*syscall\n$/);
    expect(ran.status).toBe(0);
  });

  it("shows the program's output where it comes, once, and gives it its input", () => {
    const ran = debug("--batch", "-e", "c", "-e", "goto start", "-e", "c", KEEPER);
    expect(ran.stdout.match(/hello/g)).toHaveLength(1);
    expect(ran.stdout).toMatch(/^hello\nthe program exited with 11\n/);
    expect(ran.stdout.match(/exited with 11/g)).toHaveLength(2);
  });

  it("ends at the first command that cannot be done, and says where it is", () => {
    const file = script("wrong", "break main", "", "brek sum", "echo never");
    const ran = debug("--batch", "-x", file, KEEPER);
    expect(ran.stderr).toBe(`sealab: ${file}:3: no command brek; did you mean break?\n`);
    expect(ran.stdout).not.toContain("never");
    expect(ran.status).toBe(2);
    const nested = debug("--batch", "-e", `source ${file}`, KEEPER);
    expect(nested.stderr).toContain(`${file}:3: `);
    expect(nested.status).toBe(2);
    const own = script("own", "");
    writeFileSync(own, `source ${own}\n`);
    expect(debug("--batch", "-x", own, KEEPER).stderr).toMatch(/too many files in files\n$/);
    const direct = debug("--batch", "-e", "b sqare", KEEPER);
    expect(direct.stderr).toBe("sealab: -e: no symbol sqare; did you mean square?\n");
    expect(direct.status).toBe(2);
  });

  it("says what is wrong with how it was called", () => {
    const wrong = (...args: string[]): string => {
      const { stderr, status } = debug(...args);
      expect(status).toBe(2);
      return stderr;
    };
    expect(wrong("--batch")).toContain("debug: which program?");
    expect(wrong("--batch", "-x", "nowhere", KEEPER)).toBe(
      "sealab: -x nowhere: cannot be read: no such file or directory\n",
    );
    expect(wrong("--batch", "--input", "nowhere", KEEPER)).toBe(
      "sealab: --input nowhere: no such file or directory\n",
    );
    expect(wrong("--trace", KEEPER)).toContain("--trace: here `trace` is a command");
    expect(wrong("--batch", "--replay", KEEPER)).toContain("--replay");
    expect(debug("--batch", "nowhere").status).toBe(127);
    expect(debug("--help").stdout).toMatch(/^Usage: sealab debug /);
  });

  it("ends when its time is up", () => {
    const ran = debug("--batch", "--timeout", "0.5", "-e", "c", endless);
    expect(ran.status).toBe(124);
    expect(ran.stderr).toContain("stopped after 0.5 seconds");
  });

  it("takes commands from standard input where that is no terminal", () => {
    const ran = sealab(["debug", KEEPER], {
      input: "to syscall write entry\nset arg2 = 1\nto syscall write exit\n",
    });
    expect(ran.stdout).toMatch(/write returns 1/);
    expect(ran.status).toBe(0);
  });

  it("repeats a recorded run, forwards and back", () => {
    const record = join(directory, "record");
    expect(sealab(["run", "--record", record, KEEPER]).status).toBe(11);
    const ran = debug(
      "--batch",
      "--replay",
      record,
      "-e",
      "to refusal",
      "-e",
      "back syscall mseal",
      "-e",
      "c",
    );
    expect(ran.stdout).toMatch(/munmap\.sealed/);
    expect(ran.stdout).toMatch(/mseal returns 0/);
    expect(ran.stdout).toMatch(/exited with 11\n$/);
    expect(ran.status).toBe(0);

    forgeEnd(record);
    const other = debug("--batch", "--replay", record, "-e", "c");
    expect(other.stderr).toMatch(
      /^sealab: -e: the replay differs at instruction \d+: this is the end, and memory /,
    );
    expect(other.status).toBe(123);
  });
});
