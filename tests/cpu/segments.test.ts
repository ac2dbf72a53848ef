import { describe, expect, it } from "vitest";
import { CS, descriptorOf, DS, ES, FS, GS, Segments, SS, type DescriptorTables } from "../../cpu/segments.js";
import { BareMachine } from "./bare-machine.js";

/** As modify_ldt writes entries 0 to 5 of an LDT: code32, data32 up, data not present, 16-bit code, read-only, expand-down. */
const LDT: readonly (readonly [number, number])[] = [
  [0x2000ffff, 0x00c0fb01],
  [0x30000fff, 0x0040f302],
  [0x0000ffff, 0x00cf7300],
  [0x4000ffff, 0x0000fb00],
  [0x00000fff, 0x0040f100],
  [0x00000fff, 0x0040f700],
];
const tables: DescriptorTables = {
  read(selector) {
    if ((selector & 4) !== 0) return LDT[selector >>> 3];
    return new Map<number, readonly [number, number]>([
      [0x20, [0x0000ffff, 0x00cffb00]],
      [0x28, [0x0000ffff, 0x00cff300]],
      [0x30, [0x0000ffff, 0x00affb00]],
    ]).get(selector & 0xfff8);
  },
};
const ldt = (i: number): number => i * 8 + 7;

function machine(): BareMachine {
  const m = new BareMachine();
  m.cpu.descriptorTables = tables;
  return m;
}

describe("segment registers", () => {
  it("are Linux's at the start", () => {
    const { registers } = new BareMachine().cpu;
    expect([ES, CS, SS, DS, FS, GS].map((i) => registers.selector(i))).toEqual([0, 0x33, 0x2b, 0, 0, 0]);
  });
  it("take what MOV may load, with the base of FS and GS", () => {
    const { cpu } = machine();
    expect(cpu.loadSegment(GS, ldt(1))).toBeUndefined();
    expect(cpu.registers.gsBase).toBe(0x00023000);
    expect(cpu.registers.selector(GS)).toBe(ldt(1));
    expect(cpu.loadSegment(GS, 3)).toBeUndefined();
    expect(cpu.registers.gsBase).toBe(0);
    expect(cpu.registers.selector(GS)).toBe(3);
    expect(cpu.loadSegment(DS, ldt(2))).toEqual({ vector: 11, errorCode: 0x14 });
    expect(cpu.loadSegment(DS, ldt(9))).toEqual({ vector: 13, errorCode: 0x4c });
    expect(cpu.loadSegment(SS, 3)).toEqual({ vector: 13, errorCode: 0 });
    expect(cpu.loadSegment(SS, ldt(0))).toEqual({ vector: 13, errorCode: 4 });
    expect(cpu.loadSegment(SS, ldt(2))).toEqual({ vector: 12, errorCode: 0x14 });
    expect(cpu.loadSegment(SS, ldt(4))).toEqual({ vector: 13, errorCode: 0x24 });
    expect(cpu.registers.selector(SS)).toBe(0x2b);
  });
  it("return to a mode by IRET's checks", () => {
    const { cpu } = machine();
    expect(cpu.mode).toBe(64);
    expect(cpu.returnTo(ldt(1), 0x2b)).toEqual({ vector: 13, errorCode: 0xc });
    expect(cpu.returnTo(ldt(0), ldt(2))).toEqual({ vector: 12, errorCode: 0x14 });
    expect(cpu.mode).toBe(64);
    expect(cpu.returnTo(0x23, 0x2b)).toBeUndefined();
    expect(cpu.mode).toBe(32);
    expect(cpu.returnTo(ldt(3), ldt(1))).toBeUndefined();
    expect(cpu.mode).toBe(16);
  });
  it("are part of a saved context", () => {
    const { cpu } = machine();
    const own = cpu.saveContext();
    cpu.returnTo(0x23, ldt(1));
    cpu.loadSegment(ES, ldt(0));
    const other = cpu.saveContext();
    cpu.loadContext(own);
    expect([cpu.mode, cpu.registers.selector(SS)]).toEqual([64, 0x2b]);
    cpu.loadContext(other);
    expect([cpu.mode, cpu.registers.selector(SS), cpu.registers.selector(ES)]).toEqual([32, ldt(1), ldt(0)]);
    // Of a machine that knew no segments.
    cpu.loadContext(own.slice(0, 984));
    expect([cpu.mode, cpu.registers.selector(SS)]).toEqual([64, 0x2b]);
  });
  it("keep a limit in bytes", () => {
    expect(descriptorOf([0x0000ffff, 0x00cff300]).limit).toBe(0xffffffff);
    expect(descriptorOf([0x30000fff, 0x0040f302])).toMatchObject({ base: 0x23000, limit: 0xfff });
    expect(new Segments(new BareMachine().memory).mode).toBe(64);
  });
});

describe("INT 0x80", () => {
  it("is #GP unless the kernel opens its gate", () => {
    const closed = machine();
    closed.load("nop");
    closed.poke(closed.cpu.registers.rip, Uint8Array.of(0xcd, 0x80));
    const { rip } = closed.cpu.registers;
    expect(closed.run()).toBe("exception");
    expect(closed.cpu.exit).toMatchObject({ vector: 13, errorCode: 0x402 });
    expect(closed.cpu.registers.rip).toBe(rip);
    closed.cpu.opensInt80 = true;
    expect(closed.run()).toBe("interrupt");
    expect(closed.cpu.exit.vector).toBe(0x80);
    expect(closed.cpu.registers.rip).toBe(rip + 2);
  });
});
