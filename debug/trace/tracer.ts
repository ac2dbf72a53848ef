import type {
  KernelEvents,
  SignalDelivered,
  SyscallEnter,
  SyscallExit,
  TaskExit,
} from "../../kernel/events.js";
import type { Refusal } from "../../kernel/refusal.js";
import type { Task } from "../../kernel/task.js";
import { errnoName } from "../../kernel/errno.js";
import { signalName } from "../../kernel/signals/numbers.js";
import { signalCodeName } from "../../kernel/signals/siginfo.js";
import type { SyscallTable } from "../../syscalls/table.js";
import type { MemoryView } from "../guest-memory.js";
import type { Argument } from "../../syscalls/argument.js";
import { argumentText, isOutput, type CallView } from "./arguments.js";
import { hex } from "./names.js";
import type { TraceRecord, TracedArgument } from "./record.js";
import { errnoOf, resultText } from "./result.js";
import { changedLength } from "./sockets.js";
import { signalInfoText, signalSetText } from "./signals.js";
import { shownCount } from "./shown-arguments.js";
import { stringsText } from "./strings.js";

/** What a tracer looks at. */
export interface TraceSource {
  readonly events: KernelEvents;
  readonly table: SyscallTable;
  readonly memory: MemoryView;
  /** Of the running task: the stack pointer, RIP, RAX as a signed number, and where the initial stack begins. */
  stackPointer(): number;
  instructionPointer(): number;
  resultRegister(): bigint;
  initialStack(): number;
  /** Living threads of the machine. */
  threads(): number;
}

/** The column at which `= result` begins, counted from 0; strace's default. */
const RESULT_COLUMN = 40;
/** Where the interrupted mask lies from RSP at rt_sigreturn: ucontext's uc_sigmask. */
const UCONTEXT_MASK_OFFSET = 296;

interface PendingCall {
  readonly event: SyscallEnter;
  /** Null for what the kernel writes: known when the call has ended. */
  readonly texts: (string | null)[];
  readonly refusals: Refusal[];
  executed: boolean;
  /** How many arguments an "unfinished" record has shown; null without one. */
  shown: number | null;
}

/**
 * Turns the kernel's events into trace records, each with its line in strace's form. What a call reads is formatted
 * before it, what it writes after. The program notices nothing of it.
 */
export class Tracer {
  private readonly pending = new Map<number, PendingCall>();
  private current: PendingCall | null = null;
  private readonly detachers: (() => void)[];

  constructor(
    private readonly source: TraceSource,
    private readonly listener: (record: TraceRecord) => void,
    /** Listen for refusals: records then say why. */
    withReasons: boolean,
  ) {
    const { events } = source;
    this.detachers = [
      events.on("syscallEnter", (event) => this.enter(event)),
      events.on("syscallExit", (event) => this.leave(event)),
      events.on("signal", (event) => this.signal(event)),
      events.on("exec", (event) => this.exec(event.task, event.path, event.entry)),
      events.on("exit", (event) => this.exit(event)),
    ];
    if (withReasons)
      this.detachers.push(events.on("refusal", (refusal) => this.current?.refusals.push(refusal)));
  }

  detach(): void {
    for (const detach of this.detachers) detach();
  }

  /** Calls of other threads that have not ended are broken off first, as their lines stand open. */
  private emit(record: TraceRecord): void {
    for (const [tid, pending] of this.pending)
      if (tid !== record.tid && pending.shown === null) this.breakOff(pending);
    this.listener(record);
  }

  private place({ tid, pid }: Task): { tid: number; pid: number; prefix: string } {
    const prefix = this.source.threads() > 1 ? `[pid ${String(tid).padStart(5)}] ` : "";
    return { tid, pid, prefix };
  }

  private breakOff(pending: PendingCall): void {
    const { event } = pending;
    const all = this.shownTexts(pending);
    const known = all.findIndex((text) => text === null);
    const shown = known < 0 ? all : all.slice(0, known);
    pending.shown = shown.length;
    const open = shown.length < all.length && shown.length > 0 ? ", " : "";
    this.listener({
      type: "unfinished",
      ...this.place(event.task),
      instruction: event.instruction,
      text: `${event.name}(${shown.join(", ")}${open} <unfinished ...>`,
      name: event.name,
    });
  }

  /** The arguments that a text trace prints; null for what the kernel writes. */
  private shownTexts({ event, texts }: PendingCall): (string | null)[] {
    const definition = this.source.table.get(event.number);
    if (definition === undefined || event.name === "rt_sigreturn") return texts;
    return texts.slice(0, shownCount(event.name, event.args, definition.args));
  }

  private exec(task: Task, path: string, entry: number): void {
    const pending = this.pending.get(task.tid);
    if (pending !== undefined) {
      pending.executed = true;
      return;
    }
    const stack = this.source.initialStack();
    const count = this.source.memory.read(stack, 8);
    const argc = count.length === 8 ? new DataView(count.buffer, count.byteOffset).getUint32(0, true) : 0;
    const argv = stringsText(this.source.memory, BigInt(stack + 8), false);
    const env = stringsText(this.source.memory, BigInt(stack + 16 + argc * 8), true);
    const text = `${`execve(${JSON.stringify(path)}, ${argv}, ${env})`.padEnd(RESULT_COLUMN - 1)} = 0`;
    this.emit({ type: "exec", ...this.place(task), instruction: 0, text, path, entry });
  }

