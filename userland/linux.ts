/**
 * Linux's numbers for x86-64, as programs write them (asm/unistd_64.h, asm-generic/mman-common.h, bits/siginfo).
 */
export const SYS = {
  read: 0,
  write: 1,
  open: 2,
  mmap: 9,
  mprotect: 10,
  munmap: 11,
  brk: 12,
  rt_sigaction: 13,
  rt_sigprocmask: 14,
  rt_sigreturn: 15,
  pwrite64: 18,
  mremap: 25,
  mincore: 27,
  madvise: 28,
  sched_yield: 24,
  getpid: 39,
  clone: 56,
  fork: 57,
  execve: 59,
  exit: 60,
  wait4: 61,
  ftruncate: 77,
  gettid: 186,
  sigaltstack: 131,
  prctl: 157,
  arch_prctl: 158,
  capset: 126,
  futex: 202,
  exit_group: 231,
  memfd_create: 319,
  pkey_mprotect: 329,
  pkey_alloc: 330,
  pkey_free: 331,
  mseal: 462,
} as const;

/** What makes a thread: memory, files, handlers, and a word that is cleared and woken at its end. */
export const CLONE_THREAD_FLAGS = 0x100 | 0x200 | 0x400 | 0x800 | 0x1_0000 | 0x4_0000 | 0x20_0000 | 0x10_0000;

export const FUTEX = { WAIT: 0, WAKE: 1 } as const;

export const PROT = { NONE: 0, READ: 1, WRITE: 2, EXEC: 4 } as const;

export const MAP = {
  SHARED: 1,
  PRIVATE: 2,
  FIXED: 0x10,
  ANONYMOUS: 0x20,
  FIXED_NOREPLACE: 0x100000,
} as const;

export const MADV = { NORMAL: 0, DONTNEED: 4, FREE: 8 } as const;

export const MREMAP = { MAYMOVE: 1, FIXED: 2, DONTUNMAP: 4 } as const;

/** Rights for pkey_alloc, and of a key's two bits in PKRU. */
export const PKEY = { DISABLE_ACCESS: 1, DISABLE_WRITE: 2 } as const;

export const SIGNAL = { SIGILL: 4, SIGTRAP: 5, SIGBUS: 7, SIGFPE: 8, SIGSEGV: 11 } as const;

export const SA = { SIGINFO: 4, RESTORER: 0x04000000, ONSTACK: 0x08000000, NODEFER: 0x40000000 } as const;

/** si_code by signal. */
export const SI_CODES: Readonly<Record<keyof typeof SIGNAL, Readonly<Record<number, string>>>> = {
  SIGILL: { 1: "ILL_ILLOPC", 2: "ILL_ILLOPN", 128: "SI_KERNEL" },
  SIGTRAP: { 1: "TRAP_BRKPT", 2: "TRAP_TRACE", 128: "SI_KERNEL" },
  SIGBUS: { 1: "BUS_ADRALN", 2: "BUS_ADRERR", 128: "SI_KERNEL" },
  SIGFPE: { 1: "FPE_INTDIV", 3: "FPE_FLTDIV", 7: "FPE_FLTINV" },
  SIGSEGV: { 1: "SEGV_MAPERR", 2: "SEGV_ACCERR", 3: "SEGV_BNDERR", 4: "SEGV_PKUERR", 128: "SI_KERNEL" },
};

/** errno names by number: the whole of Linux's that memory calls give, and the common rest. */
export const ERRNO: Readonly<Record<number, string>> = {
  1: "EPERM",
  2: "ENOENT",
  3: "ESRCH",
  4: "EINTR",
  5: "EIO",
  6: "ENXIO",
  7: "E2BIG",
  8: "ENOEXEC",
  9: "EBADF",
  10: "ECHILD",
  11: "EAGAIN",
  12: "ENOMEM",
  13: "EACCES",
  14: "EFAULT",
  16: "EBUSY",
  17: "EEXIST",
  19: "ENODEV",
  20: "ENOTDIR",
  21: "EISDIR",
  22: "EINVAL",
  25: "ENOTTY",
  26: "ETXTBSY",
  27: "EFBIG",
  28: "ENOSPC",
  29: "ESPIPE",
  30: "EROFS",
  32: "EPIPE",
  38: "ENOSYS",
  75: "EOVERFLOW",
  95: "EOPNOTSUPP",
};
