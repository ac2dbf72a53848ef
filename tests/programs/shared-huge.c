/*
 * Huge pages of shared memory: after each step what is mapped, and how. `advised`: MADV_COLLAPSE and what becomes of its
 * leaves; `enabled` (changes shmem_enabled): faults and writes that bring 2 MiB in; `khugepaged`: the kernel finds them.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096ul
#define HUGE (512 * PAGE)
#define BASE ((char *)0x10000000000ul)
#define OTHER (BASE + 64 * HUGE)
#define UNITS 128
#define SETTINGS "/sys/kernel/mm/transparent_hugepage/"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#define GUARD_INSTALL 102
#define NR_MSEAL 462

struct scan {
  uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages, inverted, mask, anyof, told;
};
struct range {
  uint64_t start, end, categories;
};

static int pagemap;

/* Every area of ours: what smaps says of it. */
static void areas(void) {
  FILE *smaps = fopen("/proc/self/smaps", "r");
  char line[512], rights[8];
  int shown = 0;
  while (fgets(line, sizeof line, smaps) != NULL) {
    unsigned long start, end, value;
    if (sscanf(line, "%lx-%lx %7s", &start, &end, rights) == 3) {
      shown = start >= (uintptr_t)BASE && start < (uintptr_t)BASE + UNITS * HUGE;
      if (shown)
        printf("  %ld-%ld %s", (long)(start - (uintptr_t)BASE) / (long)PAGE,
               (long)(end - (uintptr_t)BASE) / (long)PAGE, rights);
    }
    if (!shown) continue;
    if (sscanf(line, "Rss: %lu", &value) == 1) printf(" rss %lu", value / 4);
    if (sscanf(line, "Anonymous: %lu", &value) == 1 && value > 0) printf(" anonymous %lu", value / 4);
    if (sscanf(line, "AnonHugePages: %lu", &value) == 1 && value > 0) printf(" anonhuge %lu", value / 4);
    if (sscanf(line, "ShmemPmdMapped: %lu", &value) == 1) printf(" leaves %lu", value / 4);
    if (sscanf(line, "FilePmdMapped: %lu", &value) == 1 && value > 0) printf(" file %lu", value / 4);
    if (sscanf(line, "Swap: %lu", &value) == 1 && value > 0) printf(" swap %lu", value / 4);
    if (sscanf(line, "THPeligible: %lu", &value) == 1) printf(" eligible %lu", value);
    if (strncmp(line, "VmFlags:", 8) == 0) puts("");
  }
  fclose(smaps);
}

static void kinds(void) {
  struct range ranges[32];
  struct scan s = {.size = sizeof s, .start = (uintptr_t)BASE, .end = (uintptr_t)BASE + UNITS * HUGE,
                   .vec = (uintptr_t)ranges, .vec_len = 32, .mask = 8, .told = 8 | 64 | 4};
  long found = ioctl(pagemap, 0xc0606610ul, &s);
  for (long i = 0; i < found; i++)
    printf("  pages %ld-%ld%s%s\n", (long)(ranges[i].start - (uintptr_t)BASE) / (long)PAGE,
           (long)(ranges[i].end - (uintptr_t)BASE) / (long)PAGE, (ranges[i].categories & 64) ? " huge" : "",
           (ranges[i].categories & 4) ? " file" : "");
}

static void show(const char *name, long result) {
  if (result == -1) printf("%s: %s\n", name, strerrorname_np(errno));
  else printf("%s: %ld\n", name, result);
  areas();
  kinds();
}

static void clear(void) {
  munmap(BASE, UNITS * HUGE);
}

static char *map(int fd, size_t length, long page, int prot, int how) {
  char *p = mmap(BASE, length, prot, how | MAP_FIXED | (fd < 0 ? MAP_ANONYMOUS : 0), fd, page * PAGE);
  if (p == MAP_FAILED) printf("mmap: %s\n", strerrorname_np(errno));
  return p;
}

static int memory(size_t length) {
  int fd = memfd_create("huge", MFD_ALLOW_SEALING);
  if (ftruncate(fd, (off_t)length) != 0) printf("ftruncate\n");
  return fd;
}

static void fill(char *p, long pages) {
  for (long i = 0; i < pages; i++) *(long *)(p + i * PAGE) = i + 1;
}

static long sum(char *p, long pages) {
  long total = 0;
  for (long i = 0; i < pages; i++) total += *(volatile long *)(p + i * PAGE);
  return total;
}

