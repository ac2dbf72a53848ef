import { BufferHost } from "../buffer-host.js";
import { explanationLines } from "../explain/explanation.js";
import { PLAIN, wrap, type Style } from "../explain/style.js";
import { Machine } from "../machine.js";
import type { TraceRecord } from "../trace/record.js";
import { parseAnswers } from "./answers.js";
import { stateText, type State } from "./dimensions.js";
import type { Operation } from "./operation.js";
import { outcomeOf, resultName } from "./outcome.js";
import { AFTER_OPERATION, buildMatrixProgram } from "./program.js";
import type { Topic } from "./topics/topic.js";

const MEMORY_BYTES = 32 * 2 ** 20;
const DISCARDS: ReadonlySet<string> = new Set([
  "DONTNEED-from-below",
  "DONTNEED",
  "DONTNEED_LOCKED",
  "FREE",
  "REMOVE",
  "DONTFORK",
  "WIPEONFORK",
  "GUARD_INSTALL",
]);

/** One cell of the matrix, tried again, with the reason of the kernel's refusal. */
export function whyText(
  topic: Topic,
  state: State,
  operation: Operation,
  kernel: string,
  columns: number,
  style: Style = PLAIN,
): string {
  const host = new BufferHost();
  const machine = Machine.create({ host, kernel, memoryBytes: MEMORY_BYTES });
  machine.load(buildMatrixProgram(topic, [state], [operation]), { path: "/matrix" });
  const lines: string[] = [];
  let tried: TraceRecord | null = null;
  machine.trace((record) => {
    if (tried !== null || !belongs(machine, record)) return;
    tried = record;
    lines.push(record.text);
    const reasons = explanationLines(record, {
      style,
      columns: columns - 4,
      symbolAt: (address) => machine.symbolAt(address),
      instructionAt: (address) => machine.instructionAt(address),
    });
    for (const line of reasons) lines.push(`    ${line}`);
  });
  machine.run();
  const [answer] = parseAnswers(topic, [state], [operation], host.text(1)).answers;
  const outcome = outcomeOf(topic, operation, answer!);
  const head = `${stateText(state)}: ${operation.text}`;
  const result = resultName(answer!);
  const said = outcome.text.startsWith(result) ? outcome.text : `${result} (${outcome.text})`;
  const rule =
    topic.name === "discard"
      ? discardRule(state, operation, kernel).flatMap((line) => wrap(line, columns))
      : [];
  return `${[style.strong(head), `Linux ${kernel}: ${said}`, ...lines, ...rule].join("\n")}\n`;
}

function belongs(machine: Machine, record: TraceRecord): boolean {
  if (record.type === "signal") return true;
  return record.type === "syscall" && machine.symbolAt(machine.registers.rip) === AFTER_OPERATION;
}

/** The three things that must all be so for a seal to refuse a discard (can_madv_modify). */
function discardRule(
  { memory, protection, key, sealed }: State,
  operation: Operation,
  kernel: string,
): string[] {
  if (!DISCARDS.has(operation.name)) return [`MADV_${operation.name} discards nothing: no seal refuses it.`];
  const writable = protection.includes("w") && key === "none";
  const anonymous = kernel < "6.18" && !kernel.startsWith("7") ? "no file, and not shared" : "no vm_ops";
  const mark = (yes: boolean): string => (yes ? "yes" : "no ");
  return [
    "A seal refuses a discard when all three are so:",
    `  ${mark(sealed)} the memory is sealed`,
    `  ${mark(memory === "private-anon")} it is anonymous (${anonymous})`,
    `  ${mark(!writable)} the caller may not write to it: ${
      protection.includes("w")
        ? key === "none"
          ? "it is writable"
          : "its key denies writes"
        : "it has no PROT_WRITE"
    }`,
  ];
}
