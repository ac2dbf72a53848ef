import { readFileSync, statSync } from "node:fs";
import { isAbsolute, relative, resolve, sep } from "node:path";
import { EACCES, ENOENT, ENOTDIR } from "../kernel/errno.js";
import { LoadError } from "../debug/load-error.js";
import { Machine } from "../debug/machine.js";
import { machineOptions, startProgram } from "../debug/recording/replay-machine.js";
import type { RewindableHost } from "../debug/recording/rewindable-host.js";
import type { RunSetup } from "../debug/recording/run-record.js";
import type { User } from "../debug/users.js";
import type { ByteSource } from "../kernel/fs/byte-source.js";
import {
  BOUND_STATUS,
  DEADLOCK_STATUS,
  Failure,
  NOT_EXECUTABLE_STATUS,
  NOT_FOUND_STATUS,
  reasonOf,
  USAGE_STATUS,
} from "./failure.js";
import { rootImage } from "./root-image.js";
import { claimUpper } from "./upper-directory.js";
import { guestPath } from "../kernel/fs/tree-setup.js";
import type { Host } from "../kernel/host.js";
import { NodeHost } from "./node-host.js";
import type { NodeHostFiles } from "./node-host-files.js";
import { parseArguments, UsageError } from "./option-parser.js";
import { formatOomKill } from "../kernel/mm/oom.js";
import { stderrOutput, writeAll } from "./output.js";
import type { WaitReason } from "../kernel/wait-reason.js";
import { startObserving } from "./start-observing.js";
import { runLoop, type End } from "./run-loop.js";
import { readRunOptions, RUN_OPTIONS, type RunOptions } from "./run-options.js";
import { crypto, timestamp } from "./node-modules.js";
import { findSealing, namesFile } from "./sealing-file.js";
import type { SealingModel } from "../kernel/mm/sealing/sealing-model.js";

/** `sealab run`: gives the exit status. */
export async function runCommand(args: readonly string[], help: string): Promise<number> {
  const { options: parsed, operands } = parseArguments(args, RUN_OPTIONS);
  if (parsed.some((option) => option.name === "help")) {
    writeAll(1, help);
    return 0;
  }
  const options = readRunOptions(parsed);
  if (options.replay !== null) {
    const { checkReplayOptions, replayRun } = await import("./replay.js");
    checkReplayOptions(parsed, operands);
    return replayRun(options.replay, options);
  }
  const [name, ...rest] = operands;
  if (name === undefined) throw new UsageError("run: which program?");
  const sealing = await findSealing(options.sealing);

  const log = options.logLevel === null ? null : (await import("./logger.js")).createLogger(options.logLevel);
  const host = new NodeHost({ seed: options.seed });
  const releaseUpper = options.upper === null ? null : claimUpper(options.upper);
  const recording =
    options.record === null ? null : new (await import("./recording.js")).Recording(options.record, host);
  const { setup, archive } = planMachine(options, host);
  const machine = makeMachine(options, setup, partsFor(host, recording?.door ?? null, archive, sealing));
  machine.kernel.events.on("oom", (kill) => stderrOutput.write(`sealab: ${formatOomKill(kill)}`));
  const stopObserving = await startObserving(machine, options, log);
  const start = await load(machine, options, name, rest);
  recording?.begin(machine, { machine: setup, start });
  log?.info({ program: name, instruction: 0 }, "loaded");

  const started = timestamp();
  let end: End;
  try {
    end = await runLoop(machine, host, options);
  } catch (error) {
    recording?.broken(error);
    throw error;
  }
  const milliseconds = timestamp() - started;
  stopObserving();
  log?.info({ end: end.kind, instructions: machine.instructions, milliseconds }, "ended");
  if (options.maps || options.stats) {
    const { mapsLines, statsLines } = await import("./summary.js");
    if (options.maps) for (const line of mapsLines(machine)) stderrOutput.write(line);
    if (options.stats) for (const line of statsLines(machine, milliseconds)) stderrOutput.write(line);
  }
  host.close();
  releaseUpper?.();
  const status = (): number => statusOf(end, options, name);
  return recording === null ? status() : recording.finish(status);
}

/** A host that shows Node's files. */
export interface HostWithFiles extends Host {
  readonly fileSource: NodeHostFiles;
}

/** @param door stands before the host, where what comes through it is kept */
export function createMachine(
  options: RunOptions,
  host: HostWithFiles,
  sealing: SealingModel,
  door: RewindableHost | null = null,
): Machine {
  const { setup, archive } = planMachine(options, host);
  return makeMachine(options, setup, partsFor(host, door, archive, sealing));
}

function partsFor(
  host: HostWithFiles,
  door: RewindableHost | null,
  archive: ByteSource | null,
  sealing: SealingModel,
): Parameters<typeof machineOptions>[1] {
  const throughDoor = archive !== null && door !== null;
  return { host: door ?? host, archive: throughDoor ? door.archive(archive) : archive, sealing };
}

