/*
 * Random walks through the calls that change whom a task acts as, each in a child of its own, with the whole state
 * after every step; the last step of many executes a copy of this program that is set-user-ID, set-group-ID,
 * unreadable ... and tells what became of it. Runs as root. CAP_SYS_RESOURCE is given up first: not every root has it.
 */
#include "freestanding.h"

#define WALKS 100
#define STEPS 8
#define CAPS ((1ul << 41) - 1)
#define RESOURCE (1ul << 24)
static u64 rng;
static u32 rnd(u32 n) { rng = rng * 6364136223846793005ul + 1442695040888963407ul; return (u32)(rng >> 33) % n; }
static const i32 ids[] = {-1, 0, 0, 1000, 1000, 1001, 1002};
static i32 id(void) { return ids[rnd(7)]; }

struct caps { u64 effective, permitted, inheritable; };
static void getcaps(struct caps *c) {
  u32 h[2] = {0x20080522, 0}, d[6];
  SC(125, h, d);
  c->effective = d[0] | (u64)d[3] << 32; c->permitted = d[1] | (u64)d[4] << 32; c->inheritable = d[2] | (u64)d[5] << 32;
}
static long setcaps(const struct caps *c) {
  u32 h[2] = {0x20080522, 0}, d[6] = {c->effective, c->permitted, c->inheritable, c->effective >> 32, c->permitted >> 32, c->inheritable >> 32};
  return SC(126, h, d);
}

static void state(void) {
  u32 r[3]; struct caps c; u64 ambient = 0, bounding = 0;
  ps(" u"); SC(118, r, r + 1, r + 2); for (int i = 0; i < 3; i++) { pc(' '); pd((i32)r[i]); } pc('/'); pd(SC(122, -1));
  ps(" g"); SC(120, r, r + 1, r + 2); for (int i = 0; i < 3; i++) { pc(' '); pd((i32)r[i]); } pc('/'); pd(SC(123, -1));
  u32 groups[8]; i64 n = SC(115, 8, groups); pc('['); for (int i = 0; i < n; i++) { pd(groups[i]); pc(' '); } pc(']');
  getcaps(&c);
  for (int i = 0; i <= 40; i++) { if (SC(157, 47, 1, i, 0, 0) == 1) ambient |= 1ul << i; if (SC(157, 23, i) == 1) bounding |= 1ul << i; }
  ps(" p"); px(c.permitted); ps(" e"); px(c.effective); ps(" i"); px(c.inheritable); ps(" a"); px(ambient); ps(" b"); px(bounding);
  ps(" s"); px(SC(157, 27)); ps(" k"); pd(SC(157, 7)); ps(" n"); pd(SC(157, 39, 0, 0, 0, 0)); ps(" d"); pd(SC(157, 3));
  i32 signal = -1; SC(157, 2, &signal); ps(" x"); pd(signal); ps(" y"); px(SC(135, 0xffffffff)); nl();
}

static u64 bits(void) { static const u64 some[] = {0, CAPS & ~RESOURCE, 1 << 7, 1 << 6, 1 << 8, 0xff, 1ul << 40, 1 << 21}; return some[rnd(8)] ^ (rnd(4) ? 0 : 1ul << rnd(24)); }

