import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { campaign, type Finding } from "../debug/fuzz/campaign.js";
import { findingLines } from "../debug/fuzz/listing.js";
import { scenarioOf } from "../debug/fuzz/scenario.js";
import { SMALL, type World, WORLDS } from "../debug/fuzz/worlds.js";
import { DEFAULT_RELEASE, RELEASE_NAMES } from "../kernel/release.js";
import { Failure, reasonOf, USAGE_STATUS } from "./failure.js";
import { emulatedJudge, hostJudge, linuxJudge, type HeldJudge } from "./fuzz-judges.js";
import { optionsHelp, parseArguments, UsageError, type OptionSpec } from "./option-parser.js";
import { stderrOutput, writeAll } from "./output.js";

const JUDGES = ["host", "linux", "reference"] as const;
type JudgeName = (typeof JUDGES)[number];

/** There were differences. */
const DIFFERENT_STATUS = 1;
const INTERRUPTED_STATUS = 130;
const DEFAULT_RUNS = 1000;
const DEFAULT_MOST = 5;
/** Runs that are asked at one time. */
const BATCH: Readonly<Record<JudgeName, number>> = { host: 100, linux: 3000, reference: 20 };

const OPTIONS: readonly OptionSpec[] = [
  {
    name: "on",
    value: "JUDGE",
    help: "host: the host's own kernel, a Linux with protection keys (default). linux: a real Linux in QEMU, many scenarios to a boot (see sealab on-linux). reference: sealab itself with the slow evaluator as its processor.",
  },
  {
    name: "about",
    value: "WORLD",
    help: `What the scenarios are about: ${[...WORLDS.values()].map((world) => `${world.name}, ${world.about}`).join("; ")}.`,
  },
  { name: "runs", value: "N", help: `Scenarios to run; ${String(DEFAULT_RUNS)} unless told.` },
  {
    name: "seed",
    value: "S",
    help: "The first scenario's seed, the next ones count on; another each time unless told.",
  },
  {
    name: "kernel",
    value: "RELEASE",
    help: `The release that sealab answers as, and that --on linux boots: ${RELEASE_NAMES.join(", ")}; the judge's unless told.`,
  },
  {
    name: "check-calls",
    help: "Hold sealab's areas, page tables, frames and counters against each other after every call, not once a scenario; three times slower.",
  },
  { name: "most", value: "N", help: `Stop after N differences; ${String(DEFAULT_MOST)} unless told.` },
  {
    name: "output",
    short: "o",
    value: "DIR",
    help: "Where differences are saved; the working directory unless told.",
  },
  { name: "help", short: "h", help: "This text." },
];

const HELP = `Usage: sealab fuzz [OPTIONS]

Random scenarios of 30 to 200 memory calls, accesses, keys, seals and forks over few pages
run in sealab and elsewhere. Where the answers part, the scenario is made as small as it
comes, printed, and saved as a file.

${optionsHelp(OPTIONS)}

Status: 0 no difference, 1 differences, 130 ended by Ctrl-C (what was found is there; a
second Ctrl-C ends it at once), 2 wrong usage, or nobody can judge. docs/fuzz.md tells more.
`;

interface FuzzOptions {
  readonly world: World;
  readonly on: JudgeName;
  readonly runs: number;
  readonly seed: number;
  /** Null: the judge's. */
  readonly kernel: string | null;
  readonly checksEachCall: boolean;
  readonly most: number;
  readonly directory: string;
}

/** `sealab fuzz`. */
export async function fuzzCommand(args: readonly string[]): Promise<number> {
  const { options, operands } = parseArguments(args, OPTIONS);
  if (options.some(({ name }) => name === "help")) {
    writeAll(1, HELP);
    return 0;
  }
  if (operands.length > 0) throw new UsageError(`unexpected argument ${operands[0]!}`);
  return run(readOptions(new Map(options.map(({ name, value }) => [name, value]))));
}

async function run(options: FuzzOptions): Promise<number> {
  const theirs = judgeOf(options);
  const kernel = options.kernel ?? (options.on === "reference" ? DEFAULT_RELEASE.name : modelOf(theirs.name));
  const ours = emulatedJudge("sealab", {
    world: options.world,
    kernel,
    checksEachCall: options.checksEachCall,
  });
  const interruption = new Interruption(theirs);
  const progress = new Progress(options.runs);
  writeAll(1, `sealab as Linux ${kernel} and ${theirs.name}: seeds from ${String(options.seed)} on\n`);
  let found = 0;
  try {
    const done = await campaign(ours, theirs, {
      ...options,
      batch: BATCH[options.on],
      stopped: () => interruption.asked,
      progress: (runs, differences) => progress.show(runs, differences),
      found: (finding) => {
        found++;
        progress.clear();
        report(finding, options, theirs);
      },
    });
    progress.clear();
    const ended = interruption.asked ? ", ended by Ctrl-C" : "";
    writeAll(1, `${String(done)} runs, ${String(found)} difference${found === 1 ? "" : "s"}${ended}\n`);
  } finally {
    progress.clear();
    interruption.close();
    theirs.close();
  }
  if (interruption.asked) return INTERRUPTED_STATUS;
  return found > 0 ? DIFFERENT_STATUS : 0;
}

