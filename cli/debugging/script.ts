import { readFileSync } from "node:fs";
import { reasonOf } from "../failure.js";

/** A line for the debugger, and where it comes from. */
export interface ScriptLine {
  readonly text: string;
  /** `FILE:LINE`, or `-e` for one of the command line. */
  readonly from: string;
}

/** The lines of a command file. @throws Error whose message says why it cannot be read */
export function readScript(path: string): ScriptLine[] {
  let text: string;
  try {
    text = readFileSync(path === "-" ? 0 : path, "utf8");
  } catch (error) {
    throw new Error(`${path}: cannot be read: ${reasonOf(error)}`, { cause: error });
  }
  const lines = text.split(/\r?\n/);
  return lines.map((line, i) => ({ text: line, from: `${path}:${i + 1}` }));
}
