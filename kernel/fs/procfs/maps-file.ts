import { ESRCH } from "../../errno.js";
import type { Kernel } from "../../kernel.js";
import type { AddressSpace } from "../../mm/address-space.js";
import type { Task } from "../../task.js";
import type { Location } from "../mount.js";
import { GeneratedFile } from "./file-system.js";
import { vsyscallMaps } from "../../vsyscall.js";
import { memoryOf } from "./task-status.js";

/** Its text comes from the task. */
const NO_SOURCE = null;

/** /proc/PID/maps: its text, and for PROCMAP_QUERY the address space that the task had when this was opened. */
export class MapsFile extends GeneratedFile {
  readonly mm: AddressSpace;

  constructor(
    location: Location,
    flags: number,
    private readonly kernel: Kernel,
    private readonly task: Task,
  ) {
    super(location, flags, NO_SOURCE);
    this.mm = task.mm;
  }

  protected override text(): string | number {
    const mm = memoryOf(this.task);
    if (mm !== null) return mm.formatMaps() + vsyscallMaps(this.kernel);
    return this.kernel.tasks.get(this.task.tid) === this.task ? "" : -ESRCH;
  }
}
