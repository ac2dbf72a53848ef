#include "freestanding.h"
/* io_uring: what its calls and completions say, with system calls alone. */
typedef struct { u8 op, flags; u16 prio; i32 fd; u64 off, addr; u32 len, rw; u64 data; u16 buf, pers; i32 idx; u64 a3, pad; } sqe;
typedef struct { u32 sq, cq, flags, cpu, idle, feat, wq, resv[3], so[10], co[10]; } params;
typedef struct { int fd; params p; volatile u32 *r; sqe *s; } ring;
static int ring_open(ring *g, u32 n, u32 flags, u32 cq) {
  memset(g, 0, sizeof *g); g->p.flags = flags; g->p.cq = cq;
  g->fd = SC(425, n, &g->p);
  if (g->fd < 0) return g->fd;
  g->r = (u32*)SC(9, 0, 64 + 16 * g->p.cq + 4 * g->p.sq, 3, 1, g->fd, 0);
  g->s = (sqe*)SC(9, 0, 64 * g->p.sq, 3, 1, g->fd, 0x10000000);
  return 0;
}
static void ring_close(ring *g) { SC(3, g->fd); SC(11, g->r, 64 + 16 * g->p.cq + 4 * g->p.sq); SC(11, g->s, 64 * g->p.sq); }
static sqe *put(ring *g, int op, int fd, void *addr, u32 len, u64 off) {
  u32 tail = g->r[1], i = tail & (g->p.sq - 1);
  sqe *s = g->s + i; memset(s, 0, 64);
  s->op = op; s->fd = fd; s->addr = (u64)addr; s->len = len; s->off = off; s->data = 100 + tail;
  if (!(g->p.flags & 65536)) g->r[g->p.so[6] / 4 + i] = i;
  g->r[1] = tail + 1; return s;
}
static long enter(ring *g, u32 n, u32 min, u32 fl) { return SC(426, g->fd, n, min, fl, 0, 8); }
static void reap(ring *g) {
  u32 h = g->r[2];
  for (; h != g->r[3]; h++) { volatile u32 *c = g->r + 16 + 4 * (h & (g->p.cq - 1)); ps("["); pd(c[0]); pc(' '); pd((i32)c[2]); if (c[3]) { pc(' '); px(c[3]); } ps("] "); }
  g->r[2] = h; nl();
}
static void go(ring *g, const char *what, u32 n) { ps(what); ps(": "); kv("enter", enter(g, n, n, 1)); reap(g); }
static long try_setup(u32 n, u32 flags, u32 cq, u32 resv) { params p; memset(&p, 0, sizeof p); p.flags = flags; p.cq = cq; p.resv[1] = resv; long r = SC(425, n, &p); if (r >= 0) SC(3, r); return r < 0 ? r : (long)p.sq * 100000 + p.cq; }
static u64 nap[2] = {0, 100000000}, nap2[2] = {0, 20000000};
static char page[3 * 4096] __attribute__((aligned(4096)));
static struct { void *b; u64 n; } iov[2];
/* The memory of a ring as an area: its pages are there from the beginning, and none comes back. */
static int ends(void (*f)(void)) { i32 st; long p = SC(57); if (!p) { f(); SC(231, 0); } SC(61, p, &st, 0, 0); return st & 0x7f; }
static char *at; static void looks(void) { *(volatile char *)at; } static void writes(void) { *(volatile char *)at = 9; }
static void shape(void) { int f = SC(2, "/proc/self/smaps", 0); static char b[65536]; long n = 0, r; while ((r = SC(0, f, b + n, sizeof b - 1 - n)) > 0) n += r; b[n] = 0; SC(3, f);
  char *l = b; int mine = 0; while (*l) { char *e = l; while (*e && *e != '\n') e++; u64 a = 0; char *h = l; while ((*h >= '0' && *h <= '9') || (*h >= 'a' && *h <= 'f')) { a = a * 16 + (*h <= '9' ? *h - '0' : *h - 'a' + 10); h++; }
    if (*h == '-') mine = a == (u64)at; else if (mine && l[0] == 'V' && l[2] == 'F') { for (char *c = l + 9; c + 1 < e; c += 3) if (c[0] != 's' || c[1] != 'd') { pc(' '); pc(c[0]); pc(c[1]); } } else if (mine && l[0] == 'R' && l[1] == 's') { while (*l < '0' || *l > '9') l++; ps("rss "); while (*l >= '0' && *l <= '9') pc(*l++); }
    l = *e ? e + 1 : e; } nl(); }
