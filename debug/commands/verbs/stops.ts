import type { Break, BreakOptions, Condition } from "../../session/debug-session.js";
import type { Happening } from "../../stops/happening.js";
import type { StopSpec } from "../../stops/stop-spec.js";
import { signalName } from "../../../kernel/signals/numbers.js";
import { View, hex } from "../../views/view.js";
import { placeName } from "../../views/sources.js";
import { CommandError } from "../command-error.js";
import type { Context } from "../context.js";
import { evaluate } from "../expression.js";
import { parseExpression, type Expression } from "../parse-expression.js";
import { findLocation } from "../location.js";
import { argumentIndex, argumentNames, littleEndian, ViewScope } from "../scope.js";
import { parseRange, parseSpec, signalNumber, SPEC_HELP } from "../stop-specs.js";
import { lines, type Call, type Outcome, type Verb } from "../verb.js";

/** A command's line without its `if EXPRESSION` and `thread TID`. */
interface Parts {
  readonly what: string;
  readonly condition: string | null;
  readonly thread: number | null;
}

function partsOf(context: Context, argument: string): Parts {
  const found = /(?:^|\s)if(?:\s+|(?=\()|$)(.*)$/.exec(argument);
  const head = found === null ? argument : argument.slice(0, found.index);
  const condition = found === null ? null : found[1]!.trim();
  if (condition === "") throw new CommandError("expected a condition behind if");
  const thread = /(?:^|\s)thread\s+(\S+)\s*$/.exec(head);
  if (thread === null) return { what: head.trim(), condition, thread: null };
  const tid = context.count(thread[1]!, 1);
  return { what: head.slice(0, thread.index).trim(), condition, thread: tid };
}

/** A condition, whose names are looked at once now, so that what is misspelt is told at once. */
function conditionFrom(
  context: Context,
  text: string | null,
  what: StopSpec,
  also?: (happening: Happening) => boolean,
): Condition | null {
  if (text === null && also === undefined) return null;
  const expression = text === null ? null : parseExpression(text);
  if (expression !== null) check(context, expression, what);
  return {
    text: text ?? "",
    holds({ machine, task, happening }) {
      if (also !== undefined && !also(happening)) return false;
      return (
        expression === null || evaluate(expression, new ViewScope(new View(machine, task), happening)) !== 0n
      );
    },
  };
}

/** What a happening of each kind has names for, beside symbols and constants. */
const NAMES: Readonly<Partial<Record<StopSpec["kind"], readonly string[]>>> = {
  signal: ["signal", "code"],
  fault: ["address", "error", "vector", "signal"],
  refusal: ["errno", "address", "key"],
  watch: ["address", "before", "after"],
  pkru: ["before", "after"],
  area: ["start", "end"],
  entry: ["address", "before", "after"],
};

/** Names of the variables at an address: a condition there may use them. */
function declaredAt({ session }: Context, address: number): string[] {
  const module = session.machine.modules.moduleAt(address, session.task.mm);
  return module?.variables.at(address - module.bias).map(({ name }) => name) ?? [];
}

/** @throws CommandError for a name that is none, or a register that is none */
function check(context: Context, expression: Expression, what: StopSpec): void {
  const scope = context.scope();
  const known = (name: string): boolean => {
    if (what.kind === "address") return declaredAt(context, what.address).includes(name);
    if (what.kind !== "syscall") return NAMES[what.kind]?.includes(name) === true;
    if (/^arg[0-5]$/.test(name) || name === "call") return true;
    if (name === "result" || name === "errno") return what.at !== "entry";
    // Where no call is named, an argument's name is looked up in the one that is met.
    return what.numbers?.some((number) => argumentIndex(number, name) >= 0) ?? true;
  };
  const checkName = (name: string): void => {
    try {
      evaluate({ kind: "name", name }, scope);
    } catch (error) {
      const names =
        what.kind === "syscall" ? new Set(what.numbers?.flatMap(argumentNames)) : new Set(NAMES[what.kind]);
      if (!(error instanceof CommandError) || names.size === 0) throw error;
      throw new CommandError(
        `${error.message}${error.message.includes(";") ? " or" : "; here is"} ${[...names].join(" ")}`,
      );
    }
  };
  const visit = (one: Expression): void => {
    switch (one.kind) {
      case "register":
        if (scope.register(one.name) === undefined) throw new CommandError(`$${one.name}: no such register`);
        break;
      case "name":
        if (!known(one.name) && !known(one.name.split(".")[0]!)) checkName(one.name);
        break;
      case "address-of":
      case "member":
        visit(one.of);
        break;
      case "element":
        visit(one.of);
        visit(one.index);
        break;
      case "memory":
        visit(one.address);
        break;
      case "cast":
      case "unary":
        visit(one.value);
        break;
      case "binary":
        visit(one.left);
        visit(one.right);
        break;
    }
  };
  visit(expression);
}

function set(
  { session }: Context,
  what: StopSpec,
  { condition, thread, ...others }: BreakOptions & { condition: Condition | null; thread: number | null },
): Break {
  try {
    return session.setBreak(what, {
      ...others,
      ...(condition === null ? {} : { condition }),
      ...(thread === null ? {} : { thread }),
    });
  } catch (error) {
    if (error instanceof RangeError) throw new CommandError(error.message);
    throw error;
  }
}

function setAt({ context, argument }: Call, temporary: boolean): Outcome {
  const { what: where, condition: text, thread } = partsOf(context, argument);
  const view = context.view();
  const found = where === "" ? hereOf(view) : findLocation(view, where, context.scope());
  const out: string[] = [];
  for (const address of found.addresses) {
    const what: StopSpec = { kind: "address", address };
    const condition = conditionFrom(context, text, what);
    const made = set(context, what, { label: found.label, temporary, condition, thread });
    out.push(`break ${made.id} at ${placeText(view, address)}`);
    if (view.task.mm.findArea(address) === null) out.push("  nothing is mapped there (yet)");
  }
  return lines(...out);
}

function hereOf(view: View): { addresses: readonly number[]; label: string } {
  return { addresses: [view.rip], label: `*${view.nameAt(view.rip) ?? hex(view.rip)}` };
}

function placeText(view: View, address: number): string {
  const name = view.nameAt(address);
  const line = view.modules.lineAt(address, view.task.mm);
  return `${hex(address)}${name === undefined ? "" : ` <${name}>`}${line === undefined ? "" : ` ${placeName(line)}`}`;
}

const ACCESS = { write: "written", read: "read", access: "read or written", fetch: "executed" } as const;

function watch(name: string, access: keyof typeof ACCESS, aliases: readonly string[] = []): Verb {
  return {
    name,
    aliases,
    group: "stops",
    usage: "ADDR[,LENGTH] [if EXPR]",
    help: `Stop when these bytes are ${ACCESS[access]}.`,
    more: [
      "LENGTH: 8 unless told, or the size of the symbol. It stops behind the instruction",
      ...(access === "fetch"
        ? ["that leads there, before the one that is fetched."]
        : ["that did it; what the kernel does counts too."]),
    ],
    run({ context, argument }) {
      const { what: range, condition: text, thread } = partsOf(context, argument);
      if (range === "") throw new CommandError(`${name}: expected ADDR[,LENGTH] or a symbol`);
      const { start, end } = parseRange(context, range, 8);
      const what: StopSpec = { kind: "watch", start, end, access };
      const condition = conditionFrom(context, text, what);
      const made = set(context, what, { label: `${name} ${range}`, condition, thread });
      const bytes = context.view().memory.read(start, Math.min(8, end - start));
      const value = bytes.length === 0 ? "nothing is mapped there (yet)" : `now ${hex(littleEndian(bytes))}`;
      return lines(
        `break ${made.id}: ${hex(start)}, ${end - start} byte${end - start === 1 ? "" : "s"} ${ACCESS[access]}, ${value}`,
      );
    },
  };
}

function catching(name: string, temporary: boolean): Verb {
  return {
    name,
    group: "stops",
    usage: "KIND … [if EXPR]",
    help: `Stop at system calls, signals, faults, refusals, changes${temporary ? "; once" : ""}.`,
    more: [
      "KIND is one of",
      ...SPEC_HELP.map((line) => `  ${line}`),
      "In EXPR stand, beside symbols and $registers: of a call its arguments by name",
      "(addr, len, prot …) or as arg0 to arg5, and at its exit result and errno; of a",
      "fault or signal address, error, signal; of a change before, after, start, end.",
      "  catch syscall mprotect entry if prot & PROT_EXEC",
      "  catch syscall munmap exit if errno == EPERM",
    ],
    run({ context, argument }) {
      const { what: kind, condition: text, thread } = partsOf(context, argument);
      const { what, label, also } = parseSpec(
        context,
        kind.split(/\s+/).filter((word) => word !== ""),
      );
      const condition = conditionFrom(context, text, what, also);
      const made = set(context, what, { label, temporary, condition, thread });
      return lines(`break ${made.id}: ${label}${text === null ? "" : ` if ${text}`}`);
    },
  };
}

/** Numbers and ranges, as `1 3-5`; none: all. */
function numbered({ context, words }: Call): readonly Break[] {
  if (words.length === 0) return context.session.breaks();
  return words.flatMap((word) => {
    const range = /^(\d+)-(\d+)$/.exec(word);
    if (range === null) return [context.breakNumbered(word)];
    return context.session.breaks().filter(({ id }) => id >= Number(range[1]) && id <= Number(range[2]));
  });
}

function change(
  name: string,
  aliases: readonly string[],
  help: string,
  act: (context: Context, id: number) => void,
): Verb {
  return {
    name,
    aliases,
    group: "stops",
    usage: "[N …]",
    help,
    run(call) {
      for (const { id } of numbered(call)) act(call.context, id);
      return lines();
    },
  };
}

export function breakLines(context: Context): string[] {
  const breaks = context.session.breaks();
  if (breaks.length === 0) return ["no breaks"];
  const view = context.view();
  return breaks.flatMap((one) => {
    const { id, what, enabled, temporary, hits, ignore, condition, thread, trouble } = one;
    const where = what.kind === "address" ? `${one.label}  ${placeText(view, what.address)}` : one.label;
    const notes = [
      ...(enabled ? [] : ["disabled"]),
      ...(temporary ? ["once"] : []),
      ...(thread === null ? [] : [`thread ${thread}`]),
      ...(ignore === 0 ? [] : [`passes over ${ignore} more`]),
      ...(hits === 0 ? [] : [`met ${hits} time${hits === 1 ? "" : "s"}`]),
    ];
    const out = [`${String(id).padStart(3)}  ${where}${notes.length === 0 ? "" : `  (${notes.join(", ")})`}`];
    if (condition !== null && condition.text !== "") out.push(`     if ${condition.text}`);
    if (trouble !== null) out.push(`     its condition failed: ${trouble}`);
    return out;
  });
}

export const STOPS: readonly Verb[] = [
  {
    name: "break",
    aliases: ["b", "br", "hbreak"],
    group: "stops",
    usage: "[WHERE] [thread TID] [if EXPR]",
    help: "Stop before an instruction; here unless told.",
    more: [
      "WHERE is FUNCTION (behind what sets up its frame), FUNCTION+8, FILE:LINE, LINE,",
      "+N or -N lines from here, *EXPRESSION, 0xADDRESS.",
    ],
    run: (call) => setAt(call, false),
  },
  {
    name: "tbreak",
    aliases: ["tb", "thbreak"],
    group: "stops",
    usage: "[WHERE] [thread TID] [if EXPR]",
    help: "Like break; it is deleted when it is met.",
    run: (call) => setAt(call, true),
  },
  watch("watch", "write"),
  watch("rwatch", "read"),
  watch("awatch", "access"),
  watch("xwatch", "fetch"),
  catching("catch", false),
  catching("tcatch", true),
  change("delete", ["d", "del"], "Delete breaks; all unless told.", ({ session }, id) =>
    session.deleteBreak(id),
  ),
  change("enable", ["en"], "Enable breaks.", ({ session }, id) => session.changeBreak(id, { enabled: true })),
  change("disable", ["dis"], "Disable breaks; they stay in the list.", ({ session }, id) =>
    session.changeBreak(id, { enabled: false }),
  ),
  {
    name: "condition",
    aliases: ["cond"],
    group: "stops",
    usage: "N [EXPR]",
    help: "Break N counts only where EXPR is not 0; without EXPR always.",
    run({ context, words, argument }) {
      const { id, what } = context.breakNumbered(words[0] ?? "");
      const text = argument
        .slice(words[0]!.length)
        .trim()
        .replace(/^if\s+/, "");
      context.session.changeBreak(id, { condition: conditionFrom(context, text === "" ? null : text, what) });
      return lines();
    },
  },
  {
    name: "ignore",
    group: "stops",
    usage: "N COUNT",
    help: "Break N is passed over COUNT times.",
    run({ context, words }) {
      const { id } = context.breakNumbered(words[0] ?? "");
      const count = words[1] === "0" ? 0 : context.count(words[1] ?? "", 1);
      context.session.changeBreak(id, { ignore: count });
      return lines();
    },
  },
  {
    name: "handle",
    group: "stops",
    usage: "SIGNAL … stop|nostop",
    help: "Whether a signal stops by itself; all: every signal.",
    run({ context, words }) {
      const action = words.at(-1);
      if (words.length < 2 || (action !== "stop" && action !== "nostop"))
        throw new CommandError("handle: expected SIGNAL … stop or SIGNAL … nostop");
      const names = words.slice(0, -1);
      const signals = names.includes("all")
        ? Array.from({ length: 64 }, (_, i) => i + 1)
        : names.map(signalNumber);
      const stops = new Set(context.session.stopSignals);
      for (const signal of signals)
        if (action === "stop") stops.add(signal);
        else stops.delete(signal);
      context.session.stopSignals = stops;
      return lines(
        stops.size === 0
          ? "no signal stops"
          : `stops at ${
              stops.size === 64
                ? "every signal"
                : [...stops]
                    .sort((a, b) => a - b)
                    .map(signalName)
                    .join(" ")
            }`,
      );
    },
  },
];
