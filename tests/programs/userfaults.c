/* What userfaultfd(2) answers, a line each: requests and their errors, faults answered by another thread, protection. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096ul
#define BASE ((char *)0x10000000000ul)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW (PROT_READ | PROT_WRITE)
#define USER_MODE_ONLY 1
#define MISSING 1ul
#define WP 2ul
#define API 0xc018aa3ful
#define REGISTER 0xc020aa00ul
#define UNREGISTER 0x8010aa01ul
#define WAKE 0x8010aa02ul
#define COPY 0xc028aa03ul
#define ZEROPAGE 0xc020aa04ul
#define WRITEPROTECT 0xc018aa06ul
#define F_SIGBUS (1ul << 7)
#define F_THREAD_ID (1ul << 8)
#define F_EXACT (1ul << 11)
#define F_UNPOPULATED (1ul << 13)
#define F_ASYNC (1ul << 15)
#define OFFERED                                                                                                \
  (1ul | 1ul << 4 | 1ul << 5 | F_SIGBUS | F_THREAD_ID | F_EXACT | 1ul << 12 | F_UNPOPULATED | F_ASYNC)

struct message {
  uint8_t event, pad[7];
  uint64_t flags, address;
  uint32_t tid, pad2;
};

static char source[4 * PAGE] __attribute__((aligned(4096)));

static void say(const char *name, long result) {
  if (result < 0)
    printf("%s: errno %d\n", name, errno);
  else
    printf("%s: %ld\n", name, result);
}

static char *map(long page, long pages, int prot, int flags) {
  return mmap(BASE + page * PAGE, pages * PAGE, prot, flags | MAP_FIXED, -1, 0);
}

static int make(int flags) { return syscall(SYS_userfaultfd, flags | USER_MODE_ONLY); }

static int api(int fd, uint64_t features) {
  uint64_t words[3] = {0xaa, features, 0};
  return ioctl(fd, API, words);
}

static int ready(uint64_t features) {
  int fd = make(O_CLOEXEC | O_NONBLOCK);
  if (api(fd, features) != 0) say("api", -1);
  return fd;
}

static int reg(int fd, long page, long pages, uint64_t mode) {
  uint64_t words[4] = {(uintptr_t)BASE + page * PAGE, pages * PAGE, mode, 0};
  return ioctl(fd, REGISTER, words);
}

static int on_range(int fd, unsigned long request, long page, long pages) {
  uint64_t words[2] = {(uintptr_t)BASE + page * PAGE, pages * PAGE};
  return ioctl(fd, request, words);
}

static int copy(int fd, long page, long pages, uint64_t mode, int64_t *done) {
  uint64_t words[5] = {(uintptr_t)BASE + page * PAGE, (uintptr_t)source, pages * PAGE, mode, 77};
  int result = ioctl(fd, COPY, words);
  int error = errno;
  if (done) *done = words[4];
  errno = error;
  return result;
}

static int zero(int fd, long page, long pages, int64_t *done) {
  uint64_t words[4] = {(uintptr_t)BASE + page * PAGE, pages * PAGE, 0, 77};
  int result = ioctl(fd, ZEROPAGE, words);
  int error = errno;
  if (done) *done = words[3];
  errno = error;
  return result;
}

static int protect(int fd, long page, long pages, uint64_t mode) {
  uint64_t words[3] = {(uintptr_t)BASE + page * PAGE, pages * PAGE, mode};
  return ioctl(fd, WRITEPROTECT, words);
}

static uint64_t entry(long page) {
  static int fd = -1;
  uint64_t word = 0;
  if (fd < 0) fd = open("/proc/self/pagemap", O_RDONLY);
  pread(fd, &word, 8, ((uintptr_t)BASE / PAGE + page) * 8);
  return word >> 56 & 0xe2; /* present, swapped, of a file, write-protected */
}

