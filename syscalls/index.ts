/** Every system call, in one table. */

import { capabilitySyscalls } from "./capabilities.js";
import { cloneSyscalls } from "./clone.js";
import { unshareSyscalls } from "./unshare.js";
import { TableDispatch } from "./dispatch.js";
import { fileSyscalls } from "./files.js";
import { futexSyscalls } from "./futex.js";
import { futex2Syscalls } from "./futex2.js";
import { ia32Table } from "./ia32/table.js";
import { identitySyscalls } from "./identity.js";
import { kcmpSyscalls } from "./kcmp.js";
import { limitSyscalls } from "./limits.js";
import { membarrierSyscalls } from "./membarrier.js";
import { memorySyscalls } from "./memory.js";
import { memoryPolicySyscalls } from "./memory-policy.js";
import { miscSyscalls } from "./misc.js";
import { archPrctlSyscalls } from "./arch-prctl.js";
import { prctlSyscalls } from "./prctl.js";
import { prioritySyscalls } from "./priorities.js";
import { processVmSyscalls } from "./process-vm.js";
import { processSyscalls } from "./process.js";
import { robustListSyscalls } from "./robust-list.js";
import { rseqSyscalls } from "./rseq.js";
import { ptraceSyscalls } from "./ptrace.js";
import { schedulingSyscalls } from "./scheduling.js";
import { segmentSyscalls } from "./segments.js";
import { seccompSyscalls } from "./seccomp.js";
import { sessionSyscalls } from "./sessions.js";
import { signalSyscalls } from "./signals.js";
import { messageQueueSyscalls } from "./sysv-msg.js";
import { semaphoreSyscalls } from "./sysv-sem.js";
import { sharedMemorySyscalls } from "./sysv-shm.js";
import { SyscallTable } from "./table.js";
import { timeSyscalls } from "./time.js";
import { timerSyscalls } from "./timers.js";
import { usageSyscalls } from "./usage.js";
import { swapSyscalls } from "./swap.js";
import { perfSyscalls } from "./perf-event-open.js";
import { uretprobeSyscalls } from "./uretprobe.js";
import { userfaultSyscalls } from "./userfault.js";
import { waitSyscalls } from "./wait.js";

export const syscallTable = new SyscallTable(
  [
    ...memorySyscalls,
    ...memoryPolicySyscalls,
    ...processVmSyscalls,
    ...sharedMemorySyscalls,
    ...semaphoreSyscalls,
    ...messageQueueSyscalls,
    ...fileSyscalls,
    ...processSyscalls,
    ...cloneSyscalls,
    ...unshareSyscalls,
    ...waitSyscalls,
    ...ptraceSyscalls,
    ...usageSyscalls,
    ...swapSyscalls,
    ...userfaultSyscalls,
    ...perfSyscalls,
    ...uretprobeSyscalls,
    ...identitySyscalls,
    ...capabilitySyscalls,
    ...limitSyscalls,
    ...kcmpSyscalls,
    ...seccompSyscalls,
    ...sessionSyscalls,
    ...signalSyscalls,
    ...timeSyscalls,
    ...timerSyscalls,
    ...prctlSyscalls,
    ...archPrctlSyscalls,
    ...schedulingSyscalls,
    ...segmentSyscalls,
    ...prioritySyscalls,
    ...futexSyscalls,
    ...futex2Syscalls,
    ...robustListSyscalls,
    ...rseqSyscalls,
    ...membarrierSyscalls,
    ...miscSyscalls,
  ],
  ia32Table,
);

/** The table as the kernel takes it. */
export const dispatch = new TableDispatch(syscallTable);
