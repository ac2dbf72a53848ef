/** Reads the little-endian numbers of ELF and DWARF one after the other. */
export class ByteReader {
  private readonly view: DataView;

  /** @param at offset in bytes of what is read next */
  constructor(
    private readonly bytes: Uint8Array,
    public at = 0,
    /** Where reading ends, in bytes. */
    readonly end = bytes.length,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, Math.min(end, bytes.length));
  }

  get done(): boolean {
    return this.at >= this.end;
  }

  /** @throws RangeError beyond the end, as all of these */
  u8(): number {
    return this.view.getUint8(this.at++);
  }

  i8(): number {
    return this.view.getInt8(this.at++);
  }

  u16(): number {
    this.at += 2;
    return this.view.getUint16(this.at - 2, true);
  }

  u24(): number {
    return this.u16() | (this.u8() << 16);
  }

  u32(): number {
    this.at += 4;
    return this.view.getUint32(this.at - 4, true);
  }

  i32(): number {
    this.at += 4;
    return this.view.getInt32(this.at - 4, true);
  }

  /** 64 bits as a number: exact below 2^53, which every address and offset of a user program is. */
  u64(): number {
    const low = this.u32();
    return low + this.u32() * 2 ** 32;
  }

  i64(): number {
    const low = this.u32();
    return low + this.i32() * 2 ** 32;
  }

  /** An unsigned number of `size` bytes: 1, 2, 4 or 8. */
  unsigned(size: number): number {
    if (size === 8) return this.u64();
    if (size === 4) return this.u32();
    return size === 2 ? this.u16() : this.u8();
  }

  uleb(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  sleb(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return (byte & 0x40) !== 0 ? value - scale * 128 : value;
    }
  }

  /** Bytes up to a 0, as UTF-8. */
  text(): string {
    const end = this.bytes.indexOf(0, this.at);
    if (end < 0) throw new RangeError("a text without an end");
    const text = decoder.decode(this.bytes.subarray(this.at, end));
    this.at = end + 1;
    return text;
  }

  take(length: number): Uint8Array {
    if (length > this.end - this.at) throw new RangeError("beyond the end");
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  skip(length: number): void {
    this.at += length;
  }
}

const decoder = new TextDecoder();

/** The text at an offset of a string section; empty where there is none. */
export function textAt(strings: Uint8Array | null, offset: number): string {
  if (strings === null || offset >= strings.length) return "";
  const end = strings.indexOf(0, offset);
  return decoder.decode(strings.subarray(offset, end < 0 ? strings.length : end));
}
