/* Every kind of system call with its buffers in pages that are missing, or write-protected, through userfaultfd and that
 * another thread brings in. A line each: the faults that it took in either case, and what the call gave, which must be
 * what it gives where the pages are there. */
#define _GNU_SOURCE
#include <dirent.h>
#include <stdarg.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096ul
#define PAGES 6
#define BYTES (PAGES * PAGE)
#define API 0xc018aa3ful
#define REGISTER 0xc020aa00ul
#define UNREGISTER 0x8010aa01ul
#define COPY 0xc028aa03ul
#define WRITEPROTECT 0xc018aa06ul

struct message {
  uint8_t event, pad[7];
  uint64_t flags, address;
  uint64_t pad2;
};

/* `b`: the watched pages, at a fixed place. `image`: what they hold when a call begins. */
static char *const b = (char *)0x20000000000ul;
static char image[BYTES] __attribute__((aligned(4096)));
static char page_copy[PAGE] __attribute__((aligned(4096)));
static int uffd, ends[2];
static char faults[1024];
static const char *dir;

static long call(long number, ...) {
  long a[6];
  va_list list;
  va_start(list, number);
  for (int i = 0; i < 6; i++) a[i] = va_arg(list, long);
  va_end(list);
  long result = syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  return result < 0 ? -errno : result;
}
#define C(...) call(__VA_ARGS__, 0L, 0L, 0L, 0L, 0L, 0L)
#define P(offset) ((long)(b + (offset)))
/* A place whose bytes lie in two pages. */
#define ACROSS(page, bytes) ((page) * PAGE - (bytes))

static void *answer(void *unused) {
  (void)unused;
  for (;;) {
    struct pollfd fds[2] = {{uffd, POLLIN, 0}, {ends[0], POLLIN, 0}};
    poll(fds, 2, -1);
    if (fds[1].revents) return NULL;
    struct message m;
    if (read(uffd, &m, sizeof m) != sizeof m) continue;
    uint64_t page = (m.address - (uintptr_t)b) / PAGE;
    char text[32];
    snprintf(text, sizeof text, " %lu%s", page, m.flags & 2 ? "p" : m.flags & 1 ? "w" : "r");
    strcat(faults, text);
    if (m.flags & 2) {
      uint64_t words[3] = {(uintptr_t)b + page * PAGE, PAGE, 0};
      ioctl(uffd, WRITEPROTECT, words);
    } else {
      memcpy(page_copy, image + page * PAGE, PAGE);
      uint64_t words[5] = {(uintptr_t)b + page * PAGE, (uintptr_t)page_copy, PAGE, 0, 0};
      ioctl(uffd, COPY, words);
    }
  }
}

enum mode { PRESENT, MISSING, PROTECTED };

