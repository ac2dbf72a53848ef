/*
 * Tries to get out of the tree it is shown: argv[1] is a directory of it that a host directory or an archive is shown
 * at, argv[2] the host's path of a file outside, which begins with CANARY. Says how it got there, if it did, and at the
 * end how often it tried. Run as root. Built without a libc:
 *   gcc -static -nostdlib -Os -fno-stack-protector -fno-asynchronous-unwind-tables -ffreestanding -Wl,--build-id=none -s -o escape.elf escape.c
 */
#define _GNU_SOURCE
#include <asm/unistd.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>

static long sys(long n, long a, long b, long c, long d, long e, long f) {
  long r;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
  return r;
}
#define S1(n, a) sys(__NR_##n, (long)(a), 0, 0, 0, 0, 0)
#define S2(n, a, b) sys(__NR_##n, (long)(a), (long)(b), 0, 0, 0, 0)
#define S3(n, a, b, c) sys(__NR_##n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define S4(n, a, b, c, d) sys(__NR_##n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define S5(n, a, b, c, d, e) sys(__NR_##n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)

void *memset(void *p, int c, unsigned long n) { char *q = p; while (n--) *q++ = c; return p; }
static unsigned long len(const char *s) { unsigned long n = 0; while (s[n]) n++; return n; }
static void say(const char *s) { S3(write, 1, s, len(s)); }
static void number(long v) { char t[24]; int i = 24; t[--i] = 0; do t[--i] = '0' + v % 10; while (v /= 10); say(t + i); }
static long tries;

/* Joins up to three texts; the room is used again after eight more. */
static char *join(const char *a, const char *b, const char *c) {
  static char room[8][8192];
  static int next;
  char *to = room[next++ & 7], *at = to;
  for (; *a; a++) *at++ = *a;
  for (; *b; b++) *at++ = *b;
  for (; *c; c++) *at++ = *c;
  *at = 0;
  return to;
}

static void check(long fd, const char *how, const char *path) {
  char bytes[64];
  tries++;
  if (fd < 0) return;
  memset(bytes, 0, sizeof bytes);
  long n = S4(pread64, fd, bytes, 63, 0);
  for (long i = 0; i + 6 <= n; i++)
    if (bytes[i] == 'C' && bytes[i + 1] == 'A' && bytes[i + 2] == 'N' && bytes[i + 3] == 'A' && bytes[i + 4] == 'R' && bytes[i + 5] == 'Y') {
      say("ESCAPE "); say(how); say(" "); say(path); say("\n");
      break;
    }
  S1(close, fd);
}

static const unsigned long RESOLVES[] = {0, RESOLVE_BENEATH, RESOLVE_IN_ROOT, RESOLVE_NO_SYMLINKS, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_XDEV};

/* Everything that can be done with a name that may lead out. */
static void attempt(long dir, const char *path) {
  check(S4(openat, dir, path, O_RDONLY, 0), "openat", path);
  check(S4(openat, dir, path, O_RDONLY | O_NOFOLLOW, 0), "nofollow", path);
  for (int i = 0; i < 6; i++) {
    struct open_how how = {O_RDONLY, 0, RESOLVES[i]};
    check(S4(openat2, dir, path, &how, sizeof how), "openat2", path);
  }
  long handle = S4(openat, dir, path, O_PATH, 0);
  if (handle >= 0) {
    char digits[2] = {'0' + handle, 0};
    check(S3(open, join("/proc/self/fd/", digits, ""), O_RDONLY, 0), "reopened", path);
    check(S4(openat, handle, "", O_RDONLY, 0), "empty", path);
    S1(close, handle);
  }
  char name[256];
  long n = S4(readlinkat, dir, path, name, 255);
  if (n > 0) {
    name[n] = 0;
    check(S4(openat, dir, name, O_RDONLY, 0), "read link", path);
  }
}

/* Changes: the test looks whether anything outside is different afterwards. */
static void change(long dir, const char *path) {
  tries++;
  long fd = S4(openat, dir, path, O_WRONLY | O_CREAT, 0644);
  if (fd >= 0) { S3(write, fd, "OVERWRITTEN", 11); S1(close, fd); }
  fd = S4(openat, dir, path, O_RDWR | O_TRUNC, 0);
  if (fd >= 0) S1(close, fd);
  S2(truncate, path, 1);
  S3(fchmodat, dir, path, 0777);
  S5(fchownat, dir, path, 12, 34, 0);
  S4(utimensat, dir, path, 0, 0);
  S5(linkat, dir, path, AT_FDCWD, "/hard", AT_SYMLINK_FOLLOW);
  check(S3(open, "/hard", O_RDONLY, 0), "hard link", path);
  S3(unlinkat, AT_FDCWD, "/hard", 0);
  S4(renameat, dir, path, AT_FDCWD, "/stolen");
  check(S3(open, "/stolen", O_RDONLY, 0), "rename", path);
  S4(renameat, AT_FDCWD, "/stolen", dir, path);
  S3(unlinkat, dir, path, 0);
  S3(mkdirat, dir, join(path, ".evil", ""), 0755);
  S3(symlinkat, "x", dir, join(path, ".link", ""));
  S4(mknodat, dir, join(path, ".node", ""), S_IFREG | 0644, 0);
}

