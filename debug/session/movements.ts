import type { LineRange, LineSource } from "./debug-session.js";
import type { Motion } from "./motion.js";
import type { StopReason } from "./stop-report.js";
import type { Hit } from "../stops/wanted.js";
import type { Moment } from "../timeline/moment.js";
import { callOf, lineBefore, type Step } from "./trail.js";
import type { Arrival, Leg, Traveller } from "./traveller.js";

/** How a motion ended. */
export interface Ended {
  readonly arrival: Arrival;
  /** Why, where it is there. */
  readonly reason: StopReason;
  /** What the user's breaks and the motion's goal met. */
  readonly hits: readonly Hit[];
}

/** Instructions of a trail: tried one after the other. */
const TRAILS = [2_000, 30_000, 500_000, 4_000_000];
/** CALL instructions have 2 to 7 bytes, with prefixes some more. */
const LONGEST_CALL = 9;

const ended = (arrival: Arrival, reason: StopReason = "step"): Ended => ({
  arrival,
  reason,
  hits: arrival.kind === "hits" ? arrival.hits : [],
});

/** The motions, each made of a traveller's legs. */
export class Movements {
  /** The thread that steps are about. */
  tid = 0;
  lines: LineSource | null = null;

  constructor(private readonly way: Traveller) {}

  of(motion: Motion): Leg<Ended> {
    switch (motion.kind) {
      case "continue":
        return this.goOn();
      case "to-address":
        return this.toNext({ kind: "address", address: motion.address }, "step");
      case "to-next":
        return this.toNext(motion.what, "found");
      case "step-instruction":
        return this.repeat(motion.count, () => this.stepInstruction());
      case "next-instruction":
        return this.repeat(motion.count, () => this.nextInstruction());
      case "step-line":
        return this.repeat(motion.count, () => this.stepLine(false));
      case "next-line":
        return this.repeat(motion.count, () => this.stepLine(true));
      case "finish":
        return this.repeat(1, () => this.finish());
      case "go-to":
        return this.goTo(motion.instructions, motion.events);
      case "reverse-continue":
        return this.back([]);
      case "to-last":
        return this.back([this.way.goal(motion.what, null)]);
      case "reverse-step-instruction":
        return this.reverseStep(motion.count ?? 1);
      case "reverse-next-instruction":
        return this.repeat(motion.count, () => this.reverseNext());
      case "reverse-step-line":
        return this.repeat(motion.count, () => this.reverseLine(false));
      case "reverse-next-line":
        return this.repeat(motion.count, () => this.reverseLine(true));
      case "reverse-finish":
        return this.repeat(1, () => this.reverseFinish());
    }
  }

  private *repeat(count = 1, once: () => Leg): Leg<Ended> {
    let arrival: Arrival = { kind: "there" };
    for (let i = 0; i < count && arrival.kind === "there"; i++) arrival = yield* once();
    return ended(arrival);
  }

  // Forwards.

  private *goOn(): Leg<Ended> {
    return ended(yield* this.way.forwards([]), "break");
  }

  private *toNext(what: Parameters<Traveller["goal"]>[0], reason: StopReason): Leg<Ended> {
    const arrival = yield* this.way.forwards([this.way.goal(what, null)]);
    if (arrival.kind !== "hits") return ended(arrival);
    const found = arrival.hits.some(({ id }) => id === 0);
    return ended(arrival, found ? reason : "break");
  }

  private stepInstruction(): Leg {
    return this.way.forwards([], { tid: this.tid, count: 1 });
  }

  private *nextInstruction(): Leg {
    const { way } = this;
    const task = way.task(this.tid);
    if (task !== way.machine.task) return yield* this.stepInstruction();
    const { flow, length } = way.instructionAt(task, way.rip);
    if (flow !== "call") return yield* this.stepInstruction();
    return yield* this.toReturn(way.rip + length, way.rsp);
  }

  /** To an address in a frame whose stack pointer is not below one: the end of a call. */
  private *toReturn(address: number, rsp: number): Leg {
    const { way } = this;
    const what = { kind: "address", address } as const;
    const arrival = yield* way.forwards([way.goal(what, this.tid, () => way.rsp >= rsp)]);
    return arrival.kind === "hits" && arrival.hits.every(({ id }) => id === 0) ? { kind: "there" } : arrival;
  }

  private lineHere(): LineRange | null {
    return this.lines?.lineAt(this.way.task(this.tid), this.way.rip) ?? null;
  }

  private *stepLine(over: boolean): Leg {
    const { way } = this;
    const first = this.lineHere();
    if (first === null) return yield* over ? this.nextInstruction() : this.stepInstruction();
    for (;;) {
      const task = way.task(this.tid);
      const { rip, rsp } = way;
      const here = task === way.machine.task ? way.instructionAt(task, rip) : null;
      const arrival = yield* over ? this.nextInstruction() : this.stepInstruction();
      if (arrival.kind !== "there") return arrival;
      if (here?.flow === "call" && !over) {
        const body = yield* this.intoFunction(rip + here.length, rsp);
        if (body !== null) return body;
      }
      const line = this.lineHere();
      if (line === null) {
        const out = yield* this.finish();
        if (out.kind !== "there") return out;
        if (this.lineHere() !== null) return out;
        continue;
      }
      const isOther = line.line !== first.line || line.file !== first.file;
      // In the middle of a line only where a function has returned into it.
      if (isOther && (way.rip === line.start || here?.flow === "return")) return arrival;
    }
  }

