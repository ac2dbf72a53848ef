/*
 * What one process may do to another, and to its process group: signals, limits, /proc, setpgid, setsid; and what is
 * left of a process that has ended. Runs as root. CAP_SYS_RESOURCE is given up first: not every root has it.
 */
#include "freestanding.h"

#define SLEEP() do { u64 t_[2] = {1000, 0}; for (;;) SC(35, t_, 0); } while (0)
static void wait_for(long pid) { SC(61, pid, 0, 0, 0); }

struct who { const char *name; i32 ruid, euid, suid, gid; };
static const struct who people[] = {
  {"root", 0, 0, 0, 0}, {"alice", 1000, 1000, 1000, 1000}, {"bob", 1001, 1001, 1001, 1001},
  {"alice-as-bob", 1000, 1001, 1001, 1000}, {"alice-as-root", 1000, 0, 0, 1000}, {"root-as-alice", 0, 1000, 0, 0},
  {"alice-was-bob", 1000, 1000, 1001, 1000}, {"alice-group-bob", 1000, 1000, 1000, 1001},
};
#define PEOPLE 8
static void become(const struct who *w) { SC(116, 0, 0); SC(119, w->gid, w->gid, w->gid); SC(117, w->ruid, w->euid, w->suid); }

static char path[64];
static const char *proc(long pid, const char *name) {
  char digits[12]; int n = 0, i = 0; for (const char *p = "/proc/"; *p; p++) path[n++] = *p;
  do digits[i++] = '0' + pid % 10; while (pid /= 10); while (i) path[n++] = digits[--i];
  path[n++] = '/'; while (*name) path[n++] = *name++; path[n] = 0; return path;
}
/* How many bytes a file gives, up to 1; or why it cannot be opened or read. */
static void look(long pid, const char *name) {
  char c; long f = SC(2, proc(pid, name), 0);
  pc(' '); ps(name); pc(':');
  if (f < 0) { pd(f); return; }
  long r = SC(0, f, &c, 1); if (r < 0) { ps("read"); pd(r); } else ps(r ? "ok" : "empty");
  SC(3, f);
}
static void link_(long pid, const char *name) { char b[256]; long r = SC(89, proc(pid, name), b, 255); pc(' '); ps(name); pc(':'); pd(r < 0 ? r : 1); }
static void owner(long pid, const char *name) { u8 s[144]; long r = SC(6, proc(pid, name), s); pc(' '); ps(name); pc('='); if (r < 0) { pd(r); return; } px(*(u32 *)(s + 24)); pc(','); pd(*(u32 *)(s + 28)); pc(','); pd(*(u32 *)(s + 32)); }
static void looks(long pid) {
  look(pid, "stat"); look(pid, "status"); look(pid, "cmdline"); look(pid, "environ"); look(pid, "auxv"); look(pid, "maps"); look(pid, "smaps"); look(pid, "mem");
  look(pid, "limits"); look(pid, "comm"); look(pid, "statm"); look(pid, "personality"); look(pid, "cgroup"); look(pid, "mounts"); look(pid, "mountinfo"); look(pid, "wchan"); look(pid, "oom_score"); look(pid, "oom_score_adj"); look(pid, "loginuid");
  link_(pid, "exe"); link_(pid, "cwd"); link_(pid, "root"); link_(pid, "fd/0");
  for (int i = 0; i < 2; i++) { const char *d = i ? "fdinfo" : "fd"; long f = SC(2, proc(pid, d), 0200000); u8 b[512]; pc(' '); ps(d); pc(':'); if (f < 0) pd(f); else { long n = SC(217, f, b, 512); pd(n < 0 ? n : n > 60); SC(3, f); } }
}

/* A child that has become somebody, in its parent's session or one of its own, and sleeps. */
static long sleeper(const struct who *w, int session, int dumpable) {
  i32 p[2]; SC(22, p);
  long child = SC(57);
  if (child == 0) { if (session) SC(112); become(w); if (dumpable) SC(157, 4, 1); char c = 1; SC(1, p[1], &c, 1); SLEEP(); }
  char c; SC(0, p[0], &c, 1); SC(3, p[0]); SC(3, p[1]);
  return child;
}

