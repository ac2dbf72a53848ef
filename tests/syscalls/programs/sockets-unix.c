/* Unix sockets in one process: run in an empty directory of a tmpfs, as root, umask 022. */
#include "sockets.h"

static struct sockaddr_un un;
static int unlength;
static struct sockaddr *path(const char *s) {
  memset(&un, 0, sizeof un);
  un.sun_family = AF_UNIX;
  int n = 0;
  while (s[n]) un.sun_path[n] = s[n], n++;
  unlength = 2 + n + 1;
  return (struct sockaddr *)&un;
}
static struct sockaddr *abstractname(const char *s) {
  path("x");
  un.sun_path[0] = 0;
  int n = 0;
  while (s[n]) un.sun_path[n + 1] = s[n], n++;
  unlength = 2 + 1 + n;
  return (struct sockaddr *)&un;
}
static long BIND(int fd, struct sockaddr *a) { return S3(bind, fd, a, unlength); }
static long CONNECT(int fd, struct sockaddr *a) { return S3(connect, fd, a, unlength); }
static long SENDTO(int fd, const char *s, long n, int flags, struct sockaddr *a) { return S6(sendto, fd, s, n, flags, a, unlength); }

static void shownname(const char *what, long call, int fd) {
  struct sockaddr_un a;
  unsigned n = sizeof a;
  memset(&a, '#', sizeof a);
  long r = sys(call, fd, ARG(&a), ARG(&n), 0, 0, 0);
  text(what); text(" = "); number(r);
  if (r == 0) { text(" length "); number(n); text(" family "); number(a.sun_family); text(" "); if (n > 2) bytes(a.sun_path, n - 2); }
  text("\n");
}
#define NAME(fd) shownname("name " #fd, __NR_getsockname, fd)
#define PEER(fd) shownname("peer " #fd, __NR_getpeername, fd)

