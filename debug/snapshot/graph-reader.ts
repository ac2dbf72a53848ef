import { GeneratedFileSystem, GeneratedLink, type Node } from "../../kernel/fs/procfs/file-system.js";
import type { FileSystem } from "../../kernel/fs/file-system.js";
import { CodecError, type ValueReader } from "../recording/value-codec.js";
import { prototypeOf } from "./class-registry.js";
import { SnapshotError } from "./file-error.js";
import { KIND, NO_CLASS, VALUE, VIEW_TYPES } from "./graph-format.js";
import type { GraphSource } from "./graph-writer.js";
import { Layouts, SKIPPED } from "./layout.js";
import { isGenerated, nodeAt } from "./node-paths.js";

/** A value as it was read. */
type Read =
  | { readonly kind: "plain"; readonly value: unknown }
  | { readonly kind: "object"; readonly number: number }
  | { readonly kind: "external"; readonly number: number }
  | { readonly kind: "function" }
  | { readonly kind: "node"; readonly path: string; readonly node: Node["kind"] };

interface ReadLayout {
  readonly className: string;
  readonly names: readonly string[];
}

/** An object as it was read. */
type ReadObject =
  | { readonly kind: typeof KIND.record; readonly layout: ReadLayout; readonly values: readonly Read[] }
  | { readonly kind: typeof KIND.array | typeof KIND.set; readonly values: readonly Read[] }
  /** Keys and values in turn. */
  | { readonly kind: typeof KIND.map; readonly values: readonly Read[] }
  | { readonly kind: typeof KIND.buffer; readonly bytes: Uint8Array }
  | {
      readonly kind: typeof KIND.view;
      readonly type: number;
      readonly offset: number;
      readonly length: number;
      /** Null: the guest's memory. */
      readonly buffer: number | null;
    };

const FUNCTION: Read = { kind: "function" };
const UNDEFINED: Read = { kind: "plain", value: undefined };

/**
 * Gives a machine that was made anew the objects that `writeGraph` wrote. An object that the new machine has in the
 * same place stays, and takes over what it held; the others are made.
 * @throws CodecError, SnapshotError where it is not such a machine's
 */
export function readGraph(reader: ValueReader, target: GraphSource): void {
  new GraphReader(reader, target).read();
}

class GraphReader {
  private readonly layouts: ReadLayout[] = [];
  private objects: ReadObject[] = [];
  /** The objects of the new machine, by number. */
  private readonly made: (object | undefined)[] = [];
  /** Those that the machine had already. */
  private readonly found = new Set<number>();
  private externals: (object | string)[] = [];
  private readonly ownLayouts: Layouts;
  private readonly nodes: (() => void)[] = [];

  constructor(
    private readonly reader: ValueReader,
    private readonly target: GraphSource,
  ) {
    this.ownLayouts = new Layouts(target.rules);
  }

  read(): void {
    const { reader, target } = this;
    const names = reader.value();
    if (!Array.isArray(names)) throw new CodecError("no list of names");
    this.externals = names.map((name) => target.externals.get(String(name)) ?? String(name));
    const count = reader.count();
    for (let i = 0; i < count; i++) this.objects.push(this.readObject());
    this.pair();
    this.objects.forEach((_, number) => this.make(number));
    this.objects.forEach((object, number) => this.fill(object, number));
    for (const settle of this.nodes) settle();
  }

  private readObject(): ReadObject {
    const { reader } = this;
    const kind = reader.byte();
    switch (kind) {
      case KIND.record: {
        const layout = this.readLayout();
        return { kind, layout, values: layout.names.map(() => this.readValue()) };
      }
      case KIND.array:
      case KIND.set:
        return { kind, values: Array.from({ length: reader.count() }, () => this.readValue()) };
      case KIND.map:
        return { kind, values: Array.from({ length: 2 * reader.count() }, () => this.readValue()) };
      case KIND.buffer: {
        const bytes = reader.value();
        if (!(bytes instanceof Uint8Array)) throw new CodecError("a buffer has no bytes");
        return { kind, bytes };
      }
      case KIND.view: {
        const [type, offset, length] = [reader.byte(), reader.whole(), reader.whole()];
        return { kind, type, offset, length, buffer: reader.byte() === 1 ? null : reader.whole() };
      }
      default:
        throw new CodecError(`there is no object of kind ${kind}`);
    }
  }

