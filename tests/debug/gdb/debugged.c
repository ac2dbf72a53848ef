/* What gdb is led through: calls, a thread that writes, a seal, a signal, a fork, and a loop on request. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile int counter;

static int square(int n) {
  int result = n * n;
  return result;
}

static int sum(int n) {
  int total = 0;
  for (int i = 1; i <= n; i++)
    total += square(i);
  return total;
}

static void *work(void *argument) {
  counter = 42;
  return argument;
}

static void handle(int signal) {
  counter += signal;
}

int main(int count, char **arguments) {
  printf("sum %d\n", sum(4));
  pthread_t thread;
  pthread_create(&thread, NULL, work, NULL);
  pthread_join(thread, NULL);
  void *page = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  long sealed = syscall(462, page, 8192, 0);
  printf("mseal %ld munmap %d\n", sealed, munmap(page, 8192));
  fflush(stdout);
  signal(SIGUSR1, handle);
  raise(SIGUSR1);
  pid_t child = fork();
  if (child == 0)
    _exit(counter == 52 ? 7 : 8);
  int status;
  waitpid(child, &status, 0);
  if (count > 1)
    for (;;)
      counter++;
  return WEXITSTATUS(status);
}
