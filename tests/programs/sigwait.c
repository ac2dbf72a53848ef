/* sigwaitinfo(2) of a signal that is not blocked: the wait takes it, its handler does not run. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t handled;

static void handler(int signal) { handled = signal; }

static void wait_for(const char *name, int waited, int sent) {
  sigset_t set;
  siginfo_t info;
  sigemptyset(&set);
  if (waited != 0) sigaddset(&set, waited);
  handled = 0;
  pid_t child = fork();
  if (child == 0) {
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    kill(getppid(), sent);
    _exit(0);
  }
  errno = 0;
  int taken = sigtimedwait(&set, &info, &(struct timespec){.tv_sec = 5});
  printf("%s: taken %d errno %d handled %d\n", name, taken, taken < 0 ? errno : 0, handled);
  waitpid(child, NULL, 0);
}

int main(void) {
  signal(SIGUSR1, handler);
  signal(SIGUSR2, handler);
  wait_for("not blocked", SIGUSR1, SIGUSR1);
  wait_for("another", SIGUSR1, SIGUSR2);
  wait_for("none", 0, SIGUSR1);
  sigset_t both;
  sigemptyset(&both);
  sigaddset(&both, SIGUSR1);
  sigaddset(&both, SIGUSR2);
  sigprocmask(SIG_BLOCK, &both, NULL);
  wait_for("blocked", SIGUSR2, SIGUSR2);
  return 0;
}
