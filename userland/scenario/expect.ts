import { addressText, numberText, valueOf, type Answer, type Values } from "./answers.js";
import type { AreaPattern, Pattern } from "./pattern.js";
import type { AnswerKind, Expected, Step } from "./step.js";

/** How an answer stands to what was expected. */
export interface Verdict {
  readonly passed: boolean;
  /** What was expected, in words; for an answer that nobody recorded, null. */
  readonly expected: string | null;
}

/**
 * Compares an answer.
 * @param release of the kernel that answered or is played, as `releaseNumber` has it
 * @param recorded what real Linux answered; undefined where nobody asked it
 */
/** Answers that nothing can have refused. */
const SHOWN: ReadonlySet<AnswerKind["kind"]> = new Set(["maps", "smaps", "pages", "pool"]);

export function judge(
  step: Step,
  answer: Answer,
  values: Values,
  release: number,
  recorded: string | undefined,
): Verdict {
  const expected = expectedFor(step, release);
  if (expected === null) {
    if (recorded !== undefined) return { passed: answer.text === recorded, expected: recorded };
    // No arrow and no record: what has an answer of its own (maps) is only shown, the rest must succeed.
    if (SHOWN.has(step.answer.kind)) return { passed: true, expected: null };
    const ended = step.answer.kind === "block" && step.answer.exits && answer.text === "died";
    return { passed: ended || succeeded(answer), expected: "ok" };
  }
  if (expected.pattern.kind === "any") return { passed: true, expected: "any" };
  if (expected.pattern.kind === "recorded")
    return recorded === undefined
      ? { passed: false, expected: null }
      : { passed: answer.text === recorded, expected: recorded };
  return { passed: matches(expected.pattern, step, answer, values), expected: expected.text };
}

/** The alternative that a release has: the last one that begins at or before it. */
export function expectedFor(step: Step, release: number): Expected | null {
  return step.expected?.filter(({ from }) => from === null || from <= release).at(-1) ?? null;
}

function succeeded(answer: Answer): boolean {
  if (answer.value !== null) return true;
  return answer.fault === null && /^(exited 0|[01]( [01])*)$/.test(answer.text);
}

function matches(pattern: Pattern, step: Step, answer: Answer, values: Values): boolean {
  // `handled SIGUSR1` behind an answer is not what was asked.
  const text = answer.text.replace(/, handled .*$/, "");
  switch (pattern.kind) {
    case "ok":
      return answer.value !== null;
    case "elsewhere":
      return text === "elsewhere";
    case "errno":
      return text === pattern.name;
    case "words":
      return text === pattern.text;
    case "areas":
      return text === pattern.areas.map((area) => areaText(area, values)).join(", ");
    case "value": {
      const value = valueOf(pattern.value, values);
      if (value === null || answer.value === null) return false;
      if (value === answer.value) return true;
      return step.answer.kind === "address"
        ? addressText(step, value, values) === text && text !== "elsewhere"
        : numberText(value) === text;
    }
    case "fault": {
      const { fault } = answer;
      if (fault === null || fault.signal !== pattern.signal) return false;
      if (pattern.code !== null && fault.code !== pattern.code) return false;
      if (pattern.key !== null && fault.key !== valueOf(pattern.key, values)) return false;
      if (pattern.address !== null && fault.address !== valueOf(pattern.address, values)) return false;
      return pattern.error === null || fault.error === valueOf(pattern.error, values);
    }
    default:
      return true;
  }
}

function areaText({ kind, pages, attributes, key }: AreaPattern, values: Values): string {
  const number = key === null ? null : valueOf(key, values);
  const known = [...attributes];
  // Answers have the key behind `sealed`, before all else.
  const at = known.includes("sealed") ? 1 : 0;
  known.sort((a, b) => order(a) - order(b));
  if (number !== null && number !== 0n) known.splice(at, 0, `key=${number}`);
  return [kind, pages, ...known].join(" ");
}

const ORDER = [
  "sealed",
  "growsdown",
  "locked",
  "dontfork",
  "wipeonfork",
  "dontdump",
  "noreserve",
  "hugepage",
  "nohugepage",
  "mergeable",
  "sequential",
  "random",
  "guard",
];

const order = (word: string): number => (word.startsWith("[") ? ORDER.length : ORDER.indexOf(word));
