import { describe, expect, it } from "vitest";
import { parseScript } from "../../../kernel/exec/script.js";

function parse(text: string): ReturnType<typeof parseScript> {
  const head = new Uint8Array(256);
  head.set(new TextEncoder().encode(text).subarray(0, 256));
  return parseScript(head);
}

describe("parseScript", () => {
  it("takes the interpreter and one argument", () => {
    expect(parse("#!/bin/sh\n")).toEqual({ interpreter: "/bin/sh", argument: null });
    expect(parse("#! \t/bin/sh -e  x \t\nrest")).toEqual({ interpreter: "/bin/sh", argument: "-e  x" });
  });

  it("does without a line end when the name has one", () => {
    expect(parse("#!/bin/sh")).toEqual({ interpreter: "/bin/sh", argument: null });
    expect(parse(`#!/bin/sh ${"x".repeat(300)}`)).toEqual({
      interpreter: "/bin/sh",
      argument: "x".repeat(246),
    });
  });

  it("refuses what has no name, or a name that may be cut off", () => {
    expect(parse("#!\n")).toBeNull();
    expect(parse("#!   \n/bin/sh")).toBeNull();
    expect(parse(`#!/${"x".repeat(300)}`)).toBeNull();
    expect(parse("# !/bin/sh\n")).toBeNull();
  });
});
