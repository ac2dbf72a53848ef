/* Chapter 5 of the rules: mmap and the address it chooses, merging, limits, faults. */
#include "rules.h"

#define MAP(addr, len, prot, flags, fd, off) v(SC(9, addr, len, prot, flags, fd, off))
static void nopriv(void) { u32 caps[6] = {0x20080522}; SC(126, caps, caps + 2); }
static u64 lowest(void) { /* of all that lies above 0x7000'0000'0000 */ readfile("/proc/self/maps"); for (char *p = text; *p;) { char *q = p; u64 s = hex(&q); if (s > 0x700000000000) return s; while (*p && *p++ != '\n'); } return 0; }

static void mapping(void) {
  CASE("5.1", "order: offset, descriptor, length, offset's end, size, range, alignment") { MAP(0, PG, 3, ANON, -1, 1); MAP(0, 0, 3, 2, 99, 0); MAP(0, 0, 3, 2, 99, 1); MAP(0, 0, 3, 0, -1, 0); MAP(0, 0, 3, ANON, -1, 0); MAP(0, -1, 3, 0x20, -1, 0); long r = SC(9, 0, 2 * PG, 3, ANON, -1, 0xfffffffffffff000); v(r > 0); MAP(0, TASK + PG, 3, ANON, -1, 0); MAP(TASK, PG, 3, FIXED, -1, 0); MAP(TASK + 1, PG, 3, FIXED, -1, 0); MAP(at(0) + 1, PG, 3, FIXED, -1, 0); }
  CASE("5.1", "below mmap_min_addr, occupied, locked") { nopriv(); MAP(0, PG, 3, FIXED, -1, 0); MAP(0, PG, 3, 0x30, -1, 0); mapat(0, 1, 3); MAP(at(0), PG, 3, ANON | 0x100000, -1, 0); limit(8, PG, PG); MAP(at(4), 2 * PG, 3, FIXED | 0x2000, -1, 0); limit(8, 0, 0); MAP(at(4), PG, 3, FIXED | 0x2000, -1, 0); }
  CASE("5.1", "files: offset, unknown flag, mode, type, growing") {
    int p[2], f = memfd(2), ro = SC(2, "/proc/self/exe", 0, 0), wo = SC(2, "/dev/null", 1, 0), d = SC(2, "/", 0, 0); SC(22, p);
    MAP(0, PG, 1, 2, f, 0x7ffffffffffff000); MAP(0, PG, 1, 3 | 0x200, f, 0); MAP(0, PG, 1, 3 | 0x100000, f, 0); MAP(0, PG, 3, 1, ro, 0); MAP(0, PG, 0, 2, wo, 0); MAP(0, PG, 1, 2, p[0], 0); MAP(0, PG, 1, 2, d, 0); MAP(0, PG, 1, 2 | 0x100, f, 0); MAP(0, PG, 1, 0, f, 0); MAP(0, PG, 1, 4, f, 0); MAP(0, PG, 1, 8, f, 0); MAP(0, PG, 1, 0, p[0], 0); MAP(0, PG, 1, 0x40002, f, 0); }
  CASE("5.1", "anonymous: type, growing, droppable") { MAP(at(0), PG, 3, 0x30, -1, 0); MAP(at(0), PG, 3, 0x33, -1, 0); MAP(at(0), PG, 3, 0x34, -1, 0); MAP(at(0), PG, 3, SHANON | 0x100, -1, 0); MAP(at(0), PG, 3, 0x38 | 0x2000, -1, 0); MAP(at(0), PG, 3, 0x38 | 0x100, -1, 0); }
  CASE("5.1", "droppable memory") { MAP(at(0), PG, 3, 0x38, -1, 0); layout(); put(0, 5); FORK v(get(0)); v(get(0)); v(advise(0, 1, 19)); }
  CASE("5.1", "memfd seals") { int f = memfd(1); SC(72, f, 1033, 16); mapfile(0, 1, 1, 1, f, 0); v(prot(0, 1, 3)); v(mapfile(2, 1, 3, 1, f, 0)); v(mapfile(2, 1, 3, 2, f, 0)); f = memfd(1); v(mapfile(4, 1, 3, 1, f, 0)); v(SC(72, f, 1033, 8)); unmap(4, 1); v(SC(72, f, 1033, 8)); v(mapfile(4, 1, 1, 1, f, 0)); v(prot(4, 1, 3)); }
  CASE("Y-1", "anonymous mappings ignore fd, offset, unknown bits") { MAP(at(0), PG, 3, FIXED, 99, 0x123000); MAP(at(1), PG, 0x13, FIXED | 0x200, -1, 0); MAP(at(2), PG, 0x80000001, FIXED | 0x800000, -5, 0); layout(); v(mapfile(4, 1, 1, 2 | 0x200, memfd(1), 0)); }
  CASE("Y-2", "the type comes late") { nopriv(); MAP(0, -1, 3, 0x20, -1, 0); mapat(0, 1, 3); MAP(at(0), PG, 3, 0x20 | 0x100000, -1, 0); MAP(0, PG, 3, 0x30, -1, 0); MAP(0, 0, 3, 0, 99, 0); }
  CASE("Y-3", "MAP_SYNC") { int f = memfd(1); v(mapfile(0, 1, 3, 1 | 0x80000, f, 0)); v(mapfile(0, 1, 3, 2 | 0x80000, f, 0)); v(mapfile(0, 1, 3, 3 | 0x80000, f, 0)); v(mapfile(0, 1, 3, 3, f, 0)); }
  CASE("Y-4", "far beyond the end of the file") { int f = memfd(1); v(mapfile(0, 1, 3, 1, f, 1l << 40)); a(at(0), 'r'); a(at(0), 'w'); v(mapfile(1, 1, 3, 2, f, 5)); a(at(1), 'w'); }
  CASE("Y-5", "shared, through a read-only descriptor") { int f = SC(2, "/proc/self/exe", 0, 0); v(mapfile(0, 1, 1, 1, f, 0)); layout(); v(prot(0, 1, 3)); v(prot(0, 1, 5)); }
  CASE("Y-6", "MAP_POPULATE") { u8 c[4]; v(SC(9, at(0), PG, 3, FIXED | 0x8000, -1, 0)); v(SC(9, at(1), PG, 3, FIXED | 0x18000, -1, 0)); v(SC(9, at(2), PG, 0, FIXED | 0x8000, -1, 0)); v(SC(9, at(3), PG, 1, FIXED | 0x8000, -1, 0)); SC(27, at(0), 4 * PG, c); v(c[0]); v(c[1]); v(c[2]); v(c[3]); v(mapfile(5, 2, 3, 1 | 0x8000, memfd(1), 0)); }
  CASE("Y-7", "MAP_STACK, MAP_DENYWRITE, MAP_EXECUTABLE") { v(SC(9, at(0), PG, 3, FIXED | 0x20000, -1, 0)); v(SC(9, at(3), PG, 3, FIXED | 0x1800, -1, 0)); layout(); }
  CASE("Y-8", "MAP_NORESERVE parts areas") { v(SC(9, at(0), PG, 3, FIXED, -1, 0)); v(SC(9, at(1), PG, 3, FIXED | 0x4000, -1, 0)); layout(); }
  CASE("Y-9", "a private mapping sees writes to pages not its own yet") { int f = memfd(2); mapfile(0, 2, 3, 2, f, 0); get(0); put(1, 5); SC(18, f, "A", 1, 0); SC(18, f, "B", 1, PG); v(get(0)); v(get(1)); }
}

