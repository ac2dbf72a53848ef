/*
 * rseq(2) with the bare call, in a task that no C library has registered one for: what it refuses, what it fills in,
 * and critical sections that are cut short by signals and by losing the processor.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIGNATURE 0x53053053

struct rseq_area {
  uint32_t cpu_id_start, cpu_id;
  uint64_t section;
  uint32_t flags, node_id, mm_cid, end;
} __attribute__((aligned(32)));
struct section {
  uint32_t version, flags;
  uint64_t start, length, abort;
};

static struct rseq_area area, other;
static struct section section __attribute__((aligned(32)));
static volatile int handled;
static volatile uint64_t handled_at;

static long rseq(void *where, uint32_t length, int flags, uint32_t signature) {
  long r = syscall(334, where, length, flags, signature);
  return r < 0 ? -errno : r;
}

static void on_signal(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)info;
  handled_at = ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
  handled++;
}

/* Counts until it is aborted; the two labels and the signature lie in the code. */
long spin(struct rseq_area *area, struct section *section, long most);
extern char spin_start[], spin_end[], spin_abort[];
__asm__(".text\n"
        ".globl spin, spin_start, spin_end, spin_abort\n"
        "spin:\n"
        "  xor %eax, %eax\n"
        "  mov %rsi, 8(%rdi)\n"
        "spin_start:\n"
        "  inc %rax\n"
        "  cmp %rdx, %rax\n"
        "  jb spin_start\n"
        "spin_end:\n"
        "  movq $0, 8(%rdi)\n"
        "  mov $-1, %rax\n"
        "  ret\n"
        "  .byte 0x0f, 0xb9, 0x3d\n"
        "  .long 0x53053053\n"
        "spin_abort:\n"
        "  ret\n");

static void describe(void) {
  section = (struct section){0, 0, (uint64_t)spin_start, spin_end - spin_start, (uint64_t)spin_abort};
}

static void interval(long microseconds) {
  struct itimerval timer = {{0, 0}, {0, microseconds}};
  setitimer(ITIMER_REAL, &timer, 0);
}

static char stack[1 << 16] __attribute__((aligned(16)));

static int run(void *how);

static void scene(int how) {
  fflush(stdout);
  /* Sharing the memory, the task starts without a registration. */
  int child = clone(run, stack + sizeof stack, CLONE_VM | SIGCHLD, (void *)(long)how);
  int status;
  waitpid(child, &status, 0);
  printf("  scene %d: status %x\n", how, status);
}

static int run(void *argument) {
  long how = (long)argument;
  describe();
  memset(&area, 0x55, sizeof area);
  area.section = area.flags = 0;
  if (how > 0) rseq(&area, 32, 0, SIGNATURE);
  switch (how) {
    case 0:
      printf("register: %ld %ld %ld %ld", rseq(&area, 31, 0, SIGNATURE), rseq(&area, 28, 0, SIGNATURE),
             rseq((char *)&area + 16, 32, 0, SIGNATURE), rseq((char *)&area + 4, 36, 0, SIGNATURE));
      printf(" %ld %ld %ld", rseq(&area, 32, 2, SIGNATURE), rseq(&area, 32, 3, SIGNATURE), rseq(&area, 32, 1, SIGNATURE));
      printf(" %ld %ld", rseq(0, 32, 0, SIGNATURE), rseq((void *)0xffffffffff000000, 32, 0, SIGNATURE));
      area.section = 0x1234;
      printf(" %ld", rseq(&area, 32, 0, SIGNATURE));
      printf(" %d %d %lx %x %u %u %x\n", area.cpu_id == area.cpu_id_start, area.cpu_id < 64, (long)area.section, area.flags,
             area.node_id, area.mm_cid < 64, area.end);
      printf("again: %ld %ld %ld %ld", rseq(&area, 32, 0, SIGNATURE), rseq(&area, 32, 0, 1), rseq(&area, 64, 0, SIGNATURE),
             rseq(&other, 32, 0, SIGNATURE));
      printf(", unregister: %ld %ld %ld %ld", rseq(&other, 32, 1, SIGNATURE), rseq(&area, 36, 1, SIGNATURE),
             rseq(&area, 32, 1, 1), rseq(&area, 32, 1, SIGNATURE));
      printf(" %x %x %x %x %ld\n", area.cpu_id_start, area.cpu_id, area.node_id, area.mm_cid, rseq(&area, 32, 1, SIGNATURE));
      printf("longer: %ld %ld\n", rseq(&area, 36, 0, SIGNATURE), rseq(&area, 36, 1, SIGNATURE));
      break;
    case 1: {
      long n;
      /* Losing the processor aborts it too, and the signal may come in between. */
      do {
        interval(5000);
        n = spin(&area, &section, 1L << 62);
      } while (handled_at != (uint64_t)spin_abort);
      printf("signal: aborted %d, handled there %d, name %lx\n", n > 0, handled > 0, (long)area.section);
      break;
    }
    case 2: {
      cpu_set_t first;
      CPU_ZERO(&first);
      CPU_SET(0, &first);
      sched_setaffinity(0, sizeof first, &first);
      int child = fork();
      if (child == 0)
        for (;;);
      long n = spin(&area, &section, 1L << 62);
      kill(child, SIGKILL);
      waitpid(child, 0, 0);
      printf("preempted: %d, name %lx\n", n > 0, (long)area.section);
      break;
    }
    case 3: {
      area.section = (uint64_t)&section;
      kill(getpid(), SIGALRM);
      printf("outside: handled %d, name %lx\n", handled, (long)area.section);
      break;
    }
    case 4:
      section.abort += 1;
      break;
    case 5:
      section.version = 1;
      break;
    case 6:
      section.flags = 1;
      break;
    case 7:
      area.flags = 2;
      break;
    case 8:
      section.abort = (uint64_t)spin_start;
      break;
    case 9:
      section.length = -section.start;
      break;
    case 10:
      area.section = 1L << 47;
      kill(getpid(), SIGALRM);
      break;
    case 11:
      area.section = 8;
      kill(getpid(), SIGALRM);
      break;
  }
  if (how >= 4 && how < 10) {
    interval(20000);
    printf("returned %ld\n", spin(&area, &section, 1L << 62));
  }
  fflush(stdout);
  _exit(0);
}

int main(void) {
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
  sigaction(SIGALRM, &action, 0);
  printf("rseq: %lu bytes, aligned %lu\n", getauxval(27), getauxval(28));
  for (int how = 0; how < 12; how++) {
    handled = 0;
    scene(how);
  }
  return 0;
}
