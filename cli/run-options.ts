import { DEFAULT_RELEASE, RELEASE_NAMES } from "../kernel/release.js";
import { SEALING_NAMES } from "../kernel/mm/sealing/models.js";
import { UsageError, type OptionSpec, type ParsedOption } from "./option-parser.js";
import { checkParameters, readSealElf, SEALING_OPTIONS } from "./sealing-options.js";

export interface MountOption {
  readonly host: string;
  readonly guest: string;
  /** "cow": a view that the guest may change without the host noticing. */
  readonly mode: "cow" | "ro" | "rw";
}

export interface RunOptions {
  trace: { format: "text" | "json"; file: string | null } | null;
  explain: boolean;
  maps: boolean;
  stats: boolean;
  sample: boolean;
  /** Infinity: no bound. */
  maxInstructions: number;
  /** Milliseconds of the host's time; Infinity: no bound. */
  timeout: number;
  memoryBytes: number;
  /** Of the swap area that is there from the start; 0: none. */
  swapBytes: number;
  cpu: string;
  pku: boolean;
  interpret: boolean;
  /** The modelled Linux release. */
  kernel: string;
  /** The model of sealing with its options, or the file of one. */
  sealing: string;
  /** What is sealed at exec and by the loader's stand-in. */
  sealElf: boolean | "marked";
  /** Kernel parameters, NAME=VALUE each. */
  params: string[];
  mounts: MountOption[];
  root: string | null;
  /** Host directory that keeps what the program changes of the root. */
  upper: string | null;
  /** Nothing of the host but the program and what is mounted. */
  bare: boolean;
  clearEnvironment: boolean;
  environment: [name: string, value: string][];
  cwd: string | null;
  /** "host": the host's own randomness. */
  seed: number | "host";
  /** The first process's end does not end the others. */
  waitAll: boolean;
  /** Mean slice of a task in instructions. */
  quantum: number;
  /** NAME, UID, NAME:GROUP or UID:GID of the guest; null: root. */
  user: string | null;
  maxTasks: number;
  hostClock: boolean;
  logLevel: string | null;
  /** File that keeps the run. */
  record: string | null;
  /** File of a run to be repeated. */
  replay: string | null;
}

export const CPU_NAMES = ["x86-64-v1", "x86-64-v2"];
const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];

export const RUN_OPTIONS: readonly OptionSpec[] = [
  {
    name: "trace",
    value: "FILE|json[:FILE]",
    optionalValue: true,
    help: "Print each system call, signal and the end as strace does, to stderr or FILE; json: one object a line.",
  },
  {
    name: "explain",
    help: "After each refusal or fault, say why: rule, area, who sealed it, key, page tables.",
  },
  { name: "maps", help: "At the end, print the program's areas (start, end, rights, key, seal) to stderr." },
  {
    name: "stats",
    help: "At the end, print instructions, system calls, faults, TLB misses and time to stderr.",
  },
  { name: "sample", help: "PROG is the name of a sample program (see: sealab samples)." },
  { name: "max-instructions", value: "N", help: "Stop after N instructions; exit status 124." },
  { name: "timeout", value: "SECS", help: "Stop after that much real time; exit status 124." },
  { name: "memory", value: "SIZE", help: "The machine's memory: bytes, or with K, M, G. 512M unless told." },
  {
    name: "swap",
    value: "SIZE",
    help: "Give the machine a disk to swap to, as --memory says its size. None unless told.",
  },
  { name: "cpu", value: "NAME", help: `The processor: ${CPU_NAMES.join(" or ")} (default).` },
  { name: "no-pku", help: "A processor without protection keys." },
  { name: "interpret", help: "Compile nothing: the same run, but slower." },
  {
    name: "kernel",
    value: "RELEASE",
    help: `The Linux that answers: ${RELEASE_NAMES.join(", ")}; ${DEFAULT_RELEASE.name} unless told.`,
  },
  {
    name: "sealing",
    value: "MODEL[:OPTION]|FILE",
    help: "What seals do: Linux's rules unless told. sealab models lists the others; FILE.js or .ts has one of yours.",
  },
  ...SEALING_OPTIONS,
  {
    name: "mount",
    value: "HOST:GUEST[:ro|rw]",
    help: "Show a host directory or file to the program. What it writes stays in memory; rw: it reaches the host.",
  },
  {
    name: "root",
    value: "DIR|IMAGE.tar",
    help: "A directory or a tar archive is the program's /, copy-on-write; PROG is looked for in it.",
  },
  {
    name: "upper",
    value: "DIR",
    help: "Keep what the program changes of --root in DIR, for the next run with it.",
  },
  {
    name: "bare",
    help: "Do not show the working directory, which is otherwise there at its own path, copy-on-write.",
  },
  { name: "env", value: "NAME=VALUE", help: "Set an environment variable (may be repeated)." },
  { name: "clear-env", help: "Start from an empty environment instead of sealab's own." },
  {
    name: "cwd",
    value: "DIR",
    help: "The program's working directory; the current one where it is shown, otherwise /.",
  },
  {
    name: "user",
    value: "NAME|UID[:GID]",
    help: "Run as that user of the guest's /etc/passwd, or as that number; root unless told.",
  },
  {
    name: "max-tasks",
    value: "N",
    help: "No more processes and threads than N at a time; 4096 unless told.",
  },
  {
    name: "seed",
    value: "N|host",
    help: "Seed of randomness and of how tasks take turns; 0 unless told. The same seed, the same run.",
  },
  {
    name: "wait-all",
    help: "Go on until every process has ended; otherwise the first one's end ends them all.",
  },
  {
    name: "quantum",
    value: "N",
    help: "Instructions, on average, before another task has its turn; 50000 unless told.",
  },
  {
    name: "clock",
    value: "virtual|host",
    help: "virtual (default): a nanosecond an instruction; host: real time.",
  },
  {
    name: "record",
    value: "FILE",
    help: "Keep all that the run takes from outside in FILE, with which it can be repeated anywhere.",
  },
  {
    name: "replay",
    value: "FILE",
    help: "Instead of PROG: repeat a recorded run, to the instruction. Only options that look may be given with it.",
  },
  { name: "log-level", value: "LEVEL", help: `sealab's own log on stderr: ${LOG_LEVELS.join(", ")}.` },
  { name: "help", short: "h", help: "This text." },
];