static void placing(char *name) {
  CASE("Z-1", "where the first mapping goes") { u64 end; named("[vdso]", &end); pc(' '); px(end); named("[stack]", &end); pc(' '); px(end); u64 low = lowest(); v(SC(9, 0, PG, 3, ANON, -1, 0) == low - PG); }
  CASE("Z-2", "downward, contiguous; the highest gap that fits") { u64 x = SC(9, 0, PG, 3, ANON, -1, 0), y = SC(9, 0, PG, 1, ANON, -1, 0), z = SC(9, 0, 3 * PG, 3, ANON, -1, 0); v(x - y); v(y - z); SC(11, y, PG); v(SC(9, 0, 2 * PG, 3, ANON, -1, 0) == z - 2 * PG); v(SC(9, 0, PG, 3, ANON, -1, 0) == y); }
  CASE("Z-3", "hints") { MAP(at(0) + 5, PG, 3, ANON, -1, 0); mapat(3, 1, 3); MAP(at(1), 2 * PG, 1, ANON, -1, 0); long r = SC(9, at(3), PG, 3, ANON, -1, 0); v(r > 0 && r != at(3)); r = SC(9, at(2), 2 * PG, 3, ANON, -1, 0); v(r != at(2)); r = SC(9, TASK, PG, 3, ANON, -1, 0); v(r > 0 && r < TASK); }
  CASE("Z-3", "only the upper neighbour's gap counts") { SC(9, at(600), PG, 3, FIXED | 0x100, -1, 0); MAP(at(601), PG, 1, ANON, -1, 0); MAP(at(343), PG, 1, ANON, -1, 0); long r = SC(9, at(344), PG, 1, ANON, -1, 0); v(r != at(344)); }
  CASE("Z-4", "tiny hints") { u64 low = lowest(); v(SC(9, 100, PG, 3, ANON, -1, 0) == low - PG); }
  CASE("Z-4", "a hint below mmap_min_addr is raised to it") { pc(' '); px(SC(9, PG, PG, 3, ANON, -1, 0)); }
  CASE("Z-5", "MAP_32BIT") { u64 x = SC(9, 0, PG, 3, ANON | 0x40, -1, 0), y = SC(9, 0, PG, 1, ANON | 0x40, -1, 0); pc(' '); px(x); pc(' '); px(y); pc(' '); px(SC(9, 0x20000000, PG, 3, ANON | 0x40, -1, 0)); pc(' '); px(SC(9, 0x7ffff000, PG, 3, ANON | 0x40, -1, 0)); pc(' '); px(SC(9, 0x80000000, PG, 3, ANON | 0x40, -1, 0)); MAP(0, (1ul << 30) + PG, 3, ANON | 0x40, -1, 0); pc(' '); px(SC(9, at(0), PG, 3, FIXED | 0x40, -1, 0)); }
  CASE("Z-6", "MAP_ABOVE4G") { pc(' '); px(SC(9, 0x50000000, PG, 3, ANON | 0x80, -1, 0)); long r = SC(9, 0, PG, 3, ANON | 0x80, -1, 0); v(r > (1l << 32)); }
  CASE("Z-7", "MAP_FIXED ignores gaps") { SC(9, at(600), PG, 3, FIXED | 0x100, -1, 0); v(mapat(599, 1, 1)); layout(); }
  CASE("Z-8", "whole 2 MiB units are aligned") { u64 x = SC(9, 0, 2 << 20, 3, ANON, -1, 0); v(x & 0x1fffff); x = SC(9, 0, 4 << 20, 3, ANON, -1, 0); v(x & 0x1fffff); u64 low = lowest(); x = SC(9, 0, (2 << 20) + PG, 3, ANON, -1, 0); v(x == low - (2 << 20) - PG); }
  CASE("Z-9", "the old layout") { on = 0; SC(135, 0x240000); char *args[] = {name, "Z-9", 0}; SC(59, "/proc/self/exe", args, 0); }
  CASE("Z-10", "a gap below an area that grows down") { SC(9, at(600), PG, 3, FIXED | 0x100, -1, 0); long r = SC(9, at(598), PG, 1, ANON, -1, 0); v(r != at(598)); mapat(900, 1, 3); MAP(at(899), PG, 3, ANON | 0x100, -1, 0); MAP(at(899), PG, 3, FIXED | 0x100, -1, 0); }
}

