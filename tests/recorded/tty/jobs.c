/*
 * Sessions, controlling terminals and job control on ptys: prints what each step gives. jobs.txt is what it printed on
 * the Linux that it names. Processes wait for one another, so the lines come in one order.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define RESULT(call) ({ long r_ = (call); r_ < 0 ? -(long)errno : r_; })

static void say(const char *format, ...) {
  char line[300];
  va_list list;
  va_start(list, format);
  int n = vsnprintf(line, sizeof line, format, list);
  va_end(list);
  line[n++] = '\n';
  write(1, line, n);
}

/* The first value is asked for before the others. */
#define SAY(format, first, ...) \
  do { \
    long first_ = (first); \
    say(format, first_, __VA_ARGS__); \
  } while (0)

static int master, slave;
static char name[32];

static void pair(void) {
  int unlock = 0, index;
  master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
  ioctl(master, TIOCSPTLCK, &unlock);
  ioctl(master, TIOCGPTN, &index);
  sprintf(name, "/dev/pts/%d", index);
}

static void nap(int ms) {
  struct timespec t = {ms / 1000, ms % 1000 * 1000000L};
  while (nanosleep(&t, &t) < 0) {}
}

/* Waits for a child and tells how it is. */
static void ended(const char *what, pid_t pid) {
  int status;
  if (waitpid(pid, &status, WUNTRACED) < 0) say("%s: wait: errno %d", what, errno);
  else if (WIFSTOPPED(status)) say("%s: stopped by %d", what, WSTOPSIG(status));
  else if (WIFSIGNALED(status)) say("%s: killed by %d", what, WTERMSIG(status));
  else say("%s: exit %d", what, WEXITSTATUS(status));
}

static void type(const char *keys) { write(master, keys, strlen(keys)); }

/* 1 if the group of fd's terminal is `group`. */
static int foreground_is(pid_t group) {
  pid_t got = 0;
  return RESULT(ioctl(slave, TIOCGPGRP, &got)) == 0 ? got == group : -errno;
}

static int open_tty(int flags) {
  int fd = open("/dev/tty", flags);
  if (fd < 0) return -errno;
  close(fd);
  return 0;
}

static void got(const char *what, long n, const char *bytes) {
  if (n < 0) say("%s: errno %d", what, errno);
  else say("%s: %ld bytes, first %02x", what, n, n > 0 ? (unsigned char)bytes[0] : 0);
}

static volatile sig_atomic_t counts[65];
static void count(int s) { counts[s]++; }

static void handle(int s, int flags) {
  struct sigaction a;
  memset(&a, 0, sizeof a);
  a.sa_handler = count;
  a.sa_flags = flags;
  sigaction(s, &a, 0);
}

/* A child in a group of its own, which the parent has seen made. */
static pid_t job(void) {
  pid_t pid = fork();
  if (pid == 0) setpgid(0, 0);
  else setpgid(pid, pid);
  return pid;
}

