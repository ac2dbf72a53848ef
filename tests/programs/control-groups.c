/* Control groups v2: what the files of the memory and pids controllers say and do. To be run as root. */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include "group-files.h"

#define PAGE 4096ul
#define MIB (1ul << 20)

static char *map(unsigned long bytes, int flags) {
  return mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);
}

static int in_group(const char *group, void (*work)(void)) {
  char file[128];
  int status;
  snprintf(file, sizeof file, "%s/cgroup.procs", group);
  if (fork() == 0) {
    if (put(file, "0") != 0) _exit(99);
    work();
    _exit(0);
  }
  wait(&status);
  return status;
}

static void membership(void) { printf("cgroup: %s", content("/proc/self/cgroup")); }

static void hungry(void) {
  for (;;) memset(map(MIB, MAP_PRIVATE), 1, MIB);
}

static char *offered;

static void pressed(void) {
  unsigned long gone = 0;
  offered = map(4 * MIB, MAP_PRIVATE);
  madvise(offered, 4 * MIB, MADV_NOHUGEPAGE);
  memset(offered, 'a', 4 * MIB);
  madvise(offered, 4 * MIB, MADV_FREE);
  for (unsigned long at = 0; at < 512 * PAGE; at += PAGE) offered[at] = 'b';
  memset(map(12 * MIB, MAP_PRIVATE), 1, 12 * MIB);
  for (unsigned long at = 0; at < 4 * MIB; at += PAGE) {
    if (offered[at] == 0) gone++;
    else if (at < 512 * PAGE ? offered[at] != 'b' : offered[at] != 'a') puts("wrong byte");
    if (offered[at] == 0 && at < 512 * PAGE) puts("a written page has gone");
  }
  printf("lazy-free pages taken back: %s\n", gone > 0 && gone <= 512 ? "some" : "none");
}

static void droppable(void) {
  unsigned long gone = 0;
  char *at = map(4 * MIB, 8);
  memset(at, 'a', 4 * MIB);
  memset(map(13 * MIB, MAP_PRIVATE), 1, 13 * MIB);
  for (unsigned long i = 0; i < 4 * MIB; i += PAGE) gone += at[i] == 0;
  printf("droppable pages taken back: %s\n", gone > 0 ? "some" : "none");
}

static void forks(void) {
  int made = 0, error = 0, pid;
  while ((pid = fork()) > 0) made++;
  if (pid == 0) {
    pause();
    _exit(0);
  }
  error = errno;
  printf("forked %d, then errno %d\n", made, error);
  kill(0, SIGTERM);
}

int main(void) {
  struct statfs fs;
  setvbuf(stdout, NULL, _IONBF, 0);
  if (access(place("cgroup.procs"), F_OK) != 0) {
    top = "/tmp/groups";
    mkdir(top, 0755);
    if (mount("none", top, "cgroup2", 0, NULL) < 0) return printf("mount: %d\n", errno), 1;
  }
  statfs(top, &fs);
  printf("type %lx\n", (long)fs.f_type);
  membership();
  tell("cgroup.subtree_control", "+memory +pids");
  tell("cgroup.subtree_control", "+nothing");
  tell("cgroup.subtree_control", "memory");
  make("a");
  make("a");
  show("a/cgroup.controllers");
  show("a/cgroup.subtree_control");
  show("a/cgroup.type");
  show("a/cgroup.procs");
  show("a/memory.max");
  show("a/memory.high");
  show("a/memory.min");
  show("a/memory.low");
  show("a/memory.oom.group");
  show("a/memory.swap.max");
  show("a/memory.current");
  show("a/pids.max");
  show("a/pids.current");
  make("a/b");
  tell("a/b/cgroup.subtree_control", "+memory");
  tell("a/cgroup.subtree_control", "+memory");
  tell("cgroup.subtree_control", "-memory");
  show("a/b/cgroup.controllers");
  drop("a");
  tell("a/cgroup.procs", "0");
  tell("a/cgroup.procs", "x");
  tell("a/cgroup.procs", "4194303");
  tell("a/memory.max", "16M");
  show("a/memory.max");
  tell("a/memory.max", "5000000");
  show("a/memory.max");
  tell("a/memory.max", "many");
  tell("a/memory.max", "16777216");
  tell("a/memory.oom.group", "2");
  tell("a/memory.swap.max", "0");
  printf("in a/b: %x\n", in_group("a/b", membership));
  printf("pressed: %x\n", in_group("a/b", pressed));
  printf("droppable: %x\n", in_group("a/b", droppable));
  printf("oom_kill %ld %ld\n", number("a/memory.events", "oom_kill"), number("a/b/memory.events", "oom_kill"));
  printf("hungry: %x\n", in_group("a/b", hungry));
  printf("oom_kill %ld %ld local %ld %ld\n", number("a/memory.events", "oom_kill"),
         number("a/b/memory.events", "oom_kill"), number("a/memory.events.local", "oom_kill"),
         number("a/b/memory.events.local", "oom_kill"));
  printf("max %s, oom %s\n", number("a/memory.events", "max") > 0 ? "met" : "not met",
         number("a/memory.events", "oom") > 0 ? "met" : "not met");
  printf("below max: %d\n", atol(content(place("a/memory.peak"))) <= 16777216);
  drop("a/b");
  make("p");
  tell("p/pids.max", "4");
  show("p/pids.max");
  if (fork() == 0) {
    setpgid(0, 0);
    printf("forks: %x\n", in_group("p", forks));
    _exit(0);
  }
  wait(NULL);
  usleep(100000);
  printf("pids refused %ld\n", number("p/pids.events", "max"));
  int pid = fork();
  if (pid == 0) {
    put("p/cgroup.procs", "0");
    for (;;) pause();
  }
  usleep(100000);
  show("p/cgroup.events");
  drop("p");
  tell("p/cgroup.kill", "0");
  tell("p/cgroup.kill", "1");
  int status;
  waitpid(pid, &status, 0);
  printf("killed: %x\n", status);
  drop("p");
  tell("a/cgroup.subtree_control", "-memory");
  drop("a");
  tell("cgroup.subtree_control", "-memory -pids");
  return 0;
}
