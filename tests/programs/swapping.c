/*
 * swapon, swapoff, and pages in a swap area: what calls refuse, and what pagemap, smaps, status and mincore say of pages
 * that MADV_PAGEOUT sent away. Root, in a directory of a file system that can be swapped to; DIR is a directory of a tmpfs.
 *   swapping DIR
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/sysinfo.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096ul
#define AREA_PAGES 1024
#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 8
#endif
#ifndef MADV_COLD
#define MADV_COLD 20
#define MADV_PAGEOUT 21
#endif

static int page_map;

static void report(const char *name, long result) {
  if (result == 0) printf("%s: 0\n", name);
  else printf("%s: %s\n", name, strerrorname_np(errno));
}

struct header {
  uint32_t version, last, bad_count;
  uint32_t bad;
  int big;
};

static void word(unsigned char *at, uint32_t value, int big) {
  for (int i = 0; i < 4; i++) at[i] = value >> 8 * (big ? 3 - i : i);
}

/* A file of whole pages with a header such as mkswap writes. */
static void make_area(const char *path, int pages, struct header h, const char *magic) {
  static unsigned char page[PAGE];
  int fd = open(path, O_CREAT | O_TRUNC | O_RDWR, 0600);
  memset(page, 0, PAGE);
  word(page + 1024, h.version, h.big);
  word(page + 1028, h.last, h.big);
  word(page + 1032, h.bad_count, h.big);
  word(page + 1536, h.bad, h.big);
  memcpy(page + 1052, "label", 5);
  memcpy(page + PAGE - 10, magic, 10);
  for (int i = 0; i < pages; i++) {
    if (write(fd, page, PAGE) != PAGE) printf("write of the area: %s\n", strerrorname_np(errno));
    memset(page, 0, PAGE);
  }
  fsync(fd);
  close(fd);
}

static void swaps(const char *name) {
  char line[512], path[256], type[32];
  long size, used;
  int priority;
  FILE *file = fopen("/proc/swaps", "r");
  printf("%s:", name);
  fgets(line, sizeof line, file);
  while (fgets(line, sizeof line, file)) {
    sscanf(line, "%255s %31s %ld %ld %d", path, type, &size, &used, &priority);
    char *slash = strrchr(path, '/');
    printf(" [%s %s %ld %d]", slash ? slash + 1 : path, type, size, priority);
  }
  puts("");
  fclose(file);
}

