/** Numbers below this are not given out again (RESERVED_PIDS). */
export const RESERVED_PIDS = 300;
/** The most that pid_max may be, and what it is unless told, on a 64-bit Linux (PID_MAX_LIMIT). */
export const PID_MAX = 4_194_304;

/** The numbers of tasks (alloc_pid): they go up, and start again above 300 at pid_max. */
export class PidAllocator {
  /** kernel.pid_max: numbers lie below it. */
  max = PID_MAX;

  /**
   * @param taken by number: what has one
   * @param next the number to begin with
   */
  constructor(
    private readonly taken: ReadonlyMap<number, unknown>,
    private next: number,
  ) {}

  /** The next free number. */
  allocate(): number {
    do {
      if (this.next >= this.max) this.next = RESERVED_PIDS;
      this.next++;
    } while (this.taken.has(this.next - 1));
    return this.next - 1;
  }

  /** The number given out last. */
  get last(): number {
    return this.next - 1;
  }
}
