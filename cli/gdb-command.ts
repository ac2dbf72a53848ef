import { GdbSession } from "../debug/gdb/session.js";
import type { Machine } from "../debug/machine.js";
import { RewindableHost } from "../debug/recording/rewindable-host.js";
import type { RunResult } from "../kernel/run-loop.js";
import { GdbServer } from "./gdb-server.js";
import { NodeHost } from "./node-host.js";
import { timestamp } from "./node-modules.js";
import { optionsHelp, parseArguments, UsageError, type OptionSpec } from "./option-parser.js";
import { stderrOutput, writeAll } from "./output.js";
import { findSealing } from "./sealing-file.js";
import { createMachine, load, statusOf } from "./run-command.js";
import { runLoop, type End } from "./run-loop.js";
import { startObserving } from "./start-observing.js";
import { readRunOptions, RUN_OPTIONS, type RunOptions } from "./run-options.js";
import { claimUpper } from "./upper-directory.js";

const OWN_OPTIONS: readonly OptionSpec[] = [
  { name: "port", value: "N", help: "The TCP port; 1234 unless told, 0: one that is free." },
  {
    name: "host",
    value: "ADDRESS",
    help: "Whom it listens to; 127.0.0.1 unless told: this computer only. Who can connect can do what PROG can.",
  },
];

const HELP = `Usage: sealab gdb [OPTIONS] [--] PROG [ARGS...]

Starts a program, stopped before its first instruction, and waits for gdb:

  sealab gdb ./prog
  gdb -ex 'target remote :1234'

Breakpoints, watchpoints, stepping, threads, forks, catch syscall, info registers
pkru, info proc mappings and monitor help work, and so does going back:
reverse-continue, reverse-step; docs/gdb.md has more.

${optionsHelp(OWN_OPTIONS)}

All options of sealab run may be given too (sealab --help).

Exit status: the program's own (128+N when signal N ended it, 137 after gdb's
kill); 2 wrong usage or a port that cannot be had, 130 Ctrl-C while it waits.
`;

const DEFAULT_PORT = 1234;
/** Instructions between two looks at the line: some milliseconds. */
const SLICE = 1_000_000;
/** Milliseconds that a gdb has to close its line after the end. */
const FAREWELL = 1000;
const LONGEST_SLEEP = 2 ** 30;

/** `sealab gdb`: gives the exit status. */
export async function gdbCommand(args: readonly string[]): Promise<number> {
  const { options: parsed, operands } = parseArguments(args, [...OWN_OPTIONS, ...RUN_OPTIONS]);
  if (parsed.some((option) => option.name === "help")) {
    writeAll(1, HELP);
    return 0;
  }
  const own = (name: string): string | undefined =>
    parsed.findLast((option) => option.name === name)?.value ?? undefined;
  const isOwn = new Set(OWN_OPTIONS.map(({ name }) => name));
  const options = readRunOptions(parsed.filter(({ name }) => !isOwn.has(name)));
  const port = portOf(own("port"));
  const [name, ...rest] = operands;
  if (name === undefined) throw new UsageError("gdb: which program?");
  const sealing = await findSealing(options.sealing);

  const log = options.logLevel === null ? null : (await import("./logger.js")).createLogger(options.logLevel);
  const host = new NodeHost({ seed: options.seed });
  const releaseUpper = options.upper === null ? null : claimUpper(options.upper);
  try {
    const machine = createMachine(options, host, sealing, new RewindableHost(host));
    const stopObserving = await startObserving(machine, options, log);
    await load(machine, options, name, rest);
    const server = await GdbServer.listen(own("host") ?? "127.0.0.1", port);
    const end = await new Debugging(machine, host, options, server).run();
    stopObserving();
    return statusOf(end, options, name);
  } finally {
    host.close();
    releaseUpper?.();
  }
}

function portOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_PORT;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  if (!(port <= 65535)) throw new UsageError(`--port ${text}: not a port`);
  return port;
}

