import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { Program } from "../../../userland/index.js";
import { cli, scratchDirectory, sealab } from "../command.js";
import { forgeEnd } from "../forged-record.js";
import { pty, User } from "./user.js";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
/** What a sample prints on Linux. */
const recorded = (name: string): string =>
  (JSON.parse(readFileSync(here(`../../recorded/samples/${name}.json`), "utf8")) as { output: string })
    .output;

const directory = scratchDirectory();
const users: User[] = [];
afterEach(() => {
  for (const user of users.splice(0)) user.close();
});

/** A user who debugs a program whose environment is empty, so that its addresses are always the same. */
function debug(args: readonly string[], columns = 80, rows = 24, env: NodeJS.ProcessEnv = {}): User {
  const user = new User([process.execPath, cli, "debug", "--clear-env", ...args], columns, rows, env);
  users.push(user);
  return user;
}

function programFile(name: string, program: Program): string {
  const path = join(directory, name);
  writeFileSync(path, program.build(), { mode: 0o755 });
  return path;
}

/** Never ends. */
const endless = (): string => programFile("endless", new Program().code("_start:\n again: jmp again"));

const noTerminal = pty === null || process.platform === "win32";

describe.skipIf(noTerminal)("the full-screen debugger on a terminal", () => {
  test("80x24, 120x40, small, and back again: the same screen for the same size", async () => {
    const user = debug(["--sample", "refused-munmap"]);
    expect(await user.settles("0 instructions")).toMatchSnapshot("80x24 at the beginning");
    user.press("r");
    const before = await user.settles("munmap.sealed → EPERM");
    expect(before).toMatchSnapshot("80x24 at a refusal");
    user.resize(120, 40);
    expect(await user.settles(/9:output[^]*unsealed: munmap: ok/)).toMatchSnapshot("120x40 at a refusal");
    user.resize(60, 20);
    await user.sees(/^ refused-munmap .{0,45}$/m);
    user.resize(30, 8);
    await user.sees(/^ code {2}_start\S+ ─+$/m);
    user.resize(80, 24);
    expect(await user.settles(/7 threads 8 files 9 output 0 log[^]*stays/)).toBe(before);
    user.press("q", "q");
    expect(await user.end()).toBe("0, settings kept");
    expect(user.isPutRight).toBe(true);
  });

  test("a replay that differs is said, can be looked at, and is in the exit status", async () => {
    const record = join(directory, "record");
    expect(sealab(["run", "--record", record, "--sample", "refused-munmap"]).status).toBe(0);
    forgeEnd(record);
    const user = new User([process.execPath, cli, "debug", "--replay", record]);
    users.push(user);
    await user.settles("0 instructions");
    user.press("c");
    await user.sees(/the replay differs at instruction \d+/);
    user.press("S");
    await user.sees(/►\w+ syscall/);
    user.press("q", "q");
    expect(await user.end()).toBe("123, settings kept");
    expect(user.isPutRight).toBe(true);
  });

  test("the refusal is Linux's, and from it to the seal is two keys; the output is as on Linux at each moment", async () => {
    const user = debug(["--sample", "refused-munmap"]);
    const lines = recorded("refused-munmap").trimEnd().split("\n");
    const refusedAt = lines.findIndex((line) => line.startsWith("sealed: munmap: "));
    await user.sees("0 instructions");
    user.press("r");
    const errno = lines[refusedAt]!.slice("sealed: munmap: ".length);
    await user.sees(`refused: munmap.sealed, ${errno}`);
    user.press("W");
    await user.sees(/> who-sealed 0x5ea10000\n0x5ea10000: sealed at/);
    user.press("o");
    const screen = await user.sees(/►\S+ syscall/);
    // mseal(2) is 462.
    expect(screen).toMatch(/rax \*?1ce /);
    user.press("9");
    const shown = async (): Promise<string[]> => {
      const after = (await user.settles("9:output")).split("\n");
      const top = after.findIndex((line) => line.includes("9:output"));
      return after.slice(top + 1, -1).filter((line) => line !== "");
    };
    // What is said behind mseal is not there yet.
    expect(await shown()).toEqual(
      lines.slice(
        0,
        lines.findIndex((line) => line.startsWith("mseal")),
      ),
    );
    user.press("c");
    await user.sees("the program exited with 0");
    expect(await shown()).toEqual(lines);
    user.press("C");
    await user.sees("the beginning");
    expect(await shown()).toEqual([]);
  });

  test("steps, back and forth, with what changed", async () => {
    const user = debug(["--sample", "refused-munmap"]);
    await user.sees("0 instructions");
    user.press("s", "s", "s", "s");
    await user.sees(/rax \*1ce .*/);
    await user.sees("4 instructions");
    user.press("S", "S");
    await user.sees("2 instructions");
    await user.sees(/rax {2}0 /);
    user.press("G", "295", "enter");
    await user.sees("295 instructions");
    user.press("6");
    await user.sees(/munmap\(0x5ea10000, 8192\) += -1 EPERM/);
    // The trace leads back to each call.
    user.press("up", "enter");
    await user.sees("282 instructions");
  });

  test("breakpoints by key, by click and by name; the command line completes, recalls and explains", async () => {
    const user = debug(["--sample", "refused-munmap"]);
    await user.sees("0 instructions");
    user.press("down", "b");
    await user.sees(/● 402005/);
    user.press("c");
    await user.sees(/●►402005/);
    user.clickOn("402005 mov");
    await user.sees(/^ ►402005/m);
    user.clickOn("402014 syscall");
    await user.sees(/● 402014/);
    user.press("c");
    await user.sees(/●►402014/);
    user.press(":brea", "tab", "print_tex", "tab");
    await user.sees(":break print_text");
    user.press("enter");
    await user.sees(/break \d+ at 0x\w+ <print_text/);
    user.press(":", "up");
    await user.sees(":break print_text");
    user.press("ctrl-c", ":break prnt_text", "enter");
    await user.sees("did you mean print_text");
    user.press("c");
    await user.sees(/break \d+: print_text/);
  });

  test("help, tabs by key and by click, the wheel, zoom", async () => {
    const user = debug(["--sample", "refused-munmap"]);
    await user.sees("0 instructions");
    user.press("?");
    await user.sees("any other key leaves");
    user.press(" ", " ", "x");
    await user.sees("_start:");
    // Until it is executed, its page is not there.
    user.press("s");
    await user.sees("1 instructions");
    user.clickOn("walk");
    await user.sees(/PML4\[\d+\].*P RW US/);
    expect(user.screen()).toMatch(/PT\[\d+\] .* NX|execute +permitted/);
    user.wheel("down", 5, 5);
    user.wheel("down", 5, 5);
    await user.sees(/registers ─+\n {2}402016 test/);
    user.press("1", "z");
    const zoomed = await user.sees(/1:areas ─/);
    expect(zoomed).not.toContain("registers");
    expect(zoomed).toContain("[stack]");
    user.press("z");
    await user.sees("registers");
  });

  test("a program that reads its terminal: keys go to it until Ctrl-]", async () => {
    const keys = here("../../recorded/tty/keys.elf");
    const user = debug([keys, "lines"]);
    await user.sees("0 instructions");
    user.press("c");
    await user.sees("the program waits for input: i types to it");
    user.press("i", "hellp\x7fo", "enter");
    await user.sees("got hello");
    await user.sees("22 rows, 80 columns");
    user.resize(100, 30);
    await user.sees("28 rows, 100 columns");
    user.press("ctrl-]");
    await user.sees("registers");
    user.press("ctrl-c");
    await user.sees("interrupted");
    // What was typed comes again when the run is gone back and forward in.
    user.press("9", "C");
    await user.sees("the beginning");
    await user.settles("0 instructions");
    expect(user.screen()).not.toContain("got hello");
    user.press("c");
    await user.sees("got hello");
    await user.sees("the program waits for input");
    user.press("ctrl-c");
    await user.sees("interrupted");
    // Its Ctrl-C is its own.
    user.press("c", "i", "ctrl-c");
    await user.sees("<INT>");
    user.press("ctrl-]", "q", "q");
    expect(await user.end()).toBe("0, settings kept");
  });

  test("Ctrl-C stops an endless program, verbs typed meanwhile are refused, and it can be gone back in", async () => {
    const user = debug([endless()]);
    await user.sees("0 instructions");
    user.press("c");
    // It has been running for seconds: a key is no longer typed ahead.
    await user.sees(/running \(continue\)[^]* [\d,]{14,} instructions/);
    user.press("s");
    await user.sees("the program runs (continue); Ctrl-C stops it");
    user.press("ctrl-c");
    await user.sees("interrupted");
    user.press("S");
    await user.sees(/ at again|_start/);
    user.press("q");
    await user.sees("q again leaves it");
    user.press("q");
    expect(await user.end()).toBe("0, settings kept");
  });

  test.for(["SIGTERM", "SIGHUP", "SIGINT"] as const)(
    "%s while a program runs leaves the terminal as it was",
    async (signal) => {
      const user = debug([endless()]);
      await user.sees("0 instructions");
      user.press("c");
      await user.sees("running (continue)");
      user.signal(signal);
      const status = { SIGTERM: 143, SIGHUP: 129, SIGINT: 130 }[signal];
      expect(await user.end()).toBe(`${status}, settings kept`);
      expect(user.isPutRight).toBe(true);
    },
  );

  test.skipIf(process.platform !== "linux")(
    "Ctrl-Z gives the shell its terminal; the screen is back afterwards",
    async () => {
      const user = debug(["--sample", "refused-munmap"]);
      const first = await user.settles("0 instructions");
      user.press("ctrl-z");
      await user.stops();
      expect(user.isPutRight).toBe(true);
      user.signal("SIGCONT");
      expect(await user.settles("0 instructions")).toBe(first);
      user.press("s");
      await user.sees("1 instructions");
    },
  );

  test("NO_COLOR: no colour, the same text", async () => {
    const coloured = debug(["--sample", "refused-munmap"]);
    const plain = debug(["--sample", "refused-munmap"], 80, 24, { NO_COLOR: "1" });
    for (const user of [coloured, plain]) {
      await user.sees("0 instructions");
      user.press("r");
      await user.settles("munmap.sealed → EPERM");
    }
    expect(plain.screen()).toBe(coloured.screen());
    // eslint-disable-next-line no-control-regex
    const colour = /\x1b\[(?:\d+;)*(?:3[0-7]|4[0-7]|38|48|9[0-7]|10[0-7])(?:;\d+)*m/;
    expect(coloured.output).toMatch(colour);
    expect(plain.output).not.toMatch(colour);
  });

  test("threads: each has its own registers, and the next one is a key away", async () => {
    const user = debug(["--sample", "thread-keys"]);
    await user.sees("0 instructions");
    user.press(":catch clone", "enter");
    await user.sees(/break 1/);
    user.press("7", "c");
    await user.sees(/thread 100\d of 2/);
    await user.sees(/\* 1000\/1000 /);
    user.press("t");
    await user.sees(/\* 1000\/1001 /);
    await user.sees(/thread 1001 of 2/);
  });

  test("C source: line by line, into a function and back out of it", async () => {
    const keeper = here("../../debug/commands/keeper.elf");
    const user = debug(["-d", dirname(keeper), keeper]);
    await user.sees("0 instructions");
    user.press("B", "main", "enter");
    await user.sees("break 1 at");
    user.press("c");
    await user.sees(/●►\d+ {3}counter = sum\(4\);/);
    user.press("s");
    await user.sees(/ at sum\S* keeper\.c/);
    user.press("f");
    await user.sees(/ at main\S* keeper\.c/);
    user.press("S");
    await user.sees(/ at sum\S* keeper\.c/);
    user.press("v");
    await user.sees(/keeper\.c:\d+ .*\n[ ●]►40/);
  });

  test("a window too small for anything, and keys that are no UTF-8, do no harm", async () => {
    const user = debug(["--sample", "hello"], 5, 2);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    user.press("s", "\x80\xff", "\x1b[99;99~", "\x1b[", "s");
    user.resize(80, 24);
    await user.sees("instructions");
    user.press("c");
    await user.sees("the program exited with 0");
    user.press("q");
    expect(await user.end()).toBe("0, settings kept");
  });
});
