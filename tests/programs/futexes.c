/*
 * futex(2) and its relatives with the bare calls: what each refuses and in which order, who is woken, requeued and
 * passed a lock, robust lists, membarrier, scheduling attributes. Nothing printed depends on which thread is faster.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WAIT, WAKE, FD, REQUEUE, CMP_REQUEUE, WAKE_OP, LOCK_PI, UNLOCK_PI, TRYLOCK_PI, WAIT_BITSET, WAKE_BITSET,
       WAIT_REQUEUE_PI, CMP_REQUEUE_PI, LOCK_PI2 };
#define PRIVATE 128
#define REALTIME 256
#define WAITERS 0x80000000u
#define DIED 0x40000000u
#define ASLEEP 30000

/* All arguments as the kernel takes them: a variadic one would pass an int as half a word. */
static long bare(long number, long a, long b, long c, long d, long e, long f) { return syscall(number, a, b, c, d, e, f); }
#define PADDED(n, a, b, c, d, e, f, ...) \
  bare(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define syscall(...) PADDED(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

typedef uint32_t u32;
struct timespec64 { int64_t seconds, nanoseconds; };

static long result(long r) { return r < 0 ? -errno : r; }
static long call(void *a, long op, long v, const void *t, void *b, long v3) { return result(syscall(202, a, op, v, t, b, v3)); }
static const void *count(long n) { return (const void *)n; }
static int tid(void) { return syscall(186); }

/* What there is at an address, and what each operation says to it. */
static void refusals(void) {
  static u32 data[4] __attribute__((aligned(16)));
  static const u32 constant[4] __attribute__((aligned(16)));
  int page = 4096;
  char *zero = mmap(0, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *none = mmap(0, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *shared = mmap(0, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  char *shared_ro = mmap(0, page, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  char *untouched = mmap(0, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *gone = mmap(0, page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  munmap(gone, page);
  char *places[] = {(char *)data, (char *)data + 1, (char *)data + 2, zero, none, shared, shared_ro, untouched, gone, 0,
                    (char *)constant, (char *)0x7ffffffff000, (char *)0x7fffffffeffd, (char *)0xffffffff80000000,
                    (char *)0xffff800000000001, (char *)0x800000000000};
  static struct timespec64 past = {0, 5}, bad = {0, 1000000000}, negative = {-1, 0};
  const void *times[] = {&past, &bad, &negative, (void *)8};
  for (unsigned i = 0; i < sizeof places / sizeof *places; i++)
    for (int op = 0; op < 16; op++) {
      if (op == FD) continue;
      printf("place %u op %d:", i, op);
      for (int private = 0; private <= PRIVATE; private += PRIVATE) {
        printf(" %ld", call(places[i], op | private, 1, &past, data + 2, 7));
        printf(" %ld", call(places[i], op | private, 0, &past, data + 2, 0));
        printf(" %ld", call(data + 2, op | private, 0, &past, places[i], 0));
        printf(" %ld", call(places[i], op | private | REALTIME, 1, &past, data + 2, 7));
      }
      data[0] = data[1] = data[2] = data[3] = 0;
      memset(shared, 0, 16);
      memset(untouched, 0, 16);
      printf("\n");
    }
  for (int t = 0; t < 4; t++)
    for (int op = 0; op < 16; op++)
      printf("%s%ld %ld", op ? " " : "times: ", call(data, op, 0, times[t], data + 2, -1),
             call(data + 1, op | REALTIME | PRIVATE, 3, times[t], data + 2, -1)), memset(data, 0, sizeof data);
  printf("\ncounts:");
  for (int op = 3; op <= 12; op++)
    if (op < LOCK_PI || op == WAKE_BITSET || op == CMP_REQUEUE_PI)
      for (int wake = -1; wake <= 2; wake++)
        for (int move = -1; move <= 1; move++) printf(" %ld", call(data, op, wake, count(move), data + 2, data[0]));
  printf("\nunknown: %ld %ld %ld %ld\n", call(data, 14, 0, 0, 0, 0), call(data, 127, 0, 0, 0, 0),
         call(data, 512, 0, 0, 0, 0), call(data, 2, 0, 0, 0, 0));
}

static void operations(void) {
  static u32 a, b;
  static const u32 values[] = {0, 1, 5, 0x7fffffff, 0x80000000u, 0xffffffffu, 0xfffff800u};
  printf("wake_op:");
  for (u32 op = 0; op < 16; op++)
    for (u32 cmp = 0; cmp < 8; cmp++)
      for (unsigned v = 0; v < 7; v++) {
        u32 encoded = op << 28 | cmp << 24 | (v * 0x2b7 & 0xfff) << 12 | (v * 0x123 & 0xfff);
        b = values[v];
        long r = call(&a, WAKE_OP | PRIVATE, 1, count(1), &b, encoded);
        if (v == 3 || r != 0) printf(" %ld/%x", r, b);
        else printf(" %x", b);
      }
  printf("\n");
}

/* Threads that wait, each in its own way. */
struct waiter {
  pthread_t thread;
  void *word, *other;
  int op;
  u32 value, bits;
  struct timespec64 *until;
  long answer;
  int tid;
  volatile int done;
};

static void *wait_thread(void *argument) {
  struct waiter *w = argument;
  w->tid = tid();
  w->answer = call(w->word, w->op, w->value, w->until, w->other, w->bits);
  w->done = 1;
  return 0;
}

static void start(struct waiter *w) {
  w->done = 0;
  w->answer = 99;
  pthread_create(&w->thread, 0, wait_thread, w);
  usleep(ASLEEP);
}

static struct waiter *many(int n, void *word, int op, u32 bits) {
  struct waiter *w = calloc(n, sizeof *w);
  for (int i = 0; i < n; i++) {
    w[i].word = word;
    w[i].op = op;
    w[i].bits = bits ? bits : 1u << i;
    start(&w[i]);
  }
  return w;
}

static void show(const char *what, struct waiter *w, int n) {
  usleep(ASLEEP);
  printf("  %s:", what);
  for (int i = 0; i < n; i++) printf(w[i].done ? " %ld" : " -", w[i].answer);
  printf("\n");
}

static void finish(struct waiter *w, int n, void *word, void *other) {
  for (int i = 0; i < n; i++)
    while (!w[i].done) {
      call(word, WAKE, 100, 0, 0, 0);
      call(word, WAKE | PRIVATE, 100, 0, 0, 0);
      if (other) call(other, WAKE, 100, 0, 0, 0);
      if (other) call(other, WAKE | PRIVATE, 100, 0, 0, 0);
      usleep(1000);
    }
  for (int i = 0; i < n; i++) pthread_join(w[i].thread, 0);
  free(w);
}

static void waking(void) {
  static u32 a, b;
  struct waiter *w = many(6, &a, WAIT | PRIVATE, 1);
  printf("waking: shared %ld", call(&a, WAKE, 9, 0, 0, 0));
  printf(", none %ld", call(&a, WAKE | PRIVATE, 0, 0, 0, 0));
  printf(", minus %ld", call(&a, WAKE | PRIVATE, -3, 0, 0, 0));
  printf(", two %ld\n", call(&a, WAKE | PRIVATE, 2, 0, 0, 0));
  show("in turn", w, 6);
  finish(w, 6, &a, 0);

  w = many(6, &a, WAIT_BITSET | PRIVATE, 0);
  printf("bits: %ld", call(&a, WAKE_BITSET | PRIVATE, 9, 0, 0, 64));
  printf(" %ld", call(&a, WAKE_BITSET | PRIVATE, 9, 0, 0, 0x12));
  printf(" %ld", call(&a, WAKE_BITSET | PRIVATE, 1, 0, 0, 0x2c));
  printf(" %ld\n", call(&a, WAKE_BITSET | PRIVATE, 9, 0, 0, 0));
  show("by bit", w, 6);
  finish(w, 6, &a, 0);

  w = many(6, &a, WAIT | PRIVATE, 1);
  printf("requeue: %ld", call(&a, CMP_REQUEUE | PRIVATE, 1, count(2), &b, 1));
  printf(" %ld", call(&a, CMP_REQUEUE | PRIVATE, 1, count(2), &b, 0));
  printf(" %ld", call(&a, REQUEUE | PRIVATE, 0, count(1), &b, 5));
  printf(" %ld", call(&a, REQUEUE | PRIVATE, 0, count(9), &a, 5));
  printf(" %ld", call(&b, WAKE | PRIVATE, 1, 0, 0, 0));
  printf(" %ld\n", call(&a, WAKE | PRIVATE, 1, 0, 0, 0));
  show("requeued", w, 6);
  finish(w, 6, &a, &b);

  w = many(3, &a, WAIT | PRIVATE, 1);
  struct waiter *v = many(3, &b, WAIT | PRIVATE, 1);
  printf("wake_op: %ld", call(&a, WAKE_OP | PRIVATE, 1, count(2), &b, 1u << 28 | 4u << 24 | 7 << 12 | 0));
  printf(" %ld %u\n", call(&a, WAKE_OP | PRIVATE, 1, count(2), &b, 0u << 28 | 0u << 24 | 0 << 12 | 7), b);
  show("first", w, 3);
  show("second", v, 3);
  finish(w, 3, &a, 0);
  finish(v, 3, &b, 0);
}

/* One page at two places, a file, and memory that only looks shared. */
static void keys(void) {
  char name[] = "/tmp/futex-XXXXXX";
  int fd = mkstemp(name);
  unlink(name);
  if (ftruncate(fd, 8192)) return;
  u32 *one = mmap(0, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  u32 *two = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 4096);
  u32 *own = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 4096);
  u32 *ro = mmap(0, 4096, PROT_READ, MAP_PRIVATE, fd, 4096);
  struct waiter *w = many(4, one + 1024, WAIT, 1);
  printf("keys: %ld", call(two, WAKE | PRIVATE, 9, 0, 0, 0));
  printf(" %ld", call(own, WAKE, 9, 0, 0, 0));
  printf(" %ld", call(two, WAKE, 1, 0, 0, 0));
  printf(" %ld", call(ro, WAKE, 1, 0, 0, 0));
  printf(" %ld", call(two + 1, WAKE, 1, 0, 0, 0));
  printf(" %ld\n", call(one, REQUEUE, 1, count(1), two, 0));
  show("one page", w, 4);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    static u32 private;
    printf("child: %ld %ld\n", call(two, WAKE, 1, 0, 0, 0), call(&private, WAKE, 9, 0, 0, 0));
    fflush(stdout);
    _exit(0);
  }
  waitpid(child, 0, 0);
  show("woken from outside", w, 4);
  finish(w, 4, one + 1024, 0);
  munmap(one, 8192);
  close(fd);
}

static struct timespec64 soon(clockid_t clock, long after) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (struct timespec64){t.tv_sec + (t.tv_nsec + after) / 1000000000, (t.tv_nsec + after) % 1000000000};
}

static volatile int signals;
static void on_signal(int signal) { signals += signal != 0; }

static void times(void) {
  static u32 a;
  struct timespec64 relative = {0, 20000000}, mono = soon(CLOCK_MONOTONIC, 20000000), real = soon(CLOCK_REALTIME, 20000000);
  printf("times: %ld", call(&a, WAIT | PRIVATE, 0, &relative, 0, 0));
  printf(" %ld", call(&a, WAIT_BITSET | PRIVATE, 0, &mono, 0, 1));
  printf(" %ld", call(&a, WAIT_BITSET | PRIVATE | REALTIME, 0, &real, 0, 1));
  printf(" %ld", call(&a, WAIT | PRIVATE, 1, &relative, 0, 0));
  /* A signal: with a handler, and without one through restart_syscall. */
  struct sigaction action = {.sa_handler = on_signal};
  struct timespec64 far = {3, 0};
  struct waiter w = {.word = &a, .op = WAIT | PRIVATE, .until = &far};
  for (int flags = 0; flags <= SA_RESTART; flags += SA_RESTART)
    for (int timed = 0; timed < 2; timed++) {
      action.sa_flags = flags;
      sigaction(SIGUSR1, &action, 0);
      w.until = timed ? &far : 0;
      start(&w);
      pthread_kill(w.thread, SIGUSR1);
      usleep(ASLEEP);
      printf(w.done ? " %ld" : " -", w.answer);
      call(&a, WAKE | PRIVATE, 1, 0, 0, 0);
      pthread_join(w.thread, 0);
    }
  printf(" signals %d\n", signals);
  fflush(stdout);
  for (int timed = 0; timed < 2; timed++) {
    pid_t child = fork();
    if (child == 0) {
      struct timespec64 t = {0, 300000000};
      long r = call(&a, WAIT | PRIVATE, 0, timed ? &t : 0, 0, 0);
      _exit(-r);
    }
    usleep(ASLEEP);
    kill(child, SIGSTOP);
    int status;
    waitpid(child, &status, WUNTRACED);
    kill(child, SIGCONT);
    usleep(ASLEEP);
    if (!timed) kill(child, SIGKILL);
    waitpid(child, &status, 0);
    printf("  stopped and continued: %x\n", status);
  }
}

static void pi(void) {
  static u32 a, b;
  int me = tid();
  printf("pi: free %ld", call(&a, LOCK_PI, 0, 0, 0, 0));
  printf(" %d", a == (u32)me);
  printf(", again %ld %ld", call(&a, LOCK_PI, 0, 0, 0, 0), call(&a, TRYLOCK_PI, 0, 0, 0, 0));
  printf(", unlock %ld", call(&a, UNLOCK_PI, 0, 0, 0, 0));
  printf(" %x", a);
  printf(" %ld", call(&a, UNLOCK_PI, 0, 0, 0, 0));
  a = 0x3ffffff0;
  printf(", nobody %ld", call(&a, LOCK_PI, 0, 0, 0, 0));
  printf(" %x", a);
  a = DIED;
  printf(", died %ld %d", call(&a, LOCK_PI | PRIVATE, 0, 0, 0, 0), a == (DIED | me));
  printf(" %ld", call(&a, UNLOCK_PI | PRIVATE, 0, 0, 0, 0));
  printf(" %x", a);
  a = WAITERS;
  printf(", waiters %ld %d", call(&a, TRYLOCK_PI | PRIVATE, 0, 0, 0, 0), a == (u32)me);
  a = 0;
  call(&a, LOCK_PI | PRIVATE, 0, 0, 0, 0);
  struct waiter *w = many(3, &a, LOCK_PI | PRIVATE, 1);
  printf("\n  held %d", a == (WAITERS | me));
  printf(", wake %ld", call(&a, WAKE | PRIVATE, 1, 0, 0, 0));
  printf(", requeue %ld", call(&a, CMP_REQUEUE | PRIVATE, 1, count(1), &b, a));
  printf(", wake_op %ld", call(&a, WAKE_OP | PRIVATE, 1, count(1), &b, 0));
  printf(", shared unlock %ld", call(&a, UNLOCK_PI, 0, 0, 0, 0));
  printf(" %x\n", a);
  a = WAITERS | me;
  for (int i = 0; i < 3; i++) {
    long r = i == 0 ? call(&a, UNLOCK_PI | PRIVATE, 0, 0, 0, 0) : 0;
    usleep(ASLEEP);
    /* The one that had it has ended without unlocking: nobody takes it from it but by its end. */
    printf("  passed on %ld: %d of %d %d%d%d %x\n", r, (a & 0x3fffffff) == (u32)w[i].tid, i, w[0].done, w[1].done,
           w[2].done, a & ~0x3fffffffu);
  }
  for (int i = 0; i < 3; i++) pthread_join(w[i].thread, 0);
  printf("  answers %ld %ld %ld\n", w[0].answer, w[1].answer, w[2].answer);
  free(w);

  a = 0;
  call(&a, LOCK_PI | PRIVATE, 0, 0, 0, 0);
  struct timespec64 real = soon(CLOCK_REALTIME, 60000000), mono = soon(CLOCK_MONOTONIC, 60000000), past = {1, 0};
  struct waiter t[4] = {{.word = &a, .op = LOCK_PI | PRIVATE, .until = &real},
                        {.word = &a, .op = LOCK_PI2 | PRIVATE, .until = &mono},
                        {.word = &a, .op = LOCK_PI2 | PRIVATE | REALTIME, .until = &real},
                        {.word = &a, .op = LOCK_PI | PRIVATE, .until = &past}};
  for (int i = 0; i < 4; i++) {
    pthread_create(&t[i].thread, 0, wait_thread, &t[i]);
    pthread_join(t[i].thread, 0);
  }
  printf("  in time %ld %ld %ld %ld", t[0].answer, t[1].answer, t[2].answer, t[3].answer);
  struct waiter plain = {.word = &a, .op = WAIT | PRIVATE, .value = a};
  start(&plain);
  struct waiter mixed = {.word = &a, .op = LOCK_PI | PRIVATE};
  start(&mixed);
  printf(", mixed %ld", mixed.answer);
  printf(", unlock %ld", call(&a, UNLOCK_PI | PRIVATE, 0, 0, 0, 0));
  call(&a, WAKE | PRIVATE, 1, 0, 0, 0);
  pthread_join(plain.thread, 0);
  pthread_join(mixed.thread, 0);
  printf(", %ld\n", call(&a, UNLOCK_PI | PRIVATE, 0, 0, 0, 0));
}

static u32 ring[2];
static volatile int ready;

static void *ring_thread(void *unused) {
  call(&ring[1], LOCK_PI | PRIVATE, 0, 0, 0, 0);
  ready = 1;
  long r = call(&ring[0], LOCK_PI | PRIVATE, 0, 0, 0, 0);
  call(&ring[0], UNLOCK_PI | PRIVATE, 0, 0, 0, 0);
  call(&ring[1], UNLOCK_PI | PRIVATE, 0, 0, 0, 0);
  (void)unused;
  return (void *)r;
}

static void deadlock(void) {
  pthread_t thread;
  void *answer;
  call(&ring[0], LOCK_PI | PRIVATE, 0, 0, 0, 0);
  pthread_create(&thread, 0, ring_thread, 0);
  while (!ready) usleep(1000);
  usleep(ASLEEP);
  printf("ring: %ld", call(&ring[1], LOCK_PI | PRIVATE, 0, 0, 0, 0));
  printf(" %ld", call(&ring[1], TRYLOCK_PI | PRIVATE, 0, 0, 0, 0));
  printf(" %ld", call(&ring[0], UNLOCK_PI | PRIVATE, 0, 0, 0, 0));
  pthread_join(thread, &answer);
  printf(" %ld, left %x %x\n", (long)answer, ring[0], ring[1]);
}

/* A condition variable's waiters, moved to the mutex behind it. */
static void requeue_pi(void) {
  static u32 c, m, other;
  for (int locked = 0; locked < 2; locked++) {
    m = 0;
    if (locked) call(&m, LOCK_PI | PRIVATE, 0, 0, 0, 0);
    struct waiter w[4];
    memset(w, 0, sizeof w);
    for (int i = 0; i < 4; i++) {
      w[i].word = &c;
      w[i].other = &m;
      w[i].op = WAIT_REQUEUE_PI | PRIVATE;
      start(&w[i]);
    }
    printf("requeue_pi: wake %ld", call(&c, WAKE | PRIVATE, 1, 0, 0, 0));
    printf(", plain %ld", call(&c, CMP_REQUEUE | PRIVATE, 1, count(1), &m, 0));
    printf(", elsewhere %ld", call(&c, CMP_REQUEUE_PI | PRIVATE, 1, count(1), &other, 0));
    printf(", other value %ld", call(&c, CMP_REQUEUE_PI | PRIVATE, 1, count(1), &m, 5));
    printf(", two %ld", call(&c, CMP_REQUEUE_PI | PRIVATE, 1, count(locked ? 1 : 0), &m, 0));
    usleep(ASLEEP);
    printf(", done %d%d%d%d", w[0].done, w[1].done, w[2].done, w[3].done);
    printf(", mine %d first's %d bits %x\n", (m & 0x3fffffff) == (u32)tid(), (m & 0x3fffffff) == (u32)w[0].tid, m & ~0x3fffffffu);
    signals = 0;
    pthread_kill(w[locked].thread, SIGUSR1);
    usleep(ASLEEP);
    printf("  signal: %d, done %d, %ld\n", signals, w[locked].done, w[locked].done ? w[locked].answer : 0);
    /* Without waiters behind it the lock went with its owner. */
    if (!locked) m = 0;
    printf("  all %ld", call(&c, CMP_REQUEUE_PI | PRIVATE, 1, count(9), &m, 0));
    /* Who ends with the lock passes it on with its end. */
    printf(", unlock %ld\n", call(&m, UNLOCK_PI | PRIVATE, 0, 0, 0, 0));
    for (int i = 0; i < 4; i++) pthread_join(w[i].thread, 0);
    printf("  %ld %ld %ld %ld\n", w[0].answer, w[1].answer, w[2].answer, w[3].answer);
  }
  struct timespec64 mono = soon(CLOCK_MONOTONIC, 20000000);
  printf("  time %ld", call(&c, WAIT_REQUEUE_PI | PRIVATE, 0, &mono, &m, 0));
  printf(", same %ld", call(&c, WAIT_REQUEUE_PI | PRIVATE, 0, &mono, &c, 0));
  printf(", value %ld\n", call(&c, WAIT_REQUEUE_PI | PRIVATE, 3, &mono, &m, 0));
}

struct waitv { uint64_t value, address; u32 flags, reserved; };
static struct waitv *vector_of;
static int vector_count;

static void *vector_thread(void *until) {
  return (void *)result(syscall(449, vector_of, vector_count, 0, until, CLOCK_MONOTONIC));
}

static void second_generation(void) {
  static u32 f[8] __attribute__((aligned(16)));
  struct timespec64 past = {0, 1}, bad = {0, -1};
  printf("futex_wake:");
  for (u32 flags = 0; flags < 32; flags++) printf(" %ld", result(syscall(454, f, 1, 1, flags)));
  printf(" %ld %ld %ld %ld %ld\n", result(syscall(454, f, 0, 1, 2)), result(syscall(454, f, 1L << 32, 1, 2)),
         result(syscall(454, 0, 1, 0, 2)), result(syscall(454, 0, 1, 0, 2 | 128)), result(syscall(454, f, 1, 0, 2)));
  f[0] = 0;
  for (u32 node = 0; node < 3; node++) {
    f[1] = node == 2 ? (u32)-1 : node * 4000;
    printf("node %d: %ld", (int)f[1], result(syscall(454, f, 1, 1, 2 | 4)));
    printf(" %d, %ld\n", (int)f[1], result(syscall(454, f + 1, 1, 1, 2 | 4)));
  }
  f[1] = 0;
  printf("futex_wait: %ld %ld %ld %ld %ld %ld %ld\n", result(syscall(455, f, 1, 1, 2, 0, 0)),
         result(syscall(455, f, 0, 0, 2, 0, 0)), result(syscall(455, f, 0, 1, 2, &past, 0)),
         result(syscall(455, f, 0, 1, 2, &past, 1)), result(syscall(455, f, 0, 1, 2, &past, 2)),
         result(syscall(455, f, 0, 1, 2, &bad, 1)), result(syscall(455, f, 1L << 32, 1, 2, &past, 1)));
  struct waitv v[3] = {{0, (uint64_t)f, 2 | 128, 0}, {0, (uint64_t)(f + 1), 2 | 128, 0}, {0, (uint64_t)(f + 2), 2, 0}};
  printf("futex_waitv: %ld %ld %ld %ld %ld %ld", result(syscall(449, v, 0, 0, 0, 0)), result(syscall(449, v, 129, 0, 0, 0)),
         result(syscall(449, v, 3, 1, 0, 0)), result(syscall(449, 0, 3, 0, 0, 0)), result(syscall(449, 8, 3, 0, 0, 0)),
         result(syscall(449, v, 3, 0, &past, 5)));
  printf(" %ld", result(syscall(449, v, 3, 0, &past, 1)));
  v[1].value = 4;
  printf(" %ld", result(syscall(449, v, 3, 0, &past, 1)));
  v[1].value = 1L << 33;
  printf(" %ld", result(syscall(449, v, 3, 0, &past, 1)));
  v[1].value = 0;
  v[2].reserved = 1;
  printf(" %ld", result(syscall(449, v, 3, 0, 0, 0)));
  v[2].reserved = 0;
  vector_of = v;
  vector_count = 3;
  for (int i = 0; i < 4; i++) {
    pthread_t thread;
    void *answer;
    struct timespec64 until = soon(CLOCK_MONOTONIC, 80000000);
    pthread_create(&thread, 0, vector_thread, i == 3 ? &until : 0);
    usleep(ASLEEP);
    long woken = i == 3 ? 0 : call(f + i, i < 2 ? WAKE | PRIVATE : WAKE, 5, 0, 0, 0);
    pthread_join(thread, &answer);
    printf(" [%ld %ld]", woken, (long)answer);
  }
  printf("\nfutex_requeue:");
  struct waiter *w = many(3, f, WAIT | PRIVATE, 1);
  printf(" %ld %ld %ld", result(syscall(456, v, 1, 1, 1)), result(syscall(456, 0, 0, 1, 1)), result(syscall(456, v, 0, -1, 1)));
  printf(" %ld", result(syscall(456, v, 0, 1, 1)));
  printf(" %ld", result(syscall(456, v + 1, 0, 1, 1)));
  printf(" %ld", call(f + 1, WAKE | PRIVATE, 9, 0, 0, 0));
  printf(" %ld\n", call(f, WAKE | PRIVATE, 9, 0, 0, 0));
  finish(w, 3, f, f + 1);
}

/* Robust lists, laid out by hand: a thread ends and the kernel goes through its list. */
struct entry { struct entry *next; u32 word, fill; };
struct head { struct entry *next; long offset; struct entry *pending; };
static struct entry entries[2100];
static struct head head;
static int scene;

/* Shares the memory, but no C library looks after it. */
static int robust_task(void *unused) {
  u32 me = tid();
  head.offset = offsetof(struct entry, word);
  head.pending = 0;
  head.next = (struct entry *)&head;
  int n = scene == 0 ? 4 : scene == 1 ? 2100 : 3;
  for (int i = n - 1; i >= 0; i--) {
    entries[i].next = head.next;
    head.next = &entries[i];
    entries[i].word = me | (i % 2 ? WAITERS : 0);
  }
  switch (scene) {
    case 0:
      entries[2].word = me + 1;
      head.pending = &entries[10];
      entries[10].word = me;
      break;
    case 2: entries[1].next = (struct entry *)8; break;
    case 3:
      head.next = &entries[1];
      head.offset++;
      break;
    case 4: head.pending = &entries[1]; break;
    case 5:
      head.pending = &entries[11];
      entries[11].word = 0;
      break;
    case 6: entries[2].next = &entries[0]; break;
    case 7: head.next = (struct entry *)((uintptr_t)head.next | 1); break;
  }
  printf(" %ld", result(syscall(273, &head, sizeof head)));
  (void)unused;
  syscall(60, 0);
  return 0;
}

static char robust_stack[1 << 16] __attribute__((aligned(16)));

static void robust(void) {
  printf("robust: %ld %ld", result(syscall(273, &head, 23)), result(syscall(273, &head, 25)));
  void *where;
  size_t length;
  long own = result(syscall(274, 0, &where, &length));
  printf(" %ld %zu, %ld %ld %ld\n", own, length, result(syscall(274, 0x3ffffff0, &where, &length)),
         result(syscall(274, 0, 8, &length)), result(syscall(274, 0, &where, 8)));
  for (scene = 0; scene < 8; scene++) {
    memset(entries, 0, sizeof entries);
    printf("  scene %d", scene);
    fflush(stdout);
    waitpid(clone(robust_task, robust_stack + sizeof robust_stack, CLONE_VM | SIGCHLD, 0), 0, 0);
    int died = 0, kept = 0, waiting = 0;
    for (int i = 0; i < 2100; i++) {
      if ((entries[i].word & ~WAITERS) == DIED) died++;
      else if (entries[i].word) kept++;
      if (entries[i].word == (DIED | WAITERS)) waiting++;
    }
    printf(": %d died, %d not, %d with waiters\n", died, kept, waiting);
  }
}

static void membarriers(void) {
  printf("membarrier: %lx", syscall(324, 0, 0, 0));
  for (int c = 0; c < 12; c++) printf(" %ld", result(syscall(324, 1 << c, 0, 0)));
  printf(", flags");
  for (int c = 0; c < 10; c++) printf(" %ld", result(syscall(324, 1 << c, 1, 0)));
  printf(" %ld\n", result(syscall(324, 128, 2, 0)));
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) _exit(result(syscall(324, 512, 0, 0)) == 340 ? 1 : 2);
  int status;
  waitpid(child, &status, 0);
  printf("  a child has %s registrations\n", WEXITSTATUS(status) == 1 ? "the same" : "other");
}

struct attributes { u32 size, policy; uint64_t flags; int32_t nice; u32 priority; uint64_t runtime, deadline, period; u32 low, high; };

static void one_sched(const char *who) {
  struct attributes a;
  printf("%s:", who);
  for (int policy = -1; policy < 9; policy++)
    for (int priority = -1; priority <= 100; priority += priority == 0 ? 1 : priority == 1 ? 49 : priority == 50 ? 49 : 1) {
      struct sched_param p = {priority};
      printf(" %ld", result(syscall(144, 0, policy, &p)));
    }
  struct sched_param p = {0};
  printf("\n  %ld", result(syscall(144, 0, SCHED_IDLE, &p)));
  printf(" %ld", result(syscall(145, 0)));
  printf(" %ld", result(syscall(144, 0, SCHED_BATCH | 0x40000000, &p)));
  printf(" %lx", result(syscall(145, 0)));
  printf(" %ld", result(syscall(144, 0, SCHED_OTHER, &p)));
  printf(" %ld", result(syscall(142, 0, &p)));
  printf(" %ld %ld %ld", result(syscall(142, 0, 0)), result(syscall(142, -1, &p)), result(syscall(143, 0x3ffffff0, &p)));
  printf("\n  nice");
  for (int n = -25; n <= 25; n += 5) {
    printf(" %ld", result(syscall(141, 0, 0, n)));
    printf("/%ld", result(syscall(140, 0, 0)));
  }
  syscall(141, 0, 0, 0);
  printf("\n  attr %ld %ld %ld %ld", result(syscall(315, 0, &a, 47, 0)), result(syscall(315, 0, &a, 4097, 0)),
         result(syscall(315, 0, &a, 56, 1)), result(syscall(315, -1, &a, 56, 0)));
  for (unsigned size = 48; size <= 56; size += 8) {
    memset(&a, 0xff, sizeof a);
    printf(" %ld", result(syscall(315, 0, &a, size, 0)));
    printf(" %u/%u/%d/%x", a.size, a.policy, a.nice, a.low);
  }
  static const uint64_t flags[] = {0, 1, 2, 4, 8, 0x10, 0x18, 0x20, 0x40, 0x80, 1ull << 40};
  printf("\n  set");
  for (unsigned f = 0; f < sizeof flags / sizeof *flags; f++)
    for (int policy = 0; policy < 3; policy++) {
      memset(&a, 0, sizeof a);
      a.size = 56;
      a.flags = flags[f];
      a.policy = policy;
      a.priority = policy ? 3 : 0;
      a.nice = 50;
      printf(" %ld", result(syscall(314, 0, &a, 0)));
    }
  memset(&a, 0, sizeof a);
  a.policy = 6;
  a.runtime = 10;
  printf(" dl %ld", result(syscall(314, 0, &a, 0)));
  a.policy = 0;
  a.size = 40;
  printf(" %ld %u", result(syscall(314, 0, &a, 0)), a.size);
  char big[80] = {80};
  printf(" %ld", result(syscall(314, 0, big, 0)));
  big[79] = 1;
  printf(" %ld %d", result(syscall(314, 0, big, 0)), big[0]);
  a.size = 48;
  a.flags = 0x20;
  printf(" %ld", result(syscall(314, 0, &a, 0)));
  printf("\n  ioprio");
  for (int c = 0; c < 9; c++)
    for (int level = 0; level < 9; level += 3) printf(" %ld", result(syscall(251, 1, 0, c << 13 | level)));
  printf(" %ld", result(syscall(252, 1, 0)));
  printf(" %ld %ld %ld\n", result(syscall(251, 1, 0, 0)), result(syscall(251, 4, 0, 0)), result(syscall(252, 1, 0x3ffffff0)));
  uint64_t mask[16] = {1};
  printf("  affinity %ld", result(syscall(203, 0, 8, mask)));
  memset(mask, 0, sizeof mask);
  printf(" %ld", result(syscall(203, 0, 8, mask)));
  printf(" %ld %ld", result(syscall(203, 0, 0, mask)), result(syscall(203, 0x3ffffff0, 8, mask)));
  printf(" %ld %ld\n", result(syscall(204, 0, 0, mask)), result(syscall(204, 0, 12, mask)));
}

static void scheduling(void) {
  fflush(stdout);
  for (int user = 0; user < 2; user++) {
    pid_t child = fork();
    if (child == 0) {
      struct rlimit none = {0, 0};
      setrlimit(RLIMIT_NICE, &none);
      setrlimit(RLIMIT_RTPRIO, &none);
      if (user && setresuid(1234, 1234, 1234)) _exit(1);
      one_sched(user ? "a user" : "root");
      if (user) {
        struct sched_param p = {0};
        printf("  others: %ld %ld %ld\n", result(syscall(144, getppid(), 0, &p)), result(syscall(141, 0, getppid(), 5)),
               result(syscall(251, 1, getppid(), 2 << 13)));
        size_t length;
        void *where;
        printf("  their list: %ld\n", result(syscall(274, getppid(), &where, &length)));
      } else {
        struct sched_param p = {7};
        printf("  inherited: %ld", result(syscall(144, 0, SCHED_RR, &p)));
        printf(" %ld", result(syscall(141, 0, 0, -5)));
        fflush(stdout);
        for (int reset = 0; reset < 2; reset++) {
          if (reset) syscall(144, 0, SCHED_RR | 0x40000000, &p);
          pid_t grandchild = fork();
          if (grandchild == 0) {
            syscall(143, 0, &p);
            printf(" %ld/%d/%ld", result(syscall(145, 0)), p.sched_priority, result(syscall(140, 0, 0)));
            fflush(stdout);
            _exit(0);
          }
          waitpid(grandchild, 0, 0);
        }
        printf("\n");
      }
      fflush(stdout);
      _exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    if (status) printf("status %x\n", status);
  }
}

int main(void) {
  setvbuf(stdout, 0, _IOFBF, 1 << 16);
  struct sigaction action = {.sa_handler = on_signal};
  sigaction(SIGUSR1, &action, 0);
  refusals();
  operations();
  waking();
  keys();
  times();
  sigaction(SIGUSR1, &action, 0);
  pi();
  deadlock();
  requeue_pi();
  second_generation();
  robust();
  membarriers();
  scheduling();
  return 0;
}
