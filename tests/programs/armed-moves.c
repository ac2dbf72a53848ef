/* mremap of several areas at once, some of them watched by a userfaultfd: what it answers, and what has moved. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096ul
#define PAGES 10

static void layout(const char *name, char *at) {
  unsigned char in;
  printf("  %s:", name);
  for (int i = 0; i < PAGES; i++) putchar(mincore(at + i * PAGE, PAGE, &in) == 0 ? '#' : '.');
  puts("");
}

/* Pages 0, 2, 4 ... mapped; those whose bit is set in `armed` are watched. */
static void move(const char *name, unsigned armed, unsigned long pages) {
  int fd = syscall(SYS_userfaultfd, O_NONBLOCK);
  struct uffdio_api api = {.api = UFFD_API};
  ioctl(fd, UFFDIO_API, &api);
  char *from = mmap(NULL, 3 * PAGES * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *to = from + 2 * PAGES * PAGE;
  munmap(from, 3 * PAGES * PAGE);
  for (int i = 0; i < PAGES; i += 2) {
    mmap(from + i * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    struct uffdio_register r = {.range = {(unsigned long)from + i * PAGE, PAGE}, .mode = UFFDIO_REGISTER_MODE_MISSING};
    if (armed >> i & 1) ioctl(fd, UFFDIO_REGISTER, &r);
  }
  char *at = mremap(from, pages * PAGE, pages * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to);
  printf("%s: %s %d\n", name, at == to ? "moved" : "refused", at == to ? 0 : errno);
  layout("from", from);
  layout("to", to);
  munmap(from, 3 * PAGES * PAGE);
  close(fd);
}

int main(void) {
  move("none watched", 0, PAGES);
  move("all watched", 0x155, PAGES);
  move("the first watched", 1, PAGES);
  move("the first watched, alone", 1, 1);
  move("the third watched", 0x10, PAGES);
  move("the last watched", 0x100, PAGES - 1);
  return 0;
}
