/* prctl(PR_SET_MM): who may move the marks of an address space, where to, and what /proc says of it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static int no(long result)
{
	return result < 0 ? -errno : result;
}

static int set(unsigned long option, unsigned long value, unsigned long length, unsigned long last)
{
	return no(prctl(PR_SET_MM, option, value, length, last));
}

static void file(const char *path, int words)
{
	unsigned char bytes[512];
	int fd = open(path, O_RDONLY), length = read(fd, bytes, sizeof bytes);
	printf("%s: %d bytes", path, length);
	if (words)
		for (int i = 0; i < length && i < words * 8; i += 8)
			printf(" %lx", *(unsigned long *)(bytes + i));
	else
		for (int i = 0; i < length; i++)
			printf("%c", bytes[i] ? bytes[i] : '|');
	printf("\n");
	close(fd);
}

/* Fields 26 to 28 and 45 to 51 of stat: code, stack; data, heap, arguments, environment. */
static void marks(unsigned long *to)
{
	char text[2000];
	int fd = open("/proc/self/stat", O_RDONLY), length = read(fd, text, sizeof text - 1);
	close(fd);
	text[length] = 0;
	char *at = strrchr(text, ')') + 2;
	unsigned long fields[60] = { 0 };
	for (int field = 3; field < 53; field++) {
		if (field != 3)
			sscanf(at, "%lu", &fields[field]);
		at = strchr(at, ' ');
		if (!at)
			break;
		at++;
	}
	to[0] = fields[26], to[1] = fields[27], to[2] = fields[45], to[3] = fields[46], to[4] = fields[47];
	to[5] = (unsigned long)sbrk(0), to[6] = fields[28], to[7] = fields[48], to[8] = fields[49], to[9] = fields[50], to[10] = fields[51];
}

int main(int argc, char **argv)
{
	setbuf(stdout, NULL);
	sbrk(8192);
	char *page = mmap((void *)0x10000000000, 8192, 3, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	unsigned long text = (unsigned long)page;
	printf("arguments: %d %d %d\n", set(8, text, 0, 1), set(8, text, 1, 0), set(12, text, 16, 1));
	printf("options: %d %d %d\n", set(0, text, 0, 0), set(16, text, 0, 0), set(1UL << 32 | 8, text, 0, 0));
	printf("addresses: %d %d %d\n", set(8, 0, 0, 0), set(8, 0x7ffffffff000, 0, 0), set(8, 65535, 0, 0));
	printf("order: start of arguments behind their end %d, end before their start %d\n", set(8, 0x7fffffffe000, 0, 0), set(9, text, 0, 0));
	printf("code: end before start %d, nothing %d\n", set(2, 65536, 0, 0), set(1, 0x7fffffffe000, 0, 0));
	strcpy(page, "another");
	strcpy(page + 8, "name");
	printf("arguments: %d %d\n", set(8, text, 0, 0), set(9, text + 13, 0, 0));
	file("/proc/self/cmdline", 0);
	strcpy(page + 100, "A=1");
	unsigned long old[11];
	marks(old);
	printf("environment: %d %d\n", set(10, text + 100, 0, 0), set(11, text + 104, 0, 0));
	file("/proc/self/environ", 0);
	printf("no area above: %d\n", set(9, 0x7fffffffe000, 0, 0));
	printf("stack, data, heap: %d %d %d %d\n", set(5, text + 16, 0, 0), set(3, text, 0, 0), set(4, text + 4096, 0, 0), set(7, old[4], 0, 0));
	set(7, old[5], 0, 0);
	unsigned long vector[4] = { 6, 4096, 33, 77 };
	printf("auxiliary vector: %d too long %d bad %d\n", set(12, (long)vector, 32, 0), set(12, (long)vector, 424, 0), set(12, 8, 16, 0));
	file("/proc/self/auxv", 4);
	unsigned size = 0;
	printf("size of a map: %d %u, %d\n", set(15, (long)&size, 0, 0), size, set(15, 8, 0, 0));
	struct {
		unsigned long marks[11];
		unsigned long auxv;
		unsigned auxvSize, exe;
	} map = { .exe = -1 };
	marks(map.marks);
	unsigned long full[6] = { 6, 4096, 9, 123, 0, 0 };
	map.auxv = (long)full;
	map.auxvSize = sizeof full;
	map.marks[7] = text + 8;
	printf("map: %d, wrong size %d, bad %d\n", set(14, (long)&map, sizeof map, 0), set(14, (long)&map, 100, 0), set(14, 8, sizeof map, 0));
	file("/proc/self/cmdline", 0);
	file("/proc/self/auxv", 6);
	map.marks[7] = text + 50;
	printf("map out of order: %d\n", set(14, (long)&map, sizeof map, 0));
	map.marks[7] = text;
	map.auxvSize = 424;
	printf("vector too long: %d\n", set(14, (long)&map, sizeof map, 0));
	map.auxvSize = 8;
	map.auxv = 0;
	printf("no vector: %d\n", set(14, (long)&map, sizeof map, 0));
	map.auxvSize = 0;
	map.exe = 99;
	printf("program: not open %d, ", set(14, (long)&map, sizeof map, 0));
	printf("not open %d, ", set(13, 99, 0, 0));
	printf("a directory %d, ", set(13, open("/", O_RDONLY), 0, 0));
	printf("in use %d\n", set(13, open("/proc/self/exe", O_RDONLY), 0, 0));
	struct rlimit limit = { 4096, 4096 };
	setrlimit(RLIMIT_DATA, &limit);
	printf("over RLIMIT_DATA: %d\n", set(8, text, 0, 0));
	limit.rlim_cur = limit.rlim_max = -1;
	setresuid(65534, 65534, 65534);
	map.exe = -1;
	printf("without privilege: %d %d, a map %d\n", set(8, text, 0, 0), set(99, text, 0, 0), set(14, 8, sizeof map, 0));
	return 0;
}