/* The pages as the mode wants them, with the image in them. */
static void lay(enum mode mode) {
  mmap(b, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  if (mode != MISSING) memcpy(b, image, BYTES);
  if (mode == PRESENT) return;
  uint64_t words[4] = {(uintptr_t)b, BYTES, mode == MISSING ? 1 : 2, 0};
  if (ioctl(uffd, REGISTER, words) != 0) perror("register");
  if (mode == PROTECTED) {
    uint64_t range[3] = {(uintptr_t)b, BYTES, 1};
    if (ioctl(uffd, WRITEPROTECT, range) != 0) perror("protect");
  }
}

/* What a case says beside its result. */
static char said[4096];
static void say(const char *format, ...) {
  va_list list;
  va_start(list, format);
  size_t length = strlen(said);
  vsnprintf(said + length, sizeof said - length, format, list);
  va_end(list);
}

/* A case: lays its arguments into the image, makes the call, says what came. It looks at `b` only through peek(). */
struct test {
  const char *name;
  void (*prepare)(void);
  long (*run)(void);
};

static unsigned sum(const void *at, size_t bytes) {
  const unsigned char *p = at;
  unsigned s = 7;
  for (size_t i = 0; i < bytes; i++) s = s * 31 + p[i];
  return s;
}

static int file_of(const char *name, size_t bytes) {
  char path[256];
  snprintf(path, sizeof path, "%s/%s", dir, name);
  int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  for (size_t i = 0; i < bytes; i++) {
    static char block[PAGE];
    if (i % PAGE == 0) {
      for (size_t k = 0; k < PAGE; k++) block[k] = 'a' + (i / PAGE + k) % 23;
      size_t part = bytes - i < PAGE ? bytes - i : PAGE;
      if (write(fd, block, part) != (ssize_t)part) perror("write");
    }
  }
  lseek(fd, 0, SEEK_SET);
  return fd;
}

static void put(size_t at, const void *bytes, size_t count) { memcpy(image + at, bytes, count); }
static void letters(void) {
  for (size_t i = 0; i < BYTES; i++) image[i] = 'A' + (i / 100 + i) % 26;
}
static void nothing(void) {}

/* Transfers. */
static long t_read(void) {
  int fd = file_of("f", 3 * PAGE);
  long r = C(SYS_read, fd, P(PAGE / 2), 3 * PAGE);
  say(" %x at %ld", sum(b + PAGE / 2, 3 * PAGE), lseek(fd, 0, SEEK_CUR));
  close(fd);
  return r;
}
static long t_pread(void) {
  int fd = file_of("f", 3 * PAGE);
  long r = C(SYS_pread64, fd, P(ACROSS(2, 100)), 200, 1000);
  say(" %x", sum(b + ACROSS(2, 100), 200));
  close(fd);
  return r;
}
static long t_write(void) {
  int fd = file_of("f", 0);
  char back[3 * PAGE];
  long r = C(SYS_write, fd, P(PAGE / 2), 2 * PAGE + 100);
  say(" %x at %ld", sum(back, pread(fd, back, sizeof back, 0)), lseek(fd, 0, SEEK_CUR));
  close(fd);
  return r;
}
static void p_vector(void) {
  letters();
  struct iovec v[3] = {{b + 2 * PAGE, 10}, {b + 3 * PAGE + 5, 10}, {b + 4 * PAGE, PAGE}};
  put(ACROSS(1, 24), v, sizeof v);
}
static long t_writev(void) {
  int fd = file_of("f", 0);
  char back[2 * PAGE];
  long r = C(SYS_writev, fd, P(ACROSS(1, 24)), 3);
  say(" %x", sum(back, pread(fd, back, sizeof back, 0)));
  close(fd);
  return r;
}
static long t_readv(void) {
  int fd = file_of("f", 3 * PAGE);
  long r = C(SYS_readv, fd, P(ACROSS(1, 24)), 3);
  say(" %x", sum(b + 2 * PAGE, 3 * PAGE));
  close(fd);
  return r;
}
static long t_pipe_write(void) {
  int p[2];
  char back[4 * PAGE];
  if (pipe(p) != 0) return -1;
  long r = C(SYS_write, p[1], P(100), 3 * PAGE);
  say(" %x", sum(back, read(p[0], back, sizeof back)));
  close(p[0]), close(p[1]);
  return r;
}
static long t_pipe_writev(void) {
  int p[2];
  char back[4 * PAGE];
  if (pipe(p) != 0) return -1;
  long r = C(SYS_writev, p[1], P(ACROSS(1, 24)), 3);
  say(" %x", sum(back, read(p[0], back, sizeof back)));
  close(p[0]), close(p[1]);
  return r;
}
static long t_pipe_read(void) {
  int p[2];
  char out[3 * PAGE];
  if (pipe(p) != 0) return -1;
  memset(out, 'x', sizeof out), memcpy(out, "begin", 5);
  if (write(p[1], out, sizeof out) < 0) return -1;
  long r = C(SYS_read, p[0], P(PAGE - 10), 2 * PAGE);
  say(" %x, left %zd", sum(b + PAGE - 10, 2 * PAGE), read(p[0], out, sizeof out));
  close(p[0]), close(p[1]);
  return r;
}
static long t_pipe2(void) {
  long r = C(SYS_pipe2, P(ACROSS(2, 4)), O_CLOEXEC);
  int p[2];
  memcpy(p, b + ACROSS(2, 4), 8);
  say(" %d %d", p[1] - p[0], fcntl(p[1], F_GETFD));
  close(p[0]), close(p[1]);
  return r;
}
static void p_offset(void) {
  loff_t at = 100;
  put(ACROSS(1, 4), &at, 8);
}
static long t_sendfile(void) {
  int from = file_of("f", 2 * PAGE), to = file_of("g", 0);
  loff_t at;
  long r = C(SYS_sendfile, to, from, P(ACROSS(1, 4)), 300);
  memcpy(&at, b + ACROSS(1, 4), 8);
  say(" %ld %ld", (long)at, lseek(to, 0, SEEK_CUR));
  close(from), close(to);
  return r;
}
static long t_copy_range(void) {
  int from = file_of("f", 2 * PAGE), to = file_of("g", 0);
  loff_t at;
  long r = C(SYS_copy_file_range, from, P(ACROSS(1, 4)), to, 0, 300, 0);
  memcpy(&at, b + ACROSS(1, 4), 8);
  say(" %ld %ld", (long)at, lseek(to, 0, SEEK_CUR));
  close(from), close(to);
  return r;
}
static long t_splice(void) {
  int p[2], from = file_of("f", 2 * PAGE);
  loff_t at;
  if (pipe(p) != 0) return -1;
  long r = C(SYS_splice, from, P(ACROSS(1, 4)), p[1], 0, 300, 0);
  memcpy(&at, b + ACROSS(1, 4), 8);
  say(" %ld", (long)at);
  close(from), close(p[0]), close(p[1]);
  return r;
}
static long t_vmsplice(void) {
  int p[2];
  char back[3 * PAGE];
  if (pipe(p) != 0) return -1;
  long r = C(SYS_vmsplice, p[1], P(ACROSS(1, 24)), 3, 0);
  say(" %x", sum(back, read(p[0], back, sizeof back)));
  close(p[0]), close(p[1]);
  return r;
}
static long t_proc_mem_read(void) {
  int fd = open("/proc/self/mem", O_RDWR);
  char back[200] = "";
  long r = pread(fd, back, sizeof back, P(ACROSS(2, 100)));
  say(" %x", sum(back, sizeof back));
  close(fd);
  return r;
}
static long t_proc_mem_write(void) {
  int fd = open("/proc/self/mem", O_RDWR);
  char out[200];
  memset(out, 'm', sizeof out);
  long r = pwrite(fd, out, sizeof out, P(ACROSS(2, 100)));
  say(" %x", sum(b + ACROSS(2, 100), sizeof out));
  close(fd);
  return r;
}

/* Names. */
static void p_path(void) {
  char path[256];
  snprintf(path, sizeof path, "%s/f", dir);
  put(ACROSS(1, 5), path, strlen(path) + 1);
  snprintf(path, sizeof path, "%s/other", dir);
  put(PAGE + 512, path, strlen(path) + 1);
  put(4 * PAGE, "user.note", 10);
}
static long t_open(void) {
  close(file_of("f", 10));
  long r = C(SYS_openat, AT_FDCWD, P(ACROSS(1, 5)), O_RDONLY, 0);
  if (r >= 0) close(r);
  return r >= 0 ? 0 : r;
}
static long t_stat(void) {
  close(file_of("f", 10));
  struct stat s;
  long r = C(SYS_newfstatat, AT_FDCWD, P(ACROSS(1, 5)), P(ACROSS(3, 50)), 0);
  memcpy(&s, b + ACROSS(3, 50), sizeof s);
  say(" %ld %o", (long)s.st_size, s.st_mode);
  return r;
}
static long t_statx(void) {
  close(file_of("f", 10));
  struct statx s;
  long r = C(SYS_statx, AT_FDCWD, P(ACROSS(1, 5)), 0, STATX_SIZE, P(ACROSS(3, 50)));
  memcpy(&s, b + ACROSS(3, 50), sizeof s);
  say(" %ld", (long)s.stx_size);
  return r;
}
static long t_statfs(void) {
  struct statfs s;
  long r = C(SYS_statfs, P(ACROSS(1, 5)), P(ACROSS(4, 50)));
  memcpy(&s, b + ACROSS(4, 50), sizeof s);
  say(" %ld", (long)s.f_namelen);
  return r;
}
static long t_rename(void) {
  char path[256];
  close(file_of("f", 10));
  long r = C(SYS_rename, P(ACROSS(1, 5)), P(PAGE + 512));
  snprintf(path, sizeof path, "%s/other", dir);
  say(" %d", unlink(path));
  close(file_of("f", 10));
  return r;
}
static long t_readlink(void) {
  char path[256];
  snprintf(path, sizeof path, "%s/f", dir);
  unlink(path);
  if (symlink("somewhere/else", path) != 0) return -1;
  long r = C(SYS_readlink, P(ACROSS(1, 5)), P(ACROSS(3, 5)), 100);
  say(" %.14s", b + ACROSS(3, 5));
  unlink(path);
  return r;
}
static long t_getcwd(void) {
  long r = C(SYS_getcwd, P(ACROSS(2, 1)), 100);
  say(" %s", b + ACROSS(2, 1));
  return r;
}
static long t_getdents(void) {
  char path[256];
  snprintf(path, sizeof path, "%s/d", dir);
  mkdir(path, 0700);
  int fd = open(path, O_RDONLY | O_DIRECTORY);
  long r = C(SYS_getdents64, fd, P(ACROSS(2, 30)), 500);
  say(" %s, then %ld", b + ACROSS(2, 30) + 19, C(SYS_getdents64, fd, image, 100));
  close(fd);
  rmdir(path);
  return r;
}
static long t_mkdir(void) {
  char path[256];
  snprintf(path, sizeof path, "%s/f", dir);
  unlink(path);
  long r = C(SYS_mkdir, P(ACROSS(1, 5)), 0700);
  say(" %d", rmdir(path));
  return r;
}

/* Descriptors to wait for. */
static void p_poll(void) {
  struct pollfd fds[2] = {{ends[0], POLLIN, 0}, {ends[1], POLLOUT, 0}};
  put(ACROSS(1, 8), fds, sizeof fds);
  struct timespec t = {0, 1000};
  put(ACROSS(2, 8), &t, sizeof t);
  uint64_t mask = 1 << (SIGUSR1 - 1);
  put(ACROSS(3, 4), &mask, 8);
}
static long t_poll(void) {
  struct pollfd fds[2];
  long r = C(SYS_poll, P(ACROSS(1, 8)), 2, 1000);
  memcpy(fds, b + ACROSS(1, 8), sizeof fds);
  say(" %x %x", fds[0].revents, fds[1].revents);
  return r;
}
static long t_ppoll(void) {
  struct pollfd fds[2];
  sigset_t now;
  long r = C(SYS_ppoll, P(ACROSS(1, 8)), 1, P(ACROSS(2, 8)), P(ACROSS(3, 4)), 8);
  memcpy(fds, b + ACROSS(1, 8), sizeof fds);
  sigprocmask(SIG_SETMASK, NULL, &now);
  say(" %x %d", fds[0].revents, sigismember(&now, SIGUSR1));
  return r;
}
static void p_select(void) {
  fd_set set;
  FD_ZERO(&set);
  FD_SET(ends[1], &set);
  put(ACROSS(1, 4), &set, 8);
  struct timespec t = {5, 0};
  put(ACROSS(2, 8), &t, sizeof t);
  uint64_t mask = 1 << (SIGUSR1 - 1), pair[2] = {P(ACROSS(3, 4)), 8};
  put(ACROSS(3, 4), &mask, 8);
  put(ACROSS(4, 8), pair, 16);
}
static long t_select(void) {
  uint64_t set;
  long r = C(SYS_select, ends[1] + 1, 0, P(ACROSS(1, 4)), 0, P(ACROSS(2, 8)));
  memcpy(&set, b + ACROSS(1, 4), 8);
  say(" %d", set == 1ul << ends[1]);
  return r;
}
static long t_pselect(void) {
  uint64_t set;
  sigset_t now;
  long r = C(SYS_pselect6, ends[1] + 1, 0, P(ACROSS(1, 4)), 0, P(ACROSS(2, 8)), P(ACROSS(4, 8)));
  memcpy(&set, b + ACROSS(1, 4), 8);
  sigprocmask(SIG_SETMASK, NULL, &now);
  say(" %d %d", set == 1ul << ends[1], sigismember(&now, SIGUSR1));
  return r;
}
static void p_epoll(void) {
  struct epoll_event e = {EPOLLOUT, {.u64 = 0x123456789abcdef}};
  put(ACROSS(1, 6), &e, sizeof e);
}
static long t_epoll(void) {
  int fd = epoll_create1(0);
  long r = C(SYS_epoll_ctl, fd, EPOLL_CTL_ADD, ends[1], P(ACROSS(1, 6)));
  struct epoll_event e;
  long w = C(SYS_epoll_wait, fd, P(ACROSS(3, 6)), 4, 1000);
  memcpy(&e, b + ACROSS(3, 6), sizeof e);
  say(" %ld %x %lx", w, e.events, (unsigned long)e.data.u64);
  close(fd);
  return r;
}

/* Sockets. */
static long t_socketpair(void) {
  long r = C(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, P(ACROSS(2, 4)));
  int s[2];
  memcpy(s, b + ACROSS(2, 4), 8);
  say(" %d", s[1] - s[0]);
  close(s[0]), close(s[1]);
  return r;
}
static long t_send(void) {
  int s[2];
  char back[3 * PAGE];
  socketpair(AF_UNIX, SOCK_STREAM, 0, s);
  long r = C(SYS_sendto, s[0], P(100), 2 * PAGE, 0, 0, 0);
  say(" %x", sum(back, recv(s[1], back, sizeof back, 0)));
  close(s[0]), close(s[1]);
  return r;
}
static void p_message(void) {
  letters();
  struct iovec v[2] = {{b + 2 * PAGE - 10, 20}, {b + 3 * PAGE - 10, 20}};
  struct { struct cmsghdr h; int fd; } c = {{CMSG_LEN(4), SOL_SOCKET, SCM_RIGHTS}, 1};
  struct msghdr m = {0, 0, (void *)P(PAGE + 8), 2, (void *)P(4 * PAGE), CMSG_LEN(4), 0};
  put(ACROSS(1, 20), &m, sizeof m);
  memmove(image + PAGE + 48, image + PAGE + 8, 0);
  put(PAGE + 300, v, sizeof v);
  m.msg_iov = (void *)P(PAGE + 300);
  put(ACROSS(1, 20), &m, sizeof m);
  put(4 * PAGE, &c, sizeof c);
}
static long t_sendmsg(void) {
  int s[2];
  char back[100], control[64];
  socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
  long r = C(SYS_sendmsg, s[0], P(ACROSS(1, 20)), 0);
  struct iovec v = {back, sizeof back};
  struct msghdr m = {0, 0, &v, 1, control, sizeof control, 0};
  ssize_t got = recvmsg(s[1], &m, 0);
  struct cmsghdr *c = CMSG_FIRSTHDR(&m);
  say(" %zd %x %d", got, sum(back, 40), c && c->cmsg_type == SCM_RIGHTS);
  if (c) close(*(int *)CMSG_DATA(c));
  close(s[0]), close(s[1]);
  return r;
}
static long t_recvmsg(void) {
  int s[2], fd = 1, got;
  socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
  struct iovec v = {"0123456789abcdefghij0123456789", 30};
  struct { struct cmsghdr h; int fd; } c = {{CMSG_LEN(4), SOL_SOCKET, SCM_RIGHTS}, fd};
  struct msghdr m = {0, 0, &v, 1, &c, CMSG_LEN(4), 0};
  sendmsg(s[0], &m, 0);
  long r = C(SYS_recvmsg, s[1], P(ACROSS(1, 20)), 0);
  memcpy(&m, b + ACROSS(1, 20), sizeof m);
  memcpy(&got, b + 4 * PAGE + 16, 4);
  say(" %x %x %zu", sum(b + 2 * PAGE - 10, 20), sum(b + 3 * PAGE - 10, 20), (size_t)m.msg_controllen);
  close(got);
  close(s[0]), close(s[1]);
  return r;
}
static void p_messages(void) {
  letters();
  struct iovec v[2] = {{b + 3 * PAGE, 7}, {b + 4 * PAGE, 9}};
  struct mmsghdr m[2] = {{{0, 0, (void *)P(2 * PAGE), 1, 0, 0, 0}, 0}, {{0, 0, (void *)P(5 * PAGE), 1, 0, 0, 0}, 0}};
  put(ACROSS(1, 64), m, sizeof m);
  put(2 * PAGE, v, 16);
  put(5 * PAGE, v + 1, 16);
}
static long t_sendmmsg(void) {
  int s[2];
  char one[32], two[32];
  struct mmsghdr m[2];
  socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
  long r = C(SYS_sendmmsg, s[0], P(ACROSS(1, 64)), 2, 0);
  memcpy(m, b + ACROSS(1, 64), sizeof m);
  say(" %u %u", m[0].msg_len, m[1].msg_len);
  say(" %x %x", sum(one, recv(s[1], one, 32, 0)), sum(two, recv(s[1], two, 32, 0)));
  say(" %zd", recv(s[1], two, 32, MSG_DONTWAIT));
  close(s[0]), close(s[1]);
  return r;
}
static long t_recvmmsg(void) {
  int s[2];
  struct mmsghdr m[2];
  socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
  send(s[0], "abc", 3, 0), send(s[0], "defgh", 5, 0);
  long r = C(SYS_recvmmsg, s[1], P(ACROSS(1, 64)), 2, 0, 0);
  memcpy(m, b + ACROSS(1, 64), sizeof m);
  say(" %u %u %.3s %.5s", m[0].msg_len, m[1].msg_len, b + 3 * PAGE, b + 4 * PAGE);
  close(s[0]), close(s[1]);
  return r;
}
static void p_length(void) {
  int length = 110;
  put(3 * PAGE, &length, 4);
  put(4 * PAGE, "\1\0\0\0", 4);
}
static long t_accept(void) {
  struct sockaddr_un a = {AF_UNIX, "\0kernel-userfaults"}, who = {AF_UNIX, "\0kernel-userfaults-client"};
  int l = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0), length;
  bind(l, (void *)&a, 20), bind(c, (void *)&who, 27), listen(l, 3), connect(c, (void *)&a, 20);
  long r = C(SYS_accept4, l, P(ACROSS(2, 4)), P(3 * PAGE), 0);
  memcpy(&length, b + 3 * PAGE, 4);
  say(" %d %x, more %ld", length, sum(b + ACROSS(2, 4), length), (fcntl(l, F_SETFL, O_NONBLOCK), C(SYS_accept, l, 0, 0)));
  close(r), close(l), close(c);
  return r >= 0 ? 0 : r;
}
static long t_recvfrom(void) {
  struct sockaddr_un a = {AF_UNIX, "\0kernel-userfaults"}, who = {AF_UNIX, "\0kernel-userfaults-client"};
  int l = socket(AF_UNIX, SOCK_DGRAM, 0), c = socket(AF_UNIX, SOCK_DGRAM, 0), length;
  bind(l, (void *)&a, 20), bind(c, (void *)&who, 27);
  sendto(c, "hello", 5, 0, (void *)&a, 20);
  long r = C(SYS_recvfrom, l, P(ACROSS(5, 2)), 20, 0, P(ACROSS(2, 4)), P(3 * PAGE));
  memcpy(&length, b + 3 * PAGE, 4);
  say(" %.5s %d %x", b + ACROSS(5, 2), length, sum(b + ACROSS(2, 4), length));
  close(l), close(c);
  return r;
}
static long t_socket_options(void) {
  int s = socket(AF_UNIX, SOCK_STREAM, 0), value;
  long r = C(SYS_setsockopt, s, SOL_SOCKET, SO_PASSCRED, P(4 * PAGE), 4);
  long g = C(SYS_getsockopt, s, SOL_SOCKET, SO_PASSCRED, P(ACROSS(2, 2)), P(3 * PAGE));
  memcpy(&value, b + ACROSS(2, 2), 4);
  say(" %ld %d", g, value);
  close(s);
  return r;
}

