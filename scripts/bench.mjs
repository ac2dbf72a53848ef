// npm run bench: sealab beside native code, qemu-user and qemu-system, as ratios taken in one run. See docs/bench.md.
import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Program } from "../dist/userland.js";
import { areas } from "./bench/areas.mjs";
import { FILES, hello, PROCESSES } from "./bench/process-programs.mjs";
import { EXTRAS, KERNELS } from "./bench/programs.mjs";
import { scenarios } from "./bench/scenarios.mjs";
import { travel } from "./bench/travel.mjs";
import { cli, has, machines, timed, work } from "./bench/machines.mjs";

const only = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));
const quick = process.argv.includes("--quick");
const wanted = (name) => only.length === 0 || only.includes(name);
const usable = machines.filter((machine) => machine.missing === null);
for (const machine of machines)
  if (machine.missing !== null) console.log(`skipped: ${machine.name}: ${machine.missing}`);

const number = (value) =>
  value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(2) : value.toPrecision(3);
const row = (cells) =>
  console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(16) : cell.padStart(14))).join(""));

/** Seconds of processor time that one unit of `count` takes, what it costs to start taken off; null where it fails. */
function perUnit(machine, elf, count, files) {
  const run = (n) => machine.run({ elf, args: [String(n)], files });
  const first = run(1);
  const full = run(count * machine.scale + 1);
  const checksum = /0x[0-9a-f]+/.exec(full.stdout)?.[0];
  if (checksum === undefined)
    return { reason: (full.stdout + full.stderr).trim().split("\n").at(-1) ?? "no result" };
  return { seconds: Math.max(1e-12, (full.cpu - first.cpu) / (count * machine.scale)), output: checksum };
}

function build(name, make) {
  const elf = join(work, name);
  writeFileSync(elf, make());
  chmodSync(elf, 0o755);
  return elf;
}

/** A table: each program's cost on each machine, and sealab's speed as a share of each other's. */
function compare(title, unit, programs, counts, files = {}) {
  const names = Object.keys(programs).filter(wanted);
  if (names.length === 0) return;
  console.log(`\n${title} (ns of processor time ${unit}; in brackets sealab's speed as a share of it)`);
  row(["", ...usable.map((machine) => machine.name)]);
  const shares = {};
  for (const name of names) {
    const elf = build(name, programs[name]);
    const count = Math.max(2, Math.round(counts[name] / (quick ? 10 : 1)));
    const costs = usable.map((machine) => perUnit(machine, elf, count, files));
    const own = costs.at(-1).seconds;
    row([
      name,
      ...costs.map((cost, i) => {
        if (cost.seconds === undefined) return "–";
        const text = number(cost.seconds * 1e9);
        if (own === undefined || i === costs.length - 1) return text;
        (shares[usable[i].name] ??= []).push(cost.seconds / own);
        return `${text} (${number(cost.seconds / own)})`;
      }),
    ]);
    usable.forEach((machine, i) => {
      if (costs[i].reason !== undefined) console.log(`  ${machine.name}: ${name}: ${costs[i].reason}`);
    });
  }
  const mean = (values) => Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
  for (const [machine, values] of Object.entries(shares)) {
    if (values.length > 1)
      console.log(`geometric mean of sealab's share of ${machine}: ${number(mean(values))}`);
  }
}

/** busybox from Debian: on the path of apt, or named by SEALAB_BUSYBOX. */
function busybox() {
  if (process.env.SEALAB_BUSYBOX) return process.env.SEALAB_BUSYBOX;
  const cache = fileURLToPath(new URL("../.cache/bench/", import.meta.url));
  const found = join(cache, "busybox");
  if (existsSync(found)) return found;
  if (!has("apt-get") || !has("dpkg-deb")) return null;
  mkdirSync(cache, { recursive: true });
  const script =
    "apt-get download busybox-static >/dev/null 2>&1 && dpkg-deb -x busybox-static_*.deb x && cp x/bin/busybox busybox";
  spawnSync("sh", ["-c", script], { cwd: cache });
  return existsSync(found) ? found : null;
}

const LINES = 60_000;
const AWK =
  "BEGIN { for (i = 0; i < n; i++) { s = (s * 31 + i) % 65521; a[s % 64] += length(s) } print s, a[7] }";

