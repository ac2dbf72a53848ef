import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
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
    expect(stderr).toBe(
      `sealab: no model v5; there are ${SEALING_NAMES.join(", ")} (sealab models --help)\n`,
    );
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
  it("runs a scenario, and says where in its text models part", () => {
    const { stdout, status } = sealab([
      ...["compare", "userland/scenarios/mseal/no-unseal.scenario", "--sealing", "linux,xnu-permanent"],
    ]);
    expect(stdout).toMatch(/^line \d+, mprotect .*: mprotect\(0x/m);
    expect(stdout).toContain("gained where it is permitted: ");
    expect(status).toBe(0);
  });
  it("runs what is below a directory: scenarios and programs", () => {
    const directory = scratchDirectory();
    mkdirSync(join(directory, "deep"));
    writeFileSync(join(directory, "a.scenario"), "p = mmap 1 rw anon\nmseal p 1\nmunmap p 1 -> any\n");
    writeFileSync(join(directory, "deep", "b.scenario"), "p = mmap 1 rw anon\nread p -> 0\n");
    writeFileSync(join(directory, "notes.txt"), "no program");
    sealab(["samples", "hello", "-o", join(directory, "hello")]);
    const { stdout, status } = sealab(["compare", "--sealing", "linux,rfc-v1:today", directory]);
    expect(stdout).toContain(
      `${join(directory, "a.scenario")} under linux, rfc-v1:today\n\nline 3, munmap p 1: `,
    );
    expect(stdout.replace(/\s+/g, " ")).toContain(
      `2 of 3 do not part: ${join(directory, "deep", "b.scenario")}, ${join(directory, "hello")}`,
    );
    expect(status).toBe(0);
  });
  it("a scenario's first mistake, and a directory with nothing to run", () => {
    const directory = scratchDirectory();
    expect(sealab(["compare", directory]).stderr).toContain("no .scenario file and no program in ");
    const wrong = join(directory, "wrong.scenario");
    writeFileSync(wrong, "p = mmap 1 rw anon\nmunmop p 1\n");
    const { stderr, status } = sealab(["compare", wrong]);
    expect(stderr).toContain(`${wrong}:2:1: there is no statement munmop`);
    expect(status).toBe(2);
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
  it("TypeScript, with what it imports", () => {
    file(
      "kinds.ts",
      'export type Kind = "madvise";\nexport const discards = (kind: string): boolean => kind === "madvise";',
    );
    const hook = file(
      "hook.ts",
      'import { discards, type Kind } from "./kinds.ts";\nexport default ({ operation }: { operation: Kind | "munmap" }): boolean => discards(operation);',
    );
    const { stdout, stderr } = sealab(["run", "--sealing", hook, "--sample", "jit-heap"]);
    expect(stderr.replace(/^.*Warning.*$/gm, "").trim()).toBe("");
    expect(stdout).toContain("attacker: madvise(DONTNEED): ok\n");
    expect(stdout).toContain("attacker: munmap: EPERM\n");
  });
  it("a hook that throws denies and says so", () => {
    const hook = file("throws.mjs", 'export default () => { throw new Error("no idea"); };');
    const { stdout, stderr } = sealab(["run", "--explain", "--sealing", hook, "--sample", "jit-heap"]);
    expect(stdout).toContain("attacker: munmap: EPERM\n");
    expect(stderr.replace(/\s+/g, " ")).toContain('the hook threw "no idea", so the refusal stands');
  });
  it.each([
    ["missing.mjs", null, "cannot be loaded: there is no such file"],
    ["syntax.mjs", "export default (", "cannot be loaded: PATH:1:"],
    [
      "syntax.ts",
      "const a: number = 1;\n\nexport default ((;\n",
      "cannot be loaded: PATH:3:18: Expression expected",
    ],
    ["enum.ts", "\nenum A { B }\nexport default () => true;\n", "cannot be loaded: PATH:"],
    ["imports.mjs", 'import "./nowhere.mjs";', "cannot be loaded: PATH: it imports "],
    ["throwing.ts", "const a: number = 1;\nnull!.foo;", "cannot be loaded: PATH:2: TypeError: "],
    ["lacks.mjs", "export default { mayUnmap: () => null };", "it has no base, and no timing"],
  ])("%s: one line, before the program starts", (name, text, message) => {
    const path = text === null ? join(directory, name) : file(name, text);
    const { stdout, stderr, status } = sealab(["run", "--sealing", path, "--sample", "hello"]);
    expect(stderr).toContain(`sealab: --sealing ${path}: ${message.replace("PATH", path)}`);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect([stdout, status]).toEqual(["", 2]);
  });
});
