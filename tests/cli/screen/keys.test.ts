import { describe, expect, test } from "vitest";
import {
  keysForProgram,
  keysIn,
  unfinishedBytes,
  withoutBrokenCharacters,
} from "../../../cli/screen/key-bytes.js";
import { KEY_GROUPS } from "../../../cli/screen/key-table.js";
import { editPrompt, promptWith } from "../../../cli/screen/prompt.js";
import { characterColumns, clipped, printable, textColumns } from "../../../cli/screen/text-width.js";

const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");

describe("what a terminal sends", () => {
  test.for([
    ["abc", 0],
    ["\x1b", 1],
    ["a\x1b[", 2],
    ["a\x1b[1;2", 5],
    ["\x1b[A", 0],
    ["\x1bO", 2],
    ["\x1bOP", 0],
    ["\x1ba", 0],
    ["\x1b[<0;10;1", 9],
    ["\x1b[<0;10;10M", 0],
    ["\x1b[[", 3],
    ["\x1b[[A", 0],
    ["\xc3", 1],
    ["\xc3\xa9", 0],
    ["\xe2\x82", 2],
    ["\xf0\x9f\x92", 3],
    ["\xf0\x9f\x92\xa9", 0],
    ["\x80\x80", 0],
  ] as const)("%j: %i bytes wait for the rest", ([text, count]) => {
    expect(unfinishedBytes(bytes(text))).toBe(count);
  });

  test.for([
    ["ab", ["a", "b"]],
    ["\x1b[Aa\x1b[1;2Hb", ["\x1b[A", "a", "\x1b[1;2H", "b"]],
    ["\x1bOPx\x1b\x1b[B", ["\x1bOP", "x", "\x1b", "\x1b[B"]],
    ["\x1ba\x1b[[Ab", ["\x1ba", "\x1b[[A", "b"]],
    ["\xc3\xa9\x80x\x1b", ["\xc3\xa9", "\x80", "x", "\x1b"]],
    ["\x1b[<0;1;2Mi\x1b[", ["\x1b[<0;1;2M", "i", "\x1b["]],
  ] as const)("%j is the keys %j", ([text, keys]) => {
    expect([...keysIn(bytes(text))].map((key) => Buffer.from(key).toString("latin1"))).toEqual(keys);
  });

  test("bytes that are no UTF-8 are dropped", () => {
    expect(Buffer.from(withoutBrokenCharacters(bytes("a\x80b\xc3\xa9"))).toString("utf8")).toBe("abé");
  });

  test("the program gets its keys without the mouse, and cursor keys as it asked for them", () => {
    const typed = bytes("x\x1b[<0;3;4M\x1b[A\x1b[<0;3;4m");
    expect(keysForProgram(typed, false)).toEqual(bytes("x\x1b[A"));
    expect(keysForProgram(typed, true)).toEqual(bytes("x\x1bOA"));
  });
});

test("no key has two verbs", () => {
  const keys = KEY_GROUPS.flatMap(({ entries }) => entries.flatMap((entry) => entry.keys));
  expect(keys.filter((key, i) => keys.indexOf(key) !== i)).toEqual([]);
});

describe("the command line", () => {
  const type = (keys: readonly string[], history: readonly string[] = [], text = ""): string => {
    let prompt = promptWith(text, history);
    for (const key of keys) prompt = editPrompt(prompt, key, history) ?? prompt;
    return `${prompt.text.slice(0, prompt.at)}|${prompt.text.slice(prompt.at)}`;
  };

  test.for([
    [["a", "b", "LEFT", "c"], "ac|b"],
    [["a", "BACKSPACE", "BACKSPACE"], "|"],
    [["a", "b", "HOME", "DELETE"], "|b"],
    [["a", "b", "CTRL_A", "CTRL_K"], "|"],
    [["a", " ", "b", "CTRL_W", "CTRL_W"], "|"],
    [["a", "b", "LEFT", "CTRL_U"], "|b"],
    [["a", "F7"], "a|"],
    [["é", "日"], "é日|"],
  ] as const)("%j gives %s", ([keys, shown]) => {
    expect(type(keys)).toBe(shown);
  });

  test("the history: up, and down again to what was being typed", () => {
    const history = ["step", "continue"];
    expect(type(["x", "UP"], history)).toBe("continue|");
    expect(type(["x", "UP", "UP", "UP"], history)).toBe("step|");
    expect(type(["x", "UP", "UP", "DOWN", "DOWN", "DOWN"], history)).toBe("x|");
    expect(type(["UP", "!"], history)).toBe("continue!|");
  });
});

describe("columns of text", () => {
  test("wide, combining and control characters", () => {
    expect(["a", "é", "日", "👍", "\u0301"].map(characterColumns)).toEqual([1, 1, 2, 2, 0]);
    expect(textColumns("a日b")).toBe(4);
    expect(printable("a\tb\x1b[m\u0301")).toBe("a       b·[m");
  });

  test("what is too long ends in an ellipsis, and no wide character is cut in two", () => {
    expect(clipped("abcdef", 6)).toBe("abcdef");
    expect(clipped("abcdef", 5)).toBe("abcd…");
    expect(clipped("a日本", 4)).toBe("a日…");
    expect(clipped("a日本", 3)).toBe("a…");
    expect(clipped("abc", 0)).toBe("");
  });
});
