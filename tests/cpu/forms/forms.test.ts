import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { hostRunsPrograms, runNative } from "../../userland/native.js";
import { announcedCodes } from "./codes.js";
import { generatedCodes, GENERATED } from "./generated.js";
import { handWrittenCodes } from "./by-hand/index.js";
import { compare, groups, readRecord } from "./index.js";
import { count } from "./layout.js";
import { x87Codes } from "./x87.js";

/** What x86-64-v2 with PKU adds to what every 64-bit CPU has, as /proc/cpuinfo names it. */
const NEEDED = [
  "cx16",
  "lahf_lm",
  "popcnt",
  "pni",
  "ssse3",
  "sse4_1",
  "sse4_2",
  "xsave",
  "fsgsbase",
  "ospke",
];

/**
 * Only another maker's CPU could differ lawfully, so the live comparison is made where the recorded CPU's maker is:
 * what is undefined is masked, but the last bits of transcendental results and approximations are each maker's own.
 */
function hostCanJudge(): boolean {
  if (!hostRunsPrograms) return false;
  const flags = new Set(/^flags\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1]?.split(" "));
  return NEEDED.every((flag) => flags.has(flag));
}

describe("instruction forms", () => {
  it("all have cases, generated or by hand", () => {
    const generated = new Set(
      [...GENERATED.flatMap((name) => generatedCodes(name)), ...x87Codes()].map((one) => one.code),
    );
    const byHand = handWrittenCodes();
    const without = announcedCodes().filter(({ code }) => !generated.has(code) && !byHand.has(code));
    expect(without.map(({ name, byHand: kind }) => `${name} (${kind ?? "generated"})`)).toEqual([]);
  });

  it.each(groups)("$name: recorded by this very program", (group) => {
    const program = group.build();
    const { record, output } = readRecord(group.name, program);
    const { shapes, cases, bytes } = count(program.printed);
    expect(output.length).toBe(bytes);
    console.log(`forms/${group.name}: ${shapes} shapes, ${cases} cases recorded on ${record.cpu}`);
  });

  it.skipIf(!hostCanJudge()).each(groups)("$name: this host answers as recorded", (group) => {
    const program = group.build();
    const run = runNative(program.elf);
    const { messages } = compare(program.printed, readRecord(group.name, program).output, run.stdout);
    expect(messages).toEqual([]);
  });
});
