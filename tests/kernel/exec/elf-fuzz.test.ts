import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sealingModel } from "../../../kernel/mm/sealing/models.js";
import { hello } from "../../../userland/samples/hello.js";
import { brokenProgram, ElfFuzzer } from "./elf-fuzzer.js";

describe("programs with broken headers", () => {
  it.each([
    ["", {}],
    [" with --seal-elf", { sealElf: "all" as const }],
    [" under OpenBSD's exec", { mm: { sealing: sealingModel("mimmutable") } }],
  ])("end in a refusal, a signal or an exit, and leave no frame behind%s", (_, options) => {
    const fuzzer = new ElfFuzzer(options);
    expect(fuzzer.run(hello.build())).toBe("exited");
    fc.assert(
      fc.property(brokenProgram, (program) => void fuzzer.run(program.bytes)),
      { numRuns: 3000, endOnFailure: true },
    );
    const kinds = [...fuzzer.outcomes.keys()];
    expect(kinds).toEqual(expect.arrayContaining(["refused", "signal", "exited"]));
  });
});
