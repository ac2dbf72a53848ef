/* TCP and UDP over the loopback interface, which is all there is: in a network namespace of its own with lo up, as root. */
#include "sockets.h"

static struct sockaddr_storage ss;
static int length;
static unsigned short swap(unsigned short v) { return v << 8 | v >> 8; }
static struct sockaddr *v4(unsigned ip, int port) {
  struct sockaddr_in *a = (void *)&ss;
  memset(&ss, 0, sizeof ss);
  a->sin_family = AF_INET; a->sin_port = swap(port); a->sin_addr.s_addr = __builtin_bswap32(ip);
  length = sizeof *a;
  return (void *)a;
}
static struct sockaddr *v6(int last, int port) {
  struct sockaddr_in6 *a = (void *)&ss;
  memset(&ss, 0, sizeof ss);
  a->sin6_family = AF_INET6; a->sin6_port = swap(port); a->sin6_addr.s6_addr[15] = last;
  length = sizeof *a;
  return (void *)a;
}
static struct sockaddr *mapped(unsigned ip, int port) {
  struct sockaddr_in6 *a = (void *)v6(0, port);
  a->sin6_addr.s6_addr[10] = a->sin6_addr.s6_addr[11] = 255;
  ip = __builtin_bswap32(ip);
  memcpy(a->sin6_addr.s6_addr + 12, &ip, 4);
  return (void *)a;
}
#define LO 0x7f000001
static long BIND(int fd, struct sockaddr *a) { return S3(bind, fd, a, length); }
static long CONNECT(int fd, struct sockaddr *a) { return S3(connect, fd, a, length); }
static long SENDTO(int fd, const char *s, long n, int flags, struct sockaddr *a) { return S6(sendto, fd, s, n, flags, a, length); }
static void address(void *p, unsigned n, int ports) {
  unsigned char *b = p;
  text(" length "); number(n);
  if (n < 8) return;
  text(" family "); number(b[0]);
  text(" ip "); for (unsigned i = b[0] == AF_INET ? 4 : 8; i < (b[0] == AF_INET ? 8 : 24); i++) { hex(b[i]); text("."); }
  int port = b[2] << 8 | b[3];
  text(" port "); if (port >= 32768) text("ephemeral"); else number(port);
}
static void name(const char *what, long call, int fd) {
  struct sockaddr_storage a; unsigned n = sizeof a;
  long r = sys(call, fd, ARG(&a), ARG(&n), 0, 0, 0);
  text(what); text(" = "); number(r);
  if (r == 0) address(&a, n, 1);
  text("\n");
}
#define NAME(fd) name("name " #fd, __NR_getsockname, fd)
#define PEER(fd) name("peer " #fd, __NR_getpeername, fd)
static void from(const char *what, int fd, int size, int flags) {
  struct sockaddr_storage a; unsigned n = sizeof a;
  long r = S6(recvfrom, fd, buf, size, flags, &a, &n);
  text(what); text(" = "); number(r); text(" ");
  if (r > 0) bytes(buf, r > size ? size : r > 40 ? 40 : r);
  if (r >= 0) address(&a, n, 1);
  text("\n");
}
#define FROM(fd, size, flags) from("recvfrom " #fd " " #size " " #flags, fd, size, flags)
#define TCP S3(socket, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)
#define UDP S3(socket, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0)
static void settle(void) { struct { long s, n; } t = {0, 10000000}; S2(nanosleep, &t, 0); }
static int wait(int fd, int events, int ms) { struct pollfd p = {fd, events, 0}; return S3(poll, &p, 1, ms) > 0 ? p.revents : 0; }

