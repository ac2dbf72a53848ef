/* Chapters 1 and 2 of the rules: mseal, and what a seal does to other calls. */
#include "rules.h"

static void sealing(void) { for (;;) for (long i = 0; i < 40; i++) seal(i, 1); }
static void mseal_(void) {
  CASE("M-2", "flags before all else") { v(SC(462, 1, 0, 1)); v(SC(462, at(0), PG, 1)); v(SC(462, at(0), 0, 1)); v(SC(462, at(0), PG, 1ul << 63)); mapat(0, 1, 3); v(SC(462, at(0), PG, 2)); }
  CASE("M-3", "an unaligned address, also without length") { mapat(0, 2, 3); v(SC(462, at(0) + 1, PG, 0)); v(SC(462, at(0) + 1, 0, 0)); }
  CASE("M-4", "a length that rounds to 0") { mapat(0, 1, 3); v(SC(462, at(0), -1, 0)); v(SC(462, at(0), -4095, 0)); }
  CASE("M-5", "a range that wraps or ends at 2^64") { mapat(0, 1, 3); v(SC(462, at(0), -4096, 0)); v(SC(462, -4096, 4096, 0)); v(SC(462, -4096, 8192, 0)); }
  CASE("M-6", "length 0 anywhere") { v(SC(462, 0, 0, 0)); v(SC(462, at(0), 0, 0)); v(SC(462, 0xffff800000000000, 0, 0)); v(SC(462, 0x123456789abcd000, 0, 0)); }
  CASE("M-8", "a hole at the start, in the middle, at the end") { mapat(1, 2, 3); mapat(4, 2, 3); v(seal(0, 2)); v(seal(1, 5)); v(seal(4, 3)); v(SC(462, 0xffff800000000000, PG, 0)); v(SC(462, 0x123456789abcd000, PG, 0)); v(SC(462, TASK, PG, 0)); layout(); }
  CASE("M-9", "the apply pass begins when all is mapped") { mapat(0, 2, 3); mapat(2, 2, 1); v(seal(0, 4)); layout(); }
  CASE("M-10", "anything can be sealed") {
    mapsh(0, 1, 3); mapat(1, 1, 0); mapfile(2, 1, 1, 1, memfd(1), 0); v(seal(0, 3));
    u64 end, start = named("[vdso]", &end); v(SC(462, start, end - start, 0)); start = named("[vvar]", &end); v(SC(462, start, end - start, 0));
    start = named("[stack]", &end); v(SC(462, start, end - start, 0)); brk_(brk_(0) + PG * 2); start = named("[heap]", &end); v(SC(462, start, end - start, 0)); layout();
  }
  CASE("M-11", "the vsyscall page is no area") { v(SC(462, 0xffffffffff600000, PG, 0)); }
  CASE("M-12", "a tagged pointer is not stripped") { mapat(0, 1, 3); v(SC(462, at(0) | 1ul << 62, PG, 0)); v(SC(462, at(0) | 1ul << 57, PG, 0)); }
  CASE("M-13", "from the middle to the middle, and to the very end") { mapat(0, 4, 3); v(seal(1, 2)); v(seal(3, 1)); layout(); }
  CASE("M-14", "splits, and idempotent") { mapat(0, 6, 3); v(seal(2, 2)); layout(); v(seal(2, 2)); v(seal(1, 4)); layout(); }
  CASE("M-15", "one byte seals a page") { mapat(0, 2, 3); v(SC(462, at(0), 1, 0)); layout(); }
  CASE("M-16", "sealed neighbours merge when sealed") { mapat(0, 4, 3); v(seal(2, 2)); layout(); v(seal(0, 2)); layout(); }
  CASE("M-17", "a new mapping beside is not sealed") { mapat(0, 2, 3); seal(0, 2); mapat(2, 2, 3); layout(); mapat(5, 2, 3); mapat(7, 1, 3); seal(7, 1); v(remap(5, 2, 2, 0, 0)); v(SC(25, at(2), 2 * PG, 3 * PG, 0)); layout(); }
  CASE("M-18", "at the map limit the areas before stay sealed") { mapat(0, 2, 3); mapat(2, 4, 1); tooMany(1); v(seal(0, 4)); SC(11, FAR, PG * 100); layout(); }
  CASE("M-19", "at the map limit whole areas can be sealed") { mapat(0, 2, 3); mapat(2, 4, 1); tooMany(1); v(seal(0, 6)); SC(11, FAR, PG * 100); layout(); }
  CASE("M-20", "part of a special mapping") { u64 start = named("[vvar]", 0); v(SC(462, start, PG, 0)); start = named("[vdso]", 0); v(SC(462, start, PG, 0)); }
  CASE("M-21", "smaps shows sl") { mapat(0, 1, 3); seal(0, 1); layout(); }
  CASE("M-22", "sealing again from a sealed area on merges") { mapat(0, 3, 3); seal(0, 2); v(seal(0, 3)); layout(); }
  CASE("M-7", "a fatal signal finds no call half done: what is sealed is so from the start on") { mapat(0, 40, 3); for (long i = 1; i < 40; i += 2) prot(i, 1, 1); work = sealing; long c = spawn_(0x111, threadstack + sizeof threadstack, 0); while (advise(1, 1, 4) >= 0) SC(24); SC(62, c, 9); SC(61, c, 0, 0, 0); long first = 0, all = 0; for (long i = 1; i < 40; i += 2) { long r = advise(i, 1, 4); if (r < 0 && first == i / 2) first++; if (r < 0) all++; } v(first > 0); v(first == all); }
  CASE("M-24", "the seal's bit is the kernel's own: pages show nothing of it") { mapat(0, 2, 3); put(0, 1); u64 x[4]; int f = SC(2, "/proc/self/pagemap", 0, 0); SC(17, f, x, 16, at(0) / 512); seal(0, 2); SC(17, f, x + 2, 16, at(0) / 512); v(x[0] == x[2]); v(x[1] == x[3]); pc(' '); px(x[2] >> 56); pc(' '); px(x[3] >> 56); }
  CASE("M-23", "there is no way to unseal") { mapat(0, 1, 3); seal(0, 1); v(SC(462, at(0), PG, 0)); v(SC(462, at(0), PG, 1)); v(unmap(0, 1)); }
}

