import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { Generator, type Generated } from "./generator.js";
import { encodeCase } from "./layout.js";

const FOLDER = join("tests", "recorded", "compat");
export const COUNT = 8000;
const SEED = 20261121;

/** The cases that are recorded: always the same. */
export function recordedCases(): Generated[] {
  const generator = new Generator(SEED);
  return Array.from({ length: COUNT }, () => generator.next());
}

interface Made {
  /** `model name` of /proc/cpuinfo with family, model and stepping. */
  readonly cpu: string;
  readonly kernel: string;
  /** SHA-256 of the cases; other cases' answers say nothing. */
  readonly cases: string;
}

function fingerprint(cases: readonly Generated[]): string {
  const sum = createHash("sha256");
  for (const c of cases) sum.update(encodeCase(c));
  return sum.digest("hex");
}

export function writeAnswers(
  cases: readonly Generated[],
  answers: Uint8Array,
  made: Pick<Made, "cpu" | "kernel">,
): void {
  mkdirSync(FOLDER, { recursive: true });
  const record: Made = { ...made, cases: fingerprint(cases) };
  writeFileSync(join(FOLDER, "answers.json"), JSON.stringify(record, null, 2) + "\n");
  writeFileSync(join(FOLDER, "answers.bin.gz"), gzipSync(answers, { level: 9 }));
}

/** Throws where the answers are to other cases. */
export function readAnswers(cases: readonly Generated[]): Buffer {
  const record = JSON.parse(readFileSync(join(FOLDER, "answers.json"), "utf8")) as Made;
  if (record.cases !== fingerprint(cases))
    throw new Error("recorded with other cases; run scripts/fuzz-compat.ts --record on a CPU to trust");
  return gunzipSync(readFileSync(join(FOLDER, "answers.bin.gz")));
}
