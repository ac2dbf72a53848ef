/* Chapter 3 of the rules: madvise, what may be discarded, process_madvise, guard pages. */
#include "rules.h"

static void row(int n) {
  static const u8 all[] = {0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 102, 103};
  static const u8 prots[] = {0, 1, 2, 3, 4, 5, 7};
  int zero = SC(2, "/dev/zero", 2, 0), file = memfd(2), ro, key = newkey(0);
  char path[] = "/proc/self/fd/0"; path[14] = '0' + file; ro = SC(2, path, 0, 0);
  SC(18, file, "content", 7, 0);
  long base = 0;
  for (int p = 0; p < 7; p++)
    for (int r = 0; r < 3; r++)
      for (int s = 0; s < 2; s++) {
        int bits = prots[p];
        if (n == 4 && bits & 2) continue;
        ps(" "); pd(bits); pc("-aw"[r]); pc("us"[s]); pc(' ');
        for (int i = 0; i < sizeof all; i++) {
          rights(key, 0);
          switch (n) {
            case 0: case 6: mapat(base + i * 4, 2, 3); break;
            case 1: mapfile(base + i * 4, 2, 3, 2, zero, 0); break;
            case 2: mapfile(base + i * 4, 2, 3, 2, file, 0); break;
            case 3: mapfile(base + i * 4, 2, 3, 1, file, 0); break;
            case 4: mapfile(base + i * 4, 2, 1, 1, ro, 0); break;
            case 5: mapsh(base + i * 4, 2, 3); break;
          }
          kprot(base + i * 4, 2, bits, key);
          if (n == 6) SC(149, at(base + i * 4), 2 * PG);
          rights(key, r);
          if (s) seal(base + i * 4, 2);
          long e = advise(base + i * 4, 2, all[i]);
          pc(e == 0 ? '0' : e == -22 ? 'I' : e == -1 ? 'P' : e == -13 ? 'A' : '?');
        }
        base += 100;
      }
}

static long madv(int pidfd, u64 *iov, long n, int advice) { return SC(440, pidfd, iov, n, advice, 0); }
static int self(void) { return SC(434, pid(), 0); }
static volatile long in_thread;
static void discardInThread(void) { in_thread = advise(0, 1, 4); }

static void orders(void) {
  CASE("3.1", "advice before alignment, length, map") { v(SC(28, at(0) + 1, PG, 99)); v(SC(28, at(0), 0, 99)); v(SC(28, at(0) + 1, 0, 4)); v(SC(28, at(0), -1, 4)); v(SC(28, at(0), -4096, 4)); v(SC(28, -4096, 8192, 4)); v(SC(28, at(0), 0, 4)); v(SC(28, at(0), PG, 4)); v(SC(28, at(0), PG, 102)); v(SC(28, 0xffff800000000000, PG, 4)); }
  CASE("A-1", "EPERM beats a hole's ENOMEM, what is before has gone") { mapat(0, 1, 3); mapat(2, 1, 3); mapat(3, 1, 3); mapat(4, 1, 3); put(0, 1); put(2, 2); put(3, 3); put(4, 4); prot(3, 1, 1); seal(3, 1); v(advise(0, 5, 4)); v(get(0)); v(get(2)); v(get(3)); v(get(4)); }
  CASE("A-2", "around a hole") { mapat(0, 1, 3); mapat(2, 1, 3); put(0, 1); put(2, 2); v(advise(0, 3, 4)); v(get(0)); v(get(2)); v(advise(5, 2, 4)); }
  CASE("A-3", "EAGAIN at the map limit") { mapat(0, 3, 3); tooMany(1); v(advise(1, 1, 16)); v(advise(0, 3, 16)); v(prot(1, 1, 1)); v(SC(149, at(1), PG)); }
  CASE("A-4", "advice that splits a sealed area") { mapat(0, 6, 3); seal(0, 6); v(advise(1, 1, 16)); v(advise(3, 1, 10)); v(advise(5, 1, 18)); layout(); v(advise(3, 1, 11)); v(advise(5, 1, 19)); v(advise(0, 6, 17)); layout(); }
  CASE("3.2", "private anonymous memory") row(0);
  CASE("A-5", "/dev/zero, private") row(1);
  CASE("A-6", "a private mapping of a file") row(2);
  CASE("3.4", "a shared mapping of a file") row(3);
  CASE("3.4", "a shared mapping through a read-only descriptor") row(4);
  CASE("3.4", "shared anonymous memory") row(5);
  CASE("3.4", "private anonymous memory, locked") row(6);
  CASE("A-6", "written, read-only, sealed: the file comes back") { int f = memfd(1); SC(18, f, "F", 1, 0); mapfile(0, 1, 3, 2, f, 0); put(0, 1); prot(0, 1, 1); seal(0, 1); v(get(0)); v(advise(0, 1, 4)); v(get(0)); }
  CASE("A-7", "REMOVE through sealed read-only shared memory") { int f = memfd(1); SC(18, f, "F", 1, 0); mapfile(0, 1, 1, 1, f, 0); seal(0, 1); v(advise(0, 1, 9)); v(get(0)); u8 b = 1; v(SC(17, f, &b, 1, 0)); v(b); }
  CASE("A-8", "each thread's own PKRU; key 0 counts") {
    int k = newkey(0); mapat(0, 1, 3); kprot(0, 1, 3, k); put(0, 5); seal(0, 1); rights(k, WD); v(advise(0, 1, 4)); rights(k, AD); v(advise(0, 1, 4)); rights(k, 0); thread(discardInThread); v(in_thread); v(get(0)); v(advise(0, 1, 4)); v(get(0));
    mapat(2, 1, 3); seal(2, 1); v(under(0x55555556, 28, at(2), PG, 4));
  }
  CASE("A-10", "another's memory: only what destroys nothing") { mapat(0, 1, 3); prot(0, 1, 1); seal(0, 1); u64 iov[2] = {at(0), PG}; long c = SC(57); if (!c) for (;;) SC(34); int fd = SC(434, c, 0); v(madv(fd, iov, 1, 4)); v(madv(fd, iov, 1, 20)); v(madv(fd, iov, 1, 21)); v(madv(fd, iov, 1, 18)); v(madv(fd, iov, 1, 99)); SC(62, c, 9); }
  CASE("A-11", "execute-only sealed memory") { mapat(0, 1, 3); prot(0, 1, 4); seal(0, 1); wrpkru(0); v(advise(0, 1, 4)); v(advise(0, 1, 20)); }
  CASE("A-12", "the areas before the refused one") { int k = newkey(0); mapat(0, 3, 3); put(0, 1); put(1, 2); put(2, 3); kprot(1, 1, 3, k); seal(0, 3); rights(k, WD); v(advise(0, 3, 4)); v(get(0)); v(get(1)); v(get(2)); }
  CASE("3.5", "POPULATE") { int k = newkey(0); mapat(0, 2, 3); mapat(2, 1, 0); v(advise(0, 3, 22)); v(advise(0, 4, 23)); v(advise(0, 2, 23)); kprot(1, 1, 3, k); rights(k, WD); v(advise(0, 2, 23)); v(advise(0, 2, 22)); rights(k, AD); v(advise(0, 2, 22)); mapfile(4, 2, 1, 1, memfd(1), 0); v(advise(4, 2, 22)); v(advise(5, 1, 22)); v(advise(8, 1, 22)); seal(0, 1); v(advise(0, 1, 23)); }
}

