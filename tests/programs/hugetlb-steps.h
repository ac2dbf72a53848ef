/* What the programs about huge pages of a pool say after each step: what the call said, the pool's counts and the areas.
   Whoever includes it has defined HUGE, a page's bytes, ANON, the flags of an anonymous mapping of such, and UNITS, how
   many of them from BASE on are looked at. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096ul
#define BASE ((char *)0x10000000000ul)
#define RW (PROT_READ | PROT_WRITE)

static int pagemap;

static long entry(const char *name) {
  FILE *info = fopen("/proc/meminfo", "r");
  char line[256];
  long value = -1;
  while (fgets(line, sizeof line, info) != NULL)
    if (strncmp(line, name, strlen(name)) == 0) value = strtol(strchr(line, ':') + 1, NULL, 10);
  fclose(info);
  return value;
}

/* Pages that nobody can have any more (LEAKED=n): left out of the counts. */
static long leaked;

static long count(const char *name) {
  char path[128], text[32] = "";
  snprintf(path, sizeof path, "/sys/kernel/mm/hugepages/hugepages-%lukB/%s_hugepages", HUGE / 1024, name);
  int fd = open(path, O_RDONLY);
  long n = read(fd, text, sizeof text - 1);
  close(fd);
  return n > 0 ? strtol(text, NULL, 10) : -1;
}

/* total, free, promised, surplus */
static void pool(void) {
  printf(" [%ld %ld %ld %ld]", count("nr") - leaked, count("free") - leaked, count("resv") - leaked, count("surplus"));
}

static void areas(void) {
  FILE *smaps = fopen("/proc/self/smaps", "r");
  char line[512];
  int shown = 0;
  while (fgets(line, sizeof line, smaps) != NULL) {
    unsigned long start, end, offset, value;
    char rights[8];
    if (sscanf(line, "%lx-%lx %7s %lx", &start, &end, rights, &offset) == 4) {
      shown = start >= (uintptr_t)BASE && start < (uintptr_t)BASE + UNITS * HUGE;
      if (shown)
        printf("    %ld-%ld %s %lx", (long)(start - (uintptr_t)BASE) / (long)PAGE,
               (long)(end - (uintptr_t)BASE) / (long)PAGE, rights, offset);
    }
    if (!shown) continue;
    if (sscanf(line, "KernelPageSize: %lu", &value) == 1) printf(" %luk", value);
    if (sscanf(line, "Rss: %lu", &value) == 1 && value > 0) printf(" rss %lu", value);
    if (sscanf(line, "Shared_Hugetlb: %lu", &value) == 1) printf(" s %lu", value);
    if (sscanf(line, "Private_Hugetlb: %lu", &value) == 1) printf(" p %lu", value);
    if (sscanf(line, "Locked: %lu", &value) == 1 && value > 0) printf(" locked %lu", value);
    if (sscanf(line, "ProtectionKey: %lu", &value) == 1 && value > 0) printf(" key %lu", value);
    if (strncmp(line, "VmFlags:", 8) == 0) {
      line[strcspn(line, "\n")] = 0;
      char *sd = strstr(line, " sd");
      if (sd != NULL) memmove(sd, sd + 3, strlen(sd + 3) + 1);
      printf("%s\n", line + 8);
    }
  }
  fclose(smaps);
}

static void after(const char *what, long result) {
  int error = errno;
  printf("%s: ", what);
  if (result == -1)
    printf("%s", strerrorname_np(error));
  else if (result >= (long)(uintptr_t)BASE && result < (long)(uintptr_t)BASE + (long)(UNITS * HUGE))
    printf("at %ld", (result - (long)(uintptr_t)BASE) / (long)PAGE);
  else
    printf("%ld", result);
  pool();
  printf("\n");
}
#define DO(what) (errno = 0, after(#what, (long)(what)))

static sigjmp_buf out;
static volatile int caught, code;
static void handler(int number, siginfo_t *info, void *context) {
  (void)context;
  caught = number;
  code = info->si_code;
  siglongjmp(out, 1);
}
static const char *result_of(void) {
  static char text[32];
  if (caught == 0) return "ok";
  snprintf(text, sizeof text, "%s %d", sigabbrev_np(caught), code);
  return text;
}
static long value;
static void touch(const char *what, volatile char *at, int write) {
  caught = 0;
  if (sigsetjmp(out, 1) == 0) {
    if (write)
      *at = (char)write;
    else
      value = *at;
  }
  printf("%s %s: %s", write ? "write" : "read", what, result_of());
  if (!write && caught == 0) printf(" %ld", value);
  pool();
  printf("\n");
}
#define READ(at) touch(#at, (char *)(at), 0)
#define WRITE(at, v) touch(#at, (char *)(at), v)

static void pages(char *from, int count) {
  printf("    pagemap");
  for (int i = 0; i < count; i++) {
    uint64_t bits = 0;
    pread(pagemap, &bits, 8, (uintptr_t)(from + i * PAGE) / PAGE * 8);
    printf(" %s%s%s%s", bits >> 63 ? "P" : "-", bits >> 62 & 1 ? "s" : "", bits >> 61 & 1 ? "f" : "",
           bits >> 56 & 1 ? "x" : "");
  }
  unsigned char vector[64];
  printf(" mincore");
  if (mincore(from, count * PAGE, vector) == 0)
    for (int i = 0; i < count; i++) printf(" %d", vector[i] & 1);
  printf("\n");
}

static char *map(int unit, int count, int prot, int flags, int fd, long offset) {
  return mmap(BASE + unit * HUGE, count * HUGE, prot, MAP_FIXED | flags, fd, offset);
}
static int unmap(int unit, int count) { return munmap(BASE + unit * HUGE, count * HUGE); }
#define B(unit) (BASE + (unit) * HUGE)

static void in_child(void (*work)(void)) {
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    pagemap = open("/proc/self/pagemap", O_RDONLY);
    work();
    fflush(stdout);
    _exit(0);
  }
  int status;
  waitpid(child, &status, 0);
  printf("child: %d", status);
  pool();
  printf("\n");
}

static void write_file(const char *path, const char *text) {
  int fd = open(path, O_WRONLY);
  long n = fd < 0 ? -1 : write(fd, text, strlen(text));
  if (n < 0) printf("%s: %s\n", path, strerrorname_np(errno));
  if (fd >= 0) close(fd);
}
static void write_total(long count) {
  char text[32];
  snprintf(text, sizeof text, "%ld", count + leaked);
  write_file("/proc/sys/vm/nr_hugepages", text);
}
static void read_file(const char *path) {
  char text[64] = "";
  int fd = open(path, O_RDONLY);
  if (fd >= 0) {
    long n = read(fd, text, sizeof text - 1);
    text[n > 0 ? n : 0] = 0;
    close(fd);
  }
  printf("    %s %ld\n", path, atol(text) - (strstr(path, "surplus") ? 0 : leaked));
}

