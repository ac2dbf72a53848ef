/* Calls of 32-bit programs by int 0x80 from 64-bit code: results, structures, places, registers, restarts, tracing. */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static char *low;

static long call6(unsigned long number, unsigned long b, unsigned long c, unsigned long d, unsigned long S,
                  unsigned long D, unsigned long bp) {
  long result;
  __asm__ volatile("push %%rbp\n\tmov %7, %%rbp\n\tint $0x80\n\tpop %%rbp"
                   : "=a"(result)
                   : "a"(number), "b"(b), "c"(c), "d"(d), "S"(S), "D"(D), "r"(bp)
                   : "memory", "cc");
  return result;
}
#define P(x) ((unsigned long)(x))
#define call(n, ...) call_(n, ##__VA_ARGS__, 0ul, 0ul, 0ul, 0ul, 0ul, 0ul)
#define call_(n, a, b, c, d, e, f, ...) call6(n, P(a), P(b), P(c), P(d), P(e), P(f))

static void say(const char *what, long result) { printf("%s: %#lx\n", what, (unsigned long)result); }
static void sign(const char *what, long result) { printf("%s: %s\n", what, result < 0 ? "negative" : "fine"); }

static unsigned *words(void) { return (unsigned *)low; }
static void clean(void) { memset(low, 0xee, 512); }
static void dump(const char *what, long result, int bytes) {
  printf("%s: %#lx", what, (unsigned long)result);
  for (int i = 0; i < bytes; i++) printf("%s%02x", i % 8 ? "" : " ", (unsigned char)low[i]);
  printf("\n");
}
/* How many bytes were written. */
static void wrote(const char *what, long result) {
  int last = 0;
  for (int i = 0; i < 400; i++)
    if ((unsigned char)low[i] != 0xee) last = i + 1;
  printf("%s: %#lx, %d bytes\n", what, (unsigned long)result, last);
}

