/*
 * Random classic BPF programs, taken or not as seccomp filters, and what those that are taken answer: a line each,
 * "HEX ANSWER". ANSWER is EINVAL, "trap" (a division by zero) or the low 12 bits of what was returned.
 *
 *   cc -O1 -o record record.c && ./record 500 | gzip -9n > linux-6.18.txt.gz
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned long long state = 0x9e3779b97f4a7c15ull;
static unsigned rnd(unsigned below) {
  state ^= state << 13; state ^= state >> 7; state ^= state << 17;
  return (unsigned)(state >> 20) % below;
}

static const unsigned short codes[] = {
  0x00, 0x20, 0x60, 0x80, 0x01, 0x61, 0x81, 0x02, 0x03, 0x04, 0x0c, 0x14, 0x1c, 0x24, 0x2c, 0x34, 0x3c, 0x44, 0x4c,
  0x54, 0x5c, 0x64, 0x6c, 0x74, 0x7c, 0x84, 0xa4, 0xac, 0x05, 0x15, 0x1d, 0x25, 0x2d, 0x35, 0x3d, 0x45, 0x4d, 0x07, 0x87,
};
static const unsigned interesting[] = { 0, 1, 2, 3, 7, 31, 32, 33, 0x7f, 0xff, 0xfff, 0x7fffffff, 0x80000000, 0xffffffff, 0xc000003e };

static unsigned operand(void) {
  switch (rnd(3)) {
    case 0: return interesting[rnd(sizeof interesting / sizeof *interesting)];
    case 1: return rnd(64);
    default: return (unsigned)(state >> 32);
  }
}

/* One that is most likely right; `left`: how many it may skip, and one more. */
static struct sock_filter instruction(int left, int stored) {
  struct sock_filter f = { codes[rnd(sizeof codes / sizeof *codes)], 0, 0, operand() };
  switch (f.code) {
    case 0x20: f.k = rnd(4) == 0 ? 4 * rnd(2) : 16 + 4 * rnd(12); break;
    case 0x60: case 0x61: f.k = stored < 0 ? 0 : (unsigned)stored; break;
    case 0x02: case 0x03: f.k = rnd(16); break;
    case 0x34: if (f.k == 0) f.k = 3; break;
    case 0x64: case 0x74: f.k &= 31; break;
    case 0x05: f.k = rnd(left < 4 ? left : 4); break;
  }
  if ((f.code & 7) == 5 && f.code != 0x05) {
    f.jt = rnd(left < 5 ? left : 5);
    f.jf = rnd(left < 5 ? left : 5);
  }
  return f;
}

struct shared { volatile int done, error; volatile long answer; };

static const char *names(int e) { return e == EINVAL ? "EINVAL" : e == EFAULT ? "EFAULT" : "other"; }

int main(int argc, char **argv) {
  int count = argc > 1 ? atoi(argv[1]) : 1500;
  struct shared *s = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  struct utsname u;
  uname(&u);
  printf("# Linux %s\n", u.release);
  for (int n = 0; n < count; n++) {
    struct sock_filter p[64];
    int body = 1 + rnd(20), length = body + 3, stored = -1;
    for (int i = 0; i < body; i++) {
      p[i] = instruction(body - i, stored);
      if (p[i].code == 0x02 || p[i].code == 0x03) stored = p[i].k;
      if (rnd(40) == 0) p[i] = (struct sock_filter){ 0x06, 0, 0, 0x50000 | rnd(4096) };
    }
    p[body] = (struct sock_filter){ 0x54, 0, 0, 0xfff };
    p[body + 1] = (struct sock_filter){ 0x44, 0, 0, 0x50000 };
    p[body + 2] = (struct sock_filter){ 0x16, 0, 0, 0 };
    if (rnd(4) == 0) {
      struct sock_filter *f = &p[rnd(body)];
      switch (rnd(5)) {
        case 0: f->code = rnd(3) == 0 ? rnd(65536) : rnd(256); break;
        case 1: f->k = operand(); break;
        case 2: f->jt = 64 + rnd(192); break;
        case 3: f->jf = 64 + rnd(192); break;
        default: length = 1 + rnd(length); break;
      }
      /* A random load must not read where the program lies, and no RET may let the calls through. */
      if (f->code == 0x20 && (f->k == 8 || f->k == 12)) f->k = 4;
      if (f->code == 0x06) f->k = 0x50000 | (f->k & 0xfff);
      if (f->code == 0x16) f->code = 0x07;
      /* Nor may a jump pass by the AND at the end. */
      if (f->code == 0x05 && f->k > body - (f - p) - 1) f->k += 64;
    }
    if (length > body && length < body + 3) length = body + 3;
    for (int i = 0; i < length; i++)
      for (unsigned j = 0; j < 8; j++) printf("%02x", ((unsigned char *)&p[i])[j]);
    fflush(stdout);
    memset((void *)s, 0, sizeof *s);
    pid_t child = fork();
    if (child == 0) {
      struct sock_fprog fp = { length, p };
      prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
      int r = prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &fp);
      if (r != 0) { s->error = errno; s->done = 1; for (;;); }
      long answer;
      register long r10 __asm__("r10") = 0x80000000ffffffffl, r8 __asm__("r8") = 0, r9 __asm__("r9") = -1;
      __asm__ volatile("syscall" : "=a"(answer) : "0"(39l), "D"(0x1122334455667788l), "S"(4095l), "d"(0x00000001000000ffl), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
      s->answer = answer;
      s->done = 1;
      for (;;);
    }
    int status = 0;
    for (;;) {
      if (s->done) { kill(child, SIGKILL); waitpid(child, &status, 0); break; }
      if (waitpid(child, &status, WNOHANG) == child) break;
      usleep(20);
    }
    if (!s->done) printf(" %s\n", WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS ? "trap" : "other");
    else if (s->error) printf(" %s\n", names(s->error));
    else printf(" %ld\n", -s->answer);
  }
}
