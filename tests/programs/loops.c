/*
 * Loop devices and block devices from inside, as root: the requests of /dev/loop-control and of a loop device, what is
 * refused and with what, offsets and limits, a read-only one, mapping the disk, the last close. Takes the first free
 * device and gives it back. Numbers of devices, inodes and media differ from machine to machine and are not printed.
 */
#include "freestanding.h"

static void t(const char *what, long r) { kv(what, r); nl(); }
static long io(long fd, long req, void *arg) { return SC(16, fd, req, arg); }
static long ion(long fd, long req, long arg) { return SC(16, fd, req, arg); }
static char path[32] = "/dev/loop", buf[65536];
static void put(char *at, long n) { char d[12]; int k = 0; do d[k++] = '0' + n % 10; while (n /= 10); while (k) *at++ = d[--k]; *at = 0; }
static long open_(int flags) { return SC(2, path, flags, 0); }
static long memfd(long bytes) { long f = SC(319, "image", 0); SC(77, f, bytes); return f; }

struct info { u64 device, inode, rdevice, offset, limit; unsigned number, type, keysize, flags; char name[64], crypt[64], key[32]; u64 init[2]; };
struct config { unsigned fd, block; struct info info; u64 reserved[8]; };
static void status(long fd) {
  struct info i; long r = io(fd, 0x4c05, &i);
  kv("status", r);
  if (!r) { kv("offset", i.offset); kv("limit", i.limit); kx("flags", i.flags); ps(i.name); }
  nl();
}
static void sizes(long fd) {
  u64 a = 0, b = 0; int ssz = 0, bsz = 0, ro = -1, pb = 0; unsigned short rot = 9, sect = 0;
  long r = io(fd, 0x80081272, &a); io(fd, 0x1260, &b); io(fd, 0x1268, &ssz); io(fd, 0x80081270, &bsz); io(fd, 0x125e, &ro); io(fd, 0x127b, &pb); io(fd, 0x127e, &rot); io(fd, 0x1267, &sect);
  kv("sizes", r); kv("bytes", a); kv("sectors", b); kv("ssz", ssz); kv("bsz", bsz); kv("ro", ro); kv("pbsz", pb); kv("max", sect); kv("end", SC(8, fd, 0, 2)); nl();
}
static void unbound(long fd) {
  ps("unbound"); nl(); sizes(fd); status(fd);
  t("get old", io(fd, 0x4c03, buf)); t("set", io(fd, 0x4c04, buf)); t("clear", ion(fd, 0x4c01, 0)); t("block size", ion(fd, 0x4c09, 512)); t("direct", ion(fd, 0x4c08, 0));
  t("capacity", ion(fd, 0x4c07, 0)); t("change", ion(fd, 0x4c06, 0)); t("tcgets", io(fd, 0x5401, buf)); t("fionread", io(fd, 0x541b, buf)); t("geometry", io(fd, 0x301, buf)); t("cdrom", io(fd, 0x5331, 0));
  t("unknown", io(fd, 0x9999, 0)); t("reread", io(fd, 0x125f, 0)); t("flush", io(fd, 0x1261, 0));
  u64 range[2] = { 0, 512 }; t("zero", io(fd, 0x127f, range)); t("secure", io(fd, 0x127d, range));
  t("read", SC(0, fd, buf, 10)); t("write", SC(1, fd, buf, 10)); t("ftruncate", SC(77, fd, 5));
  t("bad fd", ion(fd, 0x4c00, 99)); long p[2]; SC(22, p); t("pipe", ion(fd, 0x4c00, ((int *)p)[0])); t("directory", ion(fd, 0x4c00, SC(2, "/", 0, 0)));
  t("itself", ion(fd, 0x4c00, fd));
  struct config c = { 0 }; c.fd = memfd(8192); c.block = 100; t("odd blocks", io(fd, 0x4c0a, &c)); c.block = 1 << 17; t("large blocks", io(fd, 0x4c0a, &c));
  c.block = 0; c.info.flags = 64; t("odd flags", io(fd, 0x4c0a, &c)); c.info.flags = 0; c.info.type = 1; t("encrypted", io(fd, 0x4c0a, &c)); c.info.type = 0; c.info.offset = -512ul; t("below 0", io(fd, 0x4c0a, &c));
  SC(3, c.fd);
}
static void use(long fd, long file) {
  ps("bound"); nl();
  t("set fd", ion(fd, 0x4c00, file)); t("again", ion(fd, 0x4c00, file)); sizes(fd); status(fd);
  t("pwrite", SC(18, fd, "hello", 5, 1000)); t("behind the end", SC(18, fd, "hello", 5, 1 << 20)); t("across it", SC(18, fd, "hello", 5, (1 << 20) - 3)); t("fsync", SC(74, fd));
  t("file", SC(17, file, buf, 5, 1000)); SC(1, 1, buf, 5); nl();
  t("pread", SC(17, fd, buf, 10, (1 << 20) - 4)); t("at the end", SC(17, fd, buf, 10, 1 << 20)); t("cut", SC(77, fd, 5)); t("readv dir", SC(217, fd, buf, 100));
  char *m = (char *)SC(9, 0, 8192, 3, 1, fd, 0); ps(m + 1000); nl(); m[1000] = 'J'; m[4096] = 'x'; t("msync", SC(26, m, 8192, 4)); SC(17, fd, buf, 5, 1000); SC(1, 1, buf, 5); nl();
  SC(18, fd, "again", 5, 1000); SC(1, 1, m + 1000, 5); nl(); t("file", SC(17, file, buf, 1, 4096)); SC(1, 1, buf, 1); nl(); SC(11, m, 8192);
  u64 range[2] = { 0, 4096 }; t("zero out", io(fd, 0x127f, range)); SC(17, fd, buf, 1001, 0); kv("now", buf[1000]); nl();
  range[1] = 100; t("odd range", io(fd, 0x127f, range)); range[0] = 1 << 20; range[1] = 512; t("range behind", io(fd, 0x127f, range)); range[0] = 4096; range[1] = 4096; t("discard", io(fd, 0x1277, range)); SC(17, fd, buf, 1, 4096); kv("now", buf[0]); nl();
  int odd = 100, even = 1024; t("bszset odd", io(fd, 0x40081271, &odd)); t("bszset", io(fd, 0x40081271, &even)); sizes(fd);
  t("block size", ion(fd, 0x4c09, 4096)); sizes(fd); t("block size", ion(fd, 0x4c09, 512));
  SC(77, file, 2 << 20); sizes(fd); t("capacity", ion(fd, 0x4c07, 0)); sizes(fd);
  struct info i = { 0 }; i.offset = 1024; i.limit = 5000; i.flags = 4 | 16 | 1; i.name[0] = 'n'; t("set status", io(fd, 0x4c04, &i)); status(fd); sizes(fd);
  i.offset = -1ul; t("below 0", io(fd, 0x4c04, &i)); i.offset = 0; i.limit = 0; i.flags = 0; i.type = 2; t("encrypted", io(fd, 0x4c04, &i)); i.type = 0; t("set status", io(fd, 0x4c04, &i)); status(fd); sizes(fd);
  t("change", ion(fd, 0x4c06, file));
  long ro = open_(0); t("read only open", ro < 0 ? ro : 0); t("write to it", SC(1, ro, "x", 1)); t("zero through it", io(ro, 0x127f, range)); t("discard through it", io(ro, 0x1277, range));
  long excl = open_(0x82); t("exclusive", excl < 0 ? excl : 0); long other = open_(0x82); t("another", other < 0 ? other : 0); other = open_(2); t("not exclusive", other < 0 ? other : 0); SC(3, other); SC(3, excl);
  int one = 1, none = 0; t("roset", io(fd, 0x125d, &one)); sizes(fd); t("roset", io(fd, 0x125d, &none));
  SC(3, ro);
}
static void endings(long fd, long control, long number) {
  ps("endings"); nl();
  t("remove", ion(control, 0x4c81, number));
  long two = open_(2); t("clear with two", ion(fd, 0x4c01, 0)); status(fd); SC(3, two); t("clear", ion(fd, 0x4c01, 0)); status(fd); t("clear again", ion(fd, 0x4c01, 0)); SC(3, fd);
  fd = open_(2); status(fd); sizes(fd);
  struct config c = { 0 }; c.fd = memfd(1 << 16); c.block = 1024; c.info.flags = 1 | 4; c.info.limit = 10000; c.info.offset = 512; c.info.name[0] = 'c';
  t("configure", io(fd, 0x4c0a, &c)); status(fd); sizes(fd); t("write", SC(1, fd, "x", 1)); long other = open_(2); t("open to write", other < 0 ? other : 0);
  long wrong = memfd(4096), right = memfd(1 << 16); SC(18, right, "other", 5, 512); t("change size", ion(fd, 0x4c06, wrong)); t("change", ion(fd, 0x4c06, right)); SC(17, fd, buf, 5, 0); SC(1, 1, buf, 5); nl();
  SC(3, fd); fd = open_(2); status(fd);
  SC(3, fd);
}

int main_(long *sp) {
  long control = SC(2, "/dev/loop-control", 2, 0);
  t("control", control < 0 ? control : 0);
  long number = ion(control, 0x4c82, 0);
  t("free", number < 0 ? number : 0);
  t("add it", ion(control, 0x4c80, number)); t("remove none", ion(control, 0x4c81, 4000)); t("remove -1", ion(control, 0x4c81, -1)); t("tcgets", io(control, 0x5401, buf)); t("read", SC(0, control, buf, 1));
  put(path + 9, number);
  long fd = open_(2); t("open", fd < 0 ? fd : 0); t("remove open", ion(control, 0x4c81, number));
  unbound(fd);
  long file = memfd(1 << 20);
  use(fd, file);
  endings(fd, control, number);
  return 0;
}
