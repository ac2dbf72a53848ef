/* Several tasks that wait for one another through descriptors. Only the first prints, after the others' ends. */
#include "freestanding.h"
#include <asm/unistd.h>
#define S(n, ...) SC(__NR_##n, ##__VA_ARGS__)
#define T(call) show(#call, (long)(call))
static void show(const char *what, long r) { ps(what); ps(" = "); pd(r); nl(); }
static void title(const char *name) { ps("-- "); ps(name); nl(); }
static int self(void) { return SC(__NR_getpid); }
static void closeall(void) { S(close_range, 3, ~0u, 0); }
struct __attribute__((packed)) event { u32 events; u64 data; };
struct pollfd { i32 fd; u16 events, revents; };
struct iovec { void *base; u64 length; };
static volatile struct { long r[16]; u64 word; struct event ev[4]; } *sh;
static u8 big[200000], buf[200000];
static int p[2], q[2], status, child, other, i;
static u64 val;
enum { IN = 1, OUT = 4, ADD = 1, DEL = 2, MOD = 3 };
#define ET 0x80000000u
#define EXCLUSIVE 0x10000000u
#define NONBLOCK 04000

static void ms(long n) { struct { i64 s, ns; } t = {0, n * 1000000}; S(nanosleep, &t, 0); }
static long ctl(int ep, int op, int fd, u32 events, u64 data) { struct event e = {events, data}; return S(epoll_ctl, ep, op, fd, &e); }
static long waits(int ep, int time) { return S(epoll_wait, ep, sh->ev, 4, time); }
static int fork(void) { return S(fork); }
static void quit(int n) { S(exit_group, n); }
static void joins(int pid) { status = -1; S(wait4, pid, &status, 0, 0); }
static void fresh(void) { closeall(); S(pipe2, p, 0); S(pipe2, q, 0); for (int n = 0; n < 16; n++) sh->r[n] = -999; sh->word = 0; }
/* A child that runs one statement; its parent goes on when the child surely sleeps. */
#define CHILD(statement) do { child = fork(); if (child == 0) { statement; quit(0); } ms(10); } while (0)

long clone_thread(long flags, void *stack, i32 *parent, void (*run)(void));
asm("clone_thread: mov %rdx,%r8; mov %rcx,%r9; xor %edx,%edx; xor %r10d,%r10d; mov $56,%eax; syscall; test %eax,%eax; jnz 1f; xor %ebp,%ebp; call *%r9; xor %edi,%edi; mov $60,%eax; syscall; 1: ret");
static u8 stacks[4][16384] __attribute__((aligned(16)));
static volatile int done;
static int ep, tfd;
static long thread(int n, void (*run)(void)) { done = 0; long r = clone_thread(0x00000100 | 0x200 | 0x400 | 0x800 | 0x10000 | 0x40000, stacks[n] + 16384, 0, run); ms(10); return r; }
static void await(void) { while (!done) ms(1); }

