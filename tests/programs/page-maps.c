/* What /proc/self/pagemap, its PAGEMAP_SCAN, PROCMAP_QUERY on maps and clear_refs answer, a line each. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096ul
#define BASE ((char *)0x10000000000ul)
#define FRAME_BITS 0x007ffffffffffffful
#define SOFT_DIRTY (1ul << 55)
#define GUARD_INSTALL 102

struct scan {
  uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages, inverted, mask, anyof, told;
};
struct range {
  uint64_t start, end, categories;
};
struct query {
  uint64_t size, flags, address, start, end, area_flags, page_size, offset, inode;
  uint32_t major, minor, name_size, build_id_size;
  uint64_t name, build_id;
};

static int pagemap, maps;

static char *map(long page, long pages, int prot, int flags) {
  return mmap(BASE + page * PAGE, pages * PAGE, prot, flags | MAP_FIXED | MAP_ANONYMOUS, -1, 0);
}

static void entries(const char *name, long page, int count) {
  printf("%s:", name);
  for (int i = 0; i < count; i++) {
    uint64_t entry = 0;
    pread(pagemap, &entry, 8, ((uintptr_t)BASE / PAGE + page + i) * 8);
    /* A frame's number is nobody's business, a guard marker's is the same everywhere. */
    if (entry >> 63) entry &= ~FRAME_BITS;
    printf(" %016lx", entry & ~SOFT_DIRTY);
  }
  puts("");
}

static void scan(const char *name, struct scan s) {
  struct range ranges[16];
  memset(ranges, 0, sizeof ranges);
  if (s.size == 0) s.size = sizeof s;
  if (s.vec == 0 && s.vec_len != 0) s.vec = (uintptr_t)ranges;
  if (s.vec == 1) s.vec = 0;
  if (s.start < 1000) s.start = (uintptr_t)BASE + s.start * PAGE;
  if (s.end < 1000) s.end = (uintptr_t)BASE + s.end * PAGE;
  long found = ioctl(pagemap, 0xc0606610ul, &s);
  printf("%s: %ld", name, found);
  if (found < 0) printf(" errno %d", errno);
  printf(", to %ld;", s.walk_end == 0 ? -1 : (long)(s.walk_end - (uintptr_t)BASE) / (long)PAGE);
  for (long i = 0; i < found && i < 16; i++)
    printf(" %ld-%ld:%lx", (long)(ranges[i].start - (uintptr_t)BASE) / (long)PAGE,
           (long)(ranges[i].end - (uintptr_t)BASE) / (long)PAGE, ranges[i].categories);
  puts("");
}

static void query(const char *name, struct query q) {
  char text[64] = "";
  if (q.size == 0) q.size = sizeof q;
  if (q.name_size != 0) q.name = (uintptr_t)text;
  if (q.address < 1000) q.address = (uintptr_t)BASE + q.address * PAGE;
  int result = ioctl(maps, 0xc0686611ul, &q);
  printf("%s: %d", name, result);
  if (result < 0) printf(" errno %d\n", errno);
  else
    printf(" %ld-%ld %lx %lu %lu %u:%u name %u\n", (long)(q.start - (uintptr_t)BASE) / (long)PAGE,
           (long)(q.end - (uintptr_t)BASE) / (long)PAGE, q.area_flags, q.page_size, q.offset, q.major, q.minor,
           q.name_size);
}

static void bytes(const char *name, long result) {
  printf("%s: %ld", name, result);
  if (result < 0) printf(" errno %d", errno);
  puts("");
}

static void clear(const char *text) {
  int file = open("/proc/self/clear_refs", O_WRONLY);
  bytes(text, write(file, text, strlen(text)));
  close(file);
}

static int dirty(long page) {
  uint64_t entry = 0;
  pread(pagemap, &entry, 8, ((uintptr_t)BASE / PAGE + page) * 8);
  return (entry & SOFT_DIRTY) != 0;
}

