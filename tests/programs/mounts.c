/*
 * mount(2) and umount2(2) from inside, as root in a mount namespace of its own: what is refused and with what, what the
 * tables of /proc say, and that the flags hold. Works in a tmpfs of its own at /tmp, so that it leaves nothing.
 */
#include "freestanding.h"

#define RDONLY 1
#define NOSUID 2
#define NODEV 4
#define NOEXEC 8
#define REMOUNT 32
#define NOSYMFOLLOW 256
#define NOATIME 1024
#define BIND 4096
#define MOVE 8192
#define REC 16384
#define UNBINDABLE (1 << 17)
#define PRIVATE (1 << 18)
#define SLAVE (1 << 19)
#define SHARED (1 << 20)
#define STRICTATIME (1 << 24)

static char page[4096];
static long mnt(const char *what, const char *src, const char *dst, const char *type, u64 flags, const char *data) {
  long r = SC(165, src, dst, type, flags, data);
  kv(what, r); nl(); return r;
}
static long um(const char *what, const char *dst, u64 flags) { long r = SC(166, dst, flags); kv(what, r); nl(); return r; }
static long mk(const char *p, int mode) { return SC(83, p, mode); }
static long open_(const char *p, int flags, int mode) { return SC(2, p, flags, mode); }
static void t(const char *what, long r) { kv(what, r); nl(); }
static void touch(const char *p, int mode) { long f = open_(p, 0x41, mode); SC(3, f); }
static int starts(const char *s, const char *p) { while (*p) if (*s++ != *p++) return 0; return 1; }
static int has(const char *s, const char *e, const char *p) { for (; s < e; s++) if (starts(s, p)) return 1; return 0; }

static char text[65536];
/* Lines of a table that speak of /tmp, the first `skip` words (numbers that differ from machine to machine) left out. */
static void table(const char *file, int skip) {
  long f = open_(file, 0, 0), n = 0, r;
  while ((r = SC(0, f, text + n, sizeof text - 1 - n)) > 0) n += r;
  SC(3, f); text[n] = 0;
  for (char *s = text; *s;) {
    char *e = s; while (*e && *e != '\n') e++;
    if (has(s, e, " /tmp/") || has(s, e, " on /tmp/")) {
      char *w = s; for (int i = 0; i < skip; i++) { while (*w != ' ') w++; w++; }
      ps("  "); while (w < e) pc(*w++); nl();
    }
    s = *e ? e + 1 : e;
  }
}
static void info(const char *what) { ps(what); nl(); table("/proc/self/mountinfo", 3); }
static void statfs_(const char *what, const char *p) {
  u64 b[15]; long r = SC(137, p, b); ps(what); pc(' ');
  kv("r", r); if (!r) { kx("type", b[0]); kv("bsize", b[1]); kv("blocks", b[2]); kv("free", b[3]); kv("files", b[5]); kv("ffree", b[6]); kx("flags", b[10]); }
  nl();
}
static void faulted(int s, struct si *i, struct ucx *u) { kv("signal", s); kv("code", i->code); nl(); SC(231, 7); }