static void acquiring(void) {
  pid_t pid = fork(), got_pid = -5;
  if (pid == 0) {
    say("setsid by a child: %d", setsid() == getpid());
    say("/dev/tty without a terminal: %d", open_tty(O_RDWR));
    slave = open(name, O_RDWR | O_NOCTTY);
    say("O_NOCTTY, then /dev/tty: %d", open_tty(O_RDWR));
    say("TIOCGPGRP of another's terminal: %ld", RESULT(ioctl(slave, TIOCGPGRP, &got_pid)));
    say("TIOCGSID: %ld", RESULT(ioctl(slave, TIOCGSID, &got_pid)));
    got_pid = -5;
    SAY("TIOCGPGRP of the master: %ld, %d", RESULT(ioctl(master, TIOCGPGRP, &got_pid)), got_pid);
    say("TIOCGSID of the master: %ld", RESULT(ioctl(master, TIOCGSID, &got_pid)));
    say("TIOCSPGRP: %ld", RESULT(ioctl(slave, TIOCSPGRP, &(pid_t){getpid()})));
    say("TIOCNOTTY: %ld", RESULT(ioctl(slave, TIOCNOTTY, 0)));
    close(slave);
    slave = open(name, O_WRONLY);
    say("opened for writing only, then /dev/tty: %d", open_tty(O_RDWR));
    close(slave);
    pid_t child = fork();
    if (child == 0) {
      slave = open(name, O_RDWR);
      say("opened by one that leads no session: %d", open_tty(O_RDWR));
      say("TIOCSCTTY by it: %ld", RESULT(ioctl(slave, TIOCSCTTY, 0)));
      exit(0);
    }
    ended("child", child);
    slave = open(name, O_RDWR);
    SAY("opened by the leader: %ld, foreground %d", open_tty(O_RDWR), foreground_is(getpid()));
    SAY("TIOCGSID: %ld, own %d", RESULT(ioctl(slave, TIOCGSID, &got_pid)), got_pid == getsid(0));
    say("TIOCSCTTY again: %ld", RESULT(ioctl(slave, TIOCSCTTY, 0)));
    child = fork();
    if (child == 0) {
      say("a child's /dev/tty: %d", open_tty(O_RDWR));
      SAY("child's TIOCNOTTY: %ld, then %d", RESULT(ioctl(slave, TIOCNOTTY, 0)), open_tty(O_RDWR));
      exit(0);
    }
    ended("child", child);
    child = fork();
    if (child == 0) {
      setsid();
      say("child's setsid: %d", open_tty(O_RDWR));
      say("TIOCSCTTY of another session's: %ld", RESULT(ioctl(slave, TIOCSCTTY, 0)));
      SAY("stolen: %ld, then %d", RESULT(ioctl(slave, TIOCSCTTY, 1)), open_tty(O_RDWR));
      exit(0);
    }
    ended("thief", child);
    say("the robbed one's /dev/tty: %d", open_tty(O_RDWR));
    say("TIOCSCTTY: %ld", RESULT(ioctl(slave, TIOCSCTTY, 0)));
    say("TIOCSPGRP -1: %ld", RESULT(ioctl(slave, TIOCSPGRP, &(pid_t){-1})));
    say("TIOCSPGRP 0x3ffffff: %ld", RESULT(ioctl(slave, TIOCSPGRP, &(pid_t){0x3ffffff})));
    say("TIOCSPGRP another session's: %ld", RESULT(ioctl(slave, TIOCSPGRP, &(pid_t){getppid()})));
    say("TIOCSPGRP null: %ld", RESULT(ioctl(slave, TIOCSPGRP, 0)));
    handle(SIGHUP, 0), handle(SIGCONT, 0);
    SAY("TIOCNOTTY: %ld, then %d", RESULT(ioctl(slave, TIOCNOTTY, 0)), open_tty(O_RDWR));
    say("signals: HUP %d CONT %d", counts[SIGHUP], counts[SIGCONT]);
    exit(0);
  }
  ended("leader", pid);
}

