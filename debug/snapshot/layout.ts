import type { GraphRules } from "./graph-rules.js";

/** What is done with a field. */
export const SKIPPED = 0;
/** Saved, but what it refers to is not looked into. */
export const VALUE = 1;
export const FOLLOWED = 2;

/** The fields of objects of one class that have the same ones, in their order. */
export interface Layout {
  readonly names: readonly string[];
  /** SKIPPED, VALUE or FOLLOWED for each. */
  readonly treatment: readonly number[];
}

const NONE: ReadonlySet<string> = new Set();

/** Every layout once. */
export class Layouts {
  private readonly byPrototype = new Map<object, Layout[]>();

  constructor(private readonly rules: Pick<GraphRules, "skippedFields" | "valueFields">) {}

  of(object: object): Layout {
    const names = Object.keys(object);
    const prototype = Object.getPrototypeOf(object) as object;
    let known = this.byPrototype.get(prototype);
    if (known === undefined) this.byPrototype.set(prototype, (known = []));
    const found = known.find((layout) => sameNames(layout.names, names));
    if (found !== undefined) return found;
    const layout = { names, treatment: this.treatmentOf(prototype, names) };
    known.push(layout);
    return layout;
  }

  private treatmentOf(prototype: object, names: readonly string[]): number[] {
    const skipped = this.rules.skippedFields.get(prototype) ?? NONE;
    const values = new Set<string>();
    for (let at: object | null = prototype; at !== null; at = Object.getPrototypeOf(at) as object | null)
      for (const name of this.rules.valueFields.get(at) ?? NONE) values.add(name);
    return names.map((name) => (skipped.has(name) ? SKIPPED : values.has(name) ? VALUE : FOLLOWED));
  }
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, i) => name === b[i]);
}
