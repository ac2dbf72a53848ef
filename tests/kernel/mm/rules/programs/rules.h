/*
 * One line a case: `RULE label: values`. Each case runs in a child of its own and so has a fresh map; what it prints
 * is a system call's result (-errno), `ok` or signal/code/error/key of an access, or the areas above BASE.
 */
#include "../../../../programs/freestanding.h"

#define PG 4096ul
#define BASE 0x1000000000ul
#define FAR 0x3000000000ul
#define TASK 0x7ffffffff000ul
#define ANON 0x22
#define FIXED 0x32
#define SHANON 0x31
#define AD 1
#define WD 2

static u64 at(long page) { return BASE + page * PG; }

/* The calls, by page number. SC(...) cannot be an argument of SC(...). */
static long brk_(u64 to) { return SC(12, to); }
static long pid(void) { return SC(39); }
static long newkey(int bits) { return SC(330, 0, bits); }
static long mapat(long p, long n, int prot) { return SC(9, at(p), n * PG, prot, FIXED, -1, 0); }
static long mapsh(long p, long n, int prot) { return SC(9, at(p), n * PG, prot, SHANON, -1, 0); }
static long mapfile(long p, long n, int prot, int flags, int fd, long page) { return SC(9, at(p), n * PG, prot, flags | 0x10, fd, page * PG); }
static long unmap(long p, long n) { return SC(11, at(p), n * PG); }
static long prot(long p, long n, int bits) { return SC(10, at(p), n * PG, bits); }
static long kprot(long p, long n, int bits, int key) { return SC(329, at(p), n * PG, bits, key); }
static long seal(long p, long n) { return SC(462, at(p), n * PG, 0); }
static long advise(long p, long n, int advice) { return SC(28, at(p), n * PG, advice); }
static long remap(long p, long n, long to, int flags, long target) { return SC(25, at(p), n * PG, to * PG, flags, at(target)); }
static long memfd(long pages) { int fd = SC(319, "f", 2); SC(77, fd, pages * PG); return fd; }
static void put(long p, int value) { *(volatile u8 *)at(p) = value; }
static long get(long p) { return *(volatile u8 *)at(p); }

static void v(long value) { pc(' '); if (value >= (long)BASE && value < (long)(BASE + (1ul << 32))) { ps("+"); pd((value - BASE) / PG); } else pd(value); }

/* PKRU */
static u32 rdpkru(void) { u32 a, d; asm volatile("rdpkru" : "=a"(a), "=d"(d) : "c"(0)); return a; }
static void wrpkru(u32 value) { asm volatile("wrpkru" ::"a"(value), "c"(0), "d"(0) : "memory"); }
static void rights(int key, u32 bits) { wrpkru((rdpkru() & ~(3u << 2 * key)) | bits << 2 * key); }
static void pkru(void) { ps(" pkru"); px(rdpkru()); }

/* A call under another PKRU, with no access to memory between. */
static long under(u32 value, long nr, long x, long y, long z) {
  long r; u32 old = rdpkru();
  register long ry asm("r8") = y, rz asm("r9") = z, rx asm("r10") = x, rn asm("r12") = nr, ro asm("r13") = old;
  asm volatile("wrpkru; mov %%r12, %%rax; mov %%r10, %%rdi; mov %%r8, %%rsi; mov %%r9, %%rdx; syscall; mov %%rax, %%r12; mov %%r13d, %%eax; xor %%ecx, %%ecx; xor %%edx, %%edx; wrpkru; mov %%r12, %%rax"
               : "=a"(r), "+r"(rn) : "a"(value), "c"(0), "d"(0), "r"(rx), "r"(ry), "r"(rz), "r"(ro) : "rdi", "rsi", "r11", "memory");
  return r;
}

/* Accesses: what a fault says, or ok. */
static volatile int f_signo, f_code; static volatile u32 f_key; static volatile u64 f_err, f_addr;
u64 saved_sp;
long probe_load(u64), probe_store(u64), probe_exec(u64); void probe_fault(void);
asm("probe_load: mov %rsp, saved_sp(%rip); movzbl (%rdi), %eax; ret\n"
    "probe_store: mov %rsp, saved_sp(%rip); movb $7, (%rdi); xor %eax, %eax; ret\n"
    "probe_exec: mov %rsp, saved_sp(%rip); call *%rdi; xor %eax, %eax; ret\n"
    "probe_fault: mov $-1, %eax; ret");
static u8 altstack[16384] __attribute__((aligned(4096)));
static void onfault(int s, struct si *i, struct ucx *u) { f_signo = s; f_code = i->code; f_addr = i->addr; f_key = *(u32 *)((u8 *)i + 0x20); f_err = u->err; u->ip = (u64)probe_fault; u->sp = saved_sp; }
static void catch(void) { u64 ss[3] = {(u64)altstack, 0, sizeof altstack}; SC(131, ss, 0); act(11, onfault, SA_SIGINFO | SA_ONSTACK | SA_NODEFER, 0); act(7, onfault, SA_SIGINFO | SA_ONSTACK | SA_NODEFER, 0); }
static void a(u64 addr, char kind) {
  catch(); f_signo = 0;
  kind == 'r' ? probe_load(addr) : kind == 'w' ? probe_store(addr) : probe_exec(addr);
  pc(' '); pc(kind); pc('=');
  if (!f_signo) { ps("ok"); return; }
  ps(f_signo == 7 ? "BUS/" : f_signo == 11 ? "SEGV/" : "?/"); pd(f_code); pc('/'); px(f_err);
  if (f_code == 4) { ps("/k"); pd(f_key); }
}