static void areas(void) {
  CASE("5.5", "neighbours merge: before, after, between") { mapat(0, 1, 3); mapat(1, 1, 3); layout(); mapat(3, 1, 3); mapat(2, 1, 3); layout(); mapat(4, 1, 1); layout(); prot(4, 1, 3); layout(); }
  CASE("5.5", "between two that have private pages") { mapat(0, 1, 3); mapat(2, 1, 3); put(0, 1); put(2, 1); mapat(1, 1, 3); layout(); }
  CASE("5.5", "files: same description, contiguous offsets") { int f = memfd(4); mapfile(0, 1, 1, 2, f, 0); mapfile(1, 1, 1, 2, f, 1); mapfile(2, 1, 1, 2, f, 3); int d = SC(32, f); mapfile(3, 1, 1, 2, d, 4); layout(); mapsh(6, 1, 3); mapsh(7, 1, 3); layout(); }
  CASE("5.5", "moved memory keeps its offset, if it was used") { mapat(0, 1, 3); mapat(10, 1, 3); mapat(20, 1, 3); mapat(30, 1, 3); put(20, 1); put(30, 1); remap(10, 1, 1, 3, 1); layout(); remap(30, 1, 1, 3, 21); layout(); }
  CASE("5.5", "what is charged stays charged once used") { mapat(0, 1, 3); put(0, 1); prot(0, 1, 1); mapat(1, 1, 1); layout(); mapat(5, 1, 3); prot(5, 1, 1); mapat(6, 1, 1); layout(); }
  CASE("5.5", "after fork") { mapat(0, 2, 3); put(0, 1); FORK { mapat(2, 1, 3); layout(); put(2, 1); layout(); } mapat(2, 1, 3); layout(); }
  CASE("5.5", "locked and unlocked again: above and below") { mapat(0, 5, 3); SC(149, at(3), 2 * PG); SC(152); layout(); mapat(10, 5, 3); SC(149, at(10), 2 * PG); SC(150, at(10), 2 * PG); layout(); }
  CASE("5.5", "used memory beside memory that is not") { mapat(0, 2, 3); mapat(2, 2, 7); put(2, 1); prot(2, 2, 3); layout(); mapat(10, 2, 7); put(10, 1); mapat(12, 2, 3); prot(10, 2, 3); layout(); mapat(20, 2, 3); put(20, 1); mapat(22, 2, 7); prot(22, 2, 3); layout(); }
  CASE("5.6", "DONTUNMAP of locked memory") { mapat(0, 5, 3); SC(149, at(0), 5 * PG); v(remap(0, 2, 2, 7, 20)); layout(); mapsh(40, 5, 3); SC(149, at(40), 5 * PG); v(remap(40, 2, 2, 7, 43)); layout(); }
  CASE("5.4", "mprotect: arguments, holes") { mapat(0, 2, 3); mapat(3, 1, 3); v(SC(10, at(0), 4 * PG, 1)); layout(); v(SC(10, at(2), PG, 1)); v(SC(10, at(9), 0, 0x99)); v(prot(0, 1, 0x10)); v(prot(0, 1, 8)); v(SC(10, at(0), -1, 1)); v(SC(10, at(0), -4096, 1)); v(prot(0, 1, 0x3000000)); v(prot(0, 1, 0x1000000)); v(prot(0, 1, 0x2000000)); }
  CASE("5.6", "mremap: grow, shrink, move") { mapat(0, 2, 3); put(0, 5); v(remap(0, 2, 4, 0, 0)); mapat(4, 1, 1); v(remap(0, 4, 5, 0, 0)); v(remap(0, 4, 1, 0, 0)); layout(); v(remap(0, 1, 3, 3, 20)); v(get(20)); layout(); v(remap(20, 1, 1, 3, 30)); layout(); v(remap(50, 1, 1, 1, 0)); }
  CASE("5.6", "old size 0, DONTUNMAP") { mapsh(0, 2, 3); put(0, 5); v(remap(0, 0, 2, 3, 10)); v(get(10)); v(remap(0, 0, 2, 0, 0)); mapat(20, 1, 3); put(20, 6); v(remap(20, 1, 1, 7, 30)); v(get(20)); v(get(30)); v(remap(0, 2, 2, 7, 40)); v(get(0)); v(get(40)); v(remap(20, 0, 1, 1, 0)); v(SC(25, at(20), PG, PG, 5, at(60) + 1)); u64 vd = named("[vdso]", 0); v(SC(25, vd, PG, PG, 5, 0)); v(SC(25, vd, 2 * PG, 4 * PG, 1, 0)); layout(); }
  CASE("5.6", "limits: EFAULT, EAGAIN, ENOMEM") { nopriv(); mapat(0, 2, 3); limit(8, 2 * PG, 2 * PG); v(SC(149, at(0), 2 * PG)); v(remap(0, 2, 4, 0, 0)); mapat(8, 2, 3); limit(9, 1 << 20, 1 << 20); v(remap(8, 2, 4000, 1, 0)); v(remap(8, 3, 4000, 1, 0)); }
  CASE("5.7", "brk") { u64 b = SC(12, 0), p = (b + PG - 1) & ~(PG - 1); v(brk_(p + 2 * PG) - p); *(u8 *)(p + PG) = 7; v(brk_(p + PG) - p); v(brk_(p + 2 * PG) - p); v(*(u8 *)(p + PG)); v(brk_(1) - p); SC(9, p + 4 * PG, PG, 3, FIXED, -1, 0); v(brk_(p + 3 * PG) - p); v(brk_(p + 4 * PG) - p); v(brk_(p + 3 * PG - 1) - p); SC(11, p + PG, PG); v(brk_(p + PG) - p); limit(2, 1 << 16, 1 << 16); v(brk_(p + PG * 100) - p); }
  CASE("5.8", "growing down: gap, neighbours, limits, the kernel's copy") { SC(9, at(1000), PG, 3, FIXED | 0x100, -1, 0); mapat(700, 1, 1); a(at(957), 'w'); a(at(956), 'w'); a(at(999), 'r'); layout(); }
  CASE("5.8", "an inaccessible neighbour; RLIMIT_STACK") { SC(9, at(1000), PG, 3, FIXED | 0x100, -1, 0); mapat(900, 1, 0); a(at(902), 'w'); limit(3, 100 * PG, 100 * PG); a(at(901), 'w'); SC(9, at(3000), PG, 3, FIXED | 0x100, -1, 0); a(at(2900), 'w'); a(at(2901), 'w'); int p[2]; SC(22, p); SC(1, p[1], "x", 1); SC(9, at(5000), PG, 3, FIXED | 0x100, -1, 0); v(SC(0, p[0], at(4999), 1)); v(SC(149, at(4998), PG)); v(prot(4998, 1, 1)); layout(); }
  CASE("5.9", "RLIMIT_AS, RLIMIT_DATA") { limit(2, 1 << 20, 1 << 20); v(mapat(0, 1000, 3)); v(mapat(0, 1000, 1)); v(prot(0, 1000, 3)); v(SC(9, at(2000), 1000 * PG, 3, FIXED | 0x100, -1, 0)); v(mapsh(4000, 1000, 3)); }
  CASE("5.9", "a soft RLIMIT_DATA of 0") { limit(2, 0, 1 << 21); v(mapat(0, 100, 3)); v(mapat(200, 1000, 3)); }
  CASE("5.9", "the map count") { long n = tooMany(0); v(SC(9, FAR + n * PG, PG, 3, FIXED, -1, 0)); v(SC(9, FAR + n * PG, PG, 1, FIXED, -1, 0)); SC(11, FAR + (n - 1) * PG, PG); mapat(0, 0, 3); v(SC(11, FAR, PG)); mapat(0, 3, 3); v(unmap(1, 1)); v(prot(1, 1, 1)); v(unmap(0, 1)); }
  CASE("5.10", "overcommit, mode 0") { MAP(0, 1ul << 46, 3, ANON, -1, 0); long r = SC(9, 0, 1ul << 45, 1, ANON, -1, 0); v(r > 0); v(SC(10, r, 1ul << 45, 3)); r = SC(9, 0, 1ul << 44, 3, ANON | 0x4000, -1, 0); v(r > 0); MAP(0, 1ul << 46, 3, 0x21, -1, 0); }
  CASE("5.11", "mlock") { nopriv(); mapat(0, 2, 3); mapat(3, 1, 3); limit(8, 4 * PG, 4 * PG); v(SC(149, at(0) + 5, PG)); layout(); v(SC(149, at(0), 4 * PG)); layout(); v(SC(149, at(0), 8 * PG)); v(SC(149, at(0), 0)); v(SC(149, at(0), -1)); v(SC(325, at(0), PG, 2)); v(SC(325, at(0), PG, 1)); v(SC(150, at(0), 4 * PG)); layout(); mapat(6, 1, 0); v(SC(149, at(6), PG)); layout(); limit(8, 0, 0); v(SC(149, at(0), 0)); v(SC(150, at(0), PG)); }
  CASE("5.11", "mlockall") { nopriv(); v(SC(151, 0)); v(SC(151, 8)); v(SC(151, 4)); limit(8, PG, PG); v(SC(151, 1)); v(SC(151, 2)); MAP(0, 4 * PG, 3, ANON, -1, 0); v(SC(152)); long r = SC(9, 0, 4 * PG, 3, ANON, -1, 0); v(r > 0); limit(8, 0, 0); v(SC(151, 1)); }
  CASE("5.12", "mincore") { u8 c[8]; memset(c, 9, 8); mapat(0, 2, 3); put(0, 1); v(SC(27, at(0) + 1, PG, c)); v(SC(27, 1ul << 48, PG, c)); v(SC(27, at(0), PG, -8)); v(SC(27, at(0), 3 * PG, c)); v(SC(27, at(0), 2 * PG, 8)); v(SC(27, at(9), 0, 8)); v(SC(27, at(0), 2 * PG, c)); v(c[0]); v(c[1]); v(c[2]); get(1); SC(27, at(0), 2 * PG, c); v(c[1]); }
  CASE("5.12", "msync") { mapat(0, 1, 3); mapat(2, 1, 3); v(SC(26, at(0), PG, 8)); v(SC(26, at(0) + 1, PG, 4)); v(SC(26, at(0), PG, 5)); v(SC(26, at(0), -4096, 4)); v(SC(26, at(9), 0, 4)); v(SC(26, at(0), -1, 4)); v(SC(26, at(0), 3 * PG, 4)); v(SC(26, at(0), 3 * PG, 1)); SC(149, at(2), PG); v(SC(26, at(0), 3 * PG, 2)); v(SC(26, at(0), PG, 0)); }
  CASE("5.13", "remap_file_pages") { mapfile(0, 4, 3, 1, memfd(4), 0); put(2, 7); v(SC(216, at(0), PG, 1, 2, 0)); v(SC(216, at(0), PG - 1, 0, 2, 0)); v(SC(216, at(0), PG, 0, -1, 0)); v(SC(216, at(9), PG, 0, 2, 0)); v(SC(216, at(0), PG, 0, 2, 0)); v(get(0)); layout(); v(SC(216, at(0) + 5, 2 * PG, 0, 0, 0)); v(SC(216, at(1), 2 * PG, 0, 0, 0)); mapat(8, 1, 3); v(SC(216, at(8), PG, 0, 0, 0)); }
}

