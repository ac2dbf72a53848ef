/* Pipes by their buffers: sizes, packets, faults half way, splice, tee and vmsplice. A line a call. */
#include "freestanding.h"
#include <asm/unistd.h>
#define S(n, ...) SC(__NR_##n, ##__VA_ARGS__)
#define T(call) show(#call, (long)(call))
static void show(const char *what, long r) { ps(what); ps(" = "); pd(r); nl(); }
static void title(const char *name) { ps("-- "); ps(name); nl(); }
static int self(void) { return SC(__NR_getpid); }
static void closeall(void) { S(close_range, 3, ~0u, 0); }
static u8 big[1 << 18], buf[1 << 18];
static u8 *page; /* one page, and nothing behind it */
static i64 off;
#define bad ((void *)0x10)
#define NONBLOCK 04000
#define DIRECT 040000
struct iovec { void *base; u64 length; };
static int broken, code, sender;
static void sigpipe(int n, struct si *si) { broken++; code = si->code; sender = si->k.pid == self(); }
static int p[2], q[2];
static void fresh(int flags) { closeall(); S(pipe2, p, flags); S(pipe2, q, flags); }
static long queued(int fd) { int n = -1; S(ioctl, fd, 0x541b, &n); return n; }
/* Writes until the pipe is full; how many bytes of that size went in. */
static long fill(int fd, long size) { long sum = 0, r; while ((r = S(write, fd, big, size)) > 0) sum += r; return sum; }
static long sum(const u8 *at, long n) { long s = 0; for (long i = 0; i < n; i++) s = s * 31 + at[i]; return s; }

static void sizes(void) {
  title("sizes");
  fresh(NONBLOCK);
  T(S(fcntl, p[0], 1032)); T(S(fcntl, p[1], 1031, 1)); T(S(fcntl, p[1], 1032)); T(S(fcntl, p[0], 1031, 4097)); T(S(fcntl, p[0], 1031, 0)); T(S(fcntl, p[0], 1031, 0x80000001)); T(S(fcntl, 0, 1031, 4096)); T(S(fcntl, 0, 1032, 0));
  T(S(fcntl, p[0], 1031, 16384)); T(fill(p[1], 4096)); T(S(fcntl, p[0], 1031, 8192)); T(S(read, p[0], buf, 4096)); T(S(fcntl, p[0], 1031, 12288)); T(S(read, p[0], buf, 4096)); T(S(fcntl, p[0], 1031, 8192)); T(S(write, p[1], big, 1)); T(S(fcntl, p[0], 1031, 16384)); T(S(write, p[1], big, 1)); T(queued(p[0]));
  T(S(fcntl, p[0], 1031, 1 << 20));
  fresh(NONBLOCK);
  T(fill(p[1], 64)); T(queued(p[0])); T(S(read, p[0], buf, 4095)); T(S(write, p[1], big, 1)); T(S(read, p[0], buf, 1)); T(S(write, p[1], big, 1)); T(S(write, p[1], big, 5000)); T(S(write, p[1], big, 4096)); T(queued(p[0]));
  fresh(NONBLOCK);
  T(fill(p[1], 3000)); T(fill(p[1], 1096)); T(queued(p[0])); T(S(read, p[0], buf, 200000)); T(S(read, p[0], buf, 1)); T(S(read, p[0], buf, 0)); T(S(write, p[1], big, 0));
  T(S(write, p[1], big, 70000)); T(queued(p[0])); T(S(read, p[0], buf, 100)); T(S(write, p[1], big, 4096)); T(S(read, p[0], buf, 3996)); T(S(write, p[1], big, 4096)); T(S(write, p[1], big, 4096));
  fresh(NONBLOCK);
  T(S(write, p[1], big, 100)); T(S(write, p[1], big, 8292)); T(queued(p[0])); T(S(fcntl, p[1], 1031, 12288)); T(S(fcntl, p[1], 1031, 8192)); T(S(write, p[1], big, 3997)); T(S(fcntl, p[1], 1031, 16384));
}

