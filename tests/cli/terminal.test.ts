import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { cli } from "./command.js";
import { noPython, session, type Step } from "./terminal-session.js";

/** keys.c, as musl-gcc -Os -s -static makes it. */
const keys = fileURLToPath(new URL("../recorded/tty/keys.elf", import.meta.url));

const sealab = (...args: string[]): string[] => [process.execPath, cli, "run", ...args];
const native = process.platform === "linux" && process.arch === "x64";

const typed: Record<string, readonly Step[]> = {
  "lines with editing, a resized window, Ctrl-C": [
    ["> ", "keys", "hellp\x7fo\r"],
    ["> ", "keys", "two words\x17\x17three\x15\tx\x7f\x7fend\x16\x03\r"],
    ["> ", "window", [30, 100]],
    ["30 rows, 100 columns", "keys", "lost\x03"],
    ["<INT>", "keys", "a\x04b\r"],
    ["> ", "keys", "\x04"],
  ],
  "raw keys": [
    ["raw\n", "keys", "a\r\n\x03"],
    ["[03]", "keys", "\x1a\x1c\x13\x11\x7f\x04\xc3\xa9"],
    ["[c3][a9]", "keys", "q"],
  ],
};

describe.skipIf(noPython)("the user's terminal (python3 drives it)", () => {
  test.for(Object.keys(typed))("%s: as on the host itself", (name) => {
    const mode = name.startsWith("raw") ? "raw" : "lines";
    const ours = session(sealab(keys, mode), typed[name]!);
    expect(ours).toMatchObject({ status: 3, restored: true, problems: [] });
    if (!native) return;
    const theirs = session([keys, mode], typed[name]!);
    expect(ours).toEqual(theirs);
  });

  test("Ctrl-Z stops sealab with the terminal as it was, and the program goes on after it", () => {
    const ended = session(sealab(keys, "lines"), [
      ["> ", "keys", "one\r"],
      ["got one", "keys", "\x1a"],
      ["^Z", "stopped", null],
      ["", "keys", "two\r"],
      ["got two", "keys", "\x04"],
    ]);
    expect(ended).toMatchObject({ status: 3, restored: true, problems: [] });
    expect(ended.output).toMatch(/got one\r\n> \^Ztwo\r\ngot two\r\n> end\r\n$/);
  });

  test("three Ctrl-C end a program that takes no notice", () => {
    const ended = session(sealab(keys, "deaf"), [
      ["name? ", "keys", "me\r"],
      // At once: they count only where they come within a moment of each other.
      ["deaf\r\n", "keys", "\x03\x03\x03"],
    ]);
    expect(ended).toMatchObject({ status: 130, restored: true, problems: [] });
    expect(ended.output).toMatch(/ended by three Ctrl-C: it took no notice\r\n$/);
  });

  test("three Ctrl-] end any program", () => {
    const ended = session(sealab(keys, "raw"), [["raw\n", "keys", "\x1d\x1d\x1d"]]);
    expect(ended).toMatchObject({ status: 130, restored: true, problems: [] });
  });

  test.for([15, 1])("signal %i leaves the terminal as it was", (signal) => {
    const ended = session(sealab(keys, "raw"), [
      ["raw\n", "keys", "x"],
      ["[78]", "signal", signal],
    ]);
    expect(ended).toMatchObject({ status: -signal, restored: true, problems: [] });
  });

  test("--timeout leaves the terminal as it was", () => {
    const ended = session(sealab("--timeout", "4", keys, "raw"), [["raw\n", "nothing", null]]);
    expect(ended).toMatchObject({ status: 124, restored: true, problems: [] });
  });
});