static int listener, client, server;
static void connected(int port) {
  listener = S3(socket, AF_INET, SOCK_STREAM, 0);
  setint(listener, SOL_SOCKET, SO_REUSEADDR, 1);
  BIND(listener, v4(LO, port)); S2(listen, listener, 5);
  client = S3(socket, AF_INET, SOCK_STREAM, 0);
  CONNECT(client, v4(LO, port));
  server = S3(accept, listener, 0, 0);
  S3(fcntl, client, F_SETFL, O_NONBLOCK); S3(fcntl, server, F_SETFL, O_NONBLOCK);
}

static void making(void) {
  title("making");
  T(S3(socket, AF_INET, SOCK_STREAM, 0)); T(S3(socket, AF_INET, SOCK_STREAM, 6)); T(S3(socket, AF_INET, SOCK_STREAM, 17)); T(S3(socket, AF_INET, SOCK_DGRAM, 17)); T(S3(socket, AF_INET, SOCK_DGRAM, 6));
  T(S3(socket, AF_INET, SOCK_SEQPACKET, 0)); T(S3(socket, AF_INET, SOCK_STREAM, -1)); T(S3(socket, AF_INET, SOCK_STREAM, 263)); T(S3(socket, AF_INET, 8, 0));
  T(S3(socket, AF_INET6, SOCK_STREAM, 0)); T(S3(socket, AF_INET6, SOCK_DGRAM, 0)); T(S4(socketpair, AF_INET, SOCK_STREAM, 0, pair));
  int a = 3;
#define OPT(l, o) T(opt(a, l, o))
#define SET(l, o, v) T(setint(a, l, o, v)); OPT(l, o)
  OPT(SOL_SOCKET, SO_TYPE); OPT(SOL_SOCKET, SO_DOMAIN); OPT(SOL_SOCKET, SO_PROTOCOL); OPT(SOL_SOCKET, SO_SNDBUF); OPT(SOL_SOCKET, SO_RCVBUF); OPT(SOL_SOCKET, SO_ERROR); OPT(SOL_SOCKET, SO_PASSCRED); OPT(SOL_SOCKET, SO_REUSEPORT);
  OPT(6, 1); OPT(6, 3); OPT(6, 4); OPT(6, 5); OPT(6, 6); OPT(6, 8); OPT(6, 9); OPT(6, 99); OPT(6, 18);
  SET(6, 1, 5); SET(6, 3, 1); SET(6, 4, 100); SET(6, 4, 0); SET(6, 5, 40000); SET(6, 6, 128); SET(6, 6, 5); SET(6, 18, 5000); SET(6, 99, 1);
  OPT(0, 1); OPT(0, 2); SET(0, 2, 10); SET(0, 2, 0); SET(0, 2, 256); SET(0, 2, -1); SET(0, 11, 1); T(setint(a, 0, 99, 1)); SET(41, 26, 1);
  SET(SOL_SOCKET, SO_KEEPALIVE, 1); SET(SOL_SOCKET, SO_REUSEPORT, 1); SET(SOL_SOCKET, SO_SNDBUF, 30000); SET(SOL_SOCKET, SO_PASSCRED, 1);
  T(S5(setsockopt, a, 6, 1, buf, 2)); T(S5(setsockopt, a, 6, 1, bad, 4)); T(S5(setsockopt, a, 0x77, 1, buf, 4)); T(opt(a, 0x77, 1));
  T(S5(setsockopt, a, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3)); T(S5(setsockopt, a, SOL_SOCKET, SO_BINDTODEVICE, "eth7", 5));
  a = 6; OPT(41, 26); SET(41, 26, 1); OPT(41, 16); OPT(0, 2);
  a = 5; OPT(SOL_SOCKET, SO_SNDBUF); OPT(SOL_SOCKET, SO_RCVBUF); SET(SOL_SOCKET, SO_BROADCAST, 1); OPT(6, 1);
  T(polled(3)); T(polled(5)); T(S3(read, 3, buf, 1)); pipes = 0; T(S3(write, 3, "x", 1)); T(pipes); T(S2(shutdown, 3, 2)); T(S3(accept, 3, 0, 0)); T(S3(accept, 5, 0, 0)); T(S2(listen, 5, 1));
  NAME(3); PEER(3); NAME(6); PEER(6); NAME(5);
  closeall(); flush();
}

