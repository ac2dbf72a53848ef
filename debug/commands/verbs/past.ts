import { grouped } from "../../explain/refusal-text.js";
import type { Motion, Question } from "../../session/motion.js";
import type { CallChanges, EntryChangeFound, WriteFound } from "../../session/stop-report.js";
import type { Moment } from "../../timeline/moment.js";
import { hex } from "../../views/view.js";
import { CommandError } from "../command-error.js";
import type { Context } from "../context.js";
import { littleEndian } from "../scope.js";
import { stopOutcome } from "../stop-outcome.js";
import { parseRange, parseSpec, SPEC_HELP } from "../stop-specs.js";
import { entryLine, momentInput, momentText } from "../stop-text.js";
import { lines, type Outcome, type Verb } from "../verb.js";
import { toNamed } from "./moving.js";

type Counted = Extract<Motion, { readonly count?: number }>["kind"];

function back(name: string, alias: string, kind: Counted, help: string): Verb {
  return {
    name,
    aliases: [alias],
    group: "past",
    usage: "[N]",
    help,
    repeats: true,
    run: ({ context, argument }) => went(context, { kind, count: context.count(argument, 1) }),
  };
}

function went(context: Context, motion: Motion): Outcome {
  return { kind: "motion", motion, finish: (report) => stopOutcome(context, report) };
}

/** `500`, `500.2`, `+1000`, `-1000`, `start`, `end`; nothing: where the last answer pointed. */
function momentOf(context: Context, text: string): { instructions: number; events?: number } {
  const { session } = context;
  if (text === "") {
    if (context.found === null)
      throw new CommandError(
        "goto where? An instruction count, +N, -N, start, end; alone it goes where who-… told",
      );
    return context.found;
  }
  if (text === "start" || text === "beginning") return { instructions: 0, events: 0 };
  if (text === "end") return session.end;
  const match = /^([+-]?)(\d[\d,_]*)(?:\.(\d+))?$/.exec(text);
  if (match === null) throw new CommandError(`${text}: expected an instruction count, +N, -N, start or end`);
  const count = Number(match[2]!.replace(/[,_]/g, ""));
  const { instructions: now } = session.now;
  const instructions = match[1] === "+" ? now + count : match[1] === "-" ? Math.max(0, now - count) : count;
  return { instructions, ...(match[3] === undefined ? {} : { events: Number(match[3]) }) };
}

/** Remembers a moment for `goto` and says how to get there. */
function leadTo(context: Context, moment: Moment): string {
  context.found = moment;
  return `goto ${momentInput(moment)} (or goto alone) leads there`;
}

function nameOf(context: Context, address: number): string {
  const name = context.view().nameAt(address);
  return `${hex(address)}${name === undefined ? "" : ` <${name}>`}`;
}

function written(context: Context, text: string, found: WriteFound | null): Outcome {
  if (found === null) return lines(`${text}: not written so far`);
  const { moment, thread, rip, by, call, before, after } = found;
  const who =
    by === "kernel"
      ? `the kernel${call === undefined ? "" : ` in ${call}`}, called at`
      : "the instruction at";
  return lines(
    `${text}: last written by ${who} ${nameOf(context, rip)}`,
    `  instruction ${momentText(moment)}, thread ${thread.tid}`,
    `  ${bytesText(before)} -> ${bytesText(after)}`,
    `  ${leadTo(context, moment)}`,
  );
}

