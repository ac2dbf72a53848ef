/* What userfaultfd(2) answers beside missing and write-protected pages, a line each: minor faults, poison, moved pages,
 * files of tmpfs, and the events of fork, mremap, madvise and munmap. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
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
#define AT(page) (BASE + (page) * PAGE)
#define MISSING 1ul
#define WP 2ul
#define MINOR 4ul
#define API 0xc018aa3ful
#define REGISTER 0xc020aa00ul
#define UNREGISTER 0x8010aa01ul
#define WAKE 0x8010aa02ul
#define COPY 0xc028aa03ul
#define ZEROPAGE 0xc020aa04ul
#define MOVE 0xc028aa05ul
#define WRITEPROTECT 0xc018aa06ul
#define CONTINUE 0xc020aa07ul
#define POISON 0xc020aa08ul

struct message {
  uint8_t event, pad[7];
  uint64_t words[3];
};

static char source[4 * PAGE] __attribute__((aligned(4096)));

static void say(const char *name, long result) {
  if (result < 0) printf("%s: errno %d\n", name, errno);
  else printf("%s: %ld\n", name, result);
}

static char *map(long page, long pages, int prot, int flags, int fd) {
  return mmap(AT(page), pages * PAGE, prot, flags | MAP_FIXED, fd, 0);
}
#define RW (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static int ready(uint64_t features) {
  int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
  uint64_t words[3] = {0xaa, features, 0};
  if (ioctl(fd, API, words) != 0) say("api", -1);
  return fd;
}

static long reg(int fd, long page, long pages, uint64_t mode) {
  uint64_t words[4] = {(uintptr_t)AT(page), pages * PAGE, mode, 0};
  return ioctl(fd, REGISTER, words) == 0 ? (long)words[3] : -1;
}
static long unreg(int fd, long page, long pages) {
  uint64_t words[2] = {(uintptr_t)AT(page), pages * PAGE};
  return ioctl(fd, UNREGISTER, words);
}

/* Requests say their result and what stands in the structure afterwards. */
static void three(const char *name, int fd, unsigned long request, long page, long pages, uint64_t mode) {
  uint64_t words[4] = {(uintptr_t)AT(page), pages * PAGE, mode, 77};
  int result = ioctl(fd, request, words);
  printf("%s: %d %s, %ld\n", name, result, result < 0 ? strerrorname_np(errno) : "ok", (long)words[3]);
}
static void two(const char *name, int fd, unsigned long request, uint64_t to, uint64_t from, uint64_t bytes, uint64_t mode) {
  uint64_t words[5] = {to, from, bytes, mode, 77};
  int result = ioctl(fd, request, words);
  printf("%s: %d %s, %ld\n", name, result, result < 0 ? strerrorname_np(errno) : "ok", (long)words[4]);
}
static void copy(const char *name, int fd, long page, uint64_t mode) {
  two(name, fd, COPY, (uintptr_t)AT(page), (uintptr_t)source, PAGE, mode);
}
static void move(const char *name, int fd, long to, long from, long pages, uint64_t mode) {
  two(name, fd, MOVE, (uintptr_t)AT(to), (uintptr_t)AT(from), pages * PAGE, mode);
}
static void protect(int fd, long page, long pages, uint64_t mode) {
  uint64_t words[3] = {(uintptr_t)AT(page), pages * PAGE, mode};
  say("  protect", ioctl(fd, WRITEPROTECT, words));
}

static unsigned entry(long page) {
  static int fd = -1;
  uint64_t word = 0;
  if (fd < 0) fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  pread(fd, &word, 8, ((uintptr_t)BASE / PAGE + page) * 8);
  return word >> 56 & 0xe2; /* present, swapped, of a file, write-protected */
}

static sigjmp_buf back;
static void caught(int number, siginfo_t *info, void *context) {
  (void)context;
  printf("  signal %d code %d at page %ld, %d bits\n", number, info->si_code, ((char *)info->si_addr - BASE) / (long)PAGE,
         info->si_code == 4 ? info->si_addr_lsb : 0);
  siglongjmp(back, 1);
}
static void touch(const char *name, long page, int write) {
  if (sigsetjmp(back, 1) == 0) {
    volatile char *p = AT(page);
    char was = *p;
    if (write) *p = 'w';
    printf("%s: %d\n", name, was);
  } else
    printf("%s: did not\n", name);
}