static void refusals(const char *tmpfs) {
  char path[300];
  struct header good = {.version = 1, .last = 15};
  make_area("good", 16, good, "SWAPSPACE2");
  errno = 0;
  report("no such file", swapon("nothing", 0));
  report("unknown flag", swapon("good", 0x80000));
  report("directory", swapon("/", 0));
  report("device", swapon("/dev/zero", 0));
  report("bad address", syscall(SYS_swapon, 1, 0));
  report("swapoff of what is none", swapoff("good"));
  report("swapoff of nothing", swapoff("nothing"));
  report("swapoff of a device", swapoff("/dev/zero"));
  snprintf(path, sizeof path, "%s/area", tmpfs);
  make_area(path, 16, good, "SWAPSPACE2");
  report("tmpfs", swapon(path, 0));
  unlink(path);
  int fd = memfd_create("area", 0);
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  report("memfd", swapon(path, 0));
  close(fd);
  make_area("odd", 16, good, "SWAP-SPACE");
  report("old signature", swapon("odd", 0));
  make_area("odd", 16, (struct header){.version = 2, .last = 15}, "SWAPSPACE2");
  report("version 2", swapon("odd", 0));
  make_area("odd", 16, (struct header){.version = 1, .last = 0}, "SWAPSPACE2");
  report("no page", swapon("odd", 0));
  make_area("odd", 16, (struct header){.version = 1, .last = 16}, "SWAPSPACE2");
  report("too short", swapon("odd", 0));
  make_area("odd", 16, (struct header){.version = 1, .last = 15, .bad_count = 1, .bad = 3}, "SWAPSPACE2");
  report("bad pages in a file", swapon("odd", 0));
  make_area("odd", 1, good, "SWAPSPACE2");
  truncate("odd", 16 * PAGE);
  report("hole", swapon("odd", 0));
  make_area("odd", 16, (struct header){.version = 1, .last = 7, .big = 1}, "SWAPSPACE2");
  report("other byte order", swapon("odd", 0));
  report("twice", swapon("odd", 0));
  swaps("one");
  report("good, priority 7", swapon("good", SWAP_FLAG_PREFER | 7));
  swaps("two");
  make_area("third", 16, good, "SWAPSPACE2");
  report("third, discard", swapon("third", SWAP_FLAG_DISCARD));
  swaps("three");
  report("unlink", unlink("good"));
  report("rename", rename("good", "better"));
  fd = open("good", O_RDWR);
  report("write", write(fd, "x", 1) == 1 ? 0 : -1);
  report("truncate", ftruncate(fd, 0));
  report("fallocate", fallocate(fd, 0, 0, PAGE));
  close(fd);
  fd = open("good", O_RDONLY | O_TRUNC);
  report("open to cut", fd < 0 ? -1 : 0);
  if (fork() == 0) {
    seteuid(65534);
    report("swapon by another", swapon("good", 0));
    report("swapoff by another", swapoff("good"));
    fflush(stdout);
    _exit(0);
  }
  wait(NULL);
  report("swapoff one", swapoff("odd"));
  swaps("without one");
  report("swapoff good", swapoff("good"));
  report("swapoff third", swapoff("third"));
  swaps("none");
  report("unlink now", unlink("good") | unlink("odd") | unlink("third"));
}

/* Of each page: P present, S swapped, . neither; d soft-dirty; f of a file or shared; x mapped once. */
static void pages(const char *name, char *at, int count) {
  printf("%s:", name);
  for (int i = 0; i < count; i++) {
    uint64_t entry = 0;
    pread(page_map, &entry, 8, ((uintptr_t)at / PAGE + i) * 8);
    printf(" %c%s%s%s", entry >> 63 ? 'P' : entry >> 62 & 1 ? 'S' : '.', entry >> 55 & 1 ? "d" : "",
           entry >> 61 & 1 ? "f" : "", entry >> 56 & 1 ? "x" : "");
  }
  puts("");
}

static void in_core(const char *name, char *at, int count) {
  unsigned char vector[64] = {0};
  mincore(at, count * PAGE, vector);
  printf("%s in core:", name);
  for (int i = 0; i < count; i++) printf(" %d", vector[i] & 1);
  puts("");
}

static void smaps(const char *name, char *at) {
  char line[256], head[32], label[64];
  long amount;
  FILE *file = fopen("/proc/self/smaps", "r");
  int inside = 0;
  snprintf(head, sizeof head, "%lx-", (unsigned long)at);
  printf("%s:", name);
  while (fgets(line, sizeof line, file)) {
    if (strncmp(line, head, strlen(head)) == 0) inside = 1;
    else if ((line[0] >= 'a' && line[0] <= 'f') || (line[0] >= '0' && line[0] <= '9')) inside = 0;
    if (!inside || sscanf(line, "%63[^:]: %ld kB", label, &amount) != 2) continue;
    if (strcmp(label, "Rss") == 0 || strncmp(label, "Private_", 8) == 0 || strncmp(label, "Shared_C", 8) == 0 ||
        strncmp(label, "Shared_D", 8) == 0 || strncmp(label, "Swap", 4) == 0 || strcmp(label, "LazyFree") == 0)
      printf(" %s %ld", label, amount);
  }
  puts("");
  fclose(file);
}

static long from(const char *path, const char *wanted) {
  char line[256], label[64];
  long amount, found = -1;
  FILE *file = fopen(path, "r");
  while (fgets(line, sizeof line, file))
    if (sscanf(line, "%63[^: \t]%*[: \t]%ld", label, &amount) == 2 && strcmp(label, wanted) == 0) found = amount;
  fclose(file);
  return found;
}

