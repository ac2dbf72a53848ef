import type { Break, DebugSession } from "../session/debug-session.js";
import type { StopReport } from "../session/stop-report.js";
import { compareMoments, type Moment } from "../timeline/moment.js";
import { frameView } from "../views/frames.js";
import { View, type RegisterValues } from "../views/view.js";
import { CommandError } from "./command-error.js";
import { evaluate } from "./expression.js";
import { parseExpression } from "./parse-expression.js";
import { addressFrom } from "./location.js";
import { ViewScope } from "./scope.js";

/** What commands share: the session, what was shown last, where `list` and `x` go on. */
export class Context {
  /** Where `list` goes on. */
  listed: { readonly file: string; readonly next: number } | null = null;
  /** Where `x` goes on, and how. */
  examined: { readonly address: number; readonly format: string } | null = null;
  /** The moment that an answer told of: `goto` alone leads there. */
  found: Moment | null = null;
  /** Commands done at each stop (`display`). */
  readonly displays = new Map<number, string>();
  nextDisplay = 1;
  /** Registers at the stop before the last, for what has changed. */
  private before: RegisterValues | undefined;
  private atStop: RegisterValues | undefined;
  /** Function and file of the stop that was last told: a step within says less. */
  told: { readonly symbol: string; readonly file: string } | null = null;

  /** The caller that `up` and `frame` chose, for as long as the thread stands there. */
  private chosen: { readonly tid: number; readonly moment: Moment; readonly level: number } | null = null;

  constructor(readonly session: DebugSession) {}

  /** The thread as it stands. */
  thread(): View {
    return new View(this.session.machine, this.session.task);
  }

  /** The frame that was chosen: the thread as it stands, or as one of its callers sees it. */
  view(): View {
    const thread = this.thread();
    const level = this.frame;
    return level === 0 ? thread : (frameView(thread, level) ?? thread);
  }

  /** 0 is the innermost. */
  get frame(): number {
    const { chosen, session } = this;
    const here = chosen?.tid === session.task.tid && compareMoments(chosen.moment, session.now) === 0;
    return here ? chosen.level : 0;
  }

  set frame(level: number) {
    this.chosen = { tid: this.session.task.tid, moment: this.session.now, level };
    this.listed = null;
  }

  /** What expressions see. */
  scope(view = this.view()): ViewScope {
    return new ViewScope(view, this.session.last.happenings[0]);
  }

  /** A new stop: what registers are compared with. */
  stopped(view: View): void {
    this.before = this.atStop;
    this.atStop = this.ended ? undefined : view.registers;
  }

  get registersBefore(): RegisterValues | undefined {
    return this.frame === 0 ? this.before : undefined;
  }

  get ended(): boolean {
    return this.session.last.reason === "ended";
  }

  /** @throws CommandError */
  value(text: string): bigint {
    return evaluate(parseExpression(text), this.scope());
  }

  /** @throws CommandError */
  address(text: string): number {
    return addressFrom(text, this.scope());
  }

  /** A whole number from 1 on; `otherwise` where nothing is said. @throws CommandError */
  count(text: string, otherwise: number): number {
    if (text === "") return otherwise;
    const value = this.value(text);
    if (value < 1n || value > 2n ** 53n) throw new CommandError(`${text}: expected a number from 1 on`);
    return Number(value);
  }

  breakNumbered(text: string): Break {
    const id = /^\d+$/.test(text) ? Number(text) : NaN;
    const found = this.session.breaks().find((one) => one.id === id);
    if (found !== undefined) return found;
    throw new CommandError(
      Number.isNaN(id) ? `${text}: expected a break's number (info breakpoints)` : `there is no break ${id}`,
    );
  }

  /** Addresses of enabled breaks, for views that mark them. */
  breakAddresses(): ReadonlySet<number> {
    return new Set(
      this.session
        .breaks()
        .flatMap(({ enabled, what }) => (enabled && what.kind === "address" ? [what.address] : [])),
    );
  }

  get last(): StopReport {
    return this.session.last;
  }
}
