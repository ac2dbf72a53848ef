import { describe, expect, it } from "vitest";
import { Machine } from "../../debug/index.js";
import type { KernelEventMap } from "../../debug/index.js";
import { entryBits } from "../../debug/page-table-text.js";
import { PTE_A } from "../../mmu/page-table-entry.js";
import { Program, SYS } from "../../userland/index.js";

const AREA = 0x5ea10000;
const PAGE = 4096;
const PKEY_MPROTECT = 329;
const PKEY_ALLOC = 330;

function load(program: Program): Machine {
  const machine = Machine.create({ memoryBytes: 16 << 20 });
  machine.load(program.build());
  return machine;
}

const mapped = (): Program => new Program().label("_start").syscall(SYS.mmap, AREA, 2 * PAGE, 3, 0x32, -1, 0);

describe("pte", () => {
  it("tells each change of a leaf entry, and who made it", () => {
    const program = mapped()
      .code(`mov al, [${AREA}]\n mov byte ptr [${AREA}], 1\n mov byte ptr [${AREA}], 2`)
      .syscall(SYS.mprotect, AREA, PAGE, 1)
      .syscall(SYS.madvise, AREA, PAGE, 4)
      .exit(0);
    const machine = load(program);
    const seen: string[] = [];
    machine.on("pte", ({ mm, address, before, after, by }) => {
      expect(mm).toBe(machine.task.mm);
      if (address !== AREA) return;
      const bits = [before, after].map(({ low, high }) => entryBits(low, high).join(" "));
      seen.push(`${by}: ${bits[0]} -> ${bits[1]}`);
    });
    machine.run();
    expect(seen).toEqual([
      // The zero page; a page of its own; mprotect; DONTNEED.
      "kernel: not present -> P read-only US A NX",
      "kernel: P read-only US A NX -> P RW US A D NX",
      "kernel: P RW US A D NX -> P read-only US A D NX",
      "kernel: P read-only US A D NX -> not present",
    ]);
  });

  it("tells what the processor sets", () => {
    const program = mapped().code(`mov byte ptr [${AREA}], 1`).syscall(SYS.getpid);
    const machine = load(program.code(`mov al, [${AREA}]`).exit(0));
    machine.untilSyscall("getpid");
    const { memory, mmu } = machine.kernel;
    const entry = machine.task.mm.tables.entryAddress(AREA, false) >>> 2;
    memory.u32[entry]! &= ~PTE_A;
    memory.entryWritten(entry);
    mmu.flush();
    const seen: unknown[] = [];
    machine.on("pte", (change) => seen.push(change));
    machine.run();
    expect(seen[0]).toMatchObject({ address: AREA, by: "processor" });
  });

  it("is silent for a page that nothing changes, and after the listener has gone", () => {
    const machine = load(mapped().code("mov ecx, 1000\nagain: dec ecx\n jnz again").exit(0));
    const pages = new Set<number>();
    const off = machine.on("pte", ({ address }) => pages.add(address));
    machine.run();
    expect(pages.has(AREA)).toBe(false);
    off();
    expect(machine.kernel.memory.entryWatcher).toBeNull();
  });

  it("follows a child from its first turn on", () => {
    const program = mapped()
      .code(`mov byte ptr [${AREA}], 1`)
      .syscall(SYS.fork)
      .code(`test eax, eax\n jnz parent\n mov byte ptr [${AREA}], 2`)
      .exit(0)
      .label("parent")
      .syscall(SYS.wait4, -1, 0, 0, 0)
      .exit(0);
    const machine = load(program);
    const parent = machine.task.mm;
    const changes: { ofParent: boolean; from: string[]; to: string[] }[] = [];
    machine.on("pte", ({ mm, address, before, after }) => {
      if (address !== AREA) return;
      const [from, to] = [entryBits(before.low, before.high), entryBits(after.low, after.high)];
      changes.push({ ofParent: mm === parent, from, to });
    });
    machine.run();
    const ofChild = changes.filter(({ ofParent }) => !ofParent);
    expect(ofChild[0]).toMatchObject({ from: expect.arrayContaining(["read-only"]) as unknown });
    expect(ofChild.some(({ to }) => to.includes("RW"))).toBe(true);
    // fork takes the right to write away in the parent's tables too.
    expect(changes.some((each) => each.ofParent && each.from.includes("RW") && !each.to.includes("RW"))).toBe(
      true,
    );
  });
});

describe("pkru", () => {
  const program = (): Program =>
    mapped()
      .syscall(PKEY_ALLOC, 0, 1)
      .syscall(PKEY_MPROTECT, AREA, PAGE, 3, 1)
      .code(
        `xor ecx, ecx\n xor edx, edx\n mov eax, 0x55555550\n wrpkru
         mov byte ptr [${AREA}], 1\n mov eax, 0x55555554\n wrpkru`,
      )
      .exit(0);

  it("tells each write, by the kernel or an instruction", () => {
    const machine = load(program());
    const seen: KernelEventMap["pkru"][] = [];
    machine.on("pkru", (written) => seen.push(written));
    const plain = load(program());
    plain.run();
    machine.run();
    expect(machine.instructions).toBe(plain.instructions);
    expect(seen.map(({ by, before, after }) => [by, before, after])).toEqual([
      ["pkey_alloc", 0x55555554, 0x55555554],
      [undefined, 0x55555554, 0x55555550],
      [undefined, 0x55555550, 0x55555554],
    ]);
    for (const { rip, by } of seen)
      expect(machine.instructionAt(rip)).toBe(by === undefined ? "wrpkru" : "syscall");
    const first = seen[1]!;
    const again = load(program());
    again.run(first.instruction);
    expect(again.registers.rip).toBe(first.rip);
  });

  it("does not stop the run, and a listener can", () => {
    const machine = load(program());
    machine.on("pkru", ({ by }) => {
      if (by === undefined) machine.kernel.requestStop();
    });
    expect(machine.run()).toEqual({ reason: "stopped" });
    expect(machine.registers.pkru).toBe(0x55555550);
    expect(machine.run()).toEqual({ reason: "stopped" });
    expect(machine.run()).toMatchObject({ reason: "exited" });
  });
});

describe("syscall", () => {
  it("tells each call with its result, and why it was refused", () => {
    const machine = load(mapped().syscall(SYS.mseal, AREA, PAGE, 0).syscall(SYS.munmap, AREA, PAGE).exit(0));
    const seen: (string | bigint | null | undefined)[][] = [];
    const off = machine.on("syscall", ({ name, result, refusal }) =>
      seen.push([name, result, refusal?.rule]),
    );
    machine.untilSyscall("munmap");
    off();
    machine.run();
    expect(seen).toEqual([
      ["mmap", BigInt(AREA), undefined],
      ["mseal", 0n, undefined],
      ["munmap", -1n, "munmap.sealed"],
    ]);
  });
});
