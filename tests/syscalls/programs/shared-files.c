/*
 * Files between processes: locks of all kinds, waiting for them, their end; names that go while they are in use.
 * One line a result: run in an empty directory of a tmpfs, as root, umask 022, in a process namespace of its own.
 * Built without a libc:
 *   gcc -static -nostdlib -Os -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables -Wl,--build-id=none -s -o shared-files.elf shared-files.c
 */
#define _GNU_SOURCE
#include <asm/unistd.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <linux/time_types.h>

static long sys(long n, long a, long b, long c, long d, long e, long f) {
  long r;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
  return r;
}
#define S0(n) sys(__NR_##n, 0, 0, 0, 0, 0, 0)
#define S1(n, a) sys(__NR_##n, (long)(a), 0, 0, 0, 0, 0)
#define S2(n, a, b) sys(__NR_##n, (long)(a), (long)(b), 0, 0, 0, 0)
#define S3(n, a, b, c) sys(__NR_##n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define S4(n, a, b, c, d) sys(__NR_##n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define S5(n, a, b, c, d, e) sys(__NR_##n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define S6(n, a, b, c, d, e, f) sys(__NR_##n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

void *memset(void *p, int c, unsigned long n) { char *q = p; while (n--) *q++ = c; return p; }
void *memcpy(void *p, const void *s, unsigned long n) { char *q = p; const char *r = s; while (n--) *q++ = *r++; return p; }
static unsigned long length(const char *s) { unsigned long n = 0; while (s[n]) n++; return n; }
static char line[512];
static int used;
static void text(const char *s) { while (*s) line[used++] = *s++; }
static void number(long v) { char t[24]; int i = 24; t[--i] = 0; if (v < 0) { line[used++] = '-'; v = -v; } do t[--i] = '0' + v % 10; while (v /= 10); text(t + i); }
static void end(void) { line[used++] = '\n'; S3(write, 1, line, used); used = 0; }
static void show(const char *what, long v) { text(what); text(" "); number(v); end(); }

static void sleepMs(long ms) { struct __kernel_timespec t = {ms / 1000, ms % 1000 * 1000000}; S2(nanosleep, &t, 0); }
static void waitFor(long pid) { int status; S4(wait4, pid, &status, 0, 0); }
static long start(void) { return S0(fork); }
static void leave(void) { S1(exit_group, 0); }

static long record(long fd, int command, int type, long from, long count) {
  struct flock l = {type, SEEK_SET, from, count, 0};
  return S3(fcntl, fd, command, &l);
}
static void tell(const char *what, long fd, int command, int type, long from, long count, int parent) {
  struct flock l = {type, SEEK_SET, from, count, 0};
  long r = S3(fcntl, fd, command, &l);
  text(what); text(" "); number(r);
  text(" type "); number(l.l_type); text(" start "); number(l.l_start); text(" length "); number(l.l_len);
  text(" pid "); text(l.l_pid == -1 ? "none" : l.l_pid == 0 ? "0" : l.l_pid == S0(getppid) && parent ? "parent" : l.l_pid == S0(getpid) ? "own" : "other");
  end();
}
static long create(const char *name) { return S3(open, name, O_RDWR | O_CREAT, 0644); }