/** A machine, its server, and the gdb that may be there. */
class Debugging {
  private readonly session: GdbSession;
  private wake = (): void => {};
  /** Ctrl-C here, since the program was let go last. */
  private interrupts = 0;
  private leaves = false;

  constructor(
    private readonly machine: Machine,
    private readonly host: NodeHost,
    private readonly options: RunOptions,
    private readonly server: GdbServer,
  ) {
    this.session = new GdbSession(machine, (text) => server.send(text));
    server.serve({
      arrived: () => this.session.restart(),
      received: (bytes) => {
        this.session.receive(bytes);
        this.wake();
      },
      left: () => this.left(),
      refused: () => say("a second gdb was turned away"),
    });
  }

  /** Runs the machine as gdb says, and to its end when gdb lets it go. */
  async run(): Promise<End> {
    say(`waiting for gdb: target remote ${this.server.address}`);
    const onInterrupt = (): void => this.interrupted();
    process.on("SIGINT", onInterrupt);
    let end: End | null;
    try {
      end = await this.debug();
    } finally {
      process.off("SIGINT", onInterrupt);
    }
    this.session.close();
    this.server.close();
    return end ?? runLoop(this.machine, this.host, this.options);
  }

  /** Null when gdb is done with all processes. */
  private async debug(): Promise<End | null> {
    const { machine, options } = this;
    const started = timestamp();
    const lastInstruction = machine.instructions + options.maxInstructions;
    const terminals = machine.task.fs.namespace.terminals;
    for (;;) {
      const session = this.session;
      if (session.outcome !== null) return null;
      if (session.isOver) {
        if (this.server.connected) await this.sleep(FAREWELL, false);
        return null;
      }
      if (this.leaves) return { kind: "interrupted" };
      if (timestamp() - started >= options.timeout) return { kind: "timeout" };
      if (!session.running) {
        this.interrupts = 0;
        await this.sleep(options.timeout - (timestamp() - started), false);
        continue;
      }
      const budget = Math.min(SLICE, lastInstruction - machine.instructions);
      if (budget <= 0) return { kind: "instructions" };
      const result = session.advance(budget);
      if (terminals.host?.raw === true) machine.fromOutside({ kind: "keys" });
      machine.keepTime();
      if (session.running) await this.between(result);
    }
  }

  /** Gives way to Node between two slices, and sleeps where every task waits. */
  private async between(result: RunResult | null): Promise<void> {
    if (result?.reason !== "blocked" && result?.reason !== "suspended") {
      await new Promise((resolve) => setImmediate(resolve));
      return;
    }
    const { machine } = this;
    const deadline = result.reason === "blocked" ? result.deadline : null;
    const until = deadline === null ? Infinity : (deadline - machine.kernel.clock.monotonic()) / 1e6;
    const passed = await this.sleep(until, result.reason === "blocked" && result.input);
    if (passed && deadline !== null && this.session.running) machine.advanceClock(deadline);
  }

  /** True if the time has passed, false if something else came before. */
  private async sleep(milliseconds: number, input: boolean): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const keys = this.machine.task.fs.namespace.terminals.host?.raw ?? false;
    const passed = await new Promise<boolean>((resolve) => {
      this.wake = () => resolve(false);
      timer = setTimeout(() => resolve(true), Math.max(0, Math.min(milliseconds, LONGEST_SLEEP)));
      if (input || keys) void this.host.waitForInput(input, keys).then(this.wake);
    });
    clearTimeout(timer);
    return passed;
  }

  /** Ctrl-C here: the program's, the first time while it runs. */
  private interrupted(): void {
    if (this.session.running && this.interrupts++ === 0) this.machine.interrupt();
    else this.leaves = true;
    this.wake();
  }

  private left(): void {
    const session = this.session;
    if (session.outcome === null && !session.isOver) {
      say(`gdb has gone; the program stands still. target remote ${this.server.address}`);
      session.restart();
    }
    this.wake();
  }
}

function say(text: string): void {
  stderrOutput.write(`sealab: ${text}`);
}
