import type { Question } from "./motion.js";
import type { CallChanges, EntryChangeFound, WriteFound } from "./stop-report.js";
import { changesBetween, memoryState } from "./memory-state.js";
import type { Hit } from "../stops/wanted.js";
import { compareMoments, type Moment } from "../timeline/moment.js";
import type { Leg, Traveller } from "./traveller.js";

export type Answer = WriteFound | EntryChangeFound | CallChanges;

const SYSCALL_BYTES = 2;

/** Questions about the past: legs that end where they began. */
export class Inquiries {
  constructor(private readonly way: Traveller) {}

  *answer(question: Question, tid: number): Leg<Answer | "interrupted" | null> {
    const { way } = this;
    const start = way.timeline.now;
    way.timeline.checkpoint();
    const answer = yield* this.search(question, tid, start);
    way.interrupted = false;
    yield* way.to(start);
    return answer;
  }

  private *search(question: Question, tid: number, start: Moment): Leg<Answer | "interrupted" | null> {
    switch (question.kind) {
      case "last-write":
        return yield* this.lastWrite(question.start, question.end, start);
      case "last-change-of-entry":
        return yield* this.lastChange(question.address - (question.address % 4096), start);
      case "changes-of-call":
        return yield* this.changesOfCall(tid, start);
    }
  }

  private *lastWrite(from: number, end: number, start: Moment): Leg<WriteFound | "interrupted" | null> {
    const { way } = this;
    const what = { kind: "watch", start: from, end, access: "write" } as const;
    const found = yield* way.lastHit(start, [way.goal(what, null)]);
    if (found === null || found === "interrupted") return found;
    const hit = found.hits.at(-1)!;
    yield* way.to(found.landing);
    const { happening } = hit;
    if (happening.kind !== "watch") return null;
    const where = this.where(hit, happening.by === "kernel");
    const { before, after, by } = happening;
    return { moment: found.landing, ...where, by, before: before ?? after, after };
  }

  private *lastChange(page: number, start: Moment): Leg<EntryChangeFound | "interrupted" | null> {
    const { way } = this;
    const what = { kind: "entry", start: page, end: page + 4096 } as const;
    const found = yield* way.lastHit(start, [way.goal(what, null)]);
    if (found === null || found === "interrupted") return found;
    const hit = found.hits.at(-1)!;
    yield* way.to(found.landing);
    const { happening } = hit;
    if (happening.kind !== "entry") return null;
    const { before, after, by } = happening;
    return { moment: found.landing, ...this.where(hit, by === "kernel"), by, before, after };
  }

  /** Of the machine just before something: who did it, with which instruction or call. */
  private where(hit: Hit, byKernel: boolean): Pick<WriteFound, "thread" | "rip" | "call"> {
    const { way } = this;
    const task = way.task(hit.tid);
    const thread = { pid: task.pid, tid: hit.tid };
    const inCall = byKernel && task.unfinished[0]?.kind === "execute";
    if (!inCall) return { thread, rip: way.rip };
    return {
      thread,
      rip: way.rip - SYSCALL_BYTES,
      call: way.machine.kernel.syscallName(way.engine.callOf(task)),
    };
  }

  private *changesOfCall(tid: number, start: Moment): Leg<CallChanges | "interrupted" | null> {
    const { way } = this;
    const entry = way.engine.entered.get(tid)?.moment;
    if (entry === undefined || compareMoments(entry, start) > 0) return null;
    const task = way.task(tid);
    const after = memoryState(way.machine, task);
    const call = way.machine.kernel.syscallName(way.engine.callOf(task));
    const arrival = yield* way.to(entry);
    if (arrival.kind !== "there") return arrival.kind === "interrupted" ? "interrupted" : null;
    const before = memoryState(way.machine, way.task(tid));
    return { call, entry, exit: start, ...changesBetween(before, after) };
  }
}
