/* Huge pages of the pool (hugetlb), of 2 MiB. It wants a pool of ten pages, all of them free, and leaves it so. */
#define HUGE (512 * 4096ul)
#define UNITS 16
#define ANON (MAP_ANONYMOUS | MAP_HUGETLB)
#include "hugetlb-steps.h"

static void arguments(void) {
  puts("== arguments");
  DO(mmap(NULL, 0, RW, MAP_PRIVATE | ANON, -1, 0));
  DO(mmap(NULL, HUGE, RW, MAP_PRIVATE | ANON | 12 << 26, -1, 0));
  DO(mmap(NULL, HUGE, RW, MAP_PRIVATE | ANON | 22 << 26, -1, 0));
  DO(mmap(BASE + PAGE, HUGE, RW, MAP_FIXED | MAP_PRIVATE | ANON, -1, 0));
  DO(mmap(NULL, HUGE, RW, MAP_PRIVATE | MAP_HUGETLB, pagemap, 0));
  DO(mmap(NULL, HUGE, RW, MAP_PRIVATE | MAP_HUGETLB, -1, 0));
  DO(mmap(NULL, HUGE, RW, ANON, -1, 0));
  DO(mmap(NULL, HUGE, RW, MAP_PRIVATE | MAP_GROWSDOWN | ANON, -1, 0));
  DO(mmap(NULL, 11 * HUGE, RW, MAP_PRIVATE | ANON, -1, 0));
  DO(mmap(BASE, 1, RW, MAP_FIXED | MAP_PRIVATE | ANON | 21 << 26, -1, 0));
  areas();
  DO(munmap(BASE, PAGE));
  DO(munmap(BASE + PAGE, HUGE - PAGE));
  DO(munmap(BASE, HUGE));
  DO(mmap(BASE + PAGE, HUGE, RW, MAP_PRIVATE | ANON, -1, 0));
  areas();
  DO(unmap(1, 1));
  DO(mmap(BASE, HUGE, RW, MAP_SHARED_VALIDATE | ANON | MAP_FIXED, -1, 0));
  DO(mmap(BASE, HUGE, RW, MAP_SHARED | ANON | MAP_FIXED_NOREPLACE, -1, 0));
  DO(unmap(0, 1));
  DO(mmap(BASE, HUGE, RW, MAP_PRIVATE | ANON | MAP_FIXED, -1, PAGE));
  DO(unmap(0, 1));
  DO(syscall(SYS_memfd_create, "x", 4u | 12u << 26));
  DO(syscall(SYS_memfd_create, "x", 4u | 8u << 5));
  DO(syscall(SYS_memfd_create, "x", 21u << 26));
}

static void private_memory(void) {
  puts("== private");
  DO(map(0, 4, RW, MAP_PRIVATE | ANON, -1, 0));
  areas();
  READ(B(0));
  WRITE(B(0) + 5, 7);
  WRITE(B(1) + PAGE, 8);
  READ(B(0) + 5);
  areas();
  pages(B(0), 3);
  pages(B(2), 2);
  DO(madvise(B(0), HUGE, MADV_DONTNEED));
  READ(B(0) + 5);
  DO(madvise(B(0) + PAGE, HUGE, MADV_DONTNEED));
  DO(madvise(B(0), HUGE - PAGE, MADV_DONTNEED));
  DO(madvise(B(0), 2 * HUGE - PAGE, MADV_DONTNEED));
  READ(B(1) + PAGE);
  DO(mprotect(B(1), PAGE, PROT_READ));
  DO(mprotect(B(1) + PAGE, HUGE, PROT_READ));
  DO(mprotect(B(1), HUGE, PROT_READ));
  areas();
  WRITE(B(1), 1);
  DO(mprotect(B(1), HUGE, PROT_NONE));
  READ(B(1) + PAGE);
  pages(B(1), 2);
  DO(mprotect(B(1), HUGE, RW));
  READ(B(1) + PAGE);
  areas();
  DO(munmap(B(1), HUGE + PAGE));
  DO(munmap(B(1), HUGE));
  areas();
  DO(unmap(0, 4));
}

