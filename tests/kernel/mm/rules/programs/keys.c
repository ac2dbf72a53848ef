/* Chapter 4 of the rules: protection keys. */
#include "rules.h"

long wrpkru_c(void), wrpkru_d(void), rdpkru_c(void);
asm("wrpkru_c: mov %rsp, saved_sp(%rip); xor %eax, %eax; xor %edx, %edx; mov $1, %ecx; wrpkru; xor %eax, %eax; ret\n"
    "wrpkru_d: mov %rsp, saved_sp(%rip); xor %eax, %eax; mov $1, %edx; xor %ecx, %ecx; wrpkru; xor %eax, %eax; ret\n"
    "rdpkru_c: mov %rsp, saved_sp(%rip); mov $1, %ecx; rdpkru; xor %eax, %eax; ret");
static u64 f_trap;
static void onfault2(int s, struct si *i, struct ucx *u) { f_trap = u->trapno; onfault(s, i, u); }
static void instruction(long (*what)(void)) { catch(); act(11, onfault2, SA_SIGINFO | SA_ONSTACK, 0); f_signo = 0; what(); pc(' '); pd(f_signo); pc('/'); pd(f_code); pc('/'); pd(f_trap); }
static void cpuid(u32 leaf, u32 sub, u32 *r) { asm volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(sub)); }

static void processor(void) {
  CASE("K-1", "two bits a key, access and write") { int k = newkey(0); mapat(0, 1, 3); kprot(0, 1, 3, k); put(0, 1); rights(k, AD); a(at(0), 'r'); a(at(0), 'w'); rights(k, WD); a(at(0), 'r'); a(at(0), 'w'); rights(k, 3); a(at(0), 'r'); rights(k, 0); a(at(0), 'w'); }
  CASE("K-2", "CPUID says so, and /proc/cpuinfo") { u32 r[4]; cpuid(7, 0, r); v(r[2] >> 3 & 3); readfile("/proc/cpuinfo"); int pku = 0, os = 0; for (char *p = text; *p; p++) { if (starts(p, " pku")) pku = 1; if (starts(p, " ospke")) os = 1; } v(pku); v(os); }
  CASE("K-3", "data only, the kernel's accesses too") { int k = newkey(0); mapat(0, 1, 7); *(u8 *)at(0) = 0xc3; kprot(0, 1, 5, k); rights(k, AD); a(at(0), 'x'); a(at(0), 'r'); int p[2]; SC(22, p); v(SC(1, p[1], at(0), 1)); }
  CASE("K-4", "PK and P, and with an ordinary violation") { int k = newkey(0); mapat(0, 1, 3); put(0, 1); kprot(0, 1, 1, k); rights(k, AD); a(at(0), 'r'); a(at(0), 'w'); rights(k, 0); a(at(0), 'w'); }
  CASE("K-5", "ECX and EDX must be 0") { instruction(wrpkru_c); instruction(wrpkru_d); instruction(rdpkru_c); }
  CASE("K-6", "XSAVE's component 9") { u32 r[4]; cpuid(13, 9, r); v(r[0]); v(r[2] & 1); }
}