static void pipes(void) {
  title("pipes");
  fresh(); CHILD(sh->r[0] = S(read, p[0], buf, 10)); S(write, p[1], "hello", 5); joins(child); T(sh->r[0]);
  fresh(); CHILD(sh->r[0] = S(write, p[1], big, 200000)); long sum = 0; while (sum < 200000) sum += S(read, p[0], buf, 7777); joins(child); T(sum); T(sh->r[0]);
  fresh(); CHILD(S(close, p[0]); ms(20)); S(close, p[1]); T(S(read, p[0], buf, 1)); joins(child);
  fresh(); CHILD(S(close, p[0]); sh->r[0] = S(write, p[1], big, 200000)); S(close, p[0]); joins(child); T(status); T(sh->r[0]);
  fresh(); CHILD(S(close, p[0]); act(13, (void *)1, 0, 0); sh->r[0] = S(write, p[1], big, 200000)); S(close, p[0]); joins(child); T(status); T(sh->r[0]);
  fresh(); CHILD(S(close, p[0]); act(13, (void *)1, 0, 0); sh->r[1] = S(write, p[1], big, 65536); sh->r[0] = S(write, p[1], big, 1)); S(close, p[0]); joins(child); T(sh->r[1]); T(sh->r[0]);
  fresh(); int writers[4]; for (i = 0; i < 4; i++) { writers[i] = fork(); if (writers[i] == 0) { memset(big, 'a' + i, 300); for (int n = 0; n < 200; n++) S(write, p[1], big, 300); quit(0); } }
  S(close, p[1]); long got = 0, bad = 0, r; while ((r = S(read, p[0], buf + got, 1000)) > 0) { got += r; if (got >= 150000) { long keep = got % 300; for (long n = 0; n + 300 <= got; n++) if (n % 300 && buf[n] != buf[n - 1]) bad++; memcpy(buf, buf + got - keep, keep); sh->r[0] = (sh->r[0] == -999 ? 0 : sh->r[0]) + got - keep; got = keep; } }
  for (long n = 1; n < got; n++) if (n % 300 && buf[n] != buf[n - 1]) bad++;
  T(sh->r[0] + got); T(bad); for (i = 0; i < 4; i++) joins(writers[i]);
  fresh(); CHILD(sh->r[0] = S(splice, p[0], 0, q[1], 0, 100, 0)); S(write, p[1], "abc", 3); joins(child); T(sh->r[0]); T(S(read, q[0], buf, 9));
  fresh(); CHILD(sh->r[0] = S(tee, p[0], q[1], 100, 0)); S(write, p[1], "abcd", 4); joins(child); T(sh->r[0]); T(S(read, q[0], buf, 9));
  fresh(); S(write, p[1], big, 65536); CHILD(sh->r[0] = S(fcntl, p[0], 1032); sh->r[1] = S(write, p[1], "x", 1)); S(fcntl, p[0], 1031, 131072); joins(child); T(sh->r[0]); T(sh->r[1]);
  title("vmsplice and fork");
  fresh(); u8 *page = (u8 *)S(mmap, 0, 4096, 3, 0x22, -1, 0); memset(page, 1, 4096);
  child = fork(); if (child == 0) { struct iovec v = {page, 4096}; sh->r[0] = S(vmsplice, p[1], &v, 1, 0); S(munmap, page, 4096); S(write, q[1], "x", 1); ms(20); sh->r[1] = S(read, p[0], buf, 4096); sh->r[2] = buf[0]; sh->r[3] = buf[4095]; quit(0); }
  S(read, q[0], buf, 1); memset(page, 2, 4096); joins(child); T(sh->r[0]); T(sh->r[1]); T(sh->r[2]); T(sh->r[3]);
  fresh(); struct iovec v = {page, 4096}; memset(page, 3, 4096); T(S(vmsplice, p[1], &v, 1, 0)); child = fork(); if (child == 0) { memset(page, 4, 4096); quit(0); } joins(child); T(page[9]); S(read, p[0], buf, 4096); T(buf[9]);
}

