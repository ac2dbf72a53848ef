/* modify_ldt(2): what it takes and gives, what LAR and LSL say of its entries, fork, exec, threads, selectors loaded. */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static unsigned long raw(long number, long a, long b, long c) {
  unsigned long result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return result;
}

static unsigned long modify(long function, const void *at, unsigned long bytes) {
  return raw(SYS_modify_ldt, function, (long)at, bytes);
}

static void rights(const char *what, unsigned selector) {
  unsigned ar = 0xdead, limit = 0xdead, has_ar = 0, has_limit = 0;
  unsigned char readable, writable;
  __asm__ volatile("lar %2, %0\n\tsetz %b1" : "+r"(ar), "+q"(has_ar) : "r"(selector));
  __asm__ volatile("lsl %2, %0\n\tsetz %b1" : "+r"(limit), "+q"(has_limit) : "r"(selector));
  __asm__ volatile("verr %w1\n\tsetz %0" : "=q"(readable) : "r"(selector));
  __asm__ volatile("verw %w1\n\tsetz %0" : "=q"(writable) : "r"(selector));
  printf("%s %#x: ar %d %#x limit %d %#x r%d w%d\n", what, selector, has_ar, has_ar ? ar & 0xf0ff00 : 0, has_limit,
         has_limit ? limit : 0, readable, writable);
}

static void show_table(const char *what, unsigned char *table, unsigned long bytes) {
  memset(table, 0xee, bytes + 8);
  unsigned long got = modify(0, table, bytes);
  printf("%s read %lu: %#lx", what, bytes, got);
  for (unsigned long i = 0; i < bytes && i < 40; i++) printf("%s%02x", i % 8 ? "" : " ", table[i]);
  printf(" then %02x\n", table[bytes]);
}

#define SELECTOR(name)                                        \
  static unsigned get_##name(void) {                          \
    unsigned value;                                           \
    __asm__ volatile("mov %%" #name ", %0" : "=r"(value));    \
    return value;                                             \
  }                                                           \
  static void set_##name(unsigned value) {                    \
    __asm__ volatile("mov %0, %%" #name : : "r"(value));      \
  }
SELECTOR(ds)
SELECTOR(es)
SELECTOR(gs)
SELECTOR(ss)

static unsigned char *table;
static struct user_desc data = {.entry_number = 3, .limit = 0xfffff, .seg_32bit = 1, .limit_in_pages = 1};

static void *thread(void *unused) {
  (void)unused;
  printf("thread: ds %#x es %#x gs %#x\n", get_ds(), get_es(), get_gs());
  set_es(0);
  const struct user_desc clear = {.entry_number = 3, .read_exec_only = 1, .seg_not_present = 1};
  printf("thread clears: %#lx\n", modify(0x11, &clear, sizeof clear));
  return NULL;
}

static void on_segv(int signo, siginfo_t *info, void *context) {
  const unsigned long long *registers = (void *)((char *)context + 40);
  printf("signal %d code %d addr %p trap %llu error %#llx segments %#llx ss now %#x\n", signo, info->si_code,
         info->si_addr, registers[20], registers[19], registers[18], get_ss());
  fflush(stdout);
  _exit(0);
}

static void in_child(void (*act)(void)) {
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    struct sigaction action = {.sa_sigaction = on_segv, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    act();
    fflush(stdout);
    _exit(0);
  }
  int status;
  waitpid(child, &status, 0);
  printf("child %#x\n", status);
}

static void load_beyond(void) { set_es(0x7fff); }
static void load_absent(void) {
  struct user_desc absent = data;
  absent.seg_not_present = 1;
  modify(0x11, &absent, sizeof absent);
  set_es(0x1f);
}
static void load_absent_stack(void) {
  struct user_desc absent = data;
  absent.seg_not_present = 1;
  modify(0x11, &absent, sizeof absent);
  set_ss(0x1f);
}
static void load_code(void) {
  struct user_desc code = data;
  code.contents = 2;
  code.read_exec_only = 1;
  modify(0x11, &code, sizeof code);
  set_es(0x1f);
}
static void load_read_only_stack(void) {
  struct user_desc constant = data;
  constant.read_exec_only = 1;
  modify(0x11, &constant, sizeof constant);
  set_es(0x1f);
  printf("es %#x\n", get_es());
  set_ss(0x1f);
}
static void load_kernel(void) { set_es(0x1b); }
static void load_null_stack(void) { set_ss(0); }
static void stack_over_call(void) {
  set_ss(0x1f);
  unsigned before = get_ss();
  raw(SYS_getpid, 0, 0, 0);
  printf("ss %#x, after a call %#x\n", before, get_ss());
}
static void stack_in_handler(void) {
  set_ss(0x1f);
  *(volatile int *)8 = 0;
}
static void stack_gone_in_call(void) {
  const struct user_desc clear = {.entry_number = 3, .read_exec_only = 1, .seg_not_present = 1};
  set_ss(0x1f);
  printf("%#lx\n", modify(0x11, &clear, sizeof clear));
  printf("ss %#x\n", get_ss());
}
static void null_by_privilege(void) {
  for (unsigned i = 0; i < 4; i++) {
    set_ds(i);
    set_es(i);
    printf("null %u: ds %#x es %#x\n", i, get_ds(), get_es());
  }
  set_gs(3);
  sched_yield();
  printf("gs %#x\n", get_gs());
}

