/*
 * Plays a scenario on a pseudoterminal of the kernel it runs on: one operation a line on standard input, one answer a
 * line on standard output. tests/kernel/tty/player.ts does the same with sealab's terminals; scripts/record-tty.ts
 * keeps what this prints.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* As the kernel has it; the C library's own struct termios is longer. */
struct settings {
  unsigned c_iflag, c_oflag, c_cflag, c_lflag;
  unsigned char c_line, c_cc[19];
  unsigned speeds[2];
};
#undef TCGETS2
#define TCGETS2 0x802c542a
#ifndef TCGETS
#define TCGETS 0x5401
#define TCSETS 0x5402
#define TCSETSW 0x5403
#define TCSETSF 0x5404
#define TCXONC 0x540a
#define TCFLSH 0x540b
#endif

static int master = -1, slave = -1;
static char name[32];

static void settle(void) {
  struct pollfd both[2] = {{slave, POLLIN, 0}, {master, POLLIN, 0}};
  for (int i = 0; i < 2; i++) {
    poll(both, 2, 0);
    usleep(1000);
  }
  poll(both, 2, 0);
}

static int unhex(const char *text, unsigned char *out) {
  int n = 0;
  unsigned value;
  for (; sscanf(text, "%2x", &value) == 1; text += 2) out[n++] = value;
  return n;
}

static void number(long value) { printf("%ld\n", value < 0 ? -(long)errno : value); }

static void bytes(int fd, int want) {
  static unsigned char buffer[65536];
  int n = read(fd, buffer, want);
  if (n < 0) {
    printf("-%d\n", errno);
    return;
  }
  printf("%d ", n);
  for (int i = 0; i < n; i++) printf("%02x", buffer[i]);
  puts("");
}

static void fresh(void) {
  int unlock = 0, index;
  if (slave >= 0) close(slave);
  if (master >= 0) close(master);
  master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
  ioctl(master, TIOCSPTLCK, &unlock);
  ioctl(master, TIOCGPTN, &index);
  sprintf(name, "/dev/pts/%d", index);
  slave = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK);
}

int main(void) {
  static char line[70000];
  static unsigned char data[32768];
  while (fgets(line, sizeof line, stdin)) {
    char operation[16];
    unsigned a = 0, b = 0, c = 0, d = 0;
    int at = 0;
    line[strcspn(line, "\n")] = 0;
    sscanf(line, "%15s %n", operation, &at);
    const char *argument = line + at;
    sscanf(argument, "%x %x %x %x", &a, &b, &c, &d);
    errno = 0;
    if (!strcmp(operation, "new")) {
      fresh();
      puts("new");
    } else if (!strcmp(operation, "type")) {
      int n = unhex(argument, data);
      number(write(master, data, n));
    } else if (!strcmp(operation, "print")) {
      int n = unhex(argument, data);
      number(write(slave, data, n));
    } else if (!strcmp(operation, "read")) {
      bytes(slave, a);
    } else if (!strcmp(operation, "screen")) {
      bytes(master, a);
    } else if (!strcmp(operation, "set")) {
      struct settings t;
      ioctl(slave, TCGETS, &t);
      t.c_iflag = b, t.c_oflag = c, t.c_lflag = d;
      number(ioctl(slave, a == 2 ? TCSETSF : a == 1 ? TCSETSW : TCSETS, &t));
    } else if (!strcmp(operation, "key")) {
      struct settings t;
      ioctl(slave, TCGETS, &t);
      t.c_cc[a] = b;
      number(ioctl(slave, TCSETS, &t));
    } else if (!strcmp(operation, "control")) {
      struct settings t;
      ioctl(slave, TCGETS, &t);
      t.c_cflag = a;
      number(ioctl(slave, TCSETS, &t));
    } else if (!strcmp(operation, "settings")) {
      struct settings t;
      memset(&t, 0, sizeof t);
      ioctl(a ? master : slave, TCGETS2, &t);
      for (unsigned i = 0; i < sizeof t; i++) printf("%02x", ((unsigned char *)&t)[i]);
      puts("");
    } else if (!strcmp(operation, "waiting")) {
      int s = -1, m = -1;
      ioctl(slave, FIONREAD, &s);
      ioctl(master, FIONREAD, &m);
      printf("%d %d\n", s, m);
    } else if (!strcmp(operation, "poll")) {
      struct pollfd both[2] = {{slave, -1, 0}, {master, -1, 0}};
      poll(both, 2, 0);
      printf("%x %x\n", both[0].revents & 0xffff, both[1].revents & 0xffff);
    } else if (!strcmp(operation, "flush")) {
      number(ioctl(a ? master : slave, TCFLSH, b));
    } else if (!strcmp(operation, "flow")) {
      number(ioctl(slave, TCXONC, a));
    } else if (!strcmp(operation, "packet")) {
      int on = a;
      number(ioctl(master, TIOCPKT, &on));
    } else if (!strcmp(operation, "window")) {
      struct winsize w = {a, b, c, d}, got;
      ioctl(master, TIOCSWINSZ, &w);
      ioctl(slave, TIOCGWINSZ, &got);
      printf("%d %d %d %d\n", got.ws_row, got.ws_col, got.ws_xpixel, got.ws_ypixel);
    } else if (!strcmp(operation, "close")) {
      close(slave);
      slave = -1;
      puts("closed");
    } else if (!strcmp(operation, "open")) {
      slave = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK);
      puts(slave >= 0 ? "open" : strerror(errno));
    } else if (!strcmp(operation, "hangup")) {
      close(master);
      master = -1;
      puts("closed");
    } else printf("? %s\n", operation);
    settle();
  }
  return 0;
}
