/** Sentences that several models have. */

import type { SealRule } from "./sealing-model.js";

/** A maker of rules that come from one place unless told. */
export function rulesOf(usual: string): (name: string, text: string, source?: string) => SealRule {
  return (name, text, source = usual) => ({ name, text, source });
}

/** One seal against everything. */
export function modifyRule(source: string): SealRule {
  return {
    name: "modify",
    text: "a sealed area may not be unmapped, replaced, moved, resized or given another protection",
    source,
  };
}

/** A discard is a write of zeroes. */
export function discardRule(source: string): SealRule {
  return {
    name: "discard",
    text: "the content of sealed anonymous memory may be discarded only by who could overwrite it",
    source,
  };
}

/** What refuses, refuses all. */
export function wholeRule(source: string): SealRule {
  return {
    name: "all-or-nothing",
    text: "all areas of the range are asked before anything changes",
    source,
  };
}
