/* Names of anonymous memory (PR_SET_VMA_ANON_NAME): who may have one, how areas split and merge, who keeps it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SET_VMA 0x53564d41
#define PAGE 4096L
#define BASE ((char *)0x100000000000)

static int name(void *at, unsigned long length, const char *text)
{
	int result = prctl(SET_VMA, 0, at, length, text);
	return result == 0 ? 0 : -errno;
}

static char *map(long page, long pages, int flags)
{
	return mmap(BASE + page * PAGE, pages * PAGE, PROT_READ | PROT_WRITE, flags | MAP_FIXED | MAP_ANONYMOUS, -1, 0);
}

/* The areas from BASE on, in pages, with their names. */
static void show(const char *what)
{
	static char line[1000];
	FILE *maps = fopen("/proc/self/maps", "r");
	printf("%s:", what);
	while (fgets(line, sizeof line, maps)) {
		unsigned long start, end;
		char rights[8];
		int at = 0;
		sscanf(line, "%lx-%lx %7s %*s %*s %*s %n", &start, &end, rights, &at);
		if (start < (unsigned long)BASE || start > (unsigned long)BASE + (1 << 30))
			continue;
		line[strcspn(line, "\n")] = 0;
		printf(" %ld-%ld %s %s,", (start - (long)BASE) / PAGE, (end - (long)BASE) / PAGE, rights, line + at);
	}
	printf("\n");
	fclose(maps);
}

static void clear(void)
{
	munmap(BASE, 1 << 30);
}

static void names(void)
{
	char text[100];
	map(0, 2, MAP_PRIVATE);
	for (int c = 1; c < 256; c++) {
		text[0] = c;
		text[1] = 0;
		if (name(BASE, PAGE, text) != 0)
			printf("%d ", c);
	}
	printf("are not in names\n");
	memset(text, 'n', 99);
	text[99] = 0;
	text[80] = 0;
	printf("80 bytes: %d\n", name(BASE, PAGE, text));
	text[79] = 0;
	printf("79 bytes: %d\n", name(BASE, PAGE, text));
	show("79 bytes");
	printf("empty: %d\n", name(BASE, PAGE, ""));
	show("empty");
	printf("bad address: %d\n", name(BASE, PAGE, (char *)8));
	char *edge = map(16, 1, MAP_PRIVATE);
	strcpy(edge + PAGE - 4, "abc");
	printf("up to the end of memory: %d\n", name(BASE, PAGE, edge + PAGE - 4));
	memcpy(edge + PAGE - 4, "abcd", 4);
	printf("beyond the end of memory: %d\n", name(BASE, PAGE, edge + PAGE - 4));
	memset(edge, 'x', PAGE);
	printf("unreadable and too long: %d\n", name(BASE, PAGE, edge + PAGE - 80));
	printf("option: %d\n", prctl(SET_VMA, 1, BASE, PAGE, "x") == 0 ? 0 : -errno);
	printf("option's high half: %d\n", (int)syscall(SYS_prctl, SET_VMA, 1UL << 32, BASE, PAGE, "x") == 0 ? 0 : -errno);
	clear();
}

static void ranges(void)
{
	map(0, 4, MAP_PRIVATE);
	printf("unaligned: %d\n", name(BASE + 1, PAGE, "x"));
	printf("unaligned, bad name: %d\n", name(BASE + 1, PAGE, "$"));
	printf("unaligned, nothing: %d\n", name(BASE + 1, 0, "x"));
	printf("nothing: %d\n", name(BASE, 0, "x"));
	printf("nothing, nowhere: %d\n", name(BASE + 100 * PAGE, 0, "x"));
	printf("length -1: %d\n", name(BASE, -1, "x"));
	printf("wraps: %d\n", name(BASE, -(unsigned long)BASE, "x"));
	printf("wraps more: %d\n", name(BASE, -PAGE, "x"));
	printf("beyond user space: %d\n", name((void *)0x800000000000, PAGE, "x"));
	printf("kernel: %d\n", name((void *)0xffff800000000000, PAGE, "x"));
	printf("one byte: %d\n", name(BASE, 1, "byte"));
	show("one byte");
	munmap(BASE + 2 * PAGE, PAGE);
	printf("over a hole: %d\n", name(BASE, 4 * PAGE, "all"));
	show("over a hole");
	printf("after a hole: %d\n", name(BASE + 2 * PAGE, 2 * PAGE, "after"));
	printf("before a hole: %d\n", name(BASE + 3 * PAGE, 2 * PAGE, "before"));
	show("holes");
	clear();
}

