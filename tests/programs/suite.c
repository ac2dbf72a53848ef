/* What a C library asks of a CPU and a kernel: printed so that two machines can be compared byte for byte. */
#define _GNU_SOURCE
#include <errno.h>
#include <fenv.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

static uint64_t seed = 88172645463325252u;
static uint64_t next(void) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return seed;
}

static void formats(void) {
  double d[] = {0.0, -0.0, 1.0, -1.5, 3.141592653589793, 1e300, 5e-324, 2.2250738585072014e-308, INFINITY, -INFINITY, 0.1, 123456789.125};
  for (size_t i = 0; i < sizeof d / sizeof *d; i++)
    printf("%a %g %.17g %e %20.3f|%-15.5f|%+.0f\n", d[i], d[i], d[i], d[i], fabs(d[i]) < 1e15 ? d[i] : 0, fabs(d[i]) < 1e15 ? d[i] : 0, fabs(d[i]) < 1e15 ? d[i] : 0);
  long double l[] = {0.0L, 1.0L / 3, -2.5e4000L, 3.6e-4940L, LDBL_MAX, LDBL_MIN, 12345678901234567.0L};
  for (size_t i = 0; i < sizeof l / sizeof *l; i++) printf("%La %Lg %.21Lg %.30Le\n", l[i], l[i], l[i], l[i]);
  printf("%.40Lf\n%.10Lf\n", 1.0L / 7, -98765.4321L);
  printf("%d %i %u %x %X %#o %lld %zu %5d|%-5d|%05d %c %s %.3s %p\n", -1, 42, 4000000000u, 48879, 48879, 8, -9000000000000000000LL, (size_t)77, 12, 12, 12, 'z', "text", "truncated", (void *)0x1234);
  double x;
  long double y;
  char *end;
  x = strtod("0x1.8p3 rest", &end);
  printf("%a [%s]\n", x, end);
  y = strtold("1e-4000", &end);
  printf("%La [%s]\n", y, end);
  int a = 0;
  char word[16];
  printf("%d ", sscanf("17 word 2.5e3", "%d %15s %lf", &a, word, &x));
  printf("%d %s %g\n", a, word, x);
}

static int compare(const void *p, const void *q) {
  uint64_t a = *(const uint64_t *)p, b = *(const uint64_t *)q;
  return (a > b) - (a < b);
}
static void sorting(void) {
  static uint64_t v[5000];
  for (int i = 0; i < 5000; i++) v[i] = next();
  qsort(v, 5000, sizeof *v, compare);
  uint64_t sum = 0;
  for (int i = 0; i < 5000; i++) sum = sum * 31 + v[i];
  uint64_t key = v[1234];
  uint64_t *found = bsearch(&key, v, 5000, sizeof *v, compare);
  printf("sorted %016" PRIx64 " at %td\n", sum, found - v);
}

static void memory(void) {
  char *block[64] = {0};
  uint64_t sum = 0;
  for (int round = 0; round < 4000; round++) {
    int i = next() % 64;
    size_t n = next() % (round % 50 == 0 ? 300000 : 3000) + 1;
    if (block[i] && next() % 3 == 0) {
      free(block[i]);
      block[i] = 0;
    } else {
      int fresh = !block[i];
      block[i] = realloc(block[i], n);
      if (fresh) block[i][0] = (char)round;
      block[i][n - 1] = n > 1 ? (char)i : block[i][0];
      sum = sum * 31 + (unsigned char)block[i][0];
    }
  }
  for (int i = 0; i < 64; i++) free(block[i]);
  printf("heap %016" PRIx64 "\n", sum);
  char *p = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  memset(p, 'm', 8192);
  char *q = mremap(p, 8192, 1 << 20, MREMAP_MAYMOVE);
  printf("mremap %d %d %d\n", q[0], q[8191], q[8192]);
  printf("munmap %d\n", munmap(q, 1 << 20));
  printf("bad %d %d\n", munmap((void *)1, 4096), errno);
}

static void mathematics(void) {
  double x = 0.37;
  for (int i = 0; i < 12; i++, x = x * 1.9 + 0.01)
    printf("%a %a %a %a %a %a %a %a %a\n", sin(x), cos(x), tan(x), exp(-x), log(x), pow(x, 1.7), atan2(x, 2), sqrt(x), cbrt(x));
  for (int i = -3; i < 4; i++) {
    double h = i + 0.5;
    printf("%g %g %g %g %ld %lld %g\n", floor(h), ceil(h), rint(h), trunc(h), lrint(h), llround(h), fmod(h * 7, 1.3));
  }
  float f = 0.1f;
  for (int i = 0; i < 6; i++, f *= 7.7f) printf("%a %a %a %a\n", sinf(f), expf(-f), logf(f), sqrtf(f));
  long double l = 0.7L;
  for (int i = 0; i < 5; i++, l = l * 3 + 1) printf("%La %La %La\n", sqrtl(l), fabsl(-l), floorl(l * 100));
  printf("%a %a %d %d\n", fma(1.1, 2.2, -2.42), hypot(3e200, 4e200), ilogb(1e100), fpclassify(5e-324));
  feclearexcept(FE_ALL_EXCEPT);
  volatile double zero = 0, one = 1;
  volatile double r = one / zero;
  printf("divide %g flags %d\n", r, fetestexcept(FE_ALL_EXCEPT) & FE_DIVBYZERO ? 1 : 0);
  feclearexcept(FE_ALL_EXCEPT);
  fesetround(FE_UPWARD);
  r = one / 3;
  printf("up %a ", r);
  fesetround(FE_DOWNWARD);
  r = one / 3;
  printf("down %a ", r);
  fesetround(FE_TOWARDZERO);
  r = -one / 3;
  printf("zero %a\n", r);
  fesetround(FE_TONEAREST);
}

