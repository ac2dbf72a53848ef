import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PATIENCE_MS } from "../patience.js";
import { hostRunsPrograms } from "../userland/native.js";
import { compiledWithGlibc, compiledWithMusl, fromDebian } from "./obtain.js";

/**
 * Programs that nobody here wrote do in sealab what they do on the host: same output, same status, byte for byte.
 * Where a program cannot be had, its tests are skipped and say which one.
 */
const CLI = join(import.meta.dirname, "..", "..", "dist", "cli.js");
const ISOLATION = ["--pid", "--fork", "--kill-child", "--mount-proc"];
const ENVIRONMENT = { PATH: "/bin:/usr/bin", HOME: "/root", LC_ALL: "C", TZ: "UTC" };

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "sealab-programs-"));
  let seed = 1;
  const random = (): number => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) >>> 8;
  const lines = Array.from(
    { length: 4000 },
    (_, i) => `${random() % 9973} line ${i} ${(random() * 7919).toString(36)}`,
  );
  writeFileSync(join(folder, "lines.txt"), lines.join("\n") + "\n");
  writeFileSync(
    join(folder, "bytes.bin"),
    Buffer.from(Array.from({ length: 200_000 }, () => random() & 0xff)),
  );
  mkdirSync(join(folder, "tree", "deep", "er"), { recursive: true });
  for (const name of ["a.txt", "deep/b.txt", "deep/er/c.dat"])
    writeFileSync(join(folder, "tree", name), name);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(command: string, args: readonly string[], input: string): Ran {
  const ran = spawnSync(command, args, {
    cwd: folder,
    env: ENVIRONMENT,
    input,
    timeout: PATIENCE_MS,
    maxBuffer: 1 << 26,
  });
  return { status: ran.status, stdout: ran.stdout.toString("latin1"), stderr: ran.stderr.toString("latin1") };
}
const natively = (program: string, args: readonly string[], input = ""): Ran =>
  run("unshare", [...ISOLATION, program, ...args], input);
const inSealab = (program: string, args: readonly string[], input = ""): Ran =>
  run(
    process.execPath,
    [
      CLI,
      "run",
      "--clear-env",
      ...Object.entries(ENVIRONMENT).flatMap(([n, v]) => ["--env", `${n}=${v}`]),
      "--",
      program,
      ...args,
    ],
    input,
  );

function same(program: string, args: readonly string[], input = ""): void {
  const here = inSealab(program, args, input);
  const there = natively(program, args, input);
  expect(digestLong(here)).toEqual(digestLong(there));
}
/** A long output is compared by its digest, so that a failure stays readable. */
function digestLong(ran: Ran): Ran {
  const { stdout } = ran;
  return stdout.length < 20_000
    ? ran
    : { ...ran, stdout: createHash("sha256").update(stdout, "latin1").digest("hex") };
}

/** Says by name what cannot be run here, and why. */
function required(program: string | undefined, name: string, reason: string): string | undefined {
  if (program === undefined)
    console.log(`skipped: ${name}: ${hostRunsPrograms ? reason : "the host is not Linux on x86-64"}`);
  return program;
}
const NO_PACKAGE = "Debian's package cannot be had (apt-get download)";
const NO_COMPILER = "there is no compiler for it";

const SUITE = join(import.meta.dirname, "suite.c");
for (const [library, compile] of [
  ["glibc", compiledWithGlibc],
  ["musl", compiledWithMusl],
] as const) {
  const program = required(
    hostRunsPrograms ? compile(SUITE) : undefined,
    `suite.c with ${library}`,
    NO_COMPILER,
  );
  it.skipIf(program === undefined)(`suite.c, static, ${library} (skipped without a compiler for it)`, () => {
    same(program!, ["argument"]);
  });
}