/** The machine that the options ask for; `archive` is its root, where that is one. @throws Failure */
function planMachine(
  options: RunOptions,
  host: HostWithFiles,
): { readonly setup: RunSetup["machine"]; readonly archive: ByteSource | null } {
  const rootOf = (option: string, path: string): number => {
    const root = host.fileSource.addRoot(path);
    if (root < 0)
      throw new Failure(USAGE_STATUS, `${option}: ${path}: ${LoadError.ofErrno("", -root).reason}`);
    return root;
  };
  const mounts = options.mounts.map(({ host: path, guest, mode }) => ({
    root: rootOf("--mount", path),
    guest: guestPath(guest),
    mode,
    source: toLatin1(resolve(path)),
  }));
  const own = ownDirectory(options);
  if (own !== null)
    mounts.unshift({
      root: rootOf("the current directory", process.cwd()),
      guest: guestPath(own),
      mode: "cow",
      source: toLatin1(own),
    });
  const archive = options.root === null ? null : rootImage(options.root);
  const setup = {
    memoryBytes: options.memoryBytes,
    ...(options.swapBytes === 0 ? {} : { swapBytes: options.swapBytes }),
    cpu: options.cpu,
    pku: options.pku,
    kernel: options.kernel,
    sealing: namesFile(options.sealing) ? null : options.sealing,
    sealElf: options.sealElf,
    params: options.params,
    maxTasks: options.maxTasks,
    seed: options.seed === "host" ? crypto().randomInt(2 ** 32) : options.seed,
    quantum: options.quantum,
    waitForAll: options.waitAll,
    clock: options.hostClock ? ("host" as const) : ("virtual" as const),
    root:
      options.root === null ? null : archive !== null ? ("archive" as const) : rootOf("--root", options.root),
    upper: options.upper === null ? null : rootOf("--upper", options.upper),
    mounts,
  };
  return { setup, archive };
}

/** @throws Failure */
function makeMachine(
  options: RunOptions,
  setup: RunSetup["machine"],
  parts: Parameters<typeof machineOptions>[1],
): Machine {
  try {
    return Machine.create({ ...machineOptions(setup, parts), interpret: options.interpret });
  } catch (error) {
    if (error instanceof LoadError) throw new Failure(USAGE_STATUS, mountFailure(options, error));
    if (error instanceof RangeError && /memory/i.test(error.message)) {
      throw new Failure(USAGE_STATUS, `--memory ${options.memoryBytes}: the host cannot give that much`);
    }
    throw error;
  }
}

/** What could not be shown to the program, by the option that names it. */
function mountFailure({ root, upper }: RunOptions, { path, reason, message }: LoadError): string {
  if (path === "the root") return `--root: ${root ?? ""}: ${reason}`;
  if (path === "the upper layer") return `--upper: ${upper ?? ""}: ${reason}`;
  return `--mount: ${message}`;
}

/** Makes a program the machine's first process, and says what was started. @throws Failure */
export async function load(
  machine: Machine,
  options: RunOptions,
  name: string,
  args: readonly string[],
): Promise<RunSetup["start"]> {
  const program = await findProgram(machine, options, name);
  const user = options.user === null ? null : userOf(machine, options.user);
  const start = {
    name,
    ...program,
    argv: [name, ...args].map(toLatin1),
    env: environment(options, user).map(toLatin1),
    cwd: toLatin1(options.cwd ?? defaultDirectory(options)),
    user: options.user === null ? null : toLatin1(options.user),
  };
  try {
    startProgram(machine, start, user);
    return start;
  } catch (error) {
    if (!(error instanceof LoadError)) throw error;
    const missing = error.errno === ENOENT || error.errno === ENOTDIR;
    if (error.path === options.cwd) throw new Failure(USAGE_STATUS, `--cwd ${error.message}`);
    if (missing && options.root === null && error.reason.includes("interpreter"))
      throw new Failure(NOT_FOUND_STATUS, `${error.message} (--root / shows the program the host's files)`);
    // For root only the file's own x bit counts: it may enter every directory.
    const message =
      error.errno === EACCES && options.user === null
        ? `${error.path}: it has no execute permission`
        : error.message;
    throw new Failure(missing ? NOT_FOUND_STATUS : NOT_EXECUTABLE_STATUS, message);
  }
}

