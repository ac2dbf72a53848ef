/* Selectors and bases of a tracee: what PTRACE_POKEUSER and SETREGS take, what is loaded when it goes on; arch_prctl. */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <asm/prctl.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct {
  const char *name;
  size_t at;
} fields[] = {{"cs", offsetof(struct user, regs.cs)},
              {"ss", offsetof(struct user, regs.ss)},
              {"ds", offsetof(struct user, regs.ds)},
              {"es", offsetof(struct user, regs.es)},
              {"fs", offsetof(struct user, regs.fs)},
              {"gs", offsetof(struct user, regs.gs)},
              {"fs_base", offsetof(struct user, regs.fs_base)},
              {"gs_base", offsetof(struct user, regs.gs_base)}};
#define FIELDS (sizeof fields / sizeof *fields)

static unsigned value(int i) {
  unsigned v = 0;
  if (i == 0) __asm__("mov %%cs, %0" : "=r"(v));
  if (i == 1) __asm__("mov %%ss, %0" : "=r"(v));
  if (i == 2) __asm__("mov %%ds, %0" : "=r"(v));
  if (i == 3) __asm__("mov %%es, %0" : "=r"(v));
  if (i == 4) __asm__("mov %%fs, %0" : "=r"(v));
  if (i == 5) __asm__("mov %%gs, %0" : "=r"(v));
  return v;
}

static unsigned long gs_base(void) {
  unsigned long base;
  __asm__ volatile("rdgsbase %0" : "=r"(base));
  return base;
}

static long entry(unsigned number, unsigned base, unsigned present) {
  struct user_desc desc = {.entry_number = number, .base_addr = base, .limit = 0xfffff, .seg_32bit = 1,
                           .limit_in_pages = 1, .seg_not_present = !present};
  return syscall(SYS_modify_ldt, 0x11, &desc, sizeof desc);
}

static void show(const char *what) {
  printf("%s: cs %#x ss %#x ds %#x es %#x fs %#x gs %#x base %#lx\n", what, value(0), value(1), value(2), value(3),
         value(4), value(5), gs_base());
  fflush(stdout);
}

static void on_segv(int signo, siginfo_t *info, void *context) {
  const unsigned long long *registers = (void *)((char *)context + 40);
  printf("signal %d code %d addr %p trap %llu error %#llx segments %#llx flags %#lx\n", signo, info->si_code,
         info->si_addr, registers[20], registers[19], registers[18], *(unsigned long *)context);
  fflush(stdout);
  _exit(0);
}

static pid_t tracee(void) {
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    struct sigaction action = {.sa_sigaction = on_segv, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    show("tracee");
    _exit(0);
  }
  int status;
  waitpid(child, &status, 0);
  return child;
}

static void go_on(pid_t child) {
  int status;
  ptrace(PTRACE_CONT, child, 0, 0);
  while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
    struct user_regs_struct user;
    ptrace(PTRACE_GETREGS, child, 0, &user);
    printf("stopped %#x cs %llx ss %llx\n", status, user.cs, user.ss);
    fflush(stdout);
    ptrace(PTRACE_CONT, child, 0, WSTOPSIG(status));
  }
  printf("ended %#x\n", status);
}

static void pokes(void) {
  static const unsigned long values[] = {0,      1,      2,      3,          4,           7,      0xf,    0x13,
                                         0x23,   0x2b,   0x2a,   0x33,       0x3b,        0x63,   0x7b,   0xffff,
                                         0x1002b, 0xffffffff0000002b, 0x7fffffffefff, 0x7ffffffff000,
                                         0x800000000000, 0xffff800000000000};
  pid_t child = tracee();
  for (unsigned i = 0; i < FIELDS; i++) {
    errno = 0;
    long old = ptrace(PTRACE_PEEKUSER, child, fields[i].at, 0);
    printf("%s%s\n", fields[i].name, i == 6 ? "" : ":");
    for (unsigned j = 0; j < sizeof values / sizeof *values; j++) {
      long r = ptrace(PTRACE_POKEUSER, child, fields[i].at, values[j]);
      errno = r ? errno : 0;
      int why = errno;
      long now = ptrace(PTRACE_PEEKUSER, child, fields[i].at, 0);
      printf("  %#lx: %ld %d", values[j], r, why);
      if (now != old) printf(" %#lx", now);
      printf("\n");
      ptrace(PTRACE_POKEUSER, child, fields[i].at, old);
    }
  }
  struct user_regs_struct user;
  ptrace(PTRACE_GETREGS, child, 0, &user);
  user.ds = 0x2b;
  user.cs = 0x30;
  user.gs = 0x2b;
  long r = ptrace(PTRACE_SETREGS, child, 0, &user);
  printf("setregs: %ld %d", r, r ? errno : 0);
  ptrace(PTRACE_GETREGS, child, 0, &user);
  printf(" cs %llx ds %llx gs %llx\n", user.cs, user.ds, user.gs);
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
}

