import type { Program } from "../../../userland/program.js";

/** The pages that operations on memory are about. */
export const ZONE = 0x1000_0000;
export const ZONE_PAGES = 64;
const PAGE_SHIFT = 12;
/** Descriptors 3 to 18 are used. */
const DESCRIPTORS = 16;
const FIRST_DESCRIPTOR = 3;
/** Processes near one's own number are its relatives. */
const RELATIVES = 16;
/** The first process, which no signal may end or stop. */
export const FIRST_PID = 1000;

/** What a system call's argument is drawn from. */
type Source =
  | { readonly kind: "fixed"; readonly value: number }
  | { readonly kind: "label"; readonly name: string }
  | { readonly kind: "choice"; readonly values: readonly number[] }
  | { readonly kind: "range"; readonly count: number; readonly shift: number; readonly base: number }
  | { readonly kind: "relative" }
  /** What another operation made last. */
  | { readonly kind: "made"; readonly name: string };

const oneOf = (...values: readonly number[]): Source => ({ kind: "choice", values });
const range = (count: number, shift = 0, base = 0): Source => ({ kind: "range", count, shift, base });
const page = range(ZONE_PAGES, PAGE_SHIFT, ZONE);
const length = range(8, PAGE_SHIFT, 4096);
/** A futex word: of private memory, or in one of the first pages, which may be anything. */
const word = range(4, PAGE_SHIFT, ZONE);
const fd = range(DESCRIPTORS, 0, FIRST_DESCRIPTOR);
const relative: Source = { kind: "relative" };
const at = (name: string): Source => ({ kind: "label", name });

const made = (name: string): Source => ({ kind: "made", name });

type Given = Source | number;

interface Operation {
  readonly name: string;
  readonly number: number;
  readonly args: readonly Given[];
  /** How often it stands in the table. */
  readonly weight: number;
  /** Where its result is kept for others. */
  readonly makes: string | null;
}

const op = (
  name: string,
  number: number,
  args: readonly Given[],
  weight = 1,
  makes: string | null = null,
): Operation => ({ name, number, args, weight, makes });

const SIGNALS = [10, 10, 10, 19, 18, 18, 9, 15, 35, 17, 23, 14, 20, 10, 18, 35];
const CLONES = [0x11, 0x100, 0x211, 0x411, 0x8011, 0x611, 0x200, 0x1000011];

