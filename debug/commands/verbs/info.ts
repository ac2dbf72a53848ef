import { areaRows } from "../../views/areas.js";
import { fileRows } from "../../views/files.js";
import { localLines } from "../../views/locals.js";
import { registerRows } from "../../views/registers.js";
import { threadRows } from "../../views/threads.js";
import { vectorRows } from "../../views/vectors.js";
import { placeName } from "../../views/sources.js";
import { hex } from "../../views/view.js";
import { signalName } from "../../../kernel/signals/numbers.js";
import { CommandError } from "../command-error.js";
import type { Context } from "../context.js";
import { findLocation } from "../location.js";
import { momentText, reasonLines } from "../stop-text.js";
import { lines, type Outcome, type Verb } from "../verb.js";
import { pkru, rows } from "./looking.js";
import { breakLines } from "./stops.js";

/** One thing that `info` can tell. */
interface Topic {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly usage?: string;
  readonly help: string;
  readonly tell: (context: Context, argument: string) => Outcome;
}

function registers(context: Context, argument: string): Outcome {
  const view = context.view();
  const all = registerRows(view, context.registersBefore);
  if (argument === "") return rows(all);
  const vectors = vectorRows(view);
  const wanted = argument.split(/\s+/).map((name) => name.replace(/^\$/, ""));
  const same: Readonly<Record<string, string>> = { pc: "rip", sp: "rsp", fp: "rbp", eflags: "rflags" };
  return rows(
    wanted.map((name) => {
      const found = [...all, ...vectors].find((row) => row.name === (same[name] ?? name));
      if (found !== undefined) return found;
      const value = context.scope(view).register(name);
      if (value === undefined) throw new CommandError(`no register ${name}`);
      return { text: ` ${name.padEnd(8)} ${hex(value)}` };
    }),
  );
}

function areas(context: Context, argument: string): Outcome {
  const fault = context.last.happenings.find(({ kind }) => kind === "fault" || kind === "signal");
  const address =
    fault?.kind === "fault"
      ? fault.address
      : fault?.kind === "signal" && fault.info.detail.kind === "fault"
        ? Number(fault.info.detail.address)
        : undefined;
  const list = areaRows(context.thread(), address);
  if (argument === "") return list.length === 0 ? lines("no areas: the program has ended") : rows(list);
  const wanted = context.address(argument);
  const found = list.filter(({ start, end }) => start <= wanted && wanted < end);
  return found.length === 0 ? lines(`${hex(wanted)}: in no area`) : rows(found);
}

function seals(context: Context): Outcome {
  const sealed = areaRows(context.thread()).filter(({ seal }) => seal !== "");
  if (sealed.length === 0) return lines("no area is sealed");
  return lines(
    ...sealed.flatMap(({ text, sealedBy }) =>
      sealedBy === "" ? [text] : [text, `       sealed ${sealedBy}`],
    ),
  );
}

function sharedObjects(context: Context): Outcome {
  const view = context.view();
  const found = view.modules.of(view.task.mm);
  return lines(
    ...found.map(({ start, end, path, symbols, lines: table }) => {
      const has = `${symbols.count} names${table.empty ? "" : `, lines of ${table.files.size} files`}`;
      return `${start.toString(16).padStart(12, "0")}-${end.toString(16).padStart(12, "0")}  ${path}  (${has})`;
    }),
  );
}

function lineOf(context: Context, argument: string): Outcome {
  const view = context.view();
  const { addresses } =
    argument === "" ? { addresses: [view.rip] } : findLocation(view, argument, context.scope(view));
  return lines(
    ...addresses.map((address) => {
      const name = view.nameAt(address);
      const line = view.modules.lineAt(address, view.task.mm);
      const at = `${hex(address)}${name === undefined ? "" : ` <${name}>`}`;
      if (line === undefined) return `${at}: no source line`;
      return `${at}: ${line.file}:${line.line}, code ${hex(line.start)}-${hex(line.end)}`;
    }),
  );
}