/* Processes. */
static pid_t child_that(int ends_with) {
  pid_t pid = fork();
  if (pid == 0) _exit(ends_with);
  return pid;
}
static long t_wait4(void) {
  int status;
  pid_t pid = child_that(7);
  long r = C(SYS_wait4, pid, P(ACROSS(2, 2)), 0, P(ACROSS(4, 20)));
  memcpy(&status, b + ACROSS(2, 2), 4);
  say(" %x, again %ld", status, C(SYS_wait4, pid, 0, 0, 0));
  return r == pid;
}
static long t_waitid(void) {
  siginfo_t info;
  pid_t pid = child_that(8);
  long r = C(SYS_waitid, P_PID, pid, P(ACROSS(2, 20)), WEXITED, 0);
  memcpy(&info, b + ACROSS(2, 20), sizeof info);
  say(" %d %d %d", info.si_signo, info.si_status, info.si_pid == pid);
  return r;
}
static long t_clone(void) {
  int parent, status;
  fflush(stdout);
  long r = C(SYS_clone, CLONE_PARENT_SETTID | SIGCHLD, 0, P(ACROSS(2, 2)), 0, 0);
  if (r == 0) _exit(3);
  memcpy(&parent, b + ACROSS(2, 2), 4);
  waitpid(r, &status, 0);
  say(" %d %x", parent == r, status);
  return r > 0;
}
static void p_clone3(void) {
  struct clone_args args = {.flags = CLONE_PIDFD, .pidfd = P(ACROSS(4, 2)), .exit_signal = SIGCHLD};
  put(ACROSS(2, 20), &args, sizeof args);
}
static long t_clone3(void) {
  int fd, status;
  long r = C(SYS_clone3, P(ACROSS(2, 20)), sizeof(struct clone_args));
  if (r == 0) _exit(4);
  memcpy(&fd, b + ACROSS(4, 2), 4);
  waitpid(r, &status, 0);
  say(" %d %x", close(fd), status);
  return r > 0;
}
static void p_exec(void) {
  long argv[4] = {P(3 * PAGE), P(4 * PAGE), P(ACROSS(5, 3)), 0};
  put(ACROSS(1, 8), "/proc/self/exe", 15);
  put(ACROSS(2, 16), argv, sizeof argv);
  put(3 * PAGE, "name", 5), put(4 * PAGE, "status", 7), put(ACROSS(5, 3), "42", 3);
}
static long t_exec(void) {
  /* The memory is not watched in the child: vfork's has the parent's. */
  int status;
  fflush(stdout);
  pid_t pid = vfork();
  if (pid == 0) {
    syscall(SYS_execve, b + ACROSS(1, 8), b + ACROSS(2, 16), NULL);
    _exit(99);
  }
  waitpid(pid, &status, 0);
  return status >> 8;
}

