/*
 * POSIX threads and what they synchronise with, through a C library: mutexes of every kind, condition variables,
 * barriers, read-write locks, semaphores, cancellation; timed, robust, priority-inheriting and shared between
 * processes. What it prints does not depend on which thread is the faster.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define THREADS 4
#define ROUNDS 300

static const char *name(int error) {
  switch (error) {
    case 0: return "ok";
    case EPERM: return "EPERM";
    case EINTR: return "EINTR";
    case EAGAIN: return "EAGAIN";
    case EBUSY: return "EBUSY";
    case EINVAL: return "EINVAL";
    case EDEADLK: return "EDEADLK";
    case ETIMEDOUT: return "ETIMEDOUT";
    case EOWNERDEAD: return "EOWNERDEAD";
    case ENOTRECOVERABLE: return "ENOTRECOVERABLE";
    default: return "another error";
  }
}

static struct timespec later(clockid_t clock, long nanoseconds) {
  struct timespec t;
  clock_gettime(clock, &t);
  t.tv_nsec += nanoseconds;
  t.tv_sec += t.tv_nsec / 1000000000;
  t.tv_nsec %= 1000000000;
  return t;
}

struct counted {
  pthread_mutex_t *mutex;
  long *count;
};

static void *count_up(void *argument) {
  struct counted *c = argument;
  for (int i = 0; i < ROUNDS; i++) {
    pthread_mutex_lock(c->mutex);
    long seen = *c->count;
    if (i % 16 == 0) sched_yield();
    *c->count = seen + 1;
    pthread_mutex_unlock(c->mutex);
  }
  return 0;
}

static void *lock_and_leave(void *mutex) {
  pthread_mutex_lock(mutex);
  return 0;
}

static void *try_lock(void *mutex) {
  int error = pthread_mutex_trylock(mutex);
  if (error == 0) pthread_mutex_unlock(mutex);
  return (void *)(long)error;
}

static void *timed_lock(void *mutex) {
  struct timespec t = later(CLOCK_REALTIME, 20000000);
  return (void *)(long)pthread_mutex_timedlock(mutex, &t);
}

static void *unlock_it(void *mutex) { return (void *)(long)pthread_mutex_unlock(mutex); }

static const char *in_thread(void *(*function)(void *), void *argument) {
  pthread_t thread;
  void *result;
  pthread_create(&thread, 0, function, argument);
  pthread_join(thread, &result);
  return name((int)(long)result);
}

static void mutexes(const char *what, int type, int protocol, int robust, int shared) {
  pthread_mutexattr_t attributes;
  pthread_mutex_t mutex;
  pthread_t threads[THREADS];
  long count = 0;
  struct counted c = {&mutex, &count};
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_settype(&attributes, type);
  int no_protocol = pthread_mutexattr_setprotocol(&attributes, protocol);
  pthread_mutexattr_setrobust(&attributes, robust);
  pthread_mutexattr_setpshared(&attributes, shared);
  printf("%s: %s, init %s\n", what, name(no_protocol), name(pthread_mutex_init(&mutex, &attributes)));
  for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], 0, count_up, &c);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], 0);
  printf("  counted %ld\n", count);
  pthread_mutex_lock(&mutex);
  printf("  other: try %s", in_thread(try_lock, &mutex));
  printf(", timed %s\n", in_thread(timed_lock, &mutex));
  if (type != PTHREAD_MUTEX_NORMAL) {
    printf("  again %s", name(pthread_mutex_lock(&mutex)));
    if (type == PTHREAD_MUTEX_RECURSIVE) pthread_mutex_unlock(&mutex);
    printf(", other unlocks %s\n", in_thread(unlock_it, &mutex));
  }
  pthread_mutex_unlock(&mutex);
  if (robust == PTHREAD_MUTEX_ROBUST) {
    in_thread(lock_and_leave, &mutex);
    int error = pthread_mutex_lock(&mutex);
    printf("  owner gone: %s", name(error));
    printf(", consistent %s", name(pthread_mutex_consistent(&mutex)));
    printf(", unlock %s", name(pthread_mutex_unlock(&mutex)));
    in_thread(lock_and_leave, &mutex);
    error = pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    printf(", given up: %s %s\n", name(error), name(pthread_mutex_lock(&mutex)));
  }
  pthread_mutex_destroy(&mutex);
}

/* Waiters are there when the owner ends; one that gets the lock as it should be ends with it, too. */
static pthread_mutex_t robust_mutex;
static sem_t robust_locked;

static void *robust_owner(void *unused) {
  pthread_mutex_lock(&robust_mutex);
  sem_post(&robust_locked);
  usleep(20000);
  return unused;
}

