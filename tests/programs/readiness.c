/* What says that a descriptor is ready: poll, select, epoll, signalfd, timerfd, eventfd. A line a call. */
#include "freestanding.h"
#include <asm/unistd.h>
#define S(n, ...) SC(__NR_##n, ##__VA_ARGS__)
#define T(call) show(#call, (long)(call))
static void show(const char *what, long r) { ps(what); ps(" = "); pd(r); nl(); }
static int self(void) { return SC(__NR_getpid); }
static void title(const char *name) { ps("-- "); ps(name); nl(); }

struct __attribute__((packed)) event { u32 events; u64 data; };
static struct event ev[64];
static struct { i64 interval_s, interval_ns, value_s, value_ns; } its, old;
static struct { i64 s, ns; } ts;
static u8 buf[70000];
static u64 val, word;
#define bad ((void *)0x10)
enum { IN = 1, PRI = 2, OUT = 4, ERR = 8, HUP = 16, RDNORM = 0x40, WRNORM = 0x100, RDHUP = 0x2000 };
enum { ADD = 1, DEL = 2, MOD = 3 };
#define ET 0x80000000u
#define ONESHOT 0x40000000u
#define EXCLUSIVE 0x10000000u
#define CLOEXEC 02000000
#define NONBLOCK 04000

static long ctl(int ep, int op, int fd, u32 events, u64 data) {
  struct event e = {events, data};
  return S(epoll_ctl, ep, op, fd, &e);
}
/* Waits and shows each event. */
static void waits(const char *what, int ep, int max, int ms) {
  memset(ev, 0x55, sizeof ev);
  long r = S(epoll_wait, ep, ev, max, ms);
  ps(what); ps(" = "); pd(r);
  for (long i = 0; i < r; i++) { ps(" "); px(ev[i].events); ps(":"); px(ev[i].data); }
  nl();
}
#define W(ep, max, ms) waits("wait " #ep " " #max " " #ms, ep, max, ms)
static void closeall(void) { S(close_range, 3, ~0u, 0); }
static void drain(int fd) { S(read, fd, buf, sizeof buf); }
static void fdinfo(int fd) {
  char path[32] = "/proc/self/fdinfo/";
  int n = 18;
  if (fd >= 10) path[n++] = '0' + fd / 10;
  path[n++] = '0' + fd % 10;
  path[n] = 0;
  int f = S(open, path, 0, 0);
  long r = S(read, f, buf, 4000);
  S(close, f);
  /* the lines after the common four, without inode and device numbers */
  int line = 0;
  for (long i = 0; i < r; i++) {
    if (line >= 4) {
      if (buf[i] == ' ' && buf[i + 1] == 'i' && buf[i + 2] == 'n' && buf[i + 3] == 'o') { while (buf[i] != '\n') i++; }
      if (buf[i] == 'e' && buf[i + 7] == '-' && buf[i + 8] == 'i') { while (buf[i] != '\n') i++; line++; continue; }
      pc(buf[i]);
    }
    if (buf[i] == '\n') line++;
  }
  flush();
}