static void unmapping(void) {
  CASE("U-1", "whole, part, around, with a hole") { mapat(0, 6, 3); put(2, 7); seal(4, 2); v(unmap(4, 2)); v(unmap(5, 1)); v(unmap(0, 6)); v(unmap(0, 10)); mapat(8, 1, 3); seal(8, 1); v(unmap(6, 4)); v(get(2)); }
  CASE("U-2", "the area before stays split") { mapat(0, 6, 3); put(2, 7); seal(4, 2); v(unmap(2, 4)); layout(); v(get(2)); }
  CASE("U-3", "no split from within a sealed area") { mapat(0, 6, 3); seal(4, 2); v(unmap(5, 2)); layout(); }
  CASE("U-4", "at the map limit, strictly inside") { mapat(0, 6, 3); seal(0, 6); tooMany(1); v(unmap(2, 1)); v(unmap(0, 1)); v(unmap(5, 1)); v(unmap(0, 6)); }
  CASE("U-5", "argument errors come first") { mapat(0, 1, 3); seal(0, 1); v(SC(11, at(0), 0)); v(SC(11, at(0) + 1, PG)); v(SC(11, at(0), TASK)); }
  CASE("U-6", "up to the end of user space") { mapat(0, 1, 3); seal(0, 1); v(SC(11, at(0), TASK - at(0))); }
}

