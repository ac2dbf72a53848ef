import { refusalLines } from "../../explain/refusal-text.js";
import { above, instructionRows } from "../../views/instructions.js";
import { frameRows } from "../../views/frames.js";
import { keyRows } from "../../views/keys.js";
import { stackRows } from "../../views/memory.js";
import { registerRows } from "../../views/registers.js";
import type { Row } from "../../views/rows.js";
import { placeName, sourceRows } from "../../views/sources.js";
import { traceRows } from "../../views/traces.js";
import { hex } from "../../views/view.js";
import { accessRows, walkRows } from "../../views/walk.js";
import { CommandError } from "../command-error.js";
import type { Context } from "../context.js";
import { findLocation, mainFile, noLines } from "../location.js";
import { codeLines, reasonLines, whereText } from "../stop-text.js";
import { lines, type Call, type Outcome, type Verb } from "../verb.js";

export function rows(list: readonly Row[]): Outcome {
  return lines(...list.map(({ text }) => text));
}

const LIST_LINES = 10;
const CODE_ROWS = 12;
const STACK_ROWS = 8;
const TRACE_ROWS = 20;

/** Lines of an enabled break in a file. */
function breakLinesOf(context: Context, file: string): ReadonlySet<number> {
  const view = context.view();
  const found = [...context.breakAddresses()].map((address) => view.modules.lineAt(address, view.task.mm));
  return new Set(found.flatMap((line) => (line?.file === file ? [line.line] : [])));
}

function list(context: Context, argument: string): Outcome {
  const view = context.view();
  const { listed } = context;
  let file: string | undefined;
  let first: number;
  if (argument === "" && listed !== null) ({ file, next: first } = listed);
  else {
    const place =
      argument === "" ? undefined : findLocation(view, argument, context.scope(view)).addresses[0]!;
    const here = view.modules.lineAt(place ?? view.place, view.task.mm);
    const main = view.modules.find("main", view.task.mm)[0];
    const line =
      here ?? (argument === "" && main ? view.modules.lineAt(main.address, view.task.mm) : undefined);
    file = line?.file ?? mainFile(view);
    // A function's first line says more than its second.
    const wanted = /:?(\d+)$/.exec(argument);
    first = Math.max(1, (wanted === null ? (line?.line ?? 1) : Number(wanted[1])) - LIST_LINES / 2);
  }
  if (file === undefined) throw noLines();
  const count = LIST_LINES;
  const found = sourceRows(view, {
    file,
    around: first + Math.floor(count / 2),
    count,
    breaks: breakLinesOf(context, file),
  });
  if (found.length === 0) throw new CommandError(`${file}: the source is not to be had here`);
  if (listed !== null && argument === "" && found.at(-1)!.line < first)
    throw new CommandError(`${placeName({ file, line: first })}: the file ends before`);
  context.listed = { file, next: found.at(-1)!.line + 1 };
  return rows(found);
}

function disassemble({ context, words }: Call): Outcome {
  const view = context.view();
  const breaks = context.breakAddresses();
  const [where = "", howMany = ""] = words;
  const wholeFunction = words.length < 2;
  const address = where === "" ? view.rip : context.address(where);
  const symbol = view.modules.symbolAt(address, view.task.mm);
  if (wholeFunction && symbol !== undefined && symbol.size > 0 && symbol.size <= 65536) {
    const found = instructionRows(view, { from: symbol.address, count: symbol.size, breaks });
    const inside = found.filter((row) => row.address < symbol.address + symbol.size);
    return lines(...withSource(context, inside));
  }
  const count = context.count(howMany, CODE_ROWS);
  const from = where === "" && howMany === "" ? above(view, view.rip, 3) : address;
  const found = instructionRows(view, { from, count, breaks });
  if (found.length === 0) throw new CommandError(`${hex(address)}: no memory can be read there`);
  return lines(...withSource(context, found));
}

/** Instructions, each source line before its first one. */
function withSource(
  context: Context,
  found: readonly ReturnType<typeof instructionRows>[number][],
): string[] {
  const { modules } = context.session.machine;
  let before = "";
  return found.flatMap(({ source, text }) => {
    const code = source && modules.source(source.file)?.[source.line - 1];
    const place = source === undefined ? "" : placeName(source);
    if (source === undefined || place === before) return [text];
    before = place;
    return [`${place}${code === undefined ? "" : `\t${code.trim()}`}`, text];
  });
}

function walkOf({ context, argument }: Call): Outcome {
  const address = argument === "" ? context.view().rip : context.address(argument);
  const view = context.view();
  const area = view.task.mm.findArea(address);
  const name = view.nameAt(address);
  const snapshot = area === null ? null : view.task.mm.snapshotArea(area);
  const inArea =
    snapshot === null
      ? "in no area"
      : `in ${snapshot.start.toString(16)}-${snapshot.end.toString(16)} ${snapshot.name}`.trimEnd();
  return lines(
    `${hex(address)}${name === undefined ? "" : ` <${name}>`}, ${inArea}${snapshot?.sealed === true ? `, ${snapshot.seals ?? "sealed"}` : ""}`,
    ...walkRows(view, address).map(({ text }) => text),
    ...accessRows(view, address).map(({ text }) => text),
  );
}