static void refusals(void) {
  ps("refusals"); nl();
  mk("/tmp/a", 0755); touch("/tmp/file", 0644); SC(88, "/tmp/a", "/tmp/link");
  mnt("no-type", "x", "/tmp/a", 0, 0, 0);
  mnt("unknown-type", "x", "/tmp/a", "nothing", 0, 0);
  mnt("no-target", "x", "/tmp/none", "tmpfs", 0, 0);
  mnt("target-below-file", "x", "/tmp/file/x", "tmpfs", 0, 0);
  mnt("target-null", "x", 0, "tmpfs", 0, 0);
  mnt("type-bad-address", "x", "/tmp/a", (char *)1, 0, 0);
  mnt("source-bad-address", (char *)1, "/tmp/a", "tmpfs", 0, 0);
  mnt("data-bad-address", "x", "/tmp/a", "tmpfs", 0, (char *)1);
  mnt("type-bad-and-no-target", "x", "/tmp/none", (char *)1, 0, 0);
  mnt("on-file", "x", "/tmp/file", "tmpfs", 0, 0);
  mnt("nouser", "x", "/tmp/a", "tmpfs", 1ul << 31, 0);
  mnt("option", "x", "/tmp/a", "tmpfs", 0, "colour=red");
  mnt("size-word", "x", "/tmp/a", "tmpfs", 0, "size=big");
  mnt("size-tail", "x", "/tmp/a", "tmpfs", 0, "size=4kx");
  mnt("size-empty", "x", "/tmp/a", "tmpfs", 0, "size");
  mnt("mode-bad", "x", "/tmp/a", "tmpfs", 0, "mode=789");
  mnt("uid-bad", "x", "/tmp/a", "tmpfs", 0, "uid=-1");
  mnt("unknown-type-and-file", "x", "/tmp/file", "nothing", 0, 0);
  mnt("bad-option-and-file", "x", "/tmp/file", "tmpfs", 0, "colour=red");
  mnt("bind-null", 0, "/tmp/a", 0, BIND, 0);
  mnt("bind-empty", "", "/tmp/a", 0, BIND, 0);
  mnt("bind-none", "/tmp/none", "/tmp/a", 0, BIND, 0);
  mnt("bind-file-on-directory", "/tmp/file", "/tmp/a", 0, BIND, 0);
  mnt("bind-directory-on-file", "/tmp/a", "/tmp/file", 0, BIND, 0);
  mnt("remount-no-mount", 0, "/tmp/a", 0, REMOUNT, 0);
  mnt("remount-bind-no-mount", 0, "/tmp/a", 0, REMOUNT | BIND, 0);
  mnt("move-no-mount", "/tmp/a", "/tmp/a", 0, MOVE, 0);
  mnt("move-null", 0, "/tmp/a", 0, MOVE, 0);
  mnt("propagation-no-mount", 0, "/tmp/a", 0, PRIVATE, 0);
  mnt("propagation-two", 0, "/tmp", 0, PRIVATE | SHARED, 0);
  mnt("propagation-and-other", 0, "/tmp", 0, PRIVATE | NOEXEC, 0);
  um("umount-no-mount", "/tmp/a", 0);
  um("umount-none", "/tmp/none", 0);
  um("umount-flags", "/tmp/a", 16);
  um("umount-flags-and-none", "/tmp/none", 16);
  um("umount-empty", "", 0);
  um("umount-null", 0, 0);
  long pid = SC(57);
  if (!pid) {
    SC(106, 1000); SC(105, 1000);
    mnt("user", "x", "/tmp/a", "tmpfs", 0, 0);
    mnt("user-no-target", "x", "/tmp/none", "tmpfs", 0, 0);
    mnt("user-no-type", "x", "/tmp/a", 0, 0, 0);
    um("user-umount", "/tmp", 0); um("user-umount-no-mount", "/tmp/a", 0); um("user-umount-none", "/tmp/none", 0);
    SC(231, 0);
  }
  SC(61, pid, 0, 0, 0);
}

static void tmpfs(void) {
  ps("tmpfs"); nl();
  mnt("mount", "name with space", "/tmp/a", "tmpfs", NOSUID | NODEV, "size=64k,nr_inodes=5,mode=750,uid=7,gid=8");
  table("/proc/self/mounts", 0); info("info"); ps("stats"); nl(); table("/proc/self/mountstats", 0);
  statfs_("statfs", "/tmp/a");
  u32 st[36]; SC(4, "/tmp/a", st); kx("mode", st[6]); kv("uid", st[7]); kv("gid", st[8]); nl();
  for (int i = 0; i < 6; i++) { char n[] = "/tmp/a/f0"; n[8] += i; t("create", open_(n, 0x42, 0600)); }
  t("link-over", SC(86, "/tmp/a/f0", "/tmp/a/l")); t("unlink", SC(87, "/tmp/a/f3"));
  SC(3, 6); /* the unlinked one is still open until here, or it is not */
  for (int i = 3; i < 10; i++) SC(3, i);
  t("link", SC(86, "/tmp/a/f0", "/tmp/a/l")); t("mkdir-over", mk("/tmp/a/d", 0755)); SC(87, "/tmp/a/l");
  statfs_("statfs", "/tmp/a");
  long f = open_("/tmp/a/f0", 2, 0);
  long n = 0, r; while ((r = SC(1, f, page, 4096)) > 0) n += r; kv("written", n); kv("then", r); nl();
  statfs_("full", "/tmp/a");
  mnt("shrink", 0, "/tmp/a", 0, REMOUNT, "size=32k"); mnt("few-inodes", 0, "/tmp/a", 0, REMOUNT, "nr_inodes=2");
  mnt("grow", 0, "/tmp/a", 0, REMOUNT, "size=128k,nr_inodes=50"); mnt("remount-option", 0, "/tmp/a", 0, REMOUNT, "colour=red");
  info("after remount without flags");
  t("truncate", SC(77, f, 1 << 20));
  char *m = (char *)SC(9, 0, 1 << 20, 3, 1, f, 0);
  long pid = SC(57);
  if (!pid) { act(7, faulted, SA_SIGINFO, 0); for (long i = 0; i < 1 << 20; i += 4096) m[i] = 1; SC(231, 0); }
  int status; SC(61, pid, &status, 0, 0); kx("status", status); nl();
  SC(11, m, 1 << 20); SC(3, f);
  um("umount", "/tmp/a", 0); t("gone", SC(21, "/tmp/a/f0", 0));
  mnt("percent", "x", "/tmp/a", "tmpfs", 0, "size=0,nr_inodes=0"); info("unlimited"); statfs_("statfs", "/tmp/a");
  mnt("late-size", 0, "/tmp/a", 0, REMOUNT, "size=1m"); um("umount", "/tmp/a", 0);
  mnt("ramfs", "x", "/tmp/a", "ramfs", 0, "mode=700,colour=red"); info("ramfs"); statfs_("statfs", "/tmp/a");
  mnt("over-ramfs", 0, "/tmp/a", "tmpfs", RDONLY, "ro,,size=1m"); info("two"); table("/proc/self/mounts", 0);
  t("write-ro", open_("/tmp/a/x", 0x41, 0600)); mnt("rw", 0, "/tmp/a", 0, REMOUNT, 0); t("write-rw", SC(3, open_("/tmp/a/x", 0x41, 0600)));
  um("top", "/tmp/a", 0); t("below", SC(21, "/tmp/a/x", 0)); um("bottom", "/tmp/a", 0); um("none", "/tmp/a", 0);
}

