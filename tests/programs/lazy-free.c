/*
 * MADV_FREE, MADV_PAGEOUT and MAP_DROPPABLE as smaps and the bytes tell. No memory is short, so nothing is taken back but
 * what MADV_PAGEOUT takes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096ul
#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 8
#endif

static char *map(long pages, int flags) {
  char *at = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);
  if (at != MAP_FAILED) {
    madvise(at, pages * PAGE, MADV_NOHUGEPAGE);
    for (long i = 0; i < pages; i++) memset(at + i * PAGE, 'a' + i, PAGE);
  }
  return at;
}

/* The lines of smaps that tell clean pages from written ones. */
static void smaps(const char *name, char *at) {
  char line[256], head[32];
  FILE *file = fopen("/proc/self/smaps", "r");
  int inside = 0;
  snprintf(head, sizeof head, "%lx-", (unsigned long)at);
  printf("%s:", name);
  while (fgets(line, sizeof line, file)) {
    char label[64];
    long amount;
    if (strncmp(line, head, strlen(head)) == 0) inside = 1;
    else if (line[0] >= 'a' && line[0] <= 'f' || line[0] >= '0' && line[0] <= '9') inside = 0;
    if (!inside || sscanf(line, "%63[^:]: %ld kB", label, &amount) != 2) continue;
    if (strstr("Rss Shared_Clean Shared_Dirty Private_Clean Private_Dirty Anonymous LazyFree", label))
      printf(" %s %ld", label, amount);
  }
  puts("");
  fclose(file);
}

static void bytes(const char *name, const char *at, long pages) {
  printf("%s:", name);
  for (long i = 0; i < pages; i++) printf(" %d", at[i * PAGE]);
  puts("");
}

static void advise(const char *name, char *at, long pages, int advice) {
  errno = 0;
  int result = madvise(at, pages * PAGE, advice);
  printf("%s: %d errno %d\n", name, result, errno);
}

static long counted(const char *name) {
  char line[128], label[64];
  long amount, found = -1;
  FILE *file = fopen("/proc/vmstat", "r");
  while (fgets(line, sizeof line, file))
    if (sscanf(line, "%63s %ld", label, &amount) == 2 && strcmp(label, name) == 0) found = amount;
  fclose(file);
  return found;
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  long before = counted("pglazyfreed");
  char *stay = map(1, MAP_SHARED), *at = map(8, MAP_PRIVATE);
  smaps("written", at);
  advise("free", at, 8, MADV_FREE);
  /* Linux marks the pages themselves a batch at a time; this ends the batch (lru_add_drain). */
  madvise(stay, PAGE, MADV_COLD);
  bytes("kept", at, 8);
  smaps("offered", at);
  at[2 * PAGE] = 'x';
  smaps("one written again", at);
  if (fork() == 0) {
    smaps("child", at);
    at[3 * PAGE] = 'y';
    smaps("child has written", at);
    _exit(0);
  }
  wait(NULL);
  smaps("after the child", at);
  bytes("still kept", at, 8);
  mprotect(at, 8 * PAGE, PROT_READ);
  mprotect(at, 8 * PAGE, PROT_READ | PROT_WRITE);
  smaps("protected and back", at);
  advise("pageout", at, 8, MADV_PAGEOUT);
  smaps("paged out", at);
  bytes("what is left", at, 8);

  char *locked = map(4, MAP_PRIVATE);
  madvise(locked, 4 * PAGE, MADV_FREE);
  mlock(locked, 2 * PAGE);
  advise("free locked", locked, 4, MADV_FREE);
  advise("pageout behind the locked", locked + 2 * PAGE, 2, MADV_PAGEOUT);
  bytes("locked", locked, 4);

  char *shared = map(2, MAP_SHARED);
  advise("free shared", shared, 2, MADV_FREE);

  char *droppable = map(4, MAP_DROPPABLE);
  if (droppable == MAP_FAILED) printf("droppable: errno %d\n", errno);
  else {
    smaps("droppable", droppable);
    bytes("droppable", droppable, 4);
    advise("pageout droppable", droppable, 4, MADV_PAGEOUT);
    smaps("dropped", droppable);
    bytes("dropped", droppable, 4);
  }
  printf("pglazyfreed: %s\n", counted("pglazyfreed") - before >= 7 ? "counted" : "not counted");
  return 0;
}