static char *map(int count, int flags) {
  char *at = mmap(NULL, count * PAGE, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);
  if (at == MAP_FAILED) return at;
  madvise(at, count * PAGE, MADV_NOHUGEPAGE);
  for (int i = 0; i < count; i++) memset(at + i * PAGE, 'a' + i, PAGE);
  return at;
}

/* Until it is so: Linux may find a page busy. Whether it stays in the swap cache depends on how fast the area is. */
static void page_out(char *at, int count) {
  int result = 0;
  for (int tries = 0; tries < 50; tries++) {
    result = madvise(at, count * PAGE, MADV_PAGEOUT);
    int there = 0;
    for (int i = 0; i < count; i++) {
      uint64_t entry = 0;
      pread(page_map, &entry, 8, ((uintptr_t)at / PAGE + i) * 8);
      there += entry >> 63;
    }
    if (there == 0) break;
    usleep(20000);
  }
  if (result != 0) printf("pageout: %s\n", strerrorname_np(errno));
}

static void bytes(const char *name, const char *at, int count) {
  printf("%s bytes:", name);
  for (int i = 0; i < count; i++) {
    int same = 1;
    for (unsigned long j = 1; j < PAGE; j++) same &= at[i * PAGE + j] == at[i * PAGE];
    printf(" %d%s", at[i * PAGE], same ? "" : "?");
  }
  puts("");
}

static void anonymous(void) {
  char *at = map(8, MAP_PRIVATE);
  pages("written", at, 8);
  page_out(at, 8);
  pages("paged out", at, 8);
  smaps("paged out", at);
  printf("VmSwap at least 8 pages: %d\n", from("/proc/self/status", "VmSwap") >= 32);
  volatile char sink = at[0];
  pages("one read", at, 1);
  in_core("one read", at, 1);
  at[PAGE] = 'x';
  pages("one written", at + PAGE, 1);
  page_out(at, 2);
  pages("again", at, 8);
  bytes("all", at, 8);
  page_out(at, 8);
  mprotect(at, 4 * PAGE, PROT_READ);
  mprotect(at + 4 * PAGE, 4 * PAGE, PROT_NONE);
  pages("protected", at, 8);
  bytes("read-only", at, 4);
  mprotect(at, 8 * PAGE, PROT_READ | PROT_WRITE);
  page_out(at, 8);
  char *to = mremap(at, 8 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + 64 * PAGE);
  pages("moved", to, 8);
  madvise(to, 2 * PAGE, MADV_DONTNEED);
  madvise(to + 2 * PAGE, 2 * PAGE, MADV_FREE);
  pages("given up", to, 8);
  bytes("given up", to, 8);
  page_out(to, 8);
  report("mlock", mlock(to, 4 * PAGE));
  pages("locked", to, 8);
  report("pageout of locked", madvise(to, 2 * PAGE, MADV_PAGEOUT));
  report("cold of locked", madvise(to, 2 * PAGE, MADV_COLD));
  munlock(to, 4 * PAGE);
  page_out(to, 8);
  report("populate", madvise(to, 2 * PAGE, 22));
  report("populate to write", madvise(to + 2 * PAGE, 2 * PAGE, 23));
  pages("populated", to, 8);
  report("willneed", madvise(to + 4 * PAGE, 2 * PAGE, MADV_WILLNEED));
  usleep(100000);
  pages("willneed", to + 4 * PAGE, 2);
  in_core("willneed", to + 4 * PAGE, 2);
  munmap(to, 8 * PAGE);

  char *droppable = map(2, MAP_DROPPABLE);
  if (droppable != MAP_FAILED) {
    madvise(droppable, 2 * PAGE, MADV_PAGEOUT);
    pages("droppable", droppable, 2);
    munmap(droppable, 2 * PAGE);
  }
}

