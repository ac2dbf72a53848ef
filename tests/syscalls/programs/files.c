/*
 * Calls on files with their results, one a line: run in an empty directory of a tmpfs, as root, umask 022.
 * Built without a libc, so that the ELF stays small:
 *   gcc -static -nostdlib -Os -fno-stack-protector -fno-asynchronous-unwind-tables -Wl,--build-id=none -o files.elf files.c
 */
#define _GNU_SOURCE
#include <asm/unistd.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <poll.h>
#include <signal.h>
#include <sys/uio.h>
#include <linux/openat2.h>

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE 2
#endif
#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#define F_GET_SEALS 1034
#endif

#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif

static long sys(long n, long a, long b, long c, long d, long e, long f) {
  long r;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
  return r;
}
#define ARG(x) ((long)(x))
#define S0(n) sys(__NR_##n, 0, 0, 0, 0, 0, 0)
#define S1(n, a) sys(__NR_##n, ARG(a), 0, 0, 0, 0, 0)
#define S2(n, a, b) sys(__NR_##n, ARG(a), ARG(b), 0, 0, 0, 0)
#define S3(n, a, b, c) sys(__NR_##n, ARG(a), ARG(b), ARG(c), 0, 0, 0)
#define S4(n, a, b, c, d) sys(__NR_##n, ARG(a), ARG(b), ARG(c), ARG(d), 0, 0)
#define S5(n, a, b, c, d, e) sys(__NR_##n, ARG(a), ARG(b), ARG(c), ARG(d), ARG(e), 0)
#define S6(n, a, b, c, d, e, f) sys(__NR_##n, ARG(a), ARG(b), ARG(c), ARG(d), ARG(e), ARG(f))

static char out[1 << 16];
static int used;
static void text(const char *s) { while (*s) out[used++] = *s++; }
static void number(long v) {
  char d[24]; int n = 0; unsigned long u = v < 0 ? -(unsigned long)v : (unsigned long)v;
  if (v < 0) out[used++] = '-';
  do { d[n++] = '0' + u % 10; u /= 10; } while (u);
  while (n) out[used++] = d[--n];
}
static void show(const char *what, long r) { text(what); text(" = "); number(r); text("\n"); }
#define T(call) show(#call, call)
static void flush(void) { sys(__NR_write, 1, ARG(out), used, 0, 0, 0); used = 0; }

static char buf[8192], longname[5000], *page, *bad = (char *)0x10;
static struct stat st;

static void stat_line(const char *what, long r) {
  text(what); text(" = "); number(r);
  if (r == 0) { text(" mode "); number(st.st_mode); text(" size "); number(st.st_size); text(" nlink "); number(st.st_nlink); text(" uid "); number(st.st_uid); }
  text("\n");
}
#define ST(p) stat_line("stat " p, S2(stat, p, &st))
#define LST(p) stat_line("lstat " p, S2(lstat, p, &st))