static void files(void) {
  char name[] = "/tmp/sealab-suite-XXXXXX";
  int fd = mkstemp(name);
  FILE *f = fdopen(fd, "w+");
  for (int i = 0; i < 2000; i++) fprintf(f, "line %d %016" PRIx64 "\n", i, next());
  fflush(f);
  struct stat st;
  fstat(fd, &st);
  printf("size %ld mode %o\n", (long)st.st_size, st.st_mode & 0777);
  rewind(f);
  char line[128];
  int lines = 0;
  uint64_t sum = 0;
  while (fgets(line, sizeof line, f)) {
    lines++;
    for (char *c = line; *c; c++) sum = sum * 131 + (unsigned char)*c;
  }
  printf("lines %d %016" PRIx64 " eof %d\n", lines, sum, feof(f) != 0);
  fseek(f, -26, SEEK_END);
  fgets(line, sizeof line, f);
  printf("last %s", line);
  fclose(f);
  printf("unlink %d again %d %d\n", unlink(name), unlink(name), errno == ENOENT);
  printf("open %d\n", fopen("/no/such/file", "r") == 0 && errno == ENOENT);
}

static jmp_buf place;
static sigjmp_buf signal_place;
static volatile sig_atomic_t caught;
static void handler(int sig, siginfo_t *info, void *context) {
  (void)context;
  caught = sig * 1000 + info->si_code;
  siglongjmp(signal_place, 1);
}
static void returning(int sig) { caught = sig; }
static void jumps(void) {
  volatile int n = 0;
  int r = setjmp(place);
  if (r < 5) {
    n++;
    longjmp(place, r + 1);
  }
  printf("setjmp %d %d\n", r, n);
  struct sigaction sa;
  memset(&sa, 0, sizeof sa);
  sa.sa_sigaction = handler;
  sa.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &sa, 0);
  sigaction(SIGFPE, &sa, 0);
  sigaction(SIGILL, &sa, 0);
  sigaction(SIGBUS, &sa, 0);
  if (sigsetjmp(signal_place, 1) == 0) *(volatile int *)0 = 1;
  printf("segv %d\n", caught);
  char *ro = mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (sigsetjmp(signal_place, 1) == 0) *(volatile char *)ro = 1;
  printf("accerr %d\n", caught);
  volatile int zero = 0;
  if (sigsetjmp(signal_place, 1) == 0) printf("%d", (caught + 7) / zero);
  printf("fpe %d\n", caught);
  if (sigsetjmp(signal_place, 1) == 0) __asm__ volatile("ud2");
  printf("ill %d\n", caught);
  signal(SIGUSR1, returning);
  caught = 0;
  raise(SIGUSR1);
  printf("raise %d\n", caught);
  sigset_t set, old;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, &old);
  caught = 0;
  raise(SIGUSR1);
  printf("blocked %d ", caught);
  sigprocmask(SIG_SETMASK, &old, 0);
  printf("then %d\n", caught);
}

static void texts(void) {
  char a[300], b[300];
  for (int i = 0; i < 299; i++) a[i] = 'a' + i % 26;
  a[299] = 0;
  strcpy(b, a);
  printf("%d %zu %td %td %s\n", strcmp(a, b), strlen(a + 17), strchr(a, 'q') - a, strrchr(a, 'q') - a, strstr(a, "xyzabc") + 3 == a + 26 ? "found" : "lost");
  memmove(b + 3, b, 200);
  memcpy(a, b, 150);
  printf("%d %d %.30s\n", memcmp(a, b, 150), memcmp(a, b, 299) < 0, b);
  printf("%zu %zu %s\n", strspn("aabbcc", "ab"), strcspn("hello world", " "), strpbrk("key=value", "="));
  printf("%d %d\n", strcasecmp("HeLLo", "hEllO"), strncmp("abcd", "abce", 3));
  wchar_t w[64];
  swprintf(w, 64, L"wide %d %ls", 7, L"text");
  printf("%ls %zu\n", w, wcslen(w));
  char *copy = strdup("a,b,,c"), *save, *t;
  for (t = strtok_r(copy, ",", &save); t; t = strtok_r(0, ",", &save)) printf("<%s>", t);
  free(copy);
  struct tm tm;
  time_t when = 1700000000;
  gmtime_r(&when, &tm);
  strftime(a, sizeof a, "%Y-%m-%d %H:%M:%S %j", &tm);
  printf(" %s\n", a);
}

int main(int argc, char **argv) {
  printf("argc %d %s\n", argc, argc > 1 ? argv[1] : "-");
  formats();
  sorting();
  memory();
  mathematics();
  files();
  jumps();
  texts();
  fprintf(stderr, "to stderr\n");
  return 42;
}