static void mapping(void) {
  CASE("P-1", "MAP_FIXED over it, the same mapping even") { mapat(0, 6, 3); seal(4, 2); v(mapat(4, 2, 3)); v(mapat(5, 2, 3)); v(mapat(0, 6, 3)); }
  CASE("P-2", "MAP_FIXED_NOREPLACE") { mapat(0, 2, 3); seal(0, 2); v(SC(9, at(0), PG, 3, ANON | 0x100000, -1, 0)); }
  CASE("P-3", "a hint goes elsewhere") { mapat(0, 2, 3); seal(0, 2); long r = SC(9, at(0), PG, 3, ANON, -1, 0); v(r > 0 && r != at(0)); }
  CASE("P-4", "what is checked before") {
    mapat(0, 2, 3); seal(0, 2); int pipe[2]; SC(22, pipe); int fd = memfd(1); int ro = SC(2, "/proc/self/exe", 0, 0);
    v(SC(9, at(0), 0, 3, FIXED, -1, 0)); v(SC(9, at(0) + 1, PG, 3, FIXED, -1, 0)); v(SC(9, at(0), PG, 3, 0x30, -1, 0)); v(SC(9, at(0), PG, 3, FIXED, -1, 1)); v(SC(9, at(0), PG, 3, 0x12, 99, 0));
    v(SC(9, at(0), TASK, 3, FIXED, -1, 0)); v(SC(9, at(0), PG, 3, 0x12, fd, 0x7ffffffffffff000)); v(SC(9, at(0), PG, 3, 0x11, ro, 0)); v(SC(9, at(0), PG, 1, 0x12, pipe[0], 0));
    SC(72, fd, 1033, 8); v(SC(9, at(0), PG, 3, 0x11, fd, 0)); limit(8, PG, PG); u32 caps[6] = {0x20080522}; SC(126, caps, caps + 2); v(SC(9, at(0), 2 * PG, 3, FIXED | 0x2000, -1, 0));
  }
  CASE("P-5", "MDWE") { mapat(0, 1, 3); seal(0, 1); v(SC(157, 65, 1, 0, 0, 0)); v(mapat(0, 1, 7)); v(mapat(0, 1, 3)); }
  CASE("P-6", "RLIMIT_AS and RLIMIT_DATA") { mapat(0, 1, 3); seal(0, 1); limit(9, 1 << 20, 1 << 20); v(SC(9, at(0), PG * 1000, 3, FIXED, -1, 0)); }
  CASE("P-6", "RLIMIT_DATA") { mapat(0, 1, 3); seal(0, 1); limit(2, 1 << 20, 1 << 20); v(SC(9, at(0), PG * 1000, 3, FIXED, -1, 0)); }
  CASE("P-7", "the unsealed part keeps its content, and is split") { mapat(0, 6, 3); put(3, 9); seal(4, 2); v(mapat(3, 2, 1)); v(get(3)); layout(); }
  CASE("P-8", "at the map limit, strictly inside") { mapat(0, 6, 3); seal(0, 6); tooMany(1); v(mapat(2, 1, 3)); v(mapat(0, 1, 3)); v(mapat(5, 1, 3)); }
  CASE("P-9", "a refused PROT_EXEC mapping has taken a key") { mapat(0, 1, 3); seal(0, 1); v(mapat(0, 1, 4)); v(SC(330, 0, 0)); }
}

