import { MAX_FETCH_WATCH, type StopSpec } from "../stops/stop-spec.js";
import type { Wanted } from "../stops/wanted.js";
import type { Machine } from "../machine.js";
import type { Break, BreakOptions } from "./debug-session.js";

type Writable = { -readonly [K in keyof Break]: Break[K] };
const TOP = 2 ** 47;

/** The breaks of a session. */
export class BreakTable {
  private readonly breaks = new Map<number, Writable & { readonly pid: number }>();
  private nextId = 1;

  constructor(private readonly machine: Machine) {}

  /** @throws RangeError for what can never be met */
  set(what: StopSpec, pid: number, options: BreakOptions): Break {
    check(what);
    const made = {
      id: this.nextId++,
      what,
      label: options.label ?? what.kind,
      condition: options.condition ?? null,
      enabled: options.enabled ?? true,
      temporary: options.temporary ?? false,
      thread: options.thread ?? null,
      ignore: options.ignore ?? 0,
      hits: 0,
      trouble: null,
      pid,
    };
    this.breaks.set(made.id, made);
    return made;
  }

  all(): readonly Break[] {
    return [...this.breaks.values()];
  }

  change(
    id: number,
    change: Partial<Pick<Break, "enabled" | "condition" | "ignore" | "thread" | "temporary">>,
  ): boolean {
    const found = this.breaks.get(id);
    if (found === undefined) return false;
    Object.assign(found, change);
    return true;
  }

  delete(id: number): boolean {
    return this.breaks.delete(id);
  }

  /** The enabled ones, for the stops. */
  wanted(): Wanted[] {
    return [...this.breaks.values()]
      .filter(({ enabled }) => enabled)
      .map((each) => ({
        id: each.id,
        what: each.what,
        pid: each.pid,
        thread: each.thread,
        holds: (happening) => {
          const { condition } = each;
          if (condition === null) return true;
          try {
            const { machine } = this;
            const holds = condition.holds({ machine, task: machine.task, happening });
            each.trouble = null;
            return holds;
          } catch (error) {
            each.trouble = error instanceof Error ? error.message : String(error);
            return true;
          }
        },
      }));
  }

  /** Met going forwards. @returns whether it is a stop: not where it is still to be passed over */
  met(id: number): boolean {
    const found = this.breaks.get(id);
    if (found === undefined) return true;
    found.hits++;
    if (found.ignore > 0) {
      found.ignore--;
      return false;
    }
    if (found.temporary) this.breaks.delete(id);
    return true;
  }
}

function check(what: StopSpec): void {
  if (what.kind === "address" && !(what.address >= 0 && what.address < TOP))
    throw new RangeError(`0x${what.address.toString(16)} is no user address`);
  if (what.kind === "watch" || what.kind === "area" || what.kind === "entry") {
    const { start = 0, end = TOP } = what;
    if (!(start >= 0 && start < end && end <= TOP))
      throw new RangeError("an empty range, or none of user addresses");
    if (what.kind === "watch" && what.access === "fetch" && end - start > MAX_FETCH_WATCH)
      throw new RangeError(`at most ${MAX_FETCH_WATCH} bytes can be watched for fetches`);
    if (what.kind === "watch" && end - start > MAX_WATCH)
      throw new RangeError(`at most ${MAX_WATCH} bytes can be watched`);
  }
}

const MAX_WATCH = 2 ** 24;
