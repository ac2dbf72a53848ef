import { performance } from "node:perf_hooks";
import { COLOURED, PLAIN, type Style } from "../debug/explain/style.js";
import {
  answerLine,
  readAnswers,
  readOutput,
  hugePagesOf,
  withRecord,
  type Mistake,
} from "../userland/scenario/index.js";
import { findScenarios, readScenario, writeCompanion, type ScenarioFile } from "./check-files.js";
import { resultOf, type ScenarioResult } from "./check-result.js";
import { runOnHost, SealabTarget, type ScenarioRun } from "./check-targets.js";
import { Failure, USAGE_STATUS } from "./failure.js";
import {
  optionsHelp,
  parseArguments,
  UsageError,
  type OptionSpec,
  type ParsedOption,
} from "./option-parser.js";
import { columnsOf, wantsColour, writeAll } from "./output.js";
import { findSealing } from "./sealing-file.js";

const OPTIONS: readonly OptionSpec[] = [
  {
    name: "on",
    value: "WHERE",
    help: "sealab (unless told), host: this Linux itself, or linux: a real kernel in QEMU.",
  },
  { name: "kernel", value: "RELEASE", help: "Which Linux sealab is, such as 6.12; 6.18 unless told." },
  {
    name: "sealing",
    value: "MODEL",
    help: "What seals do in sealab, for scenarios of another model (docs/models.md).",
  },
  { name: "record", help: "Write what host or linux answers into each file's companion, NAME.answers.json." },
  { name: "filter", value: "TEXT", help: "Only files whose path contains TEXT." },
  { name: "verbose", short: "v", help: "Show every answer, not only the differences." },
  { name: "json", help: "Print one JSON document." },
  { name: "help", short: "h", help: "This text." },
];

const HELP = `Usage: sealab check [OPTIONS] FILE|DIR...

Runs scenarios (.scenario files: mmap, seals, keys, faults, forks, a step a line;
docs/scenarios.md has the language) and compares every answer with what the file
or its recorded companion expects.

${optionsHelp(OPTIONS)}

Exit status: 0 all as expected, 1 something differs, 2 a scenario is wrong.
`;

/** Of one file: beyond them it is hardly a scenario. */
const MOST_MISTAKES = 30;

interface CheckOptions {
  readonly on: "sealab" | "host" | "linux";
  readonly kernel: string | null;
  readonly sealing: string | null;
  readonly record: boolean;
  readonly filter: string;
  readonly verbose: boolean;
  readonly json: boolean;
}

/** A file that is no scenario, and why. */
interface BadFile {
  readonly path: string;
  readonly mistakes: readonly Mistake[];
}

/** `sealab check`: gives the exit status. */
export async function checkCommand(args: readonly string[]): Promise<number> {
  const { parsed, operands } = interspersed(args);
  if (parsed.some((option) => option.name === "help")) {
    writeAll(1, HELP);
    return 0;
  }
  const options = readOptions(parsed);
  if (operands.length === 0) throw new UsageError("check: which scenarios? a file or a directory");
  const paths = findScenarios(operands, options.filter);
  if (paths.length === 0) {
    const named = options.filter === "" ? "" : ` has ${options.filter} in its path`;
    throw new Failure(USAGE_STATUS, `no .scenario file in ${operands.join(", ")}${named}`);
  }
  const started = performance.now();
  const files: ScenarioFile[] = [];
  const bad: BadFile[] = [];
  for (const path of paths) {
    const read = readScenario(path);
    if ("scenario" in read) files.push(read);
    else {
      bad.push({ path, mistakes: read });
      for (const mistake of read.slice(0, MOST_MISTAKES)) writeAll(2, mistakeLine(path, mistake));
      if (read.length > MOST_MISTAKES) writeAll(2, `${path}: and ${read.length - MOST_MISTAKES} more\n`);
    }
  }
  const results = await runAll(files, options);
  const seconds = (performance.now() - started) / 1000;
  if (options.json) writeAll(1, `${JSON.stringify(jsonOf(results, bad, options), null, 2)}\n`);
  else writeAll(1, summary(results, bad.length, seconds));
  if (bad.length > 0) return USAGE_STATUS;
  return results.some(({ outcome }) => outcome === "differs") ? 1 : 0;
}

/** Options may stand behind the files too. */
function interspersed(args: readonly string[]): { parsed: ParsedOption[]; operands: string[] } {
  const parsed: ParsedOption[] = [];
  const operands: string[] = [];
  let rest = args;
  while (rest.length > 0) {
    const found = parseArguments(rest, OPTIONS);
    parsed.push(...found.options);
    operands.push(...found.operands.slice(0, 1));
    rest = found.operands.slice(1);
  }
  return { parsed, operands };
}

function readOptions(parsed: readonly ParsedOption[]): CheckOptions {
  const value = (name: string): string | null =>
    parsed.findLast((option) => option.name === name)?.value ?? null;
  const given = (name: string): boolean => parsed.some((option) => option.name === name);
  const on = value("on") ?? "sealab";
  if (on !== "sealab" && on !== "host" && on !== "linux")
    throw new UsageError(`--on ${on}: expected sealab, host or linux`);
  if (given("record") && on === "sealab")
    throw new UsageError("--record writes down what real Linux answers: with --on host or --on linux");
  if (given("sealing") && on !== "sealab") throw new UsageError(`--sealing is sealab's: not with --on ${on}`);
  if (given("kernel") && on !== "sealab") throw new UsageError(`--kernel is sealab's: not with --on ${on}`);
  return {
    on,
    kernel: value("kernel"),
    sealing: value("sealing"),
    record: given("record"),
    filter: value("filter") ?? "",
    verbose: given("verbose"),
    json: given("json"),
  };
}