static void promises(void) {
  puts("== promises");
  DO(map(0, 10, RW, MAP_PRIVATE | ANON, -1, 0));
  DO(map(10, 1, RW, MAP_PRIVATE | ANON, -1, 0));
  DO(map(10, 1, RW, MAP_SHARED | ANON, -1, 0));
  DO(map(10, 1, RW, MAP_PRIVATE | MAP_NORESERVE | ANON, -1, 0));
  READ(B(10));
  WRITE(B(10), 1);
  WRITE(B(9), 1);
  DO(unmap(0, 9));
  WRITE(B(10), 1);
  DO(map(0, 9, RW, MAP_PRIVATE | ANON, -1, 0));
  DO(map(0, 8, RW, MAP_PRIVATE | ANON, -1, 0));
  DO(map(0, 9, RW, MAP_PRIVATE | ANON, -1, 0));
  areas();
  DO(unmap(0, 11));
  DO(map(0, 3, PROT_READ, MAP_PRIVATE | ANON, -1, 0));
  DO(map(3, 3, PROT_NONE, MAP_SHARED | ANON, -1, 0));
  DO(unmap(0, 6));
  DO(map(0, 12, RW, MAP_SHARED | MAP_NORESERVE | ANON, -1, 0));
  for (int i = 8; i < 12; i++) WRITE(B(i), 1);
  for (int i = 0; i < 7; i++) WRITE(B(i), 1);
  areas();
  DO(madvise(B(0), 2 * HUGE, MADV_DONTNEED));
  READ(B(0));
  DO(madvise(B(0), HUGE + PAGE, MADV_REMOVE));
  READ(B(0));
  DO(unmap(0, 12));
  DO(mmap(B(0), 2 * HUGE, RW, MAP_FIXED | MAP_PRIVATE | MAP_POPULATE | ANON, -1, 0));
  areas();
  DO(mmap(B(2), 2 * HUGE, RW, MAP_FIXED | MAP_PRIVATE | MAP_LOCKED | ANON, -1, 0));
  areas();
  DO(unmap(0, 4));
}

static void child_writes(void) {
  READ(B(0));
  READ(B(1));
  WRITE(B(0), 3);
  READ(B(0));
  WRITE(B(2), 4);
  WRITE(B(3), 5);
  areas();
  pages(B(0), 1);
}
static void child_dry(void) {
  DO(map(8, 5, RW, MAP_PRIVATE | MAP_NORESERVE | ANON, -1, 0));
  for (int i = 8; i < 13; i++) WRITE(B(i), 1);
  WRITE(B(0), 3);
  WRITE(B(2), 3);
}
static int to_child[2], to_parent[2];
static void child_robbed(void) {
  char byte;
  READ(B(0));
  write(to_parent[1], "x", 1);
  read(to_child[0], &byte, 1);
  areas();
  READ(B(0));
  READ(B(1));
  WRITE(B(1), 9);
}

static void forks(void) {
  puts("== fork");
  DO(map(0, 3, RW, MAP_PRIVATE | ANON, -1, 0));
  DO(map(3, 1, RW, MAP_SHARED | ANON, -1, 0));
  WRITE(B(0), 1);
  WRITE(B(1), 2);
  in_child(child_writes);
  READ(B(0));
  READ(B(3));
  WRITE(B(0), 6);
  areas();
  puts("-- the child finds no page");
  in_child(child_dry);
  areas();
  puts("-- the owner takes a page from its child");
  DO(unmap(0, 4));
  DO(map(0, 9, RW, MAP_PRIVATE | ANON, -1, 0));
  for (int i = 0; i < 9; i++) B(i)[0] = 1;
  DO(map(9, 1, RW, MAP_PRIVATE | ANON, -1, 0));
  WRITE(B(9), 1);
  pipe(to_child), pipe(to_parent);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    child_robbed();
    fflush(stdout);
    _exit(0);
  }
  char byte;
  read(to_parent[0], &byte, 1);
  WRITE(B(0), 5);
  fflush(stdout);
  write(to_child[1], "x", 1);
  int status;
  waitpid(child, &status, 0);
  printf("child %d\n", status);
  READ(B(0));
  areas();
  DO(unmap(0, 10));
}