/* Areas from BASE on, with what smaps says of userfaultfd. */
static void areas(const char *name, int most) {
  FILE *file = fopen("/proc/self/smaps", "r");
  char line[512];
  unsigned long start = 0, end = 0;
  printf("%s:", name);
  while (fgets(line, sizeof line, file)) {
    unsigned long a, b;
    if (sscanf(line, "%lx-%lx ", &a, &b) == 2) start = a, end = b;
    if (strncmp(line, "VmFlags:", 8) != 0 || start < (uintptr_t)BASE || start >= (uintptr_t)BASE + most * PAGE) continue;
    printf(" [%lu,%lu)%s%s", (start - (uintptr_t)BASE) / PAGE, (end - (uintptr_t)BASE) / PAGE,
           strstr(line, " um ") ? "um" : "", strstr(line, " uw ") ? "uw" : "");
  }
  printf("\n");
  fclose(file);
}

static sigjmp_buf back;
static void caught(int number, siginfo_t *info, void *context) {
  (void)context;
  printf("  signal %d code %d at page %ld\n", number, info->si_code, ((char *)info->si_addr - BASE) / (long)PAGE);
  siglongjmp(back, 1);
}

static void catch(int number) {
  struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO | SA_NODEFER};
  sigaction(number, &action, NULL);
}

static void tell(const struct message *m, int with_tid) {
  printf("  event %x flags %lx at page %ld + %ld%s\n", m->event, m->flags, (long)(m->address - (uintptr_t)BASE) / (long)PAGE,
         (long)(m->address % PAGE), with_tid ? (m->tid == (uint32_t)getpid() ? ", the first thread" : m->tid ? ", a thread" : ", no thread") : "");
}

/* The answering thread: waits for `count` messages and does with each what its page calls for. */
struct answerer {
  int fd, count;
  uint64_t copy_mode;
  int how; /* 0 copy, 1 zero page, 2 unprotect, 3 unregister, 4 nothing */
};

static void *answers(void *given) {
  struct answerer *a = given;
  for (int i = 0; i < a->count; i++) {
    struct pollfd p = {a->fd, POLLIN, 0};
    struct message m;
    if (poll(&p, 1, 5000) != 1) {
      printf("  nobody faults\n");
      return NULL;
    }
    if (read(a->fd, &m, sizeof m) != sizeof m) {
      say("  read", -1);
      return NULL;
    }
    tell(&m, 1);
    long page = (m.address - (uintptr_t)BASE) / PAGE;
    if (m.flags & 2)
      say("  unprotect", protect(a->fd, page, 1, 0));
    else if (a->how == 0)
      say("  copy", copy(a->fd, page, 1, a->copy_mode, NULL));
    else if (a->how == 1)
      say("  zero", zero(a->fd, page, 1, NULL));
    else if (a->how == 3)
      say("  unregister", on_range(a->fd, UNREGISTER, page, 1));
  }
  return NULL;
}

