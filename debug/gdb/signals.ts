/** gdb's own numbers for signals (include/gdb/signals.def), which every target is told in. */

/** By Linux's number, from 1 on; gdb has none for SIGSTKFLT (16). */
const GDB_NUMBERS = [
  0, 1, 2, 3, 4, 5, 6, 10, 8, 9, 30, 11, 31, 13, 14, 15, 143, 20, 19, 17, 18, 21, 22, 16, 24, 25, 26, 27, 28,
  23, 32, 12,
];
const UNKNOWN = 143;

export function gdbSignal(signal: number): number {
  if (signal < GDB_NUMBERS.length) return GDB_NUMBERS[signal]!;
  if (signal === 32) return 77;
  if (signal === 64) return 78;
  return signal >= 33 && signal <= 63 ? 45 + signal - 33 : UNKNOWN;
}

/** 0 for a number that Linux has no signal for. */
export function linuxSignal(number: number): number {
  const at = GDB_NUMBERS.indexOf(number);
  if (at > 0 && number !== UNKNOWN) return at;
  if (number === 77) return 32;
  if (number === 78) return 64;
  return number >= 45 && number <= 75 ? number - 45 + 33 : 0;
}
