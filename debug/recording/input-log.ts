import { ValueTable, type Value } from "./value.js";

/**
 * What an entry is:
 *
 * - `ANSWER`: what the host says to a question that may be asked again (a file's state, its bytes). Entered when it is
 *   asked first, and when the answer is another one; until then it holds.
 * - `TAKE`: what was taken from the host, once: bytes of input, random bytes, a time.
 * - `ACT`: what the machine did to the outside, as a hash of it: a write, a change to a file.
 * - `FAILED`: what came of the act before, where it is not what was to be expected.
 * - `READY`: an input had something from here on, until it was read.
 * - `EVENT`: an act of whoever drives the machine (kernel/outside.ts).
 * - `IDLE`: every task waited, and the driver with them.
 * - `CHECK`: a hash of the processor's state, with which a replay finds out where it differs.
 *
 * An entry has a value; that of ACT and CHECK is the hash itself.
 */
export const ANSWER = 0;
export const TAKE = 1;
export const ACT = 2;
export const READY = 3;
export const EVENT = 4;
export const IDLE = 5;
export const CHECK = 6;
export const FAILED = 7;

export type EntryKind =
  | typeof ANSWER
  | typeof TAKE
  | typeof ACT
  | typeof READY
  | typeof EVENT
  | typeof IDLE
  | typeof CHECK
  | typeof FAILED;

const FIRST_CAPACITY = 1024;

/**
 * All that a run took from outside, in its order. Kept in columns: a program that writes a million lines makes a
 * million entries.
 */
export class InputLog {
  /** Entries. */
  length = 0;
  readonly subjects: string[] = [];
  private readonly table = new ValueTable();
  private readonly subjectNumbers = new Map<string, number>();
  private at = new Float64Array(FIRST_CAPACITY);
  private kinds = new Uint8Array(FIRST_CAPACITY);
  private subjectOf = new Uint32Array(FIRST_CAPACITY);
  private valueOf = new Uint32Array(FIRST_CAPACITY);
  /** Of each subject with answers: its entries, ascending. */
  private readonly answers = new Map<number, number[]>();
  /** Entries of the kinds that come by themselves: READY, EVENT, CHECK. */
  private readonly arrivals: number[] = [];

  get values(): readonly Value[] {
    return this.table.values;
  }

  append(kind: EntryKind, at: number, subject: string, value: Value = null): void {
    this.appendNumbers(kind, at, this.subjectNumber(subject), this.table.intern(value));
  }

  /** An ACT or a CHECK. @param hash 32 bits, unsigned */
  appendHash(kind: typeof ACT | typeof CHECK, at: number, subject: string, hash: number): void {
    this.appendNumbers(kind, at, this.subjectNumber(subject), hash);
  }

  private appendNumbers(kind: EntryKind, at: number, subject: number, value: number): void {
    const index = this.length;
    if (index === this.at.length) this.grow();
    this.at[index] = at;
    this.kinds[index] = kind;
    this.subjectOf[index] = subject;
    this.valueOf[index] = value;
    this.length++;
    if (kind === ANSWER) {
      const list = this.answers.get(subject);
      if (list === undefined) this.answers.set(subject, [index]);
      else list.push(index);
    } else if (kind === READY || kind === EVENT || kind === CHECK) this.arrivals.push(index);
  }

  kind(index: number): EntryKind {
    return this.kinds[index] as EntryKind;
  }

  /** Instructions retired then. */
  instruction(index: number): number {
    return this.at[index]!;
  }

  /** What was asked or done. */
  subject(index: number): string {
    return this.subjects[this.subjectOf[index]!]!;
  }

  /** Not of ACT and CHECK. */
  value(index: number): Value {
    return this.table.values[this.valueOf[index]!]!;
  }

  /** Of ACT and CHECK. */
  hash(index: number): number {
    return this.valueOf[index]!;
  }

  /** True if the entry's value is this one. */
  holds(index: number, value: Value): boolean {
    return this.table.intern(value) === this.valueOf[index]!;
  }

  /** The entry that holds the answer to a question, for who stands before entry `position`; -1: not asked yet. */
  answerBefore(subject: string, position: number): number {
    const list = this.answersOf(subject);
    const after = firstNotBelow(list, position);
    return after === 0 ? -1 : list[after - 1]!;
  }

  /** The first answer to a question from `position` on; -1: none. */
  answerFrom(subject: string, position: number): number {
    const list = this.answersOf(subject);
    return list[firstNotBelow(list, position)] ?? -1;
  }

  /** The next entry from `position` on that comes by itself; -1: none. */
  arrivalFrom(position: number): number {
    return this.arrivals[firstNotBelow(this.arrivals, position)] ?? -1;
  }

  /** True if the last word on an input before `position` is that it has something. */
  inputIsReady(subject: string, position: number): boolean {
    for (let index = position - 1; index >= 0; index--) {
      const kind = this.kinds[index];
      if ((kind === READY || kind === TAKE) && this.subject(index) === subject) return kind === READY;
    }
    return false;
  }

  /** Forgets the entries from `length` on. */
  truncate(length: number): void {
    if (length >= this.length) return;
    for (const list of [...this.answers.values(), this.arrivals]) list.length = firstNotBelow(list, length);
    this.length = length;
  }

  private answersOf(subject: string): readonly number[] {
    const number = this.subjectNumbers.get(subject);
    return (number === undefined ? undefined : this.answers.get(number)) ?? NONE;
  }

  private subjectNumber(subject: string): number {
    const known = this.subjectNumbers.get(subject);
    if (known !== undefined) return known;
    this.subjectNumbers.set(subject, this.subjects.length);
    return this.subjects.push(subject) - 1;
  }

  private grow(): void {
    const capacity = this.at.length * 2;
    const copy = <T extends Float64Array | Uint8Array | Uint32Array>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    this.at = copy(new Float64Array(capacity), this.at);
    this.kinds = copy(new Uint8Array(capacity), this.kinds);
    this.subjectOf = copy(new Uint32Array(capacity), this.subjectOf);
    this.valueOf = copy(new Uint32Array(capacity), this.valueOf);
  }
}

const NONE: readonly number[] = [];

/** Where in an ascending list the first number is that is not below `least`; its length, if there is none. */
function firstNotBelow(list: readonly number[], least: number): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (list[middle]! < least) low = middle + 1;
    else high = middle;
  }
  return low;
}