static void *robust_waiter(void *unused) {
  (void)unused;
  int error = pthread_mutex_lock(&robust_mutex);
  if (error == EOWNERDEAD) {
    pthread_mutex_consistent(&robust_mutex);
    pthread_mutex_unlock(&robust_mutex);
  }
  return (void *)(long)error;
}

static void robust_with_waiters(int protocol) {
  pthread_mutexattr_t attributes;
  pthread_t owner, waiter[3];
  int died = 0;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutexattr_setprotocol(&attributes, protocol);
  pthread_mutex_init(&robust_mutex, &attributes);
  sem_init(&robust_locked, 0, 0);
  pthread_create(&owner, 0, robust_owner, 0);
  sem_wait(&robust_locked);
  for (int i = 0; i < 3; i++) pthread_create(&waiter[i], 0, robust_waiter, 0);
  pthread_join(owner, 0);
  for (int i = 0; i < 3; i++) {
    void *result;
    pthread_join(waiter[i], &result);
    if ((long)result == EOWNERDEAD) died++;
  }
  printf("robust with waiters: %d heard of a death\n", died);
  pthread_mutex_destroy(&robust_mutex);
}

/* Between processes. */
struct shared {
  pthread_mutex_t mutex, robust;
  pthread_cond_t condition;
  pthread_barrier_t barrier;
  pthread_rwlock_t rwlock;
  sem_t semaphore;
  long count;
  int turn;
};

static void between_processes(int protocol) {
  struct shared *s = mmap(0, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pthread_mutexattr_t m;
  pthread_condattr_t c;
  pthread_barrierattr_t b;
  pthread_rwlockattr_t r;
  pthread_mutexattr_init(&m);
  pthread_mutexattr_setpshared(&m, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setprotocol(&m, protocol);
  pthread_mutex_init(&s->mutex, &m);
  pthread_mutexattr_setrobust(&m, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&s->robust, &m);
  pthread_condattr_init(&c);
  pthread_condattr_setpshared(&c, PTHREAD_PROCESS_SHARED);
  pthread_cond_init(&s->condition, &c);
  pthread_barrierattr_init(&b);
  pthread_barrierattr_setpshared(&b, PTHREAD_PROCESS_SHARED);
  pthread_barrier_init(&s->barrier, &b, 3);
  pthread_rwlockattr_init(&r);
  pthread_rwlockattr_setpshared(&r, PTHREAD_PROCESS_SHARED);
  pthread_rwlock_init(&s->rwlock, &r);
  sem_init(&s->semaphore, 1, 0);
  fflush(stdout);
  pid_t children[2];
  for (int me = 0; me < 2; me++) {
    children[me] = fork();
    if (children[me] != 0) continue;
    struct counted counted = {&s->mutex, &s->count};
    pthread_barrier_wait(&s->barrier);
    count_up(&counted);
    for (int i = 0; i < 20; i++) {
      pthread_mutex_lock(&s->mutex);
      while (s->turn != me) pthread_cond_wait(&s->condition, &s->mutex);
      s->turn = 1 - me;
      s->count++;
      pthread_cond_broadcast(&s->condition);
      pthread_mutex_unlock(&s->mutex);
    }
    pthread_rwlock_wrlock(&s->rwlock);
    s->count++;
    pthread_rwlock_unlock(&s->rwlock);
    if (me == 0) {
      pthread_mutex_lock(&s->robust);
      sem_post(&s->semaphore);
      usleep(30000);
      kill(getpid(), SIGKILL);
    }
    sem_post(&s->semaphore);
    _exit(0);
  }
  pthread_barrier_wait(&s->barrier);
  sem_wait(&s->semaphore);
  sem_wait(&s->semaphore);
  int error = pthread_mutex_lock(&s->robust);
  int status[2];
  for (int i = 0; i < 2; i++) waitpid(children[i], &status[i], 0);
  printf("between processes: %ld, lock of the killed one: %s, statuses %x %x\n", s->count, name(error), status[0],
         status[1]);
  munmap(s, sizeof *s);
}

/* A queue of one place between producers and consumers. */
static pthread_mutex_t queue_mutex;
static pthread_cond_t queue_changed;
static int queue_full;
static long queue_sum;

static void *produce(void *argument) {
  for (int i = 0; i < 50; i++) {
    pthread_mutex_lock(&queue_mutex);
    while (queue_full != 0) pthread_cond_wait(&queue_changed, &queue_mutex);
    queue_full = i + 1;
    pthread_cond_broadcast(&queue_changed);
    pthread_mutex_unlock(&queue_mutex);
  }
  return argument;
}

static void *consume(void *argument) {
  for (int i = 0; i < 50; i++) {
    pthread_mutex_lock(&queue_mutex);
    while (queue_full == 0) pthread_cond_wait(&queue_changed, &queue_mutex);
    queue_sum += queue_full;
    queue_full = 0;
    pthread_cond_broadcast(&queue_changed);
    pthread_mutex_unlock(&queue_mutex);
  }
  return argument;
}

static void conditions(int protocol) {
  pthread_mutexattr_t attributes;
  pthread_condattr_t clocked;
  pthread_cond_t monotonic;
  pthread_t threads[6];
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setprotocol(&attributes, protocol);
  pthread_mutex_init(&queue_mutex, &attributes);
  pthread_cond_init(&queue_changed, 0);
  pthread_condattr_init(&clocked);
  pthread_condattr_setclock(&clocked, CLOCK_MONOTONIC);
  pthread_cond_init(&monotonic, &clocked);
  queue_sum = 0;
  for (int i = 0; i < 6; i++) pthread_create(&threads[i], 0, i % 2 ? produce : consume, 0);
  for (int i = 0; i < 6; i++) pthread_join(threads[i], 0);
  pthread_mutex_lock(&queue_mutex);
  struct timespec real = later(CLOCK_REALTIME, 10000000), mono = later(CLOCK_MONOTONIC, 30000000);
  struct timespec past = {1, 0};
  printf("conditions: sum %ld", queue_sum);
  printf(", %s", name(pthread_cond_timedwait(&queue_changed, &queue_mutex, &real)));
  printf(" %s", name(pthread_cond_timedwait(&monotonic, &queue_mutex, &mono)));
  printf(" %s\n", name(pthread_cond_timedwait(&queue_changed, &queue_mutex, &past)));
  pthread_mutex_unlock(&queue_mutex);
  pthread_mutex_destroy(&queue_mutex);
  pthread_cond_destroy(&queue_changed);
}

static pthread_barrier_t barrier;
static int serial;
static pthread_rwlock_t rwlock;
static long written;

static void *at_barrier(void *unused) {
  for (int i = 0; i < 30; i++)
    if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD) __atomic_add_fetch(&serial, 1, __ATOMIC_SEQ_CST);
  return unused;
}

static void *read_or_write(void *argument) {
  long me = (long)argument;
  for (int i = 0; i < 60; i++) {
    if ((i + me) % 3 == 0) {
      pthread_rwlock_wrlock(&rwlock);
      long seen = written;
      sched_yield();
      written = seen + 1;
    } else pthread_rwlock_rdlock(&rwlock);
    pthread_rwlock_unlock(&rwlock);
  }
  return 0;
}

static void *write_locked(void *unused) {
  struct timespec t = later(CLOCK_REALTIME, 10000000);
  (void)unused;
  if (pthread_rwlock_trywrlock(&rwlock) != EBUSY) return (void *)(long)EINVAL;
  return (void *)(long)pthread_rwlock_timedwrlock(&rwlock, &t);
}

static void barriers_and_rwlocks(void) {
  pthread_t threads[THREADS];
  pthread_barrier_init(&barrier, 0, THREADS);
  for (int i = 0; i < THREADS; i++) pthread_create(&threads[i], 0, at_barrier, 0);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], 0);
  pthread_barrier_destroy(&barrier);
  pthread_rwlock_init(&rwlock, 0);
  for (long i = 0; i < THREADS; i++) pthread_create(&threads[i], 0, read_or_write, (void *)i);
  for (int i = 0; i < THREADS; i++) pthread_join(threads[i], 0);
  pthread_rwlock_rdlock(&rwlock);
  printf("barrier: %d serial; rwlock: %ld written, %s\n", serial, written, in_thread(write_locked, 0));
  pthread_rwlock_unlock(&rwlock);
}