/* Signals. */
static volatile int handled;
static void handler(int number) {
  handled = number;
}
static void p_action(void) {
  struct { void *handler; unsigned long flags; void *restorer; uint64_t mask; } a = {SIG_IGN, 0, 0, 0};
  put(ACROSS(1, 16), &a, sizeof a);
}
static long t_sigaction(void) {
  long old[4];
  long r = C(SYS_rt_sigaction, SIGUSR2, P(ACROSS(1, 16)), P(ACROSS(3, 16)), 8);
  memcpy(old, b + ACROSS(3, 16), sizeof old);
  say(" %ld", old[0]);
  r += C(SYS_rt_sigaction, SIGUSR2, P(ACROSS(3, 16)), P(ACROSS(5, 16)), 8);
  memcpy(old, b + ACROSS(5, 16), sizeof old);
  say(" %ld", old[0]);
  return r;
}
static void p_mask(void) {
  uint64_t mask = 1 << (SIGUSR1 - 1);
  put(ACROSS(1, 4), &mask, 8);
  struct timespec t = {1, 0};
  put(ACROSS(5, 8), &t, sizeof t);
}
static long t_sigprocmask(void) {
  uint64_t old;
  long r = C(SYS_rt_sigprocmask, SIG_BLOCK, P(ACROSS(1, 4)), P(ACROSS(3, 4)), 8);
  memcpy(&old, b + ACROSS(3, 4), 8);
  say(" %lx", (unsigned long)old);
  kill(getpid(), SIGUSR1);
  r += C(SYS_rt_sigpending, P(ACROSS(4, 4)), 8);
  memcpy(&old, b + ACROSS(4, 4), 8);
  say(" %lx", (unsigned long)old);
  siginfo_t info;
  long w = C(SYS_rt_sigtimedwait, P(ACROSS(1, 4)), P(2 * PAGE - 10), P(ACROSS(5, 8)), 8);
  memcpy(&info, b + 2 * PAGE - 10, sizeof info);
  say(" %ld %d", w, info.si_pid == getpid());
  r += C(SYS_rt_sigprocmask, SIG_UNBLOCK, P(ACROSS(1, 4)), 0, 8);
  return r;
}
static void p_stack(void) {
  stack_t s = {b + 3 * PAGE, 0, 3 * PAGE};
  put(ACROSS(1, 8), &s, sizeof s);
}
static long t_frame(void) {
  struct sigaction a = {.sa_handler = handler, .sa_flags = SA_ONSTACK}, old;
  stack_t off = {0, SS_DISABLE, 0};
  long r = C(SYS_sigaltstack, P(ACROSS(1, 8)), P(ACROSS(2, 8)));
  sigaction(SIGUSR1, &a, &old);
  handled = 0;
  kill(getpid(), SIGUSR1);
  say(" %d", handled);
  sigaction(SIGUSR1, &old, NULL);
  sigaltstack(&off, NULL);
  return r;
}
static long t_signalfd(void) {
  struct signalfd_siginfo info;
  int fd = C(SYS_signalfd4, -1, P(ACROSS(1, 4)), 8, 0);
  sigset_t set;
  sigemptyset(&set), sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, NULL);
  kill(getpid(), SIGUSR1);
  long r = C(SYS_read, fd, P(ACROSS(3, 60)), sizeof info);
  memcpy(&info, b + ACROSS(3, 60), sizeof info);
  say(" %u", info.ssi_signo);
  sigprocmask(SIG_UNBLOCK, &set, NULL);
  close(fd);
  return r;
}

