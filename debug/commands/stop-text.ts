/** What is printed at a stop. */

import { errnoName } from "../../kernel/errno.js";
import { signalName } from "../../kernel/signals/numbers.js";
import { syscallTable } from "../../syscalls/index.js";
import { grouped, refusalLines } from "../explain/refusal-text.js";
import { entryBits } from "../page-table-text.js";
import type { DebugSession } from "../session/debug-session.js";
import type { StopReport } from "../session/stop-report.js";
import type { Happening } from "../stops/happening.js";
import type { Moment } from "../timeline/moment.js";
import { argumentText, isOutput } from "../trace/arguments.js";
import { pointer } from "../trace/names.js";
import { resultText } from "../trace/result.js";
import { signalInfoText } from "../trace/signals.js";
import { errorCodeNames } from "../views/walk.js";
import { instructionRows } from "../views/instructions.js";
import { shortened } from "../views/meaning.js";
import { placeName } from "../views/sources.js";
import { hex, View } from "../views/view.js";
import { littleEndian } from "./scope.js";

/** `12,345`, and `12,345.2` after two things that happened at one count. */
export function momentText({ instructions, events }: Moment): string {
  return `${grouped(instructions)}${events === 0 ? "" : `.${events}`}`;
}

/** As `goto` takes it. */
export function momentInput({ instructions, events }: Moment): string {
  return `${instructions}${events === 0 ? "" : `.${events}`}`;
}

/** Why it stopped, a line or more; nothing for an ordinary step. */
export function reasonLines(session: DebugSession, report: StopReport): string[] {
  const view = new View(session.machine, session.task);
  const lines: string[] = [];
  const ids = report.breaks.join(", ");
  const by = report.breaks.length === 0 ? "" : `break ${ids}: `;
  const labels = new Map(session.breaks().map(({ id, label }) => [id, label]));
  const label = report.breaks.map((id) => labels.get(id) ?? "").find((text) => text !== "");
  const troubles = session
    .breaks()
    .filter(({ id, trouble }) => trouble !== null && report.breaks.includes(id));
  for (const { id, trouble } of troubles) lines.push(`break ${id}: its condition failed: ${trouble}`);
  const told = report.happenings.flatMap((happening) => happeningLines(view, happening));
  const [first = "", ...rest] = told;
  const here = report.breaks.length === 0 ? "" : (view.nameAt(view.rip) ?? hex(view.rip));
  const head = `${by}${first === "" ? (label ?? here) : first}`;
  // Where an address was asked for, the place says it all.
  if (head !== "") lines.push(head, ...rest);
  switch (report.reason) {
    case "beginning":
      if (report.direction === "backwards") lines.push("the beginning: nothing was before");
      break;
    case "ended":
      lines.push(endText(report));
      break;
    case "blocked":
      lines.push("every thread waits (info threads); only input or a signal goes on with it");
      break;
    case "suspended":
      lines.push("a signal has stopped the program; `send SIGCONT` lets it go on");
      break;
    case "interrupted":
      lines.push("interrupted");
      break;
    case "limit":
      lines.push("the instructions allowed (--max-instructions) are used up");
      break;
    case "end-of-record":
      lines.push("the record ends here, as this run does");
      break;
  }
  return lines;
}

function endText({ status }: StopReport): string {
  if (status === undefined) return "the program has ended";
  if (status.signal !== null)
    return `the program was killed by ${signalName(status.signal)}${status.core ? " (core dumped)" : ""}`;
  return `the program exited with ${status.code}`;
}

/** What happened, as lines; an empty first one where the break's label says it best. */
function happeningLines(view: View, happening: Happening): string[] {
  const nameAt = (address: number): string => {
    const name = view.nameAt(address);
    return `${hex(address)}${name === undefined ? "" : ` <${name}>`}`;
  };
  switch (happening.kind) {
    case "address":
      return [""];
    case "syscall-entry":
      return [`call ${callText(view, happening.number, happening.name, happening.args)}`];
    case "syscall-exit": {
      const { number, name, result, refusal } = happening;
      const { rdi, rsi, rdx, r10, r8, r9 } = view.registers;
      const call = { name, args: [rdi, rsi, rdx, r10, r8, r9], memory: view.memory, result };
      const text = `${name} returns ${resultText(call, syscallTable.get(number))}`;
      return refusal === undefined ? [text] : [text, ...explained(view, refusal)];
    }
    case "signal":
      return [`signal ${happening.name} ${signalInfoText(happening.info)}`];
    case "fault":
      return [faultText(happening, nameAt), ...(happening.refusal ? explained(view, happening.refusal) : [])];
    case "refusal":
      return [
        `refused: ${happening.refusal.rule}, ${errnoName(happening.refusal.errno)}`,
        ...explained(view, happening.refusal),
      ];
    case "watch": {
      const { address, access, before, after, rip, by } = happening;
      const verb = { write: "written", read: "read", access: "touched", fetch: "to be executed" }[access];
      const who = by === "kernel" ? " by the kernel" : access === "fetch" ? "" : ` by ${nameAt(rip)}`;
      const moved = by === "kernel" && before !== null && before.length !== after.length;
      const verbs = moved ? (after.length > before.length ? "mapped" : "unmapped") : verb;
      const lines = [`${nameAt(address)} ${verbs}${who}`];
      if (access === "write" || (before !== null && !sameBytes(before, after))) {
        const from = before === null ? 0 : changedWord(before, after);
        const place = from === 0 ? "" : ` (at +${hex(from)})`;
        if (before !== null) lines.push(`  old ${bytesText(before, from)}`);
        lines.push(`  new ${bytesText(after, from)}${place}`);
      } else if (access !== "fetch") lines.push(`  value ${bytesText(after, 0)}`);
      return lines;
    }
    case "pkru":
      return [
        `PKRU ${hex(happening.before >>> 0)} -> ${hex(happening.after >>> 0)}${happening.by === "kernel" ? " by the kernel" : ""}`,
      ];
    case "area": {
      const { kind, start, end } = happening.change;
      return [`area ${kind} ${start.toString(16)}-${end.toString(16)}`];
    }
    case "entry": {
      const { address, before, after, by } = happening;
      return [
        `page-table entry of ${hex(address)}, changed by the ${by}`,
        `  old ${entryLine(before)}`,
        `  new ${entryLine(after)}`,
      ];
    }
    case "fork":
    case "vfork":
    case "clone":
      return [`${happening.kind}: ${happening.child.pid}/${happening.child.tid}`];
    case "exec":
      return [`exec ${happening.path}`];
    case "exit": {
      const { pid, code, signal } = happening;
      return [
        `process ${pid} ${signal === null ? `exited with ${code}` : `was killed by ${signalName(signal)}`}`,
      ];
    }
  }
}

