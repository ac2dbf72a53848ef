/*
 * Core files: how much of which area is in them, their notes, the wait status. Run in a directory of its own, as root;
 * with "pattern" it sets /proc/sys/kernel/core_pattern and leaves it changed.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/procfs.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_barrier_t barrier;

static void *waits(void *unused) {
  pthread_barrier_wait(&barrier);
  for (;;) pause();
}

static long put(const char *path, const char *text) {
  int fd = open(path, O_WRONLY);
  long result = fd < 0 ? -1 : write(fd, text, strlen(text));
  int error = errno;
  close(fd);
  return result < 0 ? -error : result;
}

static void get(const char *path, char *text, int room) {
  int fd = open(path, O_RDONLY);
  long length = read(fd, text, room - 1);
  text[length < 0 ? 0 : length] = 0;
  close(fd);
}

static void at(long address, int protection, int flags, int fd) {
  mmap((void *)address, 8192, protection, flags | MAP_FIXED, fd, 0);
}

static void areas(void) {
  int self = open("/proc/self/exe", O_RDONLY), named = open("named", O_RDWR | O_CREAT, 0600);
  ftruncate(named, 8192);
  at(0x10000000, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1), strcpy((char *)0x10000000, "private");
  at(0x11000000, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1), strcpy((char *)0x11000000, "hidden");
  madvise((void *)0x11000000, 8192, MADV_DONTDUMP);
  at(0x12000000, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1), strcpy((char *)0x12000000, "shown again");
  madvise((void *)0x12000000, 8192, MADV_DONTDUMP), madvise((void *)0x12000000, 8192, MADV_DODUMP);
  at(0x13000000, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  at(0x14000000, 3, MAP_SHARED | MAP_ANONYMOUS, -1), strcpy((char *)0x14000000, "shared");
  at(0x15000000, 3, MAP_SHARED, named), strcpy((char *)0x15000000, "file");
  at(0x16000000, 3, MAP_PRIVATE, named);
  at(0x17000000, 3, MAP_PRIVATE, named), strcpy((char *)0x17000000, "copied");
  at(0x18000000, 1, MAP_PRIVATE, self);
  at(0x19000000, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1), strcpy((char *)0x19000000, "wiped");
  madvise((void *)0x19000000, 8192, MADV_WIPEONFORK);
  at(0x1a000000, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1), strcpy((char *)0x1a000000, "no access");
  mprotect((void *)0x1a000000, 8192, PROT_NONE);
  int secret = syscall(447 /* memfd_secret */, 0);
  ftruncate(secret, 8192);
  at(0x1b000000, 3, MAP_SHARED, secret), strcpy((char *)0x1b000000, "secret");
  madvise((void *)0x1b000000, 8192, MADV_DODUMP);
}

static void show(const char *path) {
  int fd = open(path, O_RDONLY);
  struct stat st;
  if (fd < 0) {
    printf("  no core\n");
    return;
  }
  fstat(fd, &st);
  printf("  mode %o\n", st.st_mode);
  char *core = mmap(0, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
  Elf64_Ehdr *head = (Elf64_Ehdr *)core;
  Elf64_Phdr *part = (Elf64_Phdr *)(core + head->e_phoff);
  printf("  type %d machine %d\n", head->e_type, head->e_machine);
  for (int i = 0; i < head->e_phnum; i++) {
    if (part[i].p_type == PT_LOAD && part[i].p_vaddr >= 0x10000000 && part[i].p_vaddr < 0x1c000000 &&
        (part[i].p_vaddr & 0xffffff) == 0)
      printf("  %lx: flags %x, %lx of %lx: %s\n", part[i].p_vaddr, part[i].p_flags, part[i].p_filesz, part[i].p_memsz,
             part[i].p_filesz == 0 ? "-" : core[part[i].p_offset] == 0x7f ? "ELF" : core + part[i].p_offset);
    if (part[i].p_type != PT_NOTE) continue;
    for (char *at = core + part[i].p_offset, *end = at + part[i].p_filesz; at < end;) {
      Elf64_Nhdr *note = (Elf64_Nhdr *)at;
      char *name = at + sizeof *note, *body = name + (note->n_namesz + 3 & ~3);
      at = body + (note->n_descsz + 3 & ~3);
      /* Of the kernel's and the processor's own: those that every one has. */
      if (strcmp(name, "CORE") == 0) printf("  note %x", note->n_type);
      if (note->n_type == NT_PRSTATUS) {
        struct elf_prstatus *status = (struct elf_prstatus *)body;
        printf(": signal %d code %d", status->pr_cursig, status->pr_info.si_code);
        printf(", fs %s", status->pr_reg[21] ? "set" : "0");
      } else if (note->n_type == NT_PRPSINFO) {
        struct elf_prpsinfo *info = (struct elf_prpsinfo *)body;
        printf(": %c %s", info->pr_sname, info->pr_fname);
      } else if (note->n_type == NT_SIGINFO) {
        siginfo_t *info = (siginfo_t *)body;
        printf(": signal %d code %d at %p", info->si_signo, info->si_code, info->si_addr);
      }
      if (strcmp(name, "CORE") == 0) printf("\n");
    }
  }
  munmap(core, st.st_size);
  close(fd);
}

static pid_t crash(const char *how) {
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    char name[16] = "crash";
    prctl(PR_SET_NAME, name);
    if (strcmp(how, "undumpable") == 0) prctl(PR_SET_DUMPABLE, 0);
    if (strcmp(how, "threads") == 0) {
      pthread_t thread;
      pthread_barrier_init(&barrier, NULL, 2);
      pthread_create(&thread, NULL, waits, NULL);
      pthread_barrier_wait(&barrier);
    }
    if (strcmp(how, "abort") == 0) abort();
    if (strcmp(how, "kill") == 0) raise(SIGKILL);
    *(volatile int *)0x1230 = 1;
  }
  int status;
  siginfo_t info;
  waitid(P_PID, child, &info, WEXITED | WNOWAIT);
  waitpid(child, &status, 0);
  printf("%s: status %x, si_code %d\n", how, status, info.si_code);
  return child;
}