static void epolls(void) {
  title("epoll");
  fresh(); int e = S(epoll_create1, 0); ctl(e, ADD, p[0], IN, 77); CHILD(sh->r[0] = waits(e, -1)); S(write, p[1], "a", 1); joins(child); T(sh->r[0]); T(sh->ev[0].data); T(sh->ev[0].events);
  fresh(); e = S(epoll_create1, 0); ctl(e, ADD, p[0], IN | ET, 1); for (i = 0; i < 2; i++) { child = fork(); if (child == 0) { sh->r[i] = S(epoll_wait, e, buf, 4, 300); quit(0); } } ms(20); S(write, p[1], "a", 1); joins(-1); joins(-1); T(sh->r[0] + sh->r[1]);
  fresh(); e = S(epoll_create1, 0); ctl(e, ADD, p[0], IN, 1); for (i = 0; i < 2; i++) { child = fork(); if (child == 0) { sh->r[i] = S(epoll_wait, e, buf, 4, 300); quit(0); } } ms(20); S(write, p[1], "a", 1); joins(-1); joins(-1); T(sh->r[0] + sh->r[1]);
  for (int kind = 0; kind < 2; kind++) { fresh(); for (i = 0; i < 3; i++) { child = fork(); if (child == 0) { e = S(epoll_create1, 0); ctl(e, ADD, p[0], IN | (kind ? EXCLUSIVE : 0), 1); sh->r[i] = S(epoll_wait, e, buf, 4, 200); quit(0); } } ms(30); S(write, p[1], "a", 1); joins(-1); joins(-1); joins(-1); T(sh->r[0] + sh->r[1] + sh->r[2]); }
  fresh(); e = S(epoll_create1, 0); ctl(e, ADD, p[0], IN, 5); CHILD(S(close, p[0]); S(write, p[1], "a", 1)); joins(child); T(waits(e, 0));
  fresh(); e = S(epoll_create1, 0); ctl(e, ADD, p[0], IN, 6); CHILD(ms(20); S(write, p[1], "a", 1); ms(20)); S(close, p[0]); S(close, p[1]); T(waits(e, 1000)); T(sh->ev[0].data); joins(child); T(waits(e, 0));
  fresh(); e = S(epoll_create1, 0); CHILD(ctl(e, ADD, p[0], IN, 8)); T(ctl(e, ADD, p[0], IN, 9)); S(write, p[1], "a", 1); T(waits(e, 0)); T(sh->ev[0].data); joins(child);
  fresh(); e = S(epoll_create1, 0); int outer = S(epoll_create1, 0); ctl(outer, ADD, e, IN | ET, 3); ctl(e, ADD, p[0], IN, 4); CHILD(sh->r[0] = waits(outer, 1000)); S(write, p[1], "a", 1); joins(child); T(sh->r[0]); T(sh->ev[0].data);
}

static struct pollfd pf[2];
static void waitThread(void) { sh->r[0] = waits(ep, 1000); done = 1; }
static void pollThread(void) { sh->r[0] = S(poll, pf, 2, 1000); done = 1; }
static void timerThread(void) { sh->r[0] = S(read, tfd, &sh->word, 8); done = 1; }
static void sigThread(void) { struct pollfd one = {tfd, IN, 0}; sh->r[0] = S(poll, &one, 1, 1000); sh->r[1] = S(read, tfd, buf, 128); done = 1; }
static void threads(void) {
  title("threads");
  fresh(); ep = S(epoll_create1, 0); S(write, p[1], "a", 1); thread(0, waitThread); T(ctl(ep, ADD, p[0], IN, 12)); await(); T(sh->r[0]); T(sh->ev[0].data);
  fresh(); ep = S(epoll_create1, 0); ctl(ep, ADD, p[1], IN, 1); thread(0, waitThread); T(ctl(ep, MOD, p[1], OUT, 13)); await(); T(sh->r[0]); T(sh->ev[0].data);
  fresh(); pf[0].fd = p[0]; pf[1].fd = q[0]; pf[0].events = pf[1].events = IN; thread(1, pollThread); S(write, q[1], "a", 1); await(); T(sh->r[0]); T(pf[0].revents); T(pf[1].revents);
  fresh(); pf[0].fd = p[0]; pf[1].fd = q[1]; pf[1].events = 0; thread(1, pollThread); S(close, q[0]); await(); T(sh->r[0]); T(pf[1].revents);
  fresh(); tfd = S(timerfd_create, 1, 0); thread(2, timerThread); struct { i64 a, b, c, d; } its = {0, 0, 0, 3000000}; S(timerfd_settime, tfd, 0, &its, 0); await(); T(sh->r[0]); T(sh->word);
  fresh(); tfd = S(eventfd2, 0, 0); thread(2, timerThread); val = 9; S(write, tfd, &val, 8); await(); T(sh->r[0]); T(sh->word);
  u64 set = B(10) | B(12); mask(0, set); fresh(); tfd = S(signalfd4, -1, &set, 8, 0); thread(3, sigThread); S(kill, self(), 12); await(); T(sh->r[0]); T(sh->r[1]); T(buf[0]); mask(2, 0);
}

