import type { DebugSession } from "../session/debug-session.js";
import { nearNames } from "../dwarf/near-names.js";
import { CommandError } from "./command-error.js";
import { Context } from "./context.js";
import { lineSource } from "./line-source.js";
import { GROUPS, lines, type Group, type Outcome, type Verb } from "./verb.js";
import { CHANGING } from "./verbs/changing.js";
import { EXAMINE } from "./verbs/examine.js";
import { FRAMES } from "./verbs/frames.js";
import { INFO, INFO_SHORTCUTS } from "./verbs/info.js";
import { LOOKING } from "./verbs/looking.js";
import { MOVING } from "./verbs/moving.js";
import { PAST } from "./verbs/past.js";
import { STOPS } from "./verbs/stops.js";

/** The debugger's command language. Nothing runs in it: what moves is given to who drives the session. */
export class Commands {
  readonly context: Context;
  private readonly verbs: readonly Verb[];

  constructor(readonly session: DebugSession) {
    this.context = new Context(session);
    session.lines = lineSource(session.machine);
    this.verbs = [
      ...MOVING,
      ...PAST,
      ...STOPS,
      ...LOOKING,
      ...FRAMES,
      ...EXAMINE,
      INFO,
      ...INFO_SHORTCUTS,
      ...CHANGING,
      ...this.own(),
    ];
  }

  /**
   * Carries out a line, or says what is to be moved. Empty lines and those that begin with # do nothing.
   * @throws CommandError: one line for the user; nothing was changed
   */
  execute(line: string): Outcome {
    const text = line.trim();
    if (text === "" || text.startsWith("#")) return lines();
    const { verb, argument, format } = this.parse(text);
    if (argument === "?") return lines(...this.helpOf(verb));
    const words = argument === "" ? [] : argument.split(/\s+/);
    return verb.run({ context: this.context, argument, words, format });
  }

  /** Whether an empty line on a terminal does it again. */
  repeats(line: string): boolean {
    const text = line.trim();
    if (text === "" || text.startsWith("#")) return false;
    try {
      return this.parse(text).verb.repeats === true;
    } catch {
      return false;
    }
  }

  /** Runs an outcome to its end, the session on its own: for scripts and tests. Null: quit. */
  complete(outcome: Outcome): readonly string[] | null {
    let next = outcome;
    for (;;) {
      if (next.kind === "motion") next = next.finish(this.session.go(next.motion));
      else if (next.kind === "question") {
        const { question } = next;
        this.session.ask(question);
        while (this.session.moving) this.session.advance(Infinity);
        next = next.finish();
      } else if (next.kind === "lines") return next.lines;
      else if (next.kind === "quit") return null;
      else throw new CommandError("source: not here");
    }
  }

  /** What `display` asked for, printed behind each stop. */
  displayLines(): string[] {
    return [...this.context.displays].flatMap(([id, text]) => {
      try {
        const outcome = this.execute(text);
        return outcome.kind === "lines"
          ? outcome.lines.map((line, i) => (i === 0 ? `${id}: ${line}` : `   ${line}`))
          : [];
      } catch (error) {
        if (!(error instanceof CommandError)) throw error;
        return [`${id}: ${error.message}`];
      }
    });
  }

  /** Names that a line's beginning may become, for a terminal's Tab. */
  completions(text: string): string[] {
    const head = /^\s*(\S*)$/.exec(text);
    if (head !== null) return this.verbs.map(({ name }) => name).filter((name) => name.startsWith(head[1]!));
    const symbol = /([A-Za-z_]\w*)$/.exec(text)?.[1];
    if (symbol === undefined) return [];
    const names = new Set<string>();
    for (const { symbols } of this.session.machine.modules.of(this.session.task.mm))
      for (const name of symbols.names()) if (name.startsWith(symbol)) names.add(name);
    return [...names].sort().slice(0, 64);
  }

  private parse(text: string): { verb: Verb; argument: string; format: string } {
    const match = /^([A-Za-z][\w-]*)(?:\/(\S*))?(.*)$/s.exec(text);
    if (match === null) throw new CommandError(`${text.split(/\s/)[0]}: not a command (help)`);
    const verb = this.named(match[1]!);
    const argument = match[3]!.trim();
    // `p /x 5` is `p/x 5`; to others a slash begins a path.
    const apart = verb.usage?.startsWith("[/") === true ? /^\/(\S+)\s*(.*)$/s.exec(argument) : null;
    if (apart !== null) return { verb, argument: apart[2]!, format: apart[1]! };
    return { verb, argument, format: match[2] ?? "" };
  }