static void flags(void) {
  ps("flags"); nl();
  static const u64 sets[] = {0, RDONLY, NOSUID | NODEV | NOEXEC, NOATIME, STRICTATIME, NOATIME | STRICTATIME, 2048, NOSYMFOLLOW, 16 | 128, 1 << 25, 1 << 21, 0xc0ed0000};
  for (int i = 0; i < 12; i++) { kx("flags", sets[i]); mnt("mount", "x", "/tmp/a", "tmpfs", sets[i], "size=1m,nr_inodes=64"); info("info"); table("/proc/self/mounts", 0); statfs_("statfs", "/tmp/a"); um("umount", "/tmp/a", 0); }
  mnt("mount", "x", "/tmp/a", "tmpfs", 0, "size=1m");
  long f = open_("/proc/self/exe", 0, 0), g = open_("/tmp/a/prog", 0x42, 0755), r;
  while ((r = SC(0, f, text, sizeof text)) > 0) SC(1, g, text, r);
  SC(3, f);
  mnt("ro-busy", 0, "/tmp/a", 0, REMOUNT | RDONLY, 0); mnt("bind-ro-busy", 0, "/tmp/a", 0, REMOUNT | BIND | RDONLY, 0);
  um("busy", "/tmp/a", 0); SC(3, g);
  f = open_("/tmp/a/prog", 0, 0);
  t("exec", (long)SC(9, 0, 4096, 4, 2, f, 0) > 0);
  mnt("noexec", 0, "/tmp/a", 0, REMOUNT | NOEXEC | NODEV | NOSYMFOLLOW, 0); info("noexec");
  t("map-exec", SC(9, 0, 4096, 4, 2, f, 0));
  long m = SC(9, 0, 4096, 1, 2, f, 0); t("mprotect-exec", SC(10, m, 4096, 4)); SC(11, m, 4096);
  char *argv[] = {"prog", 0}; t("execve", SC(59, "/tmp/a/prog", argv, 0)); t("access", SC(21, "/tmp/a/prog", 1)); SC(3, f);
  SC(133, "/tmp/a/null", 020666, 0x103); t("device", open_("/tmp/a/null", 0, 0)); t("device-path", SC(3, open_("/tmp/a/null", 010000000, 0)));
  SC(88, "prog", "/tmp/a/ln"); t("link", open_("/tmp/a/ln", 0, 0)); t("readlink", SC(89, "/tmp/a/ln", page, 100)); t("link-way", open_("/tmp/a/ln/x", 0, 0));
  mnt("none", 0, "/tmp/a", 0, REMOUNT, 0); f = open_("/tmp/a/null", 0, 0); t("device", f > 0); SC(3, f);
  mnt("bind-ro", 0, "/tmp/a", 0, REMOUNT | BIND | RDONLY, 0); info("bind-ro"); table("/proc/self/mounts", 0);
  t("create", open_("/tmp/a/new", 0x41, 0600)); t("mkdir", mk("/tmp/a/new", 0700)); t("mkdir-there", mk("/tmp/a/prog", 0700)); t("unlink", SC(87, "/tmp/a/prog"));
  t("chmod", SC(90, "/tmp/a/prog", 0700)); t("write", open_("/tmp/a/prog", 1, 0)); t("read", SC(3, open_("/tmp/a/prog", 0, 0))); t("access", SC(21, "/tmp/a/prog", 2)); t("rename", SC(82, "/tmp/a/prog", "/tmp/a/q")); t("truncate", SC(76, "/tmp/a/prog", 0));
  mnt("rw", 0, "/tmp/a", 0, REMOUNT | BIND, 0); um("umount", "/tmp/a", 0);
}

