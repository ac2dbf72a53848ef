/* Transparent huge pages: after each step, the areas with what is in them and the runs of pages by kind. */
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
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096ul
#define HUGE (512 * PAGE)
#define BASE ((char *)0x10000000000ul)
#define UNITS 8

struct scan {
  uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages, inverted, mask, anyof, told;
};
struct range {
  uint64_t start, end, categories;
};

static int pagemap;
static char text[1 << 18];

static void areas(void) {
  FILE *smaps = fopen("/proc/self/smaps", "r");
  char line[512];
  int shown = 0;
  while (fgets(line, sizeof line, smaps) != NULL) {
    unsigned long start, end, value;
    char rights[8];
    if (sscanf(line, "%lx-%lx %7s", &start, &end, rights) == 3) {
      shown = start >= (uintptr_t)BASE && start < (uintptr_t)BASE + UNITS * HUGE;
      if (shown)
        printf("  %ld-%ld %s", (long)(start - (uintptr_t)BASE) / (long)PAGE,
               (long)(end - (uintptr_t)BASE) / (long)PAGE, rights);
    }
    if (!shown) continue;
    if (sscanf(line, "Rss: %lu", &value) == 1) printf(" rss %lu", value);
    if (sscanf(line, "Anonymous: %lu", &value) == 1) printf(" anonymous %lu", value);
    if (sscanf(line, "AnonHugePages: %lu", &value) == 1) printf(" huge %lu", value);
    if (sscanf(line, "THPeligible: %lu", &value) == 1) printf(" eligible %lu", value);
    if (sscanf(line, "ProtectionKey: %lu", &value) == 1) printf(" key %lu", value);
    if (strncmp(line, "VmFlags:", 8) == 0) {
      printf("%s%s%s\n", strstr(line, " hg") ? " hg" : "", strstr(line, " nh") ? " nh" : "",
             strstr(line, " sl") ? " sl" : "");
    }
  }
  fclose(smaps);
}

static void kinds(void) {
  struct range ranges[32];
  struct scan s = {.size = sizeof s, .start = (uintptr_t)BASE, .end = (uintptr_t)BASE + UNITS * HUGE,
                   .vec = (uintptr_t)ranges, .vec_len = 32, .mask = 8, .told = 8 | 64 | 4};
  long found = ioctl(pagemap, 0xc0606610ul, &s);
  if (found < 0) printf("  scan: errno %d\n", errno);
  for (long i = 0; i < found; i++)
    printf("  pages %ld-%ld%s\n", (long)(ranges[i].start - (uintptr_t)BASE) / (long)PAGE,
           (long)(ranges[i].end - (uintptr_t)BASE) / (long)PAGE, (ranges[i].categories & 64) ? " huge" : "");
}

static void show(const char *name, long result) {
  printf("%s: %ld", name, result < 0 ? -errno : result);
  puts("");
  areas();
  kinds();
}