static void opening(void) {
  T(S3(open, "a", O_RDONLY, 0));
  T(S3(open, "", O_RDONLY, 0));
  T(S3(open, bad, O_RDONLY, 0));
  T(S3(open, "a", O_CREAT | O_RDWR, 0666));
  T(S3(open, "a", O_CREAT | O_EXCL | O_RDWR, 0666));
  T(S3(open, "a/", O_RDONLY, 0));
  T(S3(open, "a/b", O_RDONLY, 0));
  T(S3(open, "new/", O_CREAT | O_RDWR, 0666));
  T(S3(open, ".", O_RDWR, 0));
  T(S3(open, ".", O_CREAT | O_RDONLY, 0));
  T(S3(open, ".", O_RDONLY, 0));
  T(S3(open, "a", O_RDONLY | O_DIRECTORY, 0));
  T(S3(open, "zz", O_CREAT | O_DIRECTORY | O_RDWR, 0600));
  T(S3(open, longname, O_RDONLY, 0));
  longname[300] = 0;
  T(S3(open, longname, O_RDONLY, 0));
  longname[255] = 0;
  T(S3(open, longname, O_RDONLY, 0));
  T(S2(symlink, "a", "link"));
  T(S2(symlink, "loop", "loop"));
  T(S2(symlink, "nowhere", "dangling"));
  T(S2(symlink, "", "empty"));
  T(S2(symlink, "a", "link"));
  T(S2(symlink, "a", "x/"));
  T(S3(open, "link", O_RDONLY, 0));
  T(S3(open, "link", O_RDONLY | O_NOFOLLOW, 0));
  T(S3(open, "link", O_PATH | O_NOFOLLOW, 0));
  T(S3(open, "link", O_CREAT | O_EXCL | O_RDWR, 0600));
  T(S3(open, "loop", O_RDONLY, 0));
  T(S3(open, "dangling", O_RDONLY, 0));
  T(S3(open, "dangling", O_CREAT | O_RDWR, 0600));
  T(S3(open, "link/", O_RDONLY, 0));
  T(S4(openat, 3, "x", O_RDONLY, 0));
  T(S4(openat, 99, "x", O_RDONLY, 0));
  T(S4(openat, 99, "/", O_RDONLY, 0));
  T(S3(open, ".", O_TMPFILE | O_RDONLY, 0600));
  T(S3(open, ".", O_TMPFILE | O_RDWR, 0600));
  T(S2(fcntl, 3, F_GETFL));
  struct open_how how = {.flags = O_RDONLY, .resolve = RESOLVE_BENEATH};
  T(S4(openat2, AT_FDCWD, "/", &how, sizeof how));
  T(S4(openat2, AT_FDCWD, "../x", &how, sizeof how));
  T(S4(openat2, AT_FDCWD, "a", &how, sizeof how));
  T(S4(openat2, AT_FDCWD, "a", &how, 8));
  how.resolve = RESOLVE_NO_SYMLINKS;
  T(S4(openat2, AT_FDCWD, "link", &how, sizeof how));
  how.flags = 1L << 40;
  T(S4(openat2, AT_FDCWD, "a", &how, sizeof how));
  flush();
}

static void closing(void) {
  T(S1(dup, 3));
  T(S2(dup2, 3, 40));
  T(S2(dup2, 3, 3));
  T(S2(dup2, 77, 77));
  T(S2(dup2, 3, 5000000));
  T(S3(dup3, 3, 3, 0));
  T(S3(dup3, 3, 41, O_CLOEXEC));
  T(S3(dup3, 3, 41, 1));
  T(S2(fcntl, 41, F_GETFD));
  T(S3(fcntl, 3, F_DUPFD, 50));
  T(S3(fcntl, 3, F_DUPFD, 5000000));
  T(S3(fcntl, 3, F_DUPFD_CLOEXEC, 60));
  T(S3(fcntl, 3, 9999, 0));
  T(S1(close, 77));
  T(S3(close_range, 40, 100, 0));
  T(S2(fcntl, 41, F_GETFD));
  T(S3(close_range, 4, 3, 0));
  T(S3(close_range, 4, 100, 0));
  T(S1(close, 3));
  T(S1(close, 3));
  flush();
}

