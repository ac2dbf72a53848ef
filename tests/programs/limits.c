/*
 * Limits that are counted over a user (RLIMIT_SIGPENDING) and over real-time work (RLIMIT_RTTIME). Needs root. Takes
 * a fifth of a second of processor time.
 */
#include "freestanding.h"

#define RTTIME 15
#define SIGPENDING 11
#define FIFO 1
#define RR 2
#define RTMIN 34
#define XCPU 24
static long fork_(void) { return SC(57); }
static void leave(int n) { SC(231, n); }
static void limit(int which, u64 soft, u64 hard) { u64 l[2] = {soft, hard}; kv("setrlimit", SC(160, which, l)); }
static void policy(int p) { i32 priority = 1; kv("policy", SC(144, 0, p, &priority)); nl(); }
static void wait_(const char *s, long p) { i32 st = 0; SC(61, p, &st, 0, 0); ps(s); ps(": "); px((u32)st); nl(); }
static volatile int caught;
static void on_xcpu(int s) { caught++; }
static u64 used(void) { u64 t[2]; SC(228, 2, t); return t[0] * 1000000 + t[1] / 1000; }
/* So many microseconds of processor time. */
static void work(u64 us) { u64 from = used(); while (used() - from < us) for (volatile int i = 0; i < 1000; i++) {} }
static void nap(long us) { u64 t[2] = {0, us * 1000}; SC(35, t, 0); }

static void section(const char *s) { ps("-- "); ps(s); nl(); }
static long queue(long to, int s) { struct si i; memset(&i, 0, sizeof i); i.signo = s; i.code = -1; i.k.pid = SC(39); i.k.uid = SC(102); return SC(129, to, s, &i); }

static void pending(void) {
  limit(SIGPENDING, 3, 3); kv("setuid", SC(105, 4711)); nl();
  mask(0, -1ul);
  long a = fork_(); if (!a) for (;;) SC(34);
  long b = fork_(); if (!b) for (;;) SC(34);
  kv("first", queue(a, RTMIN)); kv("second", queue(b, RTMIN)); kv("third", queue(a, RTMIN + 1)); kv("too many", queue(b, RTMIN)); nl();
  kv("not real-time", queue(b, 10)); kv("again", queue(b, 10)); kv("kill", SC(62, b, RTMIN)); kv("kill usr2", SC(62, a, 12)); nl();
  SC(62, a, 9); wait_("a", a);
  kv("room for two", queue(b, RTMIN)); kv("and", queue(b, RTMIN)); kv("no more", queue(b, RTMIN)); nl();
  SC(62, b, 9); wait_("b", b);
}

int main_(long *sp) {
  section("signals of a user");
  long p = fork_(); if (!p) { pending(); leave(0); } wait_("pending", p);
  section("real-time work, no handler");
  p = fork_(); if (!p) { limit(RTTIME, 20000, 60000); policy(FIFO); for (;;); } wait_("soft", p);
  section("a handler, then the hard limit");
  p = fork_(); if (!p) { act(XCPU, on_xcpu, 0, 0); limit(RTTIME, 20000, 60000); policy(RR); for (;;); } wait_("hard", p);
  section("sleep starts the count afresh");
  p = fork_(); if (!p) { act(XCPU, on_xcpu, 0, 0); limit(RTTIME, 20000, 60000); policy(FIFO); for (int i = 0; i < 6; i++) { work(8000); nap(8000); } leave(caught); } wait_("sleeps between", p);
  section("an ordinary policy");
  p = fork_(); if (!p) { limit(RTTIME, 20000, 60000); nl(); work(80000); leave(7); } wait_("not real-time", p);
  return 0;
}
