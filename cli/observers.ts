import { explanationLines, type ExplanationOptions } from "../debug/explain/explanation.js";
import { COLOURED, PLAIN } from "../debug/explain/style.js";
import type { Machine } from "../debug/machine.js";
import type { TraceRecord } from "../debug/trace/record.js";
import { columnsOf, fileOutput, stderrOutput, wantsColour, type LineOutput } from "./output.js";
import type { RunOptions } from "./run-options.js";

const INDENT = "    ";

/** How explanations are written for a machine, on stderr or stdout. */
export function explanationOptions(machine: Machine, fd: 1 | 2): ExplanationOptions {
  return {
    style: wantsColour(fd) ? COLOURED : PLAIN,
    columns: columnsOf(fd) - INDENT.length,
    symbolAt: (address) => machine.placeAt(address),
    instructionAt: (address) => machine.instructionAt(address),
  };
}

/**
 * Starts --trace and --explain.
 * @returns ends them and writes what is left
 */
export function observe(machine: Machine, options: RunOptions): () => void {
  const { trace, explain } = options;
  if (trace === null && !explain) return () => {};
  const traceOutput: LineOutput = trace?.file != null ? fileOutput(trace.file) : stderrOutput;
  const explanations = explanationOptions(machine, 2);
  // In a text trace on its way to a file, explanations go along; there is no terminal to colour.
  const inFile = { ...explanations, style: PLAIN, columns: 100 };

  const detach = machine.trace((record: TraceRecord) => {
    if (trace?.format === "json") {
      if (record.type !== "unfinished") traceOutput.write(JSON.stringify(record));
    } else if (trace !== null) traceOutput.write(record.prefix + lineOf(record));
    if (!explain) return;
    const together = trace?.format === "text";
    const lines = explanationLines(record, together && trace.file !== null ? inFile : explanations);
    if (lines.length === 0) return;
    const output = together ? traceOutput : stderrOutput;
    if (!together) output.write(record.prefix + record.text);
    for (const line of lines) output.write(INDENT + line);
  }, true);
  return () => {
    detach();
    traceOutput.close();
  };
}

function lineOf(record: TraceRecord): string {
  return record.type === "syscall" ? (record.resumed ?? record.text) : record.text;
}