static void flocks(void) {
  long a = create("f");
  show("flock exclusive", S2(flock, a, LOCK_EX));
  long pid = start();
  if (pid == 0) {
    long b = S3(open, "f", O_RDWR, 0);
    show("child: another description", S2(flock, b, LOCK_EX | LOCK_NB));
    show("child: shared, another description", S2(flock, b, LOCK_SH | LOCK_NB));
    show("child: the inherited one", S2(flock, a, LOCK_EX | LOCK_NB));
    show("child: waited", S2(flock, b, LOCK_SH));
    show("child: read by both", S2(flock, a, LOCK_SH | LOCK_NB));
    leave();
  }
  sleepMs(50);
  show("parent unlocks", S2(flock, a, LOCK_UN));
  waitFor(pid);
  show("after the child", S2(flock, a, LOCK_EX | LOCK_NB));
  pid = start();
  if (pid == 0) {
    long b = S3(open, "f", O_RDWR, 0);
    S1(close, a);
    show("child: waited for the last close", S2(flock, b, LOCK_EX));
    leave();
  }
  sleepMs(50);
  S1(close, a);
  waitFor(pid);
  a = S3(open, "f", O_RDWR, 0);
  pid = start();
  if (pid == 0) {
    long b = S3(open, "f", O_RDWR, 0);
    S2(flock, b, LOCK_EX);
    sleepMs(50);
    leave();
  }
  sleepMs(20);
  show("parent waited for the child's end", S2(flock, a, LOCK_EX));
  waitFor(pid);
  show("flock 0", S2(flock, a, 0));
  show("flock both", S2(flock, a, LOCK_SH | LOCK_EX));
  show("flock mand", S2(flock, a, 32 | LOCK_SH));
  show("flock bad fd", S2(flock, 77, LOCK_EX));
  long path = S3(open, "f", O_PATH, 0);
  show("flock O_PATH", S2(flock, path, LOCK_EX));
  S1(close, path);
  S1(close, a);
}

static void records(void) {
  long a = create("r"), other = S3(open, "r", O_RDWR, 0);
  show("write lock", record(a, F_SETLK, F_WRLCK, 0, 10));
  show("read lock behind", record(a, F_SETLK, F_RDLCK, 20, 0));
  long pid = start();
  if (pid == 0) {
    tell("child: who", a, F_GETLK, F_WRLCK, 5, 1, 1);
    tell("child: who behind", a, F_GETLK, F_WRLCK, 15, 100, 1);
    tell("child: read behind", a, F_GETLK, F_RDLCK, 15, 100, 1);
    show("child: not inherited", record(a, F_SETLK, F_WRLCK, 9, 1));
    show("child: beside", record(a, F_SETLK, F_WRLCK, 10, 5));
    show("child: unlock does nothing", record(a, F_SETLK, F_UNLCK, 0, 0));
    show("child: still", record(a, F_SETLK, F_RDLCK, 0, 1));
    show("child: waited", record(a, F_SETLKW, F_WRLCK, 0, 0));
    leave();
  }
  sleepMs(50);
  show("parent closes another descriptor", S1(close, other));
  waitFor(pid);
  tell("parent: none left", a, F_GETLK, F_WRLCK, 0, 0, 0);
  pid = start();
  if (pid == 0) {
    record(a, F_SETLK, F_WRLCK, 0, 0);
    sleepMs(50);
    leave();
  }
  sleepMs(20);
  show("parent waited for the child's end", record(a, F_SETLKW, F_WRLCK, 3, 4));
  waitFor(pid);
  /* Splitting and joining. */
  record(a, F_SETLK, F_WRLCK, 0, 100);
  record(a, F_SETLK, F_RDLCK, 40, 20);
  record(a, F_SETLK, F_UNLCK, 45, 5);
  pid = start();
  if (pid == 0) {
    for (long at = 0; at < 120; at += 10) tell("split", a, F_GETLK, F_WRLCK, at, 10, 1);
    tell("split, reading", a, F_GETLK, F_RDLCK, 40, 10, 1);
    leave();
  }
  waitFor(pid);
  struct flock l = {F_WRLCK, SEEK_CUR, -1, 1, 0};
  show("before the beginning", S3(fcntl, a, F_SETLK, &l));
  l = (struct flock){F_WRLCK, SEEK_SET, 10, -10, 0};
  show("backwards", S3(fcntl, a, F_SETLK, &l));
  l = (struct flock){F_WRLCK, SEEK_SET, 10, -11, 0};
  show("backwards too far", S3(fcntl, a, F_SETLK, &l));
  l = (struct flock){F_WRLCK, 3, 0, 0, 0};
  show("bad whence", S3(fcntl, a, F_SETLK, &l));
  l = (struct flock){7, SEEK_SET, 0, 0, 0};
  show("bad type", S3(fcntl, a, F_SETLK, &l));
  l = (struct flock){F_WRLCK, SEEK_SET, 0x7fffffffffffffff, 2, 0};
  show("past the end", S3(fcntl, a, F_SETLK, &l));
  show("getlk of unlock", record(a, F_GETLK, F_UNLCK, 0, 0));
  show("bad pointer", S3(fcntl, a, F_SETLK, 8));
  long read = S3(open, "r", O_RDONLY, 0), write = S3(open, "r", O_WRONLY, 0);
  show("write lock on a reader", record(read, F_SETLK, F_WRLCK, 0, 1));
  show("read lock on a writer", record(write, F_SETLK, F_RDLCK, 0, 1));
  S1(close, read); S1(close, write); S1(close, a);
}

