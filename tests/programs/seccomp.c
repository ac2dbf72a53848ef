/* seccomp(2): modes, filters, what each answer does, threads, listeners, tracers, PR_SET_SYSCALL_USER_DISPATCH. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IF(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip)
#define SAY(value) BPF_STMT(BPF_RET | BPF_K, value)

static long no(long result)
{
	return result < 0 ? -errno : result;
}

static long install(unsigned flags, struct sock_filter *filter, unsigned short length)
{
	struct sock_fprog program = { length, filter };
	return no(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program));
}

/* The call is answered so, everything else allowed. */
static long answer(unsigned flags, int call, unsigned what)
{
	struct sock_filter filter[] = { LOAD(nr), IF(call, 1), SAY(what), SAY(SECCOMP_RET_ALLOW) };
	return install(flags, filter, 4);
}

static void status(const char *what)
{
	char line[200];
	FILE *file = fopen("/proc/self/status", "r");
	printf("%s:", what);
	while (fgets(line, sizeof line, file))
		if (strncmp(line, "Seccomp", 7) == 0 || strncmp(line, "NoNewPrivs", 10) == 0) {
			line[strcspn(line, "\n")] = 0;
			printf(" %s", line);
		}
	printf("\n");
	fclose(file);
}

static int inChild(void (*body)(void))
{
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		body();
		fflush(stdout);
		_exit(0);
	}
	int state;
	waitpid(child, &state, 0);
	printf("  -> %s %d%s\n", WIFSIGNALED(state) ? "signal" : "exit", WIFSIGNALED(state) ? WTERMSIG(state) : WEXITSTATUS(state),
	       WIFSIGNALED(state) && WCOREDUMP(state) ? " core" : "");
	return state;
}

static void refusals(void)
{
	struct sock_filter allow[] = { SAY(SECCOMP_RET_ALLOW) };
	struct sock_filter half[] = { LOAD(nr) };
	struct sock_filter odd[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), SAY(0) };
	struct sock_filter far[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), SAY(0) };
	struct sock_filter byte[] = { BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), SAY(0) };
	struct sock_filter modulo[] = { BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 3), SAY(0) };
	struct sock_fprog bad = { 1, (void *)8 }, none = { 1, NULL }, empty = { 0, allow };
	printf("operation: %ld\n", no(syscall(SYS_seccomp, 9, 0, 0)));
	printf("strict with flags, with arguments: %ld %ld\n", no(syscall(SYS_seccomp, 0, 1, 0)), no(syscall(SYS_seccomp, 0, 0, 1)));
	printf("flags: %ld %ld %ld\n", install(0x40, allow, 1), install(9, allow, 1), install(0x20, allow, 1));
	printf("pointer: %ld %ld\n", no(syscall(SYS_seccomp, 1, 0, 8)), no(syscall(SYS_seccomp, 1, 0, 0)));
	printf("length: %ld %ld\n", no(syscall(SYS_seccomp, 1, 0, &empty)), install(0, allow, 4097));
	setresuid(65534, 65534, 65534);
	printf("without privilege: %ld, a bad pointer: %ld, no program: %ld\n", install(0, allow, 1),
	       no(syscall(SYS_seccomp, 1, 0, &bad)), no(syscall(SYS_seccomp, 1, 0, &empty)));
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	printf("program's pointer: %ld %ld\n", no(syscall(SYS_seccomp, 1, 0, &bad)), no(syscall(SYS_seccomp, 1, 0, &none)));
	printf("programs: %ld %ld %ld %ld %ld\n", install(0, half, 1), install(0, odd, 2), install(0, far, 2),
	       install(0, byte, 2), install(0, modulo, 2));
	unsigned actions[] = { SECCOMP_RET_KILL_PROCESS, 0, SECCOMP_RET_USER_NOTIF, 0x10000, SECCOMP_RET_TRACE | 1 };
	for (int i = 0; i < 5; i++)
		printf("%ld ", no(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &actions[i])));
	unsigned short sizes[3];
	long result = no(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, sizes));
	printf("are available; sizes: %ld %d %d %d, %ld %ld\n", result, sizes[0], sizes[1], sizes[2],
	       no(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 1, sizes)), no(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, 8)));
	printf("prctl: %ld %ld %ld\n", no(prctl(PR_SET_SECCOMP, 3, 0)), no(prctl(PR_SET_SECCOMP, 0, 0)), no(prctl(PR_SET_SECCOMP, 1L << 32 | 1, 0)));
	status("before");
	printf("installed: %ld %ld\n", install(0, allow, 1), install(2, allow, 1));
	printf("mode %d, strict now: %ld\n", prctl(PR_GET_SECCOMP), no(prctl(PR_SET_SECCOMP, 1)));
	status("after");
}

