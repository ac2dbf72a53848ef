/** A buffer that is written at offsets and grows. */
export class Output {
  #bytes = new Uint8Array(8192);
  #view = new DataView(this.#bytes.buffer);
  length = 0;

  #reach(end: number): void {
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#bytes.length));
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.length = Math.max(this.length, end);
  }

  put(at: number, bytes: Uint8Array): void {
    this.#reach(at + bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** Writes [bytes, value] pairs one after the other. */
  fields(at: number, fields: readonly (readonly [size: 1 | 2 | 4 | 8, value: number])[]): void {
    let next = at;
    for (const [size, value] of fields) {
      this.#reach(next + size);
      if (size === 1) this.#view.setUint8(next, value);
      else if (size === 2) this.#view.setUint16(next, value, true);
      else if (size === 4) this.#view.setUint32(next, value, true);
      else this.#view.setBigUint64(next, BigInt(value), true);
      next += size;
    }
  }

  take(): Uint8Array {
    return this.#bytes.slice(0, this.length);
  }
}

/** Names one after the other, each ended by a NUL, the first one empty. */
export class StringTable {
  readonly #parts: string[] = [""];
  #length = 1;

  add(name: string): number {
    const at = this.#length;
    this.#parts.push(name);
    this.#length += new TextEncoder().encode(name).length + 1;
    return at;
  }

  bytes(): Uint8Array {
    return new TextEncoder().encode(this.#parts.join("\0") + "\0");
  }
}
