import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Machine } from "../debug/machine.js";
import type { Value } from "../debug/recording/value.js";
import { SnapshotError } from "../debug/snapshot/file-error.js";
import { loadMachine, saveMachine, snapshotInfo, type SnapshotInfo } from "../debug/snapshot/machine-file.js";
import { syscallTable } from "../syscalls/index.js";
import { BOUND_STATUS, Failure, reasonOf, USAGE_STATUS } from "./failure.js";
import { NodeHost } from "./node-host.js";
import { timestamp } from "./node-modules.js";
import { optionsHelp, parseArguments, UsageError, type OptionSpec } from "./option-parser.js";
import { stderrOutput, writeAll } from "./output.js";
import { rootImage } from "./root-image.js";
import { createMachine, load, statusOf } from "./run-command.js";
import { runLoop } from "./run-loop.js";
import { readRunOptions, RUN_OPTIONS, type RunOptions } from "./run-options.js";
import { findSealing, namesFile } from "./sealing-file.js";
import { startObserving } from "./start-observing.js";
import { version } from "./version.js";

const SAVE_OPTIONS: readonly OptionSpec[] = [
  { name: "at", value: "COUNT", help: "Save when so many instructions have been executed." },
  {
    name: "at-syscall",
    value: "NAME",
    help: "Save when that system call has been served for the first time.",
  },
  { name: "output", short: "o", value: "FILE", help: "Where to." },
];
/** Options of a run that a saved machine has not in itself. */
const LOOKING = ["trace", "explain", "maps", "stats", "max-instructions", "timeout", "log-level"];
const LOAD_OPTIONS: readonly OptionSpec[] = [
  {
    name: "root",
    value: "DIR|IMAGE.tar",
    help: "Where the files of --root are now; where they were unless told.",
  },
  { name: "sealing", value: "FILE", help: "The model of yours that the machine was made with." },
  ...RUN_OPTIONS.filter(({ name }) => LOOKING.includes(name)),
];

const HELP = `Usage: sealab snapshot save --at COUNT -o FILE [OPTIONS] PROG [ARGS...]
       sealab snapshot save --at-syscall NAME -o FILE [OPTIONS] PROG [ARGS...]
       sealab snapshot load [OPTIONS] FILE
       sealab snapshot info FILE

save runs a program as sealab run does, with the same options, up to a moment,
and writes the whole machine to a file. load goes on from there; info says what
is in it. Files of --root, --mount and the working directory are not in it: load
wants them where they were, and says which one is missing or another.

Options of save, beside those of run:
${optionsHelp(SAVE_OPTIONS)}

Options of load:
${optionsHelp(LOAD_OPTIONS)}

Exit status: save gives 0, load the program's own. 2 is a file that is no
snapshot, or that cannot be loaded here; 124 is save where the program ended
before that moment.
`;

/** What the command line keeps with a machine. */
interface Notes {
  readonly program: string;
  /** Directories and files of the host, in the order of their numbers. */
  readonly roots: readonly string[];
  /** The tar archive that is the root. */
  readonly archive: string | null;
  /** Randomness comes from the host. */
  readonly hostRandom: boolean;
}

/** `sealab snapshot`: gives the exit status. */
export async function snapshotCommand(args: readonly string[]): Promise<number> {
  const [verb, ...rest] = args;
  if (verb !== "save" && (rest[0] === "--help" || rest[0] === "-h")) {
    writeAll(1, HELP);
    return 0;
  }
  switch (verb) {
    case "save":
      return save(rest);
    case "load":
      return loadAndRun(rest);
    case "info":
      return info(rest);
    case "--help":
    case "-h":
    case "help":
      writeAll(1, HELP);
      return 0;
    default:
      throw new UsageError(`snapshot: ${verb === undefined ? "" : `no ${verb}: `}save, load or info?`);
  }
}