static void kinds(void)
{
	int memory = memfd_create("m", 0), zero = open("/dev/zero", O_RDWR);
	ftruncate(memory, 16 * PAGE);
	map(0, 2, MAP_SHARED);
	printf("shared anonymous: %d\n", name(BASE, PAGE, "shared"));
	mmap(BASE + 4 * PAGE, 2 * PAGE, 3, MAP_SHARED | MAP_FIXED, zero, 0);
	printf("shared zero device: %d\n", name(BASE + 4 * PAGE, PAGE, "zero"));
	mmap(BASE + 8 * PAGE, 2 * PAGE, 3, MAP_PRIVATE | MAP_FIXED, zero, 0);
	printf("private zero device: %d\n", name(BASE + 8 * PAGE, PAGE, "zero"));
	mmap(BASE + 12 * PAGE, PAGE, 3, MAP_SHARED | MAP_FIXED, memory, 0);
	printf("memfd: %d\n", name(BASE + 12 * PAGE, PAGE, "memfd"));
	mmap(BASE + 14 * PAGE, PAGE, 3, MAP_PRIVATE | MAP_FIXED, memory, 0);
	printf("private memfd: %d\n", name(BASE + 14 * PAGE, PAGE, "memfd"));
	show("kinds");
	printf("no access: %d\n", mprotect(map(20, 1, MAP_PRIVATE), PAGE, PROT_NONE) | name(BASE + 20 * PAGE, PAGE, "none"));
	map(21, 1, MAP_PRIVATE);
	map(22, 1, MAP_PRIVATE);
	printf("anonymous, file, anonymous: ");
	mmap(BASE + 22 * PAGE, PAGE, 3, MAP_SHARED | MAP_FIXED, memory, 0);
	map(23, 1, MAP_PRIVATE);
	printf("%d\n", name(BASE + 20 * PAGE, 4 * PAGE, "row"));
	show("row");
	/* Where nothing takes it away again. */
	char *sealed = map(1 << 20, 3, MAP_PRIVATE);
	syscall(462, sealed, 3 * PAGE, 0);
	printf("sealed: %d\n", name(sealed + PAGE, PAGE, "sealed"));
	clear();
	brk((void *)(((long)sbrk(0) + PAGE - 1) & -PAGE));
	printf("heap: %d\n", name((char *)(((long)sbrk(0) - 1) & -PAGE), PAGE, "heap"));
	int local;
	/* Where it begins depends on the environment. */
	printf("stack: %d\n", name((void *)((long)&local & -PAGE), PAGE, "stack") | name((void *)((long)&local & -PAGE), PAGE, NULL));
	char line[300];
	FILE *maps = fopen("/proc/self/maps", "r");
	while (fgets(line, sizeof line, maps)) {
		unsigned long start, end;
		sscanf(line, "%lx-%lx", &start, &end);
		char *last = strrchr(line, ' ') + 1;
		last[strcspn(last, "\n")] = 0;
		if (strcmp(last, "[heap]") == 0 || strcmp(last, "[stack]") == 0 || strncmp(last, "[anon", 5) == 0)
			printf("%s ", last);
		if (strcmp(last, "[vdso]") == 0) {
			printf("%s %d ", last, name((void *)start, PAGE, "part"));
			printf("%d ", name((void *)start, end - start, "whole"));
		}
	}
	printf("\n");
	fclose(maps);
}