static void requests(void) {
  say("unknown flag", make(4) < 0 ? -1 : 1);
  int fd = make(O_CLOEXEC);
  char name[64] = "", path[64];
  sprintf(path, "/proc/self/fd/%d", fd);
  readlink(path, name, sizeof name - 1);
  printf("link: %s, cloexec %d, flags %x\n", name, fcntl(fd, F_GETFD), fcntl(fd, F_GETFL));
  struct pollfd p = {fd, POLLIN, 0};
  map(0, 16, RW, ANON);
  poll(&p, 1, 0);
  printf("poll before: %x\n", p.revents);
  char buffer[64];
  say("read before", read(fd, buffer, 32));
  say("register before", reg(fd, 0, 1, MISSING));
  say("unknown before", ioctl(fd, 0xaa55));
  uint64_t words[3] = {0xab, 0, 5};
  say("another api", ioctl(fd, API, words));
  printf("  %lx %lx %lx\n", words[0], words[1], words[2]);
  words[0] = 0xaa, words[1] = 1ul << 40;
  say("unknown feature", ioctl(fd, API, words));
  words[0] = 0xaa, words[1] = 0;
  say("api", ioctl(fd, API, words));
  printf("  %lx offered %d ioctls %lx\n", words[0], (words[1] & OFFERED) == OFFERED, words[2]);
  say("api again", ioctl(fd, API, words));
  printf("  %lx %lx %lx\n", words[0], words[1], words[2]);
  say("api at nothing", ioctl(fd, API, 8));
  poll(&p, 1, 0);
  printf("poll without O_NONBLOCK: %x\n", p.revents);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  p.revents = 0;
  poll(&p, 1, 0);
  printf("poll: %x\n", p.revents);
  say("read", read(fd, buffer, 32));
  say("short read", read(fd, buffer, 31));
  say("write", write(fd, buffer, 32));
  say("unknown", ioctl(fd, 0xaa55));
  say("mode 0", reg(fd, 0, 1, 0));
  say("mode 8", reg(fd, 0, 1, 8));
  say("nothing mapped", reg(fd, 100, 1, MISSING));
  say("no length", reg(fd, 0, 0, MISSING));
  uint64_t odd[4] = {(uintptr_t)BASE + 1, PAGE, MISSING, 0};
  say("unaligned", ioctl(fd, REGISTER, odd));
  odd[0] = (uintptr_t)BASE, odd[1] = PAGE + 1;
  say("unaligned length", ioctl(fd, REGISTER, odd));
  odd[0] = 1ul << 47;
  odd[1] = PAGE;
  say("beyond user space", ioctl(fd, REGISTER, odd));
  odd[0] = 0;
  say("page zero", ioctl(fd, REGISTER, odd));
  say("at nothing", ioctl(fd, REGISTER, 8));
  odd[0] = (uintptr_t)BASE, odd[2] = MISSING;
  say("register", ioctl(fd, REGISTER, odd));
  printf("  ioctls %lx\n", odd[3] & 0x5f);
  odd[2] = MISSING | WP;
  say("register for both", ioctl(fd, REGISTER, odd));
  printf("  ioctls %lx\n", odd[3] & 0x5f);
  int other = ready(0);
  say("busy", reg(other, 0, 2, MISSING));
  say("foreign unregister", on_range(other, UNREGISTER, 8, 1));
  map(20, 1, PROT_READ, ANON);
  say("read-only memory", reg(fd, 20, 1, MISSING));
  int self = open("/proc/self/exe", O_RDONLY);
  mmap(BASE + 22 * PAGE, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, self, 0);
  int async = ready(F_ASYNC);
  say("a read-only file, asynchronous", reg(async, 22, 1, WP));
  mmap(BASE + 23 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, self, 0);
  say("a private file, asynchronous", reg(async, 23, 1, WP));
  say("unregister", on_range(async, UNREGISTER, 23, 1));
  say("unregister nothing", on_range(fd, UNREGISTER, 100, 1));
  say("unregister unregistered", on_range(fd, UNREGISTER, 10, 2));
  munmap(BASE + 12 * PAGE, PAGE);
  say("a hole within", reg(fd, 10, 6, MISSING));
  areas("areas", 24);
  int64_t done = 0;
  say("copy to unregistered", copy(fd, 8, 1, 0, &done));
  printf("  %ld\n", done);
  say("copy across areas", copy(fd, 9, 2, 0, &done));
  say("copy, unknown mode", copy(fd, 10, 1, 16, &done));
  printf("  %ld\n", done);
  say("copy protected", copy(fd, 10, 1, 2, &done));
  say("zero", zero(fd, 10, 1, &done));
  say("zero again", zero(fd, 10, 1, &done));
  printf("  %ld\n", done);
  say("copy onto it", copy(fd, 10, 1, 0, &done));
  say("copy", copy(fd, 13, 1, 0, &done));
  printf("  %ld, byte %d\n", done, BASE[13 * PAGE]);
  say("copy two, the second is there", (copy(fd, 14, 1, 0, &done), munmap(BASE + 10 * PAGE, PAGE), copy(fd, 13, 2, 0, &done)));
  map(10, 1, RW, ANON);
  reg(fd, 10, 1, MISSING);
  map(11, 1, RW, ANON);
  reg(fd, 11, 1, MISSING);
  say("one", copy(fd, 11, 1, 0, &done));
  say("partial", copy(fd, 10, 2, 0, &done));
  printf("  %ld\n", done);
  uint64_t bad[5] = {(uintptr_t)BASE + 15 * PAGE, 0x20000000000ul, PAGE, 0, 77};
  say("copy from nothing", ioctl(fd, COPY, bad));
  printf("  %ld\n", (long)bad[4]);
  say("protect, not registered for it", protect(fd, 13, 1, 1));
  say("protect nothing", protect(fd, 100, 1, 1));
  say("protect and do not wake", protect(fd, 0, 1, 3));
  say("protect, unknown mode", protect(fd, 0, 1, 4));
  say("wake", on_range(fd, WAKE, 0, 4));
  say("wake, no length", on_range(fd, WAKE, 0, 0));
  say("kernel reads a missing page", write(fcntl(1, F_GETFD) < 0 ? 1 : open("/dev/null", O_WRONLY), BASE + 15 * PAGE, 1) < 0 ? -1 : 1);
  int ends[2];
  pipe(ends);
  say("pipe from a missing page", write(ends[1], BASE + 15 * PAGE, 1));
  say("madvise populate", madvise(BASE + 15 * PAGE, PAGE, 23));
  say("mlock", mlock(BASE + 15 * PAGE, PAGE));
  munlock(BASE + 15 * PAGE, PAGE);
  close(other), close(async);
  close(fd);
  areas("closed", 24);
  munmap(BASE, 30 * PAGE);
}

