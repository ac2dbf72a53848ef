import type { Machine } from "../machine.js";
import { memoryDigest } from "./memory-digest.js";
import { ReplayDiffers } from "./replay-differs.js";
import type { RewindableHost } from "./rewindable-host.js";
import type { RunEnd } from "./run-record.js";

/** Where a replay has to end, and as what. */
export class RecordEnd {
  constructor(
    private readonly machine: Machine,
    private readonly host: RewindableHost,
    private readonly end: RunEnd,
  ) {}

  /** Instructions to the record's end; not positive there and behind it. */
  get left(): number {
    return this.end.instructions - this.machine.instructions;
  }

  /** All that the record has was done; what may be left is the program's own end. */
  get reached(): boolean {
    return this.left <= 0 && !this.host.replaying;
  }

  /** Sealab ended that run, not the program: nothing comes after it. */
  get cut(): boolean {
    return !this.end.exited;
  }

  /** The run is at its end. @throws ReplayDiffers where the record's is another one */
  check(): void {
    const { machine, end } = this;
    if (this.left !== 0) this.differs(`the record ends at instruction ${end.instructions}`);
    if ((machine.kernel.processes.size === 0) !== end.exited)
      this.differs(`here the record ${end.exited ? "ends" : "does not end"} with the program`);
    if (end.digest !== null && memoryDigest(machine) !== end.digest)
      this.differs("this is the end, and memory is not that of the record");
  }

  /** The run ended. @param how as "it ends" @throws ReplayDiffers where the record's did not, or as something else */
  checkEnding(how: string): void {
    if (!this.reached) this.differs(`${how}; the record goes on to instruction ${this.end.instructions}`);
    this.check();
  }

  private differs(difference: string): never {
    throw new ReplayDiffers(this.machine.instructions, difference);
  }
}
