import type { Motion, Question } from "../session/motion.js";
import type { StopReport } from "../session/stop-report.js";
import type { Context } from "./context.js";

/** What a command comes to. Who drives the session carries out what moves, in slices if it wants. */
export type Outcome =
  | { readonly kind: "lines"; readonly lines: readonly string[] }
  /** `begin` and `advance` it; `finish` says what comes then. */
  | { readonly kind: "motion"; readonly motion: Motion; readonly finish: (report: StopReport) => Outcome }
  /** `ask` and `advance`; then `finish` reads the session's answer. */
  | { readonly kind: "question"; readonly question: Question; readonly finish: () => Outcome }
  /** Commands from a file of the host. */
  | { readonly kind: "source"; readonly path: string }
  | { readonly kind: "quit" };

export interface Call {
  readonly context: Context;
  /** What stands behind the verb, without blanks around it. */
  readonly argument: string;
  /** The argument at its blanks. */
  readonly words: readonly string[];
  /** `4xg` of `x/4xg`; empty without a slash. */
  readonly format: string;
}

export interface Verb {
  readonly name: string;
  /** Other names and abbreviations; each unique beginning of `name` is understood too. */
  readonly aliases?: readonly string[];
  readonly group: Group;
  /** What comes behind the name, as `[N]`. */
  readonly usage?: string;
  /** One line. */
  readonly help: string;
  /** What `help VERB` adds, in lines. */
  readonly more?: readonly string[];
  /** An empty line on a terminal does it again. */
  readonly repeats?: boolean;
  /** @throws CommandError */
  readonly run: (call: Call) => Outcome;
}

export const GROUPS = {
  moving: "moving",
  past: "the past",
  stops: "stops",
  looking: "looking",
  changing: "changing",
  other: "other",
} as const;

export type Group = keyof typeof GROUPS;

export function lines(...text: readonly string[]): Outcome {
  return { kind: "lines", lines: text };
}
