/* cachestat, sync_file_range, the settings of System V shared memory, and the memory nodes that sysfs shows. */
#include "freestanding.h"

#define CACHESTAT 451
#define SYNC_FILE_RANGE 277

static char page[4096];

static void result(const char *name, long r) { ps(name); ps(": "); pd(r); nl(); }

static int spit(const char *path, const char *text) {
  long n = 0;
  while (text[n]) n++;
  long fd = SC(2, path, 1), r = fd;
  if (fd >= 0) { r = SC(1, fd, text, n); SC(3, fd); }
  return r;
}

static void setting(const char *path, const char *text) { ps(path); ps(" < "); result(text, spit(path, text)); }

static void show(const char *path) {
  char text[128];
  long fd = SC(2, path, 0), n = fd < 0 ? fd : SC(0, fd, text, sizeof text);
  ps(path); ps(": ");
  if (n < 0) { pd(n); nl(); return; }
  for (long i = 0; i < n; i++) pc(text[i]);
  flush();
  SC(3, fd);
}

static void stat(const char *name, long fd, u64 off, u64 len) {
  u64 range[2] = {off, len}, cs[5] = {99, 99, 99, 99, 99};
  long r = SC(CACHESTAT, fd, range, cs, 0);
  ps(name); ps(": "); pd(r);
  for (int i = 0; i < 5 && r == 0; i++) { pc(' '); pd(cs[i]); }
  nl();
}

static void may(const char *name, const char *path, long mode, int flags, int before) {
  long fd = SC(2, path, 0102, mode);
  SC(90, path, mode);
  SC(3, fd);
  flush();
  if (SC(57) == 0) {
    u64 range[2] = {0, 0}, cs[5];
    if (before) fd = SC(2, path, flags);
    SC(117, 65534, 65534, 65534);
    if (!before) fd = SC(2, path, flags);
    result(name, fd < 0 ? fd : SC(CACHESTAT, fd, range, cs, 0));
    SC(231, 0);
  }
  SC(61, -1, 0, 0, 0);
  SC(87, path);
}

static long blocks(long fd) {
  long st[18];
  SC(5, fd, st);
  return st[8];
}

/* Which of 64 pages are in memory, as ranges. */
static void resident(const char *name, char *at) {
  u8 vec[64];
  SC(27, at, 64 * 4096, vec);
  ps(name); pc(':');
  for (int i = 0; i < 64; i++) {
    if (!(vec[i] & 1) || (i > 0 && (vec[i - 1] & 1))) continue;
    int last = i;
    while (last < 63 && (vec[last + 1] & 1)) last++;
    pc(' '); pd(i); pc('-'); pd(last);
  }
  nl();
}

/* Room that fallocate makes, and what a fault brings in of it. */
static void room(long fd) {
  result("fallocate", SC(285, fd, 0, 0, 64 * 4096));
  result("blocks", blocks(fd));
  stat("cached", fd, 0, 0);
  char *at = (char *)SC(9, 0, 64 * 4096, 3, 1, fd, 0);
  resident("untouched", at);
  at[20 * 4096] = 1;
  resident("page 20 written", at);
  (void)*(volatile char *)(at + 2 * 4096);
  resident("page 2 read", at);
  SC(28, at, 64 * 4096, 1);
  at[45 * 4096] = 1;
  resident("page 45, advised that access is random", at);
  result("blocks", blocks(fd));
  result("a hole", SC(285, fd, 3, 8 * 4096, 48 * 4096));
  result("blocks", blocks(fd));
  resident("with a hole", at);
  SC(28, at, 64 * 4096, 2);
  result("room again", SC(285, fd, 0, 8 * 4096, 48 * 4096));
  result("blocks", blocks(fd));
  (void)*(volatile char *)(at + 10 * 4096);
  resident("page 10, advised that access is sequential", at);
  SC(77, fd, 12 * 4096);
  result("blocks of a file cut short", blocks(fd));
  result("room behind the end", SC(285, fd, 1, 12 * 4096, 4 * 4096));
  result("blocks", blocks(fd));
  SC(77, fd, 12 * 4096);
  result("blocks of a file cut to its size", blocks(fd));
  SC(11, at, 64 * 4096);
}

