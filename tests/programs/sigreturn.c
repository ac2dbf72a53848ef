/* What rt_sigreturn makes of an edited frame: one scenario a run, by number. */
#include "freestanding.h"

static int scenario;
static u32 rdpkru(void) { u32 eax; asm volatile("xor %%ecx,%%ecx; rdpkru" : "=a"(eax) : : "ecx", "edx"); return eax; }
static void wrpkru(u32 v) { asm volatile("wrpkru" : : "a"(v), "c"(0), "d"(0)); }
static u32 mxcsr(void) { u32 v; asm volatile("stmxcsr %0" : "=m"(v)); return v; }
static u16 fcw(void) { u16 v; asm volatile("fnstcw %0" : "=m"(v)); return v; }

static void died(int s, struct si *i, struct ucx *u) {
  ps("SIGSEGV "); kv("code", i->code); kx("pkru", rdpkru()); nl();
  SC(231, 3);
}

static void handler(int s, struct si *i, struct ucx *u) {
  u32 *sw = (u32 *)(u->fp + 464);
  u64 *header = (u64 *)(u->fp + 512);
  u32 *pkru = (u32 *)(u->fp + 2688);
  u32 *magic2 = (u32 *)(u->fp + sw[4]);
  kx("pkru", rdpkru()); kx("saved", scenario == 0 ? *pkru : 0); kx("mxcsr", mxcsr()); kx("fcw", fcw());
  kx("savedmxcsr", *(u32 *)(u->fp + 24)); kx("savedfcw", *(u16 *)u->fp); nl();
  switch (scenario) {
  case 1: header[0] &= ~0x200ul; break;
  case 2: *pkru = 0x12345670; break;
  case 3: *magic2 = 0; break;
  case 4: u->fp = 0; break;
  case 5: sw[0] = 0; break;
  case 6: header[0] |= 1ul << 40; break;
  case 7: header[2] = 1; break;
  case 8: header[7] = 1; break;
  case 9: *(u32 *)(u->fp + 24) |= 0x10000; break;
  case 10: sw[4] = 100; break;
  case 11: header[0] &= ~1ul; break;
  case 12: header[0] &= ~2ul; break;
  case 13: *(u64 *)(sw + 2) &= ~0x200ul; break;
  case 14: u->fp = (u8 *)16; break;
  case 15: u->cs = 0; break;
  case 16: u->ip = 0x8000000000000000ul; break;
  case 17: u->fl |= 0x3000; break;
  case 18: u->fp += 8; break;
  case 19: header[1] = 1ul << 63; break;
  case 20: u->ss = 0x23; break;
  case 21: u->fl |= 0x40000; break;
  case 22: *(u64 *)(sw + 2) &= ~1ul; break;
  case 23: *(u64 *)(sw + 2) &= ~2ul; break;
  case 24: u->mask = ~0ul; break;
  case 25: header[0] &= ~3ul; *(u16 *)u->fp = 0x77f; break;
  }
}

int main_(long *sp) {
  char *a = (char *)sp[2];
  u64 flags;
  u32 control = 0x1f80 | 0x6000;
  u16 word = 0x27f;
  scenario = (a[0] - '0') * 10 + a[1] - '0';
  act(11, died, SA_SIGINFO | SA_ONSTACK, 0);
  act(10, handler, SA_SIGINFO, 0);
  asm volatile("ldmxcsr %0" : : "m"(control));
  asm volatile("fldcw %0" : : "m"(word));
  wrpkru(0x55555550);
  long tid = SC(186);
  SC(200, tid, 10);
  asm volatile("pushf; pop %0" : "=r"(flags));
  kx("pkru", rdpkru()); kx("mxcsr", mxcsr()); kx("fcw", fcw()); kx("ac", flags & 0x43000);
  u64 now; SC(14, 0, 0, &now, 8); kx("mask", now); nl();
  return 0;
}
