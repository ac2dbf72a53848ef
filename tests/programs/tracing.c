/*
 * ptrace from both sides: stops and what is said of them, registers, memory, system calls changed, events, groups,
 * strangers, threads. Prints no number that differs from run to run.
 */
#include "freestanding.h"

#define PT(r, p, ...) SC_(101, r, p, ##__VA_ARGS__, 0, 0, 0, 0, 0)
#define TRACEME 0
#define PEEK 1
#define PEEKUSER 3
#define POKE 4
#define POKEUSER 6
#define CONT 7
#define STEP 9
#define GETREGS 12
#define SETREGS 13
#define ATTACH 16
#define DETACH 17
#define SYSCALL 24
#define SYSEMU 31
#define SETOPTIONS 0x4200
#define GETEVENTMSG 0x4201
#define GETSIGINFO 0x4202
#define SETSIGINFO 0x4203
#define GETREGSET 0x4204
#define SETREGSET 0x4205
#define SEIZE 0x4206
#define INTERRUPT 0x4207
#define LISTEN 0x4208
#define PEEKSIGINFO 0x4209
#define GETSIGMASK 0x420a
#define SETSIGMASK 0x420b
#define SYSCALLINFO 0x420e
#define WALL 0x40000000
#define RAX 80
#define ORIG 120
#define RIP 128
#define FLAGS 144
#define RSP 152
#define KILL(p, s) SC(62, p, s)
static long self_(void) { return SC(39); }
#define SELF() self_()
static long tid_(void) { return SC(186); }
#define USR1 10
#define USR2 12
#define STOP 19
#define CONTINUE 18

static long first, second;
static const char *names(long p) { return p == first ? "first" : p == second ? "second" : p == 0 ? "0" : p < 0 ? "none" : "other"; }
static long wait_options(long p, int o) { i32 s = 0; long r = SC(61, p, &s, o, 0); ps(" ["); if (r < 0) pd(r); else { ps(names(r)); pc(' '); px((u32)s); } pc(']'); return r > 0 ? s : r; }
static long wt(long p) { return wait_options(p, WALL); }
static u64 user(long p, long at) { u64 v = 0xbad; long r = PT(PEEKUSER, p, at, &v); if (r) kv("peekuser", r); return v; }
static long setuser(long p, long at, u64 v) { return PT(POKEUSER, p, at, v); }
static void info(long p) { struct si s; memset(&s, 0, sizeof s); long r = PT(GETSIGINFO, p, 0, &s); ps(" <"); if (r) pd(r); else { pd(s.signo); pc(' '); px((u32)s.code); pc(' '); ps(s.signo == 11 || (s.signo == 5 && s.code > 0 && s.code < 5) ? "fault" : names(s.k.pid)); } pc('>'); }
static void msg(long p) { u64 m = 0; long r = PT(GETEVENTMSG, p, 0, &m); ps(" msg="); if (r) pd(r); else if (m == first || m == second) ps(names(m)); else if (m > 900 && m < 100000 && (m & 0xff) != 0x0f) ps("number"); else px(m); }
static void section(const char *s) { ps("-- "); ps(s); nl(); }
static void end(long p) { KILL(p, 9); i32 s; while (SC(61, p, &s, WALL, 0) >= 0 && (s & 0xff) == 0x7f); }

/* A traced child that stops, then does something. */
static long child(void (*act)(void)) {
  long p = SC(57);
  if (p == 0) { first = SELF(); PT(TRACEME, 0); KILL(first, STOP); act(); SC(231, 7); }
  first = p;
  return p;
}
static volatile int seen, value;
static void on_signal(int s, struct si *i, struct ucx *u) { seen = seen * 100 + s; value = i->k.val; }

