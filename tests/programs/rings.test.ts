import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { BufferHost } from "../../debug/buffer-host.js";
import { Machine } from "../../debug/machine.js";
import { checkMachine } from "../../kernel/mm/check-machine.js";

const RECORDED = join(import.meta.dirname, "..", "recorded", "rings");

/** io_uring with system calls alone, as on Linux 6.18 (rings.c). */
it("rings answer as Linux's do, and every reference adds up after each step", () => {
  const host = new BufferHost();
  const elf = new Uint8Array(readFileSync(join(RECORDED, "rings.elf")));
  const machine = Machine.create({ host });
  machine.load(elf);
  for (let i = 0; i < 10_000; i++) {
    // The last part reads smaps, which takes many instructions and changes nothing.
    const { reason } = machine.run(i < 180 ? 500 : 10_000);
    expect(checkMachine(machine.kernel, [machine.kernel.init.leader.mm])).toEqual([]);
    if (reason === "exited") break;
  }
  expect(host.text(1)).toBe(readFileSync(join(RECORDED, "rings.txt"), "utf8"));
});
