import type { AnnouncedCode } from "./codes.js";

const UP_TO_7 = [0, 1, 2, 3, 4, 5, 6, 7];

/** 8-bit immediates that mean something to an instruction, by its mnemonic. */
const BY_MNEMONIC: readonly (readonly [pattern: RegExp, values: readonly number[]])[] = [
  [/^(rol|ror|rcl|rcr|shl|shr|sal|sar)$/, [0, 1, 2, 7, 8, 9, 15, 16, 17, 18, 31, 32, 33, 63, 64, 65, 255]],
  [/^sh[lr]d$/, [0, 1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64]],
  [/^ps(ll|rl|ra)[wdq]$/, [0, 1, 7, 8, 15, 16, 31, 32, 63, 64, 255]],
  [/^ps[lr]ldq$/, [0, 1, 8, 15, 16, 255]],
  [/^bt[src]?$/, [0, 1, 7, 8, 15, 16, 31, 33, 63, 64, 255]],
  [/^cmp(ps|pd|ss|sd)$/, UP_TO_7],
  [/^(shuf|pshuf)/, [0x00, 0x1b, 0xe4, 0xff, 0x4e, 0x93]],
  [/^round/, [0, 1, 2, 3, 4, 8, 9, 10, 11, 12]],
  [/^palignr$/, [0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 255]],
  [/^(dpps|dppd)$/, [0xff, 0x71, 0x3f, 0xf0, 0x31, 0x13, 0x00]],
  [/^mpsadbw$/, UP_TO_7],
  [/^insertps$/, [0x00, 0x10, 0x5d, 0xff, 0x88, 0x0f, 0xb2]],
  [/^(pinsr|pextr|extractps)/, [0, 1, 2, 3, 7, 15, 255]],
  [/^p?blend/, [0x00, 0x55, 0xaa, 0xff, 0x0f, 0x01]],
  // Every format, aggregation and polarity, with both ways to answer.
  [/^pcmp[ei]str/, Array.from({ length: 64 }, (_, i) => i + (i % 3 === 0 ? 64 : 0))],
];

/** The immediates that a form is tried with; `bits` is how many it stores. */
export function immediatesFor({ mnemonic }: AnnouncedCode, bits: number): readonly number[] {
  if (bits === 8) {
    return BY_MNEMONIC.find(([pattern]) => pattern.test(mnemonic))?.[1] ?? [0, 1, 0x7f, -128, -1, 0x35];
  }
  const top = 2 ** (bits === 64 ? 31 : bits - 1);
  return [0, top - 1, -top, -1, 0x1234, 0x5a5a - top];
}
