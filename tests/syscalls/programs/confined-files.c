/*
 * openat2's RESOLVE_* on a small tree with links, chroot, memfds with seals, fcntl's lesser commands. One line a result:
 * run in an empty directory of a tmpfs, as root, umask 022, in a process namespace of its own.
 * Built without a libc:
 *   gcc -static -nostdlib -Os -ffreestanding -fno-stack-protector -fno-asynchronous-unwind-tables -Wl,--build-id=none -s -o confined-files.elf confined-files.c
 */
#define _GNU_SOURCE
#include <asm/unistd.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8
#define MFD_EXEC 16
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 16
#endif

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
#define S6(n, a, b, c, d, e, f) sys(__NR_##n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

void *memset(void *p, int c, unsigned long n) { char *q = p; while (n--) *q++ = c; return p; }
void *memcpy(void *p, const void *s, unsigned long n) { char *q = p; const char *r = s; while (n--) *q++ = *r++; return p; }
static char line[1024];
static int used;
static void text(const char *s) { while (*s) line[used++] = *s++; }
static void number(long v) { char t[24]; int i = 24; t[--i] = 0; if (v < 0) { line[used++] = '-'; v = -v; } do t[--i] = '0' + v % 10; while (v /= 10); text(t + i); }
static void end(void) { line[used++] = '\n'; S3(write, 1, line, used); used = 0; }
static void show(const char *what, long v) { text(what); text(" "); number(v); end(); }

static void tree(void) {
  S2(mkdir, "t", 0755); S2(mkdir, "t/d", 0755); S2(mkdir, "t/d/e", 0755); S2(mkdir, "out", 0755);
  long f = S3(open, "t/d/file", O_CREAT | O_RDWR, 0644);
  S3(write, f, "in", 2); S1(close, f);
  f = S3(open, "out/file", O_CREAT | O_RDWR, 0644);
  S3(write, f, "out", 3); S1(close, f);
  S1(close, S3(open, "t/file", O_CREAT | O_RDWR, 0644));
  S2(symlink, "d/file", "t/plain");
  S2(symlink, "../d/file", "t/d/up");
  S2(symlink, "../../out/file", "t/d/leave");
  S2(symlink, "/d/file", "t/d/absolute");
  S2(symlink, "/", "t/root");
  S2(symlink, "..", "t/dotdot");
  S2(symlink, "d", "t/dir");
  S2(symlink, "loop", "t/loop");
  S2(symlink, "/proc/self/fd/0", "t/tomagic");
  S2(symlink, "missing", "t/dangling");
}

