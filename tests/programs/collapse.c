/*
 * Pages that become huge pages afterwards: by MADV_COLLAPSE, or (`khugepaged`, which changes settings in /sys) as the
 * kernel finds them. `soft-dirty`: which pages of huge ones count as written.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096ul
#define HUGE (512 * PAGE)
#define BASE ((char *)0x10000000000ul)
#define UNITS 16
#define SETTINGS "/sys/kernel/mm/transparent_hugepage/"

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#define GUARD_INSTALL 102
#define NR_MSEAL 462

/* AnonHugePages of what lies at BASE, in KiB. */
static long huge(void) {
  FILE *smaps = fopen("/proc/self/smaps", "r");
  char line[512], rights[8];
  long total = 0, value;
  int inside = 0;
  unsigned long start, end;
  while (fgets(line, sizeof line, smaps) != NULL) {
    if (sscanf(line, "%lx-%lx %7s", &start, &end, rights) == 3)
      inside = start >= (uintptr_t)BASE && start < (uintptr_t)BASE + UNITS * HUGE;
    if (inside && sscanf(line, "AnonHugePages: %ld", &value) == 1) total += value;
  }
  fclose(smaps);
  return total;
}

static void put(const char *file, const char *value) {
  char path[128];
  snprintf(path, sizeof path, SETTINGS "%s", file);
  int fd = open(path, O_WRONLY);
  if (fd < 0 || write(fd, value, strlen(value)) < 0) printf("%s cannot be set\n", file);
  if (fd >= 0) close(fd);
}

static long get(const char *file) {
  char path[128], text[32] = "";
  snprintf(path, sizeof path, SETTINGS "%s", file);
  int fd = open(path, O_RDONLY);
  if (fd < 0 || read(fd, text, sizeof text - 1) < 0) return -1;
  close(fd);
  return atol(text);
}