static void faults(void) {
  title("faults");
  fresh(NONBLOCK);
  for (int i = 0; i < 4096; i++) page[i] = i;
  T(S(write, p[1], page + 4000, 200)); T(queued(p[0])); T(S(write, p[1], page + 4000, 96)); T(S(write, p[1], page + 4090, 10)); T(queued(p[0])); T(S(write, p[1], page, 8000)); T(queued(p[0])); T(S(write, p[1], page + 1, 8000)); T(S(write, p[1], page + 1, 4095)); T(queued(p[0]));
  T(S(read, p[0], page + 4090, 10)); T(queued(p[0])); T(S(read, p[0], page + 4000, 97)); T(S(read, p[0], bad, 10)); T(queued(p[0])); T(S(read, p[0], page + 4000, 96)); T(S(read, p[0], page, 8191)); T(queued(p[0]));
  struct iovec v[3] = {{page, 100}, {bad, 5}, {page, 3}};
  fresh(NONBLOCK);
  T(S(writev, p[1], v, 3)); T(queued(p[0])); v[0].length = 4096; T(S(writev, p[1], v, 3)); T(queued(p[0])); T(S(readv, p[0], v, 3)); T(queued(p[0]));
  T(S(preadv2, p[0], v, 1, -1, -1, 8)); T(S(pread64, p[0], buf, 1, 0)); T(S(write, p[0], buf, 1)); T(S(read, p[1], buf, 1));
}

static void packets(void) {
  title("packets");
  fresh(NONBLOCK | DIRECT);
  T(S(fcntl, p[1], 3)); T(S(write, p[1], "abcdef", 6)); T(S(write, p[1], "gh", 2)); T(S(write, p[1], "", 0)); T(queued(p[0])); T(S(read, p[0], buf, 3)); T(buf[2]); T(S(read, p[0], buf, 30)); T(buf[0]); T(S(read, p[0], buf, 30));
  T(S(write, p[1], big, 5000)); T(S(read, p[0], buf, 8000)); T(S(read, p[0], buf, 8000)); T(fill(p[1], 1));
  closeall(); S(pipe2, p, NONBLOCK); T(S(fcntl, p[1], 4, NONBLOCK | DIRECT)); T(S(write, p[1], "ab", 2)); T(S(fcntl, p[1], 4, NONBLOCK)); T(S(write, p[1], "cd", 2)); T(S(write, p[1], "ef", 2)); T(S(read, p[0], buf, 9)); T(S(read, p[0], buf, 9));
  S(write, p[1], "ab", 2); S(fcntl, p[1], 4, NONBLOCK | DIRECT); S(write, p[1], "cd", 2); T(S(read, p[0], buf, 9)); T(S(read, p[0], buf, 9)); T(S(read, p[0], buf, 9));
}

static void ends(void) {
  title("ends");
  act(13, sigpipe, SA_SIGINFO, 0);
  fresh(0);
  S(write, p[1], "abc", 3); S(close, p[1]); T(S(read, p[0], buf, 2)); T(S(read, p[0], buf, 2)); T(S(read, p[0], buf, 2));
  S(close, q[0]); T(S(write, q[1], "a", 1)); T(broken); T(code); T(sender); T(S(write, q[1], "a", 0)); T(S(write, q[1], bad, 1)); T(broken);
  T(S(tee, p[0], q[1], 5, 0)); T(S(splice, p[0], 0, q[1], 0, 5, 0)); T(broken); struct iovec v = {big, 10}; T(S(vmsplice, q[1], &v, 1, 0)); T(broken); T(S(splice, q[1], 0, p[0], 0, 5, 0));
}