  private enter(event: SyscallEnter): void {
    const known = this.pending.get(event.task.tid);
    if (event.resumed && known !== undefined) {
      this.current = known;
      return;
    }
    const definition = this.source.table.get(event.number);
    const view = this.view(event, undefined);
    const texts = (definition?.args ?? []).map((argument, i) =>
      isOutput(argument, event.args) ? null : argumentText(argument, i, view),
    );
    if (definition === undefined) for (const value of event.args) texts.push(hex(value));
    if (event.name === "rt_sigreturn") texts.splice(0, texts.length, this.interruptedMask());
    this.current = { event, texts, refusals: [], executed: false, shown: null };
    this.pending.set(event.task.tid, this.current);
  }

  private interruptedMask(): string {
    const bytes = this.source.memory.read(this.source.stackPointer() + UCONTEXT_MASK_OFFSET, 8);
    if (bytes.length < 8) return "NULL";
    return `{mask=${signalSetText(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))}}`;
  }

  private leave(event: SyscallExit): void {
    const pending = this.pending.get(event.task.tid);
    if (pending === undefined) return;
    this.pending.delete(event.task.tid);
    this.current = null;
    let { result } = event;
    if (pending.executed) result = 0n;
    else if (event.name === "rt_sigreturn" && result === null) result = this.source.resultRegister();
    this.emitCall(pending, result);
  }

  private emitCall(pending: PendingCall, result: bigint | null): void {
    const { event, texts, refusals, shown: before } = pending;
    const definition = this.source.table.get(event.number);
    const view = this.view(event, result);
    const args: TracedArgument[] = texts.map((text, i) => ({
      name: definition?.args[i]?.name ?? `arg${i}`,
      value: `0x${(event.args[i] ?? 0n).toString(16)}`,
      text: this.finalText(definition?.args[i], i, view, text),
    }));
    const shown = args.slice(0, this.shownTexts(pending).length).map((argument) => argument.text);
    const line = (call: string): string =>
      `${call.padEnd(RESULT_COLUMN - 1)} = ${resultText(view, definition)}`;
    const rest = before === null ? "" : `<... ${event.name} resumed>${shown.slice(before).join(", ")})`;
    const errno = errnoOf(result);
    const refusal = errno === 0 ? undefined : refusals.findLast((one) => one.errno === errno);
    this.emit({
      type: "syscall",
      ...this.place(event.task),
      instruction: event.instruction,
      text: line(`${event.name}(${shown.join(", ")})`),
      ...(before === null ? {} : { resumed: line(rest) }),
      number: event.number,
      name: event.name,
      args,
      result: result === null ? null : String(result),
      ...(errno === 0 ? {} : { errno: errnoName(errno) }),
      ...(refusal === undefined ? {} : { refusal }),
    });
  }

  /** What was printed before the call, or could not be; a length that the kernel changes shows both values. */
  private finalText(
    argument: Argument | undefined,
    i: number,
    view: CallView,
    before: string | null,
  ): string {
    if (argument === undefined) return before ?? "";
    if (before === null) return argumentText(argument, i, view);
    if (argument.kind !== "struct" || argument.struct !== "socklen" || !before.startsWith("[")) return before;
    return changedLength(before, argumentText(argument, i, view));
  }

  private view(event: SyscallEnter, result: bigint | null | undefined): CallView {
    return { name: event.name, args: event.args, memory: this.source.memory, result };
  }

  private signal({ task, info, outcome, refusal, instruction }: SignalDelivered): void {
    const { detail } = info;
    this.emit({
      type: "signal",
      ...this.place(task),
      instruction,
      text: `--- ${signalName(info.signo)} ${signalInfoText(info)} ---`,
      signal: signalName(info.signo),
      code: signalCodeName(info.signo, info.code),
      ...(detail.kind === "fault" ? { address: `0x${BigInt.asUintN(64, detail.address).toString(16)}` } : {}),
      ...(detail.kind === "fault" && detail.pkey !== undefined ? { key: detail.pkey } : {}),
      outcome,
      rip: this.source.instructionPointer(),
      ...(refusal === undefined ? {} : { refusal }),
    });
  }

  private exit({ task, status, signal, core, instruction }: TaskExit): void {
    const pending = this.pending.get(task.tid);
    if (pending !== undefined) {
      this.pending.delete(task.tid);
      this.emitCall(pending, null);
    }
    const killed = signal === null ? null : signalName(signal);
    this.emit({
      type: "exit",
      ...this.place(task),
      instruction,
      text:
        killed === null
          ? `+++ exited with ${status} +++`
          : `+++ killed by ${killed}${core ? " (core dumped)" : ""} +++`,
      status,
      ...(killed === null ? {} : { signal: killed }),
      core,
    });
  }
}
