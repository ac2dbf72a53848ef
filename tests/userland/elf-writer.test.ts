import { describe, expect, it } from "vitest";
import { Assembler, writeElf } from "../../userland/index.js";

interface Header {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
}

const LOAD = 1;
const GNU_STACK = 0x6474e551;

function parse(elf: Uint8Array): { view: DataView; headers: Header[] } {
  const view = new DataView(elf.buffer, elf.byteOffset, elf.length);
  const at = Number(view.getBigUint64(32, true));
  const headers = Array.from({ length: view.getUint16(56, true) }, (_, i) => {
    const start = at + i * 56;
    const field = (offset: number): number => Number(view.getBigUint64(start + offset, true));
    return {
      type: view.getUint32(start, true),
      flags: view.getUint32(start + 4, true),
      offset: field(8),
      address: field(16),
      fileSize: field(32),
      memorySize: field(40),
    };
  });
  return { view, headers };
}

function image(): ReturnType<Assembler["link"]> {
  const asm = new Assembler().code("_start: nop\n ret\n helper: ret");
  asm.section(".rodata").label("text").string("text");
  asm.section(".data").label("number").u64(1).reserve(5000);
  asm.section(".bss").label("zeroes").reserve(20_000);
  asm.section("jit", { write: true, execute: true }).label("heap").reserve(4096);
  return asm.link();
}

describe("writeElf", () => {
  it("gives each segment its own protection, on pages of its own, the file congruent to memory", () => {
    const { view, headers } = parse(writeElf(image()));
    expect(view.getUint32(0)).toBe(0x7f454c46);
    expect([view.getUint8(4), view.getUint8(5), view.getUint16(16, true), view.getUint16(18, true)]).toEqual([
      2, 1, 2, 62,
    ]);
    expect(Number(view.getBigUint64(24, true))).toBe(0x402000);
    const loads = headers.filter((header) => header.type === LOAD);
    expect(loads.map((load) => [load.address, load.fileSize, load.memorySize, load.flags])).toEqual([
      [0x400000, 64 + 7 * 56, 64 + 7 * 56, 4],
      [0x401000, 4, 4, 4],
      [0x402000, 3, 3, 5],
      [0x403000, 8, 5008, 6],
      [0x405000, 0, 20_000, 6],
      [0x40a000, 0, 4096, 7],
    ]);
    for (const load of loads) expect(load.offset % 4096).toBe(load.address % 4096);
    expect(headers.filter((header) => header.type === GNU_STACK).map((header) => header.flags)).toEqual([6]);
  });

  it("writes an executable stack, ET_DYN, and no symbols where asked", () => {
    const { view, headers } = parse(
      writeElf(image(), { type: "static-pie", executableStack: true, symbols: false }),
    );
    expect(view.getUint16(16, true)).toBe(3);
    expect(headers.at(-1)!.flags).toBe(7);
    expect(view.getUint16(60, true)).toBe(0);
  });

  it("names symbols, each in its section", () => {
    const elf = writeElf(image());
    const { view } = parse(elf);
    const sectionsAt = Number(view.getBigUint64(40, true));
    const sections = Array.from({ length: view.getUint16(60, true) }, (_, i) => {
      const start = sectionsAt + i * 64;
      const field = (offset: number): number => Number(view.getBigUint64(start + offset, true));
      return { name: view.getUint32(start, true), offset: field(24), size: field(32) };
    });
    const string = (at: number): string => {
      let end = at;
      while (elf[end] !== 0) end++;
      return new TextDecoder().decode(elf.subarray(at, end));
    };
    const names = sections.map((section) => string(sections.at(-1)!.offset + section.name));
    expect(names.slice(1)).toEqual([
      ".rodata",
      ".text",
      ".data",
      ".bss",
      "jit",
      ".symtab",
      ".strtab",
      ".shstrtab",
    ]);
    const table = sections.at(-3)!;
    const symbols = Array.from({ length: table.size / 24 - 1 }, (_, i) => {
      const start = table.offset + (i + 1) * 24;
      const name = string(sections.at(-2)!.offset + view.getUint32(start, true));
      const value = Number(view.getBigUint64(start + 8, true));
      return `${name} ${value.toString(16)} ${names[view.getUint16(start + 6, true)]!}`;
    });
    expect(symbols).toEqual([
      "text 401000 .rodata",
      "_start 402000 .text",
      "helper 402002 .text",
      "number 403000 .data",
      "zeroes 405000 .bss",
      "heap 40a000 jit",
    ]);
  });

  it("refuses where there is no page for the headers", () => {
    const { segments, symbols } = image();
    const low = segments.map((segment) => ({ ...segment, address: segment.address - 0x401000 }));
    expect(() => writeElf({ segments: low, symbols, entry: 0 })).toThrow(RangeError);
  });
});