static void registers(void) {
  unsigned long in[16], out[16];
  static unsigned long save[16];
  __asm__ volatile(
      "push %%rbp\n\tpush %%rbx\n\t"
      "mov $0x1111111122222222, %%rbx\n\tmov $0x3333333344444444, %%rcx\n\tmov $0x5555555566666666, %%rdx\n\t"
      "mov $0x7777777788888888, %%rsi\n\tmov $0x99999999aaaaaaaa, %%rdi\n\tmov $0xbbbbbbbbcccccccc, %%rbp\n\t"
      "mov $0x123, %%r8\n\tmov $0x456, %%r9\n\tmov $0x789, %%r10\n\tmov $0xabc, %%r11\n\t"
      "mov $0xffffffff00000031, %%rax\n\tint $0x80\n\t"
      "mov %%rax, %0\n\tmov %%rbx, 8+%0\n\tmov %%rcx, 16+%0\n\tmov %%rdx, 24+%0\n\tmov %%rsi, 32+%0\n\t"
      "mov %%rdi, 40+%0\n\tmov %%rbp, 48+%0\n\tmov %%r8, 56+%0\n\tmov %%r9, 64+%0\n\tmov %%r10, 72+%0\n\t"
      "mov %%r11, 80+%0\n\tpop %%rbx\n\tpop %%rbp"
      : "=m"(save)
      :
      : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory");
  (void)in;
  (void)out;
  printf("registers:");
  for (int i = 0; i < 11; i++) printf(" %lx", save[i]);
  printf("\n");
}

static void places(void) {
  /* Where by itself, only that it is below 4 GiB; with a hint, exactly. */
  long a = call(192, 0, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  printf("mmap2 %s\n", a > 0 && a < 0xffffe000l ? "low" : "elsewhere");
  if (a > 0) *(char *)a = 1;
  long b = call(163, a, 8192, 1 << 20, 1, 0, 0);
  printf("mremap %s %d\n", b > 0 && b < 0xffffe000l ? "low" : "elsewhere", b > 0 ? *(char *)b : -1);
  say("munmap", call(91, b, 1 << 20));
  say("hint", call(192, 0x12340000, 4096, 3, 0x22, -1, 0));
  say("high hint", call(192, 0xffffd000, 4096, 3, 0x22, -1, 0));
  sign("last hint", call(192, 0xffffe000, 4096, 3, 0x22, -1, 0));
  say("fixed", call(192, 0xfffff000, 4096, 3, 0x32, -1, 0));
  say("too long", call(192, 0, 0xfffff000, 3, 0x22, -1, 0));
  words()[0] = 0x23450000;
  words()[1] = 4096;
  words()[2] = 3;
  words()[3] = 0x22;
  words()[4] = -1;
  words()[5] = 0;
  say("old mmap", call(90, low));
  words()[5] = 1;
  say("old mmap offset", call(90, low));
  say("old mmap pointer", call(90, 8));
  say("mprotect", call(125, 0x12340000, 4096, 1));
  say("madvise", call(219, 0x12340000, 4096, 4));
  void *after = mmap(NULL, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  printf("a 64-bit call again: %s\n", (unsigned long)after > 1ul << 32 ? "high" : "low");
}

static void files(void) {
  strcpy(low + 1024, "/tmp/ia32-calls.file");
  long fd = call(5, low + 1024, O_RDWR | O_CREAT | O_TRUNC | 0100000, 0600);
  sign("open", fd);
  strcpy(low + 2048, "hello there");
  say("write", call(4, fd, low + 2048, 11));
  say("lseek", call(19, fd, -5, SEEK_END));
  say("lseek negative", call(19, fd, -50, SEEK_END));
  clean();
  long r = call(140, fd, 1, 5, low, SEEK_SET);
  dump("_llseek", r, 16);
  say("_llseek pointer", call(140, fd, 0, 3, 8, SEEK_SET));
  say("_llseek bad", call(140, fd, -1, -1, low, SEEK_SET));
  clean();
  r = call(180, fd, low, 5, 6, 0);
  dump("pread64", r, 8);
  say("pread64 far", call(180, fd, low, 5, 0, 1));
  say("pread64 negative", call(180, fd, low, 5, 0, 0x80000000));
  say("pwrite64", call(181, fd, low + 2048, 3, 2, 0));
  words()[0] = P(low + 2048);
  words()[1] = 2;
  words()[2] = P(low + 2052);
  words()[3] = 3;
  say("writev", call(146, fd, low, 2));
  words()[1] = -1;
  say("writev long", call(146, fd, low, 2));
  say("writev pointer", call(146, fd, 8, 2));
  say("writev count", call(146, fd, low, 1025));
  say("writev no file", call(146, 99, 8, 2));
  call(19, fd, 0, SEEK_SET);
  words()[0] = P(low + 64);
  words()[1] = 4;
  words()[2] = P(low + 72);
  words()[3] = 4;
  r = call(145, fd, low, 2);
  printf("readv: %#lx %.4s %.4s\n", r, low + 64, low + 72);
  say("ftruncate64", call(194, fd, 0x1000, 1));
  clean();
  r = call(197, fd, low);
  wrote("fstat64", r);
  printf("mode %o links %u size %llu blocks %llu\n", words()[4], words()[5], *(unsigned long long *)(low + 44),
         *(unsigned long long *)(low + 56));
  clean();
  wrote("stat64", call(195, low + 1024, low));
  clean();
  wrote("lstat64", call(196, low + 1024, low));
  clean();
  wrote("fstatat64", call(300, AT_FDCWD, low + 1024, low, 0));
  say("fstat64 pointer", call(197, fd, 8));
  say("fstat64 no file", call(197, 99, low));
  say("truncate64", call(193, low + 1024, 100, 0));
  say("truncate", call(92, low + 1024, 50));
  say("truncate negative", call(92, low + 1024, -50));
  say("ftruncate", call(93, fd, 60));
  say("ftruncate negative", call(93, fd, -1));
  say("fallocate", call(324, fd, 0, 0, 0, 4096, 0));
  say("fallocate negative", call(324, fd, 0, 0, 0x80000000, 4096, 0));
  say("fadvise64", call(250, fd, 0, 0, 100, 0));
  say("fadvise64 bad", call(250, fd, 0, 0, 100, 77));
  say("fadvise64_64", call(272, fd, 0, 0, 100, 0, 0));
  say("sync_file_range", call(314, fd, 0, 0, 100, 0, 2));
  say("sync_file_range negative", call(314, fd, 0, 0x80000000, 100, 0, 2));
  say("fcntl dup", call(55, fd, F_DUPFD, 40));
  say("fcntl64 flags", call(221, fd, F_GETFD));
  memset(low, 0, 64);
  *(short *)low = F_WRLCK;
  words()[1] = 5;
  words()[2] = 7;
  say("fcntl setlk", call(55, fd, 6, low));
  fflush(stdout);
  if (fork() == 0) {
    clean();
    *(short *)low = F_RDLCK;
    *(short *)(low + 2) = 0;
    words()[1] = 0;
    words()[2] = 0;
    long q = call(55, fd, 5, low);
    printf("fcntl getlk: %#lx type %d start %d len %d pid %d\n", q, *(short *)low, words()[1], words()[2],
           words()[3] == getppid());
    clean();
    *(short *)low = F_RDLCK;
    *(short *)(low + 2) = 0;
    *(long long *)(low + 4) = 6;
    *(long long *)(low + 12) = 0;
    q = call(221, fd, 12, low);
    printf("fcntl64 getlk64: %#lx type %d start %lld len %lld pid %d\n", q, *(short *)low, *(long long *)(low + 4),
           *(long long *)(low + 12), *(int *)(low + 20) == getppid());
    say("fcntl getlk64", call(55, fd, 12, low));
    fflush(stdout);
    _exit(0);
  }
  wait(NULL);
  say("ioctl FIONREAD", call(54, fd, 0x541b, low));
  say("ioctl no file", call(54, 99, 0x541b, low));
  say("ioctl TCGETS", call(54, fd, 0x5401, low));
  say("close", call(6, fd));
  say("unlink", call(10, low + 1024));
  say("unlink again", call(10, low + 1024));
  clean();
  r = call(42, low);
  printf("pipe: %#lx %d\n", r, (int)(words()[1] - words()[0]));
}

static void on_alarm(int signo) { (void)signo; }

static void times_(void) {
  clean();
  wrote("time", call(13, low) == words()[0]);
  sign("time null", call(13, 0));
  say("time pointer", call(13, 8));
  clean();
  wrote("gettimeofday", call(78, low, 0));
  clean();
  wrote("clock_gettime", call(265, 1, low));
  say("clock_gettime bad", call(265, 77, low));
  say("clock_gettime pointer", call(265, 1, 8));
  clean();
  wrote("clock_gettime64", call(403, 1, low));
  clean();
  wrote("clock_getres", call(266, 1, low));
  say("clock_getres null", call(266, 1, 0));
  words()[0] = 0;
  words()[1] = 1000;
  say("nanosleep", call(162, low, 0));
  words()[1] = -1;
  say("nanosleep bad", call(162, low, 0));
  say("nanosleep pointer", call(162, 8, 0));
  struct sigaction action = {.sa_handler = on_alarm};
  sigaction(SIGALRM, &action, NULL);
  struct itimerval soon = {.it_value = {0, 20000}};
  clean();
  words()[10] = 5;
  words()[11] = 0;
  setitimer(ITIMER_REAL, &soon, NULL);
  long r = call(162, low + 40, low);
  int bytes = 0;
  for (int i = 0; i < 40; i++)
    if ((unsigned char)low[i] != 0xee) bytes = i + 1;
  printf("nanosleep interrupted: %#lx %d bytes %d\n", r, bytes, words()[0]);
  clean();
  words()[10] = 5;
  words()[11] = 0;
  setitimer(ITIMER_REAL, &soon, NULL);
  r = call(267, 1, 0, low + 40, low);
  bytes = 0;
  for (int i = 0; i < 40; i++)
    if ((unsigned char)low[i] != 0xee) bytes = i + 1;
  printf("clock_nanosleep interrupted: %#lx %d bytes %d\n", r, bytes, words()[0]);
  words()[0] = 7;
  words()[1] = 0;
  words()[2] = 1000;
  say("futex wait", call(240, low, 0, 7, low + 4, 0, 0));
  say("futex value", call(240, low, 0, 8, low + 4, 0, 0));
  say("futex wake", call(240, low, 1, 8, 77, 0, 0));
  clean();
  wrote("times", call(43, low) > 0);
}

static void processes(void) {
  say("getuid16", call(24));
  say("getuid32", call(199));
  say("setresuid16", call(164, -1, -1, -1));
  clean();
  long r = call(165, low, low + 2, low + 4);
  dump("getresuid16", r, 8);
  clean();
  wrote("uname", call(122, low) && 0);
  clean();
  dump("ugetrlimit", call(191, 4, low), 12);
  dump("getrlimit", call(76, 4, low), 12);
  words()[0] = 0;
  words()[1] = -1;
  dump("setrlimit", call(75, 4, low), 0);
  clean();
  dump("ugetrlimit", call(191, 4, low), 12);
  fflush(stdout);
  long child = call(2);
  if (child == 0) _exit(7);
  clean();
  r = call(7, child, low, 0);
  printf("waitpid %d %#x\n", r == child, words()[0]);
  fflush(stdout);
  child = call(190);
  if (child == 0) call(1, 3);
  clean();
  r = call(114, child, low, 0, low + 16);
  printf("wait4 %d %#x", r == child, words()[0]);
  wrote("", 0);
  say("waitpid none", call(7, -1, low, 0));
  clean();
  wrote("getrusage", call(77, 0, low));
  words()[0] = 0;
  words()[1] = 2;
  words()[2] = 0;
  say("sigaltstack", call(186, low, 0));
  clean();
  dump("sigaltstack old", call(186, 0, low), 16);
  fflush(stdout);
  if (fork() == 0) {
    strcpy(low + 1024, "/proc/self/exe");
    strcpy(low + 1100, "ia32");
    strcpy(low + 1110, "argument");
    strcpy(low + 1120, "A=b");
    words()[0] = P(low + 1100);
    words()[1] = P(low + 1110);
    words()[2] = 0;
    words()[3] = P(low + 1120);
    words()[4] = 0;
    say("execve", call(11, low + 1024, low, low + 12));
    _exit(1);
  }
  wait(NULL);
  fflush(stdout);
  /* CLONE_SETTLS takes a GDT entry. */
  struct user_desc *desc = (void *)low;
  memset(desc, 0, sizeof *desc);
  desc->entry_number = 13;
  desc->base_addr = 0x5000;
  desc->limit = 0xfffff;
  desc->seg_32bit = 1;
  desc->limit_in_pages = 1;
  child = call(120, SIGCHLD | CLONE_SETTLS, 0, 0, low, 0);
  if (child == 0) {
    unsigned long base;
    desc->entry_number = 13;
    clean();
    desc->entry_number = 13;
    dump("child's area", call(244, low), 16);
    __asm__ volatile("mov %1, %%gs\n\trdgsbase %0" : "=r"(base) : "r"(13 * 8 + 3));
    printf("child's gs %#lx\n", base);
    fflush(stdout);
    _exit(0);
  }
  wait(NULL);
  desc->entry_number = -1;
  say("clone without entry", call(120, SIGCHLD | CLONE_SETTLS, 0, 0, low, 0));
  say("clone pointer", call(120, SIGCHLD | CLONE_SETTLS, 0, 0, 8, 0));
}

static void areas(void) {
  struct user_desc *desc = (void *)low;
  unsigned long base;
  unsigned selector;
  const struct user_desc good = {.entry_number = -1, .base_addr = 0x7000, .limit = 0xfffff, .seg_32bit = 1,
                                 .limit_in_pages = 1};
  for (int i = 0; i < 4; i++) {
    *desc = good;
    long r = call(243, low);
    printf("set any: %#lx %d\n", r, desc->entry_number);
  }
  __asm__ volatile("mov %1, %%gs\n\trdgsbase %0" : "=r"(base) : "r"(12 * 8 + 3));
  printf("gs base %#lx\n", base);
  desc->entry_number = 12;
  desc->base_addr = 0x9000;
  desc->useable = 1;
  say("set 12", call(243, low));
  __asm__ volatile("rdgsbase %0" : "=r"(base));
  printf("gs base %#lx\n", base);
  for (int i = 10; i < 17; i++) {
    desc->entry_number = i;
    long r = call(244, low);
    dump("get", r, 16);
  }
  desc->entry_number = 13;
  for (unsigned bits = 0; bits < 256; bits++) {
    words()[0] = 13;
    words()[1] = 0;
    words()[2] = 0;
    words()[3] = bits;
    long r = call(243, low);
    if (r == 0) {
      call(244, low);
      printf("bits %02x: %#x %#x\n", bits, words()[2], words()[3]);
    }
  }
  words()[0] = 12;
  words()[3] = 0;
  say("clear 12", call(243, low));
  __asm__ volatile("mov %%gs, %0" : "=r"(selector));
  __asm__ volatile("rdgsbase %0" : "=r"(base));
  printf("gs %#x base %#lx\n", selector, base);
  say("pointer", call(243, 8));
  words()[0] = 15;
  say("entry 15", call(243, low));
  words()[0] = -1;
  say("get any", call(244, low));
  fflush(stdout);
  if (fork() == 0) {
    words()[0] = 14;
    dump("after fork", call(244, low), 16);
    fflush(stdout);
    _exit(0);
  }
  wait(NULL);
}

static void traced(void) {
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    call(20, 11, 12, 13, 14, 15, 16);
    _exit(0);
  }
  int status;
  waitpid(child, &status, 0);
  ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD);
  for (int i = 0; i < 4; i++) {
    struct __ptrace_syscall_info info;
    struct user_regs_struct user;
    ptrace(PTRACE_SYSCALL, child, 0, 0);
    waitpid(child, &status, 0);
    memset(&info, 0xee, sizeof info);
    ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info);
    ptrace(PTRACE_GETREGS, child, 0, &user);
    printf("stop %#x op %d arch %#x orig %llx", status, info.op, info.arch, user.orig_rax);
    if (info.op == 1) {
      printf(" nr %llu", (unsigned long long)info.entry.nr);
      for (int j = 0; j < 6 && i < 2; j++) printf(" %llx", (unsigned long long)info.entry.args[j]);
      printf(" rax %llx", user.rax);
    } else
      printf(" is pid %d cs %llx ss %llx", info.exit.rval == child, user.cs, user.ss);
    printf("\n");
  }
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
}

