import { EIO } from "../../errno.js";
import type { AddressSpace } from "../../mm/address-space.js";
import type { Kernel } from "../../kernel.js";
import { UserMemory } from "../../mm/user-memory.js";
import type { Task } from "../../task.js";
import type { Location } from "../mount.js";
import { OpenFile } from "../open-file.js";

/**
 * /proc/pid/mem: the memory at the position, whatever its key and, as far as the release lets the caller force it
 * (FOLL_FORCE), its protection; -EIO where none is mapped.
 * It is the address space that the task had when this was opened (proc_mem_open): another program that the task
 * executes since is not seen, and of a memory that nobody has any more there is nothing to read.
 */
export class MemoryFile extends OpenFile {
  private readonly mm: AddressSpace;

  constructor(
    location: Location,
    flags: number,
    private readonly kernel: Kernel,
    private readonly task: Task,
  ) {
    super(location, flags);
    this.mm = task.mm;
  }

  override read(destination: Uint8Array, offset: number): number {
    if (this.mm.released) return 0;
    return this.memory().copyIn(offset, destination) || (destination.length === 0 ? 0 : -EIO);
  }

  override write(source: Uint8Array, offset: number): number {
    if (this.mm.released) return 0;
    return this.memory().copyOut(offset, source) || (source.length === 0 ? 0 : -EIO);
  }

  private memory(): UserMemory {
    return new UserMemory(this.mm, { foreign: true, force: this.forces() });
  }

  /** proc_mem_foll_force. */
  private forces(): boolean {
    if (this.mm.env.release.memoryFileForces === "always") return true;
    return this.task.mm === this.mm && this.task.tracing?.tracer === this.kernel.current;
  }
}