static char *map(size_t length) {
  munmap(BASE, UNITS * HUGE);
  return mmap(BASE, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static char *filled(size_t length) {
  char *p = map(length);
  for (size_t i = 0; i < length; i += PAGE) *(long *)(p + i) = (long)(i / PAGE) + 1;
  return p;
}

static void collapse(const char *what, char *p, size_t length) {
  int result = madvise(p, length, MADV_COLLAPSE);
  printf("%s: %s, huge %ld\n", what, result == 0 ? "ok" : strerrorname_np(errno), huge());
}

static void advised(void) {
  char *p = map(2 * HUGE);
  collapse("untouched", p, 2 * HUGE);
  p[0] = 1;
  collapse("the second untouched", p, 2 * HUGE);
  collapse("once more", p, 2 * HUGE);
  p = map(2 * HUGE);
  p[0] = 1;
  p[HUGE] = 2;
  collapse("one byte", p, 1);
  collapse("unaligned", p + PAGE, HUGE);
  collapse("second half", p + PAGE, 2 * HUGE - PAGE);
  collapse("both", p, 2 * HUGE);
  printf("%d %d %d\n", p[0], p[1], p[HUGE]);
  p = map(HUGE);
  p[0] = 1;
  collapse("a page in the middle", p + PAGE, PAGE);
  collapse("all but a page", p + PAGE, HUGE - PAGE);
  p = map(HUGE - PAGE);
  p[0] = 1;
  collapse("too short", p, HUGE - PAGE);
  p = map(HUGE);
  p[0] = 1;
  mprotect(p, HUGE, PROT_READ);
  collapse("read-only", p, HUGE);
  p = map(HUGE);
  p[0] = 1;
  mprotect(p, HUGE, PROT_NONE);
  collapse("no access", p, HUGE);
  p = filled(HUGE);
  int gate[2];
  if (pipe(gate) != 0) return;
  if (fork() == 0) {
    char c;
    collapse("shared, in the child", p, HUGE);
    if (read(gate[0], &c, 1) != 1) _exit(1);
    _exit(0);
  }
  usleep(100000);
  collapse("shared, in the parent", p, HUGE);
  p[5 * PAGE] = 9;
  collapse("one page not shared", p, HUGE);
  if (write(gate[1], "", 1) == 1) wait(NULL);
  printf("%ld\n", *(long *)(p + 511 * PAGE));
  p = filled(HUGE);
  madvise(p, HUGE, MADV_NOHUGEPAGE);
  collapse("MADV_NOHUGEPAGE", p, HUGE);
  p = filled(HUGE);
  prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
  collapse("PR_SET_THP_DISABLE", p, HUGE);
  printf("%d", prctl(PR_SET_THP_DISABLE, 1, 2, 0, 0));
  printf(" %d\n", prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
  collapse("except advised", p, HUGE);
  prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
  p = map(HUGE);
  (void)*(volatile char *)p;
  collapse("only read", p, HUGE);
  p[PAGE] = 1;
  collapse("read and written", p, HUGE);
  p = filled(2 * HUGE);
  mprotect(p + 5 * PAGE, PAGE, PROT_READ);
  collapse("across areas", p, 2 * HUGE);
  p = filled(2 * HUGE);
  munmap(p + HUGE + PAGE, PAGE);
  collapse("a hole", p, 2 * HUGE);
  p = filled(HUGE);
  if (madvise(p + 2 * PAGE, PAGE, GUARD_INSTALL) == 0) collapse("a guard page", p, HUGE);
  p = filled(HUGE);
  mlock(p, HUGE);
  collapse("locked", p, HUGE);
  p = filled(HUGE);
  madvise(p, HUGE, MADV_FREE);
  collapse("freed lazily", p, HUGE);
  madvise(p, HUGE, MADV_FREE);
  collapse("freed lazily again", p, HUGE);
  madvise(p, 3 * PAGE, MADV_FREE);
  printf("freed in part: huge %ld\n", huge());
  p = filled(HUGE);
  int ends[2];
  struct iovec part = {p, PAGE};
  if (pipe(ends) == 0 && vmsplice(ends[1], &part, 1, 0) == (ssize_t)PAGE) collapse("in a pipe", p, HUGE);
  close(ends[0]);
  close(ends[1]);
  collapse("no longer in a pipe", p, HUGE);
  p = filled(HUGE);
  if (syscall(NR_MSEAL, p, HUGE, 0) == 0) collapse("sealed", p, HUGE);
}

/* Two whole passes, which is what khugepaged needs at most to come by. */
static void pass(const char *what) {
  long from = get("khugepaged/full_scans");
  for (int i = 0; i < 200 && get("khugepaged/full_scans") < from + 2; i++) usleep(50000);
  printf("%s: huge %ld\n", what, huge());
}

/* An area that khugepaged knows of: its first 2 MiB are a huge page. */
static char *known(void) {
  char *p = map(3 * HUGE);
  madvise(p, 3 * HUGE, MADV_HUGEPAGE);
  p[0] = 1;
  return p;
}

/* One 4 KiB page of each of the other 2 MiB, so that page tables stand there. */
static void small(char *p, int pages) {
  madvise(p + HUGE, 2 * HUGE, MADV_NOHUGEPAGE);
  for (int i = 0; i < pages; i++) p[HUGE + (size_t)i * PAGE] = p[2 * HUGE + (size_t)i * PAGE] = 1;
  madvise(p + HUGE, 2 * HUGE, MADV_HUGEPAGE);
}

static void found(void) {
  put("enabled", "madvise");
  put("khugepaged/scan_sleep_millisecs", "10");
  put("khugepaged/pages_to_scan", "4096");
  put("khugepaged/max_ptes_none", "511");
  char *p = known();
  long before = get("khugepaged/pages_collapsed");
  small(p, 1);
  pass("one page each");
  printf("collapsed %ld\n", get("khugepaged/pages_collapsed") - before);
  put("khugepaged/max_ptes_none", "256");
  p = known();
  small(p, 255);
  pass("255 pages, 256 may be missing");
  p[HUGE + 255 * PAGE] = 1;
  pass("one more in the first");
  put("khugepaged/max_ptes_none", "511");
  p = known();
  small(p, 512);
  madvise(p + 2 * HUGE, HUGE, MADV_NOHUGEPAGE);
  pass("one turned off");
  p = known();
  small(p, 512);
  int gate[2];
  if (pipe(gate) != 0) return;
  if (fork() == 0) {
    char c;
    if (read(gate[0], &c, 1) != 1) _exit(1);
    _exit(0);
  }
  put("khugepaged/max_ptes_shared", "256");
  for (int i = 0; i < 255; i++) p[HUGE + (size_t)i * PAGE] = 2;
  for (int i = 0; i < 256; i++) p[2 * HUGE + (size_t)i * PAGE] = 2;
  pass("257 and 256 shared");
  if (write(gate[1], "", 1) == 1) wait(NULL);
  pass("no longer");
  put("enabled", "never");
  p = map(3 * HUGE);
  madvise(p, 3 * HUGE, MADV_HUGEPAGE);
  p[0] = 1;
  usleep(200000);
  printf("never: huge %ld\n", huge());
}

static int pagemap;

static void show(const char *what, char *p) {
  uint64_t entries[512];
  int present = 0, dirty = 0, own = 0;
  if (pread(pagemap, entries, sizeof entries, (off_t)((uintptr_t)p / PAGE * 8)) != sizeof entries) return;
  for (int i = 0; i < 512; i++) {
    present += entries[i] >> 63 & 1;
    dirty += entries[i] >> 55 & 1;
    own += entries[i] >> 56 & 1;
  }
  printf("%s: present %d, dirty %d, own %d, huge %ld\n", what, present, dirty, own, huge());
}

static void clear(void) {
  int fd = open("/proc/self/clear_refs", O_WRONLY);
  if (write(fd, "4", 1) != 1) puts("clear_refs cannot be written");
  close(fd);
}

static char *advise(size_t units) {
  char *p = map(units * HUGE);
  madvise(p, units * HUGE, MADV_HUGEPAGE);
  return p;
}

static void written(void) {
  pagemap = open("/proc/self/pagemap", O_RDONLY);
  char *p = advise(1);
  p[0] = 1;
  show("written", p);
  clear();
  show("cleared", p);
  p[77 * PAGE] = 1;
  show("one page written", p);
  clear();
  mprotect(p, HUGE, PROT_READ);
  mprotect(p, HUGE, PROT_READ | PROT_WRITE);
  show("protected and back", p);
  p[5] = 1;
  show("written then", p);
  clear();
  munmap(p + 100 * PAGE, PAGE);
  show("split", p);
  p = advise(1);
  (void)*(volatile char *)p;
  show("zeroes", p);
  p[9 * PAGE] = 1;
  show("zeroes written", p);
  clear();
  p[10 * PAGE] = 1;
  show("once more", p);
  p = advise(1);
  (void)*(volatile char *)p;
  clear();
  mprotect(p, HUGE, PROT_READ);
  mprotect(p, HUGE, PROT_READ | PROT_WRITE);
  p[0] = 1;
  show("zeroes protected, back, written", p);
  p = advise(1);
  p[0] = 1;
  clear();
  show("moved", mremap(p, HUGE, HUGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + 4 * HUGE));
  p = advise(1);
  p[0] = 1;
  clear();
  show("moved by a page more", mremap(p, HUGE, HUGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + 4 * HUGE + PAGE));
  p = advise(2);
  p[0] = p[HUGE] = 1;
  clear();
  madvise(p, HUGE, MADV_FREE);
  show("freed", p);
  p[PAGE] = 1;
  show("freed, then written", p);
  madvise(p + PAGE, PAGE, MADV_FREE);
  show("freed in part", p);
  p = advise(1);
  p[0] = 1;
  clear();
  if (fork() == 0) {
    p[PAGE] = 1;
    _exit(0);
  }
  wait(NULL);
  show("after a child", p);
  p[2 * PAGE] = 2;
  show("written after a child", p);
  p = map(HUGE);
  madvise(p, HUGE, MADV_NOHUGEPAGE);
  for (int i = 0; i < 512; i++) p[(size_t)i * PAGE] = 1;
  madvise(p, HUGE, MADV_HUGEPAGE);
  clear();
  madvise(p, HUGE, MADV_COLLAPSE);
  show("collapsed", p);
}

int main(int count, char **arguments) {
  setvbuf(stdout, NULL, _IONBF, 0);
  const char *part = count > 1 ? arguments[1] : "advised";
  if (count > 2) put("enabled", arguments[2]);
  if (strcmp(part, "advised") == 0) advised();
  if (strcmp(part, "khugepaged") == 0) found();
  if (strcmp(part, "soft-dirty") == 0) written();
  return 0;
}
