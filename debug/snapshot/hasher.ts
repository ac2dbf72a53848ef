const ROTATE = 13;

/** A hash of 128 bits: finds damage and differences, but not forgery. Two lanes of words, mixed as in MurmurHash3. */
export class Hasher {
  private readonly lanes = Int32Array.of(0x5ea1ab01, 0x1f123bb5, 0x38b34ae5, 0x2545f491);
  private readonly double = new Float64Array(1);
  private readonly halves = new Int32Array(this.double.buffer);
  private count = 0;

  /** 32 bits. */
  word(value: number): void {
    const { lanes } = this;
    const lane = this.count++ & 3;
    const mixed = Math.imul(lanes[lane]! ^ value, 0xcc9e2d51);
    lanes[lane] = Math.imul((mixed << ROTATE) | (mixed >>> (32 - ROTATE)), 5) + 0x6b64e6;
  }

  number(value: number): void {
    this.double[0] = value;
    this.word(this.halves[0]!);
    this.word(this.halves[1]!);
  }

  text(value: string): void {
    this.word(value.length);
    for (let i = 0; i < value.length; i++) this.word(value.charCodeAt(i));
  }

  bytes(value: Uint8Array): void {
    this.word(value.length);
    const whole = value.length & ~15;
    if (whole > 0) {
      const aligned = value.byteOffset % 4 === 0 ? value : new Uint8Array(value.subarray(0, whole));
      this.blocks(new Int32Array(aligned.buffer, aligned.byteOffset, whole >>> 2));
    }
    for (let i = whole; i < value.length; i++) this.word(value[i]!);
  }

  /** Four words at a time, one to each lane. */
  private blocks(words: Int32Array): void {
    let [a, b, c, d] = this.lanes as unknown as [number, number, number, number];
    for (let i = 0; i < words.length; i += 4) {
      a = Math.imul(a ^ words[i]!, 0xcc9e2d51);
      a = (a << ROTATE) | (a >>> (32 - ROTATE));
      b = Math.imul(b ^ words[i + 1]!, 0x1b873593);
      b = (b << 15) | (b >>> 17);
      c = Math.imul(c ^ words[i + 2]!, 0x85ebca6b);
      c = (c << 16) | (c >>> 16);
      d = Math.imul(d ^ words[i + 3]!, 0xc2b2ae35);
      d = (d << 14) | (d >>> 18);
    }
    this.lanes.set([a, b, c, d]);
    this.count = 0;
  }

  /** 32 hexadecimal digits. */
  digest(): string {
    const lanes = [...this.lanes];
    lanes[0] = lanes[0]! ^ this.count;
    for (let round = 0; round < 8; round++) {
      const from = lanes[(round + 3) & 3]!;
      const mixed = Math.imul(lanes[round & 3]! ^ (from >>> 15) ^ from, 0x85ebca6b);
      lanes[round & 3] = mixed ^ (mixed >>> 13);
    }
    return lanes.map((lane) => (lane >>> 0).toString(16).padStart(8, "0")).join("");
  }
}
