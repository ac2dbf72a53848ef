/** Types of C and C++ as .debug_info tells them. */

import { TAG, type Entry } from "./entries.js";

export interface Type {
  readonly kind:
    | "number"
    | "character"
    | "boolean"
    | "float"
    | "enumeration"
    | "pointer"
    | "array"
    | "structure"
    | "other";
  /** As C writes it: `struct point *`, `unsigned int`, `word`. */
  readonly name: string;
  /** In bytes; 0 where it is not known. */
  readonly size: number;
  readonly signed: boolean;
  /** What a pointer points to, or an array consists of; null: void, or it is not told. */
  readonly target: Type | null;
  /** Elements of an array; null where that is not told. */
  readonly count: number | null;
  /** Of a structure, a union or a class. */
  readonly members: readonly Member[];
  /** Names of an enumeration's values. */
  readonly values: ReadonlyMap<number, string>;
}

export interface Member {
  /** Empty for a structure or union without a name, whose members are the outer one's too. */
  readonly name: string;
  /** Bytes from the structure's start; of a bit field those of the unit that it lies in. */
  readonly offset: number;
  readonly type: Type;
  /** Of a bit field: bits from the unit's lowest one. */
  readonly bits: { readonly first: number; readonly count: number } | null;
}

/** Types that stand for another one. */
const ALIASES: ReadonlySet<number> = new Set([
  TAG.typedef,
  TAG.constant,
  TAG.volatile,
  TAG.restrict,
  TAG.atomic,
]);
const STRUCTURES: ReadonlySet<number> = new Set([TAG.structure, TAG.union, TAG.class]);
const POINTERS: ReadonlySet<number> = new Set([TAG.pointer, TAG.reference, TAG.rvalueReference]);
const WORDS: Readonly<Record<number, string>> = {
  [TAG.structure]: "struct",
  [TAG.union]: "union",
  [TAG.class]: "class",
  [TAG.enumeration]: "enum",
};
/** DW_ATE_*. */
const BOOLEAN = 2;
const FLOAT = 4;
const SIGNED: ReadonlySet<number> = new Set([5, 6]);
/** DW_ATE_signed_char, unsigned_char, UTF. */
const CHARACTERS: ReadonlySet<number> = new Set([6, 8, 0x10]);
const MOST_ALIASES = 16;

/** The types of a file, by where they stand in .debug_info and by name. */
export class TypeTable {
  private readonly entries = new Map<number, Entry>();
  /** Whole ones only: what is merely declared is found here. */
  private readonly named = new Map<string, Entry>();
  private readonly made = new Map<Entry, Type>();

  add(offset: number, entry: Entry): void {
    this.entries.set(offset, entry);
    const name = ownName(entry);
    if (entry.name !== "" && !entry.declaration && !this.named.has(name)) this.named.set(name, entry);
  }

  at(offset: number | undefined): Type | null {
    const entry = offset === undefined ? undefined : this.entries.get(offset);
    return entry === undefined ? null : this.typeOf(entry);
  }

  /** `struct point`, or a typedef's name; in C++ structures go by their names alone. */
  find(name: string): Type | undefined {
    const entry = this.named.get(name) ?? this.named.get(`struct ${name}`) ?? this.named.get(`class ${name}`);
    return entry && this.typeOf(entry);
  }

  private typeOf(entry: Entry): Type {
    let type = this.made.get(entry);
    if (type === undefined) this.made.set(entry, (type = new EntryType(this, ...this.meant(entry))));
    return type;
  }

  /** What stands behind a name, and the name. */
  private meant(entry: Entry): [Entry, string] {
    let found = entry;
    let name = "";
    for (let depth = 0; ALIASES.has(found.tag) && depth < MOST_ALIASES; depth++) {
      if (name === "" && found.tag === TAG.typedef) name = found.name;
      const next = found.type === undefined ? undefined : this.entries.get(found.type);
      if (next === undefined) break;
      found = next;
    }
    if (found.declaration) found = this.named.get(ownName(found)) ?? found;
    return [found, name];
  }
}

/** `struct point`, `word`. */
function ownName({ tag, name }: Entry): string {
  const word = WORDS[tag];
  return word === undefined ? name : name === "" ? `${word} {…}` : `${word} ${name}`;
}

