import { HostLower } from "../../kernel/fs/host-lower.js";
import {
  GeneratedDirectory,
  GeneratedFile,
  GeneratedInode,
  GeneratedLink,
} from "../../kernel/fs/procfs/file-system.js";
import { MapsFile } from "../../kernel/fs/procfs/maps-file.js";
import { Kernel } from "../../kernel/kernel.js";
import { AreaTree } from "../../kernel/mm/area-tree.js";
import { UserMemory } from "../../kernel/mm/user-memory.js";
import { RunLoop } from "../../kernel/run-loop.js";
import { Task } from "../../kernel/task.js";
import type { Machine } from "../machine.js";
import { graphRules, type GraphRules } from "./graph-rules.js";
import { Hasher } from "./hasher.js";
import { hashContext } from "./processor-state.js";

/** Left out beside what snapshots leave out: how the run is driven and watched, and scratch space. */
const NOT_COMPARED: ReadonlyMap<object, ReadonlySet<string>> = new Map<object, ReadonlySet<string>>([
  [Kernel.prototype, new Set(["outside"])],
  [RunLoop.prototype, new Set(["stopRequested", "timersSeen", "deadlinesChanged", "spareContext"])],
  [UserMemory.prototype, new Set(["scratch", "view", "lastFault"])],
  // Where the last search ended.
  [AreaTree.prototype, new Set(["recent"])],
  [HostLower.prototype, new Set(["files", "handles"])],
  // What the kernel's own files show follows from the rest.
  [GeneratedDirectory.prototype, new Set(["node"])],
  [GeneratedInode.prototype, new Set(["node"])],
  [GeneratedLink.prototype, new Set(["node", "follow"])],
  [GeneratedFile.prototype, new Set(["source"])],
  [MapsFile.prototype, new Set(["source"])],
  // Looked at by itself: half of its bytes are scratch space.
  [Task.prototype, new Set(["context"])],
]);
const NOTHING: ReadonlySet<string> = new Set();
const FIRST_FRAME = 2;

/** Kinds of values, so that no two values of different kinds look alike. */
const KIND = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  number: 4,
  text: 5,
  bigInt: 6,
  function: 7,
  leftOut: 8,
  seen: 9,
  record: 10,
  list: 11,
  map: 12,
  set: 13,
  bytes: 14,
} as const;

/**
 * A digest (32 hexadecimal digits) of all that a machine's further course depends on: registers of all tasks, every
 * frame of guest RAM that is in use with its page tables, the kernel's state. Not of its host, who listens, or how the run
 * was cut into pieces. Two runs of the same program with the same input have the same digest at the same instruction.
 */
export function machineDigest(machine: Machine): string {
  const hasher = new Hasher();
  const { kernel, cpu } = machine;
  hasher.number(cpu.instructions);
  hashContext(hasher, cpu.saveContext());
  hashFrames(machine, hasher);
  new StateHasher(hasher, graphRules(machine), kernel.memory.memory.buffer).hash(machine.stateRoots());
  return hasher.digest();
}

function hashFrames({ kernel }: Machine, hasher: Hasher): void {
  const { frames, memory } = kernel;
  const { next, recycled, freeRuns, hugeZeroFrame } = frames.saveState();
  hasher.word(next);
  hasher.bytes(new Uint8Array(recycled.buffer, recycled.byteOffset, recycled.byteLength));
  for (const first of freeRuns) hasher.word(first);
  if (hugeZeroFrame !== 0) hasher.word(hugeZeroFrame);
  for (let frame = FIRST_FRAME; frame < next; frame++) {
    const references = frames.references(frame);
    hasher.word(references);
    if (references > 0) hasher.bytes(memory.frameBytes(frame));
  }
}

class StateHasher {
  /** Objects met, with their numbers. */
  private readonly numbers = new Map<object, number>();
  private readonly waiting: object[] = [];

  constructor(
    private readonly hasher: Hasher,
    private readonly rules: GraphRules,
    private readonly guestBuffer: ArrayBufferLike,
  ) {}

  hash(roots: readonly object[]): void {
    for (const root of roots) this.value(root);
    // Grows as it is walked.
    for (let i = 0; i < this.waiting.length; i++) this.object(this.waiting[i]!);
  }

  private value(value: unknown): void {
    const { hasher } = this;
    switch (typeof value) {
      case "undefined":
        return hasher.word(KIND.undefined);
      case "boolean":
        return hasher.word(value ? KIND.true : KIND.false);
      case "number":
        hasher.word(KIND.number);
        return hasher.number(value);
      case "string":
        hasher.word(KIND.text);
        return hasher.text(value);
      case "bigint":
        hasher.word(KIND.bigInt);
        return hasher.text(value.toString(16));
      case "object":
        return value === null ? hasher.word(KIND.null) : this.reference(value);
      default:
        return hasher.word(KIND.function);
    }
  }

  private reference(object: object): void {
    const { opaque, opaqueClasses } = this.rules;
    if (opaque.has(object) || opaqueClasses.has(Object.getPrototypeOf(object) as object))
      return this.hasher.word(KIND.leftOut);
    let number = this.numbers.get(object);
    if (number === undefined) {
      number = this.numbers.size;
      this.numbers.set(object, number);
      this.waiting.push(object);
    }
    this.hasher.word(KIND.seen);
    this.hasher.word(number);
  }

  private object(object: object): void {
    const { hasher } = this;
    if (Array.isArray(object)) {
      hasher.word(KIND.list);
      hasher.word(object.length);
      for (const value of object) this.value(value);
    } else if (object instanceof Map) {
      hasher.word(KIND.map);
      hasher.word(object.size);
      for (const [key, value] of object) {
        this.value(key);
        this.value(value);
      }
    } else if (object instanceof Set) {
      hasher.word(KIND.set);
      hasher.word(object.size);
      for (const value of object) this.value(value);
    } else if (ArrayBuffer.isView(object)) {
      hasher.word(KIND.bytes);
      if (object.buffer !== this.guestBuffer)
        hasher.bytes(new Uint8Array(object.buffer, object.byteOffset, object.byteLength));
    } else this.record(object as Record<string, unknown>);
  }

  private record(object: Record<string, unknown>): void {
    const prototype = Object.getPrototypeOf(object) as object;
    const skipped = this.rules.skippedFields.get(prototype) ?? NOTHING;
    const notCompared = NOT_COMPARED.get(prototype) ?? NOTHING;
    this.hasher.word(KIND.record);
    // In which order a class's fields are made depends on how it was compiled.
    for (const name of Object.keys(object).sort()) {
      if (skipped.has(name) || notCompared.has(name)) continue;
      this.hasher.text(name);
      this.value(object[name]);
    }
    if (object instanceof Task && object.context !== null) hashContext(this.hasher, object.context);
  }
}
