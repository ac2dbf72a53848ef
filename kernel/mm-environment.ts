/** The kernel as the mm sees it. */

import { CAP_IPC_LOCK, CAP_SYS_ADMIN, CAP_SYS_RAWIO } from "./capabilities.js";
import { hasCapability } from "./credentials.js";
import type { Kernel } from "./kernel.js";
import { RLIMIT_AS, RLIMIT_DATA, RLIMIT_MEMLOCK, RLIMIT_STACK, type Limits } from "./limits.js";
import {
  createEnvironment,
  type AreaChange,
  type MemoryLimits,
  type MmCapabilities,
  type MmEnvironment,
} from "./mm/environment.js";
import { killForMemory } from "./out-of-memory.js";
import type { Refusal } from "./refusal.js";

const READ_IMPLIES_EXEC = 0x40_0000;

/** What the mm leans on, for an address space of a process with those limits. */
export function environmentFor(
  kernel: Kernel,
  limits: Limits,
  personality: number,
  more: { readonly commit: { pages: number } } & Partial<Pick<MmEnvironment, "sealing" | "settings">>,
): MmEnvironment {
  const memoryLimits: MemoryLimits = {
    get as() {
      return limits.soft(RLIMIT_AS);
    },
    get data() {
      return limits.soft(RLIMIT_DATA);
    },
    get dataMax() {
      return limits.get(RLIMIT_DATA).hard;
    },
    get stack() {
      return limits.soft(RLIMIT_STACK);
    },
    get memlock() {
      return limits.soft(RLIMIT_MEMLOCK);
    },
  };
  const environment = createEnvironment({
    frames: kernel.frames,
    mmu: kernel.mmu,
    pku: kernel.pku,
    limits: memoryLimits,
    capabilities: callersCapabilities(kernel),
    outOfMemory: (mm) => killForMemory(kernel, mm),
    machine: {
      pkru: () => kernel.cpu.registers.pkru,
      setPkru: (value) => kernel.setPkru(value),
      provenance: () => kernel.provenance(),
      pkruWrittenBy: () => kernel.pkruWriter(),
      syscall: () => kernel.runningCall(),
    },
    release: kernel.release.rules,
    settings: kernel.mmSettings,
    ...more,
  });
  environment.readImpliesExec = (personality & READ_IMPLIES_EXEC) !== 0;
  // Objects are built only while somebody listens: the sinks are looked up at each use.
  const { events } = kernel;
  const onRefusal = (refusal: Refusal): void => events.emit("refusal", refusal);
  const onAreaChange = (change: AreaChange): void => events.emit("area", change);
  Object.defineProperty(environment, "onRefusal", {
    get: () =>
      events.listening.refusal || events.listening.fault || events.listening.signal ? onRefusal : null,
  });
  Object.defineProperty(environment, "onAreaChange", {
    get: () => (events.listening.area ? onAreaChange : null),
  });
  return environment;
}

/** What the mm asks of whoever calls: capabilities are a thread's, not an address space's. */
function callersCapabilities(kernel: Kernel): MmCapabilities {
  const has = (capability: number): boolean => hasCapability(kernel.current.credentials, capability);
  return {
    get ipcLock() {
      return has(CAP_IPC_LOCK);
    },
    get rawIo() {
      return has(CAP_SYS_RAWIO);
    },
    get sysAdmin() {
      return has(CAP_SYS_ADMIN);
    },
  };
}