/** Interprets the options of `sealab run`. @throws UsageError */
export function readRunOptions(parsed: readonly ParsedOption[]): RunOptions {
  const options: RunOptions = {
    trace: null,
    explain: false,
    maps: false,
    stats: false,
    sample: false,
    maxInstructions: Infinity,
    timeout: Infinity,
    memoryBytes: 512 * 2 ** 20,
    swapBytes: 0,
    cpu: "x86-64-v2",
    pku: true,
    interpret: false,
    kernel: DEFAULT_RELEASE.name,
    sealing: SEALING_NAMES[0]!,
    sealElf: false,
    params: [],
    mounts: [],
    root: null,
    upper: null,
    bare: false,
    clearEnvironment: false,
    environment: [],
    cwd: null,
    seed: 0,
    waitAll: false,
    quantum: 50_000,
    user: null,
    maxTasks: 4096,
    hostClock: false,
    logLevel: null,
    record: null,
    replay: null,
  };
  for (const { name, value } of parsed) apply(options, name, value ?? "", value === null);
  if (options.upper !== null && options.root === null)
    throw new UsageError("--upper: there is no --root under it");
  checkParameters(options.params, options.kernel);
  return options;
}

function apply(options: RunOptions, name: string, value: string, bare: boolean): void {
  switch (name) {
    case "trace":
      options.trace = bare ? { format: "text", file: null } : traceTarget(value);
      break;
    case "explain":
    case "maps":
    case "stats":
    case "sample":
    case "bare":
      options[name] = true;
      break;
    case "max-instructions":
      options.maxInstructions = positive(name, value, true);
      break;
    case "timeout":
      options.timeout = positive(name, value, false) * 1000;
      break;
    case "memory":
      options.memoryBytes = size(name, value, SMALLEST_MEMORY, LARGEST_MEMORY);
      break;
    case "swap":
      options.swapBytes = size(name, value, SMALLEST_SWAP, LARGEST_SWAP);
      break;
    case "cpu":
      options.cpu = oneOf(name, value, CPU_NAMES);
      break;
    case "kernel":
      options.kernel = oneOf(name, value, RELEASE_NAMES);
      break;
    case "sealing":
      options.sealing = value;
      break;
    case "seal-elf":
      options.sealElf = readSealElf(bare ? null : value);
      break;
    case "param":
      options.params.push(value);
      break;
    case "no-pku":
      options.pku = false;
      break;
    case "interpret":
      options.interpret = true;
      break;
    case "mount":
      options.mounts.push(mount(value));
      break;
    case "root":
    case "upper":
      options[name] = value;
      break;
    case "clear-env":
      options.clearEnvironment = true;
      break;
    case "env":
      options.environment.push(variable(value));
      break;
    case "cwd":
      if (!value.startsWith("/")) throw new UsageError(`--cwd ${value}: not an absolute path of the guest`);
      options.cwd = value;
      break;
    case "user":
      if (value === "") throw new UsageError("--user: the name is missing");
      options.user = value;
      break;
    case "max-tasks":
      options.maxTasks = positive(name, value, true);
      break;
    case "wait-all":
      options.waitAll = true;
      break;
    case "quantum":
      options.quantum = positive(name, value, true);
      break;
    case "seed":
      if (!/^(\d{1,15}|host)$/.test(value))
        throw new UsageError(`--seed ${value}: neither a whole number nor host`);
      options.seed = value === "host" ? value : Number(value);
      break;
    case "clock":
      options.hostClock = oneOf(name, value, ["virtual", "host"]) === "host";
      break;
    case "record":
    case "replay":
      if (value === "") throw new UsageError(`--${name}: the file's name is missing`);
      options[name] = value;
      break;
    case "log-level":
      options.logLevel = oneOf(name, value, LOG_LEVELS);
      break;
  }
}