static void moves(void) {
  puts("== mremap");
  DO(map(0, 4, RW, MAP_PRIVATE | ANON, -1, 0));
  WRITE(B(0), 1);
  WRITE(B(3), 4);
  DO(mremap(B(0), 4 * HUGE, 5 * HUGE, MREMAP_MAYMOVE));
  DO(mremap(B(0), 4 * HUGE, 4 * HUGE, MREMAP_MAYMOVE | MREMAP_FIXED, B(5) + PAGE));
  DO(mremap(B(0) + PAGE, HUGE, HUGE, MREMAP_MAYMOVE | MREMAP_FIXED, B(5)));
  DO(mremap(B(0), 4 * HUGE, 4 * HUGE, MREMAP_MAYMOVE | MREMAP_FIXED, B(5)));
  areas();
  READ(B(5));
  READ(B(8));
  DO(mremap(B(5), 4 * HUGE, 3 * HUGE - PAGE, 0));
  areas();
  DO(mremap(B(5), 3 * HUGE, 3 * HUGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0));
  /* Not a part of it: Linux 6.18 forgets to give back what was promised to the rest. */
  DO(unmap(5, 4));
  DO(map(0, 2, RW, MAP_SHARED | ANON, -1, 0));
  WRITE(B(0), 1);
  DO(mremap(B(0), 0, 2 * HUGE, MREMAP_MAYMOVE | MREMAP_FIXED, B(4)));
  DO(mremap(B(0), 2 * HUGE, 2 * HUGE, MREMAP_MAYMOVE | MREMAP_FIXED, B(6)));
  areas();
  DO(unmap(0, 8));
}

static void child_seals(void) {
  DO(syscall(462, B(0), HUGE, 0));
  DO(unmap(0, 1));
  DO(madvise(B(0), HUGE, MADV_DONTNEED));
  READ(B(0));
  DO(mprotect(B(0), HUGE, PROT_READ));
  DO(mremap(B(0), HUGE, HUGE, MREMAP_MAYMOVE | MREMAP_FIXED, B(6)));
  DO(pkey_mprotect(B(0), HUGE, PROT_READ, 0));
  areas();
}
static void advice(void) {
  puts("== advice");
  DO(map(0, 2, RW, MAP_PRIVATE | ANON, -1, 0));
  DO(map(2, 2, RW, MAP_SHARED | ANON, -1, 0));
  WRITE(B(0), 1);
  WRITE(B(2), 1);
  static const int all[] = {0,  1,  2,  3,  8,  9,  10, 11, 12, 13, 14,  15,  16,
                            17, 18, 19, 20, 21, 22, 23, 24, 25, 102, 103};
  for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
    errno = 0;
    long a = madvise(B(0), HUGE, all[i]);
    int first = errno;
    errno = 0;
    long b = madvise(B(2), HUGE, all[i]);
    int second = errno;
    errno = 0;
    long c = madvise(B(0) + PAGE, PAGE, all[i]);
    printf("advice %d: %ld %s, %ld %s, part %ld %s", all[i], a, strerrorname_np(first), b,
           strerrorname_np(second), c, strerrorname_np(errno));
    pool();
    printf("\n");
  }
  areas();
  DO(mlock(B(0), 2 * HUGE));
  DO(mlock(B(0) + PAGE, PAGE));
  DO(munlock(B(0) + PAGE, PAGE));
  DO(mlock(B(2), HUGE));
  areas();
  DO(msync(B(0) + PAGE, HUGE, MS_SYNC));
  DO(msync(B(2), HUGE, MS_SYNC | MS_INVALIDATE));
  DO(syscall(SYS_mbind, B(0) + PAGE, PAGE, 0, NULL, 0, 0));
  DO(syscall(SYS_mbind, B(0), HUGE, 0, NULL, 0, 0));
  in_child(child_seals);
  DO(unmap(0, 4));
}