static void binds(void) {
  ps("binds"); nl();
  mk("/tmp/b", 0755); mk("/tmp/a/in", 0755); touch("/tmp/a/in/leaf", 0644);
  mnt("bind", "/tmp/a", "/tmp/b", "ignored", BIND | RDONLY, "ignored"); info("bind: flags do not count");
  t("leaf", SC(21, "/tmp/b/in/leaf", 0)); t("write", SC(3, open_("/tmp/b/new", 0x41, 0600))); t("seen", SC(21, "/tmp/a/new", 0));
  mnt("ro", 0, "/tmp/b", 0, REMOUNT | BIND | RDONLY, 0); t("write-b", open_("/tmp/b/new", 1, 0)); t("write-a", SC(3, open_("/tmp/a/new", 1, 0)));
  t("rename-across", SC(82, "/tmp/a/new", "/tmp/b/new2")); t("link-across", SC(86, "/tmp/a/new", "/tmp/b/new2"));
  mnt("mount-in-bind", "x", "/tmp/b/in", "tmpfs", 0, 0); t("leaf-b", SC(21, "/tmp/b/in/leaf", 0)); t("leaf-a", SC(21, "/tmp/a/in/leaf", 0));
  t("rmdir-through-a", SC(84, "/tmp/a/in")); t("rename-through-a", SC(82, "/tmp/a/in", "/tmp/a/in2")); um("busy-child", "/tmp/b", 0);
  mk("/tmp/c", 0755); mnt("bind-flat", "/tmp/b", "/tmp/c", 0, BIND, 0); info("flat"); um("umount-flat", "/tmp/c", 0);
  mnt("rbind", "/tmp/b", "/tmp/c", 0, BIND | REC, 0); info("rbind"); um("rbind-busy", "/tmp/c", 0); um("rbind-detach", "/tmp/c", 2); info("left");
  mnt("move", "/tmp/b", "/tmp/c", 0, MOVE, 0); info("moved"); t("leaf-b", SC(21, "/tmp/b/in", 0)); t("leaf-c", SC(21, "/tmp/c/in", 0));
  mnt("move-into-itself", "/tmp/c", "/tmp/c/in", 0, MOVE, 0); mnt("move-not-root", "/tmp/c/new", "/tmp/b", 0, MOVE, 0); mnt("move-on-file", "/tmp/c", "/tmp/file", 0, MOVE, 0);
  um("in", "/tmp/c/in", 0); um("c", "/tmp/c", 0);
  mnt("bind-file", "/tmp/a/in/leaf", "/tmp/file", 0, BIND, 0); info("file"); t("unlink-point", SC(87, "/tmp/file")); t("unlink-shown", SC(87, "/tmp/a/in/leaf")); info("deleted"); um("file", "/tmp/file", 0);
  mnt("unbindable", 0, "/tmp", 0, UNBINDABLE, 0); mnt("bind", "/tmp/a", "/tmp/b", 0, BIND, 0); mnt("private", 0, "/tmp", 0, PRIVATE, 0); mnt("slave", 0, "/tmp", 0, SLAVE | REC, 0);
  mnt("bind-sub", "/tmp/a/in", "/tmp/b", 0, BIND, 0); SC(80, "/tmp/b"); t("cwd-busy", SC(166, "/tmp/b", 0));
  t("dotdot", SC(80, "..")); t("cwd", SC(79, page, 100)); ps(page); nl(); um("b", "/tmp/b", 0);
  t("space", mk("/tmp/a b\n#", 0755)); mnt("bind-space", "/tmp/a", "/tmp/a b\n#", 0, BIND, 0); info("space"); um("space", "/tmp/a b\n#", 0); SC(84, "/tmp/a b\n#");
}

