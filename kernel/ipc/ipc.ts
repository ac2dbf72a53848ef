/** The System V objects of a machine (struct ipc_namespace). */

import { MessageQueues } from "./message-queues.js";
import { Semaphores } from "./semaphores.js";
import { SharedMemory, type IpcMachine } from "./shared-memory.js";

export class Ipc {
  readonly sharedMemory: SharedMemory;
  readonly semaphores: Semaphores;
  readonly messageQueues: MessageQueues;

  constructor(machine: IpcMachine) {
    this.sharedMemory = new SharedMemory(machine);
    this.semaphores = new Semaphores(machine);
    this.messageQueues = new MessageQueues(machine);
  }
}