static void transfer(void) {
  int fd = S3(open, "t", O_CREAT | O_RDWR | O_TRUNC, 0644);
  T(S3(write, fd, "0123456789", 10));
  T(S3(write, fd, bad, 10));
  T(S3(write, fd, bad, 0));
  T(S3(write, fd, page + 4090, 20));
  T(S3(lseek, fd, 0, SEEK_CUR));
  T(S3(lseek, fd, -1, SEEK_SET));
  T(S3(lseek, fd, 0, 9));
  T(S3(lseek, fd, 2, SEEK_SET));
  T(S3(read, fd, page + 4093, 8));
  T(S3(lseek, fd, 0, SEEK_CUR));
  T(S3(read, fd, bad, 4));
  T(S3(read, fd, buf, 100));
  T(S3(read, fd, buf, 100));
  T(S3(read, fd, -1L, 1));
  T(S3(read, fd, buf, -1L));
  T(S4(pread64, fd, buf, 4, 3));
  T(S4(pread64, fd, buf, 4, -1));
  T(S4(pread64, fd, buf, 4, 1000));
  T(S4(pwrite64, fd, "ABC", 3, 20));
  T(S4(pwrite64, fd, "ABC", 3, -5));
  T(S3(lseek, fd, 0, SEEK_END));
  T(S3(lseek, fd, 100, SEEK_DATA));
  T(S3(lseek, fd, 0, SEEK_HOLE));
  struct iovec v[3] = {{"xy", 2}, {bad, 0}, {"z", 1}};
  T(S3(writev, fd, v, 3));
  v[1].iov_len = 3;
  T(S3(writev, fd, v, 3));
  T(S3(writev, fd, v, -1));
  T(S3(writev, fd, v, 1025));
  T(S3(readv, fd, bad, 1));
  T(S3(readv, fd, v, 0));
  v[0].iov_len = -1;
  T(S3(readv, fd, v, 1));
  ST("t");
  int ro = S3(open, "t", O_RDONLY, 0), wo = S3(open, "t", O_WRONLY | O_APPEND, 0);
  T(S3(write, ro, "x", 1));
  T(S3(read, wo, buf, 1));
  T(S3(write, wo, "tail", 4));
  T(S3(lseek, wo, 0, SEEK_CUR));
  T(S4(pwrite64, wo, "tail", 4, 0));
  ST("t");
  T(S3(lseek, ro, 0, SEEK_SET));
  long n = S3(read, ro, buf, 100);
  buf[n > 0 ? n : 0] = 0;
  for (int i = 0; i < n; i++) if (!buf[i]) buf[i] = '.';
  text(buf); text("\n");
  T(S3(read, 99, buf, 1));
  T(S2(ftruncate, fd, 5));
  T(S2(ftruncate, ro, 5));
  T(S2(ftruncate, fd, -1));
  T(S2(truncate, "t", 8));
  T(S2(truncate, ".", 8));
  T(S2(truncate, "none", 8));
  T(S2(truncate, "t", -1));
  ST("t");
  T(S4(fallocate, fd, 0, 0, 100));
  T(S4(fallocate, fd, 0, 0, 0));
  T(S4(fallocate, fd, 0, -1, 5));
  T(S4(fallocate, fd, 1, 0, 9000));
  T(S4(fallocate, fd, 2, 0, 9000));
  T(S4(fallocate, fd, 3, 0, 50));
  T(S4(fallocate, ro, 0, 0, 50));
  ST("t");
  int copy = S3(open, "copy", O_CREAT | O_RDWR, 0600);
  long off = 2;
  T(S3(lseek, fd, 0, SEEK_SET));
  T(S4(sendfile, copy, fd, &off, 4));
  T(off);
  T(S4(sendfile, copy, fd, 0, 1000));
  T(S4(sendfile, copy, wo, 0, 10));
  T(S4(sendfile, wo, fd, &off, 10));
  T(S6(copy_file_range, fd, 0, copy, 0, 10, 1));
  T(S3(lseek, fd, 0, SEEK_SET));
  T(S6(copy_file_range, fd, 0, copy, 0, 10, 0));
  T(S6(copy_file_range, fd, 0, wo, 0, 10, 0));
  T(S6(copy_file_range, ro, &off, fd, &off, 10, 0));
  T(S6(splice, fd, 0, copy, 0, 10, 0));
  T(S1(fsync, fd));
  T(S1(fdatasync, 99));
  T(S1(fsync, 1) == -22 || S1(fsync, 1) == 0);
  T(S4(fadvise64, fd, 0, 0, 3));
  T(S4(fadvise64, fd, 0, 0, 9));
  T(S4(fadvise64, fd, 0, -1, 0));
  T(S3(ioctl, fd, 0x5401, buf));
  T(S3(ioctl, fd, 0x5413, buf));
  T(S3(ioctl, 99, 0x5401, buf));
  int waiting = -1;
  T(S3(lseek, fd, 3, SEEK_SET));
  T(S3(ioctl, fd, 0x541b, &waiting));
  T(waiting);
  T(S3(ioctl, fd, 0x5451, 0));
  T(S2(fcntl, fd, F_GETFD));
  S3(close_range, 3, 100, 0);
  flush();
}