/** Programs that nobody here wrote: the whole run's processor time less that of `busybox true`. */
function realPrograms() {
  const forks = quick ? 30 : 300;
  const script = (command) => (scale) => [
    "sh",
    "-c",
    `i=0; while [ $i -lt ${forks * scale} ]; do ${command}; i=$((i+1)); done; echo $i`,
  ];
  const jobs = {
    sha256sum: (scale) => ["sha256sum", ...Array(4 * scale).fill("data")],
    sort: () => ["sort", "data", "data"],
    awk: (scale) => ["awk", "-v", `n=${(quick ? 4_000 : 40_000) * scale}`, "-f", "program.awk"],
    sh: script("./true"),
    "sh-subst": script("x=$(echo $i)"),
    "sh-pipe": script("echo $i | ./busybox cat >/dev/null"),
  };
  const names = Object.keys(jobs).filter(wanted);
  if (names.length === 0) return;
  const binary = busybox();
  if (binary === null) {
    console.log(
      `skipped: ${Object.keys(jobs).join(", ")}: no busybox-static (Debian's, or SEALAB_BUSYBOX=FILE)`,
    );
    return;
  }
  const elf = join(work, "busybox");
  copyFileSync(binary, elf);
  chmodSync(elf, 0o755);
  build("true", () => new Program().label("_start").exit(0).build());
  let seed = 1;
  const random = () => (seed = (seed * 48271) % 2147483647);
  const files = {
    data: Array.from({ length: quick ? LINES / 10 : LINES }, () => `${random()} ${random() % 1000}\n`).join(
      "",
    ),
    "program.awk": AWK,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(work, name), text);
  files.busybox = readFileSync(elf);
  files.true = readFileSync(join(work, "true"));
  console.log("\nbusybox (seconds of processor time; in brackets sealab's speed as a share of it)");
  row(["", ...usable.map((machine) => machine.name)]);
  const base = usable.map((machine) => machine.run({ elf, args: ["true"], files }).cpu);
  for (const name of names) {
    const cost = (machine, i) => {
      const scale = name === "sort" ? 1 : machine.scale;
      return (machine.run({ elf, args: jobs[name](scale), files }).cpu - base[i]) / scale;
    };
    const outputs = usable.map((machine) =>
      machine.run({ elf, args: jobs[name](1), files }).stdout.replaceAll("\r", ""),
    );
    outputs.forEach((output, i) => {
      if (!output.includes(outputs.at(-1))) console.log(`  ${usable[i].name}: another output`);
    });
    const costs = usable.map(cost);
    const own = costs.at(-1);
    row([
      name,
      ...costs.map((cost, i) =>
        i === costs.length - 1 ? number(cost) : `${number(cost)} (${number(cost / own)})`,
      ),
    ]);
  }
}

function median(values) {
  return values.sort((a, b) => a - b)[values.length >> 1];
}

/** A static hello from the shell's prompt to its exit, against node -e 0, taken in turns. */
function startUp() {
  if (!wanted("hello")) return;
  const elf = join(work, "hello");
  let what = "hello (static, glibc)";
  writeFileSync(join(work, "hello.c"), '#include <stdio.h>\nint main(void) { puts("hello"); return 0; }\n');
  if (!has("gcc") || spawnSync("gcc", ["-O2", "-static", "-o", elf, join(work, "hello.c")]).status !== 0) {
    spawnSync(process.execPath, [cli, "samples", "hello", "-o", elf]);
    what = "hello (the sample: no gcc here)";
  }
  const rounds = quick ? 5 : 15;
  const runs = { node: [], sealab: [] };
  for (let i = 0; i < rounds; i++) {
    runs.node.push(timed(process.execPath, ["-e", "0"]).real);
    runs.sealab.push(timed(process.execPath, [cli, "run", elf]).real);
  }
  const [node, sealab] = [median(runs.node), median(runs.sealab)];
  const stats = timed(process.execPath, [cli, "run", "--stats", elf]).stderr;
  console.log(
    `\n${what}: ${number(sealab * 1000)} ms, node -e 0: ${number(node * 1000)} ms, ratio ${number(sealab / node)}`,
  );
  console.log(`its ${/resident.*/.exec(stats)?.[0] ?? "resident size: unknown"}`);
}

/** What a sleeping process takes of the host. */
function idle() {
  if (!wanted("idle")) return;
  const script = fileURLToPath(new URL("./bench/idle.mjs", import.meta.url));
  const result = spawnSync(process.execPath, ["--expose-gc", script, quick ? "200" : "1000"]);
  const { heap, resident, pages } = JSON.parse(result.stdout.toString());
  const kilobytes = (bytes) => `${number(bytes / 1024)} KiB`;
  console.log(
    `\nan idle process: ${kilobytes(heap)} of heap and buffers beyond its ${kilobytes(pages)} of guest pages ` +
      `(the host's resident size grew by ${kilobytes(resident)} more than these)`,
  );
}

if (wanted("areas")) areas();
if (wanted("scenarios")) scenarios();
if (wanted("travel")) travel();
compare("Five kernels", "an iteration", KERNELS, { hash: 2e7, fib: 5e3, crc: 1e4, vm: 4e6, tlbmiss: 4e6 });
realPrograms();
compare("Keys and the kernel", "a unit", EXTRAS, {
  wrpkru: 5e6,
  getpid: 1e6,
  demand: 200,
  "areas-60": 2e4,
  "areas-60000": 2e4,
});
console.log(
  "units: wrpkru: 2 writes of PKRU and 16 loads; getpid: a call; demand: 1024 faults; areas: mmap and munmap",
);
build("hello", hello);
compare(
  "Processes and threads",
  "a unit",
  PROCESSES,
  { spawn: 300, fork: 20, "pipe-64k": 16384, "pipe-4k": 262144, "ping-pong": 1e5, futex: 2e5, mutex: 5e4 },
  { hello: readFileSync(join(work, "hello")) },
);
compare("A file in memory", "for 64 KiB", FILES, { read: 16384, "mmap-64k": 16384, loads: 16384 });
idle();
startUp();