static void creation(void) {
  title("creation");
  T(S(epoll_create, 0));
  T(S(epoll_create, -1));
  T(S(epoll_create, 1));
  T(S(epoll_create1, 1));
  T(S(epoll_create1, CLOEXEC));
  T(S(fcntl, 3, 1)); T(S(fcntl, 4, 1)); T(S(fcntl, 3, 3));
  T(S(read, 3, buf, 8)); T(S(write, 3, buf, 8)); T(S(lseek, 3, 0, 0)); T(S(pread64, 3, buf, 8, 0));
  T(S(epoll_wait, -1, ev, 0, 0)); T(S(epoll_wait, -1, ev, 1, 0)); T(S(epoll_wait, 0, ev, 0, 0));
  T(S(epoll_wait, 0, bad, 1, 0)); T(S(epoll_wait, 0, -1l, 1, 0));
  T(S(epoll_wait, 3, ev, 0, 0)); T(S(epoll_wait, 3, ev, -1, 0)); T(S(epoll_wait, 3, ev, 178956970, 0)); T(S(epoll_wait, 3, ev, 178956971, 0));
  T(S(epoll_wait, 3, bad, 1, 0)); T(S(epoll_wait, 3, -1l, 1, 0));
  T(S(epoll_pwait, 3, ev, 1, 0, &val, 4)); T(S(epoll_pwait, 3, ev, 1, 0, bad, 8)); T(S(epoll_pwait, 3, ev, 1, 0, &val, 8)); T(S(epoll_pwait, -1, ev, 1, 0, &val, 7));
  ts.s = 0; ts.ns = 1000000000; T(S(epoll_pwait2, 3, ev, 1, &ts, 0, 0));
  T(S(epoll_pwait2, -1, ev, 1, bad, 0, 0));
  ts.ns = 1000; T(S(epoll_pwait2, 3, ev, 1, &ts, 0, 0)); T(ts.ns);
  int p[2]; T(S(pipe2, p, 0));
  T(S(epoll_ctl, 3, ADD, p[0], bad)); T(S(epoll_ctl, 3, DEL, p[0], bad)); T(S(epoll_ctl, 3, 9, p[0], bad)); T(S(epoll_ctl, -1, DEL, p[0], 0)); T(S(epoll_ctl, -1, ADD, p[0], 0));
  T(ctl(-1, ADD, p[0], IN, 0)); T(ctl(3, ADD, -1, IN, 0)); T(ctl(3, ADD, 99, IN, 0)); T(ctl(p[0], ADD, p[1], IN, 0)); T(ctl(3, ADD, 3, IN, 0)); T(ctl(3, 9, p[0], IN, 0)); T(ctl(3, 0, p[0], IN, 0));
  T(ctl(3, MOD, p[0], IN, 0)); T(ctl(3, DEL, p[0], IN, 0)); T(ctl(3, ADD, p[0], IN, 0)); T(ctl(3, ADD, p[0], IN, 0)); T(ctl(3, MOD, p[0], OUT, 0)); T(ctl(3, DEL, p[0], IN, 0)); T(ctl(3, DEL, p[0], IN, 0));
  int f = S(open, "/proc/self/exe", 0, 0), d = S(open, "/", 0, 0), n = S(open, "/dev/null", 2, 0), z = S(open, "/dev/zero", 0, 0), u = S(open, "/dev/urandom", 0, 0), o = S(open, "/", 010000000, 0), m = S(memfd_create, "m", 0), mounts = S(open, "/proc/self/mounts", 0, 0);
  T(ctl(3, ADD, f, IN, 0)); T(ctl(3, ADD, d, IN, 0)); T(ctl(3, ADD, n, IN, 0)); T(ctl(3, ADD, z, IN, 0)); T(ctl(3, ADD, u, IN, 0)); T(ctl(3, ADD, o, IN, 0)); T(ctl(3, ADD, m, IN, 0)); T(ctl(3, DEL, f, IN, 0)); T(ctl(f, ADD, f, IN, 0)); T(ctl(3, MOD, m, IN, 0));
  (void)mounts;
  T(ctl(3, ADD, p[0], IN | EXCLUSIVE | ONESHOT, 0)); T(ctl(3, ADD, p[0], IN | EXCLUSIVE | RDHUP, 0)); T(ctl(3, ADD, p[0], IN | EXCLUSIVE | ET, 0)); T(ctl(3, MOD, p[0], IN, 0)); T(ctl(3, MOD, p[0], IN | EXCLUSIVE, 0)); T(ctl(3, ADD, 4, IN | EXCLUSIVE, 0)); T(ctl(3, DEL, p[0], 0, 0));
  closeall();
}

static void level(void) {
  title("level");
  int e = S(epoll_create1, 0), p[2], q[2];
  S(pipe2, p, NONBLOCK); S(pipe2, q, NONBLOCK);
  ctl(e, ADD, p[0], IN, 0x1122334455667788); ctl(e, ADD, q[0], IN, 0xfedcba9876543210); ctl(e, ADD, p[1], OUT, 3); 
  W(e, 8, 0);
  ctl(e, MOD, p[1], 0, 33);
  W(e, 8, 0); W(e, 8, 1);
  S(write, p[1], "ab", 2);
  W(e, 8, 0); W(e, 8, 0);
  S(write, q[1], "ab", 2);
  W(e, 8, 0); W(e, 1, 0); W(e, 1, 0); W(e, 1, 0); W(e, 8, 0);
  S(read, p[0], buf, 1); W(e, 8, 0); S(read, p[0], buf, 1); W(e, 8, 0);
  ctl(e, MOD, q[0], OUT | PRI, 7); W(e, 8, 0);
  S(close, q[1]); W(e, 8, 0);
  ctl(e, MOD, q[0], 0, 8); W(e, 8, 0);
  ctl(e, MOD, q[0], IN | RDNORM | RDHUP, 8); W(e, 8, 0);
  S(close, q[0]); W(e, 8, 0);
  S(close, p[0]); W(e, 8, 0);
  T(S(write, p[1], "x", 1) == -32); 
  fdinfo(e);
  closeall();
}

