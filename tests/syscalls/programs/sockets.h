/* What the programs on sockets share: raw calls, and results as text. Built as files.c says. */
#define _GNU_SOURCE
#include <asm/unistd.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <linux/sockios.h>

static long sys(long n, long a, long b, long c, long d, long e, long f) {
  long r;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
  return r;
}
#define ARG(x) ((long)(x))
#define S0(n) sys(__NR_##n, 0, 0, 0, 0, 0, 0)
#define S1(n, a) sys(__NR_##n, ARG(a), 0, 0, 0, 0, 0)
#define S2(n, a, b) sys(__NR_##n, ARG(a), ARG(b), 0, 0, 0, 0)
#define S3(n, a, b, c) sys(__NR_##n, ARG(a), ARG(b), ARG(c), 0, 0, 0)
#define S4(n, a, b, c, d) sys(__NR_##n, ARG(a), ARG(b), ARG(c), ARG(d), 0, 0)
#define S5(n, a, b, c, d, e) sys(__NR_##n, ARG(a), ARG(b), ARG(c), ARG(d), ARG(e), 0)
#define S6(n, a, b, c, d, e, f) sys(__NR_##n, ARG(a), ARG(b), ARG(c), ARG(d), ARG(e), ARG(f))

void *memset(void *p, int c, size_t n) { char *q = p; while (n--) *q++ = c; return p; }
void *memcpy(void *p, const void *s, size_t n) { char *q = p; const char *r = s; while (n--) *q++ = *r++; return p; }

static char out[1 << 16];
static int used;
static void text(const char *s) { while (*s) out[used++] = *s++; }
static void number(long v) {
  char d[24]; int n = 0; unsigned long u = v < 0 ? -(unsigned long)v : (unsigned long)v;
  if (v < 0) out[used++] = '-';
  do { d[n++] = '0' + u % 10; u /= 10; } while (u);
  while (n) out[used++] = d[--n];
}
static void hex(unsigned v) {
  char d[16]; int n = 0;
  do { d[n++] = "0123456789abcdef"[v % 16]; v /= 16; } while (v);
  while (n) out[used++] = d[--n];
}
static long show(const char *what, long r) { text(what); text(" = "); number(r); text("\n"); return r; }
#define T(call) show(#call, call)
static void bytes(const char *p, long n) {
  for (long i = 0; i < n; i++)
    if (p[i] > 32 && p[i] < 127) out[used++] = p[i];
    else { out[used++] = '\\'; hex((unsigned char)p[i]); }
}
static long showbytes(const char *what, long r, const char *p) {
  text(what); text(" = "); number(r); text(" ");
  if (r > 0) bytes(p, r > 40 ? 40 : r);
  text("\n");
  return r;
}
#define B(call) showbytes(#call, call, buf)
static void flush(void) { sys(__NR_write, 1, ARG(out), used, 0, 0, 0); used = 0; }
static void title(const char *s) { text("== "); text(s); text("\n"); flush(); }

static char buf[1 << 19];
static void *const bad = (void *)0x10;

static int opt(int fd, int level, int name) {
  int v = -1; unsigned n = sizeof v;
  long r = S5(getsockopt, fd, level, name, &v, &n);
  return r < 0 ? r : v;
}
static long setint(int fd, int level, int name, int v) { return S5(setsockopt, fd, level, name, &v, sizeof v); }
static long polled(int fd) {
  struct pollfd p = {fd, -1 & ~POLLNVAL, 0};
  long r = S3(poll, &p, 1, 0);
  return r < 0 ? r : p.revents;
}
static long queued(int fd, long what) { int v = -77; long r = S3(ioctl, fd, what, &v); return r < 0 ? r : v; }
static int pair[2];
static long pairof(int type) { return S4(socketpair, AF_UNIX, type, 0, pair); }
static void closepair(void) { S1(close, pair[0]); S1(close, pair[1]); }
static void closeall(void) { S3(close_range, 3, ~0u, 0); }
static volatile int pipes;
static void onpipe(int n) { pipes++; }
static void restore(void);
__asm__("restore: mov $15, %eax; syscall");
static void catchpipe(void) {
  struct { void *handler; unsigned long flags; void *restorer; unsigned long mask; } a = {onpipe, 0x04000000, restore, 0};
  S4(rt_sigaction, SIGPIPE, &a, 0, 8);
}
