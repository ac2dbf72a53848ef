/* Control groups v2: freezing, threads, events, limits of the tree, CLONE_INTO_CGROUP, owners. To be run as root. */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "group-files.h"

#define MIB (1ul << 20)

static void enter(const char *group, int pid) {
  char file[128], text[16];
  snprintf(file, sizeof file, "%s/cgroup.procs", group);
  snprintf(text, sizeof text, "%d", pid);
  int error = put(file, text);
  if (error) printf("enter %s: %d\n", group, error);
}

/* Counts in shared memory until it is killed. */
static volatile long *counter;
static int worker(const char *group) {
  int pid = fork();
  if (pid == 0) {
    if (group) enter(group, 0);
    for (;;) {
      (*counter)++;
      usleep(500);
    }
  }
  usleep(50000);
  return pid;
}

static const char *moving(void) {
  usleep(20000);
  long before = *counter;
  usleep(100000);
  return *counter != before ? "runs" : "stands still";
}

static void end(int pid, int signal) {
  int status;
  kill(pid, signal);
  waitpid(pid, &status, 0);
  printf("ended: %x\n", status);
}

static int changed(int fd) {
  struct pollfd each = {fd, POLLPRI, 0};
  /* Changes that follow each other at once are told together, after 10 ms. */
  usleep(30000);
  poll(&each, 1, 0);
  return each.revents;
}

static void freezing(void) {
  puts("-- freezing");
  make("f");
  make("f/in");
  show("f/cgroup.freeze");
  tell("f/cgroup.freeze", "2");
  tell("f/cgroup.freeze", "x");
  int pid = worker("f/in");
  int events = open(place("f/cgroup.events"), O_RDONLY);
  printf("before reading %x\n", changed(events));
  printf("%s", content_of(events));
  printf("after reading %x\n", changed(events));
  printf("%s\n", moving());
  tell("f/cgroup.freeze", "1");
  printf("%s\n", moving());
  printf("frozen: %x\n", changed(events));
  printf("%s", content_of(events));
  show("f/in/cgroup.events");
  show("f/in/cgroup.freeze");
  make("f/new");
  show("f/new/cgroup.events");
  tell("f/in/cgroup.freeze", "0");
  printf("%s\n", moving());
  enter("f/new", pid);
  printf("moved, %s\n", moving());
  show("f/in/cgroup.events");
  enter("", pid);
  printf("moved out, %s\n", moving());
  show("f/cgroup.events");
  enter("f/in", pid);
  printf("moved in, %s\n", moving());
  kill(pid, SIGUSR2);
  end(pid, 0);
  show("f/cgroup.events");
  pid = worker("f/in");
  printf("%s\n", moving());
  tell("f/cgroup.freeze", "0");
  printf("%s\n", moving());
  kill(pid, SIGSTOP);
  printf("stopped, %s\n", moving());
  tell("f/cgroup.freeze", "1");
  usleep(20000);
  show("f/cgroup.events");
  kill(pid, SIGCONT);
  printf("continued, %s\n", moving());
  tell("f/cgroup.kill", "1");
  end(pid, 0);
  show("f/cgroup.events");
  close(events);
  drop("f/new");
  drop("f/in");
  drop("f");
}

static void told(void) {
  puts("-- what is told");
  make("e");
  make("e/in");
  int first = open(place("e/in/cgroup.events"), O_RDONLY), ep = epoll_create1(0);
  content_of(first);
  tell("e/in/cgroup.freeze", "1");
  printf("frozen, empty: %x\n", changed(first));
  content_of(first);
  tell("e/in/cgroup.freeze", "1");
  printf("once more: %x\n", changed(first));
  tell("e/cgroup.freeze", "1");
  printf("the group around it: %x\n", changed(first));
  tell("e/in/cgroup.freeze", "0");
  printf("thawed in a frozen one: %x\n", changed(first));
  content_of(first);
  tell("e/cgroup.freeze", "0");
  printf("thawed: %x\n", changed(first));
  printf("%s", content_of(first));
  struct epoll_event event = {EPOLLPRI | EPOLLET, {0}};
  printf("epoll %d\n", epoll_ctl(ep, EPOLL_CTL_ADD, first, &event));
  usleep(30000);
  printf("nothing yet: %d\n", epoll_wait(ep, &event, 1, 0));
  int pid = worker("e/in");
  printf("populated: %d\n", epoll_wait(ep, &event, 1, 1000));
  kill(pid, SIGSTOP);
  usleep(20000);
  tell("e/in/cgroup.freeze", "1");
  tell("e/in/cgroup.freeze", "0");
  char file[64];
  snprintf(file, sizeof file, "/proc/%d/stat", pid);
  printf("stopped still: %d\n", strstr(content(file), ") T ") != NULL);
  end(pid, SIGKILL);
  printf("empty: %d\n", epoll_wait(ep, &event, 1, 1000));
  close(ep);
  close(first);
  drop("e/in");
  drop("e");
}

