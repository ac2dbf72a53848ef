import type { Motion } from "../../session/motion.js";
import type { StopReport } from "../../session/stop-report.js";
import { CommandError } from "../command-error.js";
import type { Context } from "../context.js";
import { findLocation } from "../location.js";
import { parseSpec, SPEC_HELP, type Named } from "../stop-specs.js";
import { stopOutcome } from "../stop-outcome.js";
import type { Call, Outcome, Verb } from "../verb.js";

function move({ context }: Call, motion: Motion): Outcome {
  return moving(context, motion);
}

export function moving(context: Context, motion: Motion): Outcome {
  if (context.ended && isForwards(motion))
    throw new CommandError("the program has ended; it can be gone back (reverse-continue, goto N)");
  return { kind: "motion", motion, finish: (report) => stopOutcome(context, report) };
}

function isForwards({ kind }: Motion): boolean {
  return kind !== "go-to" && kind !== "to-last" && !kind.startsWith("reverse");
}

type Counted = Extract<Motion, { readonly count?: number }>["kind"];

function step(name: string, aliases: readonly string[], kind: Counted, help: string): Verb {
  return {
    name,
    aliases,
    group: "moving",
    usage: "[N]",
    help,
    repeats: true,
    run: (call) => move(call, { kind, count: call.context.count(call.argument, 1) }),
  };
}

/** Tells what the function that was finished left in RAX. */
function finish(context: Context): Outcome {
  const outcome = moving(context, { kind: "finish" });
  if (outcome.kind !== "motion") return outcome;
  return {
    ...outcome,
    finish(report) {
      const told = stopOutcome(context, report);
      if (report.reason !== "step" || told.kind !== "lines") return told;
      const { rax } = context.view().registers;
      const number = rax < 10n ? String(rax) : `${BigInt.asIntN(64, rax)} = 0x${rax.toString(16)}`;
      return { ...told, lines: [...told.lines, `RAX ${number}`] };
    },
  };
}

/** Goes on to the first of a kind that is also as it was named. */
export function toNamed(context: Context, { what, also }: Named, kind: "to-next" | "to-last"): Outcome {
  const motion: Motion = { kind, what };
  const finish = (report: StopReport): Outcome => {
    const met = report.reason === "found" && also !== undefined && !report.happenings.some(also);
    return met ? { kind: "motion", motion, finish } : stopOutcome(context, report);
  };
  if (kind === "to-next" && context.ended) return moving(context, motion);
  return { kind: "motion", motion, finish };
}

/** Forward in the source, past the end of a loop: until a line further down, or the function's end. */
function until(context: Context): Outcome {
  const view = context.thread();
  const from = view.modules.lineAt(view.rip, view.task.mm);
  if (from === undefined) return moving(context, { kind: "next-instruction" });
  const symbol = view.modules.symbolAt(view.rip, view.task.mm)?.address;
  const motion: Motion = { kind: "next-line" };
  const finish = (report: StopReport): Outcome => {
    const now = context.thread();
    const inFunction = now.modules.symbolAt(now.rip, now.task.mm)?.address === symbol;
    const loops = report.reason === "step" && inFunction && now.rip < from.end;
    return loops ? { kind: "motion", motion, finish } : stopOutcome(context, report);
  };
  return context.ended ? moving(context, motion) : { kind: "motion", motion, finish };
}

function toLocation({ context, argument }: Call): Outcome {
  const { addresses, label } = findLocation(context.view(), argument, context.scope());
  if (addresses.length !== 1)
    throw new CommandError(`${label}: is ${addresses.length} places; use break and continue`);
  return moving(context, { kind: "to-address", address: addresses[0]! });
}

function toBeginning(context: Context, then: () => Outcome): Outcome {
  const { instructions, events } = context.session.now;
  if (instructions === 0 && events === 0) return then();
  return { kind: "motion", motion: { kind: "go-to", instructions: 0, events: 0 }, finish: then };
}

export const MOVING: readonly Verb[] = [
  {
    name: "continue",
    aliases: ["c", "fg"],
    group: "moving",
    usage: "[N]",
    help: "Go on to the next break; N: pass over the break it stands at N-1 times.",
    repeats: true,
    run(call) {
      const { context } = call;
      const count = context.count(call.argument, 1);
      for (const id of count > 1 ? context.last.breaks : [])
        context.session.changeBreak(id, { ignore: count - 1 });
      return move(call, { kind: "continue" });
    },
  },
  step("stepi", ["si"], "step-instruction", "One instruction, into calls; N of them."),
  step("nexti", ["ni"], "next-instruction", "One instruction; a call is carried out to its return."),
  step("step", ["s"], "step-line", "To the next source line, into functions that have lines."),
  step("next", ["n"], "next-line", "To the next source line; calls are carried out."),
  {
    name: "finish",
    aliases: ["fin", "fini"],
    group: "moving",
    help: "Until the function has returned to its caller; tells what it left in RAX.",
    run: ({ context }) => finish(context),
  },
  {
    name: "until",
    aliases: ["u"],
    group: "moving",
    usage: "[WHERE]",
    help: "To a line further down, out of a loop; or to WHERE (see help break).",
    repeats: true,
    run: (call) => (call.argument === "" ? until(call.context) : toLocation(call)),
  },
  {
    name: "advance",
    group: "moving",
    usage: "WHERE",
    help: "Go on to WHERE (see help break).",
    run: toLocation,
  },
  {
    name: "to",
    group: "moving",
    usage: "KIND …",
    help: "To the next system call, signal, fault, refusal, change (help to).",
    more: ["KIND is one of", ...SPEC_HELP.map((line) => `  ${line}`), "An enabled break ends it before."],
    repeats: true,
    run: ({ context, words }) => toNamed(context, parseSpec(context, words), "to-next"),
  },
  {
    name: "run",
    aliases: ["r"],
    group: "moving",
    help: "From the beginning to the first break.",
    run: ({ context }) =>
      toBeginning(context, () => ({
        kind: "motion",
        motion: { kind: "continue" },
        finish: (report) => stopOutcome(context, report),
      })),
  },
  {
    name: "start",
    group: "moving",
    help: "From the beginning to main, or to the program's entry.",
    run: ({ context }) =>
      toBeginning(context, () => {
        const view = context.view();
        const [main] = view.modules.find("main", view.task.mm);
        const entry = view.modules.find("_start", view.task.mm)[0]?.address;
        const address = main === undefined ? entry : view.modules.bodyOf(main);
        if (address === undefined) throw new CommandError("the program has no symbol main or _start");
        if (address === view.rip) return stopOutcome(context, context.last);
        return {
          kind: "motion",
          motion: { kind: "to-address", address },
          finish: (report) => stopOutcome(context, report),
        };
      }),
  },
];
