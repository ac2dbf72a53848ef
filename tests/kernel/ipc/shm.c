/* System V shared memory: every line is what a call answered. Ids and times are left out. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define BASE ((char *)0x200000000000)
static int failures;

static const char *name(long result) {
  return result == -1 ? strerrorname_np(errno) : "ok";
}
#define SHOW(call)                                                                                                     \
  do {                                                                                                                 \
    errno = 0;                                                                                                         \
    printf("%s: %s\n", #call, name((long)(call)));                                                                     \
  } while (0)

static void stat_line(const char *what, int id) {
  struct shmid_ds ds;
  if (shmctl(id, IPC_STAT, &ds) != 0) {
    printf("%s: %s\n", what, strerrorname_np(errno));
    return;
  }
  printf("%s: key %x mode %o size %zu nattch %lu uid %u cpid %d lpid %d atime %d dtime %d ctime %d\n", what, ds.shm_perm.__key,
         ds.shm_perm.mode, ds.shm_segsz, (unsigned long)ds.shm_nattch, ds.shm_perm.uid, ds.shm_cpid == getpid(),
         ds.shm_lpid == 0 ? 0 : ds.shm_lpid == getpid() ? 1 : 2, ds.shm_atime != 0, ds.shm_dtime != 0, ds.shm_ctime != 0);
}

/* The areas at and above BASE, without inode numbers. */
static void maps(const char *what) {
  FILE *f = fopen("/proc/self/maps", "r");
  char line[512];
  printf("%s:\n", what);
  while (fgets(line, sizeof line, f)) {
    unsigned long start, end, offset, inode;
    char perms[8], dev[16], path[256] = "";
    sscanf(line, "%lx-%lx %7s %lx %15s %lu %255[^\n]", &start, &end, perms, &offset, dev, &inode, path);
    if (start >= (unsigned long)BASE && start < (unsigned long)BASE + (1UL << 32))
      printf("  +%lx-%lx %s %lx %s %s\n", start - (unsigned long)BASE, end - (unsigned long)BASE, perms, offset, dev, path);
  }
  fclose(f);
}

static void sysvipc(void) {
  FILE *f = fopen("/proc/sysvipc/shm", "r");
  char line[512];
  while (f && fgets(line, sizeof line, f)) {
    if (strstr(line, "key")) printf("%s", line);
  }
  if (f) fclose(f);
}

