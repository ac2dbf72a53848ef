import { BufferHost } from "../buffer-host.js";
import { Machine } from "../machine.js";
import { parseAnswers, type Matrix } from "./answers.js";
import { STATES } from "./dimensions.js";
import { buildMatrixProgram } from "./program.js";
import type { Topic } from "./topics/topic.js";

const MEMORY_BYTES = 256 * 2 ** 20;

/** The whole matrix, as a machine of ours answers it. @param kernel a release that is modelled */
export function askMatrix(topic: Topic, kernel: string): Matrix {
  return parseAnswers(topic, STATES, topic.operations, runMatrix(buildMatrixProgram(topic, STATES), kernel));
}

/** What the program prints on a machine of ours. @throws Error when it does not end well */
export function runMatrix(elf: Uint8Array, kernel: string): string {
  const host = new BufferHost();
  const machine = Machine.create({ host, kernel, memoryBytes: MEMORY_BYTES });
  machine.load(elf, { path: "/matrix" });
  machine.run();
  if (machine.exit?.code !== 0)
    throw new Error(`the matrix's program ended with ${JSON.stringify(machine.exit)}`);
  return host.text(1);
}
