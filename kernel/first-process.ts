import { userCredentials } from "./credentials.js";
import { execute, type ExecFailure } from "./exec/exec.js";
import type { StartOptions } from "./kernel-options.js";
import type { Kernel } from "./kernel.js";
import { Limits } from "./limits.js";
import { UserMemory } from "./mm/user-memory.js";
import { Process, Task } from "./task.js";
import { IntervalTimers } from "./timers.js";

/** Makes the first process and puts a program into it; null, or why it cannot run. */
export function startFirstProcess(kernel: Kernel, options: StartOptions): ExecFailure | null {
  const credentials = options.credentials ?? userCredentials(0, 0);
  const limits = new Limits(kernel.memory.ramBytes);
  const process = new Process({
    pid: kernel.pids.allocate(),
    population: kernel.processes,
    parent: null,
    limits,
    timers: new IntervalTimers(),
  });
  const mm = kernel.newAddressSpace(limits);
  if (mm === null) throw new RangeError("guest memory has no room for a page table");
  mm.hold();
  // For whoever looks at it after its end.
  mm.hold();
  const task = new Task({
    tid: process.pid,
    process,
    mm,
    user: new UserMemory(mm),
    files: options.files,
    fs: options.fs,
    credentials,
    scheduler: kernel.scheduler,
  });
  process.tasks.push(task);
  process.leader = task;
  process.sealsSpecialMappings = kernel.parameters.specialMappings.sealed;
  kernel.init = process;
  kernel.tasks.set(task.tid, task);
  kernel.processes.set(process.pid, process);
  options.fs.namespace.terminals.adopt(process);
  kernel.current = task;
  kernel.activate(mm);
  const failure = execute(kernel, task, { path: options.path }, options.argv, options.env);
  if (failure === null) {
    task.wake();
    kernel.scheduler.pick(kernel.cpu.instructions);
  } else if (!failure.fatal) kernel.reap(task);
  return failure;
}
