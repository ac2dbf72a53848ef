/* MAP_DROPPABLE beside MAP_LOCKED, mlock, mlock2 and mlockall: brought in, never locked. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define BYTES 8192ul
#ifndef MAP_DROPPABLE
#define MAP_DROPPABLE 8
#endif

/* Rss, Locked and VmFlags of the area that begins there. */
static void smaps(char *at) {
  char line[256], head[32];
  FILE *file = fopen("/proc/self/smaps", "r");
  int inside = 0;
  snprintf(head, sizeof head, "%lx-", (unsigned long)at);
  while (fgets(line, sizeof line, file)) {
    if (strncmp(line, head, strlen(head)) == 0) inside = 1;
    if (!inside) continue;
    if (strncmp(line, "Rss", 3) == 0 || strncmp(line, "Locked", 6) == 0) printf("  %s", line);
    if (strncmp(line, "VmFlags", 7) != 0) continue;
    printf("  %s", line);
    break;
  }
  fclose(file);
}

static void try(const char *name, int flags) {
  char *at = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_DROPPABLE | flags, -1, 0);
  if (at == MAP_FAILED) {
    printf("%s: errno %d\n", name, errno);
    return;
  }
  printf("%s\n", name);
  smaps(at);
  at[0] = 1;
  smaps(at);
  printf(" mlock %d\n", mlock(at, BYTES));
  smaps(at);
  printf(" mlock2 %d\n", mlock2(at, BYTES, MLOCK_ONFAULT));
  smaps(at);
  munmap(at, BYTES);
}

int main(void) {
  try("plain", 0);
  try("locked", MAP_LOCKED);
  try("populated", MAP_POPULATE);
  char *droppable = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_DROPPABLE, -1, 0);
  char *private = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
  printf("MCL_CURRENT %d\n", mlockall(MCL_CURRENT));
  smaps(droppable);
  smaps(private);
  munlockall();
  printf("MCL_FUTURE %d\n", mlockall(MCL_FUTURE));
  try("plain", 0);
  try("populated", MAP_POPULATE);
  munlockall();
  printf("MCL_FUTURE | MCL_ONFAULT %d\n", mlockall(MCL_FUTURE | MCL_ONFAULT));
  try("plain", 0);
  munlockall();
  printf("MCL_CURRENT | MCL_FUTURE %d\n", mlockall(MCL_CURRENT | MCL_FUTURE));
  smaps(droppable);
  try("plain", 0);
  return 0;
}