function symbolOf(context: Context, argument: string): Outcome {
  const address = context.address(argument);
  const symbol = context.view().modules.symbolAt(address, context.session.task.mm);
  if (symbol === undefined) return lines(`${hex(address)}: no symbol`);
  const offset = address - symbol.address;
  return lines(
    `${hex(address)}: ${symbol.name}${offset === 0 ? "" : ` + ${offset}`}, ${symbol.kind} of ${symbol.size} bytes in ${symbol.module.path}`,
  );
}

function functions(context: Context, argument: string): Outcome {
  const view = context.view();
  let pattern: RegExp;
  try {
    pattern = new RegExp(argument);
  } catch {
    throw new CommandError(`${argument}: not a regular expression`);
  }
  const found = view.modules
    .of(view.task.mm)
    .flatMap(({ symbols, bias }) =>
      [...symbols.names()].flatMap((name) => {
        const symbol = symbols.find(name)!;
        return symbol.kind !== "object" && pattern.test(name)
          ? [{ name, address: symbol.address + bias }]
          : [];
      }),
    )
    .sort((a, b) => a.address - b.address);
  const shown = found.slice(0, MOST_NAMES).map(({ name, address }) => `${hex(address)}  ${name}`);
  if (found.length > MOST_NAMES) shown.push(`… and ${found.length - MOST_NAMES} more; info functions REGEXP`);
  return shown.length === 0 ? lines("no function") : lines(...shown);
}

const MOST_NAMES = 200;

function program(context: Context): Outcome {
  const { session } = context;
  const { now, end, machine, costs } = session;
  const threads = machine.kernel.livingTasks;
  return lines(
    `${session.task.executable}, process ${session.task.pid}, ${threads} thread${threads === 1 ? "" : "s"}`,
    `instruction ${momentText(now)}; reached so far ${momentText(end)}`,
    `snapshots ${costs.snapshots}, ${Math.round(costs.bytes / 2 ** 20)} MiB, ${(100 * costs.share).toFixed(1)} % of the run's time`,
    ...reasonLines(session, session.last).slice(0, 1),
  );
}

