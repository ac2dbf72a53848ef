/* lseek SEEK_DATA and SEEK_HOLE in a file of memory. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096l

static void seek(int fd, const char *name, long offset, int whence) {
  errno = 0;
  long r = lseek(fd, offset, whence);
  printf("%s %ld %s: %ld errno %d\n", name, offset, whence == SEEK_DATA ? "data" : "hole", r, r < 0 ? errno : 0);
}

int main(void) {
  const long offsets[] = {0, 1, PAGE * 3 - 1, PAGE * 3, PAGE * 3 + 7, PAGE * 5, PAGE * 9, PAGE * 10, PAGE * 10 + 50,
                          PAGE * 10 + 99, PAGE * 10 + 100, PAGE * 11, -1};
  int fd = memfd_create("holes", 0);
  ftruncate(fd, 10 * PAGE + 100);
  seek(fd, "empty", 0, SEEK_DATA);
  seek(fd, "empty", 0, SEEK_HOLE);
  pwrite(fd, "x", 1, 3 * PAGE + 5);
  pwrite(fd, "x", 1, 4 * PAGE + 5);
  pwrite(fd, "x", 1, 10 * PAGE);
  for (int i = 0; i < 13; i++) {
    seek(fd, "sparse", offsets[i], SEEK_DATA);
    seek(fd, "sparse", offsets[i], SEEK_HOLE);
  }
  fallocate(fd, 0, PAGE * 6, PAGE * 2);
  seek(fd, "allocated", PAGE * 5, SEEK_DATA);
  seek(fd, "allocated", PAGE * 6, SEEK_HOLE);
  fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE * 4, PAGE);
  seek(fd, "punched", PAGE * 3, SEEK_HOLE);
  seek(fd, "punched", PAGE * 4, SEEK_DATA);
  ftruncate(fd, PAGE * 8);
  seek(fd, "cut", PAGE * 4, SEEK_DATA);
  seek(fd, "cut", PAGE * 4, SEEK_HOLE);
  ftruncate(fd, 0);
  seek(fd, "nothing", 0, SEEK_DATA);
  seek(fd, "nothing", 0, SEEK_HOLE);
  return 0;
}
