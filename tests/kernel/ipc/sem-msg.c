/* System V semaphores and message queues: every line is what a call answered. Ids and times are left out. */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *name(long result) {
  return result == -1 ? strerrorname_np(errno) : "ok";
}
#define SHOW(call)                                                                                                     \
  do {                                                                                                                 \
    errno = 0;                                                                                                         \
    printf("%s: %s\n", #call, name((long)(call)));                                                                     \
  } while (0)
#define NUMBER(call)                                                                                                   \
  do {                                                                                                                 \
    errno = 0;                                                                                                         \
    long number = (call);                                                                                              \
    if (number == -1) printf("%s: %s\n", #call, strerrorname_np(errno));                                               \
    else printf("%s: %ld\n", #call, number);                                                                           \
  } while (0)

static int op(int id, int index, int change, int flags) {
  struct sembuf one = {index, change, flags};
  return semop(id, &one, 1);
}

static void values(const char *what, int id, int count) {
  unsigned short v[8] = {0};
  printf("%s:", what);
  if (semctl(id, 0, GETALL, v) != 0) printf(" %s", strerrorname_np(errno));
  for (int i = 0; i < count; i++) printf(" %d", v[i]);
  printf("\n");
}

static volatile int caught;
static void handler(int signal) {
  caught = signal;
}

/* Waits until `count` processes wait for semaphore 0 to grow (or to be 0). */
static void await(int id, int command, int count) {
  for (int i = 0; i < 2000 && semctl(id, 0, command) != count; i++) usleep(1000);
}

static void semaphores(void) {
  SHOW(semget(IPC_PRIVATE, 0, 0600));
  SHOW(semget(IPC_PRIVATE, 32001, 0600));
  SHOW(semget(IPC_PRIVATE, -1, 0600));
  SHOW(semget(0x5ea1, 1, 0));
  int id = semget(0x5ea1, 3, IPC_CREAT | IPC_EXCL | 0640);
  SHOW(semget(0x5ea1, 4, 0));
  printf("found %d %d\n", semget(0x5ea1, 3, 0) == id, semget(0x5ea1, 0, 0) == id);
  SHOW(semget(0x5ea1, 3, IPC_CREAT | IPC_EXCL | 0640));
  SHOW(semctl(id, 0, SETVAL, 32768));
  SHOW(semctl(id, 0, SETVAL, -1));
  SHOW(semctl(id, 3, SETVAL, 1));
  SHOW(semctl(id, 0, SETVAL, 5));
  NUMBER(semctl(id, 0, GETVAL));
  NUMBER(semctl(id, 3, GETVAL));
  printf("pid %d\n", semctl(id, 0, GETPID) == getpid());
  unsigned short many[3] = {1, 2, 3}, big[3] = {1, 40000, 3};
  SHOW(semctl(id, 0, SETALL, big));
  SHOW(semctl(id, 0, SETALL, many));
  values("set", id, 3);
  SHOW(op(id, 3, 1, 0));
  SHOW(op(id, 0, -2, IPC_NOWAIT));
  SHOW(op(id, 0, 0, IPC_NOWAIT));
  SHOW(op(id, 0, 32767, 0));
  SHOW(semop(id, NULL, 1));
  SHOW(semop(id, NULL, 0));
  SHOW(semop(-1, NULL, 0));
  SHOW(semop(id, NULL, 501));
  SHOW(op(-1, 0, 1, 0));
  SHOW(op(id + 1, 0, 1, 0));
  struct sembuf all[3] = {{0, -1, 0}, {1, -2, 0}, {2, -4, IPC_NOWAIT}};
  SHOW(semop(id, all, 3));
  values("all or nothing", id, 3);
  all[2].sem_op = -3;
  SHOW(semop(id, all, 3));
  values("all", id, 3);
  struct sembuf twice[2] = {{0, 2, 0}, {0, -1, 0}};
  SHOW(semop(id, twice, 2));
  values("twice", id, 3);
  struct timespec brief = {0, 20000000}, wrong = {0, 1000000000};
  struct sembuf wait = {1, -1, 0};
  SHOW(semtimedop(id, &wait, 1, &brief));
  SHOW(semtimedop(id, &wait, 1, &wrong));
  SHOW(semtimedop(id, &wait, 1, (void *)8));

  /* a signal */
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
  sigaction(SIGALRM, &action, NULL);
  sigaction(SIGUSR1, &action, NULL);
  pid_t pid = fork();
  if (pid == 0) {
    usleep(200000);
    kill(getppid(), SIGUSR1);
    _exit(0);
  }
  SHOW(op(id, 1, -1, 0));
  printf("caught %d\n", caught);
  waitpid(pid, NULL, 0);
  NUMBER(semctl(id, 1, GETNCNT));

  /* waiting and waking, in order */
  semctl(id, 0, SETVAL, 0);
  int out[2];
  pipe(out);
  for (int i = 0; i < 3; i++) {
    if (fork() == 0) {
      op(id, 0, i == 0 ? -2 : -1, 0);
      char c = 'a' + i;
      write(out[1], &c, 1);
      _exit(0);
    }
    await(id, GETNCNT, i + 1);
  }
  NUMBER(semctl(id, 0, GETNCNT));
  NUMBER(semctl(id, 0, GETZCNT));
  op(id, 0, 1, 0);
  char c;
  read(out[0], &c, 1);
  printf("first %c\n", c);
  op(id, 0, 1, 0);
  read(out[0], &c, 1);
  printf("second %c\n", c);
  op(id, 0, 2, 0);
  read(out[0], &c, 1);
  printf("third %c\n", c);
  while (waitpid(-1, NULL, 0) > 0) {
  }
  values("after", id, 3);

  /* nobody steals what was handed over */
  semctl(id, 0, SETVAL, 0);
  pid = fork();
  if (pid == 0) _exit(op(id, 0, -1, 0) == 0 ? 7 : 8);
  await(id, GETNCNT, 1);
  op(id, 0, 1, 0);
  SHOW(op(id, 0, -1, IPC_NOWAIT));
  int status;
  waitpid(pid, &status, 0);
  printf("child %d\n", WEXITSTATUS(status));

  /* zero */
  semctl(id, 0, SETVAL, 2);
  pid = fork();
  if (pid == 0) _exit(op(id, 0, 0, 0) == 0 ? 7 : 8);
  await(id, GETZCNT, 1);
  NUMBER(semctl(id, 0, GETZCNT));
  op(id, 0, -2, 0);
  waitpid(pid, &status, 0);
  printf("zero %d\n", WEXITSTATUS(status));

  /* undo */
  semctl(id, 0, SETVAL, 3);
  pid = fork();
  if (pid == 0) {
    op(id, 0, -2, SEM_UNDO);
    op(id, 1, 5, SEM_UNDO);
    op(id, 1, -4, 0);
    values("before undo", id, 3);
    pid_t own = fork();
    if (own == 0) {
      values("not undone by its child", id, 3);
      _exit(0);
    }
    waitpid(own, NULL, 0);
    values("still", id, 3);
    _exit(0);
  }
  waitpid(pid, NULL, 0);
  values("undone", id, 3);
  pid = fork();
  if (pid == 0) {
    op(id, 0, -2, SEM_UNDO);
    semctl(id, 0, SETVAL, 1);
    _exit(0);
  }
  waitpid(pid, NULL, 0);
  values("SETVAL forgets undo", id, 3);
  pid = fork();
  if (pid == 0) {
    op(id, 2, 1, SEM_UNDO);
    kill(getpid(), SIGKILL);
  }
  waitpid(pid, NULL, 0);
  values("killed", id, 3);

  /* exec keeps undo */
  struct semid_ds ds;
  SHOW(semctl(id, 0, IPC_STAT, &ds));
  printf("mode %o nsems %lu otime %d ctime %d\n", ds.sem_perm.mode, (unsigned long)ds.sem_nsems, ds.sem_otime != 0,
         ds.sem_ctime != 0);
  struct seminfo info;
  printf("info %d:", semctl(0, 0, IPC_INFO, &info) >= 0);
  for (int i = 0; i < 10; i++) printf(" %d", ((int *)&info)[i]);
  printf("\n");
  NUMBER(semctl(0, 0, SEM_INFO, &info));
  printf("%d %d\n", info.semusz, info.semaem);
  pid = fork();
  if (pid == 0) {
    setgroups(0, NULL);
    setgid(4321);
    setuid(4321);
    SHOW(op(id, 0, 0, IPC_NOWAIT));
    SHOW(op(id, 0, 1, 0));
    SHOW(semctl(id, 0, GETVAL));
    SHOW(semctl(id, 0, SETVAL, 1));
    SHOW(semctl(id, 0, SETALL, many));
    SHOW(semctl(id, 0, IPC_RMID));
    SHOW(op(id, 9, 1, 0));
    _exit(0);
  }
  waitpid(pid, NULL, 0);
  pid = fork();
  if (pid == 0) {
    semctl(id, 0, SETVAL, 0);
    SHOW(op(id, 0, -1, 0));
    _exit(0);
  }
  await(id, GETNCNT, 1);
  semctl(id, 0, IPC_RMID);
  waitpid(pid, NULL, 0);
  SHOW(semctl(id, 0, IPC_RMID));
  SHOW(semctl(id, 0, 99));
}

struct text {
  long type;
  char bytes[9000];
};

static int put(int id, long type, const char *bytes, int flags) {
  struct text m = {type};
  strcpy(m.bytes, bytes);
  return msgsnd(id, &m, strlen(bytes), flags);
}

static void get(int id, size_t room, long type, int flags) {
  struct text m;
  memset(&m, 0, sizeof m);
  long n = msgrcv(id, &m, room, type, flags);
  if (n < 0) printf("msgrcv(%zu, %ld, %o): %s\n", room, type, flags, strerrorname_np(errno));
  else printf("msgrcv(%zu, %ld, %o): %ld type %ld %.20s\n", room, type, flags, n, m.type, m.bytes);
}

static void queue_line(const char *what, int id) {
  struct msqid_ds ds;
  if (msgctl(id, IPC_STAT, &ds) != 0) {
    printf("%s: %s\n", what, strerrorname_np(errno));
    return;
  }
  printf("%s: mode %o bytes %lu messages %lu room %lu s %d r %d\n", what, ds.msg_perm.mode, ds.__msg_cbytes,
         (unsigned long)ds.msg_qnum, (unsigned long)ds.msg_qbytes, ds.msg_lspid == getpid(), ds.msg_lrpid == getpid());
}

static void queues(void) {
  SHOW(msgget(0x5ea2, 0));
  int id = msgget(0x5ea2, IPC_CREAT | IPC_EXCL | 0640);
  SHOW(msgget(0x5ea2, IPC_CREAT | IPC_EXCL | 0640));
  printf("found %d\n", msgget(0x5ea2, 0) == id);
  queue_line("fresh", id);
  SHOW(put(id, 0, "x", 0));
  SHOW(put(-1, 1, "x", 0));
  SHOW(put(id + 1, 1, "x", 0));
  struct text big = {1};
  SHOW(msgsnd(id, &big, 8193, 0));
  SHOW(msgsnd(id, &big, -1, 0));
  SHOW(msgsnd(id, NULL, 1, 0));
  get(id, 100, 0, IPC_NOWAIT);
  put(id, 3, "three", 0);
  put(id, 1, "one", 0);
  put(id, 2, "two", 0);
  put(id, 1, "uno", 0);
  put(id, 5, "", 0);
  queue_line("five", id);
  get(id, 100, 2, 0);
  get(id, 100, -2, 0);
  get(id, 2, 3, 0);
  get(id, 2, 3, MSG_NOERROR);
  get(id, 100, 5, MSG_EXCEPT);
  get(id, 100, 4, IPC_NOWAIT);
  get(id, 100, 0, 0);
  get(-1, 100, 0, 0);
  get(id + 1, 100, 0, 0);
  get(id, -1, 0, IPC_NOWAIT);
  queue_line("empty", id);
  SHOW(msgsnd(id, &big, 8192, 0));
  SHOW(msgsnd(id, &big, 8192, 0));
  SHOW(msgsnd(id, &big, 1, IPC_NOWAIT));
  queue_line("full", id);
  pid_t pid = fork();
  if (pid == 0) _exit(put(id, 9, "waited", 0) == 0 ? 7 : 8);
  usleep(200000);
  get(id, 8192, 0, 0);
  int status;
  waitpid(pid, &status, 0);
  printf("sender %d\n", WEXITSTATUS(status));
  get(id, 8192, 0, 0);
  get(id, 8192, 0, 0);
  /* receivers that wait get what they wait for */
  int out[2];
  pipe(out);
  for (int i = 1; i <= 2; i++) {
    if (fork() == 0) {
      struct text m;
      long n = msgrcv(id, &m, i == 1 ? 3 : 100, 0, 0);
      char line[64];
      int length = n < 0 ? snprintf(line, 64, "%d %s\n", i, strerrorname_np(errno)) : snprintf(line, 64, "%d got %ld\n", i, n);
      write(out[1], line, length);
      _exit(0);
    }
    usleep(200000);
  }
  put(id, 4, "longer", 0);
  while (waitpid(-1, NULL, 0) > 0) {
  }
  char lines[128] = {0};
  read(out[0], lines, 127);
  printf("%s%s\n", strstr(lines, "1 E2BIG") ? "1 E2BIG " : lines, strstr(lines, "2 got 6") ? "2 got 6" : lines);
  queue_line("none left", id);
  /* a signal, removal, permissions */
  caught = 0;
  pid = fork();
  if (pid == 0) {
    usleep(200000);
    kill(getppid(), SIGUSR1);
    _exit(0);
  }
  get(id, 1, 0, 0);
  printf("caught %d\n", caught != 0);
  waitpid(pid, NULL, 0);
  pid = fork();
  if (pid == 0) {
    setgroups(0, NULL);
    setgid(4321);
    setuid(4321);
    SHOW(put(id, 1, "x", 0));
    get(id, 1, 0, IPC_NOWAIT);
    struct msqid_ds ds;
    SHOW(msgctl(id, IPC_STAT, &ds));
    SHOW(msgctl(id, IPC_RMID, NULL));
    int own = msgget(IPC_PRIVATE, 0600);
    msgctl(own, IPC_STAT, &ds);
    ds.msg_qbytes = 16385;
    SHOW(msgctl(own, IPC_SET, &ds));
    ds.msg_qbytes = 100;
    SHOW(msgctl(own, IPC_SET, &ds));
    SHOW(msgsnd(own, &big, 101, IPC_NOWAIT));
    SHOW(msgctl(own, IPC_RMID, NULL));
    _exit(0);
  }
  waitpid(pid, NULL, 0);
  pid = fork();
  if (pid == 0) {
    get(id, 1, 0, 0);
    _exit(0);
  }
  usleep(200000);
  struct msginfo info;
  printf("info %d:", msgctl(0, IPC_INFO, (void *)&info) >= 0);
  for (int i = 0; i < 7; i++) printf(" %d", ((int *)&info)[i]);
  printf(" %d\n", info.msgseg);
  msgctl(id, IPC_RMID, NULL);
  waitpid(pid, NULL, 0);
  SHOW(msgctl(id, IPC_RMID, NULL));
  SHOW(msgctl(id, 99, NULL));
}

int main(void) {
  setvbuf(stdout, NULL, _IONBF, 0);
  semaphores();
  queues();
  return 0;
}
