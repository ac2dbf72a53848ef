import { COLOURED, PLAIN, wrap, type Style } from "../debug/explain/style.js";
import { findDesign, SEALING_DESIGNS, SEALING_NAMES } from "../kernel/mm/sealing/models.js";
import type { SealingDesign } from "../kernel/mm/sealing/sealing-model.js";
import { optionsHelp, parseArguments, UsageError, type OptionSpec } from "./option-parser.js";
import { columnsOf, wantsColour, writeAll } from "./output.js";

const OPTIONS: readonly OptionSpec[] = [{ name: "help", short: "h", help: "This text." }];

const HELP = `Usage: sealab models         list the models of sealing
       sealab models NAME    print one model's rules, and where they come from

${optionsHelp(OPTIONS)}

Run a program under one of them with
  sealab run --sealing NAME PROG
or under one of yours, as docs/models.md tells, with
  sealab run --sealing ./FILE.mjs PROG
`;

/** `sealab models`. */
export function modelsCommand(args: readonly string[]): number {
  const { options, operands } = parseArguments(args, OPTIONS);
  if (options.length > 0) {
    writeAll(1, HELP);
    return 0;
  }
  const [name, ...more] = operands;
  if (more.length > 0) throw new UsageError(`unexpected argument ${more[0]!}`);
  const style = wantsColour(1) ? COLOURED : PLAIN;
  if (name === undefined) {
    const width = Math.max(...SEALING_NAMES.map(({ length }) => length)) + 2;
    writeAll(1, SEALING_DESIGNS.map((one) => `${one.name.padEnd(width)}${one.title}\n`).join(""));
    return 0;
  }
  // As --sealing takes it: what its options do stands below its rules.
  const design = findDesign(name.replace(/:.*/, ""));
  if (design === undefined) throw new UsageError(`no model ${name}; there are ${SEALING_NAMES.join(", ")}`);
  writeAll(1, `${designLines(design, columnsOf(1), style).join("\n")}\n`);
  return 0;
}

/** A model in full: its title, its rules with their sources, its options. */
function designLines(design: SealingDesign, columns: number, style: Style): string[] {
  const { name, title, source, rules, options } = design;
  const indented = (text: string, indent: string): string[] =>
    wrap(text, columns - indent.length).map((line) => indent + line);
  const lines = [`${style.strong(name)}: ${title}`, ...indented(source, "  "), ""];
  for (const rule of rules) {
    lines.push(`  ${style.strong(rule.name)}`, ...indented(rule.text, "    "));
    lines.push(...indented(rule.source, "    ").map((line) => style.faint(line)));
  }
  if (options.length > 0) lines.push("", "Options:");
  for (const option of options)
    lines.push(`  ${style.strong(`${name}:${option.name}`)}`, ...indented(option.text, "    "));
  return lines;
}