static int sigsegv(volatile char *at) {
  pid_t pid = fork();
  if (pid == 0) {
    *at = 1;
    _exit(0);
  }
  int status;
  waitpid(pid, &status, 0);
  return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

int main(int argc, char **argv) {
  if (argc > 1) return 0;
  setvbuf(stdout, NULL, _IONBF, 0);
  key_t key = 0x5ea1ab;
  int old = shmget(key, 0, 0);
  if (old >= 0) shmctl(old, IPC_RMID, NULL);
  sysvipc();
  SHOW(shmget(key, 4096, 0));
  SHOW(shmget(key, 0, IPC_CREAT | 0600));
  SHOW(shmget(IPC_PRIVATE, 1UL << 63, 0600));
  SHOW(shmget(IPC_PRIVATE, 1UL << 45, 0600));
  int id = shmget(key, 10000, IPC_CREAT | IPC_EXCL | 0640);
  printf("made %d\n", id >= 0);
  SHOW(shmget(key, 10000, IPC_CREAT | IPC_EXCL | 0640));
  SHOW(shmget(key, 10001, 0));
  printf("found %d\n", shmget(key, 5000, 0) == id);
  stat_line("fresh", id);
  SHOW(shmat(-1, NULL, 0));
  SHOW(shmat(id + 1, NULL, 0));
  SHOW(shmat(id, BASE + 1, 0));
  SHOW(shmat(id, NULL, SHM_REMAP));
  SHOW(shmat(id, (void *)1, SHM_RND | SHM_REMAP));
  char *a = shmat(id, BASE + 5, SHM_RND);
  printf("at BASE %d\n", a == BASE);
  stat_line("attached", id);
  SHOW(shmat(id, BASE, 0));
  SHOW(shmat(id, BASE + 0x2000, 0));
  printf("remapped %d\n", shmat(id, BASE, SHM_REMAP) == BASE);
  stat_line("remapped", id);
  strcpy(a, "hello");
  char *r = shmat(id, BASE + 0x10000, SHM_RDONLY);
  char *x = shmat(id, BASE + 0x20000, SHM_EXEC);
  printf("read %s, signal %d, %d\n", r, sigsegv(r), x == BASE + 0x20000);
  SHOW(mprotect(r, 4096, PROT_READ | PROT_WRITE));
  maps("three");
  stat_line("three", id);
  SHOW(mprotect(BASE + 0x1000, 0x1000, PROT_READ));
  stat_line("split", id);
  SHOW(mprotect(BASE + 0x1000, 0x1000, PROT_READ | PROT_WRITE));
  stat_line("merged?", id);
  maps("merged?");
  SHOW(munmap(BASE + 0x10000, 0x1000));
  maps("head of an attachment is gone");
  SHOW(shmdt(BASE + 0x10000));
  SHOW(shmdt(BASE + 0x11000));
  maps("detached");
  SHOW(shmdt(BASE + 1));
  SHOW(shmdt(BASE + 0x50000));
  stat_line("two", id);
  pid_t pid = fork();
  if (pid == 0) {
    stat_line("in the child", id);
    a[0] = 'j';
    SHOW(shmdt(a));
    stat_line("child detached one", id);
    _exit(0);
  }
  waitpid(pid, NULL, 0);
  printf("%s\n", a);
  stat_line("after the child", id);
  pid = fork();
  if (pid == 0) {
    execl("/proc/self/exe", "program", "exit", NULL);
    _exit(0);
  }
  waitpid(pid, NULL, 0);
  stat_line("after exec", id);
  /* mremap of an attachment, DONTNEED, REMOVE, mseal */
  SHOW(madvise(a, 4096, MADV_DONTNEED));
  printf("kept %s\n", a);
  SHOW(madvise(a, 4096, MADV_REMOVE));
  printf("removed %d\n", a[0]);
  char *moved = mremap(x, 0x3000, 0x3000, MREMAP_MAYMOVE | MREMAP_FIXED, BASE + 0x30000);
  printf("moved %d\n", moved == BASE + 0x30000);
  stat_line("moved", id);
  SHOW(shmdt(BASE + 0x30000));
  char *b = shmat(id, BASE + 0x40000, 0);
  printf("mseal %ld\n", syscall(462, b, 0x1000, 0));
  maps("one page sealed");
  SHOW(shmdt(b));
  maps("a sealed page stays");
  SHOW(shmat(id, b, SHM_REMAP));
  stat_line("sealed", id);
  SHOW(mmap(b + 0x100000, 0x5000, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
  SHOW(shmctl(id, SHM_LOCK, NULL));
  stat_line("locked", id);
  SHOW(shmctl(id, SHM_UNLOCK, NULL));
  struct shmid_ds ds;
  shmctl(id, IPC_STAT, &ds);
  ds.shm_perm.mode = 0777;
  ds.shm_perm.uid = 1234;
  SHOW(shmctl(id, IPC_SET, &ds));
  stat_line("set", id);
  ds.shm_perm.uid = -1;
  SHOW(shmctl(id, IPC_SET, &ds));
  SHOW(shmctl(id, IPC_STAT, (void *)8));
  SHOW(shmctl(id, IPC_SET, (void *)8));
  SHOW(shmctl(id, 77, &ds));
  SHOW(shmctl(-1, IPC_STAT, &ds));
  SHOW(shmctl(id, -1, &ds));
  struct shminfo info;
  printf("info %d", shmctl(0, IPC_INFO, (void *)&info) >= 0);
  printf(" %lu %lu %lu %lu %lu\n", info.shmmax, info.shmmin, info.shmmni, info.shmseg, info.shmall);
  SHOW(shmctl(id, IPC_RMID, NULL));
  stat_line("removed", id);
  SHOW(shmget(key, 0, 0));
  char *late = shmat(id, BASE + 0x60000, 0);
  printf("late %d\n", late == BASE + 0x60000);
  maps("late");
  SHOW(shmdt(a));
  SHOW(shmdt(late));
  stat_line("nearly", id);
  /* permissions */
  int other = shmget(IPC_PRIVATE, 4096, 0640);
  pid = fork();
  if (pid == 0) {
    setgroups(0, NULL);
    setgid(4321);
    setuid(4321);
    SHOW(shmat(other, NULL, SHM_RDONLY));
    SHOW(shmctl(other, IPC_STAT, &ds));
    SHOW(shmctl(other, IPC_RMID, NULL));
    SHOW(shmctl(other, SHM_LOCK, NULL));
    SHOW(shmget(IPC_PRIVATE, 4096, 0));
    int own = shmget(IPC_PRIVATE, 4096, 0);
    SHOW(shmat(own, NULL, 0));
    SHOW(shmctl(own, IPC_STAT, &ds));
    SHOW(shmctl(own, IPC_RMID, NULL));
    SHOW(shmctl(own, IPC_RMID, NULL));
    _exit(0);
  }
  waitpid(pid, NULL, 0);
  SHOW(shmctl(other, IPC_RMID, NULL));
  SHOW(shmat(other, NULL, 0));
  return failures;
}
