import type { Kernel } from "../../kernel/kernel.js";
import { describeEntry } from "./describe-entry.js";
import { ACT, ANSWER, CHECK, FAILED, IDLE, TAKE, type EntryKind, type InputLog } from "./input-log.js";
import { ReplayDiffers } from "./replay-differs.js";
import type { Value } from "./value.js";

/**
 * A place in a log of what comes from outside and what is done there. At the log's end the outside is asked, and what it
 * says is noted; before that end it says what it said then. Everything is noted with the instruction at which it happened.
 */
export class LogCursor {
  /** Whose instructions count; null before there is one. */
  kernel: Kernel | null = null;
  /** The next entry. */
  private index = 0;
  /** Output of the entries before this one has been seen outside. */
  private shown = 0;
  /** All tasks wait, and nothing has been noted since. */
  private waited = false;
  /** Somebody but the machine asks. */
  private looking = false;

  /** @param closed the log is all there is: whatever goes beyond its end differs */
  constructor(
    readonly log: InputLog,
    readonly closed: boolean,
  ) {}

  /** Index of the entry that comes next. */
  get position(): number {
    return this.index;
  }

  set position(position: number) {
    this.index = position;
    this.waited = false;
  }

  /** True while answers come from the log. */
  get replaying(): boolean {
    return this.index < this.log.length;
  }

  /** Forgets what came after the position: the run takes another course from here. */
  truncate(): void {
    this.log.truncate(this.index);
    this.shown = Math.min(this.shown, this.index);
  }

  /** Instructions retired. */
  get now(): number {
    return this.kernel === null ? 0 : this.kernel.cpu.instructions;
  }

  /**
   * A question that may be asked again.
   * @param absent the answer for a debugger, where neither the record nor a host has one
   * @throws ReplayDiffers where the record was not asked that
   */
  ask<T extends Value>(question: string, live: () => T, absent?: T): T {
    const { log } = this;
    const known = log.answerBefore(question, this.index);
    if (!this.replaying && !this.closed && !this.looking) {
      const answer = live();
      if (known < 0 || !log.holds(known, answer)) this.note(ANSWER, question, answer);
      return answer;
    }
    if (!this.looking && this.isNext(ANSWER, question)) return this.consume() as T;
    if (known >= 0) return log.value(known) as T;
    // A debugger has looked at it in the meantime, so that the machine needed not.
    if (!this.closed) return live();
    if (!this.looking) this.differs(`it asks: ${question}`);
    const later = log.answerFrom(question, this.index);
    if (later >= 0) return log.value(later) as T;
    if (absent === undefined) this.differs(`it asks: ${question}`);
    return absent;
  }

  /** Looks at the machine without a trace in the log: for debuggers, which read the guest's files. */
  aside<T>(look: () => T): T {
    const before = this.looking;
    this.looking = true;
    try {
      return look();
    } finally {
      this.looking = before;
    }
  }

  /** Something that is there once. @throws ReplayDiffers */
  take<T extends Value>(what: string, live: () => T): T {
    if (this.replaying) {
      if (!this.isNext(TAKE, what)) this.differs(`it takes: ${what}`);
      return this.consume() as T;
    }
    if (this.closed) this.differs(`it takes: ${what}`);
    const taken = live();
    this.note(TAKE, what, taken);
    return taken;
  }

  /**
   * Something done to the outside.
   * @param hash of all that is done
   * @param expected what comes of it as a rule
   * @param live does it
   * @param again does it in a replay of a file; where it is not seen outside unless told
   * @throws ReplayDiffers
   */
  act<T extends Value>(what: string, hash: number, expected: T, live: () => T, again?: () => void): T {
    const { log } = this;
    if (!this.replaying) {
      if (this.closed) this.differs(`it does: ${what}`);
      const result = live();
      this.noteIdle();
      log.appendHash(ACT, this.now, what, hash);
      if (result !== expected) log.append(FAILED, this.now, what, result);
      this.index = this.shown = log.length;
      return result;
    }
    if (!this.isNext(ACT, what)) this.differs(`it does: ${what}`);
    if (log.hash(this.index) !== hash) this.differs(`it does: ${what}, something else`);
    const unseen = this.index >= this.shown;
    this.index++;
    const failed = this.replaying && log.kind(this.index) === FAILED;
    const result = failed ? (this.consume() as T) : expected;
    if (unseen) {
      this.shown = this.index;
      if (!failed) again?.();
    }
    return result;
  }

  /** The value of the next entry, which is passed, if it is that and its time has come. */
  passes(kind: EntryKind, subject: string): Value | undefined {
    return this.isNext(kind, subject) ? this.consume() : undefined;
  }

  /** Appends an entry. */
  note(kind: EntryKind, subject: string, value: Value = null): void {
    this.noteIdle();
    this.log.append(kind, this.now, subject, value);
    this.index = this.shown = this.log.length;
  }

  /** The processor's state, to be compared when the log is replayed. */
  noteCheck(hash: number): void {
    this.log.appendHash(CHECK, this.now, "registers", hash);
    this.index = this.shown = this.log.length;
  }

  /** All tasks wait. */
  waiting(): void {
    this.waited = true;
  }

  /** All tasks waited, and the driver has something for them. */
  private noteIdle(): void {
    if (!this.waited) return;
    this.waited = false;
    this.log.append(IDLE, this.now, "idle");
  }

  /** Something has been noted, or all tasks waited, since the log had that length: an input is worth another look. */
  mayHaveChanged(since: number): boolean {
    return this.waited || this.log.length !== since;
  }

  private isNext(kind: EntryKind, subject: string): boolean {
    const { log, index } = this;
    return (
      index < log.length &&
      log.kind(index) === kind &&
      log.instruction(index) === this.now &&
      log.subject(index) === subject
    );
  }

  /** Passes the next entry. @returns its value; null for one that has a hash */
  consume(): Value {
    const { log, index } = this;
    this.index++;
    return log.kind(index) === CHECK || log.kind(index) === ACT ? null : log.value(index);
  }

  /** @throws ReplayDiffers that says what this run does and what the record has next */
  differs(thisRun: string): never {
    const { log, index } = this;
    const recorded = this.replaying ? describeEntry(log, index) : "nothing more";
    throw new ReplayDiffers(this.now, `${thisRun}; the record has ${recorded}`);
  }
}
