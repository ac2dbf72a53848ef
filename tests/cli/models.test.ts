import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { SEALING_NAMES } from "../../kernel/mm/sealing/models.js";
import { scratchDirectory, sealab } from "./command.js";

describe("sealab models", () => {
  it("lists every model, the default first", () => {
    const { stdout, status } = sealab(["models"]);
    expect(
      stdout
        .trimEnd()
        .split("\n")
        .map((line) => line.split(/\s/)[0]),
    ).toEqual(SEALING_NAMES);
    expect(status).toBe(0);
  });
  it("prints one's rules, sources and options", () => {
    const { stdout } = sealab(["models", "v4"]);
    expect(stdout).toContain("  sealable\n    only memory mapped with MAP_SEALABLE");
    expect(stdout).toContain("  v4:eperm\n");
    expect(stdout).toContain("    v4 to v8, January and February 2024\n");
  });
  it("an unknown one is one line with those known", () => {
    const { stderr, status } = sealab(["models", "v5"]);
    expect(stderr).toBe(`sealab: no model v5; there are ${SEALING_NAMES.join(", ")} (sealab --help)\n`);
    expect(status).toBe(2);
  });
});

describe("sealab run --sealing", () => {
  it("chooses the model", () => {
    expect(sealab(["run", "--sealing", "v4:today", "--sample", "jit-heap"]).stdout).toContain(
      "attacker: munmap: EACCES\n",
    );
    expect(sealab(["run", "--sample", "jit-heap"]).stdout).toContain("attacker: munmap: EPERM\n");
  });
  it("the JSON trace names model and rule", () => {
    const { stderr } = sealab(["run", "--sealing", "v4:today", "--trace=json", "--sample", "jit-heap"]);
    expect(stderr).toContain('"sealing":{"model":"v4:today","rule":"modify"}');
  });
  it("an unknown model or option is one line with those known", () => {
    const unknown = sealab(["run", "--sealing", "bsd", "--sample", "hello"]);
    expect(unknown.stderr).toBe(
      `sealab: --sealing bsd: no model bsd; there are ${SEALING_NAMES.join(", ")} (sealab --help)\n`,
    );
    expect(unknown.status).toBe(2);
    const option = sealab(["run", "--sealing", "v4:late", "--sample", "hello"]);
    expect(option.stderr).toContain("no option late of the model v4; there is v4:today, v4:eperm");
  });
});

describe("sealab compare", () => {
  it("says where two models part", () => {
    const { stdout, status } = sealab([
      "compare",
      "--sample",
      "jit-heap",
      "--sealing",
      "linux,mimmutable",
      "hello",
    ]);
    expect(stdout).toMatch(
      /^jit-heap under linux, mimmutable\n\nmadvise\(0x5ea11000, 4096, MADV_DONTNEED\)\n/,
    );
    expect(status).toBe(0);
  });
  it("runs an ELF file with arguments, and writes a page", () => {
    const directory = scratchDirectory();
    const elf = join(directory, "rodata");
    const page = join(directory, "page.html");
    sealab(["samples", "sealed-rodata", "-o", elf]);
    const { stdout, status } = sealab([
      "compare",
      "--html",
      page,
      "--sealing",
      "linux,rfc-v1:today",
      elf,
      "--x",
    ]);
    expect([stdout, status]).toEqual(["", 0]);
    expect(readFileSync(page, "utf8")).toContain("EPERM by discard");
  });
  it.each([
    [["--sealing", "linux"], "two models at least"],
    [["--sealing", "linux,x"], "--sealing x: no model x; there are linux"],
    [["--markdown", "--html", "x"], "one of them"],
  ])("%j is a mistake", (options, text) => {
    const { stderr, status } = sealab(["compare", ...options, "--sample", "hello"]);
    expect(stderr).toContain(text);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(status).toBe(2);
  });
  it("a program that is not there, or is none", () => {
    expect(sealab(["compare", "/nowhere"])).toMatchObject({ status: 127 });
    expect(sealab(["compare", "package.json"])).toMatchObject({ status: 126 });
  });
});

describe("a model or a hook from a file", () => {
  const directory = scratchDirectory();
  const file = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text);
    return path;
  };
  it("a hook lifts refusals", () => {
    const hook = file("hook.mjs", 'export default ({ operation }) => operation === "munmap";');
    const { stdout } = sealab(["run", "--sealing", hook, "--sample", "jit-heap"]);
    expect(stdout).toContain("attacker: munmap: ok\n");
    expect(stdout).toContain("attacker: mprotect(READ|WRITE): EPERM\n");
  });
  it("compare takes it beside the models", () => {
    const model = file("own.mjs", 'export const base = "linux"; export default { mayRemap: () => null };');
    const { stdout, status } = sealab(["compare", "--sample", "--sealing", `linux,${model}`, "jit-heap"]);
    expect(stdout).toContain("mremap(0x5ea10000, 4096, 4096, MREMAP_MAYMOVE|MREMAP_FIXED, 0x5ea20000)\n");
    expect(status).toBe(0);
  });
  it.each([
    ["missing.mjs", null, "cannot be loaded: there is no such file"],
    ["syntax.mjs", "export default (", "cannot be loaded: SyntaxError"],
    ["lacks.mjs", "export default { mayUnmap: () => null };", "it has no base, and no timing"],
  ])("%s: one line, before the program starts", (name, text, message) => {
    const path = text === null ? join(directory, name) : file(name, text);
    const { stdout, stderr, status } = sealab(["run", "--sealing", path, "--sample", "hello"]);
    expect(stderr).toContain(`sealab: --sealing ${path}: ${message}`);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect([stdout, status]).toEqual(["", 2]);
  });
});
