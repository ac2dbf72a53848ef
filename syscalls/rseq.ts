/** rseq(2) (kernel/rseq.c). */

import { EBUSY, EFAULT, EINVAL, EPERM } from "../kernel/errno.js";
import { TASK_SIZE } from "../kernel/mm/layout.js";
import { registerRseq, resetRseq, RSEQ_ALIGNMENT } from "../kernel/rseq.js";
import { address, flags, hex, length, names } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { define, type Definition, type HandlerResult } from "./table.js";

const RSEQ_FLAG_UNREGISTER = 1;
const RSEQ_CS = 8;

/**
 * In this order: -EINVAL for flags; what is registered already: -EINVAL (another record or length), -EPERM (another
 * signature), -EBUSY; -EINVAL for a length or an address that cannot be; -EFAULT.
 */
function rseq(call: SyscallCall): HandlerResult {
  const given = call.i32(2);
  if ((given & RSEQ_FLAG_UNREGISTER) !== 0) return unregister(call, given);
  if (given !== 0) return -EINVAL;
  const { task, user } = call;
  const at = call.n(0);
  const size = call.u32(1);
  const signature = call.u32(3);
  if (task.rseq !== null) {
    if (task.rseq.address !== at || task.rseq.length !== size) return -EINVAL;
    return task.rseq.signature === signature ? -EBUSY : -EPERM;
  }
  if (size < RSEQ_ALIGNMENT || (call.u32(0) & (RSEQ_ALIGNMENT - 1)) !== 0) return -EINVAL;
  if (!(at + size <= TASK_SIZE)) return -EFAULT;
  user.awaitWritable(at, size);
  // Old C libraries use a record again without clearing it.
  const section = user.readU64(at + RSEQ_CS);
  if (section === null || (section !== 0n && !user.writeU64(at + RSEQ_CS, 0))) return -EFAULT;
  registerRseq(call.kernel, task, { address: at, length: size, signature, preempted: false });
  return 0;
}

function unregister(call: SyscallCall, given: number): HandlerResult {
  const { task, user } = call;
  if ((given & ~RSEQ_FLAG_UNREGISTER) !== 0) return -EINVAL;
  if (task.rseq === null || task.rseq.address !== call.n(0) || task.rseq.length !== call.u32(1))
    return -EINVAL;
  if (task.rseq.signature !== call.u32(3)) return -EPERM;
  if (!resetRseq(user, task.rseq)) return -EFAULT;
  task.rseq = null;
  return 0;
}

export const rseqSyscalls: readonly Definition[] = [
  define({
    number: 334,
    name: "rseq",
    args: [
      address("rseq"),
      length("rseq_len"),
      flags("flags", names("RSEQ_FLAG_???", { RSEQ_FLAG_UNREGISTER })),
      hex("sig"),
    ],
    handler: rseq,
  }),
];
