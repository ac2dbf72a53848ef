/*
 * prctl(PR_GET_MSEAL_SYSTEM_MAPPINGS, 0, 0, 0, 0): 1 where the caller's next programs have their [vdso], [vvar] and
 * [vvar_vclock] sealed, or 0.
 *
 * prctl(PR_SET_MSEAL_SYSTEM_MAPPINGS, 0 or 1, 0, 0, 0): turns that off or on, for the caller's process and for what it
 * forks from then on; execve keeps it. What is mapped and sealed already stays so.
 *
 * Both were sketched for checkpoint tools (Kees Cook, linux-mm, 17 December 2024) and are in no Linux: they exist with
 * the kernel parameter of that message alone. Their numbers are sealab's own.
 *
 * Refuses, in this order:
 *   EINVAL  the kernel parameter is not there; an argument that is not as above
 *   EPERM   SET without CAP_CHECKPOINT_RESTORE
 */
import { CAP_CHECKPOINT_RESTORE } from "../kernel/capabilities.js";
import { hasCapability } from "../kernel/credentials.js";
import { EINVAL, EPERM } from "../kernel/errno.js";
import type { SyscallCall } from "./call.js";

export const PR_GET_MSEAL_SYSTEM_MAPPINGS = 0x5345_4147;
export const PR_SET_MSEAL_SYSTEM_MAPPINGS = 0x5345_4153;

export function getSpecialMappings(call: SyscallCall): number {
  const { kernel, task } = call;
  if (!kernel.parameters.specialMappings.prctl || !zeroFrom(call, 1)) return -EINVAL;
  return task.process.sealsSpecialMappings ? 1 : 0;
}

export function setSpecialMappings(call: SyscallCall): number {
  const { kernel, task } = call;
  const wanted = call.n(1);
  if (!kernel.parameters.specialMappings.prctl || wanted > 1 || !zeroFrom(call, 2)) return -EINVAL;
  if (!hasCapability(task.credentials, CAP_CHECKPOINT_RESTORE))
    return call.mm.refuse("prctl.special-mappings", EPERM, () => ({
      text: "only who has CAP_CHECKPOINT_RESTORE decides whether the system's mappings are sealed",
      source: "PR_SET_MSEAL_SYSTEM_MAPPINGS",
    }));
  task.process.sealsSpecialMappings = wanted === 1;
  return 0;
}

const zeroFrom = (call: SyscallCall, first: number): boolean =>
  [1, 2, 3, 4].every((i) => i < first || call.n(i) === 0);