/* Times and limits. */
static void p_times(void) {
  struct timespec t = {0, 1000};
  put(ACROSS(1, 8), &t, sizeof t);
  struct itimerspec s = {{0, 0}, {1000, 0}};
  put(ACROSS(2, 16), &s, sizeof s);
  struct sigevent e = {.sigev_notify = SIGEV_NONE};
  put(ACROSS(5, 8), &e, sizeof e);
}
static long t_clock(void) {
  struct timespec t;
  long r = C(SYS_clock_gettime, CLOCK_REALTIME, P(ACROSS(3, 8)));
  memcpy(&t, b + ACROSS(3, 8), sizeof t);
  say(" %d", t.tv_sec > 1000000000);
  r += C(SYS_gettimeofday, P(ACROSS(4, 8)), 0);
  memcpy(&t, b + ACROSS(4, 8), sizeof t);
  say(" %d", t.tv_sec > 1000000000);
  return r + C(SYS_nanosleep, P(ACROSS(1, 8)), 0);
}
static long t_setitimer(void) {
  struct itimerval old, none = {0};
  long r = C(SYS_setitimer, ITIMER_REAL, P(ACROSS(2, 16)), P(ACROSS(4, 16)));
  memcpy(&old, b + ACROSS(4, 16), sizeof old);
  say(" %ld", old.it_value.tv_sec);
  r += C(SYS_getitimer, ITIMER_REAL, P(ACROSS(3, 16)));
  memcpy(&old, b + ACROSS(3, 16), sizeof old);
  say(" %ld", old.it_value.tv_sec);
  setitimer(ITIMER_REAL, &none, NULL);
  return r;
}
static long t_timer(void) {
  int id = -1;
  struct itimerspec old;
  long r = C(SYS_timer_create, CLOCK_MONOTONIC, P(ACROSS(5, 8)), P(ACROSS(4, 2)));
  memcpy(&id, b + ACROSS(4, 2), 4);
  r += C(SYS_timer_settime, id, 0, P(ACROSS(2, 16)), P(ACROSS(3, 16)));
  r += C(SYS_timer_gettime, id, P(ACROSS(1, 16)));
  memcpy(&old, b + ACROSS(1, 16), sizeof old);
  say(" %d %ld", id >= 0, old.it_value.tv_sec);
  return r + C(SYS_timer_delete, id);
}
static long t_timerfd(void) {
  struct itimerspec now;
  int fd = timerfd_create(CLOCK_MONOTONIC, 0);
  long r = C(SYS_timerfd_settime, fd, 0, P(ACROSS(2, 16)), P(ACROSS(4, 16)));
  r += C(SYS_timerfd_gettime, fd, P(ACROSS(3, 16)));
  memcpy(&now, b + ACROSS(3, 16), sizeof now);
  say(" %ld", now.it_value.tv_sec);
  close(fd);
  return r;
}
static void p_limit(void) {
  struct rlimit l = {33, 77777};
  put(ACROSS(1, 8), &l, sizeof l);
}
static long t_prlimit(void) {
  struct rlimit before, old, now;
  getrlimit(RLIMIT_CORE, &before);
  long r = C(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, P(ACROSS(3, 8)));
  memcpy(&old, b + ACROSS(3, 8), sizeof old);
  getrlimit(RLIMIT_NOFILE, &now);
  say(" %d", memcmp(&old, &now, sizeof old));
  return r;
}
static long t_names(void) {
  struct utsname u;
  struct sysinfo s;
  long r = C(SYS_uname, P(ACROSS(1, 100)));
  memcpy(&u, b + ACROSS(1, 100), sizeof u);
  r += C(SYS_sysinfo, P(ACROSS(3, 50)));
  memcpy(&s, b + ACROSS(3, 50), sizeof s);
  say(" %s %d", u.sysname, s.mem_unit);
  r += C(SYS_times, P(ACROSS(4, 16))) > 0 ? 0 : -1;
  return r + C(SYS_getrusage, RUSAGE_SELF, P(ACROSS(5, 100)));
}
static void p_capability(void) {
  struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
  put(ACROSS(1, 4), &h, sizeof h);
  put(ACROSS(5, 4), "threadname", 11);
}
static long t_credentials(void) {
  struct __user_cap_data_struct d[2];
  char name[16];
  int uid;
  long r = C(SYS_capget, P(ACROSS(1, 4)), P(ACROSS(2, 12)));
  memcpy(d, b + ACROSS(2, 12), sizeof d);
  r += C(SYS_getresuid, P(ACROSS(3, 2)), P(ACROSS(4, 2)), P(3 * PAGE));
  memcpy(&uid, b + 3 * PAGE, 4);
  say(" %d %d", (d[0].effective >> CAP_SYS_PTRACE) & 1, uid);
  prctl(PR_GET_NAME, name);
  r += C(SYS_prctl, PR_SET_NAME, P(ACROSS(5, 4)));
  r += C(SYS_prctl, PR_GET_NAME, P(4 * PAGE + 100));
  say(" %s", b + 4 * PAGE + 100);
  prctl(PR_SET_NAME, name);
  return r;
}
static long t_random(void) {
  return C(SYS_getrandom, P(PAGE - 100), 300, 0);
}
static long t_affinity(void) {
  uint64_t mask;
  struct sched_param p;
  long r = C(SYS_sched_getaffinity, 0, 128, P(ACROSS(1, 4))) > 0 ? 0 : -1;
  memcpy(&mask, b + ACROSS(1, 4), 8);
  r += C(SYS_sched_getparam, 0, P(ACROSS(3, 2)));
  memcpy(&p, b + ACROSS(3, 2), sizeof p);
  say(" %d %d", (int)(mask & 1), p.sched_priority);
  return r;
}

