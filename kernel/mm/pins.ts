import type { FrameAllocator, FrameHolder } from "../../mmu/frame-allocator.js";
import { pteFrame } from "../../mmu/page-table-entry.js";
import type { PageFrame } from "../../mmu/types.js";
import { EFAULT, ENOMEM } from "../errno.js";
import type { AddressSpace } from "./address-space.js";
import { bringInOrKill } from "./bring-in.js";
import { keyDenies } from "./fault.js";
import { isSecret } from "./secret-memory.js";
import { VM_IO, VM_PFNMAP, VM_WRITE } from "./vm-flags.js";

/**
 * Frames that the kernel writes at any time on a program's behalf (FOLL_PIN | FOLL_LONGTERM). Each pin is one
 * reference. A pinned private page stays its process's own: a write does not copy it, and fork gives the child a copy
 * at once.
 */
export class PinnedFrames implements FrameHolder {
  private readonly counts = new Map<PageFrame, number>();
  /** Pages that each user has pinned, by uid (user_struct's locked_vm). */
  private readonly charged = new Map<number, number>();

  constructor(private readonly frames: FrameAllocator) {}

  /** How many pins a frame has. */
  of(frame: PageFrame): number {
    return this.counts.size === 0 ? 0 : (this.counts.get(frame) ?? 0);
  }

  /** Whether one of `count` frames from `first` on has a pin. */
  anyOf(first: PageFrame, count: number): boolean {
    if (this.counts.size > 0)
      for (let frame = first; frame < first + count; frame++) if (this.counts.has(frame)) return true;
    return false;
  }

  pin(frame: PageFrame): void {
    if (this.counts.size === 0) this.frames.holders.add(this);
    this.frames.hold(frame);
    this.counts.set(frame, this.of(frame) + 1);
  }

  unpin(frame: PageFrame): void {
    const left = this.of(frame) - 1;
    if (left > 0) this.counts.set(frame, left);
    else this.counts.delete(frame);
    this.frames.release(frame);
    if (this.counts.size === 0) this.frames.holders.delete(this);
  }

  /** Charges pages to a user (__io_account_mem). @returns false over `limit` bytes (RLIMIT_MEMLOCK) */
  charge(uid: number, pages: number, limit: number): boolean {
    const sum = (this.charged.get(uid) ?? 0) + pages;
    if (sum * 4096 > limit && pages > 0) return false;
    this.charged.set(uid, sum);
    return true;
  }

  uncharge(uid: number, pages: number): void {
    this.charged.set(uid, (this.charged.get(uid) ?? 0) - pages);
  }

  /** What is pinned stays. */
  reclaim(): number {
    return 0;
  }

  *heldFrames(): Iterable<PageFrame> {
    for (const [frame, count] of this.counts) for (let i = 0; i < count; i++) yield frame;
  }
}

/**
 * Pins the pages of [start, end), page-aligned bytes, for writing (pin_user_pages with FOLL_WRITE | FOLL_LONGTERM).
 * A private page is copied first where others have it too.
 * @returns the frames in order; -EFAULT at a hole or where the area or its key forbids writing; -ENOMEM. Then nothing
 *   is pinned.
 */
export function pinRange(mm: AddressSpace, start: number, end: number): PageFrame[] | number {
  const { pins } = mm.env;
  const frames: PageFrame[] = [];
  for (let page = start; page < end; page += 4096) {
    const error = writablePage(mm, page);
    if (error !== 0) {
      for (const frame of frames) pins.unpin(frame);
      return error;
    }
    const frame = pteFrame(mm.translations.low(page));
    pins.pin(frame);
    frames.push(frame);
  }
  return frames;
}

function writablePage(mm: AddressSpace, page: number): number {
  const area = mm.findArea(page);
  const no = (text: string, source: string): number =>
    mm.refuse("pin", EFAULT, () => ({ text, source, address: page, ...(area === null ? {} : { area }) }));
  if (area === null) return no("nothing is mapped there", "__get_user_pages");
  if ((area.flags & (VM_IO | VM_PFNMAP)) !== 0) return no("the area is no memory", "check_vma_flags");
  if (isSecret(area)) return no("secret memory is reached through page tables only", "check_vma_flags");
  if ((area.flags & VM_WRITE) === 0) return no("the area does not permit writing", "check_vma_flags");
  if (keyDenies(mm, area, true))
    return no("PKRU of this thread forbids writing there", "arch_vma_access_permitted");
  const outcome = bringInOrKill(mm, area, page, true);
  if (outcome === "no-memory") return -ENOMEM;
  return outcome === "ok" ? 0 : no("the page cannot be brought in", "faultin_page");
}