function report(finding: Finding, { directory }: FuzzOptions, theirs: HeldJudge): void {
  const lines = findingLines(finding, "sealab", theirs.name);
  const text = `${lines.join("\n")}\n`;
  writeAll(1, `\n${text}`);
  const scenario = scenarioOf(finding.list, [
    `sealab fuzz, seed ${String(finding.seed)}: sealab and ${theirs.name} part`,
  ]);
  const path = join(directory, `fuzz-${String(finding.seed)}.${scenario === null ? "txt" : "scenario"}`);
  try {
    mkdirSync(directory, { recursive: true });
    writeFileSync(path, scenario ?? text);
    writeAll(1, `saved as ${path}\n`);
  } catch (error) {
    stderrOutput.write(`sealab: ${path}: cannot be written: ${reasonOf(error)}`);
  }
}

/** Ctrl-C: the first ends the search in good order, the second at once. */
class Interruption {
  asked = false;
  private readonly listener: () => void;

  constructor(theirs: HeldJudge) {
    this.listener = () => {
      if (this.asked) {
        theirs.close();
        process.exit(INTERRUPTED_STATUS);
      }
      this.asked = true;
    };
    process.on("SIGINT", this.listener);
    process.on("SIGTERM", this.listener);
  }

  close(): void {
    process.off("SIGINT", this.listener);
    process.off("SIGTERM", this.listener);
  }
}

/** One line on a terminal, written over and over. */
class Progress {
  private readonly began = performance.now();
  private shown = false;

  constructor(private readonly runs: number) {}

  show(done: number, found: number): void {
    if (process.stderr.isTTY !== true) return;
    const minutes = (performance.now() - this.began) / 60_000;
    const rate = done / minutes;
    const width = 24;
    const filled = Math.round((done / this.runs) * width);
    const bar = "█".repeat(filled) + "░".repeat(width - filled);
    const left = Math.ceil(((this.runs - done) / rate) * 60);
    writeAll(
      2,
      `\r\u001b[K${bar} ${String(done)}/${String(this.runs)}  ${String(found)} found  ${String(Math.round(rate))} a minute  ${String(left)} s left`,
    );
    this.shown = true;
  }

  clear(): void {
    if (this.shown) writeAll(2, "\r\u001b[K");
    this.shown = false;
  }
}

function readOptions(options: ReadonlyMap<string, string | null>): FuzzOptions {
  const on = options.get("on") ?? "host";
  if (!isJudge(on)) throw new UsageError(`--on ${on}: there are ${JUDGES.join(", ")}`);
  const kernel = options.get("kernel") ?? null;
  if (kernel !== null && !RELEASE_NAMES.includes(kernel)) {
    throw new UsageError(`--kernel ${kernel}: not one of ${RELEASE_NAMES.join(", ")}`);
  }
  const about = options.get("about") ?? SMALL.name;
  const world = WORLDS.get(about);
  if (world === undefined)
    throw new UsageError(`--about ${about}: there are ${[...WORLDS.keys()].join(", ")}`);
  return {
    on,
    world,
    kernel,
    runs: whole("runs", options.get("runs"), DEFAULT_RUNS, 1),
    seed: whole("seed", options.get("seed"), Date.now() % 2 ** 31, 0),
    checksEachCall: options.has("check-calls"),
    most: whole("most", options.get("most"), DEFAULT_MOST, 1),
    directory: options.get("output") ?? ".",
  };
}

function isJudge(name: string): name is JudgeName {
  return (JUDGES as readonly string[]).includes(name);
}

function whole(name: string, value: string | null | undefined, otherwise: number, least: number): number {
  if (value == null) return otherwise;
  const number = /^\d{1,15}$/.test(value) ? Number(value) : NaN;
  if (!(number >= least))
    throw new UsageError(`--${name} ${value}: not a whole number from ${String(least)} on`);
  return number;
}

function judgeOf({ on, kernel, world }: FuzzOptions): HeldJudge {
  if (on === "host") return hostJudge(world);
  if (on === "linux") return linuxJudge(kernel, world);
  return emulatedJudge("reference", { world, kernel: kernel ?? DEFAULT_RELEASE.name, reference: true });
}

/** The newest modelled release that is not newer than a kernel. @param name `Linux 6.18.44` @throws Failure */
function modelOf(name: string): string {
  const number = (text: string): number => {
    const [major = "0", minor = "0"] = text.split(".");
    return Number(major) * 1000 + parseInt(minor, 10);
  };
  const asked = number(name.replace(/^Linux /, ""));
  const known = RELEASE_NAMES.filter((release) => number(release) <= asked);
  if (known.length === 0)
    throw new Failure(USAGE_STATUS, `${name} is older than any Linux that sealab models`);
  return known.reduce((newest, release) => (number(release) > number(newest) ? release : newest));
}
