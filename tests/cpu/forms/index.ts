import { handWrittenGroups } from "./by-hand/index.js";
import { GENERATED, generatedGroup } from "./generated.js";
import type { FormsGroup, FormsProgram } from "./layout.js";
import { x87Group } from "./x87.js";

/** Builds the program once. */
function once(group: FormsGroup): FormsGroup {
  let program: FormsProgram | undefined;
  return { name: group.name, build: () => (program ??= group.build()) };
}

/** Every group of forms. A runner takes `build().elf` and gives what it prints on descriptor 1. */
export const groups: readonly FormsGroup[] = [
  ...GENERATED.map((name) => generatedGroup(name)),
  x87Group,
  ...handWrittenGroups,
].map(once);

/** Runs an ELF file and gives what it printed on descriptor 1, up to its end. */
export type Runner = (elf: Uint8Array) => Uint8Array;

export { compare, locate } from "./compare.js";
export type { FormsGroup, FormsProgram } from "./layout.js";
export { readRecord } from "./records.js";