static void naming(void) {
  T(S2(mkdir, "d", 0777));
  T(S2(mkdir, "d", 0777));
  T(S2(mkdir, "d/", 0777));
  T(S2(mkdir, "e/", 0700));
  T(S2(mkdir, "none/e", 0700));
  T(S2(mkdir, "t/e", 0700));
  T(S2(mkdir, ".", 0700));
  T(S2(mkdir, "..", 0700));
  T(S2(mkdir, "/", 0700));
  T(S2(mkdir, "", 0700));
  T(S2(mkdir, "link", 0700));
  T(S2(mkdir, "dangling2/", 0700));
  ST("d");
  T(S1(rmdir, "none"));
  T(S1(rmdir, "t"));
  T(S1(rmdir, "."));
  T(S1(rmdir, "d/.."));
  T(S1(rmdir, "/"));
  T(S1(rmdir, "link"));
  T(S2(mkdir, "d/sub", 0755));
  T(S1(rmdir, "d"));
  T(S1(unlink, "d"));
  T(S1(unlink, "t/"));
  T(S1(unlink, "d/"));
  T(S1(unlink, "."));
  T(S1(unlink, "none"));
  T(S1(unlink, "none/"));
  T(S3(unlinkat, AT_FDCWD, "d", 0));
  T(S3(unlinkat, AT_FDCWD, "t", AT_REMOVEDIR));
  T(S3(unlinkat, AT_FDCWD, "e", AT_REMOVEDIR));
  T(S3(unlinkat, AT_FDCWD, "d", 1));
  T(S2(link, "t", "hard"));
  T(S2(link, "t", "hard"));
  T(S2(link, "none", "hard2"));
  T(S2(link, "d", "hard2"));
  T(S2(link, "t", "hard2/"));
  T(S2(link, "t", "none/x"));
  T(S2(link, "link", "hardlink"));
  LST("hardlink");
  T(S5(linkat, AT_FDCWD, "link", AT_FDCWD, "hard3", AT_SYMLINK_FOLLOW));
  LST("hard3");
  T(S5(linkat, AT_FDCWD, "link", AT_FDCWD, "hard4", 1));
  ST("t");
  T(S2(rename, "none", "x"));
  T(S2(rename, "t", "u"));
  T(S2(rename, "u", "hard"));
  ST("u");
  T(S2(rename, "u", "t"));
  T(S2(rename, "d", "d/sub/x"));
  T(S2(rename, "d/sub", "d"));
  T(S2(rename, "t", "d"));
  T(S2(rename, "d", "t"));
  T(S2(rename, "t", "x/"));
  T(S2(rename, "t/", "x"));
  T(S2(rename, ".", "x"));
  T(S2(rename, "t", ".."));
  T(S2(mkdir, "full", 0755));
  T(S2(mkdir, "full/x", 0755));
  T(S2(rename, "d", "full"));
  T(S2(rename, "full", "d2/"));
  T(S2(mkdir, "void", 0755));
  T(S2(rename, "d2", "void"));
  ST("void");
  T(S5(renameat2, AT_FDCWD, "t", AT_FDCWD, "void", RENAME_NOREPLACE));
  T(S5(renameat2, AT_FDCWD, "t", AT_FDCWD, "void", RENAME_EXCHANGE));
  ST("t");
  ST("void");
  T(S5(renameat2, AT_FDCWD, "t", AT_FDCWD, "none", RENAME_EXCHANGE));
  T(S5(renameat2, AT_FDCWD, "t", AT_FDCWD, "t/x", RENAME_EXCHANGE));
  T(S5(renameat2, AT_FDCWD, "t", AT_FDCWD, "void", 3));
  T(S5(renameat2, AT_FDCWD, "t", AT_FDCWD, "void", 8));
  T(S5(renameat2, AT_FDCWD, "t", AT_FDCWD, "void", RENAME_EXCHANGE));
  T(S3(readlink, "link", buf, 100));
  T(S3(readlink, "link", buf, 0));
  T(S3(readlink, "t", buf, 10));
  T(S3(readlink, "none", buf, 10));
  T(S3(readlink, "link", bad, 10));
  T(S4(readlinkat, AT_FDCWD, "", buf, 10));
  T(S3(mknod, "pipe", S_IFIFO | 0600, 0));
  T(S3(mknod, "null", S_IFCHR | 0600, 0x103));
  T(S3(mknod, "dir", S_IFDIR | 0600, 0));
  T(S3(mknod, "odd", 0170000, 0));
  T(S3(mknod, "plain", 0600, 0));
  T(S3(mknod, "plain", 0600, 0));
  LST("pipe");
  LST("plain");
  T(S3(open, "pipe", O_WRONLY | O_NONBLOCK, 0));
  T(S3(open, "pipe", O_RDONLY | O_NONBLOCK, 0));
  T(S3(open, "pipe", O_WRONLY | O_NONBLOCK, 0));
  T(S3(write, 4, "fifo", 4));
  T(S3(read, 3, buf, 100));
  T(S3(read, 3, buf, 100));
  T(S3(lseek, 3, 0, 0));
  S3(close_range, 3, 100, 0);
  flush();
}