static void leaving(void) {
  ps("leaving"); nl();
  mnt("mount", "x", "/tmp/b", "tmpfs", 0, "size=1m"); mk("/tmp/b/d", 0755); mnt("inner", "y", "/tmp/b/d", "tmpfs", 0, 0);
  long f2, f = open_("/tmp/b/f", 0x42, 0600), d = open_("/tmp/b", 0200000, 0); SC(1, f, "hello", 5); SC(80, "/tmp/b");
  um("detach", "/tmp/b", 2); info("none"); t("name", SC(21, "/tmp/b/f", 0)); t("held", SC(17, f, page, 5, 0)); t("at", SC(269, d, "f", 0));
  f2 = SC(257, d, "new", 0x41, 0600); t("create-in", SC(3, f2)); t("cwd", SC(79, page, 100)); ps(page); nl();
  mnt("on-detached", "x", "/proc/self/cwd", "tmpfs", 0, 0); mnt("bind-on-detached", "/tmp/a", "/proc/self/cwd", 0, BIND, 0); mnt("below-detached", "x", "/proc/self/cwd/d", "tmpfs", 0, 0);
  mnt("move-on-detached", "/tmp", "/proc/self/cwd", 0, MOVE, 0); mnt("remount-detached", 0, "/proc/self/cwd", 0, REMOUNT, 0); mnt("flags-detached", 0, "/proc/self/cwd", 0, REMOUNT | BIND, 0); mnt("private-detached", 0, "/proc/self/cwd", 0, PRIVATE, 0); mnt("bind-of-detached", "/proc/self/cwd", "/tmp/b", 0, BIND, 0); um("again", "/proc/self/cwd", 2);
  t("up", SC(80, "..")); t("cwd", SC(79, page, 100)); SC(80, "/tmp"); SC(3, f); SC(3, d);
  mnt("mount", "x", "/tmp/b", "tmpfs", 0, 0);
  um("expire", "/tmp/b", 4); SC(21, "/tmp/b", 0); um("used", "/tmp/b", 4); um("expire-detach", "/tmp/b", 6); um("expired", "/tmp/b", 4); um("expired", "/tmp/b", 4);
  mnt("mount", "x", "/tmp/b", "tmpfs", 0, 0); f = open_("/tmp/b/f", 0x42, 0600); um("expire-busy", "/tmp/b", 4);
  char *m = (char *)SC(9, 0, 4096, 3, 1, f, 0); SC(3, f); t("mapped", SC(166, "/tmp/b", 0)); mnt("mapped-ro", 0, "/tmp/b", 0, REMOUNT | RDONLY, 0);
  SC(87, "/tmp/b/f"); SC(11, m, 4096); SC(80, "/tmp/b"); t("cwd", SC(166, "/tmp/b", 0)); SC(80, "/tmp");
  SC(88, "/tmp/b", "/tmp/to-b"); um("nofollow", "/tmp/to-b", 8); um("follow", "/tmp/to-b", 0); um("force", "/tmp/b", 1);
  mnt("again", "x", "/tmp/b", "tmpfs", 0, 0); um("force", "/tmp/b", 1);
  mk("/tmp/gone", 0755); SC(80, "/tmp/gone"); SC(84, "/tmp/gone"); mnt("removed", "x", ".", "tmpfs", 0, 0); mnt("bind-removed", "/tmp/a", ".", 0, BIND, 0); SC(80, "/tmp");
  mnt("proc", "p", "/tmp/b", "proc", NOSUID, 0); info("proc"); t("self", SC(21, "/tmp/b/self/maps", 0)); mnt("proc-again", "p", "/tmp/b", "proc", 0, 0); um("proc", "/tmp/b", 0); um("proc", "/tmp/b", 0);
  mnt("sysfs", "s", "/tmp/b", "sysfs", 0, 0); mnt("sysfs-again", "s", "/tmp/b", "sysfs", 0, 0); t("sys", SC(21, "/tmp/b/kernel", 0)); um("sysfs", "/tmp/b", 0);
  mnt("on-proc", "x", "/proc/self/fdinfo", "tmpfs", 0, 0); t("there", SC(3, open_("/proc/self/fdinfo/x", 0x41, 0600))); t("still", SC(21, "/proc/self/fdinfo/x", 0)); um("on-proc", "/proc/self/fdinfo", 0); t("gone", SC(21, "/proc/self/fdinfo/x", 0));
  mnt("shared", 0, "/tmp", 0, SHARED, 0); mnt("in-shared", "x", "/tmp/b", "tmpfs", 0, 0); mnt("move-shared", "/tmp/b", "/tmp/c", 0, MOVE, 0); um("b", "/tmp/b", 0);
  SC(80, "/"); um("busy", "/tmp", 0); 
}

int main_(long *sp) {
  SC(95, 022);
  if (SC(165, "none", "/", 0, REC | PRIVATE, 0) || SC(165, "t", "/tmp", "tmpfs", 0, 0)) { ps("no mounts here"); nl(); return 1; }
  refusals(); tmpfs(); flags(); binds(); leaving();
  um("end", "/tmp", 0);
  return 0;
}