/* A memfd of 2 MiB units, mapped at BASE, written and collapsed. */
static int collapsed(long units, int how) {
  clear();
  int fd = memory(units * HUGE);
  char *p = map(fd, units * HUGE, 0, PROT_READ | PROT_WRITE, MAP_SHARED);
  fill(p, units * 512);
  if (madvise(p, units * HUGE, MADV_COLLAPSE) != 0) printf("not collapsed: %s\n", strerrorname_np(errno));
  if (how == MAP_PRIVATE) {
    clear();
    map(fd, units * HUGE, 0, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  }
  return fd;
}

static long blocks(int fd) {
  struct stat s;
  fstat(fd, &s);
  return s.st_blocks / 8;
}

static long resident(char *p, long pages) {
  static unsigned char vec[8192];
  long total = 0;
  if (mincore(p, pages * PAGE, vec) != 0) return -1;
  for (long i = 0; i < pages; i++) total += vec[i] & 1;
  return total;
}

static sigjmp_buf back;
static void on_signal(int number, siginfo_t *info, void *context) {
  siglongjmp(back, number * 100 + info->si_code);
}

static long try_write(char *p) {
  int caught = sigsetjmp(back, 1);
  if (caught) return caught;
  *(volatile char *)p = 1;
  return 0;
}

static long try_read(char *p) {
  int caught = sigsetjmp(back, 1);
  if (caught) return caught;
  (void)*(volatile char *)p;
  return 0;
}

static void kinds_of_memory(void) {
  clear();
  char *p = map(-1, 2 * HUGE, 0, PROT_READ | PROT_WRITE, MAP_SHARED);
  show("shared, untouched", madvise(p, 2 * HUGE, MADV_COLLAPSE));
  p[0] = 1;
  show("a page", madvise(p, HUGE, MADV_COLLAPSE));
  show("the second untouched", madvise(p, 2 * HUGE, MADV_COLLAPSE));
  p[HUGE + 5 * PAGE] = 2;
  show("both", madvise(p, 2 * HUGE, MADV_COLLAPSE));
  show("once more", madvise(p, 2 * HUGE, MADV_COLLAPSE));
  printf("%d %d %d\n", p[0], p[1], p[HUGE + 5 * PAGE]);
  p = (clear(), map(-1, HUGE, 0, PROT_READ | PROT_WRITE, MAP_SHARED));
  (void)*(volatile char *)p;
  show("only read", madvise(p, HUGE, MADV_COLLAPSE));
  p = (clear(), map(-1, HUGE, 0, PROT_READ, MAP_SHARED));
  (void)*(volatile char *)p;
  show("read-only", madvise(p, HUGE, MADV_COLLAPSE));
  p = (clear(), map(-1, HUGE, 0, PROT_READ | PROT_WRITE, MAP_SHARED));
  p[0] = 1;
  mprotect(p, HUGE, PROT_NONE);
  show("no access", madvise(p, HUGE, MADV_COLLAPSE));
  p = (clear(), map(-1, HUGE - PAGE, 0, PROT_READ | PROT_WRITE, MAP_SHARED));
  p[0] = 1;
  show("too short", madvise(p, HUGE - PAGE, MADV_COLLAPSE));
  p = (clear(), map(-1, 2 * HUGE, 0, PROT_READ | PROT_WRITE, MAP_SHARED));
  fill(p, 1024);
  show("one byte", madvise(p, 1, MADV_COLLAPSE));
  show("unaligned", madvise(p + PAGE, HUGE, MADV_COLLAPSE));
  show("from the second page", madvise(p + PAGE, 2 * HUGE - PAGE, MADV_COLLAPSE));
  printf("%ld\n", sum(p, 1024));
  int id = shmget(IPC_PRIVATE, 2 * HUGE, 0600);
  clear();
  p = shmat(id, BASE, 0);
  shmctl(id, IPC_RMID, NULL);
  p[3] = 1;
  show("System V", madvise(p, 2 * HUGE, MADV_COLLAPSE));
  p[HUGE] = 1;
  show("System V, both", madvise(p, 2 * HUGE, MADV_COLLAPSE));
  shmdt(p);
  int fd = open("/dev/zero", O_RDWR);
  p = map(fd, HUGE, 0, PROT_READ | PROT_WRITE, MAP_SHARED);
  p[3] = 1;
  show("/dev/zero", madvise(p, HUGE, MADV_COLLAPSE));
  close(fd);
  clear();
  fd = memory(3 * HUGE);
  p = map(fd, 2 * HUGE, 1, PROT_READ | PROT_WRITE, MAP_SHARED);
  fill(p, 1024);
  show("another place in the file", madvise(p, 2 * HUGE, MADV_COLLAPSE));
  clear();
  p = map(fd, 2 * HUGE, 512, PROT_READ | PROT_WRITE, MAP_SHARED);
  show("its second 2 MiB", madvise(p, HUGE, MADV_COLLAPSE));
  printf("%ld\n", sum(p, 512));
  close(fd);
  clear();
  fd = memory(HUGE);
  if (pwrite(fd, "abc", 3, 7 * PAGE) != 3) puts("short");
  p = map(fd, HUGE, 0, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  printf("blocks %ld\n", blocks(fd));
  show("private", madvise(p, HUGE, MADV_COLLAPSE));
  printf("blocks %ld resident %ld, %s\n", blocks(fd), resident(p, 512), p + 7 * PAGE);
  p[3 * PAGE] = 1;
  show("a page written", 0);
  show("private and written", madvise(p, HUGE, MADV_COLLAPSE));
  close(fd);
  clear();
  fd = memory(HUGE);
  if (pwrite(fd, "abc", 3, 7 * PAGE) != 3) puts("short");
  p = map(fd, HUGE, 0, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  p[9 * PAGE] = 1;
  show("private, a page written before", madvise(p, HUGE, MADV_COLLAPSE));
  printf("blocks %ld\n", blocks(fd));
  close(fd);
  clear();
  fd = memory(5 * PAGE);
  p = map(fd, 2 * HUGE, 0, PROT_READ | PROT_WRITE, MAP_SHARED);
  p[0] = 1;
  show("a short file", madvise(p, HUGE, MADV_COLLAPSE));
  printf("blocks %ld, behind the end %ld %ld\n", blocks(fd), try_read(p + 5 * PAGE), try_read(p + HUGE));
  show("behind the end", madvise(p + HUGE, HUGE, MADV_COLLAPSE));
  close(fd);
  clear();
}

static void refused(void) {
  clear();
  char *p = map(-1, HUGE, 0, PROT_READ | PROT_WRITE, MAP_SHARED);
  fill(p, 512);
  madvise(p, HUGE, MADV_NOHUGEPAGE);
  show("MADV_NOHUGEPAGE", madvise(p, HUGE, MADV_COLLAPSE));
  madvise(p, HUGE, MADV_HUGEPAGE);
  prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
  show("PR_SET_THP_DISABLE", madvise(p, HUGE, MADV_COLLAPSE));
  prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
  show("MADV_HUGEPAGE", madvise(p, HUGE, MADV_COLLAPSE));
  int gate[2];
  struct iovec iov = {p + 7 * PAGE, PAGE};
  p = (clear(), map(-1, HUGE, 0, PROT_READ | PROT_WRITE, MAP_SHARED));
  fill(p, 512);
  if (pipe(gate) != 0 || vmsplice(gate[1], &iov, 1, 0) != (long)PAGE) puts("no splice");
  show("a page in a pipe", madvise(p, HUGE, MADV_COLLAPSE));
  close(gate[0]);
  close(gate[1]);
  show("no longer", madvise(p, HUGE, MADV_COLLAPSE));
  p = (clear(), map(-1, HUGE, 0, PROT_READ | PROT_WRITE, MAP_SHARED));
  fill(p, 512);
  mlock(p, HUGE);
  show("locked", madvise(p, HUGE, MADV_COLLAPSE));
  munlock(p, HUGE);
  p = (clear(), map(-1, 3 * HUGE, 0, PROT_READ | PROT_WRITE, MAP_SHARED));
  fill(p, 3 * 512);
  munmap(p + HUGE, PAGE);
  show("a hole", madvise(p, 3 * HUGE, MADV_COLLAPSE));
  printf("%ld\n", sum(p + 2 * HUGE, 512));
  p = (clear(), map(-1, HUGE, 0, PROT_READ | PROT_WRITE, MAP_SHARED));
  fill(p, 512);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    if (syscall(NR_MSEAL, p, HUGE, 0) != 0) puts("no mseal");
    show("sealed", madvise(p, HUGE, MADV_COLLAPSE));
    fflush(stdout);
    _exit(0);
  }
  waitpid(child, NULL, 0);
}

static void changes(void) {
  int fd = collapsed(2, MAP_SHARED);
  char *p = BASE;
  show("collapsed", 0);
  printf("resident %ld blocks %ld sum %ld\n", resident(p, 1024), blocks(fd), sum(p, 1024));
  show("munmap a page", munmap(p + 9 * PAGE, PAGE));
  p[0] = 1;
  show("written", 0);
  p[11 * PAGE] = 1;
  show("written behind", 0);
  show("munmap half", munmap(p + HUGE + HUGE / 2, HUGE / 2));
  close(fd);
  fd = collapsed(1, MAP_SHARED);
  show("mprotect", mprotect(p, HUGE, PROT_READ));
  printf("%ld\n", try_write(p));
  show("mprotect back", mprotect(p, HUGE, PROT_READ | PROT_WRITE));
  p[0] = 5;
  show("mprotect a page", mprotect(p + PAGE, PAGE, PROT_READ));
  printf("%ld %ld %ld\n", try_write(p), try_write(p + PAGE), try_read(p + PAGE));
  show("touched", 0);
  mprotect(p, HUGE, PROT_READ | PROT_WRITE);
  show("one area", 0);
  show("again", madvise(p, HUGE, MADV_COLLAPSE));
  show("MADV_DONTNEED a page", madvise(p + PAGE, PAGE, MADV_DONTNEED));
  p[4 * PAGE] = 1;
  show("touched", 0);
  show("MADV_DONTNEED", madvise(p, HUGE, MADV_DONTNEED));
  (void)*(volatile char *)p;
  show("read", 0);
  p[0] = 1;
  show("written", 0);
  show("MADV_NOHUGEPAGE", madvise(p, HUGE, MADV_NOHUGEPAGE));
  madvise(p, HUGE, MADV_DONTNEED);
  (void)*(volatile char *)(p + 20 * PAGE);
  show("read by pages", 0);
  madvise(p, HUGE, MADV_DONTNEED);
  p[20 * PAGE] = 1;
  show("written by pages", 0);
  madvise(p, HUGE, MADV_HUGEPAGE);
  show("leaf again", madvise(p, HUGE, MADV_COLLAPSE));
  close(fd);

  fd = collapsed(2, MAP_SHARED);
  show("mremap", mremap(p, 2 * HUGE, 2 * HUGE, MREMAP_MAYMOVE | MREMAP_FIXED, OTHER) == OTHER);
  show("mremap by a page", mremap(OTHER, 2 * HUGE, 2 * HUGE, MREMAP_MAYMOVE | MREMAP_FIXED, BASE + PAGE) == BASE + PAGE);
  p[PAGE] = 1;
  show("touched", 0);
  show("not at its place", madvise(p, 2 * HUGE, MADV_COLLAPSE));
  show("mremap back", mremap(BASE + PAGE, 2 * HUGE, 2 * HUGE, MREMAP_MAYMOVE | MREMAP_FIXED, OTHER) == OTHER);
  (void)*(volatile char *)OTHER;
  show("read", 0);
  show("shrink", mremap(OTHER, 2 * HUGE, HUGE + PAGE, 0) == OTHER);
  show("old size 0", mremap(OTHER, 0, HUGE, MREMAP_MAYMOVE | MREMAP_FIXED, BASE) == BASE);
  p[0] = 1;
  show("touched", 0);
  close(fd);

  fd = collapsed(2, MAP_SHARED);
  show("truncate", ftruncate(fd, HUGE + 3 * PAGE + 5));
  printf("blocks %ld, %ld %ld\n", blocks(fd), try_read(p + HUGE + 3 * PAGE), try_read(p + HUGE + 4 * PAGE));
  show("touched", 0);
  show("grown", ftruncate(fd, 2 * HUGE));
  printf("%ld %ld\n", sum(p + HUGE, 512), blocks(fd));
  show("hole", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 5 * PAGE, PAGE));
  printf("blocks %ld sum %ld\n", blocks(fd), sum(p, 512));
  show("touched", 0);
  close(fd);
  fd = collapsed(2, MAP_SHARED);
  show("a part of a page", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 5 * PAGE, 100));
  printf("blocks %ld sum %ld\n", blocks(fd), sum(p, 512));
  show("touched", 0);
  show("MADV_REMOVE of 2 MiB", madvise(p + HUGE, HUGE, MADV_REMOVE));
  printf("blocks %ld\n", blocks(fd));
  show("MADV_REMOVE", madvise(p, HUGE, MADV_REMOVE));
  printf("blocks %ld\n", blocks(fd));
  close(fd);
  fd = collapsed(1, MAP_SHARED);
  show("pwrite", pwrite(fd, "xyz", 3, 3 * PAGE));
  char text[4] = "";
  if (pread(fd, text, 3, 3 * PAGE) != 3) puts("short");
  printf("%s %s\n", text, p + 3 * PAGE);
  show("seal", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
  clear();
  show("seal it", fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
  p = map(fd, HUGE, 0, PROT_READ, MAP_PRIVATE);
  (void)*(volatile char *)p;
  show("private and sealed", 0);
  close(fd);
}

static void copies(void) {
  int fd = collapsed(1, MAP_PRIVATE);
  char *p = BASE;
  show("private", 0);
  (void)*(volatile char *)(p + 3 * PAGE);
  show("read", 0);
  p[5 * PAGE] = 1;
  show("written", 0);
  (void)*(volatile char *)(p + 6 * PAGE);
  show("read behind", 0);
  show("collapse", madvise(p, HUGE, MADV_COLLAPSE));
  close(fd);
  fd = collapsed(1, MAP_SHARED);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    show("child", 0);
    p[0] = 7;
    show("child wrote", 0);
    fflush(stdout);
    _exit(0);
  }
  waitpid(child, NULL, 0);
  printf("%d\n", p[0]);
  show("parent", 0);
  clear();
  p = map(fd, HUGE, 0, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  p[PAGE] = 3;
  fflush(stdout);
  child = fork();
  if (child == 0) {
    show("child of private", 0);
    (void)*(volatile char *)p;
    p[PAGE] = 4;
    show("child wrote", 0);
    fflush(stdout);
    _exit(0);
  }
  waitpid(child, NULL, 0);
  printf("%d\n", p[PAGE]);
  close(fd);

  /* Two mappings of one file. */
  clear();
  fd = memory(HUGE);
  map(fd, HUGE, 0, PROT_READ | PROT_WRITE, MAP_SHARED);
  char *q = mmap(OTHER, HUGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
  fill(p, 512);
  sum(q, 512);
  show("two mappings", madvise(p, HUGE, MADV_COLLAPSE));
  (void)*(volatile char *)q;
  show("both", 0);
  show("a hole", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE));
  printf("%ld %ld\n", sum(p, 2), sum(q, 3));
  show("touched", 0);
  show("the other", madvise(q, HUGE, MADV_COLLAPSE));
  (void)*(volatile char *)p;
  show("touched", 0);
  long value = 5;
  struct iovec from = {&value, 8}, to = {q + 9 * PAGE, 8};
  show("process_vm_writev", process_vm_writev(getpid(), &from, 1, &to, 1, 0));
  show("locked", mlock(p, HUGE));
  show("a hole", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE, PAGE));
  show("a page behind", process_vm_writev(getpid(), &from, 1, &to, 1, 0));
  (void)*(volatile char *)(q + 20 * PAGE);
  show("read behind", 0);
  q[40 * PAGE] = 1;
  show("written behind", 0);
  close(fd);
  fd = collapsed(1, MAP_SHARED);
  show("a hole in the middle", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 100 * PAGE, 50 * PAGE));
  p[90 * PAGE] = 1;
  show("before it", 0);
  p[152 * PAGE] = 1;
  p[200 * PAGE] = 1;
  show("behind it", 0);
  p[120 * PAGE] = 1;
  show("in it", 0);
  if (ftruncate(fd, 300 * PAGE) != 0) puts("ftruncate");
  p[256 * PAGE] = 1;
  show("cut", 0);
  close(fd);
  clear();
  fd = memory(HUGE);
  p = map(fd, HUGE, 0, PROT_READ | PROT_WRITE, MAP_SHARED);
  fill(p, 512);
  if (madvise(p + 2 * PAGE, PAGE, GUARD_INSTALL) == 0) {
    show("a guard page", madvise(p, HUGE, MADV_COLLAPSE));
    printf("%ld\n", try_read(p + 2 * PAGE));
  }
  close(fd);
  clear();
}