static void attributes(void) {
  T(S2(chmod, "t", 04755));
  ST("t");
  T(S2(chmod, "none", 0));
  int fd = S3(open, "t", O_RDWR, 0);
  T(S3(write, fd, "x", 1));
  ST("t");
  T(S2(fchmod, fd, 06711));
  T(S3(chown, "t", 1000, 1000));
  ST("t");
  T(S3(chown, "t", -1, -1));
  T(S3(lchown, "link", 5, 5));
  T(S5(fchownat, AT_FDCWD, "", 0, 0, 0));
  T(S5(fchownat, fd, "", 0, 0, AT_EMPTY_PATH));
  T(S5(fchownat, fd, "", 0, 0, 1));
  T(S4(fchmodat2, AT_FDCWD, "link", 0600, AT_SYMLINK_NOFOLLOW));
  struct timespec times[2] = {{100, 5}, {200, UTIME_OMIT}};
  T(S4(utimensat, AT_FDCWD, "t", times, 0));
  S2(stat, "t", &st);
  T(st.st_atim.tv_sec);
  T(st.st_atim.tv_nsec);
  times[1].tv_nsec = 1000000000;
  T(S4(utimensat, AT_FDCWD, "t", times, 0));
  times[1].tv_nsec = 7;
  T(S4(utimensat, fd, 0, times, 0));
  T(S4(utimensat, fd, 0, times, AT_SYMLINK_NOFOLLOW));
  S2(stat, "t", &st);
  T(st.st_mtim.tv_sec);
  T(S4(utimensat, AT_FDCWD, "none", 0, 0));
  T(S4(utimensat, AT_FDCWD, bad, 0, 0));
  T(S1(umask, 027));
  T(S3(open, "masked", O_CREAT | O_RDWR, 0666));
  T(S2(mkdir, "maskeddir", 0777));
  T(S1(umask, 022));
  ST("masked");
  ST("maskeddir");
  T(S2(mkdir, "sticky", 01777));
  T(S2(mkdir, "setgid", 02777));
  ST("sticky");
  ST("setgid");
  T(S2(access, "t", 0));
  T(S2(access, "t", 8));
  T(S2(access, "masked", 1));
  T(S2(access, "none", 0));
  T(S4(faccessat2, fd, "", 4, AT_EMPTY_PATH));
  T(S4(faccessat2, fd, "", 4, 0));
  T(S4(faccessat2, fd, "", 4, 0x8000));
  T(S4(newfstatat, fd, "", &st, AT_EMPTY_PATH));
  T(S4(newfstatat, fd, "", &st, 0));
  T(S4(newfstatat, fd, "x", &st, 0));
  T(S4(newfstatat, AT_FDCWD, "t", bad, 0));
  T(S4(newfstatat, AT_FDCWD, "t", &st, 1));
  T(S2(fstat, 99, &st));
  T(S5(statx, AT_FDCWD, "t", 0, 0x7ff, buf));
  T(S5(statx, AT_FDCWD, "t", 0, 0x80000000, buf));
  T(S5(statx, AT_FDCWD, "t", 0x6000, 0x7ff, buf));
  T(S2(statfs, "t", buf));
  T(S2(statfs, "none", buf));
  T(S4(getxattr, "t", "user.x", buf, 10));
  T(S4(getxattr, "t", "odd", buf, 10));
  T(S4(getxattr, "none", "user.x", buf, 10));
  T(S3(listxattr, "t", buf, 100));
  flush();
}

