import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  compileScenario,
  readCompanion,
  type Companion,
  type CompiledScenario,
  type Mistake,
} from "../userland/scenario/index.js";
import { Failure, reasonOf, USAGE_STATUS } from "./failure.js";

const ENDING = ".scenario";

/** A scenario's file, read and compiled. */
export interface ScenarioFile {
  /** As the user named it, or found under the directory that the user named. */
  readonly path: string;
  readonly scenario: CompiledScenario;
  readonly companion: Companion | null;
}

/** The .scenario files that are named or lie below the directories named, sorted. @throws Failure */
export function findScenarios(paths: readonly string[], filter: string): string[] {
  const found = paths.flatMap((path) => {
    try {
      if (!statSync(path).isDirectory()) return [path];
      const below = readdirSync(path, { recursive: true, encoding: "utf8" });
      return below
        .filter((name) => name.endsWith(ENDING))
        .sort()
        .map((name) => join(path, name));
    } catch (error) {
      throw new Failure(USAGE_STATUS, `${path}: ${reasonOf(error)}`);
    }
  });
  return found.filter((path) => path.includes(filter));
}

/** Reads and compiles a file; its mistakes where it has some. @throws Failure where it cannot be read */
export function readScenario(path: string): ScenarioFile | readonly Mistake[] {
  const compiled = compileScenario(readText(path)!);
  if ("mistakes" in compiled) return compiled.mistakes;
  const text = readText(companionPath(path), true);
  try {
    return { path, scenario: compiled.scenario, companion: text === null ? null : readCompanion(text) };
  } catch (error) {
    throw new Failure(USAGE_STATUS, `${companionPath(path)}: ${reasonOf(error)}`);
  }
}

export function companionPath(path: string): string {
  return `${path.endsWith(ENDING) ? path.slice(0, -ENDING.length) : path}.answers.json`;
}

export function writeCompanion(path: string, companion: Companion): void {
  try {
    writeFileSync(companionPath(path), `${JSON.stringify(companion, null, 2)}\n`);
  } catch (error) {
    throw new Failure(USAGE_STATUS, `${companionPath(path)}: cannot be written: ${reasonOf(error)}`);
  }
}

function readText(path: string, optional = false): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (optional && (error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new Failure(USAGE_STATUS, `${path}: ${reasonOf(error)}`);
  }
}
