/* Chapter 5.10 of the rules: vm.overcommit_memory. Changes the machine's settings: for a guest, or for sealab. */
#include "rules.h"

static void setting(const char *name, long value) {
  char path[64] = "/proc/sys/vm/", *p = path + 13, digits[24]; while (*name) *p++ = *name++; *p = 0;
  int n = sizeof digits; do digits[--n] = '0' + value % 10; while (value /= 10);
  int fd = SC(2, path, 1, 0); long r = SC(1, fd, digits + n, sizeof digits - n); SC(3, fd); if (r < 0) v(r);
}
static long shown(const char *path, const char *name) {
  readfile(path); char *p = text;
  while (*p && !starts(p, name)) { while (*p && *p != '\n') p++; if (*p) p++; }
  while (*p && (*p < '0' || *p > '9')) p++;
  long value = 0; while (*p >= '0' && *p <= '9') value = value * 10 + *p++ - '0';
  return value;
}
static long kilobytes(const char *name) { return shown("/proc/meminfo", name); }
static void nopriv(void) { u32 caps[6] = {0x20080522}; SC(126, caps, caps + 2); }
/* Whether so many KiB can be had: 1, or what refuses. They are given back. */
static long have(long kib, int prot, int flags) { long r = SC(9, 0, kib << 10, prot, flags, -1, 0); if (r < 0) return r; SC(11, r, kib << 10); return 1; }
#define MB 1024l
/* Mode 2 with so many KiB left. */
static void left(long kib) { setting("admin_reserve_kbytes", 0); setting("user_reserve_kbytes", 0); setting("overcommit_memory", 2); setting("overcommit_kbytes", kilobytes("Committed_AS") + kib); }
static void ordinary(void) { setting("overcommit_memory", 0); setting("overcommit_ratio", 50); }

static void modes(void) {
  CASE("5.10", "mode 1 refuses nothing") { setting("overcommit_memory", 1); v(have(1l << 36, 3, ANON)); v(have(1l << 36, 3, SHANON & ~16)); ordinary(); v(have(1l << 36, 3, ANON)); }
  CASE("5.10", "the limit: a part of the memory, or kilobytes") { long all = kilobytes("MemTotal"); setting("overcommit_ratio", 20); v((kilobytes("CommitLimit") - all / 5 + 8) / 16); setting("overcommit_kbytes", 65536); v(kilobytes("CommitLimit")); v(shown("/proc/sys/vm/overcommit_ratio", "")); setting("overcommit_ratio", 50); v(shown("/proc/sys/vm/overcommit_kbytes", "")); ordinary(); }
  CASE("5.10", "mode 2 refuses what is beyond it") { left(256 * MB); v(have(200 * MB, 3, ANON)); v(have(300 * MB, 3, ANON)); long r = SC(9, 0, 200 * MB << 10, 3, ANON, -1, 0); v(r > 0); v(have(100 * MB, 3, ANON)); SC(11, r, 200 * MB << 10); v(have(100 * MB, 3, ANON)); ordinary(); }
  CASE("5.10", "mode 2: what counts") { left(256 * MB); v(have(1 << 30, 1, ANON)); v(have(1 << 30, 3, ANON | 0x4000)); v(have(1 << 30, 3, 0x21)); v(have(1 << 30, 1, 0x21)); v(have(200 * MB, 2, ANON)); long r = SC(9, 0, 1l << 30, 1, ANON, -1, 0); v(SC(10, r, 1l << 30, 3)); v(SC(10, r, 64 << 20, 3)); ordinary(); }
  CASE("5.10", "mode 2: fork, brk and growth by mremap are asked too") { left(256 * MB); long r = SC(9, 0, 150 << 20, 3, ANON, -1, 0); v(r > 0); long c = SC(57); if (c == 0) SC(231, 0); v(c < 0 ? c : 1); if (c > 0) SC(61, c, 0, 0, 0); v(SC(25, r, 150 << 20, 300 << 20, 1)); u64 b = SC(12, 0); v(SC(12, b + (200 << 20)) - b); ordinary(); }
  CASE("5.10", "mode 2: the administrator's reserve") { left(256 * MB); setting("admin_reserve_kbytes", 128 * MB); v(have(200 * MB, 3, ANON)); int fd = SC(2, "/proc/sys/vm/overcommit_memory", 1, 0); FORK { nopriv(); v(have(200 * MB, 3, ANON)); v(have(100 * MB, 3, ANON)); } setting("admin_reserve_kbytes", 8192); ordinary(); }
  CASE("5.10", "mode 2: the user's reserve, of a large process") { left(256 * MB); long r = SC(9, 0, 4l << 30, 1, ANON, -1, 0); v(r > 0); v(have(200 * MB, 3, ANON)); setting("user_reserve_kbytes", 128 * MB); v(have(200 * MB, 3, ANON)); v(have(100 * MB, 3, ANON)); setting("user_reserve_kbytes", 32 * MB); v(have(200 * MB, 3, ANON)); ordinary(); }
}

int main_(long *sp) {
  long fd = SC(2, "/proc/sys/vm/overcommit_memory", 1, 0);
  if (fd < 0) return 1;
  SC(3, fd);
  modes();
  flush();
  return 0;
}
