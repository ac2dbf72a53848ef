/* Records what a real processor does: gcc -O1 -o record record.c; ./record x87|sse SEED COUNT > file.
 * Records are described in tests/cpu/float-records.ts. */
#include <signal.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state;
static uint64_t rnd(void) {
  state ^= state << 13; state ^= state >> 7; state ^= state << 17;
  return state * 0x2545F4914F6CDD1Dull;
}

static uint64_t mantissa(void) {
  switch (rnd() % 6) {
  case 0: return 0;
  case 1: return ~0ull >> (rnd() % 64);
  case 2: return ~0ull << (rnd() % 64);
  case 3: return 1ull << (rnd() % 64);
  case 4: return (rnd() & 0xfffffull) << (rnd() % 64);
  default: return rnd();
  }
}

static void put80(uint8_t *p, uint64_t m, unsigned se) { memcpy(p, &m, 8); memcpy(p + 8, &se, 2); }

static int lastExponent = 16383;
static void value80(uint8_t *p) {
  uint64_t m = mantissa() | 1ull << 63;
  unsigned sign = (rnd() & 1) << 15, e;
  switch (rnd() % 16) {
  case 0: put80(p, 0, sign); return;
  case 1: put80(p, 1ull << 63, sign | 0x7fff); return;
  case 2: put80(p, m, sign | 0x7fff); return;
  case 3: put80(p, mantissa(), sign | (rnd() % 4 ? 0 : rnd() & 0x7fff)); return;
  case 4: e = rnd() & 0x7fff; break;
  case 5: e = rnd() % 70; break;
  case 6: e = 0x7ffe - rnd() % 70; break;
  case 7: e = 16383 - 150 + rnd() % 300; break;
  case 8: e = rnd() % 2 ? 16383 - 1100 + rnd() % 120 : 16383 + 1000 + rnd() % 30; break;
  case 9: e = rnd() % 2 ? 16383 - 160 + rnd() % 50 : 16383 + 120 + rnd() % 10; break;
  case 10: case 11: e = 16383 + rnd() % 66; break;
  case 12: e = lastExponent - 70 + rnd() % 140; break;
  default: e = 16383 - 40 + rnd() % 60; break;
  }
  e &= 0x7fff; if (e == 0) e = 1; if (e == 0x7fff) e = 0x7ffe;
  lastExponent = e;
  put80(p, m, sign | e);
}
/* For the transcendental instructions: mostly arguments in their domain. */
static void valueSmall(uint8_t *p) {
  if (rnd() % 8 == 0) { value80(p); return; }
  put80(p, rnd() | 1ull << 63, (rnd() & 1) << 15 | (16383 - (rnd() % 8 ? rnd() % 6 + (rnd() % 4 == 0 ? 0 : 1) - (rnd() % 6 == 0) * (rnd() % 8) : rnd() % 90)));
}
static uint64_t value64(void) {
  uint64_t s = rnd() << 63, f = mantissa() & 0xfffffffffffffull, e;
  switch (rnd() % 10) {
  case 0: return s;
  case 1: return s | 0x7ffull << 52;
  case 2: return s | 0x7ffull << 52 | f;
  case 3: return s | f;
  case 4: e = rnd() & 0x7ff; break;
  case 5: e = rnd() % 70; break;
  case 6: e = 0x7fe - rnd() % 70; break;
  case 7: e = 1023 + rnd() % 66; break;
  case 8: e = 1023 - 150 + rnd() % 300; break;
  default: e = 1023 - 30 + rnd() % 60; break;
  }
  return s | e << 52 | f;
}
static uint32_t value32(void) {
  uint32_t s = rnd() << 31, f = mantissa() & 0x7fffff, e;
  switch (rnd() % 9) {
  case 0: return s;
  case 1: return s | 0xffu << 23;
  case 2: return s | 0xffu << 23 | f;
  case 3: return s | f;
  case 4: e = rnd() & 0xff; break;
  case 5: e = rnd() % 30; break;
  case 6: e = 0xfe - rnd() % 30; break;
  case 7: e = 127 + rnd() % 66; break;
  default: e = 127 - 20 + rnd() % 40; break;
  }
  return s | e << 23 | f;
}

struct X87 { uint8_t op, pad; uint16_t cw; uint8_t a[10], b[10], in[10]; uint16_t sw, tw; uint8_t st0[10], st1[10], out[10]; uint8_t end[4]; } __attribute__((packed));
static uint8_t area[128];

