import { defineCallout, DONE, FAULTED, type CalloutContext } from "../callouts.js";
import { BIG, CODE, DOWN_CONFORMING, READ_WRITE, SS, type Segments } from "../segments.js";

/** Accesses through a segment outside of 64-bit mode: type and limit checks, base, 32-bit linear addresses. */
const VECTOR_SS = 12;
const VECTOR_GP = 13;
/** How an access is checked: ALIGNED is to 16 bytes. */
export const WRITES = 1;
export const ALIGNED = 2;
const TWO32 = 0x1_0000_0000;

/** Whether [offset, offset + size) bytes of the segment may be read or written (SDM vol. 3, 5.3 to 5.5). */
function permits(segments: Segments, i: number, offset: number, size: number, write: boolean): boolean {
  const attributes = segments.attributes(i);
  // A null selector was loaded.
  if (attributes === 0) return false;
  const code = (attributes & CODE) !== 0;
  const flag = (attributes & READ_WRITE) !== 0;
  if (code ? write || !flag : write && !flag) return false;
  const last = offset + size - 1;
  const limit = segments.limit(i);
  // In a segment of 4 GiB an access may go on at offset 0, as recorded on real processors.
  if (code || (attributes & DOWN_CONFORMING) === 0) return last <= limit || limit === 0xffffffff;
  return offset > limit && last <= ((attributes & BIG) !== 0 ? 0xffffffff : 0xffff);
}

/** Linear address of `size` bytes at an offset in a segment, or -1 after #GP(0), #SS(0) in the stack segment. */
export function linearIn(
  context: CalloutContext,
  segment: number,
  offset: number,
  size: number,
  write: boolean,
): number {
  const { segments } = context.registers;
  if (permits(segments, segment, offset, size, write)) return (segments.base(segment) + offset) % TWO32;
  context.raise(segment === SS ? VECTOR_SS : VECTOR_GP, 0);
  return -1;
}

/**
 * The offset in the 8 bytes at a becomes a linear address: b = segment, c = bytes, d = WRITES | ALIGNED. What must be
 * aligned is looked at before the limit, as recorded on real processors.
 */
defineCallout("compat.segment", (context, record) => {
  const { u32 } = context.memory;
  const at = context.a(record) >>> 2;
  const segment = context.b(record);
  const bytes = context.c(record);
  const how = context.d(record);
  if ((how & ALIGNED) !== 0 && ((context.registers.segments.base(segment) + u32[at]!) & 15) !== 0) {
    context.raise(VECTOR_GP, 0);
    return FAULTED;
  }
  const linear = linearIn(context, segment, u32[at]!, bytes, (how & WRITES) !== 0);
  if (linear < 0) return FAULTED;
  u32[at] = linear;
  u32[at + 1] = 0;
  return DONE;
});