static void as_user(void) {
  S2(mkdir, "private", 0700);
  S3(open, "private/f", O_CREAT | O_RDWR, 0600);
  S3(open, "readonly", O_CREAT | O_RDWR, 0444);
  S2(chmod, ".", 0755);
  S3(open, "sticky/root", O_CREAT | O_RDWR, 0666);
  S2(chmod, "sticky", 01777);
  T(S3(setresgid, 1000, 1000, 1000));
  T(S3(setresuid, 1000, 1000, 1000));
  T(S3(open, "private/f", O_RDONLY, 0));
  T(S3(open, "private/none", O_RDONLY, 0));
  T(S3(open, "private", O_RDONLY, 0));
  T(S3(open, "readonly", O_RDONLY, 0) > 0);
  T(S3(open, "readonly", O_RDWR, 0));
  T(S3(open, "readonly", O_RDONLY | O_TRUNC, 0));
  T(S3(open, "mine", O_CREAT | O_RDWR, 0600));
  T(S2(mkdir, "mine", 0700));
  T(S2(mkdir, "t", 0700));
  T(S1(unlink, "t"));
  T(S1(unlink, "none"));
  T(S1(rmdir, "void"));
  T(S1(unlink, "sticky/root"));
  T(S2(rename, "sticky/root", "sticky/mine"));
  T(S3(open, "sticky/mine", O_CREAT | O_RDWR, 0) > 0);
  T(S1(unlink, "sticky/mine"));
  T(S2(chmod, "t", 0777));
  T(S3(chown, "readonly", 1000, 1000));
  T(S2(access, "readonly", 2));
  T(S2(access, "readonly", 4));
  T(S2(access, "private/f", 0));
  T(S2(truncate, "readonly", 0));
  T(S4(utimensat, AT_FDCWD, "readonly", 0, 0));
  T(S2(link, "private", "sticky/l"));
  T(S2(link, "readonly", "sticky/l"));
  T(S3(mknod, "sticky/n", S_IFCHR, 0x103));
  T(S1(chdir, "private"));
  T(S1(chroot, "."));
  T(S5(mount, "a", "b", "tmpfs", 0, 0));
  flush();
}