  private readLayout(): ReadLayout {
    const { reader, layouts } = this;
    const number = reader.whole();
    if (number > layouts.length) throw new CodecError("an object has no fields");
    if (number === layouts.length) {
      const [className, names] = [reader.value(), reader.value()];
      if (typeof className !== "string" || !Array.isArray(names)) throw new CodecError("a class has no name");
      layouts.push({ className, names: names.map(String) });
    }
    return layouts[number]!;
  }

  private readValue(): Read {
    const { reader } = this;
    const kind = reader.byte();
    switch (kind) {
      case VALUE.plain:
        return { kind: "plain", value: reader.value() };
      case VALUE.undefined:
        return UNDEFINED;
      case VALUE.object:
        return { kind: "object", number: reader.whole() };
      case VALUE.external:
        return { kind: "external", number: reader.whole() };
      case VALUE.function:
        return FUNCTION;
      case VALUE.node: {
        const [path, node] = [reader.value(), reader.value()];
        return { kind: "node", path: String(path), node: String(node) as Node["kind"] };
      }
      default:
        throw new CodecError(`there is no value of kind ${kind}`);
    }
  }

  /** Finds what the new machine has in the same places, from the roots on. */
  private pair(): void {
    const queue: number[] = [];
    const taken = new Set<object>();
    const propose = (value: Read | undefined, own: unknown): void => {
      if (value?.kind !== "object" || typeof own !== "object" || own === null) return;
      const { number } = value;
      const object = this.objects[number];
      if (object === undefined || this.made[number] !== undefined || taken.has(own)) return;
      if (!this.isAlike(object, own)) return;
      this.made[number] = own;
      this.found.add(number);
      taken.add(own);
      queue.push(number);
    };
    this.target.roots.forEach((root, number) => propose({ kind: "object", number }, root));
    // Grows as it is walked.
    for (const number of queue) {
      const own = this.made[number]!;
      const object = this.objects[number]!;
      if (object.kind === KIND.record)
        object.layout.names.forEach((name, i) =>
          propose(object.values[i], (own as Record<string, unknown>)[name]),
        );
      else if (object.kind === KIND.array)
        object.values.forEach((value, i) => propose(value, (own as unknown[])[i]));
      else if (object.kind === KIND.view) {
        if (object.buffer !== null)
          propose({ kind: "object", number: object.buffer }, (own as ArrayBufferView).buffer);
      } else if (object.kind === KIND.map)
        for (let i = 0; i < object.values.length; i += 2) {
          const key = object.values[i]!;
          if (key.kind === "plain")
            propose(object.values[i + 1], (own as Map<unknown, unknown>).get(key.value));
        }
    }
  }

  private make(number: number): object {
    const known = this.made[number];
    if (known !== undefined) return known;
    const object = this.objects[number];
    if (object === undefined) throw new CodecError("it refers to an object that is not there");
    return (this.made[number] = this.makeObject(object));
  }

  private makeObject(object: ReadObject): object {
    switch (object.kind) {
      case KIND.record: {
        const { className } = object.layout;
        if (className === NO_CLASS) return {};
        const prototype = prototypeOf(className);
        if (prototype === undefined)
          throw new SnapshotError(`of another version of sealab: it has a ${className}`);
        return Object.create(prototype) as object;
      }
      case KIND.array:
        return [];
      case KIND.set:
        return new Set();
      case KIND.map:
        return new Map();
      case KIND.buffer:
        return object.bytes.slice().buffer;
      case KIND.view: {
        const type = VIEW_TYPES[object.type];
        if (type === undefined) throw new CodecError("a view of an unknown type");
        const buffer = object.buffer === null ? this.target.guestBuffer : this.make(object.buffer);
        try {
          return new (type as new (...parts: unknown[]) => object)(buffer, object.offset, object.length);
        } catch {
          throw new CodecError("a view of bytes that are not there");
        }
      }
    }
  }

  private fill(object: ReadObject, number: number): void {
    const own = this.made[number]!;
    switch (object.kind) {
      case KIND.record:
        return this.fillRecord(own as Record<string, unknown>, object, number);
      case KIND.array: {
        const array = own as unknown[];
        const values = object.values.map((value, i) => this.valueOf(value, array[i], number));
        // Some constants are shared by all machines.
        if (Object.isFrozen(array)) return;
        array.length = 0;
        for (const value of values) array.push(value);
        return;
      }
      case KIND.set: {
        const set = own as Set<unknown>;
        set.clear();
        for (const value of object.values) set.add(this.valueOf(value, undefined, number));
        return;
      }
      case KIND.map: {
        const map = own as Map<unknown, unknown>;
        const before = new Map(map);
        map.clear();
        for (let i = 0; i < object.values.length; i += 2) {
          const key = this.valueOf(object.values[i]!, undefined, number);
          map.set(key, this.valueOf(object.values[i + 1]!, before.get(key), number));
        }
        return;
      }
      case KIND.buffer:
        if (this.found.has(number)) new Uint8Array(own as ArrayBuffer).set(object.bytes);
        return;
      case KIND.view:
        return;
    }
  }