static void limits(void) {
  puts("-- limits of the tree");
  make("t");
  tell("t/cgroup.max.depth", "1");
  show("t/cgroup.max.depth");
  tell("t/cgroup.max.depth", "-1");
  tell("t/cgroup.max.depth", "deep");
  make("t/a");
  make("t/a/b");
  tell("t/cgroup.max.depth", "max");
  tell("t/cgroup.max.descendants", "2");
  make("t/a/b");
  make("t/c");
  printf("descendants %ld\n", number("t/cgroup.stat", "nr_descendants"));
  drop("t/a/b");
  printf("descendants %ld of t, %ld of t/a\n", number("t/cgroup.stat", "nr_descendants"),
         number("t/a/cgroup.stat", "nr_descendants"));
  make("t/c");
  int fd = open(place("t/c/cgroup.events"), O_RDONLY);
  int procs = open(place("t/c/cgroup.procs"), O_WRONLY);
  drop("t/c");
  printf("a file of a group that is gone: %s", content_of(fd));
  printf("written: %d\n", write(procs, "0", 1) < 0 ? errno : 0);
  close(fd);
  close(procs);
  struct stat st;
  make("t/cgroup.procs");
  printf("mkdir of a bad name: %d\n", mkdir(place("t/a\nb"), 0755) < 0 ? errno : 0);
  printf("creat: %d\n", creat(place("t/file"), 0644) < 0 ? errno : 0);
  printf("unlink: %d\n", unlink(place("t/cgroup.procs")) < 0 ? errno : 0);
  printf("links %d\n", stat(place("t"), &st) == 0 ? (int)st.st_nlink : -1);
  drop("t/a");
  drop("t");
}

static void *sleeper(void *arg) {
  *(int *)arg = gettid();
  for (;;) pause();
}

static void threads(void) {
  puts("-- threads");
  make("d");
  make("d/x");
  make("d/y");
  show("d/cgroup.type");
  tell("d/x/cgroup.type", "domain");
  tell("d/x/cgroup.type", "threaded");
  show("d/x/cgroup.type");
  show("d/cgroup.type");
  show("d/y/cgroup.type");
  tell("d/y/cgroup.procs", "0");
  tell("d/cgroup.subtree_control", "+memory");
  tell("d/cgroup.subtree_control", "+pids");
  show("d/x/cgroup.controllers");
  tell("d/y/cgroup.type", "threaded");
  int pid = fork();
  if (pid == 0) {
    enter("d", 0);
    static volatile int tid;
    pthread_t thread;
    char text[16];
    pthread_create(&thread, NULL, sleeper, (void *)&tid);
    while (tid == 0) usleep(1000);
    snprintf(text, sizeof text, "%d", tid);
    printf("thread to x: %d\n", put("d/x/cgroup.threads", text));
    snprintf(text, sizeof text, "/proc/self/task/%d/cgroup", tid);
    printf("thread: %s", content(text));
    printf("process: %s", content("/proc/self/cgroup"));
    printf("in x: %d\n", atoi(content(place("d/x/cgroup.threads"))) == tid);
    show("d/x/cgroup.procs");
    printf("in d: %d\n", atoi(content(place("d/cgroup.procs"))) == getpid());
    show("d/x/pids.current");
    show("d/pids.current");
    tell("d/y/cgroup.threads", "0");
    printf("process: %s", content("/proc/self/cgroup"));
    snprintf(text, sizeof text, "%d", getpid());
    tell("d/x/cgroup.procs", "0");
    show("d/x/pids.current");
    snprintf(text, sizeof text, "%d", tid);
    printf("thread to the top: %d\n", put("cgroup.threads", text));
    _exit(0);
  }
  waitpid(pid, NULL, 0);
  tell("d/x/cgroup.kill", "1");
  tell("d/cgroup.subtree_control", "-pids");
  drop("d/y");
  drop("d/x");
  show("d/cgroup.type");
  drop("d");
}