static void protecting(void) {
  CASE("R-1", "the same protection") { mapat(0, 1, 3); seal(0, 1); v(prot(0, 1, 3)); v(prot(0, 1, 1)); }
  CASE("R-2", "the areas before have changed") { mapat(0, 8, 3); seal(4, 2); v(prot(2, 4, 1)); layout(); }
  CASE("R-3", "a hole before the sealed area, and after it") { mapat(0, 2, 3); mapat(3, 2, 3); seal(3, 2); v(prot(0, 5, 1)); layout(); v(prot(3, 4, 1)); layout(); }
  CASE("R-4", "EACCES of the same area") {
    int fd = SC(2, "/proc/self/exe", 0, 0); mapfile(0, 1, 1, 1, fd, 0); seal(0, 1); v(prot(0, 1, 3));
    mapat(1, 1, 3); seal(1, 1); SC(157, 65, 1, 0, 0, 0); v(prot(1, 1, 7));
  }
  CASE("R-5", "arguments come first") { mapat(0, 1, 3); seal(0, 1); v(SC(10, at(0) + 1, PG, 1)); v(prot(0, 1, 0x10)); v(prot(0, 1, 0x3000001)); v(prot(0, 1, 0x1000001)); v(prot(0, 1, 0x2000001)); v(kprot(0, 1, 1, 7)); v(kprot(0, 1, 1, 16)); v(kprot(0, 1, 1, -2)); }
  CASE("R-6", "pkey_mprotect of any key") { mapat(0, 1, 3); int k = SC(330, 0, 0); kprot(0, 1, 3, k); seal(0, 1); v(kprot(0, 1, 3, -1)); v(kprot(0, 1, 3, 0)); v(kprot(0, 1, 3, k)); }
  CASE("R-7", "length 0") { mapat(0, 1, 3); seal(0, 1); v(SC(10, at(0), 0, 1)); }
  CASE("R-8", "PROT_GROWSDOWN that reaches it") { SC(9, at(300), 4 * PG, 3, FIXED | 0x100, -1, 0); seal(300, 2); v(prot(303, 1, 0x1000001)); v(prot(301, 1, 0x1000001)); layout(); }
  CASE("R-8", "below the sealed part") { SC(9, at(300), 4 * PG, 3, FIXED | 0x100, -1, 0); seal(302, 2); v(prot(301, 1, 0x1000001)); layout(); }
  CASE("R-9", "a refused PROT_EXEC has taken a key") { mapat(0, 1, 3); seal(0, 1); v(prot(0, 1, 4)); v(SC(330, 0, 0)); }
}

