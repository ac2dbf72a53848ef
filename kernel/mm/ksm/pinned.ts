import type { FrameAllocator, FrameHolder } from "../../../mmu/frame-allocator.js";
import type { PageFrame } from "../../../mmu/types.js";

/** Frames that somebody has besides page tables, as a pipe has (vmsplice): found out when first asked for. */
export interface PinnedFrames {
  frames: ReadonlySet<PageFrame> | null;
}

/** @param merging the holder of merged frames, which does not count */
export function isPinned(
  pinned: PinnedFrames,
  frame: PageFrame,
  { holders }: FrameAllocator,
  merging: FrameHolder,
): boolean {
  if (pinned.frames === null) {
    const found = new Set<PageFrame>();
    for (const holder of holders)
      if (holder !== merging) for (const held of holder.heldFrames()) found.add(held);
    pinned.frames = found;
  }
  return pinned.frames.has(frame);
}
