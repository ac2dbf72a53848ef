import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { RELEASE_NAMES } from "../../kernel/release.js";
import { Program } from "../../userland/index.js";
import { scratchDirectory, sealab } from "./command.js";

const UNAME = 63;
const WRITE = 1;
/** Where `release` lies in struct utsname, and a field's bytes. */
const FIELD = 65;

const uname = join(scratchDirectory(), "uname");
{
  const program = new Program().label("_start");
  program.syscall(UNAME, "name").code(`lea r12, [name + ${2 * FIELD}]`);
  program.syscall(WRITE, 1, "r12", 4).exit(0);
  program.within(".bss", () => program.label("name").reserve(6 * FIELD));
  writeFileSync(uname, program.build(), { mode: 0o755 });
}

it.each(RELEASE_NAMES)("--kernel %s is what uname says", (name) => {
  const run = sealab(["run", "--kernel", name, uname]);
  expect(run.stdout.startsWith(name)).toBe(true);
  expect(run.status).toBe(0);
});

it("6.18 unless told", () => {
  expect(sealab(["run", uname]).stdout).toBe("6.18");
});

it("an unknown release is one line that lists those there are", () => {
  const run = sealab(["run", "--kernel", "5.10", uname]);
  expect(run.status).toBe(2);
  expect(run.stderr.trimEnd().split("\n")).toHaveLength(1);
  for (const name of RELEASE_NAMES) expect(run.stderr).toContain(name);
});
