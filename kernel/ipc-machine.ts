import { CAP_IPC_LOCK } from "./capabilities.js";
import { hasCapability, inFileGroup } from "./credentials.js";
import type { IpcMachine } from "./ipc/shared-memory.js";
import type { Kernel } from "./kernel.js";
import { commit, uncommit } from "./mm/accounting.js";

/** The kernel as the objects of System V see it. */
export function ipcMachine(kernel: Kernel): IpcMachine {
  return {
    frames: kernel.frames,
    time: () => Math.floor((Number(kernel.clock.realtimeOrigin) + kernel.clock.monotonic()) / 1e9),
    pid: () => kernel.current.pid,
    mayCommit: (pages) => {
      const { mm } = kernel.current;
      const may = commit(mm, pages);
      if (may) uncommit(mm, pages);
      return may;
    },
    hugePages: kernel.hugePages,
    sharedMemory: () => kernel.mmSettings.sharedMemory,
    mayUseHugePages: () => {
      const { credentials } = kernel.current;
      return (
        hasCapability(credentials, CAP_IPC_LOCK) ||
        inFileGroup(credentials, kernel.hugePages.sharedMemoryGroup)
      );
    },
  };
}
