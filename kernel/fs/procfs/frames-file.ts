import { EINVAL } from "../../errno.js";
import type { Kernel } from "../../kernel.js";
import { FRAME_ENTRY_BYTES, frameCounts, frameFlags } from "../../mm/frame-flags.js";
import type { Location } from "../mount.js";
import { OpenFile } from "../open-file.js";
import type { Node } from "./file-system.js";

/** /proc/kpagecount and /proc/kpageflags: eight bytes for each frame of memory (fs/proc/page.c). */
export class FramesFile extends OpenFile {
  constructor(
    location: Location,
    flags: number,
    private readonly what: "count" | "flags",
    private readonly kernel: Kernel,
  ) {
    super(location, flags);
  }

  override read(destination: Uint8Array, offset: number): number {
    if (offset % FRAME_ENTRY_BYTES !== 0 || destination.length % FRAME_ENTRY_BYTES !== 0) return -EINVAL;
    const first = offset / FRAME_ENTRY_BYTES;
    const last = this.kernel.memory.frameCount;
    if (first >= last) return 0;
    const count = Math.min(last - first, destination.length / FRAME_ENTRY_BYTES);
    const words =
      this.what === "count" ? frameCounts(this.kernel, first, count) : frameFlags(this.kernel, first, count);
    destination.set(new Uint8Array(words.buffer));
    return words.byteLength;
  }

  override write(): number {
    return -EINVAL;
  }
}

export function framesFile(what: "count" | "flags", kernel: Kernel): Node {
  return {
    kind: "special",
    mode: 0o400,
    open: (location, flags) => new FramesFile(location, flags, what, kernel),
  };
}
