#include "freestanding.h"
/* Uprobes and uretprobes through perf_event_open: where breakpoints are put, what a hit does, when they go. */
static const char *TEXT = "/tmp/uprobes.text";
struct attr { u32 type, size; u64 config, period, sample, format, flags; u32 wake, bptype; u64 config1, config2, branch, regs; u32 stack; i32 clock; u64 intr; u32 aux; u16 maxstack, r2; u32 auxs, action; u64 sig, config3; };
static u32 type;
static char buf[65536];
static long page = 4096;
static int num(const char *path) { int f = SC(2, path, 0, 0); if (f < 0) return f; long n = SC(0, f, buf, 100); SC(3, f); int v = 0; for (int i = 0; i < n && buf[i] >= '0' && buf[i] <= '9'; i++) v = v * 10 + buf[i] - '0'; return v; }
static long probe(const char *path, u64 off, u64 config, int pid, int cpu, u64 flags) {
  struct attr a; memset(&a, 0, sizeof a);
  a.type = type; a.size = 128; a.config = config; a.config1 = (u64)path; a.config2 = off; a.flags = flags;
  return SC(298, &a, pid, cpu, -1, 0);
}
static long at(u64 off) { return probe(TEXT, off, 0, 0, -1, 0); }
static long count(int fd) { u64 v[8]; long r = SC(0, fd, v, sizeof v); return r < 0 ? r : (long)v[0]; }
static long shut(int fd) { return SC(3, fd); }
static void area(const char *what) { /* the [uprobes] area, without its address */
  int f = SC(2, "/proc/self/smaps", 0, 0); long n = 0, r; while ((r = SC(0, f, buf + n, sizeof buf - 1 - n)) > 0) n += r; SC(3, f); buf[n] = 0;
  ps(what); ps(": ");
  int shown = 0;
  for (char *p = buf; *p;) { char *e = p; while (*e && *e != '\n') e++;
    if (e - p > 9 && e[-1] == ']' && e[-8] == 'u' && e[-9] == '[') { shown = 1; char *q = p; while (*q != ' ') q++; for (; q < e; q++) if (!(q[0] == ' ' && q[1] == ' ')) pc(*q); pc(' '); }
    else if (shown && p[0] == 'V' && p[1] == 'm' && p[2] == 'F') { for (; p < e; p++) if (p[0] == 's' && p[1] == 'd') p += 2; else pc(*p); shown = 0; }
    p = *e ? e + 1 : e; }
  nl();
}
static void anon(const char *what, u64 va) { /* private pages of the area at va */
  int f = SC(2, "/proc/self/smaps", 0, 0); long n = 0, r; while ((r = SC(0, f, buf + n, sizeof buf - 1 - n)) > 0) n += r; SC(3, f); buf[n] = 0;
  int in = 0; ps(what); ps(": ");
  for (char *p = buf; *p;) { char *e = p; while (*e && *e != '\n') e++;
    u64 v = 0; char *q = p; while ((*q >= '0' && *q <= '9') || (*q >= 'a' && *q <= 'f')) { v = v * 16 + (*q <= '9' ? *q - '0' : *q - 'a' + 10); q++; }
    if (*q == '-' && q > p) in = v == va;
    if (in && p[0] == 'A' && p[1] == 'n' && p[4] == 'y') { for (; p < e; p++) if (*p != ' ') pc(*p); pc(' '); }
    p = *e ? e + 1 : e; }
  nl();
}
static volatile u64 sig_n, sig_no, sig_code, sig_addr, sig_ip, sig_trap; static u64 skip_to;
static void handler(int s, struct si *i, struct ucx *u) { sig_n++; sig_no = s; sig_code = i->code; sig_addr = i->addr; sig_ip = u->ip; sig_trap = u->trapno; if (skip_to) u->ip = skip_to; }
static void signals(u64 base) { kv("signals", sig_n); if (sig_n) { kv("no", sig_no); kv("code", (i32)sig_code); kx("addr", sig_addr >= base && sig_addr < base + 8192 ? sig_addr - base : sig_addr < 65536 ? sig_addr : 1); kx("ip", sig_ip - base); } sig_n = 0; }
#define CALL(off, x) (((long (*)(long))(t + (off)))((long)(x)))
static u8 code[8192];
static void put(int off, const char *s, int n) { memcpy(code + off, s, n); }
#define PUT(off, s) put(off, s, sizeof s - 1)
static u8 *map(int prot, int flags) { int f = SC(2, TEXT, 2, 0); u8 *p = (u8*)SC(9, 0, 8192, prot, flags, f, 0); SC(3, f); return p; }
static int wait4(long pid) { int st = 0; SC(61, pid, &st, 0, 0); return st; }
static u8 altstack[16384];
static void write_text(const char *path) { int f = SC(2, path, 0102 | 01000, 0755); SC(1, f, code, sizeof code); SC(3, f); }
static long hit(u8 *t, int off, long x) { return CALL(off, x); }

