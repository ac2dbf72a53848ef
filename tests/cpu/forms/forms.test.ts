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
 * Whether the host's CPU is of the recorded one's maker and has what the forms need. What the manuals leave undefined
 * is masked, but makers differ in more: the last bits of a sine, where a jump to a non-canonical address faults.
 */
function hostCanJudge(): boolean {
  if (!hostRunsPrograms) return false;
  const cpuinfo = readFileSync("/proc/cpuinfo", "utf8");
  const flags = new Set(/^flags\s*:(.*)$/m.exec(cpuinfo)?.[1]?.split(" "));
  return /^vendor_id\s*: GenuineIntel$/m.test(cpuinfo) && NEEDED.every((flag) => flags.has(flag));
}

describe("instruction forms", () => {
  it("all have cases, generated or by hand", () => {
    const generated = new Set(
      [...GENERATED.flatMap((name) => generatedCodes(name)), ...x87Codes()].map((one) => one.code),
    );
    const byHand = handWrittenCodes();
    const all = announcedCodes();
    console.log(`forms: ${all.length} announced, ${generated.size} of them generated`);
    const without = all.filter(({ code }) => !generated.has(code) && !byHand.has(code));
    expect(without.map(({ name, byHand: kind }) => `${name} (${kind ?? "generated"})`)).toEqual([]);
  });

  it.each(groups)("$name: recorded by this very program", (group) => {
    const program = group.build();
    const { record, output } = readRecord(group.name, program);
    const { forms, shapes, cases, bytes } = count(program.printed);
    expect(output.length).toBe(bytes);
    console.log(
      `forms/${group.name}: ${forms || "hand-written"} forms, ${shapes} shapes, ${cases} cases recorded on ${record.cpu}`,
    );
  });

  it.skipIf(!hostCanJudge()).each(groups)("$name: this host answers as recorded", (group) => {
    const program = group.build();
    const run = runNative(program.elf);
    const { messages } = compare(program.printed, readRecord(group.name, program).output, run.stdout);
    expect(messages).toEqual([]);
  });
});
