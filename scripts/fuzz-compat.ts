/**
 * Random 32- and 16-bit instructions on the processor of this machine (Linux with modify_ldt and 32-bit code, gcc) and
 * on the emulated one: bundle with esbuild and run with node.
 *
 *     node fuzz-compat.mjs [COUNT [SEED]]    20,000 cases unless told; prints where the two part, and then exits with 1
 *     node fuzz-compat.mjs --record          writes the answers that tests compare with, into tests/recorded/compat
 */
import { readFileSync } from "node:fs";
import { release } from "node:os";
import { describeCase, difference } from "../tests/cpu/compat/compare.js";
import { Generator } from "../tests/cpu/compat/generator.js";
import { runOnHost } from "../tests/cpu/compat/host-run.js";
import { ANSWER_BYTES, decodeAnswer } from "../tests/cpu/compat/layout.js";
import { CompatMachine } from "../tests/cpu/compat/machine.js";
import { recordedCases, writeAnswers } from "../tests/cpu/compat/record.js";

/** Differences that are printed. */
const MOST = 40;
/** Cases to one start of the host's program. */
const BATCH = 20_000;

function cpuName(): string {
  const text = readFileSync("/proc/cpuinfo", "utf8");
  const field = (name: string): string =>
    new RegExp(`^${name}\\s*: (.*)$`, "m").exec(text)?.[1]?.trim() ?? "?";
  return `${field("model name")}, family ${field("cpu family")} model ${field("model")} stepping ${field("stepping")}`;
}

function record(): void {
  const cases = recordedCases();
  const answers = runOnHost(cases);
  if (answers.length !== cases.length * ANSWER_BYTES) throw new Error("the host did not answer all cases");
  const kernel = /^\d+(\.\d+)*/.exec(release())?.[0] ?? release();
  writeAnswers(cases, answers, { cpu: cpuName(), kernel });
}

function search(count: number, seed: number): boolean {
  const generator = new Generator(seed);
  const machine = new CompatMachine();
  let differences = 0;
  for (let done = 0; done < count; done += BATCH) {
    const cases = Array.from({ length: Math.min(BATCH, count - done) }, () => generator.next());
    const answers = runOnHost(cases);
    cases.forEach((c, i) => {
      const at = i * ANSWER_BYTES;
      const told =
        at + ANSWER_BYTES > answers.length
          ? at < answers.length + ANSWER_BYTES
            ? "the host's program ends here"
            : null
          : difference(c, decodeAnswer(answers, at), machine.run(c));
      if (told !== null && ++differences <= MOST) console.log(`${describeCase(c)}\n  ${told}`);
    });
  }
  console.log(`${count} cases, seed ${seed}: ${differences} end otherwise`);
  return differences === 0;
}

if (process.argv[2] === "--record") record();
else {
  const same = search(Number(process.argv[2] ?? 20_000), Number(process.argv[3] ?? Date.now() % 2 ** 31));
  process.exitCode = same ? 0 : 1;
}