const TOPICS: readonly Topic[] = [
  {
    name: "registers",
    aliases: ["r", "reg", "regs"],
    usage: "[NAME …]",
    help: "General registers, flags, PKRU; what changed since the last stop has a *.",
    tell: registers,
  },
  {
    name: "all-registers",
    help: "With x87 and SSE.",
    tell: (context) =>
      rows([...registerRows(context.view(), context.registersBefore), ...vectorRows(context.view())]),
  },
  {
    name: "float",
    help: "x87's stack and words.",
    tell: (context) =>
      rows(vectorRows(context.view()).filter(({ name }) => name.startsWith("st") || name.startsWith("f"))),
  },
  {
    name: "vector",
    aliases: ["sse", "xmm"],
    help: "SSE's registers and MXCSR.",
    tell: (context) =>
      rows(vectorRows(context.view()).filter(({ name }) => name.startsWith("xmm") || name === "mxcsr")),
  },
  { name: "pkru", aliases: ["keys", "pkeys"], help: "PKRU per key.", tell: (context) => pkru(context) },
  {
    name: "areas",
    aliases: ["maps", "mappings", "vmmap", "proc"],
    usage: "[ADDR]",
    help: "Areas; x r w ! mark what the next instruction fetches, reads, writes, and a fault.",
    tell: (context, argument) => areas(context, argument.replace(/^mappings$/, "")),
  },
  { name: "seals", help: "Sealed areas, and who sealed them.", tell: (context) => seals(context) },
  {
    name: "threads",
    help: "Threads, where each is, and what it waits for.",
    tell: (context) => rows(threadRows(context.thread())),
  },
  {
    name: "files",
    aliases: ["fds"],
    help: "Open files by descriptor.",
    tell: (context) => rows(fileRows(context.view())),
  },
  {
    name: "breakpoints",
    aliases: ["b", "br", "break", "breaks", "watchpoints"],
    help: "Breaks of all kinds.",
    tell: (context) => lines(...breakLines(context)),
  },
  {
    name: "locals",
    aliases: ["args"],
    help: "Parameters and local variables here (of unoptimised code).",
    tell(context) {
      const found = localLines(context.view());
      return found.length === 0 ? lines("no variables here") : lines(...found);
    },
  },
  {
    name: "signals",
    aliases: ["handle"],
    help: "Signals that stop the program by themselves.",
    tell({ session: { stopSignals } }) {
      if (stopSignals.size === 0)
        return lines("no signal stops by itself (handle SIGNAL stop, catch signal)");
      return lines(
        [...stopSignals]
          .sort((a, b) => a - b)
          .map(signalName)
          .join(" "),
      );
    },
  },
  { name: "line", usage: "[WHERE]", help: "The source line of a place, and its code.", tell: lineOf },
  { name: "symbol", usage: "ADDR", help: "The name of an address.", tell: symbolOf },
  { name: "functions", usage: "[REGEXP]", help: "Functions by name.", tell: functions },
  {
    name: "sources",
    aliases: ["source"],
    help: "Source files.",
    tell(context) {
      const view = context.view();
      const here = view.modules.lineAt(view.place, view.task.mm);
      const found = view.modules.allSourceFiles(view.task.mm);
      if (found.length === 0) return lines("no source lines (compile with -g)");
      return lines(...(here === undefined ? [] : [`at ${placeName(here)}`]), ...found);
    },
  },
  {
    name: "sharedlibrary",
    aliases: ["shared", "modules"],
    help: "The program and its libraries.",
    tell: (context) => sharedObjects(context),
  },
  {
    name: "program",
    help: "Where the run stands, and what going back costs.",
    tell: (context) => program(context),
  },
  {
    name: "display",
    help: "Commands done at each stop.",
    tell: ({ displays }) =>
      displays.size === 0
        ? lines("nothing is displayed")
        : lines(...[...displays].map(([id, text]) => `${String(id).padStart(3)}  ${text}`)),
  },
];

function topicNamed(text: string): Topic {
  const exact = TOPICS.find(({ name, aliases }) => name === text || aliases?.includes(text) === true);
  const begun = text === "" ? [] : TOPICS.filter(({ name }) => name.startsWith(text));
  const topic = exact ?? (begun.length === 1 ? begun[0] : undefined);
  if (topic !== undefined) return topic;
  const names = (begun.length > 1 ? begun : TOPICS).map(({ name }) => name);
  throw new CommandError(`info${text === "" ? "" : ` ${text}`}: expected one of ${names.join(" ")}`);
}

const INFO_HELP = TOPICS.map(
  ({ name, usage, help }) => `  ${`${name}${usage === undefined ? "" : ` ${usage}`}`.padEnd(22)} ${help}`,
);

export const INFO: Verb = {
  name: "info",
  aliases: ["i", "inf"],
  group: "looking",
  usage: "TOPIC …",
  help: "registers areas pkru seals threads files breakpoints … (help info).",
  more: INFO_HELP,
  run({ context, words, argument }) {
    const [first = ""] = words;
    return topicNamed(first).tell(context, argument.slice(first.length).trim());
  },
};

/** pwndbg's names for what `info` tells. */
export const INFO_SHORTCUTS: readonly Verb[] = (
  [
    ["areas", ["vmmap", "maps"]],
    ["seals", []],
    ["registers", ["regs"]],
    ["threads", []],
    ["files", ["fds"]],
  ] as const
).map(([name, aliases]) => {
  const topic = TOPICS.find((one) => one.name === name)!;
  return {
    name,
    aliases,
    group: "looking",
    ...(topic.usage === undefined ? {} : { usage: topic.usage }),
    help: `As info ${name}.`,
    run: ({ context, argument }) => topic.tell(context, argument),
  };
});
