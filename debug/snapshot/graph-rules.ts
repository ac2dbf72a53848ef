import { Cpu } from "../../cpu/cpu.js";
import { Registers } from "../../cpu/registers.js";
import { KernelEvents } from "../../kernel/events.js";
import { HostLower } from "../../kernel/fs/host-lower.js";
import { TarFiles } from "../../kernel/fs/tar-files.js";
import { Inode } from "../../kernel/fs/inode.js";
import { Kernel } from "../../kernel/kernel.js";
import { Scheduler } from "../../kernel/scheduler.js";
import { FrameAllocator } from "../../mmu/frame-allocator.js";
import { Mmu } from "../../mmu/mmu.js";
import { PhysicalMemory } from "../../mmu/physical-memory.js";
import { TableDispatch } from "../../syscalls/dispatch.js";
import type { Machine } from "../machine.js";
import { hasState } from "./host-state.js";

/**
 * What the walk over a machine's objects leaves out. All that is reachable otherwise is its state: nothing is left
 * out but by its name here.
 */
export interface GraphRules {
  /** Objects that are not looked into: they belong to somebody outside. */
  readonly opaque: ReadonlySet<object>;
  /** Classes (by their prototype) whose objects are not looked into: they are saved by other means, or not at all. */
  readonly opaqueClasses: ReadonlySet<object>;
  /** Fields (by the prototype of their class) that are left as they are. */
  readonly skippedFields: ReadonlyMap<object, ReadonlySet<string>>;
  /** Fields (by a prototype that their class has or inherits) of records that are replaced and never changed. */
  readonly valueFields: ReadonlyMap<object, ReadonlySet<string>>;
}

/** Saved by other means: the registers, the MMU's state, frames and their counts. Left out: who listens. */
const OPAQUE_CLASSES: ReadonlySet<object> = new Set<object>([
  Cpu.prototype,
  Registers.prototype,
  Mmu.prototype,
  PhysicalMemory.prototype,
  FrameAllocator.prototype,
  KernelEvents.prototype,
  // The table of system calls, and a record that has no meaning between two of them.
  TableDispatch.prototype,
]);

const SKIPPED_FIELDS: ReadonlyMap<object, ReadonlySet<string>> = new Map<object, ReadonlySet<string>>([
  // A debugger, and what is told to listeners only.
  [Kernel.prototype, new Set(["host", "debugger", "lastFaultRefusal", "inRun"])],
  [Scheduler.prototype, new Set(["mayRun"])],
]);

/** Most objects of a large tree are these. */
const VALUE_FIELDS: ReadonlyMap<object, ReadonlySet<string>> = new Map([
  [Inode.prototype, new Set(["accessed", "modified", "changed", "born", "deviceNumber", "locks"])],
]);

/** Files of a host that goes back with the machine are open then as they were. */
const SKIPPED_OF_RESTORABLE: typeof SKIPPED_FIELDS = new Map([
  ...SKIPPED_FIELDS,
  [TarFiles.prototype, new Set(["image"])],
]);

/** Of any other host, what is open now stays open. */
const SKIPPED_OF_OTHERS: typeof SKIPPED_FIELDS = new Map([
  ...SKIPPED_FIELDS,
  [HostLower.prototype, new Set(["files", "handles"])],
]);

export function graphRules(machine: Machine): GraphRules {
  const { host } = machine;
  const opaque = new Set<object>([host, host.stdin]);
  if (host.fileSource) opaque.add(host.fileSource);
  if (host.terminal) opaque.add(host.terminal);
  const skippedFields = hasState(host) ? SKIPPED_OF_RESTORABLE : SKIPPED_OF_OTHERS;
  return { opaque, opaqueClasses: OPAQUE_CLASSES, skippedFields, valueFields: VALUE_FIELDS };
}