function explain(context: Context): Outcome {
  const { refusal, machine } = context.session;
  if (refusal === null) return lines("nothing has been refused so far");
  const { mm } = context.session.task;
  return lines(...refusalLines(refusal, { symbolAt: (address) => machine.modules.nameAt(address, mm) }));
}

/** Everything at once: registers, code, source, stack. */
function context(context: Context): Outcome {
  const view = context.view();
  const title = (text: string): string => `-- ${text} ${"-".repeat(Math.max(0, 60 - text.length))}`;
  const line = view.modules.lineAt(view.place, view.task.mm);
  const source =
    line === undefined
      ? []
      : sourceRows(view, {
          file: line.file,
          around: line.line,
          count: 7,
          breaks: breakLinesOf(context, line.file),
        });
  return lines(
    title("registers"),
    ...registerRows(view, context.registersBefore).map(({ text }) => text),
    title("code"),
    ...instructionRows(view, { count: 8, breaks: context.breakAddresses() }).map(({ text }) => text),
    ...(source.length === 0 ? [] : [title(placeName(line!)), ...source.map(({ text }) => text)]),
    title("stack"),
    ...stackRows(view, STACK_ROWS).map(({ text }) => text),
  );
}

export const LOOKING: readonly Verb[] = [
  {
    name: "where",
    aliases: ["w"],
    group: "looking",
    help: "Where it stands, and the code there.",
    run({ context }) {
      const view = context.thread();
      const { now, machine } = context.session;
      if (context.ended) return lines(...reasonLines(context.session, context.last));
      return lines(whereText(view, now, machine.kernel.livingTasks), ...codeLines(view, true));
    },
  },
  {
    name: "list",
    aliases: ["l"],
    group: "looking",
    usage: "[WHERE]",
    help: "Source lines around WHERE, or on from the last ones.",
    repeats: true,
    run: ({ context, argument }) => list(context, argument),
  },
  {
    name: "disassemble",
    aliases: ["disas", "pdisass"],
    group: "looking",
    usage: "[ADDR [N]]",
    help: "The function's instructions; or N from ADDR on.",
    run: disassemble,
  },
  {
    name: "backtrace",
    aliases: ["bt"],
    group: "looking",
    usage: "[N]",
    help: "Who called whom, the innermost first.",
    run({ context, argument }) {
      const most = context.count(argument, 64);
      return rows(frameRows(context.thread(), most));
    },
  },
  {
    name: "stack",
    aliases: ["telescope"],
    group: "looking",
    usage: "[N]",
    help: "N words of the stack, and what each may be.",
    run: ({ context, argument }) => rows(stackRows(context.view(), context.count(argument, STACK_ROWS))),
  },
  {
    name: "context",
    aliases: ["ctx"],
    group: "looking",
    help: "Registers, code, source and stack at once.",
    run: (call) => context(call.context),
  },
  {
    name: "walk",
    aliases: ["pt"],
    group: "looking",
    usage: "[ADDR]",
    help: "The page-table entries of an address, and what may be done there.",
    run: walkOf,
  },
  {
    name: "pkru",
    group: "looking",
    help: "What PKRU lets the thread do with each key.",
    run: ({ context }) => pkru(context),
  },
  {
    name: "explain",
    aliases: ["why"],
    group: "looking",
    help: "Why the kernel last refused something.",
    run: ({ context }) => explain(context),
  },
  {
    name: "trace",
    aliases: ["strace"],
    group: "looking",
    usage: "[N]",
    help: "The last N system calls and signals so far; 20 unless told.",
    run({ context, argument }) {
      const count = context.count(argument, TRACE_ROWS);
      const records = context.session.trace().slice(-count);
      return records.length === 0 ? lines("no system call so far") : rows(traceRows(records));
    },
  },
  {
    name: "thread",
    aliases: ["t"],
    group: "looking",
    usage: "[TID]",
    help: "The thread that is looked at; TID: another one from now on.",
    run({ context, argument }) {
      const { session } = context;
      if (argument !== "") {
        const tid = context.count(argument, 1);
        const task = session.machine.kernel.tasks.get(tid);
        if (task === undefined || task.state === "dead")
          throw new CommandError(`no thread ${argument}; info threads lists them`);
        session.task = task;
        context.told = null;
      }
      const view = context.view();
      return lines(`thread ${view.task.tid} (${view.task.comm})`, ...codeLines(view, true));
    },
  },
];

export function pkru(context: Context): Outcome {
  const view = context.view();
  const list = keyRows(view);
  if (list.length === 0) return lines("this processor has no protection keys");
  const { kernel } = context.session.machine;
  const writer = view.task === kernel.current ? kernel.pkruWriter() : undefined;
  const name = writer && view.nameAt(writer.rip);
  const who =
    writer === undefined
      ? ""
      : `, written at ${hex(writer.rip)}${name === undefined ? "" : ` <${name}>`}, instruction ${writer.instruction}`;
  return lines(`PKRU ${hex(view.registers.pkru)}${who}`, ...list.map(({ text }) => text));
}