int main(int argc, char **argv) {
  (void)argv;
  if (argc > 1) {
    unsigned char some[16];
    printf("after exec: read %#lx ds %#x es %#x gs %#x\n", modify(0, some, sizeof some), get_ds(), get_es(), get_gs());
    rights("after exec", 0x1f);
    return 0;
  }
  table = malloc(70000);
  struct user_desc d = data;
  show_table("nothing", table, 32);
  printf("functions: %#lx %#lx %#lx\n", modify(3, &d, 16), modify(-1, &d, 16), modify(0x100000000, table, 16));
  memset(table, 0xee, 256);
  unsigned long whole = modify(2, table, 200);
  printf("default: %#lx %02x %02x", whole, table[127], table[128]);
  printf(" %#lx", modify(2, table, 16));
  printf(" %#lx %#lx\n", modify(2, (void *)8, 16), modify(2, (void *)8, 0));
  printf("sizes: %#lx %#lx %#lx %#lx\n", modify(0x11, &d, 15), modify(0x11, &d, 17), modify(1, &d, 0),
         modify(1, &d, 0x100000010));
  printf("pointers: %#lx %#lx\n", modify(0x11, (void *)8, 16), modify(1, NULL, 16));
  printf("still nothing: %#lx\n", modify(0, table, 16));
  d.entry_number = 8192;
  printf("too high: %#lx", modify(0x11, &d, 16));
  d.entry_number = -1;
  printf(" %#lx\n", modify(1, &d, 16));

  unsigned entry = 0;
  for (unsigned bits = 0; bits < 256; bits++) {
    unsigned words[4] = {4, 0x12345678, 0x000abcde, bits};
    unsigned long result = modify(bits & 1 ? 1 : 0x11, words, 16);
    unsigned char got[40];
    modify(0, got, sizeof got);
    printf("%02x: %#lx %02x%02x%02x%02x%02x%02x%02x%02x\n", bits, result, got[32], got[33], got[34], got[35], got[36],
           got[37], got[38], got[39]);
    if (bits % 16 == 2) rights("entry", 0x27);
  }
  for (unsigned bits = 0; bits < 256; bits++)
    for (int base = 0; base < 2; base++)
      for (int old = 0; old < 2; old++) {
        const unsigned full[4] = {4, 1, 1, 1};
        modify(0x11, full, 16);
        unsigned words[4] = {4, base, 0, bits};
        unsigned long result = modify(old ? 1 : 0x11, words, 16);
        unsigned char got[40];
        modify(0, got, sizeof got);
        if (result == 0 && memcmp(got + 32, "\0\0\0\0\0\0\0\0", 8) == 0) printf("empty: %02x %d %d\n", bits, base, old);
        entry += result != 0;
      }
  printf("refused %u\n", entry);
  const unsigned full[4] = {4, 1, 0xffffffff, 0xffffff01};
  printf("long limit: %#lx\n", modify(0x11, full, 16));
  show_table("five", table, 40);
  show_table("short", table, 7);
  show_table("none", table, 0);
  printf("longest: %#lx %#lx\n", modify(0, table, 65536), modify(0, table, 70000));
  printf("bad place: %#lx %#lx\n", modify(0, (void *)8, 16), modify(0, (void *)8, 0));
  for (unsigned i = 0; i < 6; i++) rights("all", i * 8 + 7);
  for (unsigned rpl = 0; rpl < 4; rpl++) rights("level", 4 * 8 + 4 + rpl);

  printf("data: %#lx\n", modify(0x11, &data, sizeof data));
  rights("data", 0x1f);
  set_ds(0x1f);
  set_es(0x1f);
  set_gs(0x1f);
  printf("set: ds %#x es %#x gs %#x\n", get_ds(), get_es(), get_gs());
  sched_yield();
  printf("kept: ds %#x es %#x gs %#x\n", get_ds(), get_es(), get_gs());
  in_child(stack_over_call);
  in_child(stack_in_handler);
  in_child(stack_gone_in_call);
  in_child(load_beyond);
  in_child(load_absent);
  in_child(load_absent_stack);
  in_child(load_code);
  in_child(load_read_only_stack);
  in_child(load_kernel);
  in_child(load_null_stack);
  in_child(null_by_privilege);
  fflush(stdout);
  pthread_t other;
  pthread_create(&other, NULL, thread, NULL);
  pthread_join(other, NULL);
  usleep(1000);
  printf("cleared: ds %#x es %#x gs %#x\n", get_ds(), get_es(), get_gs());
  rights("cleared", 0x1f);
  printf("data again: %#lx\n", modify(0x11, &data, sizeof data));
  set_ds(0x1f);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    rights("child", 0x1f);
    printf("child: ds %#x\n", get_ds());
    const struct user_desc clear = {.entry_number = 3, .read_exec_only = 1, .seg_not_present = 1};
    printf("child clears: %#lx", modify(0x11, &clear, sizeof clear));
    printf(" ds %#x\n", get_ds());
    fflush(stdout);
    execl("/proc/self/exe", "local-tables", "again", NULL);
    _exit(1);
  }
  wait(NULL);
  rights("parent", 0x1f);
  printf("parent: ds %#x\n", get_ds());
  return 0;
}
