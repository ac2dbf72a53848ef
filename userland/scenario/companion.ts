import type { Step } from "./step.js";
import { releaseNumber } from "./syntax.js";

/** What one kernel answered. */
export interface Recorded {
  /** `uname -r`. */
  readonly kernel: string;
  /** `STATEMENT -> ANSWER` a step. */
  readonly answers: readonly string[];
}

/** A scenario's companion (NAME.answers.json): what real kernels answered. */
export interface Companion {
  readonly recorded: readonly Recorded[];
}

/** @throws Error with a message for whoever wrote the file */
export function readCompanion(text: string): Companion {
  const data: unknown = JSON.parse(text);
  const recorded = (data as { recorded?: unknown } | null)?.recorded;
  const fits =
    Array.isArray(recorded) &&
    recorded.every((one: unknown) => {
      const { kernel, answers } = (one ?? {}) as { kernel?: unknown; answers?: unknown };
      return (
        typeof kernel === "string" && Array.isArray(answers) && answers.every((a) => typeof a === "string")
      );
    });
  if (!fits)
    throw new Error('expected {"recorded": [{"kernel": "6.18.44", "answers": ["STATEMENT -> ANSWER"]}]}');
  return data as Companion;
}

/** The companion with one kernel's answers put in the place of those that its release had. */
export function withRecord(companion: Companion | null, record: Recorded): Companion {
  const release = releaseNumber(record.kernel);
  const others = companion?.recorded.filter(({ kernel }) => releaseNumber(kernel) !== release) ?? [];
  return {
    recorded: [...others, record].sort((a, b) => releaseNumber(a.kernel) - releaseNumber(b.kernel)),
  };
}

/**
 * The answers that hold for a release: those of the newest kernel that is not newer, or else of the oldest. Null where
 * there are none, or where they are of another text than the steps have now.
 */
export function recordFor(
  companion: Companion | null,
  release: number,
  steps: readonly Step[],
): { readonly kernel: string; readonly answers: readonly string[] } | "outdated" | null {
  const records = companion?.recorded ?? [];
  const record = records.filter(({ kernel }) => releaseNumber(kernel) <= release).at(-1) ?? records[0];
  if (record === undefined) return null;
  const answers: string[] = [];
  if (record.answers.length !== steps.length) return "outdated";
  for (const [i, step] of steps.entries()) {
    const prefix = `${step.text} -> `;
    const line = record.answers[i]!;
    if (!line.startsWith(prefix)) return "outdated";
    answers.push(line.slice(prefix.length));
  }
  return { kernel: record.kernel, answers };
}

export function answerLine(step: Step, answer: string): string {
  return `${step.text} -> ${answer}`;
}