/* Of kernels that keep soft-dirty bits only. */
static void soft_dirty(void) {
  volatile char *p = map(200, 6, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  volatile char *shared = map(210, 1, PROT_READ | PROT_WRITE, MAP_SHARED);
  printf("new: %d", dirty(200));
  p[0] = p[PAGE] = shared[0] = 1;
  (void)p[2 * PAGE];
  printf(" %d %d %d\n", dirty(200), dirty(201), dirty(203));
  clear("4");
  printf("cleared: %d %d %d %d\n", dirty(200), dirty(202), dirty(203), dirty(210));
  (void)p[0];
  p[PAGE] = p[2 * PAGE] = p[3 * PAGE] = shared[0] = 2;
  printf("written: %d %d %d %d %d\n", dirty(200), dirty(201), dirty(202), dirty(203), dirty(210));
  clear("4");
  mprotect((void *)p, PAGE, PROT_READ);
  mprotect((void *)p, PAGE, PROT_READ | PROT_WRITE);
  printf("protected and back: %d", dirty(200));
  p[0] = 3;
  printf(" %d\n", dirty(200));
  clear("4");
  mremap((void *)(p + PAGE), PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, BASE + 220 * PAGE);
  printf("moved: %d\n", dirty(220));
  clear("4");
  madvise((void *)p, PAGE, MADV_DONTNEED);
  printf("discarded: %d", dirty(200));
  (void)p[0];
  printf(" %d", dirty(200));
  p[0] = 4;
  printf(" %d\n", dirty(200));
}

int main(int argc, char **argv) {
  (void)argv;
  setvbuf(stdout, 0, _IOLBF, 0);
  pagemap = open("/proc/self/pagemap", O_RDONLY);
  maps = open("/proc/self/maps", O_RDONLY);
  if (argc > 1) {
    soft_dirty();
    return 0;
  }
  volatile char *p = map(0, 100, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  p[0] = p[PAGE] = p[5 * PAGE] = 1;
  (void)p[3 * PAGE];
  madvise((void *)(p + 7 * PAGE), PAGE, GUARD_INSTALL);
  volatile char *shared = map(600, 3, PROT_READ | PROT_WRITE, MAP_SHARED);
  shared[PAGE] = 1;

  entries("private", 0, 10);
  entries("shared", 600, 3);
  entries("nothing", 700, 2);
  char buffer[64];
  bytes("odd length", pread(pagemap, buffer, 7, 0));
  bytes("odd place", pread(pagemap, buffer, 8, 3));
  bytes("at the end", pread(pagemap, buffer, 16, 0x7ffffffff000 / PAGE * 8 - 8));
  bytes("past the end", pread(pagemap, buffer, 16, 0x7ffffffff000 / PAGE * 8 + 8));
  bytes("no length", pread(pagemap, buffer, 0, 0));
  bytes("another request", ioctl(pagemap, 0xc0606611ul, 0));

  uint64_t all = 0x1ff - 0x80;
  scan("all", (struct scan){.end = 10, .vec_len = 16, .anyof = all, .told = all});
  scan("no condition", (struct scan){.end = 10, .vec_len = 16, .told = all});
  scan("written", (struct scan){.end = 10, .vec_len = 16, .mask = 2, .told = 2});
  scan("present", (struct scan){.end = 10, .vec_len = 16, .mask = 8, .told = 8});
  scan("not present", (struct scan){.end = 10, .vec_len = 16, .mask = 8, .inverted = 8, .told = all});
  scan("room for one", (struct scan){.end = 10, .vec_len = 1, .mask = 8, .told = 8});
  scan("room for two", (struct scan){.end = 10, .vec_len = 2, .mask = 8, .told = 8});
  for (int most = 1; most <= 5; most++)
    scan("some pages", (struct scan){.end = 10, .vec_len = 16, .max_pages = most, .mask = 8, .told = 8});
  scan("some empty", (struct scan){.end = 10, .vec_len = 16, .max_pages = 3, .mask = 8, .inverted = 8, .told = all});
  scan("guards", (struct scan){.end = 10, .vec_len = 16, .mask = 256, .told = all});
  scan("zero page", (struct scan){.end = 10, .vec_len = 16, .mask = 32, .told = all});
  scan("no vector", (struct scan){.end = 10, .vec = 1, .mask = 8, .told = 8});
  scan("length without vector", (struct scan){.end = 10, .vec = 1, .vec_len = 3, .mask = 8, .told = 8});
  scan("nothing told", (struct scan){.end = 10, .vec_len = 16, .mask = 8});
  scan("unknown flag", (struct scan){.flags = 4, .end = 10, .vec_len = 16, .mask = 8, .told = 8});
  scan("unknown category", (struct scan){.end = 10, .vec_len = 16, .mask = 0x200, .told = 8});
  scan("unknown category told", (struct scan){.end = 10, .vec_len = 16, .mask = 8, .told = 0x200});
  scan("write-protect", (struct scan){.flags = 1, .end = 10, .vec_len = 16, .mask = 8, .told = 8});
  scan("check", (struct scan){.flags = 2, .end = 10, .vec_len = 16, .mask = 8, .told = 8});
  scan("odd start", (struct scan){.start = (uintptr_t)BASE + 1, .end = 10, .vec_len = 16, .mask = 8, .told = 8});
  scan("odd end", (struct scan){.end = (uintptr_t)BASE + PAGE + 1, .vec_len = 16, .mask = 8, .told = 8});
  scan("empty", (struct scan){.start = 3, .end = 3, .vec_len = 16, .mask = 8, .told = 8});
  scan("backwards", (struct scan){.start = 5, .end = 3, .vec_len = 16, .mask = 8, .told = 8});
  scan("kernel", (struct scan){.end = 0xffff800000000000, .vec_len = 16, .mask = 8, .told = 8});
  scan("bad vector", (struct scan){.end = 10, .vec = 8, .vec_len = 16, .mask = 8, .told = 8});
  scan("size", (struct scan){.size = 88});
  scan("shared", (struct scan){.start = 600, .end = 603, .vec_len = 16, .anyof = all, .told = all});
  mprotect((void *)(shared + PAGE), PAGE, PROT_NONE);
  entries("no access", 601, 1);
  scan("no access", (struct scan){.start = 600, .end = 603, .vec_len = 16, .anyof = all, .told = all});
  munmap((void *)(shared + PAGE), PAGE);
  scan("around a hole", (struct scan){.start = 600, .end = 603, .vec_len = 16, .told = all});

  query("here", (struct query){.address = 4});
  query("shared", (struct query){.address = 600, .name_size = 64});
  query("hole", (struct query){.address = 601});
  query("next", (struct query){.address = 601, .flags = 0x10});
  query("next shared", (struct query){.address = 4, .flags = 0x18});
  query("executable", (struct query){.address = 4, .flags = 4});
  query("with a file", (struct query){.address = 4, .flags = 0x20});
  query("unknown flag", (struct query){.address = 4, .flags = 0x40});
  query("no name", (struct query){.address = 4, .name_size = 64});
  query("short name", (struct query){.address = 600, .name_size = 3});
  query("name without size", (struct query){.address = 4, .name = 8});
  query("too small", (struct query){.size = 16});
  query("smallest", (struct query){.size = 24, .address = 4});
  query("too large", (struct query){.size = 5000});

  clear("4\n");
  clear("1");
  clear("5");
  clear("0");
  clear("6");
  clear("x");
  return 0;
}
