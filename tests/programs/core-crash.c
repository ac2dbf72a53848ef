/* A program of two threads, one of which ends them with a core file. */
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_barrier_t barrier;
int depth;

static void *waits(void *unused) {
  pthread_barrier_wait(&barrier);
  for (;;) pause();
}

__attribute__((noinline)) void inner(volatile int *where) {
  *where = 42;
  depth++;
}

__attribute__((noinline)) void outer(void) {
  inner((int *)0x1230);
  depth++;
}

int main(void) {
  struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
  setrlimit(RLIMIT_CORE, &limit);
  strcpy(mmap((void *)0x10000000, 4096, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0), "in the core");
  if (fork() > 0) {
    wait(0);
    return 0;
  }
  pthread_t thread;
  pthread_barrier_init(&barrier, 0, 2);
  pthread_create(&thread, 0, waits, 0);
  pthread_barrier_wait(&barrier);
  usleep(1000);
  outer();
}
