/** What a host can answer. */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Value[]
  | { readonly [name: string]: Value };

/** FNV-1a of 32 bits, over four bytes at a time where there are so many, mixed at the end. */
export function hashBytes(bytes: Uint8Array, seed = 0x811c9dc5): number {
  let hash = seed ^ bytes.length;
  const words = bytes.length & ~3;
  let i = 0;
  for (; i < words; i += 4) {
    const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    hash = Math.imul(hash ^ word, 0x01000193);
    hash ^= hash >>> 15;
  }
  for (; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}

/** Each different value once, by number. */
export class ValueTable {
  readonly values: Value[] = [];
  private readonly texts = new Map<string, number>();
  /** Bytes by their hash: few have the same. */
  private readonly blobs = new Map<number, number[]>();

  intern(value: Value): number {
    return value instanceof Uint8Array ? this.internBytes(value) : this.internText(value);
  }

  private internText(value: Value): number {
    const text = canonical(value);
    const known = this.texts.get(text);
    if (known !== undefined) return known;
    this.texts.set(text, this.values.length);
    return this.values.push(value) - 1;
  }

  private internBytes(bytes: Uint8Array): number {
    const hash = hashBytes(bytes);
    const same = this.blobs.get(hash);
    const known = same?.find((index) => equalBytes(this.values[index] as Uint8Array, bytes));
    if (known !== undefined) return known;
    // Node's Buffer.slice would not copy.
    const index = this.values.push(new Uint8Array(bytes)) - 1;
    if (same === undefined) this.blobs.set(hash, [index]);
    else same.push(index);
    return index;
  }
}

function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** A text that only an equal value has. */
function canonical(value: Value): string {
  if (value instanceof Uint8Array) return `b${value.join()}`;
  if (typeof value === "bigint") return `n${value}`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  const fields = Object.entries(value as Readonly<Record<string, Value>>);
  return `{${fields.map(([name, each]) => `${JSON.stringify(name)}:${canonical(each)}`).join()}}`;
}
