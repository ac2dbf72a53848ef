import type { TraceRecord } from "../trace/record.js";
import { PLAIN } from "./style.js";
import { grouped, refusalLines, type ExplainOptions } from "./refusal-text.js";

/** How a record is explained: adds what is at an address of code to the options for refusals. */
export interface ExplanationOptions extends ExplainOptions {
  /** The instruction at an address: `mov al, [rbx]`. */
  readonly instructionAt?: (address: number) => string | undefined;
}

const FAULT_SIGNALS: ReadonlySet<string> = new Set(["SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGTRAP"]);

/** The lines below a traced event that say why: none where nothing was refused. */
export function explanationLines(record: TraceRecord, options: ExplanationOptions = {}): string[] {
  if (record.type === "syscall")
    return record.refusal === undefined ? [] : refusalLines(record.refusal, options);
  if (record.type !== "signal" || !FAULT_SIGNALS.has(record.signal)) return [];
  const fromFault = record.refusal !== undefined || record.address !== undefined;
  if (!fromFault) return [];
  const style = options.style ?? PLAIN;
  const lines =
    record.refusal === undefined
      ? []
      : refusalLines(record.refusal, { ...options, outcome: `${record.signal} ${record.code}` });
  const symbol = options.symbolAt?.(record.rip);
  const instruction = options.instructionAt?.(record.rip);
  const at = `0x${record.rip.toString(16)}${symbol === undefined ? "" : ` <${symbol}>`}`;
  const what = instruction === undefined ? at : `${at}: ${style.strong(instruction)}`;
  lines.push(`${style.label("code".padEnd(9))}${what} (instruction ${grouped(record.instruction)})`);
  return lines;
}
