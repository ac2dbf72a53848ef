/** The vDSO: code that every program finds mapped, and the page of times that it reads (arch/x86/entry/vdso/vma.c). */

import type { FrameAllocator } from "../../mmu/frame-allocator.js";
import type { Clock, ClockWatcher } from "../clock.js";
import { ENOMEM } from "../errno.js";
import type { AddressSpace } from "../mm/address-space.js";
import { FilePages } from "../mm/file-pages.js";
import type { PageFiller } from "../mm/page-filler.js";
import { PROT_EXEC, PROT_READ } from "../mm/uapi.js";
import { findUnmappedArea } from "../mm/unmapped-area.js";
import { VM_DONTDUMP, VM_IO, VM_MAY_ALL, VM_MAYREAD, VM_MIXEDMAP, VM_PFNMAP } from "../mm/vm-flags.js";

/** An image and where its code looks for the kernel's numbers: byte offsets in the first page of [vvar]. */
export interface VdsoImage {
  /** An ELF shared object of whole pages. */
  readonly bytes: Uint8Array;
  readonly data: {
    readonly sequence: number;
    readonly mode: number;
    readonly skipped: number;
    readonly tick: number;
    readonly origins: number;
  };
}

const PAGE = 4096;
/** Time, time namespace, randomness, architecture: only the first is there, an access to another is SIGBUS. */
const VVAR_PAGES = 4;
/** Clocks of hypervisors, of which there is none. */
const VCLOCK_PAGES = 2;
const VVAR_FLAGS = VM_IO | VM_DONTDUMP | VM_MAYREAD;
const DATA_BYTES = 256;
/** Clock ids whose time is the date's: CLOCK_REALTIME, CLOCK_REALTIME_COARSE, CLOCK_TAI. */
const DATES = [0, 5, 11];
const NANOSECONDS = 1_000_000_000n;
/** One tick of the coarse clocks: 4 ms at 250 Hz. */
const TICK = 4_000_000;

export class Vdso implements ClockWatcher, PageFiller {
  private readonly image: Uint8Array;
  private readonly code: FilePages;
  private readonly data: FilePages;
  private readonly vclock: FilePages;
  private readonly offsets: VdsoImage["data"];

  constructor(
    frames: FrameAllocator,
    private readonly clock: Clock,
    image: VdsoImage,
  ) {
    this.image = image.bytes;
    this.code = new FilePages(frames, image.bytes.length, this);
    this.data = new FilePages(frames, PAGE);
    this.vclock = new FilePages(frames, 0);
    this.offsets = image.data;
  }

  /**
   * Puts [vvar], [vvar_vclock] and [vdso], one behind the other, where mmap without a hint would (map_vdso).
   * @param sealedBy who has them sealed from the beginning (VM_SEALED_SYSMAP); null: nobody
   * @returns the image's address, or -ENOMEM
   */
  map(mm: AddressSpace, sealedBy: string | null): number {
    if (this.data.resident === 0) this.clockChanged();
    const dataBytes = VVAR_PAGES * PAGE;
    const clockBytes = VCLOCK_PAGES * PAGE;
    const codeBytes = this.code.size;
    const start = findUnmappedArea(mm, 0, dataBytes + clockBytes + codeBytes, 0, false);
    if (start === -1) return -ENOMEM;
    const clock = start + dataBytes;
    const code = clock + clockBytes;
    const dataFlags = VVAR_FLAGS | (mm.env.release.vvarIsPfnmap ? VM_PFNMAP : VM_MIXEDMAP);
    const error =
      mm.mapSpecial(code, codeBytes, PROT_READ | PROT_EXEC, "[vdso]", this.code, VM_MAY_ALL, sealedBy) ||
      mm.mapSpecial(start, dataBytes, PROT_READ, "[vvar]", this.data, dataFlags, sealedBy) ||
      mm.mapSpecial(clock, clockBytes, PROT_READ, "[vvar_vclock]", this.vclock, dataFlags, sealedBy);
    return error === 0 ? code : error;
  }

  fillPage(index: number, page: Uint8Array): void {
    page.set(this.image.subarray(index * PAGE, (index + 1) * PAGE));
  }

  /** Tells the code that the clock jumped or was set; a reader under way begins anew. */
  clockChanged(): void {
    const bytes = new Uint8Array(DATA_BYTES);
    const view = new DataView(bytes.buffer);
    const { sequence, mode, skipped, tick, origins } = this.offsets;
    this.data.read(sequence, bytes.subarray(sequence, sequence + 4));
    view.setUint32(sequence, view.getUint32(sequence, true) + 2, true);
    view.setUint32(tick, TICK, true);
    if (this.clock.virtual) {
      view.setUint32(mode, 1, true);
      view.setBigInt64(skipped, BigInt(this.clock.skipped), true);
    }
    const { realtimeOrigin } = this.clock;
    const seconds = realtimeOrigin / NANOSECONDS;
    const nanoseconds = realtimeOrigin % NANOSECONDS;
    for (const id of DATES) {
      view.setBigInt64(origins + 16 * id, seconds, true);
      view.setBigInt64(origins + 16 * id + 8, nanoseconds, true);
    }
    this.data.write(0, bytes);
  }
}