static void faults(void) {
  CASE("5.14", "unmapped, read-only, no permission, no execution") { a(at(0), 'r'); a(at(0), 'w'); a(at(0), 'x'); a(0, 'r'); mapat(0, 1, 1); a(at(0), 'w'); get(0); a(at(0), 'w'); mapat(1, 1, 3); put(1, 1); prot(1, 1, 0); a(at(1), 'r'); a(at(1), 'w'); a(at(1), 'x'); mapat(2, 1, 3); a(at(2), 'x'); mapat(3, 1, 2); a(at(3), 'r'); a(at(3), 'w'); }
  CASE("5.14", "outside user space") { a(TASK, 'r'); v(f_addr == TASK); a(TASK, 'w'); a(0xffff800000000000, 'r'); v(f_addr == 0xffff800000000000); a(0x1000000000000000, 'r'); v(f_addr); a(0x1000000000000000, 'x'); a(TASK - 1, 'r'); }
  CASE("5.14", "files: beyond the end, the tail, truncated, written tail") { int f = memfd(0); SC(77, f, PG + 100); mapfile(0, 3, 3, 1, f, 0); a(at(2), 'r'); a(at(2), 'w'); a(at(1) + 200, 'r'); a(at(1) + 200, 'w'); v(*(u8 *)(at(1) + 201)); mapfile(4, 2, 3, 2, f, 0); put(4, 5); put(5, 6); SC(77, f, 0); a(at(4), 'r'); a(at(5), 'r'); a(at(0), 'r'); mapfile(8, 1, 3, 2, f, 0); a(at(8), 'w'); }
  CASE("5.14", "the kernel's copies") { int p[2]; SC(22, p); mapat(0, 1, 3); mapat(1, 1, 0); mapat(2, 1, 2); SC(1, p[1], "0123456789abcdefghij", 20); v(SC(0, p[0], at(1) - 10, 20)); v(SC(1, p[1], at(1), 5)); v(SC(1, p[1], at(2), 5)); v(SC(1, p[1], at(9), 5)); mapat(3, 1, 4); v(SC(1, p[1], at(3), 5)); v(SC(1, p[1], 1ul << 60, 5)); mapfile(5, 2, 3, 1, memfd(1), 0); v(SC(1, p[1], at(6), 5)); }
  CASE("5.15", "copy on write, zero pages, DONTNEED") { mapat(0, 1, 3); put(0, 5); FORK { v(get(0)); put(0, 6); v(get(0)); } v(get(0)); v(advise(0, 1, 4)); v(get(0)); int f = memfd(1); SC(18, f, "F", 1, 0); mapfile(2, 1, 3, 2, f, 0); put(2, 1); v(advise(2, 1, 4)); v(get(2)); mapfile(3, 1, 3, 1, f, 0); put(3, 2); v(advise(3, 1, 4)); v(get(3)); mapsh(4, 1, 3); put(4, 9); v(advise(4, 1, 4)); v(get(4)); }
}