static void resolve(void) {
  static const char *paths[] = {
    "file", "d/file", "plain", "d/up", "d/leave", "d/absolute", "root/d/file", "dotdot/t/file", "dotdot/out/file", "dir/file",
    "dir/../file", "d/e/../../file", "d/e/../../../out/file", "..", "../t", ".", "/", "/d/file", "/..", "/../d/file", "loop", "dangling",
    "tomagic", "dotdot/dotdot/dotdot/d/file", "d/e/../../../../../../../d/file", "dir/", "file/", "root", "dotdot", "", "none/x", "file/x",
  };
  static const unsigned long flags[] = {0, RESOLVE_BENEATH, RESOLVE_IN_ROOT, RESOLVE_NO_SYMLINKS, RESOLVE_NO_MAGICLINKS, RESOLVE_NO_XDEV,
    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS, RESOLVE_IN_ROOT | RESOLVE_NO_XDEV};
  long dir = S3(open, "t", O_RDONLY | O_DIRECTORY, 0);
  for (unsigned i = 0; i < sizeof paths / sizeof *paths; i++) {
    text(paths[i]);
    for (unsigned k = 0; k < sizeof flags / sizeof *flags; k++) {
      struct open_how how = {O_PATH | (k == 4 ? O_NOFOLLOW : 0), 0, flags[k]};
      long fd = S4(openat2, dir, paths[i], &how, sizeof how);
      text(" ");
      if (fd < 0) number(fd);
      else {
        struct stat st;
        S2(fstat, fd, &st);
        text(S_ISDIR(st.st_mode) ? "d" : S_ISLNK(st.st_mode) ? "l" : S_ISREG(st.st_mode) ? "f" : "o");
        if (S_ISREG(st.st_mode)) number(st.st_size);
        S1(close, fd);
      }
    }
    end();
  }
  static const char *made[] = {"new1", "../new2", "/new3", "dotdot/new4", "d/new5", "dangling", "dir/new6"};
  for (unsigned i = 0; i < sizeof made / sizeof *made; i++) {
    text("create "); text(made[i]);
    for (unsigned k = made[i][0] == '/' ? 1 : 0; k < 3; k++) {
      struct open_how how = {O_CREAT | O_EXCL | O_RDWR, 0644, flags[k]};
      if (k == 2) how.flags &= ~O_EXCL;
      long fd = S4(openat2, dir, made[i], &how, sizeof how);
      text(" "); number(fd < 0 ? fd : 0);
      if (fd >= 0) S1(close, fd);
    }
    end();
  }
  struct open_how proc = {O_RDONLY, 0, RESOLVE_NO_XDEV};
  show("proc, no xdev", S4(openat2, AT_FDCWD, "/proc/self/status", &proc, sizeof proc));
  long in = S3(open, "/proc/self", O_PATH, 0);
  proc.resolve = RESOLVE_NO_MAGICLINKS; show("cwd, no magic", S4(openat2, in, "cwd", &proc, sizeof proc));
  proc.resolve = RESOLVE_BENEATH; show("cwd, beneath", S4(openat2, in, "cwd", &proc, sizeof proc));
  proc.resolve = RESOLVE_IN_ROOT; show("cwd, in root", S4(openat2, in, "cwd", &proc, sizeof proc));
  proc.resolve = RESOLVE_NO_XDEV; show("cwd, no xdev", S4(openat2, in, "cwd", &proc, sizeof proc));
  proc.resolve = RESOLVE_NO_MAGICLINKS; show("self, no magic", S4(openat2, AT_FDCWD, "/proc/self/stat", &proc, sizeof proc) > 0);
  proc.resolve = RESOLVE_NO_SYMLINKS; show("self, no links", S4(openat2, AT_FDCWD, "/proc/self/stat", &proc, sizeof proc));
  S1(close, in);
  struct open_how how = {O_RDONLY, 0, 0};
  show("size 0", S4(openat2, dir, "file", &how, 0));
  show("size 23", S4(openat2, dir, "file", &how, 23));
  struct { struct open_how how; long more; } larger = {{O_RDONLY, 0, 0}, 0};
  show("larger, zero", S4(openat2, dir, "file", &larger, 32) > 0);
  larger.more = 1; show("larger, not zero", S4(openat2, dir, "file", &larger, 32));
  show("too large", S4(openat2, dir, "file", &how, 1 << 20));
  how.resolve = 0x40; show("bad resolve", S4(openat2, dir, "file", &how, sizeof how));
  how.resolve = RESOLVE_BENEATH | RESOLVE_IN_ROOT; show("both", S4(openat2, dir, "file", &how, sizeof how));
  how.resolve = 0; how.mode = 0644; show("mode without O_CREAT", S4(openat2, dir, "file", &how, sizeof how));
  how.flags = O_CREAT; how.mode = 010000; show("bad mode", S4(openat2, dir, "file", &how, sizeof how));
  how.mode = 0; how.flags = O_PATH | O_RDWR; show("path for writing", S4(openat2, dir, "file", &how, sizeof how));
  how.flags = 1ul << 40; show("bad flag", S4(openat2, dir, "file", &how, sizeof how));
  how.flags = O_RDONLY; show("bad descriptor", S4(openat2, 77, "file", &how, sizeof how));
  show("bad pointer", S4(openat2, dir, "file", 8, sizeof how));
  how.resolve = RESOLVE_CACHED; how.flags = O_CREAT | O_RDWR; show("cached, creating", S4(openat2, dir, "file", &how, sizeof how));
  S1(close, dir);
}

