import type { KernelEventMap, KernelEventName, KernelEvents } from "../kernel/events.js";
import type { Refusal } from "../kernel/refusal.js";
import type { Machine } from "./machine.js";

/** A system call that has just been served. */
export interface SyscallStop {
  readonly name: string;
  readonly number: number;
  /** Six registers, unsigned. */
  readonly args: readonly bigint[];
  /** -errno when it failed; null where it does not return. */
  readonly result: bigint | null;
  /** Why it failed, when the kernel says. */
  readonly refusal?: Refusal;
}

/** A fault that became a signal; nothing of the handler has run yet. */
export type FaultStop = KernelEventMap["fault"];

/** What can be listened for and run to: an event of the kernel's, or a call with the reason why it was refused. */
export interface HappeningMap extends KernelEventMap {
  readonly syscall: SyscallStop;
}
export type HappeningName = keyof HappeningMap;

/** Calls back at each happening of that name; the function returned ends that. */
export function onHappening<N extends HappeningName>(
  events: KernelEvents,
  name: N,
  listener: (happening: HappeningMap[N]) => void,
): () => void {
  if (name !== "syscall")
    return events.on(name as KernelEventName, listener as (event: KernelEventMap[KernelEventName]) => void);
  const told = listener as (call: SyscallStop) => void;
  let refusal: Refusal | undefined;
  const detach = [
    events.on("syscallEnter", () => (refusal = undefined)),
    events.on("refusal", (reported) => (refusal = reported)),
    events.on("syscallExit", ({ name, number, args, result }) => {
      const because = refusal !== undefined && result === BigInt(-refusal.errno) ? { refusal } : {};
      told({ name, number, args, result, ...because });
    }),
  ];
  return () => {
    for (const off of detach) off();
  };
}

/** Runs to the next happening that `where` accepts; null when the program ends or waits before. */
export function runUntil<N extends HappeningName>(
  machine: Machine,
  name: N,
  where: (happening: HappeningMap[N]) => boolean,
): HappeningMap[N] | null {
  let stop: HappeningMap[N] | null = null;
  const off = machine.on(name, (happening) => {
    if (stop !== null || !where(happening)) return;
    stop = happening;
    machine.kernel.requestStop();
  });
  try {
    machine.run();
  } finally {
    off();
  }
  return stop;
}