static void merging(void)
{
	map(0, 6, MAP_PRIVATE);
	name(BASE + PAGE, PAGE, "a");
	show("middle");
	name(BASE + 2 * PAGE, PAGE, "a");
	show("next to it");
	name(BASE + 4 * PAGE, PAGE, "a");
	name(BASE + 3 * PAGE, PAGE, "a");
	show("bridge");
	name(BASE + 2 * PAGE, PAGE, "b");
	show("another");
	name(BASE + 2 * PAGE, PAGE, NULL);
	show("none");
	name(BASE, 6 * PAGE, NULL);
	show("none anywhere");
	name(BASE, 6 * PAGE, "c");
	map(6, 1, MAP_PRIVATE);
	show("mapped after a name");
	name(BASE + 6 * PAGE, PAGE, "c");
	show("named too");
	mprotect(BASE + 2 * PAGE, PAGE, PROT_READ);
	show("protected");
	name(BASE + 2 * PAGE, PAGE, "d");
	mprotect(BASE + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE);
	show("back, with another name");
	name(BASE + 2 * PAGE, PAGE, "c");
	show("and its own");
	madvise(BASE + 3 * PAGE, PAGE, MADV_DONTFORK);
	show("advised");
	madvise(BASE + 3 * PAGE, PAGE, MADV_DOFORK);
	show("advised back");
	munmap(BASE + PAGE, PAGE);
	map(1, 1, MAP_PRIVATE);
	show("mapped between names");
	clear();
	map(0, 2, MAP_PRIVATE);
	BASE[0] = 1;
	BASE[PAGE] = 1;
	munmap(BASE + PAGE, PAGE);
	map(1, 1, MAP_PRIVATE)[0] = 2;
	name(BASE, PAGE, "x");
	name(BASE + PAGE, PAGE, "x");
	show("touched apart");
	clear();
	map(0, 2, MAP_SHARED);
	map(2, 2, MAP_SHARED);
	name(BASE, 4 * PAGE, "s");
	show("two shared");
	name(BASE + PAGE, PAGE, "t");
	show("part of a shared one");
	clear();
}

static void keeping(void)
{
	map(0, 4, MAP_PRIVATE);
	name(BASE, 2 * PAGE, "kept");
	mremap(BASE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, BASE + 10 * PAGE);
	show("moved");
	mremap(BASE + 10 * PAGE, 2 * PAGE, 4 * PAGE, 0);
	show("grown");
	mremap(BASE + 10 * PAGE, 4 * PAGE, PAGE, 0);
	show("shrunk");
	mremap(BASE + 10 * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, BASE + 20 * PAGE);
	show("dontunmap");
	map(30, 1, MAP_SHARED);
	name(BASE + 30 * PAGE, PAGE, "shared");
	mremap(BASE + 30 * PAGE, 0, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, BASE + 40 * PAGE);
	show("doubled");
	fflush(stdout);
	if (fork() == 0) {
		show("child");
		name(BASE + 10 * PAGE, PAGE, "child's");
		show("child's own");
		fflush(stdout);
		_exit(0);
	}
	wait(NULL);
	show("parent");
	mmap(BASE + 10 * PAGE, PAGE, 3, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0);
	show("mapped over");
	clear();
	/* The break never joins a heap that has a name. */
	char *top = (char *)(((long)sbrk(0) + PAGE - 1) & -PAGE);
	syscall(SYS_brk, top + PAGE);
	name(top, PAGE, "top");
	syscall(SYS_brk, top + 2 * PAGE);
	char line[300];
	int heaps = 0;
	FILE *maps = fopen("/proc/self/maps", "r");
	while (fgets(line, sizeof line, maps))
		heaps += strstr(line, "[heap]") != NULL;
	fclose(maps);
	printf("heaps: %d\n", heaps);
}

static void reports(void)
{
	map(0, 2, MAP_PRIVATE);
	name(BASE, 2 * PAGE, "told");
	map(4, 2, MAP_SHARED);
	name(BASE + 4 * PAGE, 2 * PAGE, "told too");
	static char line[1000];
	FILE *smaps = fopen("/proc/self/smaps", "r");
	while (fgets(line, sizeof line, smaps))
		if (strstr(line, "[anon"))
			printf("%s", strchr(line, '['));
	fclose(smaps);
	struct {
		unsigned long size, flags, address, start, end, areaFlags, page, offset, inode;
		unsigned int major, minor, nameSize, buildIdSize;
		unsigned long nameAt, buildIdAt;
	} query = { sizeof query, 0, (long)BASE, .nameSize = sizeof line, .nameAt = (long)line };
	int maps = open("/proc/self/maps", O_RDONLY);
	int result = syscall(SYS_ioctl, maps, 0xc0686611, &query);
	printf("query: %d %s, %u\n", result, line, query.nameSize);
	query.address += 4 * PAGE;
	query.nameSize = sizeof line;
	result = syscall(SYS_ioctl, maps, 0xc0686611, &query);
	printf("query: %d %s, %u\n", result, line, query.nameSize);
	clear();
}

int main(void)
{
	names();
	ranges();
	kinds();
	merging();
	keeping();
	reports();
	return 0;
}
