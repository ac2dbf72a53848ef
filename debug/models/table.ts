import type { Comparison, Parting } from "./comparison.js";
import { gainOf } from "./gain.js";

/** A table of who stops what: a row for each call that a seal refuses somewhere. */
export interface StopTable {
  readonly models: readonly string[];
  readonly rows: readonly {
    readonly program: string;
    readonly call: string;
    /** What is gained where it is permitted. */
    readonly gain: string | null;
    readonly cells: readonly string[];
  }[];
}

export function stopTable(comparisons: readonly Comparison[]): StopTable {
  const models = comparisons[0]?.runs.map(({ model }) => model) ?? [];
  const rows = comparisons.flatMap(({ program, partings }) =>
    partings.filter(({ bySeal }) => bySeal).map((parting) => ({ program, ...rowOf(parting) })),
  );
  return { models, rows };
}

function rowOf(parting: Parting): { call: string; gain: string | null; cells: string[] } {
  const { text, nth, steps } = parting;
  const cells = steps.map((step) => (step === null ? "" : step.outcome));
  return { call: nth === 1 ? text : `${text} (${nth})`, gain: gainOf(parting), cells };
}

/** For a Markdown file: models down, so that the page stays narrow; a table for each program. */
export function stopMarkdown(comparisons: readonly Comparison[]): string {
  return comparisons
    .map((comparison) => {
      const { models, rows } = stopTable([comparison]);
      const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
      return [
        `### ${comparison.program}`,
        "",
        ...rows.map(({ call, gain }, i) => `${i + 1}. \`${call}\`${gain === null ? "" : `: ${gain}`}`),
        "",
        line(["model", ...rows.map((_, i) => String(i + 1))]),
        line(["---", ...rows.map(() => "---")]),
        ...models.map((model, m) => line([`\`${model}\``, ...rows.map(({ cells }) => cells[m]!)])),
        "",
      ].join("\n");
    })
    .join("\n");
}
