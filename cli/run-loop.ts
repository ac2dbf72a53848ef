import type { Machine } from "../debug/machine.js";
import { waitReasons, type WaitReason } from "../kernel/wait-reason.js";
import type { ExitStatus } from "../kernel/task.js";
import type { NodeTerminal } from "./node-terminal.js";
import { timestamp } from "./node-modules.js";

export interface Bounds {
  readonly maxInstructions: number;
  /** Milliseconds of real time. */
  readonly timeout: number;
  /** Asked after each slice: true ends the run as the other bounds do. */
  readonly enough?: () => boolean;
}

/** What the loop needs of the host beside what the machine takes from it. */
export interface InputWaiter {
  /** Resolves when standard input has bytes or has ended (`standard`), or a key was pressed (`keys`). */
  waitForInput(standard: boolean, keys: boolean): Promise<void>;
  readonly terminal?: NodeTerminal;
}

export type End =
  | { readonly kind: "exited"; readonly status: ExitStatus }
  | { readonly kind: "instructions" }
  | { readonly kind: "timeout" }
  /** Every task waits, for nothing that could come. */
  | { readonly kind: "deadlock"; readonly tasks: readonly WaitReason[] }
  /** The second Ctrl-C. */
  | { readonly kind: "interrupted" }
  /** The user pressed a key so often, on a terminal that the guest has taken over, that they want to get out. */
  | { readonly kind: "left"; readonly key: "Ctrl-C" | "Ctrl-]" };

/** Instructions between two looks at the event loop: some tens of milliseconds. */
const SLICE = 4_000_000;
/** Milliseconds; a timer cannot be set further ahead than 2^31. */
const LONGEST_SLEEP = 2 ** 30;
const SIGINT = 2;

/**
 * Runs a machine to its end, giving way to Node between slices, so that Ctrl-C arrives: the first goes to the program
 * as SIGINT, the second ends the run. Once the guest has taken the terminal over, Ctrl-C is a key like the others, and
 * keys are taken in between slices. While the program waits for input or for time, so does this, asleep.
 */
export async function runLoop(machine: Machine, host: InputWaiter, bounds: Bounds): Promise<End> {
  const started = timestamp();
  const lastInstruction = machine.instructions + bounds.maxInstructions;
  let interrupts = 0;
  let attended = 0;
  let wake = (): void => {};
  const own = machine.task.fs.namespace.terminals.host;
  const onInterrupt = (): void => {
    if (++interrupts === 1) {
      const atTerminal = own !== null && own.terminal.foreground !== 0;
      machine.fromOutside({ kind: atTerminal ? "terminal-signal" : "signal", signal: SIGINT });
    }
    wake();
  };
  const onResize = (): void => {
    machine.fromOutside({ kind: "resize" });
    wake();
  };
  /** Takes the keys in; the key with which the user wants to get out, or null. */
  const takeKeys = (): "Ctrl-C" | "Ctrl-]" | null => {
    if (own === null || !own.raw) return null;
    if (own.attended !== attended) host.terminal?.heeded();
    attended = own.attended;
    machine.fromOutside({ kind: "keys" });
    return host.terminal?.wayOut ?? null;
  };
  const timeLeft = (): number => bounds.timeout - (timestamp() - started);
  /** True if the time has passed, false if something else came before. */
  const sleep = async (input: boolean, milliseconds: number): Promise<boolean> => {
    let timer: NodeJS.Timeout | undefined;
    const keys = own?.raw ?? false;
    const passed = await new Promise<boolean>((resolve) => {
      wake = () => resolve(false);
      timer = setTimeout(() => resolve(true), Math.max(0, Math.min(milliseconds, timeLeft(), LONGEST_SLEEP)));
      if (input || keys) void host.waitForInput(input, keys).then(wake);
    });
    clearTimeout(timer);
    return passed;
  };

  process.on("SIGINT", onInterrupt);
  if (own !== null) process.on("SIGWINCH", onResize);
  try {
    for (;;) {
      const budget = Math.min(SLICE, lastInstruction - machine.instructions);
      if (budget <= 0) return { kind: "instructions" };
      machine.keepTime();
      const result = machine.run(budget);
      if (bounds.enough?.() === true) return { kind: "instructions" };
      if (result.reason === "exited") return { kind: "exited", status: result.status };
      if (timeLeft() <= 0) return { kind: "timeout" };
      const key = takeKeys();
      if (key !== null) return { kind: "left", key };
      const { anyReady, outside } = machine.kernel;
      // The keys just taken in may have let a task go on: then there is nothing to wait for.
      if (result.reason === "blocked" && (anyReady || outside?.pending === true)) continue;
      if (result.reason === "blocked") {
        // At a terminal the user's Ctrl-C may still come.
        if (!result.input && result.deadline === null && !machine.host.isTerminal(0) && interrupts === 0)
          return { kind: "deadlock", tasks: waitReasons(machine.kernel) };
        const until =
          result.deadline === null ? Infinity : (result.deadline - machine.kernel.clock.monotonic()) / 1e6;
        const passed = await sleep(result.input, until);
        // The time was really waited for: a virtual clock moves on by it, unless something woke us before.
        if (passed && result.deadline !== null && timeLeft() > 0) machine.advanceClock(result.deadline);
      } else if (result.reason === "suspended") {
        // As a shell's job: we stop too, and whoever continues us continues the program.
        if (host.terminal !== undefined) await host.terminal.suspend();
        else {
          process.kill(process.pid, "SIGSTOP");
          await nextTurn();
        }
        machine.fromOutside({ kind: "continue" });
      } else {
        await nextTurn();
      }
      if (interrupts > 1) return { kind: "interrupted" };
    }
  } finally {
    host.terminal?.restore();
    process.off("SIGINT", onInterrupt);
    process.off("SIGWINCH", onResize);
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
