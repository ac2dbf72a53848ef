/** Every system call, in one table. */

import { TableDispatch } from "./dispatch.js";
import { fileSyscalls } from "./files.js";
import { futexSyscalls } from "./futex.js";
import { memorySyscalls } from "./memory.js";
import { miscSyscalls } from "./misc.js";
import { prctlSyscalls } from "./prctl.js";
import { processSyscalls } from "./process.js";
import { schedulingSyscalls } from "./scheduling.js";
import { signalSyscalls } from "./signals.js";
import { SyscallTable } from "./table.js";
import { timeSyscalls } from "./time.js";

export const syscallTable = new SyscallTable([
  ...memorySyscalls,
  ...fileSyscalls,
  ...processSyscalls,
  ...signalSyscalls,
  ...timeSyscalls,
  ...prctlSyscalls,
  ...schedulingSyscalls,
  ...futexSyscalls,
  ...miscSyscalls,
]);

/** The table as the kernel takes it. */
export const dispatch = new TableDispatch(syscallTable);
