import { performance } from "node:perf_hooks";
import type { Machine } from "../debug/machine.js";
import { waitReasons, type WaitReason } from "../kernel/wait-reason.js";
import type { ExitStatus } from "../kernel/task.js";

export interface Bounds {
  readonly maxInstructions: number;
  /** Milliseconds of real time. */
  readonly timeout: number;
}

/** What the loop needs of the host beside what the machine takes from it. */
export interface InputWaiter {
  /** Resolves when standard input has bytes, or has ended. */
  waitForInput(): Promise<void>;
}

export type End =
  | { readonly kind: "exited"; readonly status: ExitStatus }
  | { readonly kind: "instructions" }
  | { readonly kind: "timeout" }
  /** Every task waits, for nothing that could come. */
  | { readonly kind: "deadlock"; readonly tasks: readonly WaitReason[] }
  /** The second Ctrl-C. */
  | { readonly kind: "interrupted" };

/** Instructions between two looks at the event loop: some tens of milliseconds. */
const SLICE = 4_000_000;
/** Milliseconds; a timer cannot be set further ahead than 2^31. */
const LONGEST_SLEEP = 2 ** 30;
const SIGCONT = 18;

/**
 * Runs a machine to its end, giving way to Node between slices, so that Ctrl-C arrives: the first goes to the program
 * as SIGINT, the second ends the run. While the program waits for input or for time, so does this, asleep.
 */
export async function runLoop(machine: Machine, host: InputWaiter, bounds: Bounds): Promise<End> {
  const started = performance.now();
  const lastInstruction = machine.instructions + bounds.maxInstructions;
  let interrupts = 0;
  let wake = (): void => {};
  const onInterrupt = (): void => {
    if (++interrupts === 1) machine.interrupt();
    wake();
  };
  const timeLeft = (): number => bounds.timeout - (performance.now() - started);
  const sleep = async (input: boolean, milliseconds: number): Promise<void> => {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      wake = resolve;
      timer = setTimeout(resolve, Math.max(0, Math.min(milliseconds, timeLeft(), LONGEST_SLEEP)));
      if (input) void host.waitForInput().then(resolve);
    });
    clearTimeout(timer);
  };

  process.on("SIGINT", onInterrupt);
  try {
    for (;;) {
      const budget = Math.min(SLICE, lastInstruction - machine.instructions);
      if (budget <= 0) return { kind: "instructions" };
      const result = machine.run(budget);
      if (result.reason === "exited") return { kind: "exited", status: result.status };
      if (timeLeft() <= 0) return { kind: "timeout" };
      if (result.reason === "blocked") {
        // At a terminal the user's Ctrl-C may still come.
        if (!result.input && result.deadline === null && !machine.host.isTerminal(0) && interrupts === 0)
          return { kind: "deadlock", tasks: waitReasons(machine.kernel) };
        const until =
          result.deadline === null ? Infinity : (result.deadline - machine.kernel.clock.monotonic()) / 1e6;
        await sleep(result.input, until);
        // The time was really waited for: a virtual clock moves on by it, unless something woke us before.
        if (result.deadline !== null && interrupts === 0 && !machine.host.stdin.ready()) {
          machine.kernel.advanceClock(result.deadline);
        }
      } else if (result.reason === "suspended") {
        // As a shell's job: we stop too, and whoever continues us continues the program.
        process.kill(process.pid, "SIGSTOP");
        await nextTurn();
        machine.interrupt(SIGCONT);
      } else {
        await nextTurn();
      }
      if (interrupts > 1) return { kind: "interrupted" };
    }
  } finally {
    process.off("SIGINT", onInterrupt);
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
