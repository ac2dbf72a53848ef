import type { Place } from "./mistake.js";
import type { Token } from "./tokens.js";

/** `kernel >= 6.17`, `keys`, `mseal`, `hugepages 4`: what a scenario needs of the machine. */
export type Need =
  | { readonly kind: "keys" }
  | { readonly kind: "mseal" }
  /** Free pages in the pool of huge ones. */
  | { readonly kind: "hugepages"; readonly count: number }
  | { readonly kind: "kernel"; readonly relation: ">=" | "<"; readonly release: number };

/** What is expected from a release on, or (null) from the first. */
export interface Alternative {
  /** As {@link releaseNumber} has it. */
  readonly from: number | null;
  readonly tokens: readonly Token[];
}

export interface Statement extends Place {
  /** As it stands there, one blank between words, `for`'s values put in, without the expectation. */
  readonly text: string;
  /** The name before the `=`. */
  readonly target: Token | null;
  readonly verb: Token;
  readonly args: readonly Token[];
  /** Where something missing at its end is missed. */
  readonly end: Place;
  /** Null where there is no arrow. */
  readonly expected: readonly Alternative[] | null;
  /** Of `child`, `thread`, `in`, `on`; null for a statement without braces. */
  readonly body: readonly Statement[] | null;
}

export interface Scenario {
  readonly needs: readonly Need[];
  readonly statements: readonly Statement[];
}

/** `6.17` as 6017, so that releases compare as numbers; a patch level is left out. NaN for what is no release. */
export function releaseNumber(text: string): number {
  const match = /^(\d+)\.(\d+)/.exec(text);
  return match === null ? NaN : Number(match[1]) * 1000 + Number(match[2]);
}

/** Pages that a scenario needs in the pool of huge ones. */
export function hugePagesOf(needs: readonly Need[]): number {
  return Math.max(0, ...needs.map((need) => (need.kind === "hugepages" ? need.count : 0)));
}