const OPERATIONS: readonly Operation[] = [
  // Memory.
  op("mmap_private", 9, [page, length, oneOf(3, 3, 3, 1, 7, 0), oneOf(0x32, 0x32, 0x4032, 0x8032), -1, 0], 3),
  op("mmap_shared", 9, [page, length, oneOf(3, 3, 1, 7), oneOf(0x31, 0x8031), -1, 0], 2),
  op("mmap_file", 9, [page, length, oneOf(3, 1, 3, 5), oneOf(0x11, 0x12), fd, range(4, PAGE_SHIFT)], 4),
  op("munmap", 11, [page, length], 3),
  op("mremap", 25, [page, length, length, oneOf(1, 3, 3, 0, 5, 7), page], 3),
  op("mprotect", 10, [page, length, oneOf(3, 1, 0, 3, 5, 7)], 3),
  op("madvise", 28, [page, length, oneOf(4, 8, 3, 9, 22, 23, 10, 11, 18, 19, 20, 21, 4, 8, 14, 12)], 4),
  op("mlock", 149, [page, length]),
  op("mlock2", 325, [page, length, oneOf(0, 1)]),
  op("munlock", 150, [page, length]),
  op("mlockall", 151, [oneOf(1, 2, 4, 7)]),
  op("munlockall", 152, []),
  op("msync", 26, [page, length, oneOf(1, 2, 4)]),
  op("mincore", 27, [page, length, at("buffer")]),
  op("remap_file_pages", 216, [page, length, 0, range(4), 0]),
  op("pkey_alloc", 330, [0, oneOf(0, 1, 2)]),
  op("pkey_free", 331, [range(16)]),
  op("pkey_mprotect", 329, [page, length, oneOf(3, 1), range(4)], 2),
  op("mseal", 462, [range(4, PAGE_SHIFT, ZONE + 60 * 4096), 4096, 0]),
  op("brk", 12, [0]),
  op("process_madvise", 440, [fd, at("vector"), 1, 20, 0]),
  op("process_vm_readv", 310, [relative, at("vector"), 1, at("vector"), 1, 0]),
  op("process_vm_writev", 311, [relative, at("vector"), 1, at("vector"), 1, 0]),
  op("membarrier", 324, [oneOf(0, 8, 16, 1), 0, 0]),
  // Processes.
  op("clone", 56, [oneOf(...CLONES.filter((flags) => (flags & 0x100) === 0)), 0, 0, 0, 0]),
  op("wait4", 61, [-1, at("buffer"), oneOf(1, 1, 3, 0x40000001), 0], 6),
  op("wait4_sleeping", 61, [oneOf(-1, 0), 0, oneOf(0, 2, 0x40000000), 0]),
  op("waitid", 247, [0, 0, at("buffer"), oneOf(5, 0x1000005, 15), 0], 2),
  op("setpgid", 109, [0, oneOf(0, 0, FIRST_PID)]),
  op("setsid", 112, []),
  op("prctl_pdeathsig", 157, [1, oneOf(0, 10, 9)]),
  op("prctl_subreaper", 157, [36, oneOf(0, 1)]),
  op("sched_yield", 24, [], 3),
  op("nice", 141, [0, 0, range(20)]),
  op("unshare", 272, [oneOf(0x200, 0x400)]),
  op("getrusage", 98, [oneOf(0, -1, 1), at("buffer")]),
  op("set_robust_list", 273, [at("robust"), 24]),
  op("rseq", 334, [at("sequence"), 32, oneOf(0, 1), 0x53053053]),
  // Signals and time.
  op("tgkill", 200, [relative, oneOf(10, 35, 18)], 2),
  op("rt_sigprocmask", 14, [oneOf(0, 1, 1, 2), at("mask"), 0, 8], 2),
  op("rt_sigaction_ignore", 13, [oneOf(17, 10, 17), at("ignore"), 0, 8]),
  op("rt_sigaction_default", 13, [17, at("default"), 0, 8]),
  op("rt_sigtimedwait", 128, [at("mask"), 0, at("soon"), 8]),
  op("rt_sigsuspend", 130, [at("nothing"), 8]),
  op("rt_sigqueueinfo", 129, [relative, oneOf(10, 35), at("info")]),
  op("setitimer", 38, [oneOf(0, 0, 1, 2), at("interval"), 0]),
  op("timer_create", 222, [oneOf(0, 1), 0, at("timer")]),
  op("timer_settime", 223, [range(4), 0, at("timing"), 0], 2),
  op("timer_delete", 226, [range(4)]),
  op("nanosleep", 35, [at("soon"), 0], 2),
  // Files.
  op("close", 3, [fd], 8),
  op("close_range", 436, [fd, range(64), oneOf(0, 4, 2)]),
  op("dup", 32, [fd], 2),
  op("dup3", 292, [fd, fd, oneOf(0, 0x80000)]),
  op("pipe2", 293, [at("pair"), oneOf(0, 0x800, 0x80000)], 2),
  op("eventfd2", 290, [range(2), oneOf(0, 1, 0x800)]),
  op("memfd_create", 319, [at("name"), oneOf(2, 1, 2, 0xa)], 3),
  op("ftruncate", 77, [fd, range(8, PAGE_SHIFT)], 3),
  op("fallocate", 285, [fd, oneOf(0, 3, 0x10), range(4, PAGE_SHIFT), range(4, PAGE_SHIFT, 4096)], 2),
  op("add_seals", 72, [fd, 1033, oneOf(2, 4, 8, 0x10)]),
  op("non_blocking", 72, [fd, 4, oneOf(0x800, 0, 0x800)], 2),
  op("pipe_size", 72, [fd, 1031, range(4, PAGE_SHIFT, 4096)]),
  op("lock", 72, [fd, oneOf(6, 6, 37, 7), at("lock")], 2),
  op("flock", 73, [fd, oneOf(5, 6, 8, 2)]),
  op("read", 0, [fd, page, range(4, PAGE_SHIFT)], 3),
  op("write", 1, [fd, page, range(4, PAGE_SHIFT)], 4),
  op("pread64", 17, [fd, page, range(4, PAGE_SHIFT), range(4, PAGE_SHIFT)]),
  op("pwrite64", 18, [fd, page, range(4, PAGE_SHIFT), range(4, PAGE_SHIFT)]),
  op("lseek", 8, [fd, range(4, PAGE_SHIFT), 0]),
  op("splice", 275, [fd, 0, fd, 0, 4096, oneOf(2, 0)], 2),
  op("tee", 276, [fd, fd, 4096, 2]),
  op("vmsplice", 278, [fd, at("vector"), 1, oneOf(2, 0)], 2),
  op("sendfile", 40, [fd, fd, 0, 4096]),
  op("copy_file_range", 326, [fd, 0, fd, 0, 4096, 0]),
  op("epoll_create1", 291, [0]),
  op("epoll_ctl", 233, [fd, oneOf(1, 1, 2, 3), fd, at("event")], 4),
  op("epoll_wait", 232, [fd, at("buffer"), 8, oneOf(0, 0, 1, -1)], 2),
  op("poll", 7, [at("polled"), 4, oneOf(0, 1)]),
  op("socketpair", 53, [1, oneOf(1, 2, 5), 0, at("pair")], 2),
  op("sendmsg", 46, [fd, at("message"), oneOf(0x40, 0x40, 0)], 4),
  op("recvmsg", 47, [fd, at("message"), oneOf(0x40, 0x40, 0)], 3),
  op("shutdown", 48, [fd, range(3)]),
  op("socket", 41, [oneOf(1, 1, 2), oneOf(1, 2), 0]),
  op("bind", 49, [fd, at("address"), 8]),
  op("listen", 50, [fd, 4]),
  op("connect", 42, [fd, at("address"), 8]),
  op("accept4", 288, [fd, 0, 0, oneOf(0x800, 0)]),
  op("timerfd_create", 283, [oneOf(0, 1), oneOf(0, 0x800)]),
  op("timerfd_settime", 286, [fd, 0, at("timing"), 0]),
  op("signalfd4", 289, [-1, at("mask"), 8, oneOf(0, 0x800)]),
  op("pidfd_open", 434, [relative, oneOf(0, 0x800)]),
  op("pidfd_getfd", 438, [fd, fd, 0]),
  op("pidfd_send_signal", 424, [fd, 10, 0, 0]),
  op("open_executable", 2, [at("executable"), 0], 2),
  op("open_file", 2, [at("file"), 0x42, 0o600]),
  op("unlink", 87, [at("file")]),
  op("open_unnamed", 2, [at("directory"), 0x410002, 0o600]),
  op("open_maps", 2, [at("maps"), 0]),
  op("open_descriptors", 2, [at("descriptors"), 0x10000]),
  op("getdents64", 217, [fd, at("buffer"), 512]),
  op("open_ptmx", 2, [at("ptmx"), 2 | 0x100]),
  op("tiocgptpeer", 16, [fd, 0x5441, 0x102]),
  op("io_ctl", 16, [fd, 0x541b, at("buffer")]),
  op("fsync", 74, [fd]),
  // What processes wait on.
  op("futex_wait", 202, [word, oneOf(0, 128), 0, at("soon")], 2),
  op("futex_wake", 202, [word, oneOf(1, 129), range(4)], 3),
  op("futex_requeue", 202, [word, 3, 1, 2, word, 0]),
  op("futex_lock", 202, [word, oneOf(6, 134), 0, at("soon")]),
  op("futex_trylock", 202, [word, 8, 0, 0]),
  op("futex_unlock", 202, [word, oneOf(7, 135), 0, 0]),
  op("shmget", 29, [oneOf(0, 7), 8192, 0o1600], 2, "segment"),
  op("shmat", 30, [made("segment"), page, oneOf(0, 0x4000, 0x1000)], 3),
  op("shmdt", 67, [page], 2),
  op("shmctl", 31, [made("segment"), 0, 0], 2),
  op("semget", 64, [oneOf(0, 7), 2, 0o1600], 1, "semaphores"),
  op("semop", 65, [made("semaphores"), at("operations"), 1], 2),
  op("semctl", 66, [made("semaphores"), 0, 0]),
  op("msgget", 68, [oneOf(0, 7), 0o1600], 1, "messages"),
  op("msgsnd", 69, [made("messages"), at("buffer"), 64, 0x800]),
  op("msgrcv", 70, [made("messages"), at("buffer"), 64, 0, oneOf(0x800, 0)]),
  op("msgctl", 71, [made("messages"), 0, 0]),
  // Tracing.
  op("ptrace_traceme", 101, [0, 0, 0, 0]),
  op("ptrace_attach", 101, [16, relative, 0, 0]),
  op("ptrace_seize", 101, [0x4206, relative, 0, oneOf(0, 0x10007f, 0x7f)], 2),
  op("ptrace_go", 101, [oneOf(7, 24, 9, 17, 0x4207, 17, 7, 24), relative, 0, oneOf(0, 0, 0, 10)], 4),
];

