/*
 * Which areas are soft-dirty after two or three became one: by mprotect, madvise, mlock, munlock or mseal of the one in
 * the middle, with a neighbour below, above, or on both sides. A line says of pages 1 to 3 whether pagemap has the bit.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE 4096
#define SYS_MSEAL 462
#define RW (PROT_READ | PROT_WRITE)
#define RWX (RW | PROT_EXEC)
enum { BELOW = 1, ABOVE = 2 };
enum { MPROTECT, MLOCK, MUNLOCK, DONTFORK, NOHUGEPAGE, CALLS };

static const char *const names[] = { "mprotect", "mlock", "munlock", "dontfork", "nohugepage" };
static int pagemap;
static char *reserved;

static char *page(int index) { return reserved + index * PAGE; }

static void map(int index, int pages, int prot)
{
	mmap(page(index), pages * PAGE, prot, MAP_ANON | MAP_PRIVATE | MAP_FIXED, -1, 0);
}

static void clear(void)
{
	int file = open("/proc/self/clear_refs", O_WRONLY);
	write(file, "4", 1);
	close(file);
}

static void show(const char *what, int sides, int result)
{
	printf("%s, neighbours %d, %d:", what, sides, result);
	for (int i = 0; i < 5; i++) {
		uint64_t entry = 0;
		pread(pagemap, &entry, 8, (uintptr_t)page(i) / PAGE * 8);
		printf(" %d", (int)(entry >> 55 & 1));
	}
	printf("\n");
}

static int change(int call, int index)
{
	switch (call) {
	case MPROTECT: return mprotect(page(index), PAGE, RWX);
	case MLOCK: return mlock(page(index), PAGE);
	case MUNLOCK: return munlock(page(index), PAGE);
	case DONTFORK: return madvise(page(index), PAGE, MADV_DONTFORK);
	default: return madvise(page(index), PAGE, MADV_NOHUGEPAGE);
	}
}

/* Neighbours that the middle is alike once it was changed as they are. */
static void neighbours(int call, int sides)
{
	for (int side = BELOW; side <= ABOVE; side++) {
		int index = side == BELOW ? 1 : 3;
		if (!(sides & side))
			continue;
		/* Read-only at first, so that it does not join the middle at once. */
		map(index, 1, PROT_READ);
		if (call != MUNLOCK)
			change(call, index);
		if (call != MPROTECT)
			mprotect(page(index), PAGE, RW);
	}
}

int main(void)
{
	pagemap = open("/proc/self/pagemap", O_RDONLY);
	reserved = mmap(NULL, 6 * PAGE, PROT_NONE, MAP_ANON | MAP_PRIVATE, -1, 0);
	for (int call = 0; call < CALLS; call++)
		for (int sides = BELOW; sides <= (BELOW | ABOVE); sides++) {
			munmap(reserved, 5 * PAGE);
			map(2, 1, RW);
			if (call == MUNLOCK)
				mlock(page(2), PAGE);
			clear();
			neighbours(call, sides);
			show(names[call], sides, change(call, 2));
		}
	for (int call = 0; call < CALLS; call++)
		for (int sides = BELOW; sides <= (BELOW | ABOVE); sides++) {
			munmap(reserved, 5 * PAGE);
			neighbours(call, sides);
			clear();
			map(2, 1, PROT_READ);
			if (call == MUNLOCK)
				mlock(page(2), PAGE);
			if (call != MPROTECT)
				mprotect(page(2), PAGE, RW);
			char what[32];
			snprintf(what, sizeof what, "new, %s", names[call]);
			show(what, sides, change(call, 2));
		}
	for (int index = 1; index <= 3; index += 2) {
		munmap(reserved, 5 * PAGE);
		map(1, 3, RW);
		clear();
		map(index == 1 ? 0 : 4, 1, RWX);
		show("a part", index == 1 ? BELOW : ABOVE, change(MPROTECT, index));
	}
	munmap(reserved, 5 * PAGE);
	map(1, 1, RW);
	clear();
	map(2, 1, PROT_READ);
	syscall(SYS_MSEAL, page(1), PAGE, 0);
	mprotect(page(2), PAGE, RW);
	show("seal, before", BELOW, 0);
	syscall(SYS_MSEAL, page(2), PAGE, 0);
	show("sealed", BELOW, 0);
	return 0;
}
