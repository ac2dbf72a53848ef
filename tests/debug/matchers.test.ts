import { describe, expect, it } from "vitest";
import { Machine } from "../../debug/index.js";
import { matchers } from "../../debug/vitest/matchers.js";
import "../../debug/vitest/index.js";
import { Program, SYS } from "../../userland/index.js";

const AREA = 0x5ea10000;
const PAGE = 4096;

/** Two pages, the second sealed; munmap of both, then of the first; then a store to memory that is not there. */
function loaded(): Machine {
  const program = new Program()
    .label("_start")
    .syscall(SYS.mmap, AREA, 2 * PAGE, 3, 0x32, -1, 0)
    .syscall(SYS.mseal, AREA + PAGE, PAGE, 0)
    .syscall(SYS.munmap, AREA, 2 * PAGE)
    .syscall(SYS.munmap, AREA, PAGE)
    .code(`mov byte ptr [${AREA}], 1`);
  const machine = Machine.create({ memoryBytes: 16 << 20, reversible: true });
  machine.load(program.build());
  return machine;
}

describe("matchers", () => {
  it("say yes to what is so", () => {
    const machine = loaded();
    const refused = machine.untilSyscall("munmap");
    expect(refused).toBeRefused();
    expect(refused).toBeRefused({ by: "munmap.sealed", errno: "EPERM" });
    expect(refused!.refusal).toBeRefused({ errno: 1 });
    expect(machine).toHaveArea({ at: AREA + 5000, start: AREA + PAGE, end: AREA + 2 * PAGE, sealed: true });
    expect(machine).toHaveArea({ name: "[stack]" });
    expect(machine.areaAt(AREA + PAGE)).toBeSealed();
    expect(machine).toBeSealed(AREA + PAGE, AREA + 2 * PAGE);
    expect(machine).not.toBeSealed(AREA);
    expect(machine).not.toBeSealed(AREA + PAGE, AREA + 3 * PAGE);
    expect(machine.untilSyscall("munmap")).not.toBeRefused();
    expect(machine).not.toHaveArea({ start: AREA });
    expect(machine.untilFault()).toBeRefused({ by: /^fault\./ });
  });

  it("say what is instead", () => {
    const machine = loaded();
    const refused = machine.untilSyscall("munmap");
    expect(() => expect(refused).toBeRefused({ by: "mprotect.sealed" })).toThrow(
      /^expected munmap to be refused by mprotect\.sealed; it was by munmap\.sealed with EPERM:\n {2}why {6}A sealed area may/,
    );
    expect(() => expect(refused).not.toBeRefused()).toThrow(/^expected munmap not to be refused; it was by/);
    expect(() => expect(machine).toHaveArea({ start: AREA + PAGE, sealed: false })).toThrow(
      /^expected an area with start 0x5ea11000, sealed false; the nearest has sealed true, not false\. There are\n/,
    );
    expect(() => expect(machine).toBeSealed(AREA)).toThrow(/^expected 0x5ea10000 to be sealed\. There are\n/);
    expect(() => expect(machine.untilSyscall("munmap")).toBeRefused({ errno: "EPERM" })).toThrow(
      "expected munmap to be refused with EPERM; it returned 0",
    );
    expect(() => expect(machine.untilSyscall("mlock")).toBeRefused()).toThrow(/there was none: null$/);
  });

  it("are given what they can judge", () => {
    expect(() => matchers.toHaveArea(5, {})).toThrow("toHaveArea: not a Machine");
    expect(() => matchers.toBeSealed(loaded())).toThrow(/which address/);
    expect(() => expect(loaded().untilSyscall("munmap")).toBeRefused({ errno: "EWHAT" })).toThrow(
      /no errno EWHAT/,
    );
    expect(matchers.toBeSealed(null).pass).toBe(false);
  });
});

describe("the way back", () => {
  it("is exact, and the way forth again too", () => {
    const machine = loaded();
    const digests = new Map<number, bigint[]>();
    const state = (): bigint[] => Object.values(machine.registers.all()).map(BigInt);
    for (let at = 0; machine.exit === null; at = machine.instructions) {
      digests.set(at, state());
      machine.step();
    }
    const end = machine.instructions;
    for (const at of [end - 1, 3, 0, 5]) {
      machine.run();
      machine.reverseTo(at);
      expect(machine.instructions).toBe(at);
      expect(state()).toEqual(digests.get(at));
    }
    expect(machine.run()).toMatchObject({ reason: "exited", status: { signal: 11 } });
    expect(machine.instructions).toBe(end);
  });

  it("leads to the last happening before now, and then to the one before that", () => {
    const machine = loaded();
    machine.run();
    machine.snapshot();
    const heard: string[] = [];
    machine.on("syscallEnter", ({ name }) => heard.push(name));
    const areas = (): number =>
      machine.areas().filter(({ start }) => start >= AREA && start < AREA + 8192).length;
    expect(machine.reverseTo("syscall", ({ name }) => name === "munmap")).toMatchObject({ result: 0n });
    expect(areas()).toBe(1);
    expect(machine.reverseTo("syscall", ({ name }) => name === "munmap")).toMatchObject({
      result: -1n,
      refusal: { rule: "munmap.sealed" },
    });
    expect(areas()).toBe(2);
    expect(machine.reverseTo("syscall", ({ name }) => name === "munmap")).toBeNull();
    expect(areas()).toBe(2);
    expect(machine.reverseTo("area", ({ kind }) => kind === "seal")).toMatchObject({ start: AREA + PAGE });
    machine.run();
    heard.length = 0;
    expect(machine.reverseTo("fault")).toMatchObject({ address: AREA, signal: 11 });
    expect(machine.exit).toBeNull();
    expect(machine.reverseTo("area", ({ kind }) => kind === "unmap")).toMatchObject({ end: AREA + PAGE });
    expect(machine.reverseTo("area", ({ kind }) => kind === "map")).toMatchObject({ end: AREA + 2 * PAGE });
    // Who listens hears of no way back, and of the way forth.
    expect(heard).toEqual([]);
    machine.run();
    expect(heard).toEqual(["mseal", "munmap", "munmap"]);
  });

  it("goes through what came from outside, and writes nothing twice", () => {
    const program = new Program().label("_start").onSignal(2, "handler").print("one ").label("spin");
    program.code("cmp dword ptr [seen], 0\n je spin").print("two").exit(0);
    program.label("handler").code("inc dword ptr [seen]\n ret");
    program.within(".bss", () => program.label("seen").reserve(8));
    const machine = Machine.create({ memoryBytes: 16 << 20, reversible: true });
    machine.load(program.build());
    machine.run(10_000);
    machine.interrupt();
    expect(machine.run(100_000)).toMatchObject({ reason: "exited" });
    const end = machine.instructions;
    machine.reverseTo(9_000);
    expect(machine.run(100_000)).toMatchObject({ reason: "exited" });
    expect(machine.instructions).toBe(end);
  });

  it("is not there where nobody asked for it, nor before the beginning", () => {
    const machine = Machine.create({ memoryBytes: 16 << 20 });
    expect(() => machine.reverseTo(0)).toThrow("reversible: true");
    const other = loaded();
    other.run(5);
    expect(() => other.reverseTo(6)).toThrow(RangeError);
    expect(() => other.reverseTo(-1)).toThrow(RangeError);
  });
});
