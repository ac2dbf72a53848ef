/** How a debugger moves in a run, forwards and back. */

import type { StopSpec } from "../stops/stop-spec.js";
import type { Moment } from "../timeline/moment.js";

/**
 * Each ends early at an enabled break, and at the end of the program or of what is known of the past. `count`: how
 * often; 1 unless told. Steps are those of the session's thread; others take their turns as the schedule has them.
 */
export type Motion =
  /** To the next break. */
  | { readonly kind: "continue" }
  /** One instruction; into calls. */
  | { readonly kind: "step-instruction"; readonly count?: number }
  /** One instruction; a CALL to its return. */
  | { readonly kind: "next-instruction"; readonly count?: number }
  /** To the beginning of another source line, into functions that have lines. */
  | { readonly kind: "step-line"; readonly count?: number }
  | { readonly kind: "next-line"; readonly count?: number }
  /** Until the present function has returned. */
  | { readonly kind: "finish" }
  /** To an address, by whatever thread. */
  | { readonly kind: "to-address"; readonly address: number }
  /** To the next of something: a system call, a fault, a signal, a refusal, a change of an area, entry or PKRU. */
  | { readonly kind: "to-next"; readonly what: StopSpec }
  /** To the instruction count, forwards or back, past all breaks; with `events`, to that moment exactly. */
  | { readonly kind: "go-to"; readonly instructions: number; readonly events?: number }
  /** Back to the last break, or to the beginning. */
  | { readonly kind: "reverse-continue" }
  | { readonly kind: "reverse-step-instruction"; readonly count?: number }
  /** One instruction back; a RET to before its CALL. */
  | { readonly kind: "reverse-next-instruction"; readonly count?: number }
  /** To the beginning of the line before. */
  | { readonly kind: "reverse-step-line"; readonly count?: number }
  | { readonly kind: "reverse-next-line"; readonly count?: number }
  /** To the CALL of the present function. */
  | { readonly kind: "reverse-finish" }
  /** To the last of something before now. */
  | { readonly kind: "to-last"; readonly what: StopSpec };

/** A question about the past; the session is afterwards where it was. */
export type Question =
  /** Who last wrote bytes in [start, end), before now? */
  | { readonly kind: "last-write"; readonly start: number; readonly end: number }
  /** When did the page-table entry of this address last change, before now? */
  | { readonly kind: "last-change-of-entry"; readonly address: number }
  /** What did the call whose exit (or refusal) we stand at change? */
  | { readonly kind: "changes-of-call" };

export type { Moment };