static void keys(void) {
  puts("== keys");
  int key = pkey_alloc(0, 0);
  DO(map(1, 2, RW, MAP_PRIVATE | ANON, -1, 0));
  WRITE(B(1), 3);
  WRITE(B(2), 3);
  DO(pkey_mprotect(B(1) + PAGE, PAGE, RW, key));
  DO(pkey_mprotect(B(1), HUGE, RW, key));
  pkey_set(key, PKEY_DISABLE_WRITE);
  WRITE(B(1) + HUGE - 1, 3);
  READ(B(1));
  pkey_set(key, PKEY_DISABLE_ACCESS);
  READ(B(1) + PAGE);
  READ(B(2));
  pkey_set(key, 0);
  WRITE(B(1), 4);
  areas();
  DO(unmap(1, 2));
  pkey_free(key);
}

static void files(void) {
  puts("== memfd");
  struct stat st;
  char buffer[16];
  int fd = (int)syscall(SYS_memfd_create, "huge", 4u | 2u);
  fstat(fd, &st);
  printf("size %ld blocks %ld blksize %ld mode %o\n", (long)st.st_size, (long)st.st_blocks, (long)st.st_blksize,
         st.st_mode);
  DO(write(fd, "abc", 3));
  DO(ftruncate(fd, PAGE));
  DO(ftruncate(fd, 4 * HUGE));
  DO(mmap(BASE, HUGE, RW, MAP_FIXED | MAP_SHARED, fd, PAGE));
  DO(mmap(BASE, 2 * HUGE, RW, MAP_FIXED | MAP_SHARED, fd, HUGE));
  WRITE(B(0), 'a');
  areas();
  DO(pread(fd, buffer, 4, HUGE));
  printf("    %c\n", buffer[0]);
  DO(pread(fd, buffer, 4, 4 * HUGE - 2));
  DO(pread(fd, buffer, 4, 4 * HUGE));
  DO(map(4, 2, RW, MAP_PRIVATE, fd, HUGE));
  READ(B(4));
  areas();
  pages(B(4), 1);
  WRITE(B(4), 'b');
  READ(B(0));
  pages(B(4), 1);
  pages(B(5), 1);
  fstat(fd, &st);
  printf("size %ld blocks %ld\n", (long)st.st_size, (long)st.st_blocks);
  DO(fallocate(fd, 0, 3 * HUGE, HUGE));
  DO(fallocate(fd, 0, 5 * HUGE, PAGE));
  fstat(fd, &st);
  printf("size %ld blocks %ld\n", (long)st.st_size, (long)st.st_blocks);
  DO(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, HUGE - PAGE, HUGE + 2 * PAGE));
  areas();
  READ(B(0));
  READ(B(4));
  DO(fallocate(fd, FALLOC_FL_ZERO_RANGE, 0, HUGE));
  DO(fallocate(fd, 0, 0, 20 * HUGE));
  fstat(fd, &st);
  printf("size %ld blocks %ld\n", (long)st.st_size, (long)st.st_blocks);
  DO(ftruncate(fd, 2 * HUGE));
  areas();
  READ(B(1));
  READ(B(0));
  DO(map(8, 4, RW, MAP_SHARED, fd, 0));
  fstat(fd, &st);
  printf("size %ld\n", (long)st.st_size);
  DO(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
  DO(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK));
  DO(ftruncate(fd, 0));
  DO(ftruncate(fd, PAGE));
  DO(fallocate(fd, 0, 0, 6 * HUGE));
  DO(write(fd, "x", 1));
  DO(close(fd));
  DO(unmap(0, 12));
}

