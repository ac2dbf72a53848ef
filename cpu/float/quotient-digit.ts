/** One step of long division, as DIV and FPREM do it. */

const TWO32 = 2 ** 32;

/** The rest after {@link quotientDigit}, each limb below 2^32. */
export let restHi = 0;
export let restLo = 0;

/**
 * The digit of rest * scale / divisor; the new rest is in {@link restHi} and {@link restLo}. A digit times a 32-bit
 * limb is an exact double, for digits of up to 20 bits.
 * @param estimate the digit, off by one at most
 */
export function quotientDigit(
  rHi: number,
  rLo: number,
  dHi: number,
  dLo: number,
  estimate: number,
  scale: number,
): number {
  let q = estimate;
  let lo = rLo * scale - q * dLo;
  let carry = Math.floor(lo / TWO32);
  lo -= carry * TWO32;
  let hi = rHi * scale - q * dHi + carry;
  if (hi < 0) {
    q--;
    lo += dLo;
    carry = lo >= TWO32 ? 1 : 0;
    lo -= carry * TWO32;
    hi += dHi + carry;
  } else if (hi > dHi || (hi === dHi && lo >= dLo)) {
    q++;
    lo -= dLo;
    carry = lo < 0 ? 1 : 0;
    lo += carry * TWO32;
    hi -= dHi + carry;
  }
  restHi = hi;
  restLo = lo;
  return q;
}