static void edge(void) {
  title("edge");
  int e = S(epoll_create1, 0), p[2];
  S(pipe2, p, NONBLOCK);
  ctl(e, ADD, p[0], IN | ET, 1); ctl(e, ADD, p[1], OUT | ET, 2);
  W(e, 8, 0); W(e, 8, 0);
  S(write, p[1], "abc", 3); W(e, 8, 0); W(e, 8, 0);
  S(write, p[1], "abc", 3); W(e, 8, 0);
  S(read, p[0], buf, 1); W(e, 8, 0);
  S(write, p[1], "d", 1); drain(p[0]); W(e, 8, 0);
  ctl(e, MOD, p[0], IN | ET, 11); W(e, 8, 0);
  S(write, p[1], "d", 1); W(e, 8, 0); ctl(e, MOD, p[0], IN | ET, 12); W(e, 8, 0); W(e, 8, 0);
  T(S(write, p[1], buf, 70000)); W(e, 8, 0);
  S(read, p[0], buf, 100); W(e, 8, 0);
  S(read, p[0], buf, 4096); W(e, 8, 0);
  S(read, p[0], buf, 8192); W(e, 8, 0);
  S(write, p[1], buf, 4096); W(e, 8, 0);
  T(ctl(e, ADD, S(dup, p[0]), IN, 3)); W(e, 8, 0);
  drain(p[0]); S(write, p[1], "e", 1); W(e, 8, 0);
  S(close, p[1]); W(e, 8, 0); W(e, 8, 0);
  closeall();
  title("oneshot");
  e = S(epoll_create1, 0); S(pipe2, p, NONBLOCK);
  ctl(e, ADD, p[0], IN | ONESHOT, 1);
  S(write, p[1], "a", 1); W(e, 8, 0); S(write, p[1], "a", 1); W(e, 8, 0); fdinfo(e);
  ctl(e, MOD, p[0], IN | ONESHOT, 2); W(e, 8, 0); W(e, 8, 0);
  ctl(e, MOD, p[0], IN | ONESHOT | ET, 3); W(e, 8, 0); S(close, p[1]); W(e, 8, 0); ctl(e, MOD, p[0], ONESHOT, 4); W(e, 8, 0); W(e, 8, 0);
  closeall();
}

static void lives(void) {
  title("lives");
  int e = S(epoll_create1, 0), p[2], d;
  S(pipe2, p, NONBLOCK); S(write, p[1], "a", 1);
  ctl(e, ADD, p[0], IN, 1); d = S(dup, p[0]); S(close, p[0]); W(e, 8, 0);
  T(ctl(e, DEL, p[0], 0, 0)); T(ctl(e, DEL, d, 0, 0)); T(ctl(e, ADD, d, IN, 2)); W(e, 8, 0);
  T(S(dup2, d, p[0])); T(ctl(e, ADD, p[0], IN, 3)); W(e, 8, 0); T(ctl(e, MOD, p[0], IN, 4)); W(e, 8, 0);
  S(close, d); W(e, 8, 0); S(close, p[0]); W(e, 8, 0);
  closeall();
  title("faults");
  e = S(epoll_create1, 0); S(pipe2, p, NONBLOCK); S(write, p[1], "a", 1);
  ctl(e, ADD, p[0], IN | ET, 1); ctl(e, ADD, p[1], OUT | ET, 2);
  u8 *page = (u8 *)S(mmap, 0, 8192, 3, 0x22, -1, 0); S(munmap, page + 4096, 4096);
  T(S(epoll_wait, e, page + 4090, 2, 0)); T(S(epoll_wait, e, page + 4084, 2, 0)); T(page[4084]); W(e, 8, 0); W(e, 8, 0);
  closeall();
}

