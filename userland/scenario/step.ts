import type { Alternative } from "./syntax.js";
import type { Expression, Name } from "./names.js";
import type { Pattern } from "./pattern.js";
import type { Place } from "./mistake.js";

/** What kind of answer a step gives, and so how it is written. */
export type AnswerKind =
  /** `ok` or the errno. */
  | { readonly kind: "outcome" }
  /** A number or the errno. */
  | { readonly kind: "number" }
  /** A number that was read; never an errno. */
  | { readonly kind: "loaded" }
  /**
   * An address, said by the names around it, or the errno. `asked` is the one that was asked for, `near` a name that it
   * may lie beside at a distance.
   */
  | { readonly kind: "address"; readonly asked: Expression; readonly near: Name | null }
  | { readonly kind: "pkru" }
  | { readonly kind: "rights"; readonly key: Expression }
  /** How a child ended. */
  | { readonly kind: "status" }
  /** mincore's vector: 1 for a resident page. */
  | { readonly kind: "resident" }
  /** What /proc/self/pagemap says of pages. */
  | { readonly kind: "pages" }
  /** The pool's figures in /proc/meminfo. */
  | { readonly kind: "pool" }
  | { readonly kind: "maps"; readonly start: Expression; readonly bytes: number }
  | { readonly kind: "smaps"; readonly start: Expression; readonly field: string }
  /** A block: only its end before time is an answer. */
  | { readonly kind: "block"; readonly exits: boolean }
  /** `ok` or the errno; the value is the new stack's. */
  | { readonly kind: "exec" };

/** The expectation of a release and later ones. */
export interface Expected {
  readonly from: number | null;
  readonly pattern: Pattern;
  /** As written. */
  readonly text: string;
}

/** One statement of a scenario as the program runs it. */
export interface Step extends Place {
  /** The number that its answers carry; 1 and up. */
  readonly index: number;
  readonly text: string;
  readonly answer: AnswerKind;
  /** Takes the result. */
  readonly target: Name | null;
  /** Of an access. */
  readonly access: Expression | null;
  /** Null where the scenario says nothing: success. */
  readonly expected: readonly Expected[] | null;
  /** Ranges that had names when the step was compiled: [name, pages]. */
  readonly ranges: readonly (readonly [Name, number])[];
}

export const expectedText = (alternative: Alternative): string =>
  alternative.tokens
    .map((token) => token.text)
    .join(" ")
    .replaceAll(" ,", ",")
    .replaceAll(" = ", "=");
