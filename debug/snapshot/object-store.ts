import type { GraphRules } from "./graph-rules.js";

/**
 * What an object held: values of an object's fields (in the order of `keys`), elements of an array or a set, keys and
 * values of a map in turn, bytes of a buffer.
 */
type Content = readonly unknown[] | Uint8Array;

/** The objects of a machine at one moment. `contents` are shared with earlier moments where nothing changed. */
export interface ObjectMoment {
  readonly objects: readonly object[];
  readonly contents: readonly Content[];
  /** Names of the fields of each object; null for arrays, maps, sets and buffers. */
  readonly keys: readonly (readonly string[] | null)[];
  /** Bytes that this moment takes beyond what it shares, about. */
  readonly bytes: number;
}

/** What all typed arrays inherit from. */
const TYPED_ARRAY = Object.getPrototypeOf(Uint8Array) as new () => object;
const VALUE_BYTES = 8;
const OBJECT_BYTES = 3 * VALUE_BYTES;
const NO_KEYS: ReadonlySet<string> = new Set();

/**
 * Walks over all objects that are reachable from some, and notes what each holds. Restoring writes the same objects
 * again: whoever has a reference to one keeps it.
 */
export class ObjectStore {
  /** Each object that was ever met, and its place in what follows. */
  private index = new Map<object, number>();
  private lastSeen: number[] = [];
  private lastContents: Content[] = [];
  private lastKeys: (readonly string[] | null)[] = [];
  private walk = 0;
  /** One list for all objects of a class that have the same fields. */
  private readonly layouts = new Map<object, readonly string[]>();

  constructor(
    private readonly roots: readonly object[],
    private readonly rules: GraphRules,
    /** The guest's memory, which is no object's content. */
    private readonly guestBuffer: ArrayBufferLike,
  ) {}

  take(): ObjectMoment {
    this.forgetOld();
    this.walk++;
    const objects: object[] = [];
    const contents: Content[] = [];
    const keys: (readonly string[] | null)[] = [];
    const places: number[] = [];
    let bytes = 0;
    for (const root of this.roots) this.meet(root, objects, places);
    // Grows as it is walked.
    for (let i = 0; i < objects.length; i++) {
      const object = objects[i]!;
      const place = places[i]!;
      const names = this.keysOf(object, this.lastKeys[place]);
      let content = this.contentOf(object, names);
      if (!(content instanceof Uint8Array))
        for (const value of content)
          if (typeof value === "object" && value !== null) this.meet(value, objects, places);
      const before = this.lastContents[place];
      if (before !== undefined && names === this.lastKeys[place] && sameContent(before, content))
        content = before;
      else {
        this.lastContents[place] = content;
        this.lastKeys[place] = names;
        bytes += content instanceof Uint8Array ? content.length : content.length * VALUE_BYTES;
      }
      contents.push(content);
      keys.push(names);
    }
    return { objects, contents, keys, bytes: bytes + objects.length * OBJECT_BYTES };
  }

  restore(moment: ObjectMoment): void {
    const { objects, contents, keys } = moment;
    for (let i = 0; i < objects.length; i++) {
      const names = keys[i]!;
      if (names === null) putElements(objects[i]!, contents[i]!);
      else
        putFields(
          objects[i] as Record<string, unknown>,
          names,
          contents[i] as readonly unknown[],
          this.skipped(objects[i]!),
        );
    }
  }

  private skipped(object: object): ReadonlySet<string> {
    return this.rules.skippedFields.get(Object.getPrototypeOf(object) as object) ?? NO_KEYS;
  }

  private meet(object: object, objects: object[], places: number[]): void {
    let place = this.index.get(object);
    if (place === undefined) {
      if (this.isLeftOut(object)) return;
      place = this.index.size;
      this.index.set(object, place);
    } else if (this.lastSeen[place] === this.walk) return;
    this.lastSeen[place] = this.walk;
    objects.push(object);
    places.push(place);
  }

