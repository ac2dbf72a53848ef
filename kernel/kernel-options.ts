/** What a kernel is made of, and what it starts. */

import type { FrameAllocator } from "../mmu/frame-allocator.js";
import type { Mmu } from "../mmu/mmu.js";
import type { PhysicalMemory } from "../mmu/physical-memory.js";
import type { Clock } from "./clock.js";
import type { Credentials } from "./credentials.js";
import type { ExecutableFiles } from "./exec/exec.js";
import type { SealElf } from "./exec/seal-program.js";
import type { VdsoImage } from "./exec/vdso.js";
import type { FileTable } from "./fs/file-table.js";
import type { FsContext } from "./fs/fs-context.js";
import type { Host } from "./host.js";
import type { MmEnvironment, MmSettings } from "./mm/environment.js";
import type { KernelParameters } from "./parameters.js";
import type { Processor } from "./processor.js";
import type { Release } from "./release.js";
import type { SchedulerOptions } from "./scheduler.js";
import type { SyscallDispatch } from "./syscall-dispatch.js";

export interface KernelOptions {
  readonly memory: PhysicalMemory;
  readonly frames: FrameAllocator;
  readonly mmu: Mmu;
  readonly cpu: Processor;
  readonly host: Host;
  readonly dispatch: SyscallDispatch;
  /** Finds programs for execve. */
  readonly files: ExecutableFiles;
  /** Protection keys are on; true unless told. */
  readonly pku?: boolean;
  /** 6.18 unless told. */
  readonly release?: Release;
  /** A virtual clock from 2026 on unless told. */
  readonly clock?: Clock;
  /** Without one no vDSO is mapped, as with Linux's `vdso=0`. */
  readonly vdso?: VdsoImage;
  /** As of a kernel without any (DEFAULT_PARAMETERS) unless told. */
  readonly parameters?: KernelParameters;
  /** Which programs execve and the loader's stand-in seal; null (unless told): none. */
  readonly sealElf?: SealElf | null;
  readonly hostname?: string;
  /** sysctls of the mm. */
  readonly mmSettings?: Partial<MmSettings>;
  /** The mm's model of sealing, where it is not Linux's. */
  readonly mm?: Partial<Pick<MmEnvironment, "sealing">>;
  readonly firstPid?: number;
  /** How tasks take turns. */
  readonly schedule?: SchedulerOptions;
  /** Processes that outlive the first one go on; otherwise they are killed with it, as by the end of a container. */
  readonly waitForAll?: boolean;
  /** At so many tasks, zombies among them, there is no fork and no new thread any more; 4096 unless told. */
  readonly maxTasks?: number;
}

export interface StartOptions {
  /** Path of the program in the guest's tree. Strings are latin-1: one character, one byte. */
  readonly path: string;
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly files: FileTable;
  readonly fs: FsContext;
  readonly credentials?: Credentials;
}