static void nested(void) {
  title("nested");
  int a = S(epoll_create1, 0), b = S(epoll_create1, 0), c = S(epoll_create1, 0), p[2];
  S(pipe2, p, NONBLOCK);
  T(ctl(a, ADD, b, IN, 1)); T(ctl(b, ADD, a, IN, 1)); T(ctl(b, ADD, c, IN, 2)); T(ctl(c, ADD, a, IN, 2)); T(ctl(c, ADD, p[0], IN, 3));
  W(a, 8, 0); S(write, p[1], "a", 1); W(a, 8, 0); W(a, 8, 0); W(b, 8, 0); W(c, 8, 0); drain(p[0]); W(a, 8, 0); W(c, 8, 0);
  T(ctl(a, MOD, b, IN | ET, 4)); S(write, p[1], "a", 1); W(a, 8, 0); W(a, 8, 0); S(write, p[1], "a", 1); W(a, 8, 0); W(b, 8, 0);
  struct { i32 fd; u16 events, revents; } pf[3] = {{a, IN | OUT, 9}, {b, IN, 9}, {c, RDNORM | HUP, 9}};
  T(S(poll, pf, 3, 0)); T(pf[0].revents); T(pf[1].revents); T(pf[2].revents);
  drain(p[0]); T(S(poll, pf, 3, 0)); T(pf[0].revents); T(pf[1].revents);
  closeall();
  title("depth");
  int chain[8];
  for (int i = 0; i < 8; i++) chain[i] = S(epoll_create1, 0);
  for (int i = 0; i < 7; i++) T(ctl(chain[i], ADD, chain[i + 1], IN, i));
  closeall();
  for (int i = 0; i < 8; i++) chain[i] = S(epoll_create1, 0);
  for (int i = 7; i > 0; i--) T(ctl(chain[i - 1], ADD, chain[i], IN, i));
  closeall();
  for (int i = 0; i < 8; i++) chain[i] = S(epoll_create1, 0);
  T(ctl(chain[0], ADD, chain[1], IN, 0)); T(ctl(chain[1], ADD, chain[2], IN, 0)); T(ctl(chain[3], ADD, chain[4], IN, 0)); T(ctl(chain[4], ADD, chain[5], IN, 0));
  T(ctl(chain[2], ADD, chain[3], IN, 0)); T(ctl(chain[2], ADD, chain[4], IN, 0)); T(ctl(chain[5], ADD, chain[0], IN, 0)); T(ctl(chain[5], ADD, chain[6], IN, 0));
  closeall();
  title("paths");
  int top = S(epoll_create1, 0); S(pipe2, p, 0);
  int refused = 0, first = -1;
  for (int i = 0; i < 600; i++) {
    int mid = S(epoll_create1, 0);
    long r = ctl(top, ADD, mid, IN, i);
    if (r == 0) r = ctl(mid, ADD, p[0], IN, i);
    if (r) { refused++; if (first < 0) { first = i; T(r); } }
  }
  T(refused); T(first);
  closeall();
}

static void exclusive(void) {
  title("exclusive");
  int a = S(epoll_create1, 0), b = S(epoll_create1, 0), p[2];
  S(pipe2, p, NONBLOCK);
  T(ctl(a, ADD, p[0], IN | EXCLUSIVE, 1)); T(ctl(b, ADD, p[0], IN | EXCLUSIVE, 2));
  S(write, p[1], "a", 1); W(a, 8, 0); W(b, 8, 0); 
  closeall();
  title("many");
  int e = S(epoll_create1, 0), fds[6];
  for (int i = 0; i < 6; i++) { fds[i] = S(eventfd2, 0, NONBLOCK); ctl(e, ADD, fds[i], IN, i); }
  val = 1;
  for (int i = 5; i >= 0; i--) S(write, fds[i], &val, 8);
  W(e, 4, 0); W(e, 4, 0); W(e, 4, 0);
  S(read, fds[3], &val, 8); S(read, fds[0], &val, 8); W(e, 8, 0); val = 1; S(write, fds[0], &val, 8); S(write, fds[3], &val, 8); W(e, 3, 0); W(e, 8, 0);
  ctl(e, MOD, fds[5], IN, 55); ctl(e, DEL, fds[4], 0, 0); W(e, 8, 0);
  closeall();
}

