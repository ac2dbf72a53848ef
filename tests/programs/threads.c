/* POSIX threads: what must hold whatever the scheduler does. Prints only what is the same in every order. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define THREADS 4
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static long counter, turn;
static __thread long own = 7;
static __thread char block[5000];

static void *count(void *argument) {
  long n = (long)argument;
  for (int i = 0; i < 5000; i++) {
    pthread_mutex_lock(&mutex);
    counter++;
    pthread_mutex_unlock(&mutex);
    own += n;
    block[i] = (char)n;
  }
  for (int i = 0; i < 5000; i++)
    if (block[i] != (char)n) return (void *)-1L;
  return (void *)own;
}

static void *take_turns(void *argument) {
  long n = (long)argument;
  for (int i = 0; i < 50; i++) {
    pthread_mutex_lock(&mutex);
    while (turn % THREADS != n) pthread_cond_wait(&condition, &mutex);
    turn++;
    pthread_cond_broadcast(&condition);
    pthread_mutex_unlock(&mutex);
  }
  return 0;
}

static pthread_barrier_t barrier;
static int serials, early;
static int arrived[3];
static void *meet(void *argument) {
  for (int i = 0; i < 3; i++) {
    __atomic_fetch_add(&arrived[i], 1, __ATOMIC_SEQ_CST);
    int r = pthread_barrier_wait(&barrier);
    if (r == PTHREAD_BARRIER_SERIAL_THREAD) __atomic_fetch_add(&serials, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&arrived[i], __ATOMIC_SEQ_CST) != THREADS) __atomic_fetch_add(&early, 1, __ATOMIC_SEQ_CST);
  }
  return argument;
}

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static long pair[2];
static int torn;
static void *read_pairs(void *argument) {
  for (int i = 0; i < 2000; i++) {
    pthread_rwlock_rdlock(&lock);
    if (pair[0] != pair[1]) torn++;
    pthread_rwlock_unlock(&lock);
  }
  return 0;
}
static void *write_pairs(void *argument) {
  for (int i = 0; i < 1000; i++) {
    pthread_rwlock_wrlock(&lock);
    pair[0]++;
    if (i % 100 == 0) sched_yield();
    pair[1]++;
    pthread_rwlock_unlock(&lock);
  }
  return 0;
}

static int cleaned;
static void clean(void *argument) { cleaned += (int)(intptr_t)argument; }
static void *wait_for_ever(void *argument) {
  pthread_cleanup_push(clean, (void *)1);
  pthread_cleanup_push(clean, (void *)10);
  sem_post(argument);
  for (;;) pause();
  pthread_cleanup_pop(0);
  pthread_cleanup_pop(0);
  return 0;
}
static void *spin_for_ever(void *argument) {
  pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, 0);
  sem_post(argument);
  for (volatile long i = 0;; i++) {}
  return 0;
}
static void *refuse_to_go(void *argument) {
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, 0);
  sem_post(argument);
  for (int i = 0; i < 100; i++) sched_yield();
  return (void *)55;
}

static pthread_mutex_t robust;
static void *die_holding(void *argument) {
  pthread_mutex_lock(&robust);
  return 0;
}

static pthread_key_t key;
static int destroyed;
static void destroy(void *value) { destroyed += (int)(intptr_t)value; }
static void *specific(void *argument) {
  pthread_setspecific(key, argument);
  return pthread_getspecific(key) == argument ? argument : 0;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int onces;
static void do_once(void) { onces++; }
static void *call_once(void *argument) {
  pthread_once(&once, do_once);
  return 0;
}

static volatile sig_atomic_t handled;
static pthread_t handler_thread;
static void handler(int number) {
  handled++;
  handler_thread = pthread_self();
}
static void *take_signal(void *argument) {
  sem_post(argument);
  while (!handled) sched_yield();
  return 0;
}
static void *wait_signal(void *argument) {
  sigset_t set;
  int got = 0;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  sigwait(&set, &got);
  return (void *)(long)got;
}
static void *ids(void *argument) {
  return (void *)(long)(getpid() == syscall(SYS_getpid) && syscall(SYS_gettid) != getpid());
}

static void all(const char *name, void *(*body)(void *), int numbered) {
  pthread_t threads[THREADS];
  long sum = 0;
  for (long i = 0; i < THREADS; i++) pthread_create(&threads[i], 0, body, (void *)(numbered ? i : 1));
  for (int i = 0; i < THREADS; i++) {
    void *result;
    int error = pthread_join(threads[i], &result);
    if (error) printf("%s: join: %s\n", name, strerror(error));
    sum += (long)result;
  }
  printf("%s: %ld\n", name, sum);
}

int main(void) {
  pthread_t thread;
  void *result;
  sem_t ready;
  sem_init(&ready, 0, 0);
  setvbuf(stdout, 0, _IOLBF, 0);

  all("count", count, 1);
  printf("counter %ld, own %ld\n", counter, own);
  all("turns", take_turns, 1);
  printf("turn %ld\n", turn);
  pthread_barrier_init(&barrier, 0, THREADS);
  all("barrier", meet, 1);
  printf("serial %d, early %d\n", serials, early);

  pthread_t readers[3], writer;
  for (int i = 0; i < 3; i++) pthread_create(&readers[i], 0, read_pairs, 0);
  pthread_create(&writer, 0, write_pairs, 0);
  for (int i = 0; i < 3; i++) pthread_join(readers[i], 0);
  pthread_join(writer, 0);
  printf("pairs %ld %ld, torn %d\n", pair[0], pair[1], torn);

  pthread_create(&thread, 0, wait_for_ever, &ready);
  sem_wait(&ready);
  printf("cancel %d", pthread_cancel(thread));
  pthread_join(thread, &result);
  printf(", cancelled %d, cleaned %d\n", result == PTHREAD_CANCELED, cleaned);
  pthread_create(&thread, 0, spin_for_ever, &ready);
  sem_wait(&ready);
  pthread_cancel(thread);
  pthread_join(thread, &result);
  printf("asynchronous: cancelled %d\n", result == PTHREAD_CANCELED);
  pthread_create(&thread, 0, refuse_to_go, &ready);
  sem_wait(&ready);
  pthread_cancel(thread);
  pthread_join(thread, &result);
  printf("disabled: %ld\n", (long)result);

  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&robust, &attributes);
  pthread_create(&thread, 0, die_holding, 0);
  pthread_join(thread, 0);
  int error = pthread_mutex_lock(&robust);
  printf("robust: %s", strerror(error));
  printf(", consistent %d", pthread_mutex_consistent(&robust));
  printf(", unlock %d", pthread_mutex_unlock(&robust));
  printf(", lock %d\n", pthread_mutex_lock(&robust));

  pthread_mutexattr_t checking;
  pthread_mutex_t checked;
  pthread_mutexattr_init(&checking);
  pthread_mutexattr_settype(&checking, PTHREAD_MUTEX_ERRORCHECK);
  pthread_mutex_init(&checked, &checking);
  pthread_mutex_lock(&checked);
  printf("checked: %s, try %s\n", strerror(pthread_mutex_lock(&checked)), strerror(pthread_mutex_trylock(&checked)));

  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += 20000000;
  if (until.tv_nsec > 999999999) until.tv_sec++, until.tv_nsec -= 1000000000;
  pthread_mutex_lock(&mutex);
  printf("timed wait: %s\n", strerror(pthread_cond_timedwait(&condition, &mutex, &until)));
  pthread_mutex_unlock(&mutex);
  printf("timed lock: %s\n", strerror(pthread_mutex_timedlock(&robust, &until)));
  int timed = sem_timedwait(&ready, &until);
  printf("timed semaphore: %d %s\n", timed, strerror(errno));

  pthread_key_create(&key, destroy);
  all("specific", specific, 1);
  printf("destroyed %d\n", destroyed);
  all("once", call_once, 1);
  printf("onces %d\n", onces);
  all("ids", ids, 1);

  signal(SIGUSR1, handler);
  pthread_create(&thread, 0, take_signal, &ready);
  sem_wait(&ready);
  pthread_kill(thread, SIGUSR1);
  pthread_join(thread, 0);
  printf("handled %d, by it %d\n", (int)handled, pthread_equal(handler_thread, thread));
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &set, 0);
  pthread_create(&thread, 0, wait_signal, 0);
  kill(getpid(), SIGUSR2);
  pthread_join(thread, &result);
  printf("sigwait: %ld\n", (long)result);

  pthread_attr_t attribute;
  pthread_attr_init(&attribute);
  pthread_attr_setdetachstate(&attribute, PTHREAD_CREATE_DETACHED);
  for (int i = 0; i < 30; i++)
    if (pthread_create(&thread, &attribute, call_once, 0)) puts("no thread");
  printf("main leaves first\n");
  fflush(stdout);
  pthread_create(&thread, 0, take_turns, (void *)99);
  exit(3);
}