static long clone_into(int fd, size_t size) {
  uint64_t args[11] = {1ull << 33, 0, 0, 0, SIGCHLD, 0, 0, 0, 0, 0, (uint64_t)fd};
  return syscall(435, args, size);
}

static void cloned(const char *what, int fd, size_t size) {
  long pid = clone_into(fd, size);
  if (pid == 0) {
    printf("%s: %s", what, content("/proc/self/cgroup"));
    _exit(0);
  }
  if (pid < 0) printf("%s: %d\n", what, errno);
  else waitpid(pid, NULL, 0);
}

static void cloning(void) {
  puts("-- clone3");
  make("c");
  make("c/in");
  int fd = open(place("c"), O_DIRECTORY | O_PATH), in = open(place("c/in"), O_RDONLY | O_DIRECTORY);
  int procs = open(place("c/cgroup.procs"), O_RDONLY), root = open("/", O_RDONLY | O_DIRECTORY);
  cloned("into c", fd, 88);
  cloned("into c/in", in, 88);
  cloned("a short record", fd, 80);
  cloned("no descriptor", 99, 88);
  cloned("a file", procs, 88);
  cloned("another directory", root, 88);
  tell("c/cgroup.subtree_control", "+memory +pids");
  cloned("where there are controllers", fd, 88);
  tell("c/in/pids.max", "0");
  cloned("where none may be", in, 88);
  show("c/in/pids.events");
  show("c/in/pids.events.local");
  show("c/pids.events");
  show("c/pids.events.local");
  tell("c/cgroup.subtree_control", "-memory -pids");
  drop("c/in");
  cloned("into what is gone", in, 88);
  drop("c");
}

static void owners(void) {
  puts("-- owners");
  struct stat st;
  make("o");
  make("o/a");
  make("o/b");
  stat(place("o/a"), &st);
  printf("mode %o\n", st.st_mode);
  printf("chown %d\n", chown(place("o/a/cgroup.procs"), 65534, -1) < 0 ? errno : 0);
  printf("chown %d\n", chown(place("o/b/cgroup.procs"), 65534, -1) < 0 ? errno : 0);
  printf("chmod %d\n", chmod(place("o/b/cgroup.procs"), 0664) < 0 ? errno : 0);
  stat(place("o/b/cgroup.procs"), &st);
  printf("uid %d gid %d mode %o\n", st.st_uid, st.st_gid, st.st_mode);
  int pid = fork();
  if (pid == 0) {
    enter("o/a", 0);
    int before = open(place("o/b/cgroup.procs"), O_RDWR);
    setresuid(65534, 65534, 65534);
    int after = open(place("o/b/cgroup.procs"), O_RDWR);
    printf("as nobody: %d\n", write(after, "0", 1) < 0 ? errno : 0);
    printf("opened by root: %d\n", write(before, "0", 1) < 0 ? errno : 0);
    printf("%s", content("/proc/self/cgroup"));
    make("o/b/c");
    _exit(0);
  }
  waitpid(pid, NULL, 0);
  printf("chown %d\n", chown(place("o/b"), 65534, 65534) < 0 ? errno : 0);
  pid = fork();
  if (pid == 0) {
    setresgid(65534, 65534, 65534);
    setresuid(65534, 65534, 65534);
    make("o/b/c");
    stat(place("o/b/c/cgroup.procs"), &st);
    printf("made by nobody: uid %d gid %d\n", st.st_uid, st.st_gid);
    drop("o/b/c");
    _exit(0);
  }
  waitpid(pid, NULL, 0);
  drop("o/a");
  drop("o/b");
  drop("o");
}

