/** Linux's numbers by the words that a scenario uses for them (asm-generic/mman-common.h, linux/mman.h, and so on). */

type Words = Readonly<Record<string, number>>;

export const ADVICE: Words = {
  normal: 0,
  random: 1,
  sequential: 2,
  willneed: 3,
  dontneed: 4,
  free: 8,
  remove: 9,
  dontfork: 10,
  dofork: 11,
  mergeable: 12,
  unmergeable: 13,
  hugepage: 14,
  nohugepage: 15,
  dontdump: 16,
  dodump: 17,
  wipeonfork: 18,
  keeponfork: 19,
  cold: 20,
  pageout: 21,
  "populate-read": 22,
  "populate-write": 23,
  "dontneed-locked": 24,
  collapse: 25,
  hwpoison: 100,
  "soft-offline": 101,
  "guard-install": 102,
  "guard-remove": 103,
};

export const MMAP_FLAGS: Words = {
  fixed: 0x10,
  "32bit": 0x40,
  growsdown: 0x100,
  denywrite: 0x800,
  executable: 0x1000,
  locked: 0x2000,
  noreserve: 0x4000,
  populate: 0x8000,
  nonblock: 0x10000,
  stack: 0x20000,
  hugetlb: 0x40000,
  sync: 0x80000,
  noreplace: 0x100000,
};

export const MMAP_TYPES: Words = { notype: 0, shared: 1, private: 2, validate: 3, droppable: 8 };

export const MREMAP_FLAGS: Words = { maymove: 1, fixed: 2, dontunmap: 4 };

export const MSYNC_FLAGS: Words = { async: 1, invalidate: 2, sync: 4 };

export const MLOCKALL_FLAGS: Words = { current: 1, future: 2, onfault: 4 };

export const PROT_EXTRA: Words = { sem: 8, growsdown: 0x01000000, growsup: 0x02000000 };

export const RIGHTS: Words = { rw: 0, ad: 1, wd: 2, "ad+wd": 3 };

export const FILE_SEALS: Words = { seal: 1, shrink: 2, grow: 4, write: 8, "future-write": 16, exec: 32 };

export const LIMITS: Words = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
};

export const SIGNALS: Words = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGCHLD: 17,
};

/** si_code of faults, by signal; `kernel` is SI_KERNEL. */
export const FAULT_CODES: Readonly<Record<string, Words>> = {
  SIGSEGV: { maperr: 1, accerr: 2, pkuerr: 4, kernel: 128 },
  SIGBUS: { adraln: 1, adrerr: 2, objerr: 3, mceerr: 4, kernel: 128 },
  SIGILL: { illopc: 1, illopn: 2, kernel: 128 },
  SIGFPE: { intdiv: 1, fltdiv: 3 },
  SIGTRAP: { brkpt: 1, trace: 2, kernel: 128 },
};

export const SIZES: Words = { byte: 1, word: 2, dword: 4, qword: 8 };

/** errno names that linux.ts does not have. */
export const MORE_ERRNO: Readonly<Record<number, string>> = {
  35: "EDEADLK",
  36: "ENAMETOOLONG",
  39: "ENOTEMPTY",
  40: "ELOOP",
  110: "ETIMEDOUT",
  133: "EHWPOISON",
};

/** Calls that `syscall` knows by name; any other goes by its number. */
export const SYSCALLS: Words = {
  read: 0,
  write: 1,
  open: 2,
  close: 3,
  mmap: 9,
  mprotect: 10,
  munmap: 11,
  brk: 12,
  ioctl: 16,
  pread64: 17,
  pwrite64: 18,
  mremap: 25,
  msync: 26,
  mincore: 27,
  madvise: 28,
  shmget: 29,
  shmat: 30,
  shmctl: 31,
  dup: 32,
  getpid: 39,
  kill: 62,
  fcntl: 72,
  ftruncate: 77,
  shmdt: 67,
  getuid: 102,
  setuid: 105,
  sigaltstack: 131,
  personality: 135,
  mlock: 149,
  munlock: 150,
  mlockall: 151,
  munlockall: 152,
  prctl: 157,
  gettid: 186,
  tkill: 200,
  remap_file_pages: 216,
  mbind: 237,
  set_mempolicy: 238,
  get_mempolicy: 239,
  fallocate: 285,
  prlimit64: 302,
  process_vm_readv: 310,
  process_vm_writev: 311,
  memfd_create: 319,
  userfaultfd: 323,
  mlock2: 325,
  pkey_mprotect: 329,
  pkey_alloc: 330,
  pkey_free: 331,
  pidfd_open: 434,
  process_madvise: 440,
  process_mrelease: 448,
  set_mempolicy_home_node: 450,
  map_shadow_stack: 453,
  mseal: 462,
};

/** Prot as a word: `none`, or some of r, w and x. Undefined for another word. */
export function protection(word: string): number | undefined {
  if (word === "none") return 0;
  if (!/^r?w?x?$/.test(word) || word === "") return undefined;
  return (word.includes("r") ? 1 : 0) | (word.includes("w") ? 2 : 0) | (word.includes("x") ? 4 : 0);
}

/** Words that cannot be names, for they mean something where a name may stand. */
export const RESERVED: ReadonlySet<string> = new Set([
  "none",
  "r",
  "w",
  "x",
  "rw",
  "rx",
  "wx",
  "rwx",
  "max",
  "ok",
  "any",
]);
