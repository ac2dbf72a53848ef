import { ERRNO } from "../linux.js";
import { PAGE } from "./layout.js";
import { STACK_SLOT, type Expression, type Name } from "./names.js";
import type { RawAnswer, RawOutput } from "./output.js";
import { pagesText, PoolFigures } from "./pages.js";
import { areasText, readSmaps } from "./smaps.js";
import type { Step } from "./step.js";
import { FAULT_CODES, MORE_ERRNO, RIGHTS, SIGNALS } from "./words.js";

/** A fault that an access raised. */
export interface FaultAnswer {
  readonly signal: string;
  readonly code: string;
  readonly key: bigint;
  readonly address: bigint;
  readonly error: bigint;
}

/** What one step gave. */
export interface Answer {
  /** In words that are the same from run to run and from kernel to kernel, unless the kernels differ. */
  readonly text: string;
  /** Null where it was refused, faulted or gave no number. */
  readonly value: bigint | null;
  readonly fault: FaultAnswer | null;
}

/** Values of names at one time of the run, by slot. */
export type Values = ReadonlyMap<number, bigint>;

const NO_ANSWER: Answer = { text: "no answer", value: null, fault: null };

const SIGNAL_NAMES = new Map(Object.entries(SIGNALS).map(([name, number]) => [number, name]));
const RIGHTS_NAMES = new Map(Object.entries(RIGHTS).map(([name, number]) => [number, name]));

export const signalName = (number: number): string => SIGNAL_NAMES.get(number) ?? `signal ${number}`;

/**
 * Puts a run's output into words, and shows each answer to `visit` with the names' values as they were then.
 * @returns an answer a step, in the steps' order
 */
export function readAnswers(
  steps: readonly Step[],
  output: RawOutput,
  visit: (step: Step, answer: Answer, values: Values) => void = () => {},
): Answer[] {
  const values = new Map<number, bigint>([[STACK_SLOT, output.stack]]);
  const answers: (Answer | undefined)[] = steps.map(() => undefined);
  const asides = new Map<number, string[]>();
  const pool = new PoolFigures();
  for (const [i, { step: index, raw }] of output.answers.entries()) {
    const step = steps[index - 1];
    if (step === undefined) continue;
    if (raw.tag === "s") {
      asides.set(index, [...(asides.get(index) ?? []), signalName(Number(raw.numbers[0]))]);
      continue;
    }
    // Some answer twice: the call's result, and where it went well what the call was for.
    const next = output.answers[i + 1];
    const twice = raw.tag === "v" && next?.step === index && /[bv]/.test(next.raw.tag);
    const refused = raw.tag === "v" && errnoOf(raw.numbers[0]!) !== null;
    if (twice && !refused) continue;
    if (answers[index - 1] !== undefined) continue;
    if (raw.tag === "v" && step.target !== null) values.set(step.target.slot, raw.numbers[0]!);
    // The new program has a stack of its own.
    if (step.answer.kind === "exec" && errnoOf(raw.numbers[0]!) === null)
      values.set(STACK_SLOT, raw.numbers[0]!);
    const first = twice ? refusedAnswer(raw.numbers[0]!) : answerOf(step, raw, values, pool);
    const answer = withAsides(first, asides.get(index));
    answers[index - 1] = answer;
    visit(step, answer, values);
  }
  return steps.map((step, i) => {
    const answer = answers[i];
    if (answer !== undefined) return answer;
    // A block that was done says nothing; an exit ends the program that would answer.
    const silent = step.answer.kind === "block" ? { text: "ok", value: 0n, fault: null } : NO_ANSWER;
    visit(step, silent, values);
    return silent;
  });
}

function withAsides(answer: Answer, signals: readonly string[] | undefined): Answer {
  return signals === undefined ? answer : { ...answer, text: `${answer.text}, handled ${signals.join(" ")}` };
}

export function valueOf(expression: Expression, values: Values): bigint | null {
  if (expression.name === null) return BigInt.asUintN(64, expression.constant);
  const value = values.get(expression.name.slot);
  return value === undefined ? null : BigInt.asUintN(64, value + expression.constant);
}

