import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { blockDevices } from "../../../kernel/block/block-devices.js";
import { bareKernel } from "../bare-kernel.js";

/** tests/programs/loops.c and its answers on Linux 6.18.44, as root. */
const recorded = (name: string): URL => new URL(`../../recorded/loops/${name}`, import.meta.url);

describe("loop devices", () => {
  it("give what Linux 6.18 gave", () => {
    const machine = bareKernel();
    const before = machine.kernel.frames.free;
    machine.add("/loops", readFileSync(recorded("loops.elf")));
    machine.start("/loops");
    expect(machine.kernel.run(20_000_000)).toMatchObject({
      reason: "exited",
      status: { code: 0, signal: null },
    });
    expect(machine.output().split("\n")).toEqual(
      readFileSync(recorded("linux-6.18.txt"), "latin1").split("\n"),
    );
    for (const device of blockDevices(machine.tree).all()) {
      expect(device.openers).toBe(0);
      expect(device.pages.resident).toBe(0);
    }
    machine.tree.makePath("/");
    expect(before - machine.kernel.frames.free).toBeLessThan(64);
  });

  it("are nothing to a machine that does not use them", () => {
    expect(bareKernel().tree.block).toBe(null);
  });
});