static sem_t ping, pong;
static volatile int interrupted;

static void *return_balls(void *unused) {
  for (int i = 0; i < 200; i++) {
    sem_wait(&ping);
    sem_post(&pong);
  }
  return unused;
}

static void on_signal(int signal) { interrupted = signal; }

static void *interrupt_main(void *thread) {
  usleep(10000);
  pthread_kill(*(pthread_t *)thread, SIGUSR1);
  return 0;
}

static void semaphores(void) {
  pthread_t thread, self = pthread_self();
  struct sigaction action;
  int value;
  sem_init(&ping, 0, 0);
  sem_init(&pong, 0, 0);
  pthread_create(&thread, 0, return_balls, 0);
  for (int i = 0; i < 200; i++) {
    sem_post(&ping);
    sem_wait(&pong);
  }
  pthread_join(thread, 0);
  sem_getvalue(&ping, &value);
  struct timespec t = later(CLOCK_REALTIME, 10000000);
  int timed = sem_timedwait(&ping, &t) ? errno : 0;
  int tried = sem_trywait(&ping) ? errno : 0;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  sigaction(SIGUSR1, &action, 0);
  pthread_create(&thread, 0, interrupt_main, &self);
  t = later(CLOCK_REALTIME, 900000000);
  int broken = sem_timedwait(&ping, &t) ? errno : 0;
  pthread_join(thread, 0);
  action.sa_flags = SA_RESTART;
  sigaction(SIGUSR1, &action, 0);
  pthread_create(&thread, 0, interrupt_main, &self);
  struct timespec soon = later(CLOCK_REALTIME, 60000000);
  int restarted = sem_timedwait(&ping, &soon) ? errno : 0;
  pthread_join(thread, 0);
  printf("semaphores: %d, %s, %s, signal %d %s, with SA_RESTART %s\n", value, name(timed), name(tried), interrupted, name(broken),
         name(restarted));
}