function answerOf(step: Step, raw: RawAnswer, values: Values, pool: PoolFigures): Answer {
  const text = (words: string): Answer => ({ text: words, value: null, fault: null });
  const { answer } = step;
  switch (raw.tag) {
    case "f":
      return faultAnswer(step, raw, values);
    case "d":
      return text("died");
    case "x":
      return text(`${signalName(Number(raw.numbers[0]))} outside of a step`);
    case "w":
      return text(statusText(Number(raw.numbers[0])));
    case "b":
      if (answer.kind === "pages") return text(pagesText(raw.text));
      return text((raw.text.match(/../g) ?? []).map((byte) => parseInt(byte, 16) & 1).join(" "));
    case "m": {
      if (answer.kind === "pool") return text(pool.since(raw.text));
      if (answer.kind !== "maps" && answer.kind !== "smaps") return text("");
      const start = valueOf(answer.start, values);
      if (start === null) return text(`${answer.start.name!.name} has no value`);
      const areas = readSmaps(raw.text);
      if (answer.kind === "maps") return text(areasText(areas, start, answer.bytes));
      const area = areas.find((one) => one.start <= start && start < one.end);
      if (area === undefined) return text("hole");
      return text((area.fields.get(answer.field) ?? "no such field").replace(/ kB$/, ""));
    }
    default:
      return resultAnswer(step, raw.numbers[0]!, values);
  }
}

function resultAnswer(step: Step, value: bigint, values: Values): Answer {
  const { answer } = step;
  const of = (text: string): Answer => ({ text, value, fault: null });
  if (answer.kind === "loaded") return of(numberText(value));
  if (answer.kind === "pkru") return of(`0x${value.toString(16)}`);
  if (answer.kind === "rights") {
    const key = valueOf(answer.key, values);
    if (key === null || key > 15n) return of("no key");
    return of(RIGHTS_NAMES.get(Number((value >> (2n * key)) & 3n))!);
  }
  if (errnoOf(value) !== null) return refusedAnswer(value);
  if (answer.kind === "number") return of(numberText(value));
  if (answer.kind === "address") {
    const asked = answer.asked.name === null ? null : valueOf(answer.asked, values);
    return of(addressText(step, value, values, asked === value ? answer.asked.name : answer.near));
  }
  return of("ok");
}

/** The errno in a system call's result, or null. */
function errnoOf(result: bigint): number | null {
  const signed = BigInt.asIntN(64, result);
  return signed < 0n && signed >= -4095n ? Number(-signed) : null;
}

function refusedAnswer(result: bigint): Answer {
  return { text: errnoText(errnoOf(result)!), value: null, fault: null };
}

function errnoText(errno: number): string {
  return ERRNO[errno] ?? MORE_ERRNO[errno] ?? `errno ${errno}`;
}

export function numberText(value: bigint): string {
  return value < 256n ? String(value) : `0x${value.toString(16)}`;
}

/** Pages away from a name that an address is still told by it. */
const NEAR_PAGES = 1024n;

/** `p+1`, `q-2+0x10`, or `elsewhere`. */
export function addressText(step: Step, value: bigint, values: Values, near: Name | null = null): string {
  const page = BigInt(PAGE);
  const places: {
    readonly name: Name;
    readonly start: bigint;
    readonly before: bigint;
    readonly after: bigint;
  }[] = [];
  const add = (name: Name, before: bigint, after: bigint): void => {
    // What this very step named is no place to tell its address by.
    const start = values.get(name.slot);
    if (start !== undefined && name !== step.target) places.push({ name, start, before, after });
  };
  for (const [name, pages] of step.ranges) add(name, 0n, BigInt(pages));
  if (near !== null) add(near, NEAR_PAGES, NEAR_PAGES);
  const place = places.find(
    ({ start, before, after }) => value >= start - before * page && value < start + after * page,
  );
  if (place === undefined) return value < 0x10000n ? `0x${value.toString(16)}` : "elsewhere";
  const distance = value - place.start;
  const pages = distance >= 0n ? distance / page : -((-distance + page - 1n) / page);
  const bytes = distance - pages * page;
  const sign = pages < 0n ? "-" : "+";
  const inPages = pages === 0n ? "" : `${sign}${pages < 0n ? -pages : pages}`;
  return `${place.name.name}${inPages}${bytes === 0n ? "" : `+0x${bytes.toString(16)}`}`;
}

function faultAnswer(step: Step, raw: RawAnswer, values: Values): Answer {
  const [signo, code, key, address, error] = raw.numbers as [bigint, bigint, bigint, bigint, bigint];
  const signal = signalName(Number(signo));
  const codes = Object.entries(FAULT_CODES[signal] ?? {});
  const codeName = codes.find(([, number]) => number === Number(code))?.[0] ?? String(code);
  const words = [signal, codeName];
  if (codeName === "pkuerr") words.push(String(key));
  const accessed = step.access === null ? null : valueOf(step.access, values);
  if (accessed !== null && accessed !== address && codeName !== "kernel")
    words.push("at", addressText(step, address, values, step.access?.name ?? null));
  return { text: words.join(" "), value: null, fault: { signal, code: codeName, key, address, error } };
}

/** What wait4 gave, as `exited 3` or `killed SIGSEGV`. */
function statusText(status: number): string {
  const signal = status & 0x7f;
  return signal === 0 ? `exited ${(status >> 8) & 0xff}` : `killed ${signalName(signal)}`;
}
