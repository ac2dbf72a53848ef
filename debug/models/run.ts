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
}

/** A program's run under one model. */
export interface ModelRun {
  readonly model: string;
  readonly steps: readonly Step[];
  /** Lines of standard output. */
  readonly output: readonly string[];
  /** `ended with 0`, `ended by SIGSEGV`, `stopped after N instructions`. */
  readonly end: string;
}

export interface ProgramToRun {
  /** What the program is called, in titles and as argv[0]. */
  readonly name: string;
  readonly elf: Uint8Array;
  readonly args: readonly string[];
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

/**
 * Runs a program on a machine of its own with no input, under a model of sealing.
 * @throws LoadError when it cannot be run
 */
export function runUnder(model: SealingModel, program: ProgramToRun, limits: RunLimits): ModelRun {
  const host = new BufferHost();
  const { maxInstructions, ...options } = limits;
  const machine = Machine.create({
    host,
    sealing: model,
    memoryBytes: MEMORY_BYTES,
    ...options,
  });
  const steps: Step[] = [];
  const detach = machine.trace((record) => {
    const step = stepOf(machine, record);
    if (step !== null && steps.length < MAX_STEPS) steps.push(step);
  });
  machine.load(program.elf, { argv: [program.name, ...program.args] });
  const result = machine.run(maxInstructions);
  detach();
  const text = host.text(1);
  const lines = text.split("\n");
  if (lines[lines.length - 1] === "") lines.pop();
  return { model: model.name, steps, output: lines, end: endText(machine, result.reason, maxInstructions) };
}

function stepOf(machine: Machine, record: TraceRecord): Step | null {
  if (record.type === "syscall") return callStep(machine, record);
  return record.type === "signal" ? signalStep(record) : null;
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
  return { key, text, call: name, outcome, refusal: record.refusal ?? null };
}

function signalStep({ signal, code, address, rip, refusal }: TracedSignal): Step {
  return {
    key: `signal ${rip}`,
    text: address === undefined ? "a signal" : `an access to ${address}`,
    call: null,
    outcome: `${signal} ${code}`,
    refusal: refusal ?? null,
  };
}

function endText(machine: Machine, reason: string, maxInstructions: number): string {
  const { exit } = machine;
  if (exit !== null)
    return exit.signal === null ? `ended with ${exit.code}` : `ended by signal ${exit.signal}`;
  return reason === "budget" ? `stopped after ${maxInstructions} instructions` : "waits for ever";
}
