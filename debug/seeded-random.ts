/** Xoshiro128 starstar (Blackman and Vigna), seeded by splitmix32: small, fast, the same everywhere. */
export class SeededRandom {
  private readonly state: Uint32Array;

  /** @param seed any integer; its low 53 bits count */
  constructor(seed: number) {
    let mix = (seed ^ Math.floor(seed / 2 ** 32)) >>> 0;
    this.state = Uint32Array.from({ length: 4 }, () => {
      mix = (mix + 0x9e3779b9) >>> 0;
      let z = Math.imul(mix ^ (mix >>> 16), 0x85ebca6b);
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
      return (z ^ (z >>> 16)) >>> 0;
    });
  }

  /** What the next numbers follow from. */
  saveState(): Uint32Array {
    return this.state.slice();
  }

  loadState(state: Uint32Array): void {
    this.state.set(state);
  }

  /** 32 bits, unsigned. */
  next(): number {
    const s = this.state;
    const product = Math.imul(s[1]!, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const shifted = s[1]! << 9;
    s[2]! ^= s[0]!;
    s[3]! ^= s[1]!;
    s[1]! ^= s[2]!;
    s[0]! ^= s[3]!;
    s[2]! ^= shifted;
    s[3] = (s[3]! << 11) | (s[3]! >>> 21);
    return result;
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    let word = 0;
    for (let i = 0; i < count; i++) {
      if ((i & 3) === 0) word = this.next();
      bytes[i] = word >>> ((i & 3) * 8);
    }
    return bytes;
  }
}