static void policies(void) {
  u64 one = 1, two = 2, none = 0; i32 mode = 77; u64 mask_[16] = {0};
#define mask (*mask_)
  CASE("2.8", "set_mempolicy") { v(SC(238, 0, 0, 0)); v(SC(238, 1, &one, 2)); v(SC(238, 2, &one, 2)); v(SC(238, 3, &one, 2)); v(SC(238, 2, 0, 0)); v(SC(238, 2, &two, 3)); v(SC(238, 0, &one, 2)); v(SC(238, 4, 0, 0)); v(SC(238, 4, &one, 2)); v(SC(238, 9, &one, 2)); v(SC(238, 5, &one, 2)); v(SC(238, 2, 8, 2)); v(SC(238, 2 | 0x8000, &one, 2)); v(SC(238, 2 | 0x4000, &one, 2)); v(SC(238, 2 | 0xc000, &one, 2)); v(SC(238, 1, &none, 0)); v(SC(238, 2, &one, 1ul << 20)); v(SC(238, -1, 0, 0)); v(SC(238, 1 | 0x8000, 0, 0)); v(SC(238, 6, &one, 2)); v(SC(238, 2 | 0x2000, &one, 2)); }
  CASE("2.8", "get_mempolicy") { v(SC(239, &mode, mask_, 1024, 0, 0)); v(mode); v(SC(238, 2, &one, 2)); v(SC(239, &mode, mask_, 1024, 0, 0)); v(mode); v(mask); v(SC(239, &mode, mask_, 1, 0, 0)); v(SC(239, &mode, 0, 0, at(0), 0)); v(SC(239, &mode, 0, 0, at(0), 2)); mapat(0, 1, 3); v(SC(239, &mode, 0, 0, at(0), 2)); v(mode); put(0, 1); v(SC(239, &mode, 0, 0, at(0), 3)); v(mode); v(SC(239, 0, mask_, 1024, 0, 4)); v(mask); v(SC(239, &mode, 0, 0, 0, 1)); v(SC(239, 8, 0, 0, 0, 0)); v(SC(239, &mode, 0, 0, 0, 8)); v(SC(239, 0, mask_, 1024, 0, 6)); v(SC(239, &mode, mask_, 1024, at(50), 3)); v(SC(239, 0, 0, 0, 0, 0)); }
  CASE("2.8", "mbind") { mapat(0, 3, 3); v(SC(237, at(1), PG, 2, &one, 2, 0)); layout(); v(SC(239, &mode, mask_, 1024, at(1), 2)); v(mode); v(mask); v(SC(237, at(1), PG, 0, 0, 0, 0)); layout(); v(SC(237, at(0) + 1, PG, 2, &one, 2, 0)); v(SC(237, at(0), 0, 2, &one, 2, 0)); v(SC(237, at(0), 5 * PG, 2, &one, 2, 0)); v(SC(237, at(9), PG, 2, &one, 2, 0)); v(SC(237, at(0), PG, 9, &one, 2, 0)); v(SC(237, at(0), PG, 2, &two, 3, 0)); v(SC(237, at(0), PG, 2, &one, 2, 8)); v(SC(237, at(0), PG, 2, &one, 2, 7)); v(SC(237, at(0), PG, 2, 8, 2, 0)); v(SC(237, at(0), -4096, 2, &one, 2, 0)); v(SC(237, at(0), -1, 2, &one, 2, 0)); v(SC(237, at(0), PG, 0, &one, 2, 0)); layout(); }
  CASE("2.8", "policies part areas, and equal ones merge") { mapat(0, 4, 3); v(SC(237, at(0), PG, 3, &one, 2, 0)); v(SC(237, at(1), PG, 3, &one, 2, 0)); layout(); v(SC(237, at(2), 2 * PG, 1, &one, 2, 0)); layout(); v(prot(0, 4, 1)); layout(); }
  CASE("2.8", "set_mempolicy_home_node") { mapat(0, 2, 3); v(SC(450, at(0), PG, 0, 0)); v(SC(237, at(0), PG, 2, &one, 2, 0)); v(SC(450, at(0), PG, 0, 0)); v(SC(450, at(0), PG, 1, 0)); v(SC(450, at(0), PG, 0, 1)); v(SC(450, at(0) + 1, PG, 0, 0)); v(SC(450, at(9), PG, 0, 0)); v(SC(450, at(0), 0, 0, 0)); v(SC(237, at(1), PG, 3, &one, 2, 0)); v(SC(450, at(0), 2 * PG, 0, 0)); }
  CASE("2.8", "migrate_pages and move_pages") { mapat(0, 2, 3); put(0, 1); u64 pages[3] = {at(0), at(1), at(9)}; i32 status[3] = {9, 9, 9}, nodes[3] = {0, 0, 0}; v(SC(256, 0, 2, &one, &one)); v(SC(256, 0, 2, &one, &none)); v(SC(256, 999999, 2, &one, &one)); v(SC(256, 0, 3, &one, &two)); v(SC(256, 0, 2, 8, &one)); v(SC(279, 0, 3, pages, 0, status, 0)); v(status[0]); v(status[1]); v(status[2]); v(SC(279, 0, 3, pages, nodes, status, 2)); v(status[0]); v(status[1]); v(status[2]); nodes[0] = 1; v(SC(279, 0, 1, pages, nodes, status, 2)); v(SC(279, 0, 1, pages, 0, status, 1)); v(SC(279, 999999, 1, pages, 0, status, 0)); v(SC(279, 0, 1, 8, 0, status, 0)); v(SC(279, 0, 0, pages, 0, status, 0)); v(SC(279, 0, 1, pages, 0, 8, 0)); }
  CASE("2.8", "fork hands policies on") { mapat(0, 1, 3); SC(237, at(0), PG, 2, &one, 2, 0); SC(238, 3, &one, 2); FORK { v(SC(239, &mode, 0, 0, 0, 0)); v(mode); v(SC(239, &mode, 0, 0, at(0), 2)); v(mode); } }
}