static const char *flags_of(long page) {
  static char text[64];
  char line[512];
  unsigned long start = 0, end = 0;
  FILE *file = fopen("/proc/self/smaps", "r");
  strcpy(text, "not mapped");
  while (fgets(line, sizeof line, file)) {
    unsigned long a, b;
    if (sscanf(line, "%lx-%lx ", &a, &b) == 2) start = a, end = b;
    if (strncmp(line, "VmFlags:", 8) != 0 || (uintptr_t)AT(page) < start || (uintptr_t)AT(page) >= end) continue;
    sprintf(text, "[%s%s%s]", strstr(line, " um") ? "um " : "", strstr(line, " uw") ? "uw " : "", strstr(line, " ui") ? "ui " : "");
  }
  fclose(file);
  return text;
}

/* What the answering thread has to say, until the first thread prints it: an event's cause goes on when the event is read,
 * so that it is given time to be told. */
static char notes[4096];
static void note(const char *format, ...) {
  va_list list;
  va_start(list, format);
  size_t length = strlen(notes);
  vsnprintf(notes + length, sizeof notes - length, format, list);
  va_end(list);
}
static void settle(void) {
  usleep(20000);
  fputs(notes, stdout);
  notes[0] = 0;
}

/* The answering thread: tells each message and does with a fault what its kind calls for. */
static int ends[2];
static volatile int forked = -1;
static void *answer(void *given) {
  int fd = (int)(intptr_t)given;
  for (;;) {
    struct pollfd fds[3] = {{fd, POLLIN, 0}, {ends[0], POLLIN, 0}, {forked, POLLIN, 0}};
    poll(fds, 3, -1);
    if (fds[1].revents) return NULL;
    int from = fds[0].revents ? fd : forked;
    struct message m;
    if (read(from, &m, sizeof m) != sizeof m) continue;
    uint64_t page_copy[5] = {0, (uintptr_t)source, PAGE, 0, 0};
    if (m.event == 0x12) {
      uint64_t address = m.words[1] & ~(PAGE - 1);
      note("  fault %lx at page %ld%s\n", (unsigned long)m.words[0], (long)(address - (uintptr_t)BASE) / (long)PAGE,
             from == forked ? " of the child" : "");
        if (m.words[0] & 4) {
        uint64_t words[4] = {address, PAGE, 0, 0};
        ioctl(from, CONTINUE, words);
      } else if (m.words[0] & 2) {
        uint64_t words[3] = {address, PAGE, 0};
        ioctl(from, WRITEPROTECT, words);
      } else {
        page_copy[0] = address;
        ioctl(from, COPY, page_copy);
      }
    } else if (m.event == 0x13) {
      forked = (uint32_t)m.words[0];
      note("  event 13, a descriptor: %d, FD_CLOEXEC %d, O_NONBLOCK %d\n", forked > 2, fcntl(forked, F_GETFD), !!(fcntl(forked, F_GETFL) & O_NONBLOCK));
    } else
      note("  event %x: %ld %ld %ld\n", m.event, (long)(m.words[0] - (uintptr_t)BASE) / (long)PAGE,
             (long)(m.words[1] - (uintptr_t)BASE) / (long)PAGE, (long)m.words[2] / (long)PAGE);
  }
}
static pthread_t thread;
static void begin(int fd) {
  pipe2(ends, O_CLOEXEC);
  forked = -1;
  pthread_create(&thread, NULL, answer, (void *)(intptr_t)fd);
}
static void end(void) {
  write(ends[1], "x", 1);
  pthread_join(thread, NULL);
  settle();
  close(ends[0]), close(ends[1]);
  if (forked >= 0) close(forked);
  forked = -1;
}