static int cleaned;
static pthread_mutex_t cancel_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cancel_condition = PTHREAD_COND_INITIALIZER;
static sem_t cancel_ready;

static void clean(void *mutex) {
  cleaned++;
  if (mutex) pthread_mutex_unlock(mutex);
}

static void *wait_for_ever(void *how) {
  pthread_cleanup_push(clean, (long)how == 0 ? &cancel_mutex : 0);
  switch ((long)how) {
    case 0:
      pthread_mutex_lock(&cancel_mutex);
      sem_post(&cancel_ready);
      for (;;) pthread_cond_wait(&cancel_condition, &cancel_mutex);
    case 1:
      sem_post(&cancel_ready);
      for (;;) sleep(1000);
    case 2:
      pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, 0);
      sem_post(&cancel_ready);
      for (;;);
    default: {
      sem_t never;
      sem_init(&never, 0, 0);
      sem_post(&cancel_ready);
      for (;;) sem_wait(&never);
    }
  }
  pthread_cleanup_pop(1);
  return 0;
}

static void cancellation(void) {
  int cancelled = 0;
  sem_init(&cancel_ready, 0, 0);
  for (long how = 0; how < 4; how++) {
    pthread_t thread;
    void *result;
    pthread_create(&thread, 0, wait_for_ever, (void *)how);
    sem_wait(&cancel_ready);
    usleep(5000);
    pthread_cancel(thread);
    pthread_join(thread, &result);
    if (result == PTHREAD_CANCELED) cancelled++;
  }
  printf("cancellation: %d, cleaned %d, mutex %s\n", cancelled, cleaned, name(pthread_mutex_trylock(&cancel_mutex)));
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int once_calls, destroyed;
static pthread_key_t key;

static void call_once(void) {
  once_calls++;
  usleep(1000);
}

static void destroy(void *value) { __atomic_add_fetch(&destroyed, (int)(long)value, __ATOMIC_SEQ_CST); }

static void *use_once(void *value) {
  pthread_once(&once, call_once);
  pthread_setspecific(key, value);
  pthread_detach(pthread_self());
  sem_post(&ping);
  pthread_exit(0);
}

static void the_rest(void) {
  pthread_t thread;
  sem_init(&ping, 0, 0);
  pthread_key_create(&key, destroy);
  for (long i = 1; i <= 8; i++) pthread_create(&thread, 0, use_once, (void *)i);
  for (int i = 0; i < 8; i++) sem_wait(&ping);
  for (int i = 0; i < 1000 && __atomic_load_n(&destroyed, __ATOMIC_SEQ_CST) != 36; i++) usleep(1000);
  printf("once: %d, destroyed %d\n", once_calls, destroyed);
}

int main(void) {
  mutexes("normal", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED, 0);
  mutexes("recursive", PTHREAD_MUTEX_RECURSIVE, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED, 0);
  mutexes("checking", PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED, 0);
  mutexes("shared", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_STALLED, PTHREAD_PROCESS_SHARED);
  mutexes("robust", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_ROBUST, 0);
  mutexes("robust checking", PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_NONE, PTHREAD_MUTEX_ROBUST, 0);
  mutexes("inheriting", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED, 0);
  mutexes("inheriting checking", PTHREAD_MUTEX_ERRORCHECK, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED, 0);
  mutexes("inheriting recursive", PTHREAD_MUTEX_RECURSIVE, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED, 0);
  mutexes("inheriting robust", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_ROBUST, 0);
  mutexes("inheriting shared", PTHREAD_MUTEX_NORMAL, PTHREAD_PRIO_INHERIT, PTHREAD_MUTEX_STALLED, PTHREAD_PROCESS_SHARED);
  robust_with_waiters(PTHREAD_PRIO_NONE);
  robust_with_waiters(PTHREAD_PRIO_INHERIT);
  between_processes(PTHREAD_PRIO_NONE);
  conditions(PTHREAD_PRIO_NONE);
#ifdef __GLIBC__
  /* musl crashes with these. */
  between_processes(PTHREAD_PRIO_INHERIT);
  conditions(PTHREAD_PRIO_INHERIT);
#endif
  barriers_and_rwlocks();
  semaphores();
  cancellation();
  the_rest();
  return 0;
}