static void releasing(void) {
  CASE("5.16", "process_mrelease") { v(SC(448, 99, 0)); v(SC(448, 0, 0)); int me = SC(434, pid(), 0); v(SC(448, me, 1)); v(SC(448, me, 0)); long c = SC(57); if (!c) for (;;) SC(34); int fd = SC(434, c, 0); v(SC(448, fd, 0)); SC(62, c, 9); long r = SC(448, fd, 0); v(r == 0 || r == -3); i32 s; SC(61, c, &s, 0, 0); v(SC(448, fd, 0)); }
  CASE("5.16", "MADV_COLLAPSE") { mapat(0, 1, 3); v(advise(0, 1, 25)); v(advise(0, 2, 25)); v(SC(28, at(0), 4 << 20, 25)); SC(9, FAR, 6 << 20, 3, FIXED, -1, 0); v(SC(28, FAR, 1 << 20, 25)); }
}

int main_(long *sp) {
  char *name = (char *)sp[1];
  if (sp[0] > 1) { ps("Z-9 the old layout:"); u64 x = SC(9, 0, PG, 3, ANON, -1, 0), y = SC(9, 0, PG, 1, ANON, -1, 0); pc(' '); px(x & ~0xffffffful); v(y - x); pc(' '); px(SC(9, 0x20000001, PG, 1, ANON, -1, 0)); return done(); }
  mapping(); placing(name); areas(); faults(); policies(); releasing();
  flush();
  return 0;
}