static void minor_faults(void) {
  int fd = ready(1 << 10), memory = memfd_create("minor", MFD_CLOEXEC), plain = ready(0);
  printf("minor faults\n");
  ftruncate(memory, 4 * PAGE);
  memset(source, 's', PAGE);
  map(0, 8, RW, ANON, -1);
  say("anonymous memory", reg(fd, 0, 4, MINOR));
  map(0, 6, RW, MAP_SHARED, memory);
  map(8, 4, RW, MAP_SHARED, memory);
  AT(8)[0] = 'a', AT(10)[0] = 'c';
  long ioctls = reg(fd, 0, 4, MINOR);
  printf("minor alone: %lx %s\n", ioctls & 0x1ff, flags_of(0));
  say("missing and minor", reg(fd, 0, 6, MISSING | MINOR) & 0x1ff);
  say("the feature was not asked for", reg(plain, 8, 1, MINOR) & 0x1ff);
  unreg(plain, 8, 1);
  begin(fd);
  touch("read of a page in the cache", 0, 0);
  touch("write of another", 2, 1);
  printf("  it holds %c\n", AT(10)[0]);
  touch("read of a page that is nowhere", 1, 0);
  end();
  three("continue where there is a page", fd, CONTINUE, 0, 1, 0);
  three("continue where the cache has none", fd, CONTINUE, 3, 1, 0);
  three("continue beyond the end", fd, CONTINUE, 4, 1, 0);
  three("continue with write protection, not registered", fd, CONTINUE, 3, 1, 2);
  three("continue with an unknown mode", fd, CONTINUE, 3, 1, 4);
  three("continue outside of registered memory", fd, CONTINUE, 8, 1, 0);
  AT(11)[0] = 'd';
  three("continue of two, the first is there", fd, CONTINUE, 2, 2, 0);
  say("with write protection", reg(fd, 0, 4, MINOR | WP) & 0x1ff);
  three("continue protected", fd, CONTINUE, 3, 1, 2);
  printf("  entry %x\n", entry(3));
  begin(fd);
  touch("write to it", 3, 1);
  end();
  printf("  entry %x\n", entry(3));
  close(memory), close(plain), close(fd);
  munmap(BASE, 12 * PAGE);
  /* Private memory over the same pages. */
  memory = memfd_create("minor", MFD_CLOEXEC), fd = ready(0);
  ftruncate(memory, 2 * PAGE), pwrite(memory, "pq", 2, PAGE - 1);
  map(0, 2, RW, MAP_PRIVATE, memory);
  say("private", reg(fd, 0, 2, MINOR) & 0x1ff);
  begin(fd);
  touch("write of a page in the cache", 1, 1);
  end();
  printf("  entry %x\n", entry(1));
  map(4, 2, RW, ANON, -1);
  say("anonymous", reg(fd, 4, 2, MISSING) & 0x1ff);
  three("continue in anonymous memory", fd, CONTINUE, 4, 1, 0);
  close(memory), close(fd), munmap(BASE, 8 * PAGE);
}

static void poison(void) {
  int fd = ready(0), status;
  char byte = 'k';
  printf("poison\n");
  map(0, 8, RW, ANON, -1);
  reg(fd, 0, 8, MISSING | WP);
  three("poison", fd, POISON, 0, 2, 0);
  printf("  entry %x\n", entry(0));
  touch("read", 0, 0);
  touch("write", 1, 1);
  say("the kernel reads", write(ends[1] > 0 ? -1 : -1, AT(0), 1));
  int null = open("/dev/zero", O_RDONLY);
  say("the kernel writes", read(null, AT(0), 1));
  say("poisoned memory is populated", madvise(AT(0), PAGE, MADV_POPULATE_READ));
  three("again", fd, POISON, 0, 1, 0);
  three("an unknown mode", fd, POISON, 2, 1, 2);
  three("outside", fd, POISON, 20, 1, 0);
  three("zero page over it", fd, ZEROPAGE, 0, 1, 0);
  unsigned char resident = 9;
  mincore(AT(1), PAGE, &resident);
  printf("mincore: %d\n", resident);
  fflush(stdout);
  if (fork() == 0) {
    touch("the child reads", 1, 0);
    fflush(stdout);
    _exit(0);
  }
  wait(&status);
  copy("copy over it", fd, 0, 0);
  touch("read", 0, 0);
  say("dontneed", madvise(AT(1), PAGE, MADV_DONTNEED));
  printf("  entry %x\n", entry(1));
  mprotect(AT(1), PAGE, PROT_READ), mprotect(AT(1), PAGE, RW);
  three("poison it again", fd, POISON, 1, 1, 0);
  char *moved = mremap(AT(1), PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, AT(12));
  printf("moved: %d, entry %x\n", moved == AT(12), entry(12));
  touch("read", 12, 0);
  close(fd);
  touch("read after the descriptor is closed", 12, 0);
  munmap(BASE, 16 * PAGE);
  /* Markers that COPY meets. */
  fd = ready(1 << 13);
  map(0, 8, RW, ANON, -1);
  reg(fd, 0, 8, MISSING | WP);
  protect(fd, 0, 2, 1);
  copy("copy over a protection marker", fd, 0, 0);
  printf("  entry %x\n", entry(0));
  three("zero page over one", fd, ZEROPAGE, 1, 1, 0);
  three("poison over one", fd, POISON, 1, 1, 0);
  three("poison over a page", fd, POISON, 0, 1, 0);
  three("poison of three, the second is there", fd, POISON, 2, 1, 0);
  close(fd), close(null), munmap(BASE, 8 * PAGE);
  (void)byte;
}

