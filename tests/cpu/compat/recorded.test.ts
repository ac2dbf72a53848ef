import { describe, expect, it } from "vitest";
import { describeCase, difference } from "./compare.js";
import { ANSWER_BYTES, decodeAnswer } from "./layout.js";
import { CompatMachine } from "./machine.js";
import { readAnswers, recordedCases } from "./record.js";

/** The reference evaluator is slow. */
const REFERENCE_STRIDE = 16;

describe("random 32- and 16-bit instructions", () => {
  const cases = recordedCases();
  const answers = readAnswers(cases);
  it.each([
    ["interpreter", false, 1],
    ["reference evaluator", true, REFERENCE_STRIDE],
  ])("%s: as on a real CPU", (_, reference, stride) => {
    const machine = new CompatMachine({ reference });
    const told: string[] = [];
    for (let i = 0; i < cases.length; i += stride) {
      const c = cases[i]!;
      const found = difference(c, decodeAnswer(answers, i * ANSWER_BYTES), machine.run(c));
      if (found !== null) told.push(`${describeCase(c)}\n  ${found}`);
    }
    expect(told).toEqual([]);
  });
});
