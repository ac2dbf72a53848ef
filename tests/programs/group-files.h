/* The files of control groups v2, as control-groups.c and group-tree.c write and show them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *top = "/sys/fs/cgroup";

static char *place(const char *file) {
  static char path[2][256];
  static int turn;
  snprintf(path[turn ^= 1], sizeof path[0], "%s/%s", top, file);
  return path[turn];
}

static const char *content_of(int fd) {
  static char text[8192];
  long got = fd < 0 ? -1 : pread(fd, text, sizeof text - 1, 0);
  if (got < 0) snprintf(text, sizeof text, "errno %d\n", errno);
  else text[got] = 0;
  return text;
}

static const char *content(const char *path) {
  int fd = open(path, O_RDONLY);
  const char *text = content_of(fd);
  if (fd >= 0) close(fd);
  return text;
}

static void show(const char *file) { printf("%s: %s", file, content(place(file))); }

static int put(const char *file, const char *text) {
  int fd = open(place(file), O_WRONLY);
  if (fd < 0) return errno;
  int error = write(fd, text, strlen(text)) < 0 ? errno : 0;
  close(fd);
  return error;
}

static void tell(const char *file, const char *text) { printf("%s < %s: %d\n", file, text, put(file, text)); }
static void make(const char *name) { printf("mkdir %s: %d\n", name, mkdir(place(name), 0755) < 0 ? errno : 0); }
static void drop(const char *name) { printf("rmdir %s: %d\n", name, rmdir(place(name)) < 0 ? errno : 0); }

/* A line of a file of "name number" lines. */
static long number(const char *file, const char *name) {
  const char *text = content(place(file));
  for (const char *at = text; at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
    if (strncmp(at, name, strlen(name)) == 0 && at[strlen(name)] == ' ') return atol(at + strlen(name));
  return -1;
}
