import { loweringOf, type Lower } from "../decode/context.js";

/** Instructions that 32- and 16-bit code lowers otherwise than 64-bit code. */
const lowerings = new Map<number, Lower>();

/** Says how the instructions of a mnemonic become micro-ops outside of 64-bit mode. */
export function lowerCompat(mnemonics: number | readonly number[], how: Lower): void {
  for (const m of typeof mnemonics === "number" ? [mnemonics] : mnemonics) {
    if (lowerings.has(m)) throw new Error(`mnemonic ${m} is lowered twice`);
    lowerings.set(m, how);
  }
}

export function compatLoweringOf(mnemonic: number): Lower | undefined {
  return lowerings.get(mnemonic) ?? loweringOf(mnemonic);
}