class EntryType implements Type {
  readonly kind: Type["kind"];
  readonly size: number;
  readonly signed: boolean;
  readonly count: number | null;
  readonly values: ReadonlyMap<number, string>;
  private inside: readonly Member[] | null = null;

  constructor(
    private readonly table: TypeTable,
    private readonly entry: Entry,
    private readonly alias: string,
    /** Which of an array's dimensions: that of an array of arrays are told at once. */
    private readonly dimension = 0,
  ) {
    const { tag, encoding, parts } = entry;
    const bounds = parts.filter((part) => part.tag === TAG.subrange);
    this.kind = kindOf(entry);
    this.count = this.kind === "array" ? lengthOf(bounds[dimension]) : null;
    this.signed =
      SIGNED.has(encoding) || (tag === TAG.enumeration && parts.some(({ value = 0 }) => value < 0));
    this.values = new Map(
      tag === TAG.enumeration ? parts.map(({ value = 0, name }) => [value, name] as const) : [],
    );
    this.size =
      this.kind === "pointer"
        ? (entry.size ?? 8)
        : this.kind === "array"
          ? (this.count ?? 0) * (this.target?.size ?? 0)
          : (entry.size ?? 0);
  }

  get target(): Type | null {
    const { entry, dimension } = this;
    if (this.kind === "array") {
      const dimensions = entry.parts.filter(({ tag }) => tag === TAG.subrange).length;
      if (dimension + 1 < dimensions) return new EntryType(this.table, entry, "", dimension + 1);
    } else if (this.kind !== "pointer") return null;
    return this.table.at(entry.type);
  }

  get members(): readonly Member[] {
    if (this.kind !== "structure") return [];
    return (this.inside ??= this.entry.parts.flatMap((part): Member[] => {
      const type = this.table.at(part.type);
      // A static member has no place in the structure.
      return type === null || part.declaration ? [] : [memberOf(part, type)];
    }));
  }

  get name(): string {
    if (this.alias !== "") return this.alias;
    const { entry, kind } = this;
    if (entry.tag === TAG.subroutine) return "function";
    if (kind === "pointer") {
      const to = this.target?.name ?? "void";
      const mark = entry.tag === TAG.pointer ? "*" : "&";
      return `${to}${/[*&]$/.test(to) ? "" : " "}${mark}`;
    }
    if (kind === "array") {
      const of = this.target?.name ?? "?";
      const at = of.indexOf("[");
      const own = `[${this.count ?? ""}]`;
      return at < 0 ? `${of} ${own}` : `${of.slice(0, at)}${own}${of.slice(at)}`;
    }
    return ownName(entry);
  }
}

function kindOf({ tag, encoding }: Entry): Type["kind"] {
  if (POINTERS.has(tag)) return "pointer";
  if (tag === TAG.array) return "array";
  if (STRUCTURES.has(tag)) return "structure";
  if (tag === TAG.enumeration) return "enumeration";
  if (tag !== TAG.base) return "other";
  if (encoding === BOOLEAN) return "boolean";
  if (encoding === FLOAT) return "float";
  return CHARACTERS.has(encoding) ? "character" : "number";
}

function lengthOf(bounds: Entry | undefined): number | null {
  if (bounds?.count !== undefined) return bounds.count;
  return bounds?.upperBound === undefined ? null : (bounds.upperBound + 1) % 2 ** 32;
}

function memberOf({ name, memberAt, bitSize, dataBitOffset, bitOffset, size }: Entry, type: Type): Member {
  if (bitSize === undefined) return { name, offset: memberAt, type, bits: null };
  const unit = (size ?? type.size) || 4;
  // DWARF 2 counts from the highest bit of the unit, DWARF 4 from the structure's start.
  if (dataBitOffset === undefined)
    return {
      name,
      offset: memberAt,
      type,
      bits: { first: 8 * unit - (bitOffset ?? 0) - bitSize, count: bitSize },
    };
  const offset = Math.floor(dataBitOffset / (8 * unit)) * unit;
  return { name, offset, type, bits: { first: dataBitOffset - 8 * offset, count: bitSize } };
}