const REGISTERS = ["rdi", "rsi", "rdx", "r10", "r8", "r9"] as const;

/** Routines op_NAME, and `step`, which calls one of them at random. */
export function chaosOperations(program: Program): void {
  const entries: string[] = [];
  const own: readonly (readonly [string, number])[] = [
    ["new_thread", 6],
    ["new_process", 8],
    ["new_vfork", 3],
    ["op_execve", 3],
    ["op_kill", 5],
    ["op_touch", 14],
    ["op_load", 6],
    ["op_rights", 2],
  ];
  for (const [name, weight] of own) for (let i = 0; i < weight; i++) entries.push(name);
  for (const operation of OPERATIONS) {
    program.label(`op_${operation.name}`);
    operation.args.forEach((given, i) => draw(program, REGISTERS[i]!, given));
    program.code(`mov eax, ${operation.number}\n syscall`);
    if (operation.makes !== null) {
      program.code(`mov [${operation.makes}], rax`);
      program.within(".bss", () => program.align(8).label(operation.makes!).reserve(8));
    }
    program.code("ret");
    for (let i = 0; i < operation.weight; i++) entries.push(`op_${operation.name}`);
  }
  ownOperations(program);
  program.code(`
    step:
      call random
      mov edx, 0
      mov ecx, ${entries.length}
      div rcx
      lea rcx, [operations_table]
      mov rax, [rcx+rdx*8]
      jmp rax
  `);
  program.within(".rodata", () =>
    program
      .align(8)
      .label("operations_table")
      .u64(...entries),
  );
  operationData(program);
}