static void eventfd(void) {
  title("eventfd");
  int e = S(epoll_create1, 0), f = S(eventfd2, 3, NONBLOCK), s = S(eventfd2, 2, NONBLOCK | 1);
  ctl(e, ADD, f, IN | OUT | ET, 1); W(e, 8, 0); W(e, 8, 0);
  val = 1; T(S(write, f, &val, 8)); W(e, 8, 0); T(S(read, f, &word, 8)); T(word); W(e, 8, 0); T(S(read, f, &word, 8)); T(S(read, f, &word, 7));
  val = -2; T(S(write, f, &val, 8)); W(e, 8, 0); val = 1; T(S(write, f, &val, 8)); val = -1; T(S(write, f, &val, 8)); T(S(write, f, &val, 4)); T(S(read, f, bad, 8)); T(S(read, f, &word, 8));
  T(S(read, s, &word, 8)); T(word); T(S(read, s, &word, 16)); T(S(read, s, &word, 8)); T(S(lseek, s, 0, 0)); T(S(pread64, s, &word, 8, 0));
  val = 5; S(write, s, &val, 8); fdinfo(s); fdinfo(f);
  closeall();
}

static void sockets(void) {
  for (int type = 1; type <= 5; type += type == 1 ? 1 : 3) {
    title(type == 1 ? "stream sockets" : type == 2 ? "datagram sockets" : "packet sockets");
    int s[2], e = S(epoll_create1, 0);
    T(S(socketpair, 1, type | NONBLOCK, 0, s));
    ctl(e, ADD, s[0], IN | OUT | RDHUP | ET, 1); W(e, 8, 0); W(e, 8, 0);
    S(write, s[1], "abcd", 4); W(e, 8, 0); W(e, 8, 0); S(write, s[1], "e", 1); W(e, 8, 0); S(read, s[0], buf, 2); W(e, 8, 0); drain(s[0]); W(e, 8, 0);
    S(write, s[0], "xy", 2); W(e, 8, 0); drain(s[1]); W(e, 8, 0);
    long n = 0, r; while ((r = S(write, s[0], buf, 4096)) > 0) n += r; T(r); W(e, 8, 0); S(read, s[1], buf, 4096); W(e, 8, 0); while (S(read, s[1], buf, 65536) > 0) ; W(e, 8, 0); W(e, 8, 0);
    ctl(e, MOD, s[0], IN | RDHUP, 2); T(S(shutdown, s[1], 1)); W(e, 8, 0); S(close, s[1]); W(e, 8, 0);
    closeall();
  }
}

static void count(int n) { (void)n; }
static int handled;
static void handler(int n) { handled = n; }

static void sends(int signo, u64 value) {
  u8 info[128]; memset(info, 0, 128);
  *(i32 *)info = signo; *(i32 *)(info + 8) = -1; *(i32 *)(info + 16) = 42; *(u32 *)(info + 20) = 7; *(u64 *)(info + 24) = value;
  S(rt_sigqueueinfo, self(), signo, info);
}
static void record(long r) {
  ps("record "); pd(r);
  for (long i = 0; i + 128 <= r; i += 128) {
    u32 *w = (u32 *)(buf + i);
    ps(" ["); kv("signo", (i32)w[0]); kv("errno", (i32)w[1]); kv("code", (i32)w[2]); kv("pid", w[3] == (u32)self() ? -1 : w[3]); kv("uid", w[4]); kv("fd", w[5]); kv("tid", w[6]); kv("band", w[7]); kv("overrun", w[8]); kv("trapno", w[9]); kv("status", w[10]); kv("int", (i32)w[11]); kx("ptr", *(u64 *)(buf + i + 48)); kv("utime", w[14]); kv("stime", w[16]); kx("addr", *(u64 *)(buf + i + 72)); u32 rest = 0; for (int j = 80; j < 128; j++) rest |= buf[i + j]; kv("rest", rest); ps("]");
  }
  nl();
}

