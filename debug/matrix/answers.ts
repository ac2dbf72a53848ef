import type { State } from "./dimensions.js";
import type { Operation } from "./operation.js";
import type { Topic } from "./topics/topic.js";

export interface Fault {
  readonly signal: number;
  readonly code: number;
  readonly key: number;
  readonly error: number;
}

/** What became of one operation on memory in one state. */
export interface Answer {
  /** -errno or what was returned; `base`, `place` (the fixed place further up) and `elsewhere` for addresses. */
  readonly result: number | "base" | "place" | "elsewhere";
  readonly fault: Fault | null;
  /** A letter for each of the topic's windows: `D` written, `F` file, `0` zero, `-` not mapped, `?` not readable. */
  readonly contents: string;
  /** How a read, a write and a fetch end: `.` well, `M`APERR, `A`CCERR, p`K`UERR, `B`us error. Empty when not asked. */
  readonly probes: string;
}

/** Answers in the order of the program's lines: for each state, all operations. */
export interface Matrix {
  readonly topic: Topic;
  readonly states: readonly State[];
  readonly operations: readonly Operation[];
  readonly answers: readonly Answer[];
}

const ADDRESSES = { "=": "base", ">": "place", "*": "elsewhere" } as const;
const LINE = /^(-?\d+|[=>*]) (?:-|(\d+):(\d+):(\d+):(\d+)) (\S+) (\S+)$/;

/** One of the program's lines. @throws Error for what is none */
function parseAnswer(line: string): Answer {
  const match = LINE.exec(line);
  if (match === null) throw new Error(`no answer: ${line.slice(0, 60)}`);
  const [, result, signal, code, key, error, contents, probes] = match as unknown as string[];
  return {
    result: result! in ADDRESSES ? ADDRESSES[result as keyof typeof ADDRESSES] : Number(result),
    fault:
      signal === undefined
        ? null
        : {
            signal: Number(signal),
            code: Number(code),
            key: code === "4" ? Number(key) : 0,
            error: Number(error),
          },
    contents: contents === "-" ? "" : contents!,
    probes: probes === "-" ? "" : probes!,
  };
}

/** The program's whole output. @throws Error when it is not one line a cell */
export function parseAnswers(
  topic: Topic,
  states: readonly State[],
  operations: readonly Operation[],
  text: string,
): Matrix {
  const lines = text.trimEnd().split("\n");
  const expected = states.length * operations.length;
  if (lines.length !== expected) {
    const last = lines.length < 3 ? `: ${lines.join(" ").slice(0, 80)}` : "";
    throw new Error(`${String(lines.length)} lines where there are ${String(expected)} cells${last}`);
  }
  return { topic, states, operations, answers: lines.map(parseAnswer) };
}

export function answerAt(matrix: Matrix, state: number, operation: number): Answer {
  return matrix.answers[state * matrix.operations.length + operation]!;
}
