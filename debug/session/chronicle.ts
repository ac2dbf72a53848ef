import type { Refusal } from "../../kernel/refusal.js";
import type { Machine } from "../machine.js";
import { compareMoments, type Moment } from "../timeline/moment.js";
import type { Timeline } from "../timeline/timeline.js";
import type { TraceRecord } from "../trace/record.js";

/** More records than these are not kept: the oldest go. */
const MOST = 200_000;

interface At<T> {
  readonly moment: Moment;
  readonly value: T;
}

/** What was heard of a run, each with its moment: heard once, however often the run is gone through again. */
export class Chronicle {
  private readonly records: At<TraceRecord>[] = [];
  private readonly refusals: At<Refusal>[] = [];
  private readonly listeners = new Set<(record: TraceRecord) => void>();
  private detach: (() => void)[] = [];

  constructor(
    private readonly machine: Machine,
    private readonly timeline: Timeline,
  ) {
    timeline.onNews = (news) => this.listenTo(news);
  }

  close(): void {
    this.timeline.onNews = null;
    this.listenTo(false);
  }

  /** What was heard once need not be heard again. */
  private listenTo(news: boolean): void {
    if (news === this.detach.length > 0) return;
    for (const off of this.detach) off();
    this.detach = news
      ? [
          this.machine.on("refusal", (refusal) => this.keep(this.refusals, refusal)),
          this.machine.trace((record) => {
            if (this.keep(this.records, record)) for (const listener of this.listeners) listener(record);
          }),
        ]
      : [];
  }

  /** The last refusal up to a moment. */
  refusalAt(moment: Moment): Refusal | null {
    return this.refusals.findLast((each) => compareMoments(each.moment, moment) <= 0)?.value ?? null;
  }

  traceUpTo(moment: Moment): readonly TraceRecord[] {
    const end = this.records.findIndex((each) => compareMoments(each.moment, moment) >= 0);
    return (end < 0 ? this.records : this.records.slice(0, end)).map(({ value }) => value);
  }

  listen(listener: (record: TraceRecord) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The future is another. */
  truncate(moment: Moment): void {
    for (const list of [this.records, this.refusals]) {
      const first = list.findIndex((each) => compareMoments(each.moment, moment) >= 0);
      if (first >= 0) list.length = first;
    }
  }

  private keep<T>(list: At<T>[], value: T): boolean {
    const moment = this.timeline.now;
    if (compareMoments(moment, this.timeline.end) < 0) return false;
    list.push({ moment, value });
    if (list.length > 1.1 * MOST) list.splice(0, list.length - MOST);
    return true;
  }
}
