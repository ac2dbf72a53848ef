import type { AddressSpace } from "./address-space.js";
import type { Area } from "./area.js";

/** Where the mm tells of areas that may have to get breakpoints (kernel/uprobes). */
export interface UprobeDoor {
  /** An area came, was split, or became larger by merging (uprobe_mmap). */
  mapped(mm: AddressSpace, area: Area): void;
  /** All of it has gone. */
  released(mm: AddressSpace): void;
}
