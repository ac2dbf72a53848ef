import { readFileSync } from "node:fs";
import { LoadError } from "../debug/load-error.js";
import { decodeRecord, RecordError } from "../debug/recording/record-file.js";
import { ReplayDiffers } from "../debug/recording/replay-differs.js";
import { replayMachine, runReplay, type Replay } from "../debug/recording/replay-machine.js";
import type { RunRecord } from "../debug/recording/run-record.js";
import type { Host } from "../kernel/host.js";
import { DIFFERS_STATUS, Failure, reasonOf, USAGE_STATUS } from "./failure.js";
import { NodeHost } from "./node-host.js";
import { timestamp } from "./node-modules.js";
import { UsageError, type ParsedOption } from "./option-parser.js";
import { stderrOutput } from "./output.js";
import { PACKER } from "./recording.js";
import type { RunOptions } from "./run-options.js";
import { findSealing, namesFile } from "./sealing-file.js";
import { startObserving } from "./start-observing.js";
import { version } from "./version.js";

/** Options that a replay may be given: those that only look. The record has the others. */
const LOOKING = new Set(["replay", "trace", "explain", "maps", "stats", "log-level", "sealing"]);

/** A record from its file. @throws Failure */
export function readRecord(path: string): RunRecord {
  try {
    return decodeRecord(readFileSync(path), PACKER);
  } catch (error) {
    const reason = error instanceof RecordError ? error.message : reasonOf(error);
    throw new Failure(USAGE_STATUS, `--replay ${path}: ${reason}`);
  }
}

/** @throws UsageError for options that a record has itself */
export function checkReplayOptions(parsed: readonly ParsedOption[], operands: readonly string[]): void {
  const wrong = parsed.find(({ name }) => !LOOKING.has(name));
  if (wrong !== undefined) throw new UsageError(`--${wrong.name}: the record of --replay has its own`);
  if (operands.length > 0) throw new UsageError(`${operands[0]}: the record of --replay has its program`);
}

/** The machine of a record, whose program is not loaded yet. @throws Failure */
export async function openReplay(path: string, options: RunOptions, host: Host): Promise<OpenReplay> {
  const record = readRecord(path);
  const own = record.setup.machine.sealing === null && namesFile(options.sealing);
  const sealing = own ? await findSealing(options.sealing) : null;
  return { record, replay: during(path, record, () => replayMachine(record, host, sealing)) };
}

export interface OpenReplay {
  readonly record: RunRecord;
  readonly replay: Replay;
}

/** Does a part of a replay. @throws Failure where it differs from the record, or cannot be */
export function during<T>(path: string, record: RunRecord, act: () => T): T {
  try {
    return act();
  } catch (error) {
    const whose = `--replay ${path}`;
    if (error instanceof RecordError) throw new Failure(USAGE_STATUS, `${whose}: ${error.message}`);
    if (error instanceof LoadError) throw new Failure(DIFFERS_STATUS, `${whose}: ${error.message}`);
    if (!(error instanceof ReplayDiffers)) throw error;
    const other = record.version === version() ? "" : ` (recorded by sealab ${record.version})`;
    throw new Failure(DIFFERS_STATUS, `${whose}: ${error.message}${other}`);
  }
}

/** `sealab run --replay FILE`: gives the exit status. */
export async function replayRun(path: string, options: RunOptions): Promise<number> {
  const log = options.logLevel === null ? null : (await import("./logger.js")).createLogger(options.logLevel);
  const host = new NodeHost({ seed: 0 });
  const { record, replay } = await openReplay(path, options, host);
  const { machine } = replay;
  const stopObserving = await startObserving(machine, options, log);
  const started = timestamp();
  try {
    during(path, record, () => {
      replay.start();
      runReplay(replay, record.end);
    });
  } finally {
    stopObserving();
    host.close();
  }
  const milliseconds = timestamp() - started;
  if (options.maps || options.stats) {
    const { mapsLines, statsLines } = await import("./summary.js");
    if (options.maps) for (const line of mapsLines(machine)) stderrOutput.write(line);
    if (options.stats) for (const line of statsLines(machine, milliseconds)) stderrOutput.write(line);
  }
  const { status, message } = record.end;
  if (message !== null) throw new Failure(status, message);
  return status;
}
