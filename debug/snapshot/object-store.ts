import type { GraphRules } from "./graph-rules.js";
import { FOLLOWED, Layouts, SKIPPED, type Layout } from "./layout.js";

/**
 * What an object held: values of an object's fields (in the order of its layout), elements of an array or a set, keys
 * and values of a map in turn, bytes of a buffer.
 */
type Content = readonly unknown[] | Uint8Array;

/** The objects of a machine at one moment. Lists and contents are shared with other moments where nothing changed. */
export interface ObjectMoment {
  readonly objects: readonly object[];
  readonly contents: readonly Content[];
  /** Of each object; null for arrays, maps, sets and buffers. */
  readonly layouts: readonly (Layout | null)[];
  /** Bytes that this moment takes beyond what it shares, about. */
  readonly bytes: number;
}

/** What all typed arrays inherit from. */
const TYPED_ARRAY = Object.getPrototypeOf(Uint8Array) as new () => object;
const VALUE_BYTES = 8;
const NO_MOMENT: ObjectMoment = { objects: [], contents: [], layouts: [], bytes: 0 };

const RECORD = 0;
const ARRAY = 1;
const MAP = 2;
const SET = 3;
const BUFFER = 4;
const VIEW = 5;

/** An object that was met, with what it held when it was last looked at. */
interface Met {
  readonly object: object;
  readonly kind: number;
  layout: Layout | null;
  content: Content | null;
  /** The walk that met it last. */
  walk: number;
}

/**
 * Walks over all objects that are reachable from some, and notes what each holds. Restoring writes the same objects
 * again: whoever has a reference to one keeps it.
 */
export class ObjectStore {
  private met = new Map<object, Met>();
  private walk = 0;
  /** Those that the present walk has met. */
  private readonly queue: Met[] = [];
  /** Bytes of contents made by the present walk. */
  private fresh = 0;
  private last: ObjectMoment = NO_MOMENT;
  private readonly layouts: Layouts;

  constructor(
    private readonly roots: readonly object[],
    private readonly rules: GraphRules,
    /** The guest's memory, which is no object's content. */
    private readonly guestBuffer: ArrayBufferLike,
  ) {
    this.layouts = new Layouts(rules);
  }

  take(): ObjectMoment {
    const { queue } = this;
    this.walk++;
    this.fresh = 0;
    queue.length = 0;
    for (const root of this.roots) this.meet(root);
    // Grows as it is walked.
    for (let i = 0; i < queue.length; i++) this.lookAt(queue[i]!);
    this.last = this.moment();
    if (this.met.size > 2 * queue.length + 1000) this.forgetOthers();
    return this.last;
  }

  /** The lists of what was met; those of the moment before, as far as they are the same. */
  private moment(): ObjectMoment {
    const { queue, last } = this;
    const count = queue.length;
    let bytes = this.fresh;
    let sameObjects = last.objects.length === count;
    let sameContents = sameObjects;
    for (let i = 0; i < count; i++) {
      const met = queue[i]!;
      if (last.objects[i] !== met.object || last.layouts[i] !== met.layout) sameObjects = false;
      if (last.contents[i] !== met.content) sameContents = false;
    }
    if (!sameObjects) bytes += 2 * count * VALUE_BYTES;
    if (!sameContents) bytes += count * VALUE_BYTES;
    return {
      objects: sameObjects ? last.objects : queue.map(({ object }) => object),
      layouts: sameObjects ? last.layouts : queue.map(({ layout }) => layout),
      contents: sameContents ? last.contents : queue.map(({ content }) => content!),
      bytes,
    };
  }

  restore(moment: ObjectMoment): void {
    const { objects, contents, layouts } = moment;
    for (let i = 0; i < objects.length; i++) {
      const layout = layouts[i]!;
      if (layout === null) putElements(objects[i]!, contents[i]!);
      else
        putFields(
          objects[i] as Record<string, unknown>,
          layout,
          contents[i] as readonly unknown[],
          this.layouts,
        );
    }
  }

  private meet(object: object): void {
    let met = this.met.get(object);
    if (met === undefined) {
      if (this.isLeftOut(object)) return;
      met = { object, kind: kindOf(object), layout: null, content: null, walk: 0 };
      this.met.set(object, met);
    }
    if (met.walk === this.walk) return;
    met.walk = this.walk;
    this.queue.push(met);
  }

  private isLeftOut(object: object): boolean {
    const { opaque, opaqueClasses } = this.rules;
    const buffer = ArrayBuffer.isView(object) ? object.buffer : object;
    const prototype = Object.getPrototypeOf(object) as object;
    return opaque.has(object) || opaqueClasses.has(prototype) || buffer === this.guestBuffer;
  }

