/* memfd_secret(2): what its descriptor, its memory, and everybody who looks up pages say of it. Run as root. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

/* The call, and its errno. */
#define SAY(call) \
  do { \
    errno = 0; \
    long result = (long)(call); \
    printf("%s: %s", #call, result == -1 ? "-1" : result == 0 ? "0" : "+"); \
    printf(errno ? " errno %d\n" : "\n", errno); \
  } while (0)

static long locked(void) {
  FILE *status = fopen("/proc/self/status", "r");
  char line[256];
  long kilobytes = -1;
  while (fgets(line, sizeof line, status)) sscanf(line, "VmLck: %ld", &kilobytes);
  fclose(status);
  return kilobytes;
}

static void areas(const char *when) {
  FILE *smaps = fopen("/proc/self/smaps", "r");
  char line[512];
  int on = 0;
  while (fgets(line, sizeof line, smaps)) {
    char *name = strstr(line, "/secretmem"), *dash = strchr(line, '-');
    if (dash && dash < line + 14) on = name != NULL;
    if (!on) continue;
    if (name) printf("%s: %.4s %s", when, strchr(line, ' ') + 1, name);
    for (const char *const *word = (const char *const[]){"Rss:", "Anonymous:", "Locked:", NULL}; *word; word++)
      if (strncmp(line, *word, strlen(*word)) == 0) printf("  %s", line);
    /* Soft-dirty bits are kept by some kernels only. */
    char *soft = strstr(line, " sd");
    if (strncmp(line, "VmFlags:", 8) == 0) {
      if (soft) memmove(soft, soft + 3, strlen(soft + 3) + 1);
      printf("  %s", line);
    }
  }
  fclose(smaps);
  printf("locked: %ld kB\n", locked());
}

static void descriptor(void) {
  char bytes[64];
  int fd;
  struct stat st;
  struct statfs fs;
  SAY(syscall(SYS_memfd_secret, 1));
  SAY(syscall(SYS_memfd_secret, O_NONBLOCK));
  SAY(fd = syscall(SYS_memfd_secret, O_CLOEXEC));
  printf("FD_CLOEXEC: %d\n", fcntl(fd, F_GETFD));
  close(fd);
  SAY(fd = syscall(SYS_memfd_secret, 0));
  printf("FD_CLOEXEC: %d, flags %x\n", fcntl(fd, F_GETFD), fcntl(fd, F_GETFL));
  fstat(fd, &st);
  printf("mode %o, %ld bytes, %ld links, %ld blocks\n", st.st_mode, (long)st.st_size, (long)st.st_nlink, (long)st.st_blocks);
  fstatfs(fd, &fs);
  printf("file system %lx\n", (long)fs.f_type);
  char link[64];
  sprintf(link, "/proc/self/fd/%d", fd);
  printf("link %.*s\n", (int)readlink(link, bytes, sizeof bytes), bytes);
  SAY(open(link, O_RDWR));
  SAY(read(fd, bytes, 1));
  SAY(write(fd, bytes, 1));
  SAY(pread(fd, bytes, 1, 0));
  SAY(lseek(fd, 0, SEEK_SET));
  SAY(fallocate(fd, 0, 0, 4096));
  SAY(fallocate(fd, 3, 0, 4096));
  SAY(fsync(fd));
  SAY(fcntl(fd, F_GET_SEALS));
  SAY(fchmod(fd, 0644));
  SAY(ftruncate(fd, -1));
  SAY(ftruncate(fd, 0));
  SAY(ftruncate(fd, 3 * 4096));
  SAY(ftruncate(fd, 0));
  SAY(ftruncate(fd, 3 * 4096));
  fstat(fd, &st);
  printf("mode %o, %ld bytes, %ld blocks\n", st.st_mode, (long)st.st_size, (long)st.st_blocks);
  close(fd);
}

static void locks(char *p) {
  areas("mapped");
  p[0] = 7, p[4096] = 8;
  areas("written");
  SAY(mlock(p, 4096));
  SAY(mlock2(p, 8192, 1));
  SAY(munlock(p, 4096));
  SAY(munlockall());
  areas("unlocked");
  SAY(madvise(p, 4096, MADV_DONTNEED));
  SAY(madvise(p, 4096, 24 /* MADV_DONTNEED_LOCKED */));
  printf("reads %d\n", p[0]);
  SAY(madvise(p, 4096, MADV_REMOVE));
  SAY(madvise(p, 4096, MADV_COLD));
  SAY(madvise(p, 4096, MADV_FREE));
  SAY(madvise(p, 4096, 22 /* MADV_POPULATE_READ */));
  SAY(madvise(p, 4096, 23 /* MADV_POPULATE_WRITE */));
  SAY(madvise(p, 8192, MADV_WIPEONFORK));
  SAY(madvise(p, 8192, MADV_DODUMP));
  areas("dumped");
  SAY(madvise(p, 8192, MADV_DONTDUMP));
  SAY(msync(p, 8192, MS_SYNC));
  SAY(msync(p, 8192, MS_INVALIDATE));
}

/* Bytes are copied to and fro; pages are not looked up. */
static void others(char *p) {
  char bytes[100];
  int pair[2];
  struct iovec there = {p, 100}, here = {bytes, 100};
  pipe(pair);
  SAY(write(pair[1], p, 100));
  SAY(read(pair[0], p, 100));
  SAY(vmsplice(pair[1], &there, 1, 0));
  SAY(process_vm_readv(getpid(), &here, 1, &there, 1, 0));
  SAY(process_vm_writev(getpid(), &here, 1, &there, 1, 0));
  SAY(process_vm_readv(getpid(), &there, 1, &here, 1, 0));
  int memory = open("/proc/self/mem", O_RDWR);
  SAY(pread(memory, bytes, 10, (long)p));
  SAY(pwrite(memory, bytes, 10, (long)p));
  SAY(syscall(SYS_futex, p, FUTEX_WAKE, 1, 0, 0, 0));
  SAY(syscall(SYS_futex, p, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, 0, 0, 0));
  pid_t child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    _exit(0);
  }
  waitpid(child, NULL, 0);
  SAY((ptrace(PTRACE_PEEKDATA, child, p, 0), errno ? -1 : 0));
  SAY(ptrace(PTRACE_POKEDATA, child, p, 0));
  kill(child, SIGKILL);
  waitpid(child, NULL, 0);
}

