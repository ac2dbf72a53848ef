import type { ExecutorFactory } from "../../cpu/executor.js";
import { ReferenceEvaluator } from "../../cpu/ir/evaluator.js";
import { checkMachine } from "../../kernel/mm/check-machine.js";
import { BufferHost } from "../buffer-host.js";
import { Machine } from "../machine.js";
import { readFrames } from "./frames.js";
import { buildInterpreter } from "./interpreter.js";
import { encodeLists, type Operation } from "./operation.js";
import { SMALL, type World } from "./worlds.js";

const MEMORY_BYTES = 96 * 2 ** 20;
/** Three processes with all of a wide arena, and the pool. */
const WIDE_MEMORY_BYTES = 192 * 2 ** 20;
/** The check looks at every frame: the fewer there are, the faster it is. */
const CHECKED_MEMORY_BYTES = 24 * 2 ** 20;
/** Far more than any list needs. */
const INSTRUCTIONS_A_LIST = 5_000_000;

export interface EmulatedOptions {
  /** Whose lists they are; the world of small areas unless told. */
  readonly world?: World;
  /** A release that is modelled; the default one unless told. */
  readonly kernel?: string;
  /** Areas, page tables, frames and counters are held against each other after every call, and not once a list. */
  readonly checksEachCall?: boolean;
  /** The CPU's operations as the reference evaluator has them, in place of the interpreter. */
  readonly reference?: boolean;
}

const evaluator: ExecutorFactory = (memory, imports) => new ReferenceEvaluator(memory, imports);

/** Answers lists of operations with a machine of ours, and checks the machine itself. */
export class EmulatedLists {
  private readonly elf = buildInterpreter();

  constructor(private readonly options: EmulatedOptions = {}) {}

  answer(lists: readonly (readonly Operation[])[]): string[][] {
    const { answers, trouble } = this.run(lists);
    if (trouble === null) return answers;
    if (lists.length === 1) return [[trouble]];
    // Which of them it was is found by asking one at a time.
    return lists.flatMap((list) => this.answer([list]));
  }

  private run(lists: readonly (readonly Operation[])[]): { answers: string[][]; trouble: string | null } {
    const { kernel, reference, checksEachCall, world = SMALL } = this.options;
    const host = new BufferHost(encodeLists(lists));
    const machine = Machine.create({
      host,
      memoryBytes: memoryOf(world, checksEachCall === true),
      ...(world.hugePages > 0 ? { params: [`hugepages=${String(world.hugePages)}`] } : {}),
      ...(kernel === undefined ? {} : { kernel }),
      ...(reference === true ? { executor: evaluator } : {}),
    });
    const problems: string[] = [];
    const check = (name: string): void => {
      if (problems.length > 0) return;
      const wrong = checkMachine(machine.kernel);
      if (wrong.length > 0) problems.push(`at ${name}`, ...wrong);
    };
    machine.on("syscallEnter", ({ name }) => {
      if (name === "exit_group") check(name);
    });
    if (checksEachCall === true)
      machine.on("syscallExit", ({ name }) => {
        // Of what exit_group left nobody knows any more.
        if (name !== "exit_group" && name !== "exit") check(name);
      });
    try {
      machine.load(this.elf);
      const end = machine.run(lists.length * INSTRUCTIONS_A_LIST);
      if (end.reason !== "exited" || machine.exit?.code !== 0)
        problems.push(`${end.reason} ${JSON.stringify(machine.exit)}`);
    } catch (error) {
      problems.push(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
    }
    if (problems.length > 0) return { answers: [], trouble: `sealab: ${problems.join("; ")}` };
    return { answers: readFrames(lists, join(host.written[1])), trouble: null };
  }
}

function memoryOf(world: World, checked: boolean): number {
  if (world !== SMALL) return WIDE_MEMORY_BYTES;
  return checked ? CHECKED_MEMORY_BYTES : MEMORY_BYTES;
}

function join(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