  private isLeftOut(object: object): boolean {
    const { opaque, opaqueClasses } = this.rules;
    const buffer = ArrayBuffer.isView(object) ? object.buffer : object;
    return (
      opaque.has(object) ||
      opaqueClasses.has(Object.getPrototypeOf(object) as object) ||
      buffer === this.guestBuffer
    );
  }

  private keysOf(object: object, before: readonly string[] | null | undefined): readonly string[] | null {
    if (isCollection(object)) return null;
    const names = Object.keys(object);
    const skipped = this.skipped(object);
    const kept = skipped.size === 0 ? names : names.filter((name) => !skipped.has(name));
    if (before !== undefined && before !== null && sameContent(before, kept)) return before;
    const prototype = Object.getPrototypeOf(object) as object;
    const layout = this.layouts.get(prototype);
    if (layout !== undefined && sameContent(layout, kept)) return layout;
    this.layouts.set(prototype, kept);
    return kept;
  }

  private contentOf(object: object, names: readonly string[] | null): Content {
    if (names !== null) {
      const values: unknown[] = new Array(names.length);
      for (let i = 0; i < names.length; i++) values[i] = (object as Record<string, unknown>)[names[i]!];
      return values;
    }
    if (Array.isArray(object)) return (object as readonly unknown[]).slice();
    if (object instanceof Map) {
      const entries: unknown[] = [];
      for (const [key, value] of object) entries.push(key, value);
      return entries;
    }
    if (object instanceof Set) return [...object];
    if (object instanceof ArrayBuffer) return new Uint8Array(object).slice();
    // Of a view, the buffer counts.
    return [(object as ArrayBufferView).buffer];
  }

  /** Objects that are gone are not kept alive for ever. */
  private forgetOld(): void {
    let seen = 0;
    for (const walk of this.lastSeen) if (walk === this.walk) seen++;
    if (this.lastSeen.length < 2 * seen + 1000) return;
    const old = { index: this.index, contents: this.lastContents, keys: this.lastKeys, seen: this.lastSeen };
    this.index = new Map();
    this.lastSeen = [];
    this.lastContents = [];
    this.lastKeys = [];
    for (const [object, place] of old.index) {
      if (old.seen[place] !== this.walk) continue;
      this.index.set(object, this.lastSeen.length);
      this.lastSeen.push(0);
      this.lastContents.push(old.contents[place]!);
      this.lastKeys.push(old.keys[place]!);
    }
  }
}

function isCollection(object: object): boolean {
  return (
    Array.isArray(object) ||
    object instanceof Map ||
    object instanceof Set ||
    object instanceof ArrayBuffer ||
    object instanceof DataView ||
    object instanceof TYPED_ARRAY
  );
}

function sameContent(a: Content, b: Content): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}

function putFields(
  object: Record<string, unknown>,
  names: readonly string[],
  values: readonly unknown[],
  skipped: ReadonlySet<string>,
): void {
  const now = Object.keys(object);
  if (now.length !== names.length + skipped.size || skipped.size > 0 || !sameContent(now, names))
    for (const name of now)
      if (!skipped.has(name) && !names.includes(name)) Reflect.deleteProperty(object, name);
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!;
    // What stays is not written: an engine takes fields that are written once for constants.
    if (!Object.is(object[name], values[i]) || !(name in object)) object[name] = values[i];
  }
}

function putElements(object: object, content: Content): void {
  if (object instanceof ArrayBuffer) new Uint8Array(object).set(content as Uint8Array);
  else if (Array.isArray(object)) {
    const array = object as unknown[];
    array.length = content.length;
    for (let i = 0; i < content.length; i++) if (!Object.is(array[i], content[i])) array[i] = content[i];
  } else if (object instanceof Map) {
    const before: unknown[] = [];
    for (const [key, value] of object) before.push(key, value);
    if (sameContent(before, content)) return;
    object.clear();
    for (let i = 0; i < content.length; i += 2) object.set(content[i], content[i + 1]);
  } else if (object instanceof Set) {
    if (sameContent([...object], content)) return;
    object.clear();
    for (const value of content) object.add(value);
  }
}
