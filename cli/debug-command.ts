import { openSync } from "node:fs";
import { devNull } from "node:os";
import { Commands } from "../debug/commands/commands.js";
import type { Machine } from "../debug/machine.js";
import { RecordEnd } from "../debug/recording/record-end.js";
import { RewindableHost } from "../debug/recording/rewindable-host.js";
import type { DebugSession } from "../debug/session/debug-session.js";
import { createDebugSession } from "../debug/session/create-debug-session.js";
import { hostDebugFiles } from "./debugging/debug-files.js";
import { Driver } from "./debugging/driver.js";
import { LineMode, say } from "./debugging/line-mode.js";
import { readScript, type ScriptLine } from "./debugging/script.js";
import { Failure, reasonOf, USAGE_STATUS } from "./failure.js";
import { NodeHost } from "./node-host.js";
import { isatty, timestamp } from "./node-modules.js";
import {
  optionsHelp,
  parseArguments,
  UsageError,
  type OptionSpec,
  type ParsedOption,
} from "./option-parser.js";
import { wantsColour, writeAll } from "./output.js";
import { createMachine, load, type HostWithFiles } from "./run-command.js";
import { readRunOptions, RUN_OPTIONS, type RunOptions } from "./run-options.js";
import { findSealing } from "./sealing-file.js";
import { claimUpper } from "./upper-directory.js";

const OWN_OPTIONS: readonly OptionSpec[] = [
  {
    name: "commands",
    short: "x",
    value: "FILE",
    help: "Do the commands in FILE first; - is standard input.",
  },
  { name: "eval", short: "e", value: "COMMAND", help: "Do a command first; -x and -e in the order given." },
  { name: "batch", help: "Leave when they are done; the first that cannot be done ends it with status 2." },
  { name: "line", help: "On a terminal too: a prompt and lines instead of the full screen." },
  {
    name: "sources",
    short: "d",
    value: "DIR",
    help: "Sources are looked for there too; again for more folders.",
  },
  { name: "input", value: "FILE", help: "What the program reads as its standard input." },
];

const HELP = `Usage: sealab debug [OPTIONS] [--] PROG [ARGS...]
       sealab debug [OPTIONS] --replay FILE

Step through a program, forwards and back: by instruction, source line, system
call, fault, refusal, or change of memory. On a terminal it fills the screen (?
for help there); with --line, --batch or no terminal it takes lines as gdb does:

  sealab debug --batch -e 'to refusal' -e explain -e who-sealed ./prog
  sealab debug --batch -x commands.txt ./prog

  c s n si ni fin until           go on      rc rs rn rsi rni rfin   and back
  break main  break f.c:12        stop at    goto 5000  when         by count
  to refusal  back syscall mseal  to the next or last of a kind
  catch syscall mprotect entry if prot & PROT_EXEC      watch counter
  info areas|registers|pkru|threads|files|breakpoints   x/4xg $rsp  p $rax  bt
  walk ADDR  explain  trace       page tables, why it was refused, calls so far
  who-wrote ADDR  who-sealed ADDR  when-entry ADDR      goto then leads there
  set len = 0  skip -EPERM  force 0                     at a system call's entry

-e help lists all commands; docs/debugger.md explains them.

${optionsHelp(OWN_OPTIONS)}

Options of sealab run may be given too (sealab --help), but for --trace,
--explain, --maps, --stats and --record: here these are commands.

Exit status: 0 when the commands are done or at quit, 2 wrong usage or a command
of -x or -e that cannot be done (FILE:LINE says which), 123 a replay that
differs, 124 --timeout, and of the program's file as sealab run.
`;

/** Options of `sealab run` that are commands here, or mean nothing. */
const NOT_HERE: Readonly<Record<string, string>> = {
  trace: "here `trace` is a command",
  explain: "here `explain` is a command",
  maps: "here `info areas` is a command",
  stats: "here `info program` is a command",
  record: "sealab run records; sealab debug --replay takes what it made",
  clock: "a debugger's clock counts instructions",
};

