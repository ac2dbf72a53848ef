import type { Step } from "./run.js";

/** Table cells for a longest common subsequence; where there would be more, what is left is put side by side. */
const MOST_CELLS = 16_000_000;

/**
 * Puts sequences of steps side by side, so that steps of one key stand in one row.
 * @returns rows with a step or null for each sequence
 */
export function align(sequences: readonly (readonly Step[])[]): (Step | null)[][] {
  let rows: (Step | null)[][] = [];
  sequences.forEach((steps, column) => {
    const keys = rows.map((row) => row.find((step) => step !== null)!.key);
    const merged: (Step | null)[][] = [];
    let [row, step] = [0, 0];
    const takeRow = (own: Step | null): void => {
      const taken = rows[row++]!;
      taken[column] = own;
      merged.push(taken);
    };
    const takeStep = (own: Step): void => {
      const fresh = sequences.map((): Step | null => null);
      fresh[column] = own;
      merged.push(fresh);
      step++;
    };
    for (const [atRow, atStep] of commonPairs(
      keys,
      steps.map(({ key }) => key),
    )) {
      while (row < atRow) takeRow(null);
      while (step < atStep) takeStep(steps[step]!);
      takeRow(steps[step++]!);
    }
    while (row < rows.length) takeRow(null);
    while (step < steps.length) takeStep(steps[step]!);
    rows = merged;
  });
  return rows;
}

/** Index pairs of a longest common subsequence of two lists, ascending. */
function commonPairs(a: readonly string[], b: readonly string[]): [number, number][] {
  const pairs: [number, number][] = [];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) pairs.push([start, start++]);
  let [endA, endB] = [a.length, b.length];
  const tail: [number, number][] = [];
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) tail.push([--endA, --endB]);
  const [height, width] = [endA - start, endB - start];
  if (height * width > 0 && height * width <= MOST_CELLS) {
    const lengths = new Uint16Array((height + 1) * (width + 1));
    const at = (i: number, j: number): number => i * (width + 1) + j;
    for (let i = height - 1; i >= 0; i--)
      for (let j = width - 1; j >= 0; j--)
        lengths[at(i, j)] =
          a[start + i] === b[start + j]
            ? lengths[at(i + 1, j + 1)]! + 1
            : Math.max(lengths[at(i + 1, j)]!, lengths[at(i, j + 1)]!);
    for (let i = 0, j = 0; i < height && j < width;) {
      if (a[start + i] === b[start + j]) pairs.push([start + i++, start + j++]);
      else if (lengths[at(i + 1, j)]! >= lengths[at(i, j + 1)]!) i++;
      else j++;
    }
  }
  return [...pairs, ...tail.reverse()];
}
