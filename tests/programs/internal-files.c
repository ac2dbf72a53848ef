/* Files that are in no directory: what fstatfs says of their file systems, and when reading one changes its time. */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#define SYS_PIDFD_OPEN 434

static void show(const char *what, int fd)
{
	struct statfs s = { 0 };
	int result = fstatfs(fd, &s);
	printf("%s: %d, type %lx, block %ld, name %ld, flags %lx\n", what, result, (long)s.f_type, (long)s.f_bsize,
	       (long)s.f_namelen, (long)s.f_flags);
}

static long readAt(int fd)
{
	char byte;
	struct stat status;
	usleep(20000);
	pread(fd, &byte, 1, 0);
	fstat(fd, &status);
	return status.st_atim.tv_sec * 1000000000L + status.st_atim.tv_nsec;
}

int main(void)
{
	int pipes[2];
	pipe(pipes);
	show("pipe", pipes[0]);
	show("socket", socket(AF_UNIX, SOCK_STREAM, 0));
	show("eventfd", eventfd(0, 0));
	show("epoll", epoll_create1(0));
	show("pidfd", syscall(SYS_PIDFD_OPEN, getpid(), 0));
	int memory = memfd_create("memory", 0);
	show("memfd", memory);
	write(memory, "x", 1);
	long first = readAt(memory);
	printf("each read of a memfd counts: %d\n", readAt(memory) > first);
	return 0;
}
