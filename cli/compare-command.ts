import { writeFileSync } from "node:fs";
import { COLOURED, PLAIN } from "../debug/explain/style.js";
import { LoadError } from "../debug/load-error.js";
import { compareRuns, parts, type Comparison } from "../debug/models/comparison.js";
import { comparisonHtml } from "../debug/models/html.js";
import { ModelRunner, type ProgramToRun, type RunLimits } from "../debug/models/run.js";
import { stopMarkdown } from "../debug/models/table.js";
import { comparisonText, unpartedText } from "../debug/models/text.js";
import { TODAYS_MODELS } from "../debug/models/today.js";
import type { SealingModel } from "../kernel/mm/sealing/sealing-model.js";
import { RELEASE_NAMES } from "../kernel/release.js";
import { beginsList, listToRun, programToRun } from "./compare-programs.js";
import { Failure, NOT_EXECUTABLE_STATUS, reasonOf, USAGE_STATUS } from "./failure.js";
import {
  optionsHelp,
  parseArguments,
  UsageError,
  type OptionSpec,
  type ParsedArguments,
} from "./option-parser.js";
import { columnsOf, wantsColour, writeAll } from "./output.js";
import { buildSample } from "./samples-command.js";
import { findSealing } from "./sealing-file.js";
import { checkParameters, readSealElf, SEALING_OPTIONS } from "./sealing-options.js";

const DEFAULT_INSTRUCTIONS = 1_000_000_000;

const OPTIONS: readonly OptionSpec[] = [
  {
    name: "sealing",
    value: "A,B[,C]",
    help: "The models, or modules of yours; unless told, all, as programs of today meet them.",
  },
  { name: "sample", help: "The operands are names of sample programs." },
  { name: "html", value: "FILE", help: "Write one page that needs no network (- is stdout)." },
  { name: "markdown", help: "Print tables of who stops what." },
  { name: "kernel", value: "RELEASE", help: `The Linux that answers: ${RELEASE_NAMES.join(", ")}.` },
  ...SEALING_OPTIONS,
  {
    name: "max-instructions",
    value: "N",
    help: `Stop each run after N instructions; ${DEFAULT_INSTRUCTIONS} unless told.`,
  },
  { name: "help", short: "h", help: "This text." },
];

const HELP = `Usage: sealab compare [OPTIONS] PROG [ARGS...]
       sealab compare [OPTIONS] FILE.scenario|DIR...
       sealab compare [OPTIONS] --sample NAME...

Runs a program once under each model of sealing, without input, and says where
they part: the call, each model's answer and its reason, what is gained where it
is permitted, what the program printed, and how it ended. Of a directory, all
scenarios (docs/scenarios.md) and ELF programs below it. sealab models lists the
models.

${optionsHelp(OPTIONS)}

Try:
  sealab compare --sample --sealing linux,mimmutable,rfc-v1:today jit-heap
  sealab compare --sealing linux,v4:today --html page.html userland/scenarios
`;

/** `sealab compare`. */
export async function compareCommand(args: readonly string[]): Promise<number> {
  const { options: parsed, operands } = readArguments(args);
  const options = new Map(parsed.map(({ name, value }) => [name, value]));
  if (options.has("help")) {
    writeAll(1, HELP);
    return 0;
  }
  const models = await modelsOf(options.get("sealing") ?? null);
  const limits = {
    ...limitsOf(options.get("kernel") ?? null, options.get("max-instructions") ?? null),
    ...(options.has("seal-elf") ? { sealElf: readSealElf(options.get("seal-elf") ?? null) } : {}),
    params: checkParameters(
      parsed.flatMap(({ name, value }) => (name === "param" ? [value ?? ""] : [])),
      options.get("kernel") ?? null,
    ),
  };
  const html = options.get("html") ?? null;
  if (html !== null && options.has("markdown")) throw new UsageError("--html and --markdown: one of them");
  const comparisons = compareAll(programsOf(operands, options.has("sample")), models, limits);
  if (html !== null) write(html, comparisonHtml(comparisons));
  else if (options.has("markdown")) writeAll(1, stopMarkdown(comparisons));
  else writeAll(1, text(comparisons));
  return 0;
}

/** What follows a program is the program's; among names of samples, scenarios and directories there may be options. */
function readArguments(args: readonly string[], inList = false): ParsedArguments {
  const { options, operands } = parseArguments(args, OPTIONS);
  const [first, ...more] = operands;
  const list = inList || options.some(({ name }) => name === "sample");
  if (first === undefined || more.length === 0 || !(list || beginsList(first))) return { options, operands };
  const rest = readArguments(more, true);
  return { options: [...options, ...rest.options], operands: [first, ...rest.operands] };
}

function compareAll(
  programs: readonly ProgramToRun[],
  models: readonly SealingModel[],
  limits: RunLimits,
): Comparison[] {
  const runner = new ModelRunner(limits);
  const comparisons: Comparison[] = [];
  for (const program of programs) {
    try {
      const runs = models.map((model) => runner.run(model, program));
      comparisons.push(compareRuns(program.name, runs));
    } catch (error) {
      if (!(error instanceof LoadError)) throw error;
      const problem = `${program.name}: ${error.reason}`;
      if (programs.length === 1) throw new Failure(NOT_EXECUTABLE_STATUS, problem);
      writeAll(2, `sealab: ${problem}\n`);
    }
  }
  return comparisons;
}

function programsOf(operands: readonly string[], samples: boolean): ProgramToRun[] {
  const [first, ...rest] = operands;
  if (first === undefined) throw new UsageError("compare: which program?");
  if (samples) return operands.map((name) => ({ name, elf: buildSample(name), args: [] }));
  return beginsList(first) ? listToRun(operands) : [programToRun(first, rest)];
}

/** Of several programs, those that do not part are only counted and named. */
function text(comparisons: readonly Comparison[]): string {
  const style = wantsColour(1) ? COLOURED : PLAIN;
  const columns = columnsOf(1);
  if (comparisons.length === 1) return comparisonText(comparisons[0]!, columns, style);
  const shown = comparisons.filter(parts).map((one) => comparisonText(one, columns, style));
  const rest = unpartedText(comparisons, columns);
  return [...shown, ...(rest === "" ? [] : [rest])].join("\n");
}

async function modelsOf(value: string | null): Promise<SealingModel[]> {
  const names = value?.split(",") ?? TODAYS_MODELS;
  if (names.includes("")) throw new UsageError(`--sealing ${value}: a model's name is missing`);
  if (new Set(names).size !== names.length) throw new UsageError(`--sealing ${value}: a model twice`);
  if (names.length < 2) throw new UsageError(`--sealing ${value}: two models at least`);
  const models: SealingModel[] = [];
  for (const name of names) models.push(await findSealing(name));
  return models;
}

function limitsOf(kernel: string | null, instructions: string | null): RunLimits {
  if (kernel !== null && !RELEASE_NAMES.includes(kernel))
    throw new UsageError(`--kernel ${kernel}: not one of ${RELEASE_NAMES.join(", ")}`);
  const maxInstructions = instructions === null ? DEFAULT_INSTRUCTIONS : Number(instructions);
  if (!Number.isSafeInteger(maxInstructions) || maxInstructions <= 0)
    throw new UsageError(`--max-instructions ${instructions}: not a whole number above 0`);
  return { maxInstructions, ...(kernel === null ? {} : { kernel }) };
}

function write(file: string, page: string): void {
  if (file === "-") return writeAll(1, page);
  try {
    writeFileSync(file, page);
  } catch (error) {
    throw new Failure(USAGE_STATUS, `${file}: cannot be written: ${reasonOf(error)}`);
  }
}
