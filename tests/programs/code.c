/* Code that is made, changed and thrown away while the program runs: RWX, W^X, two views of one file, across fork. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

typedef int function(int);
/* lea eax, [rdi + n]; ret */
static void make(unsigned char *at, int n) {
  unsigned char code[] = {0x8d, 0x87, n, n >> 8, n >> 16, n >> 24, 0xc3};
  memcpy(at, code, sizeof code);
}
static int call(void *at, int n) { return ((function *)at)(n); }

static sigjmp_buf out;
static volatile uintptr_t where;
static volatile int code;
static void fault(int number, siginfo_t *info, void *context) {
  where = (uintptr_t)info->si_addr;
  code = info->si_code;
  siglongjmp(out, number);
}
static void attempt(const char *name, void *at) {
  int number = sigsetjmp(out, 1);
  if (number == 0) printf("%s: %d\n", name, call(at, 1));
  else printf("%s: signal %d, code %d, there %d\n", name, number, code, where == (uintptr_t)at);
}
static void on_illegal(int number, siginfo_t *info, void *context) {
  ucontext_t *machine = context;
  machine->uc_mcontext.gregs[REG_RIP] += 2;
  machine->uc_mcontext.gregs[REG_RAX] = 123;
}

int main(void) {
  struct sigaction action = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, 0);
  sigaction(SIGILL, &action, 0);
  sigaction(SIGBUS, &action, 0);

  unsigned char *both = mmap(0, 8192, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  int sum = 0;
  for (int i = 0; i < 1000; i++) {
    make(both, i);
    sum += call(both, 1);
  }
  printf("rewritten: %d\n", sum);
  sum = 0;
  make(both, 1);
  for (int i = 0; i < 20000; i++) {
    sum += call(both, 1);
    if (i % 5000 == 4999) both[2]++;
  }
  printf("hot, then changed: %d\n", sum);
  /* An instruction across the page boundary, whose end changes. */
  make(both + 4093, 5);
  sum = call(both + 4093, 0);
  both[4096] = 1;
  printf("across pages: %d %d\n", sum, call(both + 4093, 0));
  /* It changes the instruction after the one that writes: mov byte [rip + 1], 7; mov al, n; movzx eax, al; ret */
  unsigned char own[] = {0xc6, 0x05, 1, 0, 0, 0, 7, 0xb0, 1, 0x0f, 0xb6, 0xc0, 0xc3};
  memcpy(both + 64, own, sizeof own);
  printf("changes itself: %d\n", call(both + 64, 0));

  unsigned char *either = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  sum = 0;
  for (int i = 0; i < 50; i++) {
    mprotect(either, 4096, PROT_READ | PROT_WRITE);
    make(either, i);
    mprotect(either, 4096, PROT_READ | PROT_EXEC);
    sum += call(either, 0);
  }
  printf("either or: %d\n", sum);
  mprotect(either, 4096, PROT_READ | PROT_WRITE);
  attempt("not executable", either);
  mprotect(either, 4096, PROT_NONE);
  attempt("nothing", either);
  mprotect(either, 4096, PROT_EXEC);
  attempt("execute only", either);
  madvise(either, 4096, MADV_DONTNEED);
  mprotect(either, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
  memset(either, 0x0f, 1), memset(either + 1, 0x0b, 1), memset(either + 2, 0xc3, 1);
  attempt("illegal", either);
  struct sigaction skip = {.sa_sigaction = on_illegal, .sa_flags = SA_SIGINFO};
  sigaction(SIGILL, &skip, 0);
  printf("skipped: %d\n", call(either, 0));
  munmap(either, 4096);
  attempt("unmapped", either);
  either = mmap(either, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  make(either, 77);
  attempt("mapped again", either);

  int fd = memfd_create("code", 0);
  ftruncate(fd, 8192);
  unsigned char *write_view = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  unsigned char *run_view = mmap(0, 8192, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
  sum = 0;
  for (int i = 0; i < 300; i++) {
    make(write_view, i);
    sum += call(run_view, 0);
  }
  printf("two views: %d\n", sum);
  make((unsigned char[7]){0}, 0);
  unsigned char bytes[7];
  make(bytes, 1000);
  pwrite(fd, bytes, sizeof bytes, 0);
  printf("written: %d\n", call(run_view, 0));
  run_view = mremap(run_view, 8192, 4096, 0);
  void *moved = mremap(run_view, 4096, 8192, MREMAP_MAYMOVE);
  printf("moved: %d\n", call(moved, 1));
  ftruncate(fd, 0);
  attempt("cut off", moved);

  fflush(stdout);
  make(both, 10);
  pid_t pid = fork();
  if (pid == 0) {
    make(both, 20);
    _exit(call(both, 1));
  }
  int status;
  waitpid(pid, &status, 0);
  printf("a child's own: %d, here %d\n", WEXITSTATUS(status), call(both, 1));
  return 0;
}