static void moves(void) {
  int fd = ready(0), other = ready(0), status;
  printf("moved pages\n");
  map(0, 16, RW, ANON, -1);
  reg(fd, 8, 4, MISSING);
  for (int i = 0; i < 4; i++) AT(i)[0] = 'm' + i;
  move("move", fd, 8, 0, 2, 0);
  printf("  %c %c, entries %x %x there, %x %x here\n", AT(8)[0], AT(9)[0], entry(8), entry(9), entry(0), entry(1));
  move("where there is a page", fd, 8, 2, 1, 0);
  move("of a page that is not there", fd, 10, 0, 1, 0);
  move("with holes allowed", fd, 10, 1, 2, 2);
  printf("  entries %x %x %x\n", entry(10), entry(11), entry(2));
  move("an unknown mode", fd, 10, 3, 1, 4);
  move("an empty range", fd, 10, 3, 0, 0);
  two("an odd source", fd, MOVE, (uintptr_t)AT(10), (uintptr_t)AT(3) + 1, PAGE, 0);
  two("an odd target", fd, MOVE, (uintptr_t)AT(10) + 1, (uintptr_t)AT(3), PAGE, 0);
  move("by another userfaultfd", other, 10, 3, 1, 0);
  move("to what is not registered", fd, 12, 3, 1, 0);
  move("out of the area", fd, 10, 3, 3, 0);
  move("from a hole", fd, 10, 30, 1, 0);
  move("to a hole", fd, 30, 3, 1, 0);
  mprotect(AT(3), PAGE, PROT_READ);
  move("from other rights", fd, 10, 3, 1, 0);
  mprotect(AT(3), PAGE, RW);
  mlock(AT(3), PAGE);
  move("from locked memory", fd, 10, 3, 1, 0);
  munlock(AT(3), PAGE);
  map(20, 2, RW, MAP_SHARED | MAP_ANONYMOUS, -1);
  AT(20)[0] = 's';
  move("from shared memory", fd, 10, 20, 1, 0);
  touch("the zero page", 4, 0);
  move("of the zero page", fd, 10, 4, 1, 0);
  printf("  entries %x %x\n", entry(10), entry(4));
  madvise(AT(10), PAGE, MADV_DONTNEED);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) pause(), _exit(0);
  move("of a page that a child has too", fd, 10, 3, 1, 0);
  kill(child, SIGKILL), waitpid(child, &status, 0);
  move("after its end", fd, 10, 3, 1, 0);
  AT(3)[0] = 'y';
  move("after a write", fd, 10, 3, 1, 0);
  madvise(AT(10), 2 * PAGE, MADV_DONTNEED);
  AT(5)[0] = 'v', AT(7)[0] = 'z';
  move("two, the second is missing", fd, 10, 5, 2, 0);
  printf("  %c\n", AT(10)[0]);
  move("downwards onto itself", fd, 8, 8, 1, 0);
  close(fd), close(other), munmap(BASE, 32 * PAGE);
}

static void shared_files(void) {
  char name[] = "/dev/shm/userfault-events-XXXXXX";
  int memory = mkstemp(name), fd = ready(0);
  printf("a file of tmpfs\n");
  unlink(name);
  ftruncate(memory, 2 * PAGE);
  map(0, 2, RW, MAP_SHARED, memory);
  say("register", reg(fd, 0, 2, MISSING | WP) & 0x1ff);
  begin(fd);
  touch("read", 0, 0);
  protect(fd, 0, 1, 1);
  touch("write", 0, 1);
  end();
  close(memory), close(fd), munmap(BASE, 2 * PAGE);
}

static void *unmaps(void *unused) {
  (void)unused;
  munmap(AT(2), 2 * PAGE);
  return NULL;
}

