import type { Comparison } from "./comparison.js";
import { KEY_WORDS, KEYS, MEMORIES, PROTECTIONS, stateText, STATES, type State } from "./dimensions.js";
import { outcomeOf } from "./outcome.js";

const STYLE = `
  :root { color-scheme: light dark; --line: #8884; --faint: #888; }
  body { font: 14px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 110em; padding: 0 1.5em; }
  h1 { font-size: 1.5em; } h2 { font-size: 1.1em; margin: 1.6em 0 .4em; }
  .scroll { overflow-x: auto; }
  table { border-collapse: collapse; font: 13px ui-monospace, monospace; }
  th, td { border: 1px solid var(--line); padding: .1em .35em; text-align: left; white-space: nowrap; }
  thead th { position: sticky; top: 0; background: Canvas; vertical-align: bottom; }
  thead th span { writing-mode: vertical-rl; transform: rotate(180deg); }
  tbody th { font-weight: normal; } tr.sealed th:last-of-type { font-weight: bold; }
  b { font-weight: normal; padding: 0 .15em; border-radius: 2px; cursor: help; }
  .refused { background: #d33; color: #fff; } .fault { background: #a3c; color: #fff; }
  .lost { background: #e9a; color: #000; } .done { color: var(--faint); }
  .differs { outline: 2px solid #26f; outline-offset: -1px; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: .1em 1em; } dt { font-family: ui-monospace, monospace; } dd { margin: 0; }
`;

/** The matrix as one page that needs nothing else: a table for each kind of memory, a letter for each key. */
export function matrixHtml(comparison: Comparison): string {
  const { topic, sides } = comparison;
  const heads = topic.operations
    .map(({ name, text }) => `<th title="${escape(text)}"><span>${escape(name)}</span></th>`)
    .join("");
  const tables = MEMORIES.map((memory) => {
    const rows = PROTECTIONS.flatMap((protection) =>
      [false, true].map((sealed) => {
        const cells = topic.operations
          .map(
            (_, i) =>
              `<td>${KEYS.map((key) => letter(comparison, { memory, protection, key, sealed }, i)).join("")}</td>`,
          )
          .join("");
        const first = sealed ? "" : `<th rowspan="2" scope="rowgroup">${protection}</th>`;
        return `<tr${sealed ? ' class="sealed"' : ""}>${first}<th scope="row">${sealed ? "sealed" : "unsealed"}</th>${cells}</tr>`;
      }),
    ).join("\n");
    return `<h2>${memory}</h2>\n<div class="scroll"><table>\n<thead><tr><th colspan="2"></th>${heads}</tr></thead>\n<tbody>\n${rows}\n</tbody></table></div>`;
  }).join("\n");
  const standings = sides
    .map(({ name, standing }) => `<li>Linux ${escape(name)}: ${escape(standing)}</li>`)
    .join("");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>sealab matrix: ${topic.name}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${topic.name}: ${escape(topic.title)}</h1>
<ul>${standings}</ul>
<p>A cell has a letter for each key: ${KEYS.map((key) => KEY_WORDS[key]).join(", ")}.${
    sides.length === 2
      ? ` Framed where ${escape(sides[0]!.name)} (left) and ${escape(sides[1]!.name)} (right) part.`
      : ""
  } Point at a letter for its words.</p>
${legend(comparison)}
${tables}
<h2>What is tried</h2>
<dl>${topic.operations.map(({ name, text }) => `<dt>${escape(name)}</dt><dd>${escape(text)}</dd>`).join("")}</dl>
</body>
</html>
`;
}

function letter(comparison: Comparison, state: State, operation: number): string {
  const { topic } = comparison;
  const { name } = topic.operations[operation]!;
  const outcomes = comparison.outcomes(state, operation);
  const differs = comparison.differs(state, operation);
  return (differs ? outcomes : outcomes.slice(0, 1))
    .map((outcome, side) => {
      const where = differs ? `Linux ${comparison.sides[side]!.name}: ` : "";
      const title = escape(`${stateText(state)} ${name}: ${where}${outcome.text}`);
      return `<b class="${outcome.kind}${differs ? " differs" : ""}" title="${title}">${outcome.letter}</b>`;
    })
    .join("");
}

function legend(comparison: Comparison): string {
  const seen = new Map<string, string>();
  for (const state of STATES) {
    comparison.topic.operations.forEach((operation, i) => {
      for (const answer of comparison.answers(state, i)) {
        const { letter: mark, text, kind } = outcomeOf(comparison.topic, operation, answer);
        seen.set(mark, `<dt><b class="${kind}">${mark}</b></dt><dd>${escape(text)}</dd>`);
      }
    });
  }
  return `<dl>${[...seen.values()].join("")}</dl>`;
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${String(character.charCodeAt(0))};`);
}
