import type { Cpu } from "../../cpu/cpu.js";
import type { MmuState } from "../../mmu/mmu.js";
import type { Machine } from "../machine.js";
import { FrameStore, type FrameMoment } from "./frame-store.js";
import { graphRules } from "./graph-rules.js";
import { hasState, type HostState } from "./host-state.js";
import { ObjectStore, type ObjectMoment } from "./object-store.js";

/** A machine as it was at one moment, for that machine only: to be given back to it as often as one likes. */
export interface Snapshot {
  /** Instructions retired. */
  readonly instructions: number;
  /** Bytes that it takes beyond what it shares with earlier snapshots, about. */
  readonly bytes: number;
  readonly parts: SnapshotParts;
}

export interface SnapshotParts {
  readonly owner: SnapshotStore;
  readonly objects: ObjectMoment;
  readonly frames: FrameMoment;
  readonly mmu: MmuState;
  readonly cpu: CpuState;
  /** What the host says of itself, if it is one that can go back. */
  readonly host: HostState | null;
}

interface CpuState {
  readonly registers: Uint8Array;
  readonly instructions: number;
  readonly asid: number;
  readonly pkruWriter: { readonly instruction: number; readonly rip: number };
}

/** What a machine keeps from snapshot to snapshot. */
export class SnapshotStore {
  private readonly objects: ObjectStore;
  private readonly frames: FrameStore;

  constructor(private readonly machine: Machine) {
    const { kernel } = machine;
    this.objects = new ObjectStore(machine.stateRoots(), graphRules(machine), kernel.memory.memory.buffer);
    this.frames = new FrameStore(kernel.frames, kernel.mmu);
  }

  /** Gets ready for snapshots that are taken while a program runs. */
  prepare(): void {
    this.frames.prepare();
  }

  /** @param forgettable whoever takes it gives it to nobody else, and says by `forget` when it is not needed any more */
  take(forgettable = false): Snapshot {
    const { kernel, cpu, host } = this.machine;
    if (kernel.inRun) throw new Error("a snapshot can be taken between runs only, not by a listener");
    const objects = this.objects.take();
    const frames = this.frames.take(forgettable);
    return {
      instructions: cpu.instructions,
      bytes: objects.bytes + frames.bytes,
      parts: {
        owner: this,
        objects,
        frames,
        mmu: kernel.mmu.saveState(),
        cpu: saveCpu(cpu),
        host: hasState(host) ? host.saveState() : null,
      },
    };
  }

  /**
   * A snapshot is not needed any more; what it took is used again.
   * @param before and `after`: those beside it in the order of the run, of all that the caller took and still has
   * @returns bytes that nobody else shared with it
   */
  forget(gone: Snapshot, before: Snapshot, after: Snapshot): number {
    return this.frames.forget(gone.parts.frames, before.parts.frames, after.parts.frames);
  }

  /** Every object of the machine's state. */
  objectsNow(): readonly object[] {
    return this.objects.take().objects;
  }

  restore({ parts }: Snapshot): void {
    const { kernel, cpu, host } = this.machine;
    if (parts.owner !== this) throw new Error("the snapshot is of another machine");
    if (kernel.inRun) throw new Error("a snapshot can be restored between runs only, not by a listener");
    this.objects.restore(parts.objects);
    this.frames.restore(parts.frames, (frame) => cpu.blocks.dropFrame(frame));
    loadCpu(cpu, parts.cpu);
    kernel.mmu.loadState(parts.mmu);
    // Which TLB bank is current stands in the registers too.
    cpu.registers.pkru = parts.mmu.pkru;
    kernel.events.entryWatch?.reset(kernel.current.mm);
    kernel.stateReplaced();
    if (hasState(host) && parts.host !== null) host.loadState(parts.host);
  }
}

/** @throws Error while the machine runs */
export function takeSnapshot(machine: Machine): Snapshot {
  return machine.snapshots.take();
}

/**
 * Puts a machine back to where it was. Objects keep their identity: whoever refers to a task or a file still does.
 * Listeners and a debugger stay; output that was written is not taken back but by a host that can.
 * @throws Error for another machine's snapshot, and while the machine runs
 */
export function restoreSnapshot(machine: Machine, snapshot: Snapshot): void {
  machine.snapshots.restore(snapshot);
}

function saveCpu(cpu: Cpu): CpuState {
  return {
    registers: cpu.saveContext(),
    instructions: cpu.instructions,
    asid: cpu.asid,
    pkruWriter: { ...cpu.pkruWriter },
  };
}

function loadCpu(cpu: Cpu, state: CpuState): void {
  cpu.loadContext(state.registers);
  cpu.instructions = state.instructions;
  cpu.asid = state.asid;
  Object.assign(cpu.pkruWriter, state.pkruWriter);
}