static void signalfd(void) {
  title("signalfd");
  u64 set = B(10) | B(12) | B(34) | B(14) | B(9) | B(19), one = B(10), none = 0;
  T(S(signalfd, -1, &set, 4)); T(S(signalfd, -1, bad, 8)); T(S(signalfd4, -1, &set, 8, 1)); T(S(signalfd4, 99, &set, 8, 0)); T(S(signalfd4, 0, &set, 8, 0)); T(S(signalfd4, -2, &set, 8, 0));
  int f = S(signalfd4, -1, &set, 8, NONBLOCK | CLOEXEC); T(f); T(S(fcntl, f, 1)); T(S(fcntl, f, 3));
  fdinfo(f);
  mask(0, set);
  int e = S(epoll_create1, 0); ctl(e, ADD, f, IN | ET, 1); 
  struct { i32 fd; u16 events, revents; } pf = {f, IN | OUT, 0};
  T(S(poll, &pf, 1, 0)); T(S(read, f, buf, 128)); T(S(read, f, buf, 127)); T(S(write, f, buf, 128));
  S(kill, self(), 10); T(S(poll, &pf, 1, 0)); T(pf.revents); W(e, 8, 0); W(e, 8, 0);
  S(tgkill, self(), self(), 12); W(e, 8, 0); sends(34, 0x1234567887654321); sends(34, 2); S(kill, self(), 10);
  record(S(read, f, buf, 256)); record(S(read, f, buf, 1000)); T(S(read, f, buf, 1000));
  S(kill, self(), 12); T(S(signalfd4, f, &one, 8, 0)); T(S(read, f, buf, 128)); T(S(poll, &pf, 1, 0)); S(signalfd4, f, &none, 8, 0); T(S(poll, &pf, 1, 0)); S(signalfd4, f, &set, 8, 0); T(S(poll, &pf, 1, 0)); record(S(read, f, buf, 128));
  S(kill, self(), 10); T(S(read, f, bad, 128)); T(S(read, f, buf, 128));
  int id = 0; struct { u64 v; i32 signo, notify; u64 pad[6]; } sev = {0x77, 14, 0};
  S(timer_create, 1, &sev, &id); its.interval_s = its.interval_ns = its.value_s = 0; its.value_ns = 1000000; S(timer_settime, id, 0, &its, 0);
  T(S(poll, &pf, 1, 2000)); record(S(read, f, buf, 128)); S(timer_delete, id);
  T(S(read, f, buf, 0));
  closeall(); mask(2, 0);
}