static void affairs(void) {
  ps("-- signals, limits and /proc between people\n");
  for (int session = 0; session < 2; session++) for (int t = 0; t < PEOPLE; t++) {
    long target = sleeper(&people[t], session, t & 1);
    ps("to "); ps(people[t].name); ps(session ? " elsewhere" : ""); owner(target, ""); owner(target, "stat"); owner(target, "fd"); owner(target, "exe"); owner(target, "mem"); nl();
    for (int s = 0; s < PEOPLE; s++) {
      long child = SC(57);
      if (child == 0) {
        become(&people[s]);
        u64 limit[2] = {77, 78};
        ps("  "); ps(people[s].name); kv(" kill", SC(62, target, 0)); kv("cont", SC(62, target, 18)); kv("winch", SC(62, target, 28)); kv("tgkill", SC(234, target, target, 0));
        u8 info[128]; memset(info, 0, 128); *(i32 *)(info + 8) = -1; kv("queue", SC(129, target, 0, info)); kv("contq", SC(129, target, 18, info)); *(i32 *)(info + 8) = 0; kv("forged", SC(129, target, 0, info));
        kv("limit", SC(302, target, 4, 0, limit)); limit[0] = 5; limit[1] = 6; kv("set", SC(302, target, 4, limit, 0)); limit[1] = 7; kv("raise", SC(302, target, 4, limit, 0)); limit[0] = 9; kv("more", SC(302, target, 4, limit, 0)); kv("bad", SC(302, target, 99, limit, 0));
        kv("pgid", SC(121, target) > 0); kv("sid", SC(124, target) > 0);
        u32 h[2] = {0x20080522, target}, d[6]; kv("capget", SC(125, h, d)); kv("capset", SC(126, h, d));
        looks(target); nl();
        SC(231, 0);
      }
      wait_for(child);
    }
    SC(62, target, 9); wait_for(target);
  }
  ps("everybody"); kv("", SC(62, -1, 0)); nl();
}

static void ended(void) {
  ps("-- one that has ended\n");
  long child = SC(57); if (child == 0) SC(231, 3);
  u8 info[128]; SC(247, 1, child, info, 4 | 0x1000000, 0);
  long f = SC(2, proc(child, "stat"), 0), g = SC(2, proc(child, "maps"), 0), h = SC(2, proc(child, "cmdline"), 0), d = SC(2, proc(child, ""), 0200000), m = SC(2, proc(child, "limits"), 0);
  looks(child); kv(" kill", SC(62, child, 9)); kv("pgid", SC(121, child) > 0); kv("sid", SC(124, child) > 0); kv("setpgid", SC(109, child, child)); u64 limit[2]; kv("limit", SC(302, child, 4, 0, limit)); nl();
  char b[256]; long n = SC(0, f, b, 255); b[n < 0 ? 0 : n] = 0; int k = 0; while (b[k] && b[k] != ')') k++; for (int field = 0; b[k]; k++) { if (b[k] == ' ') field++; if (field < 2 || (field > 4 && field != 20 && field != 37)) pc(b[k]); } nl(); SC(8, f, 0, 0);
  wait_for(child);
  ps("gone"); char c; kv(" stat", SC(0, f, &c, 1)); kv("maps", SC(0, g, &c, 1)); kv("cmdline", SC(0, h, &c, 1)); kv("limits", SC(0, m, &c, 1)); kv("openat", SC(257, d, "stat", 0)); kv("none", SC(257, d, "nothing", 0)); u8 e[512]; kv("list", SC(217, d, e, 512));
  kv("kill", SC(62, child, 0)); kv("pgid", SC(121, child)); kv("stat", SC(2, proc(child, "stat"), 0)); nl();
}

static void write_to(const char *name, const char *text, int n) { long f = SC(2, name, 1); pc(' '); ps(text); pc(':'); if (f < 0) { pd(f); return; } pd(SC(1, f, text, n)); SC(3, f); }
static void show(const char *name) { char b[128]; long f = SC(2, name, 0), n = SC(0, f, b, 127); b[n < 0 ? 0 : n] = 0; ps(b); SC(3, f); }
static void writes(void) {
  ps("-- what can be written\n");
  write_to("/proc/self/comm", "a name too long for a task", 26); show("/proc/self/comm"); write_to("/proc/self/comm", "new\n", 4); show("/proc/self/comm"); nl();
  write_to("/proc/self/oom_score_adj", "1001", 4); write_to("/proc/self/oom_score_adj", "x", 1); write_to("/proc/self/oom_score_adj", " 300\n", 5); show("/proc/self/oom_score_adj"); write_to("/proc/self/oom_score_adj", "-1", 2); write_to("/proc/self/oom_score_adj", "500", 3); write_to("/proc/self/oom_score_adj", "400", 3); show("/proc/self/oom_score_adj"); nl();
  long child = SC(57); if (child == 0) SLEEP();
  show(proc(child, "oom_score_adj")); write_to(proc(child, "comm"), "other", 5); nl();
  SC(62, child, 9); wait_for(child);
}

