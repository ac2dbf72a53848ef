import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BufferHost } from "../../debug/buffer-host.js";
import { Machine } from "../../debug/machine.js";
import { loadMachine, saveMachine } from "../../debug/snapshot/machine-file.js";
import { restoreSnapshot, takeSnapshot } from "../../debug/snapshot/snapshot.js";
import { checkMachine } from "../../kernel/mm/check-machine.js";
import { Program, SYS } from "../../userland/index.js";
import { runTo } from "../debug/snapshot/programs.js";
import { PATIENCE_MS } from "../patience.js";
import { compiledWithGlibc } from "./obtain.js";
import { THOROUGH } from "../thorough.js";

/** hugetlb.c says in sealab what it says on Linux 6.18.44 and on Debian's 6.12, as root and with a pool of ten pages. */
const CLI = join(import.meta.dirname, "..", "..", "dist", "cli.js");
const recorded = (release: string): string =>
  readFileSync(join(import.meta.dirname, "..", "recorded", "hugetlb", `linux-${release}.txt`), "utf8");
const watcher = compiledWithGlibc(join(import.meta.dirname, "hugetlb-userfaults.c"));
const gigantic = compiledWithGlibc(join(import.meta.dirname, "hugetlb-gigantic.c"));
const ROOT = { name: "root", uid: 0, gid: 0, groups: [], home: "/root" };
const program = compiledWithGlibc(join(import.meta.dirname, "hugetlb.c"));

const GETRANDOM = 318;

/** After every fourth of these calls the whole machine is checked. */
const CHECKED =
  /^(mmap|munmap|mprotect|pkey_mprotect|mremap|madvise|clone|fallocate|ftruncate|shm|write|umount)/;

function start(): { machine: Machine; host: BufferHost } {
  const host = new BufferHost();
  const machine = Machine.create({ host, memoryBytes: 96 * 2 ** 20, params: ["hugepages=10"] });
  machine.load(readFileSync(program!), { argv: ["hugetlb"], env: [], user: ROOT });
  return { machine, host };
}

it("every call that would cut a huge page says why it does not", () => {
  const at = 0x4000_0000;
  const calls = new Program().label("_start");
  // MAP_HUGETLB with MAP_PRIVATE, MAP_ANONYMOUS, MAP_FIXED.
  calls.syscall(SYS.mmap, at, 2 ** 22, 3, 0x40032, -1, 0);
  calls.syscall(SYS.munmap, at, 4096).syscall(SYS.mmap, at + 4096, 4096, 3, 0x32, -1, 0);
  calls.syscall(SYS.mprotect, at, 4096, 1).syscall(SYS.madvise, at, 4096, 10);
  calls.syscall(SYS.mseal, at, 4096, 0).exit(0);
  const machine = Machine.create({ host: new BufferHost(), params: ["hugepages=4"] });
  machine.load(calls.build());
  const said: string[] = [];
  machine.on("refusal", ({ rule, errno, text }) => said.push(`${rule} ${errno} ${text}`));
  machine.run();
  const why = "22 an area of huge pages is split only between two of them";
  expect(said).toEqual(
    ["munmap", "mmap", "mprotect", "madvise", "mseal"].map((call) => `${call}.split ${why}`),
  );
});

it("a page of 1 GiB is in saved and restored machines, at an address that had small pages before", () => {
  const at = 0x10_4000_0000;
  const last = at + 2 ** 30 - 8;
  const calls = new Program().label("_start");
  // MAP_PRIVATE, MAP_ANONYMOUS, MAP_FIXED; then with MAP_HUGETLB and MAP_HUGE_1GB.
  calls.syscall(SYS.mmap, at, 4096, 3, 0x32, -1, 0).syscall(GETRANDOM, at, 8, 0);
  calls.syscall(SYS.munmap, at, 4096);
  calls.syscall(SYS.mmap, at, 2 ** 30, 3, 0x78040032, -1, 0).syscall(GETRANDOM, last, 8, 0);
  calls.syscall(SYS.write, 1, last, 8);
  calls.syscall(SYS.mprotect, at, 4096, 1).syscall(SYS.write, 1, at + 2 ** 29, 8);
  calls.syscall(GETRANDOM, last - 8, 8, 0).syscall(SYS.write, 1, last - 8, 16);
  calls.syscall(SYS.munmap, at, 2 ** 30).exit(0);
  const image = calls.build();
  const begin = (): { machine: Machine; host: BufferHost } => {
    const host = new BufferHost();
    const params = ["hugepagesz=1G", "hugepages=1"];
    const machine = Machine.create({ host, memoryBytes: 2 ** 31, params });
    machine.load(image);
    return { machine, host };
  };
  const whole = begin();
  runTo(whole.machine, Infinity);
  const output = whole.host.text(1);
  expect(output.length).toBeGreaterThan(0);
  const first = begin();
  runTo(first.machine, Math.floor(whole.machine.instructions / 2));
  const before = first.host.text(1);
  const snapshot = takeSnapshot(first.machine);
  const host = new BufferHost();
  const second = loadMachine(saveMachine(first.machine), { host });
  expect(checkMachine(second.kernel)).toEqual([]);
  runTo(second, Infinity);
  expect(before + host.text(1)).toBe(output);
  runTo(first.machine, Infinity);
  restoreSnapshot(first.machine, snapshot);
  expect(checkMachine(first.machine.kernel)).toEqual([]);
  runTo(first.machine, Infinity);
  expect(first.host.text(1)).toBe(output);
});

