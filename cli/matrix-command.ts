import { readFileSync, writeFileSync } from "node:fs";
import { askMatrix } from "../debug/matrix/ask.js";
import { parseAnswers } from "../debug/matrix/answers.js";
import { Comparison, type Side } from "../debug/matrix/comparison.js";
import { KEYS, MEMORIES, PROTECTIONS, STATES, type State } from "../debug/matrix/dimensions.js";
import { matrixHtml } from "../debug/matrix/html.js";
import { matrixJson } from "../debug/matrix/json.js";
import { JUDGED } from "../debug/matrix/judged.js";
import type { Operation } from "../debug/matrix/operation.js";
import { buildMatrixProgram } from "../debug/matrix/program.js";
import { matrixText } from "../debug/matrix/text.js";
import { findTopic, TOPICS } from "../debug/matrix/topics.js";
import type { Topic } from "../debug/matrix/topics/topic.js";
import { whyText } from "../debug/matrix/why.js";
import { COLOURED, PLAIN } from "../debug/explain/style.js";
import { DEFAULT_RELEASE, RELEASE_NAMES } from "../kernel/release.js";
import { Failure, reasonOf, USAGE_STATUS } from "./failure.js";
import { columnsOf, wantsColour, writeAll } from "./output.js";
import { optionsHelp, parseArguments, UsageError, type OptionSpec } from "./option-parser.js";

const OPTIONS: readonly OptionSpec[] = [
  {
    name: "kernel",
    value: "R[,R2]",
    help: `The release that answers (${RELEASE_NAMES.join(", ")}; ${DEFAULT_RELEASE.name} unless told), or two next to each other.`,
  },
  { name: "json", help: "An object a cell, for programs." },
  { name: "html", help: "One page that needs no network." },
  {
    name: "why",
    value: "CELL",
    help: "Try one cell and say why: 'private-anon r key=none sealed DONTNEED'.",
  },
  { name: "elf", value: "FILE", help: "Write the program that asks, to be run on a kernel of yours." },
  { name: "answers", value: "FILE", help: "Show what that program printed next to the release's answers." },
  { name: "output", short: "o", value: "FILE", help: "Write there and not to stdout." },
  { name: "help", short: "h", help: "This text." },
];

const HELP = `Usage: sealab matrix TOPIC [OPTIONS]

What Linux answers, for memory of every kind, protection, key and seal:
${TOPICS.map(({ name, title }) => `  ${name.padEnd(9)}${title}`).join("\n")}

${optionsHelp(OPTIONS)}

The answers are those of a program that runs here, under the release's rules. Those of Linux
${Object.values(JUDGED).join(" and ")} have been compared with the real kernels', cell for cell; other releases'
are derived from the rules. docs/matrix.md tells more.
`;

/** `sealab matrix`. */
export function matrixCommand(args: readonly string[]): number {
  const before = parseArguments(args, OPTIONS);
  const after = parseArguments(before.operands.slice(1), OPTIONS);
  const options = new Map([...before.options, ...after.options].map(({ name, value }) => [name, value]));
  if (options.has("help")) {
    writeAll(1, HELP);
    return 0;
  }
  const [name] = before.operands;
  const all = TOPICS.map((topic) => topic.name).join(", ");
  if (name === undefined) throw new UsageError(`matrix of what? There are ${all}`);
  const topic = findTopic(name);
  if (topic === undefined) throw new UsageError(`no matrix ${name}; there are ${all}`);
  if (after.operands.length > 0) throw new UsageError(`unexpected argument ${after.operands[0]!}`);
  const text = answer(topic, options);
  const output = options.get("output");
  if (output == null) writeAll(1, text);
  else write(output, text);
  return 0;
}

/** What one of the two asks for leaves no room for the other. */
const EXCLUSIVE = [
  ["json", "html"],
  ["why", "json"],
  ["why", "html"],
  ["why", "elf"],
  ["why", "answers"],
  ["elf", "json"],
  ["elf", "html"],
  ["elf", "answers"],
  ["elf", "output"],
] as const;

type Options = ReadonlyMap<string, string | null>;

