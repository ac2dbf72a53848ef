/* Huge pages of 1 GiB. It wants a pool of two of them, nothing of it in use, and leaves it so; the machine has a processor
   with pdpe1gb. The part about demotion wants an empty pool of 2 MiB and is left out where it is not. */
#define HUGE (1ul << 30)
#define UNITS 8
#define GIGANTIC (30 << 26)
#define ANON (MAP_ANONYMOUS | MAP_HUGETLB | GIGANTIC)
#include "hugetlb-steps.h"
#include <linux/userfaultfd.h>
#include <pthread.h>

#define SYSFS "/sys/kernel/mm/hugepages/hugepages-1048576kB/"
#define NODE "/sys/devices/system/node/node0/hugepages/hugepages-1048576kB/"
#define LAST (HUGE - 1)
#define SMALL (2ul << 20)

static void show(const char *path) {
  char text[64] = "";
  int fd = open(path, O_RDONLY);
  long n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  int error = errno;
  if (fd >= 0) close(fd);
  if (n > 0) text[n - 1] = 0;
  printf("    %s: %s\n", strrchr(path, '/') + 1, n < 0 ? strerrorname_np(error) : text);
}
static long store(const char *path, const char *text) {
  int fd = open(path, O_WRONLY);
  long n = fd < 0 ? -1 : write(fd, text, strlen(text));
  int error = errno;
  if (fd >= 0) close(fd);
  errno = error;
  return n;
}