/** A sample, a file of the guest's tree where there is a --root, or a file of the host. */
async function findProgram(
  machine: Machine,
  options: RunOptions,
  name: string,
): Promise<Pick<RunSetup["start"], "path" | "elf" | "lookedFor">> {
  if (options.sample) {
    const { buildSample } = await import("./samples-command.js");
    return { path: `/${name}`, elf: buildSample(name), lookedFor: null };
  }
  if (name === "") throw new UsageError("run: the program's name is empty");
  const guest = name.startsWith("/") ? name : `${options.cwd ?? defaultDirectory(options)}/${name}`;
  const lookedFor = guestPath(guest);
  const kind = machine.fileKind(lookedFor);
  if (kind === "directory") throw new Failure(NOT_EXECUTABLE_STATUS, `${name}: is a directory`);
  if (kind === "other") throw new Failure(NOT_EXECUTABLE_STATUS, `${name}: not a regular file`);
  if (kind === "file") return { path: toLatin1(name), elf: null, lookedFor };
  return { path: guestPath(slashed(resolve(name))), elf: readProgram(name), lookedFor };
}

/** A host's absolute path with slashes; on Windows without the drive. */
function slashed(path: string): string {
  return path
    .replace(/^[A-Za-z]:/, "")
    .split(sep)
    .join("/");
}

const LARGEST_PROGRAM = 1 << 30;

function readProgram(name: string): Uint8Array {
  try {
    const stat = statSync(name);
    if (stat.isDirectory()) throw new Failure(NOT_EXECUTABLE_STATUS, `${name}: is a directory`);
    if (!stat.isFile()) throw new Failure(NOT_EXECUTABLE_STATUS, `${name}: not a regular file`);
    if (stat.size > LARGEST_PROGRAM) throw new Failure(NOT_EXECUTABLE_STATUS, `${name}: larger than 1 GiB`);
    return readFileSync(name);
  } catch (error) {
    if (error instanceof Failure) throw error;
    const { code } = error as NodeJS.ErrnoException;
    const status = code === "ENOENT" || code === "ENOTDIR" ? NOT_FOUND_STATUS : NOT_EXECUTABLE_STATUS;
    throw new Failure(status, `${name}: ${reasonOf(error)}`);
  }
}

/** The current directory, which the program sees copy-on-write at its own path, unless there is --root or --bare. */
function ownDirectory(options: RunOptions): string | null {
  if (options.root !== null || options.bare) return null;
  const path = slashed(process.cwd());
  return path === "/" ? null : path;
}

/** Where the program starts: in the current directory where it is in the tree, otherwise in /. */
function defaultDirectory(options: RunOptions): string {
  if (options.root === null) return ownDirectory(options) ?? "/";
  if (!statSync(options.root).isDirectory()) return "/";
  const inside = relative(resolve(options.root), process.cwd());
  if (inside === "" || inside.startsWith("..") || isAbsolute(inside)) return "/";
  return `/${slashed(inside)}`;
}

function userOf(machine: Machine, text: string): User {
  const user = machine.findUser(toLatin1(text));
  if (user === null)
    throw new Failure(USAGE_STATUS, `--user ${text}: no such user in the guest's /etc/passwd`);
  return user;
}

/** The host's variables; of a user of the guest, the names and the home that its /etc/passwd has; what --env says. */
function environment(options: RunOptions, user: User | null): string[] {
  const variables = new Map<string, string>();
  if (!options.clearEnvironment) {
    for (const [name, value] of Object.entries(process.env))
      if (value !== undefined) variables.set(name, value);
  }
  if (user !== null) {
    variables.set("HOME", user.home);
    for (const name of ["USER", "LOGNAME"])
      if (user.name === null) variables.delete(name);
      else variables.set(name, user.name);
  }
  for (const [name, value] of options.environment) variables.set(name, value);
  return [...variables].map(([name, value]) => `${name}=${value}`);
}

/** The machine's strings have one character a byte. */
function toLatin1(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}

export function statusOf(end: End, options: RunOptions, name: string): number {
  switch (end.kind) {
    case "exited":
      return end.status.signal === null ? end.status.code : 128 + end.status.signal;
    case "instructions":
      throw new Failure(BOUND_STATUS, `${name}: stopped after ${options.maxInstructions} instructions`);
    case "timeout":
      throw new Failure(BOUND_STATUS, `${name}: stopped after ${options.timeout / 1000} seconds`);
    case "deadlock":
      throw new Failure(DEADLOCK_STATUS, deadlockText(name, end.tasks));
    case "interrupted":
      return 130;
    case "left":
      throw new Failure(
        130,
        `${name}: ended by three ${end.key}${end.key === "Ctrl-C" ? ": it took no notice" : ""}`,
      );
  }
}

function deadlockText(name: string, tasks: readonly WaitReason[]): string {
  const lines = tasks.map(({ pid, tid, comm, text }) => {
    const thread = tid === pid ? "" : ` thread ${tid}`;
    return `  ${pid}${thread} (${comm}) ${text}`;
  });
  return [`${name}: deadlock: every task waits, and nothing can wake one`, ...lines].join("\n");
}