async function runAll(files: readonly ScenarioFile[], options: CheckOptions): Promise<ScenarioResult[]> {
  const style = !options.json && wantsColour(1) ? COLOURED : PLAIN;
  const columns = columnsOf(1);
  const results: ScenarioResult[] = [];
  const take = (index: number, run: ScenarioRun): void => {
    const file = options.record ? recorded(files[index]!, run) : files[index]!;
    const result = resultOf(file, run, style, columns);
    results.push(result);
    if (!options.json) writeAll(1, resultText(result, options.verbose, style));
  };
  const elfs = files.map(({ scenario }) => scenario.elf);
  if (options.on === "host") await runOnHost(elfs, take);
  else if (options.on === "linux")
    await (await import("./on-linux-batch.js")).runBatch(elfs, take, mostHugePages(files));
  else {
    const sealing = options.sealing === null ? null : await findSealing(options.sealing);
    try {
      const target = new SealabTarget(options.kernel, sealing);
      files.forEach(({ scenario }, i) => take(i, target.run(scenario.elf, scenario.needs)));
    } catch (error) {
      if (options.kernel !== null && error instanceof RangeError)
        throw new UsageError(`--kernel: ${error.message}`);
      throw error;
    }
  }
  return results;
}

function mostHugePages(files: readonly ScenarioFile[]): number {
  return Math.max(0, ...files.map(({ scenario }) => hugePagesOf(scenario.needs)));
}

/** Writes a run's answers into the file's companion. */
function recorded(file: ScenarioFile, run: ScenarioRun): ScenarioFile {
  const output = readOutput(run.output);
  if (run.trouble !== null || output.release === "") return file;
  const unanswered = { path: file.path, scenario: file.scenario, companion: null };
  if (resultOf(unanswered, run, PLAIN, 100).outcome === "skipped") return file;
  const { steps } = file.scenario;
  const answers = readAnswers(steps, output).map((answer, i) => answerLine(steps[i]!, answer.text));
  // What is no part of the release (a build's own name) is left out.
  const kernel = /^\d+\.\d+(\.\d+)?/.exec(output.release)![0];
  const companion = withRecord(file.companion, { kernel, answers });
  writeCompanion(file.path, companion);
  return { ...file, companion };
}

function mistakeLine(path: string, { line, column, message }: Mistake): string {
  return `${path}:${line}:${column}: ${message}\n`;
}

function resultText(result: ScenarioResult, verbose: boolean, style: Style): string {
  const shown = verbose ? result.steps : result.steps.filter(({ passed }) => !passed);
  if (!verbose && result.outcome !== "differs") return "";
  const head = {
    passed: style.allowed("ok"),
    differs: style.refused("differs"),
    skipped: style.faint("skipped"),
  };
  const lines = [`${head[result.outcome]}  ${result.path}${result.note === null ? "" : ` (${result.note})`}`];
  for (const { step, got, expected, passed, why } of shown) {
    const place = `${step.line}:${step.column}`.padEnd(8);
    if (passed) {
      lines.push(`  ${place}${step.text} -> ${got}`);
      continue;
    }
    lines.push(`  ${place}${style.strong(step.text)}`);
    lines.push(
      `          expected  ${expected ?? "no answer is recorded yet (--record --on host or linux)"}`,
    );
    lines.push(`          got       ${style.refused(got)}`);
    for (const line of why) lines.push(`          ${line}`);
  }
  return `${lines.join("\n")}\n`;
}

function summary(results: readonly ScenarioResult[], bad: number, seconds: number): string {
  const count = (outcome: ScenarioResult["outcome"]): number =>
    results.filter((result) => result.outcome === outcome).length;
  const answers = results.reduce((sum, { steps }) => sum + steps.length, 0);
  const parts = [`${count("passed")} passed`];
  if (count("differs") > 0) parts.push(`${count("differs")} differ`);
  if (count("skipped") > 0) parts.push(`${count("skipped")} skipped`);
  if (bad > 0) parts.push(`${bad} with mistakes`);
  const kernel = results.find((result) => result.kernel !== "")?.kernel ?? "";
  const by = kernel === "" ? "" : ` by Linux ${kernel}`;
  const all = results.length + bad;
  return `${all} scenario${all === 1 ? "" : "s"}: ${parts.join(", ")}; ${answers} answer${answers === 1 ? "" : "s"}${by} in ${seconds.toFixed(1)} s\n`;
}

function jsonOf(results: readonly ScenarioResult[], bad: readonly BadFile[], { on }: CheckOptions): unknown {
  return {
    on,
    mistakes: bad.flatMap(({ path, mistakes }) => mistakes.map((mistake) => ({ path, ...mistake }))),
    scenarios: results.map(({ path, kernel, outcome, note, record, steps }) => ({
      path,
      kernel,
      outcome,
      ...(note === null ? {} : { note }),
      ...(record === null ? {} : { record }),
      steps: steps.map(({ step, got, expected, passed, why }) => ({
        line: step.line,
        column: step.column,
        statement: step.text,
        expected,
        got,
        passed,
        ...(why.length === 0 ? {} : { why }),
      })),
    })),
  };
}