function answer(topic: Topic, options: Options): string {
  const kernels = kernelNames(options.get("kernel"));
  for (const [one, other] of EXCLUSIVE) {
    if (options.has(one) && options.has(other)) throw new UsageError(`--${one} and --${other}: one of them`);
  }
  const colour = wantsColour(1) && !options.has("output");
  const style = colour ? COLOURED : PLAIN;
  const elf = options.get("elf");
  if (elf != null) {
    write(elf, buildMatrixProgram(topic, STATES), 0o755);
    return "";
  }
  const cell = options.get("why");
  if (cell != null) {
    const { state, operation } = parseCell(topic, cell);
    return kernels.map((kernel) => whyText(topic, state, operation, kernel, columnsOf(1), style)).join("\n");
  }
  const sides = kernels.map((kernel) => ourSide(topic, kernel));
  const file = options.get("answers");
  if (file != null) {
    if (sides.length === 2) throw new UsageError("--answers goes with one release");
    sides.push(theirSide(topic, file));
  }
  const comparison = new Comparison(topic, sides);
  if (options.has("json")) return matrixJson(comparison);
  if (options.has("html")) return matrixHtml(comparison);
  return matrixText(comparison, columnsOf(1), style);
}

function ourSide(topic: Topic, kernel: string): Side {
  const judge = JUDGED[kernel];
  const standing = judge === undefined ? "derived from the rules" : `every cell as Linux ${judge} answers it`;
  return { name: kernel, standing, matrix: askMatrix(topic, kernel) };
}

function theirSide(topic: Topic, file: string): Side {
  try {
    const matrix = parseAnswers(topic, STATES, topic.operations, readFileSync(file, "utf8"));
    return { name: file, standing: "as the file has it", matrix };
  } catch (error) {
    throw new Failure(USAGE_STATUS, `--answers ${file}: ${reasonOf(error)}`);
  }
}

function kernelNames(value: string | null | undefined): string[] {
  if (value == null) return [DEFAULT_RELEASE.name];
  const names = value.split(",");
  for (const name of names) {
    if (!RELEASE_NAMES.includes(name)) {
      throw new UsageError(
        `--kernel ${value}: no release ${name || "''"}; there are ${RELEASE_NAMES.join(", ")}`,
      );
    }
  }
  if (names.length > 2) throw new UsageError(`--kernel ${value}: two releases at most`);
  return names;
}

/** Words in any order; without more, no key and unsealed. */
function parseCell(topic: Topic, text: string): { state: State; operation: Operation } {
  let [memory, protection, operation] = [undefined, undefined, undefined] as [
    State["memory"] | undefined,
    State["protection"] | undefined,
    Operation | undefined,
  ];
  let key: State["key"] = "none";
  let sealed = false;
  for (const word of text.split(/\s+/).filter((one) => one !== "")) {
    const plain = word.toLowerCase().replace(/^madv_/, "");
    const found = topic.operations.find((one) => one.name.toLowerCase() === plain);
    const asKey = KEYS.find((one) => `key=${one}` === plain);
    if (found !== undefined) operation = found;
    else if (asKey !== undefined) key = asKey;
    else if (plain === "sealed" || plain === "unsealed") sealed = plain === "sealed";
    else if (oneOf(MEMORIES, plain)) memory = plain;
    else if (oneOf(PROTECTIONS, plain)) protection = plain;
    else throw new UsageError(`--why: ${word} is nothing there; ${cellWords(topic)}`);
  }
  if (memory === undefined || protection === undefined || operation === undefined) {
    const missing = memory === undefined ? "memory" : protection === undefined ? "protection" : "operation";
    throw new UsageError(`--why: the ${missing} is missing; ${cellWords(topic)}`);
  }
  return { state: { memory, protection, key, sealed }, operation };
}

function oneOf<T extends string>(words: readonly T[], word: string): word is T {
  return (words as readonly string[]).includes(word);
}

function cellWords(topic: Topic): string {
  const operations = topic.operations.map(({ name }) => name).join(" ");
  return `there are ${MEMORIES.join(" ")}; ${PROTECTIONS.join(" ")}; key=${KEYS.join("|")}; sealed unsealed; ${operations}`;
}

function write(file: string, data: string | Uint8Array, mode = 0o644): void {
  try {
    writeFileSync(file, data, { mode });
  } catch (error) {
    throw new Failure(USAGE_STATUS, `${file}: cannot be written: ${reasonOf(error)}`);
  }
}
