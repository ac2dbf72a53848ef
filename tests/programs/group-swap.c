/* Control groups v2: memory.swap.*, with a swap area of 64 MiB or more in force. To be run as root. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB (1ul << 20)

static const char *top = "/sys/fs/cgroup";

static char *place(const char *file) {
  static char path[256];
  snprintf(path, sizeof path, "%s/%s", top, file);
  return path;
}

static void put(const char *file, const char *text) {
  int fd = open(place(file), O_WRONLY);
  if (write(fd, text, strlen(text)) < 0) perror(file);
  close(fd);
}

static long number(const char *file, const char *name) {
  static char text[4096];
  int fd = open(place(file), O_RDONLY);
  long got = read(fd, text, sizeof text - 1);
  close(fd);
  text[got < 0 ? 0 : got] = 0;
  char *at = name ? strstr(text, name) : text;
  return at ? atol(at + (name ? strlen(name) : 0)) : -1;
}

static char *fill(unsigned long bytes) {
  char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
  madvise(at, bytes, MADV_NOHUGEPAGE);
  for (unsigned long i = 0; i < bytes; i += 4096) memset(at + i, i >> 12, 4096);
  return at;
}

static void pressed(void) {
  char *at = fill(24 * MIB);
  long swapped = number("s/memory.swap.current", NULL), peak = number("s/memory.swap.peak", NULL);
  printf("within: %d\n", number("s/memory.current", NULL) <= 16 * (long)MIB);
  printf("swapped: %d, peak: %d\n", swapped >= 7 * (long)MIB && swapped <= 24 * (long)MIB, peak >= swapped);
  int wrong = 0;
  for (unsigned long i = 0; i < 24 * MIB; i += 4096) wrong += at[i] != (char)(i >> 12);
  printf("wrong pages: %d\n", wrong);
  munmap(at, 24 * MIB);
  printf("given back: %d\n", number("s/memory.swap.current", NULL) < (long)MIB);
}

static void beyond(void) {
  fill(64 * MIB);
}

static int in_group(void (*work)(void)) {
  int status;
  if (fork() == 0) {
    put("s/cgroup.procs", "0");
    work();
    _exit(0);
  }
  wait(&status);
  return status;
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  if (access(place("cgroup.procs"), F_OK) != 0) {
    top = "/tmp/groups";
    mkdir(top, 0755);
    mount("none", top, "cgroup2", 0, NULL);
  }
  put("cgroup.subtree_control", "+memory");
  mkdir(place("s"), 0755);
  put("s/memory.max", "16M");
  printf("pressed: %x\n", in_group(pressed));
  printf("oom_kill %ld, max %ld\n", number("s/memory.events", "oom_kill "), number("s/memory.swap.events", "max "));
  put("s/memory.swap.max", "8M");
  printf("beyond: %x\n", in_group(beyond));
  printf("oom_kill %ld, max met: %d, fail: %d\n", number("s/memory.events", "oom_kill "),
         number("s/memory.swap.events", "max ") > 0, number("s/memory.swap.events", "fail ") > 0);
  printf("swap left: %d\n", number("s/memory.swap.current", NULL) < (long)MIB);
  printf("rmdir: %d\n", rmdir(place("s")));
  put("cgroup.subtree_control", "-memory");
  return 0;
}