static void binding(void) {
  title("binding");
  int a = TCP, b = TCP, c = UDP;
  T(S3(bind, a, v4(LO, 5000), 15)); T(S3(bind, a, v4(LO, 5000), 0)); ss.ss_family = AF_UNIX; T(S3(bind, a, &ss, 16)); T(BIND(a, v6(1, 5000))); T(BIND(a, v4(0x01020304, 5000)));
  v4(0, 5000); ss.ss_family = 0; T(S3(bind, a, &ss, 16)); NAME(a); T(BIND(a, v4(LO, 5001)));
  T(BIND(b, v4(LO, 5000))); T(BIND(c, v4(LO, 5000))); NAME(c); T(BIND(b, v4(0x7f010203, 5002))); NAME(b);
  int d = TCP; T(BIND(d, v4(LO, 5002))); int e = TCP; T(BIND(e, v4(0, 5002))); T(BIND(e, v4(0, 0))); NAME(e);
  int f = TCP; T(S2(listen, f, 3)); NAME(f); T(BIND(f, v4(LO, 5004)));
  int g = TCP, h = TCP; setint(g, SOL_SOCKET, SO_REUSEADDR, 1); setint(h, SOL_SOCKET, SO_REUSEADDR, 1);
  T(BIND(g, v4(LO, 5005))); T(BIND(h, v4(LO, 5005))); T(S2(listen, g, 1)); T(S2(listen, h, 1)); int i = TCP; setint(i, SOL_SOCKET, SO_REUSEADDR, 1); T(BIND(i, v4(LO, 5005)));
  int j = TCP, k = TCP; setint(j, SOL_SOCKET, SO_REUSEPORT, 1); setint(k, SOL_SOCKET, SO_REUSEPORT, 1); T(BIND(j, v4(LO, 5006))); T(BIND(k, v4(LO, 5006))); T(S2(listen, j, 1)); T(S2(listen, k, 1));
  int l = S3(socket, AF_INET6, SOCK_STREAM, 0); T(BIND(l, v4(LO, 5007))); T(S3(bind, l, v6(1, 5007), 23)); T(BIND(l, v6(0, 5007))); NAME(l); int m = TCP; T(BIND(m, v4(LO, 5007)));
  int n = S3(socket, AF_INET6, SOCK_STREAM, 0); setint(n, 41, 26, 1); T(BIND(n, v6(0, 5008))); T(BIND(m, v4(LO, 5008))); T(setint(n, 41, 26, 0));
  int o = S3(socket, AF_INET6, SOCK_STREAM, 0); T(BIND(o, mapped(LO, 5009))); NAME(o); T(BIND(o, v6(2, 5010)));
  int p = UDP; T(BIND(p, v4(LO, 5000))); setint(p, SOL_SOCKET, SO_REUSEADDR, 1); T(BIND(p, v4(LO, 5000)));
  T(BIND(p, v4(LO, 80)));
  closeall(); flush();
}