/* The areas above BASE: [+page+pages rights marks]; those up to 4 GiB above it. */
static char text[262144];
static u64 hex(char **p) { u64 r = 0; for (;; (*p)++) { char c = **p; if (c >= '0' && c <= '9') r = r * 16 + c - '0'; else if (c >= 'a' && c <= 'f') r = r * 16 + c - 'a' + 10; else return r; } }
static int starts(const char *s, const char *with) { while (*with) if (*s++ != *with++) return 0; return 1; }
static void readfile(const char *path) { int fd = SC(2, path, 0, 0); long n = 0, r; while ((r = SC(0, fd, text + n, sizeof text - 1 - n)) > 0) n += r; text[n] = 0; SC(3, fd); }
static void layout(void) {
  readfile("/proc/self/smaps"); pc(' ');
  int in = 0, key = 0; char r[8];
  for (char *p = text; *p;) {
    char *q = p; u64 start = hex(&q);
    if (*q == '-' && q > p) {
      q++; u64 end = hex(&q); in = start >= BASE && start < BASE + (1ul << 32); key = 0;
      if (in) { ps("[+"); pd((start - BASE) / PG); ps("+"); pd((end - start) / PG); pc(' '); int none = 1; for (int i = 1; i <= 3; i++) if (q[i] != '-') { pc(q[i]); none = 0; } if (none) pc('-'); if (q[4] == 's') ps(" sh"); }
    } else if (in && starts(p, "ProtectionKey:")) { q = p + 14; while (*q == ' ') q++; while (*q >= '0' && *q <= '9') key = key * 10 + *q++ - '0'; }
    else if (in && starts(p, "VmFlags:")) {
      if (key) { ps(" k"); pd(key); }
      for (q = p + 8; *q && *q != '\n'; q++) if (starts(q, " lo")) ps(" lo"); else if (starts(q, " gd")) ps(" gd"); else if (starts(q, " sl")) ps(" sl"); else if (starts(q, " wf")) ps(" wf"); else if (starts(q, " dc")) ps(" dc"); else if (starts(q, " nr")) ps(" nr");
      pc(']');
    }
    while (*p && *p != '\n') p++;
    if (*p) p++;
  }
}

/* An area of the program's own name in /proc/self/maps: its start, or 0. */
static u64 named(const char *name, u64 *end) {
  readfile("/proc/self/maps");
  for (char *p = text; *p;) {
    char *q = p; u64 start = hex(&q); q++; u64 stop = hex(&q);
    for (; *q && *q != '\n'; q++) if (starts(q, name)) { if (end) *end = stop; return start; }
    p = *q ? q + 1 : q;
  }
  return 0;
}

/* Cases. */
static long begin(const char *rule, const char *label) {
  flush();
  long child = SC(57);
  if (child == 0) { ps(rule); pc(' '); ps(label); pc(':'); return 1; }
  i32 status = 0; SC(61, child, &status, 0, 0);
  if (status & 127) { ps(rule); pc(' '); ps(label); ps(": killed by "); pd(status & 127); nl(); }
  else if (status) { ps(rule); pc(' '); ps(label); ps(": status "); pd(status >> 8); nl(); }
  return 0;
}
static long done(void) { nl(); SC(231, 0); return 0; }
#define CASE(rule, label) for (long c_ = begin(rule, label); c_; c_ = done())

/* The child of a case: what it prints belongs to the case. */
#define FORK for (long f_ = forked(); f_; f_ = (nlless(), SC(231, 0), 0))
static void nlless(void) { flush(); }
static long forked(void) { flush(); long child = SC(57); if (!child) return 1; i32 s = 0; SC(61, child, &s, 0, 0); if (s) { ps(" child"); px(s); } return 0; }

/* A thread that runs `work` and ends; waits for it. */
static u8 threadstack[65536] __attribute__((aligned(16)));
static void (*work)(void); static volatile i32 running;
long spawn_(u64 flags, void *stack, void *tid);
void threadmain(void) { work(); }
asm("spawn_: mov %rdx, %r10; xor %edx, %edx; mov $56, %eax; syscall; test %eax, %eax; jnz 1f; xor %ebp, %ebp; call threadmain; xor %edi, %edi; mov $60, %eax; syscall\n1: ret");
static void thread(void (*fn)(void)) {
  work = fn; running = 1;
  spawn_(0x100 | 0x200 | 0x400 | 0x800 | 0x10000 | 0x40000 | 0x200000, threadstack + sizeof threadstack, (void *)&running);
  while (running) SC(202, &running, 0, 1, 0);
}

/* Areas of one page up to vm.max_map_count and one more; then `spare` of them go again. */
static long tooMany(long spare) {
  long n = 0;
  while (SC(9, FAR + n * PG, PG, n & 1 ? 1 : 3, FIXED, -1, 0) > 0) n++;
  for (long i = 1; i <= spare; i++) SC(11, FAR + (n - i) * PG, PG);
  return n;
}
static void limit(int which, u64 soft, u64 hard) { u64 l[2] = {soft, hard}; SC(160, which, l); }
