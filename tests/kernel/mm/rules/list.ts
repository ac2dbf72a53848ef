/**
 * Every numbered rule of the mm that a program can meet, by chapter. coverage.test.ts holds the recorded cases
 * against it. A range `M-2..M-6` stands for all numbers in it.
 */
const NUMBERED = [
  // mseal
  "M-1..M-24",
  // what a seal does to munmap, mmap, mprotect, mremap, brk, growth, fork and exec
  "U-1..U-6",
  "P-1..P-9",
  "R-1..R-9",
  "X-1..X-11",
  "B-1..B-4",
  "G-1..G-2",
  "E-1..E-5",
  // forced writes, System V memory, the vDSO, MDWE
  "W-1..W-4",
  "H-1..H-4",
  "V-1..V-3",
  "D-1..D-3",
  // madvise and discards, process_madvise
  "A-1..A-12",
  "Q-1..Q-3",
  // protection keys: processor, allocation, lifetime, execute-only memory, faults, kernel accesses, signals
  "K-1..K-6",
  "L-1..L-7",
  "T-1..T-5",
  "O-1..O-10",
  "F-1..F-3",
  "N-1..N-4",
  "S-1..S-7",
  // mmap and addresses
  "Y-1..Y-9",
  "Z-1..Z-10",
];

/** Numbers of the lists above that nothing here can show, and why. */
export const NOT_TESTED: ReadonlyMap<string, string> = new Map([
  ["T-4", "kernel threads and io_uring workers: there are none"],
]);

export const RULES: readonly string[] = NUMBERED.flatMap((range) => {
  const [, letter, first, last] = /^([A-Z])-(\d+)\.\.[A-Z]-(\d+)$/.exec(range)!;
  return Array.from({ length: Number(last) - Number(first) + 1 }, (_, i) => `${letter}-${Number(first) + i}`);
});
