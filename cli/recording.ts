import * as fs from "node:fs";
import type { Machine } from "../debug/machine.js";
import { encodeRecord, type Packer } from "../debug/recording/record-file.js";
import { InputLog } from "../debug/recording/input-log.js";
import { RewindableHost } from "../debug/recording/rewindable-host.js";
import type { RunSetup } from "../debug/recording/run-record.js";
import { memoryDigest } from "../debug/recording/memory-digest.js";
import { Failure, INTERNAL_STATUS, reasonOf, USAGE_STATUS } from "./failure.js";
import type { NodeHost } from "./node-host.js";
import { zlib } from "./node-modules.js";
import { stderrOutput } from "./output.js";
import { version } from "./version.js";

/** Instructions between two checks of the registers: a replay that differs says so this soon. */
const CHECK_EVERY = 65_536;
/** What ends a process that does not look; the record is written before. */
const ENDINGS = { SIGTERM: 15, SIGHUP: 1 } as const;
const LEVEL = 9;

/** Records are deflated. */
export const PACKER: Packer = {
  pack: (bytes) => zlib().deflateRawSync(bytes, { level: LEVEL }),
  unpack: (bytes, size) => zlib().inflateRawSync(bytes, { maxOutputLength: Math.max(1, size) }),
};

/** A run that is being recorded. */
export class Recording {
  /** What the machine is to take for its host. */
  readonly door: RewindableHost;
  private setup: RunSetup | null = null;
  private machine: Machine | null = null;

  /** @param path of the file, which is made now and filled at the end. @throws Failure */
  constructor(
    private readonly path: string,
    host: NodeHost,
  ) {
    try {
      fs.closeSync(fs.openSync(path, "w"));
    } catch (error) {
      throw new Failure(USAGE_STATUS, `--record ${path}: ${reasonOf(error)}`);
    }
    this.door = new RewindableHost(host, new InputLog(), { checkEvery: CHECK_EVERY });
  }

  /** The program is loaded. */
  begin(machine: Machine, setup: RunSetup): void {
    this.machine = machine;
    this.setup = setup;
    for (const signal of ["SIGTERM", "SIGHUP"] as const) process.once(signal, this.killed);
  }

  /**
   * The run is over: writes the file.
   * @param statusOf gives the exit status, or throws the failure that it ended with
   * @throws Failure where it cannot be written, unless the run has failed already
   */
  finish(statusOf: () => number): number {
    let status: number;
    try {
      status = statusOf();
    } catch (error) {
      if (error instanceof Failure) this.told(this.write(error.status, error.message));
      throw error;
    }
    const trouble = this.write(status, null);
    if (trouble !== null) throw new Failure(USAGE_STATUS, trouble);
    return status;
  }

  /** The run has ended by a mistake of sealab's. */
  broken(error: unknown): void {
    this.told(this.write(INTERNAL_STATUS, error instanceof Error ? error.message : String(error), false));
  }

  private readonly killed = (signal: keyof typeof ENDINGS): void => {
    this.told(this.write(128 + ENDINGS[signal], `ended by ${signal}`));
    process.kill(process.pid, signal);
  };

  private told(trouble: string | null): void {
    if (trouble !== null) stderrOutput.write(`sealab: ${trouble}`);
  }

  /** @returns why the file could not be written; null where it could */
  private write(status: number, message: string | null, whole = true): string | null {
    const { machine, setup } = this;
    if (machine === null || setup === null) return null;
    this.machine = null;
    for (const signal of ["SIGTERM", "SIGHUP"] as const) process.off(signal, this.killed);
    const end = {
      instructions: machine.instructions,
      status,
      message,
      exited: machine.kernel.processes.size === 0,
      digest: whole ? memoryDigest(machine) : null,
    };
    const file = encodeRecord({ version: version(), setup, log: this.door.log, end }, PACKER);
    try {
      fs.writeFileSync(this.path, file);
      return null;
    } catch (error) {
      return `--record ${this.path}: cannot be written: ${reasonOf(error)}`;
    }
  }
}
