/* Signal handlers through a C library: repaired faults, alternate stacks, queues, timers, interrupted calls. */
#define _GNU_SOURCE
#include <errno.h>
#include <fenv.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

static const char *error_of(long result) { return result < 0 ? strerror(errno) : "fine"; }

static char *page;
static volatile int faults;
static void open_page(int number, siginfo_t *info, void *context) {
  faults++;
  char *at = (char *)((unsigned long)info->si_addr & ~4095ul);
  mprotect(at, 4096, PROT_READ | PROT_WRITE);
}

static sigjmp_buf out;
static void leave(int number) { siglongjmp(out, number); }
static volatile int on_alternate;
static char *alternate;
static void overflowed(int number, siginfo_t *info, void *context) {
  char here;
  on_alternate = &here > alternate && &here < alternate + 65536;
  siglongjmp(out, 2);
}
static int deeper(int n) {
  volatile char room[4096];
  room[0] = n;
  return deeper(n + 1) + room[0];
}

static int order[32], ordered;
static void note(int number, siginfo_t *info, void *context) {
  if (ordered < 32) order[ordered++] = (number - SIGRTMIN) * 100 + info->si_value.sival_int;
}
static volatile int depth, deepest, ticks;
static void nest(int number) {
  depth++;
  if (depth > deepest) deepest = depth;
  if (depth < 3) raise(number);
  depth--;
}
static void tick(int number) { ticks++; }
static void divide(int number, siginfo_t *info, void *context) {
  ucontext_t *machine = context;
  machine->uc_mcontext.gregs[REG_RCX] = 7;
  faults = info->si_code;
}
static void inexact(int number, siginfo_t *info, void *context) {
  faults = info->si_code;
  siglongjmp(out, 3);
}

