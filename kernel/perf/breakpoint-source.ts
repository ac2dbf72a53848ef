import type { HardwareBreakpoint } from "../../cpu/hardware-breakpoints.js";
import { giveSlot, takeSlot, type BreakpointHolder } from "../debug-registers/slots.js";
import { EINVAL, EOPNOTSUPP } from "../errno.js";
import type { Kernel } from "../kernel.js";
import type { Task } from "../task.js";
import type { EventAttributes } from "./attributes.js";
import type { EventSource, PerfEvent } from "./event.js";

const HW_BREAKPOINT_W = 2;
const HW_BREAKPOINT_RW = 3;
const HW_BREAKPOINT_X = 4;
/** sizeof(long): what the length of an instruction's breakpoint is said to be. */
const LENGTH_OF_EXECUTE = 8n;
const LENGTHS = [1n, 2n, 4n, 8n];

/**
 * What bp_type, bp_addr and bp_len ask for (hw_breakpoint_arch_parse). -EINVAL: no such kind or length, an address that
 * is no multiple of it; -EOPNOTSUPP: a longer range.
 */
export function breakpointOf(attributes: EventAttributes): HardwareBreakpoint | number {
  const { breakpointType, config1: address, config2: length } = attributes;
  const start = Number(address);
  if (breakpointType === HW_BREAKPOINT_X)
    return length === LENGTH_OF_EXECUTE ? { start, end: start + 1, kind: "execute" } : -EINVAL;
  if (breakpointType !== HW_BREAKPOINT_W && breakpointType !== HW_BREAKPOINT_RW) return -EINVAL;
  if (!LENGTHS.includes(length))
    return length !== 0n && (length & (length - 1n)) === 0n ? -EOPNOTSUPP : -EINVAL;
  if ((address & (length - 1n)) !== 0n) return -EINVAL;
  return {
    start,
    end: start + Number(length),
    kind: breakpointType === HW_BREAKPOINT_W ? "write" : "access",
  };
}

/** An event of PERF_TYPE_BREAKPOINT: it has one of the debug registers. */
export class BreakpointSource implements EventSource, BreakpointHolder {
  private event: PerfEvent | null = null;

  constructor(
    private readonly kernel: Kernel,
    readonly place: HardwareBreakpoint,
  ) {}

  begin(event: PerfEvent): number {
    const taken = takeSlot(this.kernel, event.task, this);
    if (taken === 0) this.event = event;
    return taken;
  }

  end(): void {
    const { event } = this;
    this.event = null;
    if (event !== null) giveSlot(this.kernel, event.task, this);
  }

  forChild(): EventSource {
    return new BreakpointSource(this.kernel, this.place);
  }

  met(_task: Task): void {
    if (this.event?.attributes.excludeUser === false) this.event.add(1);
  }
}
