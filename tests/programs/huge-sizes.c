/* Sizes of huge pages below 2 MiB (hugepages-NkB in /sys, which it changes): which pages a write brings in. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define PAGE 4096ul
#define HUGE (512 * PAGE)
#define BASE ((char *)0x10000000000ul)
#define PAGES 1024

static void put(const char *file, const char *value) {
  char path[128];
  snprintf(path, sizeof path, "/sys/kernel/mm/transparent_hugepage/%s", file);
  int fd = open(path, O_WRONLY);
  if (fd < 0 || write(fd, value, strlen(value)) < 0) printf("%s cannot be set to %s\n", file, value);
  if (fd >= 0) close(fd);
}

static void size(int kib, const char *value) {
  char file[64];
  snprintf(file, sizeof file, "hugepages-%dkB/enabled", kib);
  put(file, value);
}

/* The runs of pages that are there, and what smaps says. */
static void show(const char *what) {
  uint64_t entries[PAGES];
  int fd = open("/proc/self/pagemap", O_RDONLY);
  printf("%s:", what);
  if (pread(fd, entries, sizeof entries, (off_t)((uintptr_t)BASE / PAGE * 8)) != sizeof entries) return;
  close(fd);
  for (int i = 0; i < PAGES;) {
    int from = i;
    while (i < PAGES && entries[i] >> 63) i++;
    if (i > from) printf(" %d-%d", from, i);
    else i++;
  }
  FILE *smaps = fopen("/proc/self/smaps", "r");
  char line[512], rights[8];
  int inside = 0;
  unsigned long start, end, value;
  while (fgets(line, sizeof line, smaps) != NULL) {
    if (sscanf(line, "%lx-%lx %7s", &start, &end, rights) == 3) inside = start >= (uintptr_t)BASE && start < (uintptr_t)BASE + 2 * HUGE;
    if (inside && sscanf(line, "AnonHugePages: %lu", &value) == 1) printf(", huge %lu", value);
    if (inside && sscanf(line, "THPeligible: %lu", &value) == 1) printf(", eligible %lu", value);
  }
  fclose(smaps);
  puts("");
}

static char *map(size_t from, size_t pages, int advice) {
  munmap(BASE, PAGES * PAGE);
  char *p = mmap(BASE + from * PAGE, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  if (advice >= 0) madvise(p, pages * PAGE, advice);
  return p;
}

static void touch(int page) { BASE[(size_t)page * PAGE] = 1; }

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  put("enabled", "madvise");
  for (int kib = 16; kib <= 1024; kib *= 2) {
    char name[32];
    size(kib, "madvise");
    map(0, 1024, MADV_HUGEPAGE);
    madvise(BASE, 2 * HUGE, MADV_HUGEPAGE);
    size(2048, "never");
    touch(777);
    snprintf(name, sizeof name, "%d kB", kib);
    show(name);
    map(0, 1024, -1);
    touch(777);
    snprintf(name, sizeof name, "%d kB, not advised", kib);
    show(name);
    size(kib, "never");
  }
  size(16, "always");
  size(64, "madvise");
  size(256, "inherit");
  map(0, 1024, MADV_HUGEPAGE);
  touch(5);
  show("the largest");
  touch(70);
  show("the next");
  madvise(BASE + 64 * PAGE, 60 * PAGE, MADV_DONTNEED);
  show("discarded");
  touch(80);
  show("what has room");
  madvise(BASE + 80 * PAGE, PAGE, MADV_DONTNEED);
  touch(80);
  show("one alone");
  (void)*(volatile char *)(BASE + 900 * PAGE);
  show("read");
  touch(900);
  show("read, then written");
  touch(901);
  show("beside");
  map(3, 20, MADV_HUGEPAGE);
  touch(3);
  touch(10);
  touch(22);
  show("in an area of 20 pages");
  map(3, 4, MADV_HUGEPAGE);
  touch(4);
  show("in an area of 4 pages");
  map(0, 64, -1);
  touch(10);
  show("not advised");
  map(0, 64, MADV_NOHUGEPAGE);
  touch(10);
  show("advised against");
  put("enabled", "always");
  map(0, 64, -1);
  touch(10);
  show("inherited");
  put("enabled", "never");
  map(0, 64, MADV_HUGEPAGE);
  touch(10);
  show("inherited never");
  prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
  map(0, 64, MADV_HUGEPAGE);
  touch(10);
  show("turned off");
  prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
  size(2048, "always");
  map(0, 1024, -1);
  touch(600);
  show("2 MiB always");
  size(2048, "madvise");
  map(0, 1024, -1);
  touch(600);
  show("2 MiB madvise, not advised");
  madvise(BASE, 2 * HUGE, MADV_HUGEPAGE);
  touch(10);
  show("advised");
  return 0;
}
