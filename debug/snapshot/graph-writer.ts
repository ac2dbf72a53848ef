import { GeneratedFile } from "../../kernel/fs/procfs/file-system.js";
import type { Inode } from "../../kernel/fs/inode.js";
import type { Value } from "../recording/value.js";
import type { ValueWriter } from "../recording/value-codec.js";
import { classNameOf } from "./class-registry.js";
import { SnapshotError } from "./file-error.js";
import { KIND, NO_CLASS, VALUE, VIEW_TYPES } from "./graph-format.js";
import type { GraphRules } from "./graph-rules.js";
import { Layouts, SKIPPED, type Layout } from "./layout.js";
import { isGenerated, nodePaths } from "./node-paths.js";

/** What the writer must know of a machine. */
export interface GraphSource {
  readonly roots: readonly object[];
  readonly rules: GraphRules;
  /** What is spoken of by name. */
  readonly externals: ReadonlyMap<string, object>;
  readonly guestBuffer: ArrayBufferLike;
}

/**
 * Writes the objects that are reachable from some, each once, numbered in the order in which they are met.
 * @throws SnapshotError for what cannot be written
 */
export function writeGraph(writer: ValueWriter, source: GraphSource): void {
  new GraphWriter(writer, source).write();
}

class GraphWriter {
  private readonly numbers = new Map<object, number>();
  private readonly objects: object[] = [];
  private readonly externals: ReadonlyMap<object, number>;
  private readonly layouts: Layouts;
  /** Layouts that were written, with their numbers. */
  private readonly written = new Map<Layout, number>();
  private paths: ReadonlyMap<Inode, string> = new Map();

  constructor(
    private readonly writer: ValueWriter,
    private readonly source: GraphSource,
  ) {
    this.layouts = new Layouts(source.rules);
    this.externals = new Map([...source.externals.values()].map((object, i) => [object, i]));
  }

  write(): void {
    const { writer, source, objects } = this;
    writer.value([...source.externals.keys()]);
    for (const root of source.roots) this.meet(root);
    // Grows as it is walked.
    for (let i = 0; i < objects.length; i++) this.meetAllOf(objects[i]!);
    this.paths = nodePaths(objects);
    writer.whole(objects.length);
    for (const object of objects) this.object(object);
  }

  private meet(value: unknown): void {
    if (typeof value !== "object" || value === null) return;
    if (this.numbers.has(value) || this.externals.has(value) || value === this.source.guestBuffer) return;
    const { opaque, opaqueClasses } = this.source.rules;
    const prototype = Object.getPrototypeOf(value) as object;
    if (opaque.has(value) || opaqueClasses.has(prototype))
      throw new SnapshotError(
        `the machine cannot be saved: it refers to a ${value.constructor.name} that has no name`,
      );
    this.numbers.set(value, this.objects.length);
    this.objects.push(value);
  }

  private meetAllOf(object: object): void {
    if (object instanceof ArrayBuffer) return;
    if (ArrayBuffer.isView(object)) this.meet(object.buffer);
    else if (Array.isArray(object) || object instanceof Set) for (const value of object) this.meet(value);
    else if (object instanceof Map)
      for (const [key, value] of object) {
        this.meet(key);
        this.meet(value);
      }
    else {
      const { names, treatment } = this.layouts.of(object);
      for (let i = 0; i < names.length; i++)
        if (treatment[i] !== SKIPPED && !isNode(object, names[i]!))
          this.meet((object as Record<string, unknown>)[names[i]!]);
    }
  }

  private object(object: object): void {
    const { writer } = this;
    if (object instanceof ArrayBuffer) {
      writer.byte(KIND.buffer);
      writer.value(new Uint8Array(object));
    } else if (ArrayBuffer.isView(object)) {
      writer.byte(KIND.view);
      const type = VIEW_TYPES.findIndex((each) => object instanceof each);
      if (type < 0) throw new SnapshotError("the machine cannot be saved: a view of an unknown type");
      writer.byte(type);
      const length = "length" in object ? (object as Uint8Array).length : object.byteLength;
      writer.whole(object.byteOffset);
      writer.whole(length);
      writer.byte(object.buffer === this.source.guestBuffer ? 1 : 0);
      if (object.buffer !== this.source.guestBuffer) writer.whole(this.numbers.get(object.buffer)!);
    } else if (Array.isArray(object)) this.elements(KIND.array, object, object.length);
    else if (object instanceof Set) this.elements(KIND.set, object, object.size);
    else if (object instanceof Map) {
      writer.byte(KIND.map);
      writer.whole(object.size);
      for (const [key, value] of object) {
        this.value(key);
        this.value(value);
      }
    } else this.record(object as Record<string, unknown>);
  }

  private elements(kind: number, elements: Iterable<unknown>, count: number): void {
    this.writer.byte(kind);
    this.writer.whole(count);
    for (const value of elements) this.value(value);
  }

  private record(object: Record<string, unknown>): void {
    const { writer } = this;
    const layout = this.layouts.of(object);
    writer.byte(KIND.record);
    const known = this.written.get(layout);
    if (known === undefined) {
      this.written.set(layout, this.written.size);
      writer.whole(this.written.size - 1);
      writer.value(className(object));
      writer.value(layout.names.filter((_, i) => layout.treatment[i] !== SKIPPED));
    } else writer.whole(known);
    layout.names.forEach((name, i) => {
      if (layout.treatment[i] === SKIPPED) return;
      if (isNode(object, name)) this.node(object, name);
      else this.value(object[name]);
    });
  }

  private value(value: unknown): void {
    const { writer } = this;
    if (value === undefined) writer.byte(VALUE.undefined);
    else if (typeof value === "function") writer.byte(VALUE.function);
    else if (typeof value !== "object" || value === null) {
      writer.byte(VALUE.plain);
      writer.value(value as Value);
    } else {
      const external = this.externals.get(value);
      writer.byte(external === undefined ? VALUE.object : VALUE.external);
      writer.whole(external ?? this.numbers.get(value)!);
    }
  }

  private node(object: Record<string, unknown>, name: string): void {
    const { writer } = this;
    const inode = isGenerated(object) ? object : (object as unknown as GeneratedFile).location.dentry.inode;
    const path = this.paths.get(inode);
    if (object[name] === null || object[name] === undefined || path === undefined)
      return this.value(object[name] ?? null);
    // The root's node is the new machine's.
    if (path === "") return writer.byte(VALUE.function);
    writer.byte(VALUE.node);
    writer.value(path);
    writer.value(isGenerated(object) ? object.node.kind : "file");
  }
}

function className(object: object): string {
  if (Object.getPrototypeOf(object) === Object.prototype) return NO_CLASS;
  const name = classNameOf(object);
  if (name === undefined)
    throw new SnapshotError(
      `the machine cannot be saved: it has a ${object.constructor.name}, a class that is not known`,
    );
  return name;
}

/** The fields of generated files that hold functions. */
function isNode(object: object, name: string): boolean {
  if (isGenerated(object)) return name === "node" || name === "follow";
  return name === "source" && object instanceof GeneratedFile;
}