static void pipes(void) {
  int p[2], waiting = -1;
  T(S1(pipe, p));
  T(S2(pipe2, p, 0x10));
  T(S1(pipe, bad));
  T(S3(write, p[1], "hello", 5));
  T(S3(ioctl, p[0], 0x541b, &waiting));
  T(waiting);
  T(S3(read, p[0], page + 4094, 5));
  T(S3(read, p[0], buf, 100));
  T(S3(write, p[0], "x", 1));
  T(S3(read, p[1], buf, 1));
  T(S4(pread64, p[0], buf, 1, 0));
  T(S3(lseek, p[0], 0, 0));
  T(S2(fcntl, p[0], 1032));
  T(S3(fcntl, p[0], 1031, 5000));
  T(S3(fcntl, p[0], F_SETFL, O_NONBLOCK));
  T(S2(fcntl, p[0], F_GETFL));
  T(S3(read, p[0], buf, 1));
  struct pollfd f[3] = {{p[0], POLLIN, 0}, {p[1], POLLOUT, 0}, {99, POLLIN, 0}};
  T(S3(poll, f, 2, 0));
  T(f[0].revents);
  T(f[1].revents);
  T(S3(poll, f, 3, 0));
  T(f[2].revents);
  T(S3(poll, f, 1, 1));
  T(S3(fcntl, p[1], F_SETFL, O_NONBLOCK));
  T(S3(write, p[1], longname, 8192));
  T(S3(write, p[1], longname, 1));
  T(S3(read, p[0], buf, 4096));
  T(S3(write, p[1], longname, 4000));
  T(S3(write, p[1], longname, 4000));
  unsigned long set[16] = {1UL << p[0]}, wset[16] = {1UL << p[1]};
  long tv[2] = {0, 1000};
  T(S5(select, p[1] + 1, set, wset, 0, tv));
  T(S5(select, -1, 0, 0, 0, tv));
  set[0] = 1UL << 50;
  T(S5(select, 60, set, 0, 0, tv));
  int file = S3(open, "spliced", O_CREAT | O_RDWR, 0600);
  T(S6(splice, p[0], 0, file, 0, 100, 0));
  long off = 0;
  T(S6(splice, p[0], &off, file, 0, 100, 0));
  T(S6(splice, file, &off, p[1], 0, 50, 0));
  T(off);
  T(S1(close, p[1]));
  T(S3(poll, f, 1, 0));
  T(f[0].revents);
  while (S3(read, p[0], buf, 4096) > 0) {}
  T(S3(read, p[0], buf, 1));
  T(S3(poll, f, 1, 0));
  T(f[0].revents);
  T(S1(pipe, p));
  S1(close, p[0]);
  struct { void (*h)(int); unsigned long flags; void *restorer; unsigned long mask; } ignore = {SIG_IGN, 0, 0, 0};
  S4(rt_sigaction, SIGPIPE, &ignore, 0, 8);
  S4(rt_sigaction, SIGXFSZ, &ignore, 0, 8);
  T(S3(write, p[1], "x", 1));
  T(S3(write, p[1], "x", 0));
  unsigned long value = 5;
  int e = S2(eventfd2, 3, 0);
  T(S3(write, e, &value, 8));
  T(S3(read, e, &value, 8));
  T(value);
  T(S3(read, e, &value, 4));
  S3(fcntl, e, F_SETFL, O_NONBLOCK);
  T(S3(read, e, &value, 8));
  value = -1;
  T(S3(write, e, &value, 8));
  T(S2(eventfd2, 0, 2));
  int m = S2(memfd_create, "m", 2);
  T(S2(memfd_create, "m", 0x80));
  T(S2(fcntl, m, F_GET_SEALS));
  T(S3(write, m, "12345", 5));
  T(S3(fcntl, m, F_ADD_SEALS, 2));
  T(S2(ftruncate, m, 2));
  T(S2(ftruncate, m, 20));
  T(S3(fcntl, m, F_ADD_SEALS, 8));
  T(S3(write, m, "12345", 5));
  T(S3(fcntl, m, F_ADD_SEALS, 1));
  T(S3(fcntl, m, F_ADD_SEALS, 4));
  T(S2(fcntl, m, F_GET_SEALS));
  T(S3(readlink, "/proc/self/fd/2000", buf, 10));
  int plain = S2(memfd_create, "plain", 0);
  T(S2(fcntl, plain, F_GET_SEALS));
  T(S2(fcntl, file, F_GET_SEALS));
  unsigned long limit[2] = {100, 1000000};
  T(S2(setrlimit, 1, limit));
  T(S2(ftruncate, file, 200));
  T(S4(pwrite64, file, "xxxxxxxxxx", 10, 95));
  T(S4(pwrite64, file, "xxxxxxxxxx", 10, 100));
  limit[0] = 8;
  limit[1] = 100;
  T(S2(setrlimit, 7, limit));
  T(S1(dup, 0));
  T(S3(open, "none", 0, 0));
  limit[0] = 100;
  S2(setrlimit, 7, limit);
  flush();
}

