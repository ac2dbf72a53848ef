import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";

const cli = fileURLToPath(new URL("../../../dist/cli.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "sealab-scenario-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function sealab(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const run = spawnSync(process.execPath, [cli, ...args], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
  return { status: run.status, stdout: run.stdout, stderr: run.stderr };
}

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return name;
}

describe("sealab check", () => {
  it("gives 0 and a line where all is as expected", () => {
    const { status, stdout } = sealab(["check", file("good.scenario", "p = mmap 1 rw anon\nread p -> 0\n")]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^1 scenario: 1 passed; 2 answers by Linux 6\.18\.0-sealab in [\d.]+ s\n$/);
  });

  it("gives 1, what differs and why", () => {
    const path = file("differs.scenario", "needs mseal\np = mmap 1 rw anon\nmseal p 1\nmunmap p 1 -> ok\n");
    const { status, stdout } = sealab(["check", path]);
    expect(status).toBe(1);
    expect(stdout).toContain("differs  differs.scenario\n  4:1     munmap p 1\n");
    expect(stdout).toContain("expected  ok\n");
    expect(stdout).toContain("got       EPERM\n");
    expect(stdout).toMatch(/rule +munmap\.sealed → EPERM/);
  });

  it("gives 2 and the place of each mistake", () => {
    const path = file("wrong.scenario", "p = mmap 1 rw anno\nmunmap q 1\n");
    const { status, stderr } = sealab(["check", path]);
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /^wrong\.scenario:1:15: expected .*, not anno.*\nwrong\.scenario:2:8: expected an address/,
    );
    expect(stderr).not.toMatch(/ at .*\.js/);
    const json = sealab(["check", "--json", path]);
    expect(JSON.parse(json.stdout)).toMatchObject({
      mistakes: [
        { path, line: 1, column: 15 },
        { path, line: 2, column: 8 },
      ],
    });
  });

  it("compares with the companion, and says where there is none", () => {
    const path = file("asks.scenario", "p = mmap 1 r anon\nmadvise p 1 dontneed -> ?\n");
    expect(sealab(["check", path])).toMatchObject({ status: 1 });
    const answers = ["p = mmap 1 r anon -> ok", "madvise p 1 dontneed -> ok"];
    file("asks.answers.json", JSON.stringify({ recorded: [{ kernel: "6.18.44", answers }] }));
    expect(sealab(["check", path])).toMatchObject({ status: 0 });
    file("asks.answers.json", JSON.stringify({ recorded: [{ kernel: "6.18.44", answers: ["x -> ok"] }] }));
    const outdated = sealab(["check", path]);
    expect(outdated.status).toBe(1);
    expect(outdated.stdout).toContain("of another text");
    file("asks.answers.json", "[]");
    const broken = sealab(["check", path]);
    expect(broken).toMatchObject({ status: 2 });
    expect(broken.stderr).toContain("asks.answers.json: expected");
  });

  it("prints JSON, is another release, filters", () => {
    file(
      "release.scenario",
      "p = mmap 1 rw anon\nmadvise p 1 guard-install -> ok | EINVAL from 6.10 | ok from 6.13\n",
    );
    const { status, stdout } = sealab(["check", "--json", "--kernel", "6.12", "--filter", "release", "."]);
    expect(status).toBe(0);
    const { scenarios } = JSON.parse(stdout) as { scenarios: { kernel: string; steps: { got: string }[] }[] };
    expect(scenarios).toHaveLength(1);
    expect(scenarios[0]).toMatchObject({ kernel: "6.12.0-sealab", outcome: "passed" });
    expect(scenarios[0]!.steps.map(({ got }) => got)).toEqual(["ok", "EINVAL"]);
  });

  it("says in words what cannot be", () => {
    for (const [args, words] of [
      [["check"], "which scenarios"],
      [["check", "nowhere"], "nowhere: no such file"],
      [["check", "--filter", "zzz", "."], "no .scenario file in . has zzz in its path"],
      [["check", "--on", "mars", "."], "expected sealab, host or linux"],
      [["check", "--record", "."], "--on host or --on linux"],
      [["check", "--kernel", "1.0", "good.scenario"], "no kernel 1.0"],
      [["check", "--on", "linux", "good.scenario"], "apt"],
      [["on-linux"], "which program"],
      [["on-linux", "nothing"], "nothing: no such file"],
      [["on-linux", "good.scenario"], "apt"],
      [["on-linux", "--image", "good.scenario", "good.scenario"], "qemu-system-x86_64"],
    ] as const) {
      const { status, stderr } = sealab(args, { PATH: folder, HOME: folder, XDG_CACHE_HOME: folder });
      expect(status, args.join(" ")).toBeGreaterThan(0);
      expect(stderr, args.join(" ")).toContain(words);
      expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    }
  });

  it("has the library's place in the package", () => {
    const { files } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as {
      files: string[];
    };
    expect(files).toContain("userland/scenarios");
  });
});