static void deadlock(void) {
  long a = create("d");
  record(a, F_SETLK, F_WRLCK, 0, 1);
  long pid = start();
  if (pid == 0) {
    record(a, F_SETLK, F_WRLCK, 1, 1);
    show("child: waited", record(a, F_SETLKW, F_WRLCK, 0, 1));
    leave();
  }
  sleepMs(50);
  show("parent would wait for itself", record(a, F_SETLKW, F_WRLCK, 1, 1));
  record(a, F_SETLK, F_UNLCK, 0, 1);
  waitFor(pid);
  /* A ring of three. */
  record(a, F_SETLK, F_WRLCK, 0, 1);
  long one = start();
  if (one == 0) { record(a, F_SETLK, F_WRLCK, 1, 1); sleepMs(40); record(a, F_SETLKW, F_WRLCK, 2, 1); leave(); }
  long two = start();
  if (two == 0) { record(a, F_SETLK, F_WRLCK, 2, 1); sleepMs(40); record(a, F_SETLKW, F_WRLCK, 0, 1); leave(); }
  sleepMs(100);
  show("a ring of three", record(a, F_SETLKW, F_WRLCK, 1, 1));
  record(a, F_SETLK, F_UNLCK, 0, 1);
  waitFor(one);
  waitFor(two);
  S1(close, a);
}

static void descriptions(void) {
  long a = create("o"), b = S3(open, "o", O_RDWR, 0);
  show("ofd", record(a, F_OFD_SETLK, F_WRLCK, 0, 10));
  show("ofd, another description", record(b, F_OFD_SETLK, F_WRLCK, 5, 1));
  show("posix against ofd", record(a, F_SETLK, F_WRLCK, 5, 1));
  tell("who", b, F_OFD_GETLK, F_WRLCK, 0, 0, 0);
  tell("who, posix", a, F_GETLK, F_WRLCK, 0, 0, 0);
  tell("own", a, F_OFD_GETLK, F_UNLCK, 3, 1, 0);
  tell("own, none", b, F_OFD_GETLK, F_UNLCK, 3, 1, 0);
  struct flock l = {F_WRLCK, SEEK_SET, 0, 1, 5};
  show("ofd with a pid", S3(fcntl, a, F_OFD_SETLK, &l));
  long pid = start();
  if (pid == 0) {
    show("child: inherited", record(a, F_OFD_SETLK, F_WRLCK, 0, 20));
    S1(close, b);
    long c = S3(open, "o", O_RDWR, 0);
    show("child: waited", record(c, F_OFD_SETLKW, F_RDLCK, 0, 1));
    leave();
  }
  sleepMs(50);
  tell("grown by the child", b, F_OFD_GETLK, F_WRLCK, 15, 1, 0);
  show("closing another changes nothing", S1(close, b));
  show("unlock", record(a, F_OFD_SETLK, F_UNLCK, 0, 0));
  waitFor(pid);
  S1(close, a);
}