/* Futexes and System V. */
static void p_futex(void) {
  uint32_t words[2] = {5, 9};
  put(PAGE, words, 4);
  put(3 * PAGE, words + 1, 4);
  struct timespec t = {0, 1000};
  put(ACROSS(2, 8), &t, sizeof t);
}
static long t_futex_wait(void) {
  say(" %ld", C(SYS_futex, P(PAGE), FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 4, 0));
  return C(SYS_futex, P(PAGE), FUTEX_WAIT, 5, P(ACROSS(2, 8)));
}
static long t_futex_op(void) {
  uint32_t word;
  long r = C(SYS_futex, P(PAGE), FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 1, 1, P(3 * PAGE), FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 9));
  memcpy(&word, b + 3 * PAGE, 4);
  say(" %u", word);
  return r;
}
static long t_futex_pi(void) {
  uint32_t word;
  long r = C(SYS_futex, P(4 * PAGE), FUTEX_LOCK_PI | FUTEX_PRIVATE_FLAG, 0, 0);
  memcpy(&word, b + 4 * PAGE, 4);
  say(" %d", word == (uint32_t)gettid());
  return r;
}
static long t_futex_unlock(void) {
  uint32_t word;
  long r = C(SYS_futex, P(4 * PAGE), FUTEX_UNLOCK_PI | FUTEX_PRIVATE_FLAG, 0, 0);
  memcpy(&word, b + 4 * PAGE, 4);
  say(" %d", word == 0);
  return r;
}
static void p_tid(void) {
  uint32_t tid = gettid();
  put(4 * PAGE, &tid, 4);
}
static void p_msg(void) {
  long type = 5;
  put(ACROSS(1, 4), &type, 8);
  put(ACROSS(1, 4) + 8, "some text", 10);
  struct sembuf op = {0, 3, 0};
  put(ACROSS(2, 2), &op, sizeof op);
  unsigned short values[1] = {6};
  put(ACROSS(5, 1), values, 2);
}
static long t_msg(void) {
  int id = msgget(IPC_PRIVATE, 0600);
  struct msqid_ds ds;
  long r = C(SYS_msgsnd, id, P(ACROSS(1, 4)), 10, 0), type;
  long got = C(SYS_msgrcv, id, P(ACROSS(3, 4)), 100, 0, 0);
  memcpy(&type, b + ACROSS(3, 4), 8);
  r += C(SYS_msgctl, id, IPC_STAT, P(ACROSS(4, 50)));
  memcpy(&ds, b + ACROSS(4, 50), sizeof ds);
  say(" %ld %ld %s %ld", got, type, b + ACROSS(3, 4) + 8, (long)ds.msg_qnum);
  msgctl(id, IPC_RMID, NULL);
  return r;
}
static long t_sem(void) {
  int id = semget(IPC_PRIVATE, 1, 0600);
  long r = C(SYS_semctl, id, 0, SETALL, P(ACROSS(5, 1)));
  r += C(SYS_semop, id, P(ACROSS(2, 2)), 1);
  unsigned short value;
  r += C(SYS_semctl, id, 0, GETALL, P(ACROSS(3, 1)));
  memcpy(&value, b + ACROSS(3, 1), 2);
  say(" %u", value);
  semctl(id, 0, IPC_RMID);
  return r;
}

