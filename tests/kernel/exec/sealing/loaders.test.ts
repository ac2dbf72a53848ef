import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { MachineOptions } from "../../../../debug/index.js";
import { run, type Ran } from "./objects.js";

/** What glibc's and musl's own loaders do, unchanged, meets the rules of --seal-elf and of OpenBSD's exec. */
const SOURCE = `
#include <dlfcn.h>
#include <stdio.h>
int written = 1;
int main(void) {
  void *math = dlopen("libm.so.6", RTLD_NOW);
  if (math) puts("opened");
  written = 2;
  printf("%d\\n", written);
  return 0;
}
`;

const folder = mkdtempSync(join(tmpdir(), "sealab-loaders-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The program and all that it loads, by their paths; null where there is no such compiler. */
function compiled(compiler: string): Record<string, Uint8Array> | null {
  const program = join(folder, compiler);
  try {
    writeFileSync(join(folder, "program.c"), SOURCE);
    execFileSync(compiler, ["-O1", "-o", program, join(folder, "program.c")], { stdio: "ignore" });
    const needed =
      compiler === "musl-gcc"
        ? "/lib/ld-musl-x86_64.so.1"
        : execFileSync("ldd", [program], { encoding: "utf8" });
    const paths = [...needed.matchAll(/(\/\S+)/g)].map((match) => match[1]!);
    const files = new Set(paths);
    const libc = paths.find((path) => basename(path) === "libc.so.6");
    if (libc !== undefined) files.add(join(libc, "..", "libm.so.6"));
    return {
      "/program": readFileSync(program),
      ...Object.fromEntries([...files].map((path) => [path, readFileSync(path)])),
    };
  } catch {
    return null;
  }
}

const glibc = process.platform === "linux" && process.arch === "x64" ? compiled("gcc") : null;
const musl = process.platform === "linux" && process.arch === "x64" ? compiled("musl-gcc") : null;

/** Of each object, its areas: `r-x sealed`. */
function byObject(ran: Ran): Map<string, string[]> {
  const areas = new Map<string, string[]>();
  for (const { name, prot, sealed } of ran.machine.areas()) {
    const letters = `${prot & 1 ? "r" : "-"}${prot & 2 ? "w" : "-"}${prot & 4 ? "x" : "-"}`;
    const list = areas.get(basename(name)) ?? [];
    areas.set(basename(name), [...list, `${letters}${sealed ? " sealed" : ""}`]);
  }
  return areas;
}

const SEALED = ["r-- sealed", "r-x sealed", "r-- sealed", "r-- sealed", "rw-"];
const IMMUTABLE = ["r-- sealed", "r-x sealed", "r-- sealed", "r-- sealed", "rw- sealed"];

function runs(files: Record<string, Uint8Array>, options: MachineOptions): Ran {
  return run(files, { memoryBytes: 64 << 20, ...options });
}

describe.skipIf(glibc === null)("a program of glibc", () => {
  it("gl-2 is sealed with its loader and libc; what dlopen brought is not", () => {
    const ran = runs(glibc!, { sealElf: true });
    expect(ran.text).toBe("opened\n2\n");
    const objects = byObject(ran);
    for (const name of ["program", "libc.so.6", "ld-linux-x86-64.so.2"])
      expect(objects.get(name)).toEqual(SEALED);
    expect(objects.get("libm.so.6")!.some((area) => area.endsWith("sealed"))).toBe(false);
  });
  it("gl-5 the tunable", () => {
    const ran = run(glibc!, { memoryBytes: 64 << 20, sealElf: true }, ["GLIBC_TUNABLES=glibc.rtld.seal=0"]);
    expect(ran.machine.areas().some(({ sealed }) => sealed)).toBe(false);
  });
  it("ob-8 is immutable, data and all", () => {
    const ran = runs(glibc!, { sealing: "mimmutable" });
    expect(ran.text).toBe("opened\n2\n");
    const objects = byObject(ran);
    for (const name of ["program", "libc.so.6", "ld-linux-x86-64.so.2"])
      expect(objects.get(name)).toEqual(IMMUTABLE);
    expect(objects.get("libm.so.6")!.some((area) => area.endsWith("sealed"))).toBe(false);
  });
});

describe.skipIf(musl === null)("a program of musl", () => {
  it("gl-2 is sealed with its libc, which is the loader", () => {
    const ran = runs(musl!, { sealElf: true });
    expect(ran.text).toContain("2\n");
    const objects = byObject(ran);
    expect(objects.get("program")).toEqual(SEALED);
    expect(
      [...objects].some(([name, areas]) => name.startsWith("ld-musl") && areas.includes("r-x sealed")),
    ).toBe(true);
  });
  it("ob-8 is immutable", () => {
    const ran = runs(musl!, { sealing: "mimmutable" });
    expect(ran.text).toContain("2\n");
    expect(byObject(ran).get("program")).toEqual(IMMUTABLE);
  });
});
