import { answerText, grouped, parts, type Comparison } from "./comparison.js";
import { gainOf } from "./gain.js";
import { title } from "./text.js";

const STYLE = `
  :root { color-scheme: light dark; --line: #8884; --faint: #888; }
  body { font: 14px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 110em; padding: 0 1.5em; }
  h1 { font-size: 1.5em; } h2 { font-size: 1.2em; margin: 1.6em 0 .4em; } h3 { font-size: 1em; margin: 1em 0 .3em; }
  .scroll { overflow-x: auto; }
  table { border-collapse: collapse; font: 13px ui-monospace, monospace; }
  th, td { border: 1px solid var(--line); padding: .15em .5em; text-align: left; vertical-align: top; }
  th { font-weight: normal; } thead th { background: Canvas; }
  .refused { background: #2a7; color: #fff; } .done { background: #d33; color: #fff; } .none { color: var(--faint); }
  pre { margin: .2em 0; } .faint { color: var(--faint); }
`;

/** One page that needs nothing else: for each program the calls that the models part at, the output, the ends. */
export function comparisonHtml(comparisons: readonly Comparison[]): string {
  const models = comparisons[0]?.runs.map(({ model }) => model) ?? [];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>sealab compare: ${escape(pageTitle(comparisons))}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Models of sealing, side by side</h1>
<p>${escape(models.join(", "))}. A cell has the rule that refused; the mouse shows it in full.</p>
${comparisons
  .filter((one) => comparisons.length === 1 || parts(one))
  .map(section)
  .join("\n")}
${unparted(comparisons)}</body>
</html>
`;
}

function pageTitle(comparisons: readonly Comparison[]): string {
  const names = comparisons.map(({ program }) => program);
  return names.length > 5 ? `${names.length} programs` : names.join(", ");
}

function section(comparison: Comparison): string {
  const { program, runs, partings, output, endsPart } = comparison;
  const heads = runs.map(({ model }) => `<th scope="col">${escape(model)}</th>`).join("");
  const rows = partings.map((parting) => {
    const gain = parting.bySeal ? gainOf(parting) : null;
    const cells = runs.map((_, i) => {
      const step = parting.steps[i] ?? null;
      const kind = step === null ? "none" : step.outcome.startsWith("ok") ? "done" : "refused";
      // Outside seals neither answer is the better one.
      const colour = parting.bySeal || step === null ? ` class="${kind}"` : "";
      const reason = step?.refusal == null ? "" : ` title="${escape(step.refusal.text)}"`;
      return `<td${colour}${reason}>${escape(answerText(parting, i))}</td>`;
    });
    const note = gain === null ? "" : `<br><span class="faint">permitted: ${escape(gain)}</span>`;
    return `<tr><th scope="row">${escape(title(parting))}${note}</th>${cells.join("")}</tr>`;
  });
  const printed = output.map((line) =>
    grouped(runs, (i) => line[i] ?? "(no line)")
      .map(
        ([text, models]) =>
          `<pre>${escape(text)}  <span class="faint">${escape(models.join(", "))}</span></pre>`,
      )
      .join(""),
  );
  const ends = grouped(runs, (i) => runs[i]!.end)
    .map(([end, models]) => `<li>${escape(end)}: ${escape(models.join(", "))}</li>`)
    .join("");
  const calls =
    rows.length === 0
      ? "<p>The models do not part at any call.</p>"
      : `<div class="scroll"><table><thead><tr><th></th>${heads}</tr></thead><tbody>\n${rows.join("\n")}\n</tbody></table></div>`;
  return `<h2>${escape(program)}</h2>
${calls}${printed.length === 0 ? "" : `\n<h3>What it prints</h3>\n${printed.join("\n")}`}${endsPart ? `\n<h3>How it ends</h3>\n<ul>${ends}</ul>` : ""}`;
}

/** Which of several programs do not part. */
function unparted(comparisons: readonly Comparison[]): string {
  const same = comparisons.filter((one) => !parts(one)).map(({ program }) => program);
  if (same.length === 0 || comparisons.length === 1) return "";
  return `<h2>${same.length} of ${comparisons.length} do not part</h2>\n<p class="faint">${escape(same.join(", "))}</p>\n`;
}

function escape(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}