static void soft_dirty(void) {
  char *at = map(4, MAP_PRIVATE);
  int fd = open("/proc/self/clear_refs", O_WRONLY);
  write(fd, "4", 1);
  at[0] = 'n';
  at[PAGE] = 'n';
  page_out(at, 4);
  pages("soft-dirty", at, 4);
  volatile char sink = at[0] + at[2 * PAGE];
  at[3 * PAGE] = 'n';
  pages("soft-dirty, back", at, 4);
  page_out(at, 4);
  write(fd, "4", 1);
  pages("cleared", at, 4);
  close(fd);
  munmap(at, 4 * PAGE);
}

static void say(int fd, char what) { write(fd, &what, 1); }
static void hear(int fd) {
  char what;
  read(fd, &what, 1);
}

static void families(void) {
  char *at = map(4, MAP_PRIVATE);
  int up[2], down[2];
  pipe(up);
  pipe(down);
  page_out(at, 4);
  fflush(stdout);
  if (fork() == 0) {
    close(page_map);
    page_map = open("/proc/self/pagemap", O_RDONLY);
    pages("child", at, 4);
    smaps("child", at);
    at[0] = 'C';
    volatile char sink = at[PAGE];
    pages("child, one written, one read", at, 2);
    bytes("child", at, 2);
    fflush(stdout);
    say(up[1], 1);
    hear(down[0]);
    bytes("child, after the parent wrote", at, 4);
    fflush(stdout);
    _exit(0);
  }
  hear(up[0]);
  pages("parent", at, 4);
  bytes("parent", at, 2);
  at[PAGE] = 'P';
  at[2 * PAGE] = 'P';
  fflush(stdout);
  say(down[1], 1);
  wait(NULL);
  bytes("parent after", at, 4);
  smaps("parent after", at);
  if (fork() == 0) {
    madvise(at, 4 * PAGE, MADV_PAGEOUT);
    close(page_map);
    page_map = open("/proc/self/pagemap", O_RDONLY);
    pages("mapped twice, pageout", at, 3);
    fflush(stdout);
    _exit(0);
  }
  wait(NULL);
  munmap(at, 4 * PAGE);
}

static sigjmp_buf back;
static int code;
static void faulted(int number, siginfo_t *info, void *context) {
  code = info->si_code;
  siglongjmp(back, 1);
}

static void keys(void) {
  struct sigaction action = {.sa_sigaction = faulted, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);
  char *at = map(2, MAP_PRIVATE);
  int key = syscall(SYS_pkey_alloc, 0, 1);
  if (key < 0) {
    puts("no keys");
    return;
  }
  page_out(at, 2);
  syscall(SYS_pkey_mprotect, at, 2 * PAGE, PROT_READ | PROT_WRITE, key);
  code = 0;
  if (sigsetjmp(back, 1) == 0) printf("read %d\n", at[0]);
  printf("key forbids: code %d\n", code);
  pages("still out", at, 1);
  syscall(SYS_pkey_mprotect, at, 2 * PAGE, PROT_READ, 0);
  code = 0;
  if (sigsetjmp(back, 1) == 0) at[0] = 1;
  printf("read-only: code %d\n", code);
  bytes("no key", at, 2);
  syscall(SYS_pkey_free, key);
  munmap(at, 2 * PAGE);
}