/** Draws an argument; RAX, R11 and the argument registers before it keep or lose nothing else. */
function draw(program: Program, register: (typeof REGISTERS)[number], given: Given): void {
  const source: Source = typeof given === "number" ? { kind: "fixed", value: given } : given;
  switch (source.kind) {
    case "fixed":
      program.load(register, source.value);
      return;
    case "made":
      program.code(`mov ${register}, [${source.name}]`);
      return;
    case "label":
      program.code(`lea ${register}, [${source.name}]`);
      return;
    case "choice": {
      const size = 2 ** Math.ceil(Math.log2(source.values.length));
      const table = program.unique("choice");
      const values = Array.from({ length: size }, (_, i) => source.values[i % source.values.length]!);
      program.within(".rodata", () =>
        program
          .align(8)
          .label(table)
          .u64(...values.map((value) => BigInt.asUintN(64, BigInt(value)))),
      );
      program.code(`call random\n and eax, ${size - 1}\n lea r11, [${table}]\n mov ${register}, [r11+rax*8]`);
      return;
    }
    case "range":
      program.code(`call random\n and eax, ${source.count - 1}`);
      if (source.shift > 0) program.code(`shl eax, ${source.shift}`);
      if (source.base > 0) program.code(`add eax, ${source.base}`);
      program.code(`mov ${register}, rax`);
      return;
    case "relative": {
      // The registers drawn before this one survive a system call, RCX and R11 aside.
      const other = program.unique("other");
      program.code(`
        mov eax, 39
        syscall
        mov ${register}, rax
        call random
        and eax, ${RELATIVES - 1}
        add ${register}, rax
        sub ${register}, ${RELATIVES / 2}
        cmp ${register}, ${FIRST_PID}
        ja ${other}
        mov ${register}, ${FIRST_PID + 1}
        ${other}:
      `);
      return;
    }
  }
}

