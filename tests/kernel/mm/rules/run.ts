import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { BufferHost } from "../../../../debug/buffer-host.js";
import { Machine } from "../../../../debug/machine.js";
import { RELEASE_NAMES } from "../../../../kernel/release.js";
import { checkEachCall } from "../check-each-call.js";
import { DIFFERENCES } from "./differences.js";

export const PROGRAMS = ["seals", "discards", "keys", "maps"] as const;
export type ProgramName = (typeof PROGRAMS)[number];

/** Areas that the programs fill up to: fewer than Linux's 65530, which they take as long as it is. */
const MAX_AREAS: Readonly<Record<ProgramName, number>> = { seals: 60, discards: 3000, keys: 60, maps: 60 };

/** Releases that are checked after every call: between them all that the others do differently is run. */
const CHECKED: ReadonlySet<string> = new Set(["6.10", "6.18"]);

export const recordedFile = (name: string): URL =>
  new URL(`../../../recorded/mm/rules/${name}`, import.meta.url);

/** A case's name, `U-1 whole, part, around, with a hole`, and what was printed for it. */
export type Cases = ReadonlyMap<string, string>;

export function readCases(text: string): Cases {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      // What is printed has no colon; a name may.
      const colon = line.lastIndexOf(": ");
      return [line.slice(0, colon), line.slice(colon + 2).trim()];
    }),
  );
}

/** What a kernel answered: its version is in the file's first line. */
export function recordedCases(program: ProgramName | "overcommit", release: string): Cases {
  return readCases(readFileSync(recordedFile(`${program}-${release}.txt`), "latin1"));
}

/** What a release answers: recorded, or as differences.ts has it. */
function expectedCases(program: ProgramName, release: string): Cases {
  const difference = DIFFERENCES[release];
  if (difference === undefined) return recordedCases(program, release);
  const older = recordedCases(program, "6.12");
  const newer = recordedCases(program, "6.18");
  const cases = new Map(difference.base === "6.12" ? older : newer);
  for (const name of cases.keys()) {
    const answer = difference.answers[name];
    if (answer === undefined) continue;
    cases.set(name, typeof answer === "string" ? answer : answer(older.get(name)!, newer.get(name)!));
  }
  return cases;
}

function ourCases(program: ProgramName, release: string): { cases: Cases; problems: string[] } {
  const host = new BufferHost();
  const machine = Machine.create({ host, kernel: release, memoryBytes: 16 << 20 });
  machine.load(readFileSync(recordedFile(`${program}.elf`)), { argv: [`./${program}`] });
  machine.kernel.mmSettings.maxMapCount = MAX_AREAS[program];
  const problems = CHECKED.has(release) ? checkEachCall(machine) : [];
  const end = machine.run(500_000_000);
  if (end.reason !== "exited") problems.push(`the program ends: ${end.reason}`);
  return { cases: readCases(host.text(1)), problems };
}

/** One test a case and release, named by the rule's number. */
export function testProgram(program: ProgramName): void {
  describe.each(RELEASE_NAMES)(`Linux %s`, (release) => {
    const { cases, problems } = ourCases(program, release);
    for (const [name, answer] of expectedCases(program, release))
      it(name, () => expect(cases.get(name)).toBe(answer));
    it("ends, and areas, page tables and frames agree after each call", () => expect(problems).toEqual([]));
  });
}

/** Every case of every program. */
export function allCases(): string[] {
  return PROGRAMS.flatMap((program) => [...recordedCases(program, "6.18").keys()]);
}