function traceTarget(value: string): RunOptions["trace"] {
  if (value === "" || value === "json:") throw new UsageError(`--trace=${value}: the file's name is missing`);
  if (value === "json") return { format: "json", file: null };
  if (value.startsWith("json:")) return { format: "json", file: value.slice(5) };
  return { format: "text", file: value };
}

function oneOf(name: string, value: string, allowed: readonly string[]): string {
  if (!allowed.includes(value)) throw new UsageError(`--${name} ${value}: not one of ${allowed.join(", ")}`);
  return value;
}

function positive(name: string, value: string, whole: boolean): number {
  const number = /^\d+(\.\d+)?$/.test(value) ? Number(value) : NaN;
  if (!(number > 0) || (whole && !Number.isSafeInteger(number))) {
    throw new UsageError(`--${name} ${value}: not a ${whole ? "whole number" : "number"} above 0`);
  }
  return number;
}

const UNITS: Readonly<Record<string, number>> = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };
const SMALLEST_MEMORY = 4 * 2 ** 20;
const LARGEST_MEMORY = 4 * 2 ** 30 - 32 * 2 ** 20;
const SMALLEST_SWAP = 64 * 2 ** 10;
const LARGEST_SWAP = 4 * 2 ** 30;

function sizeText(bytes: number): string {
  return bytes % 2 ** 20 === 0 ? `${bytes / 2 ** 20}M` : `${bytes / 2 ** 10}K`;
}

function size(name: string, value: string, smallest: number, largest: number): number {
  const match = /^(\d+)([KMG]?)(?:i?B)?$/i.exec(value);
  const bytes = match === null ? NaN : Number(match[1]) * UNITS[match[2]!.toUpperCase()]!;
  if (!(bytes >= smallest && bytes <= largest)) {
    throw new UsageError(
      `--${name} ${value}: not a size between ${sizeText(smallest)} and ${sizeText(largest)}`,
    );
  }
  return bytes;
}

function mount(value: string): MountOption {
  // A Windows path begins with a drive and a colon.
  const drive = process.platform === "win32" && /^[A-Za-z]:[\\/]/.test(value) ? 2 : 0;
  const [first, guest, mode, ...more] = value.slice(drive).split(":");
  const host = value.slice(0, drive) + first!;
  if (first === "" || guest === undefined || guest === "" || more.length > 0) {
    throw new UsageError(`--mount ${value}: not HOST:GUEST or HOST:GUEST:ro or HOST:GUEST:rw`);
  }
  if (!guest.startsWith("/"))
    throw new UsageError(`--mount ${value}: ${guest} is not an absolute path of the guest`);
  if (mode !== undefined && mode !== "ro" && mode !== "rw") {
    throw new UsageError(`--mount ${value}: ${mode} is neither ro nor rw`);
  }
  return { host, guest, mode: mode ?? "cow" };
}

function variable(value: string): [string, string] {
  const equals = value.indexOf("=");
  if (equals <= 0) throw new UsageError(`--env ${value}: not NAME=VALUE`);
  return [value.slice(0, equals), value.slice(equals + 1)];
}
