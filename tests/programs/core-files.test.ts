import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { PATIENCE_MS } from "../patience.js";
import { compiledWithGlibc } from "./obtain.js";

/**
 * core-files.c says in sealab what it says on 6.18.44, and of names what it says on Debian's 6.12; gdb, where there is
 * one, opens such a file.
 */
const CLI = join(import.meta.dirname, "..", "..", "dist", "cli.js");
const RECORDED = join(import.meta.dirname, "..", "recorded", "core-files");
const program = compiledWithGlibc(join(import.meta.dirname, "core-files.c"));
const crash = compiledWithGlibc(join(import.meta.dirname, "core-crash.c"));
const gdb = spawnSync("gdb", ["--version"]).status === 0;
if (!gdb) console.log("skipped: a core file in gdb: there is no gdb");
const work = mkdtempSync(join(tmpdir(), "core-files-"));
afterAll(() => rmSync(work, { recursive: true, force: true }));

function inSealab(...args: readonly string[]): string {
  const ran = spawnSync(process.execPath, [CLI, "run", ...args], {
    encoding: "utf8",
    timeout: PATIENCE_MS,
    cwd: work,
  });
  expect(ran.stderr).toBe("");
  return ran.stdout;
}

const recorded = (name: string): string => readFileSync(join(RECORDED, name), "utf8");

describe.skipIf(program === undefined)("core files (core-files.c, skipped without gcc)", () => {
  it("hold what Linux 6.18 has in them, by coredump_filter", () => {
    expect(inSealab(program!)).toBe(recorded("linux-6.18.txt"));
  });

  it("are named by core_pattern as on Linux 6.12", () => {
    expect(inSealab(program!, "pattern")).toBe(recorded("patterns-linux-6.12.txt"));
  });

  it("do not leave the machine", () => {
    inSealab(crash!);
    expect(existsSync(join(work, "core"))).toBe(false);
  });

  it.skipIf(!gdb)("are opened by gdb, where a directory was mounted for writing", () => {
    inSealab("--mount", `${work}:${work}:rw`, crash!);
    const commands = ["bt", "info threads", "x/s 0x10000000", "p $_siginfo.si_signo", "info registers pkru"];
    const args = [crash!, join(work, "core"), "-nx", "-batch", ...commands.flatMap((one) => ["-ex", one])];
    const said = spawnSync("gdb", args, { encoding: "utf8", timeout: PATIENCE_MS, cwd: work }).stdout;
    expect(said).toContain("Program terminated with signal SIGSEGV");
    expect(said).toMatch(/#0 .* in inner \(\)\n#1 .* in outer \(\)\n/);
    expect(said).toMatch(/\n\* 1 .*\n {2}2 .*pause \(\)/s);
    expect(said).toContain('"in the core"');
    expect(said).toContain("$1 = 11");
  });
});
