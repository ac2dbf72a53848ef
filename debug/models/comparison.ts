import { align } from "./align.js";
import type { ModelRun, Step } from "./run.js";

/** A step that the models do not agree on. */
export interface Parting {
  /** The step as the first run that has it shows it. */
  readonly text: string;
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

/** What a program writes is compared as its output; the end of a signal handler follows from the signal. */
const NOT_COMPARED: ReadonlySet<string> = new Set(["write", "writev", "exit", "exit_group", "rt_sigreturn"]);

/** Puts runs of one program side by side. */
export function compareRuns(program: string, runs: readonly ModelRun[]): Comparison {
  const sequences = runs.map(({ steps }) => steps.filter(({ call }) => !NOT_COMPARED.has(call ?? "")));
  const partings: Parting[] = [];
  const seen = new Map<string, number>();
  for (const steps of align(sequences)) {
    const shown = steps.find((step) => step !== null)!;
    const nth = (seen.get(shown.key) ?? 0) + 1;
    seen.set(shown.key, nth);
    if (new Set(steps.map((step) => step?.outcome)).size === 1) continue;
    const bySeal = steps.some((step) => step?.refusal?.sealing !== undefined && step.call !== "mseal");
    partings.push({ text: shown.text, call: shown.call, nth, steps, bySeal });
  }
  const output: OutputLine[] = [];
  const longest = Math.max(...runs.map((run) => run.output.length));
  for (let i = 0; i < longest; i++) {
    const lines = runs.map((run) => run.output[i] ?? null);
    if (new Set(lines).size > 1) output.push(lines);
  }
  const endsPart = new Set(runs.map((run) => run.end)).size > 1;
  return { program, runs, partings, output, endsPart };
}

/** What somebody who has taken control gains where a call is permitted that a seal refuses elsewhere. */
const GAINS: Readonly<Record<string, string>> = {
  munmap: "a hole, to be filled with memory of the attacker's own",
  mmap: "memory of the attacker's own in that place",
  mremap: "the memory is moved away, and its place is free",
  mprotect: "other rights on the memory",
  pkey_mprotect: "the guard is off: another key or other rights",
  madvise: "the content is gone: zeroes, or what the file has",
  msync: "the cached content is dropped",
  brk: "a hole in the heap",
};

export function gainOf({ call }: Parting): string | null {
  return call === null ? null : (GAINS[call] ?? null);
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
