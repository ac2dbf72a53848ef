import type { Commands } from "../../debug/commands/commands.js";
import type { Outcome } from "../../debug/commands/verb.js";
import type { Progress } from "../../debug/session/stop-report.js";
import { BOUND_STATUS, Failure } from "../failure.js";
import type { NodeHost } from "../node-host.js";
import { timestamp } from "../node-modules.js";

/** Instructions between two looks at Node's events: some tens of milliseconds. */
const SLICE = 4_000_000;
/** Milliseconds; a timer cannot be set further ahead than 2^31. */
const LONGEST_SLEEP = 2 ** 30;

/** What came of a command: its lines, a script to be done, or the end. */
export type Done = Exclude<Outcome, { readonly kind: "motion" | "question" }>;

/** Carries out what the commands want moved, giving way to Node in between, so that Ctrl-C arrives. */
export class Driver {
  private wake = (): void => {};
  /** Ctrl-C, since the program was let go last. */
  private interrupts = 0;
  private readonly deadline: number;

  /** @param timeout milliseconds of real time for all of it; Infinity: no bound */
  constructor(
    private readonly commands: Commands,
    private readonly host: NodeHost,
    private readonly timeout: number,
  ) {
    this.deadline = timestamp() + timeout;
  }

  /** Ctrl-C. @returns false where nothing runs that it could end */
  interrupt(): boolean {
    const { session } = this.commands;
    if (!session.moving) return false;
    this.interrupts++;
    session.interrupt();
    this.wake();
    return true;
  }

  /** Does a line to its end. @throws CommandError, Failure when the time is up */
  async run(line: string): Promise<Done> {
    const { session } = this.commands;
    let outcome = this.commands.execute(line);
    for (;;) {
      if (outcome.kind === "motion") {
        session.begin(outcome.motion);
        await this.advance();
        outcome = outcome.finish(session.last);
      } else if (outcome.kind === "question") {
        session.ask(outcome.question);
        await this.advance();
        outcome = outcome.finish();
      } else return outcome;
    }
  }

  private async advance(): Promise<void> {
    const { session } = this.commands;
    this.interrupts = 0;
    try {
      for (;;) {
        const progress = session.advance(SLICE);
        if (timestamp() >= this.deadline) {
          session.interrupt();
          throw new Failure(BOUND_STATUS, `stopped after ${this.timeout / 1000} seconds`);
        }
        if (progress.state === "stopped") return;
        if (progress.state === "waiting") await this.wait(progress);
        else await new Promise((resolve) => setImmediate(resolve));
      }
    } finally {
      // The guest may have taken the terminal over; now it is ours.
      this.host.terminal?.restore();
    }
  }

  /** Sleeps as long as the program does, or until there is input. */
  private async wait({ input, deadline }: Extract<Progress, { state: "waiting" }>): Promise<void> {
    const { machine } = this.commands.session;
    const keys = machine.task.fs.namespace.terminals.host?.raw ?? false;
    const until = deadline === null ? Infinity : (deadline - machine.kernel.clock.monotonic()) / 1e6;
    const most = Math.max(0, Math.min(until, this.deadline - timestamp(), LONGEST_SLEEP));
    let timer: NodeJS.Timeout | undefined;
    const passed = await new Promise<boolean>((resolve) => {
      this.wake = () => resolve(false);
      timer = setTimeout(() => resolve(true), most);
      if (input || keys) void this.host.waitForInput(input, keys).then(this.wake);
    });
    clearTimeout(timer);
    if (passed && deadline !== null && most === until) this.commands.session.passTime(deadline);
  }
}
