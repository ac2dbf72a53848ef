import { expect, it } from "vitest";
import { Machine } from "../../debug/index.js";
import { Program, SYS } from "../../userland/index.js";

// The worked example of docs/api.md.

it("asks what was refused, why, and what stays", () => {
  const program = new Program().label("_start");
  program.syscall(SYS.mmap, 0x5ea10000, 5 * 4096, 3, 0x32, -1, 0);
  program.code("mov byte ptr [rax], 1");
  program.syscall(SYS.mseal, 0x5ea12000, 2 * 4096, 0);
  program.syscall(SYS.munmap, 0x5ea10000, 5 * 4096);
  program.exit(0);

  const machine = Machine.create();
  machine.load(program.build(), { argv: ["example"] });

  const seal = machine.untilSyscall("mseal");
  expect(seal).toMatchObject({ name: "mseal", number: 462, result: 0n });
  expect(machine.areaAt(0x5ea12000)).toMatchObject({ start: 0x5ea12000, end: 0x5ea14000, sealed: true });
  expect(machine.areaAt(0x5ea11000)).toMatchObject({ start: 0x5ea10000, end: 0x5ea12000, sealed: false });
  expect(machine.pageTableEntry(0x5ea10000)?.bits).toEqual(["P", "RW", "US", "A", "D", "NX"]);
  expect(machine.pageTableEntry(0x5ea11000)).toBeNull();

  const unmap = machine.untilSyscall("munmap");
  expect(unmap?.result).toBe(-1n);
  expect(unmap?.refusal).toMatchObject({
    rule: "munmap.sealed",
    errno: 1,
    area: { start: 0x5ea12000, end: 0x5ea14000, sealed: true },
  });
  const sealedBy = unmap!.refusal!.area!.sealedBy!;
  expect(machine.instructionAt(sealedBy.rip)).toBe("syscall");
  expect(sealedBy.instruction).toBeLessThan(machine.instructions);
  expect(machine.areas().filter((area) => area.start >= 0x5ea10000 && area.end <= 0x5ea15000)).toHaveLength(
    3,
  );

  expect(machine.run()).toMatchObject({ reason: "exited", status: { code: 0, signal: null } });
});