static void streams(void) {
  title("streams");
  int l = TCP, c = TCP, s;
  T(CONNECT(c, v4(LO, 6000))); settle(); T(polled(c)); T(CONNECT(c, v4(LO, 6000))); T(polled(c));
  T(CONNECT(c, v4(LO, 6000))); settle(); T(opt(c, SOL_SOCKET, SO_ERROR)); T(opt(c, SOL_SOCKET, SO_ERROR)); T(polled(c));
  int b = S3(socket, AF_INET, SOCK_STREAM, 0); T(CONNECT(b, v4(LO, 6000))); NAME(b);
  T(CONNECT(b, v4(0x0a000001, 80))); T(CONNECT(b, v4(0xffffffff, 80))); T(S3(connect, b, v4(LO, 6000), 8)); T(S3(connect, b, v4(LO, 6000), 1)); T(CONNECT(b, v6(1, 80))); T(CONNECT(b, v4(0xe0000001, 80)));
  T(BIND(l, v4(0, 6000))); T(S2(listen, l, 2)); T(polled(l)); T(S3(accept, l, 0, 0)); T(opt(l, SOL_SOCKET, SO_ACCEPTCONN)); T(CONNECT(l, v4(LO, 6000)));
  c = TCP;
  T(CONNECT(c, v4(0x7f000005, 6000))); T(wait(c, -1 & ~POLLNVAL, 1000)); T(polled(l)); T(CONNECT(c, v4(LO, 6000))); T(CONNECT(c, v4(LO, 6000))); NAME(c); PEER(c);
  struct sockaddr_storage a; unsigned n = sizeof a;
  s = T(S4(accept4, l, &a, &n, SOCK_NONBLOCK)); T(n); NAME(s); PEER(s); T(opt(s, SOL_SOCKET, SO_TYPE));
  T(S3(write, c, "hello ", 6)); T(S3(write, c, "world", 5)); settle(); T(queued(s, FIONREAD)); T(polled(s)); T(polled(c));
  B(S6(recvfrom, s, buf, 8, MSG_PEEK, 0, 0)); FROM(s, 4, 0); B(S3(read, s, buf, 100)); T(S3(read, s, buf, 100)); T(S3(read, s, buf, 0)); T(S3(write, c, bad, 5)); T(S3(write, c, "ab", 2)); settle(); T(S3(read, s, bad, 5)); B(S3(read, s, buf, 5));
  T(SENDTO(c, "to", 2, 0, v4(LO, 1))); settle(); B(S3(read, s, buf, 5));
  T(setint(s, SOL_SOCKET, SO_RCVLOWAT, 5)); T(S3(write, c, "abc", 3)); settle(); T(polled(s)); B(S3(read, s, buf, 10));
  flush();
  T(S2(shutdown, c, SHUT_WR)); settle(); T(polled(c)); T(polled(s)); T(S3(read, s, buf, 1)); pipes = 0; T(S3(write, c, "x", 1)); T(pipes); T(S3(write, s, "reply", 5)); settle(); B(S3(read, c, buf, 10)); T(S3(read, c, buf, 10));
  T(S2(shutdown, s, SHUT_WR)); settle(); T(polled(c)); T(polled(s)); T(S3(read, c, buf, 10)); T(S2(shutdown, c, SHUT_RDWR)); PEER(c);
  closeall(); flush();
  connected(6001);
  T(S1(close, server)); settle(); T(polled(client)); T(S3(read, client, buf, 1)); T(S3(write, client, "x", 1)); settle(); T(polled(client)); pipes = 0; T(S3(write, client, "x", 1)); T(pipes); T(S3(read, client, buf, 1));
  closeall(); connected(6002);
  T(S3(write, client, "unread", 6)); settle(); T(S1(close, server)); settle(); T(polled(client)); T(S3(read, client, buf, 1)); T(S3(read, client, buf, 1)); pipes = 0; T(S6(sendto, client, "x", 1, MSG_NOSIGNAL, 0, 0)); T(pipes);
  closeall(); connected(6003);
  struct linger g = {1, 0}; T(S5(setsockopt, server, SOL_SOCKET, SO_LINGER, &g, 8)); T(S3(write, server, "last", 4)); settle(); T(S1(close, server)); settle(); T(polled(client)); T(opt(client, SOL_SOCKET, SO_ERROR)); T(polled(client));
  closeall(); connected(6004);
  T(S2(shutdown, server, SHUT_RD)); T(polled(server)); T(S3(read, server, buf, 1)); T(S3(write, client, "after", 5)); settle(); B(S3(read, server, buf, 10)); T(S3(read, server, buf, 10)); T(S1(close, listener)); T(S3(write, server, "still", 5)); settle(); B(S3(read, client, buf, 10));
  closeall(); flush();
  connected(6005);
  long r, sum = 0; while ((r = S3(write, client, buf, 60000)) > 0) sum += r; T(r); T(sum > 100000); T(polled(client) & POLLOUT);
  long got = 0; while (got < sum && (r = S3(read, server, buf, 400000)) > 0) { got += r; if (got < sum) wait(server, POLLIN, 1000); } T(got == sum); settle(); T(polled(client) & POLLOUT); T(S3(read, server, buf, 1));
  struct timeval t = {0, 20000}; S3(fcntl, server, F_SETFL, 0); T(S5(setsockopt, server, SOL_SOCKET, SO_RCVTIMEO, &t, 16)); T(S3(read, server, buf, 1));
  S3(fcntl, listener, F_SETFL, 0); T(S5(setsockopt, listener, SOL_SOCKET, SO_RCVTIMEO, &t, 16)); T(S3(accept, listener, 0, 0));
  closeall(); flush();
  /* the listener goes away with a connection that nobody accepted */
  l = TCP; c = S3(socket, AF_INET, SOCK_STREAM, 0); setint(l, SOL_SOCKET, SO_REUSEADDR, 1); BIND(l, v4(LO, 6006)); S2(listen, l, 5); T(CONNECT(c, v4(LO, 6006))); T(S3(write, c, "lost", 4)); T(S1(close, l)); settle(); T(polled(c)); T(S3(read, c, buf, 5)); T(S3(read, c, buf, 5));
  /* both families */
  l = S3(socket, AF_INET6, SOCK_STREAM, 0); T(BIND(l, v6(0, 6007))); T(S2(listen, l, 5)); c = S3(socket, AF_INET, SOCK_STREAM, 0); T(CONNECT(c, v4(LO, 6007))); s = S3(accept, l, 0, 0); NAME(s); PEER(s); int c6 = S3(socket, AF_INET6, SOCK_STREAM, 0); T(CONNECT(c6, v6(1, 6007))); NAME(c6); PEER(c6); s = S3(accept, l, 0, 0); PEER(s); T(S3(write, c6, "six", 3)); settle(); B(S3(read, s, buf, 10));
  int c46 = S3(socket, AF_INET6, SOCK_STREAM, 0); T(CONNECT(c46, mapped(LO, 6007))); NAME(c46); int cany = S3(socket, AF_INET, SOCK_STREAM, 0); T(CONNECT(cany, v4(0, 6007))); PEER(cany); int far = S3(socket, AF_INET6, SOCK_STREAM, 0); v6(1, 80); ((struct sockaddr_in6 *)&ss)->sin6_addr.s6_addr[0] = 0x20; T(CONNECT(far, (void *)&ss));
  T(S2(shutdown, l, SHUT_RD)); T(S3(accept, l, 0, 0)); T(polled(l)); T(CONNECT(S3(socket, AF_INET, SOCK_STREAM, 0), v4(LO, 6007)));
  closeall(); flush();
}

