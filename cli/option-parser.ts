/** Options of a command, as the parser and the help both see them. */
export interface OptionSpec {
  /** `trace` for `--trace`. */
  readonly name: string;
  /** One letter, for `-o`. */
  readonly short?: string;
  /** What its value is called in the help: `FILE`. Absent: it takes none. */
  readonly value?: string;
  /** `--trace` alone is allowed too; a value then comes only as `--trace=VALUE`. */
  readonly optionalValue?: boolean;
  readonly help: string;
}

export interface ParsedOption {
  readonly name: string;
  /** Null for an option without a value. */
  readonly value: string | null;
}

export interface ParsedArguments {
  /** In the order given. */
  readonly options: readonly ParsedOption[];
  readonly operands: readonly string[];
}

/** A mistake in how sealab was called; exit status 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/**
 * Reads options up to the first operand or `--`; all that follows is operands, untouched, for they may be another
 * program's. Values come as `--name=VALUE` or `--name VALUE` (an optional value only with `=`).
 * @throws UsageError
 */
export function parseArguments(args: readonly string[], specs: readonly OptionSpec[]): ParsedArguments {
  const options: ParsedOption[] = [];
  for (let i = 0; i < args.length; i++) {
    const argument = args[i]!;
    if (argument === "--") return { options, operands: args.slice(i + 1) };
    if (!argument.startsWith("-") || argument === "-") return { options, operands: args.slice(i) };
    const equals = argument.startsWith("--") ? argument.indexOf("=") : -1;
    const written = equals < 0 ? argument : argument.slice(0, equals);
    const spec = specs.find(
      (one) => written === `--${one.name}` || (one.short && written === `-${one.short}`),
    );
    if (spec === undefined) throw new UsageError(`unknown option ${written}${suggestion(written, specs)}`);
    let value = equals < 0 ? null : argument.slice(equals + 1);
    if (spec.value === undefined && value !== null) throw new UsageError(`option ${written} takes no value`);
    if (spec.value !== undefined && value === null && !spec.optionalValue) {
      value = args[++i] ?? null;
      // Another option in its place: nobody wants a file of that name.
      if (value === null || specs.some(({ name }) => value === `--${name}`))
        throw new UsageError(`option ${written} needs a value (${spec.value})`);
    }
    options.push({ name: spec.name, value });
  }
  return { options, operands: [] };
}

/** `; did you mean --trace?`, where one option is near. */
function suggestion(written: string, specs: readonly OptionSpec[]): string {
  const near = specs
    .map((spec) => ({ name: `--${spec.name}`, distance: distance(written, `--${spec.name}`) }))
    .sort((a, b) => a.distance - b.distance)[0];
  return near !== undefined && near.distance <= 2 ? `; did you mean ${near.name}?` : "";
}

/** Levenshtein distance. */
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

/** The options as an aligned list for a help text of 80 columns. */
export function optionsHelp(specs: readonly OptionSpec[]): string {
  const lines: string[] = [];
  for (const spec of specs) {
    const short = spec.short === undefined ? "" : `-${spec.short}, `;
    const value = spec.value === undefined ? "" : spec.optionalValue ? `[=${spec.value}]` : ` ${spec.value}`;
    const head = `  ${short}--${spec.name}${value}`;
    const words = spec.help.split(" ");
    let line = head.length > 24 ? head : head.padEnd(26);
    if (head.length > 24) {
      lines.push(line);
      line = " ".repeat(26);
    }
    for (const word of words) {
      if (line.length + word.length + 1 > 80) {
        lines.push(line.trimEnd());
        line = " ".repeat(26);
      }
      line += `${word} `;
    }
    lines.push(line.trimEnd());
  }
  return lines.join("\n");
}