/* Memory. */
static long t_mincore(void) {
  long r = C(SYS_mincore, image, BYTES, P(ACROSS(2, 3)));
  say(" %d", b[ACROSS(2, 3)] & 1);
  return r;
}
static void p_remote(void) {
  letters();
  struct iovec to[1] = {{image, 500}}, from[2] = {{b + 3 * PAGE - 100, 200}, {b + 5 * PAGE - 100, 200}};
  put(ACROSS(1, 8), to, sizeof to);
  put(ACROSS(2, 16), from, sizeof from);
}
static char mine[500];
static long t_vm_readv(void) {
  struct iovec to = {mine, 500};
  memset(mine, 0, sizeof mine);
  long r = C(SYS_process_vm_readv, getpid(), &to, 1, P(ACROSS(2, 16)), 2, 0);
  say(" %x", sum(mine, 500));
  return r;
}
static long t_vm_writev(void) {
  struct iovec from = {mine, 300};
  memset(mine, 'w', sizeof mine);
  long r = C(SYS_process_vm_writev, getpid(), &from, 1, P(ACROSS(2, 16)), 2, 0);
  say(" %x", sum(b + 3 * PAGE - 100, 2 * PAGE + 200));
  return r;
}
static long t_mlock(void) {
  long r = C(SYS_mlock, P(PAGE), 3 * PAGE);
  return r + C(SYS_munlock, P(PAGE), 3 * PAGE);
}
static long t_populate(void) {
  return C(SYS_madvise, P(PAGE), 2 * PAGE, 22) + C(SYS_madvise, P(3 * PAGE), 2 * PAGE, 23);
}
static long t_ptrace(void) {
  int status;
  long word = 0x1122334455667788, back = 0;
  pid_t parent = getpid(), child = 0;
  fflush(stdout);
  /* vfork's child has the same memory, and is traced by nobody; a thread of the child traces nothing here: the child
   * with the memory stops, and this process looks into it. */
  static char stack[65536] __attribute__((aligned(16)));
  (void)parent;
  child = C(SYS_clone, CLONE_VM | SIGCHLD, stack + sizeof stack - 64, 0, 0, 0);
  if (child == 0) {
    syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0);
    syscall(SYS_kill, syscall(SYS_getpid), SIGSTOP);
    syscall(SYS_exit, 0);
  }
  waitpid(child, &status, __WALL);
  long r = C(SYS_ptrace, PTRACE_PEEKDATA, child, P(ACROSS(1, 4)), &back);
  say(" %lx", back);
  r += C(SYS_ptrace, PTRACE_POKEDATA, child, P(ACROSS(3, 4)), word);
  memcpy(&back, b + ACROSS(3, 4), 8);
  say(" %lx", back);
  ptrace(PTRACE_CONT, child, 0, 0);
  waitpid(child, &status, __WALL);
  return r;
}
static void p_copy(void) {
  letters();
}
static long t_uffdio_copy(void) {
  /* The source is watched, the target another area. */
  char *to = b + 16 * PAGE;
  mmap(to, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  uint64_t reg[4] = {(uintptr_t)to, 2 * PAGE, 1, 0};
  ioctl(uffd, REGISTER, reg);
  uint64_t words[5] = {(uintptr_t)to, (uintptr_t)b + 2 * PAGE, 2 * PAGE, 0, 0};
  long r = C(SYS_ioctl, uffd, COPY, words);
  say(" %lu %x", (unsigned long)words[4], r == 0 ? sum(to, 2 * PAGE) : 0);
  ioctl(uffd, UNREGISTER, reg);
  munmap(to, 2 * PAGE);
  return r;
}

static const struct test tests[] = {
    {"read", letters, t_read},
    {"pread64", letters, t_pread},
    {"write", letters, t_write},
    {"writev", p_vector, t_writev},
    {"readv", p_vector, t_readv},
    {"write to a pipe", letters, t_pipe_write},
    {"writev to a pipe", p_vector, t_pipe_writev},
    {"read from a pipe", letters, t_pipe_read},
    {"pipe2", nothing, t_pipe2},
    {"sendfile", p_offset, t_sendfile},
    {"copy_file_range", p_offset, t_copy_range},
    {"splice", p_offset, t_splice},
    {"vmsplice", p_vector, t_vmsplice},
    {"read of /proc/self/mem", letters, t_proc_mem_read},
    {"write of /proc/self/mem", letters, t_proc_mem_write},
    {"openat", p_path, t_open},
    {"newfstatat", p_path, t_stat},
    {"statx", p_path, t_statx},
    {"statfs", p_path, t_statfs},
    {"rename", p_path, t_rename},
    {"readlink", p_path, t_readlink},
    {"getcwd", nothing, t_getcwd},
    {"getdents64", nothing, t_getdents},
    {"mkdir", p_path, t_mkdir},
    {"poll", p_poll, t_poll},
    {"ppoll", p_poll, t_ppoll},
    {"select", p_select, t_select},
    {"pselect6", p_select, t_pselect},
    {"epoll", p_epoll, t_epoll},
    {"socketpair", nothing, t_socketpair},
    {"sendto", letters, t_send},
    {"sendmsg", p_message, t_sendmsg},
    {"recvmsg", p_message, t_recvmsg},
    {"sendmmsg", p_messages, t_sendmmsg},
    {"recvmmsg", p_messages, t_recvmmsg},
    {"accept4", p_length, t_accept},
    {"recvfrom", p_length, t_recvfrom},
    {"socket options", p_length, t_socket_options},
    {"wait4", nothing, t_wait4},
    {"waitid", nothing, t_waitid},
    {"clone", nothing, t_clone},
    {"clone3", p_clone3, t_clone3},
    {"execve", p_exec, t_exec},
    {"rt_sigaction", p_action, t_sigaction},
    {"signal masks", p_mask, t_sigprocmask},
    {"a signal's frame", p_stack, t_frame},
    {"signalfd", p_mask, t_signalfd},
    {"clocks", p_times, t_clock},
    {"setitimer", p_times, t_setitimer},
    {"timer_create", p_times, t_timer},
    {"timerfd", p_times, t_timerfd},
    {"prlimit64", p_limit, t_prlimit},
    {"uname and others", nothing, t_names},
    {"credentials", p_capability, t_credentials},
    {"getrandom", nothing, t_random},
    {"scheduling", nothing, t_affinity},
    {"futex wait", p_futex, t_futex_wait},
    {"futex wake op", p_futex, t_futex_op},
    {"futex lock", nothing, t_futex_pi},
    {"futex unlock", p_tid, t_futex_unlock},
    {"message queue", p_msg, t_msg},
    {"semaphores", p_msg, t_sem},
    {"mincore", nothing, t_mincore},
    {"process_vm_readv", p_remote, t_vm_readv},
    {"process_vm_writev", p_remote, t_vm_writev},
    {"mlock", letters, t_mlock},
    {"madvise populate", letters, t_populate},
    {"ptrace", letters, t_ptrace},
    {"UFFDIO_COPY", p_copy, t_uffdio_copy},
};

int main(int argc, char **argv) {
  if (argc > 2 && strcmp(argv[1], "status") == 0) return atoi(argv[2]);
  static char template[] = "/tmp/kernel-userfaults-XXXXXX";
  dir = mkdtemp(template);
  if (chdir("/tmp") != 0) return 1;
  uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
  uint64_t api[3] = {0xaa, 0, 0};
  if (uffd < 0 || ioctl(uffd, API, api) != 0) {
    perror("userfaultfd");
    return 1;
  }
  if (pipe2(ends, O_CLOEXEC) != 0) return 1;
  pthread_t thread;
  sigset_t all, none;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &none);
  pthread_create(&thread, NULL, answer, NULL);
  sigprocmask(SIG_SETMASK, &none, NULL);
  for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
    const struct test *test = tests + i;
    if (argc > 1 && strcmp(argv[1], test->name) != 0) continue;
    char first[sizeof said];
    printf("%s:", test->name);
    for (enum mode mode = PRESENT; mode <= PROTECTED; mode++) {
      static char kept[BYTES];
      memset(image, 0, BYTES);
      test->prepare();
      memcpy(kept, image, BYTES);
      faults[0] = said[0] = 0;
      lay(mode);
      fflush(stdout);
      long result = test->run();
      if (mode == PRESENT) printf(" %ld%s", result, said), say(" (%ld)", result), strcpy(first, said);
      else {
        say(" (%ld)", result);
        printf(mode == MISSING ? "\n  missing:%s" : "\n  protected:%s", faults);
        if (strcmp(first, said) != 0) printf(" BUT%s", said);
      }
    }
    printf("\n");
  }
  char path[256];
  static const char *const names[] = {"f", "g"};
  for (int i = 0; i < 2; i++) snprintf(path, sizeof path, "%s/%s", dir, names[i]), unlink(path);
  if (write(ends[1], "x", 1) != 1) return 1;
  pthread_join(thread, NULL);
  return rmdir(dir);
}