  private lookAt(met: Met): void {
    const { object, content: before } = met;
    switch (met.kind) {
      case RECORD:
        return this.lookAtRecord(met);
      case BUFFER: {
        const bytes = new Uint8Array(object as ArrayBuffer);
        if (before === null || !sameElements(before, bytes)) this.note(met, bytes.slice());
        return;
      }
      case VIEW:
        // Its buffer counts.
        if (before === null) this.note(met, [(object as ArrayBufferView).buffer]);
        return this.meet((object as ArrayBufferView).buffer);
      case MAP:
        if (!this.isSameMap(object as Map<unknown, unknown>, before))
          this.note(met, entriesOf(object as Map<unknown, unknown>));
        return;
      case SET: {
        const elements = object as Set<unknown>;
        if (!this.isSameList(elements, elements.size, before)) this.note(met, [...elements]);
        return;
      }
      default: {
        const elements = object as readonly unknown[];
        if (!this.isSameList(elements, elements.length, before)) this.note(met, elements.slice());
      }
    }
  }

  /** Meets what a map refers to; true where it is as before. */
  private isSameMap(map: Map<unknown, unknown>, before: Content | null): boolean {
    let same = before !== null && before.length === 2 * map.size;
    let i = 0;
    for (const [key, value] of map) {
      if (typeof key === "object" && key !== null) this.meet(key);
      if (typeof value === "object" && value !== null) this.meet(value);
      if (same && !(Object.is(before![i], key) && Object.is(before![i + 1], value))) same = false;
      i += 2;
    }
    return same;
  }

  /** The same for an array or a set. */
  private isSameList(elements: Iterable<unknown>, count: number, before: Content | null): boolean {
    let same = before?.length === count;
    let i = 0;
    for (const value of elements) {
      if (typeof value === "object" && value !== null) this.meet(value);
      if (same && !Object.is(before![i], value)) same = false;
      i++;
    }
    return same;
  }

  private lookAtRecord(met: Met): void {
    const { content: before, layout } = met;
    if (layout === null || before === null || !this.isUnchanged(met.object, layout, before as unknown[])) {
      met.layout = this.layouts.of(met.object);
      const { names, treatment } = met.layout;
      const values: unknown[] = new Array(names.length);
      for (let i = 0; i < names.length; i++) {
        if (treatment[i] === SKIPPED) continue;
        const value = (values[i] = (met.object as Record<string, unknown>)[names[i]!]);
        if (treatment[i] === FOLLOWED && typeof value === "object" && value !== null) this.meet(value);
      }
      this.note(met, values);
    }
  }

  /** Meets what the object refers to as far as it is as before; false where it is not. */
  private isUnchanged(object: object, { names, treatment }: Layout, before: readonly unknown[]): boolean {
    let i = 0;
    // An engine walks over an object's own fields so without making a list; the prototypes have no such fields.
    for (const name in object) {
      if (name !== names[i]) return false;
      const how = treatment[i]!;
      if (how !== SKIPPED) {
        const value = (object as Record<string, unknown>)[name];
        if (value !== before[i] && !Object.is(value, before[i])) return false;
        if (how === FOLLOWED && typeof value === "object" && value !== null) this.meet(value);
      }
      i++;
    }
    return i === names.length;
  }

  private note(met: Met, content: Content): void {
    met.content = content;
    this.fresh += content instanceof Uint8Array ? content.length : content.length * VALUE_BYTES;
  }

  /** Objects that are gone are not kept alive for ever. */
  private forgetOthers(): void {
    this.met = new Map(this.queue.map((met) => [met.object, met]));
  }
}

function kindOf(object: object): number {
  if (Array.isArray(object)) return ARRAY;
  if (object instanceof Map) return MAP;
  if (object instanceof Set) return SET;
  if (object instanceof ArrayBuffer) return BUFFER;
  return object instanceof DataView || object instanceof TYPED_ARRAY ? VIEW : RECORD;
}

function entriesOf(map: ReadonlyMap<unknown, unknown>): unknown[] {
  const entries: unknown[] = [];
  for (const [key, value] of map) entries.push(key, value);
  return entries;
}

function sameElements(a: Content, b: Content): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i] && !Object.is(a[i], b[i])) return false;
  return true;
}

function putFields(
  object: Record<string, unknown>,
  { names, treatment }: Layout,
  values: readonly unknown[],
  layouts: Layouts,
): void {
  const now = layouts.of(object).names;
  if (now !== names) for (const name of now) if (!names.includes(name)) Reflect.deleteProperty(object, name);
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!;
    if (treatment[i] === SKIPPED) continue;
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
    if (sameElements(entriesOf(object), content)) return;
    object.clear();
    for (let i = 0; i < content.length; i += 2) object.set(content[i], content[i + 1]);
  } else if (object instanceof Set) {
    if (sameElements([...object], content)) return;
    object.clear();
    for (const value of content) object.add(value);
  }
}