static void areas(void) {
  ps("-- the ring's areas"); nl();
  ring g; ring_open(&g, 4, 0, 0); char v[4]; at = (char *)g.s; at[0] = 7; shape();
  static const int advice[] = {9, 16, 17, 18, 102, 103, 20, 21, 22, 23, 8, 14, 12, 25, 10, 11, 3};
  for (int i = 0; i < sizeof advice / sizeof *advice; i++) { kv("", advice[i]); kv("", SC(28, at, 4096, advice[i])); } kv("byte", at[0]); shape();
  kv("mlock", SC(149, at, 4096)); kv("munlock", SC(150, at, 4096)); kv("msync", SC(26, at, 4096, 4)); kv("async", SC(26, at, 4096, 1)); kv("fsync", SC(74, g.fd)); nl();
  kv("child looks", ends(looks)); kv("child writes", ends(writes)); kv("byte", at[0]); nl();
  kv("read-only", SC(10, at, 4096, 1)); kv("writes", ends(writes)); kv("none", SC(10, at, 4096, 0)); kv("looks", ends(looks)); kv("again", SC(10, at, 4096, 3)); kv("looks", ends(looks)); kv("writes", ends(writes)); kv("execute", SC(10, at, 4096, 7)); nl();
  kv("grows", SC(25, at, 4096, 8192, 1, 0)); kv("of nothing", SC(25, at, 0, 4096, 1, 0)); kv("dontunmap", SC(25, at, 4096, 4096, 5, 0));
  char *room = (char *)SC(9, 0, 3 * 4096, 3, 0x22, -1, 0); room[0] = 1; kv("to a place", SC(25, at, 4096, 4096, 3, room)); SC(27, room, 4096, v); kv("which is", SC(27, room, 4096, v)); kv("looks", ends(looks)); nl();
  kv("fixed", SC(9, room, 4096, 3, 0x11, g.fd, 0x10000000)); kv("executable", SC(9, 0, 4096, 5, 1, g.fd, 0x10000000)); kv("nowhere", SC(9, 0, 4096, 3, 1, g.fd, 0x20000000)); nl();
  kv("dontneed", SC(28, at, 4096, 4)); kv("looks", ends(looks)); kv("writes", ends(writes)); kv("populate", SC(28, at, 4096, 22)); kv("mincore", SC(27, at, 4096, v)); kv("", v[0] & 1); kv("write", SC(1, 1, at, 1)); shape();
  char *second = (char *)SC(9, 0, 4 * 4096, 3, 1, g.fd, 0x10000000); at = second; kv("byte", at[0]); kv("looks", ends(looks)); at += 4096; kv("behind", ends(looks)); at -= 4096; shape();
  kv("unmap", SC(11, at + 4096, 8192)); kv("looks", ends(looks)); nl();
  at = (char *)SC(9, 0, 4096, 3, 2, g.fd, 0x10000000); at[1] = 5; kv("private", at[0]); kv("other", second[1]); kv("looks", ends(looks)); shape();
  kv("dontneed", SC(28, at, 4096, 4)); kv("looks", ends(looks)); kv("writes", ends(writes)); nl();
  at = (char *)SC(9, 0, 4096, 3, 0x2001, g.fd, 0x10000000); shape(); kv("dontneed", SC(28, at, 4096, 4)); nl();
  kv("sealed", SC(462, second, 4096, 0)); kv("unmap", SC(11, second, 4096)); kv("dontneed", SC(28, second, 4096, 4)); at = second; kv("looks", ends(looks)); nl();
  SC(3, g.fd);
}
int main_(long *sp) {
  ring g; int pp[2]; char *m;
  if (sp[0] > 1) SC(231, 7);
  ps("setup "); kv("0", try_setup(0, 0, 0, 0)); kv("big", try_setup(32769, 0, 0, 0)); kv("clamp", try_setup(99999, 16, 0, 0));
  kv("3", try_setup(3, 0, 0, 0)); kv("cq0", try_setup(8, 8, 0, 0)); kv("cq4", try_setup(8, 8, 4, 0)); kv("cq100", try_setup(8, 8, 100, 0)); kv("cqbig", try_setup(8, 8, 65537, 0));
  kv("resv", try_setup(8, 0, 0, 1)); kv("flag", try_setup(8, 1u << 31, 0, 0)); kv("defer", try_setup(8, 1 << 13, 0, 0)); kv("efault", SC(425, 8, 8)); nl();
  ring_open(&g, 8, 0, 0);
  for (int i = 0; i < 7; i++) kv("so", g.p.so[i]); for (int i = 0; i < 7; i++) kv("co", g.p.co[i]); nl();
  kv("masks", g.r[4] * 1000 + g.r[5]); kv("entries", g.r[6] * 1000 + g.r[7]); kv("cqmap", SC(9, 0, 4096, 3, 1, g.fd, 0x8000000) > 0);
  kv("hint", SC(9, 0x700000000000, 4096, 3, 1, g.fd, 0)); kv("fixed", SC(9, g.r, 4096, 3, 17, g.fd, 0)); kv("offset", SC(9, 0, 4096, 3, 1, g.fd, 0x20000000)); kv("exec", SC(9, 0, 4096, 7, 1, g.fd, 0)); nl();
  kv("enter-file", SC(426, 1, 0, 0, 0, 0, 0)); kv("enter-bad", SC(426, 99, 0, 0, 0, 0, 0)); kv("enter-flags", SC(426, g.fd, 0, 0, 0x8000, 0, 0)); kv("enter-none", enter(&g, 5, 0, 0)); kv("read", SC(0, g.fd, page, 1)); kv("register-99", SC(427, g.fd, 99, 0, 0)); kv("register-file", SC(427, 1, 0, 0, 0)); nl();
  put(&g, 0, -1, 0, 0, 0); go(&g, "nop", 1);
  put(&g, 250, -1, 0, 0, 0); put(&g, 0, -1, 0, 0, 0); ps("unknown: "); kv("enter", enter(&g, 2, 1, 1)); kv("head", g.r[0]); reap(&g); go(&g, "rest", 1);
  put(&g, 0, -1, 0, 0, 0)->flags = 0x80; go(&g, "flag", 1);
  put(&g, 0, -1, 0, 0, 0)->prio = 1; go(&g, "prio", 1);
  /* transfers */
  int f = SC(319, "x", 0);
  put(&g, 23, f, "hello, rings", 12, 0); go(&g, "write", 1);
  put(&g, 22, f, page, 5, 7); go(&g, "read", 1); ps(page); nl();
  put(&g, 22, f, page, 100, 0); go(&g, "short", 1);
  put(&g, 22, f, page, 100, 100); go(&g, "end", 1);
  put(&g, 22, f, page, 4, -1); put(&g, 22, f, page + 4, 4, -1); go(&g, "position", 2); page[8] = 0; ps(page); nl();
  put(&g, 22, f, page, 4, -2); go(&g, "negative", 1);
  put(&g, 22, 99, page, 4, 0); go(&g, "no file", 1);
  put(&g, 22, f, (void*)8, 4, 0); go(&g, "bad buffer", 1);
  put(&g, 22, f, (void*)-8, 4, 0); go(&g, "beyond", 1);
  iov[0].b = page; iov[0].n = 3; iov[1].b = page + 100; iov[1].n = 4;
  put(&g, 1, f, iov, 2, 0); go(&g, "readv", 1); kv("bytes", page[102]); nl();
  put(&g, 2, f, iov, 2, 50); go(&g, "writev", 1);
  put(&g, 1, f, iov, 2000, 0); go(&g, "many", 1);
  put(&g, 3, f, 0, 0, 0); go(&g, "fsync", 1); put(&g, 3, f, 0, 0, 0)->rw = 4; go(&g, "fsync flag", 1);
  put(&g, 22, f, page, 4, 0)->rw = 1 << 20; go(&g, "rwf", 1);
  /* registered buffers */
  kv("unregister", SC(427, g.fd, 1, 0, 0)); kv("zero", SC(427, g.fd, 0, iov, 0)); iov[0].b = (void*)8; kv("unmapped", SC(427, g.fd, 0, iov, 1)); iov[0].b = 0; kv("null", SC(427, g.fd, 0, iov, 1)); iov[0].b = page; iov[0].n = 0; kv("empty", SC(427, g.fd, 0, iov, 1)); iov[0].n = 1ul << 31; kv("large", SC(427, g.fd, 0, iov, 1)); nl();
  m = (char*)SC(9, 0, 8192, 3, 34, -1, 0);
  iov[0].b = m + 100; iov[0].n = 5000; iov[1].b = 0; iov[1].n = 0;
  kv("register", SC(427, g.fd, 0, iov, 2)); kv("again", SC(427, g.fd, 0, iov, 2)); nl();
  put(&g, 4, f, m + 100, 5, 0); go(&g, "read fixed", 1); kv("byte", m[100]); nl();
  put(&g, 4, f, m, 5, 0); go(&g, "outside", 1);
  put(&g, 4, f, m + 5000, 101, 0); go(&g, "over the end", 1);
  put(&g, 4, f, m + 100, 5, 0)->buf = 1; go(&g, "empty slot", 1);
  put(&g, 4, f, m + 100, 5, 0)->buf = 2; go(&g, "no slot", 1);
  /* a pinned page stays the parent's over fork, and is written though it is no longer mapped writable */
  m[200] = 'p'; int st; long child = SC(57);
  if (!child) { m[200] = 'c'; SC(35, (u64*)nap, 0); SC(231, m[200]); }
  m[200] = 'q'; put(&g, 5, f, m + 200, 1, 20); go(&g, "write after fork", 1); SC(61, child, &st, 0, 0); kv("child", st >> 8);
  put(&g, 22, f, page, 1, 20); go(&g, "as written", 1); kv("byte", page[0]); nl();
  child = SC(57); if (!child) { SC(231, m[200]); }
  put(&g, 4, f, m + 200, 1, 0); SC(61, child, &st, 0, 0); go(&g, "read after fork", 1); kv("mine", m[200]); kv("childs", st >> 8); nl();
  SC(10, m, 4096, 1); put(&g, 4, f, m + 201, 1, 1); go(&g, "read-only now", 1); kv("seen", m[201]); nl();
  SC(11, m, 8192); put(&g, 5, f, m + 200, 1, 30); go(&g, "unmapped", 1); put(&g, 22, f, page, 1, 30); go(&g, "was", 1); kv("byte", page[0]); nl();
  kv("unregister", SC(427, g.fd, 1, 0, 0)); kv("argument", SC(427, g.fd, 1, 1, 0)); nl();
  m = (char*)SC(9, 0, 4096, 1, 34, -1, 0); iov[0].b = m; iov[0].n = 4096; kv("read-only", SC(427, g.fd, 0, iov, 1)); nl();
  /* registered files */
  int fds[3] = {f, -1, g.fd}; kv("ring", SC(427, g.fd, 2, fds, 3)); fds[2] = 99; kv("closed", SC(427, g.fd, 2, fds, 3)); kv("zero", SC(427, g.fd, 2, fds, 0)); kv("none", SC(427, g.fd, 3, 0, 0)); fds[2] = f; kv("files", SC(427, g.fd, 2, fds, 3)); kv("again", SC(427, g.fd, 2, fds, 3)); nl();
  put(&g, 22, 2, page, 5, 0)->flags = 1; go(&g, "fixed file", 1); put(&g, 22, 1, page, 5, 0)->flags = 1; go(&g, "empty place", 1); put(&g, 22, 3, page, 5, 0)->flags = 1; go(&g, "no place", 1);
  struct { u32 off, resv; int *fds; } up = {1, 0, fds}; kv("update", SC(427, g.fd, 6, &up, 2)); kv("over", SC(427, g.fd, 6, &up, 3)); put(&g, 22, 1, page, 5, 0)->flags = 1; go(&g, "updated", 1); kv("unregister", SC(427, g.fd, 3, 0, 0)); nl();
  /* what has to wait */
  SC(293, pp, 0); put(&g, 22, pp[0], page, 10, 0); kv("enter", enter(&g, 1, 0, 1)); reap(&g); SC(1, pp[1], "abc", 3); go(&g, "pipe", 0);
  put(&g, 22, pp[0], page, 10, 0); child = SC(57); if (!child) { SC(35, (u64*)nap2, 0); SC(1, pp[1], "defg", 4); SC(231, 0); } kv("enter", enter(&g, 1, 1, 1)); reap(&g); SC(61, child, &st, 0, 0);
  put(&g, 22, pp[0], page, 10, 0)->rw = 8; go(&g, "nowait", 1);
  /* chains */
  put(&g, 0, 0, 0, 0, 0)->flags = 4; put(&g, 22, f, page, 100, 0)->flags = 4; put(&g, 0, 0, 0, 0, 0); go(&g, "link", 3);
  put(&g, 22, f, page, 100, 0)->flags = 8; put(&g, 0, 0, 0, 0, 0); go(&g, "hardlink", 2);
  put(&g, 22, f, page, 100, 0)->flags = 4; put(&g, 250, 0, 0, 0, 0)->flags = 4; put(&g, 0, 0, 0, 0, 0); go(&g, "bad link", 3);
  put(&g, 22, pp[0], page, 2, 0); put(&g, 0, 0, 0, 0, 0)->flags = 2; put(&g, 0, 0, 0, 0, 0); ps("drain: "); kv("enter", enter(&g, 3, 0, 1)); reap(&g); SC(1, pp[1], "hi", 2); SC(35, nap2, 0); go(&g, "drained", 0);
  put(&g, 0, 0, 0, 0, 0)->flags = 64; put(&g, 22, 99, 0, 0, 0)->flags = 64; put(&g, 0, 0, 0, 0, 0); ps("skip: "); kv("enter", enter(&g, 3, 2, 1)); reap(&g);
  put(&g, 0, 0, 0, 0, 0)->flags = 2; go(&g, "drain then", 1);
  /* time, poll, eventfd */
  u64 ts[2] = {0, 1000000}; struct { u64 m; u32 n, pad; u64 *ts; } ext = {0, 8, 0, ts}; kv("timeout", SC(426, g.fd, 0, 1, 9, &ext, 24)); kv("size", SC(426, g.fd, 0, 1, 9, &ext, 16)); nl();
  struct { int fd; short ev, rev; } pf = {g.fd, 5, 0}; kv("poll", SC(7, &pf, 1, 0)); kv("ev", pf.rev);
  int ev = SC(290, 0, 2048); u64 n = 0; kv("eventfd", SC(427, g.fd, 4, &ev, 1)); kv("again", SC(427, g.fd, 4, &ev, 1)); put(&g, 0, 0, 0, 0, 0); put(&g, 0, 0, 0, 0, 0); enter(&g, 2, 0, 0); kv("poll", SC(7, &pf, 1, 0)); kv("ev", pf.rev); kv("read", SC(0, ev, &n, 8)); kv("n", n > 0); kv("unregister", SC(427, g.fd, 5, 0, 0)); reap(&g);
  ring_close(&g);
  /* overflow */
  ring_open(&g, 2, 8 | 65536, 2); for (int i = 0; i < 3; i++) { put(&g, 0, 0, 0, 0, 0); put(&g, 0, 0, 0, 0, 0); kv("enter", enter(&g, 2, 0, 0)); } kx("flags", g.r[9]); kv("lost", g.r[11]); reap(&g); kx("flags", g.r[9]); go(&g, "more", 0); kx("flags", g.r[9]); go(&g, "last", 0); ring_close(&g);
  ring_open(&g, 4, 128, 0); put(&g, 250, 0, 0, 0, 0); put(&g, 0, 0, 0, 0, 0); go(&g, "submit all", 2); put(&g, 0, 0, 0, 0, 0); g.r[g.p.so[6] / 4 + 2] = 77; ps("index: "); kv("enter", enter(&g, 1, 0, 1)); kv("dropped", g.r[8]); reap(&g); ring_close(&g);
  ring_open(&g, 4, 64 | 4096 | 8192, 0); put(&g, 0, 0, 0, 0, 0); kv("disabled", enter(&g, 1, 0, 1)); kv("enable", SC(427, g.fd, 12, 0, 0)); kv("again", SC(427, g.fd, 12, 0, 0)); go(&g, "enabled", 1); ring_close(&g);
  /* what waits when its ring or its task goes */
  ring_open(&g, 4, 0, 0); put(&g, 22, pp[0], page, 10, 0); enter(&g, 1, 0, 0); ring_close(&g); SC(35, nap, 0); SC(1, pp[1], "left", 4); kv("closed", SC(0, pp[0], page, 10)); nl();
  child = SC(57); if (!child) { ring_open(&g, 4, 0, 0); put(&g, 22, pp[0], page, 10, 0); put(&g, 22, pp[0], page, 10, 0)->flags = 8; put(&g, 0, 0, 0, 0, 0); enter(&g, 3, 0, 0); SC(231, 5); } SC(61, child, &st, 0, 0); kv("ended", st >> 8); SC(1, pp[1], "more", 4); kv("read", SC(0, pp[0], page, 10)); nl();
  child = SC(57); if (!child) { char *args[] = {"x", "y", 0}; ring_open(&g, 4, 0, 0); put(&g, 22, pp[0], page, 10, 0); enter(&g, 1, 0, 0); SC(59, "/proc/self/exe", args, args + 2); SC(231, 6); } SC(61, child, &st, 0, 0); kv("executed", st >> 8); SC(1, pp[1], "most", 4); kv("read", SC(0, pp[0], page, 10)); nl();
  ring_open(&g, 4, 0, 0); put(&g, 22, pp[0], page, 10, 0); enter(&g, 1, 0, 0); SC(1, pp[1], "now", 3); SC(39); kv("told", g.r[3] - g.r[2]); reap(&g); ring_close(&g);
  ring_open(&g, 4, 4096 | 8192, 0); put(&g, 22, pp[0], page, 10, 0); enter(&g, 1, 0, 0); SC(1, pp[1], "later", 5); SC(39); kv("deferred", g.r[3] - g.r[2]); kv("enter", enter(&g, 0, 1, 1)); reap(&g); ring_close(&g);
  ring_open(&g, 4, 0, 0); put(&g, 22, pp[0], page, 10, 0); enter(&g, 1, 0, 0); child = SC(57); if (!child) { SC(1, pp[1], "child", 5); SC(231, 0); } SC(61, child, &st, 0, 0); kv("by child", g.r[3] - g.r[2]); reap(&g); ring_close(&g);
  areas();
  return 0;
}