static void moving(void) {
  CASE("2.4", "same size, shrink, grow") { mapat(0, 4, 3); seal(0, 4); v(remap(0, 4, 4, 0, 0)); v(remap(0, 4, 4, 1, 0)); v(remap(0, 4, 2, 0, 0)); v(remap(0, 4, 6, 0, 0)); v(remap(0, 4, 6, 1, 0)); }
  CASE("2.4", "FIXED, DONTUNMAP") { mapat(0, 4, 3); seal(0, 4); v(remap(0, 4, 4, 3, 100)); v(SC(25, at(0), 4 * PG, 4 * PG, 5, 0)); v(remap(0, 4, 4, 7, 100)); layout(); }
  CASE("2.4", "parameters: size 0, flags, MAYMOVE, DONTUNMAP resize, unaligned") { mapat(0, 4, 3); seal(0, 4); v(remap(0, 4, 0, 0, 0)); v(remap(0, 4, 4, 8, 0)); v(remap(0, 4, 4, 2, 100)); v(remap(0, 4, 5, 5, 0)); v(SC(25, at(0) + 1, PG, PG, 0, 0)); }
  CASE("2.4", "FIXED to an unaligned address") { mapat(0, 4, 3); seal(0, 4); v(SC(25, at(0), PG, PG, 3, at(100) + 1)); }
  CASE("2.4", "FIXED over itself") { mapat(0, 4, 3); seal(0, 4); v(remap(0, 4, 4, 3, 2)); }
  CASE("2.4", "FIXED beyond user space") { mapat(0, 4, 3); seal(0, 4); v(SC(25, at(0), PG, PG, 3, TASK)); }
  CASE("2.4", "a size beyond user space") { mapat(0, 4, 3); seal(0, 4); v(SC(25, at(0), PG, TASK + PG, 0, 0)); mapat(10, 1, 3); v(SC(25, at(10), PG, TASK + PG, 1, 0)); }
  CASE("2.4", "old size 0, private") { mapat(0, 4, 3); seal(0, 4); v(remap(0, 0, 4, 1, 0)); }
  CASE("2.4", "old size 0, shared") { mapsh(0, 4, 3); seal(0, 4); long r = remap(0, 0, 4, 1, 0); v(r > 0 ? 1 : r); }
  CASE("X-1", "a sealed page in the destination") { mapat(0, 2, 3); put(0, 5); mapat(10, 4, 3); put(10, 6); seal(12, 1); v(remap(0, 2, 2, 3, 11)); v(get(0)); v(get(10)); layout(); v(remap(0, 2, 1, 3, 12)); layout(); }
  CASE("X-2", "a shrink whose tail is sealed") { mapat(0, 6, 3); seal(4, 2); v(remap(0, 6, 2, 0, 0)); v(remap(0, 6, 5, 0, 0)); layout(); v(remap(0, 4, 2, 0, 0)); layout(); }
  CASE("X-3", "only the first area is asked") { mapat(0, 4, 3); seal(2, 2); v(remap(0, 4, 4, 0, 0)); layout(); }
  CASE("X-4", "FIXED of an unsealed and a sealed area") { mapat(0, 4, 3); put(0, 5); seal(2, 2); mapat(10, 4, 1); v(remap(0, 4, 4, 3, 10)); layout(); }
  CASE("X-5", "growth beside a sealed neighbour") { mapat(0, 2, 3); mapat(2, 2, 3); seal(2, 2); v(remap(0, 2, 4, 0, 0)); long r = remap(0, 2, 4, 1, 0); v(r > 0 && r != at(0) ? 1 : r); layout(); }
  CASE("X-6", "FIXED over several areas") { mapat(0, 2, 3); mapat(2, 2, 1); mapat(10, 4, 3); v(remap(0, 4, 4, 3, 10)); layout(); }
  CASE("X-7", "holes inside and at the end are kept") { mapat(0, 1, 3); put(0, 5); mapat(2, 1, 1); mapat(10, 5, 0); v(remap(0, 4, 4, 3, 10)); layout(); }
  CASE("X-8", "a hole at the start, and nothing at all") { mapat(1, 1, 3); mapat(10, 4, 1); v(remap(0, 4, 4, 3, 10)); v(remap(20, 2, 2, 3, 10)); layout(); }
  CASE("X-9", "the areas before the refused one have moved") { mapat(0, 1, 3); mapat(1, 1, 1); mapat(2, 1, 3); seal(2, 1); v(remap(0, 3, 3, 3, 10)); layout(); }
  CASE("X-9", "a sealed page in the destination") { mapat(0, 1, 3); mapat(1, 1, 1); mapat(2, 1, 3); mapat(11, 1, 3); seal(11, 1); v(remap(0, 3, 3, 3, 10)); layout(); }
  CASE("X-10", "a device that places itself moves alone") { int z = SC(2, "/dev/zero", 2, 0); mapfile(0, 2, 3, 2, z, 0); mapat(2, 1, 3); v(remap(0, 2, 2, 3, 10)); layout(); }
  CASE("X-10", "not with others") { int z = SC(2, "/dev/zero", 2, 0); mapat(0, 1, 1); mapfile(1, 2, 3, 2, z, 0); mapat(3, 1, 1); v(remap(1, 3, 3, 3, 10)); layout(); v(remap(0, 3, 3, 3, 10)); layout(); }
  CASE("X-11", "DONTUNMAP, growth, shrink, nothing, across areas") { mapat(0, 2, 3); mapat(2, 2, 1); v(SC(25, at(0), 4 * PG, 4 * PG, 5, 0)); v(remap(0, 4, 6, 1, 0)); v(remap(0, 4, 4, 0, 0)); v(remap(0, 4, 3, 0, 0)); layout(); }
  CASE("5.6", "the map count, for every mremap") { mapat(0, 2, 3); tooMany(3); v(remap(0, 2, 2, 0, 0)); v(remap(0, 2, 1, 0, 0)); v(remap(0, 1, 1, 3, 10)); seal(0, 1); v(remap(0, 1, 1, 0, 0)); }
}

