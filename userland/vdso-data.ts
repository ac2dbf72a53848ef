/**
 * Where the kernel keeps the vDSO's numbers, on the first page of [vvar]: byte offsets, little-endian. Private to the
 * image and the kernel that maps it, as on Linux.
 */
export const VDSO_DATA = {
  /** u32: odd while the rest is being written, another one after that. */
  sequence: 0,
  /** u32: 1 if the time stamp counter plus `skipped` is the monotonic time; otherwise the system call is asked. */
  mode: 4,
  /** u32 each: where every task runs. */
  processor: 8,
  node: 12,
  /** u64: nanoseconds to add to the time stamp counter. */
  skipped: 16,
  /** u32: nanoseconds between two times of a coarse clock. */
  tick: 24,
  /** i32 each: minutes west of Greenwich and the kind of summer time. */
  minutesWest: 28,
  summerTime: 32,
  /** For each clock id from 0 to 11, what its time is ahead of the monotonic one: u64 seconds, u64 nanoseconds. */
  origins: 40,
} as const;
