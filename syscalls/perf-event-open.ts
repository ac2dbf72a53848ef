/** perf_event_open(2) (kernel/events/core.c). */

import { CAP_KILL, CAP_PERFMON, CAP_SYS_ADMIN } from "../kernel/capabilities.js";
import { hasCapability } from "../kernel/credentials.js";
import { E2BIG, EACCES, EBADF, EFAULT, EINVAL, EIO, ENOENT, EOPNOTSUPP, ESRCH } from "../kernel/errno.js";
import { RegularInode } from "../kernel/fs/inode.js";
import { AT_FDCWD, PATH_MAX } from "../kernel/fs/open-flags.js";
import { PerfFile } from "../kernel/fs/perf-file.js";
import type { EventAttributes } from "../kernel/perf/attributes.js";
import { BreakpointSource, breakpointOf } from "../kernel/perf/breakpoint-source.js";
import { PerfEvent, type EventSource } from "../kernel/perf/event.js";
import { PerfEvents } from "../kernel/perf/events.js";
import * as uapi from "../kernel/perf/uapi.js";
import { UprobeSource } from "../kernel/perf/uprobe-source.js";
import { mayAccess } from "../kernel/ptrace-access.js";
import type { Task } from "../kernel/task.js";
import { fd, flags, int, names, pid, structIn } from "./argument.js";
import type { SyscallCall } from "./call.js";
import { descriptorLimit, locate } from "./files-common.js";
import { internalLocation } from "./files-open.js";
import { copyAttributes } from "./perf-attributes.js";
import { define, type Definition } from "./table.js";

const { PERF_FLAG_FD_NO_GROUP, PERF_FLAG_FD_OUTPUT, PERF_FLAG_PID_CGROUP, PERF_FLAG_FD_CLOEXEC } = uapi;
const FLAGS = { PERF_FLAG_FD_NO_GROUP, PERF_FLAG_FD_OUTPUT, PERF_FLAG_PID_CGROUP, PERF_FLAG_FD_CLOEXEC };
const ALL_FLAGS = 15n;
/** clockid: CLOCK_MONOTONIC, _MONOTONIC_RAW, _REALTIME, _BOOTTIME, _TAI. */
const CLOCKS = new Set([0, 1, 4, 7, 11]);
const HIGHEST_BIT = 1n << 63n;

const mayMonitor = ({ task }: SyscallCall): boolean =>
  hasCapability(task.credentials, CAP_PERFMON) || hasCapability(task.credentials, CAP_SYS_ADMIN);

/** kernel.perf_event_paranoid permits it to everybody, or the caller has CAP_PERFMON. */
function permits(call: SyscallCall, level: number): boolean {
  const paranoid = Number(call.kernel.tunables.get(uapi.PARANOID) ?? uapi.PARANOID_DEFAULT);
  return paranoid <= level || mayMonitor(call);
}

export const mayWatchKernel = (call: SyscallCall): boolean => permits(call, 1);
const mayWatchProcessors = (call: SyscallCall): boolean => permits(call, 0);

function no(
  call: SyscallCall,
  rule: string,
  errno: number,
  text: string,
  source = "perf_event_open",
): number {
  return call.mm.refuse(`perf.${rule}`, errno, () => ({ text, source }));
}

/**
 * EINVAL unknown flags; what copyAttributes says; EACCES the kernel's part, or names of namespaces, without the right;
 * EINVAL a frequency or period above the limit, a control group without its processor; EMFILE; EBADF group_fd; ESRCH;
 * EINVAL heirs in a group of others; what `create` says; EACCES another's task, or a processor, without the right;
 * EINVAL what is no group.
 */