static void mounts(void) {
  puts("== hugetlbfs");
  struct statfs fs;
  struct stat st;
  mkdir("/tmp/huge-mount", 0755);
  DO(mount("none", "/tmp/huge-mount", "hugetlbfs", 0, "size=x"));
  DO(mount("none", "/tmp/huge-mount", "hugetlbfs", 0, "pagesize=4K"));
  DO(mount("none", "/tmp/huge-mount", "hugetlbfs", 0, "size=4M,min_size=6M"));
  DO(mount("none", "/tmp/huge-mount", "hugetlbfs", 0, "min_size=100M"));
  DO(mount("none", "/tmp/huge-mount", "hugetlbfs", 0, "size=8M,min_size=4M,nr_inodes=4,mode=0700,uid=5"));
  FILE *table = fopen("/proc/mounts", "r");
  char line[512];
  while (fgets(line, sizeof line, table) != NULL)
    if (strstr(line, "huge-mount") != NULL) printf("    %s", line);
  fclose(table);
  int fd = open("/tmp/huge-mount/a", O_RDWR | O_CREAT, 0644);
  printf("fd %d\n", fd >= 0);
  statfs("/tmp/huge-mount", &fs);
  printf("type %lx bsize %ld blocks %ld free %ld files %ld free %ld\n", (long)fs.f_type, (long)fs.f_bsize,
         (long)fs.f_blocks, (long)fs.f_bfree, (long)fs.f_files, (long)fs.f_ffree);
  DO(map(0, 3, RW, MAP_SHARED, fd, 0));
  WRITE(B(0), 1);
  statfs("/tmp/huge-mount", &fs);
  printf("blocks %ld free %ld\n", (long)fs.f_blocks, (long)fs.f_bfree);
  DO(map(3, 2, RW, MAP_PRIVATE, fd, 0));
  DO(map(3, 1, RW, MAP_PRIVATE, fd, 0));
  WRITE(B(3), 1);
  DO(map(4, 1, RW, MAP_PRIVATE | MAP_NORESERVE, fd, 3 * HUGE));
  WRITE(B(4), 1);
  areas();
  DO(mkdir("/tmp/huge-mount/d", 0755));
  DO(symlink("a", "/tmp/huge-mount/l"));
  DO(close(open("/tmp/huge-mount/b", O_RDWR | O_CREAT, 0644)));
  DO(close(open("/tmp/huge-mount/c", O_RDWR | O_CREAT, 0644)));
  DO(unlink("/tmp/huge-mount/a"));
  DO(close(fd));
  DO(unmap(0, 3));
  DO(unmap(3, 2));
  stat("/tmp/huge-mount/d", &st);
  printf("blksize %ld\n", (long)st.st_blksize);
  DO(umount("/tmp/huge-mount"));
  rmdir("/tmp/huge-mount");
}

static void shared_segments(void) {
  puts("== shm");
  int id;
  DO(shmget(IPC_PRIVATE, 11 * HUGE, IPC_CREAT | SHM_HUGETLB | 0600));
  DO(shmget(IPC_PRIVATE, HUGE, IPC_CREAT | SHM_HUGETLB | 12 << 26 | 0600));
  id = shmget(IPC_PRIVATE, HUGE + 1, IPC_CREAT | SHM_HUGETLB | 0600);
  printf("id %d", id >= 0);
  pool();
  printf("\n");
  DO(shmat(id, BASE + PAGE, 0));
  DO(shmat(id, BASE, 0));
  areas();
  WRITE(B(0), 1);
  struct shmid_ds ds;
  shmctl(id, IPC_STAT, &ds);
  printf("size %ld attached %ld\n", (long)ds.shm_segsz, (long)ds.shm_nattch);
  DO(shmctl(id, SHM_LOCK, NULL));
  shmctl(id, IPC_STAT, &ds);
  printf("mode %o\n", ds.shm_perm.mode);
  DO(shmctl(id, IPC_RMID, NULL));
  DO(shmdt(BASE));
}

