import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Machine } from "../../../debug/machine.js";
import { machineDigest } from "../../../debug/snapshot/digest.js";
import { areaRows } from "../../../debug/views/areas.js";
import { fileRows } from "../../../debug/views/files.js";
import { frameRows } from "../../../debug/views/frames.js";
import { above, instructionRows } from "../../../debug/views/instructions.js";
import { keyRows } from "../../../debug/views/keys.js";
import { memoryRows, stackRows } from "../../../debug/views/memory.js";
import { registerRows } from "../../../debug/views/registers.js";
import { sourceRows } from "../../../debug/views/sources.js";
import { threadRows } from "../../../debug/views/threads.js";
import { vectorRows } from "../../../debug/views/vectors.js";
import { View } from "../../../debug/views/view.js";
import { accessRows, walkRows } from "../../../debug/views/walk.js";

/** The debugger's views of a C program at known places. */
const FOLDER = join(import.meta.dirname, "..", "commands");
const ELF = readFileSync(join(FOLDER, "keeper.elf"));
const SOURCE = readFileSync(join(FOLDER, "keeper.c"), "utf8");

function keeper(): Machine {
  const machine = Machine.create();
  machine.load(ELF, { path: "/keeper/keeper" });
  machine.modules.files = { text: (path) => (path === "/keeper/keeper.c" ? SOURCE : undefined) };
  return machine;
}

/** Runs instruction by instruction to a function's body. */
function at(machine: Machine, name: string): View {
  const body = machine.modules.bodyOf(machine.modules.find(name)[0]!);
  while (machine.registers.rip !== body) machine.step();
  return new View(machine, machine.task);
}

/** At the fault: the page is keyed, sealed, and PKRU forbids its key. */
function faulted(): { machine: Machine; view: View; address: number } {
  const machine = keeper();
  for (;;) {
    const fault = machine.untilFault()!;
    if (fault.signal === 11)
      return { machine, view: new View(machine, machine.task), address: fault.address };
  }
}