static void chain(void)
{
	static struct sock_filter big[4096];
	int count = 0;
	for (int i = 0; i < 4096; i++)
		big[i] = (struct sock_filter)SAY(SECCOMP_RET_ALLOW);
	while (install(0, big, 1000) == 0)
		count++;
	printf("%d filters of 1000, then %ld; of 100 %ld\n", count, install(0, big, 1000), install(0, big, 100));
	count = 0;
	while (install(0, big, 1) == 0)
		count++;
	printf("and %d of 1\n", count);
}

static void strictMode(void)
{
	printf("strict: %ld\n", no(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT)));
	fflush(stdout);
	write(1, "written\n", 8);
	syscall(SYS_getpid);
	write(1, "not reached\n", 12);
}

static void *strictThread(void *unused)
{
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
	syscall(SYS_getpid);
	return NULL;
}

static void strictInThread(void)
{
	pthread_t thread;
	pthread_create(&thread, NULL, strictThread, NULL);
	pthread_join(thread, NULL);
	printf("a strict thread's end leaves the others\n");
}

static void numbers(void)
{
	answer(0, SYS_getppid, SECCOMP_RET_ERRNO | 7);
	printf("errno 7: %ld\n", no(syscall(SYS_getppid)));
	answer(0, SYS_getuid, SECCOMP_RET_ERRNO | 0);
	printf("errno 0: %ld\n", no(syscall(SYS_getuid)));
	answer(0, SYS_getgid, SECCOMP_RET_ERRNO | 0xffff);
	printf("errno 65535: %ld, raw %ld\n", no(syscall(SYS_getgid)), -syscall(SYS_getgid));
	answer(0, SYS_getegid, SECCOMP_RET_TRACE | 5);
	printf("no tracer: %ld\n", no(syscall(SYS_getegid)));
	answer(0, SYS_getsid, SECCOMP_RET_USER_NOTIF);
	printf("no listener: %ld\n", no(syscall(SYS_getsid, 0)));
	answer(0, SYS_getpgid, SECCOMP_RET_LOG);
	printf("logged: %d\n", syscall(SYS_getpgid, 0) >= 0);
	answer(0, SYS_getppid, SECCOMP_RET_ERRNO | 9);
	printf("newer errno 9: %ld\n", no(syscall(SYS_getppid)));
	answer(0, SYS_getppid, SECCOMP_RET_ALLOW);
	printf("newer allow: %ld\n", no(syscall(SYS_getppid)));
	/* By arguments: both halves of the first. */
	struct sock_filter argument[] = { LOAD(nr), IF(SYS_close, 4), LOAD(args[0]), IF(0x1234, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 20), BPF_STMT(BPF_RET | BPF_A, 0), SAY(SECCOMP_RET_ALLOW) };
	install(0, argument, 7);
	printf("by argument: %ld %ld\n", no(syscall(SYS_close, 0x500260000123400 >> 8)), no(syscall(SYS_close, 0x0005000300001234)));
	status("filters");
	if (fork() == 0) {
		printf("child: %ld\n", no(syscall(SYS_getppid)));
		status("child");
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
}

static volatile siginfo_t seen;
static void onSys(int signal, siginfo_t *info, void *context)
{
	seen = *info;
}

static void handleSys(void)
{
	struct sigaction action = { .sa_sigaction = onSys, .sa_flags = SA_SIGINFO };
	sigaction(SIGSYS, &action, NULL);
}

static void traps(void)
{
	handleSys();
	answer(0, SYS_getppid, SECCOMP_RET_TRAP | 77);
	errno = 0;
	long result = syscall(SYS_getppid);
	printf("trap: %ld, signal %d code %d errno %d call %d arch %x, behind syscall %d\n", result, seen.si_signo, seen.si_code,
	       seen.si_errno, seen.si_syscall, seen.si_arch, ((unsigned char *)seen.si_call_addr)[-1] == 5);
}

static void trapBlocked(void)
{
	sigset_t all;
	handleSys();
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	answer(0, SYS_getppid, SECCOMP_RET_TRAP);
	syscall(SYS_getppid);
	printf("not reached\n");
}

static void killProcess(void)
{
	handleSys();
	answer(0, SYS_getppid, SECCOMP_RET_KILL_PROCESS);
	syscall(SYS_getppid);
}

static void killThreadAlone(void)
{
	answer(0, SYS_getppid, SECCOMP_RET_KILL_THREAD);
	syscall(SYS_getppid);
}

static void unknownAction(void)
{
	answer(0, SYS_getppid, 0x12340000);
	syscall(SYS_getppid);
}

static void *getppidInThread(void *unused)
{
	syscall(SYS_getppid);
	return NULL;
}

static void killThread(void)
{
	pthread_t thread;
	answer(0, SYS_getppid, SECCOMP_RET_KILL_THREAD);
	pthread_create(&thread, NULL, getppidInThread, NULL);
	pthread_join(thread, NULL);
	printf("a killed thread leaves the others\n");
}

static void divides(void)
{
	struct sock_filter filter[] = { LOAD(nr), IF(SYS_getppid, 3), BPF_STMT(BPF_LDX | BPF_IMM, 0),
		BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0), SAY(SECCOMP_RET_ALLOW), SAY(SECCOMP_RET_ALLOW) };
	printf("divides by zero: %ld\n", install(0, filter, 6));
	fflush(stdout);
	syscall(SYS_getppid);
}

