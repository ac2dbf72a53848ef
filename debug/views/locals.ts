import type { Variable } from "../dwarf/variables.js";
import { frameOf } from "./frames.js";
import { valueText } from "./values.js";
import { hex, type View } from "./view.js";

/** A parameter or local variable where the thread stands. */
export interface PlacedVariable extends Omit<Variable, "place"> {
  /** Null where the debugging information says it in a way that is not read (optimised code). */
  readonly address: number | null;
}

/** What is declared around RIP, the innermost last: there a name may stand for another thing than outside. */
export function localVariables(view: View): PlacedVariable[] {
  const module = view.modules.moduleAt(view.place, view.task.mm);
  const found = module?.variables.at(view.place - module.bias) ?? [];
  if (module === undefined || found.length === 0) return [];
  const frame = frameOf(view);
  const rbp = Number(view.registers.rbp);
  return found.map(({ place, ...rest }) => {
    const bases = { frame, "frame-pointer": rbp, address: module.bias };
    const base = place === null ? null : bases[place.kind];
    return { ...rest, address: base === null || place === null ? null : base + place.offset };
  });
}

/** A variable outside of functions, of whichever file has one of that name; undefined where its type is not known. */
export function globalVariable(view: View, name: string): PlacedVariable | undefined {
  for (const { variables, bias } of view.modules.of(view.task.mm)) {
    const found = variables.global(name);
    if (found?.place?.kind === "address") return { ...found, address: found.place.offset + bias };
  }
  return undefined;
}

const NUMBERS: ReadonlySet<string> = new Set(["number", "character", "boolean", "enumeration", "pointer"]);

/** A variable's value as far as it is a whole number; undefined: it is none, or cannot be read. */
export function valueOf(view: View, { address, type }: PlacedVariable): bigint | undefined {
  if (address === null || type === null || !NUMBERS.has(type.kind) || ![1, 2, 4, 8].includes(type.size))
    return undefined;
  const value = view.number(address, type.size);
  return value === null ? undefined : type.signed ? BigInt.asIntN(8 * type.size, value) : value;
}

export function localLines(view: View): string[] {
  return localVariables(view).map((variable) => {
    const { name, address, type } = variable;
    if (address === null) return `${name}: where it is kept is not told`;
    if (type === null) return `${name}: at ${hex(address)}, of a type that is not told`;
    const value = type.kind === "number" ? valueOf(view, variable) : undefined;
    if (value === undefined) return `${name} = ${valueText(view, type, address)}`;
    return `${name} = ${value}${value > 9n ? ` = ${hex(value)}` : ""}`;
  });
}
