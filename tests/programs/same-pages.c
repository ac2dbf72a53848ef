/* Pages of the same content become one (KSM): what the kernel says of it, a line each. Needs to be root. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096ul
#define BASE ((char *)0x10000000000ul)
#define FRAME_BITS 0x007ffffffffffffful
#define SOFT_DIRTY (1ul << 55)
#define MERGE_SET 67
#define MERGE_GET 68

static long setting(const char *name, const char *value) {
  char path[100], text[64] = "";
  snprintf(path, sizeof path, "/sys/kernel/mm/ksm/%s", name);
  int fd = open(path, value ? O_WRONLY : O_RDONLY);
  if (fd < 0) return -1;
  long result = value ? write(fd, value, strlen(value)) : read(fd, text, sizeof text - 1);
  if (result < 0) result = -errno;
  else if (!value) result = atol(text);
  close(fd);
  return result;
}

static long mine(const char *what) {
  char text[512] = "";
  int fd = open("/proc/self/ksm_stat", O_RDONLY);
  read(fd, text, sizeof text - 1);
  close(fd);
  char *at = strstr(text, what);
  return at ? atol(at + strlen(what)) : -1;
}

/* Lets the scanner work for so many passes: nothing changes behind the back of what is asked next. */
static void scans(int count) {
  setting("run", "1");
  long end = setting("full_scans", 0) + count;
  struct timespec pause = {0, 2000000};
  while (setting("full_scans", 0) < end) nanosleep(&pause, 0);
  setting("run", "0");
}

static char *map(long page, long pages, int flags) {
  return mmap(BASE + page * PAGE, pages * PAGE, PROT_READ | PROT_WRITE, flags | MAP_FIXED | MAP_ANONYMOUS, -1, 0);
}

static void counts(const char *name) {
  printf("%s: shared %ld sharing %ld unshared %ld volatile %ld; items %ld merging %ld zero %ld profit %ld\n", name,
         setting("pages_shared", 0), setting("pages_sharing", 0), setting("pages_unshared", 0),
         setting("pages_volatile", 0), mine("ksm_rmap_items"), mine("ksm_merging_pages"), mine("ksm_zero_pages"),
         mine("ksm_process_profit"));
}

/* Which pages have one frame (a letter each, . where there is none), and what else pagemap says of the first. */
static void frames(const char *name, long page, int count) {
  uint64_t entries[64], seen[64];
  int known = 0, fd = open("/proc/self/pagemap", O_RDONLY);
  pread(fd, entries, count * 8, ((uintptr_t)BASE / PAGE + page) * 8);
  close(fd);
  printf("%s: ", name);
  for (int i = 0; i < count; i++) {
    int j = 0;
    if (!(entries[i] >> 63)) {
      putchar('.');
      continue;
    }
    while (j < known && seen[j] != (entries[i] & FRAME_BITS)) j++;
    if (j == known) seen[known++] = entries[i] & FRAME_BITS;
    putchar("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"[j % 52]);
  }
  printf(" %016lx\n", entries[0] & ~(FRAME_BITS | SOFT_DIRTY));
}