static void moves(int fd, char *p) {
  char *q;
  unsigned char present[2];
  SAY(mincore(p, 8192, present));
  printf("present %d %d\n", present[0], present[1]);
  SAY(mprotect(p, 4096, PROT_READ));
  SAY(mprotect(p, 8192, PROT_READ | PROT_WRITE));
  SAY(mprotect(p, 8192, PROT_READ | PROT_WRITE | PROT_EXEC));
  SAY(p = mremap(p, 8192, 12288, MREMAP_MAYMOVE));
  printf("locked: %ld kB\n", locked());
  SAY(q = mremap(p, 0, 8192, MREMAP_MAYMOVE));
  printf("reads %d, locked: %ld kB\n", q[4096], locked());
  munmap(q, 8192);
  SAY(q = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 8192));
  SAY(mincore(q, 4096, present));
  printf("present %d\n", present[0]);
  munmap(q, 4096);
  SAY(q = mmap(0, 16384, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    areas("child");
    printf("reads %d\n", p[4096]);
    p[4096] = 9;
    SAY(munmap(p, 4096));
    fflush(stdout);
    q[12288] = 1;
    _exit(1);
  }
  int status;
  waitpid(child, &status, 0);
  printf("child wrote %d, and ended with signal %d beyond the end\n", p[4096], WTERMSIG(status));
}

static void limits(int fd) {
  struct rlimit limit = {16384, 16384};
  setrlimit(RLIMIT_MEMLOCK, &limit);
  setuid(1000);
  SAY(mmap(0, 16384, PROT_READ, MAP_SHARED, fd, 0));
  SAY(mmap(0, 20480, PROT_READ, MAP_SHARED, fd, 0));
  limit.rlim_cur = 0;
  setrlimit(RLIMIT_MEMLOCK, &limit);
  SAY(mmap(0, 4096, PROT_READ, MAP_SHARED, fd, 0));
  SAY(mmap(0, 4096, PROT_READ, MAP_PRIVATE, fd, 0));
  SAY(mmap(0, 4096, PROT_READ, MAP_SHARED | MAP_LOCKED, fd, 0));
  SAY(mmap(0, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0));
}

int main(void) {
  char *p;
  setvbuf(stdout, NULL, _IOFBF, 1 << 16);
  int fd = syscall(SYS_memfd_secret, 0);
  if (fd < 0) {
    printf("no memfd_secret: errno %d\n", errno);
    return 0;
  }
  descriptor();
  /* Mapped before it has a size. */
  SAY(p = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  SAY(mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
  ftruncate(fd, 3 * 4096);
  locks(p);
  others(p);
  moves(fd, p);
  SAY(p = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
  SAY(syscall(462 /* mseal */, p, 4096, 0));
  SAY(munmap(p, 4096));
  SAY(munmap(p + 4096, 4096));
  fflush(stdout);
  munmap(p + 4096, 4096);
  pid_t child = fork();
  if (child == 0) {
    limits(fd);
    fflush(stdout);
    _exit(0);
  }
  waitpid(child, NULL, 0);
  return 0;
}