static void groups(const char *self) {
  ps("-- groups and sessions\n");
  long own = SC(39);
  kv("leader", SC(112) == own); kv("again", SC(112)); kv("own", SC(109, 0, 0)); kv("none", SC(109, 0, 4194000)); nl();
  i32 p[2]; SC(22, p);
  long a = sleeper(people, 0, 0), b = sleeper(people, 0, 0), c = sleeper(people, 1, 0);
  kv("same", SC(121, a) == own); kv("session", SC(124, a) == own); kv("set", SC(109, a, 0)); kv("is", SC(121, a) == a); kv("join", SC(109, b, a)); kv("is", SC(121, b) == a); kv("back", SC(109, b, own)); kv("other", SC(109, b, b + 100));
  kv("session", SC(109, c, 0)); kv("theirs", SC(109, b, c)); kv("neg", SC(109, b, -2)); kv("negpid", SC(109, -1, 0)); nl();
  /* A child that has executed a program is its own master; a grandchild is not ours. */
  long d = SC(57); if (d == 0) { const char *v[] = {self, "sleep", 0}, *e[] = {0}; char o[2] = {'0' + p[1] / 10, '0' + p[1] % 10}; (void)o; SC(33, p[1], 50); SC(59, "/proc/self/exe", v, e); }
  char x; SC(0, p[0], &x, 1);
  kv("executed", SC(109, d, 0)); kv("tothem", SC(109, d, a));
  long m = SC(57); if (m == 0) { long g = sleeper(people, 0, 0); u64 t[1] = {g}; SC(1, p[1], t, 8); SLEEP(); }
  u64 grandchild; SC(0, p[0], &grandchild, 8); kv("grandchild", SC(109, grandchild, 0)); kv("sid", SC(124, grandchild) == own); kv("init", SC(109, 1, 0) != 0); nl();
  /* Signals to groups. */
  SC(109, b, a); kv("group", SC(62, -a, 0)); kv("nogroup", SC(62, -(b), 0)); kv("kill", SC(62, -a, 9)); i32 s = 0; kv("a", SC(61, a, &s, 0, 0) == a); kx("", s); kv("b", SC(61, -a, &s, 0, 0) == b); kx("", s); kv("empty", SC(62, -a, 0)); kv("nochild", SC(61, -a, &s, 0, 0)); nl();
  /* Somebody who leads a group cannot lead a session. */
  long l = SC(57); if (l == 0) { SC(109, 0, 0); kv("leader", SC(112)); long n = SC(57); if (n == 0) { kv("member", SC(112) == SC(39)); kv("group", SC(111) == SC(39)); kv("set", SC(109, 0, 0)); nl(); SC(231, 0); } wait_for(n); nl(); SC(231, 0); }
  wait_for(l);
  SC(62, grandchild, 9); SC(62, c, 9); SC(62, d, 9); SC(62, m, 9); for (int i = 0; i < 3; i++) SC(61, -1, 0, 0, 0);
}

static void limits(void) {
  ps("-- how many a user may have\n");
  long child = SC(57);
  if (child == 0) {
    u64 n[2] = {6, 6}; SC(160, 6, n); become(&people[2]);
    int made = 0; long r, all[16];
    while ((r = SC(57)) > 0) all[made++] = r;
    if (r == 0) SLEEP();
    kv("made", made); kv("then", r);
    for (int i = 0; i < made; i++) SC(62, all[i], 9);
    nl(); SC(231, made);
  }
  i32 s; SC(61, child, &s, 0, 0); kx("status", s); nl();
  child = SC(57);
  if (child == 0) {
    /* Too many of them already: becoming one is no error, executing a program then is. */
    u64 n[2] = {2, 2}; SC(160, 6, n); become(&people[2]);
    const char *v[] = {"x", "nothing", 0}, *e[] = {0};
    kv("exec", SC(59, "/proc/self/exe", v, e)); nl(); SC(231, 0);
  }
  SC(61, child, &s, 0, 0); kx("status", s); nl();
}

int main_(long *sp) {
  char **argv = (char **)(sp + 1);
  if (sp[0] > 1) { if (argv[1][0] == 's') { char c = 1; SC(1, 50, &c, 1); SLEEP(); } ps("executed\n"); flush(); return 0; }
  SC(112); SC(157, 36, 1); SC(116, 0, 0); SC(157, 24, 24);
  u32 h[2] = {0x20080522, 0}, d[6]; SC(125, h, d); d[0] &= ~(1 << 24); d[1] &= ~(1 << 24); SC(126, h, d);
  long child = SC(57); if (child == 0) { groups(argv[0]); SC(231, 0); } wait_for(child);
  affairs(); ended(); writes();
  child = SC(57); if (child == 0) { SC(112); limits(); SC(231, 0); } wait_for(child);
  return 0;
}
