import { describe, expect, it } from "vitest";
import { Machine } from "../../debug/index.js";
import { changesBetween, memoryState } from "../../debug/session/memory-state.js";
import { Program, SYS } from "../../userland/index.js";

const HUGE = 2 ** 21;
const AREA = 0x4000_0000;
const MADV_DONTNEED = 4;
const MADV_HUGEPAGE = 14;

describe("what a call changes in a leaf of 2 MiB", () => {
  it("is told of the pages that it changes, though the leaf is split", () => {
    const program = new Program()
      .label("_start")
      .syscall(SYS.mmap, AREA, HUGE, 3, 0x32, -1, 0)
      .syscall(SYS.madvise, AREA, HUGE, MADV_HUGEPAGE)
      .code(`mov byte ptr [${AREA}], 1`)
      .syscall(SYS.madvise, AREA + 5 * 4096, 4096, MADV_DONTNEED)
      .exit(0);
    const machine = Machine.create({ memoryBytes: 16 << 20 });
    machine.load(program.build());
    const told: { address: number; bytes: number; huge: boolean[] }[] = [];
    machine.on("pte", ({ address, bytes, before, after }) => {
      if (address < AREA || address >= AREA + HUGE) return;
      told.push({ address, bytes, huge: [before, after].map(({ low }) => (low & 0x80) !== 0) });
    });
    machine.untilSyscall("madvise");
    const { mm } = machine.task;
    while (mm.tables.large.anonCount === 0) machine.step();
    const before = memoryState(machine, machine.task);
    expect(before.entries.get(AREA)).toMatch(/e7$/);
    machine.untilSyscall("madvise");
    const { entries } = changesBetween(before, memoryState(machine, machine.task));
    expect(entries.map(({ address, after }) => [address, after])).toEqual([[AREA + 5 * 4096, "0x0"]]);
    expect(told).toEqual([
      { address: AREA, bytes: HUGE, huge: [false, true] },
      { address: AREA, bytes: HUGE, huge: [true, false] },
      { address: AREA + 5 * 4096, bytes: 4096, huge: [false, false] },
    ]);
  });
});
