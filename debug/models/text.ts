import { wrap, type Style } from "../explain/style.js";
import { answerText, grouped, parts, type Comparison, type Parting } from "./comparison.js";
import { gainOf } from "./gain.js";

/** Where the models part, to read: each step with the models' answers, the output, the ends. */
export function comparisonText(comparison: Comparison, columns: number, style: Style): string {
  const { program, runs, partings, output, endsPart } = comparison;
  const lines: string[] = [];
  const bullet = (mark: string, text: string): void => {
    const [first, ...rest] = wrap(text, columns - 6);
    lines.push(`    ${mark} ${first!}`, ...rest.map((line) => `      ${line}`));
  };
  lines.push(style.strong(`${program} under ${runs.map(({ model }) => model).join(", ")}`));
  if (!parts(comparison)) return `${[...lines, "", "They do not part."].join("\n")}\n`;
  for (const parting of partings) {
    lines.push("", title(parting));
    // Rules of one name may be different rules.
    const reason = (i: number): string => parting.steps[i]?.refusal?.text ?? "";
    for (const [key, models] of grouped(runs, (i) => `${answerText(parting, i)}\n${reason(i)}`)) {
      const answer = key.slice(0, key.indexOf("\n"));
      const mark = /^(ok|no )/.test(answer) ? style.allowed(answer) : style.refused(answer);
      lines.push(
        ...wrap(models.join(", "), columns - 4).map((line, i) => (i === 0 ? `  ${line}` : `    ${line}`)),
      );
      const { refusal } = parting.steps[runs.findIndex(({ model }) => model === models[0])] ?? {};
      bullet("-", refusal == null ? mark : `${mark}: ${refusal.text} ${style.faint(`(${refusal.source})`)}`);
    }
    const gain = gainOf(parting);
    const permitting = runs.filter((_, i) => parting.steps[i]?.outcome === "ok").map(({ model }) => model);
    if (parting.bySeal && gain !== null && permitting.length > 0)
      lines.push(...wrap(`gained where it is permitted: ${gain}`, columns - 2).map((line) => `  ${line}`));
  }
  if (output.length > 0) {
    lines.push("", style.strong("What it prints"));
    for (const line of output)
      for (const [text, models] of grouped(runs, (i) => line[i] ?? "(no line)"))
        lines.push(
          `  ${text}`,
          ...wrap(models.join(", "), columns - 6).map((names) => style.faint(`      ${names}`)),
        );
  }
  if (endsPart) {
    lines.push("", style.strong("How it ends"));
    for (const [end, models] of grouped(runs, (i) => runs[i]!.end))
      lines.push(`  ${end}: ${models.join(", ")}`);
  }
  return `${lines.join("\n")}\n`;
}

/** Which of several programs do not part; empty where all do. */
export function unpartedText(comparisons: readonly Comparison[], columns: number): string {
  const same = comparisons.filter((one) => !parts(one)).map(({ program }) => program);
  if (same.length === 0) return "";
  const head = `${same.length} of ${comparisons.length} do not part:`;
  return `${[head, ...wrap(same.join(", "), columns - 2).map((line) => `  ${line}`)].join("\n")}\n`;
}

/** The step as a reader finds it in the program. */
export function title({ place, text, nth }: Parting): string {
  if (place !== null) return `${place}: ${text}`;
  return nth === 1 ? text : `${text}, time ${nth}`;
}
