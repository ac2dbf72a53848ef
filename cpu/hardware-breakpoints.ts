/** What one of the registers DR0 to DR3 asks for (SDM vol. 3, 18.2): bytes [start, end). */
export interface HardwareBreakpoint {
  readonly start: number;
  readonly end: number;
  /** "access": read or written. */
  readonly kind: "execute" | "write" | "access";
}

/** The debug registers of whoever runs: #DB before an instruction at a place, or behind one that touches data there. */
export class HardwareBreakpoints {
  /** Bit i: the i-th of the list was met, and #DB is raised for it (B0 to B3 of DR6). */
  hits = 0;
  /** The count behind a MOV to SS that met one: #DB comes behind the next instruction (SDM vol. 3, 6.8.3). */
  heldAt = -1;
  /** The instruction that is executed though there is a breakpoint (RFLAGS.RF), and the count at which it began. */
  private resumed = -1;
  private resumedAt = -1;

  constructor(readonly list: readonly HardwareBreakpoint[]) {}

  /** Before an instruction: whether #DB comes first. */
  stopsBefore(rip: number, instructions: number): boolean {
    const bits = this.met((each) => each.kind === "execute" && each.start === rip);
    if (bits === 0) return false;
    if (this.resumed === rip && (this.resumedAt === -1 || this.resumedAt === instructions)) {
      this.resumedAt = instructions;
      return false;
    }
    this.resumed = rip;
    this.resumedAt = -1;
    this.hits |= bits;
    return true;
  }

  /** Bits of those that an access of `size` bytes at `va` meets. */
  meets(va: number, size: number, write: boolean): number {
    return this.met(
      ({ start, end, kind }) =>
        va < end && start < va + size && (kind === "access" || (kind === "write" && write)),
    );
  }

  private met(test: (each: HardwareBreakpoint) => boolean): number {
    let bits = 0;
    this.list.forEach((each, i) => {
      if (test(each)) bits |= 1 << i;
    });
    return bits;
  }

  /** #DB came before the instruction there, which is executed next (RFLAGS.RF in what is saved). */
  isResumed(rip: bigint): boolean {
    return this.resumedAt === -1 && BigInt(this.resumed) === rip;
  }

  /** What was met since, once. */
  take(): number {
    const { hits } = this;
    this.hits = 0;
    return hits;
  }
}