function perfEventOpen(call: SyscallCall): number {
  const { kernel, task: caller } = call;
  const bits = call.u64(4);
  if ((bits & ~ALL_FLAGS) !== 0n) return no(call, "flags", EINVAL, "unknown flags");
  const flagBits = Number(bits);
  const attributes = copyAttributes(call, call.word(0), () => mayWatchKernel(call));
  if (typeof attributes === "number") return attributes;
  if (!attributes.excludeKernel && !mayWatchKernel(call))
    return no(call, "kernel", EACCES, "perf_event_paranoid forbids watching the kernel", "perf_allow_kernel");
  if (attributes.namespaces && !mayMonitor(call)) return no(call, "namespaces", EACCES, "takes CAP_PERFMON");
  const rate = Number(kernel.tunables.get(uapi.MAX_SAMPLE_RATE) ?? uapi.MAX_SAMPLE_RATE_DEFAULT);
  if (attributes.freq ? attributes.period > BigInt(rate) : (attributes.period & HIGHEST_BIT) !== 0n)
    return no(
      call,
      "rate",
      EINVAL,
      "more samples a second than perf_event_max_sample_rate, or a period below 0",
    );
  if ((attributes.sampleType & uapi.PERF_SAMPLE_PHYS_ADDR) !== 0 && !mayWatchKernel(call))
    return no(call, "addresses", EACCES, "physical addresses are not for everybody", "perf_allow_kernel");
  const [pidNumber, cpu, groupFd] = [call.i32(1), call.i32(2), call.i32(3)];
  const ofGroup = (flagBits & PERF_FLAG_PID_CGROUP) !== 0;
  if (ofGroup && (pidNumber === -1 || cpu === -1))
    return no(call, "control-group", EINVAL, "a control group is watched on one processor at a time");
  const free = caller.files.lowestFree(0, descriptorLimit(call));
  if (free < 0) return free;
  const leader = leaderOf(call, groupFd, flagBits);
  if (typeof leader === "number") return leader;
  const target = ofGroup || pidNumber === -1 ? null : findTask(call, pidNumber);
  if (target === undefined) return -ESRCH;
  if (target !== null && leader !== null && leader.attributes.inherit !== attributes.inherit)
    return no(call, "heirs", EINVAL, "all of a group are inherited, or none");
  const event = create(call, attributes, target, cpu, ofGroup);
  if (typeof event === "number") return event;
  const refused = refuseEvent(call, event, leader);
  if (refused !== 0) return refused;
  if ((flagBits & PERF_FLAG_FD_OUTPUT) !== 0 && groupFd !== -1)
    return no(call, "output", EINVAL, "there is no buffer that it could write to", "perf_event_set_output");
  const begun = event.source?.begin(event) ?? 0;
  if (begun !== 0) return no(call, "begin", -begun, "what it counts cannot be watched", "perf_init_event");
  if (leader !== null) event.join(leader);
  kernel.perf?.install(event);
  const location = internalLocation(call, () => "anon_inode:[perf_event]", 0o600);
  const closes = (flagBits & PERF_FLAG_FD_CLOEXEC) !== 0;
  return caller.files.install(new PerfFile(location, kernel, event), closes, descriptorLimit(call));
}

function leaderOf(call: SyscallCall, groupFd: number, flagBits: number): PerfEvent | null | number {
  if (groupFd === -1) return null;
  const file = call.fileAt(groupFd);
  if (!(file instanceof PerfFile)) return -EBADF;
  return (flagBits & PERF_FLAG_FD_NO_GROUP) !== 0 ? null : file.event;
}

function findTask(call: SyscallCall, number: number): Task | undefined {
  if (number === 0) return call.task;
  const task = call.kernel.tasks.get(number);
  return task === undefined || task.state === "dead" ? undefined : task;
}

/**
 * EINVAL: no such processor, sigtrap without a task, samples that read heirs; ENOENT: nothing that counts such things;
 * what it says itself; EINVAL of control groups, as without CONFIG_CGROUP_PERF (perf_event_alloc).
 */
function create(
  call: SyscallCall,
  attributes: EventAttributes,
  target: Task | null,
  cpu: number,
  ofGroup: boolean,
): PerfEvent | number {
  const { kernel } = call;
  if (cpu !== 0 && (target === null || cpu !== -1)) return no(call, "processor", EINVAL, "no such processor");
  if (attributes.sigtrap && target === null) return no(call, "sigtrap", EINVAL, "no task to be signalled");
  const reads = (attributes.sampleType & uapi.PERF_SAMPLE_READ) !== 0;
  if (attributes.inherit && reads && (attributes.sampleType & uapi.PERF_SAMPLE_TID) === 0)
    return no(call, "heirs", EINVAL, "samples of heirs' counts need PERF_SAMPLE_TID");
  const source = sourceFor(call, attributes);
  if (typeof source === "number") return source;
  if (attributes.wideRegisters)
    return no(call, "registers", EOPNOTSUPP, "it knows no such registers", "perf_try_init_event");
  if (attributes.auxOutput) return no(call, "aux", EOPNOTSUPP, "it has no auxiliary output");
  if (ofGroup)
    return no(call, "control-group", EINVAL, "control groups are not watched", "perf_cgroup_connect");
  kernel.perf ??= new PerfEvents(kernel);
  return new PerfEvent(kernel, kernel.perf.newId(), attributes, target, cpu, call.task, source);
}

