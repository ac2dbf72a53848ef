import { readAnswers } from "./answers.js";
import { FRAME, FRAME_HEAD } from "./interpreter.js";
import type { Operation } from "./operation.js";

/**
 * Reads what the interpreter wrote: the answers of each list, a line an operation. A list whose process ended badly has
 * one line that says so. Fewer than the lists when the program was ended before it was through.
 */
export function readFrames(lists: readonly (readonly Operation[])[], output: Uint8Array): string[][] {
  const view = new DataView(output.buffer, output.byteOffset, output.byteLength);
  const all: string[][] = [];
  let answers: string[] | null = null;
  for (let at = 0; at + FRAME_HEAD <= output.length && all.length < lists.length;) {
    const [kind, first, second] = [0, 8, 16].map((offset) => Number(view.getBigUint64(at + offset, true)));
    at += FRAME_HEAD;
    if (kind === FRAME.answers) {
      const size = first! + second!;
      answers = readAnswers(lists[all.length]!, output.subarray(at, at + size));
      at += size;
    } else {
      all.push(first === 0 && answers !== null ? answers : [endOf(first! & 0xffff)]);
      answers = null;
    }
  }
  return all;
}

function endOf(status: number): string {
  const signal = status & 0x7f;
  return signal === 0 ? `no answer: status ${String(status >> 8)}` : `no answer: signal ${String(signal)}`;
}