/* What the processor and the kernel say of the size. */
static void sizes(void) {
  puts("== sizes");
  unsigned a = 0x80000001, b, c, d;
  __asm__("cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d));
  printf("pdpe1gb %d\n", d >> 26 & 1);
  show(SYSFS "nr_hugepages");
  show(SYSFS "demote_size");
  show(SYSFS "demote");
  show(NODE "nr_hugepages");
  show(NODE "demote_size");
  show(NODE "resv_hugepages");
  show("/sys/kernel/mm/hugepages/hugepages-2048kB/demote_size");
  DO(store(SYSFS "demote_size", "2048kB"));
  DO(store(SYSFS "demote_size", "2M"));
  DO(store(SYSFS "demote_size", "1G"));
  DO(store(SYSFS "demote_size", "4K"));
  DO(store(SYSFS "demote_size", "x"));
  DO(store(SYSFS "demote", "x"));
  DO(store(SYSFS "demote", "0"));
  DO(store(SYSFS "nr_hugepages", "0x1"));
  DO(store(SYSFS "nr_hugepages", "-1"));
  DO(store(SYSFS "nr_hugepages", "1"));
  DO(store(SYSFS "nr_hugepages", "02\n"));
  printf("Hugepagesize %ld HugePages_Total %ld Hugetlb %ld\n", entry("Hugepagesize"), entry("HugePages_Total"),
         entry("Hugetlb"));
}

static void arguments(void) {
  puts("== arguments");
  DO(mmap(BASE, 1, RW, MAP_FIXED | MAP_PRIVATE | ANON, -1, 0));
  areas();
  DO(munmap(BASE, PAGE));
  DO(munmap(BASE, SMALL));
  DO(munmap(BASE + SMALL, HUGE - SMALL));
  DO(mmap(BASE + SMALL, SMALL, RW, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  DO(munmap(BASE, HUGE));
  DO(mmap(BASE + SMALL, HUGE, RW, MAP_FIXED | MAP_PRIVATE | ANON, -1, 0));
  DO(mmap(BASE + HUGE / 2, HUGE, RW, MAP_PRIVATE | ANON, -1, 0));
  areas();
  DO(munmap(BASE, 2 * HUGE));
  char *anywhere = mmap(NULL, HUGE, RW, MAP_PRIVATE | ANON, -1, 0);
  printf("anywhere %d\n", (uintptr_t)anywhere % HUGE == 0);
  DO(munmap(anywhere, HUGE));
  DO(mmap(BASE, 3 * HUGE, RW, MAP_FIXED | MAP_PRIVATE | ANON, -1, 0));
  anywhere = mmap(NULL, HUGE, RW, MAP_PRIVATE | ANON | MAP_32BIT, -1, 0);
  printf("low %d", (uintptr_t)anywhere < 1ul << 31);
  pool();
  printf("\n");
  DO(munmap(anywhere, HUGE));
  DO(mmap(BASE, SMALL, RW, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0));
  DO(mmap(BASE, HUGE, RW, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | 29 << 26, -1, 0));
  DO(mmap(BASE, HUGE, RW, MAP_FIXED | MAP_SHARED_VALIDATE | ANON, -1, 0));
  DO(munmap(BASE, HUGE));
}

static void private_memory(void) {
  puts("== private");
  /* A page table was there before. */
  DO(mmap(BASE + SMALL, PAGE, RW, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == BASE + SMALL);
  BASE[SMALL] = 1;
  DO(munmap(BASE + SMALL, PAGE));
  DO(map(0, 2, RW, MAP_PRIVATE | ANON, -1, 0));
  areas();
  READ(B(0) + 5);
  WRITE(B(0) + LAST, 7);
  READ(B(0) + LAST);
  READ(B(0) + HUGE / 2);
  areas();
  pages(B(0), 2);
  pages(B(1) - 2 * PAGE, 4);
  DO(madvise(B(0) + SMALL, HUGE - SMALL, MADV_DONTNEED));
  DO(madvise(B(0), SMALL, MADV_DONTNEED));
  READ(B(0) + LAST);
  DO(madvise(B(0), HUGE + SMALL, MADV_DONTNEED));
  READ(B(0) + LAST);
  WRITE(B(0) + SMALL, 3);
  DO(mprotect(B(0), SMALL, PROT_READ));
  DO(mprotect(B(0) + SMALL, HUGE - SMALL, PROT_READ));
  DO(mprotect(B(0), HUGE, PROT_READ));
  WRITE(B(0) + SMALL, 1);
  DO(mprotect(B(0), HUGE, PROT_NONE));
  READ(B(0) + SMALL);
  pages(B(0), 1);
  DO(mprotect(B(0), HUGE, RW | PROT_EXEC));
  READ(B(0) + SMALL);
  WRITE(B(0) + SMALL, 9);
  areas();
  memcpy(B(0) + HUGE / 2, "\xb8\x2a\x00\x00\x00\xc3", 6);
  printf("runs %d\n", ((int (*)(void))(B(0) + HUGE / 2))());
  DO(mlock(B(0) + PAGE, PAGE));
  DO(mlock(B(0), HUGE));
  DO(munlock(B(0), HUGE));
  DO(madvise(B(0), HUGE, MADV_FREE));
  DO(madvise(B(0), HUGE, MADV_HUGEPAGE));
  DO(madvise(B(0), HUGE, MADV_PAGEOUT));
  DO(madvise(B(0), PAGE, MADV_DONTFORK));
  DO(madvise(B(0), HUGE, MADV_DONTFORK));
  DO(madvise(B(0), HUGE, MADV_DOFORK));
  DO(madvise(B(0), HUGE, 102));
  DO(madvise(B(1), SMALL, MADV_POPULATE_WRITE));
  areas();
  DO(unmap(0, 2));
}

static void child_writes(void) {
  READ(B(0));
  WRITE(B(0), 3);
  READ(B(0) + LAST);
  areas();
}
static void child_reads(void) {
  READ(B(0));
  WRITE(B(1), 3);
  WRITE(B(0), 3);
}

static void forks(void) {
  puts("== fork");
  DO(map(0, 1, RW, MAP_PRIVATE | ANON, -1, 0));
  WRITE(B(0), 1);
  WRITE(B(0) + LAST, 2);
  in_child(child_writes);
  READ(B(0));
  WRITE(B(0), 6);
  areas();
  puts("-- the child finds no page");
  DO(map(1, 1, RW, MAP_SHARED | ANON, -1, 0));
  in_child(child_reads);
  READ(B(0));
  READ(B(1));
  DO(unmap(0, 2));
}

static void moves(void) {
  puts("== mremap");
  DO(map(0, 2, RW, MAP_PRIVATE | ANON, -1, 0));
  WRITE(B(0) + LAST, 1);
  DO(mremap(B(0), 2 * HUGE, 3 * HUGE, MREMAP_MAYMOVE));
  DO(mremap(B(0), 2 * HUGE, 2 * HUGE, MREMAP_MAYMOVE | MREMAP_FIXED, B(4) + SMALL));
  DO(mremap(B(0) + SMALL, HUGE, HUGE, MREMAP_MAYMOVE | MREMAP_FIXED, B(4)));
  DO(mremap(B(0), 2 * HUGE, 2 * HUGE, MREMAP_MAYMOVE | MREMAP_FIXED, B(4)));
  areas();
  READ(B(4) + LAST);
  READ(B(0));
  DO(mremap(B(4), 2 * HUGE, HUGE + SMALL, 0));
  DO(mremap(B(4), 2 * HUGE, HUGE, 0));
  areas();
  DO(unmap(4, 2));
  DO(map(0, 1, RW, MAP_SHARED | ANON, -1, 0));
  WRITE(B(0), 5);
  DO(mremap(B(0), 0, HUGE, MREMAP_MAYMOVE | MREMAP_FIXED, B(4)));
  READ(B(4));
  areas();
  DO(unmap(0, 5));
}

static void seals_and_keys(void) {
  puts("== keys");
  int key = pkey_alloc(0, 0);
  DO(map(1, 1, RW, MAP_PRIVATE | ANON, -1, 0));
  WRITE(B(1) + LAST, 3);
  if (key < 0) key = 0;
  DO(pkey_mprotect(B(1) + SMALL, SMALL, RW, key));
  DO(pkey_mprotect(B(1), HUGE, RW, key));
  pkey_set(key, PKEY_DISABLE_WRITE);
  WRITE(B(1), 3);
  READ(B(1) + LAST);
  pkey_set(key, PKEY_DISABLE_ACCESS);
  READ(B(1) + LAST);
  pkey_set(key, 0);
  areas();
  DO(unmap(1, 1));
  pkey_free(key);
}
static void child_seals(void) {
  DO(map(0, 1, RW, MAP_PRIVATE | ANON, -1, 0));
  DO(syscall(462, B(0), PAGE, 0));
  DO(syscall(462, B(0), HUGE, 0));
  DO(unmap(0, 1));
  DO(mprotect(B(0), HUGE, PROT_READ));
  DO(mremap(B(0), HUGE, HUGE, MREMAP_MAYMOVE | MREMAP_FIXED, B(6)));
  areas();
}

static void files(void) {
  puts("== memfd");
  struct stat st;
  char buffer[16] = "";
  int fd = (int)syscall(SYS_memfd_create, "huge", 4u | 2u | GIGANTIC);
  fstat(fd, &st);
  printf("size %ld blocks %ld blksize %ld\n", (long)st.st_size, (long)st.st_blocks, (long)st.st_blksize);
  DO(ftruncate(fd, SMALL));
  DO(ftruncate(fd, 2 * HUGE));
  DO(mmap(BASE, HUGE, RW, MAP_FIXED | MAP_SHARED, fd, SMALL));
  DO(mmap(BASE, HUGE, RW, MAP_FIXED | MAP_SHARED | MAP_HUGETLB, fd, HUGE));
  WRITE(B(0) + LAST, 'a');
  DO(pread(fd, buffer, 4, 2 * HUGE - 1));
  printf("    %s\n", buffer);
  DO(pread(fd, buffer, 4, 0));
  DO(map(4, 1, RW, MAP_PRIVATE, fd, HUGE));
  READ(B(4) + LAST);
  WRITE(B(4) + LAST, 'b');
  READ(B(0) + LAST);
  areas();
  fstat(fd, &st);
  printf("size %ld blocks %ld\n", (long)st.st_size, (long)st.st_blocks);
  DO(fallocate(fd, 0, 0, PAGE));
  DO(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, HUGE, SMALL));
  READ(B(0) + LAST);
  DO(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 2 * HUGE - SMALL, SMALL));
  READ(B(0) + LAST);
  DO(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, HUGE - SMALL, HUGE + SMALL));
  areas();
  DO(ftruncate(fd, HUGE));
  READ(B(0));
  DO(fallocate(fd, 0, 0, HUGE));
  fstat(fd, &st);
  printf("size %ld blocks %ld\n", (long)st.st_size, (long)st.st_blocks);
  DO(close(fd));
  DO(unmap(0, 5));
}

static void mounts(void) {
  puts("== hugetlbfs");
  struct statfs fs;
  char line[512];
  mkdir("/tmp/huge-mount", 0755);
  DO(mount("none", "/tmp/huge-mount", "hugetlbfs", 0, "pagesize=1M"));
  DO(mount("none", "/tmp/huge-mount", "hugetlbfs", 0, "pagesize=1G,min_size=3G"));
  DO(mount("none", "/tmp/huge-mount", "hugetlbfs", 0, "size=50%,pagesize=1G,min_size=1G"));
  FILE *table = fopen("/proc/mounts", "r");
  while (fgets(line, sizeof line, table) != NULL)
    if (strstr(line, "huge-mount") != NULL) printf("    %s", line);
  fclose(table);
  int fd = open("/tmp/huge-mount/a", O_RDWR | O_CREAT, 0644);
  DO(map(0, 2, RW, MAP_SHARED, fd, 0));
  DO(map(0, 1, RW, MAP_SHARED, fd, 0));
  WRITE(B(0), 1);
  statfs("/tmp/huge-mount", &fs);
  printf("bsize %ld blocks %ld free %ld\n", (long)fs.f_bsize, (long)fs.f_blocks, (long)fs.f_bfree);
  areas();
  DO(mount("none", "/tmp/huge-mount", "hugetlbfs", MS_REMOUNT, "pagesize=2M"));
  DO(mount("none", "/tmp/huge-mount", "hugetlbfs", MS_REMOUNT, "pagesize=3M"));
  DO(unmap(0, 1));
  DO(unlink("/tmp/huge-mount/a"));
  DO(close(fd));
  DO(umount("/tmp/huge-mount"));
  DO(mount("none", "/tmp/huge-mount", "hugetlbfs", 0, "pagesize=1024M"));
  table = fopen("/proc/mounts", "r");
  while (fgets(line, sizeof line, table) != NULL)
    if (strstr(line, "huge-mount") != NULL) printf("    %s", line);
  fclose(table);
  DO(umount("/tmp/huge-mount"));
  rmdir("/tmp/huge-mount");
}

static void shared_segments(void) {
  puts("== shm");
  DO(shmget(IPC_PRIVATE, 3 * HUGE, IPC_CREAT | SHM_HUGETLB | GIGANTIC | 0600));
  DO(shmget(IPC_PRIVATE, HUGE, IPC_CREAT | SHM_HUGETLB | 29 << 26 | 0600));
  int id = shmget(IPC_PRIVATE, 1, IPC_CREAT | SHM_HUGETLB | GIGANTIC | 0600);
  printf("id %d", id >= 0);
  pool();
  printf("\n");
  DO(shmat(id, BASE + SMALL, 0));
  DO(shmat(id, BASE, 0));
  areas();
  WRITE(B(0) + LAST, 1);
  DO(shmctl(id, IPC_RMID, NULL));
  DO(shmdt(BASE));
}

static void kernel_access(void) {
  puts("== the kernel's accesses");
  char buffer[8] = "";
  DO(map(0, 1, RW, MAP_PRIVATE | ANON, -1, 0));
  int mem = open("/proc/self/mem", O_RDWR);
  DO(pwrite(mem, "abcd", 4, (off_t)(uintptr_t)(B(0) + LAST - 1)));
  DO(pwrite(mem, "abcd", 4, (off_t)(uintptr_t)(B(0) + HUGE / 2 - 2)));
  struct iovec local = {buffer, 4}, remote = {B(0) + HUGE / 2 - 2, 4};
  DO(process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
  printf("    %.4s\n", buffer);
  close(mem);
  int ends[2];
  pipe(ends);
  struct iovec part = {B(0) + HUGE / 2, PAGE};
  DO(vmsplice(ends[1], &part, 1, 0));
  FILE *status = fopen("/proc/self/status", "r");
  char line[256];
  while (fgets(line, sizeof line, status) != NULL)
    if (strncmp(line, "Hugetlb", 7) == 0) printf("    %s", line);
  fclose(status);
  DO(unmap(0, 1));
  DO(read(ends[0], buffer, 2));
  printf("    %.2s\n", buffer);
  close(ends[0]), close(ends[1]);
  printf("closed");
  pool();
  printf("\n");
}

/* More pages are asked for than there are, in use or promised. */
static void limits(void) {
  puts("== limits");
  DO(store(SYSFS "nr_hugepages", "1"));
  DO(map(0, 1, RW, MAP_PRIVATE | ANON, -1, 0));
  DO(map(1, 1, RW, MAP_PRIVATE | ANON, -1, 0));
  DO(map(1, 1, RW, MAP_PRIVATE | MAP_NORESERVE | ANON, -1, 0));
  READ(B(1));
  READ(B(0));
  DO(store(SYSFS "nr_hugepages", "0"));
  show(SYSFS "nr_hugepages");
  show(SYSFS "surplus_hugepages");
  DO(store(SYSFS "demote", "1"));
  DO(unmap(0, 2));
  DO(store(SYSFS "nr_hugepages", "2"));
}

static void demotion(void) {
  puts("== demotion");
  DO(map(0, 1, RW, MAP_SHARED | ANON, -1, 0));
  DO(store(SYSFS "demote", "2"));
  show("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages");
  show("/proc/sys/vm/nr_hugepages");
  printf("HugePages_Total %ld HugePages_Free %ld Hugetlb %ld\n", entry("HugePages_Total"), entry("HugePages_Free"),
         entry("Hugetlb"));
  char *small = mmap(BASE + HUGE, 300 * SMALL, RW, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
  printf("small %d", small == BASE + HUGE);
  pool();
  printf("\n");
  WRITE(small + 299 * SMALL, 4);
  READ(small + 5 * SMALL);
  printf("HugePages_Free %ld HugePages_Rsvd %ld\n", entry("HugePages_Free"), entry("HugePages_Rsvd"));
  WRITE(B(0), 5);
  munmap(small, 300 * SMALL);
  DO(unmap(0, 1));
  DO(store("/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "0"));
  DO(store(SYSFS "nr_hugepages", "2"));
  DO(store(NODE "demote", "1"));
  printf("HugePages_Total %ld\n", entry("HugePages_Total"));
  DO(store("/proc/sys/vm/nr_hugepages", "0"));
  DO(store(SYSFS "nr_hugepages", "2"));
}

static int watch;
static void *answers(void *nothing) {
  for (int i = 0; i < 2; i++) {
    struct uffd_msg message;
    read(watch, &message, sizeof message);
    printf("    asked for %ld flags %lx\n", (long)(message.arg.pagefault.address - (uintptr_t)BASE) / (long)PAGE,
           (long)message.arg.pagefault.flags);
    struct uffdio_copy copy = {.dst = (uintptr_t)B(0), .src = (uintptr_t)B(4), .len = HUGE};
    if (i == 0) {
      copy.len = SMALL;
      printf("    part %d", ioctl(watch, UFFDIO_COPY, &copy));
      printf(" %s\n", strerrorname_np(errno));
      copy.len = HUGE, copy.mode = UFFDIO_COPY_MODE_WP;
      int result = ioctl(watch, UFFDIO_COPY, &copy);
      printf("    whole %d %lld\n", result, (long long)copy.copy);
    } else {
      struct uffdio_writeprotect protect = {.range = {(uintptr_t)B(0), HUGE}};
      printf("    unprotect %d\n", ioctl(watch, UFFDIO_WRITEPROTECT, &protect));
    }
  }
  return nothing;
}

static void userfaults(void) {
  puts("== userfaultfd");
  watch = (int)syscall(SYS_userfaultfd, O_CLOEXEC | 1);
  struct uffdio_api api = {.api = UFFD_API, .features = 1 << 12};
  DO(ioctl(watch, UFFDIO_API, &api));
  DO(map(0, 1, RW, MAP_PRIVATE | ANON, -1, 0));
  DO(map(4, 1, RW, MAP_SHARED | ANON, -1, 0));
  B(4)[3 * SMALL] = 'x';
  struct uffdio_register area = {.range = {(uintptr_t)B(0), SMALL}, .mode = 3};
  DO(ioctl(watch, UFFDIO_REGISTER, &area));
  area.range.len = HUGE;
  DO(ioctl(watch, UFFDIO_REGISTER, &area));
  printf("ioctls %llx\n", (unsigned long long)area.ioctls);
  pthread_t thread;
  pthread_create(&thread, NULL, answers, NULL);
  READ(B(0) + 3 * SMALL);
  pages(B(0), 1);
  WRITE(B(0) + 3 * SMALL, 'y');
  pthread_join(thread, NULL);
  areas();
  READ(B(0) + LAST);
  close(watch);
  munmap(B(4), HUGE);
  DO(unmap(0, 1));
}

int main(void) {
  setvbuf(stdout, NULL, _IOFBF, 1 << 16);
  struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_NODEFER};
  sigaction(SIGSEGV, &action, NULL);
  sigaction(SIGBUS, &action, NULL);
  pagemap = open("/proc/self/pagemap", O_RDONLY);
  printf("start");
  pool();
  printf("\n");
  sizes();
  arguments();
  private_memory();
  forks();
  moves();
  seals_and_keys();
  in_child(child_seals);
  files();
  mounts();
  shared_segments();
  kernel_access();
  limits();
  if (entry("HugePages_Total") == 0) demotion();
  userfaults();
  printf("end");
  pool();
  printf("\n");
  return 0;
}