static void heap(void) {
  CASE("B-1", "over a sealed page") { u64 b = SC(12, 0); SC(12, b + 6 * PG); u64 p = (b + PG - 1) & ~(PG - 1); *(u8 *)p = 3; SC(462, p + 2 * PG, PG, 0); v(SC(12, b + PG) - b); v(SC(12, 0) - b); v(*(u8 *)p); }
  CASE("B-2", "above it, and within a page") { u64 b = SC(12, 0); u64 p = (b + PG - 1) & ~(PG - 1); SC(12, p + 6 * PG); SC(462, p + 2 * PG, PG, 0); v(SC(12, p + 4 * PG) - p); v(SC(12, p + 4 * PG - 5) - p); v(SC(12, p + 3 * PG) - p); }
  CASE("B-3", "growing past it") { u64 b = SC(12, 0); u64 p = (b + PG - 1) & ~(PG - 1); SC(12, p + 2 * PG); SC(462, p + PG, PG, 0); v(SC(12, p + 4 * PG) - p); v(SC(11, p + 3 * PG, PG)); v(SC(11, p + PG, PG)); }
  CASE("B-4", "it is as any sealed area") { u64 b = SC(12, 0); u64 p = (b + PG - 1) & ~(PG - 1); SC(12, p + 2 * PG); SC(462, p, PG, 0); v(SC(10, p, PG, 1)); v(SC(28, p, PG, 4)); }
  CASE("2.7", "locks") { mapat(0, 4, 3); seal(0, 4); v(SC(149, at(1), PG)); layout(); v(SC(325, at(2), PG, 1)); v(SC(150, at(1), 2 * PG)); v(SC(151, 1)); v(SC(152)); layout(); }
  CASE("2.8", "msync") { mapat(0, 1, 3); put(0, 4); seal(0, 1); v(SC(26, at(0), PG, 4)); v(SC(26, at(0), PG, 1)); v(SC(26, at(0), PG, 0)); v(SC(26, at(0), PG, 2)); v(get(0)); SC(149, at(0), PG); v(SC(26, at(0), PG, 2)); }
  CASE("2.8", "mbind and remap_file_pages") { mapat(0, 3, 3); seal(0, 3); u64 nodes = 1; v(SC(237, at(1), PG, 2, &nodes, 2, 0)); v(SC(237, at(0), 3 * PG, 1, &nodes, 2, 2)); mapfile(10, 4, 3, 1, memfd(4), 0); put(10, 5); seal(10, 4); v(SC(216, at(10), PG, 0, 1, 0)); v(get(10)); }
  CASE("2.8", "a name") { mapat(0, 3, 3); seal(0, 3); v(SC(157, 0x53564d41, 0, at(1), PG, "x")); }
}

static void growing(void) {
  CASE("G-1", "a sealed area that grows down grows") { SC(9, at(300), 2 * PG, 3, FIXED | 0x100, -1, 0); seal(300, 2); a(at(299), 'w'); layout(); v(prot(299, 1, 1)); v(unmap(299, 1)); }
  CASE("G-2", "the main stack, sealed in part") { u64 end, start = named("[stack]", &end); u64 low = start; v(SC(462, end - PG, PG, 0)); a(start - 3 * PG, 'w'); v(SC(11, low - 3 * PG, PG)); v(SC(11, end - PG, PG)); }
  CASE("G-2", "sealed as a whole") { u64 end, start = named("[stack]", &end); u64 low = start; v(SC(462, start, end - start, 0)); a(start - 3 * PG, 'w'); start = named("[stack]", &end); v((low - start) / PG); v(SC(11, start, PG)); }
}