static volatile int signalled;
static void handler(int s) { signalled = s; }
extern void restorer(void);
__asm__("restorer: mov $15,%eax; syscall");
struct action { void (*handler)(int); unsigned long flags; void (*restorer)(void); unsigned long mask; };
static void interrupted(void) {
  long a = create("i");
  for (int restart = 0; restart < 2; restart++) {
    S2(flock, a, LOCK_EX);
    record(a, F_SETLK, F_WRLCK, 0, 1);
    long pid = start();
    if (pid == 0) {
      struct action act = {handler, 0x04000000 | (restart ? 0x10000000 : 0), restorer, 0};
      S4(rt_sigaction, 10, &act, 0, 8);
      long b = S3(open, "i", O_RDWR, 0);
      show("child: flock", S2(flock, b, LOCK_EX));
      show("child: signal", signalled);
      signalled = 0;
      show("child: record", record(b, F_SETLKW, F_WRLCK, 0, 1));
      show("child: signal", signalled);
      leave();
    }
    sleepMs(30);
    S2(kill, pid, 10);
    sleepMs(30);
    if (restart) S2(flock, a, LOCK_UN);
    sleepMs(30);
    S2(kill, pid, 10);
    sleepMs(30);
    if (restart) record(a, F_SETLK, F_UNLCK, 0, 1);
    waitFor(pid);
    S2(flock, a, LOCK_UN);
  }
  S1(close, a);
}

struct entry { unsigned long ino; long off; unsigned short length; unsigned char type; char name[]; };
static int entries(long fd, char *buffer, long size, const char *what) {
  long n = S3(getdents64, fd, buffer, size);
  if (n <= 0) { show(what, n); return n; }
  int count = 0, dots = 0;
  for (long at = 0; at < n;) {
    struct entry *e = (struct entry *)(buffer + at);
    if (e->name[0] == '.') dots++;
    else count++;
    at += e->length;
  }
  text(what); text(" names "); number(count); text(" dots "); number(dots); end();
  return n;
}
static void directories(void) {
  static char buffer[8192];
  S2(mkdir, "many", 0755);
  S1(chdir, "many");
  char name[4] = "f00";
  for (int i = 0; i < 40; i++) { name[1] = '0' + i / 10; name[2] = '0' + i % 10; S1(close, create(name)); }
  long fd = S3(open, ".", O_RDONLY | O_DIRECTORY, 0);
  entries(fd, buffer, 24 * 12, "a part of 40");
  for (int i = 0; i < 40; i++) { name[1] = '0' + i / 10; name[2] = '0' + i % 10; S1(unlink, name); }
  entries(fd, buffer, sizeof buffer, "after all were removed");
  S3(lseek, fd, 0, SEEK_SET);
  entries(fd, buffer, sizeof buffer, "from the beginning");
  for (int i = 0; i < 3; i++) { name[1] = 'x'; name[2] = '0' + i; S1(close, create(name)); }
  S3(lseek, fd, 0, SEEK_SET);
  entries(fd, buffer, sizeof buffer, "three new");
  entries(fd, buffer, sizeof buffer, "end");
  S1(close, fd);
  S1(chdir, "..");
  fd = S3(open, "many", O_RDONLY | O_DIRECTORY, 0);
  S1(unlink, "many/fx0"); S1(unlink, "many/fx1"); S1(unlink, "many/fx2");
  show("rmdir", S1(rmdir, "many"));
  entries(fd, buffer, sizeof buffer, "of a removed directory");
  show("create in it", S4(openat, fd, "x", O_CREAT | O_RDWR, 0644));
  show("mkdir in it", S3(mkdirat, fd, "x", 0755));
  show("stat .. of it", S4(faccessat, fd, "..", 0, 0));
  S1(close, fd);
}