int main(void) {
  struct sigaction action = {.sa_sigaction = open_page, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, 0);
  page = mmap(0, 64 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (int i = 0; i < 64 * 4096; i += 512) page[i] = i / 512;
  int sum = 0;
  for (int i = 0; i < 64 * 4096; i += 512) sum += (unsigned char)page[i];
  printf("repaired: %d faults, %d\n", faults, sum);

  alternate = malloc(65536);
  stack_t stack = {.ss_sp = alternate, .ss_size = 65536};
  sigaltstack(&stack, 0);
  action.sa_sigaction = overflowed;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigaction(SIGSEGV, &action, 0);
  for (int i = 0; i < 2; i++) {
    if (sigsetjmp(out, 1) == 0) deeper(0);
    stack_t now;
    sigaltstack(0, &now);
    printf("overflow: on the other stack %d, flags %d\n", on_alternate, now.ss_flags);
  }
  volatile int lefts = 0;
  signal(SIGSEGV, leave);
  for (int i = 0; i < 3; i++)
    if (sigsetjmp(out, 1) == 0) *(volatile int *)16 = 1;
    else lefts++;
  printf("left %d times\n", lefts);

  action.sa_sigaction = divide;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGFPE, &action, 0);
  int quotient, zero = 0;
  asm volatile("mov $42, %%eax; cltd; idivl %%ecx" : "=a"(quotient), "+c"(zero) : : "rdx");
  printf("divided: %d, code %d\n", quotient, faults);
  action.sa_sigaction = inexact;
  sigaction(SIGFPE, &action, 0);
  if (sigsetjmp(out, 1) == 0) {
    unsigned mxcsr = 0x1f80 & ~(1 << 9);
    volatile double one = 1, none = 0;
    asm volatile("ldmxcsr %0" : : "m"(mxcsr));
    one = one / none;
    puts("no exception");
  } else printf("SSE exception: code %d\n", faults);

  struct sigaction noter = {.sa_sigaction = note, .sa_flags = SA_SIGINFO};
  sigset_t all, none, old;
  sigfillset(&all);
  sigfillset(&noter.sa_mask);
  sigemptyset(&none);
  for (int i = 0; i < 4; i++) sigaction(SIGRTMIN + i, &noter, 0);
  sigprocmask(SIG_BLOCK, &all, &old);
  for (int i = 0; i < 12; i++) {
    union sigval value = {.sival_int = i};
    sigqueue(getpid(), SIGRTMIN + (i * 7) % 4, value);
  }
  sigset_t pending;
  sigpending(&pending);
  printf("pending %d %d\n", sigismember(&pending, SIGRTMIN + 2), sigismember(&pending, SIGRTMIN + 5));
  siginfo_t info;
  sigset_t third;
  sigemptyset(&third);
  sigaddset(&third, SIGRTMIN + 3);
  struct timespec no_time = {0, 1000};
  int taken = sigtimedwait(&third, &info, &no_time);
  printf("taken %d with %d, code %d\n", taken - SIGRTMIN, info.si_value.sival_int, info.si_code);
  sigsuspend(&none);
  printf("%d at once, ", ordered);
  sigprocmask(SIG_SETMASK, &none, 0);
  sigprocmask(SIG_SETMASK, &all, 0);
  for (int i = 0; i < ordered; i++) printf("%d ", order[i]);
  puts("in order");
  printf("nothing: %s\n", error_of(sigtimedwait(&third, &info, &no_time)));
  int fd = signalfd(-1, &third, SFD_NONBLOCK);
  struct signalfd_siginfo read_info;
  printf("signalfd: %s", error_of(read(fd, &read_info, sizeof read_info)));
  raise(SIGRTMIN + 3);
  long n = read(fd, &read_info, sizeof read_info);
  printf(", %ld bytes, %d\n", n, (int)read_info.ssi_signo - SIGRTMIN);
  sigprocmask(SIG_SETMASK, &old, 0);

  struct sigaction nesting = {.sa_handler = nest, .sa_flags = SA_NODEFER};
  sigaction(SIGUSR1, &nesting, 0);
  raise(SIGUSR1);
  printf("nested %d", deepest);
  deepest = 0;
  nesting.sa_flags = SA_RESETHAND;
  sigaction(SIGUSR1, &nesting, 0);
  struct sigaction after;
  depth = 3;
  raise(SIGUSR1);
  sigaction(SIGUSR1, 0, &after);
  printf(", reset %d\n", after.sa_handler == SIG_DFL);

  struct sigaction ticking = {.sa_handler = tick, .sa_flags = 0};
  sigaction(SIGALRM, &ticking, 0);
  struct itimerval timer = {{0, 2000}, {0, 2000}}, off = {0};
  setitimer(ITIMER_REAL, &timer, 0);
  int pipes[2];
  char byte;
  pipe(pipes);
  printf("read: %s\n", error_of(read(pipes[0], &byte, 1)));
  struct timespec second = {1, 0}, rest;
  int slept = nanosleep(&second, &rest);
  printf("sleep: %s, rest %d\n", error_of(slept), rest.tv_sec == 0 && rest.tv_nsec > 0);
  while (ticks < 10) pause();
  setitimer(ITIMER_REAL, &off, 0);
  ticking.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &ticking, 0);
  if (!fork()) {
    usleep(20000);
    kill(getppid(), SIGALRM);
    usleep(20000);
    write(pipes[1], "y", 1);
    _exit(0);
  }
  ticks = 0;
  n = read(pipes[0], &byte, 1);
  printf("restarted: %ld %c, after %d\n", n, byte, ticks);

  timer_t id;
  struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 1, .sigev_value.sival_int = 99};
  ordered = 0;
  timer_create(CLOCK_MONOTONIC, &event, &id);
  struct itimerspec spec = {{0, 1000000}, {0, 1000000}};
  timer_settime(id, 0, &spec, 0);
  while (ordered < 5) pause();
  timer_delete(id);
  printf("timer: %d %d\n", order[0], order[4]);
  long before = clock();
  struct itimerval work = {{0, 0}, {0, 5000}};
  ticks = 0;
  sigaction(SIGVTALRM, &ticking, 0);
  setitimer(ITIMER_VIRTUAL, &work, 0);
  while (!ticks) {}
  printf("virtual timer: %d\n", clock() - before >= 4000);
  fflush(stdout);
  abort();
}