static void timerfd(void) {
  title("timerfd");
  T(S(timerfd_create, 2, 0)); T(S(timerfd_create, 11, 0)); T(S(timerfd_create, 1, 1)); T(S(timerfd_create, -1, 0)); T(S(timerfd_create, 8, CLOEXEC)); T(S(timerfd_create, 9, 0)); T(S(timerfd_create, 7, 0));
  closeall();
  int f = S(timerfd_create, 1, NONBLOCK), r = S(timerfd_create, 0, NONBLOCK);
  memset(&its, 0, 32);
  T(S(timerfd_settime, f, 0, bad, 0)); T(S(timerfd_settime, 99, 0, &its, 0)); T(S(timerfd_settime, 0, 0, &its, 0)); T(S(timerfd_settime, f, 4, &its, 0)); T(S(timerfd_settime, 99, 4, &its, 0));
  its.value_ns = 1000000000; T(S(timerfd_settime, f, 0, &its, 0)); its.value_ns = 0; its.interval_ns = -1; T(S(timerfd_settime, f, 0, &its, 0)); its.interval_ns = 0; its.value_s = -1; T(S(timerfd_settime, f, 0, &its, 0)); its.value_s = 0;
  T(S(timerfd_gettime, 99, &old)); T(S(timerfd_gettime, 0, &old)); T(S(timerfd_gettime, f, bad)); T(S(timerfd_gettime, f, &old)); T(old.value_s | old.value_ns | old.interval_s | old.interval_ns);
  T(S(read, f, buf, 8)); T(S(read, f, buf, 7)); T(S(write, f, buf, 8)); T(S(fcntl, f, 3));
  its.value_s = 1000; its.interval_s = 5; its.interval_ns = 6; T(S(timerfd_settime, f, 0, &its, bad)); T(S(timerfd_gettime, f, &old)); T(old.value_s); T(old.interval_s); T(old.interval_ns);
  T(S(timerfd_settime, f, 0, &its, &old)); T(old.value_s); T(old.interval_ns); memset(&its, 0, 32); T(S(timerfd_settime, f, 0, &its, &old)); T(old.value_s); T(S(timerfd_gettime, f, &old)); T(old.value_s); T(old.interval_s);
  struct { i32 fd; u16 events, revents; } pf = {f, IN | OUT, 0};
  T(S(poll, &pf, 1, 1));
  its.value_ns = 1; T(S(timerfd_settime, f, 1, &its, 0)); T(S(poll, &pf, 1, 1000)); T(pf.revents); T(S(timerfd_gettime, f, &old)); T(old.value_ns); T(S(read, f, &word, 8)); T(word); T(S(read, f, &word, 8));
  its.value_ns = 1; its.interval_ns = 3000000; T(S(timerfd_settime, f, 0, &its, 0)); ts.s = 0; ts.ns = 10000000; S(nanosleep, &ts, 0); T(S(poll, &pf, 1, 0)); T(S(read, f, &word, 8)); T(word >= 4 && word < 400); T(S(poll, &pf, 1, 1000)); T(S(read, f, &word, 8)); T(word >= 1);
  S(nanosleep, &ts, 0); T(S(timerfd_gettime, f, &old)); T(old.value_ns > 0 && old.value_ns <= 3000000); T(old.interval_ns); T(S(read, f, &word, 8)); T(word >= 3);
  int e = S(epoll_create1, 0); ctl(e, ADD, f, IN | ET, 1); W(e, 8, 1000); W(e, 8, 20); T(S(read, f, &word, 8)); T(word >= 6); W(e, 8, 1000);
  S(nanosleep, &ts, 0); memset(&its, 0, 32); T(S(timerfd_settime, f, 0, &its, &old)); T(old.value_ns > 0); T(S(read, f, &word, 8)); T(S(poll, &pf, 1, 0));
  T(S(fcntl, f, 4, 0)); its.value_ns = 2000000; S(timerfd_settime, f, 0, &its, 0); T(S(read, f, &word, 8)); T(word); T(S(read, f, &word, 4));
  its.value_ns = 1; S(timerfd_settime, f, 1, &its, 0); S(nanosleep, &ts, 0); T(S(read, f, bad, 8)); T(S(poll, &pf, 1, 0));
  its.value_ns = 0; its.value_s = 4000000000; T(S(timerfd_settime, r, 1, &its, 0)); T(S(timerfd_gettime, r, &old)); T(old.value_s > 2000000000); T(S(timerfd_settime, r, 3, &its, 0)); T(S(read, r, &word, 8)); its.value_s = 1; T(S(timerfd_settime, r, 3, &its, &old)); T(old.value_s > 2000000000); S(nanosleep, &ts, 0); T(S(read, r, &word, 8)); T(word);
  T(S(timerfd_settime, f, 3, &its, 0)); T(S(timerfd_settime, f, 2, &its, 0));
  memset(&its, 0, 32); its.interval_s = 7; S(timerfd_settime, r, 0, &its, 0); T(S(timerfd_gettime, r, &old)); T(old.interval_s); fdinfo(r);
  closeall();
}

