import { defineCallout, DONE, FAULTED, type CalloutContext, type CalloutStatus } from "../callouts.js";
import { unmaskedSse } from "../float/sse.js";
import { MXCSR } from "../state.js";

/** #XM: SIMD floating-point exception. */
const SIMD_EXCEPTION = 19;

/** Soft-float work on the int32 indices of the operands; returns the exceptions raised. */
export type FloatWork = (
  memory: Int32Array,
  a: number,
  b: number,
  mxcsr: number,
  immediate: number,
) => number;

/** Makes the exceptions sticky in MXCSR and raises #XM when one of them is not masked. */
export function settle(context: CalloutContext, flags: number): CalloutStatus {
  const { u32 } = context.memory;
  const mxcsr = u32[MXCSR >> 2]!;
  u32[MXCSR >> 2] = mxcsr | flags;
  if (unmaskedSse(flags, mxcsr) === 0) return DONE;
  context.raise(SIMD_EXCEPTION);
  return FAULTED;
}

/**
 * Defines the slow path of a floating-point micro-op. `work` must write nothing when it returns an unmasked
 * exception.
 */
export function defineFloatCallout(name: string, work: FloatWork): void {
  defineCallout(name, (context, record) => {
    const { i32 } = context.memory;
    const flags = work(
      i32,
      context.a(record) >> 2,
      context.b(record) >> 2,
      i32[MXCSR >> 2]!,
      context.immediateLow(record),
    );
    return settle(context, flags);
  });
}