static void handler(int n) { sh->r[8] = n; }
static void signals(void) {
  title("signals");
  u64 set = B(10) | B(17); mask(0, set);
  fresh(); int s = S(signalfd4, -1, &set, 8, 0); child = fork(); if (child == 0) quit(7); struct pollfd one = {s, IN, 0}; T(S(poll, &one, 1, 1000)); T(S(read, s, buf, 128)); T(*(u32 *)buf); T(*(i32 *)(buf + 8)); T(*(i32 *)(buf + 12) == child); T(*(i32 *)(buf + 40)); joins(child);
  fresh(); s = S(signalfd4, -1, &set, 8, 0); CHILD(S(read, s, buf, 128); sh->r[0] = buf[0]; sh->r[1] = *(i32 *)(buf + 12) == (int)S(getppid)); S(kill, child, 10); one.fd = s; T(S(poll, &one, 1, 0)); joins(child); T(sh->r[0]); T(sh->r[1]); S(read, s, buf, 128);
  fresh(); s = S(signalfd4, -1, &set, 8, 0); int e = S(epoll_create1, 0); ctl(e, ADD, s, IN, 3); CHILD(sh->r[0] = waits(e, 60); ctl(e, MOD, s, IN, 4); sh->r[1] = waits(e, 0)); S(kill, child, 10); joins(child); T(sh->r[0]); T(sh->r[1]); T(waits(e, 0)); S(read, s, buf, 128);
  mask(2, 0);
  title("interrupted");
  one.fd = p[0];
  for (int flags = 0; flags < 2; flags++) {
    fresh(); one.fd = p[0]; CHILD(act(10, handler, flags ? SA_RESTART : 0, 0); sh->r[0] = S(poll, &one, 1, -1)); S(kill, child, 10); joins(child); T(sh->r[0]); T(sh->r[8]);
    fresh(); e = S(epoll_create1, 0); CHILD(act(10, handler, flags ? SA_RESTART : 0, 0); sh->r[0] = waits(e, -1)); S(kill, child, 10); joins(child); T(sh->r[0]); T(sh->r[8]);
    fresh(); CHILD(act(10, handler, flags ? SA_RESTART : 0, 0); sh->r[0] = S(read, p[0], buf, 1)); S(kill, child, 10); ms(5); S(write, p[1], "a", 1); joins(child); T(sh->r[0]); T(sh->r[8]);
    fresh(); CHILD(act(10, handler, flags ? SA_RESTART : 0, 0); sh->r[0] = S(write, p[1], big, 70000)); S(kill, child, 10); ms(5); S(read, p[0], buf, 65536); joins(child); T(sh->r[0]); T(sh->r[8]);
  }
  fresh(); one.fd = p[0]; CHILD(sh->r[0] = S(poll, &one, 1, 60)); S(kill, child, 19); ms(5); S(kill, child, 18); joins(child); T(sh->r[0]);
  fresh(); e = S(epoll_create1, 0); CHILD(sh->r[0] = waits(e, 60)); S(kill, child, 19); ms(5); S(kill, child, 18); joins(child); T(sh->r[0]);
  fresh(); CHILD(sh->r[0] = S(read, p[0], buf, 1)); S(kill, child, 19); ms(5); S(kill, child, 18); ms(5); S(write, p[1], "ab", 2); joins(child); T(sh->r[0]);
  fresh(); one.fd = p[0]; CHILD(sh->r[0] = S(poll, &one, 1, -1)); S(kill, child, 19); ms(5); S(write, p[1], "a", 1); ms(5); S(kill, child, 18); joins(child); T(sh->r[0]);
}

static void counters(void) {
  title("eventfd");
  fresh(); int f = S(eventfd2, 0, 0); CHILD(sh->r[0] = S(read, f, &sh->word, 8)); val = 5; S(write, f, &val, 8); joins(child); T(sh->r[0]); T(sh->word);
  fresh(); f = S(eventfd2, 0, 0); val = -2; S(write, f, &val, 8); CHILD(val = 3; sh->r[0] = S(write, f, &val, 8)); T(S(read, f, &val, 8)); joins(child); T(sh->r[0]); T(S(read, f, &val, 8)); T(val);
  fresh(); f = S(eventfd2, 0, 1); for (i = 0; i < 2; i++) { child = fork(); if (child == 0) { sh->r[i] = S(read, f, buf, 8); quit(0); } } ms(10); val = 2; S(write, f, &val, 8); joins(-1); joins(-1); T(sh->r[0] + sh->r[1]);
}