static void background(void) {
  char buffer[100];
  pid_t pid = fork();
  if (pid == 0) {
    setsid();
    slave = open(name, O_RDWR);
    struct termios t;
    tcgetattr(slave, &t);
    pid_t child = job();
    if (child == 0) {
      long n = read(slave, buffer, sizeof buffer);
      got("woken reader", n, buffer);
      exit(7);
    }
    ended("background read", child);
    say("to the foreground: %ld", RESULT(ioctl(slave, TIOCSPGRP, &child)));
    kill(child, SIGCONT);
    type("line\r");
    ended("reader", child);
    say("foreground is still the child's: %d", foreground_is(child));
    /* The group is empty now; this process is in the background. */
    signal(SIGTTOU, SIG_IGN);
    SAY("back with SIGTTOU ignored: %ld, %d", RESULT(ioctl(slave, TIOCSPGRP, &(pid_t){getpid()})), foreground_is(getpid()));
    signal(SIGTTOU, SIG_DFL);

    if ((child = job()) == 0) {
      signal(SIGTTIN, SIG_IGN);
      say("read with SIGTTIN ignored: %ld", RESULT(read(slave, buffer, 1)));
      signal(SIGTTIN, SIG_DFL);
      sigset_t set;
      sigemptyset(&set), sigaddset(&set, SIGTTIN), sigaddset(&set, SIGTTOU);
      sigprocmask(SIG_BLOCK, &set, 0);
      say("read with SIGTTIN blocked: %ld", RESULT(read(slave, buffer, 1)));
      say("tcsetattr with SIGTTOU blocked: %ld", RESULT(tcsetattr(slave, TCSANOW, &t)));
      say("TIOCGPGRP: %d", foreground_is(getpid()));
      say("write: %ld", RESULT(write(slave, "w", 1)));
      exit(0);
    }
    ended("ignoring", child);
    if ((child = job()) == 0) {
      handle(SIGTTIN, 0);
      SAY("read with a handler: %ld, calls %d", RESULT(read(slave, buffer, 1)), counts[SIGTTIN]);
      handle(SIGTTOU, 0);
      SAY("tcsetattr with a handler: %ld, calls %d", RESULT(tcsetattr(slave, TCSANOW, &t)), counts[SIGTTOU]);
      SAY("tcflush with a handler: %ld, calls %d", RESULT(tcflush(slave, TCIFLUSH)), counts[SIGTTOU]);
      SAY("TIOCSPGRP with a handler: %ld, calls %d", RESULT(ioctl(slave, TIOCSPGRP, &(pid_t){getpid()})), counts[SIGTTOU]);
      SAY("write: %ld, calls %d", RESULT(write(slave, "w", 1)), counts[SIGTTOU]);
      say("read of nothing: %ld", RESULT(read(slave, buffer, 0)));
      exit(0);
    }
    ended("handling", child);
    struct termios stop = t;
    stop.c_lflag |= TOSTOP;
    tcsetattr(slave, TCSANOW, &stop);
    if ((child = job()) == 0) {
      say("write with TOSTOP: %ld", RESULT(write(slave, "w", 1)));
      exit(0);
    }
    ended("writer", child);
    tcsetattr(slave, TCSANOW, &t);
    kill(child, SIGCONT);
    ended("writer", child);
    if ((child = job()) == 0) {
      tcsetattr(slave, TCSANOW, &t);
      exit(0);
    }
    ended("setter", child);
    kill(child, SIGKILL);
    ended("setter", child);
    /* Orphaned: the parent between it and this session's rest goes. */
    int go[2];
    pipe(go);
    if ((child = job()) == 0) {
      if (fork() == 0) {
        char c;
        close(go[1]);
        read(go[0], &c, 1);
        nap(20);
        say("orphan's read: %ld", RESULT(read(slave, buffer, 1)));
        say("orphan's tcsetattr: %ld", RESULT(tcsetattr(slave, TCSANOW, &t)));
        say("orphan's TIOCSPGRP: %ld", RESULT(ioctl(slave, TIOCSPGRP, &(pid_t){getpid()})));
        raise(SIGTSTP);
        say("orphan goes on after SIGTSTP");
        exit(0);
      }
      exit(0);
    }
    ended("parent of the orphan", child);
    write(go[1], "x", 1);
    nap(150);
    exit(0);
  }
  ended("leader", pid);
}

static void keys(void) {
  char buffer[100];
  pid_t pid = fork();
  if (pid == 0) {
    setsid();
    slave = open(name, O_RDWR);
    signal(SIGTTOU, SIG_IGN);
    static const char *const typed[] = {"\003", "\034", "\032"};
    for (int i = 0; i < 3; i++) {
      pid_t child = job();
      if (child == 0) {
        signal(SIGTTOU, SIG_DFL);
        for (;;) pause();
      }
      ioctl(slave, TIOCSPGRP, &child);
      type(typed[i]);
      ended("at a key", child);
      kill(child, SIGKILL);
      if (i == 2) ended("then", child);
    }
    pid_t child = job();
    if (child == 0) {
      handle(SIGWINCH, SA_RESTART), handle(SIGINT, 0);
      int ready = write(slave, "r", 1);
      say("ready %d", ready);
      SAY("read: %ld, INT %d", RESULT(read(slave, buffer, 10)), counts[SIGINT]);
      handle(SIGINT, SA_RESTART);
      long n = read(slave, buffer, 10);
      got("read that goes on", n, buffer);
      say("INT %d WINCH %d", counts[SIGINT], counts[SIGWINCH]);
      exit(0);
    }
    ioctl(slave, TIOCSPGRP, &child);
    nap(50);
    type("\003");
    nap(50);
    type("\003");
    nap(50);
    struct winsize w = {30, 90, 0, 0};
    ioctl(master, TIOCSWINSZ, &w);
    ioctl(master, TIOCSWINSZ, &w);
    nap(50);
    type("q\r");
    ended("reader", child);
    exit(0);
  }
  ended("leader", pid);
}