/** The PMU of an event (perf_init_event): what it needs besides, null for nothing; -errno. */
function sourceFor(call: SyscallCall, attributes: EventAttributes): EventSource | null | number {
  const { type, config } = attributes;
  const branches = (attributes.sampleType & uapi.PERF_SAMPLE_BRANCH_STACK) !== 0;
  const noBranches = (): number =>
    no(call, "branches", EOPNOTSUPP, "it knows no branches", "perf_init_event");
  switch (type) {
    case uapi.PERF_TYPE_SOFTWARE:
      if (config >= BigInt(uapi.PERF_COUNT_SW_MAX)) break;
      return branches ? noBranches() : null;
    case uapi.PERF_TYPE_TRACEPOINT:
      if (branches) return noBranches();
      return no(call, "tracepoint", EINVAL, "there is no such tracepoint", "perf_trace_init");
    case uapi.PERF_TYPE_BREAKPOINT: {
      if (branches) return noBranches();
      const place = breakpointOf(attributes);
      if (typeof place !== "number") return new BreakpointSource(call.kernel, place);
      return no(call, "breakpoint", -place, "no such breakpoint", "hw_breakpoint_parse");
    }
    case uapi.PERF_TYPE_UPROBE:
      if (!mayMonitor(call)) return no(call, "uprobe", EACCES, "takes CAP_PERFMON", "perf_uprobe_event_init");
      return branches ? noBranches() : uprobeFor(call, attributes);
  }
  return no(call, "type", ENOENT, "nothing here counts such events", "perf_init_event");
}

/** EINVAL no path, EFAULT, E2BIG, what the path leads to, EINVAL no file, EIO a file without pages (perf_uprobe_init). */
function uprobeFor(call: SyscallCall, { config, config1, config2 }: EventAttributes): EventSource | number {
  if (config1 === 0n) return no(call, "path", EINVAL, "config1 is the address of a path", "perf_uprobe_init");
  const path = call.user.readCString(config1, PATH_MAX);
  if (path === null) return -EFAULT;
  if (path.length >= PATH_MAX) return -E2BIG;
  if (path === "") return no(call, "path", EINVAL, "the path is empty", "perf_uprobe_init");
  const found = locate(call, AT_FDCWD, path, true);
  if (typeof found === "number") return found;
  const { inode } = found.dentry;
  if (!inode.isRegular) return no(call, "path", EINVAL, "no regular file", "create_local_trace_uprobe");
  if (!(inode instanceof RegularInode))
    return no(call, "path", EIO, "its pages are not cached", "uprobe_register");
  return new UprobeSource(call.kernel, {
    inode,
    pages: inode.pages,
    offset: Number(BigInt.asIntN(64, config2)),
    counterOffset: Number(config >> 32n),
    onReturn: (config & 1n) !== 0n,
  });
}

/** What speaks against it once it is known what it is. */
function refuseEvent(
  call: SyscallCall,
  { attributes, task, cpu }: PerfEvent,
  leader: PerfEvent | null,
): number {
  if (attributes.period !== 0n) return no(call, "samples", EOPNOTSUPP, "it takes no samples");
  if (attributes.useClockid && !CLOCKS.has(attributes.clockid))
    return no(call, "clock", EINVAL, "no clock that samples are timed by", "perf_event_set_clock");
  if (task !== null && !mayWatch(call, task, attributes.sigtrap))
    return no(call, "task", EACCES, "it may not look into that task", "perf_check_permission");
  if (task === null && !mayWatchProcessors(call))
    return no(
      call,
      "processor",
      EACCES,
      "perf_event_paranoid forbids watching a processor",
      "perf_allow_cpu",
    );
  if (leader === null) return 0;
  const together = leader.leader === leader && leader.cpu === cpu && leader.task === task;
  if (!together || attributes.exclusive || attributes.pinned)
    return no(call, "group", EINVAL, "it cannot be of that group");
  return 0;
}

function mayWatch(call: SyscallCall, target: Task, sends: boolean): boolean {
  if (mayMonitor(call) && (!sends || hasCapability(call.task.credentials, CAP_KILL))) return true;
  return mayAccess(call.task, target, "real");
}

/** prctl(PR_TASK_PERF_EVENTS_DISABLE) and _ENABLE: of all that the caller opened. */
export function switchOwnEvents(call: SyscallCall, on: boolean): number {
  const { perf } = call.kernel;
  if (perf !== null) for (const event of [...perf.all()]) if (event.owner === call.task) event.switchAll(on);
  return 0;
}

export const perfSyscalls: readonly Definition[] = [
  define({
    number: 298,
    name: "perf_event_open",
    args: [
      structIn("attr", "perf_event_attr"),
      pid("pid"),
      int("cpu"),
      fd("group_fd"),
      flags("flags", names("PERF_FLAG_???", FLAGS), "0"),
    ],
    returns: "fd",
    handler: perfEventOpen,
  }),
];
