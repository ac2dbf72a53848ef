import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { ByteReader } from "../../../debug/dwarf/byte-reader.js";
import { CallFrames } from "../../../debug/dwarf/call-frames.js";
import { Variables } from "../../../debug/dwarf/variables.js";
import { ElfFile } from "../../../debug/dwarf/elf-file.js";
import { ElfSymbols } from "../../../debug/dwarf/elf-symbols.js";
import { readLineUnit } from "../../../debug/dwarf/line-program.js";
import { LineTable } from "../../../debug/dwarf/line-table.js";
import { nearNames } from "../../../debug/dwarf/near-names.js";

/** What binutils read in the same files: objdump --dwarf=decodedline, nm. */
const COMMANDS = join(import.meta.dirname, "..", "commands");
const KEEPER = join(COMMANDS, "keeper.elf");
const SOURCE = join(COMMANDS, "keeper.c");
const RECORDED = join(import.meta.dirname, "keeper.lines");

const work = mkdtempSync(join(tmpdir(), "sealab-dwarf-"));
afterAll(() => rmSync(work, { recursive: true, force: true }));

function run(command: string, ...args: string[]): string | undefined {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return undefined;
  }
}

const tools = process.platform === "linux" && run("gcc", "--version") && run("objdump", "--version");
if (!tools) console.log("skipped: DWARF as gcc writes and objdump reads it now: one of them is not there");

/** `LINE ADDRESS x`, x for a statement, `-` for a sequence's end, of each row. */
function rowsOf(elf: ElfFile): string[] {
  const texts = { strings: elf.content(".debug_str"), lineStrings: elf.content(".debug_line_str") };
  const reader = new ByteReader(elf.content(".debug_line") ?? new Uint8Array());
  const rows: string[] = [];
  while (!reader.done)
    for (const { line, address, statement, last } of readLineUnit(reader, texts, "")!.rows)
      rows.push(`${last ? "-" : line} 0x${address.toString(16)}${statement ? " x" : ""}`);
  return rows;
}

/** The same of what objdump printed. */
function rowsIn(text: string): string[] {
  return text.split("\n").flatMap((line) => {
    const match = /^\S+\s+(\d+|-)\s+(0x[0-9a-f]+|0)(?:\s+\d+)?(\s+x)?\s*$/.exec(line);
    return match === null ? [] : [`${match[1]} 0x${Number(match[2]).toString(16)}${match[3] ? " x" : ""}`];
  });
}

const elfOf = (path: string): ElfFile => new ElfFile(readFileSync(path), (bytes) => inflateSync(bytes));

