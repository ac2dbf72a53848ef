import { Builder } from "./builder.js";
import type { MicroOp } from "./nodes.js";

const byName = new Map<string, number>();
const all: MicroOp[] = [];

/**
 * Defines a micro-op: writes its body once, for every tier. The order of definition gives its number, so that
 * families are defined when their module is loaded, in a fixed order (cpu/ops/index.ts).
 */
export function define(
  name: string,
  body: (b: Builder) => void,
  kind: "hot" | "rare" | "terminator" = "hot",
): void {
  if (byName.has(name)) throw new Error(`micro-op ${name} is defined twice`);
  const builder = new Builder();
  body(builder);
  byName.set(name, all.length);
  all.push(builder.finish(name, kind === "rare", kind === "terminator"));
}

/** @throws Error for a name that nobody defined: a mistake in the decoder. */
export function opNumber(name: string): number {
  const number = byName.get(name);
  if (number === undefined) throw new Error(`no micro-op ${name}`);
  return number;
}

export function microOps(): readonly MicroOp[] {
  return all;
}