static void shared(void) {
  char *at = map(4, MAP_SHARED);
  page_out(at, 4);
  pages("shared, paged out", at, 4);
  smaps("shared, paged out", at);
  at[0] = 'S';
  pages("shared, one written", at, 1);
  fflush(stdout);
  if (fork() == 0) {
    at[PAGE] = 'T';
    bytes("shared, child", at, 4);
    fflush(stdout);
    _exit(0);
  }
  wait(NULL);
  bytes("shared", at, 4);
  munmap(at, 4 * PAGE);

  int fd = memfd_create("memory", MFD_ALLOW_SEALING);
  char buffer[3 * PAGE], one;
  memset(buffer, 'm', sizeof buffer);
  write(fd, buffer, sizeof buffer);
  at = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  volatile char sink = at[0] + at[PAGE] + at[2 * PAGE];
  page_out(at, 3);
  pages("memfd, paged out", at, 3);
  struct stat status;
  fstat(fd, &status);
  printf("memfd blocks %ld data at %ld hole at %ld\n", (long)status.st_blocks, (long)lseek(fd, 0, SEEK_DATA),
         (long)lseek(fd, 0, SEEK_HOLE));
  pread(fd, &one, 1, PAGE + 5);
  printf("memfd reads %c\n", one);
  pwrite(fd, "w", 1, 2 * PAGE);
  printf("memfd has %c%c\n", at[2 * PAGE], at[2 * PAGE + 1]);
  page_out(at, 3);
  fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE);
  ftruncate(fd, 2 * PAGE);
  ftruncate(fd, 3 * PAGE);
  bytes("memfd, hole and cut", at, 3);
  page_out(at, 3);
  int private = at[PAGE];
  char *copy = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
  copy[PAGE] = 'p';
  page_out(copy + PAGE, 1);
  pages("private copy, paged out", copy + PAGE, 1);
  bytes("private copy", copy, 3);
  printf("memfd keeps %d\n", at[PAGE] == private);
  munmap(at, 3 * PAGE);
  munmap(copy, 3 * PAGE);
  close(fd);
}

struct page_region {
  uint64_t start, end, categories;
};
struct pm_scan_arg {
  uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages, inverted, mask, anyof, return_mask;
};

static void scan(void) {
  char *at = map(6, MAP_PRIVATE);
  struct page_region found[8];
  page_out(at + PAGE, 2);
  page_out(at + 4 * PAGE, 1);
  struct pm_scan_arg arg = {.size = sizeof arg, .start = (uintptr_t)at, .end = (uintptr_t)at + 6 * PAGE,
                            .vec = (uintptr_t)found, .vec_len = 8, .anyof = 16, .return_mask = 2 | 4 | 8 | 16 | 32};
  int count = ioctl(page_map, _IOWR('f', 16, struct pm_scan_arg), &arg);
  printf("scan:");
  for (int i = 0; i < count; i++)
    printf(" %ld-%ld %ld", (long)(found[i].start - (uintptr_t)at) / 4096, (long)(found[i].end - (uintptr_t)at) / 4096,
           (long)found[i].categories);
  puts("");
  munmap(at, 6 * PAGE);
}

static void back_again(void) {
  char *at = map(6, MAP_PRIVATE), *common = map(2, MAP_SHARED);
  page_out(at, 6);
  page_out(common, 2);
  mprotect(at, PAGE, PROT_READ);
  struct sysinfo info;
  sysinfo(&info);
  printf("sysinfo swap %ld, less is free: %d\n", (long)info.totalswap / 4096, info.freeswap < info.totalswap);
  printf("SwapTotal %ld\n", from("/proc/meminfo", "SwapTotal"));
  printf("went out: %d came in: %d\n", from("/proc/vmstat", "pswpout") > 20, from("/proc/vmstat", "pswpin") > 10);
  report("swapoff", swapoff("area"));
  pages("after swapoff", at, 6);
  in_core("after swapoff, shared", common, 2);
  bytes("after swapoff", at, 6);
  bytes("after swapoff, shared", common, 2);
  at[PAGE] = 'y';
  pages("after swapoff, written", at + PAGE, 1);
  sysinfo(&info);
  printf("sysinfo swap %ld\n", (long)info.totalswap / 4096);
  report("pageout without swap", madvise(at, 6 * PAGE, MADV_PAGEOUT));
  pages("pageout without swap", at, 6);
}

int main(int argc, char **argv) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  page_map = open("/proc/self/pagemap", O_RDONLY);
  refusals(argc > 1 ? argv[1] : "/dev/shm");
  make_area("area", AREA_PAGES, (struct header){.version = 1, .last = AREA_PAGES - 1}, "SWAPSPACE2");
  report("swapon", swapon("area", 0));
  swaps("area");
  anonymous();
  soft_dirty();
  families();
  keys();
  shared();
  scan();
  back_again();
  unlink("area");
  return 0;
}