/* An area that a userfaultfd watches. */
static int watch(char *p, size_t length, unsigned long mode) {
  int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | 1);
  struct uffdio_api api = {.api = UFFD_API, .features = 1 << 12 /* WP_HUGETLBFS_SHMEM */ | 1 << 10 /* MINOR_SHMEM */};
  if (ioctl(fd, UFFDIO_API, &api) != 0) printf("api: %s\n", strerrorname_np(errno));
  struct uffdio_register range = {.range = {(uintptr_t)p, length}, .mode = mode};
  if (ioctl(fd, UFFDIO_REGISTER, &range) != 0) printf("register: %s\n", strerrorname_np(errno));
  return fd;
}

static int protect(int watcher, char *p, size_t length, int on) {
  struct uffdio_writeprotect range = {.range = {(uintptr_t)p, length}, .mode = on};
  return ioctl(watcher, UFFDIO_WRITEPROTECT, &range);
}

static void watched(void) {
  char *p = BASE;
  int fd = collapsed(1, MAP_SHARED);
  int watcher = watch(p, HUGE, 2);
  show("watched for writes", 0);
  show("a page protected", protect(watcher, p + 3 * PAGE, PAGE, 1));
  (void)*(volatile char *)(p + 40 * PAGE);
  show("read", 0);
  p[50 * PAGE] = 1;
  show("written", 0);
  show("collapse", madvise(p, HUGE, MADV_COLLAPSE));
  show("lifted", protect(watcher, p, HUGE, 0));
  p[3 * PAGE] = 1;
  show("written", 0);
  show("collapse", madvise(p, HUGE, MADV_COLLAPSE));
  madvise(p, HUGE, MADV_DONTNEED);
  show("all protected", protect(watcher, p, HUGE, 1));
  close(watcher);
  close(fd);
  clear();
  fd = memory(HUGE);
  p = map(fd, HUGE, 0, PROT_READ | PROT_WRITE, MAP_SHARED);
  fill(p, 511);
  watcher = watch(p, HUGE, 1);
  show("a page missing", madvise(p, HUGE, MADV_COLLAPSE));
  if (pwrite(fd, "a", 1, 511 * PAGE) != 1) puts("short");
  show("none missing", madvise(p, HUGE, MADV_COLLAPSE));
  close(watcher);
  close(fd);
  clear();
  fd = memory(HUGE);
  p = map(fd, HUGE, 0, PROT_READ | PROT_WRITE, MAP_SHARED);
  p[0] = 1;
  watcher = watch(p, HUGE, 4);
  show("minor faults", madvise(p, HUGE, MADV_COLLAPSE));
  madvise(p, HUGE, MADV_DONTNEED);
  struct uffdio_continue range = {.range = {(uintptr_t)p + 8 * PAGE, 2 * PAGE}};
  show("continue", ioctl(watcher, UFFDIO_CONTINUE, &range));
  show("continue again", ioctl(watcher, UFFDIO_CONTINUE, &range));
  close(watcher);
  close(fd);
  clear();
}

