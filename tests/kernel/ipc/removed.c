/* Segments that were removed while attached: remap_file_pages and mremap of their areas. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096l

static void maps(char *at) {
  FILE *file = fopen("/proc/self/maps", "r");
  char line[256];
  unsigned long start, end;
  int areas = 0;
  while (fgets(line, sizeof line, file)) {
    sscanf(line, "%lx-%lx", &start, &end);
    if (end <= (long)at || start >= (long)at + 4 * PAGE) continue;
    printf("  pages %ld to %ld %.4s %s\n", ((long)start - (long)at) / PAGE, ((long)end - (long)at) / PAGE,
           strchr(line, ' ') + 1, strstr(line, "/SYSV") ? "segment" : "other");
    areas++;
  }
  fclose(file);
  if (!areas) puts("  nothing");
}

static void status(int id) {
  struct shmid_ds ds;
  long r = shmctl(id, IPC_STAT, &ds);
  if (r) printf("  stat errno %d\n", errno);
  else printf("  attached %ld times\n", (long)ds.shm_nattch);
}

static void remap(const char *name, int removed, int twice, long first, long pages, long offset) {
  int id = shmget(IPC_PRIVATE, 4 * PAGE, IPC_CREAT | 0700);
  char *at = shmat(id, 0, 0), *other = twice ? shmat(id, 0, 0) : NULL;
  at[0] = 1;
  if (removed) shmctl(id, IPC_RMID, 0);
  long r = syscall(SYS_remap_file_pages, at + first * PAGE, pages * PAGE, 0, offset, 0);
  printf("%s: %ld errno %d\n", name, r, r ? errno : 0);
  if (!twice) maps(at);
  status(id);
  if (other) shmdt(other);
  r = shmdt(at);
  printf("  shmdt %ld errno %d\n", r, r ? errno : 0);
  status(id);
  if (!removed) shmctl(id, IPC_RMID, 0);
}

int main(void) {
  remap("there", 0, 0, 0, 4, 0);
  remap("a page of it elsewhere", 0, 0, 0, 1, 2);
  remap("removed, all of it", 1, 0, 0, 4, 0);
  remap("removed, one page", 1, 0, 1, 1, 3);
  remap("removed, attached twice", 1, 1, 0, 4, 0);
  int id = shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0700);
  char *at = shmat(id, 0, 0);
  shmctl(id, IPC_RMID, 0);
  printf("attach again %d\n", shmat(id, 0, 0) == (void *)-1 ? errno : 0);
  char *grown = mremap(at, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
  printf("grow %d\n", grown == MAP_FAILED ? errno : 0);
  printf("copy %d\n", mremap(grown, 0, PAGE, MREMAP_MAYMOVE) == MAP_FAILED ? errno : 0);
  return 0;
}