static void merges(void) {
  int fd = ready(0), other = ready(0);
  map(0, 8, RW, ANON);
  reg(fd, 2, 2, MISSING);
  areas("in the middle", 16);
  reg(fd, 4, 2, MISSING);
  areas("its neighbour", 16);
  reg(other, 6, 2, MISSING);
  areas("another's", 16);
  reg(fd, 3, 1, WP);
  areas("another mode", 16);
  say("unregister across two", on_range(fd, UNREGISTER, 0, 8));
  areas("after it", 16);
  on_range(other, UNREGISTER, 6, 2);
  on_range(fd, UNREGISTER, 0, 6);
  areas("whole", 16);
  reg(fd, 0, 8, MISSING);
  mprotect(BASE + 2 * PAGE, PAGE, PROT_READ);
  areas("mprotect", 16);
  say("mremap", mremap(BASE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, BASE + 10 * PAGE) == BASE + 10 * PAGE);
  areas("moved", 16);
  map(8, 1, RW, ANON);
  areas("new beside it", 16);
  say("dontunmap", mremap(BASE + 4 * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP | MREMAP_FIXED, BASE + 14 * PAGE) == BASE + 14 * PAGE);
  areas("dontunmap", 16);
  say("grown", mremap(BASE + 14 * PAGE, PAGE, 2 * PAGE, 0) == BASE + 14 * PAGE);
  if (fork() == 0) {
    areas("child", 16);
    fflush(stdout);
    _exit(0);
  }
  wait(NULL);
  areas("parent", 16);
  close(fd), close(other);
  areas("closed", 16);
}

static void sealed(void) {
  int fd = ready(0);
  munmap(BASE, 64 * PAGE);
  map(3, 5, RW, ANON);
  reg(fd, 3, 5, MISSING);
  say("mseal", syscall(462, BASE + 5 * PAGE, PAGE, 0));
  say("sealed: unregister", on_range(fd, UNREGISTER, 5, 1));
  say("sealed: register", reg(fd, 5, 1, MISSING | WP));
  say("sealed: protect", protect(fd, 5, 1, 1));
  say("sealed: copy", copy(fd, 5, 1, 0, NULL));
  areas("sealed", 16);
  close(fd);
  areas("closed", 16);
  fflush(stdout);
}

static void answer(const char *name, int fd, int count, int how, uint64_t mode, int (*touch)(void)) {
  struct answerer a = {fd, count, mode, how};
  pthread_t thread;
  printf("%s:\n", name);
  pthread_create(&thread, NULL, answers, &a);
  int got = touch();
  pthread_join(thread, NULL);
  printf("  got %d\n", got);
}

#define P ((volatile char *)BASE + 30 * PAGE)
static int read_first(void) { return P[5]; }
static int write_second(void) { return P[PAGE + 9] = 3, P[PAGE] + P[PAGE + 9]; }
static int read_third(void) { return P[2 * PAGE]; }
static int write_protected(void) { return P[3 * PAGE] = 8, P[3 * PAGE]; }
static int write_zero(void) { return P[2 * PAGE] = 9, P[2 * PAGE]; }
static int string_fourth(void) { return (int)strlen((char *)BASE + 34 * PAGE - 0 + 4000); }
static int read_shared(void) { return P[6 * PAGE]; }
static int write_shared(void) { return P[7 * PAGE] = 4, P[7 * PAGE + 1]; }