static void allocating(void) {
  CASE("4.2", "arguments") { v(SC(330, 1, 0)); v(SC(330, 0, 4)); v(SC(330, 0, -1)); v(SC(330, 1, 4)); v(newkey(3)); pkru(); v(SC(331, -1)); v(SC(331, 16)); v(SC(331, 5)); v(SC(331, 1)); v(SC(331, 1)); }
  CASE("L-1", "fifteen keys from 1 on, the lowest free one") { for (int i = 0; i < 16; i++) v(newkey(0)); v(SC(331, 7)); v(SC(331, 3)); v(newkey(0)); v(newkey(0)); v(newkey(0)); }
  CASE("L-1", "an execute-only key is one of them") { mapat(0, 1, 4); for (int i = 0; i < 15; i++) v(newkey(0)); }
  CASE("L-2", "PKRU: set for the caller, left alone by a failure") { pkru(); v(newkey(WD)); pkru(); v(newkey(AD)); pkru(); v(newkey(0)); pkru(); for (int i = 0; i < 12; i++) newkey(0); u32 before = rdpkru(); v(newkey(3)); v(rdpkru() == before); v(SC(331, 2)); v(rdpkru() == before); }
  CASE("L-3", "key 0 can be freed") { mapat(0, 1, 3); v(SC(331, 0)); v(kprot(0, 1, 3, 0)); v(prot(0, 1, 1)); mapat(1, 1, 3); v(newkey(0)); v(kprot(0, 1, 3, 0)); layout(); }
  CASE("L-4", "memory keeps a freed key") { mapat(0, 1, 3); put(0, 5); int k = newkey(0); kprot(0, 1, 3, k); v(SC(331, k)); v(kprot(0, 1, 3, k)); layout(); v(prot(0, 1, 1)); layout(); v(newkey(AD)); a(at(0), 'r'); }
  CASE("L-5", "a sealed area's key can be freed") { mapat(0, 1, 3); int k = newkey(0); kprot(0, 1, 3, k); seal(0, 1); v(SC(331, k)); layout(); }
  CASE("4.3", "-1, and keys that are none") { mapat(0, 1, 3); v(kprot(0, 1, 1, -1)); v(kprot(0, 1, 1, -2)); v(kprot(0, 1, 1, 16)); v(kprot(0, 1, 1, 5)); v(SC(329, at(0), 0, 1, 99)); v(SC(329, at(0), -1, 1, 99)); v(kprot(9, 1, 1, 99)); v(kprot(9, 1, 1, 0)); }
  CASE("L-6", "present pages change; keys part areas, and joined ones merge") { mapat(0, 3, 3); put(1, 5); int k = newkey(AD); kprot(1, 1, 3, k); layout(); a(at(1), 'r'); kprot(1, 1, 3, 0); layout(); a(at(1), 'r'); }
  CASE("L-7", "who keeps a key") { mapat(0, 2, 3); int k = newkey(0); kprot(0, 2, 3, k); put(0, 4); v(prot(0, 1, 1)); v(remap(1, 1, 1, 3, 5)); layout(); mapat(0, 1, 3); layout(); FORK { layout(); v(kprot(0, 1, 3, k)); } }
}

static void lifetime(char *name) {
  CASE("T-1", "exec: PKRU, allocation map, execute-only key") { on = 0; wrpkru(0); mapat(0, 1, 4); newkey(0); char *args[] = {name, "T-1 exec: PKRU, allocation map, execute-only key:", 0}; SC(59, "/proc/self/exe", args, 0); }
  CASE("T-1", "exec by a thread that has PKRU 0 and all keys") { on = 0; for (int i = 0; i < 15; i++) newkey(0); wrpkru(0); char *args[] = {name, "T-1 exec by a thread that has PKRU 0 and all keys:", 0}; SC(59, "/proc/self/exe", args, 0); }
  CASE("T-2", "vfork and clone(CLONE_VM) begin with the caller's PKRU, and share its keys") { int k = newkey(WD); static volatile long shared[3]; long c = SC(56, 0x4111, 0, 0, 0, 0); if (!c) { shared[0] = rdpkru(); shared[1] = newkey(AD); shared[2] = rdpkru(); SC(60, 0); } SC(61, c, 0, 0, 0); pc(' '); px(shared[0]); v(shared[1]); pc(' '); px(shared[2]); pkru(); v(newkey(0)); v(k); }
  CASE("T-2", "fork copies PKRU, keys and the execute-only key") { mapat(0, 1, 4); int k = newkey(WD); FORK { pkru(); v(newkey(0)); v(SC(331, 1)); v(SC(331, k)); } pkru(); v(SC(331, k)); }
}
static volatile long t_key; static volatile u32 t_pkru, t_before; static volatile i32 gate;
static void allocateInThread(void) { t_pkru = rdpkru(); t_key = newkey(WD); wrpkru(0x55555550); }
static void waits(void) { t_before = rdpkru(); gate = 1; while (gate != 2) SC(24); t_pkru = rdpkru(); mapat(20, 1, 3); t_key = kprot(20, 1, 3, 1); }
static void reads(void) { gate = 1; while (gate != 2) SC(24); t_key = *(volatile u8 *)at(0); t_pkru = rdpkru(); }
static void begins(void) { t_pkru = rdpkru(); }
static void threads(void) {
  CASE("T-2", "a thread begins with its creator's PKRU; the keys are shared") { wrpkru(0x55555500); thread(allocateInThread); v(t_pkru == 0x55555500); v(t_key); pkru(); v(newkey(0)); }
  CASE("T-3", "a running thread is not touched") { work = waits; running = 1; gate = 0; spawn_(0x100 | 0x200 | 0x400 | 0x800 | 0x10000 | 0x40000 | 0x200000, threadstack + sizeof threadstack, (void *)&running); while (gate != 1) SC(24); v(newkey(0)); pkru(); gate = 2; while (running) SC(202, &running, 0, 1, 0); v(t_pkru == t_before); px(t_pkru); v(t_key); }
  CASE("T-5", "ptrace: the tracee's PKRU in its XSAVE area") {
    long c = SC(57);
    if (!c) { SC(101, 0, 0, 0, 0); wrpkru(0x55555554 & ~0xcu); SC(62, pid(), 19); SC(231, rdpkru() == 0 ? 1 : rdpkru() == 0x55555558 ? 2 : 3); }
    i32 s; SC(61, c, &s, 0, 0); static u8 x[16384] __attribute__((aligned(64))); u64 io[2] = {(u64)x, sizeof x}; u32 r[4]; cpuid(13, 9, r); u32 off = r[1];
    v(SC(101, 0x4204, c, 0x202, io)); pc(' '); px(*(u32 *)(x + off)); *(u32 *)(x + off) = 0x55555558; *(u64 *)(x + 512) |= 512; v(SC(101, 0x4205, c, 0x202, io)); SC(101, 7, c, 0, 0); SC(61, c, &s, 0, 0); v(s >> 8);
  }
  CASE("T-5", "without the header's bit PKRU becomes 0") {
    long c = SC(57);
    if (!c) { SC(101, 0, 0, 0, 0); SC(62, pid(), 19); SC(231, rdpkru() == 0 ? 1 : 3); }
    i32 s; SC(61, c, &s, 0, 0); static u8 x[16384] __attribute__((aligned(64))); u64 io[2] = {(u64)x, sizeof x};
    v(SC(101, 0x4204, c, 0x202, io)); *(u64 *)(x + 512) &= ~512ul; v(SC(101, 0x4205, c, 0x202, io)); SC(101, 7, c, 0, 0); SC(61, c, &s, 0, 0); v(s >> 8);
  }
}

