import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { BufferHost } from "../../debug/buffer-host.js";
import { Machine } from "../../debug/machine.js";
import { loadMachine, saveMachine } from "../../debug/snapshot/machine-file.js";
import { restoreSnapshot, takeSnapshot } from "../../debug/snapshot/snapshot.js";
import { checkMachine } from "../../kernel/mm/check-machine.js";
import { runTo } from "../debug/snapshot/programs.js";
import { PATIENCE_MS } from "../patience.js";
import { compiledWithGlibc } from "./obtain.js";

/**
 * control-groups.c (limits of memory and tasks) and group-tree.c (the tree, the freezer, threads, events, owners) say in
 * sealab what they say on real Linux: Debian's 6.12. They must be root.
 */
const CLI = join(import.meta.dirname, "..", "..", "dist", "cli.js");
const RECORDED = join(import.meta.dirname, "..", "recorded", "control-groups");
const ROOT = { name: "root", uid: 0, gid: 0, groups: [], home: "/root" };
const PROGRAMS = [
  { source: "control-groups.c", recorded: "memory-linux-6.12.txt", kills: 1, swap: 0 },
  { source: "group-tree.c", recorded: "tree-linux-6.12.txt", kills: 2, swap: 0 },
  { source: "group-swap.c", recorded: "swap-linux-6.12.txt", kills: 1, swap: 96 * 2 ** 20 },
].map(({ source, recorded, kills, swap }) => ({
  name: source,
  program: compiledWithGlibc(join(import.meta.dirname, source)),
  expected: readFileSync(join(RECORDED, recorded), "utf8"),
  kills,
  swap,
}));

function start(program: string, swapBytes: number): { machine: Machine; host: BufferHost } {
  const host = new BufferHost();
  const machine = Machine.create({
    host,
    memoryBytes: 64 * 2 ** 20,
    ...(swapBytes > 0 ? { swapBytes } : {}),
  });
  machine.load(readFileSync(program), { argv: ["program"], env: [], user: ROOT });
  return { machine, host };
}

describe.skipIf(PROGRAMS[0]?.program === undefined)("control groups (skipped without gcc)", () => {
  it.each(PROGRAMS)("$name: as on Linux 6.12", ({ program, expected, kills, swap }) => {
    const area = swap > 0 ? ["--swap", `${swap}`] : [];
    const options = ["run", "--user", "0", "--kernel", "6.12", ...area, "--", program!];
    const ran = spawnSync(process.execPath, [CLI, ...options], { encoding: "utf8", timeout: PATIENCE_MS });
    const lines = ran.stderr.trimEnd().split("\n");
    expect(
      lines.filter((line) => !line.startsWith("sealab: Memory cgroup out of memory: Killed process")),
    ).toEqual([]);
    expect(lines).toHaveLength(kills);
    expect(ran.stdout).toBe(expected);
  });

  it.each(PROGRAMS)(
    "$name: goes on the same in a machine that was saved or put back",
    ({ program, expected, swap }) => {
      const whole = start(program!, swap);
      runTo(whole.machine, Infinity);
      expect(checkMachine(whole.machine.kernel, [whole.machine.kernel.init.leader.mm])).toEqual([]);
      expect(whole.host.text(1)).toBe(expected);
      const { instructions } = whole.machine;
      let charged = 0;
      for (const part of [0.3, 0.6, 0.9]) {
        const first = start(program!, swap);
        runTo(first.machine, Math.floor(instructions * part));
        const { kernel } = first.machine;
        expect(checkMachine(kernel)).toEqual([]);
        charged += kernel.cgroups.charges?.charged.size ?? 0;
        const host = new BufferHost();
        const second = loadMachine(saveMachine(first.machine), { host });
        expect(checkMachine(second.kernel)).toEqual([]);
        const before = first.host.text(1);
        runTo(second, Infinity);
        expect(before + host.text(1)).toBe(expected);
        const snapshot = takeSnapshot(first.machine);
        for (let times = 0; times < 2; times++) {
          runTo(first.machine, Infinity);
          expect(first.host.text(1)).toBe(expected);
          restoreSnapshot(first.machine, snapshot);
          expect(checkMachine(kernel)).toEqual([]);
        }
      }
      expect(charged).toBeGreaterThan(0);
    },
  );
});
