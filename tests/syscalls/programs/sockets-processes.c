/* Sockets between processes: run in an empty directory of a tmpfs and a network namespace with lo up, as root. */
#include "sockets.h"

static struct sockaddr_un un = {AF_UNIX, "\0talk"};
static struct sockaddr_in in = {AF_INET, 0x5a1b, {0x0100007f}};
static long forked(void) { flush(); return S0(fork); }
static void quit(long code) { flush(); S1(exit_group, code); }
static void nap(long ms) { struct { long s, n; } t = {0, ms * 1000000}; S2(nanosleep, &t, 0); }
static void reap(long pid) { int status = -1; S4(wait4, pid, &status, 0, 0); show("child", status); }
static unsigned char pattern(long i) { return i * 7 + (i >> 9); }

static void flow(int type, const char *name) {
  title(name);
  pairof(type);
  long pid = forked(), total = 1 << 20, unit = type == SOCK_STREAM ? 50000 : 1000;
  if (pid == 0) {
    S1(close, pair[0]);
    long sum = 0, bad = 0, n;
    while ((n = S3(read, pair[1], buf, 3333)) > 0) { for (long i = 0; i < n; i++) if ((unsigned char)buf[i] != pattern(type == SOCK_STREAM ? sum + i : (sum + i) % 1000)) bad++; sum += n; }
    show("read to the end", n); show("bytes", sum); show("wrong", bad);
    quit(7);
  }
  S1(close, pair[1]);
  long done = 0;
  static char data[50000];
  while (done < total) {
    long n = total - done < unit ? total - done : unit;
    for (long i = 0; i < n; i++) data[i] = pattern(type == SOCK_STREAM ? done + i : i);
    if (S3(write, pair[0], data, n) != n) { T(done); break; }
    done += n;
  }
  S1(close, pair[0]);
  reap(pid);
  flush();
}

static void service(int family, void *address, int length, const char *name) {
  title(name);
  int l = S3(socket, family, SOCK_STREAM, 0), n = 0;
  setint(l, SOL_SOCKET, SO_REUSEADDR, 1);
  T(S3(bind, l, address, length)); T(S2(listen, l, 1));
  long pid = forked();
  if (pid == 0) {
    S1(close, l);
    for (int i = 0; i < 4; i++) {
      int c = S3(socket, family, SOCK_STREAM, 0);
      long r = S3(connect, c, address, length);
      if (r) show("connect", r);
      char word[8] = "word 0"; word[5] += i;
      S3(write, c, word, 6); S2(shutdown, c, SHUT_WR);
      long got = S6(recvfrom, c, buf, 100, MSG_WAITALL, 0, 0);
      showbytes("reply", got, buf);
      S1(close, c);
    }
    quit(0);
  }
  nap(20);
  for (int i = 0; i < 4; i++) {
    int s = S3(accept, l, 0, 0);
    struct ucred u; unsigned k = sizeof u;
    if (family == AF_UNIX) { S5(getsockopt, s, SOL_SOCKET, SO_PEERCRED, &u, &k); T(u.pid == pid); }
    char in[16]; long got, sum = 0;
    while ((got = S3(read, s, in + sum, 16)) > 0) sum += got;
    S3(write, s, in, 3); nap(2); S3(write, s, in + 3, sum - 3);
    S1(close, s);
  }
  reap(pid);
  S1(close, l);
  flush();
}