static void splices(void) {
  title("splice");
  fresh(NONBLOCK);
  int m = S(memfd_create, "m", 0), e = S(eventfd2, 1, 0), d = S(open, "/", 0, 0), z = S(open, "/dev/zero", 0, 0), n = S(open, "/dev/null", 1, 0), a;
  for (int i = 0; i < sizeof big; i++) big[i] = i * 7 + i / 4096;
  S(write, m, big, 20000); S(lseek, m, 0, 0);
  T(S(splice, -1, 0, -1, 0, 0, 99)); T(S(splice, -1, 0, -1, 0, 1, 99)); T(S(splice, -1, 0, p[1], 0, 1, 0)); T(S(splice, m, 0, -1, 0, 1, 0)); T(S(splice, m, 0, m, 0, 1, 0)); T(S(splice, p[0], 0, p[1], 0, 1, 0)); T(S(splice, m, 0, p[0], 0, 1, 0)); T(S(splice, p[1], 0, m, 0, 1, 0)); T(S(splice, m, bad, p[1], 0, 1, 0)); T(S(splice, m, bad, p[1], bad, 1, 0)); T(S(splice, p[0], &off, m, 0, 1, 0)); T(S(splice, e, 0, p[1], 0, 8, 0)); T(S(splice, p[0], 0, m, 0, 1, 0)); T(S(splice, p[0], 0, e, 0, 8, 2));
  off = -1; T(S(splice, m, &off, p[1], 0, 1, 0)); off = 30000; T(S(splice, m, &off, p[1], 0, 1, 0)); T(off); T(S(splice, d, 0, p[1], 0, 1, 0)); off = 0; T(S(splice, z, &off, p[1], 0, 10, 0)); T(S(splice, p[0], 0, n, 0, 100, 0)); T(queued(p[0]));
  off = 100; T(S(splice, m, &off, p[1], 0, 8192, 0)); T(off); T(S(lseek, m, 0, 1)); T(queued(p[0])); T(S(fcntl, p[0], 1031, 12288)); T(S(fcntl, p[0], 1031, 8192)); T(S(read, p[0], buf, 10000)); T(sum(buf, 8192) == sum(big + 100, 8192));
  T(S(splice, m, 0, p[1], 0, 1 << 20, 0)); T(S(lseek, m, 0, 1)); T(queued(p[0])); T(S(splice, m, 0, p[1], 0, 1 << 20, 0)); S(read, p[0], buf, 65536); T(S(lseek, m, 0, 0)); T(S(splice, m, 0, p[1], 0, 1 << 20, 0)); T(S(splice, m, 0, p[1], 0, 1 << 20, 2)); T(S(lseek, m, 0, 1)); 
  T(S(write, p[1], "x", 1)); T(queued(p[0])); 
  T(S(splice, p[0], 0, q[1], 0, 5000, 0)); T(queued(p[0])); T(queued(q[0])); T(S(write, q[1], "y", 1)); T(S(splice, p[0], 0, q[1], 0, 1 << 20, 0)); T(queued(q[0])); T(S(read, q[0], buf, 1 << 17));
  T(S(splice, p[0], 0, q[1], 0, 10, 0)); 
  S(pwrite64, m, "AAAA", 4, 0); off = 0; S(splice, m, &off, p[1], 0, 4, 0); S(pwrite64, m, "BB", 2, 0); T(S(read, p[0], buf, 10)); T(buf[0]); T(buf[3]);
  S(write, p[1], big, 6000); off = 50; T(S(splice, p[0], 0, m, &off, 4500, 0)); T(off); T(S(pread64, m, buf, 4500, 50)); T(sum(buf, 4500) == sum(big, 4500)); T(queued(p[0])); T(S(splice, p[0], 0, m, 0, 1 << 20, 0)); T(S(lseek, m, 0, 1));
  a = S(open, "/proc/self/fd/3", 02001, 0); S(fcntl, m, 4, 02000); S(write, p[1], "a", 1); T(S(splice, p[0], 0, m, 0, 1, 0)); S(fcntl, m, 4, 0); off = -5; T(S(splice, p[0], 0, m, &off, 1, 0));
  S(close, p[1]); T(S(splice, p[0], 0, m, 0, 10, 0)); T(S(splice, p[0], 0, m, 0, 10, 0));
  title("tee");
  fresh(NONBLOCK);
  m = S(memfd_create, "m", 0);
  T(S(tee, p[0], q[1], 0, 99)); T(S(tee, -1, -1, 0, 0)); T(S(tee, -1, q[1], 1, 0)); T(S(tee, p[0], -1, 1, 0)); T(S(tee, p[0], p[1], 1, 0)); T(S(tee, m, q[1], 1, 0)); T(S(tee, p[1], q[1], 1, 0)); T(S(tee, p[0], q[0], 1, 0)); T(S(tee, p[0], q[1], 1, 0));
  S(write, p[1], big, 5000); T(S(tee, p[0], q[1], 4100, 0)); T(queued(p[0])); T(queued(q[0])); T(S(write, p[1], "abc", 3)); T(S(write, q[1], "abc", 3)); T(S(read, q[0], buf, 9999)); T(sum(buf, 4100) == sum(big, 4100)); T(S(tee, p[0], q[1], 1 << 20, 0)); T(S(read, p[0], buf, 9999)); T(S(read, q[0], buf, 9999)); T(sum(buf, 5000) == sum(big, 5000)); T(S(tee, p[0], q[1], 1 << 20, 0)); 
  fill(q[1], 4096); S(write, p[1], "a", 1); T(S(tee, p[0], q[1], 1, 0)); S(read, p[0], buf, 1); S(close, p[1]); T(S(tee, p[0], q[1], 1, 0));
}