u64 returned;
int main_(long *sp) {
  long me = SC(39);
  PUT(0x000, "\x55\x48\x89\xe5\x8d\x47\x01\x5d\xc3");              /* push rbp; mov rbp,rsp; lea eax,[rdi+1]; pop; ret */
  PUT(0x100, "\x48\x8d\x47\x02\xc3");                              /* lea rax,[rdi+2]; ret */
  PUT(0x200, "\x48\x8b\x05\x02\x00\x00\x00\xc3\x00\x78\x56\x34\x12\0\0\0\0"); /* mov rax,[rip+2]; ret */
  PUT(0x300, "\xe8\xfb\xfd\xff\xff\x48\xff\xc0\xc3");              /* call 0x100; inc rax; ret */
  PUT(0x400, "\x31\xd2\x31\xc9\x89\xf8\xf7\xf1\xc3");              /* div by zero at 0x406 */
  PUT(0x500, "\x48\x8b\x07\xc3");                                  /* mov rax,[rdi]; ret */
  PUT(0x600, "\x85\xff\x74\x09\xff\xcf\xe8\xf5\xff\xff\xff\xff\xc0\xc3\x31\xc0\xc3"); /* depth: test edi,edi; jz +9; dec; call self; inc eax; ret; xor; ret */
  put(0x60d, "\xc3\x31\xc0\xc3", 4); code[0x603] = 0x0a; 
  PUT(0x700, "\x90\x31\xc0\xc3");                                  /* nop */
  PUT(0x740, "\xf3\x0f\x1e\xfa\x31\xc0\xc3");                      /* endbr64 */
  PUT(0x780, "\xeb\x02\x90\x90\x89\xf8\xc3");                      /* jmp +2 */
  PUT(0x7c0, "\x85\xff\x75\x03\x31\xc0\xc3\x89\xf8\xc3");          /* test; jne at 0x7c2 */
  PUT(0x800, "\x0f\x05\xc3");                                      /* syscall */
  PUT(0x840, "\xcc\xc3"); PUT(0x850, "\xf4\xc3"); PUT(0x860, "\x0f\x0b\xc3"); PUT(0x870, "\xf0\x48\xff\x07\xc3"); PUT(0x880, "\x2e\x90\xc3"); PUT(0x890, "\x06\xc3");
  PUT(0x8a0, "\x60\xc3"); PUT(0x8b0, "\xcd\x80\xc3"); PUT(0x8c0, "\x66\xe9\0\0\0\0\xc3"); PUT(0x8d0, "\xf1\xc3"); PUT(0x8e0, "\x17\xc3"); PUT(0x8f0, "\xe4\0\xc3");
  PUT(0x900, "\x0f\x01\xf9\xc3"); PUT(0x910, "\xc4\xe1\x78\x58\xc0\xc3"); PUT(0x920, "\xfa\xc3"); PUT(0x930, "\x8e\xd0\xc3"); PUT(0x940, "\x0f\xff\xc3"); PUT(0x950, "\x0f\xae\xe8\xc3"); PUT(0x960, "\xff\xff\xc3"); PUT(0x970, "\x62\xc3"); PUT(0x980, "\xcf"); PUT(0x990, "\xd6\xc3");
  PUT(0xa00, "\xf3\xa4\xc3");                                      /* rep movsb; ret */
  PUT(0xa40, "\x57\xff\x24\x24");                                  /* push rdi; jmp [rsp] */
  PUT(0xa80, "\xc3");                                              /* ret */
  PUT(0xac0, "\xff\xd7\xc3");                                      /* call rdi; ret */
  PUT(0xb00, "\x9c\x58\xc3");                                      /* pushf; pop rax; ret */
  PUT(0x1000, "\x89\xf8\x83\xc0\x07\xc3");                         /* the second page */
  code[0x1fff] = 0xc3;
  SC(87, TEXT); write_text(TEXT);
  type = num("/sys/bus/event_source/devices/uprobe/type");
  kv("uprobe", (int)type > 5); kv("software", num("/sys/bus/event_source/devices/software/type"));
  for (int i = 0; i < 2; i++) { int f = SC(2, i ? "/sys/bus/event_source/devices/uprobe/format/ref_ctr_offset" : "/sys/bus/event_source/devices/uprobe/format/retprobe", 0, 0); long n = SC(0, f, buf, 100); SC(3, f); for (int j = 0; j < n - 1; j++) pc(buf[j]); pc(' '); } nl();
  u8 *t = map(5, 2);
  { u64 cpus = 1; SC(203, 0, 8, &cpus); }
  /* refusals */
  kv("no-path", probe(0, 0, 0, 0, -1, 0)); kv("bad-path", probe((char*)8, 0, 0, 0, -1, 0)); kv("empty", probe("", 0, 0, 0, -1, 0)); kv("missing", probe("/tmp/uprobes.none", 0, 0, 0, -1, 0));
  kv("directory", probe("/tmp", 0, 0, 0, -1, 0)); kv("device", probe("/dev/null", 0, 0, 0, -1, 0)); kv("proc", probe("/proc/version", 0, 0, 0, -1, 0)); kv("beyond", at(8193)); kv("end", at(8192)); kv("far", at(1ul << 62)); kv("negative", at(-1)); nl();
  static const int offs[] = {0x840, 0x850, 0x860, 0x870, 0x880, 0x890, 0x8a0, 0x8b0, 0x8c0, 0x8d0, 0x8e0, 0x8f0, 0x900, 0x910, 0x920, 0x930, 0x940, 0x950, 0x960, 0x970, 0x980, 0x990, 0x800, 0xa00, 0x702};
  for (int i = 0; i < sizeof offs / 4; i++) { long r = at(offs[i]); if (r >= 0) { shut(r); r = 0; } kx("op", offs[i]); kv("open", r); kx("byte", t[offs[i]]); } nl();
  kv("odd-counter", probe(TEXT, 0, 3ul << 32, 0, -1, 0)); nl();
  area("none yet");
  /* hits */
  int a = at(0); kv("a", a >= 0); kx("byte", t[0]); kv("other", t[1] == 0x48); anon("page", (u64)t); kv("r", CALL(0, 5)); kv("count", count(a)); area("after a push");
  int a2 = at(0); CALL(0, 1); kv("both", count(a) * 10 + count(a2)); shut(a2); kx("byte", t[0]); CALL(0, 1); kv("one", count(a)); shut(a); kx("byte", t[0]); nl(); anon("page", (u64)t); 
  static const int simple[] = {0x700, 0x780, 0x7c0, 0x7c2, 0x300};
  for (int i = 0; i < 5; i++) { int off = simple[i]; a = at(off); kx("at", off); kv("r", CALL(off == 0x7c2 ? 0x7c0 : off, 9)); kv("count", count(a)); shut(a); } area("after branches");
  a = at(0x740); kv("r", CALL(0x740, 0)); kv("count", count(a)); shut(a); nl();
  a = at(0x100); kv("r", CALL(0x100, 40)); kv("r", CALL(0x300, 40)); kv("count", count(a)); shut(a); area("after lea");
  a = at(0x200); kx("rip", CALL(0x200, 0)); kv("count", count(a)); shut(a); nl();
  a = at(0xa80); kv("ret", (CALL(0xa80, 0), 1)); kv("count", count(a)); shut(a);
  a = at(0xac0); kv("call", CALL(0xac0, t + 0x700)); kv("count", count(a)); shut(a);
  a = at(0xb00); kx("flags", CALL(0xb00, 0) & 2); kv("count", count(a)); shut(a); nl();
  { char src[16] = "abcdefghijkl", dst[16]; memset(dst, 0, 16); a = at(0xa00); long c = 12; void *d = dst, *s = src; asm volatile("call *%3" : "+D"(d), "+S"(s), "+c"(c) : "r"(t + 0xa00) : "memory", "rax"); ps(dst); pc(' '); kv("rep", count(a) > 0); shut(a); nl(); }
  /* signals of the probed instruction */
  act(8, handler, SA_SIGINFO, 0); act(11, handler, SA_SIGINFO, 0); act(5, handler, SA_SIGINFO, 0); act(4, handler, SA_SIGINFO, 0); act(10, handler, SA_SIGINFO, 0);
  a = at(0x406); skip_to = (u64)t + 0x408; CALL(0x400, 3); kv("div", count(a)); signals((u64)t); shut(a); nl();
  a = at(0x500); skip_to = (u64)t + 0x503; CALL(0x500, 0x10); kv("load", count(a)); signals((u64)t); nl();
  { u8 *m = (u8*)SC(9, 0, 4096, 3, 0x22, -1, 0); skip_to = 0; kv("fault", CALL(0x500, m)); kv("count", count(a)); signals((u64)t); nl(); } shut(a);
  skip_to = (u64)t + 0x841; CALL(0x840, 0); a = at(0x100); CALL(0x840, 0); ps("own int3 "); signals((u64)t); nl(); shut(a); skip_to = 0;
  /* who is counted */
  a = probe(TEXT, 0x100, 0, 0, -1, 0); long pid = SC(57); if (!pid) { CALL(0x100, 1); kx("child", t[0x100]); nl(); SC(231, 0); } kv("status", wait4(pid)); CALL(0x100, 1); kv("own", count(a)); kx("byte", t[0x100]); shut(a); nl();
  a = probe(TEXT, 0x100, 0, 0, -1, 2); pid = SC(57); if (!pid) { CALL(0x100, 1); CALL(0x100, 1); kx("child", t[0x100]); nl(); SC(231, 0); } wait4(pid); CALL(0x100, 1); kv("inherited", count(a)); shut(a); nl();
  a = probe(TEXT, 0x100, 0, -1, 0, 0); pid = SC(57); if (!pid) { CALL(0x100, 1); kx("child", t[0x100]); nl(); SC(231, 0); } wait4(pid); CALL(0x100, 1); kv("machine", count(a) > 0);
  pid = SC(57); if (!pid) { for (;;) SC(34); } shut(a); { struct { void *b; u64 n; } l = {buf, 1}, r = {t + 0x100, 1}; kv("vm", SC(310, pid, &l, 1, &r, 1, 0)); kx("byte", (u8)buf[0]); } SC(62, pid, 9); wait4(pid); nl();
  a = probe(TEXT, 0x100, 0, 0, -1, 1); kx("disabled", t[0x100]); CALL(0x100, 1); kv("count", count(a)); SC(16, a, 0x2400, 0); CALL(0x100, 1); kv("enabled", count(a)); SC(16, a, 0x2403, 0); kv("reset", count(a)); SC(16, a, 0x2401, 0); CALL(0x100, 1); kv("off", count(a)); kx("byte", t[0x100]); shut(a); nl();
  /* which areas */
  a = at(0x100);
  { u8 *m = map(1, 2); kx("r--", m[0x100]); SC(11, m, 8192); m = map(3, 2); kx("rw-", m[0x100]); kv("mprotect", SC(10, m, 8192, 5)); kx("r-x", m[0x100]); SC(11, m, 8192);
    m = map(7, 2); kx("rwx", m[0x100]); kv("mprotect", SC(10, m, 4096, 5)); kx("part", m[0x100]); SC(11, m, 8192); m = map(5, 1); kx("shared", m[0x100]); SC(11, m, 8192); m = map(0, 2); SC(10, m, 8192, 1); kx("none", m[0x100]); 
    kv("dontneed", SC(28, m, 4096, 4)); kx("gone", m[0x100]); SC(10, m, 4096, 5); kx("split", m[0x100]); SC(10, m, 8192, 1); kx("joined", m[0x100]); SC(11, m, 8192); nl(); 
    /* moves */
    m = map(5, 2); u8 *to = (u8*)SC(9, 0, 65536, 0, 0x22, -1, 0); kx("before", m[0x100]); u8 *n = (u8*)SC(25, m, 8192, 8192, 3, to); kx("moved", n[0x100]); kv("r", ((long (*)(long))(n + 0x100))(1)); kv("count", count(a)); 
    m = map(5, 2); SC(28, m, 8192, 4); kx("dropped", m[0x100]); u8 *o = (u8*)SC(25, m, 8192, 8192, 3, to + 0x4000); kx("moved", o[0x100]); 
    m = map(5, 2); SC(11, m, 4096); u8 *second = m + 4096; int b = at(0x1000); kx("second", *second); u8 *g = (u8*)SC(25, second, 4096, 4096, 3, to + 0x9000); kx("moved", *g); shut(b); kx("closed", *g); SC(11, to, 65536); nl(); }
  shut(a);
  { /* grow into what is probed */ int f = SC(2, TEXT, 0, 0); int b = at(0x1000); u8 *m = (u8*)SC(9, 0, 4096, 5, 2, f, 0); SC(11, m, 4096); m = (u8*)SC(9, (u64)m - 0x100000, 4096, 5, 2, f, 0); u8 *n = (u8*)SC(25, m, 4096, 8192, 0, 0); kv("grown", n == m); kx("byte", n[4096]); SC(11, n, 8192);
    m = (u8*)SC(9, 0, 4096, 5, 2, f, 0); n = (u8*)SC(25, m, 4096, 8192, 1, 0); kx("maymove", n[4096]); SC(11, n, 8192); 
    m = (u8*)SC(9, 0, 16384, 0, 0x22, -1, 0); u8 *c = (u8*)SC(9, m, 4096, 5, 0x12, f, 0); n = (u8*)SC(25, c, 4096, 8192, 3, m + 8192); kx("fixed", n[4096]); SC(11, m, 16384); 
    u8 *d = (u8*)SC(9, 0, 10 * 4096, 4, 2, f, 0); long p2 = SC(25, d, 4096, 8192, 3, d + 5 * 4096); kv("selftest", p2 == (long)d + 5 * 4096); kv("back", SC(25, p2, 4096, 4096, 3, d) == (long)d); SC(11, d, 40960); shut(b); SC(3, f); nl(); }
  /* return probes */
  int r = probe(TEXT, 0x100, 1, 0, -1, 0); kx("byte", t[0x100]); kv("r", CALL(0x100, 3)); kv("returns", count(r)); shut(r); kx("byte", t[0x100]); nl();
  r = probe(TEXT, 0x600, 1, 0, -1, 0); a = at(0x600); kv("depth", CALL(0x600, 5)); kv("entries", count(a)); kv("returns", count(r)); kv("depth", CALL(0x600, 100)); kv("entries", count(a)); kv("returns", count(r)); shut(a); shut(r); nl();
  r = probe(TEXT, 0x0, 1, 0, -1, 2); pid = SC(57); if (!pid) { kv("child", CALL(0, 3)); area("child"); SC(231, 0); } wait4(pid); kv("returns", count(r)); 
  kv("closed in", 0); shut(r); nl();
  { r = probe(TEXT, 0xac0, 1, 0, -1, 0); extern void callee(void); asm volatile("jmp 1f; callee: mov (%%rsp),%%rax; mov 8(%%rsp),%%rcx; mov %%rcx,returned(%%rip); ret; 1:" ::: "rax", "rcx"); CALL(0xac0, callee); kv("hijacked", returned >= 0x700000000000ul ? 1 : 0); kv("aligned", (returned & 4095) == 0); kv("count", count(r)); shut(r); 
    u64 tramp = returned; area("area"); { struct { void *b; u64 n; } l = {buf, 1}, q = {(void*)tramp, 1}; kv("vm", SC(310, me, &l, 1, &q, 1, 0)); } kv("mprotect", SC(10, tramp, 4096, 1)); kv("mremap", SC(25, tramp, 4096, 4096, 3, 0x500000000000) < 0 ? SC(25, tramp, 4096, 4096, 3, 0x500000000000) : 1); kv("dontneed", SC(28, tramp, 4096, 4)); kv("mseal", SC(462, tramp, 4096, 0)); nl();
    pid = SC(57); if (!pid) { area("forked"); a = at(0x100); CALL(0x100, 1); area("after a hit"); kv("munmap", SC(11, tramp, 4096)); area("unmapped"); skip_to = (u64)t + 0x104; CALL(0x100, 1); signals((u64)t); kx("sa", sig_addr - tramp); nl(); SC(231, 0); } kv("status", wait4(pid)); nl();
    pid = SC(57); if (!pid) { act(4, 0, 0, 0); act(11, 0, 0, 0); act(5, 0, 0, 0); ((void (*)(void))tramp)(); SC(231, 0); } kv("status", wait4(pid)); nl(); }
  pid = SC(57); if (!pid) { act(4, 0, 0, 0); kv("uretprobe", SC(335)); nl(); SC(231, 0); } kv("status", wait4(pid)); nl();
  /* reference counters */
  { int f = SC(2, TEXT, 2, 0); volatile u16 *w = (u16*)SC(9, 0, 4096, 3, 2, f, 4096); a = probe(TEXT, 0x100, 0x1800ul << 32, 0, -1, 0); kv("counter", w[0x400]); kv("mismatch", probe(TEXT, 0x100, 0x1802ul << 32, 0, -1, 0)); int b = probe(TEXT, 0x100, 0x1800ul << 32, 0, -1, 0); kv("two", w[0x400]); shut(a); kv("one", w[0x400]); shut(b); kv("none", w[0x400]); SC(11, w, 4096);
    a = probe(TEXT, 0x100, 0x1800ul << 32, 0, -1, 0); w = (u16*)SC(9, 0, 4096, 3, 2, f, 4096); kv("later", w[0x400]); shut(a); kv("none", w[0x400]); SC(3, f); nl(); }
  /* the file itself is left alone */
  a = at(0x100); { int f = SC(2, TEXT, 2, 0); SC(17, f, buf, 1, 0x100); kx("file", (u8)buf[0]); CALL(0x100, 1); SC(18, f, "\x90", 1, 0x100); kx("written", t[0x100]); kv("r", CALL(0x100, 3)); shut(a); kx("closed", t[0x100]); SC(3, f); } nl();
  SC(87, TEXT);
  return 0;
}
