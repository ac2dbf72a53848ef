/*
 * A swap area on a loop device: who may have it meanwhile, and what comes back from it. Root, where there are loop devices.
 *   swap-disk DEVICE FILE
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <unistd.h>

#define PAGE 4096ul
#define AREA_PAGES 1024
#define PAGES 16
#define LOOP_SET_FD 0x4C00
#define LOOP_CLR_FD 0x4C01
#define BLKROSET 0x125D

static void report(const char *name, long result) {
  printf("%s: %s\n", name, result == 0 ? "0" : strerrorname_np(errno));
}

static void swaps(void) {
  char line[300], path[200], type[30];
  long size, used;
  int priority;
  FILE *file = fopen("/proc/swaps", "r");
  fgets(line, sizeof line, file);
  while (fgets(line, sizeof line, file)) {
    sscanf(line, "%199s %29s %ld %ld %d", path, type, &size, &used, &priority);
    printf("%s %s %ld %d\n", path, type, size, priority);
  }
  fclose(file);
}

/* A header with two bad pages, as only a device's may have. */
static int make_backing(const char *path) {
  static uint32_t page[PAGE / 4];
  int fd = open(path, O_CREAT | O_TRUNC | O_RDWR, 0600);
  page[256] = 1;
  page[257] = AREA_PAGES - 1;
  page[258] = 2;
  page[384] = 5;
  page[385] = 9;
  memcpy((char *)page + PAGE - 10, "SWAPSPACE2", 10);
  for (int i = 0; i < AREA_PAGES; i++) {
    write(fd, page, PAGE);
    memset(page, 0, PAGE);
  }
  return fd;
}

static int in_area(const char *at) {
  int fd = open("/proc/self/pagemap", O_RDONLY), count = 0;
  for (int i = 0; i < PAGES; i++) {
    uint64_t entry = 0;
    pread(fd, &entry, 8, ((uintptr_t)at / PAGE + i) * 8);
    count += entry >> 62 & 1;
  }
  close(fd);
  return count;
}

static int right(const char *at) {
  int count = 0;
  for (int i = 0; i < PAGES; i++) count += at[i * PAGE + 77] == 'a' + i;
  return count;
}

int main(int argc, char **argv) {
  const char *device = argv[1];
  int one = 1;
  int backing = make_backing(argv[2]);
  int fd = open(device, O_RDWR);
  report("no medium", swapon(device, 0));
  report("set", ioctl(fd, LOOP_SET_FD, backing));
  int alone = open(device, O_RDWR | O_EXCL);
  report("claimed by another", swapon(device, 0));
  close(alone);
  report("swapon", swapon(device, SWAP_FLAG_DISCARD));
  swaps();
  report("twice", swapon(device, 0));
  alone = open(device, O_RDWR | O_EXCL);
  report("claim", alone < 0 ? -1 : 0);
  report("write", pwrite(fd, "x", 1, 100000) == 1 ? 0 : -1);
  char *at = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  madvise(at, PAGES * PAGE, MADV_NOHUGEPAGE);
  for (int i = 0; i < PAGES; i++) memset(at + i * PAGE, 'a' + i, PAGE);
  for (int tries = 0; tries < 50 && in_area(at) < PAGES; tries++) {
    madvise(at, PAGES * PAGE, 21);
    usleep(20000);
  }
  printf("in the area: %d\n", in_area(at));
  printf("came back right: %d\n", right(at));
  madvise(at, PAGES * PAGE, 21);
  report("swapoff", swapoff(device));
  printf("in the area: %d right: %d\n", in_area(at), right(at));
  report("write", pwrite(fd, "x", 1, 100000) == 1 ? 0 : -1);
  report("read-only", ioctl(fd, BLKROSET, &one));
  report("swapon", swapon(device, 0));
  report("clear", ioctl(fd, LOOP_CLR_FD, 0));
  unlink(argv[2]);
  return 0;
}
