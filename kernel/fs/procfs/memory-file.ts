import { EIO } from "../../errno.js";
import { UserMemory } from "../../mm/user-memory.js";
import type { Task } from "../../task.js";
import type { Location } from "../mount.js";
import { OpenFile } from "../open-file.js";

/** /proc/pid/mem: the memory at the position, whatever its protection (FOLL_FORCE); -EIO where none is mapped. */
export class MemoryFile extends OpenFile {
  constructor(
    location: Location,
    flags: number,
    private readonly task: Task,
  ) {
    super(location, flags);
  }

  override read(destination: Uint8Array, offset: number): number {
    return this.memory().copyIn(offset, destination) || (destination.length === 0 ? 0 : -EIO);
  }

  override write(source: Uint8Array, offset: number): number {
    return this.memory().copyOut(offset, source) || (source.length === 0 ? 0 : -EIO);
  }

  private memory(): UserMemory {
    return new UserMemory(this.task.mm, { foreign: true, force: true });
  }
}
