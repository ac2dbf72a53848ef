import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { hostRunsPrograms } from "../../userland/native.js";
import { sealab } from "../../cli/command.js";

/** C programs of this machine's own compiler: other versions of DWARF, threads, the C library and its names. */
const KEEPER = join(import.meta.dirname, "keeper.c");
const work = mkdtempSync(join(tmpdir(), "sealab-debug-"));
afterAll(() => rmSync(work, { recursive: true, force: true }));

function compiled(name: string, source: string, ...options: readonly string[]): string | undefined {
  if (!hostRunsPrograms) return undefined;
  const path = join(work, name);
  try {
    execFileSync("gcc", ["-g", "-w", ...options, source, "-o", path], { stdio: "ignore" });
    return path;
  } catch {
    return undefined;
  }
}

const THREADS = join(work, "threads.c");
writeFileSync(
  THREADS,
  `#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
volatile long shared[2];
char buffer[16];
static void *work(void *number) {
  for (int i = 0; i < 20000; i++)
    shared[(long)number]++;
  return number;
}
int main(void) {
  pthread_t threads[2];
  for (long i = 0; i < 2; i++)
    pthread_create(&threads[i], 0, work, (void *)i);
  for (int i = 0; i < 2; i++)
    pthread_join(threads[i], 0);
  int zero = open("/proc/self/comm", O_RDONLY);
  read(zero, buffer, sizeof buffer);
  printf("%ld %s", shared[0] + shared[1], buffer);
  return 0;
}
`,
);
const threads = compiled("threads", THREADS, "-O0", "-pthread");
if (threads === undefined) console.log("skipped: the debugger with C programs of this machine's gcc");
const LIBRARIES = ["lib", "lib64", "usr/lib"]
  .filter((folder) => existsSync(`/${folder}`))
  .flatMap((folder) => ["--mount", `/${folder}:/${folder}`]);

const debug = (program: string, ...commands: readonly string[]): string => {
  const script = commands.flatMap((command) => ["-e", command]);
  const ran = sealab(["debug", "--batch", ...LIBRARIES, ...script, program]);
  expect(ran.stderr).toBe("");
  return ran.stdout;
};

describe.skipIf(threads === undefined)("C programs", () => {
  it.each(["-gdwarf-3 -O0", "-gdwarf-4 -O0", "-gdwarf-5 -O0", "-gdwarf-5 -gz -O0", "-gdwarf-4 -O2"])(
    "with %s show their source and are broken at by line",
    (options) => {
      const flags = ["-nostdlib", "-static", "-fno-stack-protector", "-fcf-protection=none"];
      const path = compiled(`keeper${options.replaceAll(" ", "")}`, KEEPER, ...flags, ...options.split(" "))!;
      const said = debug(path, "b keeper.c:69", "c", "bt", "to refusal", "c");
      expect(said).toMatch(/ keeper\.c:69\nbreak 1: keeper\.c:69\nmain(?:\+0x\w+)? at keeper\.c:69, /);
      expect(said).toMatch(/\n69\t {4}counter\+\+;\n/);
      expect(said).toMatch(/exited with 11\n$/);
    },
  );

  it("with threads and the C library are stepped, watched and gone back in", () => {
    const said = debug(
      threads!,
      ...["start", "b work", "c", "info threads", "bt", "delete"],
      ...["watch shared if after == 15000", "c", "p shared", "delete"],
      ...["b 20", "c", "who-wrote buffer,1", "who-wrote shared,8", "b printf", "c", "finish", "c"],
    );
    expect(said).toMatch(/^main\+0x\w+ at threads\.c:14, instruction [\d,]+\n14\t {2}for \(long i = 0;/);
    expect(said).toMatch(/\nwork\+0x\w+ at threads\.c:8, thread 1001, instruction/);
    expect(said).toMatch(/\n {2}1000\/1000 .*\n\* 1000\/1001 +threads +0x\w+ <work\+0x\w+> {2}running\n/);
    expect(said).toMatch(/\n#0 +0x\w+ work\+0x\w+ at threads\.c:8\n#1 /);
    expect(said).toMatch(/<shared> written by 0x\w+ <work\+0x\w+>\n {2}old 0x3a97\n {2}new 0x3a98\n/);
    expect(said).toMatch(
      /\nbuffer,1: last written by the kernel in read, called at 0x\w+ <(?:__)?read\+0x\w+>\n/,
    );
    expect(said).toMatch(/\nshared,8: last written by the instruction at 0x\w+ <work\+0x\w+>\n/);
    expect(said).toMatch(/\nbreak 4: printf\nprintf, instruction/);
    expect(said).toMatch(/\nmain\+0x\w+ at threads\.c:20, /);
    expect(said).toMatch(/\n40000 threads\nthe program exited with 0\n$/);
  });
});