static void memfds(void) {
  show("no sealing", S3(fcntl, S2(memfd_create, "a", 0), F_GET_SEALS, 0));
  long fd = S2(memfd_create, "b", MFD_ALLOW_SEALING);
  show("none", S3(fcntl, fd, F_GET_SEALS, 0));
  show("size", S2(ftruncate, fd, 8192));
  show("shrink seal", S3(fcntl, fd, F_ADD_SEALS, F_SEAL_SHRINK));
  show("shrink", S2(ftruncate, fd, 4096));
  show("truncating open", S3(open, "/proc/self/fd/5", O_RDWR | O_TRUNC, 0) > 0);
  show("grow", S2(ftruncate, fd, 12288));
  show("grow seal", S3(fcntl, fd, F_ADD_SEALS, F_SEAL_GROW));
  show("grow again", S2(ftruncate, fd, 16384));
  show("write past the end", S4(pwrite64, fd, "x", 1, 12288));
  show("write over the end", S4(pwrite64, fd, "xy", 2, 12287));
  show("write inside", S4(pwrite64, fd, "x", 1, 0));
  show("fallocate past", S4(fallocate, fd, 0, 0, 16384));
  show("punch", S4(fallocate, fd, 3, 0, 4096));
  void *shared = (void *)S6(mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  show("write seal with a mapping", S3(fcntl, fd, F_ADD_SEALS, F_SEAL_WRITE));
  show("future seal with a mapping", S3(fcntl, fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE));
  *(volatile char *)shared = 1;
  show("new writable mapping", S6(mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  show("write", S4(pwrite64, fd, "x", 1, 0));
  show("readable mapping", S6(mmap, 0, 4096, PROT_READ, MAP_SHARED, fd, 0) > 0);
  long readable = S6(mmap, 0, 4096, PROT_READ, MAP_SHARED, fd, 0);
  show("made writable", S3(mprotect, readable, 4096, PROT_READ | PROT_WRITE));
  S2(munmap, shared, 4096);
  show("write seal", S3(fcntl, fd, F_ADD_SEALS, F_SEAL_WRITE));
  show("private mapping", S6(mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0) > 0);
  show("punch when sealed", S4(fallocate, fd, 3, 0, 4096));
  show("all", S3(fcntl, fd, F_GET_SEALS, 0));
  show("last seal", S3(fcntl, fd, F_ADD_SEALS, F_SEAL_SEAL));
  show("after it", S3(fcntl, fd, F_ADD_SEALS, F_SEAL_SEAL));
  show("bad seal", S3(fcntl, S2(memfd_create, "c", MFD_ALLOW_SEALING), F_ADD_SEALS, 0x40));
  long x = S2(memfd_create, "d", MFD_NOEXEC_SEAL);
  struct stat st;
  S2(fstat, x, &st); show("noexec mode", st.st_mode);
  show("noexec seals", S3(fcntl, x, F_GET_SEALS, 0));
  show("chmod", S2(fchmod, x, 0777));
  show("chmod without x", S2(fchmod, x, 0600));
  S2(fstat, fd, &st); show("mode", st.st_mode); show("links", st.st_nlink);
  show("both exec", S2(memfd_create, "e", MFD_NOEXEC_SEAL | MFD_EXEC));
  show("bad flags", S2(memfd_create, "e", 0x100));
  char name[256];
  memset(name, 'n', 255); name[250] = 0; show("long name", S2(memfd_create, name, 0));
  name[249] = 0; show("longest name", S2(memfd_create, name, 0) > 0);
  show("bad name", S2(memfd_create, 8, 0));
  long reader = S3(open, "/proc/self/fd/5", O_RDONLY, 0);
  show("seals by a reader", S3(fcntl, reader, F_ADD_SEALS, F_SEAL_SEAL) < 0);
  long plain = S3(open, "plainfile", O_RDWR | O_CREAT, 0644);
  show("seals of a file", S3(fcntl, plain, F_GET_SEALS, 0));
  show("sealing a file", S3(fcntl, plain, F_ADD_SEALS, F_SEAL_WRITE));
  int ends[2];
  S1(pipe, ends);
  show("seals of a pipe", S3(fcntl, ends[0], F_GET_SEALS, 0));
}

static void jail(void) {
  S2(mkdir, "jail", 0755); S2(mkdir, "jail/in", 0755);
  long before = S3(open, ".", O_RDONLY | O_DIRECTORY, 0);
  S1(chdir, "jail/in");
  show("chroot to a file", S1(chroot, "../../plainfile"));
  show("chroot", S1(chroot, ".."));
  char where[256];
  show("getcwd", S2(getcwd, where, 256)); text(where); end();
  show("..", S1(chdir, "..")); S1(chdir, "..");
  S2(getcwd, where, 256); text(where); end();
  show("outside by name", S3(open, "/plainfile", O_RDONLY, 0));
  show("by descriptor", S4(openat, before, "plainfile", O_RDONLY, 0) > 0);
  show("fchdir", S1(fchdir, before));
  long n = S2(getcwd, where, 256);
  where[13] = 0; text(where); end();
  show("from there", S3(open, "plainfile", O_RDONLY, 0) > 0);
  show("absolute still inside", S3(open, "/plainfile", O_RDONLY, 0));
  show(".. from there", S1(chdir, ".."));
}

int run(void) {
  tree();
  resolve();
  memfds();
  jail();
  return 0;
}

__asm__(".globl _start\n_start: mov %rsp,%rdi; and $-16,%rsp; call run; mov %eax,%edi; mov $231,%eax; syscall");
