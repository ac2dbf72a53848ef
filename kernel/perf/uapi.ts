/** Numbers of perf_event_open(2) (include/uapi/linux/perf_event.h). */

export const PERF_TYPE_HARDWARE = 0;
export const PERF_TYPE_SOFTWARE = 1;
export const PERF_TYPE_TRACEPOINT = 2;
export const PERF_TYPE_HW_CACHE = 3;
export const PERF_TYPE_RAW = 4;
export const PERF_TYPE_BREAKPOINT = 5;
/** Given to PMUs that have no number of their own (`/sys/bus/event_source/devices/uprobe/type`). */
export const PERF_TYPE_UPROBE = 6;

export const PERF_COUNT_SW_CPU_CLOCK = 0;
export const PERF_COUNT_SW_TASK_CLOCK = 1;
export const PERF_COUNT_SW_PAGE_FAULTS = 2;
export const PERF_COUNT_SW_CONTEXT_SWITCHES = 3;
export const PERF_COUNT_SW_CPU_MIGRATIONS = 4;
export const PERF_COUNT_SW_PAGE_FAULTS_MIN = 5;
export const PERF_COUNT_SW_PAGE_FAULTS_MAJ = 6;
export const PERF_COUNT_SW_ALIGNMENT_FAULTS = 7;
export const PERF_COUNT_SW_EMULATION_FAULTS = 8;
export const PERF_COUNT_SW_DUMMY = 9;
export const PERF_COUNT_SW_BPF_OUTPUT = 10;
export const PERF_COUNT_SW_CGROUP_SWITCHES = 11;
export const PERF_COUNT_SW_MAX = 12;

export const PERF_FORMAT_TOTAL_TIME_ENABLED = 1;
export const PERF_FORMAT_TOTAL_TIME_RUNNING = 2;
export const PERF_FORMAT_ID = 4;
export const PERF_FORMAT_GROUP = 8;
export const PERF_FORMAT_LOST = 16;
export const PERF_FORMAT_MAX = 32;

export const PERF_SAMPLE_READ = 1 << 4;
export const PERF_SAMPLE_TID = 1 << 1;
export const PERF_SAMPLE_BRANCH_STACK = 1 << 11;
export const PERF_SAMPLE_REGS_USER = 1 << 12;
export const PERF_SAMPLE_STACK_USER = 1 << 13;
export const PERF_SAMPLE_WEIGHT = 1 << 14;
export const PERF_SAMPLE_REGS_INTR = 1 << 18;
export const PERF_SAMPLE_PHYS_ADDR = 1 << 19;
export const PERF_SAMPLE_AUX = 1 << 20;
export const PERF_SAMPLE_CGROUP = 1 << 21;
export const PERF_SAMPLE_WEIGHT_STRUCT = 1 << 24;
export const PERF_SAMPLE_MAX = 1 << 25;

export const PERF_FLAG_FD_NO_GROUP = 1;
export const PERF_FLAG_FD_OUTPUT = 2;
export const PERF_FLAG_PID_CGROUP = 4;
export const PERF_FLAG_FD_CLOEXEC = 8;

/** ioctl(2) requests of an event's descriptor, by name. */
export const PERF_REQUESTS = {
  PERF_EVENT_IOC_ENABLE: 0x2400,
  PERF_EVENT_IOC_DISABLE: 0x2401,
  PERF_EVENT_IOC_REFRESH: 0x2402,
  PERF_EVENT_IOC_RESET: 0x2403,
  PERF_EVENT_IOC_PERIOD: 0x4008_2404,
  PERF_EVENT_IOC_SET_OUTPUT: 0x2405,
  PERF_EVENT_IOC_SET_FILTER: 0x4008_2406,
  PERF_EVENT_IOC_ID: 0x8008_2407,
  PERF_EVENT_IOC_SET_BPF: 0x4004_2408,
  PERF_EVENT_IOC_PAUSE_OUTPUT: 0x4004_2409,
  PERF_EVENT_IOC_QUERY_BPF: 0xc008_240a,
  PERF_EVENT_IOC_MODIFY_ATTRIBUTES: 0x4008_240b,
} as const;
export const PERF_IOC_FLAG_GROUP = 1;

/** kernel.perf_event_paranoid: what is forbidden without CAP_PERFMON, and what it is unless told. */
export const PARANOID = "kernel/perf_event_paranoid";
export const PARANOID_DEFAULT = 2;
export const MAX_SAMPLE_RATE = "kernel/perf_event_max_sample_rate";
export const MAX_SAMPLE_RATE_DEFAULT = 100_000;
export const MAX_STACK = "kernel/perf_event_max_stack";
export const MAX_STACK_DEFAULT = 127;