static void datagrams(void) {
  title("datagrams");
  int a = UDP, b = UDP;
  T(S3(write, a, "x", 1)); T(SENDTO(a, "x", 1, 0, v4(LO, 0))); T(S6(sendto, a, "x", 1, 0, v4(LO, 7000), 10)); T(SENDTO(a, "x", 1, 0, v6(1, 7000))); T(SENDTO(a, "x", 1, 0, v4(0x0a000001, 7000))); NAME(a);
  T(SENDTO(a, "lost", 4, 0, v4(LO, 7000))); settle(); T(polled(a)); NAME(a);
  T(BIND(b, v4(LO, 7000))); T(SENDTO(a, "first", 5, 0, v4(LO, 7000))); T(SENDTO(a, "", 0, 0, v4(LO, 7000))); T(SENDTO(a, "third one", 9, 0, v4(0, 7000))); settle();
  T(queued(b, FIONREAD)); T(polled(b)); FROM(b, 3, MSG_PEEK); FROM(b, 3, MSG_PEEK | MSG_TRUNC); FROM(b, 3, MSG_TRUNC); FROM(b, 10, 0); FROM(b, 100, 0); FROM(b, 100, 0);
  T(SENDTO(a, buf, 65507, 0, v4(LO, 7000))); T(SENDTO(a, buf, 65508, 0, v4(LO, 7000))); T(SENDTO(a, buf, 100000, 0, v4(LO, 7000))); settle(); T(S3(read, b, buf, 100000)); T(SENDTO(a, "x", 1, 0, v4(0x7f000009, 7000)));
  flush();
  T(CONNECT(a, v4(LO, 7000))); NAME(a); PEER(a); T(S3(write, a, "conn", 4)); settle(); FROM(b, 10, 0);
  int c = UDP; BIND(c, v4(LO, 7001)); struct sockaddr_in own; unsigned n = sizeof own; S3(getsockname, a, &own, &n);
  T(S6(sendto, c, "stranger", 8, 0, &own, 16)); settle(); T(S3(read, a, buf, 10)); T(S6(sendto, b, "friend", 6, 0, &own, 16)); settle(); B(S3(read, a, buf, 10));
  T(CONNECT(a, v4(LO, 7005))); T(S3(write, a, "x", 1)); settle(); T(polled(a)); T(S3(read, a, buf, 10)); T(S3(read, a, buf, 10)); T(S3(write, a, "x", 1)); settle(); T(opt(a, SOL_SOCKET, SO_ERROR)); T(S3(write, a, "x", 1)); settle(); T(S3(write, a, "x", 1)); T(SENDTO(a, "other", 5, 0, v4(LO, 7000))); settle(); B(S3(read, b, buf, 10));
  v4(0, 0); ss.ss_family = 0; T(S3(connect, a, &ss, 16)); PEER(a); NAME(a); T(S3(write, a, "x", 1)); T(CONNECT(a, v4(0x0a000001, 7))); T(CONNECT(a, v6(1, 7)));
  T(S2(shutdown, a, SHUT_RD)); T(polled(a)); T(S2(shutdown, b, SHUT_WR)); T(polled(b)); T(CONNECT(b, v4(LO, 7001))); T(S2(shutdown, b, SHUT_RDWR)); T(polled(b)); pipes = 0; T(S3(write, b, "x", 1)); T(pipes);
  closeall(); flush();
  a = UDP; b = UDP; BIND(b, v4(0, 7002)); T(setint(b, SOL_SOCKET, SO_RCVBUF, 4000)); long sum = 0; for (int i = 0; i < 30; i++) T(SENDTO(a, "x", 1, 0, v4(LO, 7002)) == 1 || i < 0 ? 1 : 0); settle(); while (S3(read, b, buf, 10) == 1) sum++; T(sum > 2 && sum < 30);
  int d = S3(socket, AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0); T(BIND(d, v6(0, 7003))); T(SENDTO(a, "four", 4, 0, v4(LO, 7003))); settle(); FROM(d, 10, 0); int e = S3(socket, AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0); T(SENDTO(e, "six", 3, 0, v6(1, 7003))); settle(); FROM(d, 10, 0); T(SENDTO(e, "map", 3, 0, mapped(LO, 7003))); settle(); FROM(d, 10, 0);
  S3(fcntl, d, F_SETFL, 0); struct timeval t = {0, 20000}; T(S5(setsockopt, d, SOL_SOCKET, SO_RCVTIMEO, &t, 16)); T(S3(read, d, buf, 10));
  closeall(); flush();
}

void _start(void) {
  __asm__ volatile("and $-16, %rsp");
  catchpipe();
  making();
  binding();
  streams();
  datagrams();
  S1(exit_group, 0);
}