static void passing(void) {
  title("passing");
  pairof(SOCK_STREAM);
  long pid = forked();
  static char control[64]; struct cmsghdr *c = (void *)control; struct iovec v = {buf, 10}; struct msghdr m = {0};
  m.msg_iov = &v; m.msg_iovlen = 1; m.msg_control = control; m.msg_controllen = CMSG_SPACE(4);
  if (pid == 0) {
    S1(close, pair[0]);
    T(S3(recvmsg, pair[1], &m, 0));
    int got = *(int *)CMSG_DATA(c);
    T(S3(write, got, "from the child", 14));
    quit(3);
  }
  int q[2]; S2(pipe2, q, 0);
  c->cmsg_level = SOL_SOCKET; c->cmsg_type = SCM_RIGHTS; c->cmsg_len = CMSG_LEN(4); *(int *)CMSG_DATA(c) = q[1];
  v.iov_len = 1;
  T(S3(sendmsg, pair[0], &m, 0)); S1(close, q[1]);
  reap(pid);
  B(S3(read, q[0], buf, 100)); T(S3(read, q[0], buf, 100));
  closeall(); flush();
}

static volatile int alarms;
static void onalarm(int n) { alarms++; }
static void waking(void) {
  title("waking");
  pairof(SOCK_STREAM);
  long pid = forked();
  if (pid == 0) { S1(close, pair[0]); nap(10); S3(write, pair[1], "x", 1); nap(10); quit(0); }
  S1(close, pair[1]);
  struct pollfd p = {pair[0], POLLIN | POLLRDHUP, 0};
  T(S3(poll, &p, 1, -1)); T(p.revents); B(S3(read, pair[0], buf, 10)); T(S3(poll, &p, 1, -1)); T(p.revents); T(S3(read, pair[0], buf, 10));
  reap(pid); T(S3(write, pair[0], "x", 1)); T(pipes);
  closeall();
  pairof(SOCK_STREAM);
  struct { void *handler; unsigned long flags; void *restorer; unsigned long mask; } a = {onalarm, 0x04000000, restore, 0};
  S4(rt_sigaction, SIGALRM, &a, 0, 8);
  struct itimerval t = {{0, 0}, {0, 20000}};
  S3(setitimer, ITIMER_REAL, &t, 0); T(S3(read, pair[0], buf, 10)); T(alarms);
  S3(setitimer, ITIMER_REAL, &t, 0); T(S3(write, pair[0], buf, 400000)); T(alarms);
  S3(write, pair[1], "abc", 3); S3(setitimer, ITIMER_REAL, &t, 0); T(S6(recvfrom, pair[0], buf, 10, MSG_WAITALL, 0, 0)); T(alarms);
  a.flags |= 0x10000000; S4(rt_sigaction, SIGALRM, &a, 0, 8);
  pid = forked();
  if (pid == 0) { nap(60); S3(write, pair[1], "late", 4); quit(0); }
  S3(setitimer, ITIMER_REAL, &t, 0); B(S3(read, pair[0], buf, 10)); T(alarms);
  struct timeval limit = {1, 0}; S5(setsockopt, pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, 16);
  S3(setitimer, ITIMER_REAL, &t, 0); T(S3(read, pair[0], buf, 10)); T(alarms);
  reap(pid);
  closeall(); flush();
}

static void datagrams(void) {
  title("datagrams");
  int r = S3(socket, AF_UNIX, SOCK_DGRAM, 0);
  T(S3(bind, r, &un, 7));
  long pid = forked();
  if (pid == 0) {
    int s = S3(socket, AF_UNIX, SOCK_DGRAM, 0);
    long sent = 0;
    for (int i = 0; i < 40; i++) { buf[0] = i; if (S6(sendto, s, buf, 1, 0, &un, 7) == 1) sent++; }
    T(sent); quit(0);
  }
  nap(30);
  long ordered = 0;
  for (int i = 0; i < 40; i++) if (S3(read, r, buf, 10) == 1 && buf[0] == i) ordered++;
  reap(pid); T(ordered);
  closeall(); flush();
}

void _start(void) {
  __asm__ volatile("and $-16, %rsp");
  catchpipe();
  flow(SOCK_STREAM, "stream");
  flow(SOCK_SEQPACKET, "packets");
  service(AF_UNIX, &un, 7, "unix service");
  service(AF_INET, &in, sizeof in, "tcp service");
  passing();
  waking();
  datagrams();
  S1(exit_group, 0);
}