/* Lines of the smaps paragraph of one address. */
static void smaps(const char *name, void *where) {
  static const char *const wanted[] = {"Size", "Rss", "Pss", "Shared_Clean", "Shared_Dirty", "Anonymous", "KSM", "Locked"};
  long own = 0;
  char line[300];
  int inside = 0;
  FILE *file = fopen("/proc/self/smaps", "r");
  printf("%s:", name);
  while (fgets(line, sizeof line, file)) {
    unsigned long start, end;
    char word[40];
    long size;
    if (sscanf(line, "%lx-%lx ", &start, &end) == 2) inside = (unsigned long)where >= start && (unsigned long)where < end;
    else if (inside && sscanf(line, "%39[^:]: %ld kB", word, &size) == 2) {
      for (unsigned i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (!strcmp(word, wanted[i])) printf(" %s %ld", word, size);
      if (!strncmp(word, "Private_", 8) && strcmp(word, "Private_Hugetlb")) own += size;
    } else if (inside && !strncmp(line, "VmFlags:", 8)) printf(" Private %ld mg %d", own, strstr(line, " mg ") != 0);
  }
  fclose(file);
  puts("");
}

static void answer(const char *name, long result) {
  printf("%s: %ld%s%s\n", name, result, result < 0 ? " " : "", result < 0 ? strerrorname_np(errno) : "");
}

static void advise(const char *name, void *at, long pages, int advice) {
  answer(name, madvise(at, pages * PAGE, advice));
}

static void areas(void) {
  advise("private", map(0, 4, MAP_PRIVATE), 4, MADV_MERGEABLE);
  smaps("private", BASE);
  advise("again", BASE, 4, MADV_MERGEABLE);
  advise("part unmergeable", BASE + PAGE, 1, MADV_UNMERGEABLE);
  smaps("first", BASE);
  smaps("second", BASE + PAGE);
  advise("shared", map(8, 2, MAP_SHARED), 2, MADV_MERGEABLE);
  smaps("shared", BASE + 8 * PAGE);
  advise("shared unmergeable", BASE + 8 * PAGE, 2, MADV_UNMERGEABLE);
  int fd = memfd_create("m", 0);
  ftruncate(fd, 2 * PAGE);
  mmap(BASE + 12 * PAGE, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, fd, 0);
  advise("private file", BASE + 12 * PAGE, 2, MADV_MERGEABLE);
  smaps("private file", BASE + 12 * PAGE);
  mmap(BASE + 16 * PAGE, PAGE, PROT_NONE, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0);
  advise("no access", BASE + 16 * PAGE, 1, MADV_MERGEABLE);
  advise("hole", BASE + 12 * PAGE, 8, MADV_MERGEABLE);
  advise("unaligned", BASE + 1, 1, MADV_MERGEABLE);
  advise("nothing there", BASE + 64 * PAGE, 1, MADV_UNMERGEABLE);
  close(fd);
  munmap(BASE, 32 * PAGE);
}

static void fill(long page, int count, int value) {
  for (int i = 0; i < count; i++) memset(BASE + (page + i) * PAGE, value, PAGE);
}

static void merging(void) {
  map(0, 20, MAP_PRIVATE);
  fill(0, 16, 7);
  for (int i = 16; i < 20; i++) fill(i, 1, 100 + i);
  advise("mergeable", BASE, 20, MADV_MERGEABLE);
  counts("before");
  scans(3);
  counts("merged");
  frames("merged", 0, 20);
  smaps("merged", BASE);

  BASE[3 * PAGE] = 8;
  frames("one written", 0, 20);
  counts("one written");
  scans(3);
  counts("scanned");
  BASE[3 * PAGE] = 7;
  scans(3);
  frames("the same again", 0, 20);
  counts("the same again");

  answer("protect", mprotect(BASE, 2 * PAGE, PROT_READ));
  answer("lock", mlock(BASE + 4 * PAGE, 2 * PAGE));
  smaps("locked", BASE + 4 * PAGE);
  frames("protected, locked", 0, 20);
  answer("unlock", munlock(BASE + 4 * PAGE, 2 * PAGE));
  answer("protect", mprotect(BASE, 2 * PAGE, PROT_READ | PROT_WRITE));
  scans(3);
  fflush(stdout);
  if (fork() == 0) {
    counts("child");
    frames("child", 0, 20);
    scans(3);
    counts("child scanned");
    BASE[0] = 9;
    frames("child wrote", 0, 20);
    printf("child reads %d %d\n", BASE[1], BASE[PAGE]);
    fflush(stdout);
    _exit(0);
  }
  wait(0);
  printf("parent reads %d\n", BASE[0]);
  scans(3);
  counts("child gone");

  advise("dontneed", BASE, 2, MADV_DONTNEED);
  frames("dontneed", 0, 20);
  printf("moved: %d\n", mremap(BASE + 10 * PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, BASE + 24 * PAGE) ==
                            BASE + 24 * PAGE);
  frames("moved", 0, 26);
  scans(3);
  counts("moved");
  advise("unmergeable", BASE, 6, MADV_UNMERGEABLE);
  frames("unmergeable", 0, 26);
  counts("unmergeable");
  smaps("unmergeable", BASE);
  scans(3);
  counts("scanned");
  answer("run 2", setting("run", "2"));
  counts("unmerged");
  frames("unmerged", 0, 26);
  smaps("unmerged", BASE + 6 * PAGE);
  printf("full scans %ld\n", setting("full_scans", 0));
  munmap(BASE, 32 * PAGE);
}

static void soft_dirty(void) {
  uint64_t entries[4];
  int clear = open("/proc/self/clear_refs", O_WRONLY), fd = open("/proc/self/pagemap", O_RDONLY);
  map(0, 4, MAP_PRIVATE);
  fill(0, 4, 5);
  madvise(BASE, 4 * PAGE, MADV_MERGEABLE);
  write(clear, "4", 1);
  for (int turn = 0; turn < 3; turn++) {
    pread(fd, entries, sizeof entries, (uintptr_t)BASE / PAGE * 8);
    printf("soft-dirty:");
    for (int i = 0; i < 4; i++) printf(" %d", (entries[i] & SOFT_DIRTY) != 0);
    puts("");
    if (turn == 0) {
      scans(3);
      BASE[PAGE] = 5;
    } else setting("run", "2");
  }
  close(clear);
  close(fd);
  munmap(BASE, 4 * PAGE);
}

static void zero_pages(void) {
  setting("use_zero_pages", "1");
  map(0, 8, MAP_PRIVATE);
  fill(0, 8, 1);
  fill(0, 8, 0);
  advise("mergeable", BASE, 8, MADV_MERGEABLE);
  scans(3);
  counts("zeroes");
  printf("all zeroes %ld\n", setting("ksm_zero_pages", 0));
  frames("zeroes", 0, 8);
  smaps("zeroes", BASE);
  BASE[0] = 1;
  printf("read %d\n", BASE[PAGE]);
  frames("one written", 0, 8);
  counts("one written");
  advise("unmergeable", BASE, 4, MADV_UNMERGEABLE);
  frames("unmergeable", 0, 8);
  counts("unmergeable");
  setting("run", "2");
  counts("unmerged");
  frames("unmerged", 0, 8);
  munmap(BASE, 8 * PAGE);
  setting("use_zero_pages", "0");
}

static void most_sharing(void) {
  printf("max_page_sharing: 1 is %ld, x is %ld, 4 is %ld\n", setting("max_page_sharing", "1"),
         setting("max_page_sharing", "x"), setting("max_page_sharing", "4"));
  map(0, 10, MAP_PRIVATE);
  fill(0, 10, 3);
  madvise(BASE, 10 * PAGE, MADV_MERGEABLE);
  scans(4);
  counts("at most 4");
  frames("at most 4", 0, 10);
  printf("chains %ld dups %ld; 5 is %ld\n", setting("stable_node_chains", 0), setting("stable_node_dups", 0),
         setting("max_page_sharing", "5"));
  setting("run", "2");
  printf("256 is %ld\n", setting("max_page_sharing", "256"));
  munmap(BASE, 10 * PAGE);
}

static void whole_process(void) {
  answer("get", prctl(MERGE_GET, 0, 0, 0, 0));
  answer("get with argument", prctl(MERGE_GET, 1, 0, 0, 0));
  answer("set with argument", prctl(MERGE_SET, 1, 1, 0, 0));
  map(0, 2, MAP_PRIVATE);
  map(8, 2, MAP_SHARED);
  answer("set", prctl(MERGE_SET, 1, 0, 0, 0));
  answer("get", prctl(MERGE_GET, 0, 0, 0, 0));
  smaps("private", BASE);
  smaps("shared", BASE + 8 * PAGE);
  map(2, 2, MAP_PRIVATE);
  smaps("beside it", BASE + 2 * PAGE);
  advise("unmergeable", BASE, 1, MADV_UNMERGEABLE);
  smaps("unmergeable", BASE);
  fflush(stdout);
  if (fork() == 0) {
    answer("child's", prctl(MERGE_GET, 0, 0, 0, 0));
    fflush(stdout);
    execl("/proc/self/exe", "same-pages", "program", (char *)0);
  }
  wait(0);
  answer("reset", prctl(MERGE_SET, 0, 0, 0, 0));
  answer("get", prctl(MERGE_GET, 0, 0, 0, 0));
  smaps("reset", BASE + 2 * PAGE);
}

int main(int argc, char **argv) {
  if (argc > 1 && !strcmp(argv[1], "program")) {
    answer("program's", prctl(MERGE_GET, 0, 0, 0, 0));
    smaps("program's", map(0, 1, MAP_PRIVATE));
    return 0;
  }
  printf("run: 3 is %ld, x is %ld, -1 is %ld\n", setting("run", "3"), setting("run", "x"), setting("run", "-1"));
  setting("run", "2");
  setting("pages_to_scan", "1000");
  setting("sleep_millisecs", "1");
  setting("smart_scan", "0");
  areas();
  merging();
  soft_dirty();
  zero_pages();
  most_sharing();
  whole_process();
  return 0;
}
