import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Machine } from "../debug/machine.js";
import type { ProgramToRun, ScenarioText } from "../debug/models/run.js";
import { readAnswers, readOutput, STEP_OFFSET, type Step } from "../userland/scenario/index.js";
import { readScenario } from "./check-files.js";
import { Failure, NOT_EXECUTABLE_STATUS, NOT_FOUND_STATUS, reasonOf, USAGE_STATUS } from "./failure.js";

const SCENARIO = ".scenario";
const ELF_MAGIC = 0x7f45_4c46;

/** Whether operands that begin with this one are scenarios and directories; otherwise it is a program with arguments. */
export function beginsList(operand: string): boolean {
  return operand.endsWith(SCENARIO) || isDirectory(operand);
}

/** A program with its arguments. @throws Failure */
export function programToRun(path: string, args: readonly string[]): ProgramToRun {
  return { name: path, elf: readProgram(path), args };
}

/** Scenarios, programs, and those below directories, sorted. @throws Failure where there is none, or one is wrong */
export function listToRun(paths: readonly string[]): ProgramToRun[] {
  const programs = paths.flatMap(filesOf).map((path) => {
    return path.endsWith(SCENARIO) ? scenarioToRun(path) : programToRun(path, []);
  });
  if (programs.length === 0)
    throw new Failure(USAGE_STATUS, `no ${SCENARIO} file and no program in ${paths.join(", ")}`);
  return programs;
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function filesOf(path: string): string[] {
  if (!isDirectory(path)) return [path];
  try {
    return readdirSync(path, { recursive: true, encoding: "utf8" })
      .sort()
      .map((name) => join(path, name))
      .filter((file) => file.endsWith(SCENARIO) || isElf(file));
  } catch (error) {
    throw new Failure(USAGE_STATUS, `${path}: ${reasonOf(error)}`);
  }
}

function isElf(path: string): boolean {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false;
  const file = openSync(path, "r");
  try {
    const head = Buffer.alloc(4);
    return readSync(file, head) === 4 && head.readUInt32BE() === ELF_MAGIC;
  } finally {
    closeSync(file);
  }
}

function readProgram(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const status = code === "ENOENT" || code === "ENOTDIR" ? NOT_FOUND_STATUS : NOT_EXECUTABLE_STATUS;
    throw new Failure(status, `${path}: ${reasonOf(error)}`);
  }
}

function scenarioToRun(path: string): ProgramToRun {
  const read = readScenario(path);
  if ("scenario" in read) {
    const { elf, steps } = read.scenario;
    return { name: path, elf, args: [], scenario: textOf(steps) };
  }
  const { line, column, message } = read[0]!;
  throw new Failure(USAGE_STATUS, `${path}:${line}:${column}: ${message}`);
}

function textOf(steps: readonly Step[]): ScenarioText {
  const place = ({ line, text }: Step): string => `line ${line}, ${text}`;
  return {
    placeOf(machine: Machine): string | null {
      // The program keeps the number of its statement where RBP points.
      const bytes = machine.read(Number(machine.registers.get("rbp")) + STEP_OFFSET, 4);
      if (bytes.length < 4) return null;
      const index = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
      const step = steps[index - 1];
      return step === undefined ? null : place(step);
    },
    answers(output: string): string[] {
      return readAnswers(steps, readOutput(output)).map(
        (answer, i) => `${place(steps[i]!)} -> ${answer.text}`,
      );
    },
  };
}
