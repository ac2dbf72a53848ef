/** The kernel as the mm sees it. */

import { CAP_IPC_LOCK, CAP_SYS_ADMIN, CAP_SYS_RAWIO } from "./capabilities.js";
import { hasCapability } from "./credentials.js";
import { OpenFile } from "./fs/open-file.js";
import { mayProbe } from "./fs/permission.js";
import type { Kernel } from "./kernel.js";
import { RLIMIT_AS, RLIMIT_DATA, RLIMIT_MEMLOCK, RLIMIT_STACK, type Limits } from "./limits.js";
import type { AddressSpace } from "./mm/address-space.js";
import type {
  AreaChange,
  MemoryLimits,
  MmCapabilities,
  MmEnvironment,
  MmMachine,
  MmSettings,
  VmEvents,
} from "./mm/environment.js";
import type { MappableFile } from "./mm/mappable-file.js";
import type { ReleaseRules } from "./mm/release.js";
import { defaultSealing } from "./mm/sealing/models.js";
import type { SealingModel } from "./mm/sealing/sealing-model.js";
import type { UserfaultDoor } from "./mm/userfault/door.js";
import { killForMemory } from "./out-of-memory.js";
import type { Provenance, Refusal, RefusalSink } from "./refusal.js";

const READ_IMPLIES_EXEC = 0x40_0000;

/** What the mm leans on, for an address space of a process with those limits. */
export function environmentFor(
  kernel: Kernel,
  limits: Limits,
  personality: number,
  more: Pick<MmEnvironment, "commit" | "vmEvents"> & Partial<Pick<MmEnvironment, "sealing" | "settings">>,
): MmEnvironment {
  return new KernelEnvironment(kernel, limits, personality, more);
}

export class KernelEnvironment implements MmEnvironment {
  readonly frames: Kernel["frames"];
  readonly mmu: Kernel["mmu"];
  readonly pins: Kernel["pins"];
  readonly hugePages: Kernel["hugePages"];
  readonly swap: Kernel["swap"];
  release: ReleaseRules;
  sealing: SealingModel;
  pku: boolean;
  limits: MemoryLimits;
  capabilities: MmCapabilities;
  settings: MmSettings;
  commit: { pages: number };
  vmEvents: VmEvents;
  readImpliesExec: boolean;
  machine: MmMachine;
  readonly samePages: Kernel["samePages"];
  readonly khugepaged: Kernel["khugepaged"];

  constructor(
    private readonly kernel: Kernel,
    limits: Limits,
    personality: number,
    more: Pick<MmEnvironment, "commit" | "vmEvents"> & Partial<Pick<MmEnvironment, "sealing" | "settings">>,
  ) {
    this.frames = kernel.frames;
    this.mmu = kernel.mmu;
    this.pins = kernel.pins;
    this.hugePages = kernel.hugePages;
    this.swap = kernel.swap;
    this.release = kernel.release.rules;
    this.sealing = more.sealing ?? defaultSealing;
    this.pku = kernel.pku;
    this.limits = new ProcessMemoryLimits(limits);
    this.capabilities = new CallersCapabilities(kernel);
    this.settings = more.settings ?? kernel.mmSettings;
    this.commit = more.commit;
    this.vmEvents = more.vmEvents;
    this.readImpliesExec = (personality & READ_IMPLIES_EXEC) !== 0;
    this.machine = new CallersMachine(kernel);
    this.samePages = kernel.samePages;
    this.khugepaged = kernel.khugepaged;
  }

  get uprobes(): Kernel["uprobes"] {
    return this.kernel.uprobes;
  }

  outOfMemory(mm: AddressSpace): boolean {
    return killForMemory(this.kernel, mm);
  }

  // Objects are built only while somebody listens: the sinks are looked up at each use.
  get onRefusal(): RefusalSink | null {
    const { events } = this.kernel;
    const { refusal, fault, signal } = events.listening;
    return refusal || fault || signal ? (refused: Refusal) => events.emit("refusal", refused) : null;
  }

  get onAreaChange(): ((change: AreaChange) => void) | null {
    const { events } = this.kernel;
    return events.listening.area ? (change) => events.emit("area", change) : null;
  }
}

/** The limits of a process that the mm asks for. */
export class ProcessMemoryLimits implements MemoryLimits {
  constructor(private readonly limits: Limits) {}

  get as(): number {
    return this.limits.soft(RLIMIT_AS);
  }
  get data(): number {
    return this.limits.soft(RLIMIT_DATA);
  }
  get dataMax(): number {
    return this.limits.get(RLIMIT_DATA).hard;
  }
  get stack(): number {
    return this.limits.soft(RLIMIT_STACK);
  }
  get memlock(): number {
    return this.limits.soft(RLIMIT_MEMLOCK);
  }
}

/** What the mm asks of whoever calls: capabilities are a thread's, not an address space's. */
export class CallersCapabilities implements MmCapabilities {
  constructor(private readonly kernel: Kernel) {}

  private has(capability: number): boolean {
    return hasCapability(this.kernel.current.credentials, capability);
  }
  get ipcLock(): boolean {
    return this.has(CAP_IPC_LOCK);
  }
  get rawIo(): boolean {
    return this.has(CAP_SYS_RAWIO);
  }
  get sysAdmin(): boolean {
    return this.has(CAP_SYS_ADMIN);
  }
}

/** The running thread and its place in the program. */
export class CallersMachine implements MmMachine {
  constructor(private readonly kernel: Kernel) {}

  pkru(): number {
    return this.kernel.cpu.registers.pkru;
  }
  setPkru(value: number): void {
    this.kernel.setPkru(value);
  }
  provenance(): Provenance {
    return this.kernel.provenance();
  }
  pkruWrittenBy(): Provenance | undefined {
    return this.kernel.pkruWriter();
  }
  syscall(): string | undefined {
    return this.kernel.runningCall();
  }
  get in32BitCall(): boolean {
    return this.kernel.current.ia32Call && this.kernel.runningCall() !== undefined;
  }
  get userfaults(): UserfaultDoor | null {
    return this.kernel.userfaults;
  }
  get perf(): Kernel["perf"] {
    return this.kernel.perf;
  }
  ownsOrMayWrite(file: MappableFile): boolean {
    return !(file instanceof OpenFile) || mayProbe(this.kernel.current.credentials, file.node);
  }
}