static void *fill(unsigned long bytes) {
  char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
  madvise(at, bytes, MADV_NOHUGEPAGE);
  memset(at, 1, bytes);
  return at;
}

static int near(long is, long should) { return is >= should && is < should + (long)MIB; }

static void memory(void) {
  puts("-- memory");
  tell("cgroup.subtree_control", "+memory +pids");
  make("m");
  tell("m/cgroup.subtree_control", "+memory");
  make("m/a");
  make("m/b");
  int peak = open(place("m/a/memory.peak"), O_RDWR), other = open(place("m/a/memory.peak"), O_RDWR);
  int pid = fork();
  if (pid == 0) {
    enter("m/a", 0);
    char *first = fill(8 * MIB);
    munmap(first, 8 * MIB);
    printf("peak %d\n", near(atol(content_of(peak)), 8 * MIB));
    printf("reset %d\n", write(peak, "x", 1) < 0 ? errno : 0);
    char *second = fill(4 * MIB);
    printf("peak %d, others' %d\n", near(atol(content_of(peak)), 4 * MIB), near(atol(content_of(other)), 8 * MIB));
    printf("anon %d, tables %d\n", near(number("m/a/memory.stat", "anon"), 4 * MIB),
           number("m/a/memory.stat", "pagetables") > 0);
    int fd = memfd_create("pages", 0);
    ftruncate(fd, 2 * MIB);
    memset(mmap(NULL, 2 * MIB, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), 1, 2 * MIB);
    printf("shmem %ld, mapped %d\n", number("m/a/memory.stat", "shmem"),
           near(number("m/a/memory.stat", "file_mapped"), 2 * MIB));
    /* The charge stays with the group where a page was touched first. */
    enter("m/b", 0);
    printf("left behind: %d, taken along: %d\n", near(atol(content(place("m/a/memory.current"))), 6 * MIB),
           near(atol(content(place("m/b/memory.current"))), 0));
    drop("m/a");
    printf("dying %ld, still charged: %d\n", number("m/cgroup.stat", "nr_dying_descendants"),
           near(atol(content(place("m/memory.current"))), 6 * MIB));
    printf("peak %s", content_of(peak));
    _exit(0);
  }
  waitpid(pid, NULL, 0);
  usleep(200000);
  printf("given back: %d\n", near(atol(content(place("m/memory.current"))), 0));
  tell("m/b/memory.reclaim", "lots");
  tell("m/b/memory.reclaim", "1M nothing=1");
  tell("m/b/memory.reclaim", "1M swappiness=201");
  tell("m/b/memory.reclaim", "1G");
  show("m/b/memory.events");
  /* A whole group goes. */
  tell("m/b/memory.max", "8M");
  tell("m/b/memory.swap.max", "0");
  tell("m/b/memory.oom.group", "1");
  int events = open(place("m/b/memory.events"), O_RDONLY);
  content_of(events);
  printf("events %x\n", changed(events));
  pid = worker("m/b");
  int hungry = fork();
  if (hungry == 0) {
    enter("m/b", 0);
    for (;;) fill(MIB);
  }
  end(hungry, 0);
  end(pid, 0);
  printf("events %x, oom_kill %ld, oom_group_kill %ld\n", changed(events), number("m/b/memory.events", "oom_kill"),
         number("m/b/memory.events", "oom_group_kill"));
  close(events);
  drop("m/b");
  drop("m");
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  if (access(place("cgroup.procs"), F_OK) != 0) {
    top = "/tmp/groups";
    mkdir(top, 0755);
    if (mount("none", top, "cgroup2", 0, NULL) < 0) return printf("mount: %d\n", errno), 1;
  }
  counter = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_SHARED, -1, 0);
  freezing();
  told();
  limits();
  tell("cgroup.subtree_control", "+pids +memory");
  threads();
  cloning();
  owners();
  memory();
  tell("cgroup.subtree_control", "-memory -pids");
  return 0;
}