static void polls(void) {
  title("poll");
  int p[2]; S(pipe2, p, NONBLOCK);
  struct { i32 fd; u16 events, revents; } pf[5] = {{p[0], 0xffff, 7}, {p[1], 0xffff, 7}, {-1, IN, 7}, {99, IN, 7}, {S(open, "/", 010000000, 0), IN, 7}};
  T(S(poll, pf, 5, 0)); for (int i = 0; i < 5; i++) T(pf[i].revents);
  S(write, p[1], "a", 1); T(S(poll, pf, 3, -1)); T(pf[0].revents); T(pf[2].revents);
  S(close, p[1]); T(S(poll, pf, 2, -1)); T(pf[0].revents); T(pf[1].revents); drain(p[0]); T(S(poll, pf, 1, -1)); T(pf[0].revents);
  S(pipe2, p, 0); 
  T(S(poll, bad, 1, 0)); T(S(poll, 0, 0, 1)); T(S(poll, pf, 2000000, 0));
  ts.s = 0; ts.ns = 1000000000; T(S(ppoll, pf, 0, &ts, 0, 0)); T(S(ppoll, pf, 0, bad, 0, 0)); ts.ns = 5; val = 0; T(S(ppoll, pf, 0, &ts, &val, 7)); T(ts.ns); T(S(ppoll, pf, 0, &ts, bad, 8)); T(S(ppoll, pf, 0, &ts, &val, 8)); T(ts.ns); T(S(ppoll, bad, 1, &ts, 0, 0));
  ts.s = 100; pf[0].fd = p[1]; pf[0].events = OUT; T(S(ppoll, pf, 1, &ts, 0, 0)); T(ts.s == 99 || ts.s == 100);
  act(10, handler, SA_RESTART, 0); mask(0, B(10)); S(kill, self(), 10); pf[0].fd = p[0]; pf[0].events = IN; ts.s = 50; ts.ns = 0; T(S(ppoll, pf, 1, &ts, &val, 8)); T(handled); T(ts.s == 49 || ts.s == 50); handled = 0;
  S(kill, self(), 10); int e = S(epoll_create1, 0); T(S(epoll_pwait, e, ev, 1, 1000, &val, 8)); T(handled); handled = 0; T((mask(0, 0) & B(10)) != 0); 
  S(kill, self(), 10); ctl(e, ADD, p[1], OUT, 5); T(S(epoll_pwait, e, ev, 1, 1000, &val, 8)); T(handled); handled = 0; T((mask(0, 0) & B(10)) != 0); mask(1, B(10)); T(handled);
  title("select");
  u64 in[2] = {0}, out[2] = {0}, ex[2] = {0}; struct { i64 s, us; } tv = {0, 0}; struct { const void *p; u64 n; } ss = {0, 8};
  in[0] = 1ul << p[0]; out[0] = 1ul << p[1] | 1ul << p[0]; ex[0] = out[0]; T(S(select, 64, in, out, ex, &tv)); T(in[0]); T(out[0] == 1ul << p[1]); T(ex[0]);
  T(S(select, -1, 0, 0, 0, &tv)); in[0] = 1ul << 60; T(S(select, 64, in, 0, 0, &tv)); T(S(select, 60, in, 0, 0, &tv)); T(S(select, 64, bad, 0, 0, &tv)); T(S(select, 0, bad, 0, 0, &tv)); tv.us = -1; T(S(select, 0, 0, 0, 0, &tv)); tv.us = 1500000; tv.s = -1; T(S(select, 0, 0, 0, 0, &tv)); tv.s = 0; tv.us = 1000; T(S(select, 0, 0, 0, 0, &tv)); T(tv.s | tv.us);
  S(write, p[1], "a", 1); in[0] = 1ul << p[0]; out[0] = 1ul << p[1]; tv.s = 9; T(S(select, 64, in, out, 0, &tv)); T(in[0] != 0); T(tv.s == 8 || tv.s == 9);
  ts.s = 0; ts.ns = 0; T(S(pselect6, 64, in, 0, 0, &ts, bad)); ss.p = &val; ss.n = 4; T(S(pselect6, 64, in, 0, 0, &ts, &ss)); ss.n = 8; T(S(pselect6, 64, in, 0, 0, &ts, &ss)); T(in[0] != 0); ts.ns = -1; T(S(pselect6, 64, in, 0, 0, &ts, &ss));
  drain(p[0]); mask(0, B(10)); S(kill, self(), 10); in[0] = 1ul << p[0]; ts.s = 5; ts.ns = 0; T(S(pselect6, 64, in, 0, 0, &ts, &ss)); T(handled); T(in[0] != 0); T(ts.s == 4 || ts.s == 5); T((mask(0, 0) & B(10)) != 0);
  closeall(); count(0);
}

int main_(long *sp) {
  (void)sp;
  struct { u64 soft, hard; } nofile = {4096, 4096};
  S(prlimit64, 0, 7, &nofile, 0);
  act(13, (void *)1, 0, 0);
  closeall();
  creation(); level(); edge(); lives(); nested(); exclusive(); eventfd(); sockets(); signalfd(); timerfd(); polls();
  return 0;
}
