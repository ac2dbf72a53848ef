import { PAGE_SIZE } from "../../mmu/layout.js";
import { EINVAL, ERANGE } from "../errno.js";
import { limitText, type ControlGroup } from "./control-group.js";
import type { GroupFile } from "./group-file.js";

/** What a file of a control group says, and what a write to it does. */
export interface FileRules {
  /** Permission bits; 0644 where it can be written, else 0444. */
  readonly mode?: number;
  /** The text, or -errno; without it reading is EINVAL. */
  readonly read?: (file: GroupFile) => string | number;
  /** 0 or -errno. */
  readonly write?: (file: GroupFile, text: string) => number;
}

const SUFFIXES = "KMGTPE";

/** Bytes with a suffix as pages (memparse, page_counter_memparse); null where it is none. */
export function parseBytes(text: string): number | null {
  const match = /^(0[xX][0-9a-fA-F]+|\d+)([KMGTPEkmgtpe]?)$/.exec(text);
  if (match === null) return null;
  const scale = match[2] === "" ? 0 : SUFFIXES.indexOf(match[2].toUpperCase()) + 1;
  return Math.floor((Number(match[1]) * 1024 ** scale) / PAGE_SIZE);
}

/** A number as kstrtoint takes it; null where it is none. */
export function parseNumber(text: string): number | null {
  const value = text.trim();
  if (!/^[+-]?(0[xX][0-9a-fA-F]+|\d+)$/.test(value)) return null;
  const number = Number(value.replace(/^[+-]/, ""));
  return value.startsWith("-") ? -number : number;
}

/** 0 or 1; -EINVAL for what is no number, `otherwise` for other numbers. */
export function parseSwitch(text: string, otherwise = -ERANGE): number {
  const value = parseNumber(text);
  return value === null ? -EINVAL : value === 0 || value === 1 ? value : otherwise;
}

/** A limit of memory, in pages. */
export function memoryLimit(
  get: (group: ControlGroup) => number,
  set: (file: GroupFile, pages: number) => void,
): FileRules {
  return {
    read: ({ group }) => limitText(get(group)),
    write: (file, text) => {
      const value = text.trim();
      const pages = value === "max" ? Infinity : parseBytes(value);
      if (pages === null) return -EINVAL;
      set(file, pages >= 2 ** 51 ? Infinity : pages);
      return 0;
    },
  };
}

/** A limit of how many, or "max". @param outOfRange for numbers below 0 */
export function countLimit(
  get: (group: ControlGroup) => number,
  set: (group: ControlGroup, count: number) => void,
  outOfRange: number,
  most = 2 ** 31,
): FileRules {
  return {
    read: ({ group }) => (get(group) === Infinity ? "max\n" : `${get(group)}\n`),
    write: ({ group }, text) => {
      const max = text.trim() === "max";
      const count = max ? Infinity : parseNumber(text);
      if (count === null) return -EINVAL;
      if (count < 0 || (!max && count >= most)) return outOfRange;
      set(group, count);
      return 0;
    },
  };
}

/** Lines of a name and a number. */
export function flatKeys(
  values: Readonly<Record<string, number>> | readonly (readonly [string, number])[],
): string {
  const lines = Array.isArray(values) ? values : Object.entries(values);
  return lines.map(([name, value]) => `${name} ${value}\n`).join("");
}