static void everywhere(void (*act)(long, const char *), const char *base, const char *outside, const char *fdText, long dir) {
  static const char *relative[] = {
    "../canary", "../../canary", "dir/../../canary", "rel", "abs", "up/canary", "upup/canary", "dir/deep", "hostroot/canary",
    "self/canary", "self/../canary", "dir/sub/../../../canary", "./../canary", "..//../canary", "dir/sub/../../rel",
    "../../../../../../../../../../../../../../../../canary", "loop", "rel/", "up", "upup", "..",
  };
  static const char *prefixes[] = {
    "/proc/self/root/..", "/proc/self/cwd/..", "/proc/self/cwd/../..", "/proc/thread-self/root/..", "/proc/self/exe/..",
    "/proc/1000/root/..", "/proc/1000/cwd/..", "/proc/1/root", "/proc/self/task/1000/root/..", "/..", "/../..", "/proc/self/root/proc/self/root/..",
  };
  for (unsigned i = 0; i < sizeof relative / sizeof *relative; i++) {
    act(AT_FDCWD, join(base, "/", relative[i]));
    act(dir, relative[i]);
    act(AT_FDCWD, join(join("/proc/self/fd/", fdText, "/"), relative[i], ""));
    act(AT_FDCWD, join(join("/dev/fd/", fdText, "/"), relative[i], ""));
  }
  for (unsigned i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
    act(AT_FDCWD, join(prefixes[i], "/canary", ""));
    act(AT_FDCWD, join(prefixes[i], outside, ""));
    act(AT_FDCWD, join(prefixes[i], base, "/../canary"));
  }
  act(AT_FDCWD, outside);
  act(AT_FDCWD, join(base, "/hostroot", outside));
  act(AT_FDCWD, join(base, "/up", outside));
  act(AT_FDCWD, join(base, "/upup", outside));
  act(dir, outside);
}

int run(long *stack) {
  const char *base = (const char *)stack[2], *outside = (const char *)stack[3];
  if (base[0] == '/' && base[1] == 0) base = "";
  long dir = S3(open, join(base, "/", ""), O_RDONLY | O_DIRECTORY, 0);
  if (dir < 0 || dir > 9) { say("no directory\n"); return 1; }
  char fdText[2] = {'0' + dir, 0};
  S1(chdir, join(base, "/", ""));

  S2(symlink, outside, "newabs");
  S2(symlink, "../canary", "newrel");
  S2(symlink, "/proc/self/root/..", "newroot");
  everywhere(attempt, base, outside, fdText, dir);
  attempt(dir, "newabs");
  attempt(dir, "newrel");
  attempt(dir, join("newroot", outside, ""));
  attempt(dir, "newroot/canary");

  /* A directory that is moved while a descriptor and the working directory stand in it. */
  S2(mkdir, "walked", 0755);
  S2(mkdir, "walked/one", 0755);
  S2(mkdir, "walked/one/two", 0755);
  long two = S3(open, "walked/one/two", O_RDONLY | O_DIRECTORY, 0);
  S1(chdir, "walked/one/two");
  S2(rename, join(base, "/walked/one", ""), join(base, "/moved", ""));
  attempt(AT_FDCWD, "../../canary");
  attempt(AT_FDCWD, "../../../canary");
  attempt(two, "../../canary");
  attempt(two, "../../../canary");
  S1(rmdir, join(base, "/moved/two", ""));
  attempt(AT_FDCWD, "../../canary");
  attempt(AT_FDCWD, "..");
  attempt(two, "../../canary");
  S1(chdir, join(base, "/", ""));
  S1(close, two);

  change(dir, "newabs");
  change(dir, "newrel");
  everywhere(change, base, outside, fdText, dir);
  everywhere(attempt, base, outside, fdText, dir);

  /* Root leaves a chroot, which Linux lets it, but not the tree. */
  S2(mkdir, "/jail", 0755);
  long before = S3(open, "/", O_RDONLY | O_DIRECTORY, 0);
  S1(chroot, "/jail");
  attempt(before, "../canary");
  attempt(before, join("..", outside, ""));
  S1(fchdir, before);
  for (int i = 0; i < 64; i++) S1(chdir, "..");
  attempt(AT_FDCWD, "canary");
  attempt(AT_FDCWD, outside + 1);
  S1(chroot, ".");
  attempt(AT_FDCWD, "/canary");
  attempt(AT_FDCWD, outside);
  attempt(AT_FDCWD, "/../canary");
  everywhere(attempt, base, outside, fdText, dir);
  everywhere(change, base, outside, fdText, dir);

  /* Mounts and handles are other doors. */
  S5(mount, "/", "/jail", "none", MS_BIND, 0);
  S2(pivot_root, "/", "/jail");
  attempt(AT_FDCWD, join("/jail", outside, ""));
  say("tried ");
  number(tries);
  say("\n");
  return 0;
}

__asm__(".globl _start\n_start: mov %rsp,%rdi; and $-16,%rsp; call run; mov %eax,%edi; mov $231,%eax; syscall");
