import type { FrameAllocator, FrameHolder } from "../../../mmu/frame-allocator.js";
import type { PageFrame } from "../../../mmu/types.js";

/** Frames that somebody has besides page tables, as a pipe has (vmsplice): found out when first asked for. */
export interface HeldElsewhere {
  frames: ReadonlySet<PageFrame> | null;
}

/** @param merging the holder of merged frames, which does not count; null: there is none */
export function isHeldElsewhere(
  held: HeldElsewhere,
  frame: PageFrame,
  { holders }: FrameAllocator,
  merging: FrameHolder | null,
): boolean {
  if (held.frames === null) {
    const found = new Set<PageFrame>();
    for (const holder of holders)
      if (holder !== merging) for (const each of holder.heldFrames()) found.add(each);
    held.frames = found;
  }
  return held.frames.has(frame);
}