static void vmsplices(void) {
  title("vmsplice");
  fresh(NONBLOCK);
  int m = S(memfd_create, "m", 0);
  struct iovec v[3] = {{page, 100}, {page + 200, 50}, {page + 4000, 200}};
  T(S(vmsplice, -1, v, 1, 99)); T(S(vmsplice, -1, bad, 1, 0)); T(S(vmsplice, m, v, 1, 0)); T(S(vmsplice, m, v, 0, 0)); T(S(vmsplice, p[1], bad, 1, 0)); T(S(vmsplice, p[1], v, 1025, 0)); T(S(vmsplice, p[1], v, 0, 0)); v[0].length = -1; T(S(vmsplice, p[1], v, 1, 0)); v[0].length = 100;
  T(S(vmsplice, p[1], v, 2, 0)); T(queued(p[0])); page[0] = 'X'; page[200] = 'Y'; T(S(read, p[0], buf, 1000)); T(buf[0]); T(buf[100]);
  T(S(vmsplice, p[1], v, 3, 0)); T(queued(p[0])); T(S(vmsplice, p[1], v + 2, 1, 0)); v[2].base = bad; T(S(vmsplice, p[1], v + 2, 1, 0)); S(read, p[0], buf, 9999);
  v[0].base = big + 10; v[0].length = 200000; T(S(vmsplice, p[1], v, 1, 2)); T(queued(p[0])); T(S(vmsplice, p[1], v, 1, 2)); T(S(write, p[1], "x", 1)); T(S(read, p[0], buf, 4096)); T(sum(buf, 4096) == sum(big + 10, 4096));
  T(S(vmsplice, p[0], v, 1, 2)); T(S(vmsplice, p[0], v, 1, 2)); 
  u8 *more = (u8 *)S(mmap, 0, 4096, 3, 0x22, -1, 0); more[5] = 'a'; v[0].base = more; v[0].length = 4096; T(S(vmsplice, p[1], v, 1, 8)); S(munmap, more, 4096); T(S(read, p[0], buf, 4096)); T(buf[5]);
  more = (u8 *)S(mmap, 0, 4096, 1, 0x22, -1, 0); v[0].base = more; T(S(vmsplice, p[1], v, 1, 0)); S(mprotect, more, 4096, 3); more[7] = 'z'; T(S(read, p[0], buf, 4096)); T(buf[7]);
  S(mprotect, more, 4096, 0); T(S(vmsplice, p[1], v, 1, 0));
  S(close, p[1]); v[0].base = buf; T(S(vmsplice, p[0], v, 1, 0));
}

int main_(long *sp) {
  (void)sp;
  closeall();
  S(pipe2, p, 0); S(dup2, p[0], 0); /* 0 is a pipe's end, whatever was given */
  page = (u8 *)S(mmap, 0, 8192, 3, 0x22, -1, 0); S(munmap, page + 4096, 4096);
  sizes(); faults(); packets(); ends(); splices(); vmsplices();
  return 0;
}
