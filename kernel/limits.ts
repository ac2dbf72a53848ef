/** Resource limits (getrlimit(2)). */

export const RLIMIT_CPU = 0;
export const RLIMIT_FSIZE = 1;
export const RLIMIT_DATA = 2;
export const RLIMIT_STACK = 3;
export const RLIMIT_CORE = 4;
export const RLIMIT_RSS = 5;
export const RLIMIT_NPROC = 6;
export const RLIMIT_NOFILE = 7;
export const RLIMIT_MEMLOCK = 8;
export const RLIMIT_AS = 9;
export const RLIMIT_LOCKS = 10;
export const RLIMIT_SIGPENDING = 11;
export const RLIMIT_MSGQUEUE = 12;
export const RLIMIT_NICE = 13;
export const RLIMIT_RTPRIO = 14;
export const RLIMIT_RTTIME = 15;
export const RLIM_NLIMITS = 16;

export interface Limit {
  /** Soft limit; Infinity for RLIM_INFINITY. Values of 2^53 and above that are not all ones are kept rounded. */
  soft: number;
  hard: number;
}

/** The limits of a process: as Linux's init has them, with a descriptor limit as a shell gives. */
export class Limits {
  private readonly limits: Limit[];

  constructor(ramBytes: number) {
    // Linux allows one thread for each eight thread stacks (16 KiB) of memory, half of that for a user (fork_init).
    const threads = Math.floor(ramBytes / (8 * 16384) / 2);
    const unlimited = (): Limit => ({ soft: Infinity, hard: Infinity });
    this.limits = Array.from({ length: RLIM_NLIMITS }, unlimited);
    this.limits[RLIMIT_STACK] = { soft: 8 << 20, hard: Infinity };
    this.limits[RLIMIT_CORE] = { soft: 0, hard: Infinity };
    this.limits[RLIMIT_NPROC] = { soft: threads, hard: threads };
    this.limits[RLIMIT_NOFILE] = { soft: 1024, hard: 1048576 };
    this.limits[RLIMIT_MEMLOCK] = { soft: 8 << 20, hard: 8 << 20 };
    this.limits[RLIMIT_SIGPENDING] = { soft: threads, hard: threads };
    this.limits[RLIMIT_MSGQUEUE] = { soft: 819200, hard: 819200 };
    this.limits[RLIMIT_NICE] = { soft: 0, hard: 0 };
    this.limits[RLIMIT_RTPRIO] = { soft: 0, hard: 0 };
  }

  /** As fork gives them to a child. */
  copy(): Limits {
    const copy = new Limits(0);
    this.limits.forEach((limit, resource) => (copy.limits[resource] = { ...limit }));
    return copy;
  }

  get(resource: number): Limit {
    return this.limits[resource]!;
  }

  /** The soft limit: what is enforced. */
  soft(resource: number): number {
    return this.limits[resource]!.soft;
  }
}