static void pidfds(void) {
  title("pidfd");
  u8 info[128];
  fresh(); CHILD(S(pause)); 
  T(S(pidfd_open, 0, 0)); T(S(pidfd_open, -1, 0)); T(S(pidfd_open, child, 1)); T(S(pidfd_open, 1 << 21, 0));
  int f = S(pidfd_open, child, 0), n = S(pidfd_open, child, NONBLOCK), e = S(epoll_create1, 0); T(f); T(S(fcntl, f, 1)); T(S(fcntl, f, 3)); T(S(fcntl, n, 3)); T(S(read, f, buf, 8)); T(S(lseek, f, 0, 0));
  struct pollfd one = {f, IN | OUT, 0}; T(S(poll, &one, 1, 0)); ctl(e, ADD, f, IN | ET, 1);
  T(S(pidfd_send_signal, f, 0, 0, 8)); T(S(pidfd_send_signal, f, 0, 0, 3)); T(S(pidfd_send_signal, p[0], 0, 0, 0)); T(S(pidfd_send_signal, 99, 0, 0, 0)); T(S(pidfd_send_signal, f, 65, 0, 0)); T(S(pidfd_send_signal, f, 0, 0, 0)); T(S(pidfd_send_signal, f, 0, 0x10, 0)); memset(info, 0, 128); T(S(pidfd_send_signal, f, 10, info, 0)); *(i32 *)info = 10; T(S(pidfd_send_signal, f, 10, info, 0));
  T(S(waitid, 3, n, info, 4, 0)); T(S(waitid, 3, p[0], info, 4, 0)); T(S(waitid, 3, 99, info, 4, 0)); T(S(waitid, 3, f, info, 4 | 1, 0));
  T(S(pidfd_getfd, f, p[1], 1)); T(S(pidfd_getfd, f, 99, 0)); T(S(pidfd_getfd, p[0], p[1], 0)); int copy = S(pidfd_getfd, f, p[1], 0); T(S(write, copy, "abc", 3)); T(S(read, p[0], buf, 9)); T(S(fcntl, copy, 1));
  *(i32 *)info = 15; *(i32 *)(info + 8) = -1; T(S(pidfd_send_signal, f, 15, info, 0)); T(S(poll, &one, 1, 1000)); T(one.revents); T(waits(e, 0)); T(S(pidfd_send_signal, f, 9, 0, 0));
  memset(info, 0, 128); T(S(waitid, 3, f, info, 4, 0)); T(*(i32 *)(info + 8)); T(*(i32 *)(info + 24)); T(*(i32 *)(info + 16) == child); T(S(poll, &one, 1, 0)); T(one.revents); T(S(pidfd_send_signal, f, 9, 0, 0)); T(S(waitid, 3, f, info, 4, 0)); T(S(pidfd_getfd, f, p[1], 0)); T(S(pidfd_open, child, 0));
  fresh(); int made = -1; child = S(clone, 0x1000 | 17, 0, &made); if (child == 0) { S(pause); quit(0); } T(made); T(S(pidfd_send_signal, made, 9, 0, 0)); joins(child); T(status);
  T(S(clone, 0x1000 | 0x100000 | 17, 0, &made)); T(S(clone, 0x1000 | 0x400000 | 17, 0, &made)); T(S(clone, 0x1000 | 17, 0, 0x10));
  T(S(pidfd_send_signal, -10000, 0, 0, 0)); T(S(pidfd_send_signal, -10001, 0, 0, 0)); T(S(pidfd_send_signal, -10002, 0, 0, 0));
}

int main_(long *sp) {
  (void)sp;
  closeall();
  sh = (void *)S(mmap, 0, 4096, 3, 0x21, -1, 0);
  pipes(); epolls(); threads(); signals(); counters(); pidfds();
  return 0;
}