static void executeOnly(void) {
  CASE("O-1", "mprotect and mmap take a key of their own, and hide it") { mapat(0, 1, 3); *(u8 *)at(0) = 0xc3; v(prot(0, 1, 4)); mapat(1, 1, 4); layout(); v(SC(331, 1)); v(kprot(0, 1, 4, 1)); a(at(0), 'r'); a(at(0), 'x'); v(newkey(0)); }
  CASE("O-2", "the caller loses access, other threads have not got it") { wrpkru(0); mapat(0, 1, 4); pkru(); }
  CASE("O-2", "a running thread keeps its access, if it has it; one that begins has the caller's PKRU") { wrpkru(0); work = reads; running = 1; gate = 0; spawn_(0x100 | 0x200 | 0x400 | 0x800 | 0x10000 | 0x40000 | 0x200000, threadstack + sizeof threadstack, (void *)&running); while (gate != 1) SC(24); mapat(0, 1, 3); put(0, 0x5a); v(prot(0, 1, 4)); pkru(); gate = 2; while (running) SC(202, &running, 0, 1, 0); v(t_key); pc(' '); px(t_pkru); thread(begins); pc(' '); px(t_pkru); }
  CASE("O-2", "the first use writes PKRU, a later one where access is not denied") { wrpkru(0x5555555c); mapat(0, 1, 4); pkru(); wrpkru(0x5555555c); v(prot(0, 1, 4)); pkru(); wrpkru(0x55555558); v(prot(0, 1, 4)); pkru(); }
  CASE("O-3", "another protection gives key 0; a key of the program's is lost") { mapat(0, 2, 3); int k = newkey(0); kprot(0, 2, 3, k); v(prot(0, 1, 4)); layout(); v(prot(0, 1, 3)); layout(); }
  CASE("O-4", "an explicit key is taken as it is") { mapat(0, 2, 3); int k = newkey(0); v(kprot(0, 1, 4, k)); v(kprot(1, 1, 4, -1)); layout(); }
  CASE("O-5", "without a free key it stays readable") { for (int i = 0; i < 15; i++) newkey(0); mapat(0, 1, 3); v(prot(0, 1, 4)); layout(); a(at(0), 'r'); }
  CASE("O-6", "every later PROT_EXEC denies it again") { mapat(0, 1, 4); rights(1, 0); pkru(); v(prot(0, 1, 4)); pkru(); rights(1, WD); v(prot(0, 1, 4)); pkru(); rights(1, 3); v(prot(0, 1, 4)); pkru(); }
  CASE("O-7", "READ_IMPLIES_EXEC") { mapat(0, 1, 4); SC(135, 0x400000); v(prot(0, 1, 1)); layout(); }
  CASE("O-8", "MAP_POPULATE and MAP_LOCKED bring nothing in") { v(SC(9, at(0), PG, 4, FIXED | 0x8000, -1, 0)); v(SC(9, at(2), PG, 4, FIXED | 0x2000, -1, 0)); u8 c[2] = {9, 9}; SC(27, at(0), PG, c); SC(27, at(2), PG, c + 1); v(c[0]); v(c[1]); layout(); }
  CASE("O-9", "which failing calls take a key") { v(SC(9, at(0), 0, 4, FIXED, -1, 0)); v(SC(9, at(0), PG, 4, 2, 99, 0)); v(prot(0, 1, 4)); v(SC(10, at(0), 0, 4)); v(newkey(0)); v(SC(9, at(0), PG, 4, 0x30, -1, 0)); v(newkey(0)); }
  CASE("O-9", "an mprotect that ends in EACCES") { int f = SC(2, "/proc/self/exe", 0, 0); mapfile(0, 1, 1, 1, f, 0); SC(157, 65, 1, 0, 0, 0); v(prot(0, 1, 4)); v(newkey(0)); }
  CASE("O-9", "an mmap over the map count does not") { tooMany(0); v(SC(9, at(0), PG, 4, FIXED, -1, 0)); v(newkey(0)); }
}

