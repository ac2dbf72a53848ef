/** A set of signals 1 to 64, as two 32-bit halves: bit n-1 is signal n (sigset_t of the kernel's ABI). */

export class SignalSet {
  lo = 0;
  hi = 0;

  static of(...signals: number[]): SignalSet {
    const set = new SignalSet();
    for (const signal of signals) set.add(signal);
    return set;
  }

  has(signal: number): boolean {
    return signal <= 32 ? ((this.lo >>> (signal - 1)) & 1) !== 0 : ((this.hi >>> (signal - 33)) & 1) !== 0;
  }

  add(signal: number): void {
    if (signal <= 32) this.lo |= 1 << (signal - 1);
    else this.hi |= 1 << (signal - 33);
  }

  delete(signal: number): void {
    if (signal <= 32) this.lo &= ~(1 << (signal - 1));
    else this.hi &= ~(1 << (signal - 33));
  }

  get empty(): boolean {
    return (this.lo | this.hi) === 0;
  }

  assign(other: SignalSet): void {
    this.lo = other.lo;
    this.hi = other.hi;
  }

  copy(): SignalSet {
    const set = new SignalSet();
    set.assign(this);
    return set;
  }

  addAll(other: SignalSet): void {
    this.lo |= other.lo;
    this.hi |= other.hi;
  }

  deleteAll(other: SignalSet): void {
    this.lo &= ~other.lo;
    this.hi &= ~other.hi;
  }

  /** True if a signal is in this set and not in `except`. */
  anyOutside(except: SignalSet): boolean {
    return ((this.lo & ~except.lo) | (this.hi & ~except.hi)) !== 0;
  }

  /** The lowest signal in this set and not in `except`, or 0. */
  lowestOutside(except: SignalSet): number {
    const lo = this.lo & ~except.lo;
    if (lo !== 0) return 32 - Math.clz32(lo & -lo);
    const hi = this.hi & ~except.hi;
    return hi === 0 ? 0 : 64 - Math.clz32(hi & -hi);
  }

  /** Reads eight bytes, little-endian. */
  static fromBytes(bytes: Uint8Array, at = 0): SignalSet {
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, 8);
    const set = new SignalSet();
    set.lo = view.getInt32(0, true);
    set.hi = view.getInt32(4, true);
    return set;
  }

  toBytes(): Uint8Array {
    const bytes = new Uint8Array(8);
    const view = new DataView(bytes.buffer);
    view.setInt32(0, this.lo, true);
    view.setInt32(4, this.hi, true);
    return bytes;
  }

  toBigInt(): bigint {
    return (BigInt(this.hi >>> 0) << 32n) | BigInt(this.lo >>> 0);
  }
}