describe("source lines", () => {
  it("of a file that gcc made are those that objdump reads", () => {
    const rows = rowsOf(elfOf(KEEPER));
    expect(rows.length).toBeGreaterThan(50);
    // Whether a sequence's end is a statement says nothing; objdump prints it all the same.
    const plain = (all: string[]): string[] => all.map((row) => row.replace(/^(- \S+) x$/, "$1"));
    expect(plain(rows)).toEqual(plain(rowsIn(readFileSync(RECORDED, "utf8"))));
  });

  const versions = [2, 3, 4, 5].flatMap((version) =>
    ["-O0", "-O2", "-O2 -gz"].map((how) => `-gdwarf-${version} ${how}`),
  );
  it.skipIf(!tools).each(versions)("with %s are those that objdump reads", (how) => {
    const path = join(work, `keeper${how.replaceAll(" ", "")}`);
    run("gcc", "-g", ...how.split(" "), "-w", "-nostdlib", "-static", SOURCE, "-o", path);
    const plain = (all: string[]): string[] => all.map((row) => row.replace(/^(- \S+) x$/, "$1"));
    const rows = plain(rowsOf(elfOf(path)));
    expect(rows.length).toBeGreaterThan(50);
    expect(rows).toEqual(plain(rowsIn(run("objdump", "--dwarf=decodedline", path)!)));
    expect([...new LineTable(elfOf(path)).files]).toContain(SOURCE);
  });

  it("are found by address and by line", () => {
    const elf = elfOf(KEEPER);
    const lines = new LineTable(elf);
    const symbols = new ElfSymbols(elf);
    const text = readFileSync(SOURCE, "utf8").split("\n");
    const lineOf = (code: string): number => text.findIndex((line) => line.includes(code)) + 1;
    const square = symbols.find("square")!;
    expect(lines.at(square.address)).toMatchObject({ file: "/keeper/keeper.c", line: lineOf("int square(") });
    expect(lines.matching("keeper.c")).toEqual(["/keeper/keeper.c"]);
    expect(lines.matching("eeper.c")).toEqual([]);
    // A line without code stands for the next one that has some.
    const comment = lines.find("/keeper/keeper.c", 1)!;
    expect(comment.line).toBe(lineOf("static long call("));
    expect(lines.find("/keeper/keeper.c", text.length)).toBeNull();
    // A for's line is entered from above and from below.
    expect(lines.find("/keeper/keeper.c", lineOf("for (int i = 1"))!.ranges.length).toBeGreaterThan(1);
  });

  it("that are damaged or compressed without a way to undo it are as good as none", () => {
    const whole = readFileSync(KEEPER);
    const { offset, size } = new ElfFile(whole).sections.find(({ name }) => name === ".debug_line")!;
    for (let at = offset; at < offset + size; at += 7) {
      const damaged = new Uint8Array(whole);
      damaged.fill(0xff, at, at + 5);
      expect(() => new LineTable(new ElfFile(damaged))).not.toThrow();
      const zeroes = new Uint8Array(whole);
      zeroes.fill(0, at, offset + size);
      expect(() => new LineTable(new ElfFile(zeroes))).not.toThrow();
    }
    for (let length = 0; length < whole.length; length += 501) {
      const cut = new ElfFile(whole.subarray(0, length));
      expect(() => [new LineTable(cut), new ElfSymbols(cut)]).not.toThrow();
    }
  });
});

describe("variables and call frames", () => {
  it("that are damaged are as good as none", () => {
    const whole = readFileSync(KEEPER);
    const { sections } = new ElfFile(whole);
    for (const name of [".debug_info", ".debug_abbrev", ".eh_frame"]) {
      const { offset, size } = sections.find((section) => section.name === name)!;
      for (let at = offset; at < offset + size; at += 3) {
        for (const byte of [0, 0x7f, 0xff]) {
          const damaged = new Uint8Array(whole);
          damaged.fill(byte, at, at + 3);
          const elf = new ElfFile(damaged);
          const frames = new CallFrames(elf);
          const source = { register: () => 0x7fff_0000, word: () => 0x40_1000 };
          const main = 0x40_1200;
          expect(() => [new Variables(elf).at(main), frames.caller(main, source)]).not.toThrow();
        }
      }
    }
  });
});

describe("symbols", () => {
  it.skipIf(!tools)("are those that nm reads", () => {
    const symbols = new ElfSymbols(elfOf(KEEPER));
    const listed = run("nm", KEEPER)!.matchAll(/^([0-9a-f]+) [tTdDbBrR] (\S+)$/gm);
    let count = 0;
    for (const [, address, name] of listed) {
      expect(symbols.find(name!)?.address).toBe(parseInt(address!, 16));
      count++;
    }
    expect(count).toBeGreaterThan(10);
  });

  it("hold the addresses of their bytes", () => {
    const symbols = new ElfSymbols(elfOf(KEEPER));
    const { address, size } = symbols.find("square")!;
    expect(symbols.at(address + size - 1)?.name).toBe("square");
    expect(symbols.at(address + size)?.name).toBe("sum");
    expect(symbols.find("counter")).toMatchObject({ kind: "object", size: 4 });
  });

  it("that are misspelt have near ones", () => {
    const names = ["main", "square", "sum", "counter", "handle", "printf", "snprintf"];
    expect(nearNames("sqare", names)).toEqual(["square"]);
    expect(nearNames("Main", names)).toEqual(["main"]);
    expect(nearNames("prinft", names)[0]).toBe("printf");
    expect(nearNames("zzzzzz", names)).toEqual([]);
  });
});