  /** Just behind a CALL: to the function's body, or back if it has no lines; null: go on stepping. */
  private *intoFunction(back: number, rsp: number): Leg<Arrival | null> {
    const { way } = this;
    const task = way.task(this.tid);
    if (this.lineHere() === null) {
      const arrival = yield* this.toReturn(back, rsp);
      return arrival.kind === "there" ? null : arrival;
    }
    const body = this.lines?.bodyOf?.(task, way.rip) ?? null;
    if (body === null || body === way.rip) return { kind: "there" };
    const what = { kind: "address", address: body } as const;
    const arrival = yield* way.forwards([way.goal(what, this.tid)]);
    return arrival.kind === "hits" && arrival.hits.every(({ id }) => id === 0) ? { kind: "there" } : arrival;
  }

  private *finish(): Leg {
    const { way } = this;
    const task = way.task(this.tid);
    const caller = this.lines?.callerOf?.(task) ?? null;
    if (caller !== null && task === way.machine.task)
      return yield* this.toReturn(caller.address, caller.stackPointer);
    for (;;) {
      const here = way.task(this.tid) === way.machine.task ? way.instructionAt(task, way.rip) : null;
      const arrival = yield* this.nextInstruction();
      if (arrival.kind !== "there" || here?.flow === "return") return arrival;
    }
  }

  private *goTo(instructions: number, events: number | undefined): Leg<Ended> {
    const { way } = this;
    if (instructions < way.timeline.beginning.instructions) {
      yield* way.to(way.timeline.beginning);
      return ended({ kind: "beginning" });
    }
    const arrival =
      events === undefined ? yield* way.toCount(instructions) : yield* way.to({ instructions, events });
    return ended(arrival, "arrived");
  }

  // Back.

  private *back(goals: Parameters<Traveller["lastHit"]>[1]): Leg<Ended> {
    const { way } = this;
    const start = way.timeline.now;
    way.timeline.checkpoint();
    const found = yield* way.lastHit(start, [...way.breaks.wanted(), ...goals]);
    if (found === "interrupted") {
      way.interrupted = false;
      yield* way.to(start);
      return ended({ kind: "interrupted" });
    }
    if (found === null) {
      yield* way.to(way.timeline.beginning);
      return ended({ kind: "beginning" });
    }
    const arrival = yield* way.to(found.landing);
    const reason = found.hits.some(({ id }) => id === 0) ? "found" : "break";
    return {
      arrival: arrival.kind === "there" ? { kind: "hits", hits: found.hits } : arrival,
      reason,
      hits: found.hits,
    };
  }

  private *reverseStep(count: number): Leg<Ended> {
    return ended(yield* this.toEarlier(count));
  }

  private *toEarlier(count: number): Leg {
    const { way, tid } = this;
    return yield* way.toThreadCount(tid, way.task(tid).instructions - count);
  }

  /** To a moment in the trail of the thread that `choose` finds; null: it is not in any trail. */
  private *byTrail(choose: (trail: readonly Step[]) => number): Leg<Arrival | null> {
    const { way, tid } = this;
    const here = way.timeline.now;
    const total = way.task(tid).instructions;
    for (const most of TRAILS) {
      const trail = yield* way.trail(tid, most);
      if (!Array.isArray(trail)) {
        way.interrupted = false;
        yield* way.to(here);
        return { kind: "interrupted" };
      }
      const at = choose(trail as readonly Step[]);
      if (at >= 0) return yield* way.to((trail as readonly Step[])[at]!.moment);
      if (most >= total) return null;
    }
    return null;
  }

  private *reverseNext(): Leg {
    const { way, tid } = this;
    const { rip, rsp } = way;
    const start = way.timeline.now;
    const arrival = yield* this.toEarlier(1);
    if (arrival.kind !== "there") return arrival;
    if (way.instructionAt(way.task(tid), way.rip).flow !== "return") return arrival;
    const behindReturn = way.timeline.now;
    const call = yield* this.callBefore(start, rip, rsp);
    if (call === "interrupted") return { kind: "interrupted" };
    return yield* way.to(call ?? behindReturn);
  }

  /** The CALL whose return address and stack pointer are known: its last time before a moment. */
  private *callBefore(limit: Moment, back: number, rsp: number): Leg<Moment | "interrupted" | null> {
    const { way, tid } = this;
    const goals = [];
    for (let length = 2; length <= LONGEST_CALL; length++) {
      const what = { kind: "address", address: back - length } as const;
      const holds = (): boolean => {
        const here = way.instructionAt(way.machine.task, way.rip);
        return way.rsp === rsp && here.flow === "call" && here.length === length;
      };
      goals.push(way.goal(what, tid, holds));
    }
    const found = yield* way.lastHit(limit, goals);
    return found === null || found === "interrupted" ? found : found.landing;
  }

  private *reverseLine(over: boolean): Leg {
    const { way, lines } = this;
    const task = way.task(this.tid);
    if (lines === null || this.lineHere() === null)
      return yield* over ? this.reverseNext() : this.toEarlier(1);
    const found = yield* this.byTrail((trail) =>
      lineBefore(trail, (address) => lines.lineAt(task, address), over),
    );
    if (found !== null) return found;
    yield* way.to(way.timeline.beginning);
    return { kind: "beginning" };
  }

  private *reverseFinish(): Leg {
    const { way } = this;
    const start = way.timeline.now;
    const caller = this.lines?.callerOf?.(way.task(this.tid)) ?? null;
    if (caller !== null) {
      const call = yield* this.callBefore(start, caller.address, caller.stackPointer);
      if (call !== null && call !== "interrupted") return yield* way.to(call);
      yield* way.to(start);
    }
    const found = yield* this.byTrail((trail) => callOf(trail));
    if (found !== null) return found;
    yield* way.to(way.timeline.beginning);
    return { kind: "beginning" };
  }
}