static volatile long shared_result;
static void unmapInThread(void) { shared_result = unmap(0, 1); }
static void ending(char *argv0) {
  CASE("E-1", "fork copies it") { mapat(0, 2, 3); seal(0, 2); FORK { v(unmap(0, 1)); v(prot(0, 2, 1)); layout(); } }
  CASE("E-2", "threads share it") { mapat(0, 1, 3); seal(0, 1); thread(unmapInThread); v(shared_result); }
  CASE("E-3", "exec begins without") { on = 0; SC(462, named("[stack]", 0), PG, 0); char *args[] = {argv0, "E-3", 0}; SC(59, "/proc/self/exe", args, 0); }
  CASE("E-4", "the end takes it away") { mapsh(100, 1, 3); FORK { mapat(0, 2, 3); seal(0, 2); put(100, 8); } v(get(100)); }
  CASE("E-5", "DONTFORK and WIPEONFORK before the seal") { mapat(0, 1, 3); mapat(2, 1, 3); put(2, 6); advise(0, 1, 10); advise(2, 1, 18); seal(0, 1); seal(2, 1); FORK { layout(); v(get(2)); } v(get(2)); }
}

static void forced(void) {
  CASE("W-1", "/proc/self/mem into sealed memory") { mapat(0, 1, 3); put(0, 1); prot(0, 1, 1); seal(0, 1); int m = SC(2, "/proc/self/mem", 2, 0); u8 b = 9; v(SC(18, m, &b, 1, at(0))); v(get(0)); }
  CASE("W-1", "of no permission") { mapat(0, 1, 3); put(0, 1); prot(0, 1, 0); seal(0, 1); int m = SC(2, "/proc/self/mem", 2, 0); u8 b = 9; v(SC(18, m, &b, 1, at(0))); b = 0; v(SC(17, m, &b, 1, at(0))); v(b); }
  CASE("W-2", "PTRACE_POKEDATA, and the tracer's /proc/PID/mem") {
    mapat(0, 1, 3); put(0, 1); prot(0, 1, 1); seal(0, 1); long c = SC(57);
    if (!c) { SC(101, 0, 0, 0, 0); SC(62, pid(), 19); SC(231, get(0)); }
    i32 s; SC(61, c, &s, 0, 0); v(SC(101, 5, c, at(0), 0x55)); char path[32] = "/proc/"; char t[12]; int n = 0, i = 6; for (long x = c; x; x /= 10) t[n++] = '0' + x % 10; while (n) path[i++] = t[--n]; memcpy(path + i, "/mem", 5);
    int m = SC(2, path, 2, 0); u8 b = 0; v(SC(17, m, &b, 1, at(0))); v(b); b = 0x56; v(SC(18, m, &b, 1, at(0))); SC(101, 7, c, 0, 0); SC(61, c, &s, 0, 0); v(s >> 8);
  }
  CASE("W-3", "a shared mapping that may not be written") { int fd = memfd(1); mapfile(0, 1, 1, 1, fd, 0); int m = SC(2, "/proc/self/mem", 2, 0); u8 b = 9; v(SC(18, m, &b, 1, at(0))); }
  CASE("W-4", "process_vm_writev never forces") { mapat(0, 1, 3); mapat(1, 1, 1); seal(0, 2); u8 b = 9; u64 l[2] = {(u64)&b, 1}, r[2] = {at(0), 1}; v(SC(311, pid(), l, 1, r, 1, 0)); r[0] = at(1); v(SC(311, pid(), l, 1, r, 1, 0)); v(get(0)); }
}

static void sysv(void) {
  CASE("H-1", "shmdt of sealed memory") { int id = SC(29, 0, 4 * PG, 0600); SC(30, id, at(0), 0); SC(31, id, 0, 0); seal(0, 4); v(SC(67, at(0))); layout(); }
  CASE("H-1", "of partly sealed memory") { int id = SC(29, 0, 4 * PG, 0600); SC(30, id, at(0), 0); SC(31, id, 0, 0); seal(1, 1); v(SC(67, at(0))); layout(); }
  CASE("H-2", "shmat with SHM_REMAP, and without") { mapat(0, 2, 3); seal(0, 2); int id = SC(29, 0, 2 * PG, 0600); v(SC(30, id, at(0), 040000)); v(SC(30, id, at(0), 0)); SC(31, id, 0, 0); }
  CASE("H-3", "shmdt of what is not attached") { mapat(0, 2, 3); v(SC(67, at(0))); v(SC(67, at(0) + 1)); v(SC(67, at(9))); }
}

