import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { count, type Counts, type FormsProgram } from "./layout.js";

/** From the repository's root, where tests and scripts are run. */
const FOLDER = join("tests", "recorded", "forms");

/** What a real CPU printed, and by which program. */
export interface FormsRecord extends Counts {
  /** `model name` of /proc/cpuinfo with family, model and stepping. */
  readonly cpu: string;
  readonly kernel: string;
  /** SHA-256 of the program; another program's answers say nothing. */
  readonly program: string;
}

export function fingerprint({ elf }: FormsProgram): string {
  return createHash("sha256").update(elf).digest("hex");
}

function place(name: string, ending: string): string {
  return join(FOLDER, `${name}${ending}`);
}

/** A group's record and the bytes it is about. Throws where there is none, or where it was made by another program. */
export function readRecord(name: string, program: FormsProgram): { record: FormsRecord; output: Buffer } {
  if (!existsSync(place(name, ".json")))
    throw new Error(`${name}: nothing recorded; run scripts/record-forms.ts`);
  const record = JSON.parse(readFileSync(place(name, ".json"), "utf8")) as FormsRecord;
  if (record.program !== fingerprint(program)) {
    throw new Error(`${name}: recorded with another program; run scripts/record-forms.ts on a CPU to trust`);
  }
  return { record, output: gunzipSync(readFileSync(place(name, ".bin.gz"))) };
}

export function writeRecord(
  name: string,
  program: FormsProgram,
  output: Uint8Array,
  made: Pick<FormsRecord, "cpu" | "kernel">,
): void {
  mkdirSync(FOLDER, { recursive: true });
  const record: FormsRecord = { ...made, ...count(program.printed), program: fingerprint(program) };
  writeFileSync(place(name, ".json"), JSON.stringify(record, null, 2) + "\n");
  writeFileSync(place(name, ".bin.gz"), gzipSync(output, { level: 9 }));
}