static void faults(void) {
  CASE("F-1", "siginfo: code 4, address, the area's key") { int k = newkey(AD); mapat(0, 1, 3); kprot(0, 1, 3, k); a(at(0) + 123, 'r'); v(f_addr == at(0) + 123); v(f_key); }
  CASE("F-2", "where no page is") { int k = newkey(AD); mapat(0, 1, 3); kprot(0, 1, 3, k); a(at(0), 'r'); a(at(0), 'w'); rights(k, WD); a(at(0), 'w'); a(at(0), 'r'); a(at(0), 'w'); }
  CASE("F-3", "order: map, key, protection, page") {
    int k = newkey(0); mapat(0, 1, 3); put(0, 1); kprot(0, 1, 0, k); a(at(0), 'r'); rights(k, AD); a(at(0), 'r'); a(at(0), 'w'); rights(k, WD); a(at(0), 'r'); a(at(0), 'w');
    rights(k, 0); mapat(1, 1, 1); get(1); kprot(1, 1, 1, k); rights(k, WD); a(at(1), 'w'); rights(k, AD); a(at(1), 'x'); mapat(2, 1, 3); kprot(2, 1, 3, k); a(at(2), 'x'); a(at(50), 'r');
    mapfile(4, 2, 3, 1, memfd(1), 0); a(at(5), 'r'); kprot(4, 2, 3, k); a(at(5), 'r');
  }
  CASE("F-3", "a stack has grown before its key refuses") { int k = newkey(0); SC(9, at(300), 2 * PG, 3, FIXED | 0x100, -1, 0); kprot(300, 2, 3, k); rights(k, AD); a(at(299), 'w'); layout(); }
  CASE("N-1", "the kernel's copies obey, and count what was before") {
    int k = newkey(0), p[2]; mapat(0, 2, 3); put(0, 1); put(1, 2); kprot(1, 1, 3, k); SC(22, p);
    rights(k, AD); v(SC(1, p[1], at(1), 10)); rights(k, WD); v(SC(1, p[1], at(1), 10)); v(SC(0, p[0], at(1), 5)); v(SC(27, at(0), PG, at(1))); int n = SC(2, "/dev/null", 1, 0); rights(k, AD); v(SC(1, n, at(1), 10)); v(SC(202, at(1), 128, 0, 0)); v(SC(202, at(1), 129, 1));
    int f = memfd(1); v(SC(17, f, at(1) - 10, 20, 0)); v(SC(18, f, at(1) - 10, 20, 0));
  }
  CASE("N-2", "foreign accesses do not") { int k = newkey(0); mapat(0, 1, 3); put(0, 8); kprot(0, 1, 3, k); rights(k, AD); u8 b = 0; int m = SC(2, "/proc/self/mem", 2, 0); v(SC(17, m, &b, 1, at(0))); v(b); b = 9; v(SC(18, m, &b, 1, at(0))); u64 l[2] = {(u64)&b, 1}, r[2] = {at(0), 1}; b = 0; v(SC(310, pid(), l, 1, r, 1, 0)); v(b); }
  CASE("N-3", "locking and populating") { int k = newkey(AD); mapat(0, 1, 3); kprot(0, 1, 3, k); v(SC(149, at(0), PG)); layout(); v(advise(0, 1, 22)); v(advise(0, 1, 23)); rights(k, WD); v(SC(149, at(0), PG)); mapat(2, 1, 1); kprot(2, 1, 1, k); v(SC(149, at(2), PG)); }
  CASE("N-4", "calls on the map do not ask") { int k = newkey(0); mapat(0, 6, 3); put(0, 1); kprot(0, 6, 3, k); rights(k, AD); u8 c; v(SC(27, at(0), PG, &c)); v(advise(0, 1, 4)); v(prot(0, 1, 1)); v(remap(1, 1, 1, 3, 10)); v(unmap(2, 1)); }
  CASE("4.10", "smaps' line") { mapat(0, 1, 3); kprot(0, 1, 3, newkey(0)); readfile("/proc/self/smaps"); for (char *p = text; *p; p++) if (starts(p, "1000000000-")) { while (!starts(p, "Protection")) p++; pc(' '); while (*p != '\n') pc(*p++); break; } }
}

