import type { Value } from "./value.js";

/** Bytes that are no values of this form; the message says how. */
export class CodecError extends Error {
  override readonly name = "CodecError";
}

const NULL = 0;
const FALSE = 1;
const TRUE = 2;
/** A whole number from 0 to 2^53 - 1. */
const WHOLE = 3;
/** Any other number, as the eight bytes of a double. */
const FLOAT = 4;
const BIGINT = 5;
const TEXT = 6;
const BYTES = 7;
const LIST = 8;
const FIELDS = 9;

const SEVEN_BITS = 128;
const FIRST_CAPACITY = 1 << 16;

/** Writes numbers and values one after the other. */
export class ValueWriter {
  private buffer = new Uint8Array(FIRST_CAPACITY);
  private length = 0;
  private readonly encoder = new TextEncoder();

  /** What was written so far. */
  bytes(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }

  byte(value: number): void {
    this.room(1);
    this.buffer[this.length++] = value;
  }

  /** A whole number from 0 to 2^53 - 1: seven bits a byte, the lowest first. */
  whole(value: number): void {
    this.room(8);
    let rest = value;
    while (rest >= SEVEN_BITS) {
      this.buffer[this.length++] = (rest % SEVEN_BITS) | SEVEN_BITS;
      rest = Math.floor(rest / SEVEN_BITS);
    }
    this.buffer[this.length++] = rest;
  }

  raw(bytes: Uint8Array): void {
    this.room(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  value(value: Value): void {
    if (value === null) this.byte(NULL);
    else if (typeof value === "boolean") this.byte(value ? TRUE : FALSE);
    else if (typeof value === "number") this.number(value);
    else if (typeof value === "bigint") this.sized(BIGINT, this.encoder.encode(`${value}`));
    else if (typeof value === "string") this.sized(TEXT, this.encoder.encode(value));
    else if (value instanceof Uint8Array) this.sized(BYTES, value);
    else if (Array.isArray(value)) {
      this.byte(LIST);
      this.whole(value.length);
      for (const each of value as readonly Value[]) this.value(each);
    } else {
      const fields = Object.entries(value as Readonly<Record<string, Value>>);
      this.byte(FIELDS);
      this.whole(fields.length);
      for (const [name, each] of fields) {
        this.value(name);
        this.value(each);
      }
    }
  }

  private number(value: number): void {
    if (Number.isSafeInteger(value) && value >= 0 && !Object.is(value, -0)) {
      this.byte(WHOLE);
      this.whole(value);
      return;
    }
    this.byte(FLOAT);
    this.raw(new Uint8Array(Float64Array.of(value).buffer));
  }

  private sized(kind: number, bytes: Uint8Array): void {
    this.byte(kind);
    this.whole(bytes.length);
    this.raw(bytes);
  }

  private room(bytes: number): void {
    if (this.length + bytes <= this.buffer.length) return;
    const grown = new Uint8Array(Math.max(2 * this.buffer.length, this.length + bytes));
    grown.set(this.buffer);
    this.buffer = grown;
  }
}

/** Reads what a {@link ValueWriter} wrote. Every method throws CodecError where that is not what is there. */
export class ValueReader {
  private at = 0;
  private readonly decoder = new TextDecoder();
  private readonly buffer: Uint8Array;

  constructor(bytes: Uint8Array) {
    // Node's Buffer has a slice of its own.
    this.buffer = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  byte(): number {
    if (this.at >= this.buffer.length) throw new CodecError("it ends early");
    return this.buffer[this.at++]!;
  }

  whole(): number {
    let value = 0;
    for (let scale = 1; ; scale *= SEVEN_BITS) {
      const byte = this.byte();
      value += (byte % SEVEN_BITS) * scale;
      if (!Number.isSafeInteger(value)) throw new CodecError("a number is too large");
      if (byte < SEVEN_BITS) return value;
    }
  }

  /** A number of things each of which takes a byte at least. */
  count(): number {
    const count = this.whole();
    if (count > this.buffer.length - this.at) throw new CodecError("it ends early");
    return count;
  }

  /** A view of the bytes, not a copy. */
  raw(length: number): Uint8Array {
    if (length > this.buffer.length - this.at) throw new CodecError("it ends early");
    this.at += length;
    return this.buffer.subarray(this.at - length, this.at);
  }

  value(depth = 0): Value {
    if (depth > 32) throw new CodecError("a value is too deep");
    const kind = this.byte();
    switch (kind) {
      case NULL:
        return null;
      case FALSE:
      case TRUE:
        return kind === TRUE;
      case WHOLE:
        return this.whole();
      case FLOAT:
        return new Float64Array(this.raw(8).slice().buffer)[0]!;
      case BIGINT: {
        const text = this.text();
        if (!/^-?\d+$/.test(text)) throw new CodecError("a number is none");
        return BigInt(text);
      }
      case TEXT:
        return this.text();
      case BYTES:
        return this.raw(this.count()).slice();
      case LIST:
        return Array.from({ length: this.count() }, () => this.value(depth + 1));
      case FIELDS: {
        const fields: [string, Value][] = [];
        for (let left = this.count(); left > 0; left--) {
          const name = this.value(depth + 1);
          if (typeof name !== "string") throw new CodecError("a field has no name");
          fields.push([name, this.value(depth + 1)]);
        }
        return Object.fromEntries(fields);
      }
      default:
        throw new CodecError(`there is no value of kind ${kind}`);
    }
  }

  private text(): string {
    return this.decoder.decode(this.raw(this.count()));
  }
}