static pthread_barrier_t barrier;
static long threadSees[2];
static void *synchronised(void *own)
{
	if (own)
		answer(0, SYS_getuid, SECCOMP_RET_ERRNO | 1);
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	threadSees[own != NULL] = no(syscall(SYS_getppid));
	return NULL;
}

static void threads(int diverging)
{
	pthread_t thread[2];
	pthread_barrier_init(&barrier, NULL, 2 + diverging);
	for (int i = 0; i <= diverging; i++)
		pthread_create(&thread[i], NULL, synchronised, (void *)(long)i);
	pthread_barrier_wait(&barrier);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	long result = answer(SECCOMP_FILTER_FLAG_TSYNC, SYS_getppid, SECCOMP_RET_ERRNO | 33);
	printf("TSYNC: %s", result > 1 ? "a thread's number" : result == 0 ? "0" : "error");
	if (diverging)
		printf(", ESRCH: %ld", answer(SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH, SYS_getppid, SECCOMP_RET_ERRNO | 33));
	printf(", mode %d\n", prctl(PR_GET_SECCOMP));
	pthread_barrier_wait(&barrier);
	for (int i = 0; i <= diverging; i++)
		pthread_join(thread[i], NULL);
	printf("the thread sees %ld\n", threadSees[0] > 0 ? 0 : threadSees[0]);
}

static void syncAlike(void)
{
	threads(0);
}

static void syncDiverging(void)
{
	threads(1);
}

static void listen(void)
{
	int listener = answer(SECCOMP_FILTER_FLAG_NEW_LISTENER, SYS_getppid, SECCOMP_RET_USER_NOTIF);
	printf("second listener: %ld\n", answer(SECCOMP_FILTER_FLAG_NEW_LISTENER, SYS_getuid, SECCOMP_RET_USER_NOTIF));
	printf("closes on exec: %d\n", fcntl(listener, F_GETFD));
	char link[100] = "";
	char path[50];
	sprintf(path, "/proc/self/fd/%d", listener);
	readlink(path, link, 99);
	printf("%s\n", link);
	struct pollfd watched = { listener, POLLIN | POLLOUT };
	printf("poll: %d %x\n", poll(&watched, 1, 0), watched.revents);
	fflush(stdout);
	pid_t child = fork();
	if (child == 0) {
		long first = syscall(SYS_getppid, 1, 2, 3, 4, 5, 6);
		long second = no(syscall(SYS_getppid)), third = syscall(SYS_getppid);
		long fourth = syscall(SYS_getppid);
		printf("child hears %ld, %ld, its parent %d, a descriptor %d\n", first, second, third >= 0,
		       fcntl(fourth, F_GETFD));
		fflush(stdout);
		_exit(0);
	}
	struct seccomp_notif asked;
	struct seccomp_notif_resp reply = { 0 };
	memset(&asked, 1, sizeof asked);
	printf("not zeroed: %ld\n", no(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked)));
	memset(&asked, 0, sizeof asked);
	poll(&watched, 1, -1);
	printf("poll: %x\n", watched.revents);
	printf("receive: %ld, of the child %d, call %d, arguments %lld to %lld\n", no(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked)),
	       asked.pid == child, asked.data.nr, asked.data.args[0], asked.data.args[5]);
	poll(&watched, 1, 0);
	printf("poll: %x\n", watched.revents);
	printf("valid: %ld\n", no(ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &asked.id)));
	reply.id = asked.id + 5;
	printf("unknown: %ld %ld\n", no(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply)), no(ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &reply.id)));
	reply.id = asked.id;
	reply.flags = 2;
	printf("flags: %ld ", no(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply)));
	reply.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	reply.val = 5;
	printf("%ld\n", no(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply)));
	reply.flags = 0;
	reply.val = 4711;
	printf("reply: %ld\n", no(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply)));
	printf("again: %d\n", no(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply)) < 0);
	for (int i = 0; i < 2; i++) {
		memset(&asked, 0, sizeof asked);
		ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked);
		reply.id = asked.id;
		reply.val = 0;
		reply.error = i == 0 ? -EXDEV : 0;
		reply.flags = i == 0 ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &reply);
	}
	memset(&asked, 0, sizeof asked);
	ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked);
	struct seccomp_notif_addfd add = { .id = asked.id, .srcfd = 1, .newfd_flags = O_CLOEXEC, .flags = SECCOMP_ADDFD_FLAG_SEND };
	int added = no(ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add)) > 2;
	waitpid(child, NULL, 0);
	printf("descriptor: %d\n", added);
	printf("unknown request: %ld\n", no(ioctl(listener, 0x2150, 0)));
	if ((child = fork()) == 0) {
		close(listener);
		printf("listener closed: %ld\n", no(syscall(SYS_getppid)));
		fflush(stdout);
		_exit(0);
	}
	memset(&asked, 0, sizeof asked);
	ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked);
	close(listener);
	waitpid(child, NULL, 0);
}