static char *map(long units, unsigned long extra, int prot) {
  munmap(BASE, UNITS * HUGE);
  return mmap(BASE, units * HUGE + extra, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

/* An area of huge pages, each page of which begins with its number. */
static char *filled(long units) {
  char *p = map(units, 0, PROT_READ | PROT_WRITE);
  madvise(p, units * HUGE, MADV_HUGEPAGE);
  for (long i = 0; i < units * 512; i++) *(long *)(p + i * PAGE) = i + 1;
  return p;
}

static long sum(char *p, long pages) {
  long total = 0;
  for (long i = 0; i < pages; i++) total += *(long *)(p + i * PAGE);
  return total;
}

static sigjmp_buf back;
static void on_signal(int number, siginfo_t *info, void *context) { siglongjmp(back, number * 100 + info->si_code); }

static long try_write(char *p) {
  int caught = sigsetjmp(back, 1);
  if (caught) return caught;
  *(volatile char *)p = 1;
  return 0;
}

static long try_read(char *p) {
  int caught = sigsetjmp(back, 1);
  if (caught) return caught;
  (void)*(volatile char *)p;
  return 0;
}

int main(void) {
  setvbuf(stdout, NULL, _IOFBF, 1 << 16);
  pagemap = open("/proc/self/pagemap", O_RDONLY);
  struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
  sigaction(SIGSEGV, &action, NULL);
  char *p;

  p = map(2, 0, PROT_READ | PROT_WRITE);
  *p = 1;
  show("without advice", 0);
  long result = madvise(p, 2 * HUGE, MADV_HUGEPAGE);
  p[HUGE] = 1;
  show("advised after a page was there", result);

  p = map(2, 3 * PAGE, PROT_READ | PROT_WRITE);
  madvise(p, 2 * HUGE + 3 * PAGE, MADV_HUGEPAGE);
  p[5 * PAGE] = 7;
  p[2 * HUGE + PAGE] = 7;
  show("a write, and one in the rest", 0);
  unsigned char vec[512];
  mincore(p, HUGE, vec);
  printf("mincore %d %d\n", vec[0] & 1, vec[511] & 1);
  result = p[HUGE + 5];
  show("a read", result);
  p[HUGE + 5] = 1;
  show("a write to zeroes", 0);

  p = filled(2);
  result = munmap(p + 10 * PAGE, PAGE);
  show("a page unmapped", result);
  printf("sum %ld\n", sum(p, 10) + sum(p + 11 * PAGE, 1013));

  p = filled(2);
  result = madvise(p + 500 * PAGE, 24 * PAGE, MADV_DONTNEED);
  show("pages discarded across", result);
  printf("sum %ld\n", sum(p, 1024));
  result = madvise(p, HUGE, MADV_DONTNEED);
  show("the first discarded whole", result);
  p[3] = 1;
  show("and written again", 0);

  p = filled(3);
  result = madvise(p, 3 * HUGE, MADV_DONTNEED);
  show("all discarded", result);
  p[HUGE + 3] = 1;
  show("and one written again", p[0]);

  p = filled(2);
  result = mprotect(p, HUGE, PROT_READ);
  show("read-only", result);
  printf("write %ld, read %ld\n", try_write(p + 9 * PAGE), try_read(p + 9 * PAGE));
  result = mprotect(p + HUGE + PAGE, 2 * PAGE, PROT_NONE);
  show("two pages without rights", result);
  printf("write %ld %ld, read %ld\n", try_write(p + HUGE), try_write(p + HUGE + PAGE), try_read(p + HUGE + 2 * PAGE));
  result = mprotect(p, 2 * HUGE, PROT_NONE);
  show("none at all", result);
  printf("read %ld\n", try_read(p + 9 * PAGE));
  result = mprotect(p, 2 * HUGE, PROT_READ | PROT_WRITE);
  show("and back", result);
  printf("write %ld, sum %ld\n", try_write(p + 9 * PAGE + 8), sum(p, 1024));

  p = filled(2);
  int key = pkey_alloc(0, 0);
  result = pkey_mprotect(p, HUGE, PROT_READ | PROT_WRITE, key);
  show("a key for one", result);
  pkey_set(key, PKEY_DISABLE_WRITE);
  printf("write %ld, read %ld\n", try_write(p), try_read(p));
  result = pkey_mprotect(p + HUGE - PAGE, 2 * PAGE, PROT_READ | PROT_WRITE, key);
  show("a key across", result);
  printf("write %ld %ld %ld\n", try_write(p + HUGE - PAGE), try_write(p + HUGE), try_write(p + HUGE + PAGE));
  pkey_set(key, 0);
  printf("write %ld, sum %ld\n", try_write(p + HUGE + 8), sum(p, 1024));

  p = filled(2);
  result = madvise(p + 5 * PAGE, PAGE, MADV_DONTFORK);
  show("a page not for children", result);
  fflush(stdout);
  if (fork() == 0) {
    show("there", 0);
    fflush(stdout);
    _exit(0);
  }
  wait(NULL);

  p = filled(2);
  fflush(stdout);
  if (fork() == 0) {
    show("in a child", 0);
    printf("sum %ld\n", sum(p, 1024));
    *(long *)(p + 7 * PAGE) = 1000000;
    show("which writes", 0);
    printf("sum %ld\n", sum(p, 1024));
    fflush(stdout);
    _exit(0);
  }
  wait(NULL);
  show("afterwards", 0);
  printf("sum %ld\n", sum(p, 1024));
  *(long *)(p + 8 * PAGE) = 2000000;
  *(long *)(p + HUGE + 8 * PAGE) = 3000000;
  show("written again", 0);
  printf("sum %ld\n", sum(p, 1024));

  p = filled(1);
  fflush(stdout);
  int pipes[2], other[2];
  char byte = 0;
  pipe(pipes);
  pipe(other);
  if (fork() == 0) {
    read(pipes[0], &byte, 1);
    printf("the child still has %ld\n", sum(p, 512));
    fflush(stdout);
    _exit(0);
  }
  *(long *)(p + 3 * PAGE) = 4000000;
  show("written while a child has it", 0);
  printf("sum %ld\n", sum(p, 512));
  fflush(stdout);
  write(pipes[1], &byte, 1);
  wait(NULL);

  p = filled(2);
  char *q = mremap(p, HUGE, HUGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + 4 * HUGE);
  show("moved whole", (q - BASE) / PAGE);
  printf("sum %ld\n", sum(q, 512));
  q = mremap(p + HUGE, HUGE, HUGE, MREMAP_MAYMOVE | MREMAP_FIXED, p + 6 * HUGE + PAGE);
  show("moved by a page", (q - BASE) / PAGE);
  printf("sum %ld\n", sum(q, 512));
  q = mremap(p + 4 * HUGE, 100 * PAGE, 100 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, p);
  show("moved in part", (q - BASE) / PAGE);
  printf("sum %ld\n", sum(p, 100) + sum(p + 4 * HUGE + 100 * PAGE, 412));

  p = filled(2);
  q = mremap(p, HUGE, HUGE, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, p + 4 * HUGE);
  show("moved, the place kept", (q - BASE) / PAGE);
  printf("sum %ld %ld\n", sum(q, 512), (long)*p);
  q = mremap(p + HUGE, HUGE, 100 * PAGE, 0);
  show("shrunk", (q - BASE) / PAGE);

  p = filled(2);
  madvise(p, HUGE, MADV_NOHUGEPAGE);
  show("advised against", 0);
  madvise(p, HUGE, MADV_DONTNEED);
  *p = 1;
  show("and faulted in again", 0);

  p = filled(1);
  result = madvise(p + 4 * PAGE, PAGE, 102);
  show("a guard", result);
  printf("read %ld\n", try_read(p + 4 * PAGE));

  p = map(2, 0, PROT_READ);
  madvise(p, 2 * HUGE, MADV_HUGEPAGE);
  result = p[5];
  show("zeroes in read-only memory", result);
  result = mprotect(p, HUGE, PROT_READ | PROT_WRITE);
  p[5 * PAGE] = 3;
  show("which are written", result);
  result = madvise(p + HUGE, HUGE, MADV_POPULATE_READ);
  show("populated for reading", result);
  mprotect(p + HUGE, 9 * PAGE, PROT_READ | PROT_WRITE);
  p[HUGE + PAGE] = 1;
  show("written in part", 0);

  prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
  p = filled(1);
  show("disabled", prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
  prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);

  p = filled(2);
  result = syscall(462, p, HUGE, 0);
  show("sealed", result);
  printf("discard %d, part %d, unmap %d\n", madvise(p, HUGE, MADV_DONTNEED), madvise(p + PAGE, PAGE, MADV_DONTNEED),
         munmap(p + PAGE, PAGE));
  result = mprotect(p + PAGE, PAGE, PROT_READ);
  show("still whole", result < 0 ? result : 0);
  printf("sum %ld\n", sum(p, 1024));
  return 0;
}
