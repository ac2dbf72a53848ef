/*
 * Runs cases of 32- and 16-bit code (layout.ts) from standard input on the real processor, and writes what each leaves.
 * The registers of a case are loaded by sigreturn, and read by the handler of the signal that its end raises.
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <asm/prctl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/ucontext.h>
#include <unistd.h>

#define CODE 0x20000000u
#define DATA 0x10000000u
#define BYTES 0x2000
#define FIRST 16

struct test {
  uint16_t cs, ss, ds, es, fs, gs;
  uint16_t length, pad;
  uint32_t offset, flags, seed, pad2;
  uint32_t regs[8];
  uint8_t code[32];
} __attribute__((packed));
struct answer {
  uint32_t signal, trap;
  uint64_t error, cr2;
  uint64_t regs[8], rip;
  uint32_t flags, memory;
  uint16_t cs, ss, ds, es, fs, gs, fcw, fsw;
  uint32_t ftw, mxcsr;
  uint32_t floats, pad;
} __attribute__((packed));

static struct test test;
static struct answer answer;
static ucontext_t home;
static struct _libc_fpstate home_floats;
static unsigned long fs_base;
/* RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI. */
static const int order[8] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI};

static inline void own_segments(void) {
  unsigned long result;
  asm volatile("syscall" : "=a"(result) : "0"(SYS_arch_prctl), "D"(ARCH_SET_FS), "S"(fs_base) : "rcx", "r11", "memory");
}

/* What sigreturn leaves alone, or what would trap here: ID, NT, AC. */
static inline void own_flags(void) {
  asm volatile("push $0x202; popfq" ::: "cc", "memory");
}

static uint32_t hash(const void *from, int bytes) {
  const uint32_t *at = from;
  uint32_t sum = 0;
  for (int i = 0; i < bytes / 4; i++) sum = sum * 31 + at[i];
  return sum;
}

static void fill(void) {
  uint32_t state = test.seed | 1, *at = (uint32_t *)(uintptr_t)DATA;
  for (int i = 0; i < BYTES / 4; i++) {
    state ^= state << 13, state ^= state >> 17, state ^= state << 5;
    at[i] = state;
  }
}

static void begin(int number, siginfo_t *info, void *context) {
  ucontext_t *uc = context;
  greg_t *regs = uc->uc_mcontext.gregs;
  home = *uc;
  home_floats = *uc->uc_mcontext.fpregs;
  memset((void *)(uintptr_t)CODE, 0xcc, BYTES);
  memcpy((void *)(uintptr_t)(CODE + test.offset), test.code, test.length);
  fill();
  for (int i = 0; i < 8; i++) regs[order[i]] = test.regs[i];
  regs[REG_RIP] = (test.cs & 4) != 0 ? test.offset : CODE + test.offset;
  regs[REG_EFL] = test.flags | 0x202;
  regs[REG_CSGSFS] = test.cs | (uint64_t)test.ss << 48;
  struct _libc_fpstate *f = uc->uc_mcontext.fpregs;
  f->cwd = 0x37f, f->swd = 0, f->ftw = 0xff, f->fop = 0, f->rip = 0, f->rdp = 0, f->mxcsr = 0x1f80;
  for (int i = 0; i < 8; i++) {
    uint64_t significand = 0x8000000000000000u | (uint64_t)(test.seed * (i + 1)) << 20;
    memcpy(f->_st[i].significand, &significand, 8);
    f->_st[i].exponent = 0x3fff + i;
  }
  for (int i = 0; i < 16; i++)
    for (int k = 0; k < 4; k++) f->_xmm[i].element[k] = test.seed * (4 * i + k + 1) ^ 0x3f800000;
  unsigned short ds = test.ds, es = test.es, gs = test.gs, fs = test.fs;
  asm volatile("mov %0, %%ds; mov %1, %%es; mov %2, %%gs; mov %3, %%fs" ::"r"(ds), "r"(es), "r"(gs), "r"(fs));
}

