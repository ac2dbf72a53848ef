/* What a user at a terminal meets: tests/cli/terminal.test.ts types, here and on the host itself. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static volatile sig_atomic_t resized;
static void on_resize(int s) { resized = s; }
static void on_interrupt(int s) { write(1, "<INT>\n", 6); }

static void size(void) {
  struct winsize w = {0};
  ioctl(0, TIOCGWINSZ, &w);
  printf("%d rows, %d columns\n", w.ws_row, w.ws_col);
}

int main(int argc, char **argv) {
  const char *mode = argc > 1 ? argv[1] : "lines";
  struct termios saved, t;
  char line[200];
  setvbuf(stdout, 0, _IONBF, 0);
  int there = tcgetattr(0, &saved);
  if (!strcmp(mode, "lines")) {
    signal(SIGINT, on_interrupt);
    struct sigaction a = {.sa_handler = on_resize};
    sigaction(SIGWINCH, &a, 0);
    printf("%s %s\n", there == 0 ? "terminal" : "no terminal", ttyname(0) ? "named" : "nameless");
    size();
    printf("> ");
    for (;;) {
      int n = read(0, line, sizeof line);
      if (n < 0 && errno == EINTR && resized) {
        resized = 0;
        size();
        continue;
      }
      if (n <= 0) break;
      printf("got %.*s> ", n, line);
    }
    puts("end");
  } else if (!strcmp(mode, "raw")) {
    t = saved;
    cfmakeraw(&t);
    tcsetattr(0, TCSAFLUSH, &t);
    printf("raw\n");
    for (;;) {
      unsigned char c;
      if (read(0, &c, 1) != 1) break;
      printf("[%02x]", c);
      if (c == 'q') break;
    }
    tcsetattr(0, TCSAFLUSH, &saved);
    puts("cooked");
  } else {
    signal(SIGINT, SIG_IGN);
    printf("name? ");
    read(0, line, sizeof line);
    puts("deaf");
    for (;;) {}
  }
  return 3;
}