static void processes(void) {
  CASE("3.6", "order of checks") { u64 iov[2] = {at(0), PG}; mapat(0, 1, 3); int me = self(); v(SC(440, me, iov, 1, 20, 1)); v(SC(440, 99, iov, 1, 20, 0)); v(SC(440, 0, iov, 1, 20, 0)); v(SC(440, me, 8, 1, 20, 0)); v(SC(440, me, iov, -1, 20, 0)); v(SC(440, me, iov, 1, 99, 0)); v(madv(me, iov, 1, 20)); v(madv(me, iov, 0, 20)); }
  CASE("Q-1", "one's own memory") { u64 iov[2] = {at(0), PG}; mapat(0, 1, 3); put(0, 5); int me = self(); v(madv(me, iov, 1, 4)); v(get(0)); v(madv(me, iov, 1, 16)); v(madv(me, iov, 1, 21)); v(madv(me, iov, 1, 3)); }
  CASE("Q-2", "what was done before an error counts") { mapat(0, 2, 3); mapat(2, 1, 1); mapat(3, 2, 3); seal(2, 1); put(0, 5); put(3, 6); u64 iov[6] = {at(0), 2 * PG, at(2), PG, at(3), 2 * PG}; int me = self(); v(madv(me, iov, 3, 4)); v(get(0)); v(get(3)); v(madv(me, iov + 2, 2, 4)); }
  CASE("Q-2", "with COLD, and a hole") { mapat(0, 2, 3); u64 iov[4] = {at(0), 2 * PG, at(5), PG}; int me = self(); v(madv(me, iov, 2, 20)); v(madv(me, iov + 2, 1, 20)); }
  CASE("Q-3", "COLD and PAGEOUT of sealed memory") { mapat(0, 2, 3); put(0, 4); prot(0, 2, 1); seal(0, 2); u64 iov[2] = {at(0), 2 * PG}; int me = self(); v(madv(me, iov, 1, 20)); v(madv(me, iov, 1, 21)); v(get(0)); }
}

static void guards(void) {
  CASE("3.7", "guard pages of anonymous memory") { mapat(0, 3, 3); put(1, 5); v(advise(1, 1, 102)); a(at(1), 'r'); a(at(1), 'w'); a(at(0), 'w'); v(advise(0, 3, 4)); a(at(1), 'r'); v(advise(1, 1, 103)); a(at(1), 'r'); layout(); }
  CASE("3.7", "the kernel's copies, munmap, locked memory") { mapat(0, 2, 3); v(advise(0, 1, 102)); int p[2]; SC(22, p); SC(1, p[1], "ab", 2); v(SC(0, p[0], at(0), 1)); mapat(0, 1, 3); a(at(0), 'w'); SC(149, at(1), PG); v(advise(1, 1, 102)); v(advise(1, 1, 103)); }
  CASE("3.7", "of a file, shared and private") { int f = memfd(2); SC(18, f, "F", 1, 0); mapfile(0, 2, 3, 1, f, 0); v(advise(0, 1, 102)); a(at(0), 'r'); v(advise(0, 1, 103)); a(at(0), 'r'); mapfile(4, 2, 3, 2, f, 0); v(advise(4, 1, 102)); a(at(4), 'w'); }
  CASE("3.7", "installing discards, removing does not") { mapat(0, 2, 3); advise(1, 1, 102); prot(0, 2, 1); seal(0, 2); v(advise(0, 1, 102)); v(advise(0, 2, 103)); a(at(1), 'r'); }
}

int main_(long *sp) {
  orders(); processes(); guards();
  flush();
  return 0;
}