static void surplus(void) {
  puts("== surplus");
  write_file("/proc/sys/vm/nr_overcommit_hugepages", "2");
  DO(map(0, 11, RW, MAP_PRIVATE | ANON, -1, 0));
  DO(map(11, 2, RW, MAP_PRIVATE | ANON, -1, 0));
  DO(map(11, 1, RW, MAP_PRIVATE | ANON, -1, 0));
  WRITE(B(11), 1);
  WRITE(B(0), 1);
  read_file("/proc/sys/vm/nr_hugepages");
  read_file("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages");
  read_file("/sys/kernel/mm/hugepages/hugepages-2048kB/surplus_hugepages");
  read_file("/sys/devices/system/node/node0/hugepages/hugepages-2048kB/free_hugepages");
  DO(unmap(0, 1));
  DO(unmap(1, 1));
  DO(unmap(2, 8));
  write_file("/proc/sys/vm/nr_overcommit_hugepages", "0");
  DO(unmap(10, 2));
  puts("-- the pool shrinks under those who use it");
  DO(map(0, 6, RW, MAP_PRIVATE | ANON, -1, 0));
  for (int i = 0; i < 4; i++) WRITE(B(i), 1);
  write_total(3);
  printf("three");
  pool();
  printf("\n");
  read_file("/proc/sys/vm/nr_hugepages");
  DO(unmap(0, 1));
  DO(unmap(5, 1));
  DO(unmap(1, 4));
  write_total(10);
  printf("ten");
  pool();
  printf("\n");
  write_file("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "x");
  write_file("/proc/sys/vm/nr_hugepages", "x");
}

static void kernel_access(void) {
  puts("== the kernel's accesses");
  char buffer[8] = "";
  DO(map(0, 2, PROT_READ, MAP_PRIVATE | ANON, -1, 0));
  int mem = open("/proc/self/mem", O_RDWR);
  DO(pread(mem, buffer, 4, (off_t)(uintptr_t)B(0)));
  DO(pwrite(mem, "abcd", 4, (off_t)(uintptr_t)B(0)));
  DO(mprotect(B(0), HUGE, RW));
  DO(pwrite(mem, "abcd", 4, (off_t)(uintptr_t)(B(0) + HUGE - 2)));
  DO(pwrite(mem, "abcd", 4, (off_t)(uintptr_t)B(0)));
  READ(B(0));
  struct iovec local = {buffer, 4}, remote = {B(0), 4};
  DO(process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
  printf("    %.4s\n", buffer);
  DO(read(open("/dev/zero", O_RDONLY), B(0), 2 * PAGE));
  READ(B(0));
  FILE *status = fopen("/proc/self/status", "r");
  char line[256];
  while (fgets(line, sizeof line, status) != NULL)
    if (strncmp(line, "Hugetlb", 7) == 0 || strncmp(line, "VmLck", 5) == 0) printf("    %s", line);
  fclose(status);
  DO(unmap(0, 2));
  struct rlimit limit = {0, 0}, old;
  getrlimit(RLIMIT_AS, &old);
  limit.rlim_cur = HUGE * 4;
  limit.rlim_max = old.rlim_max;
  setrlimit(RLIMIT_AS, &limit);
  DO(map(0, 8, RW, MAP_PRIVATE | ANON, -1, 0));
  setrlimit(RLIMIT_AS, &old);
}

int main(void) {
  setvbuf(stdout, NULL, _IOFBF, 1 << 16);
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_NODEFER};
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
  pagemap = open("/proc/self/pagemap", O_RDONLY);
  if (getenv("LEAKED") != NULL) leaked = atol(getenv("LEAKED"));
  printf("start");
  pool();
  printf(" size %ld\n", entry("Hugepagesize"));
  arguments();
  private_memory();
  promises();
  forks();
  moves();
  advice();
  keys();
  files();
  mounts();
  shared_segments();
  surplus();
  kernel_access();
  printf("end");
  pool();
  printf("\n");
  return 0;
}