/** `sealab debug`: gives the exit status. */
export async function debugCommand(args: readonly string[]): Promise<number> {
  const { options: parsed, operands } = parseArguments(args, [...OWN_OPTIONS, ...RUN_OPTIONS]);
  if (parsed.some((option) => option.name === "help")) {
    writeAll(1, HELP);
    return 0;
  }
  const wrong = parsed.find(({ name, value }) => NOT_HERE[name] !== undefined && value !== "virtual");
  if (wrong !== undefined) throw new UsageError(`--${wrong.name}: ${NOT_HERE[wrong.name]}`);
  const isOwn = new Set(OWN_OPTIONS.map(({ name }) => name));
  const forRun = parsed.filter(({ name }) => !isOwn.has(name));
  const options = readRunOptions(forRun);
  const has = (name: string): boolean => parsed.some((option) => option.name === name);
  const lines = scriptOf(parsed);
  const plain = has("batch") || has("line") || lines.length > 0 || !isatty(0) || !isatty(1);
  if (!plain) return fullScreen(options, parsed, forRun, operands);

  const input = inputOf(parsed, has("batch"));
  const host = new NodeHost({ seed: options.seed, ...(input === undefined ? {} : { input }) });
  const releaseUpper = options.upper === null ? null : claimUpper(options.upper);
  try {
    const { commands } = begin(await debugged(options, forRun, operands, host), options, parsed);
    const driver = new Driver(commands, host, options.timeout);
    const mode = new LineMode(commands, driver);
    const onInterrupt = (): void => {
      if (!driver.interrupt()) process.exit(130);
    };
    process.on("SIGINT", onInterrupt);
    try {
      const status = await mode.script(lines);
      if (status !== null || has("batch")) return status ?? 0;
      if (isatty(0)) {
        say(await driver.run("where").then((outcome) => (outcome.kind === "lines" ? outcome.lines : [])));
        return await mode.prompt();
      }
      return (await mode.script(readScript("-"))) ?? 0;
    } finally {
      process.off("SIGINT", onInterrupt);
    }
  } finally {
    host.close();
    releaseUpper?.();
  }
}

/** The machine with the program that is to be debugged, or with that of a record. @throws Failure, UsageError */
async function debugged(
  options: RunOptions,
  parsed: readonly ParsedOption[],
  operands: readonly string[],
  host: HostWithFiles,
): Promise<Debugged> {
  if (options.replay !== null) {
    const { checkReplayOptions, during, openReplay } = await import("./replay.js");
    checkReplayOptions(
      parsed.filter(({ name }) => !BOUNDS.has(name)),
      operands,
    );
    const { record, replay } = await openReplay(options.replay, options, host);
    during(options.replay, record, () => replay.start());
    const { machine } = replay;
    return { machine, recordEnd: new RecordEnd(machine, replay.host, record.end) };
  }
  const [name, ...rest] = operands;
  if (name === undefined) throw new UsageError("debug: which program?");
  const machine = createMachine(options, host, await findSealing(options.sealing), new RewindableHost(host));
  await load(machine, options, name, rest);
  return { machine };
}

interface Debugged {
  readonly machine: Machine;
  /** Of the record that it replays. */
  readonly recordEnd?: RecordEnd;
}

/** Options of the run that may stand beside --replay too. */
const BOUNDS: ReadonlySet<string> = new Set(["timeout", "max-instructions"]);

/** What -x and -e say, in their order. @throws Failure */
function scriptOf(parsed: readonly ParsedOption[]): ScriptLine[] {
  return parsed.flatMap(({ name, value }) => {
    if (name === "eval") return [{ text: value ?? "", from: "-e" }];
    if (name !== "commands") return [];
    try {
      return readScript(value ?? "");
    } catch (error) {
      throw new Failure(USAGE_STATUS, `-x ${(error as Error).message}`);
    }
  });
}

/** The descriptor of --input; where our own standard input is the commands, the program has none. @throws Failure */
function inputOf(parsed: readonly ParsedOption[], batch: boolean): (() => number) | undefined {
  const given = parsed.findLast(({ name }) => name === "input")?.value ?? null;
  const taken =
    parsed.some(({ name, value }) => name === "commands" && value === "-") || (!batch && !isatty(0));
  if (given === null && !taken) return undefined;
  const path = given ?? devNull;
  let fd: number | undefined;
  try {
    fd = openSync(path, "r");
  } catch (error) {
    throw new Failure(USAGE_STATUS, `--input ${path}: ${reasonOf(error)}`);
  }
  return () => fd;
}

/** On a terminal: the debugger on the whole screen. */
async function fullScreen(
  options: RunOptions,
  parsed: readonly ParsedOption[],
  forRun: readonly ParsedOption[],
  operands: readonly string[],
): Promise<number> {
  const [{ ScreenHost }, { runScreen }] = await Promise.all([
    import("./screen/screen-host.js"),
    import("./screen/screen.js"),
  ]);
  const [columns, rows] = process.stdout.getWindowSize();
  const host = new ScreenHost({ seed: options.seed, columns, rows });
  const { session, commands } = begin(await debugged(options, forRun, operands, host), options, parsed);
  return runScreen({
    session,
    commands,
    host,
    program: operands[0] ?? options.replay ?? "",
    colour: wantsColour(1),
    timeout: options.timeout,
  });
}

/** A session with a program that stands before its first instruction. */
function begin(
  { machine, ...end }: Debugged,
  { maxInstructions }: RunOptions,
  parsed: readonly ParsedOption[],
): { session: DebugSession; commands: Commands } {
  const folders = parsed.flatMap(({ name, value }) => (name === "sources" && value !== null ? [value] : []));
  machine.modules.files = hostDebugFiles([...folders, "."]);
  const session = createDebugSession(machine, {
    maxInstructions,
    clock: timestamp,
    shortWayBack: true,
    ...end,
  });
  return { session, commands: new Commands(session) };
}
