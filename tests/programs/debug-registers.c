#include "freestanding.h"
/* Debug registers: a tracer's (PTRACE_POKEUSER of u_debugreg), and those of perf events (PERF_TYPE_BREAKPOINT). */
struct attr { u32 type, size; u64 config, period, sample, format, flags; u32 wake, bptype; u64 config1, config2, branch, regs; u32 stack; i32 clock; u64 intr; u32 aux; u16 maxstack, r2; u32 auxs, action; u64 sig, config3; };
static volatile u64 data[512] __attribute__((aligned(4096)));
static volatile u8 bytes[64] __attribute__((aligned(64)));
void code(void); extern char code_a[], code_b[], code_c[];
asm(".globl code\ncode: nop\n.globl code_a\ncode_a: inc %eax\n.globl code_b\ncode_b: dec %eax\n.globl code_c\ncode_c: ret");
static void code_call(void) { asm volatile("call code" ::: "rax", "cc"); }
static long pid;
#define DR(n) (848 + 8 * (n))
static long poke(int n, u64 v) { return SC(101, 6, pid, DR(n), v); }
static u64 peek(int n) { u64 v = 0x5555; SC(101, 3, pid, DR(n), &v); return v; }
static u64 rip(void) { u64 v = 0; SC(101, 3, pid, 128, &v); return v; }
static int wait_(void) { int st = 0; SC(61, pid, &st, 0x40000000, 0); return st; }
static u8 info[128];
static u64 base;
static void stop(const char *what) { int st = wait_(); ps(what); pc(' '); if ((st & 0xff) != 0x7f) { kv("ended", st); nl(); return; } kv("sig", st >> 8); if (SC(101, 0x4202, pid, 0, info) == 0) { kv("code", *(i32*)(info + 8)); u64 a = *(u64*)(info + 16); if (a - base < 16) kv("at", a - base); } u64 r = rip(); kv("rip", r - base < 16 ? (i64)(r - base) : -1); kx("dr6", peek(6)); nl(); }
static void go(int request) { SC(101, request, pid, 0, 0); }
static volatile int shared_pipe[2];
static struct attr a;
static long bp(u32 type, volatile void *at, u64 len, u64 flags, int p, int cpu) { memset(&a, 0, sizeof a); a.type = 5; a.size = 136; a.bptype = type; a.config1 = (u64)at; a.config2 = len; a.flags = flags; return SC(298, &a, p, cpu, -1, 0); }
static long count(int fd) { u64 v[4]; long r = SC(0, fd, v, sizeof v); return r < 0 ? r : (long)v[0]; }
static void tried(const char *what, long r) { if (r >= 0) { SC(3, r); r = 0; } kv(what, r); }
static void stop_self(void) { long me = SC(39); SC(62, me, 19); }
static void child(void) { SC(101, 0, 0, 0, 0); stop_self(); code_call(); data[0] = 1; code_call(); data[1] = 2; (void)data[0]; bytes[3] = 1; *(volatile u64*)(bytes + 8) = 1; (void)*(volatile u16*)(bytes + 2); { volatile u8 *d = bytes; u8 s[32]; u64 c = 32; void *dd = (void*)d, *ss = s; asm volatile("rep movsb" : "+D"(dd), "+S"(ss), "+c"(c) :: "memory"); } SC(231, 3); }
static long start(void) { pid = SC(57); if (!pid) child(); stop("start"); return pid; }
static void end(void) { poke(7, 0); go(7); kv("end", wait_()); nl(); }
static volatile long traps, trap_code, trap_addr;
static void on_trap(int s, struct si *i, struct ucx *u) { traps++; trap_code = i->code; trap_addr = i->addr - base; kx("rf", u->fl & 0x10000); kv("trapno", u->trapno); }
int main_(long *sp) {
  if (sp[0] > 1) { data[0] = 5; SC(231, 4); }
  base = (u64)code; { u64 cpus = 1; SC(203, 0, 8, &cpus); }
  start();
  ps("fresh "); for (int i = 0; i < 8; i++) kx("dr", peek(i)); nl();
  ps("poke "); kv("4", poke(4, 0)); kv("5", poke(5, 1)); kv("6", poke(6, 0)); kx("6", peek(6)); kv("6", poke(6, 0xf)); kx("6", peek(6)); kv("kernel", poke(0, 0xffff800000000000)); kv("noncanonical", poke(0, 1ul << 60)); kx("0", peek(0)); kv("7-before", poke(7, 1)); kx("7", peek(7)); poke(7, 0); kv("0", poke(0, data)); kv("7", poke(7, 0x10001)); kx("7", peek(7)); kv("io", poke(7, 0x20001)); kx("7", peek(7)); kv("exec-4", poke(7, 0xc0001)); kv("len8", poke(7, 0x90001)); kv("odd", poke(0, (u64)data + 4)); kv("reserved", poke(7, 0xfc00ul | 1ul << 40 | 0x10001)); kx("7", peek(7)); kv("offset", SC(101, 6, pid, DR(8), 0)); kv("unaligned", SC(101, 6, pid, DR(0) + 4, 0)); poke(7, 0); nl();
  end();
  start(); poke(0, (u64)code_a); poke(7, 1); go(7); stop("execute"); go(7); stop("again"); poke(7, 0); go(7); kv("ended", wait_()); nl();
  start(); poke(0, data); poke(7, 0x10001); go(7); stop("write"); go(7); kv("ended", wait_()); nl();
  start(); poke(0, data); poke(1, data + 1); poke(7, 0xb0005 | 0x900000); poke(7, (0xbul << 16) | (0x9ul << 20) | 5); go(7); stop("rw 0"); go(7); stop("w 1"); go(7); stop("r 0"); go(7); kv("ended", wait_()); nl();
  start(); poke(0, bytes + 3); poke(7, (1ul << 16) | 1); go(7); stop("byte"); go(7); stop("in rep"); go(7); kv("ended", wait_()); nl();
  start(); poke(2, bytes + 12); poke(7, (0xdul << 24) | 0x10); go(7); stop("within 8"); go(7); stop("in rep"); end();
  start(); poke(3, bytes + 2); poke(7, (0x7ul << 28) | 0x40); go(7); stop("short"); go(7); stop("next"); poke(7, 0); poke(6, 0); go(7); kv("ended", wait_()); nl();
  start(); poke(0, (u64)code_a); poke(7, 1); go(7); stop("execute"); go(9); stop("step"); go(9); stop("step"); end();
  start(); poke(0, (u64)code_b); poke(7, 1); for (int i = 0; i < 200 && rip() != base + 1; i++) { go(9); wait_(); } go(9); stop("step to it"); go(9); stop("past it"); end();
  start(); for (int i = 0; i < 4; i++) poke(i, data + 16 + i); tried("fifth", bp(2, data, 8, 0, pid, -1)); tried("own", bp(2, data, 8, 0, 0, -1)); end();
  /* perf events */
  ps("attr "); tried("none", bp(0, data, 8, 0, 0, -1)); tried("r", bp(1, data, 8, 0, 0, -1)); tried("w", bp(2, data, 8, 0, 0, -1)); tried("rw", bp(3, data, 8, 0, 0, -1)); tried("x", bp(4, code_a, 8, 0, 0, -1)); tried("x1", bp(4, code_a, 1, 0, 0, -1)); tried("rwx", bp(7, data, 8, 0, 0, -1)); tried("len0", bp(2, data, 0, 0, 0, -1)); tried("len3", bp(2, data, 3, 0, 0, -1)); tried("len16", bp(2, data, 16, 0, 0, -1)); tried("odd", bp(2, (u8*)data + 1, 2, 0, 0, -1)); tried("cpu", bp(2, data, 8, 0, -1, 0)); { long f[5]; for (int i = 0; i < 5; i++) f[i] = bp(2, data + i, 8, 0, 0, -1); kv("fourth", f[3] > 0); kv("fifth", f[4]); for (int i = 0; i < 4; i++) SC(3, f[i]); } nl();
  ps("counts "); int w = bp(2, data, 8, 0, 0, -1), r = bp(3, data, 8, 0, 0, -1), x = bp(4, code_b, 8, 0, 0, -1); data[0] = 1; (void)data[0]; data[0]++; for (int i = 0; i < 5; i++) code_call(); kv("w", count(w)); kv("rw", count(r)); kv("x", count(x)); SC(16, x, 0x2401, 0); code_call(); kv("off", count(x)); SC(16, x, 0x2400, 0); code_call(); kv("on", count(x)); SC(16, x, 0x2403, 0); kv("reset", count(x)); SC(3, w); SC(3, r); SC(3, x); nl();
  ps("heirs "); w = bp(2, data, 8, 2, 0, -1); r = bp(2, data, 8, 0, 0, -1); pid = SC(57); if (!pid) { data[0] = 1; data[0] = 2; SC(231, 0); } SC(61, pid, 0, 0, 0); kv("inherit", count(w)); kv("not", count(r)); SC(3, w); SC(3, r); w = bp(2, data, 8, 0, -1, 0); pid = SC(57); if (!pid) { data[0] = 1; SC(231, 0); } SC(61, pid, 0, 0, 0); data[0] = 1; kv("machine", count(w)); SC(3, w); nl();
  ps("who "); w = bp(2, data, 8, 1 << 4, 0, -1); data[0] = 1; kv("no-user", count(w)); SC(3, w); w = bp(2, data, 8, 1, 0, -1); data[0] = 1; kv("disabled", count(w)); SC(3, w); x = bp(4, code_a, 8, 0, 0, -1); w = bp(4, code_a, 8, 0, 0, -1); code_call(); kv("two", count(x) * 10 + count(w)); SC(3, x); SC(3, w); nl();
  /* the program's own int1 is what it was */
  act(5, on_trap, SA_SIGINFO, 0); asm volatile(".byte 0xf1"); kv("int1", traps); kv("code", trap_code); nl();
  /* a child that is traced and catches the signal itself */
  pid = SC(57); if (!pid) { SC(101, 0, 0, 0, 0); stop_self(); code_call(); code_call(); kv("traps", traps - 1); kv("code", trap_code); kv("addr", trap_addr); nl(); SC(231, 0); } stop("start"); poke(0, (u64)code_a); poke(7, 1); go(7); int st; while (st = wait_(), (st & 0xff) == 0x7f) SC(101, 7, pid, 0, st >> 8); kv("ended", st); nl();
  /* fork and exec leave them behind */
  pid = SC(57); if (!pid) { SC(101, 0, 0, 0, 0); stop_self(); long p = SC(57); if (!p) { data[0] = 3; SC(231, 7); } int s = 0; SC(61, p, &s, 0, 0); kv("forked", s); nl(); char *argv[] = {"x", "y", 0}; SC(59, "/proc/self/exe", argv, 0); SC(231, 1); } stop("start"); poke(0, data); poke(7, 0x10001); go(7); while ((st = wait_()) >> 8 != 5) go(7); kv("exec", st >> 8); kx("dr7", peek(7)); kx("dr0", peek(0)); go(7); kv("ended", wait_()); nl();
  return 0;
}
