import type { ByteSource } from "../../kernel/fs/byte-source.js";
import type { Host } from "../../kernel/host.js";
import type { RunResult } from "../../kernel/run-loop.js";
import type { SealingModel } from "../../kernel/mm/sealing/sealing-model.js";
import type { MachineOptions } from "../machine-options.js";
import { Machine } from "../machine.js";
import { RecordError } from "./record-file.js";
import { RewindableHost } from "./rewindable-host.js";
import { RecordEnd } from "./record-end.js";
import type { RunEnd, RunRecord, RunSetup } from "./run-record.js";

/** What a setup says of a machine, with what is not in it. */
export function machineOptions(
  setup: RunSetup["machine"],
  parts: { readonly host: Host; readonly archive: ByteSource | null; readonly sealing: SealingModel | null },
): MachineOptions {
  const { root, upper, sealing, ...rest } = setup;
  const { archive } = parts;
  return {
    ...rest,
    host: parts.host,
    ...(parts.sealing !== null ? { sealing: parts.sealing } : sealing === null ? {} : { sealing }),
    ...(root === null ? {} : root === "archive" ? (archive === null ? {} : { root: archive }) : { root }),
    ...(upper === null ? {} : { upper }),
  };
}

/** Makes a program the first process. @param user looked up in the guest before. @throws LoadError */
export function startProgram(
  machine: Machine,
  start: RunSetup["start"],
  user: ReturnType<Machine["findUser"]>,
): void {
  const { path, elf, argv, env, cwd } = start;
  const options = { argv, env, cwd, ...(user === null ? {} : { user }) };
  if (elf === null) machine.exec(path, options);
  else machine.load(elf, { ...options, path });
}

/** A machine that is to do what a record says. */
export interface Replay {
  readonly machine: Machine;
  readonly host: RewindableHost;
  /** Makes the program the first process. Then `machine.run` alone repeats the run. @throws LoadError, ReplayDiffers */
  start(): void;
}

/**
 * The machine of a record.
 * @param inner sees the output; nothing else is asked of it
 * @param sealing the model, where the record has a model of the user's own
 * @throws RecordError for a record that this sealab has no machine for; LoadError, ReplayDiffers
 */
export function replayMachine(record: RunRecord, inner: Host, sealing: SealingModel | null = null): Replay {
  const { setup, log } = record;
  if (setup.machine.sealing === null && sealing === null)
    throw new RecordError("of a run with a model of sealing from a file: give that with --sealing");
  const host = new RewindableHost(inner, log, { closed: true });
  const archive = setup.machine.root === "archive" ? host.archive(null) : null;
  let machine: Machine;
  try {
    machine = Machine.create(machineOptions(setup.machine, { host, archive, sealing }));
  } catch (error) {
    if (error instanceof RangeError)
      throw new RecordError(`this sealab has no such machine: ${error.message}`);
    throw error;
  }
  const start = (): void => {
    const { start } = setup;
    if (start.lookedFor !== null) machine.fileKind(start.lookedFor);
    startProgram(machine, start, start.user === null ? null : machine.findUser(start.user));
  };
  return { machine, host, start };
}

/**
 * Runs a replay to the record's end.
 * @throws ReplayDiffers where it is another run, at its end at the latest
 */
export function runReplay({ machine, host }: Replay, end: RunEnd): void {
  const ending = new RecordEnd(machine, host, end);
  while (!ending.reached) {
    const result = machine.run(Math.max(ending.left, 1));
    if (result.reason !== "budget") return ending.checkEnding(ENDINGS[result.reason]);
  }
  ending.check();
}

const ENDINGS: Readonly<Record<RunResult["reason"], string>> = {
  exited: "it ends",
  budget: "it goes on",
  stopped: "it stops",
  suspended: "it is stopped",
  blocked: "it waits for ever",
};