static void events(void) {
  uint64_t without[3] = {0xaa, 1 << 1, 0};
  int fd, status;
  printf("events\n");
  fflush(stdout);
  if (fork() == 0) {
    struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct d[2] = {{0}};
    syscall(SYS_capset, &h, d);
    say("without privilege", syscall(SYS_userfaultfd, 0));
    fd = syscall(SYS_userfaultfd, 1);
    say("forks without privilege", ioctl(fd, API, without));
    printf("  %lx\n", (unsigned long)without[0]);
    fflush(stdout);
    _exit(0);
  }
  wait(&status);
  fd = ready(1 << 1 | 1 << 2 | 1 << 3 | 1 << 6);
  map(0, 16, RW, ANON, -1);
  AT(12)[0] = 'i';
  reg(fd, 0, 8, MISSING | WP);
  reg(fd, 8, 4, MISSING);
  begin(fd);
  touch("a fault", 0, 1);
  settle();
  say("dontneed", madvise(AT(0), 2 * PAGE, MADV_DONTNEED));
  settle();
  say("dontneed of more", madvise(AT(6), 8 * PAGE, MADV_DONTNEED));
  settle();
  say("free", madvise(AT(2), PAGE, MADV_FREE));
  settle();
  say("cold", madvise(AT(2), PAGE, MADV_COLD));
  settle();
  touch("a fault after", 0, 0);
  settle();
  printf("mremap %d\n", mremap(AT(0), 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, AT(20)) == AT(20));
  settle();
  printf("  %s %s\n", flags_of(20), flags_of(0));
  touch("there", 21, 0);
  settle();
  printf("shrink %d\n", mremap(AT(20), 2 * PAGE, PAGE, 0) == AT(20));
  settle();
  printf("dontunmap %d\n", mremap(AT(20), PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, AT(24)) == AT(24));
  settle();
  printf("  %s %s\n", flags_of(20), flags_of(24));
  say("munmap", munmap(AT(24), PAGE));
  settle();
  say("munmap of two areas", munmap(AT(6), 4 * PAGE));
  settle();
  say("munmap of none of it", munmap(AT(14), PAGE));
  settle();
  printf("mmap over it %d\n", map(11, 1, RW, ANON, -1) == AT(11));
  settle();
  end();
  /* A change that nobody has read of. */
  pthread_t t;
  pthread_create(&t, NULL, unmaps, NULL);
  struct pollfd waiting = {fd, POLLIN, 0};
  poll(&waiting, 1, -1);
  copy("copy meanwhile", fd, 4, 0);
  three("zero page meanwhile", fd, ZEROPAGE, 4, 1, 0);
  three("poison meanwhile", fd, POISON, 4, 1, 0);
  protect(fd, 4, 1, 1);
  struct message m[3];
  printf("read: %zd\n", read(fd, m, sizeof m));
  pthread_join(t, NULL);
  copy("copy afterwards", fd, 4, 0);
  /* Forks. */
  begin(fd);
  protect(fd, 4, 1, 1);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    touch("the child's fault", 5, 0);
    touch("the child's protected page", 4, 1);
    printf("  %s, entry %x\n", flags_of(4), 0u);
    fflush(stdout);
    _exit(7);
  }
  waitpid(child, &status, 0);
  printf("child %x\n", status);
  settle();
  touch("the parent's protected page", 4, 1);
  settle();
  end();
  close(fd);
  fd = ready(0);
  map(0, 16, RW, ANON, -1);
  reg(fd, 0, 8, MISSING | WP);
  AT(9)[0] = 'n';
  printf("without events: mremap %d", mremap(AT(0), 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, AT(20)) == AT(20));
  printf(" %s\n", flags_of(20));
  fflush(stdout);
  if (fork() == 0) {
    printf("its child: %s\n", flags_of(4));
    fflush(stdout);
    _exit(0);
  }
  wait(&status);
  close(fd), munmap(BASE, 32 * PAGE);
}

int main(void) {
  struct sigaction action = {.sa_sigaction = caught, .sa_flags = SA_SIGINFO | SA_NODEFER};
  sigaction(SIGBUS, &action, NULL), sigaction(SIGSEGV, &action, NULL);
  setvbuf(stdout, NULL, _IOFBF, 1 << 16);
  uint64_t words[3] = {0xaa, 0, 0};
  int fd = syscall(SYS_userfaultfd, 0);
  say("api", ioctl(fd, API, words));
  printf("features %lx, requests %lx\n", (unsigned long)words[1] & 0x1ffff, (unsigned long)words[2]);
  close(fd);
  minor_faults();
  poison();
  moves();
  shared_files();
  events();
  return 0;
}