static void system_(void) {
  strcpy(low + 1024, "/proc");
  clean();
  long r = call(99, low + 1024, low);
  words()[7] = words()[8] = words()[11] = 0; /* the mount's number and flags */
  dump("statfs", r, 64);
  clean();
  r = call(268, low + 1024, 84, low);
  words()[12] = words()[13] = words()[16] = 0;
  dump("statfs64", r, 88);
  say("statfs64 size", call(268, low + 1024, 88, low));
  say("statfs64 pointer", call(268, low + 1024, 84, 8));
  say("fstatfs no file", call(100, 99, low));
  clean();
  r = call(116, low);
  wrote("sysinfo", r);
  printf("memory %d\n", (unsigned long long)words()[4] * words()[13] > 1 << 20);
  say("getaffinity short", call(242, 0, 3, low));
  say("getaffinity none", call(242, 0, 0, low));
  sign("getaffinity pointer", call(242, 0, 1024, 8));
  clean();
  r = call(242, 0, 1024, low);
  printf("getaffinity %d\n", r >= 8 && (words()[0] & 1));
  words()[0] = 1;
  say("setaffinity", call(241, 0, 4, low));
  memset(low, 0, 64);
  words()[0] = 3;
  words()[2] = 9;
  say("setitimer", call(104, 0, low, 0));
  clean();
  r = call(105, 0, low);
  printf("getitimer %#lx %d %d\n", r, words()[0], words()[2]);
  memset(low, 0, 64);
  r = call(104, 0, low, low + 16);
  printf("setitimer %#lx %d %d\n", r, words()[4], words()[6]);
  words()[1] = 2000000;
  say("setitimer bad", call(104, 0, low, 0));
  say("getitimer pointer", call(105, 0, 8));
  long fd = call(322, 1, 0);
  memset(low, 0, 64);
  words()[0] = 7;
  words()[2] = 100;
  say("timerfd_settime", call(325, fd, 0, low, 0));
  clean();
  r = call(326, fd, low);
  printf("timerfd_gettime %#lx %d %d\n", r, words()[0], words()[2]);
  fd = open("/tmp", O_TMPFILE | O_RDWR, 0600);
  strcpy(low + 2048, "hello there");
  words()[0] = P(low + 2048);
  words()[1] = 5;
  say("pwritev", call(334, fd, low, 1, 4, 0));
  say("pwritev negative", call(334, fd, low, 1, 4, 0x80000000));
  say("preadv", call(333, fd, low, 1, 6, 0));
  say("preadv far", call(333, fd, low, 1, 0, 1));
  unsigned long base = 0;
  say("arch_prctl set", call(384, 0x1001, 0x5000));
  __asm__ volatile("rdgsbase %0" : "=r"(base));
  printf("gs base %#lx\n", base);
  clean();
  wrote("arch_prctl get", call(384, 0x1004, low));
  say("arch_prctl cpuid", call(384, 0x1011));
  say("arch_prctl bad", call(384, 0x77));
}

