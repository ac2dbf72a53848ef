import {
  ACT,
  ANSWER,
  CHECK,
  EVENT,
  FAILED,
  IDLE,
  READY,
  TAKE,
  type EntryKind,
  type InputLog,
} from "./input-log.js";

const PHRASES: Readonly<Record<EntryKind, (subject: string) => string>> = {
  [ANSWER]: (subject) => `the question: ${subject}`,
  [TAKE]: (subject) => `the taking of: ${subject}`,
  [ACT]: (subject) => `the act: ${subject}`,
  [READY]: (subject) => `something to come on: ${subject}`,
  [EVENT]: (subject) => `an event from outside: ${subject}`,
  [IDLE]: () => "every task waiting",
  [CHECK]: () => "a check of the registers",
  [FAILED]: (subject) => `a failure of the act: ${subject}`,
};

/** What a log has at an entry, and when. */
export function describeEntry(log: InputLog, index: number): string {
  return `${PHRASES[log.kind(index)](log.subject(index))}, at instruction ${log.instruction(index)}`;
}