static void nothing(void) {}
static void signals_self(void) { act(USR1, on_signal, SA_SIGINFO, 0); act(USR2, on_signal, SA_SIGINFO, 0); for (int i = 0; i < 4; i++) KILL(SELF(), USR1); SC(231, seen == 101210 ? 1 : seen == 1012 ? 2 : seen == 1210 ? 3 : 4); }
static void signals(void) {
  section("signals are shown, kept back, changed");
  long p = child(nothing); wt(p); info(p); PT(CONT, p); wt(p); nl();
  p = child(signals_self); wt(p); PT(CONT, p);
  wt(p); info(p); PT(CONT, p, 0, 0); wt(p); PT(CONT, p, 0, USR1); wt(p); PT(CONT, p, 0, USR2); wt(p); info(p); PT(CONT, p, 0, 0); wt(p); nl();
  p = child(nothing); wt(p); kv(" bad", PT(CONT, p, 0, 65)); kv("neg", PT(CONT, p, 0, -1)); kv("no", PT(999, p)); PT(CONT, p, 0, 9); wt(p); nl();
  p = child(nothing); wt(p); PT(CONT, p, 0, 6); wt(p); nl();
  p = child(nothing); wt(p); kv(" detach", PT(DETACH, p, 0, 0)); wt(p); kv("again", PT(DETACH, p, 0, 0)); nl();
  p = child(nothing); wt(p); kv(" detach", PT(DETACH, p, 0, 15)); wt(p); nl();
}
static void value_self(void) { act(USR1, on_signal, SA_SIGINFO, 0); KILL(SELF(), USR1); SC(231, value); }
static void masked_self(void) { mask(0, B(USR1) | B(34) | B(35)); struct si s; memset(&s, 0, sizeof s); s.code = -1; for (int i = 1; i < 4; i++) { s.k.val = i; SC(129, SELF(), 34, &s); } SC(297, SELF(), tid_(), 35, &s); KILL(SELF(), USR1); KILL(SELF(), STOP); SC(231, mask(0, 0) >> 9); }
static void siginfo(void) {
  section("what is said of signals, and the mask");
  long p = child(value_self); wt(p); PT(CONT, p); wt(p);
  struct si s; PT(GETSIGINFO, p, 0, &s); s.k.val = 42; kv(" set", PT(SETSIGINFO, p, 0, &s)); PT(CONT, p, 0, USR1); wt(p); nl();
  p = child(masked_self); wt(p); PT(CONT, p); wt(p);
  u8 b[128 * 8]; struct { u64 off; u32 flags; i32 n; } a = {0, 1, 8};
  long n = PT(PEEKSIGINFO, p, &a, b); kv(" shared", n); for (int i = 0; i < n; i++) { pd(*(i32 *)(b + 128 * i)); pc(':'); pd(*(i32 *)(b + 128 * i + 24)); pc(' '); }
  a.off = 1; a.n = 1; n = PT(PEEKSIGINFO, p, &a, b); kv("one", n); kv("", *(i32 *)b); a.off = 9; kv("past", PT(PEEKSIGINFO, p, &a, b)); a.off = 0; a.flags = 0; a.n = 8; kv("own", PT(PEEKSIGINFO, p, &a, b)); kv("", *(i32 *)b); a.flags = 2; kv("flags", PT(PEEKSIGINFO, p, &a, b)); a.flags = 0; a.n = -1; kv("neg", PT(PEEKSIGINFO, p, &a, b));
  u64 m = 0; kv("mask", PT(GETSIGMASK, p, 8, &m)); kx("", m); kv("size", PT(GETSIGMASK, p, 4, &m)); m = ~0ul; kv("set", PT(SETSIGMASK, p, 8, &m)); PT(GETSIGMASK, p, 8, &m); kx("", m); m = B(USR1) | B(34) | B(35); PT(SETSIGMASK, p, 8, &m); PT(CONT, p); wt(p); nl();
}
static void calls_self(void) { long r[6]; for (int i = 0; i < 5; i++) r[i] = SC(110) > 0 ? 1 : SC(110); SC(231, 0); }
static void number_self(void) { long r = SC(500, 1, 2, 3, 4, 5, 6); SC(231, r == 4321 ? 11 : r == -38 ? 12 : r == 77 ? 13 : r == -512 ? 14 : 15); }
static void sleep_self(void) { u64 t[2] = {0, 30000000}; act(USR1, on_signal, SA_SIGINFO, 0); long r = SC(35, t, 0); SC(231, r == 0 ? 20 : r == -4 ? 21 : 22); }
static void call_info(long p) { u8 b[88]; memset(b, 0xee, 88); long r = PT(SYSCALLINFO, p, 88, b); ps(" {"); pd(r); pc(' '); pd(b[0]); if (b[0] == 1) { pc(' '); pd(*(u64 *)(b + 24)); pc(' '); pd(*(u64 *)(b + 32)); pc(' '); pd(*(u64 *)(b + 72)); } if (b[0] == 2) { pc(' '); pd(*(i64 *)(b + 24)); pc(' '); pd(b[32]); } pc('}'); }
static void calls(void) {
  section("system calls: entry and exit, changed, cancelled, emulated");
  long p = child(number_self); wt(p); call_info(p); PT(SYSCALL, p); wt(p); kv(" orig", user(p, ORIG)); kv("rax", user(p, RAX)); info(p); call_info(p); PT(SYSCALL, p); wt(p); kv(" rax", user(p, RAX)); call_info(p); setuser(p, RAX, 4321); PT(SYSCALL, p); wt(p); PT(SYSCALL, p); wt(p); nl();
  p = child(number_self); wt(p); PT(SETOPTIONS, p, 0, 1); PT(SYSCALL, p); wt(p); info(p); kv(" poke", setuser(p, ORIG, 110)); PT(SYSCALL, p); wt(p); kv(" parent", user(p, RAX) == SELF()); PT(CONT, p); wt(p); nl();
  p = child(number_self); wt(p); PT(SYSCALL, p); wt(p); setuser(p, ORIG, -1); PT(SYSCALL, p); wt(p); kv(" rax", user(p, RAX)); kv("orig", user(p, ORIG)); PT(CONT, p); wt(p); nl();
  p = child(number_self); wt(p); PT(SYSCALL, p); wt(p); setuser(p, ORIG, -1); setuser(p, RAX, 77); PT(CONT, p); wt(p); nl();
  p = child(number_self); wt(p); PT(SYSEMU, p); wt(p); kv(" orig", user(p, ORIG)); call_info(p); setuser(p, RAX, 4321); PT(CONT, p); wt(p); nl();
  p = child(number_self); wt(p); PT(SYSCALL, p); wt(p); PT(SYSCALL, p); wt(p); setuser(p, RAX, -512); PT(CONT, p); wt(p); nl();
  p = child(sleep_self); wt(p); PT(SYSCALL, p); wt(p); PT(SYSCALL, p); wt(p); PT(SYSCALL, p); wt(p); kv(" orig", user(p, ORIG)); KILL(p, USR1); PT(SYSCALL, p); wt(p); kv(" rax", user(p, RAX)); PT(SYSCALL, p); wt(p); kv(" rax", user(p, RAX)); kv("orig", user(p, ORIG)); PT(CONT, p, 0, 0); wt(p); nl();
  p = child(sleep_self); wt(p); PT(SYSCALL, p); wt(p); PT(SYSCALL, p); wt(p); PT(SYSCALL, p); wt(p); KILL(p, USR1); PT(SYSCALL, p); wt(p); PT(SYSCALL, p); wt(p); PT(SYSCALL, p, 0, USR1); wt(p); kv(" orig", user(p, ORIG)); kv("rax", user(p, RAX)); PT(CONT, p); wt(p); nl();
}
extern char steps_begin[], steps_end[];
static void steps_self(void) {
  asm volatile(".globl steps_begin, steps_end\nint3\nsteps_begin: nop\npush %%rax\npop %%rax\nmov $39, %%eax\nsyscall\nnop\nsteps_end: int3" : : : "rax", "rcx", "r11", "memory");
  SC(231, 8);
}
static void handler_self(void) { act(USR1, on_signal, SA_SIGINFO, 0); KILL(SELF(), USR1); SC(231, seen); }
static void stepping(void) {
  section("one instruction at a time");
  long p = child(steps_self); wt(p); PT(CONT, p); wt(p); info(p);
  u64 last = 0; int n = 0;
  for (; n < 60; n++) { if (PT(STEP, p)) break; long s = wt(p); u64 ip = user(p, RIP); if ((s & 0xff) != 0x7f || n == 0) info(p); kv(" at", (i64)(ip - (u64)steps_begin)); if (ip == (u64)steps_end) break; last = ip; }
  kx("flags", user(p, FLAGS) & 0x100); PT(CONT, p); wt(p); info(p); PT(CONT, p, 0, 0); wt(p); nl();
  p = child(handler_self); wt(p); PT(CONT, p); wt(p); u64 sp = user(p, RSP); PT(STEP, p, 0, USR1); wt(p); kv(" handler", user(p, RIP) == (u64)on_signal); kv("below", user(p, RSP) < sp); kx("flags", user(p, FLAGS) & 0x100); info(p); PT(STEP, p); wt(p); kv(" moved", user(p, RIP) > (u64)on_signal); info(p); PT(CONT, p); wt(p); nl();
}
static void registers(void) {
  section("registers");
  u64 r[27], s[27]; long p = child(nothing); wt(p);
  kv(" get", PT(GETREGS, p, 0, r)); kx("cs", r[17]); kx("ss", r[20]); kx("flags", r[18] & ~0x8d5ul); kv("ip", r[16] == user(p, RIP)); kv("fs", r[21]); kv("ds", r[23]);
  r[0] = 0x1111222233334444; r[18] |= 0x40cd5; kv("set", PT(SETREGS, p, 0, r)); PT(GETREGS, p, 0, s); kv("r15", s[0] == r[0]); kx("flags", s[18] & 0x40ffd5);
  r[17] = 0x10; kv("cs", PT(SETREGS, p, 0, r)); r[17] = 0x33; r[21] = 1ul << 47; kv("fsbase", PT(SETREGS, p, 0, r)); r[21] = 0x7000; kv("fsbase", PT(SETREGS, p, 0, r)); kx("is", user(p, 168)); kv("badptr", PT(GETREGS, p, 0, 8)); kv("setbad", PT(SETREGS, p, 0, 8)); nl();
  u64 v; kv("odd", PT(PEEKUSER, p, 4, &v)); kv("past", PT(PEEKUSER, p, 928, &v)); kv("hole", PT(PEEKUSER, p, 300, &v)); kv("hole8", PT(PEEKUSER, p, 304, &v)); kv("dr", PT(PEEKUSER, p, 848, &v)); kx("", v); kv("neg", PT(PEEKUSER, p, -8, &v)); kv("oddpoke", PT(POKEUSER, p, 4, 0)); kv("pastpoke", PT(POKEUSER, p, 928, 0)); kv("holepoke", PT(POKEUSER, p, 304, 0)); kv("ss", PT(POKEUSER, p, 160, 0)); nl();
  u64 iov[2] = {(u64)s, 1000}; kv("prstatus", PT(GETREGSET, p, 1, iov)); kv("len", iov[1]); iov[1] = 24; kv("short", PT(GETREGSET, p, 1, iov)); kv("len", iov[1]); iov[1] = 21; kv("odd", PT(GETREGSET, p, 1, iov)); iov[1] = 8; s[0] = 5; kv("set", PT(SETREGSET, p, 1, iov)); kv("len", iov[1]); kv("r15", user(p, 0)); iov[1] = 100; kv("none", PT(GETREGSET, p, 77, iov)); iov[0] = 8; kv("bad", PT(GETREGSET, p, 1, iov)); kv("badiov", PT(GETREGSET, p, 1, 8)); nl();
  end(p);
}
static u32 pkru_offset(void) { u32 a = 13, b, c = 9, d; asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d)); return b; }
static u32 rdpkru(void) { u32 a, d; asm volatile("rdpkru" : "=a"(a), "=d"(d) : "c"(0)); return a; }
static void pkru_self(void) { asm volatile("wrpkru" : : "a"(0x55555550), "c"(0), "d"(0)); KILL(SELF(), STOP); u32 k = rdpkru(); SC(231, k == 0x1230 ? 31 : k == 0x55555550 ? 32 : 33); }
static void xstate(void) {
  section("rights in the xstate set");
  static u8 area[16384]; u64 iov[2] = {(u64)area, sizeof area}; u32 at = pkru_offset();
  long p = child(pkru_self); wt(p); PT(CONT, p); wt(p); kv(" get", PT(GETREGSET, p, 0x202, iov)); kx("pkru", *(u32 *)(area + at)); kv("has", (*(u64 *)(area + 512) >> 9) & 1); *(u32 *)(area + at) = 0x1230; kv("set", PT(SETREGSET, p, 0x202, iov)); iov[1] = 576; kv("short", PT(SETREGSET, p, 0x202, iov)); PT(CONT, p); wt(p); nl();
  p = child(pkru_self); wt(p); PT(CONT, p); wt(p); iov[1] = sizeof area; PT(GETREGSET, p, 0x202, iov); *(u64 *)(area + 512) &= ~0x200ul; kv(" init", PT(SETREGSET, p, 0x202, iov)); PT(GETREGSET, p, 0x202, iov); kx("pkru", *(u32 *)(area + at)); PT(CONT, p); wt(p); nl();
}
#define AT 0x40000000ul
static void memory_self(void) {
  for (int i = 0; i < 6; i++) { SC(9, AT + i * 0x10000, 4096, 3, i == 3 ? 0x31 : 0x32, -1, 0); *(u64 *)(AT + i * 0x10000) = 0x1000 + i; }
  SC(10, AT, 4096, 1); SC(10, AT + 0x10000, 4096, 0); long key = SC(330, 0, 3); SC(329, AT + 0x20000, 4096, 3, key); SC(10, AT + 0x30000, 4096, 1); SC(10, AT + 0x40000, 4096, 1); SC(462, AT + 0x40000, 4096, 0); SC(10, AT + 0x50000, 4096, 4);
  KILL(SELF(), STOP); SC(231, *(u64 *)AT == 99 ? 1 : 2);
}
static void memory(void) {
  section("memory: read-only, PROT_NONE, keyed, shared and read-only, sealed, execute-only, text, none");
  long p = child(memory_self); wt(p); PT(CONT, p); wt(p); nl();
  for (int i = 0; i < 8; i++) { u64 at = i < 6 ? AT + i * 0x10000 : i == 6 ? (u64)&memory_self & ~7ul : AT + 0x100000, v = 0; kv("peek", PT(PEEK, p, at, &v)); if (i < 6) kx("", v); kv("poke", PT(POKE, p, at, 99)); v = 0; PT(PEEK, p, at, &v); kv("is", v == 99); nl(); }
  u64 v; kv("end", PT(PEEK, p, AT + 4092, &v)); kv("odd", PT(PEEK, p, AT + 1, &v)); kv("high", PT(PEEK, p, 1ul << 63, &v)); kv("badptr", PT(PEEK, p, AT, 8)); PT(CONT, p); wt(p); nl();
}
static char stack[16384] __attribute__((aligned(16)));
static long thread(void (*f)(void)) { u64 *sp = (u64 *)(stack + 16384 - 16); *sp = (u64)f; long r; asm volatile("mov $56, %%eax\nsyscall\ntest %%eax, %%eax\njnz 1f\npop %%rax\ncall *%%rax\nmov $60, %%eax\nxor %%edi, %%edi\nsyscall\n1:" : "=a"(r) : "D"(0x50f00), "S"(sp), "d"(0) : "rcx", "r11", "memory"); return r; }
static void fork_self(void) { long p = SC(57); if (p == 0) SC(231, 3); i32 s; SC(61, p, &s, 0, 0); }
static void vfork_self(void) { long r; asm volatile("mov $58, %%eax\nsyscall\ntest %%eax, %%eax\njnz 1f\nmov $60, %%eax\nmov $4, %%edi\nsyscall\n1:" : "=a"(r) : : "rcx", "r11", "rdi", "memory"); i32 s; SC(61, r, &s, 0, 0); }
static void quiet(void) {}
static volatile int thread_done;
static void done_thread(void) { thread_done = 1; }
static void thread_self(void) { thread(done_thread); while (!thread_done) SC(24); u64 t[2] = {0, 3000000}; SC(35, t, 0); }
static void exec_self(void) { const char *v[] = {"x", "exec", 0}, *e[] = {0}; SC(59, "/proc/self/exe", v, e); }
static void exec_thread(void) { exec_self(); }
static void threaded_exec_self(void) { thread(exec_thread); for (;;) SC(34); }
static void events(void) {
  section("events");
  void (*all[])(void) = {fork_self, vfork_self, thread_self, exec_self};
  for (int seized = 0; seized < 2; seized++) for (int i = 0; i < 4; i++) {
    long p;
    if (seized) { p = SC(57); if (p == 0) { first = SELF(); KILL(first, STOP); all[i](); SC(231, 7); } first = p; wait_options(p, 2); kv(" seize", PT(SEIZE, p, 0, 0x7f)); wt(p); KILL(p, CONTINUE); PT(CONT, p); wt(p); PT(CONT, p); long s = wt(p); if ((s >> 8) == CONTINUE) { PT(CONT, p); } else PT(CONT, p); }
    else { p = child(all[i]); wt(p); PT(SETOPTIONS, p, 0, 0x7f); PT(CONT, p); }
    second = 0;
    for (int n = 0; n < 12; n++) {
      i32 s = 0; long q = SC(61, p, &s, WALL, 0); if (q < 0) { kv(" wait", q); break; }
      ps(" ["); px((u32)s); pc(']'); if ((s & 0xff) != 0x7f) break;
      int event = s >> 16; if (event >= 1 && event <= 3) { u64 m; PT(GETEVENTMSG, p, 0, &m); second = m; } if (event) msg(p);
      if (event >= 1 && event <= 3) { u64 m; PT(GETEVENTMSG, p, 0, &m); second = m; i32 t; for (int k = 0; k < 4 && SC(61, second, &t, WALL, 0) > 0; k++) { ps(" ("); px((u32)t); pc(')'); if ((t & 0xff) != 0x7f) break; if (t >> 16 == 6) msg(second); PT(CONT, second, 0, (t >> 16) || (t >> 8) == STOP ? 0 : t >> 8 & 0x7f); } }
      PT(CONT, p, 0, event || (s >> 8) == 5 ? 0 : (s >> 8) & 0x7f);
    }
    nl();
  }
  long p = child(threaded_exec_self); wt(p); PT(SETOPTIONS, p, 0, 0x18); PT(CONT, p); wt(p); u64 m; PT(GETEVENTMSG, p, 0, &m); second = m; wt(second); PT(CONT, p); PT(CONT, second); wt(p); msg(p); kv(" gone", PT(CONT, second)); PT(CONT, p); wt(p); nl();
  p = child(exec_self); wt(p); PT(CONT, p); wt(p); info(p); PT(CONT, p, 0, 0); wt(p); nl();
}
static void spin(void) { for (;;) asm volatile("pause"); }
static void groups(void) {
  section("seized: interrupted, stopped with the group, listening");
  long p = SC(57); if (p == 0) spin(); first = p; second = SELF();
  kv("options", PT(SEIZE, p, 0, 1ul << 30)); kv("addr", PT(SEIZE, p, 8, 0)); kv("seize", PT(SEIZE, p, 0, 0)); kv("again", PT(SEIZE, p, 0, 0)); kv("attach", PT(ATTACH, p)); kv("running", PT(CONT, p)); u64 r[27]; kv("regs", PT(GETREGS, p, 0, r)); kv("none", wait_options(p, WALL | 1));
  kv(" int", PT(INTERRUPT, p)); wt(p); info(p); kv(" again", PT(INTERRUPT, p)); kv("listen", PT(LISTEN, p)); nl(); end(p);
  p = SC(57); if (p == 0) spin(); first = p; PT(SEIZE, p, 0, 0);
  KILL(p, STOP); wt(p); info(p); PT(CONT, p, 0, STOP); wt(p); info(p); kv(" listen", PT(LISTEN, p)); kv("cont", PT(CONT, p)); kv("none", wait_options(p, WALL | 1)); KILL(p, CONTINUE); wt(p); info(p); PT(CONT, p); wt(p); info(p); PT(CONT, p, 0, CONTINUE); PT(INTERRUPT, p); wt(p); kv(" detach", PT(DETACH, p)); KILL(p, 9); wt(p); nl();
  p = SC(57); if (p == 0) spin(); first = p; kv("attach", PT(ATTACH, p)); wt(p); info(p); kv(" int", PT(INTERRUPT, p)); kv("listen", PT(LISTEN, p)); PT(CONT, p, 0, 0); KILL(p, STOP); wt(p); PT(CONT, p, 0, STOP); wt(p); info(p); PT(CONT, p); KILL(p, CONTINUE); wt(p); PT(CONT, p); KILL(p, 9); wt(p); nl();
  /* Stopped before it is seized. */
  p = SC(57); if (p == 0) spin(); first = p; KILL(p, STOP); wait_options(p, 2); kv("seize", PT(SEIZE, p, 0, 0)); wt(p); KILL(p, 9); wt(p); nl();
  p = SC(57); if (p == 0) spin(); first = p; KILL(p, STOP); wait_options(p, 2); kv("attach", PT(ATTACH, p)); wt(p); PT(DETACH, p); u64 t[2] = {0, 2000000}; SC(35, t, 0); KILL(p, 9); wt(p); nl();
  /* A sleeping call goes on after an interrupt. */
  p = SC(57); if (p == 0) { u64 t[2] = {0, 20000000}; long x = SC(35, t, 0); SC(231, x == 0 ? 5 : 6); } first = p; PT(SEIZE, p, 0, 0); u64 s[2] = {0, 5000000}; SC(35, s, 0); PT(INTERRUPT, p); wt(p); kv(" rax", user(p, RAX)); kv("orig", user(p, ORIG)); PT(CONT, p); wt(p); nl();
  /* waitid */
  p = child(nothing); u8 i[128]; memset(i, 0, 128); kv("waitid", SC(247, 1, p, i, 2 | WALL | 0x1000000, 0)); kv("signo", *(i32 *)i); kv("code", *(i32 *)(i + 8)); kv("status", *(i32 *)(i + 24)); kv("exits", SC(247, 1, p, i, 4 | 1 | WALL, 0)); kv("code", *(i32 *)(i + 8)); kv("taken", SC(247, 1, p, i, 2 | 1 | WALL, 0)); kv("", *(i32 *)i); PT(CONT, p); wt(p); nl();
}
static void strangers(void) {
  section("somebody else's child; tracers that end");
  i32 q[2]; SC(22, q);
  long parent = SC(57);
  if (parent == 0) { long c = SC(57); if (c == 0) { SC(34); SC(231, 9); } SC(1, q[1], &c, 8); i32 s; long w = SC(61, c, &s, 2, 0); u64 out[2] = {w == c, s}; SC(1, q[1], out, 16); SC(231, 0); }
  long c; SC(0, q[0], &c, 8); first = c; second = parent;
  kv("attach", PT(ATTACH, c)); wt(c); kv(" seize", PT(SEIZE, c, 0, 0)); PT(CONT, c); KILL(c, USR1); wt(c); PT(CONT, c, 0, USR1); wt(c); u64 out[2]; SC(0, q[0], out, 16); kv(" parent", out[0]); kx("", out[1]); wt(parent); nl();
  for (int kill = 0; kill < 2; kill++) {
    long t = SC(57); first = second = 0;
    if (t == 0) { long g = SC(57); if (g == 0) spin(); PT(SEIZE, g, 0, kill ? 0x100000 : 0); PT(INTERRUPT, g); i32 s; SC(61, g, &s, WALL, 0); SC(1, q[1], &g, 8); SC(231, 0); }
    long g; SC(157, 36, 1); SC(0, q[0], &g, 8); first = g; wt(t); u64 p[2] = {0, 3000000}; SC(35, p, 0); kv(" alive", wait_options(g, 1)); if (!kill) { KILL(g, 15); wt(g); } nl();
  }
  kv("self", PT(ATTACH, SELF())); kv("init", PT(SEIZE, 1, 0, 0) == 0 ? -1 : -1); kv("nobody", PT(ATTACH, 4190000)); kv("zero", PT(ATTACH, 0)); long z = SC(57); if (z == 0) SC(231, 0); u64 p[2] = {0, 2000000}; SC(35, p, 0); kv("zombie", PT(ATTACH, z)); kv("seize", PT(SEIZE, z, 0, 0)); wt(z); kv(" cont", PT(CONT, SELF())); nl();
  long o = SC(57); if (o == 0) { PT(TRACEME, 0); long r = PT(TRACEME, 0); SC(231, -r); } first = o; wt(o); nl();
}
static volatile int hold;
static void wait_thread(void) { while (!hold) SC(24); }
static void leader_self(void) { thread(wait_thread); SC(60, 5); }
static void threads(void) {
  section("threads by themselves");
  long p = child(thread_self); wt(p); PT(SETOPTIONS, p, 0, 8); PT(CONT, p); wt(p); u64 m; PT(GETEVENTMSG, p, 0, &m); second = m; wt(second); kv(" notmine", wait_options(p, 1)); PT(CONT, p); PT(CONT, second); wt(second); kv(" gone", PT(CONT, second)); wt(p); nl();
  /* The leader ends first: it is told of when the last thread has ended. */
  p = child(leader_self); wt(p); PT(SETOPTIONS, p, 0, 0x48); PT(CONT, p); wt(p); PT(GETEVENTMSG, p, 0, &m); second = m; wt(second); PT(CONT, p); wt(p); msg(p); PT(CONT, p); u64 t[2] = {0, 3000000}; SC(35, t, 0); kv(" notyet", wait_options(p, WALL | 1)); PT(POKE, second, &hold, 1); PT(CONT, second); wt(second); msg(second); PT(CONT, second); wt(second); wt(p); nl();
  p = child(leader_self); wt(p); PT(SETOPTIONS, p, 0, 8); PT(CONT, p); wt(p); PT(GETEVENTMSG, p, 0, &m); second = m; wt(second); PT(CONT, p); PT(CONT, second); KILL(p, 9); wt(second); wt(p); nl();
}
int main_(long *sp) {
  char **argv = (char **)(sp + 1);
  if (sp[0] > 1 && argv[1][0] == 'e') return 6;
  const void (*all[])(void) = {signals, siginfo, calls, stepping, registers, xstate, memory, events, groups, strangers, threads};
  for (int i = 0; i < 11; i++) { long p = SC(57); if (p == 0) { all[i](); flush(); SC(231, 0); } i32 s; SC(61, p, &s, WALL, 0); if (s) { kx("ended", s); nl(); } }
  return 0;
}
