/*
 * What is left of a thread and of a call that ends early: robust lists that a thread's PKRU hides, pidfds of threads,
 * timers for another's thread, accept and flock that a signal interrupts. Needs protection keys.
 */
#include "freestanding.h"

#define USR1 10
#define ALRM 14
#define RESTART SA_RESTART
static void section(const char *s) { ps("-- "); ps(s); nl(); }
static void nap(long us) { u64 t[2] = {0, us * 1000}; SC(35, t, 0); }
static void *map(u64 n) { return (void *)SC(9, 0, n, 3, 0x22, -1, 0); }
static u8 stacks[4][16384] __attribute__((aligned(16)));
#define THREAD 0x3d0f00
static volatile i32 tids[4];
/* A thread with its own stack; tids[n] is its number until it has ended. */
static long thread(void (*f)(void), int n) { u64 *sp = (u64 *)(stacks[n] + 16384 - 16); *sp = (u64)f; long r; register long r10 asm("r10") = (long)&tids[n]; asm volatile("xor %%r8, %%r8\nmov $56, %%eax\nsyscall\ntest %%eax, %%eax\njnz 1f\npop %%rax\ncall *%%rax\nmov $60, %%eax\nxor %%edi, %%edi\nsyscall\n1:" : "=a"(r) : "D"(THREAD & ~0x80000), "S"(sp), "d"(&tids[n]), "r"(r10) : "rcx", "r8", "r11", "memory"); return r; }
static void gone(int n) { i32 t; while ((t = tids[n]) != 0) SC(202, &tids[n], 0, t, 0); }
static u32 rdpkru(void) { u32 a, d; asm volatile("xor %%ecx, %%ecx; rdpkru" : "=a"(a), "=d"(d)::"ecx"); return a; }
static void wrpkru(u32 v) { asm volatile("xor %%ecx, %%ecx; xor %%edx, %%edx; wrpkru" ::"a"(v) : "ecx", "edx", "memory"); }

struct list { void *next; long offset; void *pending; };
static struct { struct list head; struct { void *next; volatile u32 word; } entry; } *robust;
static u32 rights; static int key; static void dies_owning(void) {
  long tid = SC(186);
  robust->head.next = &robust->entry; robust->head.offset = 8; robust->head.pending = 0;
  robust->entry.next = &robust->head; robust->entry.word = tid;
  kv("set_robust_list", SC(273, robust, 24));
  wrpkru(rdpkru() | rights << (key * 2));
}
static void robust_lists(void) {
  section("a robust list behind a key");
  key = SC(330, 0, 0); kv("key", key > 0); nl();
  for (rights = 0; rights < 3; rights++) {
    robust = map(4096); tids[0] = 1; thread(dies_owning, 0);
    gone(0);
    kv("plain page, rights", rights); kx("word", robust->entry.word & 0xc0000000); nl();
    robust = map(4096); SC(329, robust, 4096, 3, key); wrpkru(rdpkru() & ~(3u << (key * 2)));
    tids[0] = 1; thread(dies_owning, 0); gone(0);
    kv("keyed page, rights", rights); kx("word", robust->entry.word & 0xc0000000); nl();
  }
}

static volatile int go; static volatile int seen, by;
static void waits(void) { while (!go) nap(1000); }
static void handler(int s) { seen++; by = SC(186); }
static int polled(int fd, int ms) { struct { i32 fd; u16 events, revents; } p = {fd, 1, 0}; long r = SC(7, &p, 1, ms); return r <= 0 ? r : p.revents; }
static void thread_pidfds(void) {
  section("pidfds of threads");
  act(USR1, handler, 0, 0);
  go = 0; tids[1] = 1; long t = thread(waits, 1);
  kv("not a leader", SC(434, t, 0)); kv("bad flag", SC(434, t, 1)); 
  long fd = SC(434, t, 0200), pid = SC(39), own = SC(434, pid, 0); kv("opened", fd > 0); nl();
  kv("runs", polled(fd, 0)); kv("process runs", polled(own, 0));
  kv("signal 0", SC(424, fd, 0, 0, 0)); nl();
  seen = 0; kv("signal", SC(424, fd, USR1, 0, 0)); for (int i = 0; i < 200 && !seen; i++) nap(1000); kv("seen", seen); kv("by the thread", by == t); nl();
  seen = 0; kv("to the group", SC(424, fd, USR1, 0, 2)); for (int i = 0; i < 200 && !seen; i++) nap(1000); kv("seen", seen); kv("bad flags", SC(424, fd, USR1, 0, 8)); nl();
  go = 1; gone(1); kv("ended", polled(fd, 1000)); kv("process runs", polled(own, 0)); kv("signal", SC(424, fd, 0, 0, 0)); nl();
  struct si s; memset(&s, 0, sizeof s); kv("waitid", SC(247, 3, fd, &s, 4 | 1)); nl();
  SC(3, fd); SC(3, own);
}