static void limit(rlim_t bytes) {
  struct rlimit core = {bytes, RLIM_INFINITY};
  setrlimit(RLIMIT_CORE, &core);
}

static void patterns(void) {
  const char *const all[] = {"core.%e.%s", "%%x-%u-%g-%d%q%", "deep/%f", "%E", "plain", NULL};
  limit(RLIM_INFINITY);
  mkdir("deep", 0700);
  for (int i = 0; all[i]; i++) {
    char text[128], name[64];
    put("/proc/sys/kernel/core_pattern", all[i]);
    put("/proc/sys/kernel/core_uses_pid", i == 4 ? "1" : "0");
    get("/proc/sys/kernel/core_pattern", text, sizeof text);
    printf("pattern %s", text);
    pid_t child = crash("fault");
    sprintf(name, "plain.%d", child);
    printf("  with its number: %s\n", access(name, F_OK) == 0 ? "yes" : "no");
    unlink(name);
    for (int k = 0; k < 2; k++) {
      DIR *directory = opendir(k ? "deep" : ".");
      for (struct dirent *entry; (entry = readdir(directory));)
        if (entry->d_name[0] != '.' && entry->d_type == DT_REG && (k || strcmp(entry->d_name, "core-files-glibc"))) {
          /* The path of the program is not the same everywhere. */
          char *last = strrchr(entry->d_name, '!');
          printf("  %s\n", last ? last : entry->d_name);
          unlinkat(dirfd(directory), entry->d_name, 0);
        }
      closedir(directory);
    }
  }
}

int main(int argc, char **argv) {
  char text[32];
  if (argc > 1 && strcmp(argv[1], "again") == 0) {
    get("/proc/self/coredump_filter", text, sizeof text);
    printf("after execve %s", text);
    return 0;
  }
  if (argc > 1) {
    patterns();
    return 0;
  }
  struct stat st;
  limit(0);
  crash("fault"), show("core");
  limit(4095);
  crash("fault"), show("core");
  limit(RLIM_INFINITY);
  areas();
  const char *const filters[] = {"0x33", "0", "0x37", "0x3b", "0xffffffff", "077\n", "16", NULL};
  for (int i = 0; filters[i]; i++) {
    printf("filter %s: %ld\n", filters[i], put("/proc/self/coredump_filter", filters[i]));
    get("/proc/self/coredump_filter", text, sizeof text);
    printf("%s", text);
    crash(i == 0 ? "threads" : "fault"), show("core");
  }
  const char *const bad[] = {"x", "-1", "0x100000000", "", "1 2", NULL};
  for (int i = 0; bad[i]; i++) printf("filter %s: %ld\n", bad[i], put("/proc/self/coredump_filter", bad[i]));
  put("/proc/self/coredump_filter", "0x23");
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) execl("/proc/self/exe", "again", "again", NULL);
  waitpid(child, NULL, 0);
  unlink("core");
  crash("undumpable"), show("core");
  crash("kill"), show("core");
  crash("abort");
  printf("abort leaves %s\n", access("core", F_OK) == 0 ? "one" : "none");
  unlink("core");
  limit(8192);
  crash("fault");
  stat("core", &st);
  printf("cut short: %s\n", st.st_size <= 8192 ? "yes" : "no");
  unlink("core");
  limit(RLIM_INFINITY);
  mkdir("core", 0700);
  crash("fault");
  rmdir("core");
  umask(0700);
  crash("fault");
  unlink("core"), unlink("named");
  return 0;
}
