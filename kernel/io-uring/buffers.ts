import type { PageFrame } from "../../mmu/types.js";
import { ENOMEM } from "../errno.js";
import type { AddressSpace } from "../mm/address-space.js";
import { pinRange, type PinnedFrames } from "../mm/pins.js";

/** A registered buffer (struct io_mapped_ubuf): [start, start + length) bytes of user memory, its pages pinned. */
export interface RegisteredBuffer {
  readonly start: number;
  readonly length: number;
  readonly frames: readonly PageFrame[];
  /** The pages were charged to this user; null: who has CAP_IPC_LOCK pays nothing. */
  readonly chargedTo: number | null;
}

/**
 * Pins a buffer and charges it (io_sqe_buffer_register).
 * @returns -EFAULT, or -ENOMEM: no frame left, or over RLIMIT_MEMLOCK
 */
export function registerBuffer(
  mm: AddressSpace,
  uid: number,
  start: number,
  length: number,
): RegisteredBuffer | number {
  const { env } = mm;
  const frames = pinRange(mm, start - (start % 4096), Math.ceil((start + length) / 4096) * 4096);
  if (typeof frames === "number") return frames;
  const charged = !env.capabilities.ipcLock;
  if (charged && !env.pins.charge(uid, frames.length, env.limits.memlock)) {
    for (const frame of frames) env.pins.unpin(frame);
    return mm.refuse("pin.memlock", ENOMEM, () => ({
      text: "over RLIMIT_MEMLOCK with what is pinned",
      source: "__io_account_mem",
      address: start,
    }));
  }
  return { start, length, frames, chargedTo: charged ? uid : null };
}

export function unregisterBuffer(pins: PinnedFrames, buffer: RegisteredBuffer): void {
  for (const frame of buffer.frames) pins.unpin(frame);
  if (buffer.chargedTo !== null) pins.uncharge(buffer.chargedTo, buffer.frames.length);
}