static void put(const char *file, const char *value) {
  char path[128];
  snprintf(path, sizeof path, SETTINGS "%s", file);
  int fd = open(path, O_WRONLY);
  if (fd < 0 || write(fd, value, strlen(value)) < 0) printf("%s = %s: %s\n", file, value, strerrorname_np(errno));
  if (fd >= 0) close(fd);
}

static void get(const char *file) {
  char path[128], text[128] = "";
  snprintf(path, sizeof path, SETTINGS "%s", file);
  int fd = open(path, O_RDONLY);
  if (fd < 0 || read(fd, text, sizeof text - 1) < 0) printf("%s: %s\n", file, strerrorname_np(errno));
  else printf("%s: %s", file, text);
  if (fd >= 0) close(fd);
}

static void figures(void) {
  char line[256];
  FILE *f = fopen("/proc/meminfo", "r");
  while (fgets(line, sizeof line, f) != NULL)
    if (strncmp(line, "ShmemHuge", 9) == 0 || strncmp(line, "ShmemPmd", 8) == 0 ||
        strncmp(line, "FileHuge", 8) == 0 || strncmp(line, "FilePmd", 7) == 0)
      printf("  %s", line);
  fclose(f);
}

static long counter(const char *name) {
  char line[256], key[128];
  long value, found = -1;
  FILE *f = fopen("/proc/vmstat", "r");
  while (fgets(line, sizeof line, f) != NULL)
    if (sscanf(line, "%127s %ld", key, &value) == 2 && strcmp(key, name) == 0) found = value;
  fclose(f);
  return found;
}

