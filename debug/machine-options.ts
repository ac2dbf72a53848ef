import type { ExecutorFactory } from "../cpu/executor.js";
import type { Host } from "../kernel/host.js";
import type { SealingModel } from "../kernel/mm/sealing/sealing-model.js";
import type { User } from "./users.js";
import type { TreeParts } from "./machine-files.js";
import type { Machine } from "./machine.js";

export interface MachineOptions extends TreeParts {
  /** Guest RAM in bytes, committed by the host only as it is touched; 512 MiB unless told, at most 4064 MiB. */
  readonly memoryBytes?: number;
  /**
   * A disk to swap to, /dev/vda, with an area of that many bytes that is in force from the start; its pages are kept
   * outside of guest RAM, and take the host's memory as they are written. None unless told, at most 4 GiB.
   */
  readonly swapBytes?: number;
  /** A machine that is done with: its memory is taken over, and it must not be used again. Saves the host's time. */
  readonly reuse?: Machine;
  /** `x86-64-v1` or `x86-64-v2` (unless told). */
  readonly cpu?: string;
  /** Protection keys; true unless told. */
  readonly pku?: boolean;
  /** The Linux release whose rules hold and that uname names (RELEASE_NAMES); `6.18` unless told. */
  readonly kernel?: string;
  /** True: hot code is not compiled, which changes nothing but the speed. False unless told. */
  readonly interpret?: boolean;
  /** Another tier than the interpreter and compiled code, as tests and `sealab fuzz --on reference` have it. */
  readonly executor?: ExecutorFactory;
  /** The model of sealing, with options as `v4:eperm` has one; `linux` unless told. `sealab models` lists them. */
  readonly sealing?: string | SealingModel;
  /**
   * Seals programs as the proposal for glibc's loader does: their non-writable segments at exec, relro and shared
   * objects once relro is read-only. "marked": only what has GNU_PROPERTY_MEMORY_SEAL. False unless told.
   */
  readonly sealElf?: boolean | "marked";
  /** `NAME=VALUE` each, such as `mseal.special_mappings=on`: what the kernel is told at boot (docs/models.md). */
  readonly params?: readonly string[];
  /** Standard streams, time, randomness; a BufferHost unless told. */
  readonly host?: Host;
  /** "virtual" (unless told): a nanosecond an instruction, from 1 January 2026 on. "host": the host's time. */
  readonly clock?: "virtual" | "host";
  /** At so many tasks, zombies among them, fork and clone give EAGAIN; 4096 unless told. */
  readonly maxTasks?: number;
  /** Processes that outlive the first one go on; otherwise they are killed with it, as by the end of a container. */
  readonly waitForAll?: boolean;
  /** Seed of the tasks' interleaving, a whole number; 0 unless told. The same seed is the same run. */
  readonly seed?: number;
  /** It can go back ({@link Machine.reverseTo}); a RewindableHost stands before the host. */
  readonly reversible?: boolean;
  /** Mean number of instructions that a task runs before another one's turn; 50,000 unless told. */
  readonly quantum?: number;
}

export interface LoadOptions {
  /** Where the file is put in the guest's tree; `/program` unless told. */
  readonly path?: string;
  /** argv, its first element included; the path alone unless told. */
  readonly argv?: readonly string[];
  /** `NAME=VALUE` each; none unless told. */
  readonly env?: readonly string[];
  /** The working directory, absolute; `/` unless told. */
  readonly cwd?: string;
  /** Whom it runs as (see {@link Machine.findUser}); root unless told. */
  readonly user?: User;
}