static void special(void) {
  CASE("V-1", "the vdso can be sealed") { u64 end, start = named("[vdso]", &end); u64 n = end - start; v(SC(10, start, n, 5)); v(SC(462, start, n, 0)); v(SC(10, start, n, 5)); v(SC(11, start, n)); v(SC(25, start, n, n, 3, at(0))); }
  CASE("V-2", "the system's mappings are not sealed") { u64 end, start = named("[vvar]", &end); v(SC(11, start, end - start)); }
  CASE("V-3", "DONTNEED of the sealed vdso") { u64 end, start = named("[vdso]", &end); v(SC(28, start, end - start, 4)); SC(462, start, end - start, 0); v(SC(28, start, end - start, 4)); }
  CASE("V-3", "of the sealed vvar") { u64 end, start = named("[vvar]", &end); v(SC(28, start, end - start, 4)); SC(462, start, end - start, 0); v(SC(28, start, end - start, 4)); v(SC(28, start, PG, 10)); }
  CASE("D-1", "what MDWE refuses") { mapat(0, 1, 3); mapat(1, 1, 1); mapat(2, 1, 5); mapat(3, 1, 5); v(SC(157, 65, 1, 0, 0, 0)); v(prot(0, 1, 5)); v(prot(1, 1, 5)); v(prot(2, 1, 7)); v(prot(2, 1, 5)); v(prot(3, 1, 1)); v(prot(3, 1, 5)); v(mapat(4, 1, 7)); v(mapat(4, 1, 5)); }
  CASE("D-1", "its arguments") { v(SC(157, 65, 2, 0, 0, 0)); v(SC(157, 65, 4, 0, 0, 0)); v(SC(157, 65, 1, 1, 0, 0)); v(SC(157, 65, 1, 0, 0, 0)); v(SC(157, 65, 0, 0, 0, 0)); v(SC(157, 65, 3, 0, 0, 0)); v(SC(157, 65, 1, 0, 0, 0)); v(SC(157, 66, 0, 0, 0, 0)); }
  CASE("D-1", "over ordinary memory, is the old mapping still there") { mapat(0, 1, 3); put(0, 5); SC(157, 65, 1, 0, 0, 0); v(mapat(0, 1, 7)); a(at(0), 'r'); }
  CASE("D-2", "READ_IMPLIES_EXEC") { SC(135, 0x400000); mapat(0, 1, 1); mapat(1, 1, 3); v(prot(1, 1, 1)); mapat(2, 1, 3); v(prot(2, 1, 2)); layout(); u64 b = SC(12, 0); u64 p = (b + PG - 1) & ~(PG - 1); SC(12, p + PG * 2); *(u8 *)(p + PG) = 0xc3; a(p + PG, 'x'); }
  CASE("D-3", "with seals: see P-5 and R-4") { mapat(0, 1, 1); seal(0, 1); SC(157, 65, 1, 0, 0, 0); v(prot(0, 1, 5)); v(mapat(0, 1, 7)); }
}

int main_(long *sp) {
  char *name = (char *)sp[1];
  if (sp[0] > 1) { ps("E-3 exec begins without:"); mapat(0, 1, 3); v(unmap(0, 1)); u64 end, start = named("[stack]", &end); v(SC(10, start, PG, 3)); return done(); }
  mseal_(); unmapping(); mapping(); protecting(); moving(); heap(); growing(); ending(name); forced(); sysv(); special();
  flush();
  return 0;
}
