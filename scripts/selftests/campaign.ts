import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { release, tmpdir } from "node:os";
import { dirname, join, relative, resolve } from "node:path";
import { count, differences } from "./outcome.js";
import type { Outcome } from "./outcome.js";
import { inSealab, onHost, run } from "./run.js";
import type { Ran } from "./run.js";

const USAGE = `usage: npm run selftests -- [OPTIONS] DIR [WORD...]
  DIR               built test programs (static ELF files), in it and in its directories
  WORD              only programs whose path has one of these words in it
  --against FILE    compare with results recorded there, not with this machine
  --record FILE     write what this machine answers to FILE; sealab is not run
  --with "OPTIONS"  options for sealab run
  --timeout SECS    for each program; 120 unless told
  --jobs N          so many at a time; 2 unless told
  --verbose         both outputs where they differ
  --cli FILE        another build of sealab`;

/** Lines of differences shown for a program. */
const SHOWN = 12;

interface Options {
  readonly directory: string;
  readonly words: readonly string[];
  readonly against: string | null;
  readonly record: string | null;
  readonly sealab: readonly string[];
  readonly milliseconds: number;
  readonly jobs: number;
  readonly verbose: boolean;
  readonly cli: string;
}

/** Results in a file: what one kernel answered. */
interface Recorded {
  readonly kernel: string;
  readonly results: Readonly<Record<string, Outcome>>;
}

function parse(repository: string, args: readonly string[]): Options | string {
  const given = new Map<string, string>();
  const rest: string[] = [];
  const valued = ["--against", "--record", "--with", "--timeout", "--jobs", "--cli"];
  for (let i = 0; i < args.length; i++) {
    const word = args[i]!;
    if (valued.includes(word)) {
      const value = args[++i];
      if (value === undefined) return `${word} needs a value`;
      given.set(word, value);
    } else if (word === "--verbose") given.set(word, "");
    else if (word.startsWith("-")) return `unknown option ${word}`;
    else rest.push(word);
  }
  const [directory, ...words] = rest;
  if (directory === undefined) return "a directory of test programs is needed";
  if (!statSync(directory, { throwIfNoEntry: false })?.isDirectory()) return `${directory} is no directory`;
  const seconds = Number(given.get("--timeout") ?? 120);
  const jobs = Number(given.get("--jobs") ?? 2);
  if (!(seconds > 0)) return "--timeout needs a number of seconds";
  if (!(Number.isInteger(jobs) && jobs > 0)) return "--jobs needs a number";
  return {
    directory: resolve(directory),
    words,
    against: given.get("--against") ?? null,
    record: given.get("--record") ?? null,
    sealab: (given.get("--with") ?? "").split(" ").filter((word) => word !== ""),
    milliseconds: seconds * 1000,
    jobs,
    verbose: given.has("--verbose"),
    cli: resolve(given.get("--cli") ?? join(repository, "dist", "cli.js")),
  };
}

/** Paths, below a directory, of the executable ELF files in it. */
function programsIn(directory: string): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || (statSync(path).mode & 0o100) === 0) continue;
    if (readFileSync(path).subarray(0, 4).toString("latin1") === "\x7fELF")
      found.push(relative(directory, path));
  }
  return found.sort();
}

function figures(outcome: Outcome): string {
  const numbers = (["ok", "fail", "skip"] as const).map((verdict) => count(outcome, verdict)).join("/");
  return `${numbers} ${outcome.end}`;
}

/**
 * @param args see the usage
 * @returns the exit status: 1 where something differs, 2 for wrong usage
 */
export async function campaign(repository: string, args: readonly string[]): Promise<number> {
  const options = parse(repository, args);
  if (typeof options === "string") {
    console.error(`${options}\n${USAGE}`);
    return 2;
  }
  const known: Recorded | null =
    options.against === null ? null : (JSON.parse(readFileSync(options.against, "utf8")) as Recorded);
  if (known === null && process.platform !== "linux") {
    console.error("this machine is no Linux: give results recorded on one (--against FILE)");
    return 2;
  }
  const { directory, words, milliseconds } = options;
  // What the programs leave beside them stays in a copy.
  const copy = mkdtempSync(join(tmpdir(), "sealab-selftests-"));
  cpSync(directory, copy, { recursive: true });
  const queue = programsIn(directory).filter(
    (name) => words.length === 0 || words.some((word) => name.includes(word)),
  );
  const results: Record<string, Outcome> = {};
  const total = queue.length;
  let differing = 0;
  const native = (name: string): Promise<Ran> => {
    const program = join(copy, name);
    return run(...onHost(program), dirname(program), milliseconds);
  };
  const compare = async (name: string): Promise<void> => {
    const recorded = known?.results[name];
    if (known !== null && recorded === undefined) {
      console.log(`skipped ${name}: not among the recorded results`);
      return;
    }
    const there = recorded === undefined ? await native(name) : { outcome: recorded, output: "" };
    const program = join(directory, name);
    const sealab = (more: readonly string[]): Promise<Ran> =>
      run(...inSealab(options.cli, [...options.sealab, ...more], program), dirname(program), milliseconds);
    let here = await sealab([]);
    // On the virtual clock a program that works until a time is over, or waits by looking again and again, takes long.
    if (here.outcome.end === "timeout" && !options.sealab.includes("--clock"))
      here = await sealab(["--clock", "host"]);
    const lines = differences(here.outcome, there.outcome);
    if (lines.length > 0) differing++;
    const verdict = lines.length === 0 ? "same   " : "DIFFERS";
    console.log(
      `${verdict} ${name.padEnd(44)} ${figures(here.outcome).padEnd(24)} ${figures(there.outcome)}`,
    );
    for (const line of lines.slice(0, options.verbose ? lines.length : SHOWN)) console.log(`        ${line}`);
    if (!options.verbose && lines.length > SHOWN)
      console.log(`        and ${lines.length - SHOWN} more (--verbose)`);
    if (options.verbose && lines.length > 0)
      console.log(`--- sealab\n${here.output}--- there\n${there.output}`);
  };
  const record = async (name: string): Promise<void> => {
    results[name] = (await native(name)).outcome;
    console.log(`${name.padEnd(44)} ${figures(results[name]!)}`);
  };
  if (options.record === null)
    console.log(
      `        ${"program: ok/fail/skip, end".padEnd(44)} ${"sealab".padEnd(24)} ${known?.kernel ?? release()}`,
    );
  await Promise.all(
    Array.from({ length: options.jobs }, async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift())
        await (options.record === null ? compare(next) : record(next));
    }),
  );
  rmSync(copy, { recursive: true, force: true });
  if (options.record !== null) {
    const sorted = Object.fromEntries(Object.entries(results).sort(([a], [b]) => (a < b ? -1 : 1)));
    writeFileSync(options.record, `${JSON.stringify({ kernel: release(), results: sorted }, null, 1)}\n`);
    return 0;
  }
  console.log(`${total - differing} of ${total} programs say in sealab what they say there`);
  return differing === 0 ? 0 : 1;
}
