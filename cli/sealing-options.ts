import { HUGETLB_PARAMETERS } from "../kernel/hugetlb-parameters.js";
import { PARAMETERS, readParameters } from "../kernel/parameters.js";
import { DEFAULT_RELEASE, findRelease, RELEASES } from "../kernel/release.js";
import { UsageError, type OptionSpec } from "./option-parser.js";

/** What is sealed without the program's asking. */
export const SEALING_OPTIONS: readonly OptionSpec[] = [
  {
    name: "seal-elf",
    value: "all|marked",
    optionalValue: true,
    help: "Seal programs and their libraries, as was proposed for glibc's loader; marked: those linked for it.",
  },
  {
    name: "param",
    value: "NAME=VALUE",
    help: `A kernel parameter (may be repeated): ${PARAMETERS.map(({ name, values }) => `${name}=${values.join("|")}`).join(", ")}, ${HUGETLB_PARAMETERS.map(({ name, value }) => `${name}=${value}`).join(", ")}.`,
  },
];

/** @param value null for the bare option. @throws UsageError */
export function readSealElf(value: string | null): true | "marked" {
  if (value !== null && value !== "all" && value !== "marked")
    throw new UsageError(`--seal-elf=${value}: not one of all, marked`);
  return value === "marked" ? value : true;
}

/** Parameters that `--kernel` has. @throws UsageError that lists the known ones */
export function checkParameters(params: readonly string[], kernel: string | null): readonly string[] {
  const release = kernel === null ? DEFAULT_RELEASE : findRelease(kernel);
  try {
    readParameters(params, release ?? DEFAULT_RELEASE, RELEASES);
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(`--param ${error.message}`);
    throw error;
  }
  return params;
}