function explained(view: View, refusal: Parameters<typeof refusalLines>[0]): string[] {
  return refusalLines(refusal, { symbolAt: (address) => view.nameAt(address) }).map((line) => `  ${line}`);
}

/** `0x8000000000009067 P RW US A D NX key 1`. */
export function entryLine(entry: string): string {
  const value = BigInt(entry);
  if (value === 0n) return "none";
  const low = Number(value & 0xffff_ffffn);
  const high = Number(value >> 32n);
  const key = (high >>> 27) & 15;
  return `${entry} ${entryBits(low, high).join(" ")}${(low & 1) === 0 ? "" : ` key ${key}`}`;
}

/** A call as strace begins it; what the kernel will write is shown as an address. */
export function callText(view: View, number: number, name: string, args: readonly bigint[]): string {
  const definition = syscallTable.get(number);
  if (definition === undefined) return `${name}(${args.map((value) => hex(value)).join(", ")})`;
  const call = { name, args, memory: view.memory, result: undefined };
  const texts = definition.args.map((argument, i) =>
    isOutput(argument, args) ? pointer(args[i] ?? 0n) : argumentText(argument, i, call),
  );
  return `${name}(${texts.join(", ")})`;
}

const EXCEPTIONS: Readonly<Record<number, string>> = {
  0: "#DE",
  1: "#DB",
  3: "#BP",
  4: "#OF",
  5: "#BR",
  6: "#UD",
  7: "#NM",
  11: "#NP",
  12: "#SS",
  13: "#GP",
  14: "#PF",
  16: "#MF",
  17: "#AC",
  19: "#XM",
};

function faultText(
  { vector, errorCode, address, rip, signal }: Extract<Happening, { kind: "fault" }>,
  nameAt: (address: number) => string,
): string {
  const name = EXCEPTIONS[vector] ?? `exception ${vector}`;
  const code =
    vector === 14 ? ` ${hex(errorCode)} [ ${errorCodeNames(errorCode)} ] at ${nameAt(address)}` : "";
  const then = signal === null ? "the kernel mends it" : signalName(signal);
  return `fault ${name}${code}, by ${nameAt(rip)}: ${then}`;
}

/** The word, or what there is of it, at an offset of a range. */
/** Nothing can be read where nothing is mapped. */
function bytesText(bytes: Uint8Array, from: number): string {
  return bytes.length <= from ? "not mapped" : hex(littleEndian(bytes.subarray(from, from + 8)));
}

/** Offset of the first word that differs. */
function changedWord(before: Uint8Array, after: Uint8Array): number {
  const first = after.findIndex((byte, i) => byte !== before[i]);
  return Math.max(0, first - (first % 8));
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

/** `main+0x4 at t.c:7, instruction 5,123`. */
export function whereText(view: View, moment: Moment, threads: number): string {
  const { modules } = view;
  const module = modules.moduleAt(view.rip, view.task.mm);
  const unnamed = `${hex(view.rip)}${module === undefined ? "" : ` (${shortened(module.path)})`}`;
  const name = view.nameAt(view.rip) ?? unnamed;
  const line = modules.lineAt(view.place, view.task.mm);
  const at = line === undefined ? "" : ` at ${placeName(line)}`;
  const thread = threads > 1 ? `, thread ${view.task.tid}` : "";
  return `${name}${at}${thread}, instruction ${momentText(moment)}`;
}

/** The source line where it stands, and the instruction unless it is the line's first. */
export function codeLines(view: View, always: boolean): string[] {
  const lines: string[] = [];
  const line = view.modules.lineAt(view.place, view.task.mm);
  const text = line && view.modules.source(line.file)?.[line.line - 1];
  if (line !== undefined && text !== undefined) lines.push(`${line.line}\t${text}`);
  if (always || line === undefined || text === undefined || line.start !== view.rip) {
    const [row] = instructionRows(view, { from: view.rip, count: 1 });
    if (row !== undefined) lines.push(row.text.replace(/^ *►/, "=>").replace(/ +/g, " "));
  }
  return lines;
}