describe("code", () => {
  it("is shown around RIP, with names, breaks, source lines and what the instruction uses", () => {
    const machine = keeper();
    const view = at(machine, "square");
    const rows = instructionRows(view, { count: 8, breaks: new Set([view.rip]) });
    const current = rows.find((row) => row.current)!;
    expect(rows.indexOf(current)).toBe(3);
    expect(rows[0]!.label).toBe("square");
    expect(current).toMatchObject({
      address: view.rip,
      breakpoint: true,
      instruction: "mov eax, [rbp-0x14]",
    });
    expect(current.source).toEqual({ file: "/keeper/keeper.c", line: lineOf("int result = n * n;") });
    expect(machine.placeAt(view.rip)).toBe(`square+0x7 at keeper.c:${lineOf("int result = n * n;")}`);
    expect(current.note).toContain("]=0x1");
    expect(current.text).toMatch(/^●► 0x0*[0-9a-f]+ square\+0x7 +mov eax, \[rbp-0x14\] {2,}\[0x7ff/);
    const call = instructionRows(view, { from: machine.modules.find("sum")[0]!.address, count: 30 }).find(
      ({ instruction }) => instruction.startsWith("call"),
    )!;
    expect(call.note).toBe("<square>");
  });

  it("begins above RIP at an instruction's first byte", () => {
    const machine = keeper();
    const view = at(machine, "main");
    const main = machine.modules.find("main")[0]!;
    const all = instructionRows(view, { from: main.address, count: 40 }).map(({ address }) => address);
    for (const address of all.slice(6)) expect(all).toContain(above(view, address, 5));
  });

  it("has its source beside it", () => {
    const machine = keeper();
    const view = at(machine, "square");
    const line = lineOf("int result = n * n;");
    const rows = sourceRows(view, {
      file: "/keeper/keeper.c",
      around: line,
      count: 5,
      breaks: new Set([line + 1]),
    });
    expect(rows.map(({ code }) => code)).toEqual(SOURCE.split("\n").slice(line - 3, line + 2));
    expect(rows.map(({ current }) => current)).toEqual([false, false, true, false, false]);
    expect(rows[3]!.text).toBe(`●  ${line + 1}    return result;`);
  });

  it("was called by whom the frames say", () => {
    const machine = keeper();
    const view = at(machine, "square");
    const rows = frameRows(view);
    expect(rows.map(({ symbol }) => symbol?.replace(/\+.*/, ""))).toEqual([
      "square",
      "sum",
      "main",
      "_start",
    ]);
    expect(rows.slice(0, 3).map(({ source }) => source?.line)).toEqual([
      lineOf("int result = n * n;"),
      lineOf("total += square(i);"),
      lineOf("counter = sum(4);"),
    ]);
    // At the function's first instruction, and at its RET, the frame is another one.
    const { address, size } = machine.modules.find("square")[0]!;
    while (machine.registers.rip !== address + size - 1) machine.step();
    expect(frameRows(new View(machine, machine.task)).length).toBe(4);
    while (machine.registers.rip !== address) machine.step();
    expect(frameRows(new View(machine, machine.task)).length).toBe(4);
  });
});

describe("registers", () => {
  it("say what their values may be, and which changed", () => {
    const machine = keeper();
    const before = new View(machine, machine.task).registers;
    const view = at(machine, "square");
    const rows = registerRows(view, before);
    const of = (name: string): string => rows.find((row) => row.name === name)!.text;
    expect(of("rip")).toMatch(/^\*rip +0x[0-9a-f]+ +<square\+0x7>$/);
    expect(of("rdi")).toMatch(/^\*rdi +0x1$/);
    expect(of("rsp")).toContain("[stack]");
    expect(of("rflags")).toMatch(/\[ (?:[A-Z]{2} )*IF \]$/);
    expect(of("pkru")).toMatch(/^ pkru +0x55555554 +key 0 rw$/);
  });

  it("of x87 and SSE are read from the XSAVE area", () => {
    const machine = keeper();
    const rows = vectorRows(new View(machine, machine.task));
    expect(rows.map(({ name }) => name)).toEqual([
      ...Array.from({ length: 8 }, (_, i) => `st${i}`),
      "fctrl",
      "fstat",
      ...Array.from({ length: 16 }, (_, i) => `xmm${i}`),
      "mxcsr",
    ]);
    expect(rows[0]!.text).toBe("st0    empty");
    expect(rows.at(-1)!.text).toBe("mxcsr  0x1f80 [ IM DM ZM OM UM PM ] rounds nearest");
  });
});

describe("memory", () => {
  it("marks the area that faulted, and shows keys, seals and who sealed", () => {
    const { view, address } = faulted();
    const row = areaRows(view, address).find(({ start, end }) => start <= address && address < end)!;
    expect(row).toMatchObject({ permissions: "r--p", key: 1, seal: "sealed", marks: ["read", "faulting"] });
    expect(row.sealedBy).toMatch(/RIP 0x[0-9a-f]+ <call\+0x[0-9a-f]+>/);
    expect(row.text).toMatch(/^ r ! [0-9a-f]{12}-[0-9a-f]{12} r--p +8K {2}key 1 {2}sealed$/);
    const executed = areaRows(view).filter(({ marks }) => marks.includes("executed"));
    expect(executed.map(({ name, permissions }) => [name, permissions])).toEqual([
      ["/keeper/keeper", "r-xp"],
    ]);
  });

  it("is walked to, every bit named, and what may be done there said", () => {
    const { view, address } = faulted();
    const rows = walkRows(view, address);
    expect(rows.map(({ table }) => table.replace(/\[\d+/, "["))).toEqual([
      "PML4[]",
      "PDPT[]",
      "PD[]",
      "PT[]",
    ]);
    const leaf = rows.at(-1)!;
    const set = leaf.bits.flatMap(({ name, set }) => (set ? [name] : []));
    expect(set).toEqual(expect.arrayContaining(["P", "US", "NX"]));
    expect(set).not.toContain("RW");
    expect(leaf.key).toBe(1);
    const [read, write, execute] = accessRows(view, address);
    expect(read).toMatchObject({ allowed: false });
    expect(read!.why).toMatch(
      /^#PF 0x25 \[ P U PK \] {2}PKRU 0x55555554 denies reads and writes through key 1$/,
    );
    expect(write!.why).toContain("RW is clear");
    expect(execute!.why).toContain("NX is set");
    expect(accessRows(view, 0x1000)[0]!.why).toContain("no area here");
  });

  it("is shown in hexadecimal, and the stack with what it points to", () => {
    const machine = keeper();
    const greeting = machine.modules.find("greeting")[0]!;
    const view = at(machine, "square");
    expect(memoryRows(view, greeting.address, 7).map(({ text }) => text)).toEqual([
      `0x${greeting.address.toString(16)}  68 65 6c 6c 6f 0a 00                              |hello..|`,
    ]);
    const stack = stackRows(view, 3);
    expect(stack[0]).toMatchObject({ address: Number(view.registers.rsp), registers: ["rsp", "rbp"] });
    expect(stack[1]!.meaning).toMatch(/^<sum\+0x[0-9a-f]+>$/);
    expect(memoryRows(view, 0x1000, 16)).toEqual([]);
  });

  it("is not changed by being looked at", () => {
    const looked = keeper();
    const plain = keeper();
    for (let i = 0; i < 60; i++) {
      const view = new View(looked, looked.task);
      const address = Number(view.registers.rsp);
      void [instructionRows(view, { count: 5 }), registerRows(view), vectorRows(view), areaRows(view)];
      void [walkRows(view, address), accessRows(view, address), stackRows(view, 8), frameRows(view)];
      void [keyRows(view), threadRows(view), fileRows(view), memoryRows(view, address, 64)];
      looked.step();
      plain.step();
    }
    expect(machineDigest(looked)).toBe(machineDigest(plain));
  });
});

describe("keys, threads and files", () => {
  it("are listed", () => {
    const { view } = faulted();
    const keys = keyRows(view);
    expect(keys).toHaveLength(16);
    expect(keys[0]).toMatchObject({ rights: "read and write", allocated: true });
    expect(keys[1]).toMatchObject({
      rights: "none",
      accessDisabled: true,
      allocated: true,
      areas: 1,
      areaBytes: 8192,
    });
    expect(keys[2]).toMatchObject({ rights: "none", allocated: false, areas: 0 });
    const threads = threadRows(view);
    expect(threads).toHaveLength(1);
    expect(threads[0]).toMatchObject({ tid: 1000, chosen: true, state: "running" });
    expect(fileRows(view).map(({ descriptor }) => descriptor)).toEqual([0, 1, 2]);
  });
});

function lineOf(code: string): number {
  return SOURCE.split("\n").findIndex((line) => line.includes(code)) + 1;
}