static void waits(void) {
  char buffer[100];
  slave = open(name, O_RDWR | O_NOCTTY);
  struct termios t;
  tcgetattr(slave, &t);
  cfmakeraw(&t);
  static const struct {
    int min, time, ask;
    const char *typed[3];
  } cases[] = {
      {0, 1, 10, {0}},
      {0, 9, 10, {"a"}},
      {3, 0, 10, {"a", "b", "cd"}},
      {3, 0, 2, {"a", "b", 0}},
      {5, 3, 10, {"a", "b", 0}},
      {2, 9, 10, {"a", "b", 0}},
      {1, 0, 10, {"abc"}},
  };
  for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
    t.c_cc[VMIN] = cases[i].min;
    t.c_cc[VTIME] = cases[i].time;
    tcsetattr(slave, TCSAFLUSH, &t);
    pid_t typist = fork();
    if (typist == 0) {
      for (int k = 0; k < 3 && cases[i].typed[k]; k++) {
        nap(30);
        type(cases[i].typed[k]);
      }
      exit(0);
    }
    long n = read(slave, buffer, cases[i].ask);
    say("VMIN %d VTIME %d read %d: %ld %.*s", cases[i].min, cases[i].time, cases[i].ask, n, (int)(n > 0 ? n : 0), buffer);
    waitpid(typist, 0, 0);
  }
  pid_t typist = fork();
  if (typist == 0) {
    nap(30);
    type("k");
    exit(0);
  }
  struct pollfd p = {slave, POLLIN, 0};
  int n = poll(&p, 1, 5000);
  say("poll of the terminal: %d %x", n, p.revents);
  waitpid(typist, 0, 0);
  read(slave, buffer, 10);
  if ((typist = fork()) == 0) {
    nap(30);
    write(slave, "out", 3);
    exit(0);
  }
  p.fd = master;
  n = poll(&p, 1, 5000);
  say("poll of the master: %d %x", n, p.revents);
  n = read(master, buffer, 10);
  say("master reads some: %d", n >= 3);
  waitpid(typist, 0, 0);
  /* A writer waits for room. */
  if ((typist = fork()) == 0) {
    static char big[60000];
    say("large write: %ld", RESULT(write(slave, big, sizeof big)));
    exit(0);
  }
  int total = 0;
  static char sink[4096];
  while (total < 60000 && (n = read(master, sink, sizeof sink)) > 0) total += n;
  ended("writer", typist);
  say("master read all: %d", total >= 60000);
}

static void hangups(void) {
  char buffer[100];
  pid_t pid = fork();
  if (pid == 0) {
    setsid();
    slave = open(name, O_RDWR);
    handle(SIGHUP, 0), handle(SIGCONT, 0);
    pid_t child = job();
    if (child == 0) {
      close(master);
      for (;;) pause();
    }
    signal(SIGTTOU, SIG_IGN);
    ioctl(slave, TIOCSPGRP, &child);
    int twin = open("/dev/tty", O_RDWR);
    close(master);
    nap(50);
    say("leader: HUP %d CONT %d", counts[SIGHUP], counts[SIGCONT]);
    got("read", read(slave, buffer, 10), buffer);
    got("read of /dev/tty", read(twin, buffer, 10), buffer);
    say("write: %ld", RESULT(write(slave, "x", 1)));
    say("/dev/tty: %d", open_tty(O_RDWR));
    say("the node: %ld", RESULT(open(name, O_RDWR)));
    say("child ended: %d", waitpid(child, 0, WNOHANG) == child);
    kill(child, SIGKILL);
    waitpid(child, 0, 0);
    exit(0);
  }
  close(master);
  ended("hung up", pid);

  pair();
  int told[2];
  pipe(told);
  pid = fork();
  if (pid == 0) {
    setsid();
    slave = open(name, O_RDWR);
    signal(SIGTTOU, SIG_IGN);
    pid_t child = job();
    if (child == 0) {
      handle(SIGHUP, 0), handle(SIGCONT, 0);
      write(told[1], "r", 1);
      while (counts[SIGHUP] == 0) nap(5);
      nap(20);
      say("foreground job at its leader's end: HUP %d CONT %d", counts[SIGHUP], counts[SIGCONT]);
      say("its /dev/tty: %d", open_tty(O_RDWR));
      say("its read: %d", foreground_is(getpid()));
      close(told[1]);
      exit(0);
    }
    ioctl(slave, TIOCSPGRP, &child);
    char c;
    read(told[0], &c, 1);
    exit(5);
  }
  close(told[1]);
  ended("leader", pid);
  char c;
  while (read(told[0], &c, 1) > 0) {}
  close(master);
}

int main(void) {
  signal(SIGALRM, SIG_DFL);
  alarm(60);
  pair();
  acquiring();
  background();
  keys();
  waits();
  close(slave);
  hangups();
  return 0;
}