  private fillRecord(
    own: Record<string, unknown>,
    { layout, values }: Extract<ReadObject, { kind: typeof KIND.record }>,
    number: number,
  ): void {
    if (this.found.has(number)) this.dropOthers(own, layout);
    layout.names.forEach((name, i) => {
      const value = values[i]!;
      if (value.kind === "node") this.nodes.push(() => this.settleNode(own, name, value.path, value.node));
      else {
        const now = this.valueOf(value, own[name], number);
        if (!Object.is(own[name], now) || !(name in own)) own[name] = now;
      }
    });
  }

  /** Fields that an object has only now and then may be gone; one that its class always has means another version. */
  private dropOthers(own: Record<string, unknown>, layout: ReadLayout): void {
    const { names, treatment } = this.ownLayouts.of(own);
    names.forEach((name, i) => {
      if (treatment[i] === SKIPPED || layout.names.includes(name)) return;
      if (layout.className !== NO_CLASS && own[name] !== undefined)
        throw new SnapshotError(`of another version of sealab: its ${layout.className} has no ${name}`);
      Reflect.deleteProperty(own, name);
    });
  }

  private valueOf(value: Read, own: unknown, number: number): unknown {
    switch (value.kind) {
      case "plain":
        return value.value;
      case "object":
        return this.make(value.number);
      case "external": {
        const external = this.externals[value.number];
        if (typeof external !== "object")
          throw new SnapshotError(`needs a host with ${external === undefined ? "more" : `a ${external}`}`);
        return external;
      }
      default:
        if (own === undefined || own === null)
          throw new SnapshotError(`needs another host: there is no ${this.describe(number)} in this machine`);
        return own;
    }
  }

  private describe(number: number): string {
    const object = this.objects[number];
    return object?.kind === KIND.record && object.layout.className !== NO_CLASS
      ? object.layout.className
      : "such object";
  }

  /** Now that all tasks are there, the kernel's files are what they were. */
  private settleNode(own: Record<string, unknown>, name: string, path: string, kind: Node["kind"]): void {
    const inode = isGenerated(own)
      ? own
      : (own["location"] as { dentry: { inode: { fileSystem: FileSystem } } }).dentry.inode;
    const { fileSystem } = inode;
    if (!(fileSystem instanceof GeneratedFileSystem)) throw new CodecError("a file of procfs is not there");
    const node = nodeAt(fileSystem.root, path, kind);
    if (name !== "follow") own[name] = node;
    else if (own instanceof GeneratedLink && node.kind === "link") own.setNode(node);
  }

  /** Of the same class, or as long. */
  private isAlike(object: ReadObject, own: object): boolean {
    switch (object.kind) {
      case KIND.record:
        return (
          Object.getPrototypeOf(own) ===
          (object.layout.className === NO_CLASS ? Object.prototype : prototypeOf(object.layout.className))
        );
      case KIND.array:
        return Array.isArray(own);
      case KIND.set:
        return own instanceof Set;
      case KIND.map:
        return own instanceof Map;
      case KIND.buffer:
        return own instanceof ArrayBuffer && own.byteLength === object.bytes.length;
      case KIND.view: {
        return (
          this.hasAlikeBuffer(object, own) &&
          ArrayBuffer.isView(own) &&
          own instanceof (VIEW_TYPES[object.type] ?? Uint8Array) &&
          own.byteOffset === object.offset &&
          ("length" in own ? (own as Uint8Array).length : own.byteLength) === object.length
        );
      }
    }
  }

  private hasAlikeBuffer({ buffer }: { readonly buffer: number | null }, own: object): boolean {
    if (!ArrayBuffer.isView(own)) return false;
    if (buffer === null) return own.buffer === this.target.guestBuffer;
    const object = this.objects[buffer];
    return object?.kind === KIND.buffer && own.buffer.byteLength === object.bytes.length;
  }
}