static void making(void) {
  title("making");
  T(S3(socket, AF_UNIX, SOCK_STREAM, 0));
  T(S3(socket, AF_UNIX, SOCK_DGRAM, 1));
  T(S3(socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  T(S2(fcntl, 5, F_GETFL));
  T(S2(fcntl, 5, F_GETFD));
  T(S2(fcntl, 3, F_GETFL));
  T(S3(socket, AF_UNIX, SOCK_RAW, 0));
  T(opt(6, SOL_SOCKET, SO_TYPE));
  T(S3(socket, AF_UNIX, SOCK_STREAM, 2));
  T(S3(socket, AF_UNIX, SOCK_RDM, 0));
  T(S3(socket, AF_UNIX, 0, 0));
  T(S3(socket, AF_UNIX, 10, 0));
  T(S3(socket, AF_UNIX, 11, 0));
  T(S3(socket, AF_UNIX, 0x101, 0));
  T(S3(socket, 45, 1, 0));
  T(S3(socket, 46, 1, 0));
  T(S3(socket, -1, 1, 0));
  T(S3(socket, 0, 1, 0));
  T(S4(socketpair, AF_UNIX, SOCK_STREAM, 0, bad));
  T(S4(socketpair, 99, SOCK_STREAM, 0, pair));
  T(S4(socketpair, AF_UNIX, SOCK_STREAM, 7, pair));
  T(S4(socketpair, AF_UNIX, 6, 0, pair));
  T(S4(socketpair, AF_UNIX, SOCK_STREAM | 0x80000000, 0, pair));
  T(pairof(SOCK_SEQPACKET | SOCK_CLOEXEC));
  T(pair[0]); T(pair[1]);
  T(S2(fcntl, pair[1], F_GETFD));
  struct stat st;
  T(S2(fstat, 3, &st));
  T(st.st_mode); T(st.st_nlink); T(st.st_size); T(st.st_uid); T(st.st_blksize);
  char link[64];
  long n = S3(readlink, "/proc/self/fd/3", link, 63);
  link[n] = 0;
  text(link[0] == 's' && link[7] == '[' && link[n - 1] == ']' ? "socket link\n" : "bad link\n");
  T(S3(open, "/proc/self/fd/3", O_RDWR, 0));
  T(S3(lseek, 3, 0, 0));
  T(S4(pread64, 3, buf, 1, 0));
  T(S6(mmap, 0, 4096, 1, 2, 3, 0));
  T(S1(fsync, 3));
  T(S2(ftruncate, 3, 0));
  T(S2(fchmod, 3, 0600));
  T(S2(fstat, 3, &st)); T(st.st_mode);
  T(S2(shutdown, 0, 0));
  T(S2(shutdown, 99, 0));
  T(S2(listen, 0, 0));
  T(S3(bind, 0, buf, 10));
  T(S5(setsockopt, 0, 1, 1, buf, 4));
  T(S3(accept, 0, 0, 0));
  T(S6(sendto, 0, buf, 1, 0, 0, 0));
  T(S3(recvmsg, 0, buf, 0));
  closeall();
  flush();
}

static void options(void) {
  title("options");
  int a = S3(socket, AF_UNIX, SOCK_STREAM, 0);
#define OPT(o) T(opt(a, SOL_SOCKET, o))
  OPT(SO_TYPE); OPT(SO_DOMAIN); OPT(SO_PROTOCOL); OPT(SO_ERROR); OPT(SO_SNDBUF); OPT(SO_RCVBUF); OPT(SO_ACCEPTCONN);
  OPT(SO_REUSEADDR); OPT(SO_KEEPALIVE); OPT(SO_BROADCAST); OPT(SO_DONTROUTE); OPT(SO_OOBINLINE); OPT(SO_PRIORITY);
  OPT(SO_LINGER); OPT(SO_RCVLOWAT); OPT(SO_SNDLOWAT); OPT(SO_PASSCRED); OPT(SO_DEBUG); OPT(SO_MARK); OPT(SO_BINDTODEVICE);
  OPT(SO_REUSEPORT); OPT(9999); OPT(SO_BSDCOMPAT); OPT(SO_NO_CHECK);
#define SET(o, v) T(setint(a, SOL_SOCKET, o, v)); OPT(o)
  SET(SO_SNDBUF, 10000); SET(SO_SNDBUF, 1); SET(SO_SNDBUF, 0); SET(SO_RCVBUF, 50000); SET(SO_RCVBUF, 0); SET(SO_SNDBUFFORCE, 5000);
  SET(SO_REUSEADDR, 7); SET(SO_KEEPALIVE, 1); SET(SO_BROADCAST, 1); SET(SO_OOBINLINE, 1); SET(SO_PRIORITY, 5);
  SET(SO_RCVLOWAT, 10); SET(SO_RCVLOWAT, 0); SET(SO_SNDLOWAT, 10); SET(SO_PASSCRED, 1); SET(SO_MARK, 3); SET(SO_REUSEPORT, 1);
  SET(SO_TYPE, 1); SET(SO_ERROR, 1); SET(SO_ACCEPTCONN, 1); SET(9999, 1); SET(SO_PROTOCOL, 1); SET(SO_BSDCOMPAT, 1);
  int v = 1;
  T(S5(setsockopt, a, SOL_SOCKET, SO_REUSEADDR, &v, 3));
  T(S5(setsockopt, a, SOL_SOCKET, SO_REUSEADDR, &v, -1));
  T(S5(setsockopt, a, SOL_SOCKET, SO_REUSEADDR, bad, 4));
  T(S5(setsockopt, a, 77, SO_REUSEADDR, &v, 4));
  T(S5(setsockopt, a, 6, 1, &v, 4));
  T(opt(a, 6, 1));
  T(opt(a, 77, 1));
  struct linger l = {1, 30};
  T(S5(setsockopt, a, SOL_SOCKET, SO_LINGER, &l, 4));
  T(S5(setsockopt, a, SOL_SOCKET, SO_LINGER, &l, 8));
  unsigned n = 8;
  l.l_onoff = l.l_linger = 0;
  T(S5(getsockopt, a, SOL_SOCKET, SO_LINGER, &l, &n)); T(l.l_onoff); T(l.l_linger); T(n);
  n = 2; v = 0;
  T(S5(getsockopt, a, SOL_SOCKET, SO_TYPE, &v, &n)); T(n); T(v);
  n = -1;
  T(S5(getsockopt, a, SOL_SOCKET, SO_TYPE, &v, &n));
  n = 4;
  T(S5(getsockopt, a, SOL_SOCKET, SO_TYPE, bad, &n));
  T(S5(getsockopt, a, SOL_SOCKET, SO_TYPE, &v, bad));
  T(S5(getsockopt, 0, SOL_SOCKET, SO_TYPE, &v, &n));
  T(S5(getsockopt, 99, SOL_SOCKET, SO_TYPE, &v, &n));
  struct timeval t = {3, 250000};
  T(S5(setsockopt, a, SOL_SOCKET, SO_RCVTIMEO, &t, 8));
  T(S5(setsockopt, a, SOL_SOCKET, SO_RCVTIMEO, &t, 16));
  t.tv_sec = t.tv_usec = 0; n = 16;
  T(S5(getsockopt, a, SOL_SOCKET, SO_RCVTIMEO, &t, &n)); T(t.tv_sec); T(t.tv_usec); T(n);
  T(S5(getsockopt, a, SOL_SOCKET, SO_SNDTIMEO, &t, &n)); T(t.tv_sec); T(t.tv_usec);
  t.tv_usec = 1000000;
  T(S5(setsockopt, a, SOL_SOCKET, SO_SNDTIMEO, &t, 16));
  t.tv_usec = -1;
  T(S5(setsockopt, a, SOL_SOCKET, SO_SNDTIMEO, &t, 16));
  struct ucred c = {5, 5, 5};
  n = sizeof c;
  T(S5(getsockopt, a, SOL_SOCKET, SO_PEERCRED, &c, &n)); T(c.pid); T(c.uid); T(c.gid); T(n);
  T(setint(a, SOL_SOCKET, SO_PEERCRED, 1));
  T(opt(a, SOL_SOCKET, SO_PEERSEC));
  T(S5(setsockopt, a, SOL_SOCKET, SO_BINDTODEVICE, "nope", 5));
  flush();
  pairof(SOCK_STREAM);
  T(S5(getsockopt, pair[0], SOL_SOCKET, SO_PEERCRED, &c, &n)); T(c.pid == S0(getpid)); T(c.uid); T(c.gid);
  T(queued(pair[0], FIONREAD)); T(queued(pair[0], SIOCOUTQ)); T(queued(a, FIONREAD)); T(queued(a, 0x9999)); T(queued(a, 0x5401));
  T(S3(ioctl, a, FIONREAD, bad));
  v = 1;
  T(S3(ioctl, a, FIONBIO, &v)); T(S2(fcntl, a, F_GETFL));
  closeall();
  flush();
}

static void binding(void) {
  title("binding");
  int a = S3(socket, AF_UNIX, SOCK_STREAM, 0), b = S3(socket, AF_UNIX, SOCK_STREAM, 0), d = S3(socket, AF_UNIX, SOCK_DGRAM, 0);
  struct stat st;
  NAME(a); PEER(a);
  T(S3(bind, a, bad, 20));
  T(S3(bind, a, path("s"), -1));
  T(S3(bind, a, path("s"), 200));
  T(S3(bind, a, path("s"), 129));
  T(S3(bind, a, path("s"), 111));
  T(S3(bind, a, path("s"), 1));
  T(S3(bind, a, path("s"), 0));
  un.sun_family = AF_INET;
  T(S3(bind, a, &un, 20));
  T(BIND(a, path("no/such")));
  T(BIND(a, path("s")));
  NAME(a);
  T(S2(lstat, "s", &st)); T(st.st_mode); T(st.st_size);
  T(BIND(b, path("s")));
  T(BIND(a, path("s")));
  T(BIND(a, path("s2")));
  T(S2(lstat, "s2", &st));
  T(BIND(a, abstractname("q")));
  T(S3(bind, a, path("s"), 2));
  NAME(a);
  T(S3(open, "s", O_RDWR, 0));
  T(S3(open, "s", O_PATH, 0));
  T(S3(bind, b, path("sx"), 3));
  NAME(b);
  T(S1(unlink, "s"));
  T(S1(close, b));
  b = S3(socket, AF_UNIX, SOCK_STREAM, 0);
  T(BIND(b, path("s")));
  NAME(b); NAME(a);
  T(BIND(d, abstractname("name")));
  NAME(d);
  int e = S3(socket, AF_UNIX, SOCK_DGRAM, 0), f = S3(socket, AF_UNIX, SOCK_STREAM, 0);
  T(BIND(e, abstractname("name")));
  T(BIND(f, abstractname("name")));
  NAME(f);
  T(S1(close, d));
  T(BIND(e, abstractname("name")));
  int g = S3(socket, AF_UNIX, SOCK_DGRAM, 0);
  T(S3(bind, g, path(""), 2));
  struct sockaddr_un u; unsigned n = sizeof u;
  T(S3(getsockname, g, &u, &n)); T(n); T(u.sun_path[0]);
  T(S3(bind, g, path(""), 2));
  n = 4;
  memset(&u, '#', sizeof u);
  T(S3(getsockname, e, &u, &n)); T(n); bytes((char *)&u, 6); text("\n");
  n = 0; T(S3(getsockname, e, bad, &n)); T(n);
  n = 4; T(S3(getsockname, e, bad, &n));
  n = -1; T(S3(getsockname, e, &u, &n));
  T(S3(getsockname, e, &u, bad));
  /* a name that fills sun_path whole */
  int h = S3(socket, AF_UNIX, SOCK_STREAM, 0);
  memset(&un, 'L', sizeof un); un.sun_family = AF_UNIX;
  T(S3(bind, h, &un, 110));
  NAME(h);
  T(S2(symlink, "target", "link"));
  int i = S3(socket, AF_UNIX, SOCK_STREAM, 0);
  T(BIND(i, path("link")));
  T(S2(mkdir, "dir", 0755));
  T(BIND(i, path("dir")));
  T(BIND(i, path("dir/")));
  T(BIND(i, path("new/")));
  T(BIND(i, path(".")));
  T(BIND(i, path("/")));
  T(S1(umask, 077));
  T(BIND(i, path("dir/s")));
  T(S2(stat, "dir/s", &st)); T(st.st_mode);
  T(S1(umask, 022));
  closeall();
  flush();
}

static void connecting(void) {
  title("connecting");
  int l = S3(socket, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), c = S3(socket, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  T(S2(listen, l, 5));
  T(polled(l));
  T(CONNECT(c, path("listener")));
  T(BIND(l, path("listener")));
  T(CONNECT(c, path("listener")));
  T(S3(accept, l, 0, 0));
  T(S2(listen, l, 1));
  T(opt(l, SOL_SOCKET, SO_ACCEPTCONN));
  T(S3(accept, l, 0, 0));
  T(polled(l)); T(polled(c));
  T(queued(l, FIONREAD)); T(queued(l, SIOCOUTQ));
  T(CONNECT(l, path("listener")));
  T(CONNECT(c, path("listener")));
  NAME(c); PEER(c);
  T(polled(l)); T(polled(c));
  T(S3(write, c, "early", 5));
  T(CONNECT(c, path("listener")));
  T(CONNECT(c, path("missing")));
  T(S2(listen, c, 1));
  int c2 = S3(socket, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), c3 = S3(socket, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  T(CONNECT(c2, path("listener")));
  T(CONNECT(c3, path("listener")));
  struct sockaddr_un a; unsigned n = sizeof a;
  int s = T(S4(accept4, l, &a, &n, SOCK_CLOEXEC));
  T(n); T(a.sun_family);
  T(S2(fcntl, s, F_GETFD)); T(S2(fcntl, s, F_GETFL));
  NAME(s); PEER(s); PEER(c);
  T(queued(s, FIONREAD));
  B(S3(read, s, buf, 100));
  T(S6(recvfrom, s, buf, 100, MSG_DONTWAIT, 0, 0));
  T(CONNECT(c3, path("listener")));
  T(S4(accept4, l, 0, 0, 1));
  n = sizeof a;
  T(S3(accept, l, bad, &n));
  T(polled(c2));
  T(S3(accept, l, &a, bad));
  T(S3(accept, l, 0, 0));
  flush();
  /* a bound client */
  int b = S3(socket, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  T(BIND(b, abstractname("client")));
  T(CONNECT(b, path("listener")));
  n = sizeof a;
  int sb = T(S3(accept, l, &a, &n)); T(n); bytes(a.sun_path, n - 2); text("\n");
  T(S3(write, b, "named", 5));
  n = sizeof a; memset(&a, 0, sizeof a);
  B(S6(recvfrom, sb, buf, 100, MSG_DONTWAIT, &a, &n)); T(n); bytes(a.sun_path, n - 2); text("\n");
  T(S3(write, sb, "reply", 5));
  n = sizeof a;
  B(S6(recvfrom, b, buf, 100, 0, &a, &n)); T(n);
  T(SENDTO(b, "x", 1, 0, path("listener")));
  int u = S3(socket, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  T(SENDTO(u, "x", 1, MSG_NOSIGNAL, path("listener")));
  T(S6(sendto, u, "x", 1, MSG_NOSIGNAL, 0, 0));
  T(S3(read, u, buf, 1));
  T(S2(shutdown, u, 2)); T(polled(u));
  T(CONNECT(u, path("listener"))); 
  flush();
  /* types that do not fit, files that are no sockets, the listener's end */
  int d = S3(socket, AF_UNIX, SOCK_DGRAM, 0), q = S3(socket, AF_UNIX, SOCK_SEQPACKET, 0);
  T(CONNECT(d, path("listener")));
  T(CONNECT(q, path("listener")));
  T(S2(listen, d, 1)); T(S3(accept, d, 0, 0));
  T(S3(open, "regular", O_CREAT | O_RDWR, 0644));
  int r = S3(socket, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  T(CONNECT(r, path("regular"))); T(CONNECT(r, path("dir"))); T(CONNECT(r, path("regular/x")));
  T(CONNECT(r, abstractname("nobody"))); T(S3(connect, r, path("x"), 2)); T(S3(connect, r, path("x"), 1)); T(S3(connect, r, path("x"), 0));
  un.sun_family = AF_UNSPEC; T(S3(connect, r, &un, 20));
  int c5 = S3(socket, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
  T(CONNECT(c5, path("listener")));
  T(S2(shutdown, l, SHUT_RD));
  T(CONNECT(r, path("listener")));
  T(S3(accept, l, 0, 0)); T(S3(accept, l, 0, 0)); T(S3(accept, l, 0, 0)); T(polled(l));
  T(S2(listen, l, 3));
  T(CONNECT(r, path("listener")));
  T(S1(close, l));
  T(CONNECT(r, path("listener")));
  closeall();
  /* an embryo is reset */
  l = S3(socket, AF_UNIX, SOCK_STREAM, 0); c = S3(socket, AF_UNIX, SOCK_STREAM, 0);
  BIND(l, abstractname("embryo")); S2(listen, l, 3); CONNECT(c, abstractname("embryo"));
  T(S3(write, c, "lost", 4));
  S1(close, l);
  T(polled(c)); T(S3(read, c, buf, 10)); T(S3(read, c, buf, 10)); T(polled(c));
  pipes = 0; T(S3(write, c, "x", 1)); T(pipes);
  closeall();
  flush();
}

static void streams(void) {
  title("streams");
  T(pairof(SOCK_STREAM | SOCK_NONBLOCK));
  int *p = pair;
  NAME(p[0]); PEER(p[0]);
  T(polled(p[0]));
  T(S3(read, p[0], buf, 10));
  T(S3(read, p[0], buf, 0));
  T(S3(write, p[0], "hello ", 6)); T(S3(write, p[0], "world", 5)); T(S3(write, p[0], "", 0));
  T(queued(p[1], FIONREAD)); T(queued(p[0], SIOCOUTQ)); T(polled(p[1])); T(polled(p[0]));
  B(S6(recvfrom, p[1], buf, 8, MSG_PEEK, 0, 0));
  B(S6(recvfrom, p[1], buf, 100, MSG_PEEK, 0, 0));
  B(S3(read, p[1], buf, 3)); B(S3(read, p[1], buf, 100)); T(S3(read, p[1], buf, 100));
  T(S3(write, p[0], bad, 10)); T(S3(write, p[0], "ab", 2)); T(S3(read, p[1], bad, 10)); B(S3(read, p[1], buf, 10));
  struct iovec v[3] = {{"one", 3}, {"", 0}, {"two", 3}}, w[2] = {{buf, 2}, {buf + 2, 50}};
  T(S3(writev, p[0], v, 3)); B(S3(readv, p[1], w, 2));
  flush();
  /* as much as goes in */
  long n, sum = 0, calls = 0;
  while ((n = S3(write, p[0], buf, 1)) == 1) sum++;
  T(n); T(sum); T(queued(p[0], SIOCOUTQ)); T(polled(p[0])); T(polled(p[1]));
  T(S3(read, p[1], buf, 100)); T(polled(p[0])); T(S3(read, p[1], buf, 108)); T(polled(p[0])); T(S3(read, p[1], buf, 1)); T(polled(p[0]));
  T(S3(read, p[1], buf, 1000)); T(polled(p[0])); T(S3(read, p[1], buf, 1000));
  T(S3(write, p[0], buf, 400000)); T(queued(p[0], SIOCOUTQ)); T(S3(write, p[0], buf, 400000)); T(polled(p[0]));
  for (sum = calls = 0; (n = S3(read, p[1], buf, 10000)) > 0; calls++) sum += n;
  T(sum); T(calls); T(polled(p[0]));
  T(setint(p[0], SOL_SOCKET, SO_SNDBUF, 5000));
  for (sum = calls = 0; (n = S3(write, p[0], buf, 3000)) > 0; calls++) sum += n;
  T(n); T(sum); T(calls); T(queued(p[0], SIOCOUTQ));
  for (sum = calls = 0; (n = S3(read, p[1], buf, 100000)) > 0; calls++) sum += n;
  T(sum); T(calls);
  int sizes[] = {1, 192, 193, 704, 705, 1728, 1729, 3776, 3777, 4096, 5000, 8000, 20000, 36544, 36545, 40000};
  setint(p[0], SOL_SOCKET, SO_SNDBUF, 200000);
  for (int i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    T(S3(write, p[0], buf, sizes[i])); T(queued(p[0], SIOCOUTQ));
    S3(read, p[1], buf, 100000);
  }
  flush();
  /* shutdowns */
  T(S2(shutdown, p[0], 3)); T(S2(shutdown, p[0], -1));
  T(S3(write, p[0], "last", 4)); T(S2(shutdown, p[0], SHUT_WR));
  T(polled(p[0])); T(polled(p[1]));
  pipes = 0;
  T(S3(write, p[0], "no", 2)); T(pipes); T(S6(sendto, p[0], "no", 2, MSG_NOSIGNAL, 0, 0)); T(pipes);
  T(S3(write, p[0], "", 0)); T(pipes);
  B(S3(read, p[1], buf, 10)); T(S3(read, p[1], buf, 10)); T(S3(write, p[1], "back", 4)); B(S3(read, p[0], buf, 10));
  T(S2(shutdown, p[1], SHUT_WR)); T(polled(p[0])); T(polled(p[1])); T(S3(read, p[0], buf, 10));
  closepair();
  pairof(SOCK_STREAM | SOCK_NONBLOCK);
  T(S3(write, p[1], "before", 6)); T(S2(shutdown, p[0], SHUT_RD)); T(polled(p[0])); T(polled(p[1]));
  T(S3(write, p[1], "after", 5)); T(pipes); B(S3(read, p[0], buf, 10)); T(S3(read, p[0], buf, 10));
  closepair();
  pairof(SOCK_STREAM | SOCK_NONBLOCK);
  T(S3(write, p[0], "unread", 6)); T(S1(close, p[1])); T(polled(p[0])); T(opt(p[0], SOL_SOCKET, SO_ERROR)); T(opt(p[0], SOL_SOCKET, SO_ERROR)); T(S3(read, p[0], buf, 10)); T(S3(write, p[0], "x", 1));
  T(pipes); PEER(p[0]);
  S1(close, p[0]);
  pairof(SOCK_STREAM | SOCK_NONBLOCK);
  T(S3(write, p[0], "unread", 6)); S1(close, p[1]); T(S3(write, p[0], "x", 1)); T(S3(read, p[0], buf, 10)); T(S3(read, p[0], buf, 10));
  S1(close, p[0]);
  pairof(SOCK_STREAM | SOCK_NONBLOCK);
  T(S3(write, p[0], "read", 4)); S1(close, p[0]); T(polled(p[1])); B(S3(read, p[1], buf, 10)); T(S3(read, p[1], buf, 10)); T(S3(write, p[1], "x", 1)); T(pipes);
  S1(close, p[1]);
  flush();
  /* timeouts */
  pairof(SOCK_STREAM);
  struct timeval t = {0, 20000};
  T(S5(setsockopt, p[0], SOL_SOCKET, SO_RCVTIMEO, &t, 16)); T(S3(read, p[0], buf, 10));
  T(S5(setsockopt, p[0], SOL_SOCKET, SO_SNDTIMEO, &t, 16)); T(S3(write, p[0], buf, 400000)); T(S3(write, p[0], buf, 400000));
  T(S6(recvfrom, p[0], buf, 10, MSG_DONTWAIT, 0, 0));
  T(S3(write, p[1], "abc", 3)); B(S6(recvfrom, p[0], buf, 10, MSG_WAITALL, 0, 0));
  T(setint(p[0], SOL_SOCKET, SO_RCVLOWAT, 5)); T(S3(write, p[1], "abc", 3)); B(S3(read, p[0], buf, 10)); T(polled(p[0]));
  int l = S3(socket, AF_UNIX, SOCK_STREAM, 0), c;
  BIND(l, abstractname("full")); S2(listen, l, 0);
  S5(setsockopt, l, SOL_SOCKET, SO_RCVTIMEO, &t, 16);
  T(S3(accept, l, 0, 0));
  for (int i = 0; i < 3; i++) {
    c = S3(socket, AF_UNIX, SOCK_STREAM, 0);
    S5(setsockopt, c, SOL_SOCKET, SO_SNDTIMEO, &t, 16);
    T(CONNECT(c, abstractname("full")));
  }
  closeall();
  flush();
}

static void datagrams(void) {
  title("datagrams");
  int a = S3(socket, AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0), b = S3(socket, AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  struct sockaddr_un from; unsigned n;
  T(polled(a)); T(S3(write, a, "x", 1)); T(S3(read, a, buf, 1)); T(SENDTO(a, "x", 1, 0, abstractname("b")));
  T(BIND(b, abstractname("b")));
  T(SENDTO(a, "first", 5, 0, abstractname("b"))); T(SENDTO(a, "", 0, 0, abstractname("b"))); T(SENDTO(a, "third one", 9, 0, abstractname("b")));
  T(queued(b, FIONREAD)); T(queued(a, SIOCOUTQ)); T(polled(b));
  n = sizeof from; B(S6(recvfrom, b, buf, 3, MSG_PEEK, &from, &n)); T(n);
  B(S6(recvfrom, b, buf, 3, MSG_PEEK | MSG_TRUNC, 0, 0));
  T(S3(read, b, buf, 0));
  n = sizeof from; B(S6(recvfrom, b, buf, 100, 0, &from, &n)); T(n);
  T(queued(b, FIONREAD)); B(S3(read, b, buf, 100)); B(S6(recvfrom, b, buf, 4, MSG_TRUNC, 0, 0)); T(S3(read, b, buf, 100));
  T(BIND(a, abstractname("a"))); T(SENDTO(a, "named", 5, 0, abstractname("b")));
  n = sizeof from; B(S6(recvfrom, b, buf, 100, 0, &from, &n)); T(n); bytes(from.sun_path, n - 2); text("\n");
  T(SENDTO(a, "x", 1, 0, path("nofile"))); T(S6(sendto, a, "x", 1, 0, path("x"), 1)); T(S6(sendto, a, "x", 1, 0, bad, 20)); T(S6(sendto, a, "x", 1, 0, path("x"), 2));
  T(SENDTO(a, buf, 212960, 0, abstractname("b"))); T(SENDTO(a, buf, 212961, 0, abstractname("b"))); T(SENDTO(a, buf, 400000, 0, abstractname("b")));
  T(queued(a, SIOCOUTQ)); T(polled(a)); T(SENDTO(a, "x", 1, 0, abstractname("b"))); T(S3(read, b, buf, 300000));
  T(SENDTO(a, bad, 10, 0, abstractname("b"))); T(SENDTO(a, "lost", 4, 0, abstractname("b"))); T(S3(read, b, bad, 10)); T(S3(read, b, buf, 10));
  flush();
  long sum = 0, r;
  while ((r = SENDTO(a, "x", 1, 0, abstractname("b"))) == 1) sum++;
  T(r); T(sum); T(polled(a)); T(CONNECT(a, abstractname("b"))); T(polled(a)); T(S3(write, a, "y", 1)); T(S3(read, b, buf, 10)); T(polled(a)); T(S3(write, a, "y", 1)); T(polled(a));
  PEER(a);
  int c = S3(socket, AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  T(CONNECT(b, abstractname("a"))); T(polled(a));
  T(CONNECT(c, abstractname("a"))); T(SENDTO(c, "x", 1, 0, abstractname("a"))); T(S3(write, c, "x", 1));
  T(CONNECT(b, abstractname("b"))); T(S3(read, b, buf, 10)); T(S3(write, b, "self", 4)); B(S3(read, b, buf, 10));
  T(S3(read, a, buf, 10)); T(S3(read, a, buf, 10));
  T(S3(write, a, "x", 1));
  un.sun_family = 0; T(S3(connect, b, &un, 2)); PEER(b); T(S3(write, b, "x", 1)); T(S3(connect, b, &un, 1));
  T(S3(write, a, "z", 1)); T(S1(close, b)); T(polled(a)); T(S3(write, a, "z", 1)); T(S3(write, a, "z", 1)); T(SENDTO(a, "x", 1, 0, abstractname("b")));
  flush();
  closeall();
  T(pairof(SOCK_DGRAM | SOCK_NONBLOCK));
  int *p = pair;
  for (sum = 0; (r = S3(write, p[0], "x", 1)) == 1;) sum++;
  T(r); T(sum); T(polled(p[0])); T(polled(p[1]));
  for (sum = 0; (r = S3(read, p[1], buf, 10)) == 1;) sum++;
  T(r); T(sum);
  int sizes[] = {0, 192, 193, 704, 1728, 1729, 3776, 3777, 7873, 16064, 16065, 20160, 20161, 50000, 81600, 81601, 100000, 102081, 150000};
  for (int i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    T(S3(write, p[0], buf, sizes[i])); T(queued(p[0], SIOCOUTQ));
    S6(recvfrom, p[1], buf, 100000, 0, 0, 0);
  }
  pipes = 0;
  T(S2(shutdown, p[0], SHUT_WR)); T(S3(write, p[0], "x", 1)); T(pipes); T(polled(p[0])); T(polled(p[1])); T(S3(read, p[1], buf, 1));
  T(S2(shutdown, p[1], SHUT_RD)); T(polled(p[1])); T(S3(read, p[1], buf, 1)); T(S3(write, p[0], "x", 1)); T(S2(shutdown, p[0], SHUT_RDWR)); T(polled(p[0]));
  S2(fcntl, p[1], F_GETFL); S3(fcntl, p[1], F_SETFL, 0); T(S3(read, p[1], buf, 1));
  T(S3(write, p[1], "x", 1));
  closepair();
  pairof(SOCK_DGRAM | SOCK_NONBLOCK);
  T(S2(shutdown, p[1], SHUT_RD)); T(S3(write, p[0], "x", 1)); T(pipes); 
  T(S3(write, p[1], "unread", 6)); T(S1(close, p[1])); T(polled(p[0])); B(S3(read, p[0], buf, 10)); T(S3(write, p[0], "x", 1)); T(S3(write, p[0], "x", 1));
  closeall();
  flush();
}

static void packets(void) {
  title("packets");
  T(pairof(SOCK_SEQPACKET | SOCK_NONBLOCK));
  int *p = pair;
  T(polled(p[0])); T(S3(write, p[0], "one", 3)); T(S3(write, p[0], "", 0)); T(S3(write, p[0], "two", 3)); T(queued(p[1], FIONREAD));
  B(S3(read, p[1], buf, 2)); B(S3(read, p[1], buf, 10)); B(S3(read, p[1], buf, 10)); T(S3(read, p[1], buf, 10));
  T(SENDTO(p[0], "x", 1, 0, abstractname("ignored"))); B(S3(read, p[1], buf, 10));
  T(S3(write, p[0], buf, 300000));
  pipes = 0;
  T(S2(shutdown, p[0], SHUT_WR)); T(polled(p[0])); T(polled(p[1])); T(S3(read, p[1], buf, 10)); T(S3(write, p[0], "x", 1)); T(pipes);
  T(S3(write, p[1], "back", 4)); B(S3(read, p[0], buf, 10));
  T(S3(write, p[1], "unread", 6)); T(S1(close, p[0])); T(polled(p[1])); T(S3(read, p[1], buf, 10)); T(S3(write, p[1], "x", 1)); T(pipes);
  S1(close, p[1]);
  int q = S3(socket, AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0), l = S3(socket, AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
  T(S3(read, q, buf, 1)); T(S3(write, q, "x", 1)); T(polled(q));
  BIND(l, abstractname("seq")); T(S2(listen, l, 2)); T(CONNECT(q, abstractname("seq")));
  int s = S3(accept, l, 0, 0);
  T(S3(write, q, "packet", 6)); T(S3(write, q, "more", 4));
  struct iovec v = {buf, 4};
  struct msghdr m = {0};
  m.msg_iov = &v; m.msg_iovlen = 1; m.msg_flags = 0x55;
  B(S3(recvmsg, s, &m, 0)); T(m.msg_flags); B(S3(recvmsg, s, &m, 0)); T(m.msg_flags); T(m.msg_namelen);
  closeall();
  flush();
}

static char control[1024];
static struct msghdr m;
static struct iovec vec;
static void header(void *data, long size, long room) {
  memset(&m, 0, sizeof m);
  vec.iov_base = data; vec.iov_len = size;
  m.msg_iov = &vec; m.msg_iovlen = 1;
  m.msg_control = room ? control : 0; m.msg_controllen = room;
}
static void rights(int *fds, int count) {
  struct cmsghdr *c = (struct cmsghdr *)control;
  c->cmsg_level = SOL_SOCKET; c->cmsg_type = SCM_RIGHTS; c->cmsg_len = CMSG_LEN(4 * count);
  memcpy(CMSG_DATA(c), fds, 4 * count);
  m.msg_control = control; m.msg_controllen = CMSG_SPACE(4 * count);
}
static long sendfds(int fd, const char *s, int size, int *fds, int count) {
  header((void *)s, size, 0);
  rights(fds, count);
  return S3(sendmsg, fd, &m, MSG_NOSIGNAL);
}
static void received(const char *what, int fd, long size, long room, int flags) {
  header(buf, size, room);
  if (room) memset(control, 0xee, sizeof control);
  long r = S3(recvmsg, fd, &m, flags);
  showbytes(what, r, buf);
  text("  flags "); hex(m.msg_flags); text(" control "); number(m.msg_controllen);
  if (r >= 0)
    for (long at = 0; at + 16 <= (long)m.msg_controllen;) {
      struct cmsghdr *c = (struct cmsghdr *)(control + at);
      text(" ["); number(c->cmsg_level); text(" "); number(c->cmsg_type); text(" length "); number(c->cmsg_len);
      int *d = (int *)CMSG_DATA(c);
      for (unsigned i = 0; i < (c->cmsg_len - 16) / 4 && i < 8; i++) { text(" "); if (c->cmsg_type == 2 && i == 0) number(d[0] == S0(getpid) ? 111 : d[0] == 0 ? 0 : -1); else number(d[i]); }
      text("]");
      if (c->cmsg_len < 16) break;
      at += (c->cmsg_len + 7) & ~7ul;
    }
  text("\n");
}
#define R(fd, size, room, flags) received("recvmsg " #fd " " #size " " #room " " #flags, fd, size, room, flags)

static void messages(void) {
  title("messages");
  pairof(SOCK_STREAM | SOCK_NONBLOCK); /* 3, 4 */
  int *p = pair, fds[300];
  int q[2];
  T(S2(pipe2, q, 0)); /* 5, 6 */
  fds[0] = q[0]; fds[1] = q[1];
  T(sendfds(p[0], "with", 4, fds, 2)); T(S1(close, q[0])); T(S3(write, q[1], "through", 7));
  R(p[1], 100, 100, 0);
  B(S3(read, 5, buf, 100));
  T(S2(fcntl, 5, F_GETFD));
  S1(close, 7);
  T(sendfds(p[0], "data", 4, fds, 1)); R(p[1], 100, 100, MSG_CMSG_CLOEXEC); T(S2(fcntl, 7, F_GETFD)); S1(close, 7);
  T(sendfds(p[0], "data", 4, fds, 2)); R(p[1], 2, 20, 0); R(p[1], 10, 100, 0); S1(close, 7);
  T(sendfds(p[0], "data", 4, fds, 2)); R(p[1], 10, 0, 0);
  T(sendfds(p[0], "data", 4, fds, 2)); R(p[1], 10, 16, 0);
  T(sendfds(p[0], "data", 4, fds, 2)); R(p[1], 10, 24, 0); S3(close_range, 7, 20, 0);
  T(sendfds(p[0], "data", 4, fds, 2)); R(p[1], 10, 21, 0); S3(close_range, 7, 20, 0);
  T(sendfds(p[0], "data", 4, fds, 2)); B(S3(read, p[1], buf, 10));
  T(sendfds(p[0], "", 0, fds, 2)); T(S3(read, p[1], buf, 10));
  T(S3(write, p[0], "plain", 5)); T(sendfds(p[0], "fd", 2, fds, 1)); T(S3(write, p[0], "tail", 4)); R(p[1], 100, 100, 0); R(p[1], 100, 100, 0); S3(close_range, 7, 20, 0);
  T(sendfds(p[0], "aa", 2, fds, 1)); T(sendfds(p[0], "bb", 2, fds, 2)); R(p[1], 100, 100, 0); R(p[1], 100, 100, 0); S3(close_range, 7, 20, 0);
  T(sendfds(p[0], "peek", 4, fds, 1)); R(p[1], 2, 100, MSG_PEEK); R(p[1], 100, 100, MSG_PEEK); R(p[1], 100, 100, 0); S3(close_range, 7, 20, 0);
  flush();
  fds[1] = 99;
  T(sendfds(p[0], "x", 1, fds, 2)); T(queued(p[1], FIONREAD));
  fds[1] = S3(open, ".", O_PATH, 0); T(sendfds(p[0], "x", 1, fds, 2)); S1(close, fds[1]);
  for (int i = 0; i < 300; i++) fds[i] = 5;
  { static char big[2048]; struct cmsghdr *c = (struct cmsghdr *)big;
    for (int k = 253; k < 255; k++) {
      header("x", 1, 0); c->cmsg_level = SOL_SOCKET; c->cmsg_type = SCM_RIGHTS; c->cmsg_len = CMSG_LEN(4 * k); memcpy(CMSG_DATA(c), fds, 4 * k);
      m.msg_control = big; m.msg_controllen = CMSG_SPACE(4 * k);
      T(S3(sendmsg, p[0], &m, 0));
    }
    memset(&m, 0, sizeof m); vec.iov_base = buf; vec.iov_len = 10; m.msg_iov = &vec; m.msg_iovlen = 1; m.msg_control = big; m.msg_controllen = sizeof big;
    T(S3(recvmsg, p[1], &m, 0)); T(m.msg_controllen); T(c->cmsg_len); T(((int *)CMSG_DATA(c))[252]); T(m.msg_flags);
    S3(close_range, 7, 1000, 0);
  }
  struct cmsghdr *c = (struct cmsghdr *)control;
  header("x", 1, 0); rights(fds, 1); c->cmsg_len = 15; T(S3(sendmsg, p[0], &m, 0));
  header("x", 1, 0); rights(fds, 1); c->cmsg_len = 100; T(S3(sendmsg, p[0], &m, 0));
  header("x", 1, 0); rights(fds, 1); c->cmsg_type = 55; T(S3(sendmsg, p[0], &m, 0));
  header("x", 1, 0); rights(fds, 1); c->cmsg_level = 55; T(S3(sendmsg, p[0], &m, 0)); R(p[1], 10, 100, 0);
  header("x", 1, 0); rights(fds, 0); T(S3(sendmsg, p[0], &m, 0)); R(p[1], 10, 100, 0);
  header("x", 1, 0); m.msg_control = bad; m.msg_controllen = 24; T(S3(sendmsg, p[0], &m, 0));
  header("x", 1, 0); m.msg_control = bad; m.msg_controllen = 8; T(S3(sendmsg, p[0], &m, 0));
  header("x", 1, 0); m.msg_control = control; m.msg_controllen = 1 << 20; T(S3(sendmsg, p[0], &m, 0));
  header("x", 1, 0); m.msg_controllen = 1ul << 32; T(S3(sendmsg, p[0], &m, 0));
  header("x", 1, 0); m.msg_namelen = -1; m.msg_name = buf; T(S3(sendmsg, p[0], &m, 0));
  header("x", 1, 0); m.msg_name = bad; m.msg_namelen = 8; T(S3(sendmsg, p[0], &m, 0));
  header("x", 1, 0); m.msg_iovlen = 1025; T(S3(sendmsg, p[0], &m, 0));
  header("x", 1, 0); m.msg_iov = bad; T(S3(sendmsg, p[0], &m, 0));
  header("x", -1, 0); T(S3(sendmsg, p[0], &m, 0));
  T(S3(sendmsg, p[0], bad, 0)); T(S3(recvmsg, p[0], bad, 0));
  S6(recvfrom, p[1], buf, 1000, 0, 0, 0);
  R(p[1], 10, 100, 0);
  flush();
  /* credentials */
  T(S3(write, p[0], "unsigned", 8)); T(setint(p[1], SOL_SOCKET, SO_PASSCRED, 1)); T(S3(write, p[0], "signed", 6));
  R(p[1], 100, 100, 0); R(p[1], 100, 100, 0);
  T(S3(write, p[0], "short", 5)); R(p[1], 100, 20, 0); T(S3(write, p[0], "none", 4)); R(p[1], 100, 0, 0); 
  T(sendfds(p[0], "both", 4, fds, 1)); R(p[1], 100, 100, 0); S3(close_range, 7, 20, 0);
  T(sendfds(p[0], "both", 4, fds, 1)); R(p[1], 100, 40, 0); S3(close_range, 7, 20, 0);
  struct ucred u = {S0(getpid), 0, 0};
#define CREDENTIALS(len) (header("cred", 4, 0), c->cmsg_level = SOL_SOCKET, c->cmsg_type = SCM_CREDENTIALS, c->cmsg_len = CMSG_LEN(len), memcpy(CMSG_DATA(c), &u, 12), m.msg_control = control, m.msg_controllen = CMSG_SPACE(12), S3(sendmsg, p[0], &m, 0))
  T(CREDENTIALS(12)); R(p[1], 100, 100, 0);
  T(CREDENTIALS(8)); u.uid = 1234; u.gid = 77; T(CREDENTIALS(12)); R(p[1], 100, 100, 0);
  u.pid = 4000000; T(CREDENTIALS(12)); u.pid = S0(getpid); u.uid = -1; T(CREDENTIALS(12)); u.uid = 0;
  u.uid = 5; T(CREDENTIALS(12)); u.uid = 6; T(CREDENTIALS(12)); R(p[1], 100, 100, 0); R(p[1], 100, 100, 0);
  T(setint(p[1], SOL_SOCKET, SO_PASSCRED, 0)); T(CREDENTIALS(12)); R(p[1], 100, 100, 0);
  closepair();
  pairof(SOCK_DGRAM | SOCK_NONBLOCK);
  T(sendfds(p[0], "", 0, fds, 1)); T(sendfds(p[0], "xyz", 3, fds, 1)); R(p[1], 100, 100, 0); R(p[1], 1, 100, MSG_PEEK); R(p[1], 1, 100, MSG_TRUNC); S3(close_range, 7, 20, 0);
  T(setint(p[1], SOL_SOCKET, SO_PASSCRED, 1)); T(S3(write, p[0], "d", 1)); R(p[1], 1, 100, 0);
  T(setint(p[0], SOL_SOCKET, SO_PASSCRED, 1)); T(S3(write, p[0], "auto", 4));
  { struct sockaddr_un f; header(buf, 10, 0); m.msg_name = &f; m.msg_namelen = sizeof f; T(S3(recvmsg, p[1], &m, 0)); T(m.msg_namelen); T(m.msg_flags); }
  closepair();
  flush();
  /* a pipe's writer that only a message holds */
  pairof(SOCK_STREAM | SOCK_NONBLOCK);
  S2(pipe2, q, O_NONBLOCK);
  fds[0] = q[1];
  T(sendfds(p[0], "w", 1, fds, 1)); S1(close, q[1]);
  T(S3(read, q[0], buf, 1)); S1(close, p[1]); T(S3(read, q[0], buf, 1)); S1(close, p[0]); S1(close, q[0]);
  /* two sockets each in the other's queue */
  pairof(SOCK_STREAM | SOCK_NONBLOCK);
  S2(pipe2, q, O_NONBLOCK);
  fds[0] = p[0]; fds[1] = q[1]; T(sendfds(p[0], "a", 1, fds, 2)); fds[0] = p[1]; T(sendfds(p[1], "b", 1, fds, 1));
  closepair(); S1(close, q[1]);
  pairof(SOCK_STREAM); closepair();
  for (int i = 0; i < 50 && S3(read, q[0], buf, 1) == -11; i++) { struct timespec { long s, n; } t = {0, 20000000}; S2(nanosleep, &t, 0); }
  T(S3(read, q[0], buf, 1));
  closeall();
  flush();
  /* several at once */
  pairof(SOCK_DGRAM | SOCK_NONBLOCK);
  static struct { struct msghdr h; unsigned n; } mm[4];
  static struct iovec iv[4];
  char *words[] = {"alpha", "be", "gamma", "d"};
  int lengths[] = {5, 2, 5, 1};
  for (int i = 0; i < 4; i++) { iv[i].iov_base = words[i]; iv[i].iov_len = lengths[i]; mm[i].h.msg_iov = &iv[i]; mm[i].h.msg_iovlen = 1; mm[i].n = 99; }
  T(S4(sendmmsg, p[0], mm, 4, 0)); for (int i = 0; i < 4; i++) T(mm[i].n);
  for (int i = 0; i < 4; i++) { iv[i].iov_base = buf + i * 10; iv[i].iov_len = 4; mm[i].n = 99; }
  T(S5(recvmmsg, p[1], mm, 2, 0, 0)); T(mm[0].n); T(mm[0].h.msg_flags); T(mm[1].n); bytes(buf, 4); bytes(buf + 10, 2); text("\n");
  T(S5(recvmmsg, p[1], mm, 4, 0, 0)); T(mm[1].n); T(S5(recvmmsg, p[1], mm, 4, 0, 0));
  T(S4(sendmmsg, p[0], bad, 4, 0)); T(S4(sendmmsg, p[0], mm, 0, 0)); T(S4(sendmmsg, 0, mm, 1, 0));
  closeall();
  flush();
}

static void users(void) {
  title("users");
  int l = S3(socket, AF_UNIX, SOCK_STREAM, 0), d = S3(socket, AF_UNIX, SOCK_DGRAM, 0);
  S2(mkdir, "u", 0777); S2(chmod, "u", 0777);
  BIND(l, path("u/private")); S2(listen, l, 5); S2(chmod, "u/private", 0600);
  BIND(d, path("u/open")); S2(chmod, "u/open", 0622);
  S2(mkdir, "closed", 0700);
  int p[2]; S4(socketpair, AF_UNIX, SOCK_STREAM, 0, p);
  T(S3(setresgid, 77, 77, 77)); T(S3(setresuid, 1000, 1000, 1000));
  int c = S3(socket, AF_UNIX, SOCK_STREAM, 0), e = S3(socket, AF_UNIX, SOCK_DGRAM, 0);
  T(CONNECT(c, path("u/private"))); T(CONNECT(e, path("u/open"))); T(BIND(c, path("closed/x"))); T(BIND(c, path("root"))); T(BIND(c, path("u/mine")));
  struct stat st; T(S2(stat, "u/mine", &st)); T(st.st_uid); T(st.st_gid); T(st.st_mode);
  struct ucred u; unsigned n = sizeof u;
  T(S5(getsockopt, p[0], SOL_SOCKET, SO_PEERCRED, &u, &n)); T(u.uid); T(u.gid);
  int *q = pair; pairof(SOCK_STREAM | SOCK_NONBLOCK);
  T(S5(getsockopt, q[0], SOL_SOCKET, SO_PEERCRED, &u, &n)); T(u.uid); T(u.gid);
  setint(q[1], SOL_SOCKET, SO_PASSCRED, 1); T(S3(write, q[0], "mine", 4)); R(q[1], 10, 100, 0);
  struct cmsghdr *h = (struct cmsghdr *)control;
  u.pid = S0(getpid); u.uid = 0; u.gid = 77;
#define CLAIM (header("cred", 4, 0), h->cmsg_level = SOL_SOCKET, h->cmsg_type = SCM_CREDENTIALS, h->cmsg_len = CMSG_LEN(12), memcpy(CMSG_DATA(h), &u, 12), m.msg_control = control, m.msg_controllen = CMSG_SPACE(12), S3(sendmsg, q[0], &m, 0))
  T(CLAIM); u.uid = 1000; T(CLAIM); u.pid = 1; T(u.pid == S0(getpid) ? -1 : CLAIM); u.pid = S0(getpid); u.gid = 5; T(CLAIM);
  T(setint(q[0], SOL_SOCKET, SO_SNDBUFFORCE, 5000)); T(setint(q[0], SOL_SOCKET, SO_MARK, 1)); T(setint(q[0], SOL_SOCKET, SO_PRIORITY, 7)); T(setint(q[0], SOL_SOCKET, SO_PRIORITY, 6)); T(setint(q[0], SOL_SOCKET, SO_DEBUG, 1));
  closeall();
  flush();
}

void _start(void) {
  __asm__ volatile("and $-16, %rsp");
  S1(umask, 022);
  catchpipe();
  making();
  options();
  binding();
  connecting();
  streams();
  datagrams();
  packets();
  messages();
  users();
  S1(exit_group, 0);
}
