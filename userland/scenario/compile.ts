import { writeElf } from "../elf-writer.js";
import { Compiler, type Verb } from "./compiler.js";
import { TABLE } from "./layout.js";
import { nearest, type Mistake } from "./mistake.js";
import { parse } from "./parse.js";
import { runtimeImage } from "./runtime.js";
import type { Step } from "./step.js";
import type { Need } from "./syntax.js";
import { tableBytes } from "./table.js";
import { ACCESS_VERBS } from "./verbs-access.js";
import { ACTOR_VERBS } from "./verbs-actors.js";
import { FILE_VERBS } from "./verbs-files.js";
import { IPC_VERBS } from "./verbs-ipc.js";
import { KEY_VERBS } from "./verbs-keys.js";
import { MEMORY_VERBS } from "./verbs-memory.js";
import { USERFAULT_VERBS } from "./verbs-userfault.js";

/** A scenario that is ready to run. */
export interface CompiledScenario {
  readonly needs: readonly Need[];
  /** In the order in which they are written; `steps[i].index` is `i + 1`. */
  readonly steps: readonly Step[];
  /** A static program: the same for sealab, the host and another kernel. */
  readonly elf: Uint8Array;
}

/** Every statement's form, by its first word. */
export const VERBS: ReadonlyMap<string, Verb> = new Map([
  ...MEMORY_VERBS,
  ...ACCESS_VERBS,
  ...KEY_VERBS,
  ...FILE_VERBS,
  ...ACTOR_VERBS,
  ...USERFAULT_VERBS,
  ...IPC_VERBS,
]);

const WORDS = [...VERBS.keys(), "for", "needs"];

/**
 * Reads a scenario and makes its program.
 * @returns the program, or every mistake that could be told, in the order of the text
 */
export function compileScenario(
  source: string,
): { readonly scenario: CompiledScenario } | { readonly mistakes: readonly Mistake[] } {
  const { scenario, mistakes } = parse(source);
  const compiler = new Compiler(
    VERBS,
    ({ text }) => `there is no statement ${text}${nearest(text, WORDS)}`,
    mistakes,
  );
  const main = compiler.block(scenario.statements);
  if (mistakes.length === 0 && compiler.steps.length === 0)
    mistakes.push({ line: 1, column: 1, message: "expected a statement: nothing would be asked here" });
  if (mistakes.length > 0) {
    // One bad word in a `for` is one mistake, however often it was gone through.
    const seen = new Set<string>();
    const once = mistakes.filter(({ line, column, message }) => {
      const key = `${line}:${column}:${message}`;
      return !seen.has(key) && seen.add(key);
    });
    return { mistakes: once.sort((a, b) => a.line - b.line || a.column - b.column) };
  }
  const blocks = [main, ...compiler.blocks.filter((block) => block !== main)];
  const table = tableBytes(blocks, compiler.texts);
  const image = runtimeImage();
  const segment = {
    name: ".steps",
    address: TABLE,
    bytes: table,
    memorySize: table.length,
    read: true,
    write: false,
    execute: false,
  };
  const elf = writeElf({ ...image, segments: [...image.segments, segment] });
  return { scenario: { needs: scenario.needs, steps: compiler.steps, elf } };
}
