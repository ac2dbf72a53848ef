import { refusalLines } from "../debug/explain/refusal-text.js";
import type { Style } from "../debug/explain/style.js";
import {
  judge,
  readAnswers,
  readOutput,
  recordFor,
  releaseNumber,
  type Need,
  type Step,
} from "../userland/scenario/index.js";
import type { ScenarioFile } from "./check-files.js";
import type { ScenarioRun } from "./check-targets.js";

export interface StepResult {
  readonly step: Step;
  readonly got: string;
  /** Null where nobody recorded an answer and the scenario names none. */
  readonly expected: string | null;
  readonly passed: boolean;
  /** Why sealab's kernel said so: lines. */
  readonly why: readonly string[];
}

export interface ScenarioResult {
  readonly path: string;
  /** `uname -r` of who answered. */
  readonly kernel: string;
  readonly outcome: "passed" | "differs" | "skipped";
  /** Why it was skipped, or what is wrong with the whole. */
  readonly note: string | null;
  /** Which kernel's recorded answers were compared with. */
  readonly record: string | null;
  readonly steps: readonly StepResult[];
}

/** Compares a run with what its scenario and its companion expect. */
export function resultOf(
  file: ScenarioFile,
  run: ScenarioRun,
  style: Style,
  columns: number,
): ScenarioResult {
  const output = readOutput(run.output);
  const release = releaseNumber(output.release);
  const base = { path: file.path, kernel: output.release };
  if (output.release === "")
    return {
      ...base,
      outcome: "differs",
      note: run.trouble ?? "it printed nothing",
      record: null,
      steps: [],
    };
  const lacking = file.scenario.needs.filter((need) => !has(need, release, output, run));
  if (lacking.length > 0) {
    const note = `needs ${lacking.map(needText).join(", ")}`;
    return { ...base, outcome: "skipped", note, record: null, steps: [] };
  }
  const record = recordFor(file.companion, release, file.scenario.steps);
  const recorded = record === null || record === "outdated" ? null : record;
  const steps: StepResult[] = [];
  readAnswers(file.scenario.steps, output, (step, answer, values) => {
    const { passed, expected } = judge(step, answer, values, release, recorded?.answers[step.index - 1]);
    const refusal = run.reasons.get(step.index);
    const why =
      refusal === undefined || /^(ok|\d)/.test(answer.text)
        ? []
        : refusalLines(refusal, { style, columns: columns - 16, outcome: answer.text });
    steps.push({ step, got: answer.text, expected, passed, why });
  });
  const note =
    record === "outdated" ? "its recorded answers are of another text: --record them again" : run.trouble;
  const passed = steps.every((step) => step.passed) && run.trouble === null;
  return { ...base, outcome: passed ? "passed" : "differs", note, record: recorded?.kernel ?? null, steps };
}

function has(
  need: Need,
  release: number,
  { hasKeys, hasMseal }: { hasKeys: boolean; hasMseal: boolean },
  { hugePages = Infinity }: ScenarioRun,
): boolean {
  if (need.kind === "hugepages") return hugePages >= need.count;
  if (need.kind === "keys") return hasKeys;
  if (need.kind === "mseal") return hasMseal;
  return need.relation === ">=" ? release >= need.release : release < need.release;
}

function needText(need: Need): string {
  if (need.kind === "keys") return "protection keys";
  if (need.kind === "mseal") return "mseal";
  if (need.kind === "hugepages") return `${need.count} free huge pages`;
  return `kernel ${need.relation} ${Math.floor(need.release / 1000)}.${need.release % 1000}`;
}