function ownOperations(program: Program): void {
  program.label("op_kill");
  draw(program, "rdi", relative);
  draw(program, "rsi", oneOf(...SIGNALS));
  program.code("mov eax, 62\n syscall\n ret");
  for (const [name, access] of [
    ["touch", "store: mov [rbx], rax"],
    ["load", "load: mov rax, [rbx]"],
  ] as const) {
    program.label(`op_${name}`);
    draw(program, "rdi", page);
    program.code(`mov rbx, rdi\n call random\n touch_${access}\n ret`);
  }
  // Key 0 keeps its rights: the stack is of it.
  program.label("op_rights").code(`
    call random
    and eax, 0xfc
    xor ecx, ecx
    xor edx, edx
    wrpkru
    ret
  `);
  // The first process stays what it is.
  program.label("op_execve").code(`
      mov eax, 39
      syscall
      cmp eax, ${FIRST_PID}
      je .stays
      mov eax, [executions]
      cmp eax, 48
      jbe .stays
      dec eax
      mov [digit], al
      lea rax, [executable]
      mov [next_arguments], rax
      mov rbx, [arguments]
      mov rax, [rbx+8]
      mov [next_arguments+8], rax
      lea rax, [digit]
      mov [next_arguments+16], rax
      lea rdi, [executable]
      lea rsi, [next_arguments]
      lea rdx, [nothing]
      mov eax, 59
      syscall
    .stays:
      ret
  `);
}

function operationData(program: Program): void {
  program.within(".rodata", () => {
    program.label("executable").string("/proc/self/exe\0").label("name").string("chaos\0");
    program.label("file").string("/tmp/chaos\0").label("directory").string("/tmp\0");
    program.label("maps").string("/proc/self/maps\0").label("descriptors").string("/proc/self/fd\0");
    program.label("ptmx").string("/dev/ptmx\0");
    // struct timespec: 20 us. Microseconds for setitimer and nanoseconds for timers: first and next time.
    program.align(8).label("soon").u64(0, 20_000);
    program.label("interval").u64(0, 300, 0, 100);
    program.label("timing").u64(0, 400_000, 0, 50_000);
    // SIGUSR1, a real-time signal and SIGCHLD.
    program.label("mask").u64((1n << 9n) | (1n << 34n) | (1n << 16n));
    program.label("ignore").u64(1, 0x400_0000, 0, 0).label("default").u64(0, 0x400_0002, 0, 0);
    program.label("nothing").u64(0);
    // struct flock: a write lock of the first page, waiting for nobody's end.
    program.label("lock").u64(1, 0, 4096, 0);
    program.label("event").u32(0x8000_0005).u64(7).align(8);
    program.label("address").u16(1).string("\0chaos").align(8);
    program
      .label("operations")
      .u16(0, 1, 0o10000 | 0o4000)
      .align(8);
    program.label("info").u32(35, 0).u32(0xffff_ffff, 0).u64(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  });
  program.within(".data", () => {
    program
      .align(8)
      .label("vector")
      .u64(ZONE + 8 * 4096, 2 * 4096);
    program.label("polled").u32(3, 5, 4, 5, 5, 5, 6, 5);
    // struct msghdr with one SCM_RIGHTS message of three descriptors.
    program.label("message").u64(0, 0, "vector_one", 1, "rights", 32, 0);
    program.label("vector_one").u64("buffer", 64);
    program.label("rights").u64(28).u32(1, 1, 5, 9, 13, 0);
    program.label("robust").u64("robust", 0, 0);
    program.label("digit").u64(0).label("next_arguments").u64(0, 0, 0, 0);
    program.label("pair").u64(0).label("timer").u64(0);
  });
  program.within(".bss", () => {
    program.align(64).label("sequence").reserve(64).label("buffer").reserve(4096);
  });
}
