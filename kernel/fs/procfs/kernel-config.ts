import type { Kernel } from "../../kernel.js";
import { gzipStored } from "./gzip-stored.js";

/** Options of Linux that this kernel answers as one built with them. */
const BUILT_IN = `
64BIT X86_64 X86_16BIT X86_ESPFIX64 MODIFY_LDT_SYSCALL IA32_EMULATION MMU SMP PREEMPT IKCONFIG IKCONFIG_PROC
SYSVIPC SYSVIPC_SYSCTL SYSVIPC_PROC CROSS_MEMORY_ATTACH CHECKPOINT_RESTORE
CGROUPS MEMCG CGROUP_PIDS PRINTK FUTEX FUTEX_PI EPOLL SIGNALFD TIMERFD EVENTFD SHMEM AIO
PERF_EVENTS HAVE_HW_BREAKPOINT UPROBES UPROBE_EVENTS
IO_URING ADVISE_SYSCALLS MEMBARRIER RSEQ CACHESTAT_SYSCALL POSIX_TIMERS
NUMA KSM SWAP HUGETLBFS HUGETLB_PAGE COMPACTION MIGRATION TRANSPARENT_HUGEPAGE TRANSPARENT_HUGEPAGE_MADVISE
HAVE_ARCH_USERFAULTFD_WP HAVE_ARCH_USERFAULTFD_MINOR USERFAULTFD PTE_MARKER_UFFD_WP
MEM_SOFT_DIRTY HAVE_ARCH_SOFT_DIRTY PROC_PAGE_MONITOR VM_EVENT_COUNTERS ELF_CORE COREDUMP
BINFMT_ELF BINFMT_SCRIPT BLOCK BLK_DEV BLK_DEV_LOOP FILE_LOCKING FHANDLE
EXT4_FS EXT4_USE_FOR_EXT2 PROC_FS PROC_SYSCTL SYSFS TMPFS DEVTMPFS OVERLAY_FS MEMFD_CREATE
SECCOMP SECCOMP_FILTER KCMP NET UNIX INET UNIX98_PTYS TTY
`;

/** Options that programs ask for and that are not there. */
const ABSENT = `
X86_X32_ABI X86_USER_SHADOW_STACK ADDRESS_MASKING
NAMESPACES USER_NS PID_NS NET_NS UTS_NS IPC_NS TIME_NS CPUSETS MODULES
POSIX_MQUEUE KEYS AUDIT
MEMORY_FAILURE HWPOISON_INJECT UCLAMP_TASK PREEMPT_RT
FANOTIFY INOTIFY_USER QUOTA
DEBUG_KERNEL DEBUG_VM PROVE_LOCKING LOCKDEP KASAN UBSAN FAULT_INJECTION
`;

const wordsOf = (text: string): string[] => text.trim().split(/\s+/);

/** The configuration of the kernel, as far as there is one to speak of (CONFIG_IKCONFIG). */
export function kernelConfig({ release, pku, parameters }: Kernel): string {
  const chosen: readonly (readonly [string, boolean])[] = [
    ...wordsOf(BUILT_IN).map((name) => [name, true] as const),
    ...wordsOf(ABSENT).map((name) => [name, false] as const),
    ["X86_INTEL_MEMORY_PROTECTION_KEYS", pku],
    ["SECRETMEM", parameters.secretMemory],
    ["ANON_VMA_NAME", parameters.anonNames],
    ["MSEAL_SYSTEM_MAPPINGS", parameters.specialMappings.sealed],
    ["X86_VSYSCALL_EMULATION", parameters.vsyscall !== "none"],
  ];
  const lines = chosen.map(([name, yes]) => (yes ? `CONFIG_${name}=y` : `# CONFIG_${name} is not set`));
  return `#\n# Linux/x86 ${release.release} Kernel Configuration\n#\n${lines.join("\n")}\n`;
}

/** /proc/config.gz */
export function kernelConfigFile(kernel: Kernel): string {
  return gzipStored(kernelConfig(kernel));
}
