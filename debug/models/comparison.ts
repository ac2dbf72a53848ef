import { align } from "./align.js";
import type { ModelRun, Step } from "./run.js";

/** A step that the models do not agree on. */
export interface Parting {
  /** The step as the first run that has it shows it. */
  readonly text: string;
  /** Where a program with a text of its own has it. */
  readonly place: string | null;
  readonly call: string | null;
  /** Which time the program does that, from 1, where it does so several times. */
  readonly nth: number;
  /** In the order of the runs; null where the program did not come there. */
  readonly steps: readonly (Step | null)[];
  /** A seal refused it somewhere. */
  readonly bySeal: boolean;
}

/** A line of standard output that is not the same everywhere, in the order of the runs. */
export type OutputLine = readonly (string | null)[];

/** One program under several models. */
export interface Comparison {
  readonly program: string;
  readonly runs: readonly ModelRun[];
  readonly partings: readonly Parting[];
  readonly output: readonly OutputLine[];
  /** They do not all end alike. */
  readonly endsPart: boolean;
}

/** The models make a difference to the program. */
export function parts({ partings, output, endsPart }: Comparison): boolean {
  return partings.length > 0 || output.length > 0 || endsPart;
}

/** How it ends is compared for itself; the end of a signal handler follows from the signal. */
const NOT_COMPARED: ReadonlySet<string> = new Set(["exit", "exit_group", "rt_sigreturn"]);

/** Puts runs of one program side by side. */
export function compareRuns(program: string, runs: readonly ModelRun[]): Comparison {
  const sequences = runs.map(({ steps }) => steps.filter(({ call }) => !NOT_COMPARED.has(call ?? "")));
  const partings: Parting[] = [];
  const places = new Set<string>();
  const seen = new Map<string, number>();
  for (const steps of align(sequences)) {
    const shown = steps.find((step) => step !== null)!;
    const nth = (seen.get(shown.key) ?? 0) + 1;
    seen.set(shown.key, nth);
    if (new Set(steps.map((step) => step?.outcome)).size === 1) continue;
    const bySeal = steps.some((step) => step?.refusal?.sealing !== undefined && step.call !== "mseal");
    const { text, call, place } = shown;
    if (place !== null) places.add(place);
    partings.push({ text, call, place, nth: place === null ? nth : 1, steps, bySeal });
  }
  const output: OutputLine[] = [];
  const longest = Math.max(...runs.map((run) => run.output.length));
  for (let i = 0; i < longest; i++) {
    const lines = runs.map((run) => run.output[i] ?? null);
    const shown = lines.some((line) => line !== null && places.has(line.slice(0, line.lastIndexOf(" -> "))));
    if (new Set(lines).size > 1 && !shown) output.push(lines);
  }
  const endsPart = new Set(runs.map((run) => run.end)).size > 1;
  return { program, runs, partings, output, endsPart };
}

/** Runs that gave one answer, together. @returns [answer, models] in the order of the runs */
export function grouped<T>(runs: readonly ModelRun[], answer: (i: number) => T): [T, string[]][] {
  const groups = new Map<T, string[]>();
  runs.forEach(({ model }, i) => {
    const given = answer(i);
    const group = groups.get(given);
    if (group === undefined) groups.set(given, [model]);
    else group.push(model);
  });
  return [...groups];
}

/** What a run answered at a parting: `EPERM by discard`, `ok`, `no such call`. */
export function answerText({ call, steps }: Parting, run: number): string {
  const step = steps[run] ?? null;
  if (step === null) return call === null ? "no fault" : "no such call";
  const { refusal } = step;
  return refusal?.sealing === undefined ? step.outcome : `${step.outcome} by ${refusal.sealing.rule}`;
}