static void faults(void) {
  memset(source, 7, sizeof source);
  int fd = ready(0);
  map(30, 6, RW, ANON);
  reg(fd, 30, 6, MISSING | WP);
  answer("read", fd, 1, 0, 0, read_first);
  answer("write", fd, 1, 0, 0, write_second);
  answer("zero page", fd, 1, 1, 0, read_third);
  answer("write to it", fd, 0, 0, 0, write_zero);
  answer("copied protected", fd, 2, 0, 2, write_protected);
  say("protect", protect(fd, 30, 2, 1));
  printf("entries: %lx %lx %lx\n", entry(30), entry(31), entry(32));
  answer("protected write", fd, 1, 4, 0, write_second);
  answer("unregistered while it waits", fd, 1, 3, 0, string_fourth);
  areas("areas", 40);
  close(fd);
  printf("entries: %lx %lx\n", entry(30), entry(31));

  fd = ready(F_THREAD_ID | F_EXACT);
  map(30, 6, RW, ANON);
  reg(fd, 30, 6, MISSING);
  answer("exact, with the thread", fd, 1, 0, 0, write_second);
  close(fd);

  fd = ready(0);
  map(36, 2, RW, MAP_SHARED | MAP_ANONYMOUS);
  say("shared", reg(fd, 36, 2, MISSING | WP));
  answer("shared read", fd, 1, 0, 0, read_shared);
  answer("shared write", fd, 1, 1, 0, write_shared);
  printf("entries: %lx %lx\n", entry(36), entry(37));
  protect(fd, 36, 2, 1);
  madvise(BASE + 36 * PAGE, PAGE, MADV_DONTNEED);
  printf("protected: %lx %lx\n", entry(36), entry(37));
  say("copy where there is a page", copy(fd, 36, 1, 0, NULL));
  answer("protected shared write", fd, 1, 4, 0, write_shared);
  close(fd);

  fd = ready(F_SIGBUS);
  map(30, 6, RW, ANON);
  reg(fd, 30, 6, MISSING);
  catch (SIGBUS);
  printf("sigbus:\n");
  if (!sigsetjmp(back, 1)) P[PAGE] = 1;
  say("read", read(fd, source, 32));
  close(fd);
  printf("closed: %d\n", P[PAGE]);
}

static void rang(int number) { (void)number; write(1, "  the signal came\n", 18); }

static void *touches(void *at) {
  printf("  sees %d\n", *(volatile char *)at);
  return NULL;
}

static void sleepers(void) {
  pthread_t thread;
  int fd = ready(0);
  map(30, 6, RW, ANON);
  reg(fd, 30, 6, MISSING);
  struct sigaction action = {.sa_handler = rang};
  sigaction(SIGUSR1, &action, NULL);
  fcntl(fd, F_SETFL, 0);
  struct message m[3];
  printf("a signal:\n");
  fflush(stdout);
  pthread_create(&thread, NULL, touches, BASE + 30 * PAGE);
  say("read", read(fd, m, sizeof m));
  fflush(stdout);
  pthread_kill(thread, SIGUSR1);
  say("read again", read(fd, m, sizeof m));
  tell(m, 0);
  say("wake", on_range(fd, WAKE, 30, 1));
  say("read a third time", read(fd, m, sizeof m));
  char path[64], line[128];
  sprintf(path, "/proc/self/fdinfo/%d", fd);
  FILE *info = fopen(path, "r");
  while (fgets(line, sizeof line, info))
    if (strncmp(line, "pending", 7) == 0 || strncmp(line, "total", 5) == 0) fputs(line, stdout);
  fclose(info);
  copy(fd, 30, 1, 1, NULL);
  printf("copied without waking\n");
  on_range(fd, WAKE, 30, 1);
  pthread_join(thread, NULL);
  printf("closed:\n");
  pthread_create(&thread, NULL, touches, BASE + 31 * PAGE);
  say("read", read(fd, m, 32));
  close(fd);
  pthread_join(thread, NULL);
  printf("ended while one waits:\n");
  fflush(stdout);
  if (fork() == 0) {
    fd = ready(0);
    map(30, 6, RW, ANON);
    reg(fd, 30, 6, MISSING);
    fcntl(fd, F_SETFL, 0);
    pthread_create(&thread, NULL, touches, BASE + 30 * PAGE);
    read(fd, m, 32);
    exit(3);
  }
  int status;
  wait(&status);
  printf("  %x\n", status);
}

