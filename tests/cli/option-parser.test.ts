import { describe, expect, it } from "vitest";
import { parseArguments, UsageError } from "../../cli/option-parser.js";
import { CPU_NAMES, readRunOptions, RUN_OPTIONS } from "../../cli/run-options.js";
import { CPU_MODEL_NAMES } from "../../cpu/models.js";

const parse = (...args: string[]) => parseArguments(args, RUN_OPTIONS);
const read = (...args: string[]) => readRunOptions(parse(...args).options);

describe("options", () => {
  it("end at the program, whose own arguments are left alone", () => {
    expect(parse("--trace", "./prog", "--trace", "-x")).toEqual({
      options: [{ name: "trace", value: null }],
      operands: ["./prog", "--trace", "-x"],
    });
    expect(parse("--stats", "--", "--odd-name", "a").operands).toEqual(["--odd-name", "a"]);
  });

  it("take values with = or as the next word, and --trace only with =", () => {
    expect(read("--memory=64M").memoryBytes).toBe(64 << 20);
    expect(read("--memory", "64M").memoryBytes).toBe(64 << 20);
    expect(read("--trace=out.txt").trace).toEqual({ format: "text", file: "out.txt" });
    expect(read("--trace=json").trace).toEqual({ format: "json", file: null });
    expect(() => read("--trace=json:")).toThrow("the file's name is missing");
    expect(() => parse("--cpu", "--sample", "hello")).toThrow("option --cpu needs a value");
    expect(read("--trace=json:x.jsonl").trace).toEqual({ format: "json", file: "x.jsonl" });
  });

  it("read mounts, variables and numbers", () => {
    const options = read(
      "--mount",
      "a:/b",
      "--mount",
      "c:/d:ro",
      "--env",
      "X=1=2",
      "--seed",
      "7",
      "--clear-env",
    );
    expect(options.mounts).toEqual([
      { host: "a", guest: "/b", mode: "cow" },
      { host: "c", guest: "/d", mode: "ro" },
    ]);
    expect(options.environment).toEqual([["X", "1=2"]]);
    expect(options).toMatchObject({ seed: 7, clearEnvironment: true });
  });

  it.each([
    [["--traec"], "unknown option --traec; did you mean --trace?"],
    [["--memory"], "option --memory needs a value (SIZE)"],
    [["--explain=yes"], "option --explain takes no value"],
    [["--memory", "lots"], "--memory lots: not a size between 4M and 4064M"],
    [["--mount", "x"], "--mount x: not HOST:GUEST or HOST:GUEST:ro or HOST:GUEST:rw"],
    [["--mount", "x:/y:no"], "--mount x:/y:no: no is neither ro nor rw"],
    [["--mount", "x:y"], "--mount x:y: y is not an absolute path of the guest"],
    [["--env", "=1"], "--env =1: not NAME=VALUE"],
    [["--cpu", "i386"], "--cpu i386: not one of x86-64-v1, x86-64-v2"],
    [["--timeout", "-1"], "--timeout -1: not a number above 0"],
    [["--max-instructions", "1.5"], "--max-instructions 1.5: not a whole number above 0"],
  ])("refuse %j in one line", (args, message) => {
    expect(() => read(...args)).toThrow(new UsageError(message));
  });

  it("name the processors that there are", () => {
    expect(CPU_NAMES).toEqual([...CPU_MODEL_NAMES]);
  });
});