static void traced(void)
{
	pid_t child = fork();
	int state;
	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		answer(0, SYS_getppid, SECCOMP_RET_TRACE | 0x123);
		long first = no(syscall(SYS_getppid)), second = no(syscall(SYS_getppid)), third = syscall(SYS_getppid);
		printf("tracee hears %ld, %ld, its parent %d\n", first, second, third >= 0);
		fflush(stdout);
		_exit(0);
	}
	waitpid(child, &state, 0);
	ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD);
	for (int i = 0; i < 3; i++) {
		unsigned long message, registers[27];
		unsigned char info[88];
		ptrace(PTRACE_CONT, child, 0, 0);
		waitpid(child, &state, 0);
		ptrace(PTRACE_GETEVENTMSG, child, 0, &message);
		ptrace(PTRACE_GETREGS, child, 0, registers);
		long size = ptrace(0x420e, child, 88, info);
		printf("stop %x, message %lx, rax %ld, call %ld, info %ld of %d, data %x\n", state >> 8, message, (long)registers[10], registers[15], size, info[0],
		       *(unsigned *)(info + 80));
		registers[15] = i == 0 ? -1 : i == 1 ? SYS_getppid : SYS_getppid;
		registers[10] = i == 0 ? -EBADF : registers[10];
		if (i == 1)
			registers[15] = SYS_close, registers[14] = 12345;
		ptrace(PTRACE_SETREGS, child, 0, registers);
	}
	ptrace(PTRACE_CONT, child, 0, 0);
	waitpid(child, &state, 0);
	printf("tracee: %x\n", state);
}

static char selector;
static void dispatching(void)
{
	handleSys();
	printf("modes: %ld %ld %ld %ld\n", no(prctl(59, 3, 0, 0, 0)), no(prctl(59, 0, 1, 0, 0)), no(prctl(59, 1, 1, -1, 0)),
	       no(prctl(59, 1, 0, 0, 0x800000000000)));
	selector = 0;
	printf("on: %ld\n", no(prctl(59, 1, 0, 0, &selector)));
	selector = 1;
	syscall(SYS_getppid);
	selector = 0;
	printf("dispatched: signal %d code %d errno %d call %d arch %x\n", seen.si_signo, seen.si_code, seen.si_errno, seen.si_syscall, seen.si_arch);
	if (fork() == 0) {
		selector = 1;
		_exit(syscall(SYS_getppid) > 0 ? 0 : 1);
	}
	int state;
	wait(&state);
	printf("the child has none: %x\n", state);
	printf("off: %ld\n", no(prctl(59, 0, 0, 0, 0)));
}

static void badSelector(void)
{
	handleSys();
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	prctl(59, 1, 0, 0, page);
	*page = 2;
	syscall(SYS_getppid);
}

static void noSelector(void)
{
	handleSys();
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	prctl(59, 1, 0, 0, page);
	munmap(page, 4096);
	syscall(SYS_getppid);
}

int main(void)
{
	setbuf(stdout, NULL);
	inChild(refusals);
	inChild(chain);
	inChild(strictMode);
	inChild(strictInThread);
	inChild(numbers);
	inChild(traps);
	inChild(trapBlocked);
	inChild(killProcess);
	inChild(killThreadAlone);
	inChild(unknownAction);
	inChild(killThread);
	inChild(divides);
	inChild(syncAlike);
	inChild(syncDiverging);
	inChild(listen);
	inChild(traced);
	inChild(dispatching);
	inChild(badSelector);
	inChild(noSelector);
	return 0;
}
