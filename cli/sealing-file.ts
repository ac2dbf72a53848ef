import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { ownModel, type ModelModule } from "../kernel/mm/sealing/own-model.js";
import { sealingModel } from "../kernel/mm/sealing/models.js";
import type { SealingModel } from "../kernel/mm/sealing/sealing-model.js";
import { Failure, USAGE_STATUS } from "./failure.js";
import { UsageError } from "./option-parser.js";

/** `./mine.js`, `models/mine.ts`: a file, not the name of a model. */
export function namesFile(value: string): boolean {
  return /[/\\]|\.[cm]?[jt]s$/.test(value);
}

/** The model that --sealing names: one of sealab's, or a file's. @throws UsageError, Failure */
export async function findSealing(value: string): Promise<SealingModel> {
  if (namesFile(value)) return loadFile(value);
  try {
    return sealingModel(value);
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(`--sealing ${value}: ${error.message}`);
    throw error;
  }
}

async function loadFile(file: string): Promise<SealingModel> {
  let module: ModelModule;
  try {
    module = (await import(pathToFileURL(resolve(file)).href)) as ModelModule;
  } catch (error) {
    throw new Failure(USAGE_STATUS, `--sealing ${file}: cannot be loaded: ${loadProblem(error)}`);
  }
  try {
    return ownModel(file, module);
  } catch (error) {
    if (error instanceof RangeError) throw new Failure(USAGE_STATUS, `--sealing ${file}: ${error.message}`);
    throw error;
  }
}

function loadProblem(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ERR_UNKNOWN_FILE_EXTENSION")
    return "this Node reads no TypeScript (22.18 and later do); JavaScript will do";
  if (code === "ERR_MODULE_NOT_FOUND") return "there is no such file, or it imports what is not there";
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return message.split("\n")[0]!;
}
