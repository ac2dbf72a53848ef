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
  const { importFile, ModuleProblem } = await import("./module-file.js");
  try {
    return ownModel(file, (await importFile(file)) as ModelModule);
  } catch (error) {
    if (error instanceof ModuleProblem)
      throw new Failure(USAGE_STATUS, `--sealing ${file}: cannot be loaded: ${error.message}`);
    if (error instanceof RangeError) throw new Failure(USAGE_STATUS, `--sealing ${file}: ${error.message}`);
    throw error;
  }
}
