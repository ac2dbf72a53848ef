import type { AddressSpace } from "../../mm/address-space.js";
import type { Task } from "../../task.js";
import type { Location } from "../mount.js";
import { GeneratedFile, type Content } from "./file-system.js";

/** /proc/PID/maps: its text, and for PROCMAP_QUERY the address space that the task had when this was opened. */
export class MapsFile extends GeneratedFile {
  readonly mm: AddressSpace;

  constructor(location: Location, flags: number, task: Task, content: Content) {
    super(location, flags, { kind: "file", content });
    this.mm = task.mm;
  }
}
