/** The descriptor tables as the processor reads them: Linux's GDT with the running thread's entries, and its mm's LDT. */

import { LINUX_USER_TABLES, type DescriptorTables } from "../../cpu/segments.js";
import type { Kernel } from "../kernel.js";
import { isThreadEntry, threadEntry } from "./thread-area.js";
import type { Descriptor } from "./user-desc.js";

/** Bit of a selector that names the local table. */
export const SELECTOR_LOCAL = 4;

export class SegmentTables implements DescriptorTables {
  constructor(private readonly kernel: Kernel) {}

  read(selector: number): Descriptor | undefined {
    const { current } = this.kernel;
    const index = (selector & 0xffff) >>> 3;
    if ((selector & SELECTOR_LOCAL) !== 0) {
      const { ldt } = current.mm;
      return ldt === null || 2 * index >= ldt.length ? undefined : [ldt[2 * index]!, ldt[2 * index + 1]!];
    }
    return isThreadEntry(index) ? threadEntry(current, index) : LINUX_USER_TABLES.read(selector);
  }
}
