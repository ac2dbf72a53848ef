/**
 * What a floating-point operation depends on besides its operands, and what it reports besides its result.
 * One record serves x87 (control word) and SSE (MXCSR); both number their exceptions alike (SDM vol. 1, 4.9.1).
 */

/** Invalid operation. */
export const IE = 0x01;
/** Denormal operand. */
export const DE = 0x02;
/** Divide by zero. */
export const ZE = 0x04;
/** Overflow. */
export const OE = 0x08;
/** Underflow. */
export const UE = 0x10;
/** Inexact result (precision). */
export const PE = 0x20;
/** x87 only: stack overflow or underflow, always together with IE. */
export const SF = 0x40;
/** Exceptions found before a result is computed: unmasked, they suppress it and all later exceptions. */
export const PRE_COMPUTATION = IE | DE | ZE;
export const ALL_EXCEPTIONS = 0x3f;

/** Rounding modes, as encoded in the control word's and MXCSR's RC field. */
export const ROUND_NEAREST = 0;
export const ROUND_DOWN = 1;
export const ROUND_UP = 2;
export const ROUND_ZERO = 3;

export interface FloatEnv {
  /** RC: one of ROUND_*. */
  rounding: number;
  /** x87 precision control: significand bits (24, 53 or 64) that arithmetic results are rounded to. */
  precision: number;
  /** Exceptions that are masked (bit set: the default response is made). */
  masks: number;
  /** SSE denormals-are-zero. */
  daz: boolean;
  /** SSE flush-to-zero; acts only while underflow is masked. */
  ftz: boolean;
  /** NaN selection and unmasked overflow/underflow follow the x87 instead of SSE. */
  x87: boolean;
  /** Exceptions raised so far; operations only add to it. */
  flags: number;
  /** The last rounding moved the magnitude up (x87 C1). */
  roundedUp: boolean;
}

export function createFloatEnv(x87: boolean): FloatEnv {
  return {
    rounding: ROUND_NEAREST,
    precision: 64,
    masks: ALL_EXCEPTIONS,
    daz: false,
    ftz: false,
    x87,
    flags: 0,
    roundedUp: false,
  };
}

/** Prepares `env` for one x87 operation under control word `controlWord`. A reserved PC of 01b acts as 64 bits. */
export function setControlWord(env: FloatEnv, controlWord: number): void {
  env.rounding = (controlWord >>> 10) & 3;
  const pc = (controlWord >>> 8) & 3;
  env.precision = pc === 0 ? 24 : pc === 2 ? 53 : 64;
  env.masks = controlWord & ALL_EXCEPTIONS;
  env.flags = 0;
  env.roundedUp = false;
}

/** Prepares `env` for one SSE operation under `mxcsr`. */
export function setMxcsr(env: FloatEnv, mxcsr: number): void {
  env.rounding = (mxcsr >>> 13) & 3;
  env.masks = (mxcsr >>> 7) & ALL_EXCEPTIONS;
  env.daz = (mxcsr & 0x40) !== 0;
  env.ftz = (mxcsr & 0x8000) !== 0;
  env.flags = 0;
  env.roundedUp = false;
}

/** Whether an unmasked pre-computation exception has been raised, so that no result may be written. */
export function isSuppressed(env: FloatEnv): boolean {
  return (env.flags & ~env.masks & PRE_COMPUTATION) !== 0;
}