static void faulted(const char *setting) {
  printf("== %s\n", setting);
  put("shmem_enabled", setting);
  get("shmem_enabled");
  long allocated = counter("thp_file_alloc"), mapped = counter("thp_file_mapped"), split = counter("thp_split_page");
  clear();
  char *p = map(-1, 2 * HUGE, 0, PROT_READ | PROT_WRITE, MAP_SHARED);
  p[PAGE] = 1;
  show("written", 0);
  (void)*(volatile char *)(p + HUGE);
  show("read", 0);
  show("a page", munmap(p, PAGE));
  clear();
  p = map(-1, 2 * HUGE, 0, PROT_READ | PROT_WRITE, MAP_SHARED);
  madvise(p, 2 * HUGE, MADV_HUGEPAGE);
  p[PAGE] = 1;
  show("advised", 0);
  p = (clear(), map(-1, 2 * HUGE, 0, PROT_READ | PROT_WRITE, MAP_SHARED));
  madvise(p, 2 * HUGE, MADV_NOHUGEPAGE);
  p[PAGE] = 1;
  show("not advised", 0);
  clear();
  int fd = memory(3 * PAGE);
  p = map(fd, HUGE, 0, PROT_READ | PROT_WRITE, MAP_SHARED);
  p[PAGE] = 1;
  show("a short file", 0);
  printf("blocks %ld, %ld\n", blocks(fd), try_read(p + 3 * PAGE));
  figures();
  show("grown", ftruncate(fd, 8 * PAGE));
  show("cut", ftruncate(fd, 2 * PAGE));
  printf("blocks %ld\n", blocks(fd));
  close(fd);
  clear();
  fd = memory(2 * HUGE);
  if (pwrite(fd, "a", 1, 5) != 1) puts("short");
  printf("written: blocks %ld", blocks(fd));
  if (fallocate(fd, 0, HUGE + PAGE, PAGE) != 0) puts("fallocate");
  printf(", and room: blocks %ld\n", blocks(fd));
  p = map(fd, 2 * HUGE, 0, PROT_READ | PROT_WRITE, MAP_SHARED);
  sum(p, 1024);
  show("mapped", 0);
  p = (clear(), map(fd, 2 * HUGE - PAGE, 1, PROT_READ | PROT_WRITE, MAP_SHARED));
  sum(p, 1023);
  show("mapped elsewhere", 0);
  close(fd);
  clear();
  fd = memory(2 * HUGE);
  p = map(fd, 2 * HUGE, 0, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  (void)*(volatile char *)p;
  p[HUGE] = 1;
  show("private", 0);
  printf("blocks %ld\n", blocks(fd));
  close(fd);
  clear();
  fd = memory(HUGE);
  p = map(fd, HUGE, 0, PROT_READ | PROT_WRITE, MAP_SHARED);
  p[0] = 1;
  show("collapse", madvise(p, HUGE, MADV_COLLAPSE));
  close(fd);
  clear();
  int id = shmget(IPC_PRIVATE, HUGE, 0600);
  p = shmat(id, BASE, 0);
  shmctl(id, IPC_RMID, NULL);
  p[3] = 1;
  show("System V", 0);
  shmdt(p);
  printf("allocated %ld mapped %ld split %ld\n", counter("thp_file_alloc") - allocated,
         counter("thp_file_mapped") - mapped, counter("thp_split_page") - split);
  char *q = mmap(NULL, 2 * HUGE + PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  printf("aligned %d\n", (uintptr_t)q % HUGE == 0);
  munmap(q, 2 * HUGE + PAGE);
}

static void sizes(void) {
  static const char *const settings[] = {"always", "within_size", "advise", "inherit", "never", "bad"};
  for (unsigned n = 0; n < sizeof settings / sizeof *settings; n++) {
    printf("== 64 KiB %s\n", settings[n]);
    put("hugepages-64kB/shmem_enabled", settings[n]);
    get("hugepages-64kB/shmem_enabled");
    clear();
    int fd = memory(40 * PAGE);
    char *p = map(fd, 64 * PAGE, 0, PROT_READ | PROT_WRITE, MAP_SHARED);
    p[3 * PAGE] = 1;
    (void)*(volatile char *)(p + 20 * PAGE);
    show("touched", 0);
    madvise(p, 64 * PAGE, MADV_HUGEPAGE);
    p[35 * PAGE] = 1;
    show("advised", 0);
    printf("blocks %ld\n", blocks(fd));
    madvise(p, 64 * PAGE, MADV_DONTNEED);
    p[5 * PAGE] = 1;
    show("again", 0);
    show("a hole", fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 6 * PAGE, PAGE));
    p[5 * PAGE] = 1;
    show("written", 0);
    close(fd);
    p = (clear(), map(-1, 24 * PAGE, 0, PROT_READ | PROT_WRITE, MAP_SHARED));
    p[20 * PAGE] = 1;
    p[2 * PAGE] = 1;
    show("a part", 0);
    clear();
  }
  put("hugepages-64kB/shmem_enabled", "inherit");
  put("shmem_enabled", "force");
  put("hugepages-64kB/shmem_enabled", "never");
  put("shmem_enabled", "force");
  put("hugepages-64kB/shmem_enabled", "inherit");
  put("hugepages-8kB/shmem_enabled", "always");
  put("shmem_enabled", "never");
  put("hugepages-8kB/shmem_enabled", "never");
}

static void mounted(const char *options) {
  static const char *const settings[] = {"never", "deny", "force"};
  printf("== tmpfs %s\n", options);
  mkdir("/tmp/sharedhuge", 0755);
  if (mount("none", "/tmp/sharedhuge", "tmpfs", 0, options) != 0) {
    printf("mount: %s\n", strerrorname_np(errno));
    return;
  }
  char line[512];
  FILE *f = fopen("/proc/mounts", "r");
  while (fgets(line, sizeof line, f) != NULL)
    if (strstr(line, "/tmp/sharedhuge") != NULL) printf("%s\n", strstr(line, "huge=") != NULL ? strtok(strstr(line, "huge="), ", ") : "no huge=");
  fclose(f);
  for (int i = 0; i < 3; i++) {
    put("shmem_enabled", settings[i]);
    clear();
    int fd = open("/tmp/sharedhuge/file", O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (ftruncate(fd, 2 * HUGE) != 0) puts("ftruncate");
    char *p = map(fd, 2 * HUGE, 0, PROT_READ | PROT_WRITE, MAP_SHARED);
    p[0] = 1;
    show(settings[i], 0);
    madvise(p, 2 * HUGE, MADV_HUGEPAGE);
    p[HUGE] = 1;
    show("advised", 0);
    clear();
    if (ftruncate(fd, 0) != 0 || pwrite(fd, "abc", 3, PAGE) != 3) puts("short");
    printf("written: blocks %ld\n", blocks(fd));
    if (pwrite(fd, "abc", 3, HUGE - 3) != 3) puts("short");
    printf("written: blocks %ld\n", blocks(fd));
    close(fd);
  }
  put("shmem_enabled", "never");
  umount("/tmp/sharedhuge");
}

static void wait_for_scan(void) {
  char path[] = SETTINGS "khugepaged/full_scans", text[32] = "";
  long first = -1;
  for (int i = 0; i < 600; i++) {
    int fd = open(path, O_RDONLY);
    if (read(fd, text, sizeof text - 1) < 0) return;
    close(fd);
    if (first < 0) first = atol(text);
    if (atol(text) > first + 2) return;
    usleep(10000);
  }
  puts("no scan");
}

static void found(void) {
  put("khugepaged/scan_sleep_millisecs", "10");
  put("khugepaged/alloc_sleep_millisecs", "10");
  put("shmem_enabled", "never");
  put("shmem_enabled", "advise");
  clear();
  int fd = memory(3 * HUGE);
  char *p = map(fd, 3 * HUGE, 0, PROT_READ | PROT_WRITE, MAP_SHARED);
  fill(p, 512 + 1);
  show("filled", 0);
  madvise(p, 3 * HUGE, MADV_HUGEPAGE);
  char *own = mmap(OTHER, HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  madvise(own, HUGE, MADV_HUGEPAGE);
  own[0] = 1;
  wait_for_scan();
  show("found", 0);
  printf("blocks %ld sum %ld\n", blocks(fd), sum(p, 512));
  show("touched", 0);
  close(fd);
  clear();
  put("khugepaged/max_ptes_none", "0");
  fd = memory(2 * HUGE);
  p = map(fd, 2 * HUGE, 0, PROT_READ | PROT_WRITE, MAP_SHARED);
  fill(p, 1023);
  madvise(p, 2 * HUGE, MADV_HUGEPAGE);
  own = mmap(OTHER, HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  madvise(own, HUGE, MADV_HUGEPAGE);
  own[0] = 1;
  wait_for_scan();
  sum(p, 1023);
  show("none missing", 0);
  close(fd);
  put("khugepaged/max_ptes_none", "511");
  put("khugepaged/scan_sleep_millisecs", "10000");
  put("shmem_enabled", "never");
}

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOFBF, 1 << 16);
  pagemap = open("/proc/self/pagemap", O_RDONLY);
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
  for (int i = 1; i < argc; i++) {
    fflush(stdout);
    if (strcmp(argv[i], "madvise") == 0) put("enabled", "madvise");
    if (strcmp(argv[i], "kinds") == 0) kinds_of_memory();
    if (strcmp(argv[i], "refused") == 0) refused();
    if (strcmp(argv[i], "changes") == 0) changes();
    if (strcmp(argv[i], "copies") == 0) copies();
    if (strcmp(argv[i], "watched") == 0) watched();
    if (strcmp(argv[i], "enabled") == 0) {
      static const char *const settings[] = {"never", "always", "within_size", "advise", "deny", "force", "bad"};
      for (unsigned n = 0; n < sizeof settings / sizeof *settings; n++) faulted(settings[n]);
      put("shmem_enabled", "never");
    }
    if (strcmp(argv[i], "sizes") == 0) sizes();
    if (strcmp(argv[i], "mounts") == 0) {
      static const char *const options[] = {"huge=never", "huge=always", "huge=within_size", "huge=advise", "huge=deny", "huge=often", "huge", "size=1m,huge=always"};
      for (unsigned n = 0; n < sizeof options / sizeof *options; n++) mounted(options[n]);
    }
    if (strcmp(argv[i], "khugepaged") == 0) found();
  }
  return 0;
}
