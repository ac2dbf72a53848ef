import { join } from "node:path";
import type { Workload } from "./workloads.js";

const C_SOURCE = `
#include <stdio.h>
#include <string.h>
struct pair { int n; double x; };
static int fold(const struct pair *p, int count) { int s = 0; for (int i = 0; i < count; i++) s += p[i].n * (int)p[i].x; return s; }
int main(int argc, char **argv) {
  struct pair pairs[10];
  for (int i = 0; i < 10; i++) pairs[i] = (struct pair){i * 3, i / 2.0};
  printf("%d %s\\n", fold(pairs, 10), strrchr(argv[0], '/') ? "path" : "name");
  return 7;
}
`;
const COMPILE = `cat > p.c; gcc -O2 -S p.c && md5sum < p.s; gcc -O2 p.c -o p && ./p; echo $?; tcc -run p.c 2>/dev/null; echo $?`;
const MAKE = `
printf 'all: a.o b.o\\n\\tcat a.o b.o > $@; cat $@\\n%%.o: %%.src\\n\\ttr a-z A-Z < $< > $@\\n' > Makefile
echo one > a.src; echo two > b.src; make -j2; make; touch b.src; make -n
`;
const GIT = `
export GIT_AUTHOR_DATE='1000000000 +0000' GIT_COMMITTER_DATE='1000000000 +0000' GIT_CONFIG_NOSYSTEM=1
git init -q -b main r; cd r; git config user.name n; git config user.email e; cp ../*.txt .; git add .; git commit -q -m first
sed -i s/alpha/ALPHA/ a.txt; git diff; git commit -q -a -m second; git log --stat --format=%H; git checkout -q -b side HEAD~; echo x > c; git add c
git commit -q -m third; git merge -q -m merged main; git log --oneline --graph; git gc -q; git fsck; git grep -n beta; git status --short
`;
const NODE = `
const { createHash } = require("node:crypto"); const fs = require("node:fs");
console.log(createHash("sha256").update("x".repeat(1000)).digest("hex"), [3, 1, 2].sort(), Math.sin(1), 2n ** 100n);
const fib = (n) => (n < 2 ? n : fib(n - 1) + fib(n - 2)); console.log(fib(20), /(\\w)(\\d+)/.exec("a12")[2]);
fs.writeFileSync("node.tmp", "text"); console.log(fs.readFileSync("node.tmp", "utf8"), fs.readdirSync("tree"));
const { spawnSync } = require("node:child_process"); console.log(spawnSync("sh", ["-c", "echo child; exit 3"]).status);
setTimeout(() => { console.log("later"); process.exit(4); }, 20); Promise.resolve().then(() => console.log("soon"));
`;

/** The host's own programs, those too big for the tests' root, and what npm has put into the repository. */
export function hostWorkloads(repository: string): Workload[] {
  const esbuild = join(repository, "node_modules", "@esbuild", "linux-x64", "bin", "esbuild");
  const bundle = ["--bundle", "--platform=node", "--format=esm", "--packages=external"];
  const fixture = { host: { folder: "fixture" } } as const;
  const shell = (script: string): string[] => ["/bin/sh", "-c", script];
  return [
    { rung: "L10", name: "esbuild --version", argv: [esbuild, "--version"], quick: true, ...fixture },
    {
      rung: "L10",
      name: "esbuild bundles sealab",
      argv: [esbuild, "cli/main.ts", ...bundle],
      host: { folder: "repository" },
    },
    { rung: "L9", name: "gcc, as, ld", argv: shell(COMPILE), input: C_SOURCE, ...fixture },
    { rung: "L9", name: "make -j2", argv: shell(MAKE), ...fixture },
    { rung: "L9", name: "git", argv: shell(GIT), ...fixture },
    { rung: "L12", name: "node --version", argv: [process.execPath, "--version"], ...fixture },
    { rung: "L12", name: "node --jitless", argv: [process.execPath, "--jitless", "-e", NODE], ...fixture },
    { rung: "L12", name: "node", argv: [process.execPath, "-e", NODE], ...fixture },
  ];
}