static void goes_on_with(int field, unsigned long selector) {
  pid_t child = tracee();
  printf("%s %#lx: %ld\n", fields[field].name, selector, ptrace(PTRACE_POKEUSER, child, fields[field].at, selector));
  fflush(stdout);
  go_on(child);
}

static void bases(void) {
  pid_t child = tracee();
  ptrace(PTRACE_POKEUSER, child, fields[7].at, 0x1234);
  ptrace(PTRACE_POKEUSER, child, fields[5].at, 0x7);
  fflush(stdout);
  go_on(child);
  child = tracee();
  ptrace(PTRACE_POKEUSER, child, fields[5].at, 0x7);
  printf("arch_prctl %ld", ptrace(PTRACE_ARCH_PRCTL, child, 0x5678, ARCH_SET_GS));
  printf(" gs %#lx", ptrace(PTRACE_PEEKUSER, child, fields[5].at, 0));
  printf(" base %#lx\n", ptrace(PTRACE_PEEKUSER, child, fields[7].at, 0));
  fflush(stdout);
  go_on(child);
}

static void own(void) {
  unsigned long base;
  __asm__ volatile("mov %0, %%gs" : : "r"(7));
  printf("gs %#x base %#lx\n", value(5), gs_base());
  syscall(SYS_arch_prctl, ARCH_SET_GS, 0x4444);
  printf("ARCH_SET_GS: gs %#x base %#lx\n", value(5), gs_base());
  __asm__ volatile("mov %0, %%gs" : : "r"(7));
  __asm__ volatile("wrgsbase %0" : : "r"(0x9999ul));
  syscall(SYS_arch_prctl, ARCH_GET_GS, &base);
  printf("WRGSBASE: gs %#x base %#lx %#lx\n", value(5), gs_base(), base);
  usleep(100);
  printf("after a sleep: gs %#x base %#lx\n", value(5), gs_base());
  printf("beyond: %ld", syscall(SYS_arch_prctl, ARCH_SET_GS, 0x7ffffffff000));
  printf(" %d gs %#x base %#lx\n", errno, value(5), gs_base());
  __asm__ volatile("mov %0, %%gs" : : "r"(0));
  printf("null: gs %#x base %#lx\n", value(5), gs_base());
}

static volatile int step;
static void *changer(void *unused) {
  (void)unused;
  while (step != 1) sched_yield();
  entry(0, 0, 0);
  step = 2;
  return NULL;
}

static void invalidated(void) {
  struct sigaction action = {.sa_sigaction = on_segv, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);
  pthread_t other;
  pthread_create(&other, NULL, changer, NULL);
  __asm__ volatile("mov %0, %%ss" : : "r"(7));
  step = 1;
  while (step != 2)
    ;
  printf("not reached\n");
}

int main(void) {
  entry(0, 0x6000, 1);
  entry(2, 0, 0);
  show("at first");
  pokes();
  bases();
  goes_on_with(2, 0x2b);
  goes_on_with(2, 0x7);
  goes_on_with(2, 0xf);
  goes_on_with(2, 0x13);
  goes_on_with(2, 0x17);
  goes_on_with(3, 0x33);
  goes_on_with(5, 0x2b);
  goes_on_with(5, 0xffff);
  goes_on_with(1, 0x7);
  goes_on_with(1, 0xf);
  goes_on_with(1, 0x17);
  goes_on_with(1, 0x33);
  goes_on_with(1, 0x3b);
  goes_on_with(0, 0x2b);
  goes_on_with(0, 0x7b);
  goes_on_with(0, 0x7);
  goes_on_with(0, 0xffff);
  own();
  fflush(stdout);
  invalidated();
  return 0;
}
