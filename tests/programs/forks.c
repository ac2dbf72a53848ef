/* Processes: fork, vfork, wait, exec, pipes, signals between them, process groups, orphans. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *outcome(int status) {
  static char text[64];
  if (WIFEXITED(status)) sprintf(text, "exited %d", WEXITSTATUS(status));
  else if (WIFSIGNALED(status)) sprintf(text, "killed by %d%s", WTERMSIG(status), WCOREDUMP(status) ? ", core" : "");
  else if (WIFSTOPPED(status)) sprintf(text, "stopped by %d", WSTOPSIG(status));
  else if (WIFCONTINUED(status)) sprintf(text, "continued");
  return text;
}

static const char *error_of(long result) { return result < 0 ? strerror(errno) : "fine"; }

static volatile sig_atomic_t children, last;
static void on_child(int number, siginfo_t *info, void *context) {
  children++;
  last = info->si_code;
}
static volatile sig_atomic_t users;
static void on_user(int number) { users++; }

static int global = 1;
static char *self;

static void memory(void) {
  int *private = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  int *shared = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  char *wiped = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *kept_out = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  private[0] = shared[0] = 5;
  wiped[0] = 9;
  madvise(wiped, 4096, MADV_WIPEONFORK);
  madvise(kept_out, 4096, MADV_DONTFORK);
  int local = 3;
  pid_t pid = fork();
  if (pid == 0) {
    global++, local++, private[0]++, shared[0]++;
    shared[1] = wiped[0];
    shared[2] = msync(kept_out, 4096, MS_ASYNC) < 0 ? errno : 0;
    _exit(global * 10 + local);
  }
  int status;
  pid_t got = waitpid(pid, &status, 0);
  printf("memory: same %d, %s; here %d %d %d, shared %d, wiped %d, kept out %s\n", got == pid, outcome(status), global,
         local, private[0], shared[0], shared[1], strerror(shared[2]));
}

static void many(void) {
  int in_order[2], sum = 0;
  pid_t pids[20];
  pipe(in_order);
  for (int i = 0; i < 20; i++) {
    pids[i] = fork();
    if (pids[i] == 0) {
      write(in_order[1], &i, sizeof i);
      _exit(i);
    }
  }
  close(in_order[1]);
  for (int i = 0, n; read(in_order[0], &n, sizeof n) == sizeof n; i++) sum += n;
  for (int i = 19; i >= 0; i--) {
    int status;
    if (waitpid(pids[i], &status, 0) != pids[i] || WEXITSTATUS(status) != i) printf("child %d: %s\n", i, outcome(status));
  }
  printf("many: %d; no more: %s\n", sum, error_of(wait(0)));
  close(in_order[0]);
}

static void deaths(void) {
  const int signals[] = {SIGTERM, SIGKILL, SIGSEGV, SIGABRT, SIGPIPE, SIGUSR1, SIGCHLD, SIGRTMIN};
  for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) {
    pid_t pid = fork();
    if (pid == 0) {
      signal(signals[i], SIG_DFL);
      struct rlimit none = {0, 0};
      setrlimit(RLIMIT_CORE, &none);
      kill(getpid(), signals[i]);
      _exit(77);
    }
    int status;
    struct rusage usage;
    wait4(pid, &status, 0, &usage);
    printf("death %d: %s\n", signals[i], outcome(status));
  }
}

static void stops(void) {
  pid_t pid = fork();
  if (pid == 0)
    for (;;) pause();
  int status;
  siginfo_t info;
  printf("not yet: %d\n", waitpid(pid, &status, WNOHANG | WUNTRACED));
  kill(pid, SIGSTOP);
  waitpid(pid, &status, WUNTRACED);
  printf("stop: %s\n", outcome(status));
  kill(pid, SIGCONT);
  waitpid(pid, &status, WCONTINUED);
  printf("go on: %s\n", outcome(status));
  kill(pid, SIGTERM);
  memset(&info, 0, sizeof info);
  int r = waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
  printf("waitid: %d, signal %d, code %d, status %d, same %d\n", r, info.si_signo, info.si_code, info.si_status,
         info.si_pid == pid);
  r = waitpid(pid, &status, 0) == pid;
  printf("again: %d, %s\n", r, outcome(status));
  printf("gone: %s\n", error_of(kill(pid, 0)));
}

static void child_signals(void) {
  struct sigaction action = {.sa_sigaction = on_child, .sa_flags = SA_SIGINFO | SA_RESTART};
  sigaction(SIGCHLD, &action, 0);
  sigset_t block, old;
  sigemptyset(&block);
  sigaddset(&block, SIGCHLD);
  sigprocmask(SIG_BLOCK, &block, &old);
  if (fork() == 0) _exit(4);
  while (children == 0) sigsuspend(&old);
  int status;
  wait(&status);
  printf("SIGCHLD: %d, code %d, %s\n", (int)children, (int)last, outcome(status));
  sigprocmask(SIG_SETMASK, &old, 0);
  action.sa_handler = SIG_IGN;
  action.sa_flags = 0;
  sigaction(SIGCHLD, &action, 0);
  if (fork() == 0) _exit(5);
  printf("ignored: %s\n", error_of(wait(&status)));
  signal(SIGCHLD, SIG_DFL);
}

static void groups(void) {
  int ready[2];
  char byte;
  pipe(ready);
  signal(SIGUSR2, on_user);
  pid_t first = fork();
  if (first == 0) {
    setpgid(0, 0);
    if (fork() == 0) {
      write(ready[1], "x", 1);
      for (;;) pause();
    }
    write(ready[1], "x", 1);
    int status;
    wait(&status);
    _exit(users * 10 + (WIFSIGNALED(status) ? WTERMSIG(status) : 0));
  }
  setpgid(first, first);
  read(ready[0], &byte, 1);
  read(ready[0], &byte, 1);
  printf("group: %d, mine %d\n", getpgid(first) == first, getpgrp() == getpgid(0));
  kill(-first, SIGUSR2);
  int status, tries = 0;
  pid_t got;
  usleep(10000);
  printf("wait for another group: %s\n", error_of(waitpid(-99999, &status, 0)));
  signal(SIGTERM, SIG_DFL);
  kill(-first, SIGTERM);
  got = waitpid(-first, &status, 0);
  printf("the group's leader: %d, %s\n", got == first, outcome(status));
  pid_t session = fork();
  if (session == 0) _exit(setsid() == getpid() && getsid(0) == getpid() && setsid() == -1 && errno == EPERM ? 6 : 7);
  waitpid(session, &status, 0);
  printf("session: %s\n", outcome(status));
  close(ready[0]);
  close(ready[1]);
}

static void orphans(void) {
  int tell[2];
  pipe(tell);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  pid_t pid = fork();
  if (pid == 0) {
    pid_t parent = getpid();
    if (fork() == 0) {
      while (getppid() == parent) usleep(1000);
      int mine = getppid();
      write(tell[1], &mine, sizeof mine);
      _exit(8);
    }
    _exit(9);
  }
  int status, parent;
  waitpid(pid, &status, 0);
  printf("parent: %s\n", outcome(status));
  read(tell[0], &parent, sizeof parent);
  printf("its child is mine: %d\n", parent == getpid());
  pid = wait(&status);
  printf("adopted: %s\n", outcome(status));
  prctl(PR_SET_CHILD_SUBREAPER, 0);
  close(tell[0]);
  close(tell[1]);
}

static void deathsig(void) {
  int tell[2], got = 0;
  pipe(tell);
  pid_t pid = fork();
  if (pid == 0) {
    int ready[2];
    char byte;
    pipe(ready);
    if (fork() == 0) {
      sigset_t set;
      int number;
      sigemptyset(&set);
      sigaddset(&set, SIGUSR1);
      sigprocmask(SIG_BLOCK, &set, 0);
      prctl(PR_SET_PDEATHSIG, SIGUSR1);
      write(ready[1], "x", 1);
      sigwait(&set, &number);
      write(tell[1], &number, sizeof number);
      _exit(0);
    }
    read(ready[0], &byte, 1);
    _exit(0);
  }
  waitpid(pid, 0, 0);
  read(tell[0], &got, sizeof got);
  printf("told of its parent's death by %d\n", got);
  close(tell[0]);
  close(tell[1]);
}

static void programs(void) {
  int status;
  pid_t pid = vfork();
  if (pid == 0) {
    execl(self, self, "child", "with words", (char *)0);
    _exit(127);
  }
  waitpid(pid, &status, 0);
  printf("vfork and exec: %s\n", outcome(status));
  pid = vfork();
  if (pid == 0) {
    execl("/nowhere", "nowhere", (char *)0);
    global = errno;
    _exit(126);
  }
  waitpid(pid, &status, 0);
  printf("vfork shares: %s, %s\n", strerror(global), outcome(status));
  int pipes[2];
  pipe2(pipes, O_CLOEXEC);
  pid = fork();
  if (pid == 0) {
    dup2(pipes[1], 1);
    execl(self, self, "descriptors", (char *)0);
    _exit(127);
  }
  close(pipes[1]);
  char text[200];
  int n, length = 0;
  while ((n = read(pipes[0], text + length, sizeof text - 1 - length)) > 0) length += n;
  text[length] = 0;
  close(pipes[0]);
  waitpid(pid, &status, 0);
  printf("its output: %s", text);
  printf("system: %s\n", outcome(system("exit 12")));
}

static void end_of_pipe(void) {
  int pipes[2];
  char byte;
  pipe(pipes);
  signal(SIGPIPE, SIG_DFL);
  pid_t pid = fork();
  if (pid == 0) {
    close(pipes[0]);
    for (;;) write(pipes[1], "xxxxxxxxxxxxxxxx", 16);
  }
  close(pipes[1]);
  read(pipes[0], &byte, 1);
  close(pipes[0]);
  int status;
  waitpid(pid, &status, 0);
  printf("writer: %s\n", outcome(status));
}

static void timers(void) {
  signal(SIGALRM, on_user);
  users = 0;
  struct itimerval timer = {{0, 0}, {0, 1000}};
  setitimer(ITIMER_REAL, &timer, 0);
  pid_t pid = fork();
  if (pid == 0) {
    struct itimerval left;
    getitimer(ITIMER_REAL, &left);
    _exit(left.it_value.tv_sec || left.it_value.tv_usec);
  }
  int status;
  while (waitpid(pid, &status, 0) < 0) {}
  while (users == 0) pause();
  printf("timers are not inherited: %s; here %d\n", outcome(status), (int)users);
}

int main(int argc, char **argv) {
  self = argv[0];
  if (argc > 1 && !strcmp(argv[1], "child")) return printf("child: %s\n", argv[2]), fflush(stdout), 11;
  if (argc > 1 && !strcmp(argv[1], "descriptors")) {
    for (int i = 0; i < 20; i++)
      if (fcntl(i, F_GETFD) >= 0) printf("%d ", i);
    return puts(""), 0;
  }
  setvbuf(stdout, 0, _IOLBF, 0);
  memory();
  many();
  deaths();
  stops();
  child_signals();
  groups();
  orphans();
  deathsig();
  fflush(stdout);
  programs();
  end_of_pipe();
  timers();
  return 0;
}