static void nameless(void) {
  char bytes[64];
  struct stat st;
  long a = create("u");
  S3(write, a, "bytes", 5);
  S1(unlink, "u");
  show("links of an unlinked file", S2(fstat, a, &st) ? -1 : (long)st.st_nlink);
  show("written", S4(pwrite64, a, "B", 1, 0));
  memset(bytes, 0, sizeof bytes);
  S4(pread64, a, bytes, 5, 0);
  text(bytes); end();
  char path[20] = "/proc/self/fd/";
  path[14] = '0' + a;
  memset(bytes, 0, sizeof bytes);
  long n = S3(readlink, path, bytes, 63);
  text(n > 10 ? bytes + n - 10 : "short"); end();
  show("opened again", S3(open, path, O_RDONLY, 0) > 0);
  show("linked again", S5(linkat, AT_FDCWD, path, AT_FDCWD, "again", AT_SYMLINK_FOLLOW));
  show("linked by descriptor", S5(linkat, a, "", AT_FDCWD, "again", AT_EMPTY_PATH));
  long t = S3(open, ".", O_TMPFILE | O_RDWR, 0600);
  S3(write, t, "tmp", 3);
  path[14] = '0' + t % 10;
  show("O_TMPFILE links", S2(fstat, t, &st) ? -1 : (long)st.st_nlink);
  show("O_TMPFILE linked", S5(linkat, AT_FDCWD, path, AT_FDCWD, "tmpnamed", AT_SYMLINK_FOLLOW));
  show("O_TMPFILE links then", S2(fstat, t, &st) ? -1 : (long)st.st_nlink);
  show("twice", S5(linkat, t, "", AT_FDCWD, "tmptwice", AT_EMPTY_PATH));
  S1(close, t);
  t = S3(open, ".", O_TMPFILE | O_RDWR | O_EXCL, 0600);
  path[14] = '0' + t % 10;
  show("O_TMPFILE with O_EXCL linked", S5(linkat, AT_FDCWD, path, AT_FDCWD, "never", AT_SYMLINK_FOLLOW));
  show("O_TMPFILE read only", S3(open, ".", O_TMPFILE | O_RDONLY, 0600));
  show("O_TMPFILE at a file", S3(open, "tmpnamed", O_TMPFILE | O_RDWR, 0600));
  S1(close, t); S1(close, a);
}

static void copies(void) {
  long a = create("c1"), b = create("c2");
  int ends[2];
  char bytes[64];
  S3(write, a, "0123456789", 10);
  S1(pipe, ends);
  long off = 4;
  show("sendfile to a pipe", S4(sendfile, ends[1], a, &off, 100));
  show("offset", off);
  show("sendfile at the position", S4(sendfile, b, a, 0, 100));
  S3(lseek, a, 2, SEEK_SET);
  show("sendfile to a file", S4(sendfile, b, a, 0, 3));
  show("position in", S3(lseek, a, 0, SEEK_CUR));
  show("position out", S3(lseek, b, 0, SEEK_CUR));
  show("sendfile from a pipe", S4(sendfile, b, ends[0], 0, 3));
  show("sendfile itself", S4(sendfile, a, a, 0, 3));
  long dir = S3(open, ".", O_RDONLY | O_DIRECTORY, 0);
  show("sendfile of a directory", S4(sendfile, b, dir, 0, 3));
  S3(fcntl, b, F_SETFL, O_APPEND);
  show("sendfile to append", S4(sendfile, b, a, 0, 3));
  S3(fcntl, b, F_SETFL, 0);
  long from = 1, to = 20;
  show("copy_file_range", S6(copy_file_range, a, &from, b, &to, 5, 0));
  show("from", from); show("to", to);
  show("copy past the end", (from = 100, S6(copy_file_range, a, &from, b, &to, 5, 0)));
  show("copy overlapping", (from = 0, to = 2, S6(copy_file_range, a, &from, a, &to, 5, 0)));
  show("copy within", (from = 0, to = 8, S6(copy_file_range, a, &from, a, &to, 5, 0)));
  show("copy flags", S6(copy_file_range, a, 0, b, 0, 5, 1));
  show("copy a directory", S6(copy_file_range, dir, 0, b, 0, 5, 0));
  show("copy a pipe", S6(copy_file_range, ends[0], 0, b, 0, 5, 0));
  show("copy negative", (from = -1, S6(copy_file_range, a, &from, b, 0, 5, 0)));
  struct stat st;
  S2(fstat, a, &st); show("size of a", st.st_size);
  S2(fstat, b, &st); show("size of b", st.st_size);
  show("sendfile negative", (off = -1, S4(sendfile, b, a, &off, 3)));
  show("sendfile bad pointer", S4(sendfile, b, a, 8, 3));
  show("read the pipe", S3(read, ends[0], bytes, 64));
  S1(close, a); S1(close, b); S1(close, dir); S1(close, ends[0]); S1(close, ends[1]);
}