#define CASE(n, insn) case n: __asm__ volatile("fninit\n fldt %2\n fldt %1\n fldcw %3\n" insn "\n fnsave %0" \
  : "=m"(area), "+m"(r->a), "+m"(r->b), "+m"(cw), "+m"(r->in), "+m"(out)); break;
#define NOPS 48
static void x87(struct X87 *r) {
  uint16_t cw = r->cw; uint8_t out[10]; memset(out, 0xcc, 10);
  switch (r->op) {
  CASE(0, "fadd %%st(1),%%st") CASE(1, "fsub %%st(1),%%st") CASE(2, "fmul %%st(1),%%st") CASE(3, "fdiv %%st(1),%%st")
  CASE(4, "fsqrt") CASE(5, "fcom %%st(1)") CASE(6, "fucom %%st(1)") CASE(7, "fprem") CASE(8, "fprem1")
  CASE(9, "fscale") CASE(10, "fxtract") CASE(11, "frndint") CASE(12, "fsts %5") CASE(13, "fstl %5")
  CASE(14, "fists %5") CASE(15, "fistl %5") CASE(16, "fistpll %5") CASE(17, "fbstp %5")
  CASE(18, "flds %4") CASE(19, "fldl %4") CASE(20, "filds %4") CASE(21, "fildl %4") CASE(22, "fildll %4") CASE(23, "fbld %4")
  CASE(24, "f2xm1") CASE(25, "fyl2x") CASE(26, "fyl2xp1") CASE(27, "fptan") CASE(28, "fpatan")
  CASE(29, "fsin") CASE(30, "fcos") CASE(31, "fsincos")
  CASE(32, "fisttps %5") CASE(33, "fisttpl %5") CASE(34, "fisttpll %5") CASE(35, "fxam") CASE(36, "ftst")
  CASE(37, "fabs") CASE(38, "fchs") CASE(39, "fsubr %%st(1),%%st") CASE(40, "fdivr %%st(1),%%st")
  CASE(41, "fadds %4") CASE(42, "fmull %4") CASE(43, "fiadds %4") CASE(44, "fidivl %4") CASE(45, "fcoml %4")
  CASE(46, "fldt %4") CASE(47, "fstpt %5")
  }
  memcpy(&r->sw, area + 4, 2); memcpy(&r->tw, area + 8, 2);
  memcpy(r->st0, area + 28, 10); memcpy(r->st1, area + 38, 10); memcpy(r->out, out, 10);
}

struct Sse { uint8_t op, pad[3]; uint32_t mxcsr; uint8_t a[16], b[16], out[16]; uint32_t after, eflags; } __attribute__((packed));
static sigjmp_buf jump; static volatile uint32_t trapped;
#include <ucontext.h>
static void onFpe(int s, siginfo_t *i, void *c) { trapped = ((ucontext_t *)c)->uc_mcontext.fpregs->mxcsr; siglongjmp(jump, s + !i); }
#define S(n, insn) case n: __asm__ volatile("movups %1,%%xmm0\n movups %2,%%xmm1\n ldmxcsr %3\n" insn "\n stmxcsr %4\n ldmxcsr %6\n movups %%xmm0,%0\n movq %5,%%rax" \
  : "=m"(r->out) : "m"(r->a), "m"(r->b), "m"(r->mxcsr), "m"(after), "m"(flags), "m"(dflt) : "xmm0", "xmm1", "rax", "memory"); break;
