import type { SealingModel } from "../../kernel/mm/sealing/sealing-model.js";
import type { Refusal } from "../../kernel/refusal.js";
import { BufferHost } from "../buffer-host.js";
import { Machine } from "../machine.js";
import type { TracedSignal, TracedSyscall, TraceRecord } from "../trace/record.js";

/** One thing that happened, as far as models can differ in it: a system call, or a signal. */
export interface Step {
  /** Equal in runs where the program did the same. */
  readonly key: string;
  /** `munmap(0x5ea10000, 4096)`; `a fault at 0x5ea10000`. */
  readonly text: string;
  /** The system call's name; null for a signal. */
  readonly call: string | null;
  /** `EPERM`, `ok`, `ok, inaccessible`; the signal's name and code. */
  readonly outcome: string;
  readonly refusal: Refusal | null;
  /** The statement of the program's text that it belongs to, where the program has one. */
  readonly place: string | null;
}

/** A program's run under one model. */
export interface ModelRun {
  readonly model: string;
  readonly steps: readonly Step[];
  /** Lines of standard output; of a scenario its answers, `PLACE -> ANSWER`. */
  readonly output: readonly string[];
  /** `ended with 0`, `ended by SIGSEGV`, `stopped after N instructions`. */
  readonly end: string;
}

export interface ProgramToRun {
  /** What the program is called, in titles and as argv[0]. */
  readonly name: string;
  readonly elf: Uint8Array;
  readonly args: readonly string[];
  /** A scenario's text. */
  readonly scenario?: ScenarioText;
}

/** What a scenario says of its program's run. */
export interface ScenarioText {
  /** The statement that the running task is at; null before the first. */
  placeOf(machine: Machine): string | null;
  /** Standard output in words. */
  answers(output: string): readonly string[];
}

export interface RunLimits {
  readonly kernel?: string;
  /** As MachineOptions has them. */
  readonly sealElf?: boolean | "marked";
  readonly params?: readonly string[];
  readonly maxInstructions: number;
}

const MEMORY_BYTES = 512 * 2 ** 20;
/** More is not compared. */
const MAX_STEPS = 20_000;

/** Runs programs under models, each on a machine of its own with no input. */
export class ModelRunner {
  /** The last machine, whose memory the next one takes over. */
  private last: Machine | null = null;

  constructor(private readonly limits: RunLimits) {}

  /** @throws LoadError when the program cannot be run */
  run(model: SealingModel, program: ProgramToRun): ModelRun {
    const host = new BufferHost();
    const { maxInstructions, ...options } = this.limits;
    const machine = Machine.create({
      host,
      sealing: model,
      memoryBytes: MEMORY_BYTES,
      ...(this.last === null ? {} : { reuse: this.last }),
      ...options,
    });
    this.last = machine;
    const { name, args, scenario } = program;
    const steps: Step[] = [];
    const detach = machine.trace((record) => {
      if (steps.length >= MAX_STEPS) return;
      const step = stepOf(machine, record);
      const place = scenario?.placeOf(machine) ?? null;
      // Where a scenario's memory lies may follow from the model; its statements do not.
      if (step !== null)
        steps.push(place === null ? step : { ...step, place, key: `${place} ${step.call ?? step.key}` });
    });
    machine.load(program.elf, { argv: [name, ...args] });
    const { reason } = machine.run(maxInstructions);
    detach();
    const output = scenario?.answers(host.text(1)) ?? linesOf(host.text(1));
    return { model: model.name, steps, output, end: endText(machine, reason, maxInstructions) };
  }
}

function linesOf(text: string): string[] {
  const lines = text.split("\n");
  if (lines[lines.length - 1] === "") lines.pop();
  return lines;
}

function stepOf(machine: Machine, record: TraceRecord): Step | null {
  if (record.type === "syscall") return printed(record) ? null : callStep(machine, record);
  return record.type === "signal" ? signalStep(record) : null;
}

/** What a program prints is compared as its output. */
function printed({ name, args }: TracedSyscall): boolean {
  return (name === "write" || name === "writev") && /^[12]$/.test(args[0]!.value);
}

function callStep(machine: Machine, record: TracedSyscall): Step {
  const { name, args, errno, result } = record;
  const key = `${name}(${args
    .slice(0, 2)
    .map((one) => one.value)
    .join()})`;
  const text = `${name}(${args.map((one) => one.text).join(", ")})`;
  let outcome = errno ?? "ok";
  // A munmap that says yes may have left something that nobody can use.
  if (name === "munmap" && result === "0" && machine.areaAt(Number(args[0]!.value)) !== null)
    outcome = "ok, inaccessible";
  return { key, text, call: name, outcome, refusal: record.refusal ?? null, place: null };
}

function signalStep({ signal, code, address, rip, refusal }: TracedSignal): Step {
  return {
    key: `signal ${rip}`,
    text: address === undefined ? "a signal" : `an access to ${address}`,
    call: null,
    outcome: `${signal} ${code}`,
    refusal: refusal ?? null,
    place: null,
  };
}

function endText(machine: Machine, reason: string, maxInstructions: number): string {
  const { exit } = machine;
  if (exit !== null)
    return exit.signal === null ? `ended with ${exit.code}` : `ended by signal ${exit.signal}`;
  return reason === "budget" ? `stopped after ${maxInstructions} instructions` : "waits for ever";
}