static void locks(void) {
  int fd = S3(open, "t", O_RDWR, 0), other = S3(open, "t", O_RDWR, 0), ro = S3(open, "t", O_RDONLY, 0);
  struct flock l = {F_WRLCK, SEEK_SET, 0, 10, 0};
  T(S3(fcntl, fd, F_SETLK, &l));
  T(S3(fcntl, other, F_SETLK, &l));
  T(S3(fcntl, ro, F_SETLK, &l));
  T(S3(fcntl, fd, F_OFD_SETLK, &l));
  l.l_type = F_RDLCK;
  T(S3(fcntl, fd, F_OFD_GETLK, &l));
  T(l.l_type);
  T(l.l_start);
  T(l.l_len);
  l.l_type = 9;
  l.l_pid = 0;
  T(S3(fcntl, fd, F_SETLK, &l));
  l.l_type = F_UNLCK;
  T(S3(fcntl, fd, F_SETLK, &l));
  l.l_type = F_WRLCK;
  T(S3(fcntl, fd, F_OFD_SETLK, &l));
  T(S3(fcntl, other, F_OFD_SETLK, &l));
  l.l_start = -5;
  T(S3(fcntl, fd, F_SETLK, &l));
  T(S3(fcntl, fd, F_SETLK, bad));
  T(S2(flock, fd, 2));
  T(S2(flock, other, 6));
  T(S2(flock, other, 5));
  T(S2(flock, fd, 1));
  T(S2(flock, other, 5));
  T(S2(flock, fd, 8));
  T(S2(flock, fd, 16));
  T(S2(flock, 99, 1));
  S3(close_range, 3, 100, 0);
  flush();
}

static void directories(void) {
  T(S2(getcwd, buf, 1));
  T(S2(getcwd, bad, 4096));
  T(S1(chdir, "t"));
  T(S1(chdir, "none"));
  T(S2(mkdir, "gone", 0755));
  T(S1(chdir, "gone"));
  T(S1(rmdir, "../gone"));
  T(S2(getcwd, buf, 4096));
  T(S3(open, "x", O_CREAT | O_RDWR, 0600));
  T(S2(mkdir, "x", 0700));
  T(S3(open, ".", O_RDONLY, 0));
  T(S3(getdents64, 3, buf, 4096));
  T(S1(chdir, ".."));
  S3(close_range, 3, 100, 0);
  T(S2(mkdir, "list", 0755));
  T(S3(open, "list/one", O_CREAT | O_RDWR, 0600));
  T(S3(open, "list", O_RDONLY, 0));
  T(S3(getdents64, 4, buf, 10));
  T(S3(getdents64, 4, bad, 4096));
  T(S3(getdents64, 4, buf, 4096));
  T(S3(getdents64, 4, buf, 4096));
  T(S3(lseek, 4, 0, 0));
  T(S3(getdents64, 4, buf, 24));
  T(S3(getdents64, 4, buf, 4096));
  T(S3(getdents64, 3, buf, 4096));
  T(S3(read, 4, buf, 10));
  T(S1(fchdir, 4));
  T(S1(fchdir, 3));
  T(S1(fchdir, 99));
  T(S2(stat, "one", &st));
  T(S1(chdir, ".."));
  T(S3(open, "/dev/null", O_RDWR, 0));
  T(S3(write, 5, bad, 10));
  T(S3(read, 5, bad, 10));
  T(S3(open, "/dev/zero", O_RDWR, 0));
  T(S3(read, 6, page + 4090, 10));
  T(S3(open, "/dev/full", O_RDWR, 0));
  T(S3(write, 7, "x", 1));
  T(S3(lseek, 5, 100, 0));
  T(S3(socket, 77, 1, 0));
  T(S2(socket, 99, 0) == -97);
  T(S3(connect, 3, buf, 10));
  T(S3(connect, 99, buf, 10));
  S3(close_range, 3, 100, 0);
  flush();
}

void _start(void) {
  __asm__ volatile("and $-16, %rsp");
  for (int i = 0; i < 4999; i++) longname[i] = 'n';
  page = (char *)S6(mmap, 0, 8192, 3, 0x22, -1, 0);
  S2(munmap, page + 4096, 4096);
  S1(umask, 022);
  opening();
  closing();
  transfer();
  naming();
  attributes();
  locks();
  directories();
  pipes();
  as_user();
  S1(exit_group, 0);
}
