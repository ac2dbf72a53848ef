import { areaText, protectionText } from "../explain/refusal-text.js";
import type { AreaSnapshot } from "../../kernel/refusal.js";

/** What an area shall be; what is left out may be anything. */
export interface AreaExpected {
  /** An address in it, in bytes. */
  readonly at?: number;
  /** Half-open range in bytes. */
  readonly start?: number;
  readonly end?: number;
  /** As /proc/self/maps has it: `rw-`. */
  readonly prot?: string;
  readonly key?: number;
  readonly sealed?: boolean;
  /** A path, `[heap]`, `[stack]`, or "" for none. */
  readonly name?: string;
}

/** What of an area is not as expected, in words; none: it is that. */
export function areaDifferences(area: AreaSnapshot, expected: AreaExpected): string[] {
  const is = { ...area, prot: protectionText(area.prot) };
  const fields = ["start", "end", "prot", "key", "sealed", "name"] as const;
  const differences = fields
    .filter((field) => expected[field] !== undefined && expected[field] !== is[field])
    .map((field) => `${field} ${shown(is[field])}, not ${shown(expected[field]!)}`);
  const { at } = expected;
  if (at !== undefined && !(area.start <= at && at < area.end)) differences.push(`without ${shown(at)}`);
  return differences;
}

export function expectedText(expected: AreaExpected): string {
  const fields = Object.entries(expected) as [string, string | number | boolean][];
  return fields.map(([field, value]) => `${field} ${field === "key" ? value : shown(value)}`).join(", ");
}

/** All areas, a line each. */
export function areaLines(areas: readonly AreaSnapshot[]): string {
  return areas.map((area) => `  ${areaText(area)}`).join("\n");
}

function shown(value: string | number | boolean): string {
  if (typeof value === "number") return value < 16 ? `${value}` : `0x${value.toString(16)}`;
  return typeof value === "string" ? JSON.stringify(value) : `${value}`;
}
