/** Where something is written in a scenario; both count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** What is wrong in a scenario, at a place. */
export interface Mistake extends Place {
  readonly message: string;
}

/** Thrown within the reading of one statement; the reader goes on with the next. */
export class ScenarioMistake extends Error {
  override readonly name = "ScenarioMistake";

  constructor(
    readonly place: Place,
    message: string,
  ) {
    super(message);
  }
}

/** The nearest of some words, where it is near enough to be meant: `; did you mean munmap?`, or nothing. */
export function nearest(word: string, words: Iterable<string>): string {
  let best = "";
  let least = 3;
  for (const one of words) {
    const away = distance(word, one);
    if (away < least && away < one.length) [best, least] = [one, away];
  }
  return best === "" ? "" : `; did you mean ${best}?`;
}

/** Levenshtein's. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}