static void timers(void) {
  section("timers for a thread");
  struct { u64 value; i32 signo, notify, tid, pad[13]; } e; i32 id;
  long child = SC(57); if (!child) for (;;) SC(34);
  memset(&e, 0, sizeof e); e.signo = USR1; e.notify = 4;
  e.tid = child; kv("another process's", SC(222, 1, &e, &id));
  e.tid = SC(186); long r = SC(222, 1, &e, &id); kv("own", r); SC(226, id);
  go = 0; tids[2] = 1; e.tid = thread(waits, 2); kv("a sister", SC(222, 1, &e, &id)); nl();
  u64 in[4] = {0, 0, 0, 5000000}; seen = 0; kv("settime", SC(223, id, 0, in, 0)); for (int i = 0; i < 200 && !seen; i++) nap(1000); kv("seen", seen); kv("by the sister", by == e.tid); nl();
  go = 1; gone(2); e.tid = 0x7fffffff; kv("nobody", SC(222, 1, &e, &id)); e.tid = -1; kv("-1", SC(222, 1, &e, &id)); e.notify = 6; kv("notify 6", SC(222, 1, &e, &id)); nl();
  SC(62, child, 9); SC(61, child, 0, 0, 0);
}

static int listener, held, other;
static void interrupted(const char *what, u64 flags, long (*call)(void)) {
  act(ALRM, handler, flags, 0); seen = 0;
  u64 t[4] = {0, 15000, 0, 15000}; SC(38, 0, t, 0);
  long r = call();
  u64 off[4] = {0, 0, 0, 0}; SC(38, 0, off, 0);
  ps(what); kv("", r); kv("handled", seen > 0); nl();
}
static long accepts(void) { return SC(43, listener, 0, 0); }
static long locks(void) { return SC(73, other, 2); }
static long records(void) { struct { u16 type, whence; u32 pad; u64 start, len; u32 pid, pad2; } l; memset(&l, 0, sizeof l); l.type = 1; return SC(72, other, 7, &l); }
static void early_ends(void) {
  section("accept, flock and fcntl that a signal meets");
  struct { u16 family; char path[108]; } a; memset(&a, 0, sizeof a); a.family = 1; memcpy(a.path, "\0endings", 8);
  listener = SC(41, 1, 1, 0); kv("bind", SC(49, listener, &a, 10)); kv("listen", SC(50, listener, 1)); nl();
  interrupted("accept ", 0, accepts);
  long child = SC(57); if (!child) { nap(60000); int s = SC(41, 1, 1, 0); SC(42, s, &a, 10); nap(20000); SC(231, 0); }
  interrupted("accept again ", RESTART, accepts); SC(61, child, 0, 0, 0);
  u64 tv[2] = {0, 60000}; SC(54, listener, 1, 20, tv, 16);
  interrupted("accept with a timeout ", RESTART, accepts);
  held = SC(319, "held", 0); kv("flock", SC(73, held, 2));
  char path[32] = "/proc/self/fd/"; path[14] = '0' + held; path[15] = 0;
  other = SC(2, path, 2, 0); kv("opened", other > 0); nl();
  interrupted("flock ", 0, locks);
  child = SC(57); if (!child) { nap(60000); SC(73, held, 8); SC(231, 0); }
  SC(3, held); held = -1;
  interrupted("flock again ", RESTART, locks); SC(61, child, 0, 0, 0);
  int pipe[2]; SC(22, pipe);
  child = SC(57); if (!child) { records(); SC(1, pipe[1], "x", 1); nap(100000); SC(231, 0); }
  char c; SC(0, pipe[0], &c, 1);
  interrupted("setlkw ", 0, records);
  interrupted("setlkw again ", RESTART, records); SC(61, child, 0, 0, 0);
}

int main_(long *sp) { robust_lists(); thread_pidfds(); timers(); early_ends(); return 0; }