static void step(void) {
  u32 op = rnd(24);
  long r = 0; i32 a = id(), b = id(), c = id();
  switch (op) {
    case 0: ps("setuid "); pd(a); r = SC(105, a); break;
    case 1: case 2: ps("setreuid "); pd(a); pc(' '); pd(b); r = SC(113, a, b); break;
    case 3: case 4: case 5: ps("setresuid "); pd(a); pc(' '); pd(b); pc(' '); pd(c); r = SC(117, a, b, c); break;
    case 6: ps("setfsuid "); pd(a); r = SC(122, a); break;
    case 7: ps("setgid "); pd(a); r = SC(106, a); break;
    case 8: ps("setregid "); pd(a); pc(' '); pd(b); r = SC(114, a, b); break;
    case 9: ps("setresgid "); pd(a); pc(' '); pd(b); pc(' '); pd(c); r = SC(119, a, b, c); break;
    case 10: ps("setfsgid "); pd(a); r = SC(123, a); break;
    case 11: { u32 g[4] = {1003, (u32)id(), 1002, 5}; u32 n = rnd(5); ps("setgroups "); pd(n); pc(' '); pd((i32)g[1]); r = SC(116, n, g); break; }
    case 12: { u32 v = rnd(3); ps("keepcaps "); pd(v); r = SC(157, 8, v); break; }
    case 13: { static const u32 some[] = {0, 1, 4, 0x10, 0x40, 0x5, 0x15, 0x20, 0x2, 0x400, 0x1000, 0x55}; u32 v = some[rnd(12)]; ps("securebits "); px(v); r = SC(157, 28, v); break; }
    case 14: { u32 v = rnd(42); ps("bset "); pd(v); r = SC(157, 24, v); break; }
    case 15: case 16: { u32 v = rnd(10), how = 1 + rnd(4); ps("ambient "); pd(how); pc(' '); pd(v); r = SC(157, 47, how, how == 4 ? 0 : v, 0, 0); break; }
    case 17: case 18: case 19: { struct caps s; getcaps(&s); u64 m = bits(); switch (rnd(5)) { case 0: s.effective = m; break; case 1: s.permitted &= m; s.effective &= m; break; case 2: s.inheritable = m; break; case 3: s.inheritable = s.permitted & m; break; case 4: s.effective = s.permitted; } ps("capset "); px(s.effective); pc(' '); px(s.permitted); pc(' '); px(s.inheritable); r = setcaps(&s); break; }
    case 20: if (rnd(3) == 0) { ps("nnp"); r = SC(157, 38, 1, 0, 0, 0); } else { ps("dumpable"); r = SC(157, 4, rnd(3)); } break;
    case 21: ps("pdeath"); r = SC(157, 1, 1 + rnd(9)); break;
    case 22: ps("personality"); r = SC(135, 0x40000); break;
    case 23: { u64 n[2] = {rnd(3) ? 100 : 5000, 100 << rnd(2)}; ps("rlimit "); r = SC(160, 6, n); break; }
  }
  ps(" = "); pd(r); state();
}

static char folder[] = "/tmp/sealab-identity-000000";
static char path[64];
static const char *const copies[] = {"plain", "user1001", "group1002", "root", "rootgroup", "both", "unreadable", "group-not-x"};
static const u32 modes[] = {0755, 04755, 02755, 04755, 02755, 06755, 0711, 02745};
static const u32 owners[] = {0, 1001, 0, 0, 0, 1002, 0, 0};
static const u32 groups[] = {0, 0, 1002, 0, 0, 1001, 0, 1002};
static const char *named(const char *name) { int n = 0; for (const char *p = folder; *p; p++) path[n++] = *p; path[n++] = '/'; while (*name) path[n++] = *name++; path[n] = 0; return path; }

static void copy(int k) {
  static u8 buffer[65536];
  long in = SC(2, "/proc/self/exe", 0), out = SC(2, named(copies[k]), 0101, 0700), n;
  while ((n = SC(0, in, buffer, sizeof buffer)) > 0) SC(1, out, buffer, n);
  SC(93, out, owners[k], groups[k]); SC(91, out, modes[k]); SC(3, in); SC(3, out);
}

int main_(long *sp) {
  char **argv = (char **)(sp + 1);
  if (sp[0] > 1) {
    /* Executed: who are we, and how far does the kernel trust the caller? */
    long *v = sp + 1 + sp[0] + 1; while (*v) v++; v++;
    while (*v != 23) v += 2;
    u64 stack[2]; SC(97, 3, stack);
    ps("  exec"); kv(" secure", v[1]); kx("stack", stack[0]); state();
    return 0;
  }
  long pid = SC(39);
  for (int i = 0, n = pid; i < 6; i++, n /= 10) folder[sizeof folder - 2 - i] = '0' + n % 10;
  SC(83, folder, 0755); SC(90, folder, 0755);
  for (int k = 0; k < 8; k++) copy(k);
  SC(95, 022); SC(116, 0, 0); SC(157, 24, 24);
  struct caps c; getcaps(&c); c.permitted &= ~RESOURCE; c.effective &= ~RESOURCE; setcaps(&c);
  for (int walk = 0; walk < WALKS; walk++) {
    rng = walk * 0x9e3779b97f4a7c15ul + 12345; rnd(2);
    u32 k = rnd(8);
    long child = SC(57);
    if (child == 0) {
      ps("walk "); pd(walk); state();
      for (int i = 0; i < STEPS; i++) step();
      if (rnd(4) == 0) { u64 n[2] = {~0ul, ~0ul}; SC(160, 3, n); }
      const char *arguments[] = {copies[k], "state", 0}, *environment[] = {0};
      ps("  "); ps(copies[k]); nl();
      long r = SC(59, named(copies[k]), arguments, environment);
      kv("  exec", r); nl();
      SC(231, 0);
    }
    i32 status = 0; SC(61, child, &status, 0, 0); if (status) { kv("status", status); nl(); }
  }
  for (int k = 0; k < 8; k++) SC(87, named(copies[k]));
  SC(84, folder);
  return 0;
}