int main_(long *sp) {
  if (sp[0] > 1) {
    SC(87, "caches.tmp");
    long file = SC(2, "caches.tmp", 0102, 0600);
    SC(87, "caches.tmp");
    room(file);
    return 0;
  }
  u64 range[2] = {0, 0}, cs[5];
  long fd = SC(319, "memory", 0);
  SC(77, fd, 8 * 4096);
  SC(18, fd, page, 4096, 4096);
  SC(18, fd, page, 4096, 3 * 4096);
  SC(18, fd, page, 1, 4 * 4096);
  result("bad descriptor", SC(CACHESTAT, -1, range, cs, 0));
  result("bad descriptor and range", SC(CACHESTAT, -1, 8, 8, 1));
  result("bad range", SC(CACHESTAT, fd, 8, cs, 0));
  result("bad range and flags", SC(CACHESTAT, fd, 8, cs, 1));
  result("flags", SC(CACHESTAT, fd, range, cs, 1));
  result("flags in the high half", SC(CACHESTAT, fd, range, cs, 1ul << 32));
  result("bad answer and flags", SC(CACHESTAT, fd, range, 8, 1));
  result("bad answer", SC(CACHESTAT, fd, range, 8, 0));
  stat("all", fd, 0, 0);
  stat("page 1", fd, 4096, 4096);
  stat("one byte of page 1", fd, 8191, 1);
  stat("a byte of page 1, one of 2", fd, 8191, 2);
  stat("pages 2 to 3", fd, 2 * 4096, 2 * 4096);
  stat("from page 3 on", fd, 3 * 4096, 0);
  stat("past the end", fd, 1ul << 40, 4096);
  stat("all that 64 bits hold", fd, 0, ~0ul);
  stat("an end that wraps", fd, 4096, ~0ul);
  stat("an offset near the top", fd, ~0ul, 1);
  char *at = (char *)SC(9, 0, 8 * 4096, 3, 1, fd, 0);
  at[6 * 4096] = 1;
  stat("a page written through a mapping", fd, 0, 0);
  SC(28, at + 4096, 4096, 9);
  stat("a page removed", fd, 0, 0);
  SC(77, fd, 4 * 4096);
  stat("a file cut short", fd, 0, 0);
  long memory = SC(319, "memory", 0);
  room(memory);
  i32 ends[2];
  SC(22, ends);
  stat("a pipe", ends[0], 0, 0);
  stat("/dev/zero", SC(2, "/dev/zero", 0), 0, 0);
  may("a file of root's", "/tmp/caches.1", 0644, 0, 0);
  may("writable for all", "/tmp/caches.2", 0666, 0, 0);
  may("opened for writing before", "/tmp/caches.3", 0600, 2, 1);
  may("opened for reading before", "/tmp/caches.4", 0600, 0, 1);

  result("sync", SC(SYNC_FILE_RANGE, fd, 0, 1, 7));
  result("sync to the end", SC(SYNC_FILE_RANGE, fd, 0, 0, 0));
  result("sync with unknown flags", SC(SYNC_FILE_RANGE, fd, 0, 1, 8));
  result("sync from before the start", SC(SYNC_FILE_RANGE, fd, -1, 1, 7));
  result("sync of a negative length", SC(SYNC_FILE_RANGE, fd, 0, -1, 7));
  result("sync past all", SC(SYNC_FILE_RANGE, fd, 1ul << 62, 1ul << 62, 7));
  result("sync to the last byte", SC(SYNC_FILE_RANGE, fd, 1, ~0ul / 2 - 1, 7));
  result("sync a pipe", SC(SYNC_FILE_RANGE, ends[0], 0, 1, 7));
  result("sync a pipe from before the start", SC(SYNC_FILE_RANGE, ends[0], -1, 1, 7));
  long zero = SC(2, "/dev/zero", 0), top = SC(2, "/", 0);
  result("sync /dev/zero", SC(SYNC_FILE_RANGE, zero, 0, 1, 7));
  result("sync a directory", SC(SYNC_FILE_RANGE, top, 0, 1, 7));
  result("sync nothing open", SC(SYNC_FILE_RANGE, -1, -1, 1, 99));

  u64 info[9];
  show("/proc/sys/kernel/shmmax");
  show("/proc/sys/kernel/shmall");
  show("/proc/sys/kernel/shmmni");
  show("/proc/sys/kernel/shm_next_id");
  result("IPC_INFO", SC(31, 0, 3, info));
  kx("max", info[0]), kx("mni", info[2]), kx("all", info[4]), nl();
  setting("/proc/sys/kernel/shmmax", "8192\n");
  result("a segment of 8193 bytes", SC(29, 0, 8193, 01600));
  long id = SC(29, 0, 8192, 01600);
  result("a segment of 8192 bytes", id < 0 ? id : 0);
  setting("/proc/sys/kernel/shmmax", "18446744073709551615");
  show("/proc/sys/kernel/shmmax");
  setting("/proc/sys/kernel/shmmax", "18446744073709551616");
  setting("/proc/sys/kernel/shmmax", "many");
  setting("/proc/sys/kernel/shmmax", "");
  setting("/proc/sys/kernel/shmall", "3");
  result("two more pages than there may be", SC(29, 0, 8192, 01600));
  long second = SC(29, 0, 4096, 01600);
  result("the last page", second < 0 ? second : 0);
  setting("/proc/sys/kernel/shmall", "18446744073692774399");
  setting("/proc/sys/kernel/shmmni", "2");
  result("more segments than there may be", SC(29, 0, 4096, 01600));
  setting("/proc/sys/kernel/shmmni", "32769");
  setting("/proc/sys/kernel/shmmni", "4096");
  SC(31, 0, 3, info);
  kx("max", info[0]), kx("mni", info[2]), kx("all", info[4]), nl();
  SC(31, id, 0, 0);
  SC(31, second, 0, 0);
  setting("/proc/sys/kernel/shm_next_id", "-2");
  setting("/proc/sys/kernel/shm_next_id", "163850");
  show("/proc/sys/kernel/shm_next_id");
  long third = SC(29, 0, 4096, 01600);
  result("the id that was asked for", third);
  show("/proc/sys/kernel/shm_next_id");
  setting("/proc/sys/kernel/shm_next_id", "163850");
  long fourth = SC(29, 0, 4096, 01600);
  result("an id that was taken", fourth);
  setting("/proc/sys/kernel/shm_next_id", "7");
  result("gone without", SC(31, third, 0, 0));
  SC(31, fourth, 0, 0);
  result("no object with it", SC(31, 7, 0, 0));
  show("/proc/sys/kernel/shm_next_id");

  show("/sys/devices/system/node/online");
  show("/sys/devices/system/node/possible");
  show("/sys/devices/system/node/has_memory");
  show("/sys/devices/system/node/has_normal_memory");
  show("/sys/devices/system/node/has_cpu");
  show("/sys/devices/system/node/node0/distance");
  show("/sys/devices/system/node/node1/distance");
  return 0;
}
