import { EINVAL } from "../../errno.js";
import type { IpcIds, IpcObject } from "../../ipc/ids.js";
import type { Ipc } from "../../ipc/ipc.js";
import type { Node } from "./file-system.js";
import { integerFile } from "./settings.js";

/** As many indexes as an id has room for (IPCMNI). */
const IPCMNI = 0x8000;
const ULONG_MAX = 2n ** 64n - 1n;

/** An unsigned long that can be written (proc_doulongvec_minmax). */
function longFile(get: () => bigint, set: (value: bigint) => void): Node {
  return {
    kind: "file",
    mode: 0o644,
    content: () => `${get()}\n`,
    write: (text) => {
      if (text === "") return 0;
      const word = text.replace(/\0.*$/s, "").trim();
      if (!/^\+?\d+$/.test(word)) return -EINVAL;
      const value = BigInt(word.replace("+", ""));
      if (value > ULONG_MAX) return -EINVAL;
      set(value);
      return 0;
    },
  };
}

/** The id that the next object gets; who may restore checkpoints writes it. */
function nextId<T extends IpcObject>(ids: IpcIds<T>): Node {
  return integerFile(
    () => ids.nextId,
    (value) => (ids.nextId = value),
    0,
    0x7fff_ffff,
  );
}

/** /proc/sys/kernel: the limits of shared memory, and the next ids (ipc/ipc_sysctl.c). */
export function ipcSettings({ sharedMemory, semaphores, messageQueues }: Ipc): Record<string, Node> {
  return {
    msg_next_id: nextId(messageQueues.ids),
    sem_next_id: nextId(semaphores.ids),
    shm_next_id: nextId(sharedMemory.ids),
    shmall: longFile(
      () => sharedMemory.mostPages,
      (value) => (sharedMemory.mostPages = value),
    ),
    shmmax: longFile(
      () => sharedMemory.largestSegment,
      (value) => (sharedMemory.largestSegment = value),
    ),
    shmmni: integerFile(
      () => sharedMemory.ids.limit,
      (value) => (sharedMemory.ids.limit = value),
      0,
      IPCMNI,
    ),
  };
}
