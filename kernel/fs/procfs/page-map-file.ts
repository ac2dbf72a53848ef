import { CAP_SYS_ADMIN } from "../../capabilities.js";
import { hasCapability } from "../../credentials.js";
import { EINVAL } from "../../errno.js";
import { PAGE_MAP_BYTES, pageMapEntries } from "../../mm/page-map.js";
import type { AddressSpace } from "../../mm/address-space.js";
import type { Task } from "../../task.js";
import type { Location } from "../mount.js";
import { OpenFile } from "../open-file.js";

/**
 * /proc/PID/pagemap: eight bytes for each page of the address space that the task had when this was opened. Frame
 * numbers are for who could administer the machine then.
 */
export class PageMapFile extends OpenFile {
  readonly mm: AddressSpace;
  private readonly showFrames: boolean;

  constructor(location: Location, flags: number, task: Task, opener: Task) {
    super(location, flags);
    this.mm = task.mm;
    this.showFrames = hasCapability(opener.credentials, CAP_SYS_ADMIN);
  }

  override read(destination: Uint8Array, offset: number): number {
    if (this.mm.released) return 0;
    if (offset % PAGE_MAP_BYTES !== 0 || destination.length % PAGE_MAP_BYTES !== 0) return -EINVAL;
    const count = destination.length / PAGE_MAP_BYTES;
    const words = pageMapEntries(this.mm, offset / PAGE_MAP_BYTES, count, this.showFrames);
    destination.set(new Uint8Array(words.buffer));
    return words.byteLength;
  }

  override write(): number {
    return -EINVAL;
  }
}
