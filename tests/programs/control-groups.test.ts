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
import { compiledWithGlibc } from "./obtain.js";

/** control-groups.c says in sealab what it says on real Linux: Debian's 6.12. It must be root. */
const CLI = join(import.meta.dirname, "..", "..", "dist", "cli.js");
const RECORDED = join(import.meta.dirname, "..", "recorded", "control-groups", "linux-6.12.txt");
const ROOT = { name: "root", uid: 0, gid: 0, groups: [], home: "/root" };
const program = compiledWithGlibc(join(import.meta.dirname, "control-groups.c"));

function start(): { machine: Machine; host: BufferHost } {
  const host = new BufferHost();
  const machine = Machine.create({ host, memoryBytes: 64 * 2 ** 20 });
  machine.load(readFileSync(program!), { argv: ["control-groups"], env: [], user: ROOT });
  return { machine, host };
}

describe.skipIf(program === undefined)("control groups (control-groups.c, skipped without gcc)", () => {
  it("limits, counts, kills and shows as Linux 6.12 does", () => {
    const ran = spawnSync(process.execPath, [CLI, "run", "--user", "0", "--kernel", "6.12", "--", program!], {
      encoding: "utf8",
      timeout: 60_000,
    });
    expect(ran.stderr).toMatch(/^sealab: Memory cgroup out of memory: Killed process [^\n]*\n$/);
    expect(ran.stdout).toBe(readFileSync(RECORDED, "utf8"));
  });

  it("goes on the same in a machine that was saved or put back, with every charge accounted for", () => {
    const whole = start();
    runTo(whole.machine, Infinity);
    expect(checkMachine(whole.machine.kernel, [whole.machine.kernel.init.leader.mm])).toEqual([]);
    const output = whole.host.text(1);
    expect(output).toBe(readFileSync(RECORDED, "utf8"));
    const { instructions } = whole.machine;
    let charged = 0;
    for (const part of [0.3, 0.6, 0.9]) {
      const first = start();
      runTo(first.machine, Math.floor(instructions * part));
      const { kernel } = first.machine;
      expect(checkMachine(kernel)).toEqual([]);
      charged += kernel.cgroups.charges?.charged.size ?? 0;
      const host = new BufferHost();
      const second = loadMachine(saveMachine(first.machine), { host });
      expect(checkMachine(second.kernel)).toEqual([]);
      const before = first.host.text(1);
      runTo(second, Infinity);
      expect(before + host.text(1)).toBe(output);
      const snapshot = takeSnapshot(first.machine);
      for (let times = 0; times < 2; times++) {
        runTo(first.machine, Infinity);
        expect(first.host.text(1)).toBe(output);
        restoreSnapshot(first.machine, snapshot);
        expect(checkMachine(kernel)).toEqual([]);
      }
    }
    expect(charged).toBeGreaterThan(0);
  });
});
