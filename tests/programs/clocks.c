/*
 * The vDSO against the system call: both must tell one monotonic time, whichever is asked, also across sleeps and
 * after the date was set. Prints what holds, not the times.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long long since(struct timespec t) { return t.tv_sec * 1000000000LL + t.tv_nsec; }

static int behind(clockid_t id, int rounds, long nap) {
  struct timespec a, b, pause = {0, nap};
  long long last = 0;
  int wrong = 0;
  for (int i = 0; i < rounds; i++) {
    clock_gettime(id, &a);
    syscall(SYS_clock_gettime, id, &b);
    if (since(a) < last || since(b) < since(a)) wrong++;
    if (a.tv_nsec < 0 || a.tv_nsec > 999999999) wrong++;
    last = since(b);
    if (nap) nanosleep(&pause, 0);
  }
  return wrong;
}

static sigjmp_buf out;
static void fault(int signal) { siglongjmp(out, signal); }

int main(void) {
  static const struct {
    clockid_t id;
    const char *name;
  } clocks[] = {{CLOCK_REALTIME, "realtime"},
                {CLOCK_MONOTONIC, "monotonic"},
                {CLOCK_PROCESS_CPUTIME_ID, "process"},
                {CLOCK_THREAD_CPUTIME_ID, "thread"},
                {CLOCK_MONOTONIC_RAW, "raw"},
                {CLOCK_REALTIME_COARSE, "realtime-coarse"},
                {CLOCK_MONOTONIC_COARSE, "monotonic-coarse"},
                {CLOCK_BOOTTIME, "boottime"},
                {CLOCK_TAI, "tai"},
                {10, "ten"},
                {12, "twelve"},
                {-1, "minus one"},
                {-6, "own process"}};
  for (unsigned i = 0; i < sizeof clocks / sizeof *clocks; i++) {
    struct timespec t, r, s;
    int got = clock_gettime(clocks[i].id, &t), error = got ? errno : 0;
    int res = clock_getres(clocks[i].id, &r), reserror = res ? errno : 0;
    int sys = syscall(SYS_clock_getres, clocks[i].id, &s);
    printf("%s: %d %s, %d %s, null %d, as the call %d", clocks[i].name, got, strerror(error), res,
           strerror(reserror), clock_getres(clocks[i].id, 0), res == sys && (res || since(r) == since(s)));
    if (got == 0) printf(", behind %d, %d asleep", behind(clocks[i].id, 1000, 0), behind(clocks[i].id, 20, 300000));
    puts("");
  }

  struct timeval v, w;
  struct timezone z = {1, 1};
  time_t now;
  int wrong = 0;
  for (int i = 0; i < 500; i++) {
    struct timespec t;
    gettimeofday(&v, &z);
    syscall(SYS_gettimeofday, &w, 0);
    if (w.tv_sec < v.tv_sec || (w.tv_sec == v.tv_sec && w.tv_usec < v.tv_usec)) wrong++;
    clock_gettime(CLOCK_REALTIME, &t);
    if (t.tv_sec < w.tv_sec || (t.tv_sec == w.tv_sec && t.tv_nsec / 1000 < w.tv_usec)) wrong++;
    now = time(0);
    if (now < v.tv_sec || now > syscall(SYS_time, 0)) wrong++;
  }
  printf("gettimeofday: %d wrong, zone %d %d\n", wrong, z.tz_minuteswest, z.tz_dsttime);
  unsigned cpu = 99, node = 99;
  printf("getcpu: %ld, node %u\n", syscall(SYS_getcpu, &cpu, &node, 0), node);

  if (getauxval(AT_SYSINFO_EHDR)) {
    signal(SIGSEGV, fault);
    int caught = sigsetjmp(out, 1);
    if (!caught) printf("bad pointer: %d\n", clock_gettime(CLOCK_MONOTONIC, (struct timespec *)8));
    else printf("bad pointer: signal %d\n", caught);
  }
  return 0;
}
