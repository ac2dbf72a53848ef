/* A userfaultfd over huge pages of the pool: what is registered, what fills and protects them, what a touch says. With
   UFFD_FEATURE_SIGBUS no thread has to answer. It wants four free pages. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef UFFDIO_POISON
struct uffdio_poison {
  struct uffdio_range range;
  __u64 mode;
  __s64 updated;
};
#define UFFDIO_POISON _IOWR(UFFDIO, 0x08, struct uffdio_poison)
#endif

#define PAGE 4096ul
#define HUGE (512 * PAGE)
#define BASE ((char *)0x10000000000ul)
#define RW (PROT_READ | PROT_WRITE)
#define B(unit) (BASE + (unit) * HUGE)

static int uffd, pagemap;
static char *source;
static sigjmp_buf out;
static volatile int caught, code, lsb;

static void handler(int number, siginfo_t *info, void *context) {
  (void)context;
  caught = number;
  code = info->si_code;
  lsb = code == BUS_MCEERR_AR ? info->si_addr_lsb : 0;
  siglongjmp(out, 1);
}

static void touch(const char *what, volatile char *at, int write) {
  static volatile int value;
  caught = 0;
  if (sigsetjmp(out, 1) == 0) {
    if (write)
      *at = (char)write;
    else
      value = *at;
  }
  printf("%s %s: ", write ? "write" : "read", what);
  if (caught == 0)
    printf("ok %d\n", write ? write : value);
  else
    printf("%s %d lsb %d\n", sigabbrev_np(caught), code, lsb);
}
#define READ(at) touch(#at, (char *)(at), 0)
#define WRITE(at, v) touch(#at, (char *)(at), v)

static void say(const char *what, long result, long field) {
  printf("%s: %s %ld\n", what, result == 0 ? "ok" : strerrorname_np(errno), field);
}

static void start(unsigned long features) {
  if (uffd > 0) close(uffd);
  uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
  struct uffdio_api api = {UFFD_API, features, 0};
  say("api", ioctl(uffd, UFFDIO_API, &api), 0);
}
static void enter(const char *what, char *from, unsigned long length, int mode) {
  struct uffdio_register r = {{(uintptr_t)from, length}, (unsigned)mode, 0};
  long result = ioctl(uffd, UFFDIO_REGISTER, &r);
  printf("register %s %d: %s %llx\n", what, mode, result == 0 ? "ok" : strerrorname_np(errno), r.ioctls);
}
static void leave(char *from, unsigned long length) {
  struct uffdio_range r = {(uintptr_t)from, length};
  say("unregister", ioctl(uffd, UFFDIO_UNREGISTER, &r), 0);
}
static void copy(char *to, unsigned long length, int mode) {
  struct uffdio_copy c = {(uintptr_t)to, (uintptr_t)source, length, (unsigned)mode, 0};
  long result = ioctl(uffd, UFFDIO_COPY, &c);
  say("copy", result, (long)c.copy);
}
static void zero(char *to, unsigned long length) {
  struct uffdio_zeropage z = {{(uintptr_t)to, length}, 0, 0};
  long result = ioctl(uffd, UFFDIO_ZEROPAGE, &z);
  say("zeropage", result, (long)z.zeropage);
}
static void protect(char *from, unsigned long length, int on) {
  struct uffdio_writeprotect w = {{(uintptr_t)from, length}, on ? UFFDIO_WRITEPROTECT_MODE_WP : 0};
  say(on ? "protect" : "unprotect", ioctl(uffd, UFFDIO_WRITEPROTECT, &w), 0);
}
static void go_on(char *from, unsigned long length) {
  struct uffdio_continue c = {{(uintptr_t)from, length}, 0, 0};
  long result = ioctl(uffd, UFFDIO_CONTINUE, &c);
  say("continue", result, (long)c.mapped);
}
static void poison(char *from, unsigned long length) {
  struct uffdio_poison p = {{(uintptr_t)from, length}, 0, 0};
  long result = ioctl(uffd, UFFDIO_POISON, &p);
  say("poison", result, (long)p.updated);
}
static void page(char *at) {
  uint64_t bits = 0;
  pread(pagemap, &bits, 8, (uintptr_t)at / PAGE * 8);
  printf("    pagemap %s%s%s%s\n", bits >> 63 ? "present" : "absent", bits >> 62 & 1 ? " swapped" : "",
         bits >> 61 & 1 ? " file" : "", bits >> 57 & 1 ? " protected" : "");
}

static void all(int flags, int fd) {
  mmap(BASE, 4 * HUGE, RW, MAP_FIXED | flags, fd, 0);
  start(UFFD_FEATURE_SIGBUS);
  enter("a part", B(0) + PAGE, HUGE, 1);
  enter("a part", B(0), HUGE - PAGE, 1);
  enter("whole", B(0), 2 * HUGE, 1);
  READ(B(0));
  WRITE(B(1), 1);
  zero(B(0), HUGE);
  copy(B(0) + PAGE, HUGE, 0);
  copy(B(0), PAGE, 0);
  copy(B(2), HUGE, 0);
  copy(B(0), HUGE, 0);
  copy(B(0), HUGE, 0);
  copy(B(1), HUGE, UFFDIO_COPY_MODE_WP);
  READ(B(0) + PAGE);
  WRITE(B(0) + PAGE, 5);
  protect(B(0), HUGE, 1);
  enter("for writes too", B(0), 2 * HUGE, 3);
  madvise(B(1), HUGE, MADV_DONTNEED);
  madvise(B(1), HUGE, MADV_REMOVE);
  copy(B(1), HUGE, UFFDIO_COPY_MODE_WP);
  page(B(1));
  WRITE(B(1), 6);
  protect(B(1), PAGE, 0);
  protect(B(1), HUGE, 0);
  WRITE(B(1), 6);
  protect(B(0), 2 * HUGE, 1);
  READ(B(0));
  WRITE(B(0), 7);
  madvise(B(0), HUGE, MADV_DONTNEED);
  page(B(0));
  leave(B(0), HUGE);
  page(B(0));
  WRITE(B(0), 8);
  leave(B(0) + PAGE, HUGE);
  leave(B(1), HUGE);
  WRITE(B(1), 9);
  enter("for minor faults", B(2), 2 * HUGE, 4);
  READ(B(2));
  madvise(B(2), HUGE, MADV_DONTNEED);
  READ(B(2));
  go_on(B(2), PAGE);
  go_on(B(2), HUGE);
  READ(B(2));
  WRITE(B(2), 10);
  go_on(B(3), HUGE);
  poison(B(3), HUGE);
  poison(B(3), HUGE);
  page(B(3));
  READ(B(3) + PAGE);
  madvise(B(3), HUGE, MADV_DONTNEED);
  READ(B(3) + PAGE);
  munmap(BASE, 4 * HUGE);
}

int main(void) {
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_NODEFER};
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
  pagemap = open("/proc/self/pagemap", O_RDONLY);
  source = mmap(NULL, HUGE, RW, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(source, 42, HUGE);
  puts("== shared");
  all(MAP_SHARED | MAP_ANONYMOUS | MAP_HUGETLB, -1);
  puts("== private");
  all(MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1);
  return 0;
}