struct scan {
  uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages, inverted, mask, anyof, told;
};

static void scan(const char *name, long page, long pages, uint64_t flags, uint64_t most, uint64_t mask, uint64_t told) {
  uint64_t ranges[24];
  int fd = open("/proc/self/pagemap", O_RDONLY);
  struct scan s = {sizeof s, flags, (uintptr_t)BASE + page * PAGE, (uintptr_t)BASE + (page + pages) * PAGE, 0,
                   (uintptr_t)ranges, 8, most, 0, mask, 0, told};
  long n = ioctl(fd, 0xc0606610, &s);
  printf("%s: %ld", name, n);
  if (n < 0) printf(" errno %d", errno);
  for (long i = 0; i < n; i++)
    printf(" [%lu,%lu) %lx", (ranges[3 * i] - (uintptr_t)BASE) / PAGE, (ranges[3 * i + 1] - (uintptr_t)BASE) / PAGE,
           ranges[3 * i + 2]);
  printf(", to %ld\n", ((long)s.walk_end - (long)BASE) / (long)PAGE);
  close(fd);
}

static void protection(void) {
  int fd = ready(F_ASYNC);
  map(0, 8, RW, ANON);
  scan("not registered", 0, 8, 2, 0, 2, 2);
  scan("skipped", 0, 8, 1, 0, 2, 2);
  reg(fd, 0, 8, WP);
  BASE[PAGE] = 1;
  BASE[2 * PAGE] = 2;
  scan("written", 0, 8, 3, 0, 2, 0x7f);
  printf("entries: %lx %lx %lx\n", entry(0), entry(1), entry(2));
  BASE[3 * PAGE] = 1;
  BASE[2 * PAGE] = 1;
  volatile char sink = BASE[4 * PAGE];
  (void)sink;
  printf("entries: %lx %lx %lx %lx\n", entry(1), entry(2), entry(3), entry(4));
  scan("told", 0, 8, 0, 0, 2, 0x7f);
  scan("all kinds", 0, 8, 0, 0, 0, 0x7f);
  scan("one page of them", 0, 8, 3, 1, 2, 2);
  scan("the rest", 0, 8, 3, 0, 2, 2);
  say("kernel writes", read(open("/dev/zero", O_RDONLY), BASE + 1 * PAGE, 2 * PAGE));
  scan("told", 0, 8, 0, 0, 2, 2);
  say("protect all", protect(fd, 0, 8, 1));
  scan("told", 0, 8, 0, 0, 2, 2);
  madvise(BASE + PAGE, 2 * PAGE, MADV_DONTNEED);
  printf("discarded: %lx %lx %lx\n", entry(1), entry(2), entry(5));
  say("moved", mremap(BASE + 3 * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, BASE + 10 * PAGE) == BASE + 10 * PAGE);
  printf("moved: %lx\n", entry(10));
  mprotect(BASE + 4 * PAGE, PAGE, PROT_READ);
  mprotect(BASE + 4 * PAGE, PAGE, RW);
  printf("mprotect: %lx\n", entry(4));
  fflush(stdout);
  if (fork() == 0) {
    printf("child: %lx %lx\n", entry(4), entry(5));
    fflush(stdout);
    _exit(0);
  }
  wait(NULL);
  BASE[4 * PAGE] = 1;
  printf("parent: %lx %lx\n", entry(4), entry(5));
  say("mode changed", reg(fd, 4, 4, MISSING | WP));
  say("unregister", on_range(fd, UNREGISTER, 0, 3));
  printf("unregistered: %lx %lx\n", entry(0), entry(5));
  close(fd);
  printf("closed: %lx\n", entry(5));
  fd = ready(0);
  map(0, 8, RW, ANON);
  reg(fd, 0, 8, WP);
  BASE[PAGE] = 1;
  say("protect", protect(fd, 0, 8, 1));
  printf("synchronous: %lx %lx\n", entry(0), entry(1));
  scan("synchronous", 0, 8, 3, 0, 2, 2);
  pipe((int *)source);
  say("kernel writes", read(open("/dev/zero", O_RDONLY), BASE + PAGE, 1));
  close(fd);
}

int main(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  requests();
  merges();
  faults();
  sleepers();
  protection();
  sealed();
  return 0;
}