const busybox = required(
  hostRunsPrograms ? fromDebian("busybox-static", "bin/busybox") : undefined,
  "busybox-static",
  NO_PACKAGE,
);
describe.skipIf(busybox === undefined)(
  "busybox-static (skipped where Debian's package cannot be had)",
  () => {
    it.each([
      ["sha256sum", "bytes.bin", "lines.txt"],
      ["md5sum", "bytes.bin"],
      ["sort", "-n", "lines.txt"],
      ["sort", "-r", "-k3", "lines.txt"],
      ["uniq", "-c", "lines.txt"],
      ["gzip", "-c", "lines.txt"],
      [
        "awk",
        '{ s += $1; n[$1 % 17]++ } END { printf "%d %.3f\\n", s, s / NR; for (i = 0; i < 17; i++) print i, n[i] }',
        "lines.txt",
      ],
      ["awk", "BEGIN { for (i = 1; i < 20; i++) print exp(i / 3), sin(i), 2 ^ i, i ^ 0.5 }"],
      ["find", "tree", "-name", "*.txt"],
      ["find", "tree", "-type", "d"],
      ["ls", "-R", "tree"],
      ["cat", "tree/a.txt", "tree/deep/b.txt"],
      ["cat", "missing"],
      ["grep", "-n", "99[0-9]*5", "lines.txt"],
      ["grep", "-c", "zzz-not-there", "lines.txt"],
      ["sed", "-n", "s/line \\([0-9]*\\)/<\\1>/p;100q", "lines.txt"],
      ["od", "-A", "x", "-t", "x1z", "-N", "500", "bytes.bin"],
      ["wc", "lines.txt"],
      ["tr", "a-z", "A-Z"],
      ["dc", "-e", "20 k 2 v p 3 100 ^ p"],
      ["head", "-c", "1000", "bytes.bin"],
      ["cut", "-d", " ", "-f", "1,3", "lines.txt"],
      ["expr", "7", "*", "6"],
      ["printf", "%08.3f|%x|%s\\n", "3.14159", "255", "text"],
      ["false"],
      ["no-such-applet"],
    ])("%s %s %s", (...args) => same(busybox!, args, "some input\nof two lines\n"));

    it("gunzip undoes gzip", () => {
      const name = "copy.txt";
      copyFileSync(join(folder, "lines.txt"), join(folder, name));
      expect(natively(busybox!, ["gzip", name]).status).toBe(0);
      same(busybox!, ["gunzip", "-c", `${name}.gz`]);
    });

    it("sh: loops, arithmetic, functions, here-documents' redirections", () =>
      same(busybox!, ["sh", "-c", SCRIPT]));
    it("sh reads a script from its input", () =>
      same(busybox!, ["sh", "-s", "one", "two"], "echo $# $2\nexit 7\n"));
  },
);

const SCRIPT = `
i=0; s=0
while [ $i -lt 2000 ]; do s=$((s + i * i % 7)); i=$((i + 1)); done
echo $s
f() { local a=$1; if [ $a -le 1 ]; then r=1; else f $((a - 1)); r=$((r * a)); fi; }
f 12; echo $r
case "$PATH" in *usr*) echo has usr;; *) echo none;; esac
for w in alpha beta gamma; do printf '%s-%d ' $w \${#w}; done; echo
x=hello.tar.gz; echo \${x%.gz} \${x##*.} \${x:-d} \${y:-default}
echo text > out.tmp; read line < out.tmp; echo "<$line>"
trap 'echo leaving' EXIT
exit 3
`;
const BASH_SCRIPT = `
declare -A m; for i in {1..50}; do m[k$i]=$((i ** 3)); done
t=0; for k in "\${!m[@]}"; do ((t += m[$k])); done; echo $t
read -r first rest <<< "one two three"; echo "$first|$rest"
a=(5 3 9 1); for ((i = 0; i < 4; i++)); do for ((j = 0; j < 3; j++)); do if ((a[j] > a[j+1])); then ((x = a[j], a[j] = a[j+1], a[j+1] = x)); fi; done; done; echo "\${a[@]}"
s="The quick brown fox"; echo "\${s^^}" "\${s//o/0}" "\${#s}" "\${s:4:5}"
[[ $s =~ q(.*)k ]] && echo "\${BASH_REMATCH[1]}"
fib() { local n=$1; if ((n < 2)); then r=$n; return; fi; fib $((n - 1)); local p=$r; fib $((n - 2)); r=$((r + p)); }
fib 14; echo $r
printf '%q %05d %x\\n' "a b" 42 255
mapfile -t lines < lines.txt; echo \${#lines[@]} "\${lines[17]}"
exit 5
`;

const bash = required(
  hostRunsPrograms ? fromDebian("bash-static", "bin/bash-static") : undefined,
  "bash-static",
  NO_PACKAGE,
);
describe.skipIf(bash === undefined)("bash-static (skipped where Debian's package cannot be had)", () => {
  it("arrays, here-strings, arithmetic, regular expressions, functions", () =>
    same(bash!, ["-c", BASH_SCRIPT]));
  it("the plain script", () => same(bash!, ["-c", SCRIPT]));
});

const ldconfig = required(
  hostRunsPrograms ? fromDebian("libc-bin", "sbin/ldconfig") : undefined,
  "libc-bin",
  NO_PACKAGE,
);
it.skipIf(ldconfig === undefined)(
  "ldconfig -p of libc-bin, static-pie (skipped where it cannot be had)",
  () => {
    const args = ["-p", "-C", "/etc/ld.so.cache"];
    const there = natively(ldconfig!, args);
    const here = run(process.execPath, [CLI, "run", "--mount", "/etc:/etc:ro", "--", ldconfig!, ...args], "");
    expect(digestLong(here)).toEqual(digestLong(there));
  },
);