async function save(args: readonly string[]): Promise<number> {
  const { options: parsed, operands } = parseArguments(args, [...SAVE_OPTIONS, ...RUN_OPTIONS]);
  const value = (name: string): string | null => parsed.findLast((one) => one.name === name)?.value ?? null;
  const [name, ...rest] = operands;
  if (parsed.some((one) => one.name === "help")) {
    writeAll(1, HELP);
    return 0;
  }
  if (name === undefined) throw new UsageError("snapshot save: which program?");
  const file = value("output");
  if (file === null) throw new UsageError("snapshot save: where to? (-o FILE)");
  const [count, call] = [value("at"), value("at-syscall")];
  if ((count === null) === (call === null))
    throw new UsageError("snapshot save: when? (--at COUNT or --at-syscall NAME)");
  if (count !== null && !/^\d{1,15}$/.test(count))
    throw new UsageError(`--at ${count}: not a number of instructions`);
  const options = readRunOptions(
    parsed.filter((one) => !SAVE_OPTIONS.some((spec) => spec.name === one.name)),
  );
  if (options.record !== null || options.replay !== null)
    throw new UsageError("snapshot save: --record and --replay are for run");

  if (call !== null && syscallTable.named(call) === undefined)
    throw new UsageError(`--at-syscall ${call}: no such system call`);

  const host = new NodeHost({ seed: options.seed });
  const machine = createMachine(options, host, await findSealing(options.sealing));
  await load(machine, options, name, rest);
  const reached = await runTo(machine, host, options, count === null ? Infinity : Number(count), call);
  if (!reached) {
    host.close();
    const moment = count === null ? `a ${call!}` : `instruction ${count}`;
    throw new Failure(
      BOUND_STATUS,
      `${name}: ended after ${machine.instructions} instructions, before ${moment}`,
    );
  }
  const archive = options.root === null || rootImage(options.root) === null ? null : resolve(options.root);
  const notes: Notes = {
    program: name,
    roots: host.fileSource.rootPaths,
    archive,
    hostRandom: options.seed === "host",
  };
  const model = namesFile(options.sealing) ? {} : { sealing: options.sealing };
  const bytes = during(file, () =>
    saveMachine(machine, { version: version(), notes: notes as unknown as Value, ...model }),
  );
  host.close();
  try {
    writeFileSync(file, bytes);
  } catch (error) {
    throw new Failure(USAGE_STATUS, `${file}: cannot be written: ${reasonOf(error)}`);
  }
  return 0;
}

/** Runs to an instruction, or behind the first such system call; false where the program ends or waits for ever before. */
async function runTo(
  machine: Machine,
  host: NodeHost,
  options: RunOptions,
  count: number,
  call: string | null,
): Promise<boolean> {
  let met = false;
  const off =
    call === null
      ? null
      : machine.on("syscallExit", ({ name }) => {
          if (name !== call) return;
          met = true;
          machine.kernel.requestStop();
        });
  const stopObserving = await startObserving(machine, options, null);
  const end = await runLoop(machine, host, {
    maxInstructions: Math.min(count, options.maxInstructions),
    timeout: options.timeout,
    enough: () => met,
  });
  stopObserving();
  off?.();
  return met || (end.kind === "instructions" && machine.instructions === count);
}