describe.skipIf(gigantic === undefined)(
  "huge pages of 1 GiB (hugetlb-gigantic.c, skipped without gcc)",
  () => {
    const releases: readonly (readonly [string, readonly string[]])[] = [
      ["6.18", ["--param", "hugepages=10"]],
      ["6.12", []],
    ];
    it.each(THOROUGH ? releases : releases.slice(0, 1))("are those of Linux %s", (release, params) => {
      const options = ["--user", "0", "--memory", "3G", "--kernel", release, ...params];
      const pages = ["--param", "hugepagesz=1G", "--param", "hugepages=2"];
      const ran = spawnSync(process.execPath, [CLI, "run", ...options, ...pages, "--", gigantic!], {
        encoding: "utf8",
        timeout: PATIENCE_MS,
      });
      expect(ran.stderr).toBe("");
      const file = join(import.meta.dirname, "..", "recorded", "hugetlb", `gigantic-${release}.txt`);
      expect(ran.stdout).toBe(readFileSync(file, "utf8"));
    });
  },
);

describe.skipIf(program === undefined)("huge pages of the pool (hugetlb.c, skipped without gcc)", () => {
  it.each(["6.18", "6.12"])(
    "the pool, promises, faults, forks, files and limits are those of Linux %s",
    (release) => {
      const options = ["--user", "0", "--param", "hugepages=10", "--kernel", release];
      const ran = spawnSync(process.execPath, [CLI, "run", ...options, "--", program!], {
        encoding: "utf8",
        timeout: PATIENCE_MS,
      });
      expect(ran.stderr).toBe("");
      expect(ran.stdout).toBe(recorded(release));
    },
  );

  it("goes on the same in a machine that was saved or put back, with every page and promise accounted for", () => {
    const whole = start();
    const wrong: string[] = [];
    let calls = 0;
    whole.machine.on("syscallExit", ({ name }) => {
      if (wrong.length > 0 || !CHECKED.test(name) || ++calls % 4 !== 0) return;
      for (const line of checkMachine(whole.machine.kernel, [whole.machine.kernel.init.leader.mm]))
        wrong.push(`after ${name}: ${line}`);
    });
    runTo(whole.machine, Infinity);
    expect(wrong).toEqual([]);
    const output = whole.host.text(1);
    expect(output).toBe(recorded("6.18"));
    const { instructions } = whole.machine;
    for (const part of [0.5]) {
      const first = start();
      runTo(first.machine, Math.floor(instructions * part));
      const host = new BufferHost();
      const second = loadMachine(saveMachine(first.machine), { host });
      expect(checkMachine(second.kernel)).toEqual([]);
      const before = first.host.text(1);
      runTo(second, Infinity);
      expect(before + host.text(1)).toBe(output);
      const snapshot = takeSnapshot(first.machine);
      runTo(first.machine, Infinity);
      expect(first.host.text(1)).toBe(output);
      restoreSnapshot(first.machine, snapshot);
      expect(checkMachine(first.machine.kernel)).toEqual([]);
      runTo(first.machine, Infinity);
      expect(first.host.text(1)).toBe(output);
    }
  });
});

describe.skipIf(watcher === undefined)("a userfaultfd over huge pages (hugetlb-userfaults.c)", () => {
  it.each(["6.18", "6.12"])("registers, fills, protects and poisons as Linux %s does", (release) => {
    const options = ["--user", "0", "--param", "hugepages=8", "--kernel", release];
    const ran = spawnSync(process.execPath, [CLI, "run", ...options, "--", watcher!], {
      encoding: "utf8",
      timeout: PATIENCE_MS,
    });
    expect(ran.stderr).toBe("");
    // The machine with 6.18 has no CONFIG_MEMORY_FAILURE, for which a poisoned page is like any other that is not there.
    const said = release === "6.18" ? ran.stdout.replaceAll("BUS 4 lsb 21", "BUS 2 lsb 0") : ran.stdout;
    expect(said).toBe(
      readFileSync(
        join(import.meta.dirname, "..", "recorded", "hugetlb", `userfaults-${release}.txt`),
        "utf8",
      ),
    );
  });
});
