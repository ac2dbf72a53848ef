import { CORE_FILES, CORE_FILES_BELOW } from "./core-files.js";
import type { ControlGroup } from "./control-group.js";
import type { FileRules } from "./file-rules.js";
import { MEMORY_FILES, MEMORY_FILES_BELOW } from "./memory-files.js";
import { PIDS_FILES } from "./pids-files.js";

type Table = Readonly<Record<string, FileRules>>;

function tablesOf(group: ControlGroup): Table[] {
  const below = group.parent !== null;
  const tables: Table[] = [CORE_FILES];
  if (below) tables.push(CORE_FILES_BELOW);
  if (group.has("memory")) tables.push(MEMORY_FILES);
  if (group.has("memory") && below) tables.push(MEMORY_FILES_BELOW);
  if (group.has("pids") && below) tables.push(PIDS_FILES);
  return tables;
}

/** The files that a group has, in their order. */
export function fileNames(group: ControlGroup): string[] {
  return tablesOf(group).flatMap(Object.keys).sort();
}

/** What a file of a group says and does; undefined where the group has no such file. */
export function fileRules(group: ControlGroup, name: string): FileRules | undefined {
  return tablesOf(group).find((table) => Object.hasOwn(table, name))?.[name];
}