static void renames(void) {
  S1(close, create("x")); S1(close, create("y")); S2(mkdir, "dx", 0755); S2(mkdir, "dy", 0755); S1(close, create("dy/in"));
  show("noreplace taken", S5(renameat2, AT_FDCWD, "x", AT_FDCWD, "y", 1));
  show("noreplace free", S5(renameat2, AT_FDCWD, "x", AT_FDCWD, "z", 1));
  show("exchange", S5(renameat2, AT_FDCWD, "z", AT_FDCWD, "dx", 2));
  show("exchange missing", S5(renameat2, AT_FDCWD, "z", AT_FDCWD, "none", 2));
  show("exchange below", S5(renameat2, AT_FDCWD, "dy", AT_FDCWD, "dy/in", 2));
  show("exchange across", S5(renameat2, AT_FDCWD, "dx", AT_FDCWD, "dy/in", 2));
  show("both flags", S5(renameat2, AT_FDCWD, "y", AT_FDCWD, "z", 3));
  show("bad flag", S5(renameat2, AT_FDCWD, "y", AT_FDCWD, "z", 8));
  show("over a full directory", S2(rename, "z", "dy"));
  show("file over directory", S2(rename, "y", "dy"));
  show("directory over file", S2(rename, "dy", "y"));
  show("into itself", S2(rename, "dy", "dy/in/x"));
  show("to dot", S2(rename, "dy", "."));
  show("same file", S2(rename, "y", "y"));
  S2(link, "y", "y2");
  show("two names of one", S2(rename, "y", "y2"));
  show("both stay", S2(access, "y", 0));
  long fd = S3(open, "y", O_RDONLY, 0);
  S1(close, create("w"));
  show("over an open file", S2(rename, "w", "y"));
  struct stat st;
  S2(fstat, fd, &st); show("its links", st.st_nlink);
  S1(close, fd);
  show("trailing slash on a file", S2(rename, "y", "q/"));
  show("trailing slash on a directory", S2(rename, "dy/", "dq/"));
}

static void devices(void) {
  char bytes[32];
  long full = S3(open, "/dev/full", O_RDWR, 0);
  show("write to full", S3(write, full, "x", 1));
  show("read from full", S3(read, full, bytes, 32));
  long shm = S3(open, "/dev/shm/sealab-test", O_RDWR | O_CREAT | O_EXCL, 0600);
  show("shm", shm > 0);
  show("ftruncate", S2(ftruncate, shm, 8192));
  volatile int *map = (int *)S6(mmap, 0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, shm, 0);
  S1(unlink, "/dev/shm/sealab-test");
  long pid = start();
  if (pid == 0) { map[1024] = 42; leave(); }
  waitFor(pid);
  show("the child's store", map[1024]);
  S4(pread64, shm, bytes, 4, 4096);
  show("read", *(int *)bytes);
  show("random", S3(read, S3(open, "/dev/random", O_RDONLY, 0), bytes, 16));
  show("urandom", S3(read, S3(open, "/dev/urandom", O_RDONLY, 0), bytes, 16));
  show("null", S3(write, S3(open, "/dev/null", O_WRONLY, 0), bytes, 16));
  show("zero", S3(read, S3(open, "/dev/zero", O_RDONLY, 0), bytes, 16));
  char path[12] = "/dev/fd/0";
  long a = create("devfd");
  path[8] = '0' + a % 10;
  if (a < 10) show("/dev/fd", S3(open, path, O_RDWR, 0) > 0);
  else show("/dev/fd", 1);
  show("no device", S3(mknod, "nodevice", S_IFCHR | 0600, 0xf0f0f));
  show("opened", S3(open, "nodevice", O_RDWR, 0));
  show("mknod directory", S3(mknod, "d2", S_IFDIR | 0755, 0));
  show("mknod bad", S3(mknod, "d3", 0170000 | 0755, 0));
  show("mknod plain", S3(mknod, "d4", 0644, 0));
}

int run(void) {
  flocks();
  records();
  deadlock();
  descriptions();
  interrupted();
  directories();
  nameless();
  copies();
  renames();
  devices();
  return 0;
}

__asm__(".globl _start\n_start: mov %rsp,%rdi; and $-16,%rsp; call run; mov %eax,%edi; mov $231,%eax; syscall");