/* Signals */
static volatile u32 in_pkru, frame_pkru; static volatile u64 frame_bits; static u32 xoff;
static int how;
static u64 jump[5];
static void handler(int s, struct si *i, struct ucx *u) {
  in_pkru = rdpkru(); frame_bits = *(u64 *)(u->fp + 512); frame_pkru = *(u32 *)(u->fp + xoff);
  if (how == 1) *(u32 *)(u->fp + xoff) = 0x55555550;
  if (how == 2) *(u64 *)(u->fp + 512) &= ~512ul;
  if (how == 3) __builtin_longjmp(jump, 1);
}
static void raise_(u32 pk) { act(10, handler, SA_SIGINFO, 0); u32 r[4]; cpuid(13, 9, r); xoff = r[1]; long me = pid(); wrpkru(pk); SC(62, me, 10); }
static u8 rseqarea[32] __attribute__((aligned(32)));
static void signals(void) {
  CASE("S-1", "a handler begins with the initial PKRU") { raise_(0); pc(' '); px(in_pkru); raise_(0x55555500); pc(' '); px(in_pkru); }
  CASE("S-2", "the interrupted PKRU is in the frame, and its bit is set") { raise_(0); pc(' '); px(frame_pkru); v(frame_bits >> 9 & 1); raise_(0x55555554); pc(' '); px(frame_pkru); v(frame_bits >> 9 & 1); raise_(0x55555500); pc(' '); px(frame_pkru); }
  CASE("S-3", "rt_sigreturn loads it; the handler may change it; without the bit it is 0") { raise_(0x55555500); pkru(); how = 1; raise_(0x55555500); pkru(); how = 2; raise_(0x55555500); pkru(); }
  CASE("S-4", "leaving by a jump keeps the initial one") { how = 3; if (!__builtin_setjmp(jump)) raise_(0); pkru(); }
  CASE("S-5", "a stack of key 0, which is denied") {
    act(10, handler, SA_SIGINFO, 0); u32 r[4]; cpuid(13, 9, r); xoff = r[1]; v(under(0x55555556, 62, pid(), 10, 0)); pc(' '); px(in_pkru); pc(' '); px(frame_pkru); pkru(); }
  CASE("S-6", "an alternate stack of a key that the handler has not got") {
    mapat(0, 16, 3); int k = newkey(0); kprot(0, 16, 3, k); u64 ss[3] = {at(0), 0, 16 * PG}; SC(131, ss, 0); act(10, handler, SA_SIGINFO | SA_ONSTACK, 0); SC(62, pid(), 10); ps(" returned"); }
  CASE("S-6", "denied to the interrupted code as well") {
    mapat(0, 16, 3); int k = newkey(0); kprot(0, 16, 3, k); u64 ss[3] = {at(0), 0, 16 * PG}; SC(131, ss, 0); act(10, handler, SA_SIGINFO | SA_ONSTACK, 0); rights(k, WD); SC(62, pid(), 10); ps(" returned"); }
  CASE("S-7", "with an rseq record of key 0") { v(SC(334, rseqarea, 32, 0, 0x53053053)); act(10, handler, SA_SIGINFO, 0); v(under(0x55555556, 62, pid(), 10, 0)); pc(' '); px(in_pkru); }
}

int main_(long *sp) {
  char *name = (char *)sp[1];
  if (sp[0] > 1) { ps((char *)sp[2]); pkru(); v(SC(331, 1)); v(newkey(0)); return done(); }
  processor(); allocating(); lifetime(name); threads(); executeOnly(); faults(); signals();
  flush();
  return 0;
}