async function loadAndRun(args: readonly string[]): Promise<number> {
  const { options: parsed, operands } = parseArguments(args, LOAD_OPTIONS);
  const [file, ...more] = operands;
  if (file === undefined || more.length > 0) throw new UsageError("snapshot load: which file? One.");
  const options = readRunOptions(parsed);
  if (parsed.some(({ name }) => name === "sealing") && !namesFile(options.sealing))
    throw new UsageError(
      `--sealing ${options.sealing}: the machine has its own; load takes FILE.js or .ts of one of yours`,
    );
  const bytes = read(file);
  const head = during(file, () => snapshotInfo(bytes));
  const notes = notesOf(file, head);
  const { made } = head;
  if (options.root !== null && made.root === undefined)
    throw new UsageError("--root: the machine was saved without one");
  const host = new NodeHost({ seed: notes.hostRandom ? "host" : 0 });
  notes.roots.forEach((path, number) => {
    const now = options.root !== null && number === made.root ? options.root : path;
    const added = host.fileSource.addRoot(now);
    if (added < 0) throw new Failure(USAGE_STATUS, `${file}: needs ${now}, which is not there`);
  });
  const archive = made.root === "archive" ? rootImage(options.root ?? notes.archive ?? "") : null;
  if (made.root === "archive" && archive === null)
    throw new Failure(USAGE_STATUS, `${file}: needs a tar archive as --root`);
  const sealing = namesFile(options.sealing) ? await findSealing(options.sealing) : null;
  const machine = during(file, () =>
    loadMachine(bytes, {
      host,
      ...(archive === null ? {} : { archive }),
      ...(sealing === null ? {} : { sealing }),
    }),
  );
  // The window may have another size now.
  if (head.terminal) machine.fromOutside({ kind: "resize" });
  const log = options.logLevel === null ? null : (await import("./logger.js")).createLogger(options.logLevel);
  const stopObserving = await startObserving(machine, options, log);
  const started = timestamp();
  const end = await runLoop(machine, host, options);
  stopObserving();
  if (options.maps || options.stats) {
    const { mapsLines, statsLines } = await import("./summary.js");
    if (options.maps) for (const line of mapsLines(machine)) stderrOutput.write(line);
    if (options.stats)
      for (const line of statsLines(machine, timestamp() - started)) stderrOutput.write(line);
  }
  host.close();
  return statusOf(end, options, notes.program);
}

function info(args: readonly string[]): number {
  const { operands } = parseArguments(args, []);
  const [file, ...more] = operands;
  if (file === undefined || more.length > 0) throw new UsageError("snapshot info: which file? One.");
  const bytes = read(file);
  const head = during(file, () => snapshotInfo(bytes));
  writeAll(1, `${infoLines(head, notesOf(file, head), bytes.length).join("\n")}\n`);
  return 0;
}

function infoLines(head: SnapshotInfo, notes: Notes, bytes: number): string[] {
  const { made } = head;
  const sealing = made.sealing === null ? "a model of the user's own" : (made.sealing ?? "linux");
  const needs = [
    ...notes.roots,
    ...(notes.archive === null ? [] : [notes.archive]),
    ...(head.terminal ? ["a terminal"] : []),
  ];
  return [
    `program       ${notes.program}`,
    `instructions  ${head.instructions}`,
    `machine       ${made.cpu ?? "x86-64-v2"}, Linux ${made.kernel ?? "6.18"}, sealing ${sealing}, seed ${made.seed ?? 0}`,
    `memory        ${head.frames} pages in use`,
    ...head.tasks.map(({ tid, comm, program }) => `task          ${tid} ${comm} (${program})`),
    ...(needs.length === 0 ? [] : [`needs         ${needs.join(", ")}`]),
    `saved by      sealab ${head.version}, ${bytes} bytes`,
    `digest        ${head.digest}`,
  ];
}

function read(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Failure(USAGE_STATUS, `${file}: ${reasonOf(error)}`);
  }
}

/** What stands in a file that was not saved by this command is its own affair. */
function notesOf(file: string, { notes, tasks, made }: SnapshotInfo): Notes {
  const given = notes as Partial<Notes> | null;
  if (given !== null && typeof given === "object" && Array.isArray(given.roots)) return given as Notes;
  if (typeof made.root === "number" || (made.mounts ?? []).length > 0)
    throw new Failure(USAGE_STATUS, `${file}: does not say where the files were that it needs`);
  return { program: tasks[0]?.program ?? "?", roots: [], archive: null, hostRandom: false };
}

/** Does something with a snapshot's file. @throws Failure */
function during<T>(file: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (error instanceof SnapshotError) throw new Failure(USAGE_STATUS, `${file}: ${error.message}`);
    throw error;
  }
}
