import { grouped } from "../explain/refusal-text.js";
import type { TraceRecord } from "../trace/record.js";
import type { TraceRow } from "./rows.js";

/** System calls, signals and ends, each with the instruction at which it was. */
export function traceRows(records: readonly TraceRecord[]): TraceRow[] {
  const width = Math.max(0, ...records.map(({ instruction }) => grouped(instruction).length));
  return records.map((record) => ({
    instruction: record.instruction,
    tid: record.tid,
    failed: record.type === "syscall" && record.errno !== undefined,
    text: `${grouped(record.instruction).padStart(width)}  ${record.prefix}${record.text}`,
  }));
}