#define NSSE 66
static void sse(struct Sse *r) {
  static volatile uint32_t after; static volatile uint64_t flags; static uint32_t dflt = 0x1f80;
  after = 0; flags = 0; trapped = 0;
  if (sigsetjmp(jump, 1)) { r->after = trapped; r->eflags = 0x80000000u; memset(r->out, 0, 16); return; }
  switch (r->op) {
#define ARITH(k, name) S(k, name "ss %%xmm1,%%xmm0") S(k + 1, name "sd %%xmm1,%%xmm0") S(k + 2, name "ps %%xmm1,%%xmm0") S(k + 3, name "pd %%xmm1,%%xmm0")
  ARITH(0, "add") ARITH(4, "sub") ARITH(8, "mul") ARITH(12, "div") ARITH(16, "sqrt") ARITH(20, "min") ARITH(24, "max")
  S(28, "addsubps %%xmm1,%%xmm0") S(29, "addsubpd %%xmm1,%%xmm0") S(30, "haddps %%xmm1,%%xmm0") S(31, "haddpd %%xmm1,%%xmm0")
  S(32, "hsubps %%xmm1,%%xmm0") S(33, "hsubpd %%xmm1,%%xmm0")
#define CMP(p) S(34 + p * 2, "cmpps $" #p ",%%xmm1,%%xmm0") S(35 + p * 2, "cmppd $" #p ",%%xmm1,%%xmm0")
  CMP(0) CMP(1) CMP(2) CMP(3) CMP(4) CMP(5) CMP(6) CMP(7)
#define COM(n, i) S(n, i " %%xmm1,%%xmm0\n pushfq\n pop %5")
  COM(50, "comiss") COM(51, "comisd") COM(52, "ucomiss") COM(53, "ucomisd")
  S(54, "cvtss2sd %%xmm1,%%xmm0") S(55, "cvtpd2ps %%xmm1,%%xmm0") S(56, "cvtps2dq %%xmm1,%%xmm0") S(57, "cvttps2dq %%xmm1,%%xmm0")
  S(58, "cvtpd2dq %%xmm1,%%xmm0") S(59, "cvttsd2si %%xmm1,%%rax\n movq %%rax,%%xmm0") S(60, "cvtsd2si %%xmm1,%%rax\n movq %%rax,%%xmm0")
  S(61, "movq %%xmm1,%%rax\n cvtsi2ss %%rax,%%xmm0") S(62, "movq %%xmm1,%%rax\n cvtsi2sd %%rax,%%xmm0") S(63, "cvtdq2ps %%xmm1,%%xmm0")
  S(64, "roundps $4,%%xmm1,%%xmm0") S(65, "roundpd $9,%%xmm1,%%xmm0")
  }
  r->after = after; r->eflags = flags & 0x8d5;
}

int main(int argc, char **argv) {
  if (argc < 4) return 2;
  int useSse = !strcmp(argv[1], "sse"), only = argc > 4 ? atoi(argv[4]) : -1;
  state = 0x9E3779B97F4A7C15ull ^ strtoull(argv[2], 0, 0) * 0xD1342543DE82EF95ull;
  long count = atol(argv[3]);
  struct sigaction sa; memset(&sa, 0, sizeof sa); sa.sa_sigaction = onFpe; sa.sa_flags = SA_SIGINFO | SA_NODEFER; sigaction(SIGFPE, &sa, 0);
  for (long i = 0; i < 50; i++) rnd();
  for (long i = 0; i < count; i++) {
    if (useSse) {
      struct Sse r; memset(&r, 0, sizeof r);
      r.op = only >= 0 ? only : i % NSSE;
      r.mxcsr = 0x1f80 | (rnd() & 3) << 13;
      if (rnd() % 3 == 0) r.mxcsr |= rnd() & 0x8040;
      if (rnd() % 6 == 0) r.mxcsr &= ~(rnd() & 0x1f80);
      int dbl = rnd() & 1;
      for (int k = 0; k < 2; k++) {
        uint8_t *p = k ? r.b : r.a;
        for (int l = 0; l < 4; l++) { uint32_t v = value32(); memcpy(p + l * 4, &v, 4); }
        if (r.op < 28 ? r.op & 1 : r.op < 54 ? r.op & 1 : dbl)
          for (int l = 0; l < 2; l++) { uint64_t v = value64(); memcpy(p + l * 8, &v, 8); }
      }
      if (r.op == 61 || r.op == 62) { uint64_t v = mantissa(); memcpy(r.b, &v, 8); }
      sse(&r); fwrite(&r, sizeof r, 1, stdout);
    } else {
      struct X87 r; memset(&r, 0, sizeof r);
      r.op = only >= 0 ? only : i % NOPS;
      static const int pcs[] = {0, 2, 3, 3};
      r.cw = 0x7f | (rnd() & 3) << 10 | pcs[rnd() & 3] << 8;
      if (rnd() % 4 == 0) r.cw &= ~(rnd() & 0x3f);
      int small = r.op >= 24 && r.op <= 31;
      if (small) { valueSmall(r.a); valueSmall(r.b); if (r.op == 25 && rnd() % 8) r.a[9] &= 0x7f; } else { value80(r.a); value80(r.b); }
      switch (r.op) {
      case 18: case 41: { uint32_t v = value32(); memcpy(r.in, &v, 4); break; }
      case 19: case 42: case 45: { uint64_t v = value64(); memcpy(r.in, &v, 8); break; }
      case 23: for (int k = 0; k < 9; k++) r.in[k] = (rnd() % 10) << 4 | rnd() % 10; r.in[9] = rnd(); break;
      case 46: value80(r.in); break;
      default: { uint64_t v = mantissa(); memcpy(r.in, &v, 8); }
      }
      x87(&r); fwrite(&r, sizeof r, 1, stdout);
    }
  }
  return 0;
}
