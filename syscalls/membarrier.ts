/** membarrier(2) (kernel/sched/membarrier.c). */

import { EINVAL, EPERM } from "../kernel/errno.js";
import { choice, flags, int, names } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { define, type Definition, type HandlerResult } from "./table.js";

const MEMBARRIER_CMD_QUERY = 0;
const MEMBARRIER_CMD_GLOBAL = 1;
const MEMBARRIER_CMD_GLOBAL_EXPEDITED = 2;
const MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED = 4;
const MEMBARRIER_CMD_PRIVATE_EXPEDITED = 8;
const MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED = 16;
const MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE = 32;
const MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE = 64;
const MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ = 128;
const MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ = 256;
const MEMBARRIER_CMD_GET_REGISTRATIONS = 512;
const ALL_COMMANDS = 1023;

const COMMANDS = names("MEMBARRIER_???", {
  MEMBARRIER_CMD_QUERY,
  MEMBARRIER_CMD_GLOBAL,
  MEMBARRIER_CMD_GLOBAL_EXPEDITED,
  MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED,
  MEMBARRIER_CMD_PRIVATE_EXPEDITED,
  MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED,
  MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE,
  MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE,
  MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ,
  MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ,
  MEMBARRIER_CMD_GET_REGISTRATIONS,
});
const MEMBARRIER_CMD_FLAG_CPU = 1;
const FLAGS = names("MEMBARRIER_CMD_FLAG_???", { MEMBARRIER_CMD_FLAG_CPU });

/**
 * With one processor every barrier is there already, and a thread that does not run has left its restartable
 * sequence. What is left is who has registered, which is an address space's.
 */
function membarrier(call: SyscallCall): HandlerResult {
  const command = call.i32(0);
  const given = call.u32(1);
  const { mm } = call;
  const mayNameCpu = command === MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ;
  if (given !== 0 && !(mayNameCpu && given === MEMBARRIER_CMD_FLAG_CPU)) return -EINVAL;
  switch (command) {
    case MEMBARRIER_CMD_QUERY:
      return ALL_COMMANDS;
    case MEMBARRIER_CMD_GLOBAL:
    case MEMBARRIER_CMD_GLOBAL_EXPEDITED:
      return 0;
    case MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED:
    case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
    case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE:
    case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ:
      mm.membarriers |= command;
      return 0;
    case MEMBARRIER_CMD_PRIVATE_EXPEDITED:
    case MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE:
    case MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ:
      return (mm.membarriers & (command << 1)) !== 0 ? 0 : -EPERM;
    case MEMBARRIER_CMD_GET_REGISTRATIONS:
      return mm.membarriers;
    default:
      return -EINVAL;
  }
}

export const membarrierSyscalls: readonly Definition[] = [
  define({
    number: 324,
    name: "membarrier",
    args: [choice("cmd", COMMANDS), flags("flags", FLAGS), int("cpu_id")],
    handler: membarrier,
  }),
];