static void filtered(void) {
  fflush(stdout);
  if (fork() == 0) {
    const unsigned long long code[] = {/* the architecture, else allow; the number, else allow; ERRNO */
                                       0x0000000400000020, 0x4000000303000015, 0x0000000000000020,
                                       0x0000001401000015, 0x0005002a00000006, 0x7fff000000000006};
    memcpy(low + 256, code, sizeof code);
    *(short *)low = 6;
    words()[1] = P(low + 256);
    say("seccomp without leave", call(354, 1, 0, 8));
    say("no new privileges", call(172, 38, 1));
    say("seccomp", call(354, 1, 0, low));
    say("filtered", call(20));
    sign("not filtered", call(64));
    printf("64-bit %d\n", syscall(SYS_writev, 1, 0, 0) == 0 && getpid() > 0);
    say("prctl", call(172, 22, 2, low));
    say("prctl pointer", call(172, 22, 2, 8));
    fflush(stdout);
    _exit(0);
  }
  wait(NULL);
}

static void unknown(void) {
  const int numbers[] = {17, 31, 56, 127, 222, 223, 251, 285, 999, 0x7fffffff, 0x40000014};
  for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) say("unknown", call(numbers[i]));
  say("minus one", call(-1));
  say("restart_syscall", call(0));
}

int main(int argc, char **argv) {
  if (argc == 2) {
    printf("executed %s %s %s\n", argv[0], argv[1], getenv("A"));
    return 0;
  }
  low = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  registers();
  places();
  files();
  times_();
  processes();
  areas();
  traced();
  system_();
  filtered();
  unknown();
  return 0;
}
