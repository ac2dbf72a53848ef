/* process_madvise(2) of empty buffers: is the advice looked at, are the addresses? */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define SYS_PIDFD_OPEN 434
#define SYS_PROCESS_MADVISE 440
#define COLD 20
#define UNKNOWN -1

static int self;

static void ask(const char *what, struct iovec *buffers, int count, int advice)
{
	errno = 0;
	long result = syscall(SYS_PROCESS_MADVISE, self, buffers, count, advice, 0);
	printf("%s: %ld, errno %d\n", what, result, errno);
}

int main(void)
{
	self = syscall(SYS_PIDFD_OPEN, getpid(), 0);
	char *memory = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec empty[2] = { { memory, 0 }, { memory, 0 } };
	struct iovec page = { memory, 4096 };
	struct iovec odd = { memory + 1, 0 };
	struct iovec high = { (void *)~0ul, 0 };
	struct iovec empty_first[2] = { { memory, 0 }, { memory, 4096 } };
	struct iovec odd_first[2] = { { memory + 1, 0 }, { memory, 4096 } };
	struct iovec odd_last[2] = { { memory, 4096 }, { memory + 1, 0 } };

	ask("an empty buffer, unknown advice", empty, 1, UNKNOWN);
	ask("two empty buffers, unknown advice", empty, 2, UNKNOWN);
	ask("no buffer, unknown advice", NULL, 0, UNKNOWN);
	ask("a page, unknown advice", &page, 1, UNKNOWN);
	ask("an empty buffer, then a page, unknown advice", empty_first, 2, UNKNOWN);
	ask("an empty buffer", empty, 1, COLD);
	ask("no buffer", NULL, 0, COLD);
	ask("an empty buffer at an odd address", &odd, 1, COLD);
	ask("an empty buffer above user space", &high, 1, COLD);
	ask("an empty buffer, then a page", empty_first, 2, COLD);
	ask("an empty buffer at an odd address, then a page", odd_first, 2, COLD);
	ask("a page, then an empty buffer at an odd address", odd_last, 2, COLD);
	return 0;
}
