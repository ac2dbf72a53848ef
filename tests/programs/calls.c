/* Results and errors of the calls that need one process only. What differs from machine to machine is not printed. */
#include "freestanding.h"

#define T(name, ...) do { long r_ = SC(__VA_ARGS__); ps(name); pc('='); pd(r_); pc(' '); } while (0)
#define BAD 8

static u8 b[4096];
static u64 w[16];

int main_(long *sp) {
  long pid = SC(39);
  ps("-- prctl\n");
  T("pdeath", 157, 1, 65); T("pdeath10", 157, 1, 10); T("get", 157, 2, w); pd(*(i32 *)w); T("getf", 157, 2, BAD);
  T("dump", 157, 3); T("dump2", 157, 4, 2); T("dump0", 157, 4, 0); T("dump", 157, 3); T("dump1", 157, 4, 1); nl();
  T("keep", 157, 7); T("timing", 157, 13); T("settiming", 157, 14, 1); T("name", 157, 15, "abcdefghijklmnopqrstuvwxyz"); T("getname", 157, 16, b); ps((char *)b); T("namef", 157, 15, BAD); T("getnamef", 157, 16, BAD); nl();
  T("seccomp", 157, 21); T("capread0", 157, 23, 0); T("capread40", 157, 23, 40); T("capread41", 157, 23, 41); T("capread-1", 157, 23, -1); T("tsc", 157, 25, w); pd(*(i32 *)w); nl();
  T("slack", 157, 30); T("set", 157, 29, 1000); T("slack", 157, 30); T("set0", 157, 29, 0); T("slack", 157, 30);
  T("sub", 157, 36, 5); T("get", 157, 37, w); pd(*(i32 *)w); T("nnp0", 157, 38, 0); T("nnpx", 157, 38, 1, 1); T("get", 157, 39); T("getx", 157, 39, 1); nl();
  T("thp", 157, 42); T("thpx", 157, 42, 1); T("setthp", 157, 41, 1); T("thp", 157, 42); T("setthp0", 157, 41, 0); T("setthpx", 157, 41, 0, 0, 1);
  T("mdwe", 157, 66); T("mdwex", 157, 66, 1); T("set2", 157, 65, 2); T("set4", 157, 65, 4); T("set1x", 157, 65, 1, 1); nl();
  T("unknown", 157, 12345); T("vma", 157, 0x53564d41, 0, 0x1000, 0x1000, 0); T("tid", 157, 40, BAD); nl();
  ps("-- arch_prctl\n");
  T("fs", 158, 0x1002, 0x7ffffffff000); T("fsneg", 158, 0x1002, -1); T("fsok", 158, 0x1002, b); T("get", 158, 0x1003, w); pd(w[0] == (u64)b); T("gsok", 158, 0x1001, 0x1234); T("getgs", 158, 0x1004, w); px(w[0]); T("getf", 158, 0x1003, BAD);
  T("cpuid", 158, 0x1011); T("what", 158, 0x9999); T("cet", 158, 0x3001, w); nl();
  ps("-- limits\n");
  T("get", 97, 3, w); px(w[0]); pc(' '); T("getbad", 97, 16, w); T("getf", 97, 3, BAD); T("setf", 160, 3, BAD); w[0] = 10; w[1] = 5; T("soft>hard", 160, 3, w); w[0] = 4096; w[1] = 8192; T("set", 160, 4, w); T("p", 302, 0, 4, 0, w + 2); px(w[2]); px(w[3]);
  T("pbad", 302, 0, 16, 0, w); T("pnone", 302, 999999, 3, 0, w); T("pf", 302, 0, 3, 0, BAD); w[0] = 0; w[1] = 2000000; T("nofile", 160, 7, w); nl();
  ps("-- sched\n");
  T("yield", 24); T("aff0", 204, 0, 0, b); T("aff4", 204, 0, 4, b); T("aff12", 204, 0, 12, b); T("affno", 204, 999999, 128, b); T("afff", 204, 0, 128, BAD); memset(b, 0, 128); T("setaff0", 203, 0, 128, b); T("setaffno", 203, 999999, 128, b); T("setafff", 203, 0, 128, BAD);
  T("max1", 146, 1); T("max0", 146, 0); T("max4", 146, 4); T("min1", 147, 1); T("min3", 147, 3); T("max6", 146, 6); nl();
  T("getsch", 145, 0); T("getsch-1", 145, -1); T("getschno", 145, 999999); *(i32 *)b = 5; T("setother5", 144, 0, 0, b); *(i32 *)b = 0; T("setfifo0", 144, 0, 1, b); T("setbatch", 144, 0, 3, b); T("getsch", 145, 0); T("setother", 144, 0, 0, b); T("setnull", 144, 0, 0, 0); T("set-1", 144, 0, -1, b); T("set9", 144, 0, 9, b);
  T("getp", 143, 0, b); T("getpnull", 143, 0, 0); T("rr-1", 148, -1, w); T("rrf", 148, 0, BAD); nl();
  T("prio", 140, 0, 0); T("priobad", 140, 3, 0); T("priono", 140, 0, 999999); T("setprio", 141, 0, 0, 5); T("prio", 140, 0, 0); T("setprio", 141, 0, 0, 100); T("prio", 140, 0, 0); T("getcpuf", 309, BAD, 0); T("getcpu0", 309, 0, 0); nl();
  ps("-- time\n");
  T("gett", 228, 1, w); T("gettf", 228, 1, BAD); T("getbad", 228, 99, w); T("get-1", 228, -1, w); T("get-6", 228, -6, w); T("res", 229, 1, 0); T("resbad", 229, 99, 0); T("resf", 229, 1, BAD); T("gtod", 96, w, w + 2); T("gtodf", 96, BAD, 0); T("gtodtzf", 96, 0, BAD); T("timef", 201, BAD);
  w[0] = 0; w[1] = 1000000000; T("sleepbad", 35, w, 0); T("sleepf", 35, BAD, 0); T("cnbad", 230, 99, 0, w, 0); T("cnraw", 230, 4, 0, w, 0); T("cnthread", 230, 3, 0, w, 0); w[1] = -1; T("sleepneg", 35, w, 0); w[0] = 0; w[1] = 1; T("sleep", 35, w, 0); T("cnabs", 230, 1, 1, w, 0); T("settime", 227, 1, w); T("settimef", 227, 0, BAD); nl();
  T("tc", 222, 1, 0, w); T("tcbad", 222, 99, 0, w); T("tcf", 222, 1, 0, BAD); T("tcevf", 222, 1, BAD, w); memset(b, 0, 64); ((i32 *)b)[2] = 65; T("tcsig", 222, 1, b, w); ((i32 *)b)[2] = 10; ((i32 *)b)[3] = 7; T("tcnot", 222, 1, b, w); ((i32 *)b)[3] = 1; T("tcnone", 222, 1, b, w); ((i32 *)b)[3] = 4; ((i32 *)b)[4] = 999999; T("tctid", 222, 1, b, w);
  T("tg", 224, *(i32 *)w, w + 4); T("tgbad", 224, 12345, w + 4); T("tgf", 224, *(i32 *)w, BAD); T("tsbad", 223, 12345, 0, w + 4, 0); T("tsnull", 223, *(i32 *)w, 0, 0, 0); w[4] = 0; w[5] = 2000000000; T("tsinval", 223, *(i32 *)w, 0, w + 4, 0); T("tov", 225, *(i32 *)w); T("tovbad", 225, 12345); T("td", 226, *(i32 *)w); T("td2", 226, *(i32 *)w); nl();
  T("rusage", 98, 0, b); T("rusagebad", 98, 2, b); T("rusagef", 98, 0, BAD); T("rch", 98, -1, b); T("timesf", 100, BAD); nl();
  ps("-- ids\n");
  T("pgidno", 121, 999999); T("sidno", 124, 999999); T("setpgidno", 109, 999999, 0); T("setpgidneg", 109, 0, -1); T("uid", 102); T("setuid-1", 105, -1); T("groups-1", 115, -1, b); T("setgroups", 116, 65537, b); T("setgroupsf", 116, 1, BAD);
  T("resuidf", 118, BAD, BAD, BAD); T("setresuid", 117, -1, -1, -1); T("setfsuid", 122, -1); nl();
  ((u32 *)b)[0] = 0x20080522; ((i32 *)b)[1] = 0; T("capget", 125, b, w); ((u32 *)b)[0] = 1; T("capgetv", 125, b, w); px(((u32 *)b)[0]); ((u32 *)b)[0] = 1; T("capgetv0", 125, b, 0); ((i32 *)b)[1] = -1; T("capget-1", 125, b, w); ((i32 *)b)[1] = 999999; T("capgetno", 125, b, w); T("capgetf", 125, BAD, w); nl();
  T("wait", 61, -1, 0, 0, 0); T("waitopt", 61, -1, 0, 0x100, 0); T("waitmin", 61, (i32)0x80000000, 0, 0, 0); T("waitno", 61, 999999, 0, 1, 0); T("waitid0", 247, 0, 0, 0, 0, 0); T("waitid", 247, 0, 0, b, 4, 0); T("waitidty", 247, 9, 0, b, 4, 0); T("waitidp", 247, 1, 0, b, 4, 0); T("waitidopt", 247, 0, 0, b, 0x104, 0); nl();
  ps("-- misc\n");
  T("unamef", 63, BAD); T("sysinfof", 99, BAD); T("rnd", 318, b, 16, 0); T("rndfl", 318, b, 16, 8); T("rndboth", 318, b, 16, 6); T("rndf", 318, BAD, 16, 0); T("rnd0", 318, BAD, 0, 0); T("robust", 273, b, 23); T("robust", 273, b, 24); T("getrobust", 274, 0, w, w + 1); pd(w[1]); T("getrobustno", 274, 999999, w, w + 1); T("getrobustf", 274, 0, BAD, BAD);
  T("pers", 135, 0xffffffff); T("pers", 135, 0x40000); T("pers", 135, 0xffffffff); T("pers", 135, 0); nl();
  T("mbfl", 324, 0, 1, 0); T("mbpriv", 324, 8, 0, 0); T("mbreg", 324, 16, 0, 0); T("mbpriv", 324, 8, 0, 0); T("mbget", 324, 512, 0, 0); T("mbbad", 324, 1 << 20, 0, 0); T("mbcore", 324, 32, 0, 0); nl();
  T("execnull", 59, BAD, 0, 0); T("execempty", 59, "", 0, 0); T("execno", 59, "/no/such", 0, 0); T("execdir", 59, "/", 0, 0); T("execargf", 59, "/proc/self/exe", BAD, 0); T("execdir2", 59, "/proc/self/exe/x", 0, 0); nl();
  T("nosys", 9999); T("nosys-1", -1); T("restart", 219); nl();
  u32 f = 5; w[0] = 0; w[1] = 1000000000;
  ps("-- futex\n");
  T("badop", 202, &f, 127, 0); T("badts", 202, &f, 0, 5, w); T("tsf", 202, &f, 0, 5, BAD); T("rtwait", 202, &f, 256, 5, 0); T("req-1", 202, &f, 3, -1, 0, &f, 0); T("req", 202, &f, 3, 1, 1, &f, 0); T("cmpreq", 202, &f, 4, 1, 1, &f, 4); T("cmpreqok", 202, &f, 4, 1, 1, &f, 5); T("requn", 202, &f, 3, 1, 1, (u64)&f + 1, 0);
  T("wakeop", 202, &f, 5, 1, 1, &f, (1 << 28) | (7 << 12)); kv("f", f); T("wakeopbad", 202, &f, 5, 1, 1, &f, 7u << 28); T("wbs0", 202, &f, 10, 1, 0, 0, 0); w[1] = 5; T("absto", 202, &f, 9, f, w, 0, -1); T("abstort", 202, &f, 9 | 256, f, w, 0, -1); nl();
  nl(); ps("-- far offsets\n");
  static const char *const files[] = {0, "/dev/full", "/dev/zero", "/dev/null"}; static const u64 offsets[] = {1ul << 53, 1ul << 60, -8ul >> 1, -1ul >> 1};
  for (int i = 0; i < 4; i++) { long fd = files[i] ? SC(2, files[i], 2, 0) : SC(319, "far", 0); u64 v[2] = {(u64)b, 3};
    for (int j = 0; j < 4; j++) { T("read", 17, fd, b, 3, offsets[j]); T("4", 17, fd, b, 4, offsets[j]); T("0", 17, fd, b, 0, offsets[j]); T("vector", 295, fd, v, 1, offsets[j], 0); if (i) T("write", 18, fd, b, 3, offsets[j]); T("4", 18, fd, b, j < 2 ? 0 : 4, offsets[j]); }
    nl(); SC(3, fd); }
  return 0;
}