  private named(text: string): Verb {
    const { verbs } = this;
    const exact =
      verbs.find(({ name }) => name === text) ??
      verbs.find(({ aliases }) => aliases?.includes(text) === true);
    if (exact !== undefined) return exact;
    const begun = verbs.filter(({ name }) => name.startsWith(text));
    if (begun.length === 1) return begun[0]!;
    if (begun.length > 1)
      throw new CommandError(`${text}: which of ${begun.map(({ name }) => name).join(", ")}?`);
    const near = nearNames(
      text,
      verbs.flatMap(({ name, aliases }) => [name, ...(aliases ?? [])]),
    );
    const hint = near.length === 0 ? "; help lists them" : `; did you mean ${near.join(", ")}?`;
    throw new CommandError(`no command ${text}${hint}`);
  }

  private helpOf({ name, aliases, usage, help, more }: Verb): string[] {
    const short = aliases === undefined || aliases.length === 0 ? "" : `  (${aliases.join(", ")})`;
    return [
      `${name}${usage === undefined ? "" : ` ${usage}`}${short}`,
      `  ${help}`,
      ...(more ?? []).map((line) => `  ${line}`),
    ];
  }

  private help(argument: string): string[] {
    if (argument !== "") return this.helpOf(this.named(argument));
    const out: string[] = [];
    for (const group of Object.keys(GROUPS) as Group[]) {
      out.push(`${GROUPS[group]}:`);
      for (const { name, aliases, help } of this.verbs.filter((verb) => verb.group === group)) {
        const short = aliases?.[0] === undefined ? "" : ` (${aliases[0]})`;
        out.push(`  ${`${name}${short}`.padEnd(22)} ${help}`);
      }
    }
    out.push("help VERB, or VERB ?, tells what comes behind it; a beginning that is unique is enough.");
    return out;
  }

  private own(): Verb[] {
    const { context } = this;
    return [
      {
        name: "display",
        group: "other",
        usage: "COMMAND",
        help: "Do a command at each stop, as display p $rax or display/x counter.",
        run: ({ argument, format }) => {
          if (argument === "") return lines(...this.displayLines());
          const wanted = format === "" ? argument : `print/${format} ${argument}`;
          let command = wanted;
          try {
            this.parse(wanted);
          } catch {
            // gdb's way: an expression alone.
            command = `print ${wanted}`;
          }
          const outcome = this.execute(command);
          if (outcome.kind !== "lines")
            throw new CommandError(`display: ${command} moves; expected something that looks`);
          const id = context.nextDisplay++;
          context.displays.set(id, command);
          return lines(...outcome.lines.map((line, i) => (i === 0 ? `${id}: ${line}` : `   ${line}`)));
        },
      },
      {
        name: "undisplay",
        group: "other",
        usage: "[N]",
        help: "No longer; all unless told.",
        run: ({ argument }) => {
          if (argument === "") context.displays.clear();
          else if (!context.displays.delete(context.count(argument, 1)))
            throw new CommandError(`nothing is displayed as ${argument}`);
          return lines();
        },
      },
      {
        name: "echo",
        group: "other",
        usage: "TEXT",
        help: "Print a text.",
        run: ({ argument }) => lines(argument),
      },
      {
        name: "source",
        group: "other",
        usage: "FILE",
        help: "Do the commands in a file.",
        run: ({ argument }) => {
          if (argument === "") throw new CommandError("source: expected a file's name");
          return { kind: "source", path: argument };
        },
      },
      {
        name: "help",
        aliases: ["h"],
        group: "other",
        usage: "[VERB]",
        help: "All commands, or one in full.",
        run: ({ argument }) => lines(...this.help(argument)),
      },
      {
        name: "quit",
        aliases: ["q", "exit", "kill"],
        group: "other",
        help: "Leave; the program is killed.",
        run: () => ({ kind: "quit" }),
      },
    ];
  }
}