static void end(int number, siginfo_t *info, void *context) {
  unsigned short ds, es, fs, gs, none = 0;
  own_flags();
  asm volatile("mov %%ds, %0; mov %%es, %1; mov %%fs, %2; mov %%gs, %3" : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
  asm volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%fs; mov %0, %%gs" ::"r"(none));
  own_segments();
  ucontext_t *uc = context;
  greg_t *regs = uc->uc_mcontext.gregs;
  struct _libc_fpstate *f = uc->uc_mcontext.fpregs;
  memset(&answer, 0, sizeof answer);
  answer.signal = number;
  answer.trap = regs[REG_TRAPNO], answer.error = regs[REG_ERR], answer.cr2 = regs[REG_CR2];
  for (int i = 0; i < 8; i++) answer.regs[i] = regs[order[i]];
  answer.rip = regs[REG_RIP], answer.flags = regs[REG_EFL];
  answer.cs = regs[REG_CSGSFS], answer.ss = regs[REG_CSGSFS] >> 48;
  answer.ds = ds, answer.es = es, answer.fs = fs, answer.gs = gs;
  answer.memory = hash((void *)(uintptr_t)DATA, BYTES);
  answer.fcw = f->cwd, answer.fsw = f->swd, answer.ftw = f->ftw, answer.mxcsr = f->mxcsr;
  uint32_t parts[24];
  for (int i = 0; i < 8; i++) memcpy(parts + 3 * i, &f->_st[i], 10), parts[3 * i + 2] &= 0xffff;
  answer.floats = hash(parts, sizeof parts) * 31 + hash(f->_xmm, 256);
  memcpy(regs, home.uc_mcontext.gregs, sizeof home.uc_mcontext.gregs);
  *f = home_floats;
}

static void segment(int number, unsigned base, unsigned limit, int contents, int big, int read_only, int absent) {
  struct user_desc d = {.entry_number = number, .base_addr = base, .limit = limit, .contents = contents,
                        .seg_32bit = big, .read_exec_only = read_only, .seg_not_present = absent, .useable = 1};
  if (syscall(SYS_modify_ldt, 0x11, &d, sizeof d) != 0) perror("modify_ldt"), _exit(2);
}

int main(void) {
  mmap((void *)(uintptr_t)CODE, BYTES, 7, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  mmap((void *)(uintptr_t)DATA, BYTES, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  segment(FIRST + 0, CODE, 0x1fff, 2, 1, 0, 0);
  segment(FIRST + 1, CODE, 0x1fff, 2, 0, 0, 0);
  segment(FIRST + 2, DATA, 0x1fff, 0, 1, 0, 0);
  segment(FIRST + 3, DATA, 0x1fff, 0, 0, 0, 0);
  segment(FIRST + 4, DATA, 0xfff, 1, 1, 0, 0);
  segment(FIRST + 5, DATA, 0x1fff, 0, 1, 1, 0);
  segment(FIRST + 6, CODE, 0x1fff, 2, 1, 1, 0);
  segment(FIRST + 7, DATA, 0x1fff, 0, 1, 0, 1);
  segment(FIRST + 8, CODE, 0x1fff, 3, 1, 0, 1);
  segment(FIRST + 9, CODE, 0x1fff, 2, 1, 0, 1);
  segment(FIRST + 10, DATA, 0xfff, 1, 0, 0, 0);
  syscall(SYS_arch_prctl, ARCH_GET_FS, &fs_base);
  static char other[1 << 16];
  stack_t stack = {.ss_sp = other, .ss_size = sizeof other};
  sigaltstack(&stack, 0);
  struct sigaction action = {.sa_sigaction = begin, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  sigfillset(&action.sa_mask);
  sigaction(SIGUSR1, &action, 0);
  action.sa_sigaction = end;
  int ends[] = {SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGALRM};
  for (unsigned i = 0; i < sizeof ends / sizeof *ends; i++) sigaction(ends[i], &action, 0);
  while (fread(&test, sizeof test, 1, stdin) == 1) {
    struct itimerval timer = {.it_value = {.tv_usec = 200000}}, off = {0};
    setitimer(ITIMER_REAL, &timer, 0);
    own_flags();
    kill(getpid(), SIGUSR1);
    setitimer(ITIMER_REAL, &off, 0);
    write(1, &answer, sizeof answer);
  }
  return 0;
}
