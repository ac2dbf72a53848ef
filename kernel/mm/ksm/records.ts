import type { PageFrame } from "../../../mmu/types.js";
import type { AddressSpace } from "../address-space.js";

/** A frame that is merged (struct ksm_stable_node): nobody writes it, whoever wants to gets a copy. */
export interface StableNode {
  /** -1: the last page that had it is gone, and the frame with it. */
  frame: PageFrame;
  readonly checksum: number;
  /** Pages that were merged into it, as far as the scanner knows. */
  readonly items: Set<RmapItem>;
}

/** A page that the scanner knows (struct ksm_rmap_item). */
export interface RmapItem {
  readonly slot: ScanSlot;
  /** Bytes, a multiple of the page size. */
  readonly address: number;
  /** Its content when it was last looked at (`oldchecksum`); 0 before. */
  checksum: number;
  /** How often it was looked at without being merged, at most 255, and how often it is still passed over. */
  age: number;
  skips: number;
  /** The pass in which it was last met. */
  pass: number;
  /** Stands among those whose content did not change of late (the unstable tree). */
  unstable: boolean;
  node: StableNode | null;
}

/** An address space that has mergeable areas, or had (struct ksm_mm_slot). */
export interface ScanSlot {
  readonly mm: AddressSpace;
  /** Its pages, by address. */
  readonly items: Map<number, RmapItem>;
}