function bytesText(bytes: Uint8Array): string {
  if (bytes.length <= 8) return hex(littleEndian(bytes));
  return [...bytes.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

function changed(context: Context, address: number, found: EntryChangeFound | null): Outcome {
  const page = hex(address - (address % 4096));
  if (found === null) return lines(`${page}: its page-table entry has not changed so far`);
  const { moment, thread, rip, by, call, before, after } = found;
  const how = by === "processor" ? "the processor" : `the kernel${call === undefined ? "" : ` in ${call}`}`;
  return lines(
    `${page}: its page-table entry was last changed by ${how}, at ${nameOf(context, rip)}`,
    `  instruction ${momentText(moment)}, thread ${thread.tid}`,
    `  old ${entryLine(before)}`,
    `  new ${entryLine(after)}`,
    `  ${leadTo(context, moment)}`,
  );
}

function whoSealed(context: Context, argument: string): Outcome {
  const address = argument === "" ? refusedAddress(context) : context.address(argument);
  const provenance = context.session.whoSealed(address);
  if (provenance === null) return lines(`${hex(address)}: not sealed`);
  const { instruction, rip, tid, by } = provenance;
  const who = by === undefined ? "" : ` by ${by}`;
  return lines(
    `${hex(address)}: sealed${who} at ${nameOf(context, rip)}`,
    `  instruction ${grouped(instruction)}, thread ${tid}`,
    `  ${leadTo(context, { instructions: instruction, events: 0 })}`,
  );
}

/** The sealed area that the last refusal was about. */
function refusedAddress({ session }: Context): number {
  const refusal = session.refusal;
  const address = refusal?.area?.sealed === true ? refusal.area.start : refusal?.address;
  if (address === undefined)
    throw new CommandError("who-sealed ADDR: no refusal so far was about a sealed area");
  return address;
}

function changesLines({ call, entry, areas, entries, files, pkru }: CallChanges): string[] {
  const out = [`${call}, entered at instruction ${momentText(entry)}, changed`];
  for (const line of areas.gone) out.push(`  - ${line}`);
  for (const line of areas.come) out.push(`  + ${line}`);
  const shown = entries.slice(0, MOST_ENTRIES);
  for (const { address, before, after } of shown) {
    out.push(`  entry ${hex(address)}`);
    out.push(`    old ${entryLine(before)}`, `    new ${entryLine(after)}`);
  }
  if (entries.length > shown.length) out.push(`  … and ${entries.length - shown.length} more entries`);
  for (const { descriptor, before, after } of files)
    out.push(`  descriptor ${descriptor}: ${before ?? "closed"} -> ${after ?? "closed"}`);
  if (pkru.before !== pkru.after) out.push(`  PKRU ${hex(pkru.before >>> 0)} -> ${hex(pkru.after >>> 0)}`);
  if (out.length === 1) return [`${call}, entered at instruction ${momentText(entry)}, changed nothing`];
  return out;
}

const MOST_ENTRIES = 16;

function question(asked: Question, finish: () => Outcome): Outcome {
  return { kind: "question", question: asked, finish };
}

export const PAST: readonly Verb[] = [
  {
    name: "reverse-continue",
    aliases: ["rc"],
    group: "past",
    help: "Back to the last break, or to the beginning.",
    repeats: true,
    run: ({ context }) => went(context, { kind: "reverse-continue" }),
  },
  back("reverse-stepi", "rsi", "reverse-step-instruction", "One instruction back, into calls; N of them."),
  back("reverse-nexti", "rni", "reverse-next-instruction", "One instruction back, over calls."),
  back("reverse-step", "rs", "reverse-step-line", "To the beginning of the line before, into functions."),
  back("reverse-next", "rn", "reverse-next-line", "To the beginning of the line before, over calls."),
  {
    name: "reverse-finish",
    aliases: ["rfin"],
    group: "past",
    help: "Back to the call of this function.",
    run: ({ context }) => went(context, { kind: "reverse-finish" }),
  },
  {
    name: "back",
    group: "past",
    usage: "KIND …",
    help: "To the last system call, signal, fault, refusal, change before now.",
    more: ["KIND is one of", ...SPEC_HELP.map((line) => `  ${line}`)],
    repeats: true,
    run: ({ context, words }) => toNamed(context, parseSpec(context, words), "to-last"),
  },
  {
    name: "goto",
    aliases: ["g", "seek"],
    group: "past",
    usage: "[N|+N|-N|start|end]",
    help: "To an instruction count; alone: to where the last answer pointed.",
    more: ["`when` tells the count of here. N.E is the E-th thing that happened at count N."],
    run: ({ context, argument }) => went(context, { kind: "go-to", ...momentOf(context, argument) }),
  },
  {
    name: "when",
    group: "past",
    help: "The instruction count of here, and the furthest that was reached.",
    run({ context }) {
      const { now, end } = context.session;
      const furthest = now.instructions === end.instructions && now.events === end.events;
      return lines(`instruction ${momentText(now)}${furthest ? "" : ` of ${momentText(end)}`}`);
    },
  },
  {
    name: "who-wrote",
    aliases: ["ww", "last-write"],
    group: "past",
    usage: "ADDR[,LENGTH]",
    help: "Who wrote these bytes last: the instruction, or the kernel.",
    more: ["LENGTH: 8 unless told, or the size of the symbol."],
    run(call) {
      const { context, argument } = call;
      const { start, end } = parseRange(context, argument, 8);
      return question({ kind: "last-write", start, end }, () =>
        written(context, argument, context.session.answer as WriteFound | null),
      );
    },
  },
  {
    name: "who-sealed",
    aliases: ["ws"],
    group: "past",
    usage: "[ADDR]",
    help: "Who sealed the page; alone: the last refusal's area.",
    run: ({ context, argument }) => whoSealed(context, argument),
  },
  {
    name: "when-entry",
    aliases: ["we", "last-entry"],
    group: "past",
    usage: "ADDR",
    help: "When the page-table entry last changed, and by whom.",
    run(call) {
      const { context, argument } = call;
      const address = context.address(argument);
      return question({ kind: "last-change-of-entry", address }, () =>
        changed(context, address, context.session.answer as EntryChangeFound | null),
      );
    },
  },
  {
    name: "changes",
    aliases: ["diff"],
    group: "past",
    help: "At a call's exit: the areas, entries, files and PKRU that it changed.",
    run(call) {
      const { context } = call;
      const stands = context.last.happenings.some(
        ({ kind }) => kind === "syscall-exit" || kind === "refusal",
      );
      if (!stands) throw new CommandError("changes: only at a system call's exit (to syscall exit)");
      return question({ kind: "changes-of-call" }, () => {
        const answer = context.session.answer as CallChanges | null;
        return answer === null ? lines("nothing is known of this call") : lines(...changesLines(answer));
      });
    },
  },
  {
    name: "mark",
    group: "past",
    help: "Take a snapshot here, so that coming back is quick.",
    run({ context }) {
      context.session.mark();
      return lines(`marked instruction ${momentText(context.session.now)}`);
    },
  },
];
