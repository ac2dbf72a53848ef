/** What a section may be used for, and where it goes. */
export interface SectionOptions {
  readonly write?: boolean;
  readonly execute?: boolean;
  /** False for execute-only or inaccessible memory; true unless told. */
  readonly read?: boolean;
  /** A fixed address (a multiple of 4096); otherwise it follows the sections before it. */
  readonly address?: number;
}

export interface Fixup {
  /** Bytes from the section's start. */
  readonly offset: number;
  readonly kind: "rel8" | "rel32" | "abs32s" | "abs32" | "abs64";
  readonly label: string;
  readonly addend: bigint;
  /** For the relative kinds: bytes from the section's start that the distance counts from. */
  readonly from: number;
}

/** Bytes that grow, the holes in them, and zeroes after them that take no room in the file. */
export class Section {
  readonly fixups: Fixup[] = [];
  #bytes = new Uint8Array(256);
  #length = 0;
  /** Bytes of reserved zeroes at the end. */
  #reserved = 0;
  address = 0;

  constructor(
    readonly name: string,
    readonly options: SectionOptions,
  ) {}

  /** Bytes it has in memory; the file holds those before the trailing reserve. */
  get size(): number {
    return this.#length + this.#reserved;
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  append(bytes: ArrayLike<number>): void {
    this.#grow(this.#reserved + bytes.length);
    this.#length += this.#reserved;
    this.#reserved = 0;
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  reserve(bytes: number): void {
    this.#reserved += bytes;
  }

  #grow(by: number): void {
    if (this.#length + by <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + by));
    larger.set(this.bytes);
    this.#bytes = larger;
  }
}
