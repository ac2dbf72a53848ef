/* The memory of another process: every line is what a call answered. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PG 4096
#define BASE ((char *)0x200000000000)
#define NUMBER(call)                                                                                                   \
  do {                                                                                                                 \
    errno = 0;                                                                                                         \
    long number = (long)(call);                                                                                        \
    if (number == -1) printf("%s: %s\n", #call, strerrorname_np(errno));                                               \
    else printf("%s: %ld\n", #call, number);                                                                           \
  } while (0)

static pid_t child;
static char buffer[8 * PG];

static long rd(void *at, size_t n) {
  struct iovec local = {buffer, n}, remote = {at, n};
  return process_vm_readv(child, &local, 1, &remote, 1, 0);
}

static long wr(void *at, size_t n) {
  struct iovec local = {buffer, n}, remote = {at, n};
  return process_vm_writev(child, &local, 1, &remote, 1, 0);
}

static int file(const char *name, int flags) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", child, name);
  return open(path, flags);
}

/* Areas of the child at and above BASE, with what smaps says that both kernels count alike. */
static void show(const char *name) {
  char text[65536];
  int fd = file(name, O_RDONLY);
  size_t n = 0;
  for (ssize_t r; (r = read(fd, text + n, sizeof text - 1 - n)) > 0;) n += r;
  text[n] = 0;
  close(fd);
  int shown = 0;
  printf("%s:\n", name);
  for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
    unsigned long start, end;
    char perms[8];
    if (sscanf(line, "%lx-%lx %7s", &start, &end, perms) == 3) {
      shown = start >= (unsigned long)BASE && start < (unsigned long)BASE + (1UL << 32);
      if (shown) printf("  +%lx-%lx %s\n", start - (unsigned long)BASE, end - (unsigned long)BASE, perms);
    } else if (shown && (!strncmp(line, "Rss:", 4) || !strncmp(line, "Anonymous:", 10) || !strncmp(line, "Shared_Dirty:", 13) ||
                         !strncmp(line, "Private_Dirty:", 14) || !strncmp(line, "ProtectionKey", 13)))
      printf("    %s\n", line);
  }
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  int to[2], from[2];
  pipe(to);
  pipe(from);
  mmap(BASE, 8 * PG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  for (int i = 0; i < 8; i++) memset(BASE + i * PG, 'a' + i, PG);
  int key = syscall(330, 0, 0);
  child = fork();
  if (child == 0) {
    /* 0 rw, 1 r, 2 none, 3 key, 4 sealed read-only, 5 hole, 6 guard, 7 rw */
    mprotect(BASE + PG, PG, PROT_READ);
    mprotect(BASE + 2 * PG, PG, PROT_NONE);
    syscall(329, BASE + 3 * PG, PG, PROT_READ | PROT_WRITE, key);
    mprotect(BASE + 4 * PG, PG, PROT_READ);
    syscall(462, BASE + 4 * PG, PG, 0);
    munmap(BASE + 5 * PG, PG);
    madvise(BASE + 6 * PG, PG, 102);
    asm volatile("wrpkru" ::"a"(3 << (2 * key)), "c"(0), "d"(0));
    mmap(BASE + 16 * PG, 2 * PG, PROT_READ, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    write(from[1], "r", 1);
    char c;
    read(to[0], &c, 1);
    printf("child sees %c%c %d %d\n", BASE[0], BASE[PG], memchr(BASE + 4 * PG, 'Z', PG) != NULL, BASE[7 * PG]);
    write(from[1], "r", 1);
    read(to[0], &c, 1);
    _exit(0);
  }
  /* The parent may not touch key memory either: it does not matter. */
  asm volatile("wrpkru" ::"a"(3 << (2 * key)), "c"(0), "d"(0));
  char c;
  read(from[0], &c, 1);
  show("maps");
  show("smaps");
  for (int i = 0; i < 8; i++) {
    memset(buffer, 0, PG);
    long n = rd(BASE + i * PG, 10);
    printf("read page %d: %s %.10s\n", i, n < 0 ? strerrorname_np(errno) : "ok", buffer);
  }
  memset(buffer, 'X', sizeof buffer);
  for (int i = 0; i < 8; i++) {
    long n = wr(BASE + i * PG, 10);
    printf("write page %d: %s\n", i, n < 0 ? strerrorname_np(errno) : "ok");
  }
  NUMBER(rd(BASE + 100, 3 * PG));
  NUMBER(rd(BASE + 3 * PG, 3 * PG));
  NUMBER(wr(BASE + PG - 50, PG));
  NUMBER(rd(NULL, 10));
  NUMBER(rd((void *)-4096, 10));
  NUMBER(rd(BASE, 0));
  NUMBER(rd(BASE + 16 * PG, 10));
  NUMBER(wr(BASE + 16 * PG, 10));
  struct iovec local[3] = {{buffer, 5}, {buffer + 100, 0}, {buffer + 200, 20}};
  struct iovec remote[3] = {{BASE, 3}, {BASE + PG, 12}, {BASE + 7 * PG, 100}};
  NUMBER(process_vm_readv(child, local, 3, remote, 3, 0));
  printf("%.5s %.20s\n", buffer, buffer + 200);
  NUMBER(process_vm_readv(child, local, 3, remote, 3, 1));
  NUMBER(process_vm_readv(child, local, 1025, remote, 3, 0));
  NUMBER(process_vm_readv(child, local, 3, remote, 1025, 0));
  NUMBER(process_vm_readv(child, local, 3, (void *)8, 1, 0));
  NUMBER(process_vm_readv(child, (void *)8, 1, remote, 1, 0));
  NUMBER(process_vm_readv(child, local, 0, (void *)8, 1, 0));
  NUMBER(process_vm_readv(child, local, 3, remote, 0, 0));
  NUMBER(process_vm_readv(999999, local, 3, remote, 3, 0));
  NUMBER(process_vm_readv(0, local, 3, remote, 3, 0));
  local[0].iov_len = -1;
  NUMBER(process_vm_readv(child, local, 3, remote, 3, 0));
  local[0].iov_len = 5;
  remote[0].iov_len = -1;
  NUMBER(process_vm_readv(child, local, 3, remote, 3, 0));
  remote[0].iov_len = 3;
  local[0].iov_base = (void *)8;
  NUMBER(process_vm_readv(child, local, 3, remote, 3, 0));
  NUMBER(process_vm_writev(child, local, 3, remote, 3, 0));
  local[2].iov_base = (void *)8;
  local[0].iov_base = buffer;
  NUMBER(process_vm_readv(child, local, 3, remote, 3, 0));

  /* /proc/PID/mem writes what is private, whatever its protection */
  int mem = file("mem", O_RDWR);
  for (int i = 0; i < 8; i++) {
    errno = 0;
    long r = pread(mem, buffer, 10, (long)BASE + i * PG);
    printf("mem read %d: %ld %s %.10s", i, r, errno ? strerrorname_np(errno) : "", r > 0 ? buffer : "");
    errno = 0;
    long w = pwrite(mem, "Z", 1, (long)BASE + i * PG + 200);
    printf(", write %ld %s\n", w, errno ? strerrorname_np(errno) : "");
  }
  NUMBER(pread(mem, buffer, 3 * PG, (long)BASE + 3 * PG));
  NUMBER(pwrite(mem, "Z", 1, (long)BASE + 16 * PG));
  NUMBER(lseek(mem, (long)BASE + PG, SEEK_SET) == (long)BASE + PG);
  NUMBER(read(mem, buffer, 4));
  NUMBER(lseek(mem, 0, SEEK_CUR) == (long)BASE + PG + 4);
  show("smaps");
  /* advice */
  int pidfd = syscall(434, child, 0);
  struct iovec advised[2] = {{BASE, PG}, {BASE + 5 * PG, PG}};
  NUMBER(syscall(440, pidfd, advised, 2, MADV_DONTNEED, 0));
  NUMBER(syscall(440, pidfd, advised, 2, MADV_COLD, 0));
  NUMBER(syscall(440, pidfd, advised + 1, 1, MADV_COLD, 0));
  NUMBER(syscall(440, pidfd, advised, 2, 999, 0));
  NUMBER(syscall(440, pidfd, advised, 2, MADV_COLD, 1));
  NUMBER(syscall(440, 55, advised, 2, MADV_COLD, 0));
  NUMBER(syscall(440, 1, advised, 2, MADV_COLD, 0));
  int self = syscall(434, getpid(), 0);
  NUMBER(syscall(440, self, advised, 1, MADV_DONTNEED, 0));
  printf("own %d\n", BASE[0]);
  write(to[1], "g", 1);
  read(from[0], &c, 1);
  /* somebody else */
  pid_t other = fork();
  if (other == 0) {
    setgroups(0, NULL);
    setgid(4321);
    setuid(4321);
    remote[0].iov_base = BASE;
    local[2].iov_base = buffer;
    NUMBER(process_vm_readv(child, local, 3, remote, 3, 0));
    NUMBER(file("mem", O_RDONLY));
    NUMBER(file("maps", O_RDONLY) >= 0 ? 0 : -1);
    child = getpid();
    NUMBER(process_vm_readv(child, local, 3, remote, 1, 0));
    _exit(0);
  }
  waitpid(other, NULL, 0);
  write(to[1], "g", 1);
  siginfo_t info;
  waitid(P_PID, child, &info, WEXITED | WNOWAIT);
  NUMBER(rd(BASE, 10));
  NUMBER(pread(mem, buffer, 10, (long)BASE));
  NUMBER(syscall(440, pidfd, advised, 1, MADV_COLD, 0));
  waitpid(child, NULL, 0);
  NUMBER(rd(BASE, 10));
  NUMBER(syscall(440, pidfd, advised, 1, MADV_COLD, 0));
  return 0;
}
